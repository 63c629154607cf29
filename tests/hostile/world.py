"""Good things for bad input to spoil: tables, posteriors made without a sampler, saved files, learning curves."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd

import bayescale as bs

FITTERS = (
    "inference",
    "answers.recommendation",
    "answers.backtest",
    "answers.comparison",
    "answers.reproduction",
    "answers.updating",
)


ANALYSIS = """\"\"\"An analysis.\"\"\"
import bayescale as bs

model = bs.Model("chinchilla", bs.load_runs("tiny_sweep").query("modality == 'text'").drop(columns="modality"))
agrees = ["hoffmann2022"]
"""


class World:
    """What the cases start from; each thing is made when it is first asked for.

    Parameters
    ----------
    folder : Path
        Where files may be written; saved posteriors and tables appear there under their names.
    """

    def __init__(self, folder: Path):
        self.folder, self._things, self._saved = folder, {}, {}
        for name in ("runs", "steps", "new"):
            self.thing(name).to_csv(folder / f"{'curves' if name == 'steps' else name}.csv", index=False)
        (folder / "analysis.py").write_text(ANALYSIS)

    @property
    def runs(self) -> pd.DataFrame:
        """Hoffmann's law on a grid, a per cent of noise."""
        return self.thing("runs")

    def thing(self, name: str) -> Any:
        """A table, a posterior, a stack or learning curves, by name."""
        if name not in self._things:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._things[name] = MADE[name](self)
        return self._things[name]

    def save(self, name: str) -> bytes:
        """Have a posterior in the folder, as it was saved; its bytes."""
        path = self.folder / f"{name}.nc"
        if name not in self._saved:
            self.thing(name).save(path)
            self._saved[name] = path.read_bytes()
        elif not path.exists() or path.stat().st_size != len(self._saved[name]):
            path.write_bytes(self._saved[name])
        return self._saved[name]

    def write(self, name: str, content: bytes) -> Path:
        """Write a file into the folder."""
        path = self.folder / name
        path.write_bytes(content)
        return path


def _runs(world: World) -> pd.DataFrame:
    N, D = (x.ravel() for x in np.meshgrid(np.logspace(7, 9, 5), np.logspace(9, 11, 5)))
    L = (1.69 + 406.4 / N**0.34 + 410.7 / D**0.28) * np.exp(0.01 * np.random.default_rng(1).standard_normal(25))
    return pd.DataFrame({"N": N, "D": D, "L": L})


def _prior(law: str, table: str, draws: int = 40, **options: Any) -> Callable[[World], Any]:
    return lambda world: bs.sample_prior(bs.Model(law, world.thing(table), **options), draws=draws)


def _answers(world: World) -> pd.DataFrame:
    return bs.load_runs("tiny_emergence").query("task in ('add1', 'sort5')")


MADE: dict[str, Callable[[World], Any]] = {
    "runs": _runs,
    "new": lambda world: world.runs.iloc[:8].assign(N=world.runs["N"].iloc[:8] * 100),
    "tiny": lambda world: bs.load_runs("tiny_sweep"),
    "seeds": lambda world: pd.DataFrame(
        {"N": [1e7, 1e7, 1e8], "D": 1e9, "L": [3.1, 3.2, 2.9], "seed": [1, 2, 1], "modality": "text"}
    ),
    "steps": lambda world: pd.DataFrame(
        {"run": list("aaabbb"), "D": [1e6, 4e6, 16e6] * 2, "L": [0.9, 0.5, 0.3, 0.8, 0.6, 0.44]}
    ),
    "games": lambda world: pd.DataFrame(
        {"board_size": [5.0, 7.0] * 6, "C": np.logspace(15, 21, 12), "elo": np.linspace(-2500, -300, 12)}
    ),
    "tasks": _answers,
    "skills": lambda world: (tasks := world.thing("tasks")).assign(L=4.0 - 0.1 * np.log(tasks["D"])),
    "curves": lambda world: bs.fit_curves(world.thing("steps"), curve="run"),
    "post": _prior("chinchilla", "runs", noise="normal"),
    "few": _prior("chinchilla", "runs", draws=3),
    "chinchilla": _prior("chinchilla", "runs"),
    "departing": _prior("chinchilla", "runs", discrepancy=True),
    "kaplan": _prior("kaplan", "runs"),
    "one": _prior("saturating:D", "runs"),
    "broken": _prior("broken_1:N", "runs"),
    "grouped": _prior("chinchilla", "tiny", pool="modality"),
    "answers": _prior("sigmoid_of_compute:D", "tasks", pool="task"),
    "ability": _prior("sigmoid_of_loss", "skills", pool="task"),
    "elo": _prior("elo_frontier", "games"),
    "stack": lambda world: bs.stack(
        {"kaplan": world.thing("kaplan"), "chinchilla": world.thing("chinchilla")}, by="waic", seed=4
    ),
}


def _prior_for_posterior(model: Any, *, seed: int | None = None, draws: int = 1000, **settings: Any) -> Any:
    """Stand in for `fit`, whose settings it checks as `fit` does: draws of the prior."""
    from bayescale.inference import _check_settings

    given = {"tune": 1000, "chains": 4, "target_accept": None, "method": "nuts", "backend": "numba"} | settings
    _check_settings(
        draws, given["tune"], given["chains"], given["target_accept"], seed, given["method"], given["backend"]
    )
    return bs.sample_prior(model, draws=60, seed=seed or 0)


@contextmanager
def no_sampling() -> Iterator[None]:
    """Let nobody wait for a sampler: a fit ends with draws of its prior."""
    with ExitStack() as stack:
        for module in FITTERS:
            stack.enter_context(mock.patch(f"bayescale.{module}.fit", _prior_for_posterior))
        yield
