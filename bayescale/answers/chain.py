"""Two laws in a row: what one predicts is an input of the next, as a loss of an accuracy."""

from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from bayescale.answers.mixture import Stack
from bayescale.errors import InputError
from bayescale.given import check_kind
from bayescale.law import Output
from bayescale.posterior import NEW, Posterior
from bayescale.streams import stream
from bayescale.words import listed


@dataclass(frozen=True, eq=False)
class Chain:
    """A posterior of a law, and one of a law that takes what the first predicts; made by `chain`.

    Parameters
    ----------
    first : Posterior or Stack
        Of the loss, say, against parameters and tokens.
    second : Posterior
        Of the accuracy against that loss.
    """

    first: Posterior | Stack
    second: Posterior

    @property
    def link(self) -> str:
        """The column that is predicted by the first law and read by the second."""
        member = next(iter(self.first.members.values())) if isinstance(self.first, Stack) else self.first
        return member.model.law.output.symbol

    @property
    def output(self) -> Output:
        """What the chain predicts."""
        return self.second.model.law.output

    @property
    def converged(self) -> bool:
        """Whether the draws of both may be trusted."""
        return self.first.converged and self.second.converged

    @property
    def name(self) -> str:
        """Both laws' names."""
        first = "stack" if isinstance(self.first, Stack) else self.first.model.law.name
        return f"{first} then {self.second.model.law.name}"

    def __str__(self):
        return f"Chain of {self.name}, through {self.link}"

    def __repr__(self):
        return str(self)

    def pair(self, seed: int = 0) -> tuple[Posterior, Posterior]:
        """Return both posteriors with as many draws, paired at random: what each has learnt is independent.

        Raises
        ------
        InputError
            The first is a stack: ask its members one by one.
        """
        if isinstance(self.first, Stack):
            raise InputError("The draws of a stack are paired member by member.")
        shapes = [(p.dataset.sizes["chain"], p.dataset.sizes["draw"]) for p in (self.first, self.second)]
        chains, draws = min(shapes, key=lambda shape: shape[0] * shape[1])
        rng = stream("chain", seed)
        return (_resample(self.first, chains, draws, rng), _resample(self.second, chains, draws, rng))

    def groups(self, group: str | None) -> tuple[str | None, str | None]:
        """Which group is asked of each of the two: of those that have it; the other answers for all of its own.

        Raises
        ------
        InputError
            Neither has the group.
        """
        members = self.first.members.values() if isinstance(self.first, Stack) else (self.first,)
        known = [
            {name for p in posteriors if p.model.group for name in (*p.model.groups, NEW)}
            for posteriors in (members, (self.second,))
        ]
        if group is not None and not any(group in names for names in known):
            raise InputError(
                f"Neither law of the chain has a group {group!r}; they have "
                f"{listed(sorted(known[0] | known[1])) or 'none'}."
            )
        first, second = (group if group in names else None for names in known)
        return first, second


def chain(first: Posterior | Stack, second: Posterior) -> Chain:
    """Feed what one law predicts to another: loss from parameters and tokens, accuracy from loss.

    Draws of the two are paired at random, so that the uncertainty of both is in the answer.

    Parameters
    ----------
    first : Posterior or Stack
        Predicts, say, a loss ``L``.
    second : Posterior
        Of a law with an input read from a column of that name, such as ``sigmoid_of_loss``.

    Returns
    -------
    Chain
        `forecast`, `threshold` and `sharpness` take it as they take a posterior. Inputs are those of both laws without
        the link.

    Raises
    ------
    InputError
        The second law does not take what the first predicts; both are pooled over one column with different groups.

    References
    ----------
    .. [1] Bhagia et al. (2024), arXiv:2412.04403: task loss from parameters and tokens, accuracy from task loss.

    Examples
    --------
    >>> import bayescale as bs
    >>> bs.threshold(bs.chain(loss, ability), accuracy=0.5, group="arc")  # doctest: +SKIP
    """
    check_kind("first", first, (Posterior, Stack))
    check_kind("second", second, Posterior)
    made = Chain(first, second)
    law = second.model.law
    if made.link not in law.columns:
        raise InputError(
            f"The first law predicts {made.link}; law {law.name!r} takes {', '.join(law.columns)}. "
            f"Fit the second with {made.link} among its inputs, such as sigmoid_of_loss."
        )
    members = first.members.values() if isinstance(first, Stack) else (first,)
    for model in (p.model for p in members):
        if model.group and model.group == second.model.group and model.groups != second.model.groups:
            raise InputError(
                f"Both laws are pooled over {model.group!r}, but over different groups: {listed(model.groups)}; "
                f"{listed(second.model.groups)}. Fit both to the same groups."
            )
    return made


def _resample(posterior: Posterior, chains: int, draws: int, rng: np.random.Generator) -> Posterior:
    """Return the posterior with some of its draws in random order, in chains of the shape asked."""
    flat = posterior.dataset.stack(sample=("chain", "draw"), create_index=False).drop_vars(
        ("chain", "draw"), errors="ignore"
    )
    picks = rng.permutation(flat.sizes["sample"])[: chains * draws].reshape(chains, draws)
    chosen = flat.isel(sample=xr.DataArray(picks, dims=("chain", "draw")))
    chosen = chosen.assign_coords(chain=np.arange(chains), draw=np.arange(draws)).transpose("chain", "draw", ...)
    tree = posterior.draws.copy()
    tree["posterior"] = xr.DataTree(chosen)
    return replace(posterior, draws=tree)
