"""Good things for bad input to spoil: tables, posteriors made without a sampler, saved files, learning curves."""

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd

import bayescale as bs

FITTERS = ("inference", "answers.recommendation", "answers.backtest", "answers.comparison", "answers.reproduction",
           "answers.updating")  # fmt: skip


ANALYSIS = """\"\"\"An analysis.\"\"\"
import bayescale as bs

model = bs.Model("chinchilla", bs.load_runs("tiny_sweep").query("modality == 'text'").drop(columns="modality"))
agrees = ["hoffmann2022"]
"""


@dataclass(frozen=True)
class World:
    """What the cases start from; ``folder`` is theirs to write in."""

    folder: Path
    runs: pd.DataFrame
    posteriors: dict[str, Any]
    curves: Any
    new: pd.DataFrame
    tiny: pd.DataFrame
    files: dict[str, bytes]

    def write(self, name: str, content: bytes) -> Path:
        """Write a file into the folder."""
        path = self.folder / name
        path.write_bytes(content)
        return path


def make_world(folder: Path) -> World:
    """Make it, in seconds: draws are those of priors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        runs = _runs()
        posteriors = _posteriors(runs)
        steps = pd.DataFrame({"run": list("aaabbb"), "D": [1e6, 4e6, 16e6] * 2, "L": [0.9, 0.5, 0.3, 0.8, 0.6, 0.44]})
        curves = bs.fit_curves(steps, curve="run")
        files = {}
        for name, posterior in posteriors.items():
            posterior.save(folder / f"{name}.nc")
            files[f"{name}.nc"] = (folder / f"{name}.nc").read_bytes()
    runs.to_csv(folder / "runs.csv", index=False)
    steps.to_csv(folder / "curves.csv", index=False)
    new = runs.iloc[:8].assign(N=runs["N"].iloc[:8] * 100)
    new.to_csv(folder / "new.csv", index=False)
    (folder / "analysis.py").write_text(ANALYSIS)
    files |= {name: (folder / name).read_bytes() for name in ("runs.csv", "curves.csv", "new.csv")}
    return World(folder, runs, posteriors, curves, new, bs.load_runs("tiny_sweep"), files)


def _runs() -> pd.DataFrame:
    """Hoffmann's law on a grid, a per cent of noise."""
    N, D = (x.ravel() for x in np.meshgrid(np.logspace(7, 9, 5), np.logspace(9, 11, 5)))
    L = (1.69 + 406.4 / N**0.34 + 410.7 / D**0.28) * np.exp(0.01 * np.random.default_rng(1).standard_normal(25))
    return pd.DataFrame({"N": N, "D": D, "L": L})


def _posteriors(runs: pd.DataFrame) -> dict[str, Any]:
    def of(*args: Any, draws: int = 40, **options: Any):
        return bs.sample_prior(bs.Model(*args, **options), draws=draws)

    answers = bs.load_runs("tiny_emergence").query("task in ('add1', 'sort5')")
    ability = answers.assign(L=4.0 - 0.1 * np.log(answers["D"]))
    games = pd.DataFrame(
        {"board_size": [5.0, 7.0] * 6, "C": np.logspace(15, 21, 12), "elo": np.linspace(-2500, -300, 12)}
    )
    posteriors = {
        "post": of("chinchilla", runs, noise="normal"),
        "grouped": of("chinchilla", bs.load_runs("tiny_sweep"), pool="modality"),
        "departing": of("chinchilla", runs, discrepancy=True),
        "kaplan": of("kaplan", runs),
        "one": of("saturating:D", runs),
        "broken": of("broken_1:N", runs),
        "answers": of("sigmoid_of_compute:D", answers, pool="task"),
        "ability": of("sigmoid_of_loss", ability, pool="task"),
        "few": of("chinchilla", runs, draws=3),
        "elo": of("elo_frontier", games),
    }
    laws = {"kaplan": posteriors["kaplan"], "chinchilla": of("chinchilla", runs)}
    posteriors["stack"] = bs.stack(laws, by="waic", seed=4)
    return posteriors


def _prior_for_posterior(model: Any, *, seed: int | None = None, draws: int = 20, **settings: Any) -> Any:
    """Stand in for `fit`, whose settings it checks as `fit` does: draws of the prior."""
    from bayescale.inference import _check_settings

    given = {"tune": 1000, "chains": 4, "target_accept": None} | settings
    _check_settings(draws, given["tune"], given["chains"], given["target_accept"], seed)
    return bs.sample_prior(model, draws=20, seed=seed or 0)


@contextmanager
def no_sampling() -> Iterator[None]:
    """Let nobody wait for a sampler: a fit ends with draws of its prior."""
    with ExitStack() as stack:
        for module in FITTERS:
            stack.enter_context(mock.patch(f"bayescale.{module}.fit", _prior_for_posterior))
        yield
