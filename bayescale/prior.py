"""Priors and the ranges they live on: a distribution's name and arguments, as an object, as text, and in PyMC."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np

from bayescale import ops
from bayescale.errors import InputError


@dataclass(frozen=True)
class Support:
    """The range of a parameter, and its map to the whole real line on which groups are pooled.

    Parameters
    ----------
    name : str
        ``"real"``, ``"positive"`` or ``"unit"``.
    lower, upper : float
        Open bounds of the range.
    """

    name: str
    lower: float
    upper: float

    def unconstrain(self, x):
        """Map natural values to the real line."""
        if self.name == "positive":
            return ops.log(x)
        if self.name == "unit":
            return ops.log(x) - ops.log(1 - x)
        return x

    def constrain(self, u):
        """Map the real line back to natural values."""
        if self.name == "positive":
            return ops.exp(u)
        if self.name == "unit":
            return ops.sigmoid(u)
        return u


REAL = Support("real", -math.inf, math.inf)
POSITIVE = Support("positive", 0.0, math.inf)
UNIT = Support("unit", 0.0, 1.0)


@dataclass(frozen=True)
class _Family:
    """How one distribution is called here and in PyMC and PreliZ (same words), and how SciPy calls it."""

    args: tuple[str, ...]
    scipy: Callable[..., tuple[str, dict[str, float]]]
    scale: Callable[[dict[str, float], float], dict[str, float]] | None = None
    positive: tuple[str, ...] = ("sigma",)


def _times(*names):
    return lambda a, by: {k: v * by if k in names else v for k, v in a.items()}


_FAMILIES: Mapping[str, _Family] = MappingProxyType(
    {
        "Normal": _Family(
            ("mu", "sigma"), lambda mu, sigma: ("norm", {"loc": mu, "scale": sigma}), _times("mu", "sigma")
        ),
        "LogNormal": _Family(
            ("mu", "sigma"),
            lambda mu, sigma: ("lognorm", {"s": sigma, "scale": math.exp(mu)}),
            lambda a, by: {**a, "mu": a["mu"] + math.log(by)},
        ),
        "HalfNormal": _Family(("sigma",), lambda sigma: ("halfnorm", {"scale": sigma}), _times("sigma")),
        "StudentT": _Family(
            ("nu", "mu", "sigma"),
            lambda nu, mu, sigma: ("t", {"df": nu, "loc": mu, "scale": sigma}),
            _times("mu", "sigma"),
            ("nu", "sigma"),
        ),
        "Exponential": _Family(
            ("lam",),
            lambda lam: ("expon", {"scale": 1 / lam}),
            lambda a, by: {"lam": a["lam"] / by},
            ("lam",),
        ),
        "Gamma": _Family(
            ("alpha", "beta"),
            lambda alpha, beta: ("gamma", {"a": alpha, "scale": 1 / beta}),
            lambda a, by: {**a, "beta": a["beta"] / by},
            ("alpha", "beta"),
        ),
        "InverseGamma": _Family(
            ("alpha", "beta"),
            lambda alpha, beta: ("invgamma", {"a": alpha, "scale": beta}),
            _times("beta"),
            ("alpha", "beta"),
        ),
        "Beta": _Family(
            ("alpha", "beta"),
            lambda alpha, beta: ("beta", {"a": alpha, "b": beta}),
            None,
            ("alpha", "beta"),
        ),
        "Uniform": _Family(
            ("lower", "upper"),
            lambda lower, upper: ("uniform", {"loc": lower, "scale": upper - lower}),
            _times("lower", "upper"),
            (),
        ),
        "TruncatedNormal": _Family(
            ("mu", "sigma", "lower", "upper"),
            lambda mu, sigma, lower, upper: (
                "truncnorm",
                {"a": (lower - mu) / sigma, "b": (upper - mu) / sigma, "loc": mu, "scale": sigma},
            ),
            _times("mu", "sigma", "lower", "upper"),
        ),
    }
)

_CALL = re.compile(r"\s*([A-Za-z]+)\s*\(([^()]*)\)\s*")


class Prior:
    """A prior distribution: its PyMC name and its arguments, in the parameter's natural unit.

    Parameters
    ----------
    distribution : str
        One of Normal, LogNormal, HalfNormal, StudentT, Exponential, Gamma, InverseGamma, Beta, Uniform,
        TruncatedNormal.
    *args, **kwargs : float
        Its arguments, as PyMC and PreliZ call them.

    Raises
    ------
    InputError
        Unknown distribution, or arguments that are missing, unknown, not finite or out of range.

    Examples
    --------
    >>> Prior("LogNormal", mu=0.5, sigma=0.2)
    LogNormal(mu=0.5, sigma=0.2)
    >>> Prior.parse("LogNormal(0.5, 0.2)") == Prior("LogNormal", mu=0.5, sigma=0.2)
    True
    """

    __slots__ = ("args", "distribution")
    distribution: str
    args: Mapping[str, float]

    def __init__(self, distribution: str, *args: float, **kwargs: float):
        family = _FAMILIES.get(distribution)
        if family is None:
            raise InputError(f"Unknown prior distribution {distribution!r}. Known: {', '.join(_FAMILIES)}.")
        if len(args) > len(family.args):
            raise InputError(f"{distribution} takes {', '.join(family.args)}; {len(args)} values were given.")
        given: dict[str, Any] = dict(zip(family.args, args, strict=False))
        if twice := sorted(given.keys() & kwargs.keys()):
            raise InputError(f"{distribution} got {', '.join(twice)} twice.")
        given |= kwargs
        missing = [name for name in family.args if name not in given]
        unknown = [name for name in given if name not in family.args]
        if missing or unknown:
            raise InputError(f"{distribution} takes {', '.join(family.args)}; given: {', '.join(given) or 'nothing'}.")
        values = {name: _finite(distribution, name, given[name]) for name in family.args}
        for name in family.positive:
            if values[name] <= 0:
                raise InputError(f"{distribution}: {name} must be positive, {values[name]:g} was given.")
        if "lower" in values and values["lower"] >= values["upper"]:
            raise InputError(f"{distribution}: lower must be below upper, {values} was given.")
        if distribution == "LogNormal" and abs(values["mu"]) > 700:
            raise InputError(f"LogNormal: mu is the log of the median; {values['mu']:g} is beyond any number.")
        _check_computable(distribution, family, values)
        object.__setattr__(self, "distribution", distribution)
        object.__setattr__(self, "args", MappingProxyType(values))

    @classmethod
    def parse(cls, text: str) -> "Prior":
        """Read ``"LogNormal(0.5, 0.2)"`` or ``"LogNormal(mu=0.5, sigma=0.2)"``."""
        match = _CALL.fullmatch(text)
        if match is None:
            raise InputError(f"Cannot read the prior {text!r}. Write it as LogNormal(0.5, 0.2).")
        positional: list[float] = []
        named: dict[str, float] = {}
        for part in match[2].split(",") if match[2].strip() else ():
            name, equals, value = part.rpartition("=")
            name = name.strip()
            if name in named:
                raise InputError(f"The prior {text!r} gives {name} twice.")
            try:
                number = float(value)
            except ValueError:
                raise InputError(f"Cannot read {value.strip()!r} in the prior {text!r}: not a number.") from None
            if equals:
                named[name] = number
            else:
                positional.append(number)
        return cls(match[1], *positional, **named)._usable()

    @classmethod
    def from_preliz(cls, distribution: Any) -> "Prior":
        """Take over a PreliZ distribution, given in any of its parametrisations or elicited by ``preliz.maxent``.

        Raises
        ------
        InputError
            A family that is no `Prior`, or one that has no values for its parameters yet.

        Examples
        --------
        >>> import preliz
        >>> Prior.from_preliz(preliz.Gamma(mu=2, sigma=1))
        Gamma(alpha=4, beta=2)
        """
        name = distribution.__name__ if isinstance(distribution, type) else type(distribution).__name__
        family = _FAMILIES.get(name)
        if family is None:
            raise InputError(f"PreliZ's {name} cannot be a prior here. Known: {', '.join(_FAMILIES)}.")
        if not getattr(distribution, "is_frozen", False):
            raise InputError(
                f"PreliZ's {name} has no value yet for all of {', '.join(family.args)}: write them, or elicit them "
                f"first: preliz.maxent(distribution, 0.1, 0.5, 0.9)."
            )
        return cls(name, **{arg: getattr(distribution, arg) for arg in family.args})

    @classmethod
    def read(cls, given: Any) -> "Prior":
        """Take a prior in any form: a `Prior`, text as for `parse`, or a distribution of PreliZ.

        Raises
        ------
        InputError
            It is none of these, or as `parse` and `from_preliz` say.
        """
        if isinstance(given, Prior):
            return given._usable()
        if isinstance(given, str):
            return cls.parse(given)
        # Told by its home, so that PreliZ, which is slow to import, need not be imported to ask.
        home = (given if isinstance(given, type) else type(given)).__module__
        if home.partition(".")[0] == "preliz":
            return cls.from_preliz(given)
        raise InputError(f"{given!r} is no prior. Give a Prior, text such as LogNormal(0.5, 0.2), or one of PreliZ.")

    def __setattr__(self, name, value):
        raise AttributeError("A Prior cannot be changed; make a new one.")

    def __reduce__(self):
        return _rebuild, (self.distribution, dict(self.args))

    def __eq__(self, other):
        return isinstance(other, Prior) and (self.distribution, self.args) == (other.distribution, other.args)

    def __hash__(self):
        return hash((self.distribution, tuple(self.args.items())))

    def __repr__(self):
        return f"{self.distribution}({', '.join(f'{k}={v:.6g}' for k, v in self.args.items())})"

    def to_scipy(self) -> Any:
        """Freeze the distribution in SciPy (``pdf``, ``cdf``, ``ppf``, ``rvs``)."""
        from scipy import stats

        name, kwargs = _FAMILIES[self.distribution].scipy(**self.args)
        return getattr(stats, name)(**kwargs)

    def to_preliz(self) -> Any:
        """Make the PreliZ distribution, for plotting and eliciting."""
        import preliz

        return getattr(preliz, self.distribution)(**self.args)

    def to_pymc(self, name: str, args=None, **kwargs) -> Any:
        """Add the random variable ``name`` to the PyMC model in context.

        ``args`` may replace the numbers by tensors.
        """
        import pymc

        values = self.args if args is None else dict(zip(self.args, args, strict=True))
        return getattr(pymc, self.distribution)(name, **values, **kwargs)

    def _usable(self) -> "Prior":
        """Refuse a prior of the user's that reaches beyond what a float holds."""
        try:
            with np.errstate(all="ignore"):
                found = np.asarray(self.quantile([0.05, 0.5, 0.95]))
                drawn = self.draw(np.random.default_rng(1), (3,))
        except (OverflowError, ValueError) as error:
            raise InputError(f"The prior {self} cannot be computed with ({error}).") from error
        if not (np.isfinite(found).all() and np.isfinite(drawn).all()):
            raise InputError(f"The prior {self} reaches beyond any number; take a narrower one.")
        return self

    def draw(self, rng: np.random.Generator, shape=()) -> np.ndarray:
        """Draw values of the given shape."""
        return np.asarray(self.to_scipy().rvs(size=shape, random_state=rng))

    def quantile(self, q):
        """Quantiles of the prior."""
        return _quantile(self, np.asarray(q, dtype=float))

    @property
    def support(self) -> tuple[float, float]:
        """The lowest and highest value the prior allows."""
        lower, upper = _frozen(self).support()
        return float(lower), float(upper)

    def scaled(self, by: float) -> "Prior":
        """Return the prior of ``by`` times the variable."""
        scale = _FAMILIES[self.distribution].scale
        if scale is None:
            raise InputError(f"A {self.distribution} prior has no scale to change.")
        return Prior(self.distribution, **scale(dict(self.args), by))

    def is_normal_on(self, support: Support) -> bool:
        """Whether the unconstrained value is Normal(mu, sigma) under this prior."""
        return self.distribution == {"real": "Normal", "positive": "LogNormal"}.get(support.name)


def _quantile(prior: Prior, q: np.ndarray) -> Any:
    """Quantiles without SciPy's distributions where a special function will do: those take seconds to import."""
    from scipy.special import gammaincinv, ndtri

    args = prior.args
    match prior.distribution:
        case "Normal":
            return args["mu"] + args["sigma"] * ndtri(q)
        case "LogNormal":
            return np.exp(args["mu"] + args["sigma"] * ndtri(q))
        case "HalfNormal":
            return args["sigma"] * ndtri((1 + np.where(q < 0, np.nan, q)) / 2)
        case "Gamma":
            return gammaincinv(args["alpha"], q) / args["beta"]
    return _frozen(prior).ppf(q)


@lru_cache(maxsize=1024)
def _frozen(prior: Prior) -> Any:
    """SciPy's distribution, for questions that do not change it: making one takes a millisecond."""
    return prior.to_scipy()


def _rebuild(distribution, args):
    return Prior(distribution, **args)


def _check_computable(distribution: str, family: _Family, values: Mapping[str, float]) -> None:
    """Refuse numbers that are each in range and together beyond a float, such as a rate whose inverse is infinite."""
    try:
        made = family.scipy(**values)[1]
    except (OverflowError, ZeroDivisionError):
        made = {"": math.inf}
    ends = made.get("a", 0.0) < made.get("b", 1.0) or distribution != "TruncatedNormal"
    if not (all(map(math.isfinite, made.values())) and made.get("scale", 1.0) > 0 and ends):
        said = ", ".join(f"{name} {value:g}" for name, value in values.items())
        raise InputError(f"{distribution}: {said} are too large, too small or too close together to compute with.")


def _finite(distribution, name, value) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InputError(f"{distribution}: {name} must be a number, {value!r} was given.") from None
    if not math.isfinite(number):
        raise InputError(f"{distribution}: {name} must be finite, {value!r} was given.")
    return number
