"""The report: self-contained, escaped, complete, and its live part equal to `allocate`."""

import base64
import json
import re
import shlex
import shutil
import subprocess
from hashlib import sha256
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from browser import Browser, find_chromium
from typer.testing import CliRunner

import bayescale as bs
from bayescale.answers.allocation import allocation_table
from bayescale.answers.mixture import Stack
from bayescale.answers.threshold import threshold_sentences
from bayescale.cli import app
from bayescale.diagnostics import Diagnostics
from bayescale.posterior import Posterior
from bayescale.reports.live import live_data
from bayescale.reports.parts import Figure, Formula, Lights, Section, Table, Text
from bayescale.reports.question import read_question
from bayescale.reports.render import markdown, page_of
from bayescale.reports.reproduce import compared, fit_commands, question_words, reproduce_section
from bayescale.storage import versions

MEGABYTE = 1 << 20
SECTIONS = (
    *("answer", "live", "runs", "model", "diagnostics", "posterior", "forecast"),
    *("allocation", "threshold", "fit", "untold", "reproduce"),
)
PARTS = ("median", "lower", "upper")
# At the reference point of the grid.
HOFFMANN = {
    "E": 1.69,
    "A_ref": 406.4 / 1e8**0.34,
    "B_ref": 410.7 / 1e10**0.28,
    "alpha": 0.34,
    "beta": 0.28,
    "sigma": 0.01,
}


def scattered(certain, model, values, shape=(4, 50), spread=0.005):
    """A posterior whose draws scatter about values, each parameter on its own."""
    rng = np.random.default_rng(11)
    like = certain(model, values, shape).dataset
    draws = {n: like[n].to_numpy() * np.exp(spread * rng.standard_normal(like[n].shape)) for n in values}
    stats = {"diverging": np.zeros(shape, dtype=bool), "energy": rng.standard_normal(shape)}
    return Posterior.from_draws(model, draws, stats, Diagnostics(1.0, "", 1e4, 1e4, "", 0, 1.0), {"seed": 7})


@pytest.fixture(scope="module")
def few(certain, grid_runs):
    """Chinchilla's law about Hoffmann's constants: 200 draws."""
    return scattered(certain, bs.Model("chinchilla", grid_runs, noise="normal"), HOFFMANN)


@pytest.fixture(scope="module")
def page(few, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    bs.report(few, path, C=1e22)
    return path


def first(pattern, text):
    """What the pattern's bracket holds where it is first found."""
    return re.findall(pattern, text, flags=re.S)[0]


# -- The page


def test_page_stands_alone(page):
    text = page.read_text()
    assert page.stat().st_size < 3 * MEGABYTE
    assert not re.search(r'(?:src|href)="(?!#|data:)', text)
    assert "url(http" not in text
    assert "@import" not in text
    assert [found for found in SECTIONS if f'<section id="{found}">' not in text] == []
    assert not list(page.parent.glob(".*.part"))


def test_policy_names_style_and_script_by_their_hashes_and_allows_nothing_else(page):
    text = page.read_text()
    policy = first(r'Content-Security-Policy" content="([^"]*)"', text)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))

    def digest(tag):
        inside = first(rf"<{tag}>(.*?)</{tag}>", text)
        return f"'sha256-{base64.b64encode(sha256(inside.encode()).digest()).decode()}'"

    assert rules == {
        "default-src": "'none'",
        "style-src": digest("style"),
        "script-src": digest("script"),
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert " style=" not in text  # the policy would refuse it
    assert "<style" not in text.replace("<style>", "", 1)


def test_every_identifier_is_there_once(page):
    found = re.findall(r'\bid="([^"]*)"', page.read_text())
    assert sorted(found) == sorted(set(found))
    asked = re.findall(r'(?:href="#|url\(#)([^")]*)', page.read_text())
    assert set(asked) <= set(found)


def test_first_screen_answers(page, few):
    screen = page.read_text().split('<section id="live">')[0]
    row = allocation_table(bs.allocate(few, C=1e22)).iloc[0]
    assert f"{row['L_bayes median']:.4g} nats/token" in screen
    assert "A run to come" in screen
    assert "converged" in screen


# Names that would break out of HTML, of a script, of Markdown, of mathtext.
HOSTILE = ("<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>", "a|b`c`$x^{$ $")


@pytest.fixture(scope="module")
def hostile(certain):
    N, D = (x.ravel() for x in np.meshgrid(np.logspace(7, 9, 4), np.logspace(9, 11, 4)))
    one = pd.DataFrame({"N": N, "D": D, "L": 1.69 + 406.4 / N**0.34 + 410.7 / D**0.28})
    runs = pd.concat([one.assign(**{"kind<b>": name}) for name in HOSTILE], ignore_index=True)
    means = {f"{name}_mean": value for name, value in HOFFMANN.items()}
    spreads = {f"{name}_spread": 0.1 for name in HOFFMANN}
    own = {name: np.full(len(HOSTILE), value) for name, value in HOFFMANN.items()}
    model = bs.Model("chinchilla", runs, pool="kind<b>", noise="normal")
    return scattered(certain, model, own | means | spreads, (4, 25))


@pytest.mark.slow
def test_names_of_the_user_are_text_in_a_page(hostile, tmp_path):
    bs.report(hostile, tmp_path / "r.html", title="<b>&</b>")
    page = (tmp_path / "r.html").read_text()
    assert "<img src=x" not in page
    assert "<script>alert" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "<title>&lt;b&gt;&amp;&lt;/b&gt;</title>" in page
    assert page.count("<script") == 2  # the data and the one script
    data = json.loads(first(r'id="data">(.*?)</script>', page))
    assert data["groups"] == [*sorted(HOSTILE), "new"]


@pytest.mark.slow
def test_names_of_the_user_are_text_in_markdown(hostile, tmp_path):
    bs.report(hostile, tmp_path / "r.md", title="<b>&</b>")
    outside = re.sub(r"```.*?```", "", (tmp_path / "r.md").read_text(), flags=re.S)
    assert "<" not in outside
    named = [line for line in outside.splitlines() if line.startswith("| ") and "a\\|b" in line]
    assert named
    assert all("a\\|b\\`c\\`\\$x^\\{\\$ \\$" in line for line in named)


def test_names_are_escaped_wherever_a_template_prints_them():
    """The templates alone, with names in every kind of part: quick, where the pages above are slow."""
    name = "".join(HOSTILE)
    parts = [
        Text([name]),
        Text([name], "code"),
        Lights([("bad", name)]),
        Table([name], [[name]], 1, name),
        Figure("<svg></svg>", name),
        Formula("<math></math>", name),
    ]
    sections = [Section("answer", name, parts)]
    page = page_of(name, sections, f"no live part for {name}", {name: 1.0}, None)
    assert not re.search("<img|<script", page)
    assert page.count("&lt;img src=x") > len(parts)
    text = markdown(name, sections)
    assert "<" not in re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.S)


def test_markdown_says_the_same(few, tmp_path):
    bs.report(few, tmp_path / "r.md", C=1e22, level=2.2)
    text = (tmp_path / "r.md").read_text()
    titles = re.findall(r"^## (.*)$", text, flags=re.M)
    assert titles[0] == "The answer"
    assert len(titles) == len(SECTIONS) - 1  # no live part
    assert "<" not in re.sub(r"```.*?```", "", text, flags=re.S)
    assert "bayescale fit RUNS --law chinchilla --noise normal --seed 7 -o chinchilla.nc" in text
    assert "--C 1e+22 --level 2.2" in text
    answer = text.split("## The runs")[0]
    (said,) = [line for line in threshold_sentences(bs.threshold(few, L=2.2)) if line.startswith("L at most 2.2")]
    assert f"What it costs. {said}" in re.sub(r"\\(.)", r"\1", answer)


# -- How to reproduce it


def fit_of_command(line, monkeypatch, tmp_path):
    """Run a printed command as far as the model and what the sampler is told."""
    told = {}

    class EnoughError(Exception):
        pass

    def capture(model, **settings):
        told.update(settings, model=model)
        raise EnoughError

    monkeypatch.setattr("bayescale.inference.fit", capture)
    monkeypatch.chdir(tmp_path)
    words = shlex.split(line)
    assert words[:3] == ["bayescale", "fit", "RUNS"]
    done = CliRunner().invoke(app, ["fit", "runs.csv", *words[3:]])
    assert isinstance(done.exception, EnoughError), done.output
    return told


SETTINGS = {"draws": 300, "tune": 1000, "chains": 2, "target_accept": None}
MODELS = {
    "plain": {"law": "chinchilla"},
    "own": {"law": "kaplan", "noise": "normal+size", "priors": {"alpha_N": bs.Prior("LogNormal", mu=-2.5, sigma=0.3)}},
    "one input": {"law": "saturating:D", "noise": "normal", "discrepancy": True},
    "pooled": {"law": "chinchilla", "pool": "kind"},
    "apart": {"law": "chinchilla", "pool": "kind:none"},
    "mixed": {"law": "chinchilla", "pool": {"*": "kind", "alpha": "complete", "E": "kind:none"}},
}


@pytest.mark.parametrize("name", MODELS)
def test_the_command_fits_the_same_model(name, grid_runs, certain, monkeypatch, tmp_path):
    runs = pd.concat([grid_runs.assign(kind=kind) for kind in ("a", "b")], ignore_index=True)
    runs["L"] = runs["L"] * np.exp(0.01 * np.random.default_rng(4).standard_normal(len(runs)))
    runs.to_csv(tmp_path / "runs.csv", index=False)
    model = bs.Model(MODELS[name]["law"], runs, **{k: v for k, v in MODELS[name].items() if k != "law"})
    posterior = bs.sample_prior(model, 50, 3)
    one = Posterior(model, posterior.draws, posterior.diagnostics, {"seed": 5, "settings": SETTINGS})
    (line,) = fit_commands(one, "post.nc")
    told = fit_of_command(line, monkeypatch, tmp_path)
    assert told["model"].to_dict() == model.to_dict()
    assert {name: told[name] for name in ("seed", "draws", "tune", "chains")} == {
        **{"seed": 5, "draws": 300},
        **{"tune": 1000, "chains": 2},
    }


def test_versions_of_the_fit_are_told_from_those_of_today(few):
    now = versions()
    assert now["numpy"] == np.__version__
    told = {"settings": {**SETTINGS, "target_accept": 0.99}, "seed": 7}

    def kept(changed):
        return Posterior(few.model, few.draws, few.diagnostics, {**told, "versions": now | changed})

    assert compared({"post": kept({})}, now) == ("good", "The page was made with the versions of the fit.")
    light, said = compared({"post": kept({"numpy": "1.0"})}, now)
    assert light == "doubt"
    assert f"numpy 1.0 at the fit of post, {now['numpy']} now" in said
    assert compared({"post": few}, now)[0] == "doubt"
    *_, table = reproduce_section({"post": kept({"numpy": "1.0"})}, few, ["-o", "r.html"], 0).parts
    assert isinstance(table, Table)
    assert ("numpy", "1.0", now["numpy"]) in table.rows
    assert "--target-accept 0.99" in fit_commands(kept({}), "post.nc")[0]


def test_a_stack_is_stacked_again(few):
    weights = xr.DataArray(np.full((2, 3), 0.5), {"law": ["one", "my other"]}, ("law", "sample"))
    stack = Stack({"one": few, "my other": few}, {"one": 0.6, "my other": 0.4}, weights, "loo", 3)
    commands = reproduce_section(stack.members, stack, ["-o", "r.html", "--C", "1e+22"], 2).parts[0]
    assert isinstance(commands, Text)
    assert list(commands.lines)[2:] == [
        "bayescale stack one.nc 'my other.nc' --by loo --seed 3 -o stack.nc",
        "bayescale report stack.nc -o r.html --C 1e+22 --seed 2",
    ]


def test_posteriors_are_called_what_their_files_are(few, tmp_path, monkeypatch):
    asked = {}
    monkeypatch.setattr("bayescale.reports.report.report", lambda posteriors, *_, **__: asked.update(posteriors))
    monkeypatch.chdir(tmp_path)
    few.save("my sweep.nc")
    assert CliRunner().invoke(app, ["report", "my sweep.nc", "-o", "r.md"]).exit_code == 0
    assert list(asked) == ["my sweep"]


@pytest.mark.parametrize(
    ("C", "word"), [(1e13, "1e+13"), (123456789.0, "123456789"), ("10T", "10T"), (6.19e12, "6.19e+12")]
)
def test_numbers_of_the_question_are_said_in_full(C, word):
    assert question_words("r.html", {"N": 1e9}, C, None) == ["-o", "r.html", "--at", "N=1e+09", "--C", word]


# -- What is asked


def test_ten_times_the_costliest_run_is_asked_by_default(exact_posterior):
    question = read_question(exact_posterior)
    assert question.budget == pytest.approx(10 * 6 * 1e9 * 1e11)
    assert question.at == {}


def test_a_law_of_one_input_has_no_allocation_and_says_so(certain, tmp_path):
    C = np.logspace(18, 22, 9)
    model = bs.Model("saturating:C", pd.DataFrame({"C": C, "L": 2 + (1e19 / C) ** 0.2}), noise="normal")
    at_centre = (1e19 / model.reference["x"]) ** 0.2
    values = {p.symbol: at_centre for p in model.law.params} | {"L_inf": 2.0, "alpha": 0.2, "sigma": 0.01}
    posterior = scattered(certain, model, values)
    bs.report(posterior, tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text()
    assert "every split of a budget is as good as another" in text.split('<section id="allocation">')[1]
    assert "<script" not in text
    assert "script-src 'none'" in text
    assert "C = 1e23" in text  # ten times the largest


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"path": "r.pdf"}, "is a page, .html, or Markdown"),
        ({"path": "nowhere/r.html"}, "there is no folder"),
        ({"path": "r.html", "C": -1}, "must be one positive number"),
        ({"path": "r.html", "C": 1e300}, "more than can be drawn; give at most 1e+200"),
    ],
)
def test_mistakes_are_refused(exact_posterior, tmp_path, given, said):
    with pytest.raises(bs.InputError, match=re.escape(said)):
        bs.report(exact_posterior, tmp_path / given.pop("path"), **given)


def test_no_posterior_is_refused(tmp_path):
    with pytest.raises(bs.InputError, match="made of a posterior"):
        bs.report([], tmp_path / "r.html")


def test_several_laws_are_compared_on_the_command_line(few, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    few.save("a.nc")
    few.save("b.nc")
    done = CliRunner().invoke(
        app, ["report", "a.nc", "b.nc", "-o", "r.md", "--C", "1e22", "--at", "N=1B", "--at", "D=20B"]
    )
    assert done.exit_code == 0, done.output
    text = (tmp_path / "r.md").read_text()
    assert "## Which law?" in text
    assert "By PSIS-LOO" in text
    assert "N = 1B" in text


# -- The live part


def calculated(posterior, asked, held=None):
    """Ask the page's arithmetic, in node: a list of [function, group, number]."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node on this machine to run the page's JavaScript")
    data, formulas = live_data(posterior, held or {})
    source = (files("bayescale.reports") / "page" / "calculator.js").read_text()
    laws = ",".join(f"function (x, p, i) {{ return {formula}; }}" for formula in formulas)
    program = (
        f"{source}\nconst c = makeCalculator({json.dumps(data)}, [{laws}]);\n"
        f"const found = {json.dumps(asked)}.map(([name, group, x]) => c[name](group, x));\n"
        # JSON has no infinity.
        "console.log(JSON.stringify(found, (_, x) => x === Infinity ? 'inf' : x));"
    )
    done = subprocess.run([node, "-"], input=program, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def as_numbers(found):
    return {name: np.array(value, dtype=float) for name, value in found.items()}


def library(posterior, group=None, **asked):
    row = allocation_table(bs.allocate(posterior, group=group, **asked)).iloc[0]
    decided = {k: row[k] for k in row.index if str(k).endswith(("_bayes", "_low", "_high")) or k == "beyond"}
    names = [str(k).removesuffix(" median") for k in row.index if str(k).endswith(" median")]
    return decided | {name: np.array([row[f"{name} {q}"] for q in PARTS]) for name in names}


def assert_same(found, expected, names):
    """To a ten-thousandth: draws are kept with 24 bits, and places are searched to 1e-5 of their log."""
    for name in names:
        np.testing.assert_allclose(found[name], expected[name], rtol=2e-4, err_msg=name)


SPLIT = ("N", "D", "tokens_per_parameter", "L_bayes", "N_bayes", "D_bayes", "N_low", "N_high", "beyond")


def test_javascript_splits_a_budget_as_the_library(few):
    found = calculated(few, [["allocate", "", 1e22], ["allocate", "", 1e24], ["allocate", "", 1.0]])
    assert_same(as_numbers(found[0]), library(few, C=1e22), SPLIT)
    assert_same(as_numbers(found[1]), library(few, C=1e24), SPLIT)
    assert found[2] is None  # does not buy the smallest run


def test_javascript_finds_the_least_budget_as_the_library(few):
    """1.95 is reached, 1.69 only by the draws whose floor lies below."""
    found = [as_numbers(x) for x in calculated(few, [["reach", "", 1.95], ["reach", "", 1.69]])]
    assert_same(found[0], library(few, L=1.95), ("C", "C_bayes", "N_bayes", "D_bayes"))
    answer = bs.allocate(few, L=1.69)
    assert found[1]["never"] == float(np.isinf(answer["C"]).mean())
    assert 0 < found[1]["never"] < 1
    assert found[1]["C_bayes"] == answer["C_bayes"].item()


def test_javascript_has_groups(grouped_posterior):
    found = calculated(grouped_posterior, [["allocate", "text", 1e13], ["allocate", "new", 1e13]])
    assert_same(as_numbers(found[0]), library(grouped_posterior, "text", C=1e13), SPLIT)
    assert_same(as_numbers(found[1]), library(grouped_posterior, "new", C=1e13), SPLIT)


def test_javascript_mixes_laws_as_a_stack(few, certain, grid_runs):
    kaplan = bs.Model("kaplan", grid_runs, noise="normal")
    other = scattered(certain, kaplan, {"alpha_N": 0.09, "alpha_D": 0.12, "L_N": 2.0, "L_D": 2.2, "sigma": 0.01})
    weights = xr.DataArray(np.full((2, 3), 0.5), {"law": ["chinchilla", "kaplan"]}, ("law", "sample"))
    stack = Stack({"chinchilla": few, "kaplan": other}, {"chinchilla": 0.7, "kaplan": 0.3}, weights, "loo")
    found = calculated(stack, [["allocate", "", 1e22]])
    assert_same(as_numbers(found[0]), library(stack, C=1e22), SPLIT)


def test_javascript_holds_other_inputs_fixed(certain):
    """A law of repeated data, with minima in its formula, at 1e10 unique tokens."""
    N, D = (x.ravel() for x in np.meshgrid(np.logspace(7, 9, 4), np.logspace(9, 11, 4)))
    runs = pd.DataFrame({"N": N, "D": D, "D_U": np.minimum(D, 1e10), "L": 1.7 + 500 / N**0.35 + 1800 / D**0.36})
    model = bs.Model("data_constrained", runs, noise="normal")
    values = {p.symbol: float(model.priors[p.symbol].quantile(0.5)) for p in model.law.params} | {"sigma": 0.01}
    posterior = certain(model, values, (4, 5))
    found = calculated(posterior, [["allocate", "", 1e21]], {"D_U": 1e10})
    expected = library(posterior, C=1e21, D_U=1e10)
    assert_same(as_numbers(found[0]), expected, ("N", "D", "L_bayes", "N_bayes"))


@pytest.mark.parametrize("name", bs.LAWS)
def test_every_formula_is_said_in_javascript_or_refused(name):
    law = bs.LAWS[name]
    if law.equation is not None:
        with pytest.raises(bs.InputError, match="no formula"):
            law.javascript()
        return
    assert "//" not in law.javascript()


def test_javascript_formulas_are_the_laws_formulas():
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node on this machine to run the page's JavaScript")
    laws = [law for law in bs.LAWS.values() if law.equation is None]
    rng = np.random.default_rng(5)
    places = [(rng.uniform(0.2, 0.9, len(law.inputs)), rng.uniform(0.3, 0.8, len(law.params))) for law in laws]
    lines = [
        f"((x, p, i) => {law.javascript()})({x.tolist()}, {[[v] for v in p.tolist()]}, 0)"
        for law, (x, p) in zip(laws, places, strict=True)
    ]
    done = subprocess.run(
        [node, "-p", f"JSON.stringify([{','.join(lines)}])"], capture_output=True, text=True, check=True
    )
    for law, (x, p), found in zip(laws, places, json.loads(done.stdout), strict=True):
        with np.errstate(all="ignore"):
            expected = float(law.formula(*map(np.float64, (*x, *p))))
        assert (found is None and not np.isfinite(expected)) or found == pytest.approx(expected, rel=1e-9), law.name


def test_live_part_in_a_browser(page, few):
    """By keyboard and by number: the table shows `allocate`'s answer to three digits; no network is asked."""
    program = find_chromium()
    if program is None:
        pytest.skip("there is no Chromium on this machine to open the page with")
    with Browser(program) as browser:
        browser.open(page)
        for C in (1e22, 1e24):
            assert_shown(browser, C, library(few, C=C))
        before = float(browser.evaluate("document.getElementById('budget').value"))
        browser.evaluate("document.getElementById('budget').focus()")
        browser.press("ArrowRight", 39)
        assert float(browser.evaluate("document.getElementById('budget').value")) == pytest.approx(before + 0.01)
        browser.evaluate("document.getElementById('target').value = '1.95'; document.getElementById('ask').click()")
        said = "document.getElementById('reached')"
        browser.evaluate(wait_for(f"{said}.dataset.C_bayes"))
        found = float(browser.evaluate(f"{said}.dataset.C_bayes"))
        assert found == pytest.approx(library(few, L=1.95)["C_bayes"], rel=1e-3)
        assert browser.complaints == []
        assert [url for url in browser.requests if not url.startswith(("file:", "data:"))] == []
        assert len([url for url in browser.requests if url.startswith("file:")]) == 1


def test_page_on_a_phone_in_the_dark_and_on_paper(page):
    """Nothing is wider than the screen, the answer is on the first one, and figures are turned with the paper."""
    program = find_chromium()
    if program is None:
        pytest.skip("there is no Chromium on this machine to open the page with")
    with Browser(program) as browser:
        browser.open(page)
        for wide, high in ((390, 844), (1280, 900)):
            browser("Emulation.setDeviceMetricsOverride", width=wide, height=high, deviceScaleFactor=1, mobile=False)
            assert browser.evaluate("document.documentElement.scrollWidth") <= wide
            ends = browser.evaluate("[...document.querySelectorAll('#answer .answer')].map((p) => p.offsetTop)")
            assert len(ends) == 2
            assert max(ends) < high
        figure = "getComputedStyle(document.querySelector('figure svg'))"
        paper = "getComputedStyle(document.body).backgroundColor"
        assert browser.evaluate(f"[{paper}, {figure}.filter]") == ["rgb(255, 255, 255)", "none"]
        dark = [{"name": "prefers-color-scheme", "value": "dark"}]
        browser("Emulation.setEmulatedMedia", media="screen", features=dark)
        assert browser.evaluate(f"[{paper}, {figure}.filter]") == ["rgb(22, 24, 27)", "invert(0.91) hue-rotate(180deg)"]
        browser("Emulation.setEmulatedMedia", media="print", features=dark)
        assert browser.evaluate(f"[{paper}, {figure}.filter]") == ["rgb(255, 255, 255)", "none"]
        assert browser.complaints == []


def wait_for(condition):
    return f"new Promise((done) => {{ const look = () => {condition} ? done(1) : setTimeout(look, 20); look(); }})"


def assert_shown(browser, C, expected):
    browser.evaluate(
        "(() => { const field = document.getElementById('budget-number');"
        "document.getElementById('said').textContent = '';"
        f"field.value = '{C:.0e}'; field.dispatchEvent(new Event('change')); }})()"
    )
    browser.evaluate(wait_for("document.getElementById('said').textContent"))
    assert float(browser.evaluate("document.getElementById('budget').value")) == pytest.approx(np.log10(C), abs=0.006)
    units = {"k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
    rows = {"N": "N", "D": "D", "ratio": "tokens_per_parameter", "L": "L_bayes"}
    for row, name in rows.items():
        cells = browser.evaluate(f"[...document.querySelectorAll('#row-{row} td')].map((c) => c.textContent)")
        shown = [float(c.rstrip("kMBT")) * units.get(c[-1], 1.0) for c in cells[1:]]
        # Three digits: half of the third, and the search's tolerance.
        np.testing.assert_allclose(shown, expected[name], rtol=5e-3 + 2e-4)
