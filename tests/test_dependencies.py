"""What the package needs: each dependency declared, with both bounds, and one word on Python everywhere."""

import ast
import re
import sys
from argparse import ArgumentTypeError
from pathlib import Path

import matrix
import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).parents[1]
# ArviZ's parts, each held to its own minor version by the package `arviz`.
PARTS = {"arviz_base": "arviz", "arviz_stats": "arviz"}
# Run once, for the embedded data, with packages of its own; nothing imports it.
SCRIPT = ROOT / "bayescale" / "datasets" / "tiny_sweep" / "tiny_sweep.py"


@pytest.mark.parametrize("requirement", matrix.bounds().values(), ids=lambda requirement: requirement.name)
def test_every_dependency_has_a_lower_and_an_upper_bound(requirement):
    operators = sorted(bound.operator for bound in requirement.specifier)
    assert operators == ["<", ">="]
    assert matrix.lower(requirement) in requirement.specifier


def imported():
    """Packages that bayescale imports, anywhere in its code."""
    names = set()
    for path in set((ROOT / "bayescale").rglob("*.py")) - {SCRIPT}:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add(str(node.module).partition(".")[0])
    return names - set(sys.stdlib_module_names) - {"bayescale"}


def test_every_package_imported_is_declared():
    needed = {PARTS.get(name, name) for name in imported()}
    assert len(needed) > 10
    assert needed <= set(matrix.bounds())


def test_all_say_the_same_of_python():
    lowest = re.fullmatch(r">=(\d+\.\d+)", matrix.PROJECT["requires-python"])
    assert lowest is not None
    assert f"Python {lowest[1]} or newer" in (ROOT / "README.md").read_text()
    assert f"Python >= {lowest[1]}" in (ROOT / "Makefile").read_text()
    named = [word.rpartition(" ")[2] for word in matrix.PROJECT["classifiers"] if "Python :: " in word]
    tried = [python for python, _ in map(matrix.environment, matrix.ENVIRONMENTS)]
    assert named == tried
    assert named[0] == lowest[1]
    assert all(version in SpecifierSet(matrix.PROJECT["requires-python"]) for version in named)


def test_the_matrix_goes_to_both_ends():
    assert {end for _, end in map(matrix.environment, matrix.ENVIRONMENTS)} == set(matrix.RESOLUTIONS)
    with pytest.raises(ArgumentTypeError, match=r"give one like 3\.12-lowest"):
        matrix.environment("3.12")


def test_a_bound_that_was_not_tried_is_told():
    versions = {name: str(matrix.lower(wanted)) for name, wanted in matrix.bounds().items()}
    assert matrix.off_the_bound(versions) == []
    assert matrix.off_the_bound(versions | {"pandas": "99.0"}) == [f"pandas 99.0, stated {Version(versions['pandas'])}"]


def test_options_of_pytest_stand_after_two_dashes():
    assert matrix.split(["3.12-lowest", "--", "-n", "2"]) == (["3.12-lowest"], ["-n", "2"])
    assert matrix.split(["3.12-lowest"]) == (["3.12-lowest"], [])


def test_outcomes_are_counted_from_the_report(tmp_path):
    report = tmp_path / "report.xml"
    report.write_text('<testsuites><testsuite tests="9" errors="1" failures="2" skipped="3"/></testsuites>')
    assert matrix.counted(report) == "3 passed, 2 failed, 1 errors, 3 skipped"
