"""Many fits are the fits one would make by oneself: in this process, in a pool, on a cluster, and read back."""

import os
import pickle
import signal
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale import many
from bayescale.diagnostics import Diagnostics
from bayescale.errors import ConvergenceWarning
from bayescale.laws import find_law

SETTINGS = {"method": "fast", "draws": 100, "chains": 2}


@pytest.fixture(scope="module")
def models(grid_runs):
    made = {}
    for i, name in enumerate("abcd"):
        noise = 0.01 * np.random.default_rng(i).standard_normal(len(grid_runs))
        made[name] = bs.Model("chinchilla", grid_runs.assign(L=grid_runs["L"] * np.exp(noise)), noise="normal")
    return made


@pytest.fixture(scope="module")
def alone(models):
    return {name: bs.fit(model, seed=i, **SETTINGS) for i, (name, model) in enumerate(models.items())}


def assert_same(fits, alone):
    assert [one.error for one in fits] == [""] * len(alone)
    assert [one.name for one in fits] == list(alone)
    assert all(one.value.dataset.equals(alone[one.name].dataset) for one in fits)


def test_each_is_the_fit_alone_and_is_read_back(models, alone, tmp_path, monkeypatch):
    assert_same(bs.fit_many(models, seed=range(4), workers=1, folder=tmp_path, **SETTINGS), alone)
    assert len(list(tmp_path.iterdir())) == 4
    fitted = []
    fit = many.fit

    def counted(model, **settings):
        fitted.append(settings["seed"])
        return fit(model, **settings)

    monkeypatch.setattr(many, "fit", counted)
    again = bs.fit_many(models, seed=range(4), workers=1, folder=tmp_path, **SETTINGS)
    assert_same(again, alone)
    assert fitted == []
    assert all(one.kept for one in again)
    # Another seed is another fit; so is one whose file was cut short, or is of another fit.
    first, second, *_ = sorted(tmp_path.iterdir())
    first.write_bytes(first.read_bytes()[:1000])
    second.write_bytes(sorted(tmp_path.iterdir())[2].read_bytes())
    assert_same(bs.fit_many(models, seed=range(4), workers=1, folder=tmp_path, **SETTINGS), alone)
    assert len(fitted) == 2
    bs.fit_many({"a": models["a"]}, seed=9, workers=1, folder=tmp_path, **SETTINGS)
    assert fitted[-1] == 9


def test_a_failed_fit_is_reported_and_doubtful_ones_are_named_once(models, monkeypatch, certain, exact_posterior):
    bad = replace(exact_posterior, diagnostics=Diagnostics(1.5, "E", 40.0, 40.0, "E", 0, 1.0))

    def fit(model, **settings):
        if model is models["b"]:
            raise bs.InputError("no good")
        return bad if model is models["c"] else exact_posterior

    monkeypatch.setattr(many, "fit", fit)
    with pytest.warns(ConvergenceWarning, match="1 of 4 fits have not converged: c"):
        fits = bs.fit_many(models, workers=1)
    assert [one.error for one in fits] == ["", "no good", "", ""]


@pytest.mark.parametrize("name", ["broken_1:C", "mixing_3", "chinchilla", "saturating:D"])
def test_models_of_every_kind_of_law_can_be_sent(name):
    law = find_law(name)
    table = pd.DataFrame({column: np.linspace(0.1, 0.4, 6) for column in law.columns}).assign(L=2.5)
    model = bs.Model(law, table)
    again = pickle.loads(pickle.dumps(model))
    assert again.law == law
    assert again.to_dict() == model.to_dict()


def test_a_law_of_ones_own_is_sent_as_it_is(models):
    law = replace(models["a"].law, name="mine")
    model = bs.Model(law, models["a"].runs)
    assert pickle.loads(pickle.dumps(model)).law == law


def test_seeds_must_match(models):
    with pytest.raises(bs.InputError, match="2 seeds were given for 4 models"):
        bs.fit_many(models, seed=[1, 2])


@pytest.mark.slow
def test_a_pool_gives_the_same(models, alone, tmp_path):
    assert_same(bs.fit_many(models, seed=range(4), workers=2, folder=tmp_path, **SETTINGS), alone)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what distributed says of a worker that is killed is its own affair
def test_a_cluster_of_two_gives_the_same_though_one_is_killed(models, alone):
    """One of two workers is killed, with the signal that cannot be caught, while it fits."""
    distributed = pytest.importorskip("distributed")
    killed = []

    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):

        def kill_one(outcome):
            if not killed:
                (first, *_) = [w.pid for w in cluster.workers.values()]
                os.kill(first, signal.SIGKILL)
                killed.append(first)
                time.sleep(0.1)

        fits = bs.fit_many(models, seed=range(4), client=client, each=kill_one, **SETTINGS)
    assert killed
    assert_same(fits, alone)
