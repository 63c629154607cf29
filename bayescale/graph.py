"""Model to PyMC: the one place, with `inference`, that knows PyMC."""

from typing import Any

import pymc as pm
import pytensor.tensor as pt
from pymc.distributions.transforms import Transform
from pytensor.compile.mode import get_mode

from bayescale import clusters
from bayescale.coordinates import Coordinates
from bayescale.law import Param
from bayescale.layout import THETA, WEIGHTS, has_coordinates, layout
from bayescale.logs import Positive, log_of, plain
from bayescale.model import MEAN, PARTIAL, SPREAD, Model
from bayescale.prior import POSITIVE
from bayescale.structure import graph_data


class CoordinateTransform(Transform):
    """PyMC transform from a law's unconstrained parameters (first axis) to the sampler's coordinates."""

    name = "coordinates"

    def __init__(self, coordinates: Coordinates):
        self.coordinates = coordinates

    def forward(self, value, *inputs):
        """Coordinates from logs of the parameters."""
        log = {symbol: value[i] for i, symbol in enumerate(self.coordinates.symbols)}
        return pt.stack(self.coordinates.forward(log))

    def backward(self, value, *inputs):
        """Logs of the parameters from coordinates."""
        log = self.coordinates.backward([value[i] for i in range(len(self.coordinates.symbols))])
        return pt.stack([log[symbol] for symbol in self.coordinates.symbols])

    def log_jac_det(self, value, *inputs):
        """Log determinant of the Jacobian of `backward`, summed over groups."""
        rows = [value[i] for i in range(len(self.coordinates.symbols))]
        return pt.sum(pt.as_tensor_variable(self.coordinates.log_jacobian(rows)))


def to_pymc(model: Model) -> pm.Model:
    """Build the PyMC model.

    Free variables are those of `layout`, in its order; the observed variable is the response as the noise takes it.
    Data, priors' numbers
    and group indices are `pymc.Data`, so that `pymc.set_data` with `graph_data` of another table serves that one.

    Parameters
    ----------
    model : Model
        Any model.

    Returns
    -------
    pymc.Model
        A generative model: prior predictive sampling works on it as on any other.
    """
    coords = {model.group: list(model.groups)} if model.group else {}
    with pm.Model(coords=coords) as graph:
        data = {name: pm.Data(name, value) for name, value in graph_data(model).items()}
        values = _free_variables(model, data)
        per_run = _per_run(model, values, data)
        output = model.law.output
        inputs = _inputs(model, data)
        law = _evaluated(model, values, data, inputs)
        mu = log_of(law) if model.noise.on_log else plain(law)
        per_run = {symbol: plain(value) for symbol, value in per_run.items()}
        if model.discrepancy:
            weights = values[WEIGHTS][:, data["group_index"]] if model.group else values[WEIGHTS][:, None]
            departure: Any = per_run["tau"] * pt.sum(weights * data["basis"], axis=0)
            mu = mu + departure if model.noise.on_log else output.unlink(output.link(mu) + departure)
        facts: dict[str, Any] = dict(data)
        if model.input_error:
            errors = {symbol: data[f"input_error_{symbol}"] for symbol in model.input_errors()}
            relative = {symbol: plain(x) for symbol, x in inputs.items()}
            facts["input_variance"] = model.input_variance(per_run, relative, errors)
        if model.cluster:
            clusters.to_pymc("measured_observed", model.noise, mu, per_run, facts, data["measured"])
        else:
            model.noise.to_pymc("measured_observed", mu, per_run, facts, data["measured"])
    return graph


def compile_mode(name: str) -> Any:
    """PyTensor's mode of that name, without multiplying out.

    On a law solved by iteration (M4) that rewrite takes minutes and ends where it began.
    """
    return get_mode(name).excluding("local_greedy_distributor")


def _evaluated(model: Model, values, data, inputs) -> Any:
    """Return the law of each run, by logs; by values where PyTensor is asked for what it cannot do with those.

    Constants are worked out once for each group.
    """
    law = model.law
    params = {p.symbol: _positive(model, p, values[p.symbol]) for p in law.params}
    try:
        constants = {c: _of_runs(value, data) for c, value in law.relative_constants(params).items()}
        return law.formula(**inputs, **constants)
    except NotImplementedError:
        of_law = {symbol: plain(_of_runs(value, data)) for symbol, value in params.items()}
        return law.evaluate(of_law, {symbol: plain(x) for symbol, x in inputs.items()})


def _per_run(model: Model, values, data) -> dict[str, Any]:
    """Each run's parameters: those of its group, the positive ones with their logs."""
    return {p.symbol: _of_runs(_positive(model, p, values[p.symbol]), data) for p in model.params}


def _positive(model: Model, p: Param, value) -> Any:
    """A parameter, with its log if it is positive."""
    return Positive(value=value, log=pt.log(value)) if p.support == POSITIVE and p.symbol not in model.zero else value


def _of_runs(value, data) -> Any:
    """Of each run's group, where there is one for each group."""
    if isinstance(value, Positive):
        return Positive(value=_of_runs(value.value, data), log=_of_runs(value.log, data))
    return pt.take(value, data["group_index"]) if getattr(value, "ndim", 0) else value


def _inputs(model: Model, data) -> dict[str, Any]:
    """Each run's inputs relative to their reference values, by their logs where `graph_data` has those."""
    return {
        i.symbol: Positive(log=data[f"log_{i.symbol}"]) if f"log_{i.symbol}" in data else data[f"input_{i.symbol}"]
        for i in model.law.inputs
    }


def _free_variables(model: Model, data) -> dict[str, Any]:
    """Natural values of all parameters, from the graph's random variables."""
    values: dict[str, Any] = {}
    for free in layout(model):
        if free.name == THETA:
            values |= _theta(model, data, values, free)
        elif free.name == WEIGHTS:
            values[WEIGHTS] = pm.Normal(WEIGHTS, 0.0, 1.0, shape=free.shape)
        elif free.prior is not None:
            key = free.name.removesuffix(MEAN) if free.name not in model.priors else free.name
            args = [data[f"prior_{key}"][i] for i in range(len(free.prior.args))]
            values[free.name] = free.prior.to_pymc(free.name, args=args, shape=free.shape)
        else:
            assert free.param is not None
            mean = free.param.support.unconstrain(values[free.name + MEAN])
            spread = values[free.name + SPREAD]
            if free.standard:
                u = mean + spread * pm.Normal(f"{free.name}_standard", 0.0, 1.0, shape=free.shape)
            else:
                u = pm.Normal(f"{free.name}_unconstrained", mean, spread, shape=free.shape)
            values[free.name] = free.param.support.constrain(u)
    for symbol in model.zero:
        values[symbol] = values[symbol] * data[f"nonzero_{symbol}"]
    return values


def _theta(model: Model, data, values, free) -> dict[str, Any]:
    """All parameters of the law as one unconstrained variable, moved by the sampler in the law's coordinates."""
    coordinates = model.law.coordinates
    assert coordinates is not None
    assert has_coordinates(model)
    means, spreads = [], []
    support = {p.symbol: p.support for p in model.law.params}
    for symbol in coordinates.symbols:
        if model.pooling[symbol] == PARTIAL:
            means.append(support[symbol].unconstrain(values[symbol + MEAN]))
            spreads.append(values[symbol + SPREAD])
        else:
            means.append(data[f"prior_{symbol}"][0])
            spreads.append(data[f"prior_{symbol}"][1])
    mu: Any = pt.stack(means)
    sigma: Any = pt.stack(spreads)
    if model.group:
        mu, sigma = mu[:, None], sigma[:, None]
    theta = pm.Normal(THETA, mu, sigma, shape=free.shape, transform=CoordinateTransform(coordinates))
    return {symbol: support[symbol].constrain(theta[i]) for i, symbol in enumerate(coordinates.symbols)}
