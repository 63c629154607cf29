"""A stack: several laws with weights, asked as one. Its draws are drawn from its members'."""

import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import xarray as xr

from bayescale.answers.common import interval, interval_name
from bayescale.answers.trust import doubts_of
from bayescale.errors import BayescaleWarning, InputError
from bayescale.law import Law
from bayescale.posterior import NEW, Posterior, from_stored
from bayescale.soundness import check_weights, refusing_damage
from bayescale.storage import read_stack, write_stack
from bayescale.streams import stream
from bayescale.words import counted, listed, quoted

ROUNDING = 1e-6
Answer = TypeVar("Answer")


@dataclass(frozen=True, eq=False)
class Stack:
    """Posteriors of several laws, fitted to the same runs, and the weight of each.

    Parameters
    ----------
    members : mapping of str to Posterior
        By name.
    weights : mapping of str to float
        One for each member; they sum to 1.
    weight_draws : DataArray
        How uncertain the weights are: dims ``sample``, ``law``. Answers use ``weights`` alone.
    by : str
        What the weights were learnt from: ``"largest"``, ``"loo"`` or ``"waic"``.
    seed : int
        Of the refits and ``weight_draws``.
    notes : tuple of str
        What was scored, and what limits the weights.
    doubts : tuple of str
        Why the weights are not to be trusted; every answer of the stack repeats it.
    """

    members: Mapping[str, Posterior]
    weights: Mapping[str, float]
    weight_draws: xr.DataArray
    by: str
    seed: int = 0
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    def __post_init__(self):
        given = np.array(list(self.weights.values()), dtype=float)
        # Written so that NaN is refused too.
        if list(self.weights) != list(self.members) or not ((given >= 0).all() and abs(given.sum() - 1) < ROUNDING):
            raise InputError(
                f"A stack of {listed(self.members)} needs a weight for each, none negative, with sum 1; "
                f"{dict(self.weights)} was given."
            )

    @property
    def converged(self) -> bool:
        """Whether the draws of every member may be trusted."""
        return all(posterior.converged for posterior in self.members.values())

    @property
    def columns(self) -> tuple[str, ...]:
        """The inputs that any of the laws takes."""
        return tuple(dict.fromkeys(c for posterior in self.members.values() for c in posterior.model.law.columns))

    def table(self) -> pd.DataFrame:
        """Weight of each law, and median and interval of its draws.

        Returns
        -------
        DataFrame
            A line for each law: ``weight``, ``median``, ``lower``, ``upper``, ``converged``. The interval's kind and
            level are ArviZ's.
        """
        reduced = interval(self.weight_draws, ("sample",)).sel(law=list(self.members))
        columns = {str(q): reduced.sel(quantity=q).to_numpy() for q in reduced["quantity"].to_numpy()}
        converged = [posterior.converged for posterior in self.members.values()]
        return pd.DataFrame(
            {"weight": list(self.weights.values()), **columns, "converged": converged},
            index=pd.Index(list(self.members), name="law"),
        )

    def __str__(self):
        shown = self.table()
        for column in ("weight", "median", "lower", "upper"):
            shown[column] = [f"{v:.2f}" for v in shown[column]]
        title = f"Stack of {counted(len(self.members), 'law')}, weighed by {self.by!r}; weights and their"
        return "\n".join(
            [f"{title} {interval_name()}", "", shown.to_string(), "", *doubts_of(self), *self.notes]
        ).rstrip()

    def __repr__(self):
        return str(self)

    def group_of(self, posterior: Posterior, group: str | None) -> str | None:
        """Which group to ask a member for: one fitted to all groups as one answers alike for each of them."""
        groups = {NEW, *(name for member in self.members.values() for name in member.model.groups)}
        return None if group in groups and len(groups) > 1 and not posterior.model.group else group

    def ask(self, question: Callable[[Posterior], Answer]) -> dict[str, Answer]:
        """Put one question to every member.

        A law that cannot answer, such as one that takes an input that was not given, is left out with a
        `BayescaleWarning` that says why and what weight it had.

        Parameters
        ----------
        question : callable
            Takes a posterior and gives an answer, or raises `InputError`.

        Returns
        -------
        dict of str to Dataset
            The answers, for `mix`, or what else was asked for.

        Raises
        ------
        InputError
            No law can answer.
        """
        answers, reasons = {}, {}
        for name, posterior in self.members.items():
            try:
                answers[name] = question(posterior)
            except InputError as error:
                reasons[name] = str(error)
        if not answers:
            if len(set(reasons.values())) == 1:
                raise InputError(next(iter(reasons.values())))
            said = " ".join(f"{name}: {reason}" for name, reason in reasons.items())
            raise InputError(f"No law of the stack can answer. {said}")
        if reasons:
            left_out = listed(f"{name} (weight {self.weights[name]:.2f}): {reason}" for name, reason in reasons.items())
            warnings.warn(
                f"Left out of this answer is {left_out} The weights of {listed(answers)} are scaled to sum to 1.",
                BayescaleWarning,
                stacklevel=3,
            )
        return answers

    def mix(self, answers: Mapping[str, xr.Dataset], seed: int = 0) -> xr.Dataset:
        """Mix answers of members into one: draws are taken from each in proportion to its weight.

        Of ``S`` draws, as many as the shortest answer has, a member of weight ``w`` gives ``S w``, rounded, chosen
        without replacement and the same for every answer of one seed and size. They are shuffled over ``chain`` and
        ``draw``, so that convergence is judged on the members, never on the mixture.

        Parameters
        ----------
        answers : mapping of str to Dataset
            By member, with the same variables; those left out pass their weight to the others in proportion. Dims that
            an answer lacks are broadcast. A variable without draws must be the same in all.
        seed : int
            For the choice of draws.

        Returns
        -------
        Dataset
            As any other answer; ``attrs`` name the laws and their weights.

        Raises
        ------
        InputError
            Answers of no member, of members that have no weight, or that differ in more than draws and dims.
        """
        weights = self._weights_of(answers)
        picks, order = _choose(weights, answers, seed)
        first = next(iter(answers.values()))
        mixed = {}
        for name in map(str, first.data_vars):
            parts = {member: answer[name].reset_coords(drop=True) for member, answer in answers.items()}
            mixed[name] = (
                _mix_draws(parts, picks, order) if "draw" in first[name].dims else _agreed(parts, name)
            ).assign_attrs(first[name].attrs)
        coords = [
            answer.coords.to_dataset().drop_vars(("chain", "draw"), errors="ignore") for answer in answers.values()
        ]
        same = {k: v for k, v in first.attrs.items() if all(str(a.attrs.get(k)) == str(v) for a in answers.values())}
        shown = listed(f"{weight:.2f} {member}" for member, weight in weights.items())
        return xr.Dataset(
            mixed,
            {
                **xr.merge(coords, compat="override", join="exact").coords,
                "chain": np.arange(order.shape[0]),
                "draw": np.arange(order.shape[1]),
            },
            same
            | {
                "law": f"stack of {shown}",
                "laws": list(weights),
                "weights": list(weights.values()),
                "converged": int(all(self.members[member].converged for member in weights)),
                "doubts": self._doubts_of(answers),
                "seed": seed,
            },
        )

    def draws_of(self, question: Callable[[Posterior], xr.Dataset], seed: int = 0) -> xr.Dataset:
        """Put one question to every member and mix the answers: `ask`, then `mix`."""
        return self.mix(self.ask(question), seed)

    def _weights_of(self, answers: Mapping[str, xr.Dataset]) -> dict[str, float]:
        """Weights of the members that answer, scaled to sum to 1."""
        if not answers or (unknown := [name for name in answers if name not in self.members]):
            given = quoted(unknown) if answers else "none"
            raise InputError(f"A stack of {quoted(self.members)} mixes answers of those; {given} was given.")
        total = sum(self.weights[name] for name in answers)
        if not total > 0:
            raise InputError(f"Only {listed(answers)} can answer, and has no weight in this stack; ask that posterior.")
        variables = {name: set(map(str, answer.data_vars)) for name, answer in answers.items()}
        if len(set(map(frozenset, variables.values()))) > 1:
            said = "; ".join(f"{name}: {listed(sorted(found))}" for name, found in variables.items())
            raise InputError(f"Answers that differ in their variables do not mix. {said}.")
        return {name: self.weights[name] / total for name in answers}

    def _doubts_of(self, answers: Mapping[str, xr.Dataset]) -> list[str]:
        """What speaks against the weights, and against the answers of members."""
        said = {name: answer.attrs.get("doubts", doubts_of(self.members[name])) for name, answer in answers.items()}
        return list(dict.fromkeys([*self.doubts, *(doubt for doubts in said.values() for doubt in doubts)]))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to one NetCDF file: the members as `Posterior.save` writes them, and the weights.

        The file appears under its name only when it is complete; what stood there before stays until then.

        Parameters
        ----------
        path : path
            Where; the folder must exist.

        Raises
        ------
        InputError
            The folder does not exist or cannot be written.
        """
        write_stack(
            path,
            [posterior.stored() for posterior in self.members.values()],
            self.weight_draws.sel(law=list(self.members)).to_dataset(name="weight"),
            {
                "weights": dict(self.weights),
                "by": self.by,
                "seed": self.seed,
                "notes": list(self.notes),
                "doubts": list(self.doubts),
            },
        )


def open_stack(path: str | os.PathLike[str], laws: Mapping[str, Law] | None = None) -> Stack:
    """Read a stack back.

    Parameters
    ----------
    path : path
        A file written by `Stack.save`.
    laws : mapping of str to Law, optional
        By member, the laws that are the user's own and not in the gallery.

    Returns
    -------
    Stack
        As it was saved.

    Raises
    ------
    InputError
        No such file; not a stack of bayescale; cut short; changed since; a law that is not in the gallery.
    """
    members, draws, spec = read_stack(path)
    with refusing_damage(path, "stack"):
        return _rebuilt(members, draws, spec, path, laws)


def _rebuilt(members, draws: xr.Dataset, spec: Mapping[str, Any], path, laws: Mapping[str, Law] | None) -> Stack:
    names = list(spec["weights"])
    if len(names) != len(members):
        raise InputError(f"{str(path)!r} is a damaged stack: it has {len(names)} weights, {len(members)} posteriors.")
    if unknown := [name for name in laws or {} if name not in names]:
        raise InputError(f"{str(path)!r} has no member {quoted(unknown)}; they are {quoted(names)}.")
    posteriors = {
        name: from_stored(stored, path, (laws or {}).get(name)) for name, stored in zip(names, members, strict=True)
    }
    check_weights(spec["weights"], names, draws["weight"])
    return Stack(
        posteriors,
        spec["weights"],
        draws["weight"],
        spec["by"],
        spec["seed"],
        tuple(spec["notes"]),
        tuple(spec.get("doubts", ())),
    )


def _choose(weights: Mapping[str, float], answers: Mapping[str, xr.Dataset], seed: int) -> tuple[Any, np.ndarray]:
    """Positions of the draws taken from each answer, and the order in which they fill (chain, draw)."""
    sizes = {name: answer.sizes["chain"] * answer.sizes["draw"] for name, answer in answers.items()}
    chains = min(answer.sizes["chain"] for answer in answers.values())
    draws = min(sizes.values()) // chains
    exact = chains * draws * np.array(list(weights.values()))
    counts = np.floor(exact).astype(int)
    # The largest remainders are rounded up, so that the counts have the right sum.
    counts[np.argsort(counts - exact, kind="stable")[: chains * draws - counts.sum()]] += 1
    rng = stream("stack", seed)
    picks = {name: rng.choice(sizes[name], n, replace=False) for name, n in zip(weights, counts, strict=True)}
    return picks, rng.permutation(chains * draws).reshape(chains, draws)


def _mix_draws(parts: Mapping[str, xr.DataArray], picks: Mapping[str, np.ndarray], order: np.ndarray) -> xr.DataArray:
    chosen = [
        part.stack(sample=("chain", "draw"), create_index=False).reset_coords(drop=True).isel(sample=picks[name])  # noqa: PD013
        for name, part in parts.items()
    ]
    alike = xr.broadcast(*chosen, exclude=("sample",))
    joined = xr.concat(alike, "sample", coords="minimal", compat="override", join="exact")
    shuffled = joined.isel(sample=xr.DataArray(order, dims=("chain", "draw")))
    return shuffled.transpose("chain", "draw", ...)


def _agreed(parts: Mapping[str, xr.DataArray], name: str) -> xr.DataArray:
    """The value of a variable without draws, which all answers must share."""
    alike = xr.broadcast(*parts.values())
    if not all(np.array_equal(alike[0], part, equal_nan=True) for part in alike[1:]):
        raise InputError(f"{name!r} has no draws and differs between {listed(parts)}, so it cannot be mixed.")
    return alike[0]
