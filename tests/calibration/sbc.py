"""Simulation-based calibration of every law under its default priors [1]_.

``python tests/calibration/sbc.py`` runs what is not done yet and prints the table; ``--summary`` only prints it;
``--figure`` draws it. Parameters are drawn from the prior, a table is simulated from them and fitted again, and the
rank of the true value among 99 draws of its posterior is kept: of every parameter (of a pooled model: its mean, its
spread, and the value of the first group), and of the law at ten times the largest run. If priors, graph, sampler and
forecast agree, ranks are uniform. Tables whose response is no number are drawn again, which keeps that so.

Fits take the fast path where it passes its own test, else one short try of NUTS, 4 x (300 tuning + 300 kept) draws:
enough for 99 that are nearly independent. None is left out; those whose chains disagree or diverge are counted.
A cell's ranks are compared with the uniform by ECDF bands that hold simultaneously along each ECDF [2]_, over the
quantities of a cell, and over all cells (Bonferroni): the chance that any cell of a sound program is called outside is
5 %.

References
----------
.. [1] Talts, Betancourt, Simpson, Vehtari & Gelman (2018), arXiv:1804.06788.
.. [2] Saeilynoja, Buerkner & Vehtari (2022), Statistics and Computing 32, 32.
"""

import argparse
import sys
import time
import warnings
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import xarray as xr

import bayescale as bs
from bayescale.law import Law
from bayescale.model import MEAN, SPREAD, Model
from bayescale.noise import TRIALS
from bayescale.prior import REAL, UNIT
from bayescale.storage import versions
from bayescale.streams import stream
from bayescale.tasks import digest, run_many

HERE = Path(__file__).parent
LOG = HERE / "sbc.csv"
SEED = 20261125
TABLES, BATCH, DRAWS = 100, 25, 99
CORE = ("chinchilla", "kaplan", "kaplan_offset", "saturating", "power")
DESIGNS = ("grid", "line", "short")
SCALE = 2.5  # geometric mean of the response by which priors are scaled
RANGES = {"N": (1e7, 1e9), "D": (1e9, 1e11), "C": (1e17, 1e21), "S": (1e3, 1e5)}
NULL = 200_000  # simulated ECDFs by which the band is widened until it holds along the whole of it
LEVEL = 0.05
MIXED = 1.05  # R-hat of a short try above which it is counted as doubtful
SETTINGS: dict[str, Any] = {"method": "fast", "draws": 300, "tune": 300, "retry": False}


# --- tables of runs ---------------------------------------------------------------------------------------------------


def inputs_of(law: Law, design: str, runs: int) -> dict[str, np.ndarray]:
    """Inputs of a table: a good grid, an isoFLOP line (of one input: three sizes), a short range (a factor of 4)."""
    rng = stream(f"sbc {law.name} {design}", SEED)
    places = [
        (np.arange(runs) + 0.5) / runs if k == 0 else rng.permutation(runs) / runs for k in range(len(law.inputs))
    ]
    if design == "line":
        places = [np.round(p * 3 - 0.5) / 2 for p in places] if len(places) == 1 else places
        places = [places[0], 1 - places[0], *places[2:]] if len(places) > 1 else places
    made = {}
    for item, place in zip(law.inputs, places, strict=True):
        low, high = range_of(item)
        if design == "short":
            low, high = np.sqrt(low * high) / 2, np.sqrt(low * high) * 2
        if item.support == REAL:
            made[item.column] = low + (high - low) * place
        else:
            made[item.column] = low * (high / low) ** place
    return made


def range_of(item) -> tuple[float, float]:
    """Where runs lie: the input's usual range, or that of the letter."""
    if item.typical is None and item.column in RANGES:
        return RANGES[item.column]
    return item.typical or ((1.0, 10.0) if item.centre == "none" else (1e6, 1e9))


def make_model(name: str, design: str, pooled: bool) -> Model:
    """The model of a cell; its response only sets the scale of priors."""
    law = bs.LAWS[name] if all(bs.LAWS[name].columns) else bs.LAWS[name].on("C")
    groups = ("a", "b", "c") if pooled else ("",)
    parts = []
    for group in groups:
        part = pd.DataFrame(inputs_of(law, design, 12 if pooled else 30))
        part[law.output.symbol] = 0.5 if law.output.support == UNIT else SCALE
        if law.output.support == UNIT:
            part[TRIALS] = 1000.0
        parts.append(part.assign(group=group) if pooled else part)
    return Model(law, pd.concat(parts, ignore_index=True), pool="group" if pooled else None)


def beyond(model: Model) -> dict[str, xr.DataArray]:
    """Inputs of a run that costs ten times the largest; an input with a usual range stays within it."""
    largest = int(np.argmax(model.cost()))
    at = {symbol: float(x[largest]) for symbol, x in model.inputs().items()}
    grown = {"N": 10**0.5, "D": 10**0.5} if {"N", "D"} <= set(at) else {model.law.inputs[0].symbol: 10.0}
    for item in model.law.inputs:
        if item.symbol in grown:
            more = at[item.symbol] + 1 if item.support == REAL else at[item.symbol] * grown[item.symbol]
            at[item.symbol] = more if item.typical is None else min(more, item.typical[1])
    return {symbol: xr.DataArray(x) for symbol, x in at.items()}


# --- simulations ------------------------------------------------------------------------------------------------------


def quantities(posterior: bs.Posterior) -> dict[str, np.ndarray]:
    """Draws of all that is ranked, flat."""
    model, found = posterior.model, {}
    first = {model.group: 0} if model.group else {}
    for p in model.params:
        for name in (p.symbol, p.symbol + MEAN, p.symbol + SPREAD):
            if name in posterior.dataset:
                value = posterior.dataset[name]
                found[name] = value.isel(first, missing_dims="ignore").to_numpy().ravel()
    params = posterior.params(model.groups[0] if model.group else None)
    found["forecast"] = posterior.law(params, beyond(model)).to_numpy().ravel()
    return found


def simulated(model: Model, count: int) -> tuple[dict[str, np.ndarray], list[pd.DataFrame]]:
    """True values of all that is ranked, and the tables made from them; those that are no table are drawn again."""
    with np.errstate(all="ignore"):
        prior = bs.sample_prior(model, draws=2 * count, seed=SEED)
        responses = prior.replicate(seed=SEED).to_numpy()[0]
        truth = quantities(prior)
    support = model.law.output.support
    inside = (responses > support.lower) & (responses < support.upper) & (abs(responses) < 1e100)
    if support == UNIT:
        inside = (responses >= 0) & (responses <= 1)
    good = np.flatnonzero(inside.all(axis=1))[:count]
    symbol = model.law.output.symbol
    return {name: x[good] for name, x in truth.items()}, [model.runs.assign(**{symbol: responses[i]}) for i in good]


def rank_batch(task: dict[str, Any]) -> dict[str, Any]:
    """Ranks of the true values of some tables of a cell."""
    warnings.simplefilter("ignore")
    began = time.process_time()
    model = make_model(task["law"], task["design"], task["pooled"])
    truth, tables = simulated(model, task["tables"])
    chosen = range(task["first"], min(task["first"] + task["count"], len(tables)))
    ranks: dict[str, list[int]] = {name: [] for name in truth}
    fast, doubtful = 0, 0
    for i in chosen:
        posterior = bs.fit(model.with_runs(tables[i]), seed=SEED + i, cores=1, **SETTINGS)
        fast += posterior.diagnostics.pareto_k is not None
        doubtful += posterior.diagnostics.rhat > MIXED or posterior.diagnostics.divergences > 0
        for name, draws in quantities(posterior).items():
            thinned = draws[np.linspace(0, len(draws) - 1, DRAWS).round().astype(int)]
            ranks[name].append(rank(truth[name][i], thinned, stream(f"sbc rank {name}", SEED + i)))
    return {"ranks": ranks, "fast": fast, "doubtful": doubtful, "cpu": time.process_time() - began}


def rank(true: float, draws: np.ndarray, rng: np.random.Generator) -> int:
    """How many draws lie below the true value; among those that equal it (a plateau) any place is as good."""
    return int(np.sum(draws < true) + rng.integers(0, np.sum(draws == true) + 1))


# --- cells ------------------------------------------------------------------------------------------------------------


def cells() -> list[tuple[str, str, bool]]:
    """Law, design, pooled: the core laws first, what takes longest last."""
    alone, pooled = ([(law, design, p) for design in DESIGNS for law in CORE] for p in (False, True))
    others = [(law, "grid", False) for law in bs.LAWS if law not in CORE]
    slow = [cell for cell in others if bs.LAWS[cell[0]].multimodal]
    return [*alone, *(cell for cell in others if cell not in slow), *pooled, *slow]


def run(chosen, tables: int, folder: Path, workers: int) -> None:
    """Do what is not done yet, cell by cell; the log has every cell that is complete."""
    for law, design, pooled in chosen:
        if is_kept(law, design, pooled, tables):
            continue
        cell = {"law": law, "design": design, "pooled": pooled, "tables": tables}
        tasks = {f"{law} {design} {pooled} {k}": {**cell, "first": k, "count": BATCH} for k in range(0, tables, BATCH)}
        done = run_many(
            rank_batch, tasks, workers=workers, folder=folder, key=lambda task: digest(SEED, task, versions())
        )
        if failed := [one.error for one in done if one.failed]:
            print(f"{law} {design} {'pooled' if pooled else 'alone'}: FAILED, {failed[0]}", flush=True)
            continue
        keep(cell, [one.value for one in done])
        print(table(pd.read_csv(LOG)).iloc[-1].to_dict(), flush=True)


def is_kept(law: str, design: str, pooled: bool, tables: int) -> bool:
    """Whether the log has this cell, of these versions and of as many tables."""
    if not LOG.exists():
        return False
    log = pd.read_csv(LOG)
    lines = log[(log["law"] == law) & (log["design"] == design) & (log["pooled"] == pooled)]
    counts = [len(str(ranks).split()) for ranks in lines["ranks"]]
    return bool(counts) and set(counts) == {tables} and set(lines["versions"]) == {written_versions()}


def written_versions() -> str:
    """Versions as the log has them."""
    return " ".join(f"{name}={number}" for name, number in versions().items())


def keep(cell: dict[str, Any], parts: list[dict[str, Any]]) -> None:
    """Put a cell's ranks in the log, in place of what it had of it."""
    about = {
        "law": cell["law"],
        "design": cell["design"],
        "pooled": cell["pooled"],
        "fast": sum(part["fast"] for part in parts),
        "doubtful": sum(part["doubtful"] for part in parts),
        "cpu": round(sum(part["cpu"] for part in parts), 1),
        "date": date.today().isoformat(),
        "versions": written_versions(),
    }
    lines = [
        {**about, "quantity": name, "ranks": " ".join(str(r) for part in parts for r in part["ranks"][name])}
        for name in parts[0]["ranks"]
    ]
    log = pd.DataFrame(lines)
    if LOG.exists():
        before = pd.read_csv(LOG)
        same = (
            (before["law"] == cell["law"]) & (before["design"] == cell["design"]) & (before["pooled"] == cell["pooled"])
        )
        log = pd.concat([before[~same], log], ignore_index=True)
    log.to_csv(LOG, index=False)


# --- are the ranks uniform? -------------------------------------------------------------------------------------------


def least_chance(ranks: np.ndarray) -> np.ndarray:
    """Smallest two-sided binomial chance of an ECDF's height at any of its places; shape (table, rank) to (table,)."""
    tables, count = ranks.shape
    places = DRAWS + 1
    found = np.bincount((ranks + places * np.arange(tables)[:, None]).ravel(), minlength=tables * places)
    heights = found.reshape(tables, places).cumsum(axis=1)[:, :DRAWS]
    return pointwise(count)[np.arange(DRAWS), heights].min(axis=1)


@cache
def pointwise(count: int) -> np.ndarray:
    """Two-sided chance of each height of the ECDF of so many ranks, shape (place, height)."""
    from scipy.stats import binom

    share = (np.arange(DRAWS) + 1)[:, None] / (DRAWS + 1)
    heights = np.arange(count + 1)
    below, above = binom.cdf(heights, count, share), binom.sf(heights - 1, count, share)
    return np.minimum(1, 2 * np.minimum(below, above))


@cache
def null(count: int) -> np.ndarray:
    """`least_chance` of ranks that are uniform, sorted."""
    rng = np.random.default_rng(SEED)
    parts = [least_chance(rng.integers(0, DRAWS + 1, (2000, count))) for _ in range(NULL // 2000)]
    return np.sort(np.concatenate(parts))


def chance(ranks: np.ndarray) -> float:
    """How often uniform ranks leave a band as narrow as the one these just leave."""
    sorted_null = null(len(ranks))
    return float((np.searchsorted(sorted_null, least_chance(ranks[None])[0] + 1e-12) + 1) / (len(sorted_null) + 1))


def table(log: pd.DataFrame) -> pd.DataFrame:
    """One line for each cell: its worst quantity, and the chance of it, widened for all quantities and cells."""
    lines = []
    for cell, part in log.groupby(["law", "design", "pooled"], sort=False):
        law, design, pooled = cast("tuple", cell)
        ranks = {q: np.array(text.split(), dtype=int) for q, text in zip(part["quantity"], part["ranks"], strict=True)}
        found = {q: chance(r) for q, r in ranks.items()}
        worst = min(found, key=lambda q: found[q])
        lines.append(
            {
                "law": law,
                "design": design,
                "pooled": pooled,
                "tables": len(ranks[worst]),
                "quantities": len(ranks),
                "fast": part["fast"].iloc[0],
                "doubtful": part["doubtful"].iloc[0],
                "cpu_s": part["cpu"].iloc[0],
                "worst": worst,
                "mean_rank": ranks[worst].mean() / DRAWS,
                "chance": found[worst],
                "chance_of_all": min(1.0, found[worst] * len(ranks) * len(cells())),
            }
        )
    made = pd.DataFrame(lines)
    return made.assign(inside=made["chance_of_all"] >= LEVEL)


def draw(log: pd.DataFrame, path: Path) -> None:
    """One panel for each cell: ECDFs of its ranks minus the uniform's, and the band for all of them."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    groups = list(log.groupby(["law", "design", "pooled"], sort=False))
    columns = 8
    rows = -(-len(groups) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(16, 1.7 * rows), sharex=True, sharey=True, squeeze=False)
    share = (np.arange(DRAWS) + 1) / (DRAWS + 1)
    for axis in axes.flat[len(groups) :]:
        axis.axis("off")
    for axis, (cell, part) in zip(axes.flat, groups, strict=False):
        count = len(part["ranks"].iloc[0].split())
        limit = np.quantile(null(count), LEVEL / (len(part) * len(cells())))
        inside = pointwise(count) >= limit
        low = inside.argmax(axis=1) / count - share
        high = (count - inside[:, ::-1].argmax(axis=1)) / count - share
        axis.fill_between(share, low, high, color="0.85", linewidth=0)
        for quantity, text in zip(part["quantity"], part["ranks"], strict=True):
            ranks = np.array(text.split(), dtype=int)
            height = np.array([(ranks <= k).mean() for k in range(DRAWS)])
            axis.plot(share, height - share, color="C1" if quantity == "forecast" else "C0", linewidth=0.7)
        law, design, pooled = cast("tuple", cell)
        axis.set_title(f"{law}, {design}{', pooled' if pooled else ''}", fontsize=7)
    figure.supxlabel(
        "rank of the true value among draws of its posterior (orange: forecast at ten times the largest run)"
    )
    figure.supylabel("ECDF minus uniform; band for all panels together, 95 %")
    figure.tight_layout()
    figure.savefig(path, dpi=75)


def main() -> None:
    """Run, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--law", nargs="*", help="only these laws")
    parser.add_argument("--tables", type=int, default=TABLES)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=HERE / "parts", help="batches that are done; not committed")
    parser.add_argument("--summary", action="store_true", help=f"only print what {LOG.name} holds")
    parser.add_argument("--figure", type=Path, help="draw what it holds")
    asked = parser.parse_args()
    if not (asked.summary or asked.figure):
        chosen = [cell for cell in cells() if asked.law is None or cell[0] in asked.law]
        run(chosen, asked.tables, asked.folder, asked.workers)
    log = pd.read_csv(LOG)
    if asked.figure:
        draw(log, asked.figure)
    found = table(log)
    print(found.to_string(index=False, float_format="{:.3g}".format))
    cpu, versions_used = found["cpu_s"].sum() / 60, ", ".join(sorted(log["versions"].unique()))
    print(
        f"{found['inside'].sum()} of {len(found)} cells inside ({len(cells())} planned); {cpu:.0f} CPU minutes; "
        f"{log['date'].min()} to {log['date'].max()}; {versions_used}"
    )


if __name__ == "__main__":
    sys.exit(main())
