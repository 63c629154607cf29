"""Compute spent after pretraining: coverage by repeated samples, scores by search, reward by reinforcement learning."""

import math
from dataclasses import dataclass

from bayescale import ops
from bayescale.default_priors import EXPONENT_SPREAD, LEVEL_SPREAD
from bayescale.law import ACCURACY, Amplitude, Input, Law, Output, Param, Position
from bayescale.prior import POSITIVE, REAL, UNIT, Prior

SAMPLES = Input("k", "samples a problem", "samples", "k", typical=(1.0, 1e4))
RL_COMPUTE = Input("C", "compute of reinforcement learning", "GPU hours or FLOP", "C")
ANY = Input("x", "any one input: samples, tokens of thought, training or test compute", "")
# A straight line in a log leaves the range from 0 to 1 at both ends, so its response may be any number.
SCORE = Output("score", "share of problems solved, or another score", "", REAL, higher_is_better=True)
PASS_RATE = Output("R", "share of validation problems passed", "share", UNIT, higher_is_better=True)

_LOGIT_SPREAD = Prior("LogNormal", mu=math.log(0.5), sigma=0.5)


@dataclass(frozen=True)
class _AtOne:
    """The score ``c`` at an input of 1; sampled as the score at the reference input."""

    symbol: str

    def to_paper(self, value, params, reference):
        """Return ``c``."""
        return value - params["m"] * math.log10(reference["x"])

    def from_paper(self, constant, params, reference):
        """Return the score at the reference input."""
        return constant + params["m"] * math.log10(reference["x"])


@dataclass(frozen=True)
class _Limit:
    """The limit ``A`` of the pass rate; sampled as how much of the way from the start to 1 it is."""

    symbol: str

    def to_paper(self, value, params, reference):
        """Return ``A``."""
        return params["R0"] + value * (1 - params["R0"])

    def from_paper(self, constant, params, reference):
        """Return the share of the way."""
        return (constant - params["R0"]) / (1 - params["R0"])


def covered(k, a, b):
    """Brown et al. (2024), arXiv:2407.21787, section 3, with both signs turned: exp(a k^b) has a, b < 0 there."""
    return ops.exp(-a * k**-b)


def line_in_log(x, c, m):
    """AlphaCode (2022), arXiv:2203.07814: solve rates rise by the same amount with every ten times the samples."""
    return c + m * ops.log(x) / math.log(10)


def pass_rate(C, R0, A, B, C_mid):
    """Khatri et al. (2025), arXiv:2510.13786, equation 1."""
    return R0 + (A - R0) / (1 + (C_mid / C) ** B)


coverage = Law(
    "coverage",
    covered,
    inputs=(SAMPLES,),
    output=ACCURACY,
    params=(
        Param(
            "a_ref",
            "negative log of the coverage at the reference number of samples",
            "",
            POSITIVE,
            Prior("LogNormal", mu=0.0, sigma=1.0),
            LEVEL_SPREAD,
            paper=Amplitude("a", "k", "b"),
        ),
        Param("b", "exponent", "", POSITIVE, Prior("LogNormal", mu=math.log(0.3), sigma=0.6), EXPONENT_SPREAD),
    ),
    slopes={"k": 1},
    title="share of problems solved by at least one of several samples, against their number",
    reference="Brown et al. (2024), arXiv:2407.21787, section 3",
)

log_linear = Law(
    "log_linear",
    line_in_log,
    inputs=(ANY,),
    output=SCORE,
    params=(
        Param(
            "c_ref",
            "score at the reference input",
            "",
            REAL,
            Prior("Normal", mu=0.0, sigma=1.0),
            Prior("LogNormal", mu=math.log(0.3), sigma=0.7),
            scaled=True,
            paper=_AtOne("c"),
        ),
        Param(
            "m",
            "score gained by ten times the input",
            "per decade",
            REAL,
            Prior("Normal", mu=0.0, sigma=1.0),
            Prior("LogNormal", mu=math.log(0.1), sigma=0.7),
            scaled=True,
            per="x",
        ),
    ),
    slopes={},
    title="score against the log of any one input, a straight line",
    reference="Li et al. (2022), arXiv:2203.07814 (AlphaCode)",
)

rl_compute = Law(
    "rl_compute",
    pass_rate,
    inputs=(RL_COMPUTE,),
    output=PASS_RATE,
    params=(
        Param("R0", "pass rate before training", "share", UNIT, Prior("Beta", alpha=2.0, beta=4.0), _LOGIT_SPREAD),
        Param(
            "reach",
            "how much of the way from the start to 1 is gone in the end",
            "share",
            UNIT,
            Prior("Beta", alpha=2.0, beta=2.0),
            _LOGIT_SPREAD,
            paper=_Limit("A"),
        ),
        Param(
            "B",
            "steepness; from 10 to 90 % of the gain takes 1.91 / B decades",
            "per e-fold of compute",
            POSITIVE,
            Prior("LogNormal", mu=math.log(1.5), sigma=0.7),
            EXPONENT_SPREAD,
            per="C",
        ),
        Param(
            "C_mid_ref",
            "compute half-way up, relative to the reference compute",
            "",
            POSITIVE,
            Prior("LogNormal", mu=0.0, sigma=2.0),
            LEVEL_SPREAD,
            paper=Position("C_mid", "C"),
            along="C",
        ),
    ),
    slopes={"C": 1},
    title="pass rate against compute of reinforcement learning, a sigmoid from the start to a limit",
    reference="Khatri et al. (2025), arXiv:2510.13786, eq. 1",
)
