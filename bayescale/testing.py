"""Checks that every law must pass: those of the gallery and anyone's own."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayescale.errors import InputError
from bayescale.law import NONE, Input, Law, input_spans, reference_values
from bayescale.prior import POSITIVE, REAL, UNIT

RESPONSE_SCALE = 2.5  # in the place of a table's geometric mean of the response
DRAWS, RUNS = 12, 9
PRIOR_DRAWS = 200
RECOVERY_RUNS = 60


@dataclass(frozen=True)
class _Case:
    """Parameters drawn from the default priors, and inputs.

    Parameters
    ----------
    params : mapping of str to ndarray
        By symbol, shape (draw,).
    inputs : mapping of str to ndarray
        Natural units, shape (run,).
    reference : mapping of str to float
        Of each input, natural units.
    law_inputs : mapping of str to Input
        By symbol.
    spans : mapping of str to float
        Standard deviation of each input's log.
    """

    params: Mapping[str, np.ndarray]
    inputs: Mapping[str, np.ndarray]
    reference: Mapping[str, float]
    law_inputs: Mapping[str, Input]
    spans: Mapping[str, float]

    @property
    def relative(self) -> dict[str, np.ndarray]:
        """Inputs relative to their reference values, shape (run,)."""
        return {s: self.law_inputs[s].relative(x, self.reference[s]) for s, x in self.inputs.items()}


def check_law(law: Law, seed: int = 0, fit: bool = False) -> None:
    """Check that a law does what the package asks of every law.

    Parameters are drawn from the law's default priors, for a response of size 2.5; inputs stay in their typical range,
    or range over six decades about a random reference point. A law of any one input is put on ``C``.

    - The response is finite and in its range, and moves in each input the way the law declares (`Law.directions`: by
      default a loss falls in every input, unless a parameter may be negative).
    - The default priors are sane: half of the responses they lead to lie within a factor of 100 of the measured ones.
    - Sampled parameters and the paper's constants turn into each other, and the formula at the reference
      point is the paper's formula in natural units.
    - One formula serves NumPy scalars and arrays, xarray and PyTensor, whose gradient agrees with finite
      differences.
    - LaTeX, text and card name every constant.
    - The sampler's coordinates, where the law has any, are one to one with the Jacobian they state.

    Parameters
    ----------
    law : Law
        Of the gallery, or your own.
    seed : int
        Of the draws.
    fit : bool
        Whether to simulate 60 runs as well, fit them and look for the true parameters in the posterior: they must lie
        in intervals of 99.9 % together, and the fit must converge. Takes up to a minute.

    Raises
    ------
    AssertionError
        What the law does not do, and where.

    Examples
    --------
    >>> import bayescale as bs
    >>> from bayescale.testing import check_law
    >>> check_law(bs.LAWS["chinchilla"])
    """
    if not isinstance(law, Law):
        raise InputError(f"check_law takes a Law, as in LAWS['chinchilla'] or your own; {law!r} is none.")
    law = law if all(law.columns) else law.on("C")
    case = _draw_case(law, np.random.default_rng(seed))
    response = _evaluate(law, case, "NumPy arrays")
    _require(law, np.shape(response) == (DRAWS, RUNS), f"the response has shape {np.shape(response)}")
    _check_range(law, response)
    _check_prior(law, case)
    _check_paper(law, case, response)
    _check_scalars(law, case, response)
    _check_xarray(law, case, response)
    _check_graph(law, case, response)
    _check_words(law)
    _check_directions(law, case)
    if law.coordinates:
        _check_coordinates(law, case)
    if fit:
        _check_recovery(law, seed)


def _require(law: Law, holds: Any, message: str) -> None:
    if not np.all(holds):
        raise AssertionError(f"Law {law.name!r}: {message}.")


def _require_close(law: Law, actual, expected, rtol: float, what: str, atol: Any = 0.0) -> None:
    actual, expected = np.asarray(actual, dtype=float), np.asarray(expected, dtype=float)
    off = ~(np.abs(actual - expected) <= rtol * np.abs(expected) + atol)
    if off.any():
        first = tuple(np.argwhere(off)[0])
        raise AssertionError(
            f"Law {law.name!r}: {what} in {off.sum()} of {off.size} cases, "
            f"first {actual[first]:.12g} instead of {expected[first]:.12g}."
        )


def _draw_case(law: Law, rng: np.random.Generator) -> _Case:
    inputs = {i.symbol: _draw_inputs(i, rng) for i in law.inputs}
    table = {i.column: inputs[i.symbol] for i in law.inputs}
    spans = input_spans(law, table)
    return _Case(
        params={p.symbol: p.default(RESPONSE_SCALE, spans).draw(rng, DRAWS) for p in law.params},
        inputs=inputs,
        reference=reference_values(law, table),
        law_inputs={i.symbol: i for i in law.inputs},
        spans=spans,
    )


def _draw_inputs(item: Input, rng: np.random.Generator, runs: int = RUNS) -> np.ndarray:
    if item.typical is not None:
        low, high = item.typical
        if item.support == REAL:
            return rng.uniform(low, high, runs)
        return np.exp(rng.uniform(math.log(low), math.log(high), runs))
    if item.centre == NONE:
        return 10 ** rng.uniform(0, 1, runs)
    return 10 ** (8 + rng.uniform(-4, 4) + rng.uniform(-3, 3, runs))


def _evaluate(law: Law, case: _Case, kind: str, params=None, relative=None) -> Any:
    """Evaluate the law at (draw, run), or at what is given; say on which kind of number a formula fails."""
    params = {s: value[:, None] for s, value in case.params.items()} if params is None else params
    try:
        return law.evaluate(params, case.relative if relative is None else relative)
    except Exception as error:  # whatever an unsuitable function inside the formula raises
        raise AssertionError(_failure(law, kind, error)) from error


def _failure(law: Law, kind: str, error: Exception) -> str:
    return (
        f"Law {law.name!r}: the formula fails on {kind} ({error!r}). "
        "Write it with plain arithmetic and the functions of bayescale.ops."
    )


def _check_range(law, response):
    where = "at parameters drawn from the default priors"
    _require(law, np.isfinite(response), f"the response is not finite {where}")
    support = law.output.support
    inside = (
        (response >= support.lower) & (response <= support.upper) & (response != 0 if support == POSITIVE else True)
    )
    _require(law, inside, f"the response is not {support.name} {where}")


def _check_prior(law, case):
    """Whether what the default priors expect has the size of the response they were scaled to."""
    if law.output.support != POSITIVE or not any(p.scaled for p in law.params):
        return
    rng = np.random.default_rng(0)
    params = {p.symbol: p.default(RESPONSE_SCALE, case.spans).draw(rng, PRIOR_DRAWS)[:, None] for p in law.params}
    response = _evaluate(law, case, "NumPy arrays", params)
    far = ~((response > RESPONSE_SCALE / 100) & (response < RESPONSE_SCALE * 100))  # what is no number is far, too
    _require(
        law, far.mean() < 0.5, f"{100 * far.mean():.0f} % of the responses under the default priors are off 100-fold"
    )


def _check_paper(law, case, response):
    constants = law.to_paper(case.params, case.reference)
    back = law.from_paper(constants, case.reference)
    for symbol, value in case.params.items():
        _require_close(law, back[symbol], value, 1e-9, f"{symbol} does not survive to_paper and from_paper", 1e-300)
    natural = law.formula(**case.inputs, **{s: value[:, None] for s, value in constants.items()})
    what = "evaluate differs from the formula at the paper's constants in natural units"
    _require_close(law, response, natural, 1e-9, what)


def _check_scalars(law, case, response):
    scalars = [
        [
            _evaluate(
                law,
                case,
                "NumPy scalars",
                {s: value[i] for s, value in case.params.items()},
                {s: x[j] for s, x in case.relative.items()},
            )
            for j in range(RUNS)
        ]
        for i in range(DRAWS)
    ]
    _require_close(law, scalars, response, 1e-10, "NumPy scalars and arrays differ")


def _check_xarray(law, case, response):
    import xarray as xr

    params = {s: xr.DataArray(value, dims="draw") for s, value in case.params.items()}
    relative = {s: xr.DataArray(x, dims="run") for s, x in case.relative.items()}
    answer = _evaluate(law, case, "xarray DataArrays", params, relative)
    _require(law, isinstance(answer, xr.DataArray), "DataArrays do not give a DataArray")
    _require(law, set(answer.dims) == {"draw", "run"}, f"DataArrays give the dims {answer.dims}")
    _require_close(law, answer.transpose("draw", "run"), response, 1e-10, "xarray and NumPy differ")


def _check_graph(law, case, response):
    import pytensor.tensor as pt
    from pytensor.compile.maker import function
    from pytensor.gradient import grad

    from bayescale.graph import compile_mode

    params: dict[str, Any] = {s: pt.dvector(f"param_{s}") for s in case.params}
    relative = {s: pt.dvector(f"input_{s}") for s in case.relative}
    columns = {s: value[:, None] for s, value in params.items()}
    graph = _evaluate(law, case, "PyTensor tensors", columns, relative)
    total: Any = pt.sum(graph)
    gradient: Any = grad(total, list(params.values()), disconnected_inputs="ignore")
    arguments = [*params.values(), *relative.values()]
    mode = compile_mode("FAST_COMPILE")
    compiled: Any = function(arguments, [graph, *gradient], mode=mode, on_unused_input="ignore")
    answer, *slopes = compiled(*case.params.values(), *case.relative.values())
    _require_close(law, answer, response, 1e-10, "PyTensor and NumPy differ")
    for symbol, slope in zip(params, slopes, strict=True):
        expected, rounding = _difference_quotient(law, case, symbol)
        what = f"the gradient in {symbol} differs from finite differences"
        _require_close(law, slope, expected, 1e-4, what, rounding)


def _difference_quotient(law, case, symbol) -> tuple[np.ndarray, np.ndarray]:
    """Central difference of the response summed over runs, shape (draw,), and its rounding error."""
    value = case.params[symbol]
    step = 1e-5 * np.where(value == 0, 1.0, np.abs(value))
    above, below = (
        _evaluate(
            law,
            case,
            "NumPy arrays",
            {s: v[:, None] for s, v in {**case.params, symbol: value + sign * step}.items()},
        )
        for sign in (1, -1)
    )
    rounding = 1e-13 * np.sum(np.abs(above), axis=1) / step
    return np.sum(above - below, axis=1) / (2 * step), rounding


def _check_words(law):
    import sympy

    try:
        latex, text, card = law.latex(), law.text(), law.card()
    except Exception as error:  # whatever an unsuitable function inside the formula raises
        raise AssertionError(_failure(law, "SymPy symbols, for print", error)) from error
    for symbol in law.constants:
        stem = symbol.removesuffix("_inf")
        written = sympy.latex(sympy.Symbol(symbol)) if stem == symbol else rf"{stem}_{{\infty}}"
        _require(law, written in latex, f"latex() does not show {symbol} ({written}): {latex}")
        for name, words in (("text()", text), ("card()", card)):
            found = re.search(rf"(?<!\w){re.escape(symbol)}(?!\w)", words)
            _require(law, found is not None, f"{name} does not mention {symbol}: {words}")


def _check_directions(law, case):
    for symbol, direction in law.directions.items():
        middle = {s: np.median(x) for s, x in case.relative.items()}
        response = _evaluate(law, case, "NumPy arrays", relative={**middle, symbol: np.sort(case.relative[symbol])})
        way = "rise" if direction > 0 else "fall"
        rounding = 1e-12 * np.abs(response[:, 1:])
        _require(law, direction * np.diff(response, axis=1) >= -rounding, f"the response does not {way} in {symbol}")
        _require(law, (response[:, -1] != response[:, 0]).any(), f"the response does not depend on {symbol}")


def _check_coordinates(law, case):
    symbols = law.coordinates.symbols
    support = {p.symbol: p.support for p in law.params}
    logs = np.stack([support[s].unconstrain(case.params[s]) for s in symbols])

    def forward(x):
        return np.stack(law.coordinates.forward(dict(zip(symbols, x, strict=True))))

    back = law.coordinates.backward(forward(logs))
    for symbol, value in zip(symbols, logs, strict=True):
        _require_close(law, back[symbol], value, 1e-9, f"{symbol} does not survive the coordinates and back", 1e-9)
    step = 1e-5
    columns = [
        (forward(logs + shift) - forward(logs - shift)) / (2 * step)
        for shift in step * np.eye(len(symbols))[:, :, None]
    ]
    determinant = np.abs(np.linalg.det(np.stack(columns).transpose(2, 1, 0)))
    expected = np.exp(-law.coordinates.log_jacobian(list(forward(logs)))) * np.ones(DRAWS)
    _require_close(law, determinant, expected, 1e-5, "the Jacobian of the coordinates is not what it says")


def _check_recovery(law, seed):
    """Fit runs simulated from parameters in the middle of their priors, and look for them in the posterior."""
    import pandas as pd

    from bayescale.inference import fit, whole
    from bayescale.model import Model
    from bayescale.noise import TRIALS
    from bayescale.simulation import simulate

    rng = np.random.default_rng(seed)
    inputs = {i.column: _draw_inputs(i, rng, RECOVERY_RUNS) for i in law.inputs}
    table = pd.DataFrame(inputs)
    table[law.output.symbol] = 0.5 if law.output.support == UNIT else RESPONSE_SCALE
    if law.output.support == UNIT:
        table[TRIALS] = 1000.0
    design = Model(law, table)
    truth = {p.symbol: float(design.priors[p.symbol].quantile(rng.uniform(0.3, 0.7))) for p in design.params}
    model = design.with_runs(simulate(design, truth, seed))  # the priors stay those the truth was drawn from
    posterior = whole(fit(model, seed=seed))
    _require(law, posterior.converged, f"a fit of simulated runs is {posterior.diagnostics}")
    tail = 0.0005 / len(truth)
    for symbol, value in truth.items():
        low, high = posterior.dataset[symbol].quantile([tail, 1 - tail]).to_numpy()
        message = f"{symbol} was {value:.4g} in simulated runs, and the posterior says {low:.4g} to {high:.4g}"
        _require(law, low <= value <= high, message)
