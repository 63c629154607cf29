"""Exports of experiment trackers are read as tables of runs, whichever form they come in."""

import json
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayescale import inference
from bayescale.errors import BayescaleWarning, InputError
from bayescale.posterior import open_posterior
from bayescale.runs import read_runs
from bayescale.simulation import sample_prior

N = [10_000_000, 10_000_000, 30_000_000, 30_000_000, 100_000_000, 100_000_000]
D = [2e8, 8e8, 6e8, 2e9, 2e9, 8e9]
L = [5.331, 4.676, 4.287, 3.967, 3.486, 3.193]
STATES = ["finished", "finished", "finished", "finished", "finished", "crashed"]


def write(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1), encoding="utf-8")
    return path


def assert_has_the_runs(runs, n=6):
    assert runs["N"].tolist() == N[:n]
    assert runs["D"].tolist() == D[:n]
    assert runs["L"].tolist() == L[:n]
    np.testing.assert_allclose(runs["C"], 6 * np.array(N[:n]) * np.array(D[:n]))


# -- Weights & Biases


def wandb_csv(losses=L):
    """The runs table as its page exports it: chosen columns, all in quotes, state in lower case."""
    lines = ['"Name","State","Notes","User","Tags","Created","Runtime","Sweep","model.n_params","tokens","val/loss"']
    lines += [
        f'"run-{i}","{STATES[i]}","-","ada","sweep","2026-11-01T10:00:00.000Z","{i}","","{n}","{d:g}","{loss}"'
        for i, (n, d, loss) in enumerate(zip(N, D, losses, strict=True))
    ]
    return "\n".join(lines)


WANDB_CSV: Any = {"N": "model.n_params", "D": "tokens", "L": "val/loss"}


def wandb_records(config=lambda n, d: {"model": {"n_params": n}, "tokens": d}, summary="summary", losses=L):
    return [
        {
            "name": f"run-{i}",
            "state": STATES[i],
            "config": config(n, d),
            summary: {"val/loss": loss, "_step": 100, "grads": {"_type": "histogram", "bins": [0, 1]}},
        }
        for i, (n, d, loss) in enumerate(zip(N, D, losses, strict=True))
    ]


WANDB: Any = {"N": "config.model.n_params", "D": "config.tokens", "L": "summary.val/loss"}


def test_a_wandb_csv_warns_of_the_run_that_crashed_and_keeps_it(tmp_path):
    with pytest.warns(BayescaleWarning, match=r"1 of 6 runs has not finished: run-5 \(crashed\) \(row 6; .*'drop'"):
        runs = read_runs(write(tmp_path / "wandb.csv", wandb_csv()), **WANDB_CSV)
    assert_has_the_runs(runs)


def test_unfinished_runs_are_left_out_or_kept_without_a_word_where_the_user_says_so(tmp_path):
    path = write(tmp_path / "wandb.csv", wandb_csv([*L[:5], "NaN"]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        runs = read_runs(path, unfinished="drop", **WANDB_CSV)
        assert_has_the_runs(runs, 5)
        assert_has_the_runs(read_runs(write(tmp_path / "all.csv", wandb_csv()), unfinished="keep", **WANDB_CSV))
    assert any("run-5 (crashed)" in note for note in runs.attrs["notes"])


@pytest.mark.parametrize("cell", ["NaN", "Infinity", ""])
def test_a_diverged_loss_is_refused_after_the_run_was_named(tmp_path, cell):
    path = write(tmp_path / "wandb.csv", wandb_csv([*L[:5], cell]))
    with pytest.warns(BayescaleWarning, match="run-5"), pytest.raises(InputError, match=r"1 of 6 rows is not \(row 6"):
        read_runs(path, **WANDB_CSV)


@pytest.mark.parametrize(
    ("records", "columns"),
    [
        (wandb_records(), WANDB),
        (wandb_records(summary="summaryMetrics"), WANDB | {"L": "summaryMetrics.val/loss"}),
        # The raw form keeps a description with each value; a sweep's summary may come as JSON in JSON.
        (
            wandb_records(lambda n, d: {"n_params": {"value": n, "desc": None}, "tokens": {"value": d, "desc": ""}}),
            WANDB | {"N": "config.n_params"},
        ),
        ([r | {k: json.dumps(r[k]) for k in ("config", "summary")} for r in wandb_records()], WANDB),
    ],
    ids=["summary", "summaryMetrics", "raw config", "JSON in JSON"],
)
@pytest.mark.parametrize("form", ["json", "jsonl", "frame", "csv"])
@pytest.mark.filterwarnings("ignore:1 of 6 runs has not finished:bayescale.BayescaleWarning")
def test_wandb_records_in_any_form(tmp_path, records, columns, form):
    source = {
        "json": lambda: write(tmp_path / "wandb.json", records),
        "jsonl": lambda: write(tmp_path / "wandb.jsonl", "\n".join(map(json.dumps, records))),
        "frame": lambda: pd.DataFrame(records),
        # As Weights & Biases' own guide has it: pd.DataFrame(...).to_csv("project.csv"), records as Python writes them.
        "csv": lambda: write(tmp_path / "project.csv", pd.DataFrame(records).to_csv()),
    }[form]()
    assert_has_the_runs(read_runs(source, **columns))


def test_numbers_that_are_none_are_read_in_records_written_by_python(tmp_path):
    records = wandb_records(losses=[*L[:4], float("inf"), float("nan")])
    path = write(tmp_path / "project.csv", pd.DataFrame(records).to_csv())
    with pytest.warns(BayescaleWarning, match="run-5"), pytest.raises(InputError, match=r"2 of 6 rows .*first inf"):
        read_runs(path, **WANDB)


def test_a_run_without_a_key_lacks_it_alone(tmp_path):
    records = [*wandb_records()[:5], {"name": "empty", "state": "failed", "config": {}, "summary": None}]
    runs = read_runs(write(tmp_path / "wandb.json", records), unfinished="drop", **WANDB)
    assert_has_the_runs(runs, 5)


def test_two_fields_of_one_name_are_refused(tmp_path):
    path = write(tmp_path / "wandb.json", [{"config": {"a.b": 1, "a": {"b": 2}}, "L": 3.0}])
    with pytest.raises(InputError, match=r"Two fields of one record come to be called 'config\.a\.b'"):
        read_runs(path)


def test_the_names_in_an_export_are_suggested(tmp_path):
    with pytest.raises(InputError, match=r"perhaps read_runs\(\.\.\., N='config\.n_params', .*L='summary\.val/loss'\)"):
        read_runs(write(tmp_path / "w.json", wandb_records(lambda n, d: {"n_params": n})), unfinished="keep")


def test_a_column_is_no_state_unless_all_of_it_is():
    table = pd.DataFrame({"N": N, "D": D, "L": L, "state": ["running", "Ohio", "Iowa", "Utah", "Ohio", "Iowa"]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(read_runs(table)) == 6


def test_a_run_of_unknown_state_is_not_taken_as_finished():
    with pytest.warns(BayescaleWarning, match=r"1 of 6 runs has not finished: unknown \(row 2"):
        read_runs(pd.DataFrame({"N": N, "D": D, "L": L, "state": ["finished", None, *["finished"] * 4]}))
    with pytest.raises(InputError, match="None would be left"):
        read_runs(pd.DataFrame({"N": N, "D": D, "L": L, "state": ["failed"] * 6}), unfinished="drop")
    with pytest.raises(InputError, match="unfinished='skip' is unknown"):
        read_runs(pd.DataFrame({"N": N, "L": L}), unfinished="skip")  # pyright: ignore[reportArgumentType]


# -- MLflow: shapes as mlflow-skinny 3.17 writes them


def mlflow_search():
    """What ``mlflow.search_runs()`` returns: parameters are text, whatever was logged."""
    return pd.DataFrame(
        {
            "run_id": [f"{i:032x}" for i in range(6)],
            "experiment_id": "1",
            "status": [state.replace("crashed", "killed").upper() for state in STATES],
            "start_time": pd.Timestamp("2026-11-25T11:15:04.945Z"),
            "end_time": pd.NaT,
            "metrics.val_loss": L,
            "params.n_params": list(map(str, N)),
            "params.tokens": [f"{d:g}" for d in D],
            "params.model": "{'width': 64}",
            "tags.mlflow.runName": [f"run-{i}" for i in range(6)],
        }
    )


def mlflow_rest(**more):
    """The answer of ``runs/search``: metrics and parameters as lists of keys and values."""
    runs = [
        {
            "info": {
                "run_id": f"{i:032x}",
                "run_name": f"run-{i}",
                "status": row["status"],
                "start_time": 1795605304945,
            },
            "data": {
                "metrics": [{"key": "val_loss", "value": row["metrics.val_loss"], "timestamp": 2, "step": 2}],
                "params": [{"key": k, "value": row[f"params.{k}"]} for k in ("n_params", "tokens")],
                "tags": [{"key": "mlflow.runName", "value": f"run-{i}"}],
            },
            "inputs": {},
        }
        for i, row in enumerate(mlflow_search().to_dict("records"))
    ]
    return {"runs": runs, **more}


MLFLOW: Any = {"N": "params.n_params", "D": "params.tokens", "L": "metrics.val_loss"}


@pytest.mark.parametrize("form", ["frame", "csv", "rest", "dictionaries"])
def test_mlflow_in_any_form(tmp_path, form):
    plain = [
        {"info": run["info"], "data": {part: {e["key"]: e["value"] for e in run["data"][part]} for part in run["data"]}}
        for run in mlflow_rest()["runs"]
    ]
    source = {
        "frame": mlflow_search,
        "csv": lambda: write(tmp_path / "runs.csv", mlflow_search().to_csv()),
        "rest": lambda: write(tmp_path / "runs.json", mlflow_rest()),
        "dictionaries": lambda: write(tmp_path / "runs.json", plain),  # [run.to_dictionary() for run in ...]
    }[form]()
    with pytest.warns(BayescaleWarning, match=r"1 of 6 runs has not finished: run-5 \(killed\)"):
        runs = read_runs(source, **MLFLOW)
    assert_has_the_runs(runs)
    assert_has_the_runs(read_runs(source, unfinished="drop", **MLFLOW), 5)


def test_of_a_metrics_values_the_last_step_counts(tmp_path):
    answer = mlflow_rest()
    first = answer["runs"][0]["data"]["metrics"]
    first.append({"key": "val_loss", "value": 9.0, "timestamp": 3, "step": 1})
    runs = read_runs(write(tmp_path / "runs.json", answer), unfinished="keep", **MLFLOW)
    assert_has_the_runs(runs)


def test_a_page_of_several_is_said_to_be_one(tmp_path):
    path = write(tmp_path / "runs.json", mlflow_rest(next_page_token="CAESAgg="))
    with pytest.warns(BayescaleWarning, match="one page of 6 runs, and there are more"):
        runs = read_runs(path, unfinished="keep", **MLFLOW)
    assert list(runs.attrs) == ["notes"]


# -- Hugging Face's Trainer


def trainer_state(tokens=True, evaluated=True):
    """Training loss every 100 steps, evaluation every 200, then a summary; 2048 tokens a step."""
    history = []
    for step in range(100, 801, 100):
        seen = {"num_input_tokens_seen": 2048 * step} if tokens else {}
        history.append({"epoch": step / 800, "grad_norm": 1.0, "loss": 9 - step / 200, "step": step} | seen)
        if evaluated and step % 200 == 0:
            history.append({"epoch": step / 800, "eval_loss": 9 - step / 250, "eval_runtime": 0.6, "step": step} | seen)
    history.append({"epoch": 1.0, "step": 800, "total_flos": 5.9e14, "train_loss": 6.75, "train_runtime": 80.3})
    history.append({"epoch": 1.0, "predict_loss": 6.0})  # trainer.predict logs without a step
    return {"epoch": 1.0, "global_step": 800, "log_history": history, "num_input_tokens_seen": 0, "total_flos": 5.9e14}


def test_a_trainer_state_is_a_curve_of_evaluations(tmp_path):
    path = write(tmp_path / "trainer_state.json", trainer_state())
    with pytest.warns(BayescaleWarning, match="checkpoints of one run"):
        runs = read_runs(path, N="10M")
    assert runs["D"].tolist() == [2048 * step for step in (200, 400, 600, 800)]
    assert runs["L"].tolist() == [9 - step / 250 for step in (200, 400, 600, 800)]
    assert runs["N"].tolist() == [1e7] * 4
    assert runs["loss"].tolist() == [8, 7, 6, 5]
    assert any("4 steps of the log left out" in note for note in runs.attrs["notes"])
    assert list(runs.attrs) == ["notes"]


@pytest.mark.filterwarnings("ignore:Rows are checkpoints of one run:bayescale.BayescaleWarning")
def test_a_trainer_state_asks_for_what_it_does_not_say(tmp_path):
    silent = write(tmp_path / "silent.json", trainer_state(tokens=False))
    with pytest.raises(InputError, match=r"does not say how many tokens .* D='step\*524288'"):
        read_runs(silent)
    assert read_runs(silent, D="step*2048")["D"].tolist() == [2048 * step for step in (200, 400, 600, 800)]
    unevaluated = write(tmp_path / "unevaluated.json", trainer_state(evaluated=False))
    with pytest.raises(InputError, match=r"no 'eval_loss'\. Pass L='loss'"):
        read_runs(unevaluated)
    assert len(read_runs(unevaluated, L="loss")) == 8
    with pytest.raises(InputError, match="log_history is empty"):
        read_runs(write(tmp_path / "empty.json", {"log_history": []}))


@pytest.mark.filterwarnings("ignore:Rows are checkpoints of one run:bayescale.BayescaleWarning")
def test_an_evaluation_before_training_is_left_out_and_one_that_diverged_is_refused(tmp_path):
    state = trainer_state()
    state["log_history"].insert(0, {"eval_loss": 11.0, "num_input_tokens_seen": 0, "step": 0})
    assert len(read_runs(write(tmp_path / "state.json", state))) == 4
    state["log_history"].append({"eval_loss": float("nan"), "num_input_tokens_seen": 2048 * 900, "step": 900})
    with pytest.raises(InputError, match=r"'L' .* 1 of 5 rows is not \(row 5; .*missing"):
        read_runs(write(tmp_path / "state.json", state))


# -- Products of columns


def test_a_product_of_columns_and_numbers_stands_for_a_column():
    table = pd.DataFrame({"millions": [10, 20], "steps": ["1k", "2k"], "batch": [8, 8], "L": [3.0, 2.5]})
    runs = read_runs(table, N="millions*1e6", D="steps * batch * 2048")
    assert runs["N"].tolist() == [1e7, 2e7]
    assert runs["D"].tolist() == [1000 * 8 * 2048, 2000 * 8 * 2048]
    assert "Column 'millions*1e6' is read as 'N'." in runs.attrs["notes"]


def test_a_column_of_that_name_comes_before_a_product_or_a_number():
    table = pd.DataFrame({"7B": [1e7, 2e7], "a*b": [1e9, 2e9], "a": 1.0, "b": 1.0, "L": [3.0, 2.5]})
    runs = read_runs(table, N="7B", D="a*b")
    assert (runs["N"].tolist(), runs["D"].tolist()) == ([1e7, 2e7], [1e9, 2e9])


@pytest.mark.parametrize(
    ("D", "words"),
    [
        ("steps*tokens_per_step", "no column 'tokens_per_step'"),
        ("stepz*2048", "no column 'stepz'.* Did you mean 'steps'"),
        ("name*2048", r"D='name\*2048' needs numbers in column 'name'; 2 of 2 rows are not .*first 'a'"),
        ("steps*-1", "must be positive"),
    ],
)
def test_a_product_that_cannot_be_is_refused(D, words):
    table = pd.DataFrame({"N": [1e7, 2e7], "steps": [100, 200], "name": ["a", "b"], "L": [3.0, 2.5]})
    with pytest.raises(InputError, match=words):
        read_runs(table, D=D)


# -- On the command line


@pytest.fixture
def ask(monkeypatch, run_command):
    """Run a command line in this process, draws from the prior in place of a fit; exit code, output and errors."""
    monkeypatch.setattr(inference, "fit", lambda model, **_: sample_prior(model, draws=100))

    return run_command


def options(columns):
    return [word for name, own in columns.items() for word in ("--column", f"{name}={own}")]


def test_the_command_line_fits_an_export(ask, tmp_path):
    path = str(write(tmp_path / "wandb.csv", wandb_csv([*L[:5], "NaN"])))
    code, _, err = ask("fit", path, *options(WANDB_CSV))
    assert code == 2
    assert "run-5 (crashed)" in err
    assert "--unfinished drop" in err
    assert "row 6" in err
    kept = str(tmp_path / "post.nc")
    assert ask("fit", path, *options(WANDB_CSV), "--unfinished", "drop", "-o", kept)[0] == 0
    assert_has_the_runs(open_posterior(kept).model.runs, 5)
    assert ask("check", kept, "--unfinished", "drop")[0] == 2


@pytest.mark.parametrize("command", ["check", "backtest", "compare", "update"])
def test_every_command_that_reads_runs_can_leave_unfinished_ones_out(ask, tmp_path, command):
    """An unknown choice is refused by the reader, so it was asked."""
    path = str(write(tmp_path / "wandb.csv", wandb_csv()))
    post = str(tmp_path / "post.nc")
    if command == "update":
        assert ask("fit", path, *options(WANDB_CSV), "--unfinished", "drop", "-o", post)[0] == 0
    words = {"update": [post, path], "compare": [path, "--law", "kaplan", "--law", "chinchilla"]}.get(command, [path])
    code, _, err = ask(command, *words, *options(WANDB_CSV), "--unfinished", "perhaps")
    assert (code, err) == (2, "bayescale: unfinished='perhaps' is unknown. Choose one of 'warn', 'keep', 'drop'.\n")


def test_the_command_line_checks_a_trainer_state(ask, tmp_path):
    path = str(write(tmp_path / "trainer_state.json", trainer_state(tokens=False)))
    code, out, err = ask("check", path, "--law", "saturating:D", "--column", "D=step*2048", "--json")
    assert code == 0
    assert "checkpoints of one run" in err
    assert json.loads(out)["runs"][0]["D_max"] == 2048 * 800
