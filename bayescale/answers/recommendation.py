"""Which model for which table? A default chosen from the columns, never from how it scores on that table."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from bayescale.answers.mixture import Stack
from bayescale.answers.stacking import stack
from bayescale.errors import InputError
from bayescale.inference import fit
from bayescale.law import Law
from bayescale.laws import find_law
from bayescale.model import Model
from bayescale.posterior import Posterior
from bayescale.words import listed

GROUPS = ("modality", "domain", "task", "curve_id", "train_dataset", "board_size")  # what tables call their groups


@dataclass(frozen=True, eq=False)
class Recipe:
    """How to model a table: laws, pooling, noise and discrepancy, with the reasons.

    Parameters
    ----------
    laws : tuple of Law or str
        One, or several to be stacked.
    pool, noise, discrepancy
        As `Model` takes them, the same for all.
    reasons : tuple of str
        Why, one sentence for each choice.
    """

    laws: tuple[Law | str, ...]
    pool: str | Mapping[str, str | None] | None = None
    noise: str | None = None
    discrepancy: bool = False
    reasons: tuple[str, ...] = ()

    def models(self, runs: pd.DataFrame) -> dict[str, Model]:
        """One model of these runs for each law, by the law's name."""
        laws = [find_law(law, runs.columns) if isinstance(law, str) else law for law in self.laws]
        names = [law.name for law in laws]
        if len(set(names)) < len(names):
            names = [f"{law.name}:{law.columns[0]}" for law in laws]
        return {
            name: Model(law, runs, pool=self.pool, noise=self.noise, discrepancy=self.discrepancy)
            for name, law in zip(names, laws, strict=True)
        }

    def fit(self, runs: pd.DataFrame, *, seed: int = 0, progress: bool | None = None) -> Posterior | Stack:
        """Fit every law; of several, learn the weights on the largest runs (`stack`).

        Parameters
        ----------
        runs : DataFrame
            A table with the columns this was recommended for.
        seed : int
            For all fits and the weights.
        progress : bool, optional
            Show the progress of fits.

        Returns
        -------
        Posterior or Stack
            Either is asked alike: `forecast`, `allocate`, `threshold`.
        """
        posteriors = {name: fit(model, seed=seed, progress=progress) for name, model in self.models(runs).items()}
        if len(posteriors) == 1:
            return next(iter(posteriors.values()))
        return stack(posteriors, seed=seed, progress=progress)

    def __str__(self):
        names = listed(law if isinstance(law, str) else law.name for law in self.laws)
        settings = [
            f"pool {self.pool}" if self.pool else "",
            f"noise {self.noise}" if self.noise else "",
            "with a discrepancy" if self.discrepancy else "",
        ]
        several = "Stack of" if len(self.laws) > 1 else "Law"
        said = "; ".join([f"{several} {names}", *(text for text in settings if text)])
        return "\n".join([said, *(f"  {reason}" for reason in self.reasons)])

    def __repr__(self):
        return str(self)


@dataclass(frozen=True)
class _Kind:
    """A kind of table: the columns it has, and the laws for it."""

    columns: tuple[str, ...]
    laws: tuple[str, ...]
    reason: str


# The first whose columns the table has, so those that ask for more come first.
_KINDS = (
    _Kind(("N", "D", "D_U", "L"), ("data_constrained",), "Unique tokens are given: repeated data are worth less."),
    _Kind(("N", "experts", "L"), ("clark",), "Experts are given: the law of routed models."),
    _Kind(("N", "D", "L"), ("chinchilla",), "Loss against parameters and tokens: the additive law."),
    _Kind(("C", "board_size", "elo"), ("elo_frontier",), "Elo on boards of several sizes: the law of that frontier."),
    _Kind(("D", "L"), ("saturating:D",), "Loss against data alone: a power law with a floor."),
    _Kind(("C", "L"), ("saturating:C",), "Loss against compute alone: a power law with a floor."),
    _Kind(("N", "L"), ("saturating:N",), "Loss against size alone: a power law with a floor."),
    _Kind(("C", "chance", "accuracy"), ("sigmoid_of_compute:C",), "Accuracy against compute: a sigmoid above chance."),
)


def recommend(runs: pd.DataFrame, pool: str | Mapping[str, str | None] | None = None) -> Recipe:
    """Choose a model for a table by the kind of table it is.

    The choice looks at which columns there are and which of them vary, never at how well a law does on this table, so
    that a `backtest` of it is honest there. That the default has a discrepancy was decided with the two Chinchilla
    splits in view, not on inner splits: on those two tables its scores are no independent test. On other public tables
    the exact law did better (``python tests/benchmarks/scoreboard.py --summary``); backtest your own with both.

    Parameters
    ----------
    runs : DataFrame
        A table from `read_runs` or `load_runs`.
    pool : str or mapping, optional
        As `Model` takes it; by default a column with a usual name of groups (modality, domain, task, ...).

    Returns
    -------
    Recipe
        ``print`` it for the reasons; ``recipe.fit(runs)`` fits it.

    Raises
    ------
    InputError
        No law is known for these columns.

    Examples
    --------
    >>> import bayescale as bs
    >>> print(bs.recommend(bs.load_runs("tiny_sweep")))
    Law chinchilla; pool modality; with a discrepancy
      Loss against parameters and tokens: the additive law.
      6 groups in column 'modality': they share strength, and each has its own law.
      No law is exact: a smooth departure of learnt size widens the band beyond the runs. Backtest without it, too.
    """
    kind = next((kind for kind in _KINDS if all(_varies(runs, c) for c in kind.columns)), None)
    if kind is None:
        known = "; ".join(" ".join(kind.columns) for kind in _KINDS)
        raise InputError(
            f"No law is recommended for the columns {listed(runs.columns)}; there is one for tables with {known}. Name "
            "a law, laws=['...'], --law ...; `bayescale laws` lists them."
        )
    reasons = [kind.reason]
    if pool is None:
        pool = next((c for c in GROUPS if c in runs and c not in kind.columns and _varies(runs, c)), None)
    if pool is not None:
        groups = f"{runs[pool].nunique()} groups in column {pool!r}" if pool in runs else "Groups"
        reasons.append(f"{groups}: they share strength, and each has its own law.")
    reasons.append(_DEPARTURE)
    return Recipe(kind.laws, pool, None, True, tuple(reasons))


_DEPARTURE = (
    "No law is exact: a smooth departure of learnt size widens the band beyond the runs. Backtest without it, too."
)
_MAY_BE_CONSTANT = ("chance",)


def _varies(runs: pd.DataFrame, column: str) -> bool:
    return column in runs and (column in _MAY_BE_CONSTANT or len(runs[column].unique()) > 1)
