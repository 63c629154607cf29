"""The README says what the code does: its examples run, its table of laws is the gallery's, its commands exist."""

import ast
import re
import shlex
import tomllib
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

import bayescale as bs
from bayescale.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.S)


def table_of_laws():
    lines = ["| law | formula | source |", "|---|---|---|"]
    lines += [f"| `{law.name}` | `{law.text()}` | {law.reference} |" for law in bs.LAWS.values()]
    return "\n".join(lines)


def test_table_of_laws_is_the_gallery():
    written = README.split("<!-- laws:")[1].split("-->\n", 1)[1].split("\n<!-- end of laws -->")[0]
    assert written == table_of_laws()


def table_of_analyses():
    lines = ["| analysis | what | runs |", "|---|---|---|"]
    for path in sorted((ROOT / "models").glob("*.py")):
        text = path.read_text()
        title = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
        kinds = {"bs.load_runs(": "measured", "bs.simulate(": "simulated"}
        runs = " and ".join(kind for call, kind in kinds.items() if call in text) or "closed form"
        lines.append(f"| `{path.stem}` | {title} | {runs} |")
    return "\n".join(lines)


def test_table_of_analyses_is_the_folder():
    written = README.split("<!-- analyses:")[1].split("-->\n", 1)[1].split("\n<!-- end of analyses -->")[0]
    assert written == table_of_analyses()


def test_python_examples_run_and_print_what_is_written(capsys, tmp_path, monkeypatch):
    """All Python blocks in order, in one namespace; numbers to 15 %, since a seed's draws differ between machines."""
    import matplotlib.pyplot as plt

    monkeypatch.chdir(tmp_path)
    first, *others = blocks("python")
    namespace: dict = {}
    exec(first, namespace)
    padding = re.compile(r"(?<=\[) +| +(?=\])")  # of an array whose numbers, once rounded, differ in length
    printed, expected = (padding.sub("", text) for text in (capsys.readouterr().out, blocks("text")[0]))
    number = re.compile(r"-?\d+\.?\d*(?:e[+-]?\d+)?")
    assert number.sub("#", expected).split() == number.sub("#", printed).split()
    for line, found in zip(expected.splitlines(), printed.splitlines(), strict=True):
        if line.startswith("converged"):
            continue
        columns = slice(0, 5)  # the name, median, sd and interval; how well it was sampled may differ
        for written, seen in zip(line.split()[columns], found.split()[columns], strict=True):
            if number.fullmatch(written.strip("[]")):
                assert float(seen.strip("[]")) == pytest.approx(float(written.strip("[]")), rel=0.15)
    for block in others:
        exec(block, namespace)
    plt.close("all")
    assert (tmp_path / "sweep.nc").exists()


def test_every_command_is_in_the_readme_and_every_command_of_the_readme_exists():
    commands = set(typer.main.get_command(app).commands)  # pyright: ignore[reportAttributeAccessIssue]
    named = set(re.findall(r"^bayescale (\w+)", "\n".join(blocks("sh")), flags=re.M))
    assert named == commands


@pytest.mark.parametrize("line", re.findall(r"^bayescale .*", "\n".join(blocks("sh")), flags=re.M))
def test_options_in_the_readme_are_known(line):
    """Parsing stops at --help, so nothing runs; an unknown option would still be refused."""
    words = shlex.split(line, comments=True)[1:]
    result = CliRunner().invoke(app, [words[0], "--help"])
    assert result.exit_code == 0
    for word in words[1:]:
        if word.startswith("-"):
            assert re.search(rf"(?<![\w-]){re.escape(word)}\b", result.output), word


def test_figures_named_in_the_readme_are_there():
    for path in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (ROOT / path).exists()


def test_versions_agree():
    stated = re.search(r"^version: (.*)$", (ROOT / ".github" / "CITATION.cff").read_text(), flags=re.M)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert stated is not None
    assert stated[1] == project["version"] == bs.__version__
    assert f"## {bs.__version__}" in (ROOT / ".github" / "CHANGELOG.md").read_text()


def test_links_of_the_pages_lead_somewhere():
    for page in (ROOT / "README.md", *(ROOT / ".github").glob("*.md")):
        for link in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text()):
            assert (page.parent / link).exists(), link
