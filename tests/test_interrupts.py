"""Ctrl-C: what was drawn is kept and marked, work of several fits stops, no file is left half written."""

import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale import inference

# The command line in a process that sends itself Ctrl-C: a second into sampling, or on reaching a function.
PROGRAM = """
import os, signal, threading, time
import bayescale.cli
from bayescale import inference

def press(*_, **__):
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)

class Pressed:
    def __init__(self, real):
        self.real, self.abort = real, real.abort
    def wait(self):
        threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
        return self.real.wait()

def press_in_sampling():
    nutpie = inference._nutpie()
    class Module:
        @staticmethod
        def sample(*args, **kwargs):
            return Pressed(nutpie.sample(*args, **kwargs))
    inference._nutpie = lambda: Module

{patch}
bayescale.cli.main()
"""
IN_SAMPLING = "press_in_sampling()"


def command(patch, *words, cwd):
    program = PROGRAM.format(patch=patch)
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-c", program, *words]
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, env=env, timeout=500, check=False)


@pytest.fixture
def folder(tmp_path):
    x = np.geomspace(1e6, 1e9, 30)
    noise = np.exp(0.02 * np.random.default_rng(5).standard_normal(30))
    pd.DataFrame({"D": x, "L": 3.0 * (x / 3e7) ** -0.1 * noise}).to_csv(tmp_path / "runs.csv", index=False)
    return tmp_path


@pytest.mark.slow
def test_a_fit_keeps_its_draws_marked_and_not_in_the_place_of_a_finished_one(folder):
    words = ("fit", "runs.csv", "--law", "power:D", "--seed", "1", "--draws", "200000", "-o", "post.nc")
    done = command(IN_SAMPLING, *words, cwd=folder)
    assert done.returncode == 130, done.stderr
    assert "interrupted" in done.stderr
    assert "Traceback" not in done.stderr
    assert "NOT CONVERGED" in done.stdout
    partial = bs.open_posterior(folder / "post.nc")
    assert partial.diagnostics.interrupted
    assert 10 <= partial.dataset.sizes["draw"] < 200_000
    before = (folder / "post.nc").read_bytes()
    again = command(IN_SAMPLING, *words, "--json", cwd=folder)
    assert again.returncode == 130
    assert '"converged": false' in again.stdout
    assert (folder / "post.nc").read_bytes() == before
    assert bs.open_posterior(folder / "post.interrupted.nc").diagnostics.interrupted
    assert sorted(os.listdir(folder)) == ["post.interrupted.nc", "post.nc", "runs.csv"]


ANALYSIS = '''"""A line."""
import bayescale as bs
model = bs.Model("power:D", bs.read_runs(r"{runs}"), noise="normal")
sampling = {{"draws": 200000}}
def claims(posterior):
    yield bs.Claim("slope", 0.1, posterior.dataset["alpha"], "here")
'''


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("reproduce", "models"),
        ("backtest", "runs.csv", "--law", "power:D", "--law", "saturating:D", "--draws", "200000", "--figure", "b.png"),
    ],
    ids=lambda words: words[0],
)
def test_work_of_several_fits_stops_at_once_and_writes_nothing(folder, words):
    (folder / "models").mkdir()
    for name in ("first.py", "second.py"):
        (folder / "models" / name).write_text(ANALYSIS.format(runs=folder / "runs.csv"))
    done = command(IN_SAMPLING, *words, cwd=folder)
    assert (done.returncode, done.stdout) == (130, ""), done.stderr
    assert done.stderr.endswith("bayescale: interrupted; no file was left half written.\n")
    assert "Traceback" not in done.stderr
    assert sorted(os.listdir(folder)) == ["models", "runs.csv"]


# -- Without the sampler


def press(*_, **__):
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.slow
def test_a_report_interrupted_while_it_is_written_leaves_the_old_page(
    run_command, monkeypatch, tmp_path, scattered_posterior
):
    scattered_posterior.save(tmp_path / "post.nc")
    page = tmp_path / "report.html"
    page.write_text("the page of yesterday")
    whole_text = type(page).write_text

    def half(path, text, **kwargs):
        whole_text(path, text[: len(text) // 2], **kwargs)
        press()

    monkeypatch.setattr(type(page), "write_text", half)
    code, out, err = run_command("report", str(tmp_path / "post.nc"), "-o", str(page))
    assert (code, out) == (130, "")
    assert "interrupted" in err
    assert page.read_text() == "the page of yesterday"
    assert sorted(os.listdir(tmp_path)) == ["post.nc", "report.html"]


@pytest.fixture
def stopped(scattered_posterior):
    """A fit that Ctrl-C stopped in its second try; the first, complete, was the better."""
    return replace(
        scattered_posterior, info={"seed": 1, "interrupted": True, "settings": {"draws": 250, "tune": 250, "chains": 4}}
    )


def test_a_fit_stopped_in_any_try_is_not_whole(stopped):
    with pytest.raises(KeyboardInterrupt):
        inference.whole(stopped)
    marked = replace(stopped, info={}, diagnostics=replace(stopped.diagnostics, interrupted=True))
    with pytest.raises(KeyboardInterrupt):
        inference.whole(marked)
    assert inference.whole(replace(stopped, info={"interrupted": False}))


LONG_WORK = {
    "backtest": lambda p: bs.backtest(p.model.runs, laws=["chinchilla", "kaplan"]),
    "compare": lambda p: bs.compare({"a": p, "b": p}, by="largest"),
    "stack": lambda p: bs.stack({"a": p, "b": p}),
    "recommend": lambda p: bs.recommend(p.model.runs).fit(p.model.runs),
    "refit": lambda p: bs.refit(p),
    "update": lambda p: bs.update(
        bs.Stack({"a": p, "b": p}, {"a": 0.5, "b": 0.5}, None, "loo"), p.model.runs.iloc[:1] * 1.01
    ),
}


@pytest.mark.filterwarnings("ignore::bayescale.BayescaleWarning")
@pytest.mark.parametrize("work", LONG_WORK.values(), ids=LONG_WORK)
def test_no_second_fit_is_begun_after_one_was_stopped(stopped, monkeypatch, work):
    begun = []

    def fit(model, **settings):
        begun.append(model)
        return stopped

    for module in ("backtest", "comparison", "recommendation", "updating"):
        monkeypatch.setattr(f"bayescale.answers.{module}.fit", fit)
    with pytest.raises(KeyboardInterrupt):
        work(stopped)
    assert len(begun) == 1
