"""Replay: policies buy runs out of public pools, and the law fitted to what they bought predicts the costly rest.

    python tests/benchmarks/replay_design.py                          # ten seeds, every pool: hours
    python tests/benchmarks/replay_design.py --seeds 0 1 --pool parallel_scaling
    python tests/benchmarks/replay_design.py --inner                  # targets within the pool, to choose a method on
    python tests/benchmarks/replay_design.py --summary                # prints the results kept in the CSV beside it

A pool is the rows to fit (``is_train``), or all but the costliest fifth; the others are the targets. Every policy
starts from the same few cheap runs of a seed, spends 1, 5 and 10 % of what the pool costs, and fits the same model.
"""

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import bayescale as bs
from bayescale import inference
from bayescale.answers.candidates import expect
from bayescale.answers.gain import Joint, best_plan, robust_normal
from bayescale.posterior import NEW

CHECKPOINTS = (0.01, 0.05, 0.10)
START, START_SHARE = 4, 0.005  # runs, and share of the pool's cost, that every policy begins with
HORIZON = 30  # runs that a plan looks ahead
RESULTS = Path(__file__).with_suffix(".csv")


@dataclass(frozen=True)
class Pool:
    """A public table with a law, a cost, and which rows are targets."""

    name: str
    law: str
    cost: Callable[[pd.DataFrame], Any]
    keep: Callable[[pd.DataFrame], Any] | None = None
    pool: str | dict[str, str | None] | None = None
    discrepancy: bool = False

    @property
    def group(self) -> str | None:
        """The column that is pooled over."""
        if isinstance(self.pool, dict):
            return next(c for c in self.pool.values() if c not in (None, "complete"))
        return self.pool

    def split(self, inner: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Candidates with their cost, and targets. ``inner`` takes the targets from within the candidates."""
        runs = bs.load_runs(self.name)
        if self.keep is not None:
            runs = runs[self.keep(runs)]
        runs = runs.assign(cost=self.cost(runs))
        train = runs["is_train"] if "is_train" in runs else runs["cost"] <= runs["cost"].quantile(0.8)
        pool, target = runs[train], runs[~train]
        if inner:
            small = pool["cost"] <= pool["cost"].quantile(0.8)
            pool, target = pool[small], pool[~small]
        return pool.reset_index(drop=True), target.reset_index(drop=True)

    def model(self, runs: pd.DataFrame) -> bs.Model:
        """The model that every policy fits."""
        return bs.Model(self.law, runs, pool=self.pool, discrepancy=self.discrepancy)


def _six(size: str, data: str) -> Callable[[pd.DataFrame], Any]:
    return lambda t: 6 * t[size] * t[data]


POOLS = {
    pool.name: pool
    for pool in (
        Pool("data_constrained", "data_constrained", _six("N", "D"), discrepancy=True),
        Pool("vocab_scaling", "vocabulary_product", _six("N", "H")),
        Pool("parallel_scaling", "parallel_streams", lambda t: t["N"] * t["S"], pool="corpus"),
        Pool(
            "moe_upcycling_sparsity",
            "upcycled_sparsity",
            _six("N", "D"),
            pool={"*": "complete", "E": "setting"},
        ),
        Pool(
            "porian_isoflop",
            "chinchilla",
            lambda t: t["C"],
            keep=lambda t: t["experiment"] == "refinedweb|tuned|short|const|standard|val",
            discrepancy=True,
        ),
        Pool("misfitting_c4", "chinchilla", lambda t: t["C"], keep=lambda t: t["is_final"], discrepancy=True),
    )
}


@dataclass(frozen=True)
class Parameters:
    """State of a design for all parameters at once: D-optimality, on draws."""

    response: np.ndarray
    noise: np.ndarray

    def gains(self) -> np.ndarray:
        """Half the log of one plus signal over noise, nats."""
        return 0.5 * np.log1p(np.maximum(np.diagonal(self.response), 0) / self.noise)

    def observe(self, candidate: int) -> "Parameters":
        """Condition on a run."""
        column = self.response[candidate]
        total = self.response[candidate, candidate] + self.noise[candidate]
        return replace(self, response=self.response - np.outer(column, column) / total)


class Buyer:
    """One policy spending on one pool, from one start."""

    def __init__(self, pool: Pool, candidates: pd.DataFrame, target: pd.DataFrame, policy: str, seed: int):
        self.pool, self.candidates, self.target, self.policy, self.seed = pool, candidates, target, policy, seed
        self.cost = candidates["cost"].to_numpy()
        self.bought = start(self.cost, seed)
        self.rng = np.random.default_rng([seed, 1])
        self.posterior: bs.Posterior | None = None
        self.fits = 0

    def spend(self, budget: float) -> None:
        """Buy until no affordable candidate is left or wanted."""
        while (affordable := self._affordable(budget)).size:
            chosen = self._choose(affordable, budget)
            if not chosen:
                return
            for candidate in chosen:
                self.bought.append(candidate)
            self.posterior = None

    def _affordable(self, budget: float) -> np.ndarray:
        left = budget - self.cost[self.bought].sum()
        open_ = np.ones(len(self.cost), dtype=bool)
        open_[self.bought] = False
        return np.flatnonzero(open_ & (self.cost <= left))

    def _choose(self, affordable: np.ndarray, budget: float) -> list[int]:
        if self.policy == "random":
            return [int(self.rng.choice(affordable))]
        if self.policy == "cheapest":
            return [int(affordable[np.argmin(self.cost[affordable])])]
        if self.policy == "largest":
            return [int(affordable[np.argmax(self.cost[affordable])])]
        left = budget - self.cost[self.bought].sum()
        plan = best_plan(self._state(affordable), self.cost[affordable], left, HORIZON)
        at_once = max(2, len(self.bought) // 2)
        return [int(affordable[k]) for k in plan.runs[:at_once]]

    def _state(self, affordable: np.ndarray):
        posterior = self.fit()
        noise = posterior.model.noise
        rows = self._known(self.candidates.iloc[affordable])
        centre = _flat(expect(posterior, rows, lambda law, params, *_: noise.centre(law, params), self.seed))
        log_noise = expect(
            posterior,
            rows,
            lambda law, params, facts, _: np.log(noise.equivalent_variance(params, facts, law)) + 0 * law,
            self.seed,
        )
        variance = np.exp(_flat(log_noise).mean(axis=0))
        if self.policy == "d-optimal":
            m = robust_normal(centre)
            return Parameters(m.T @ m / len(m), variance)
        return Joint.of_draws(self._targets(), centre, variance)

    def _targets(self) -> np.ndarray:
        return _flat(expect(self.fit(), self._known(self.target), lambda law, *_: law, self.seed))

    def _known(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Rows whose group no run has been bought of stand for a new group."""
        if not self.pool.group:
            return rows
        groups = rows[self.pool.group]
        return rows.assign(**{self.pool.group: groups.where(groups.isin(self.fit().model.groups), NEW)})

    def fit(self) -> bs.Posterior:
        """The posterior of what was bought."""
        if self.posterior is None:
            runs = self.candidates.iloc[self.bought].reset_index(drop=True)
            model = self.pool.model(runs)
            self.posterior = bs.fit(model, seed=self.seed, draws=250, tune=250, chains=4, cores=1, progress=False)
            self.fits += 1
        return self.posterior

    def score(self) -> tuple[float, float]:
        """R2 and root mean square error of the posterior median on the targets."""
        predicted = np.median(self._targets(), axis=0)
        truth = self.target["L"].to_numpy()
        squares = np.sum((truth - predicted) ** 2)
        return 1 - squares / np.sum((truth - truth.mean()) ** 2), np.sqrt(squares / len(truth))


def start(cost: np.ndarray, seed: int) -> list[int]:
    """A few of the cheapest runs, drawn by the seed: at most 4, for half a per cent of the pool's cost; at least 2."""
    rng = np.random.default_rng([seed, 0])
    cheap = np.argsort(cost, kind="stable")[: max(8, len(cost) // 10)]
    chosen: list[int] = []
    for candidate in rng.permutation(cheap):
        spent = cost[chosen].sum() + cost[candidate]
        if len(chosen) < START and (spent <= START_SHARE * cost.sum() or len(chosen) < 2):
            chosen.append(int(candidate))
    return chosen


def _flat(draws) -> np.ndarray:
    values = draws.transpose("chain", "draw", ...).to_numpy()
    return values.reshape(-1, *values.shape[2:])


def replay(task: tuple[str, str, int, bool]) -> list[dict]:
    """Let one policy spend on one pool; a line for each checkpoint."""
    name, policy, seed, inner = task
    warnings.simplefilter("ignore")
    inference._next_attempt = lambda *_: None  # medians of short chains are enough here; second tries are not worth it
    began = time.monotonic()
    pool = POOLS[name]
    candidates, target = pool.split(inner)
    buyer = Buyer(pool, candidates, target, policy, seed)
    lines = []
    for share in CHECKPOINTS:
        buyer.spend(share * buyer.cost.sum())
        r2, rmse = buyer.score()
        lines.append(
            {
                "pool": name,
                "policy": policy,
                "seed": seed,
                "budget": share,
                "R2": round(float(r2), 4),
                "RMSE": round(float(rmse), 5),
                "runs": len(buyer.bought),
                "spent": round(float(buyer.cost[buyer.bought].sum() / buyer.cost.sum()), 4),
            }
        )
    told = f"{[line['R2'] for line in lines]}, {buyer.fits} fits, {time.monotonic() - began:.0f} s"
    print(f"{name} {policy} {seed}: {told}", flush=True)
    return lines


POLICIES = ("design", "random", "cheapest", "d-optimal", "largest")


def main() -> None:
    """Replay what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="*", default=list(range(10)))
    parser.add_argument("--pool", nargs="*", default=list(POOLS), choices=list(POOLS))
    parser.add_argument("--policy", nargs="*", default=list(POLICIES))
    parser.add_argument("--inner", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--output", type=Path, help="CSV of every seed, policy and budget; what it holds is kept")
    parser.add_argument("--summary", action="store_true", help=f"only print what {RESULTS.name} holds")
    asked = parser.parse_args()
    if asked.summary:
        print(summary(pd.read_csv(RESULTS)))
        return
    # Seeds outermost, so that a replay cut short has as many of each pool.
    tasks = [(n, p, s, asked.inner) for s in asked.seeds for n in asked.pool for p in asked.policy]
    lines: list[dict[Any, Any]] = []
    if asked.output and asked.output.exists():
        lines = pd.read_csv(asked.output).to_dict("records")
        known = {(line["pool"], line["policy"], line["seed"]) for line in lines}
        tasks = [task for task in tasks if task[:3] not in known]
    with ProcessPoolExecutor(asked.jobs) as workers:
        for done in workers.map(replay, tasks):
            lines += [{**line, "date": date.today().isoformat(), "bayescale": bs.__version__} for line in done]
            if asked.output:
                pd.DataFrame(lines).to_csv(asked.output, index=False)
    print(summary(pd.DataFrame(lines)))


def summary(table: pd.DataFrame) -> str:
    """Mean and standard deviation over seeds, a line for each pool and policy."""
    grouped = table.groupby(["pool", "policy", "budget"], sort=False)
    shown = pd.DataFrame(
        {
            "seeds": grouped.size(),
            "R2": grouped["R2"].agg(lambda x: f"{x.mean():.3f} ± {x.std():.3f}"),
            "RMSE": grouped["RMSE"].agg(lambda x: f"{x.mean():.4f} ± {x.std():.4f}"),
            "runs": grouped["runs"].median(),
        }
    )
    return shown.to_string()


if __name__ == "__main__":
    sys.exit(main())
