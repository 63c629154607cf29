"""Published analyses: what a claim is, what a file of claims must be, and what the command line makes of it."""

import json
import re
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import bayescale as bs
from bayescale import cli
from bayescale.answers.reproduction import RegionClaim, Reproduction, analyses, load_analysis, reproduce
from bayescale.diagnostics import Diagnostics
from bayescale.errors import InputError

# Evenly spaced draws from 0 to 100: the central 95 % interval is 2.5 to 97.5.
DRAWS = np.linspace(0, 100, 2001)


def claim(published, **fields):
    return bs.Claim(**{"what": "loss", "published": published, "ours": DRAWS, "source": "table 1"} | fields)


# -- A claim


@pytest.mark.parametrize(
    ("published", "inside"), [(2.4, False), (2.6, True), (50.0, True), (97.4, True), (97.6, False)]
)
def test_a_published_number_lies_in_the_interval_of_our_draws_or_not(published, inside):
    found = claim(published)
    assert found.interval == pytest.approx((2.5, 97.5))
    assert found.median == pytest.approx(50.0)
    assert found.inside is inside
    assert found.holds is inside
    assert claim(published, differs="they stopped early").holds is not inside


def test_infinite_draws_have_an_interval():
    # Compute to reach a loss that a quarter of the draws say no compute reaches.
    ours = np.append(DRAWS[:1500], np.full(501, np.inf))
    assert claim(1e30, ours=ours).interval == (pytest.approx(2.5), np.inf)
    assert claim(1e30, ours=ours).inside
    assert not claim(1.0, ours=ours).inside


def test_another_interval():
    assert claim(9.0).inside
    assert not claim(9.0, prob=0.8).inside
    assert claim(10.5, prob=0.8).inside


def test_a_tolerance_widens_the_interval_on_both_sides():
    assert claim(98.4, within=1.0).inside
    assert claim(1.6, within=1.0).inside
    assert not claim(98.6, within=1.0).inside


def test_a_closed_form_is_one_number_with_a_tolerance():
    assert claim(1.937, ours=1.9366, within=0.0005).holds
    assert not claim(1.938, ours=1.9366, within=0.0005).holds
    assert claim(2.0, ours=1.9366, within=0.0005, differs="it is rounded").holds
    for ours in (1.9366, [1.9366], xr.DataArray(1.9366)):
        with pytest.raises(InputError, match="'loss' is one number; say within="):
            claim(1.937, ours=ours)


@pytest.mark.parametrize("ours", [[], [1.0, np.nan], np.nan])
def test_draws_that_are_no_numbers_are_refused(ours):
    # Outside any interval, they would make a claim of a difference true.
    with pytest.raises(InputError, match="no draws, or draws that are not numbers"):
        claim(1.0, ours=ours, within=0.1, differs="it does")


def test_draws_may_have_dims():
    assert claim(50.0, ours=xr.DataArray(DRAWS[:2000].reshape(4, 500), dims=("chain", "draw"))).inside


def test_a_claim_says_itself():
    assert str(claim(50.0)) == "loss: published 50, here 50 (2.5 to 97.5); inside, as claimed"
    assert str(claim(99.0)) == "loss: published 99, here 50 (2.5 to 97.5); OUTSIDE: THE CLAIM FAILS"
    assert str(claim(99.0, differs="x")).endswith("; outside, as claimed")
    assert str(claim(50.0, differs="x")).endswith("; INSIDE: THE CLAIM FAILS")


def test_a_claim_of_a_joint_region():
    near = RegionClaim("hoffmann2022", "eq. 10", distance=3.3, limit=3.33)
    far = replace(near, distance=10.0)
    assert (near.inside, near.holds) == (True, True)
    assert (far.inside, far.holds) == (False, False)
    assert replace(far, differs="it stopped early").holds
    assert not replace(near, differs="it stopped early").holds
    assert str(far) == "hoffmann2022: distance 10.00, limit 3.33; OUTSIDE: THE CLAIM FAILS"


# -- What came of an analysis


def test_every_claim_must_hold_and_every_fit_converge(exact_posterior):
    good = Reproduction(
        "a", "A paper.", (claim(50.0), RegionClaim("key", "eq. 1", 1.0, 3.0)), {"model": exact_posterior}
    )
    assert good.holds
    assert good.unconverged == []
    assert not replace(good, claims=(*good.claims, claim(99.0))).holds
    bad = replace(exact_posterior, diagnostics=Diagnostics(1.3, "alpha", 12.0, 12.0, "alpha", 0, 1.0))
    unfinished = replace(good, posteriors={"text": bad})
    assert not unfinished.holds
    assert unfinished.unconverged[0].startswith("text: NOT CONVERGED")
    assert "fit text: NOT CONVERGED" in str(unfinished)


def test_the_print_has_a_line_for_each_claim_and_reasons_and_warnings():
    claims = (
        claim(50.0),
        claim(99.0, what="exponent", differs="it was rounded"),
        RegionClaim("key", "eq. 1", 9.0, 3.0),
    )
    text = str(Reproduction("a", "A paper.", claims, seconds=12.3, warnings=("Few runs.",)))
    lines = text.splitlines()
    assert lines[0] == "a: A paper."
    assert re.search(r"published +here +inside\?", lines[1])
    assert re.search(r"loss +50 +50 \(2.5 to 97.5\) +inside, as claimed", lines[2])
    assert re.search(r"exponent +99 +50 \(2.5 to 97.5\) +outside, as claimed", lines[3])
    assert re.search(r"key +joint +distance 9.00, limit 3.00 +OUTSIDE: THE CLAIM FAILS", lines[4])
    assert "exponent: differs because it was rounded" in text
    assert "Warning: Few runs." in text
    assert lines[-1] == "  2 of 3 claims hold, 12 s."


def test_a_reason_shared_by_claims_is_printed_once():
    claims = [claim(99.0, what=what, differs=why) for what, why in (("A", "x"), ("B", "y"), ("C", "x"))]
    text = str(Reproduction("a", "A paper.", tuple(claims)))
    assert "  A, C: differs because x\n  B: differs because y\n" in text


# -- Files


CLOSED = '''"""Hoffmann et al. (2022): two losses from the printed constants."""
import bayescale as bs

def claims():
    loss = bs.LAWS["chinchilla"].at("hoffmann2022", N=70e9, D=1.4e12)
    yield bs.Claim("loss of Chinchilla", 1.937, loss, "closed form", within=0.0005)
    yield bs.Claim("loss of Gopher", {gopher}, loss, "closed form", within=0.0005, differs="it is another model")
'''
GOOD = CLOSED.replace("{gopher}", "1.993")
FALSE = CLOSED.replace("{gopher}", "1.937")
MODEL = "import bayescale as bs\nmodel = bs.Model('chinchilla', bs.load_runs('tiny_sweep'), pool='modality')\n"


@pytest.fixture
def write(tmp_path):
    def write(text, name="paper.py") -> Path:
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def test_one_analysis_or_all_of_a_folder(write, tmp_path):
    second, first = write(GOOD, "b.py"), write(GOOD, "a.py")
    write(GOOD, "_shared.py")
    write("text", "notes.md")
    assert analyses(first) == [first]
    assert analyses(str(second)) == [second]
    assert analyses(tmp_path) == [first, second]


def test_no_analyses(write, tmp_path):
    with pytest.raises(InputError, match=r"no analyses \(\.py\) in the folder"):
        analyses(tmp_path)
    for path in (tmp_path / "none.py", write("text", "notes.md"), tmp_path / "none"):
        with pytest.raises(InputError, match=r"no analysis .*name a file of models/, or the folder"):
            analyses(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 / 0", "fails: ZeroDivisionError: division by zero"),
        ("x = (", "fails: SyntaxError"),
        ("x = 1", "claims nothing: it defines none of agrees, differs and claims"),
        ("agrees = ['hoffmann2022']", "defines agrees or differs, but no model"),
        ("differs = {'hoffmann2022': 'why'}\nmodels = {}", "defines agrees or differs, but no model"),
        ("model = 3\ndef claims(p): yield p", "model must be a Model"),
        ("models = [3]\ndef claims(p): yield p", "models a mapping of names to Models"),
        (f"{MODEL}models = {{'a': model}}\nagrees = ['hoffmann2022']", "defines both model and models"),
        (f"{MODEL}differs = ['hoffmann2022']", "differs must map each key to the reason"),
        ("import sys\nsys.exit('bye')", "fails: SystemExit: bye"),
        ("claims = [1]", "claims must be a function"),
        (
            f"{MODEL}sampling = {{'drawz': 3}}\ndef claims(p): yield p",
            "sampling names 'drawz'; the settings are .*draws",
        ),
        ("import bayescale as bs\nbs.load_runs('nothing')", "nothing"),
        (f"{MODEL}agrees = ['hoffman2022 @ code']", "hoffman2022"),
        (f"{MODEL}agrees = ['hoffmann2022']", "names no group of 'modality'; write 'hoffmann2022 @ code'"),
        (f"{MODEL}differs = {{'hoffmann2022 @ cod': 'why'}}", "names no group of 'modality'"),
    ],
)
def test_files_that_cannot_be_held_to_anything(write, text, message):
    with pytest.raises(InputError, match=message):
        load_analysis(write(text))


@pytest.mark.parametrize("text", ["agrees = []", "def claims():\n    return []"])
def test_an_analysis_without_a_claim_does_not_hold_by_having_none(write, text):
    with pytest.raises(InputError, match="claims nothing"):
        reproduce(write(text))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("yield 3", "must yield Claim; it yields 3 too"),
        ("return None", "claims.. of the analysis fails: TypeError"),
        ("raise KeyError('alpha')", "claims.. of the analysis fails: KeyError"),
        ("yield bs.Claim('loss', float('nan'), 3.0, 'table 1', within=1)", "no published number"),
    ],
)
def test_claims_that_are_none(write, body, message):
    with pytest.raises(InputError, match=message):
        reproduce(write(f"import bayescale as bs\ndef claims():\n    {body}"))


def test_an_interrupted_fit_ends_the_analysis(write, monkeypatch, exact_posterior):
    stopped = replace(exact_posterior, diagnostics=replace(exact_posterior.diagnostics, interrupted=True))
    monkeypatch.setattr("bayescale.answers.reproduction.fit", lambda model, **settings: stopped)
    with pytest.raises(KeyboardInterrupt):
        reproduce(write(MODEL + "agrees = ['hoffmann2022 @ code']\n"))


def test_a_closed_form_needs_no_fit(write):
    found = reproduce(write(GOOD))
    assert found.name == "paper"
    assert found.title == "Hoffmann et al. (2022): two losses from the printed constants."
    assert [c.what for c in found.claims] == ["loss of Chinchilla", "loss of Gopher"]
    assert found.posteriors == {}
    assert found.holds
    assert not reproduce(write(FALSE)).holds


def test_our_warnings_are_kept_and_others_are_passed_on(write):
    ours = "import warnings\nfrom bayescale.errors import BayescaleWarning\n"
    text = GOOD + ours + "for _ in 'ab':\n    warnings.warn('Few runs.', BayescaleWarning)\n"
    assert reproduce(write(text)).warnings == ("Few runs.",)
    other = write(f"{GOOD}{ours}warnings.warn('old', DeprecationWarning)\n")
    with pytest.warns(DeprecationWarning, match="old"):
        assert reproduce(other).warnings == ()


# Runs made from one published law: its constants come out again, another paper's do not.
FITTED = '''"""Runs made from Kaplan et al. (2020)."""
import numpy as np
import pandas as pd
import bayescale as bs

C = np.logspace(17, 22, 24)
runs = pd.DataFrame({"C": C, "L": bs.LAWS["power"].at("kaplan2020_C", x=C)})
model = bs.Model("power:C", runs, noise="normal")
model = model.with_runs(bs.simulate(model, "kaplan2020_C", seed=4))
sampling = {"draws": 300, "tune": 300, "seed": 2}
agrees = ["kaplan2020_C"]
differs = {"kaplan2020_C_min": "it is another law"}

def claims(posterior):
    yield bs.Claim("alpha", 0.057, posterior.dataset["alpha"], "table 5")
    yield bs.Claim("alpha of C_min", 0.050, posterior.dataset["alpha"], "table 5", differs="it is another law")
'''


def test_constants_that_made_the_runs_come_out_again(write):
    found = reproduce(write(FITTED), progress=False)
    assert found.holds, str(found)
    assert [type(c).__name__ for c in found.claims] == ["RegionClaim", "RegionClaim", "Claim", "Claim"]
    assert [c.inside for c in found.claims] == [True, False, True, False]
    assert found.posteriors["model"].dataset.sizes["draw"] == 300
    assert found.seconds > 0


def test_several_models_are_given_to_the_claims_by_name(write, monkeypatch, exact_posterior):
    asked = []

    def no_fit(model, **settings):
        asked.append((model.law.name, settings))
        return exact_posterior

    monkeypatch.setattr("bayescale.answers.reproduction.fit", no_fit)
    text = """
import bayescale as bs
runs = bs.load_runs("tiny_sweep")
models = {name: bs.Model(name, runs, pool="modality") for name in ("chinchilla", "kaplan")}
sampling = {"seed": 5}
def claims(posteriors):
    for name, posterior in posteriors.items():
        yield bs.Claim(name, 0.34, posterior.dataset["alpha"], "eq. 10")
"""
    found = reproduce(write(text), progress=False)
    assert [c.what for c in found.claims] == ["chinchilla", "kaplan"]
    assert asked == [(name, {"seed": 5, "progress": False}) for name in ("chinchilla", "kaplan")]


def test_a_group_is_named_behind_the_key(write, monkeypatch):
    monkeypatch.setattr(
        "bayescale.answers.reproduction.fit", lambda model, **settings: bs.sample_prior(model, draws=200, seed=1)
    )
    (found,) = reproduce(write(MODEL + "agrees = ['hoffmann2022 @ code']\n")).claims
    assert isinstance(found, RegionClaim)
    assert found.what == "hoffmann2022 @ code"
    model = bs.Model("chinchilla", bs.load_runs("tiny_sweep"), pool="modality")
    expected = bs.agreement(bs.sample_prior(model, draws=200, seed=1), "hoffmann2022", "code")
    assert (found.distance, found.limit) == (pytest.approx(expected.distance), pytest.approx(expected.limit))
    with pytest.raises(InputError, match="group"):
        reproduce(write(MODEL + "agrees = ['hoffmann2022']\n"))


# -- The command line


@pytest.fixture
def ask(monkeypatch, capsys):
    def ask(*words):
        monkeypatch.setattr(sys, "argv", ["bayescale", "reproduce", *map(str, words)])
        with pytest.raises(SystemExit) as end, warnings.catch_warnings():
            cli.main()
        out, err = capsys.readouterr()
        return end.value.code, out, err

    return ask


def test_claims_that_hold_end_with_code_0(ask, write):
    code, out, err = ask(write(GOOD))
    assert (code, err) == (0, "")
    assert "2 of 2 claims hold" in out
    assert out.endswith("Every claim holds.\n")


def test_a_claim_that_fails_ends_with_code_1_after_all_have_been_asked(ask, write, tmp_path):
    write(FALSE, "a.py")
    write(GOOD, "b.py")
    code, out, err = ask(tmp_path)
    assert code == 1
    assert "INSIDE: THE CLAIM FAILS" in out
    assert "b: Hoffmann" in out
    assert "Every claim holds" not in out
    assert err == "bayescale: claims fail in a.\n"


def test_a_file_that_is_none_ends_with_code_2_and_one_sentence(ask, write, tmp_path):
    for path in (tmp_path / "none.py", write("1 / 0")):
        code, out, err = ask(path)
        assert (code, out) == (2, "")
        assert err.startswith("bayescale: ")
        assert err.count("\n") == 1


def test_of_several_those_that_cannot_run_are_passed_over(ask, write, tmp_path):
    write("1 / 0", "a.py")
    write(GOOD, "b.py")
    code, out, err = ask(tmp_path)
    assert code == 2
    assert "2 of 2 claims hold" in out
    assert out.endswith("Every claim of those that ran holds.\n")
    assert re.fullmatch(r"bayescale: a: .*ZeroDivisionError.*\nbayescale: could not run a\.\n", err)
    write(FALSE, "b.py")
    code, out, err = ask(tmp_path)
    assert code == 1
    assert "ran holds" not in out
    assert err.endswith("could not run a.\nbayescale: claims fail in b.\n")
    write("1 / 0", "b.py")
    code, out, err = ask(tmp_path)
    assert (code, out) == (2, "")


def test_a_fit_that_did_not_converge_ends_with_code_1(ask, write, monkeypatch, exact_posterior):
    bad = replace(exact_posterior, diagnostics=Diagnostics(1.3, "alpha", 12.0, 12.0, "alpha", 0, 1.0))
    monkeypatch.setattr("bayescale.answers.reproduction.fit", lambda model, **settings: bad)
    claims = "def claims(posterior):\n    yield bs.Claim('loss', 1.0, 1.0, 'table 1', within=0.1)\n"
    code, out, err = ask(write(MODEL + claims))
    assert code == 1
    assert "1 of 1 claims hold" in out
    assert "Every claim" not in out
    assert err.endswith("bayescale: fits did not converge in paper.\n")


def test_slow_analyses_can_be_left_out(ask, write, tmp_path):
    write(FALSE + "slow = True\n", "a.py")
    write(GOOD, "b.py")
    assert ask(tmp_path)[0] == 1
    code, out, _ = ask(tmp_path, "--fast")
    assert code == 0
    assert "a: Hoffmann" not in out


def test_json(ask, write):
    code, out, _ = ask(write(FALSE), "--json")
    assert code == 1
    (found,) = json.loads(out)
    assert (found["name"], found["holds"], found["unconverged"], found["warnings"]) == ("paper", False, [], [])
    first, second = found["claims"]
    assert first == {
        "what": "loss of Chinchilla",
        "source": "closed form",
        "inside": True,
        "holds": True,
        "differs": "",
        "published": 1.937,
        "median": pytest.approx(1.9366, abs=1e-4),
        "interval": [pytest.approx(1.9366, abs=1e-4)] * 2,
    }
    assert (second["inside"], second["holds"], second["differs"]) == (True, False, "it is another model")
