"""JAX gives the density that PyMC writes, and a posterior like Numba's. In processes of its own: it starts threads."""

import json
import subprocess
import sys

import pytest

import bayescale as bs
from bayescale.errors import InputError
from bayescale.model import Model

DENSITY = """
import json
import numpy as np
from test_graph import MODELS, RUNS
from bayescale.blocks import find_blocks
from bayescale.jax_code import jax_density
from bayescale.layout import starting_point
from bayescale.machine_code import log_density
from bayescale.model import Model
off = {}
for name in ("chinchilla", "partial by size", "departures"):
    model = Model(runs=RUNS, **MODELS[name])
    x = starting_point(model, np.random.default_rng(1))
    ours, theirs = log_density(model), jax_density(model)
    pairs = [(ours, theirs)]
    if model.group:
        blocks = find_blocks(model, ours)
        x, pairs = blocks.undo(x), [(ours.through(blocks), theirs.through(blocks))]
    for one, other in pairs:
        (value, slope), (value_2, slope_2) = one(x), other(x)
        off[name] = [abs(value - value_2) / abs(value), float(np.max(abs(slope - slope_2)) / np.max(abs(slope)))]
print(json.dumps(off))
"""
FITS = """
import json
import bayescale as bs
runs = bs.load_runs("tiny_sweep")
model = bs.Model("chinchilla", runs[runs["modality"] == "text"])
said = {}
for backend in ("numba", "jax"):
    draws = bs.fit(model, seed=1, draws=300, tune=400, retry=False, backend=backend, progress=False).dataset
    said[backend] = {s: [float(draws[s].mean()), float(draws[s].std())] for s in ("E", "alpha", "beta", "sigma")}
print(json.dumps(said))
"""


def said_by(program: str, folder) -> dict:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_density_and_gradient_are_those_of_machine_code(request):
    found = said_by(DENSITY, request.path.parent)
    assert len(found) == 3
    assert max(max(off) for off in found.values()) < 1e-9


def test_posterior_is_that_of_numba(request):
    found = said_by(FITS, request.path.parent)
    for symbol, (mean, sd) in found["numba"].items():
        mean_2, sd_2 = found["jax"][symbol]
        assert abs(mean - mean_2) < 0.2 * sd, symbol  # 800 effective draws or more each: Monte Carlo error of .05 sd
        assert sd_2 == pytest.approx(sd, rel=0.2), symbol


CLUSTERED = """
import bayescale as bs
runs = bs.load_runs("tiny_sweep")
runs = runs[runs["modality"] == "text"]
try:
    bs.fit(bs.Model("power:D", runs, cluster="N"), backend="jax")
except bs.InputError as error:
    print(repr(str(error)))
"""


def test_what_jax_cannot_compile_is_said(request):
    done = subprocess.run([sys.executable, "-c", CLUSTERED], capture_output=True, text=True, check=False)
    assert "JAX cannot compile power with runs that go together" in done.stdout, done.stderr[-2000:]
    assert "Skipping Assert" not in done.stderr


def test_without_jax_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)  # importing it fails
    with pytest.raises(InputError, match=r"bayescale\[jax\]"):
        bs.fit(Model("power:D", bs.load_runs("tiny_sweep"), pool="modality:none"), backend="jax")


def test_another_backend_is_refused():
    with pytest.raises(InputError, match="'numba' or 'jax'; 'torch'"):
        bs.fit(Model("power:D", bs.load_runs("tiny_sweep"), pool="modality:none"), backend="torch")
