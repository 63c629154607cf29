"""How a measured response scatters about the law.

A noise works on the log of the response: a loss is positive and its seed-to-seed spread is close to a fixed share of
it. The densities returned are those of the response as measured, Jacobian included, so that laws with different noise
compare.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bayescale.errors import InputError
from bayescale.law import Param
from bayescale.prior import POSITIVE, REAL, Prior

SIGMA = Param(
    "sigma",
    "scale of the noise on log response",
    "",
    POSITIVE,
    Prior("LogNormal", mu=math.log(0.02), sigma=1.0),
    Prior("LogNormal", mu=math.log(0.4), sigma=0.5),
)
NU = Param(
    "nu",
    "degrees of freedom of the Student-t noise; small means outliers",
    "",
    POSITIVE,
    Prior("Gamma", alpha=2.0, beta=0.1),
    Prior("LogNormal", mu=math.log(0.4), sigma=0.5),
    pooled=False,
)
KAPPA = Param(
    "kappa",
    "exponent of the noise scale in the size of the run; negative where large runs are less noisy",
    "",
    REAL,
    Prior("Normal", mu=0.0, sigma=0.2),
    Prior("LogNormal", mu=math.log(0.1), sigma=0.5),
    pooled=False,
)


@dataclass(frozen=True)
class Noise:
    """Independent scatter of log response about the log of the law.

    Parameters
    ----------
    by_size : bool
        Whether the scale grows or falls with the size of the run, ``sigma * size**kappa``, where ``size`` is the run's
        compute (else the law's one input) relative to the reference.
    """

    by_size: bool = False
    name: ClassVar[str] = ""
    shape: ClassVar[tuple[Param, ...]] = ()

    def __str__(self):
        return self.name + ("+size" if self.by_size else "")

    @property
    def params(self) -> tuple[Param, ...]:
        """The noise's parameters."""
        return (SIGMA, *self.shape, *((KAPPA,) if self.by_size else ()))

    def scale(self, params: Mapping[str, Any], size):
        """Scale of the noise on log response for runs of relative size ``size``."""
        return params["sigma"] * size ** params["kappa"] if self.by_size else params["sigma"]

    def to_pymc(self, name: str, mu, params: Mapping[str, Any], size, observed) -> Any:
        """Add the observed log response to the PyMC model in context."""
        import pymc

        scale = self.scale(params, size)
        return getattr(pymc, self._distribution)(name, mu=mu, sigma=scale, observed=observed, **self._shape(params))

    def log_density(self, response, law, params: Mapping[str, Any], size):
        """Log density of the measured response; arguments broadcast."""
        z = (np.log(response) - np.log(law)) / self.scale(params, size)
        return self._log_pdf(z, params) - np.log(self.scale(params, size)) - np.log(response)

    def cdf(self, response, law, params: Mapping[str, Any], size):
        """Probability that a run measures at most ``response``."""
        z = (np.log(response) - np.log(law)) / self.scale(params, size)
        return self._cdf(z, params)

    def draw(self, rng: np.random.Generator, law, params: Mapping[str, Any], size):
        """Draw measured responses; the result has the broadcast dims or shape of the arguments."""
        scale = self.scale(params, size)
        mean = np.log(law) + 0 * scale
        with np.errstate(over="ignore"):  # Student-t with few degrees of freedom can draw what no float holds: infinity
            return np.exp(mean + scale * self._standard(rng, mean, params))

    _distribution: ClassVar[str] = ""

    def _shape(self, params):
        return {p.symbol: params[p.symbol] for p in self.shape}

    def _log_pdf(self, z, params) -> Any:
        raise TypeError("Noise is abstract; use Student or Normal.")

    def _cdf(self, z, params) -> Any:
        raise TypeError("Noise is abstract; use Student or Normal.")

    def _standard(self, rng, like, params) -> Any:
        raise TypeError("Noise is abstract; use Student or Normal.")


@dataclass(frozen=True)
class Student(Noise):
    """Student-t scatter with learnt degrees of freedom: a few wild runs do not move the law."""

    name: ClassVar[str] = "student"
    shape: ClassVar[tuple[Param, ...]] = (NU,)
    _distribution: ClassVar[str] = "StudentT"

    def _log_pdf(self, z, params):
        from scipy.special import gammaln

        nu = params["nu"]
        half = (nu + 1) / 2
        return gammaln(half) - gammaln(nu / 2) - 0.5 * np.log(np.pi * nu) - half * np.log1p(z**2 / nu)

    def _cdf(self, z, params):
        from scipy.special import stdtr

        return _elementwise(stdtr, params["nu"] + 0 * z, z)

    def _standard(self, rng, like, params):
        nu = 0 * like + params["nu"]
        return 0 * nu + rng.standard_t(np.asarray(nu))


@dataclass(frozen=True)
class Normal(Noise):
    """Normal scatter of log response."""

    name: ClassVar[str] = "normal"
    _distribution: ClassVar[str] = "Normal"

    def _log_pdf(self, z, params):
        return -0.5 * z**2 - 0.5 * math.log(2 * math.pi)

    def _cdf(self, z, params):
        from scipy.special import ndtr

        return _elementwise(ndtr, z)

    def _standard(self, rng, like, params):
        return 0 * like + rng.standard_normal(np.shape(like))


NOISES = {kind.name: kind for kind in (Student, Normal)}


def find_noise(noise: "Noise | str") -> Noise:
    """Read ``"student"``, ``"normal"``, ``"student+size"`` or ``"normal+size"``; a `Noise` passes through."""
    if isinstance(noise, Noise):
        return noise
    name, plus, option = str(noise).partition("+")
    if name not in NOISES or option not in (("size",) if plus else ("",)):
        known = ", ".join(f"{n}, {n}+size" for n in NOISES)
        raise InputError(f"There is no noise {noise!r}. Known: {known}.")
    return NOISES[name](by_size=bool(plus))


def _elementwise(function, *arrays):
    import xarray as xr

    return xr.apply_ufunc(function, *arrays)
