"""Model = law + runs + priors + pooling + noise + reference point: what is believed before the runs are looked at."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayescale.clusters import cluster_index, doubt_clusters, read_cluster
from bayescale.cost import six_nd
from bayescale.discrepancy import Quadratic, tau
from bayescale.errors import BayescaleWarning, InputError
from bayescale.given import check_kind, check_text
from bayescale.input_error import errors_of, read_input_error, response_variance
from bayescale.law import Law, Param, input_spans, reference_values
from bayescale.laws import LAWS, find_law
from bayescale.measured import error_column, read_errors
from bayescale.noise import TRIALS, Noise, find_noise
from bayescale.prior import POSITIVE, REAL, Prior
from bayescale.runs import check_runs, describe_runs
from bayescale.trace import fingerprint
from bayescale.words import preformatted

PARTIAL, NONE, COMPLETE = "partial", "none", "complete"
SPREAD = "_spread"
MEAN = "_mean"
NEW_LABEL = "new"


@dataclass(frozen=True, eq=False, init=False)
class Model:
    """A law, the runs it is to be learnt from, and everything else that is assumed. Frozen; knows no PyMC.

    Parameters
    ----------
    law : Law or str
        A `Law`, or the name of one: ``"chinchilla"``, ``"saturating:C"``.
    runs : DataFrame
        A table from `read_runs` or `load_runs`: a column for every input, and the response.
    pool : str or mapping, optional
        A column of the runs: every law parameter and the noise scale vary over its groups and share strength (partial
        pooling). ``"column:none"`` fits every group for itself. A mapping chooses for each parameter: the column
        (partial), ``None`` (its own value for each group, nothing shared) or ``"complete"`` (one value for all groups);
        parameters not named follow ``"*"``, or are partially pooled. ``None``: one law for all runs.
    priors : mapping of str to Prior, str or PreliZ distribution, optional
        Priors that replace the defaults, in natural units; ``"alpha_spread"`` is the spread of ``alpha`` between
        groups.
    noise : Noise or str, optional
        ``"student"``, ``"normal"`` or ``"frontier"`` (runs fall short of the law), each with ``"+size"`` for a scale
        that changes with the run's size; ``"binomial"`` or ``"beta_binomial"`` for accuracies with a column
        ``n_trials``. By default ``"beta_binomial"`` for accuracies with counts, else ``"student"``.
    discrepancy : bool or Quadratic
        Whether the truth may depart smoothly from the law.
    zero : mapping of str to str or sequence of str, optional
        Groups in which a parameter is zero, such as ``{"L_inf": ["text"]}`` for a law without a floor there.
    cluster : str, optional
        A column of the runs whose errors go together: the checkpoints of one training run, the runs of one budget. Runs
        with the same value (and of the same group) share an offset from the law, whose standard deviation ``omega`` is
        learnt; a run of a forecast has an offset of its own. For noise ``"student"`` and ``"normal"``:
        `bayescale.clusters`.
    input_error : mapping of str to float or str, optional
        How uncertain inputs are, independently from run to run, by column: ``{"N": 0.05}`` for a standard deviation of
        5 % (in its own unit where an input is shifted), or the column of the runs that holds them. What the law's slope
        makes of it is added to the noise of the fitted runs, not of a run whose inputs are asked for:
        `bayescale.input_error`.

    Attributes
    ----------
    reference : mapping of str to float
        Value of each input at the centre of the runs, in its natural unit; the formula is evaluated relative to it.
    response_scale : float
        Size of the response, by which default priors of levels are scaled: its geometric mean, or its root mean square
        where it may be negative, or 1 for a share.
    spans : mapping of str to float
        Standard deviation of each input's log over the runs, by which default priors of places on its axis are scaled.
    error_column : str
        The column of the runs with the response's standard errors, such as ``L_se``, in its own unit; ``""`` without.
        Each run's noise is then ``sigma`` and its own error in quadrature: `Noise`.

    Raises
    ------
    InputError
        Unusable table, unknown law, noise, parameter or column, or a prior outside its parameter's range.

    Examples
    --------
    >>> import bayescale as bs
    >>> model = bs.Model("chinchilla", bs.load_runs("tiny_sweep"), pool="modality")
    >>> model.groups
    ('code', 'image', 'math', 'music', 'speech', 'text')
    """

    law: Law
    runs: pd.DataFrame
    group: str | None
    pooling: Mapping[str, str]
    priors: Mapping[str, Prior]
    own_priors: frozenset[str]
    noise: Noise
    discrepancy: Quadratic | None
    reference: Mapping[str, float]
    response_scale: float
    spans: Mapping[str, float]
    zero: Mapping[str, tuple[str, ...]]
    error_column: str
    cluster: str | None
    input_error: Mapping[str, float | str]

    def __init__(
        self,
        law: Law | str,
        runs: pd.DataFrame,
        *,
        pool: str | Mapping[str, str | None] | None = None,
        priors: Mapping[str, Any] | None = None,
        noise: Noise | str | None = None,
        discrepancy: bool | Quadratic = False,
        zero: Mapping[str, str | Sequence[str]] | None = None,
        cluster: str | None = None,
        input_error: Mapping[str, float | str] | None = None,
    ):
        check_kind("law", law, (Law, str))
        check_kind("runs", runs, pd.DataFrame, "Read them with read_runs.")
        check_kind("priors", {} if priors is None else priors, Mapping, "Write {'E': 'LogNormal(0.5, 0.2)'}.")
        check_kind("zero", {} if zero is None else zero, Mapping, "Write {'E': ['text']}.")
        check_kind("discrepancy", discrepancy, (bool, Quadratic))
        law = find_law(law, runs.columns) if isinstance(law, str) else law
        if not all(law.columns):
            raise InputError(f"Law {law.name!r} takes any one input; say which, as in law.on('C').")
        noise = read_cluster(cluster, find_noise(noise, law.output, TRIALS in runs.columns), runs, law.output.symbol)
        params = (*law.params, *noise.params, *((tau(law.output),) if discrepancy else ()))
        group, kinds = _read_pool(pool, params, runs)
        _check_names(group, law, params)
        if group in (*law.columns, law.output.symbol):
            raise InputError(f"Runs cannot be pooled over {group!r}: it is an input or the response of {law.name!r}.")
        if law.output.symbol in law.columns:
            raise InputError(f"Law {law.name!r} cannot take its own response {law.output.symbol!r} as an input.")
        checked = check_runs(
            runs,
            {i.column: i.meaning for i in law.inputs},
            (law.output.symbol, law.output.meaning),
            [group] if group else [],
            known=[i.column for i in law.inputs if i.known],
            **_ranges(law),
        )
        noise.check(checked)
        errors = read_errors(checked, law.output.symbol)
        if errors is not None and noise.counts:
            warnings.warn(
                f"Column {error_column(law.output.symbol)!r} is not used: noise {noise} takes the error of measurement "
                f"from the column {TRIALS!r}.",
                BayescaleWarning,
                stacklevel=2,
            )
            errors = None
        if errors is not None:
            checked[error_column(law.output.symbol)] = errors
        if input_error and noise.counts:
            raise InputError(f"input_error widens the scale of a noise; {noise} has none. Pass noise='student'.")
        input_error = read_input_error(input_error, law, checked)
        if group:
            labels = checked[group].astype(str)
            if len(labels.unique()) != len(checked[group].unique()):
                raise InputError(
                    f"Different values of column {group!r} read alike as text, such as 1 and '1'; rename them."
                )
            if NEW_LABEL in set(labels):
                raise InputError(
                    f"A group of {group!r} is called {NEW_LABEL!r}, which asks for an unseen one; rename it."
                )
            checked[group] = labels
            if len(set(labels)) == 1:
                warnings.warn(
                    f"All runs are of one group of {group!r}: how much groups differ comes from the prior alone.",
                    BayescaleWarning,
                    stacklevel=2,
                )
            if isinstance(pool, str):
                kinds = _respect_units(kinds, params, checked, group)
        elif "modality" in checked and len(modalities := checked["modality"].dropna().unique()) > 1:
            warnings.warn(
                f"The runs have {len(modalities)} modalities, fitted here as one law. "
                "Pass pool='modality' to give each its own.",
                BayescaleWarning,
                stacklevel=2,
            )
        reference = reference_values(law, checked)
        scale = _response_scale(law, checked)
        spans = input_spans(law, checked)
        own = _read_priors(priors, law, params, kinds)
        for doubt in _doubt_floor(law, own, checked):
            warnings.warn(doubt, BayescaleWarning, stacklevel=2)
        if discrepancy is True:
            discrepancy = Quadratic.of(law, checked, reference)
        if discrepancy and not discrepancy.terms:
            raise InputError("No input varies between the runs, so there is no departure from the law to learn.")
        self._set(
            law=law,
            runs=checked,
            group=group,
            pooling=MappingProxyType(kinds),
            priors=MappingProxyType({**_default_priors(params, kinds, scale, spans), **own}),
            own_priors=frozenset(own),
            noise=noise,
            discrepancy=discrepancy or None,
            reference=MappingProxyType(reference),
            response_scale=scale,
            spans=MappingProxyType(spans),
            zero=MappingProxyType(_read_zero(zero, law, group, kinds, checked)),
            error_column="" if errors is None else error_column(law.output.symbol),
            cluster=cluster,
            input_error=MappingProxyType(input_error),
        )
        if cluster is not None:
            doubt_clusters(cluster, self.cluster_index())

    def _set(self, **given):
        for name, value in given.items():
            object.__setattr__(self, name, value)

    @property
    def params(self) -> tuple[Param, ...]:
        """Parameters of the law, the noise and the discrepancy."""
        return (*self.law.params, *self.noise.params, *((tau(self.law.output),) if self.discrepancy else ()))

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups, sorted; empty without pooling."""
        return tuple(sorted(self.runs[self.group].unique())) if self.group else ()

    @cached_property
    def group_index(self) -> np.ndarray:
        """Index into `groups` of each run; zeros without pooling."""
        if not self.group:
            return np.zeros(len(self.runs), dtype="int64")
        return np.searchsorted(self.groups, self.runs[self.group].to_numpy(dtype=str)).astype("int64")

    def _fields(self) -> dict[str, Any]:
        """What it was made of, without what is kept of it so that it is computed once."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def cluster_index(self, runs: pd.DataFrame | None = None) -> np.ndarray:
        """Number of the cluster of each run, the fitted ones or others; each its own without clusters."""
        table = self.runs if runs is None else runs
        return cluster_index(table, self.cluster, self.group) if self.cluster else np.arange(len(table))

    @property
    def response(self) -> np.ndarray:
        """The measured response of each run, natural unit."""
        return self.runs[self.law.output.symbol].to_numpy()

    def inputs(self, runs: pd.DataFrame | None = None) -> dict[str, np.ndarray]:
        """Inputs of the runs in natural units, by the formula's symbols."""
        table = self.runs if runs is None else runs
        return {i.symbol: table[i.column].to_numpy(dtype=float) for i in self.law.inputs}

    def relative(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Inputs divided by their reference values, or shifted by them."""
        of = {i.symbol: i for i in self.law.inputs}
        return {symbol: of[symbol].relative(value, self.reference[symbol]) for symbol, value in inputs.items()}

    def nonzero(self, symbol: str) -> np.ndarray:
        """Which groups have a parameter that is not zero, shape (group,)."""
        return ~np.isin(np.array(self.groups, dtype=str), self.zero.get(symbol, ()))

    def ratios(self, relative: Mapping[str, Any]) -> dict[str, Any]:
        """Positive stand-ins of relative inputs: themselves; of a shifted one, a factor e per standard deviation."""
        shifted = [i.symbol for i in self.law.inputs if i.support == REAL]
        return {s: np.exp(x / self.spans[s]) if s in shifted else x for s, x in relative.items()}

    @property
    def trials(self) -> np.ndarray | None:
        """Questions asked in each run, where the response is a count."""
        return self.runs[TRIALS].to_numpy(dtype=float) if self.noise.counts else None

    def errors(self, runs: pd.DataFrame | None = None) -> np.ndarray | None:
        """Standard error of each run's response on the scale of the noise, where the runs have a column of them."""
        table = self.runs if runs is None else runs
        if not self.error_column:
            return None
        errors = read_errors(table, self.law.output.symbol)
        if errors is None:
            raise InputError(
                f"The fitted runs have a column {self.error_column!r}, these runs have none; "
                "add it, with 0 where a run has no error of its own."
            )
        return errors / table[self.law.output.symbol].to_numpy(dtype=float) if self.noise.on_log else errors

    def input_errors(self, runs: pd.DataFrame | None = None) -> dict[str, np.ndarray]:
        """Standard error of uncertain inputs in each run, by symbol: relative, or in the unit of a shifted input."""
        table = self.runs if runs is None else runs
        known = {i.column: i.symbol for i in self.law.inputs}
        return {known[column]: errors_of(error, table) for column, error in self.input_error.items()}

    def input_variance(self, params: Mapping[str, Any], relative: Mapping[str, Any], errors: Mapping[str, Any]) -> Any:
        """Variance that errors of the inputs add to the response on the scale of the noise: `response_variance`."""
        of_law = {p.symbol: params[p.symbol] for p in self.law.params}
        return response_variance(self.law, of_law, relative, errors, self.noise.on_log)

    def facts_of(self, params: Mapping[str, Any], runs: pd.DataFrame | None = None) -> dict[str, Any]:
        """What the noise asks of measured runs, the fitted ones or others: `facts`, with dim ``run``.

        Errors of inputs count by the law's slope, for which ``params`` are needed: those of each run.
        """
        table = self.runs if runs is None else runs
        relative = self.relative({s: xr.DataArray(x, dims="run") for s, x in self.inputs(table).items()})
        trials = xr.DataArray(table[TRIALS].to_numpy(dtype=float), dims="run") if self.noise.counts else None
        errors = self.errors(table)
        facts = self.facts(relative, trials, None if errors is None else xr.DataArray(errors, dims="run"))
        if not self.input_error:
            return facts
        of_inputs = {s: xr.DataArray(error, dims="run") for s, error in self.input_errors(table).items()}
        return {**facts, "input_variance": self.input_variance(params, relative, of_inputs)}

    def facts(self, relative: Mapping[str, Any], trials: Any = None, errors: Any = None) -> dict[str, Any]:
        """What the noise asks of runs: size, questions asked where the response is a count, errors of measurement.

        Parameters
        ----------
        relative : mapping
            Inputs relative to their reference values.
        trials : array_like, optional
            Questions asked; by default the median of the runs.
        errors : array_like, optional
            Standard errors on the scale of the noise (`errors`); by default none, as for a run not made.
        """
        facts = {"size": self.size(relative)}
        if errors is not None:
            facts["se"] = errors
        if self.noise.counts:
            facts["trials"] = float(np.median(self.runs[TRIALS])) if trials is None else trials
        return facts

    def size(self, relative: Mapping[str, Any]):
        """Size of a run relative to the reference run: N times D where the law has both, else its first input."""
        if "N" in relative and "D" in relative:
            return relative["N"] * relative["D"]
        first = self.law.inputs[0].symbol
        return self.ratios({first: relative[first]})[first]

    def cost(self, runs: pd.DataFrame | None = None) -> np.ndarray:
        """By what runs are called larger: C, else 6ND, else the law's first input."""
        table = self.runs if runs is None else runs
        if "C" in table:
            given = np.asarray(pd.to_numeric(table["C"], errors="coerce"), dtype=float)
            if (given > 0).all():  # a column C that the law does not read may hold anything
                return given
        if "N" in table and "D" in table:
            return np.asarray(six_nd(table["N"].to_numpy(dtype=float), table["D"].to_numpy(dtype=float)))
        return table[self.law.inputs[0].column].to_numpy(dtype=float)

    def refit_on(self, runs: pd.DataFrame) -> "Model":
        """Return the same model for other runs; reference, scale and discrepancy come from those runs alone."""
        return Model(
            self.law,
            runs,
            pool={p.symbol: self._pool_text(p.symbol) for p in self.params} if self.group else None,
            priors={name: self.priors[name] for name in self.own_priors},
            noise=self.noise,
            discrepancy=self.discrepancy is not None,
            zero={s: [g for g in groups if g in set(runs[self.group].astype(str))] for s, groups in self.zero.items()}
            if self.group
            else None,
            cluster=self.cluster,
            input_error=self.input_error,
        )

    def with_runs(self, runs: pd.DataFrame) -> "Model":
        """Return the same model, reference and priors with other runs of the same groups, as a simulation has."""
        new = object.__new__(Model)
        new._set(**{**self._fields(), "runs": runs})
        return new

    def _pool_text(self, symbol):
        return f"{self.group}:{self.pooling[symbol]}"

    def to_dict(self) -> dict[str, Any]:
        """Everything but the runs, as JSON can hold it."""
        return {
            "law": self.law.name,
            "formula": f"{self.law.text()}; {', '.join(p.symbol for p in self.law.params)}",
            "operations": fingerprint(self.law),
            "column": self.law.inputs[0].column if self.law.movable else "",
            "group": self.group,
            "pooling": dict(self.pooling),
            "priors": {k: [p.distribution, dict(p.args)] for k, p in self.priors.items()},
            "own_priors": sorted(self.own_priors),
            "noise": str(self.noise),
            "discrepancy": {
                "scales": dict(self.discrepancy.scales),
                "offsets": list(self.discrepancy.offsets),
            }
            if self.discrepancy
            else None,
            "reference": dict(self.reference),
            "response_scale": self.response_scale,
            "spans": dict(self.spans),
            "zero": {s: list(groups) for s, groups in self.zero.items()},
            "error_column": self.error_column,
            "cluster": self.cluster,
            "input_error": dict(self.input_error),
        }

    @classmethod
    def from_dict(cls, spec: Mapping[str, Any], runs: pd.DataFrame, law: Law | None = None) -> "Model":
        """Rebuild a model from `to_dict` and its runs; ``law`` for one that is not in the gallery."""
        if law is None:
            law = find_law(f"{spec['law']}:{spec['column']}" if spec["column"] else spec["law"])
        elif not all(law.columns):
            law = law.on(spec["column"])
        discrepancy = spec["discrepancy"]
        new = object.__new__(cls)
        new._set(
            law=law,
            runs=runs,
            group=spec["group"],
            pooling=MappingProxyType(dict(spec["pooling"])),
            priors=MappingProxyType({k: Prior(name, **args) for k, (name, args) in spec["priors"].items()}),
            own_priors=frozenset(spec["own_priors"]),
            noise=replace(find_noise(spec["noise"], law.output), clustered=spec.get("cluster") is not None),
            discrepancy=Quadratic(discrepancy["scales"], tuple(discrepancy["offsets"])) if discrepancy else None,
            reference=MappingProxyType(dict(spec["reference"])),
            response_scale=spec["response_scale"],
            spans=MappingProxyType(dict(spec["spans"])),
            zero=MappingProxyType({s: tuple(groups) for s, groups in spec["zero"].items()}),
            error_column=spec.get("error_column", ""),  # files written before there was one
            cluster=spec.get("cluster"),
            input_error=MappingProxyType(dict(spec.get("input_error", {}))),
        )
        return new

    def __repr__(self):
        return str(self)

    def _repr_html_(self):
        return f"{self.law.mathml()}{preformatted(str(self))}"

    def __str__(self):
        law, output = self.law, self.law.output
        lines = [
            f"{law.name}: {law.title}",
            f"  {law.text()}",
            f"  runs         {len(self.runs)}" + (f" in {len(self.groups)} groups" if self.group else ""),
            f"  noise        {self.noise}, {self.noise.where}",
            f"  discrepancy  {self.discrepancy or 'none: the law is taken as exact'}",
        ]
        for i in law.inputs:
            x = self.runs[i.column]
            lines.append(
                f"  {i.column:<12} {x.min():.4g} to {x.max():.4g} {i.unit}, reference {self.reference[i.symbol]:.4g}"
                + (f", uncertain by {_described(self.input_error[i.column])}" if i.column in self.input_error else "")
            )
        y = self.runs[output.symbol]
        size = {POSITIVE: "geometric mean", REAL: "root mean square"}.get(output.support)
        lines.append(
            f"  {output.symbol:<12} {y.min():.4g} to {y.max():.4g} {output.unit}"
            + (f", {size} {self.response_scale:.4g}" if size else "")
        )
        if self.error_column:
            errors = self.runs[self.error_column]
            lines.append(
                f"  {self.error_column:<12} {errors.min():.3g} to {errors.max():.3g} {output.unit}, "
                "standard error of each run, on top of the noise"
            )
        if self.cluster:
            lines.append(f"  {'clusters':<12} {self.cluster_index().max() + 1} of {self.cluster}, each with an offset")
        lines += [f"  zero         {s} of {', '.join(groups)}" for s, groups in self.zero.items()]
        lines += [f"  note         {note}" for note in self.runs.attrs.get("notes", ())]
        lines += ["", "Priors (90 % interval)"]
        width = max(len(name) for name in self.priors) + (len(MEAN) if self.group else 0)
        for p in self.params:
            kind = self.pooling[p.symbol]
            name = p.symbol + MEAN if kind == PARTIAL else p.symbol
            lines.append(
                f"  {name:<{width}}  {_describe(self.priors[p.symbol])}  {p.meaning}{', ' + p.unit if p.unit else ''}"
            )
            if kind == PARTIAL:
                spread = p.symbol + SPREAD
                lines.append(
                    f"  {spread:<{width}}  {_describe(self.priors[spread])}  spread of it over {self.group}"
                    f" ({'log' if p.support.name == 'positive' else p.support.name} scale)"
                )
            elif self.group:
                each = "the same for all groups" if kind == COMPLETE else f"for each {self.group} by itself"
                lines.append(f"  {'':<{width}}  {each}")
        if self.discrepancy:
            lines.append(
                f"  {'weights':<{width}}  {'Normal(mu=0, sigma=1)':<38} {'(-1.64 to 1.64)':<20}  of "
                f"{', '.join(self.discrepancy.terms)} in the departure, times tau; beyond the runs it drifts"
            )
        return "\n".join(lines)

    def __getstate__(self):
        state = {k: dict(v) if isinstance(v, MappingProxyType) else v for k, v in self._fields().items()}
        name = f"{self.law.name}:{self.law.inputs[0].column}" if self.law.movable else self.law.name
        if self.law.name in LAWS and find_law(name) == self.law:
            state["law"] = name  # processes cannot send each other a law that a function made
        return state

    def __setstate__(self, state):
        proxied = ("pooling", "priors", "reference", "spans", "zero", "input_error")
        fields = {k: MappingProxyType(v) if k in proxied else v for k, v in state.items()}
        self._set(**fields | ({"law": find_law(state["law"])} if isinstance(state["law"], str) else {}))

    def describe(self) -> pd.DataFrame:
        """Count, ranges and geometric means of the runs, a line for each group."""
        return describe_runs(
            self.runs,
            {i.column: i.meaning for i in self.law.inputs},
            (self.law.output.symbol, self.law.output.meaning),
            [self.group] if self.group else [],
            **_ranges(self.law),
        )


def _ranges(law: Law) -> dict[str, Any]:
    """Which columns may be negative, and the range of the response: what `check_runs` asks beside names."""
    return {"signed": [i.column for i in law.inputs if i.support == REAL], "support": law.output.support}


# Names that graphs, draws and answers use for themselves.
_TAKEN = frozenset(
    (
        *("chain", "draw", "run", "sample", "term", "unit", "law", "part", "parameter", "quantile", "quantity"),
        *("theta", "weights", "drift", "size", "trials", "se", "basis", "measured", "measured_observed", "group_index"),
        "cluster_index",
    )
)


def _check_names(group: str | None, law: Law, params: tuple[Param, ...]) -> None:
    """Refuse a group column, or a parameter of the user's own law, whose name is in use."""
    symbols = [p.symbol for p in params]
    if clash := [s for s in symbols if s in _TAKEN or symbols.count(s) > 1 or s.endswith((MEAN, SPREAD))]:
        raise InputError(
            f"Law {law.name!r} calls a parameter {clash[0]!r}, a name that noise, discrepancy or draws use; rename it."
        )
    answered = (law.output.symbol + end for end in ("_run", "_true"))
    taken = {
        *_TAKEN,
        "beyond",
        *answered,
        *law.constants,
        *symbols,
        *(s + end for s in symbols for end in (MEAN, SPREAD)),
    }
    if group is not None and (group in taken or "/" in group or group.startswith(("input_", "prior_"))):
        raise InputError(
            f"Runs cannot be pooled over a column called {group!r}: posteriors use that name; rename the column."
        )


def _described(error: float | str) -> str:
    return f"the column {error!r}" if isinstance(error, str) else f"{error:g}"


def _describe(prior: Prior) -> str:
    low, high = prior.quantile([0.05, 0.95])
    return f"{prior!s:<38} {f'({low:.3g} to {high:.3g})':<20}"


def _read_pool(pool, params, runs) -> tuple[str | None, dict[str, str]]:
    """Group column and kind of pooling of each parameter."""
    symbols = [p.symbol for p in params]
    if pool is None:
        return None, dict.fromkeys(symbols, COMPLETE)
    check_kind("pool", pool, (str, Mapping), "Name a column of the runs, or write {'E': None, '*': 'modality'}.")
    if isinstance(pool, str):
        column, kind = _read_kind(pool)
        asked: dict[str, str] = {}
        default = kind
    else:
        if unknown := [s for s in pool if s not in (*symbols, "*")]:
            raise InputError(
                f"pool names {', '.join(map(repr, unknown))}; parameters are {', '.join(symbols)} (and '*')."
            )
        read = {s: _read_kind(text, runs) for s, text in pool.items()}
        columns = {c for c, _ in read.values() if c}
        if len(columns) != 1:
            raise InputError(
                f"pool must name one column of the runs to group by; it names {', '.join(sorted(columns)) or 'none'}. "
                "Write pool={'*': 'modality', 'E': None}."
            )
        column = columns.pop()
        default = read.pop("*", (column, PARTIAL))[1]
        asked = {s: kind for s, (_, kind) in read.items()}
    if not column or column not in runs.columns:
        raise InputError(f"There is no column {column!r} to pool over. Columns: {', '.join(map(str, runs.columns))}.")
    kinds = {p.symbol: asked.get(p.symbol, default if p.pooled else COMPLETE) for p in params}
    return column, kinds


def _read_kind(text, runs=None) -> tuple[str, str]:
    check_text("The pooling of a parameter", text, "modality")
    if text is None:
        return "", NONE
    if text in (NONE, COMPLETE) and (runs is None or text not in runs.columns):
        return "", text
    column, colon, kind = str(text).partition(":")
    if colon and kind not in (PARTIAL, NONE, COMPLETE):
        raise InputError(f"Cannot read the pooling {text!r}; after the colon stands partial, none or complete.")
    return column, kind or PARTIAL


def _respect_units(kinds, params, runs, group) -> dict[str, str]:
    """Do not pool levels over groups whose response has different units."""
    if "unit" not in runs.columns or runs["unit"].nunique() < 2:
        return kinds
    warnings.warn(
        f"The groups' responses are in different units ({', '.join(map(str, runs['unit'].unique()))}): "
        f"levels ({', '.join(p.symbol for p in params if p.scaled)}) are not pooled over {group}, exponents are.",
        BayescaleWarning,
        stacklevel=3,
    )
    levels = {p.symbol for p in params if p.scaled}
    return {s: NONE if s in levels and kind == PARTIAL else kind for s, kind in kinds.items()}


def _response_scale(law: Law, runs) -> float:
    """Size of the response by which default priors of levels are scaled."""
    y = runs[law.output.symbol].to_numpy(dtype=float)
    if law.output.support == POSITIVE:
        return float(np.exp(np.log(y).mean()))
    return float(np.sqrt(np.mean(y**2))) if law.output.support == REAL else 1.0


def _read_zero(zero, law: Law, group, kinds, runs) -> dict[str, tuple[str, ...]]:
    """Groups in which a parameter is zero, checked."""
    read = {}
    for symbol, given in (zero or {}).items():
        check_kind(f"zero of {symbol!r}", given, (str, list, tuple), "Name groups: {'E': ['text']}.")
        names = tuple([given] if isinstance(given, str) else map(str, given))
        param = {p.symbol: p for p in law.params}.get(symbol)
        if param is None or param.support != POSITIVE:
            positive = ", ".join(p.symbol for p in law.params if p.support == POSITIVE)
            raise InputError(f"zero names {symbol!r}; a positive parameter of {law.name!r} can be zero: {positive}.")
        if group is None or kinds[symbol] == COMPLETE:
            raise InputError(f"{symbol} can be zero in some groups only where it varies between groups: pass pool=.")
        known = sorted(set(runs[group]))
        if unknown := [name for name in names if name not in known]:
            raise InputError(f"zero names {', '.join(map(repr, unknown))}; the groups are {', '.join(known)}.")
        if len(set(names)) == len(known):
            raise InputError(f"{symbol} is zero in every group; fit a law without it.")
        if names:
            read[symbol] = tuple(sorted(set(names)))
    return read


def _doubt_floor(law: Law, own: Mapping[str, Prior], runs: pd.DataFrame) -> Iterator[str]:
    """Say that a prior of the user's puts the floor of a loss above what was measured."""
    floor = str(getattr(law.coordinates, "floor", None) or "")
    least = runs[law.output.symbol].min()
    if floor in own and own[floor].quantile(0.01) > least:
        yield (
            f"The prior of {floor} ({own[floor]}) lies above the smallest {law.output.symbol} of the runs, "
            f"{least:.4g}: a law cannot fall below its floor. Let the prior of {floor} reach below it."
        )


def _default_priors(params, kinds, scale, spans) -> dict[str, Prior]:
    priors = {}
    for p in params:
        priors[p.symbol] = p.default(scale, spans)
        if kinds[p.symbol] == PARTIAL:
            priors[p.symbol + SPREAD] = p.spread
    return priors


def _read_priors(priors, law, params, kinds) -> dict[str, Prior]:
    """User's priors, checked against names and ranges."""
    expected = {p.symbol: p for p in params}
    spreads = {p.symbol + SPREAD for p in params if kinds[p.symbol] == PARTIAL}
    derived = {p.paper.symbol: p for p in params if p.paper}
    read: dict[str, Prior] = {}
    for name, given in (priors or {}).items():
        try:
            prior = Prior.read(given)
        except InputError as error:
            raise InputError(f"The prior of {name!r} cannot be used. {error}") from error
        if name in derived:
            p = derived[name]
            raise InputError(
                f"{name!r} follows from {p.symbol!r} ({p.meaning}) and an exponent; put the prior on {p.symbol!r}."
            )
        if name not in expected and name not in spreads:
            raise InputError(
                f"There is no prior {name!r} to set in law {law.name!r}; "
                f"there are {', '.join([*expected, *sorted(spreads)])}."
            )
        lower, upper = (
            (expected[name].support.lower, expected[name].support.upper) if name in expected else (0.0, np.inf)
        )
        below, above = prior.support
        if below < lower or above > upper:
            raise InputError(
                f"{name!r} lies between {lower:g} and {upper:g}; the prior {prior} allows {below:g} to {above:g}. "
                "Positive parameters take LogNormal, Gamma, HalfNormal, Exponential, InverseGamma or bounded priors."
            )
        read[name] = prior
    return read
