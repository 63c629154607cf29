"""Fixtures that more than one test file needs."""

import os
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale import cli
from bayescale.diagnostics import Diagnostics
from bayescale.posterior import Posterior

# Figures are drawn to files, never to a window.
os.environ["MPLBACKEND"] = "Agg"

_SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"

# Where a file lies in the cache -> where it is kept beside the checkout: upstream bytes (raw), else the tidy table.
_UPSTREAM = {
    "chinchilla/svg_extracted_data.csv": "chinchilla_epoch/raw/svg_extracted_data.csv",
    "extrapolation/benchmark.vision.csv": "alabdulmohsin_benchmark/raw/benchmark.vision.csv",
    "extrapolation/benchmark.lang.csv": "alabdulmohsin_benchmark/raw/benchmark.lang.csv",
    "porian_isoflop/porian_isoflop.csv": "porian_isoflop/porian_isoflop.csv",
    "gadre_overtraining/gadre_overtraining.csv": "gadre_overtraining/gadre_overtraining.csv",
    "gadre_downstream/gadre_downstream.csv": "gadre_overtraining/gadre_downstream.csv",
    "olmo_ladder/olmo_ladder.csv": "olmo_ladder/olmo_ladder.csv",
    "bnsl_four_digit_addition/bnsl_four_digit_addition.csv": "bnsl_four_digit_addition/bnsl_four_digit_addition.csv",
    "nanogpt_bench_width/nanogpt_bench_width.csv": "nanogpt_bench_width/nanogpt_bench_width.csv",
    **{
        f"{name}/{part}-00000-of-00001.parquet": f"{name}/raw/{part}-00000-of-00001.parquet"
        for name in (
            "data_constrained",
            "vocab_scaling",
            "finetuning_sft",
            "parallel_scaling",
            "moe_upcycling_sparsity",
        )
        for part in ("train", "test")
    },
    **{
        f"{name}/{part}-00000-of-00001.parquet": f"{folder}/raw/{part}-00000-of-00001.parquet"
        for name, folder in (("step_law", "step_law_lr_bsz"), ("domain_mixture", "domain_mixture"))
        for part in ("train", "test")
    },
    "misfitting_c4/scaling_results.csv": "misfitting_c4/raw/scaling_results.csv",
    "quest_precision/runs_for_scaling.json": "quest_precision/raw/runs_for_scaling.json",
    "routed_moe/curves.csv.gz": "routed_moe/raw/curves.csv.gz",
    "distillation/distillation.csv": "distillation/distillation.csv",
    **{
        f"obsscaling/base_llm_{table}_eval.csv": f"obsscaling/raw/base_llm_{table}_eval.csv"
        for table in ("benchmark", "emergent_capability", "leaderboard_v2")
    },
    "mmlu_densing/mmlu_densing.csv": "mmlu_densing/mmlu_densing.csv",
    "hex_alphazero/hex_alphazero.csv": "hex_alphazero/hex_alphazero.csv",
    "large_language_monkeys/large_language_monkeys_original_pass_at_k.parquet": (
        "large_language_monkeys/raw/large_language_monkeys_original_pass_at_k.parquet"
    ),
    "o1_mini_aime/o1_mini_aime.csv": "o1_mini_aime/o1_mini_aime.csv",
}


def pytest_addoption(parser):
    parser.addoption("--remake-baselines", action="store_true", help="draw the pictures of tests/baseline anew")


@pytest.fixture(scope="session")
def shared_data():
    """The folder of public run tables beside the checkout, as tidy CSVs and upstream bytes."""
    if not _SHARED_DATA.is_dir():
        pytest.skip(f"the public run tables are not in {_SHARED_DATA}")
    return _SHARED_DATA


@pytest.fixture(scope="session")
def public_data(shared_data, tmp_path_factory):
    """A cache that holds every public data set; ``BAYESCALE_DATA`` points at it from here on."""
    cache = tmp_path_factory.mktemp("public_data")
    for cached, upstream in _UPSTREAM.items():
        (cache / cached).parent.mkdir(exist_ok=True)
        shutil.copyfile(shared_data / upstream, cache / cached)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BAYESCALE_DATA", str(cache))
        yield cache


@pytest.fixture
def run_command(monkeypatch, capsys):
    """Run a command line in this process; its exit code, what it printed, and its errors."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["bayescale", *words])
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            with pytest.raises(SystemExit) as end:
                cli.main()
        out, err = capsys.readouterr()
        return end.value.code, out, err

    return run


# -- Posteriors known exactly: no sampler, every draw has the values given


@pytest.fixture(scope="session")
def certain():
    """Make a posterior of a model whose draws all have the same values: numbers, or an array by group or term."""

    def make(model, values, shape=(4, 50)):
        draws = {
            name: np.broadcast_to(value, (*shape, *np.shape(value))).astype(float) for name, value in values.items()
        }
        stats = {"diverging": np.zeros(shape, dtype=bool), "energy": np.zeros(shape)}
        return Posterior.from_draws(model, draws, stats, Diagnostics(1.0, "", 1e4, 1e4, "", 0, 1.0), {"seed": 7})

    return make


@pytest.fixture(scope="session")
def grid_runs():
    """Runs exactly on Hoffmann's law: N from 1e7 to 1e9, D from 1e9 to 1e11, reference 1e8 and 1e10."""
    N, D = (x.ravel() for x in np.meshgrid(np.logspace(7, 9, 5), np.logspace(9, 11, 5)))
    return pd.DataFrame({"N": N, "D": D, "L": 1.69 + 406.4 / N**0.34 + 410.7 / D**0.28})


# At the reference point of the grid, where N is 1e8 and D is 1e10.
_HOFFMANN = {
    "E": 1.69,
    "A_ref": 406.4 / 1e8**0.34,
    "B_ref": 410.7 / 1e10**0.28,
    "alpha": 0.34,
    "beta": 0.28,
    "sigma": 0.01,
}


@pytest.fixture(scope="session")
def exact_posterior(certain, grid_runs):
    """Chinchilla's law at Hoffmann's constants, normal noise of 1 %."""
    return certain(bs.Model("chinchilla", grid_runs, noise="normal"), _HOFFMANN)


@pytest.fixture(scope="session")
def departing_posterior(certain, grid_runs):
    """The same with a discrepancy: tau 0.05 and weights of N*N, N*D and D*D."""
    model = bs.Model("chinchilla", grid_runs, noise="normal", discrepancy=True)
    return certain(model, {**_HOFFMANN, "tau": 0.05, "weights": [0.5, -1.0, 2.0]})


@pytest.fixture(scope="session")
def grouped_posterior(certain):
    """Chinchilla's law on the embedded runs, pooled over modality, Student-t noise; groups in alphabetical order."""
    model = bs.Model("chinchilla", bs.load_runs("tiny_sweep"), pool="modality")
    number = np.arange(len(model.groups))
    values = {
        "E": 1.0 + 0.2 * number,
        "A_ref": 0.3 + 0.05 * number,
        "B_ref": 0.4 - 0.03 * number,
        "alpha": 0.30 + 0.02 * number,
        "beta": 0.40 - 0.02 * number,
        "sigma": 0.010 + 0.002 * number,
        "nu": 5.0,
    }
    means = {"E": 1.4, "A_ref": 0.4, "B_ref": 0.35, "alpha": 0.35, "beta": 0.33, "sigma": 0.015}
    spreads = {"E": 0.3, "A_ref": 0.2, "B_ref": 0.1, "alpha": 0.15, "beta": 0.2, "sigma": 0.4}
    values |= {f"{s}_mean": m for s, m in means.items()} | {f"{s}_spread": m for s, m in spreads.items()}
    return certain(model, values)


@pytest.fixture(scope="session")
def scattered_posterior(grid_runs):
    """Chinchilla's law about Hoffmann's constants: 4 x 250 draws, each parameter scattered by 5 % on its own."""
    rng = np.random.default_rng(11)
    shape = (4, 250)
    draws = {name: value * np.exp(0.05 * rng.standard_normal(shape)) for name, value in _HOFFMANN.items()}
    stats = {"diverging": np.zeros(shape, dtype=bool), "energy": np.zeros(shape)}
    model = bs.Model("chinchilla", grid_runs, noise="normal")
    return Posterior.from_draws(model, draws, stats, Diagnostics(1.0, "", 1e4, 1e4, "", 0, 1.0), {"seed": 7})
