"""The command line: every command answers, in text and in JSON, and bad input ends in one sentence and code 2."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayescale as bs
from bayescale import cli, demo, inference, progress
from bayescale.answers import comparison
from bayescale.posterior import open_posterior

COMMANDS = [
    *("demo", "check", "fit", "show", "forecast", "extrapolate", "allocate", "threshold", "sharpness", "breaks"),
    *("design", "contrast", "multiplier", "compare", "stack", "backtest", "update", "refit", "report", "reproduce"),
    *("laws", "data"),
]
HEAVY = {"pymc", "pytensor", "numba", "nutpie", "arviz", "arviz_plots", "matplotlib"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, exact_posterior, grouped_posterior):
    """A folder with good and bad tables and posteriors."""
    folder = tmp_path_factory.mktemp("cli")
    runs = exact_posterior.model.runs
    runs.to_csv(folder / "runs.csv", index=False)
    exact_posterior.save(folder / "post.nc")
    grouped_posterior.save(folder / "grouped.nc")
    bs.sample_prior(bs.Model("kaplan", runs), draws=200).save(folder / "kaplan.nc")
    bs.sample_prior(bs.Model("chinchilla", runs), draws=200).save(folder / "chinchilla.nc")
    bs.sample_prior(bs.Model("chinchilla", runs.iloc[:-2]), draws=20).save(folder / "fewer.nc")
    bs.sample_prior(bs.Model("broken_1:N", runs), draws=100).save(folder / "broken.nc")
    answers = bs.load_runs("tiny_emergence").query("task in ('add1', 'sort5')")
    bs.sample_prior(bs.Model("sigmoid_of_compute:D", answers, pool="task"), draws=100).save(folder / "answers.nc")
    ability = answers.assign(L=4.0 - 0.1 * np.log(answers["D"]))
    bs.sample_prior(bs.Model("sigmoid_of_loss", ability, pool="task"), draws=100).save(folder / "ability.nc")
    laws = {name: open_posterior(folder / f"{name}.nc") for name in ("kaplan", "chinchilla")}
    bs.stack(laws, by="waic", seed=4).save(folder / "stack.nc")
    content = (folder / "post.nc").read_bytes()
    (folder / "cut.nc").write_bytes(content[: len(content) // 2])
    (folder / "text.nc").write_text("N,D,L\n1,2,3\n")
    xr.Dataset({"E": ("draw", [1.0])}).to_netcdf(folder / "other.nc", engine="h5netcdf")
    (folder / "tampered.nc").write_bytes(content)
    with h5py.File(folder / "tampered.nc", "r+") as file:
        loss: Any = file["runs/column_2"]
        loss[0] = 99.0
    for name, text in TABLES.items():
        (folder / name).write_text(text)
    return folder


GOOD = "1e7,1e9,3.1\n1e8,1e10,2.6\n1e8,1e9,2.9\n"
TABLES = {
    "empty.csv": "",
    "header.csv": "N,D,L\n",
    "one_row.csv": "N,D,L\n1e7,1e9,3.1\n",
    "nan.csv": f"N,D,L\n{GOOD}1e9,,2.2\n",
    "negative.csv": f"N,D,L\n{GOOD}1e9,1e10,-2.2\n",
    "words.csv": f"N,D,L\n{GOOD}1e9,many,2.2\n",
    "page.csv": "<!DOCTYPE html>\n<html><body>Not found</body></html>\n",
    "twice.csv": f"N,N,L\n{GOOD}",
    "ragged.csv": f"N,D,L\n{GOOD}1e9,1e10,2.2,7,8\n",
    "quote.csv": f'"N,D,L\n{GOOD}',
    "strange.csv": f"a,b,c\n{GOOD}",
    "no_tokens.csv": f"N,x,L\n{GOOD}",
    "runs.docx": f"N,D,L\n{GOOD}",
    "curves.csv": "run,tokens,error\na,1M,.9\na,4M,.5\na,16M,.3\nb,2M,.8\nb,8M,.6\nb,32M,.44\n",
    "rising.csv": "D,L\n1e6,.5\n2e6,.6\n4e6,.7\n",
}


@pytest.fixture
def ask(folder, monkeypatch, run_command):
    """Run a command line in this process, in the folder; its exit code, what it printed, and its errors."""
    monkeypatch.chdir(folder)
    # The cheap way to see that bad input is refused before any fit.
    monkeypatch.setattr(inference, "fit", _no_fit)

    return run_command


def _no_fit(*args, **kwargs):
    pytest.fail("a fit was started")


def read_json(text):
    """Read JSON as the standard has it: without NaN and Infinity."""

    def refuse(word):
        pytest.fail(f"{word} is not JSON")

    return json.loads(text, parse_constant=refuse)


# -- Help


def test_these_are_all_commands():
    assert [getattr(command.callback, "__name__", None) for command in cli.app.registered_commands] == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_has_help_with_an_example_of_its_own(ask, command, flag):
    code, out, err = ask(command, flag)
    assert (code, err) == (0, "")
    text = " ".join(out.split())
    (example,) = re.findall(rf"Example: (bayescale {command} .*?) (?:Arguments|Options):", text)
    for option in re.findall(r" (--?\w+)", example):
        assert re.search(rf"(?<!\S){option}\b", text.replace(example, "").replace(",", " ")), f"{option} is no option"
    assert "--json" in text


def test_help_lists_every_command(ask):
    code, out, _ = ask("--help")
    assert code == 0
    assert re.findall(r"^  (\w+)  ", out, re.MULTILINE) == COMMANDS


# -- Answers, and the same in JSON


def test_check(ask):
    code, out, err = ask("check", "runs.csv", "--law", "chinchilla")
    assert (code, err) == (0, "")
    assert "all runs" in out
    assert "E + A/N**alpha + B/D**beta" in out
    assert re.search(r"N +1e\+07 to 1e\+09 parameters, reference 1e\+08", out)
    answer = read_json(ask("check", "runs.csv", "--json")[1])
    assert answer["runs"][0]["N_max"] == pytest.approx(1e9)
    assert answer["model"]["reference"]["D"] == pytest.approx(1e10)


def test_check_of_an_embedded_data_set_with_pooling(ask):
    code, out, _ = ask("check", "tiny_sweep", "--pool", "modality", "--pool", "E=none", "--json")
    assert code == 0
    model = read_json(out)["model"]
    assert model["group"] == "modality"
    assert (model["pooling"]["E"], model["pooling"]["alpha"]) == ("none", "partial")


def test_doubts_go_to_the_error_stream(ask):
    code, out, err = ask("check", "tiny_sweep", "--json")
    assert code == 0
    read_json(out)
    assert err.startswith("Warning: The runs have 6 modalities")
    assert len(err.splitlines()) == 1


def test_show(ask):
    code, out, _ = ask("show", "post.nc")
    assert code == 0
    assert "Priors (90 % interval)" in out
    assert re.search(r"^A +406\.4 ", out, re.MULTILINE)
    answer = read_json(ask("show", "post.nc", "--json")[1])
    assert (answer["law"], answer["converged"], answer["problems"], answer["seed"]) == ("chinchilla", True, [], 7)
    medians = {row["parameter"]: row["median"] for row in answer["summary"]}
    assert (medians["A"], medians["alpha"]) == (pytest.approx(406.4), pytest.approx(0.34))


def test_show_groups(ask):
    code, out, _ = ask("show", "grouped.nc")
    assert code == 0
    assert "alpha[music]" in out


def test_forecast(ask):
    code, out, err = ask("forecast", "post.nc", "--N", "70B", "--D", "1.4T")
    assert (code, err) == (0, "")
    # The number Hoffmann's law gives for Chinchilla itself.
    assert "N = 7e+10, D = 1.4e+12" in out
    assert "the law is 1.937 " in out
    assert "beyond the runs" in out
    answer = read_json(ask("forecast", "post.nc", "--N", "70B", "--D", "1.4T", "--json")[1])
    assert answer["attrs"]["law"] == "chinchilla"
    (point,) = answer["forecast"]
    assert point["L median"] == pytest.approx(1.69 + 406.4 / 70e9**0.34 + 410.7 / 1.4e12**0.28)
    assert point["L_run lower"] < point["L_run median"] < point["L_run upper"]


def test_forecast_at_several_points_and_by_compute(ask):
    code, out, _ = ask("forecast", "post.nc", "--N", "1B,7B", "--C", "6e21", "--json")
    assert code == 0
    points = read_json(out)["forecast"]
    assert [(p["N"], p["D"]) for p in points] == [(1e9, pytest.approx(1e12)), (7e9, pytest.approx(1e12 / 7))]


def test_forecast_takes_inputs_by_name(ask):
    by_name = ask("forecast", "post.nc", "--at", "N=70B", "--at", "D=1.4T")
    assert by_name == ask("forecast", "post.nc", "--N", "70B", "--D", "1.4T")


CURVES = ("extrapolate", "curves.csv", "--column", "D=tokens", "--column", "L=error", "--curve", "run")


def test_extrapolate(ask, tmp_path):
    """Errors fall on, at about the rate of the last step: a's by .6 and b's by .73 for four times the tokens."""
    figure = tmp_path / "curves.png"
    code, out, err = ask(*CURVES, "--times", "1.5,2", "--figure", str(figure))
    assert code == 0
    assert "Fewer than 5 runs" in err
    assert out.startswith("2 curves of L along D, 3 to 3 points each")
    said = re.findall(r"^(\w): at D = (\w+), (\S+) times the last point, .* L = (\S+) ", out, re.MULTILINE)
    assert [line[:2] for line in said] == [("a", "24M"), ("a", "32M"), ("b", "48M"), ("b", "64M")]
    assert [line[2] for line in said] == ["1.5", "2", "1.5", "2"]
    assert float(said[1][3]) == pytest.approx(0.3 * 0.6**0.5, rel=0.1)
    assert float(said[3][3]) == pytest.approx(0.44 * (0.44 / 0.6) ** 0.5, rel=0.1)
    assert figure.stat().st_size > 10_000


def test_extrapolate_one_curve_in_json(ask):
    code, out, err = ask(*CURVES, "--times", "50", "--group", "b", "--seed", "3", "--json")
    found = read_json(out)
    assert code == 0
    assert found["attrs"]["seed"] == 3
    assert found["shared"][0]["prior"] == "Normal(-5, 1.5)"
    (row,) = found["table"]
    assert row["D"] == pytest.approx(50 * 32e6)
    assert row["L_run lower"] < row["L_run median"] < row["L_run upper"]
    assert "at 50 times nothing was tested" in err
    assert "at 50 times nothing was tested" in found["sentences"][-1]


def test_forecast_of_groups(ask):
    assert len(ask("forecast", "grouped.nc", "--N", "1M", "--D", "10M")[1].splitlines()) == 6
    assert len(ask("forecast", "grouped.nc", "--N", "1M", "--D", "10M", "--group", "music")[1].splitlines()) == 1
    one, same, other = (
        ask("forecast", "grouped.nc", "--N", "1M", "--D", "10M", "--group", "new", "--seed", s)[1] for s in "334"
    )
    assert one == same != other


def test_a_forecast_beyond_all_numbers_is_still_json(ask):
    code, out, _ = ask("forecast", "post.nc", "--N", "1e300", "--D", "1e300", "--json")
    assert code == 0
    assert read_json(out)["forecast"][0]["beyond"] is None


def test_allocate(ask):
    """Hoffmann's rounded constants at 1e21 FLOP: 1.82e9 parameters, 9.14e10 tokens, loss 2.329 (the sheet)."""
    code, out, err = ask("allocate", "post.nc", "--C", "1e21")
    assert (code, err) == (0, "")
    assert out.startswith("C = 1e+21 FLOP: N = 1.82B, D = 91.4B (50.1 tokens per parameter); the law expects L 2.329")
    code, out, _ = ask("allocate", "post.nc", "--C", "1e21,1e24", "--json")
    rows = read_json(out)["allocation"]
    assert [row["C"] for row in rows] == [1e21, 1e24]
    assert rows[0]["N_bayes"] == pytest.approx(1.82e9, rel=0.005)
    code, out, _ = ask("allocate", "post.nc", "--L", "2.329,1.5", "--json")
    reached, never = read_json(out)["allocation"]
    assert reached["C_bayes"] == pytest.approx(1e21, rel=0.01)
    assert (never["C_bayes"], never["C never"]) == (None, 1.0)


def test_allocate_for_use_under_a_limit(ask):
    words = ("--cost", "with_inference", "--at", "D_inference=1T", "--max", "N=1B")
    _, out, _ = ask("allocate", "post.nc", "--C", "1e22", *words, "--json")
    (row,) = read_json(out)["allocation"]
    assert row["N_bayes"] == pytest.approx(1e9)
    assert row["D_bayes"] == pytest.approx((1e22 - 2e9 * 1e12) / 6e9)


def test_allocate_weighs_a_run(ask):
    _, out, _ = ask("allocate", "post.nc", "--N", "1.82B", "--D", "91.4B", "--json")
    (row,) = read_json(out)["allocation"]
    assert row["times median"] == pytest.approx(1.0, abs=1e-4)
    _, out, _ = ask("allocate", "grouped.nc", "--N", "1M", "--D", "1B", "--group", "text")
    doubt, answer = out.splitlines()[:2]
    assert "times beyond the runs, which span only 893 times themselves" in doubt
    assert answer.startswith("N = 1M, D = 1B, text: costs 6e+15 FLOP, ")


def test_compare(ask):
    code, out, err = ask("compare", "kaplan.nc", "chinchilla.nc", "--by", "waic")
    assert (code, err) == (0, "")
    assert "is ahead of" in out
    answer = read_json(ask("compare", "kaplan.nc", "chinchilla.nc", "--json")[1])
    assert answer["by"] == "waic"
    assert {row["law"] for row in answer["table"]} == {"kaplan", "chinchilla"}
    assert sum(row["weight"] for row in answer["table"]) == pytest.approx(1.0)


def test_compare_fits_a_table_once_for_each_law(ask, monkeypatch):
    fitted = []

    def fit(model, *, seed=None, **settings):
        fitted.append((model.law.name, seed))
        return bs.sample_prior(model, draws=50)

    monkeypatch.setattr(inference, "fit", fit)
    code, out, _ = ask("compare", "runs.csv", "--law", "kaplan", "--law", "chinchilla", "--seed", "5", "--json")
    assert code == 0
    assert fitted == [("kaplan", 5), ("chinchilla", 5)]
    assert read_json(out)["table"][0]["elpd_diff"] == 0.0


@pytest.mark.parametrize("by", ["waic", "loo"])
def test_stack(ask, tmp_path, by):
    path = tmp_path / "mixed.nc"
    code, out, err = ask("stack", "kaplan.nc", "chinchilla.nc", "--by", by, "-o", str(path))
    assert (code, err) == (0, "")
    assert out.startswith(f"Stack of 2 laws, weighed by '{by}'")
    assert f"Kept in {path}. Ask it: bayescale forecast" in out
    answer = read_json(ask("stack", "kaplan.nc", "chinchilla.nc", "--by", by, "--json")[1])
    kept = bs.open_stack(path)
    assert {row["law"]: row["weight"] for row in answer["weights"]} == kept.weights
    assert (answer["by"], answer["converged"], answer["output"]) == (by, True, None)
    assert answer["notes"] == list(kept.notes)


def test_stack_fits_again_without_the_largest_runs(ask, monkeypatch):
    fitted = []

    def fit(model, *, seed=None, **settings):
        fitted.append((model.law.name, len(model.runs), seed))
        return bs.sample_prior(model, draws=50)

    monkeypatch.setattr(comparison, "fit", fit)
    code, out, _ = ask("stack", "kaplan.nc", "chinchilla.nc", "--seed", "5", "--json")
    assert code == 0
    assert fitted == [(law, rows, 5) for rows in (15, 18, 22) for law in ("kaplan", "chinchilla")]
    assert read_json(out)["seed"] == 5


def test_forecast_of_a_stack(ask):
    code, out, err = ask("forecast", "stack.nc", "--N", "1B", "--D", "100B")
    assert (code, err) == (0, "")
    *doubts, answer = out.splitlines()[:5]
    assert [doubt.partition(": p_waic")[0] for doubt in doubts[:2]] == ["kaplan: 25 of 25", "chinchilla: 25 of 25"]
    assert all(doubt.startswith("This answer leans on the prior") for doubt in doubts[2:])
    assert answer.startswith("N = 1e+09, D = 1e+11: a run would measure ")
    answer = read_json(ask("forecast", "stack.nc", "--N", "1B", "--D", "100B", "--json")[1])
    assert answer["attrs"]["laws"] == ["kaplan", "chinchilla"]
    assert sum(answer["attrs"]["weights"]) == pytest.approx(1.0)
    assert ask("forecast", "stack.nc", "--N", "1B", "--C", "6e20")[1] == out


def test_threshold(ask):
    code, out, err = ask("threshold", "post.nc", "--L", "2.0,1.6", "--horizon", "1e22")
    assert (code, err) == (0, "")
    # Hoffmann's constants: 6 ((2 - E) / K)**(-1 / gamma), and a floor of 1.69 above 1.6.
    assert re.search(r"L at most 2: reached at C = 1\.11e\+23 FLOP", out)
    assert "L at most 1.6: never" in out
    answer = read_json(ask("threshold", "post.nc", "--L", "2.0,1.6", "--horizon", "1e22", "--json")[1])
    reached, never = answer["threshold"]
    assert reached["C median"] == pytest.approx(1.110059145e23, rel=1e-8)
    assert reached["P(beyond horizon)"] == 1
    assert (never["C median"], never["P(never)"]) == (None, 1)
    assert max(point["probability"] for point in answer["curve"] if point["L"] == 1.6) == 0
    assert "tokens" in ask("threshold", "post.nc", "--L", "2.0", "--N", "70B")[1]
    assert "20 tokens per parameter" in ask("threshold", "post.nc", "--L", "2.0", "--tokens-per-parameter", "20")[1]
    assert ask("threshold", "stack.nc", "--L", "2.0")[0] == 0


def test_threshold_of_an_ability(ask):
    code, out, err = ask("threshold", "answers.nc", "--margin", "0.001", "--group", "add1")
    assert code == 0
    assert "no run could show that it is reached" in out
    assert "1000 questions can tell from a guess" in err
    code, out, _ = ask("threshold", "post.nc", "--then", "ability.nc", "--accuracy", "0.5", "--group", "sort5")
    assert code == 0
    assert re.search(r"accuracy at least 0\.5, group sort5: .* C", out)


def test_sharpness(ask):
    code, out, err = ask("sharpness", "answers.nc", "--companion", "answers.nc", "--than", "2")
    assert (code, err) == (0, "")
    assert re.search(r"add1: \d.* decades .* its companion", out)
    answer = read_json(ask("sharpness", "answers.nc", "--json")[1])
    assert {row["task"] for row in answer["sharpness"]} == {"add1", "sort5"}


def test_breaks(ask):
    code, out, err = ask("breaks", "broken.nc", "--before", "1e12")
    assert (code, err) == (0, "")
    assert "MOSTLY PRIOR" in out
    answer = read_json(ask("breaks", "broken.nc", "--before", "1e12", "--json")[1])
    assert [row["break"] for row in answer["breaks"]] == [1, "next"]
    assert answer["attrs"]["before"] == 1e12


def test_show_a_stack(ask):
    code, out, _ = ask("show", "stack.nc")
    assert code == 0
    assert out.startswith("Stack of 2 laws, weighed by 'waic'")
    assert "Posterior of kaplan" in out
    assert "Posterior of chinchilla" in out
    answer = read_json(ask("show", "stack.nc", "--json")[1])
    assert answer["seed"] == 4
    assert {name: member["law"] for name, member in answer["members"].items()} == {
        "kaplan": "kaplan",
        "chinchilla": "chinchilla",
    }


def test_laws(ask):
    code, out, err = ask("laws")
    assert (code, err) == (0, "")
    for name, law in bs.LAWS.items():
        assert re.search(rf"^{name} +{re.escape(law.title)}$", out, re.MULTILINE)
    assert [row["name"] for row in read_json(ask("laws", "--json")[1])] == list(bs.LAWS)


@pytest.mark.parametrize("name", list(bs.LAWS))
def test_a_laws_card(ask, name):
    code, out, _ = ask("laws", name)
    assert code == 0
    assert out.startswith(f"{name}: ")
    answer = read_json(ask("laws", name, "--json")[1])
    assert list(answer["parameters"]) == [p.symbol for p in bs.LAWS[name].params]
    assert {e.key for e in bs.LAWS[name].published} == set(answer["published"])


def test_data(ask):
    code, out, err = ask("data")
    assert (code, err) == (0, "")
    assert "tiny_sweep" in out
    rows = read_json(ask("data", "--json")[1])
    assert {row["name"] for row in rows} == set(bs.DATASETS)
    assert next(row["runs"] for row in rows if row["name"] == "tiny_sweep") == 220


def test_one_data_set(ask):
    code, out, _ = ask("data", "tiny_sweep")
    assert code == 0
    assert "Licence" in out
    assert read_json(ask("data", "tiny_sweep", "--json")[1])["description"] == out.rstrip("\n")


def test_version(ask):
    assert ask("--version") == (0, f"bayescale {bs.__version__}\n", "")


def test_quiet_shows_no_progress_on_a_terminal(ask, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    ask("laws", "power")
    assert progress.wanted()
    ask("--quiet", "laws", "power")
    assert not progress.wanted()
    ask("laws", "power")
    assert progress.wanted()


def test_a_sentence_is_warned_of_once_and_another_one_too(capsys):
    show = cli._warner()
    for text in ("not converged", "not converged", "far beyond"):
        show(bs.BayescaleWarning(text), bs.BayescaleWarning, "", 0)
    assert capsys.readouterr().err == "Warning: not converged\nWarning: far beyond\n"


def test_shells_complete_commands_and_options():
    code = "import sys; sys.argv[:] = ['bayescale']; from bayescale.cli import main; main()"
    for typed, completed in (("al", "allocate"), ("allocate --at", "--at")):
        count = str(len(typed.split()))
        asked = {"_BAYESCALE_COMPLETE": "complete_bash", "COMP_WORDS": f"bayescale {typed}", "COMP_CWORD": count}
        found = subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, **asked}, capture_output=True, text=True, check=True
        )
        assert completed in found.stdout.split()


def test_an_exported_data_set_can_be_read_again(ask, tmp_path):
    path = tmp_path / "out.csv"
    code, out, err = ask("data", "tiny_sweep", "-o", str(path))
    assert (code, out) == (0, "")
    assert str(path) in err
    pd.testing.assert_frame_equal(bs.read_runs(path), bs.load_runs("tiny_sweep"), check_like=True)


def test_demo_in_json(ask, monkeypatch, tmp_path):
    asked = {}

    def run_demo(folder, seed, quiet):
        asked.update(folder=folder, seed=seed, quiet=quiet)
        return {"forecast": ["N = 1e+06"], "elpd": np.float64("nan"), "weights": (np.float64(0.5), np.int64(1))}

    monkeypatch.setattr(demo, "run_demo", run_demo)
    code, out, _ = ask("demo", "--output", str(tmp_path), "--seed", "3", "--json")
    assert code == 0
    assert asked == {"folder": tmp_path, "seed": 3, "quiet": True}
    assert read_json(out) == {"forecast": ["N = 1e+06"], "elpd": None, "weights": [0.5, 1]}


# -- Bad input


POINT = ("--N", "1e9", "--D", "1e11")
BAD = {
    "unknown column": (("check", "runs.csv", "--column", "N=params"), "no column 'params'"),
    "column without a name": (("check", "runs.csv", "--column", "params"), "--column takes NAME=VALUE"),
    "unknown law": (("check", "runs.csv", "--law", "chinchila"), "Did you mean 'chinchilla'"),
    "unknown law to show": (("laws", "chinchila"), "no law 'chinchila'"),
    "missing table": (("check", "none.csv"), "no file none.csv"),
    "missing name": (("check", "none"), "no file and no data set 'none'"),
    "long name": (("check", "x" * 300), "no file and no data set"),
    "folder as table": (("check", "."), "folder"),
    "empty table": (("check", "empty.csv"), "empty"),
    "header only": (("fit", "header.csv"), "0 rows"),
    "one row": (("fit", "one_row.csv"), "1 run. A law needs at least two"),
    "NaN": (("fit", "nan.csv"), r"'D' .*row 4"),
    "negative": (("fit", "negative.csv"), r"'L' .*row 4.*-2\.2"),
    "text in numbers": (("fit", "words.csv"), r"'D' .*row 4.*'many'"),
    "HTML": (("fit", "page.csv"), "web page"),
    "duplicated header": (("fit", "twice.csv"), "More than one column is called 'N'"),
    "ragged": (("fit", "ragged.csv"), "cannot be read"),
    "open quote": (("fit", "quote.csv"), "cannot be read"),
    "no known column": (("fit", "strange.csv"), "none of the columns"),
    "no tokens": (("fit", "no_tokens.csv"), "no column 'D'"),
    "other file type": (("fit", "runs.docx"), "'.docx'"),
    "posterior as table": (("fit", "post.nc"), "'.nc'"),
    "prior without a value": (("fit", "runs.csv", "--prior", "E"), "--prior takes NAME=VALUE"),
    "prior as text": (("fit", "runs.csv", "--prior", "E=about two"), "Cannot read the prior"),
    "prior without numbers": (("fit", "runs.csv", "--prior", "E=LogNormal(a, b)"), "not a number"),
    "unknown prior": (("fit", "runs.csv", "--prior", "E=LogNormol(0, 1)"), "Unknown prior"),
    "prior out of range": (("fit", "runs.csv", "--prior", "E=Normal(0, 1)"), "'E' lies between 0"),
    "prior of a derived symbol": (("fit", "runs.csv", "--prior", "A=LogNormal(0, 1)"), "put the prior on 'A_ref'"),
    "prior of nothing": (("fit", "runs.csv", "--prior", "gamma=LogNormal(0, 1)"), "no prior 'gamma'"),
    "noise": (("fit", "runs.csv", "--noise", "gauss"), "student, student\\+size, normal"),
    "pool": (("fit", "runs.csv", "--pool", "modality"), "no column 'modality' to pool over"),
    "kind of pool": (("fit", "tiny_sweep", "--pool", "modality:some"), "partial, none or complete"),
    "pool over an input": (("fit", "runs.csv", "--pool", "N"), "cannot be pooled over 'N'"),
    "pool of no parameter": (("fit", "tiny_sweep", "--pool", "gamma=modality"), "'gamma'"),
    "two pools": (("fit", "tiny_sweep", "--pool", "modality", "--pool", "seed"), "one column"),
    "fill": (("fit", "runs.csv", "--fill", "C", "--fill", "E"), "fill='E'"),
    "few draws": (("fit", "runs.csv", "--draws", "0"), ""),
    "-o in a missing folder": (("fit", "runs.csv", "-o", "none/post.nc"), "no folder 'none'"),
    "-o is a folder": (("fit", "runs.csv", "-o", "."), "folder"),
    "N below zero": (("forecast", "post.nc", "--N", "-5", "--D", "1e9"), "N must be positive"),
    "N as text": (("forecast", "post.nc", "--N", "abc", "--D", "1e9"), "'abc' is not a number"),
    "N empty": (("forecast", "post.nc", "--N", "", "--D", "1e9"), "--N takes a number"),
    "N of two readings": (("forecast", "post.nc", "--N", "100,200", "--D", "1e9"), "one number or several"),
    "N twice": (("forecast", "post.nc", "--N", "1e9", "--at", "N=2e9", "--D", "1e9"), "given twice"),
    "N infinite": (("forecast", "post.nc", "--N", "inf", "--D", "1e9"), "'inf' is not a number"),
    "N too large": (("forecast", "post.nc", "--N", "1e999", "--D", "1e9"), "too large"),
    "nothing asked": (("forecast", "post.nc"), "given: nothing"),
    "half asked": (("forecast", "post.nc", "--N", "1e9"), "N, D; given: N"),
    "too much asked": (("forecast", "post.nc", *POINT, "--C", "1e21"), "given: N, D, C"),
    "unknown input": (("forecast", "post.nc", *POINT, "--at", "epochs=4"), "epochs"),
    "input called as an option": (("forecast", "post.nc", *POINT, "--at", "seed=4"), "seed"),
    "input called posterior": (("forecast", "post.nc", *POINT, "--at", "posterior=4"), "posterior"),
    "input called runs": (("forecast", "post.nc", *POINT, "--at", "runs=4"), "runs"),
    "input without a value": (("forecast", "post.nc", *POINT, "--at", "epochs"), "--at takes NAME=VALUE"),
    "unknown group": (("forecast", "grouped.nc", *POINT, "--group", "poetry"), "no group 'poetry'.*'new'"),
    "group of no groups": (("forecast", "post.nc", *POINT, "--group", "text"), "without pool="),
    "no budget": (("allocate", "post.nc"), "neither was given"),
    "a budget and a loss": (("allocate", "post.nc", "--C", "1e24", "--L", "2"), "both were given"),
    "a budget as text": (("allocate", "post.nc", "--C", "much"), "'much' is not a number"),
    "a budget that buys nothing": (("allocate", "post.nc", "--C", "3"), "does not buy the smallest run"),
    "a budget twice": (("allocate", "post.nc", "--C", "1e24", "--at", "C=1e22"), "given twice"),
    "an unknown cost": (("allocate", "post.nc", "--C", "1e24", "--cost", "time"), "no cost 'time'. Costs: six_nd"),
    "a cost half told": (("allocate", "post.nc", "--C", "1e24", "--cost", "with_inference"), "D_inference are free"),
    "an option as an input": (("allocate", "post.nc", "--C", "1e24", "--at", "seed=4"), "the option --seed"),
    "no input of law or cost": (("allocate", "post.nc", "--C", "1e24", "--at", "epochs=4"), "'epochs' is no input"),
    "a limit of nothing": (("allocate", "post.nc", "--C", "1e24", "--max", "K=4"), "at_most limits 'K'"),
    "limits of a run": (("allocate", "post.nc", *POINT, "--max", "N=1e9"), "limit what shares a budget"),
    "regret as text": (("allocate", "post.nc", "--C", "1e24", "--regret", "little"), "'little' is not a number"),
    "all of the budget to regret": (("allocate", "post.nc", "--C", "1e24", "--regret", "100%"), "below 100 %"),
    "missing posterior": (("show", "none.nc"), "no file 'none.nc'"),
    "folder as posterior": (("show", "."), "no file '.'"),
    "cut posterior": (("forecast", "cut.nc", *POINT), "damaged, cut short"),
    "text as posterior": (("show", "text.nc"), "damaged, cut short, or no NetCDF file"),
    "table as posterior": (("show", "runs.csv"), "no NetCDF file"),
    "other NetCDF": (("show", "other.nc"), "not a posterior"),
    "tampered posterior": (("forecast", "tampered.nc", *POINT), "its runs are not those"),
    "one law to compare": (("compare", "runs.csv", "--law", "kaplan"), "two laws"),
    "one law twice": (("compare", "runs.csv", "--law", "kaplan", "--law", "kaplan"), "two laws"),
    "one posterior": (("compare", "post.nc"), "two saved posteriors"),
    "one posterior twice": (("compare", "post.nc", "post.nc"), "two"),
    "table and posterior": (("compare", "runs.csv", "post.nc"), "runs.csv"),
    "two tables": (("compare", "runs.csv", "tiny_sweep", "--law", "kaplan", "--law", "chinchilla"), "one table"),
    "posteriors of other runs": (("compare", "kaplan.nc", "fewer.nc"), "not fitted to the same runs"),
    "unknown criterion": (("compare", "kaplan.nc", "chinchilla.nc", "--by", "aic"), "waic, loo, largest"),
    "unknown criterion of a table": (
        ("compare", "runs.csv", "--law", "kaplan", "--law", "chinchilla", "--by", "aic"),
        "waic, loo, largest",
    ),
    "unknown unit": (("compare", "kaplan.nc", "chinchilla.nc", "--unit", "curve"), "'curve'"),
    "unknown unit of a table": (
        ("compare", "runs.csv", "--law", "kaplan", "--law", "chinchilla", "--unit", "curve"),
        "'curve'",
    ),
    "one law to stack": (("stack", "kaplan.nc"), "at least two"),
    "unknown criterion of a stack": (("stack", "kaplan.nc", "chinchilla.nc", "--by", "aic"), "waic, loo, largest"),
    "stack of other runs": (("stack", "kaplan.nc", "fewer.nc"), "not fitted to the same runs"),
    "stack of a stack": (("stack", "kaplan.nc", "stack.nc"), "is a stack of posteriors"),
    "stack over a member": (("stack", "kaplan.nc", "chinchilla.nc", "-o", "kaplan.nc"), "is what is read"),
    "stack into a folder": (("stack", "kaplan.nc", "chinchilla.nc", "-o", "."), "folder"),
    "threshold without a level": (("threshold", "post.nc"), "Say which level"),
    "threshold of another response": (("threshold", "post.nc", "--accuracy", "0.5"), "Say which level of loss"),
    "threshold given twice": (("threshold", "post.nc", "--L", "2", "--level", "L=3"), "L is given twice"),
    "threshold of words": (("threshold", "post.nc", "--L", "two"), "not a number"),
    "sharpness of a loss": (("sharpness", "post.nc"), "has no start"),
    "breaks of none": (("breaks", "post.nc"), "has no breaks"),
    "chain of no link": (("threshold", "post.nc", "--then", "kaplan.nc", "--accuracy", "0.5"), "predicts L"),
    "stack of too much": (("forecast", "stack.nc", *POINT, "--C", "1e21"), "C is no input of any law"),
    "stack of another input": (("forecast", "stack.nc", *POINT, "--at", "seed=4"), "the stack is asked at N, D"),
    "group of a stack of no groups": (("forecast", "stack.nc", *POINT, "--group", "text"), "without pool="),
    "stack to compare": (("compare", "kaplan.nc", "stack.nc"), "is a stack of posteriors"),
    "unknown data set": (("data", "tiny_sweeep"), "Did you mean tiny_sweep"),
    "unknown data set to export": (("data", "tiny_sweeep", "-o", "out.csv"), "Did you mean tiny_sweep"),
    "export to a missing folder": (("data", "tiny_sweep", "-o", "none/out.csv"), "no folder 'none'"),
    "export to a folder": (("data", "tiny_sweep", "-o", "."), "folder"),
    "a rising curve": (("extrapolate", "rising.csv"), "'L' must fall along 'D'"),
    "no column of curves": (("extrapolate", "runs.csv", "--curve", "name"), "'name'"),
    "curves mixed up": (("extrapolate", "runs.csv"), "share theirs with others"),
    "no such curve": ((*CURVES, "--group", "c"), "no curve 'c'"),
    "back in time": ((*CURVES, "--times", "0.5"), "1 .the last point. or more"),
    "beyond floats": ((*CURVES, "--times", "1e300"), "farther than can be computed; ask below 1e.250"),
    "export of nothing": (("data", "-o", "out.csv"), "Name the data set"),
    "figures in a file": (("demo", "--output", "runs.csv"), "Cannot make the folder"),
}
NEEDS_THE_REAL_FIT = {"few draws"}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_ends_in_one_sentence(ask, monkeypatch, case, folder):
    words, message = BAD[case]
    if case in NEEDS_THE_REAL_FIT:
        monkeypatch.undo()
        monkeypatch.chdir(folder)
    before = sorted(os.listdir(folder))
    code, out, err = ask(*words)
    assert (code, out) == (2, "")
    lines = [line for line in err.splitlines() if not line.startswith("Warning: ")]
    assert len(lines) == 1, err
    assert lines[0].startswith("bayescale: ")
    assert re.search(message, lines[0]), lines[0]
    assert sorted(os.listdir(folder)) == before


@pytest.mark.parametrize(
    "words",
    [
        ("fit",),
        ("fit", "runs.csv", "--draws", "many"),
        ("fit", "runs.csv", "--sed", "1"),
        ("guess",),
        ("fit", "a", "b"),
    ],
    ids=" ".join,
)
def test_words_that_are_no_command_end_with_code_2(ask, words):
    code, out, err = ask(*words)
    assert (code, out) == (2, "")
    assert "Error: " in err
    assert "Traceback" not in err


def test_a_process_ends_with_code_2_and_no_traceback(folder):
    ended = subprocess.run(
        [sys.executable, "-c", "from bayescale.cli import main; main()", "show", "cut.nc"],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("bayescale: 'cut.nc' cannot be read")
    assert len(ended.stderr.splitlines()) == 1


# -- When a fit fails


def prior_fit(model, *, seed=None, **settings):
    return bs.sample_prior(model, draws=50, seed=seed or 0)


def test_a_full_disk_leaves_the_old_file_and_no_other(ask, monkeypatch, tmp_path):
    def break_off(self, content):
        with open(self, "wb") as file:
            file.write(b"half")
        raise OSError(28, "No space left on device")

    (tmp_path / "post.nc").write_bytes(b"old")
    monkeypatch.setattr(inference, "fit", prior_fit)
    monkeypatch.setattr(Path, "write_bytes", break_off)
    code, out, err = ask("fit", "runs.csv", "-o", str(tmp_path / "post.nc"))
    assert (code, out) == (2, "")
    assert "No space left on device" in err
    assert len(err.splitlines()) == 1
    assert os.listdir(tmp_path) == ["post.nc"]
    assert (tmp_path / "post.nc").read_bytes() == b"old"


def test_interrupted_fits_write_nothing_and_say_so(ask, monkeypatch, tmp_path):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(inference, "fit", interrupt)
    code, out, err = ask("fit", "runs.csv", "-o", str(tmp_path / "post.nc"))
    assert (code, out) == (130, "")
    assert err.strip().startswith("bayescale: interrupted")
    assert len(err.splitlines()) == 1
    assert os.listdir(tmp_path) == []


# -- The main job, with the sampler


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """Fit a small table with its own column names, in a process of its own."""
    folder = tmp_path_factory.mktemp("fit")
    rng = np.random.default_rng(5)
    N, D = 10 ** rng.uniform(6, 9, 30), 10 ** rng.uniform(8, 11, 30)
    loss = 1.7 + (N / 2e6) ** -0.35 + (D / 1e9) ** -0.4
    table = {"n_params": N, "tokens": D, "val_loss": loss * np.exp(0.005 * rng.standard_normal(30)), "remark": None}
    pd.DataFrame(table).to_csv(folder / "sweep.csv", index=False)
    columns = ("--column", "N=n_params", "--column", "D=tokens", "--column", "L=val_loss")
    settings = ("--noise", "normal", "--seed", "1", "--draws", "100", "--tune", "200")
    code = "from bayescale.cli import main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", code, "fit", "sweep.csv", *columns, *settings, "-o", "post.nc", "--json"],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )
    return folder, ended


def test_a_table_is_fitted_and_the_posterior_kept(fitted):
    folder, ended = fitted
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    answer = read_json(ended.stdout)
    assert answer["output"] == "post.nc"
    assert answer["seed"] == 1
    assert answer["check"]
    assert sorted(os.listdir(folder)) == ["post.nc", "sweep.csv"]
    kept = open_posterior(folder / "post.nc")
    assert kept.converged == answer["converged"]
    assert len(kept.model.runs) == 30


def test_the_kept_posterior_is_shown_and_asked(fitted, ask):
    folder, _ = fitted
    code, out, _ = ask("show", str(folder / "post.nc"))
    assert code == 0
    assert "chinchilla" in out
    answer = read_json(ask("forecast", str(folder / "post.nc"), "--N", "1e8", "--D", "1e10", "--json")[1])
    (point,) = answer["forecast"]
    # Inside the runs the law is known to a fraction of a noise of 0.5 %.
    assert point["L median"] == pytest.approx(1.7 + 50**-0.35 + 10**-0.4, rel=0.01)
    assert point["L lower"] < point["L median"] < point["L upper"]


# -- What a command costs to start


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("laws",),
        ("data", "tiny_sweep"),
        ("show", "post.nc"),
        ("show", "stack.nc"),
        ("forecast", "grouped.nc", "--N", "1e6", "--D", "1e7", "--group", "new"),
        ("forecast", "stack.nc", "--N", "1e6", "--D", "1e7"),
        ("threshold", "post.nc", "--L", "2.0"),
        ("allocate", "stack.nc", "--C", "1e20"),
    ],
    ids=lambda words: words[0],
)
def test_a_command_without_a_fit_loads_no_sampler(folder, words):
    program = (
        "import sys\nfrom bayescale.cli import main\n"
        "try:\n    main()\n"
        "finally:\n    print('LOADED', *{n.partition('.')[0] for n in sys.modules}, file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, cwd=folder, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout
    loaded = set(ended.stderr.partition("LOADED")[2].split())
    assert "typer" in loaded
    assert loaded & HEAVY == set()


# -- What runs can tell, and what they have told


def test_check_says_what_the_runs_can_tell(ask):
    code, out, _ = ask("check", "runs.csv")
    assert code == 0
    assert "What these runs can tell" in out
    assert "These runs can tell every parameter of the law." in out
    answer = read_json(ask("check", "runs.csv", "--json")[1])
    assert {row["parameter"] for row in answer["identification"]} == {"E", "A_ref", "B_ref", "alpha", "beta"}
    assert answer["parts"][0]["told"] == 5
    assert answer["sentences"][0] in out


def test_check_takes_priors_and_noise_as_fit_does(ask):
    code, out, _ = ask("check", "runs.csv", "--prior", "alpha=LogNormal(-1, 0.001)", "--noise", "normal", "--json")
    assert code == 0
    rows = {row["parameter"]: row for row in read_json(out)["identification"]}
    assert rows["alpha"]["contraction"] == pytest.approx(0, abs=0.01)
    assert rows["alpha"]["verdict"] == "leans on the prior"


def test_check_of_a_fit(ask):
    code, out, _ = ask("check", "chinchilla.nc")
    assert code == 0
    assert "Mostly prior, not runs: " in out
    assert "bayescale design chinchilla.nc --about " in out
    answer = read_json(ask("check", "chinchilla.nc", "--json")[1])["chinchilla"]
    assert {row["verdict"] for row in answer["parameters"]} >= {"mostly prior"}
    assert len(answer["sentences"]) == len(set(answer["sentences"]))


def test_check_of_a_stack_has_a_part_for_each_law(ask):
    assert set(read_json(ask("check", "stack.nc", "--json")[1])) == {"kaplan", "chinchilla"}


def test_check_of_a_fit_takes_no_other_model(ask):
    code, _, err = ask("check", "post.nc", "--noise", "normal")
    assert code == 2
    assert "'post.nc' is a fit" in err


# -- Backtest


@pytest.fixture
def short_backtest(monkeypatch, certain):
    """Fits of Chinchilla's and Kaplan's law that need no sampler."""
    from bayescale.answers import backtest, comparison

    def fit(model, **settings):
        values = {"A_ref": 0.8, "B_ref": 0.6, "alpha": 0.34, "beta": 0.28}
        if model.law.name == "kaplan_offset":
            values = {"L_N": 0.8, "L_D": 0.6, "alpha_N": 0.34, "alpha_D": 0.28}
        values |= {"E": 1.69, "sigma": 0.02, "nu": 8.0}
        if model.discrepancy:
            values |= {"tau": 0.01, "weights": np.zeros(len(model.discrepancy.terms))}
        return certain(model, {**values, **settings.get("values", {})})

    for place in (backtest, comparison):
        monkeypatch.setattr(place, "fit", fit)


@pytest.mark.usefixtures("short_backtest")
def test_backtest_prints_scores_and_how_far_one_sees(ask, tmp_path):
    code, out, err = ask("backtest", "runs.csv", "--figure", str(tmp_path / "truth.png"), "--draws", "50")
    assert code == 0, err
    assert out.startswith("Stack of chinchilla, kaplan_offset, chinchilla with a departure")
    assert re.search(r"^least squares +\S", out, re.MULTILINE)
    assert "times the compute" in out
    assert (tmp_path / "truth.png").stat().st_size > 10_000


@pytest.mark.usefixtures("short_backtest")
def test_backtest_as_json(ask):
    code, out, _ = ask("backtest", "runs.csv", "--law", "chinchilla", "--cut", "6e18", "--draws", "50", "--json")
    found = read_json(out)
    assert code == 0
    assert found["table"][0]["forecaster"] == "chinchilla"
    assert found["table"][-1]["cover90"] is None
    assert found["attrs"]["runs"] == 25


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--cut", "many"), "is not a number"),
        (("--cut", "1e40"), "No run is held out"),
        (("--train", "nothing"), "no column 'nothing'"),
        (("--law", "chinchila"), "Did you mean 'chinchilla'"),
        (("--points", "3", "--law", "chinchilla"), "where there are groups"),
        (("--figure", "nowhere/truth.png"), "no folder"),
    ],
)
def test_backtest_refuses_before_a_fit(ask, words, said):
    code, out, err = ask("backtest", "runs.csv", *words)
    assert (code, out) == (2, "")
    assert said in err
