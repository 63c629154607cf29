"""Honesty: what speaks against a fit stands in every answer made from it, whatever is done to warnings."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale import inference
from bayescale.answers import comparison, stacking
from bayescale.answers.allocation import allocation_sentences
from bayescale.answers.breaks import breaks_sentences
from bayescale.answers.check import check_sentences
from bayescale.answers.contrast import contrast_sentences
from bayescale.answers.design import design_sentences
from bayescale.answers.deviation import deviation_sentences
from bayescale.answers.forecast import forecast_sentences
from bayescale.answers.multiplier import multiplier_sentences
from bayescale.answers.sensitivity import sensitivity_sentences
from bayescale.answers.sharpness import sharpness_sentences
from bayescale.answers.threshold import threshold_sentences
from bayescale.diagnostics import Diagnostics

BAD = Diagnostics(1.3, "alpha", 12.0, 15.0, "alpha", 7, 0.9, draws=1000)
SAID = "NOT CONVERGED"


@pytest.fixture(scope="module")
def fits(scattered_posterior, certain, grouped_posterior):
    """One of each kind that answers ask: none has converged."""
    D = np.logspace(6, 9, 12)
    broken = bs.Model("broken_1:D", pd.DataFrame({"D": D, "L": 1 + (1e6 / D) ** 0.3}))
    values = {"a": 0.5, "k_ref": 1.0, "c_0": 0.2, "d_1_ref": 10.0, "c_1": 0.3, "f_1": 0.1, "sigma": 0.01, "nu": 5.0}
    solved = pd.DataFrame({"D": D, "n_trials": 1000, "chance": 0.1, "accuracy": np.linspace(0.1, 0.9, 12).round(2)})
    task = {"reach": 0.9, "slope": 1.0, "u": 0.0, "phi": 50.0}
    good = {
        "one": scattered_posterior,
        "six": grouped_posterior,
        "broken": certain(broken, values),
        "task": certain(bs.Model("sigmoid_of_compute:D", solved), task),
    }
    return {name: replace(one, diagnostics=BAD) for name, one in good.items()}


# Each public answer: how it is asked, and its words. Those without words of a Dataset are told apart below.
ANSWERS = {
    "forecast": (lambda f: bs.forecast(f["one"], N=1e9, D=1e11), forecast_sentences),
    "allocate": (lambda f: bs.allocate(f["one"], C=1e21), allocation_sentences),
    "deviation": (lambda f: bs.deviation(f["one"], N=1e9, D=1e10), deviation_sentences),
    "threshold": (lambda f: bs.threshold(f["one"], L=2.5), threshold_sentences),
    "crossed_by": (lambda f: bs.crossed_by(bs.threshold(f["one"], L=2.5)), None),
    "sharpness": (lambda f: bs.sharpness(f["task"]), sharpness_sentences),
    "breaks": (lambda f: bs.breaks(f["broken"]), breaks_sentences),
    "design": (
        lambda f: bs.design(f["one"], 1e20, about="L", at={"N": 1e9, "D": 1e11}, checks=0),
        design_sentences,
    ),
    "contrast": (lambda f: bs.contrast(f["six"], "alpha", "code", "text"), contrast_sentences),
    "multiplier": (lambda f: bs.multiplier(f["six"], "code", "text", C=1e13), multiplier_sentences),
    "check_fit": (lambda f: bs.check_fit(f["one"]), check_sentences),
    "sensitivity": (lambda f: bs.sensitivity(f["one"]), sensitivity_sentences),
}
# Told in words of their own, tested further down or, for backtest, in its own tests.
OTHERS = {"compare", "stack", "update", "refit", "agreement", "reproduce", "backtest", "recommend"}
# No answer of a posterior: from runs, curves or a model alone, or another's words or draws.
NONE = {
    *("extrapolate", "extrapolation_table", "extrapolation_sentences", "identify", "detection_limit"),
    *("allocation_sentences", "threshold_table", "backtest_table", "backtest_sentences", "to_dataframe"),
    *("Stack", "Recipe", "Claim", "open_stack", "chain"),
}


def test_no_public_answer_is_left_out():
    from bayescale import _HOME

    public = {name for name, home in _HOME.items() if home.startswith("answers.")}
    assert public == {*ANSWERS, *OTHERS, *NONE}


@pytest.fixture(scope="module")
def asked(fits):
    """Every answer once, and what it warned of."""
    found = {}
    for name, (question, _) in ANSWERS.items():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found[name] = question(fits), [str(w.message) for w in caught if w.category is bs.ConvergenceWarning]
    return found


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_of_a_fit_that_has_not_converged_says_so_beside_its_warning(asked, name):
    (answer, warned), words = asked[name], ANSWERS[name][1]
    assert any(SAID in message for message in warned)
    assert answer.attrs["converged"] == 0
    assert any(SAID in doubt for doubt in answer.attrs["doubts"])
    assert any("--tune" in doubt and "tune=" in doubt for doubt in answer.attrs["doubts"])
    if words is not None:
        assert SAID in words(answer)[0]


@pytest.mark.parametrize("name", ["forecast", "allocate", "deviation", "threshold", "sharpness", "contrast"])
@pytest.mark.parametrize("summary", [False, True])
def test_a_table_for_a_file_of_text_keeps_the_doubt(asked, name, summary):
    table = bs.to_dataframe(asked[name][0], summary=summary)
    assert table["doubts"].str.contains(SAID).all()


def test_draws_of_a_posterior_laid_out_as_a_table_keep_the_doubt(fits, scattered_posterior):
    assert fits["one"].to_dataframe()["doubts"].str.contains(SAID).all()
    assert "doubts" not in scattered_posterior.to_dataframe()


def test_an_answer_of_a_good_fit_has_no_doubt(scattered_posterior):
    answer = bs.forecast(scattered_posterior, N=1e9, D=1e11)
    assert (answer.attrs["converged"], answer.attrs["doubts"]) == (1, [])
    assert "doubts" not in bs.to_dataframe(answer)
    assert SAID not in " ".join(forecast_sentences(answer))


def test_a_stack_passes_on_its_members_doubts_and_its_own(fits, scattered_posterior):
    members = {"good": scattered_posterior, "bad": fits["one"]}
    weights = bs.sample_prior(scattered_posterior.model, draws=5).dataset["E"].isel(chain=0, drop=True)
    draws = weights.rename(draw="sample").expand_dims(law=list(members)).transpose("sample", "law")
    stack = bs.Stack(members, {"good": 0.5, "bad": 0.5}, draws, "loo", doubts=("3 of 25: Pareto k above 0.70",))
    assert SAID in str(stack)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for answer in (bs.forecast(stack, N=1e9, D=1e11), bs.allocate(stack, C=1e21), bs.threshold(stack, L=2.5)):
            assert answer.attrs["converged"] == 0
            assert any("Pareto k" in doubt for doubt in answer.attrs["doubts"])
            assert any(SAID in doubt for doubt in answer.attrs["doubts"])


def test_a_stack_of_unreliable_scores_keeps_its_doubt_in_its_file(tmp_path, scattered_posterior, monkeypatch):
    flagged = lambda *_, **__: comparison.Criterion(  # noqa: E731
        comparison.waic(scattered_posterior).elpd_i, flagged=3, flag="Pareto k above 0.70"
    )
    monkeypatch.setitem(comparison._CRITERIA, "loo", flagged)
    monkeypatch.setattr(stacking, "BOOTSTRAPS", 10)
    stack = bs.stack({"a": scattered_posterior, "b": scattered_posterior}, by="loo")
    stack.save(tmp_path / "stack.nc")
    for one in (stack, bs.open_stack(tmp_path / "stack.nc")):
        answer = bs.forecast(one, N=1e9, D=1e11)
        assert any("Pareto k above 0.70" in doubt for doubt in answer.attrs["doubts"])
        assert "Pareto k above 0.70" in forecast_sentences(answer)[0]


# -- Answers in words of their own


def test_a_comparison_of_a_fit_that_has_not_converged_is_not_clear(fits, scattered_posterior):
    with pytest.warns(bs.ConvergenceWarning):
        found = bs.compare({"good": scattered_posterior, "bad": fits["one"]}, by="waic")
    assert "not clear: bad has not converged" in found.verdict
    assert SAID in found.notes[0]
    assert "not converged" in found.table.loc["bad", "flags"]


def test_pareto_k_above_the_limit_is_said_by_the_check(scattered_posterior):
    """One run far from all others, under normal noise: leaving it out moves the posterior too far to reweigh."""
    runs = scattered_posterior.model.runs.copy()
    runs.loc[12, "L"] *= 1.4
    far = replace(scattered_posterior, model=bs.Model("chinchilla", runs, noise="normal"))
    check = bs.check_fit(far)
    assert float(check["pareto_k"].max()) > check.attrs["good_k"]
    assert any(line.startswith("Pareto k is above 0.67") for line in check_sentences(check))


def test_chains_that_stand_still_are_no_crash(certain, grid_runs):
    values = {"E": 1.69, "A_ref": 0.78, "B_ref": 0.65, "alpha": 0.34, "beta": 0.28, "sigma": 0.01}
    still = replace(certain(bs.Model("chinchilla", grid_runs, noise="normal"), values), diagnostics=BAD)
    with pytest.warns(bs.ConvergenceWarning):
        check = bs.check_fit(still)
    assert any(line.startswith("Pareto k is above") for line in check_sentences(check))
    with (
        pytest.warns(bs.ConvergenceWarning),
        pytest.raises(bs.InputError, match="as if chains stood still"),
    ):
        bs.compare({"a": still, "b": still}, by="loo")


def test_agreement_refit_and_update_say_it(fits, monkeypatch):
    bad = fits["one"]
    with pytest.warns(bs.ConvergenceWarning):
        assert SAID in str(bs.agreement(bad, "hoffmann2022"))
    again = replace(bad, info={"seed": 1, "settings": {"draws": 250, "tune": 250, "chains": 4, "target_accept": None}})
    monkeypatch.setattr("bayescale.answers.updating.fit", lambda *_, **__: bad)
    assert SAID in str(bs.refit(again))
    new = bad.model.runs.iloc[:1] * 1.01
    with pytest.warns(bs.ConvergenceWarning):
        said = str(bs.update(again, new))
    assert f"the old fit is {SAID}" in said
    assert f"the new fit is {SAID}" in said


# -- The prior, and the distance


def test_an_answer_that_leans_on_the_prior_says_so(grid_runs):
    unlearnt = replace(
        bs.sample_prior(bs.Model("chinchilla", grid_runs), draws=100),
        diagnostics=Diagnostics(1, "", 1e4, 1e4, "", 0, 1),
    )
    for answer, words in (
        (bs.forecast(unlearnt, N=1e9, D=1e11), forecast_sentences),
        (bs.allocate(unlearnt, C=1e21), allocation_sentences),
    ):
        (doubt,) = answer.attrs["doubts"]
        assert doubt.startswith("This answer leans on the prior: the runs hardly narrow E")
        assert words(answer)[0] == doubt


def test_a_forecast_farther_out_than_any_backtest_could_tell_says_so(exact_posterior):
    """The grid's runs cost 6e16 to 6e20; the fifth cheapest of them (five parameters) 6e17, or 1,000 times less."""
    cost = np.sort(exact_posterior.model.cost())
    span = cost[-1] / cost[4]
    near = bs.forecast(exact_posterior, N=1e9 * span * 0.99, D=1e9)
    far = bs.forecast(exact_posterior, N=1e9 * span * 1.01, D=1e9)
    assert near.attrs["doubts"] == []
    assert f"which span only {span:.3g} times themselves" in far.attrs["doubts"][0]
    assert far.attrs["doubts"][0] == forecast_sentences(far)[0]


# -- The command line and the report

COMMANDS = {
    "forecast": ("one", "--N", "1e9", "--D", "1e11"),
    "allocate": ("one", "--C", "1e21"),
    "threshold": ("one", "--L", "2.5"),
    "sharpness": ("task",),
    "breaks": ("broken",),
    "design": ("one", "--budget", "1e20", "--about", "L", "--at", "N=1e9", "--at", "D=1e11", "--checks", "0"),
    "contrast": ("six", "alpha", "code", "text"),
    "multiplier": ("six", "code", "text", "--C", "1e13"),
    "check": ("one",),
    "show": ("one",),
    "compare": ("one", "two"),
    "stack": ("one", "two", "--by", "waic"),
}


@pytest.fixture(scope="module")
def saved(fits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unconverged")
    for name, one in {**fits, "two": fits["one"]}.items():
        one.save(folder / f"{name}.nc")
    return folder


@pytest.mark.parametrize("as_json", [pytest.param((), marks=pytest.mark.slow), ("--json",)], ids=["print", "json"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_says_it_where_its_answer_goes(run_command, monkeypatch, saved, command, as_json):
    monkeypatch.setattr(stacking, "BOOTSTRAPS", 10)
    """On standard output, in quiet, whatever PYTHONWARNINGS says; and once on standard error."""
    name, *rest = COMMANDS[command]
    words = [str(saved / f"{word}.nc") if word == "two" else word for word in rest]
    code, out, err = run_command("--quiet", command, str(saved / f"{name}.nc"), *words, *as_json)
    assert code == 0, err
    assert SAID in out
    assert "--tune" in out
    if as_json:
        assert isinstance(json.loads(out), dict)
    assert err.count(SAID) == (0 if command == "show" else 1), err


def test_warnings_switched_off_in_the_environment_are_heard(monkeypatch, capsys, saved):
    import sys

    from bayescale import cli

    monkeypatch.setattr(sys, "argv", ["bayescale", "forecast", str(saved / "one.nc"), "--N", "1e9", "--D", "1e11"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(SystemExit):
            cli.main()
    assert SAID in capsys.readouterr().err


@pytest.mark.slow
def test_a_report_says_it_before_the_answer(run_command, saved, tmp_path):
    page = tmp_path / "page.md"
    code, *_ = run_command("report", str(saved / "one.nc"), "-o", str(page))
    assert code == 0
    text = page.read_text()
    assert text.index("Not converged") < text.index("A run to come")


def test_a_fit_of_a_command_that_has_not_converged_says_it(run_command, monkeypatch, fits, tmp_path):
    monkeypatch.setattr(inference, "fit", lambda *_, **__: fits["one"])
    code, out, _ = run_command("fit", "tiny_sweep", "-o", str(tmp_path / "post.nc"), "--json")
    assert code == 0
    assert SAID in out
