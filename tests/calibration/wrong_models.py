"""Calibration under wrong models: what the intervals hold where what is assumed of the runs is not so.

    python tests/calibration/wrong_models.py --simulations 100     # simulates and fits; goes on where the log ends
    python tests/calibration/wrong_models.py --summary             # prints the table of the log kept beside it

Each simulation draws a truth near Hoffmann's and 36 runs from 1e18 to 1e20 FLOP (checkpoints: eight runs of six),
breaks one assumption, fits, and asks for a run of ten times the compute of the largest at 20 tokens per parameter. Held
or not is a run made there in the same way (with a new offset, tail or shortfall; its inputs and its loss exactly
recorded), and the law itself. Every simulation of every condition is made again with the option that answers the
condition, from the same runs. A line of the log is a fit; nothing is left out.
"""

import argparse
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import bayescale as bs
from bayescale.answers.check import check_sentences
from bayescale.conversions import non_embedding_parameters

LOG = Path(__file__).with_suffix(".csv")
SIGMA = 0.005
TAILS, SHORT, OFFSET, ROUGH, STEP = 2.0, 0.02, 0.01, 0.05, 0.01
LEVELS = (0.5, 0.9)
CHECKED, NOT_CHECKED = 50, "not checked"  # in so many simulations fits are checked, those with an option in half
ALARMS = ("MISFIT", "Slight misfit", "CLUSTERED", "ONE-SIDED", "OUTLIERS", "ROUNDED")


@dataclass(frozen=True)
class Truth:
    """A law near Hoffmann's, relative to N = 1e8 and D = 2e9; ``joint`` below 1 couples size and tokens."""

    E: float
    A: float
    B: float
    alpha: float
    beta: float
    joint: float = 1.0

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Truth":
        """Log-normal, 15 % about Hoffmann's constants (exponents 10 %)."""
        about = (1.69, 406.4 / 1e8**0.34, 410.7 / 2e9**0.28, 0.34, 0.28)
        return cls(
            *(c * np.exp(s * rng.standard_normal()) for c, s in zip(about, (0.15,) * 3 + (0.1,) * 2, strict=True))
        )

    def __call__(self, N, D):
        """Loss without noise."""
        size, tokens = self.A * (N / 1e8) ** -self.alpha, self.B * (D / 2e9) ** -self.beta
        return self.E + (size ** (1 / self.joint) + tokens ** (1 / self.joint)) ** self.joint


@dataclass(frozen=True)
class Case:
    """Runs as they were recorded, the law at the run asked for, and what such a run measures; the inputs to ask at."""

    runs: pd.DataFrame
    law: float
    run: float
    asked: dict[str, float] = field(default_factory=dict)


def isoflop() -> pd.DataFrame:
    """Six budgets, six sizes of each: 2 to 200 tokens per parameter."""
    C, ratio = (x.ravel() for x in np.meshgrid(np.geomspace(1e18, 1e20, 6), np.geomspace(2, 200, 6)))
    return pd.DataFrame({"N": np.sqrt(C / 6 / ratio), "D": np.sqrt(C * ratio / 6), "budget": np.round(np.log10(C), 2)})


def checkpoints() -> pd.DataFrame:
    """Eight runs of growing size, six checkpoints of each up to 40 tokens per parameter."""
    N, share = np.meshgrid(np.geomspace(2e7, 6.5e8, 8), np.geomspace(0.1, 1, 6), indexing="ij")
    return pd.DataFrame({"N": N.ravel(), "D": (40 * N * share).ravel(), "run": np.repeat(np.arange(8), 6)})


def target(runs: pd.DataFrame) -> tuple[float, float]:
    """Ten times the compute of the largest run, at 20 tokens per parameter."""
    C = 60 * float((runs["N"].to_numpy() * runs["D"].to_numpy()).max())
    return float(np.sqrt(C / 120)), float(np.sqrt(C * 20 / 6))


def made(
    rng: np.random.Generator,
    scatter: Callable[[pd.DataFrame, np.random.Generator], Any],
    design: Callable[[], pd.DataFrame] = isoflop,
    joint: float = 1.0,
) -> Case:
    """Runs of a truth; ``scatter`` gives the errors of log loss, of the runs and last of the run asked for."""
    truth = Truth.drawn(rng)
    truth = Truth(truth.E, truth.A, truth.B, truth.alpha, truth.beta, joint)
    runs = design()
    N, D = target(runs)
    error = scatter(runs, rng)
    loss = truth(runs["N"], runs["D"]) * np.exp(error[:-1])
    law = float(truth(N, D))
    return Case(runs.assign(L=loss), law, law * float(np.exp(error[-1])), {"N": N, "D": D})


def normal(runs, rng, scale=SIGMA):
    """Independent errors."""
    return scale * rng.standard_normal(len(runs) + 1)


def heavy(runs, rng):
    """Student-t errors with two degrees of freedom: no variance."""
    return SIGMA * rng.standard_t(TAILS, len(runs) + 1)


def by_budget(runs, rng):
    """An offset for each budget, and a new one."""
    codes = np.append(np.unique(runs["budget"], return_inverse=True)[1], 6)
    return OFFSET * rng.standard_normal(7)[codes] + normal(runs, rng, 0.003)


def along_runs(runs, rng):
    """An offset for each run; half its variance wanders along the run, correlated 0.8 from checkpoint to checkpoint."""
    wander = rng.standard_normal((8, 6))
    for k in range(1, 6):
        wander[:, k] = 0.8 * wander[:, k - 1] + 0.6 * wander[:, k]
    shared = OFFSET * np.sqrt(0.5) * (rng.standard_normal((8, 1)) + wander)
    return np.append(shared.ravel(), OFFSET * rng.standard_normal()) + normal(runs, rng, 0.002)


def short(runs, rng):
    """Runs fall short of the law by an exponential amount."""
    return SHORT * rng.standard_exponential(len(runs) + 1) + normal(runs, rng, 0.003)


def by_size(runs, rng):
    """Small runs scatter more: a tenfold compute halves the scale."""
    C = np.append(6 * runs["N"] * runs["D"], 60 * (runs["N"] * runs["D"]).max())
    return SIGMA * (C / 1e19) ** -0.3 * rng.standard_normal(len(C))


def uncounted(rng) -> Case:
    """Embedding parameters are left out of N, of the run asked for too."""
    case = made(rng, normal)
    return Case(
        case.runs.assign(N=non_embedding_parameters(case.runs["N"])),
        case.law,
        case.run,
        {**case.asked, "N": float(non_embedding_parameters(case.asked["N"]))},
    )


def rounded(rng) -> Case:
    """Losses read off a figure to 0.01."""
    case = made(rng, lambda runs, rng: normal(runs, rng, 0.002))
    return Case(case.runs.assign(L=np.round(case.runs["L"] / STEP) * STEP), case.law, case.run, case.asked)


def rough(rng) -> Case:
    """Recorded N and D are off by 5 %."""
    case = made(rng, lambda runs, rng: normal(runs, rng, 0.002))
    off = {c: case.runs[c] * np.exp(ROUGH * rng.standard_normal(len(case.runs))) for c in ("N", "D")}
    recorded = case.runs.drop(columns="budget").assign(**off)  # a record would have 6ND of the two
    return Case(recorded, case.law, case.run, case.asked)


CONDITIONS: dict[str, Callable[[np.random.Generator], Case]] = {
    "none: the model is right": lambda rng: made(rng, normal),
    "truth from another law": lambda rng: made(rng, normal, joint=0.6),
    "heavy tails": lambda rng: made(rng, heavy),
    "noise clustered by budget": lambda rng: made(rng, by_budget),
    "checkpoints of one run": lambda rng: made(rng, along_runs, checkpoints),
    "under-tuned runs": lambda rng: made(rng, short),
    "embedding not counted": uncounted,
    "losses rounded to .01": rounded,
    "N and D off by 5 %": rough,
    "small runs noisier": lambda rng: made(rng, by_size),
}
DEFAULT: dict[str, Any] = {}
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "none: the model is right": [DEFAULT],
    "truth from another law": [DEFAULT, {"discrepancy": True}],
    "heavy tails": [{"noise": "normal"}, DEFAULT],
    "noise clustered by budget": [DEFAULT, {"cluster": "budget"}],
    "checkpoints of one run": [DEFAULT, {"cluster": "run"}],
    "under-tuned runs": [DEFAULT, {"noise": "frontier"}],
    "embedding not counted": [DEFAULT, {"discrepancy": True}],
    "losses rounded to .01": [DEFAULT, {"L_se": STEP / np.sqrt(12)}],
    "N and D off by 5 %": [DEFAULT, {"input_error": {"N": ROUGH, "D": ROUGH}}],
    "small runs noisier": [DEFAULT, {"noise": "student+size"}],
}


def words(option: dict[str, Any]) -> str:
    """Say an option as the table does."""
    return ", ".join(f"{k}={v:.2g}" if isinstance(v, float) else f"{k}={v!r}" for k, v in option.items()) or "default"


def fitted(case: Case, option: dict[str, Any], seed: int):
    """Fit the recorded runs; a column of errors is an option too."""
    settings = {k: v for k, v in option.items() if k != "L_se"}
    runs = case.runs.assign(L_se=option["L_se"]) if "L_se" in option else case.runs
    return bs.fit(
        bs.Model("chinchilla", runs, **settings), seed=seed, draws=250, tune=300, progress=False, method="fast"
    )


def outcome(condition: str, option: dict[str, Any], simulation: int) -> dict[str, Any]:
    """One line of the log."""
    case = CONDITIONS[condition](np.random.default_rng([simulation, *map(ord, condition)]))
    started = time.process_time()
    posterior = fitted(case, option, simulation)
    cost = time.process_time() - started
    answer = bs.forecast(posterior, seed=simulation, **case.asked)
    line: dict[str, Any] = {"condition": condition, "option": words(option), "simulation": simulation}
    for name, draws, value in (
        ("run", answer["L_run"], case.run),
        ("law", answer["L_true"] if "L_true" in answer else answer["L"], case.law),
    ):
        line[f"below_{name}"] = round(float((draws < value).mean()), 4)
        low, high = draws.quantile([0.05, 0.95]).to_numpy()
        line[f"width_{name}"] = float(f"{(high - low) / case.law:.4g}")
    checked = simulation < CHECKED // (1 if option == OPTIONS[condition][0] else 2)
    said = check_sentences(bs.check_fit(posterior)) if checked else None
    alarms = [alarm for alarm in ALARMS if any(s.startswith(alarm) for s in said or ())]
    return line | {
        "warned": NOT_CHECKED if said is None else "; ".join(alarms),
        "converged": posterior.converged,
        "sampler": posterior.info["sampler"].partition(",")[0],
        "seconds": round(cost, 2),
        "version": bs.__version__,
        "date": date.today().isoformat(),
    }


def in_order(simulations: int) -> Iterator[tuple[str, dict[str, Any], int]]:
    """All fits; those with a discrepancy, which take NUTS and twenty times as long, at a fifth of the pace."""
    cells = [(condition, option) for condition, options in OPTIONS.items() for option in options]
    for slow in range(simulations):
        quick = range(5 * slow, min(5 * slow + 5, simulations))
        yield from ((*cell, k) for k in quick for cell in cells if "discrepancy" not in cell[1])
        yield from ((*cell, slow) for cell in cells if "discrepancy" in cell[1])


def simulate_all(simulations: int, minutes: float) -> None:
    """Make what the log lacks, simulation by simulation, in the order of `in_order`."""
    done = set()
    if LOG.exists():
        log = pd.read_csv(LOG)
        done = set(zip(log["condition"], log["option"], log["simulation"], strict=True))
    end = time.monotonic() + 60 * minutes
    for condition, option, simulation in in_order(simulations):
        if (condition, words(option), simulation) in done:
            continue
        if time.monotonic() > end:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", bs.BayescaleWarning)
            warnings.simplefilter("ignore", bs.ConvergenceWarning)  # counted in the log
            line = pd.DataFrame([outcome(condition, option, simulation)])
        line.to_csv(LOG, mode="a", header=not LOG.exists(), index=False)


def summary(log: Any) -> pd.DataFrame:
    """Coverage of the central 50 and 90 % intervals of a run and of the law, median widths, and what was warned of."""
    rows = []
    cells: Any = log.groupby(["condition", "option"], sort=False)
    for (condition, option), part in cells:
        n = len(part)
        row: dict[str, Any] = {"condition": condition, "option": option, "fits": n}
        for name in ("run", "law"):
            for level in LEVELS:
                held = int((abs(part[f"below_{name}"] - 0.5) <= level / 2).sum())
                # Of Jeffreys' posterior of a share, which is not zero where all are held.
                error = np.sqrt((held + 0.5) * (n - held + 0.5) / (n + 1) ** 2 / (n + 2))
                row[f"{name} {level:.0%}"] = f"{held / n:.2f} ± {error:.2f}"
            row[f"{name} width"] = f"{100 * part[f'width_{name}'].median():.1f} %"
        warned = part["warned"].fillna("")
        warned = warned[warned != NOT_CHECKED]
        row["warned"] = f"{(warned != '').mean():.2f}"
        counts = warned[warned != ""].str.split("; ").explode().value_counts()
        row["of"] = ", ".join(f"{k} {v / len(warned):.2f}" for k, v in counts.items())
        row["not converged"] = int((~part["converged"]).sum())
        rows.append(row)
    order = {c: k for k, c in enumerate(CONDITIONS)}
    return pd.DataFrame(rows).sort_values("condition", key=lambda c: c.map(order), kind="stable")


def markdown(table: pd.DataFrame) -> str:
    """Lay the summary out as the README has it."""
    shown: Any = table[["condition", "option", "fits", "run 50%", "run 90%", "law 90%", "run width", "of"]]
    shown = shown.rename(columns={"of": "share of fits warned of"})
    lines = ["| " + " | ".join(shown.columns) + " |", "|" + "---|" * len(shown.columns)]
    lines += ["| " + " | ".join(str(v) for v in row) + " |" for row in shown.itertuples(index=False)]
    return "\n".join(lines)


def main() -> None:
    """Simulate, or print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--simulations", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=1e6, help="stop after so long; the log goes on from there")
    parser.add_argument("--summary", action="store_true")
    asked = parser.parse_args()
    simulate_all(asked.simulations, asked.minutes)
    if asked.summary:
        log: Any = pd.read_csv(LOG)
        print(markdown(summary(log)))
        failed, versions = int((log["converged"] == 0).sum()), ", ".join(log["version"].unique())
        print(f"\n{len(log)} fits, {failed} not converged; bayescale {versions}, {log['date'].max()}")


if __name__ == "__main__":
    main()
