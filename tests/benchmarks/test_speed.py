"""Times within one run, printed by `make bench`; nothing is asserted about a clock."""

import subprocess
import sys

import numpy as np
import pytest

import bayescale as bs
from bayescale.layout import starting_point
from bayescale.machine_code import log_density


@pytest.fixture(scope="module")
def music():
    runs = bs.load_runs("tiny_sweep")
    return bs.Model("chinchilla", runs[runs["modality"] == "music"].drop(columns="modality"))


@pytest.fixture(scope="module")
def sweep():
    return bs.Model("chinchilla", bs.load_runs("tiny_sweep"), pool="modality")


@pytest.fixture(scope="module")
def fitted(sweep):
    return bs.fit(sweep, seed=1)


@pytest.mark.parametrize("name", ["music", "sweep"])
def test_gradient(benchmark, name, request):
    model = request.getfixturevalue(name)
    logp = log_density(model)
    benchmark(logp, starting_point(model, np.random.default_rng(0)))


@pytest.mark.parametrize("name", ["music", "sweep"])
def test_fit_of_a_compiled_model(benchmark, name, request):
    model = request.getfixturevalue(name)
    log_density(model)
    benchmark.pedantic(bs.fit, (model,), {"seed": 1}, rounds=3)


def test_forecast_from_a_posterior(benchmark, fitted):
    benchmark(bs.forecast, fitted, N=4e5, D=1e6)


@pytest.mark.parametrize("command", [["--help"], ["laws"], ["data"]])
def test_start_of_the_command_line(benchmark, command):
    call = [sys.executable, "-c", "from bayescale.cli import main; main()", *command]
    benchmark(subprocess.run, call, check=True, capture_output=True)
