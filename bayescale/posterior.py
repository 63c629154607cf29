"""Posterior = model + draws: the law's parameters in natural units, for every group, known or new."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayescale import clusters, ops
from bayescale.diagnostics import Diagnostics
from bayescale.discrepancy import TAU
from bayescale.errors import InputError
from bayescale.given import check_kind, check_text
from bayescale.law import Law
from bayescale.laws import LAWS
from bayescale.layout import WEIGHTS, natural_dims
from bayescale.memory import warn_if_large
from bayescale.model import MEAN, NEW_LABEL, NONE, PARTIAL, SPREAD, Model
from bayescale.noise import Noise
from bayescale.soundness import check_sound, refusing_damage
from bayescale.storage import Stored, read_tree, write_tree
from bayescale.streams import stream
from bayescale.trace import fingerprint
from bayescale.words import preformatted

NEW = NEW_LABEL
DRIFT = "drift"
_SIZE = "size of the run"


@dataclass(frozen=True, eq=False)
class Posterior:
    """Draws of a law's parameters, with the model they belong to and the verdict on their convergence.

    Parameters
    ----------
    model : Model
        What was fitted.
    draws : DataTree
        ArviZ groups. ``posterior``: the sampled parameters and, under the paper's symbols, its constants; dims
        ``chain``, ``draw`` and, where they vary, the group column. ``sample_stats``, ``observed_data`` (the response,
        dim ``run``) and ``constant_data`` (inputs).
    diagnostics : Diagnostics
        Convergence.
    info : mapping
        Seed, sampler, tries and settings, and the versions of the packages that drew.
    """

    model: Model
    draws: xr.DataTree
    diagnostics: Diagnostics
    info: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_draws(
        cls,
        model: Model,
        values: Mapping[str, np.ndarray],
        stats: Mapping[str, np.ndarray],
        diagnostics: Diagnostics,
        info: Mapping[str, Any],
    ) -> "Posterior":
        """Wrap arrays of natural values, shape (chain, draw, ...), as `layout.unpack` gives them."""
        dims = natural_dims(model)
        chains, draws = next(iter(values.values())).shape[:2]
        coords: dict[str, Any] = {"chain": np.arange(chains), "draw": np.arange(draws)}
        if model.group:
            coords[model.group] = list(model.groups)
        if model.discrepancy:
            coords["term"] = model.discrepancy.terms
        posterior = xr.Dataset(
            {name: (("chain", "draw", *dims[name]), value) for name, value in values.items()}, coords
        )
        constants = model.law.to_paper({p.symbol: posterior[p.symbol] for p in model.law.params}, model.reference)
        posterior = posterior.assign(
            {
                p.paper.symbol: constants[p.paper.symbol].transpose("chain", "draw", ...)
                for p in model.law.params
                if p.paper
            }
        )
        for p in model.params:
            posterior[p.symbol].attrs = {"long_name": p.meaning, "units": p.unit or "1"}
        run = {"run": np.arange(len(model.runs))}
        output = model.law.output
        tree = xr.DataTree.from_dict(
            {
                "posterior": posterior,
                "sample_stats": xr.Dataset(
                    {name: (("chain", "draw"), value) for name, value in stats.items()},
                    {"chain": coords["chain"], "draw": coords["draw"]},
                ),
                "observed_data": xr.Dataset({output.symbol: ("run", model.response, {"units": output.unit})}, run),
                "constant_data": xr.Dataset({s: ("run", x) for s, x in model.inputs().items()}, run),
            }
        )
        return cls(model, tree, diagnostics, dict(info))

    @property
    def converged(self) -> bool:
        """Whether the draws may be trusted; if not, `diagnostics` says why and what to do."""
        return self.diagnostics.converged

    @property
    def dataset(self) -> xr.Dataset:
        """The draws, ``draws["posterior"]``, as one Dataset."""
        return self.draws["posterior"].to_dataset()

    def params(self, group: str | None = None, seed: int = 0) -> dict[str, xr.DataArray]:
        """Draws of every parameter for one group, all groups, or an unseen one.

        Parameters
        ----------
        group : str, optional
            A group's name; ``"new"`` for an unseen group, drawn from the groups' mean and spread; None for all groups,
            along their dim.
        seed : int
            For the draws of a new group.

        Returns
        -------
        dict of str to DataArray
            By symbol; dims (chain, draw), with the group's dim where all were asked for.

        Raises
        ------
        InputError
            Unknown group, or a new one from parameters that share nothing between groups.
        """
        posterior = self.dataset
        names = [p.symbol for p in self.model.params]
        if self.model.discrepancy:
            names += [WEIGHTS, DRIFT]
            posterior = posterior.assign({DRIFT: _drift(posterior[WEIGHTS].isel(term=0, drop=True))})
        self.check_group(group)
        if group is None:
            return {name: posterior[name] for name in names}
        if group == NEW and NEW not in self.model.groups:
            return self._new_group(posterior, stream("new group", seed))
        chosen = posterior.sel({self.model.group: group}, drop=True)
        return {name: chosen[name] for name in names}

    def check_group(self, group: str | None) -> None:
        """Refuse a group that the fit has not; None, for all groups, is none to refuse."""
        check_text("group", group, "text")
        if group is None:
            return
        if self.model.group is None:
            raise InputError(f"Group {group!r} was asked for, but these runs were fitted as one law, without pool=.")
        if group not in (*self.model.groups, NEW):
            raise InputError(
                f"There is no group {group!r} of {self.model.group}. "
                f"Groups: {', '.join(self.model.groups)}, or {NEW!r}."
            )

    def _new_group(self, posterior, rng) -> dict[str, xr.DataArray]:
        values = {}
        for p in self.model.params:
            kind = self.model.pooling[p.symbol]
            if kind == NONE:
                raise InputError(
                    f"A new {self.model.group} cannot be predicted: {p.symbol} is fitted for each group by itself. "
                    f"Fit with partial pooling, pool={self.model.group!r}."
                )
            if kind != PARTIAL:
                values[p.symbol] = posterior[p.symbol]
                continue
            mean, spread = posterior[p.symbol + MEAN], posterior[p.symbol + SPREAD]
            u = p.support.unconstrain(mean) + spread * rng.standard_normal(mean.shape)
            values[p.symbol] = p.support.constrain(u)
        if self.model.discrepancy:
            like = posterior[WEIGHTS].isel({self.model.group: 0}, drop=True)
            values[WEIGHTS] = like.copy(data=rng.standard_normal(like.shape))
            values[DRIFT] = _drift(like.isel(term=0, drop=True))
        return values

    def beyond(self, inputs: Mapping[str, Any], group: str | None = None) -> Any:
        """How many times points lie beyond the runs: in the input that is farthest out, or in size; 1 inside.

        Parameters
        ----------
        inputs : mapping of str to DataArray
            By the formula's symbols, natural units.
        group : str, optional
            Whose runs; all runs for a new group; by default each group's, along its dim.

        Returns
        -------
        DataArray
            At least 1.
        """
        model = self.model
        asked, reached = (self._reach(inputs), self._reach(model.inputs()))
        worst: Any = 1.0
        for name, x in reached.items():
            worst = np.maximum(worst, asked[name] / self._by_group(x, np.max, group))
            if name != _SIZE:  # a small run is no extrapolation unless one of its inputs is
                worst = np.maximum(worst, self._by_group(x, np.min, group) / asked[name])
        return worst

    def _reach(self, inputs) -> dict[str, Any]:
        """Inputs, and the size of the run, as positive ratios to the reference."""
        relative = self.model.relative(inputs)
        return {**self.model.ratios(relative), _SIZE: self.model.size(relative)}

    def _by_group(self, x: np.ndarray, reduce: Any, group: str | None) -> xr.DataArray:
        """Reduce a value of the runs over one group, all runs, or each group."""
        model = self.model
        if model.group and group is None:
            values = [reduce(x[model.group_index == g]) for g in range(len(model.groups))]
            return xr.DataArray(values, {model.group: list(model.groups)}, model.group)
        known = group is not None and group in model.groups
        return xr.DataArray(reduce(x[model.group_index == model.groups.index(group)] if known else x))

    def law(self, params: Mapping[str, xr.DataArray], inputs: Mapping[str, Any]) -> xr.DataArray:
        """Evaluate the law at inputs in natural units; broadcasts by name."""
        of_law = {p.symbol: params[p.symbol] for p in self.model.law.params}
        return self.model.law.evaluate(of_law, self.model.relative(inputs))

    def departure(self, params: Mapping[str, xr.DataArray], inputs: Mapping[str, Any], beyond: Any) -> Any:
        """Truth minus law on the output's link (for a loss, log of truth over law), ``beyond`` the runs.

        Inputs are in natural units. Zero without a discrepancy.
        """
        if self.model.discrepancy is None:
            return 0.0
        basis = self.model.discrepancy.basis(self.model.ratios(self.model.relative(inputs)))
        terms = [params[WEIGHTS].isel(term=k, drop=True) * b for k, b in enumerate(basis)]
        quadratic = sum(terms[1:], terms[0])
        return params[TAU.symbol] * (quadratic + params[DRIFT] * ops.log(beyond) ** 1.5)

    def truth(self, params: Mapping[str, xr.DataArray], inputs: Mapping[str, Any], beyond: Any) -> Any:
        """Return the law with the departure from it, at inputs in natural units, ``beyond`` the runs."""
        law = self.law(params, inputs)
        if self.model.discrepancy is None:
            return law
        output = self.model.law.output
        return output.unlink(output.link(law) + self.departure(params, inputs, beyond))

    def at_runs(self, runs: pd.DataFrame | None = None) -> tuple[xr.DataArray, dict[str, xr.DataArray], dict[str, Any]]:
        """What is expected at runs of known groups: the fitted ones, or others.

        Returns
        -------
        location : DataArray
            Law times departure, natural units, dims (chain, draw, run).
        params : dict of str to DataArray
            Parameters for each run.
        facts : dict of str to DataArray
            What the noise asks of each run: `Model.facts`.
        """
        table = self.model.runs if runs is None else runs
        draws = self.dataset.sizes["chain"] * self.dataset.sizes["draw"]
        warn_if_large(
            draws * len(table),
            f"{draws:,} draws for each of {len(table):,} runs",
            "Fit with fewer draws= (--draws), or to fewer runs: average repeated ones (--average-seeds), or drop "
            "checkpoints.",
        )
        inputs = {s: xr.DataArray(x, dims="run") for s, x in self.model.inputs(table).items()}
        params = self.params()
        beyond = self.beyond(inputs)
        if self.model.group:
            index = xr.DataArray(table[self.model.group].to_numpy(dtype=str).astype(object), dims="run")
            params = {
                name: value.sel({self.model.group: index}).drop_vars(self.model.group)
                if self.model.group in value.dims
                else value
                for name, value in params.items()
            }
            beyond = beyond.sel({self.model.group: index}).drop_vars(self.model.group)
        location = self.truth(params, inputs, beyond)
        return location.transpose("chain", "draw", "run"), params, self.model.facts_of(params, table)

    def given_cluster(
        self, what: str, runs: pd.DataFrame | None = None, at: tuple[Any, Any, Any] | None = None
    ) -> tuple[Noise, Any, Any, Any]:
        """What is expected at runs once others of their clusters are known, and the noise about it.

        Without clusters, `at_runs` (``at``, where the caller has it) and the noise of the model. Runs other than the
        fitted ones are taken to be of new clusters. ``what`` says which others: `bayescale.clusters.given`.
        """
        table = self.model.runs if runs is None else runs
        at = self.at_runs(table) if at is None else at
        if self.model.cluster is None:
            return self.model.noise, *at
        response = xr.DataArray(table[self.model.law.output.symbol].to_numpy(dtype=float), dims="run")
        return clusters.given(what, self.model.noise, response, *at, self.model.cluster_index(table))

    def log_likelihood(self, runs: pd.DataFrame | None = None) -> xr.DataArray:
        """Pointwise log density of the response as measured, dims (chain, draw, run).

        With clusters, of each run given those of its cluster that stand before it: the sum over a cluster is the log
        density of its runs together.
        """
        table = self.model.runs if runs is None else runs
        noise, location, params, facts = self.given_cluster(clusters.EARLIER, table)
        response = xr.DataArray(table[self.model.law.output.symbol].to_numpy(dtype=float), dims="run")
        density = noise.log_density(response, location, params, facts)
        return density.transpose("chain", "draw", "run")

    def replicate(self, seed: int = 0) -> xr.DataArray:
        """Responses the fitted runs would measure if made again, dims (chain, draw, run)."""
        location, params, facts = self.at_runs()
        noise, rng = self.model.noise, stream("replicate", seed)
        if self.model.cluster:
            drawn = clusters.draw(rng, noise, location, params, facts, self.model.cluster_index())
        else:
            drawn = noise.draw(rng, location, params, facts)
        return drawn.transpose("chain", "draw", "run")

    def to_arviz(self, seed: int = 0) -> xr.DataTree:
        """Return the draws with the groups that ArviZ's own checks ask for.

        Parameters
        ----------
        seed : int
            For the replicated runs.

        Returns
        -------
        DataTree
            `draws` and ``log_likelihood`` and ``posterior_predictive``, both with dims (chain, draw, run). They are
            computed here rather than kept, since they grow with draws times runs.
        """
        symbol = self.model.law.output.symbol
        run = {"run": self.draws["observed_data"]["run"].to_numpy()}
        tree = self.draws.copy()
        for group, values in (
            ("log_likelihood", self.log_likelihood()),
            ("posterior_predictive", self.replicate(seed)),
        ):
            tree[group] = xr.DataTree(values.assign_coords(run).to_dataset(name=symbol))
        return tree

    def to_dataframe(self) -> pd.DataFrame:
        """Lay out the draws as a table, one row for each draw.

        Returns
        -------
        DataFrame
            ``chain`` and ``draw``, then a column for each scalar, in the order and under the names of `summary`:
            ``alpha``, or ``alpha[text]`` where it varies between groups. ``attrs["units"]`` has the unit of each. Where
            the fit has not converged, a column ``doubts`` says so in every row.
        """
        draws = self.dataset
        chains, kept = draws.sizes["chain"], draws.sizes["draw"]
        columns = {
            "chain": np.repeat(draws["chain"].to_numpy(), kept),
            "draw": np.tile(draws["draw"].to_numpy(), chains),
        }
        units = {}
        for name in self._order():
            value = draws[name].transpose("chain", "draw", ...)
            for place in np.ndindex(value.shape[2:]):
                tags = [str(draws[dim].to_numpy()[i]) for dim, i in zip(value.dims[2:], place, strict=True)]
                label = f"{name}[{', '.join(tags)}]" if tags else name
                columns[label] = value.to_numpy()[(slice(None), slice(None), *place)].ravel()
                units[label] = value.attrs.get("units", "1")
        table = pd.DataFrame(columns)
        if not self.converged:  # attributes do not survive a file of text
            table["doubts"] = str(self.diagnostics)
        table.attrs["units"] = units
        return table

    def summary(self) -> pd.DataFrame:
        """Median, standard deviation and interval of every parameter, and how well it was sampled.

        Returns
        -------
        DataFrame
            One line for each scalar. The interval's kind and level are ArviZ's ``rcParams["stats.ci_kind"]`` and
            ``["stats.ci_prob"]``; the columns carry both in their names, as ArviZ's do. Draws of no chain have no
            ``r_hat``, and their ``ess_bulk`` is the smallest of all values'.
        """
        from arviz_base import rcParams
        from arviz_stats import base

        array_stats: Any = base.array_stats  # its hints say a tuple where it gives a number
        kind, prob = rcParams["stats.ci_kind"], float(rcParams["stats.ci_prob"])
        posterior = self.dataset
        names = [name for name in self._order() if name != WEIGHTS]
        weighed = self.diagnostics.pareto_k is not None
        rows, labels = [], []
        for name in names:
            value = posterior[name].transpose("chain", "draw", ...)
            flat = value.to_numpy().reshape(*value.shape[:2], -1)
            tags = [f"[{g}]" for g in self.model.groups] if flat.shape[2] > 1 or value.ndim > 2 else [""]
            for i, tag in enumerate(tags):
                x = flat[..., i]
                low, high = np.asarray(getattr(array_stats, kind)(x.ravel(), prob=prob))
                rows.append(
                    (
                        np.median(x),
                        _spread(x),
                        low,
                        high,
                        self.diagnostics.ess_bulk
                        if weighed
                        else float(array_stats.ess(np.log(x) if np.all(x > 0) else x, method="bulk")),
                        np.nan if weighed else float(array_stats.rhat(x)),
                    )
                )
                labels.append(name + tag)
        level = f"{kind}{round(100 * prob)}"
        columns = ["median", "sd", f"{level}_lb", f"{level}_ub", "ess_bulk", "r_hat"]
        return pd.DataFrame(rows, index=labels, columns=columns)

    def _order(self) -> list[str]:
        """The paper's constants first, then what they are made of, the noise, and the groups' means and spreads."""
        law = self.model.law
        first = [*law.constants, *(p.symbol for p in law.params if p.paper)]
        rest = [str(name) for name in self.dataset.data_vars if name not in first]
        own = [name for name in rest if not name.endswith((MEAN, SPREAD))]
        return [*first, *own, *(name for name in rest if name not in own)]

    def __repr__(self):
        return str(self)

    def __str__(self):
        return "\n".join([*self._title(), "", self._shown().to_string()])

    def _repr_html_(self):
        return f"{self.model.law.mathml()}{preformatted(chr(10).join(self._title()))}{self._shown().to_html()}"

    def _shown(self) -> pd.DataFrame:
        """Summary as text, each column with the digits that it deserves; a dash where there is no number."""
        table = self.summary()
        if self.diagnostics.pareto_k is not None:
            table = table.drop(columns=["ess_bulk", "r_hat"])  # none of each parameter
        digits = {"ess_bulk": ".0f", "r_hat": ".4f"}
        return pd.DataFrame(
            {
                column: ["-" if np.isnan(v) else f"{v:{digits.get(str(column), '.4g')}}" for v in table[column]]
                for column in table
            },
            index=table.index,
        )

    def _title(self) -> list[str]:
        model = self.model
        where = f", {len(model.groups)} groups of {model.group}" if model.group else ""
        refused = self.info.get("refused")
        return [
            f"Posterior of {model.law.name}: {model.law.text()}",
            f"{len(model.runs)} runs{where}, noise {model.noise}, discrepancy {model.discrepancy or 'none'}, "
            f"seed {self.info.get('seed', 'unknown')}",
            str(self.diagnostics) + (f"; by NUTS, as the fast path was refused: {refused}" if refused else ""),
        ]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to one NetCDF file: draws, runs, model, versions, seed and diagnostics.

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
        write_tree(path, *self.stored())

    def stored(self) -> Stored:
        """What a file keeps of it: draws, runs, and all else as JSON can hold it."""
        spec = {
            "model": self.model.to_dict(),
            "diagnostics": asdict(self.diagnostics),
            "info": dict(self.info),
        }
        return Stored(self.draws, self.model.runs, spec)


def _spread(x: np.ndarray) -> float:
    """Standard deviation; infinite where the squares are beyond a float, NaN where a draw is infinite."""
    with np.errstate(over="ignore"):
        return float(np.std(x)) if np.isfinite(x).all() else np.nan


def _drift(like: xr.DataArray) -> xr.DataArray:
    """Standard normals that carry the departure beyond the runs; the same at every call."""
    return like.copy(data=stream("drift").standard_normal(like.shape))


def open_posterior(path: str | os.PathLike[str], law: Law | None = None) -> Posterior:
    """Read a posterior back.

    Parameters
    ----------
    path : path
        A file written by `Posterior.save`.
    law : Law, optional
        The law, where it is the user's own and not in the gallery.

    Returns
    -------
    Posterior
        As it was saved.

    Raises
    ------
    InputError
        No such file; not a posterior of bayescale; cut short; changed since; a law that is not in the gallery.
    """
    if law is not None:
        check_kind("law", law, Law)
    return from_stored(read_tree(path), path, law)


def from_stored(stored: Stored, path: str | os.PathLike[str], law: Law | None = None) -> Posterior:
    """Make the posterior again that was read from a file; errors name the file."""
    with refusing_damage(path, "posterior"):
        return _rebuilt(stored, path, law)


def _rebuilt(stored: Stored, path: str | os.PathLike[str], law: Law | None) -> Posterior:
    draws, runs, spec = stored
    name = spec["model"]["law"]
    if law is None and name not in LAWS:
        raise InputError(f"{str(path)!r} was fitted with the law {name!r}, which is not in the gallery; pass law=.")
    if law is not None and law.name != name:
        raise InputError(f"{str(path)!r} was fitted with the law {name!r}; the law {law.name!r} was given.")
    model = Model.from_dict(spec["model"], runs, law)
    kept = spec["model"].get("operations")  # told without SymPy, which takes a second to print a formula
    if (not kept or kept != fingerprint(model.law)) and model.to_dict()["formula"] != spec["model"]["formula"]:
        raise InputError(
            f"{str(path)!r} was fitted with {spec['model']['formula']}; the law {name!r} is now {model.law.text()}. "
            "Pass the law it was fitted with as law=, or fit again."
        )
    check_sound(model, draws, spec["info"])
    return Posterior(model, draws, Diagnostics(**spec["diagnostics"]), spec["info"])
