"""How a measured response scatters about the law.

A positive response (a loss, an error rate) scatters on the log scale: its seed-to-seed spread is close to a fixed share
of it. Any other response (Elo, the log of a density, an accuracy without counts) scatters on its own scale, and an
accuracy with counts as right answers out of questions asked. The densities returned are those of the response as
measured, Jacobian included, so that laws with different noise compare; with counts they are probabilities of the count.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from bayescale.errors import InputError
from bayescale.given import check_kind
from bayescale.law import LOSS, Output, Param
from bayescale.numerals import as_float, is_numeric
from bayescale.prior import POSITIVE, REAL, UNIT, Prior
from bayescale.words import shown

TRIALS = "n_trials"  # the column of the runs with how many questions an accuracy was measured on
MOST_TRIALS = 10**12  # so far SciPy's inverse of the binomial was found right; from 1e15 it errs, from 1e19 never ends
_SPREAD = Prior("LogNormal", mu=math.log(0.4), sigma=0.5)

SIGMA = Param(
    "sigma",
    "scale of the noise on log response",
    "",
    POSITIVE,
    Prior("LogNormal", mu=math.log(0.02), sigma=1.0),
    _SPREAD,
)
SIGMA_OWN = replace(
    SIGMA,
    meaning="scale of the noise on the response",
    prior=Prior("LogNormal", mu=math.log(0.1), sigma=1.0),
    scaled=True,
)
NU = Param(
    "nu",
    "degrees of freedom of the Student-t noise; small means outliers",
    "",
    POSITIVE,
    Prior("Gamma", alpha=2.0, beta=0.1),
    _SPREAD,
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
SHORTFALL = Param(
    "shortfall",
    "mean shortfall of a run from the frontier, on log response",
    "",
    POSITIVE,
    Prior("LogNormal", mu=math.log(0.05), sigma=1.0),
    _SPREAD,
)
SHORTFALL_OWN = replace(
    SHORTFALL,
    meaning="mean shortfall of a run from the frontier",
    prior=Prior("LogNormal", mu=math.log(0.3), sigma=1.0),
    scaled=True,
)
OMEGA = Param(
    "omega",
    "standard deviation of the offsets that runs of one cluster share, on log response",
    "",
    POSITIVE,
    Prior("LogNormal", mu=math.log(0.02), sigma=1.0),
    _SPREAD,
)
OMEGA_OWN = replace(
    OMEGA,
    meaning="standard deviation of the offsets that runs of one cluster share",
    prior=Prior("LogNormal", mu=math.log(0.1), sigma=1.0),
    scaled=True,
)
CONCENTRATION = Param(
    "phi",
    "concentration of the probabilities of a right answer about the law; large means binomial",
    "questions",
    POSITIVE,
    Prior("LogNormal", mu=math.log(50.0), sigma=1.5),
    _SPREAD,
)


@dataclass(frozen=True)
class Noise:
    """Independent scatter of a response about the law.

    Parameters
    ----------
    by_size : bool
        Whether the scale grows or falls with the size of the run, ``sigma * size**kappa``, where ``size`` is the run's
        compute (else the law's first input) relative to the reference.
    output : Output
        What scatters: a positive response on its log, any other on its own scale.
    clustered : bool
        Whether runs of one cluster share an offset: `bayescale.clusters`. The methods here are of a run by itself.

    Notes
    -----
    Methods take ``facts`` of the runs: ``size``, relative; ``trials``, questions asked, where there are counts; ``se``,
    where the response comes with a standard error of its own, on the scale of the noise; and ``input_variance``, what
    errors of the inputs add (`bayescale.input_error`). Both widen the scale in quadrature. That is exact for normal
    noise and for the normal part of the frontier; Student-t scatter of that scale keeps its degrees of freedom, so that
    a run with a wrong standard error may still be an outlier.
    """

    by_size: bool = False
    output: Output = LOSS
    clustered: bool = False
    name: ClassVar[str] = ""
    shape: ClassVar[tuple[Param, ...]] = ()
    counts: ClassVar[bool] = False

    def __str__(self):
        return self.name + ("+size" if self.by_size else "")

    @property
    def on_log(self) -> bool:
        """Whether the scatter is on the log of the response."""
        return self.output.support == POSITIVE

    @property
    def where(self) -> str:
        """On what scale the scatter is, in words."""
        return f"on log {self.output.symbol}" if self.on_log else f"on {self.output.symbol}"

    @property
    def params(self) -> tuple[Param, ...]:
        """The noise's parameters."""
        offsets = (OMEGA if self.on_log else OMEGA_OWN,) if self.clustered else ()
        return (SIGMA if self.on_log else SIGMA_OWN, *self.shape, *((KAPPA,) if self.by_size else ()), *offsets)

    def check(self, runs) -> None:
        """Refuse runs that this noise cannot have made."""

    def observed(self, response: np.ndarray, facts: Mapping[str, Any]) -> np.ndarray:
        """The response as the likelihood takes it: its log, itself, or a count."""
        return np.log(response) if self.on_log else np.asarray(response)

    def scale(self, params: Mapping[str, Any], facts: Mapping[str, Any], law: Any = None):
        """Scale of the noise, on the log of the response where it scatters there."""
        own = self.own_scale(params, facts)
        return (own**2 + params["omega"] ** 2) ** 0.5 if self.clustered else own

    def own_scale(self, params: Mapping[str, Any], facts: Mapping[str, Any]):
        """Scale of the noise without what a run shares with its cluster."""
        own = params["sigma"] * facts["size"] ** params["kappa"] if self.by_size else params["sigma"]
        added = ([facts["se"] ** 2] if "se" in facts else []) + (
            [facts["input_variance"]] if "input_variance" in facts else []
        )
        return (own**2 + sum(added[1:], added[0])) ** 0.5 if added else own

    def deviation(self, response, law):
        """How far a response lies from the law on the scale of the noise: a log ratio, or a difference."""
        with np.errstate(divide="ignore"):  # a replicate that rounds to zero lies infinitely far off
            return np.log(response) - np.log(law) if self.on_log else response - law

    def centre(self, law, params: Mapping[str, Any]):
        """Where a response is expected on the scale of the noise, the law being known."""
        return np.log(law) if self.on_log else law

    def equivalent_variance(self, params: Mapping[str, Any], facts: Mapping[str, Any], law: Any = None):
        """Variance of normal noise under which a run tells as much about the law: one over Fisher's information."""
        return self.scale(params, facts, law) ** 2

    def to_pymc(self, name: str, mu, params: Mapping[str, Any], facts: Mapping[str, Any], observed) -> Any:
        """Add the observed response to the PyMC model in context; ``mu`` is the law on the scale of the noise."""
        import pymc

        scale = self.scale(params, facts)
        return getattr(pymc, self._distribution)(name, mu=mu, sigma=scale, observed=observed, **self._shape(params))

    def log_density(self, response, law, params: Mapping[str, Any], facts: Mapping[str, Any]):
        """Log density of the measured response; arguments broadcast."""
        scale = self.scale(params, facts)
        density = self._log_pdf(self.deviation(response, law) / scale, params, scale) - np.log(scale)
        return density - np.log(response) if self.on_log else density

    def cdf(self, response, law, params: Mapping[str, Any], facts: Mapping[str, Any]):
        """Probability that a run measures at most ``response``; of a count, half of that very count's included."""
        scale = self.scale(params, facts)
        return self._cdf(self.deviation(response, law) / scale, params, scale)

    def draw(self, rng: np.random.Generator, law, params: Mapping[str, Any], facts: Mapping[str, Any]):
        """Draw measured responses; the result has the broadcast dims or shape of the arguments."""
        scale = self.scale(params, facts)
        mean = (np.log(law) if self.on_log else law) + 0 * scale
        drawn = mean + scale * self._standard(rng, mean, params, scale)
        if not self.on_log:
            return drawn
        with np.errstate(over="ignore"):  # Student-t with few degrees of freedom can draw what no float holds: infinity
            return np.exp(drawn)

    _distribution: ClassVar[str] = ""

    def _shape(self, params):
        return {p.symbol: params[p.symbol] for p in self.shape}

    def _log_pdf(self, z, params, scale) -> Any:
        raise TypeError("Noise is abstract; use Student or Normal.")

    def _cdf(self, z, params, scale) -> Any:
        raise TypeError("Noise is abstract; use Student or Normal.")

    def _standard(self, rng, like, params, scale) -> Any:
        raise TypeError("Noise is abstract; use Student or Normal.")


@dataclass(frozen=True)
class Student(Noise):
    """Student-t scatter with learnt degrees of freedom: a few wild runs do not move the law."""

    name: ClassVar[str] = "student"
    shape: ClassVar[tuple[Param, ...]] = (NU,)
    _distribution: ClassVar[str] = "StudentT"

    def equivalent_variance(self, params, facts, law: Any = None):
        """One over Fisher's information about the centre, finite for any degrees of freedom.

        Lange, Little & Taylor (1989), J. Am. Stat. Assoc. 84, 881-896.
        """
        return super().equivalent_variance(params, facts, law) * (params["nu"] + 3) / (params["nu"] + 1)

    def _log_pdf(self, z, params, scale):
        from scipy.special import gammaln

        nu = params["nu"]
        half = (nu + 1) / 2
        return gammaln(half) - gammaln(nu / 2) - 0.5 * np.log(np.pi * nu) - half * np.log1p(z**2 / nu)

    def _cdf(self, z, params, scale):
        from scipy.special import stdtr

        return _elementwise(stdtr, params["nu"] + 0 * z, z)

    def _standard(self, rng, like, params, scale):
        nu = 0 * like + params["nu"]
        return 0 * nu + rng.standard_t(np.asarray(nu))


@dataclass(frozen=True)
class Normal(Noise):
    """Normal scatter."""

    name: ClassVar[str] = "normal"
    _distribution: ClassVar[str] = "Normal"

    def _log_pdf(self, z, params, scale):
        return -0.5 * z**2 - 0.5 * math.log(2 * math.pi)

    def _cdf(self, z, params, scale):
        from scipy.special import ndtr

        return _elementwise(ndtr, z)

    def _standard(self, rng, like, params, scale):
        return 0 * like + rng.standard_normal(np.shape(like))


@dataclass(frozen=True)
class Frontier(Noise):
    """One-sided scatter: the law is the best that can be reached, and runs fall short of it by an exponential amount.

    The stochastic frontier of econometrics (normal-exponential): response = law, plus or minus a shortfall, plus normal
    measurement noise. Short means above the law for a loss, below it where more is better.

    References
    ----------
    .. [1] Meeusen & van den Broeck (1977), Int. Econ. Rev. 18, 435-444.
    """

    name: ClassVar[str] = "frontier"

    @property
    def params(self) -> tuple[Param, ...]:
        """The noise's parameters."""
        return (*super().params, SHORTFALL if self.on_log else SHORTFALL_OWN)

    @property
    def _sign(self) -> int:
        return -1 if self.output.higher_is_better else 1

    def centre(self, law, params):
        """The law and the mean shortfall from it."""
        return super().centre(law, params) + self._sign * params["shortfall"]

    def equivalent_variance(self, params, facts, law: Any = None):
        """Variance of scatter and shortfall together: an upper bound, Fisher's information having no closed form."""
        return super().equivalent_variance(params, facts, law) + params["shortfall"] ** 2

    def to_pymc(self, name, mu, params, facts, observed):
        """Add the observed response to the PyMC model in context."""
        import pymc

        scale = self.scale(params, facts)
        return pymc.ExGaussian(
            name, mu=self._sign * mu, sigma=scale, nu=params["shortfall"], observed=self._sign * observed
        )

    def _log_pdf(self, z, params, scale):
        return _elementwise(_exponnorm_logpdf, self._sign * z, params["shortfall"] / scale + 0 * z)

    def _cdf(self, z, params, scale):
        below = _elementwise(_exponnorm_cdf, self._sign * z, params["shortfall"] / scale + 0 * z)
        return below if self._sign > 0 else 1 - below

    def _standard(self, rng, like, params, scale):
        mean = 0 * like + params["shortfall"] / scale
        short = mean * rng.standard_exponential(np.shape(mean))
        return 0 * mean + rng.standard_normal(np.shape(mean)) + self._sign * short


def _exponnorm_logpdf(z, k):
    """Log density of a standard normal plus an exponential of mean k, without overflow."""
    from scipy.special import erfcx, log_ndtr

    a = 1 / k - z
    return np.where(
        a > 0,
        np.log(erfcx(np.maximum(a, 0) / math.sqrt(2)) / (2 * k)) - 0.5 * z**2,
        log_ndtr(-a) + 0.5 / k**2 - z / k - np.log(k),
    )


def _exponnorm_cdf(z, k):
    from scipy.special import ndtr

    return np.clip(ndtr(z) - k * np.exp(_exponnorm_logpdf(z, k)), 0, 1)


@dataclass(frozen=True)
class Binomial(Noise):
    """Right answers out of questions asked, each with the law's probability."""

    name: ClassVar[str] = "binomial"
    counts: ClassVar[bool] = True

    @property
    def on_log(self) -> bool:
        """Whether the scatter is on the log of the response: never, it is in counts."""
        return False

    @property
    def where(self) -> str:
        """On what scale the scatter is, in words."""
        return f"counts of {TRIALS}"

    @property
    def params(self) -> tuple[Param, ...]:
        """The noise's parameters: none."""
        return ()

    def check(self, runs) -> None:
        """Refuse runs without whole counts."""
        if self.output.support != UNIT:
            raise InputError(f"Noise {self.name!r} is for shares of right answers; {self.output.symbol} is none.")
        if TRIALS not in runs.columns:
            raise InputError(
                f"Noise {self.name!r} needs a column {TRIALS!r}: on how many questions each {self.output.symbol} was "
                "measured. Add it, or use noise='normal'."
            )
        if not is_numeric(runs[TRIALS]):
            cells = runs[TRIALS].tolist()
            row = next((k for k, x in enumerate(cells) if not (isinstance(x, (int, float)) and x <= MOST_TRIALS)), 0)
            raise InputError(
                f"Column {TRIALS!r} must be numbers up to {MOST_TRIALS:.2g}; row {row + 1} holds {shown(cells[row])}."
            )
        trials = as_float(runs[TRIALS])
        if bad := np.flatnonzero(~((trials >= 1) & (trials <= MOST_TRIALS) & (trials == np.round(trials)))).tolist():
            raise InputError(
                f"Column {TRIALS!r} must hold whole numbers from 1 to {MOST_TRIALS:.2g}; row {bad[0] + 1} holds "
                f"{trials[bad[0]]:g}."
            )
        counts = np.asarray(runs[self.output.symbol], dtype=float) * trials
        if bad := np.flatnonzero(np.abs(counts - np.round(counts)) > 0.05 + 1e-6 * trials).tolist():
            raise InputError(
                f"{self.output.symbol} times {TRIALS} must be a whole number of right answers; in row {bad[0] + 1} it "
                f"is {counts[bad[0]]:.3f}. Was the {self.output.symbol} rounded, averaged, or adjusted for chance?"
            )

    def observed(self, response, facts):
        """Right answers."""
        return np.round(np.asarray(response) * facts["trials"])

    def scale(self, params, facts, law: Any = None):
        """Standard deviation of the measured share."""
        return (law * (1 - law) / facts["trials"]) ** 0.5

    def to_pymc(self, name, mu, params, facts, observed):
        """Add the observed counts to the PyMC model in context."""
        import pymc

        return pymc.Binomial(name, n=facts["trials"], p=_inside(mu), observed=observed)

    def log_density(self, response, law, params, facts):
        """Log probability of the measured count."""
        right = np.round(response * facts["trials"])
        return self._log_pmf(right, facts["trials"], _inside(law), params)

    def cdf(self, response, law, params, facts):
        """Probability of fewer right answers than ``response``, and half that of as many."""
        right = np.round(response * facts["trials"])
        law = _inside(law)
        half = 0.5 * np.exp(self._log_pmf(right, facts["trials"], law, params))
        return self._up_to(right, facts["trials"], law, params) - half

    def draw(self, rng, law, params, facts):
        """Draw measured shares."""
        chance = self._chance(rng, _inside(law) + 0 * facts["trials"], params)
        trials = 0 * chance + facts["trials"]
        return 0 * chance + rng.binomial(np.asarray(trials).astype("int64"), np.asarray(chance)) / trials

    def _log_pmf(self, right, trials, law, params) -> Any:
        from scipy.special import gammaln, xlog1py, xlogy

        ways = gammaln(trials + 1) - gammaln(right + 1) - gammaln(trials - right + 1)
        return ways + _elementwise(xlogy, right + 0 * law, law) + _elementwise(xlog1py, trials - right + 0 * law, -law)

    def _up_to(self, right, trials, law, params) -> Any:
        from scipy.special import bdtr

        return _elementwise(lambda k, n, p: bdtr(k, np.asarray(n).astype(int), p), right, trials, law)

    def _chance(self, rng, law, params) -> Any:
        return law


@dataclass(frozen=True)
class BetaBinomial(Binomial):
    """Right answers whose probability itself scatters about the law, as Beta(p phi, (1 - p) phi), from run to run."""

    name: ClassVar[str] = "beta_binomial"

    @property
    def params(self) -> tuple[Param, ...]:
        """The noise's parameter: the concentration."""
        return (CONCENTRATION,)

    def scale(self, params, facts, law: Any = None):
        """Standard deviation of the measured share."""
        inflation = (params["phi"] + facts["trials"]) / (params["phi"] + 1)
        return (law * (1 - law) / facts["trials"] * inflation) ** 0.5

    def to_pymc(self, name, mu, params, facts, observed):
        """Add the observed counts to the PyMC model in context."""
        import pymc

        p = _inside(mu)
        phi = params["phi"]
        return pymc.BetaBinomial(name, n=facts["trials"], alpha=p * phi, beta=(1 - p) * phi, observed=observed)

    def _log_pmf(self, right, trials, law, params):
        return _elementwise(_beta_binomial_log_pmf, right, trials, law * params["phi"], (1 - law) * params["phi"])

    def _up_to(self, right, trials, law, params):
        return _elementwise(_beta_binomial_cdf, right, trials, law * params["phi"], (1 - law) * params["phi"])

    def _chance(self, rng, law, params):
        a, b = law * params["phi"], (1 - law) * params["phi"]
        return 0 * a + rng.beta(np.asarray(a), np.asarray(b))


def _beta_binomial_log_pmf(right, trials, a, b):
    from scipy.special import betaln, gammaln

    ways = gammaln(trials + 1) - gammaln(right + 1) - gammaln(trials - right + 1)
    return ways + betaln(a + right, b + (trials - right)) - betaln(a, b)


def _beta_binomial_cdf(right, trials, a, b):
    """Probability of at most so many right answers: of many distributions at once, where SciPy takes one by one."""
    low = right <= trials * a / (a + b)
    a, b = np.where(low, a, b), np.where(low, b, a)
    count = np.where(low, right, trials - right - 1)  # above the mean, by one minus the chance of more
    at_count = np.exp(_beta_binomial_log_pmf(np.maximum(count, 0), trials, a, b))
    term = np.where(count < 0, 0.0, at_count)
    total = term
    while (term > 1e-17).any():
        ratio = count * (b + trials - count) / ((trials - count + 1) * np.where(count > 0, a + count - 1, 1.0))
        term = np.where(count > 0, term * ratio, 0.0)
        total = total + term
        count = count - 1
    return np.where(low, total, 1 - total)


_EDGE = 1e-9  # a float cannot tell a probability closer to 0 or 1 from certainty, which one wrong answer would refute


def _inside(p):
    """Keep a probability off 0 and 1 by one part in a billion, which a count cannot see."""
    return _EDGE + (1 - 2 * _EDGE) * p


NOISES = {kind.name: kind for kind in (Student, Normal, Frontier, Binomial, BetaBinomial)}


def find_noise(noise: "Noise | str | None", output: Output = LOSS, has_counts: bool = False) -> Noise:
    """Find a noise by name, for a response.

    Parameters
    ----------
    noise : Noise or str, optional
        ``"student"``, ``"normal"`` or ``"frontier"``, each with ``"+size"`` for a scale that changes with the run's
        size; ``"binomial"`` or ``"beta_binomial"`` for an accuracy with counts. By default ``"beta_binomial"`` where
        there are counts, else ``"student"``. A `Noise` is taken for the response as well.
    output : Output
        What scatters.
    has_counts : bool
        Whether the runs say on how many questions an accuracy was measured.
    """
    check_kind("noise", "" if noise is None else noise, (Noise, str), "Name one: 'student'.")
    if isinstance(noise, Noise):
        return replace(noise, output=output)
    if noise is None:
        noise = BetaBinomial.name if has_counts and output.support == UNIT else Student.name
    name, plus, option = str(noise).partition("+")
    sized = [n for n, kind in NOISES.items() if not kind.counts]
    if name not in NOISES or option not in (("size",) if plus else ("",)) or (plus and name not in sized):
        known = ", ".join((*(f"{n}, {n}+size" for n in sized), *(n for n in NOISES if n not in sized)))
        raise InputError(f"There is no noise {noise!r}. Known: {known}.")
    return NOISES[name](by_size=bool(plus), output=output)


def _elementwise(function, *arrays):
    import xarray as xr

    return xr.apply_ufunc(function, *arrays)
