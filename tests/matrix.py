"""Run the tests with the lowest and with the newest versions allowed: `python tests/matrix.py [NAME ...] [-- OPTIONS]`.

NAME is a Python and an end of the bounds in pyproject.toml, `3.12-lowest` and `3.13-newest` unless named; OPTIONS go to
pytest. uv (`pip install uv`) finds the Python and chooses the versions; each environment is made in a temporary folder.
Pythons of pyenv are found when they are in force: `PYENV_VERSION=3.12.1:3.13.0 make matrix`.
Pictures are compared only by the matplotlib that drew them; elsewhere those tests skip.
"""

import argparse
import subprocess
import sys
import tempfile
import tomllib
from itertools import chain
from pathlib import Path
from xml.etree import ElementTree

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[1]
ENVIRONMENTS = ("3.12-lowest", "3.13-newest")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RESOLUTIONS = {"lowest": "lowest-direct", "newest": "highest"}


def main():
    words, options = split(sys.argv[1:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("environments", nargs="*", type=environment, metavar="NAME")
    environments = parser.parse_args(words).environments or map(environment, ENVIRONMENTS)
    results = [examine(python, end, options or ["-n", "2"]) for python, end in environments]
    print("", *(line for line, _ in results), sep="\n")
    sys.exit(not all(good for _, good in results))


def split(words):
    """Words before and after the first ``--``."""
    cut = words.index("--") if "--" in words else len(words)
    return words[:cut], words[cut + 1 :]


def environment(name):
    """Python and end of the bounds that a name stands for."""
    python, _, end = name.partition("-")
    if end not in RESOLUTIONS:
        raise argparse.ArgumentTypeError(f"{name!r} is no environment; give one like {' or '.join(ENVIRONMENTS)}")
    return python, end


def examine(python, end, options):
    """Make one environment and run the tests in it: a line that says how it went, and whether it went well."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / end
        install(folder, python, RESOLUTIONS[end])
        versions = installed(folder)
        strays = off_the_bound(versions) if end == "lowest" else []
        report = folder / "report.xml"
        command = [f"{folder}/bin/python", "-m", "pytest", "-p", "no:cacheprovider", f"--junit-xml={report}", *options]
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        outcome = counted(report) if report.exists() else f"pytest ended with {code}"
    told = ", ".join(f"{package} {versions[package]}" for package in bounds())
    doubt = f"; not at their lower bounds: {', '.join(strays)}" if strays else ""
    return f"{python}-{end}: {outcome}{doubt}\n    {told}", code == 0 and not strays


def install(folder, python, resolution):
    """Install the project with versions at one end of its bounds, and then what the tests run with."""
    uv("venv", "--python", python, folder)
    into = ("pip", "install", "--python", folder)
    uv(*into, "--resolution", resolution, "--editable", f".[{','.join(PROJECT['optional-dependencies'])}]")
    uv(*into, "--group", "runner")


def uv(*arguments):
    command = [sys.executable, "-m", "uv", "--quiet", *map(str, arguments)]
    answer = subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.PIPE, text=True)
    if answer.returncode:
        sys.exit(f"uv failed, see above: {' '.join(command[4:])}")
    return answer.stdout


def installed(folder):
    """Version of each package of an environment."""
    return dict(line.split("==") for line in uv("pip", "freeze", "--exclude-editable", "--python", folder).split())


def bounds():
    """Requirement of each dependency of pyproject.toml, those of its extras too, by its name."""
    stated = chain(PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    return {requirement.name: requirement for requirement in map(Requirement, stated)}


def lower(requirement):
    """Lowest version a requirement allows."""
    return Version(next(bound.version for bound in requirement.specifier if bound.operator == ">="))


def off_the_bound(versions):
    """Packages whose lowest version is not the one that pyproject.toml states: what it states was not tried."""
    return [
        f"{name} {versions[name]}, stated {lower(wanted)}"
        for name, wanted in bounds().items()
        if Version(versions[name]) != lower(wanted)
    ]


def counted(report):
    """Numbers of a report in JUnit's XML, in a line."""
    [suite] = ElementTree.parse(report).getroot().iter("testsuite")
    total, errors, failures, skipped = (int(suite.attrib[key]) for key in ("tests", "errors", "failures", "skipped"))
    passed = total - errors - failures - skipped
    return f"{passed} passed, {failures} failed, {errors} errors, {skipped} skipped"


if __name__ == "__main__":
    main()
