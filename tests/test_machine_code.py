"""Machine code gives PyMC's own log density, serves every table of its structure, and outlives bad files on disk."""

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from test_graph import MODELS, RUNS

import bayescale as bs
from bayescale import machine_code
from bayescale.coordinates import LocalSlopes
from bayescale.graph import compile_mode, to_pymc
from bayescale.laws import find_law
from bayescale.layout import starting_point
from bayescale.machine_code import log_density
from bayescale.model import Model
from bayescale.structure import graph_structure, structure_key

LINE = RUNS.loc[:, ["D", "L"]]


def at(model, seed=1):
    return starting_point(model, np.random.default_rng(seed))


@pytest.fixture
def cold(monkeypatch, tmp_path):
    """No code in memory, an empty folder on disk."""
    monkeypatch.setenv("BAYESCALE_CACHE", str(tmp_path))
    monkeypatch.setattr(machine_code, "_codes", {})
    return tmp_path


@pytest.fixture
def line():
    return Model("power:D", LINE, noise="normal")


def refuse(*_):
    pytest.fail("compiled again")


@pytest.mark.parametrize("name", ["chinchilla", "partial by size", "departures"])
def test_value_and_gradient_are_pymcs_own(name):
    model = Model(runs=RUNS, **MODELS[name])
    own: Any = to_pymc(model).logp_dlogp_function(ravel_inputs=True, mode=compile_mode("FAST_COMPILE"))
    value, gradient = own(at(model))
    compiled, slope = log_density(model)(at(model))
    assert compiled == pytest.approx(float(value), rel=1e-12)
    np.testing.assert_allclose(slope, gradient, rtol=1e-9, atol=1e-9 * abs(gradient).max())


def test_tables_bound_to_one_code_do_not_touch_each_other(line):
    first = log_density(line)
    before = first(at(line))[0]
    shorter = line.refit_on(line.runs.iloc[:7].reset_index(drop=True))
    second = log_density(shorter)
    assert second._code is first._code
    assert second(at(line))[0] != before
    assert first(at(line))[0] == before


def test_many_points_at_once_have_the_values_of_each(line):
    logp = log_density(line)
    points = np.stack([at(line, seed) for seed in range(5)])
    np.testing.assert_array_equal(logp.values(points), [logp(x)[0] for x in points])
    np.testing.assert_array_equal(logp.values(points[:, ::-1])[2], logp(points[2, ::-1])[0])


def test_code_on_disk_is_found_without_compiling(cold, line, monkeypatch):
    value, gradient = log_density(line)(at(line))
    monkeypatch.setattr(machine_code, "_codes", {})
    monkeypatch.setattr(machine_code, "_compile", refuse)
    again, slope = log_density(line)(at(line))
    assert again == value
    assert np.array_equal(slope, gradient)


def test_another_process_asks_neither_pymc_nor_a_compiler(cold, line):
    expected = log_density(line)(at(line))[0]
    line.runs.to_csv(cold / "runs.csv", index=False)
    program = f"""
import sys
import numpy as np
import bayescale as bs
from bayescale.layout import starting_point
from bayescale.machine_code import log_density
model = bs.Model("power:D", bs.read_runs({str(cold / "runs.csv")!r}), noise="normal")
print(log_density(model)(starting_point(model, np.random.default_rng(1)))[0], "pymc" in sys.modules)
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.split() == [str(expected), "False"]


@pytest.mark.parametrize("damage", ["code cut short", "of another model"])
def test_what_is_broken_on_disk_is_compiled_again(cold, line, monkeypatch, damage):
    value = log_density(line)(at(line))[0]
    (text,) = machine_code.cache_folder().glob("m*.py")
    if damage == "of another model":
        text.write_text(text.read_text().replace("SIZE = ", "SIZE = 1"))
    else:
        for code in text.parent.glob(f"__pycache__/{text.stem}*.nbc"):
            code.write_bytes(code.read_bytes()[:1000])
    monkeypatch.setattr(machine_code, "_codes", {})
    assert log_density(line)(at(line))[0] == value
    monkeypatch.setattr(machine_code, "_codes", {})
    monkeypatch.setattr(machine_code, "_compile", refuse)
    assert log_density(line)(at(line))[0] == value  # and what was compiled again is whole


def test_key_tells_laws_of_one_name_apart_by_what_their_formulas_do():
    law = find_law("chinchilla")
    assert structure_key(Model(law, RUNS)) == structure_key(Model(replace(law, name="mine"), RUNS))

    def loss(N, D, E, A, B, alpha, beta):
        return E + A * N**-alpha + B * D**-beta + 0.0

    calls: list = [lambda x, y: x * y]

    def through(N, D, E, A, B, alpha, beta):
        return E + calls[-1](A, N**-alpha) + B * D**-beta

    keys = [structure_key(Model(replace(law, formula=formula), RUNS)) for formula in (law.formula, loss, through)]
    calls.append(lambda x, y: x * y * y)  # the same text now does something else
    keys.append(structure_key(Model(replace(law, formula=through), RUNS)))
    assert None not in keys
    assert len(set(keys)) == 4


def test_no_key_where_a_formula_cannot_be_written_down():
    law = find_law("power:D")

    def branching(x, k, alpha):
        return k * x ** (-alpha if bool(np.all(alpha == alpha)) else alpha)

    model = Model(replace(law, formula=branching), LINE, noise="normal")
    assert structure_key(model) is None


def test_no_key_for_coordinates_of_the_users_own():
    class Mine(LocalSlopes):
        pass

    law = find_law("chinchilla")
    mine = Mine(terms=(("A_ref", "alpha"), ("B_ref", "beta")), floor="E")
    assert structure_key(Model(replace(law, coordinates=mine), RUNS)) is None


def test_structures_beyond_the_memory_are_let_go(line, monkeypatch):
    monkeypatch.setattr(machine_code, "_codes", {})
    monkeypatch.setattr(machine_code, "KEPT", 1)
    log_density(line)
    log_density(Model("power:D", LINE))
    assert list(machine_code._codes) == [graph_structure(Model("power:D", LINE))]


def test_a_failed_call_says_so(line):
    with pytest.raises(RuntimeError, match="failed"):
        log_density(line)(np.zeros(2))


def test_a_fit_uses_what_was_compiled_for_another_table(line, monkeypatch):
    log_density(line)
    monkeypatch.setattr(machine_code, "_find", refuse)
    assert bs.fit(line.refit_on(line.runs.iloc[:12].reset_index(drop=True)), seed=1, draws=200, tune=300)
