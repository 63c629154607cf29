"""Which model for which table? A default chosen from the columns, never from how it scores on that table."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from bayescale.answers.mixture import Stack
from bayescale.answers.stacking import BOOTSTRAPS, ENOUGH, stack
from bayescale.errors import BayescaleWarning, InputError
from bayescale.given import check_kind
from bayescale.inference import fit, whole
from bayescale.law import Law
from bayescale.laws import find_law
from bayescale.model import Model
from bayescale.posterior import Posterior
from bayescale.streams import stream
from bayescale.tables import check_names_differ
from bayescale.words import listed

GROUPS = ("modality", "domain", "task", "curve_id", "train_dataset", "board_size")  # what tables call their groups
CUTS = (0.2,)
DEPARTING = ", departing"


@dataclass(frozen=True, eq=False)
class Recipe:
    """How to model a table: laws, pooling and noise, with the reasons.

    Parameters
    ----------
    laws : tuple of Law or str
        Those taken as exact.
    pool, noise
        As `Model` takes them, the same for all.
    departing : tuple of Law or str
        Those from which the truth may depart smoothly, ``discrepancy=True``. A law may be among both.
    reasons : tuple of str
        Why, one sentence for each choice.
    """

    laws: tuple[Law | str, ...]
    pool: str | Mapping[str, str | None] | None = None
    noise: str | None = None
    departing: tuple[Law | str, ...] = ()
    reasons: tuple[str, ...] = ()

    def models(self, runs: pd.DataFrame) -> dict[str, Model]:
        """One model of these runs for each law; by the law's name, or ``"<law>, departing"`` where both are taken."""
        exact, departing = (
            [find_law(law, runs.columns) if isinstance(law, str) else law for law in laws]
            for laws in (self.laws, self.departing)
        )
        plain = _names(exact)
        names = [*plain, *(f"{name}{DEPARTING}" if name in plain else name for name in _names(departing))]
        return {
            name: Model(law, runs, pool=self.pool, noise=self.noise, discrepancy=k >= len(exact))
            for k, (name, law) in enumerate(zip(names, [*exact, *departing], strict=True))
        }

    def fit(self, runs: pd.DataFrame, *, seed: int = 0, progress: bool | None = None) -> Posterior | Stack:
        """Fit every law; of several, learn the weights on the largest fifth of the runs (`weigh`).

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
        models = self.models(runs)
        if len(models) == 1:
            return fit(next(iter(models.values())), seed=seed, progress=progress)
        posteriors = {name: whole(fit(model, seed=seed, progress=progress)) for name, model in models.items()}
        return weigh(posteriors, seed=seed, progress=progress)

    def __str__(self):
        exact, departing = (
            [law if isinstance(law, str) else law.name for law in laws] for laws in (self.laws, self.departing)
        )
        names = [*exact, *(f"{name} with a departure" for name in departing)]
        settings = [f"pool {self.pool}" if self.pool else "", f"noise {self.noise}" if self.noise else ""]
        several = "Stack of" if len(names) > 1 else "Law"
        said = "; ".join([f"{several} {listed(names)}", *(text for text in settings if text)])
        return "\n".join([said, *(f"  {reason}" for reason in self.reasons)])

    def __repr__(self):
        return str(self)


def weigh(posteriors: Mapping[str, Posterior], *, seed: int = 0, progress: bool | None = None) -> Stack:
    """Stack laws by how well each foretells the largest fifth of the runs from the others: one more fit of each.

    Where too few runs are left to fit, all have the same weight, and a `BayescaleWarning` says so.
    """
    try:
        return stack(posteriors, cuts=CUTS, seed=seed, progress=progress)
    except InputError as error:
        said = f"Nothing weighs the laws, so they have equal weights: {error}"
    warnings.warn(said, BayescaleWarning, stacklevel=3)
    names, equal = list(posteriors), np.full(len(posteriors), 1 / len(posteriors))
    draws = stream("stack weights", seed).dirichlet(ENOUGH * equal, BOOTSTRAPS)
    drawn = xr.DataArray(draws, {"law": names}, ("sample", "law"))
    return Stack(
        dict(posteriors), dict(zip(names, equal.tolist(), strict=True)), drawn, "largest", seed, (said,), (said,)
    )


def _names(laws: Sequence[Law]) -> list[str]:
    """Names of laws; with its column, where one law is taken of several."""
    names = [law.name for law in laws]
    return names if len(set(names)) == len(names) else [f"{law.name}:{law.columns[0]}" for law in laws]


@dataclass(frozen=True)
class _Kind:
    """A kind of table: the columns it has, and the laws for it, the main one first."""

    columns: tuple[str, ...]
    laws: tuple[str, ...]
    reason: str


# The first whose columns the table has, so those that ask for more come first.
_KINDS = (
    _Kind(("N", "D", "D_U", "L"), ("data_constrained",), "Unique tokens are given: repeated data are worth less."),
    _Kind(("N", "experts", "L"), ("clark",), "Experts are given: the law of routed models."),
    _Kind(
        ("N", "D", "L"),
        ("chinchilla", "kaplan_offset"),
        "Loss against parameters and tokens: the additive law, and Kaplan's joint form with a floor.",
    ),
    _Kind(("C", "board_size", "elo"), ("elo_frontier",), "Elo on boards of several sizes: the law of that frontier."),
    _Kind(("D", "L"), ("saturating:D",), "Loss against data alone: a power law with a floor."),
    _Kind(("C", "L"), ("saturating:C",), "Loss against compute alone: a power law with a floor."),
    _Kind(("N", "L"), ("saturating:N",), "Loss against size alone: a power law with a floor."),
    _Kind(("C", "chance", "accuracy"), ("sigmoid_of_compute:C",), "Accuracy against compute: a sigmoid above chance."),
)


def recommend(runs: pd.DataFrame, pool: str | Mapping[str, str | None] | None = None) -> Recipe:
    """Choose a model for a table by the kind of table it is.

    The choice looks at which columns there are and which of them vary, never at how well a law does on this table, so
    that a `backtest` of it is honest there. Which laws are mixed, and how they are weighed, was settled on inner splits
    of seven public tables (the largest fifth of the runs that the outer split fits; ``python
    tests/benchmarks/scoreboard.py --summary``): mean log score 1.67 against 1.20 for the exact law and 1.57 with a
    departure. That weights are always shrunk somewhat towards equal ones (`stack`) was settled on inner splits that
    reach farther, 1.405 against 1.403 without and 1.392 with twice as much; it was turned to after 22 % of the 104
    Chinchilla runs above 1e20 FLOP had lain outside their 95 % intervals, all weight being with the exact law. Now 1 %
    do. On the outer splits of ten tables, two of which nobody had looked at, the 50, 80 and 95 % intervals hold .55,
    .89 and .99 on average, table by table .92 to 1.00 at 95 %: rather too wide. On two more tables, scored once and
    before weights were shrunk, the error was .18 and .68 of that of least squares, and the 95 % interval held 24 of 24
    and 17 of 23. Backtest your own table.

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
    Stack of chinchilla, kaplan_offset, chinchilla with a departure; pool modality
      Loss against parameters and tokens: the additive law, and Kaplan's joint form with a floor.
      6 groups in column 'modality': they share strength, and each has its own law.
      No law is exact: the first is also taken with a smooth departure of learnt size.
      Which of them to trust is learnt: each by how well it foretells the largest fifth of the runs from the others.
    """
    check_kind("runs", runs, pd.DataFrame, "Read them with read_runs.")
    check_names_differ(runs.columns)
    check_kind("pool", "" if pool is None else pool, (str, Mapping), "Name a column of the runs.")
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
        named = isinstance(pool, str) and pool in runs
        groups = f"{runs[pool].nunique()} groups in column {pool!r}" if named else "Groups"
        reasons.append(f"{groups}: they share strength, and each has its own law.")
    return Recipe(kind.laws, pool, None, kind.laws[:1], (*reasons, *_MIXED))


_MIXED = (
    "No law is exact: the first is also taken with a smooth departure of learnt size.",
    "Which of them to trust is learnt: each by how well it foretells the largest fifth of the runs from the others.",
)
_MAY_BE_CONSTANT = ("chance",)


def _varies(runs: pd.DataFrame, column: str) -> bool:
    return column in runs and (column in _MAY_BE_CONSTANT or len(runs[column].unique()) > 1)
