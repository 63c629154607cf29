"""Shares of right answers: against a loss, against compute, and against model size and tokens.

A share rises from chance, which belongs to the task and is a column of the runs, towards a limit. `reach` says how
much of the way from chance to 1 the limit is: the ceiling is ``chance + reach * (1 - chance)``.

Chance is never quite zero: where a guess all but cannot hit, it is a small number, such as 1e-6.

Where a share turns up depends on how it is counted. An answer of ``K`` tokens is right when every token is, so that
its exact match rises as the ``K``-th power of what one token does: the longer the answer, the later and the more
sudden.
"""

import math
from dataclasses import dataclass

import numpy as np

from bayescale import ops
from bayescale.default_priors import EXPONENT, EXPONENT_SPREAD, LEVEL_SPREAD
from bayescale.law import ACCURACY, MEAN, NONE, PARAMETERS, TOKENS, Amplitude, Input, Law, Param, Scale
from bayescale.prior import POSITIVE, REAL, UNIT, Prior

ANY = Input("x", "any one input: compute, parameters, tokens, samples, ...", "")
CHANCE = Input(
    "chance", "share of right answers of a guess", "share", "chance", centre=NONE, typical=(1e-4, 0.5), known=True
)
TASK_LOSS = Input("L", "loss, on the task or of pretraining", "nats/token", "L", centre=MEAN, typical=(0.5, 5.0))
ANSWER_TOKENS = Input("K", "length of the answer", "tokens", "answer_tokens", NONE, (1.0, 8.0), known=True)

# A logit of 3 is 95 % of the way; with slopes of 0.4 to 10 logits per standard deviation of the
# axis, the place half-way up may lie well beyond either end of the runs.
LOGIT = Prior("Normal", mu=0.0, sigma=5.0)
LOGIT_SPREAD = Prior("LogNormal", mu=0.0, sigma=0.7)
STEEPNESS = Prior("LogNormal", mu=math.log(2.0), sigma=0.8)


@dataclass(frozen=True)
class _LossHalfWay:
    """The loss half-way up, ``L_mid``; sampled as the logit of the way gone at the mean loss of the runs.

    Runs that end before the rise bound that logit from above and say little else: in logit and slope a straight wall,
    in place and slope a curved one, at which a sampler diverges.
    """

    symbol: str

    def to_paper(self, value, params, reference):
        """Return ``L_mid``."""
        return reference["L"] + value / params["kappa"]

    def from_paper(self, constant, params, reference):
        """Return the logit at the mean loss."""
        return params["kappa"] * (constant - reference["L"])


@dataclass(frozen=True)
class _InputHalfWay:
    """The input half-way up, ``x_mid``; sampled as the logit of the way gone at the reference input.

    With a slope close to zero ``x_mid`` may exceed what a float holds; it is then infinite.
    """

    symbol: str

    def to_paper(self, value, params, reference):
        """Return ``x_mid``."""
        with np.errstate(over="ignore"):
            return reference["x"] * ops.exp(-value / params["slope"])

    def from_paper(self, constant, params, reference):
        """Return the logit at the reference input."""
        return params["slope"] * ops.log(reference["x"] / constant)


REACH = Param(
    "reach",
    "how much of the way from chance to 1 is gone in the end",
    "share",
    UNIT,
    Prior("Beta", alpha=5.0, beta=1.0),
    Prior("LogNormal", mu=math.log(0.5), sigma=0.5),
)


def accuracy_of_loss(L, chance, reach, kappa, L_mid):
    """Xiao et al. (2024), arXiv:2412.04315, equation 4, and Bhagia et al. (2024), arXiv:2412.04403."""
    return chance + (1 - chance) * reach * ops.sigmoid(-kappa * (L - L_mid))


def accuracy_of_compute(x, chance, reach, slope, x_mid):
    """Owen (2024), arXiv:2401.04757: a logistic function of the log of compute, with a floor and a ceiling."""
    return chance + (1 - chance) * reach * ops.sigmoid(slope * ops.log(x / x_mid))


def accuracy_from_plateau(x, chance, early, reach, slope, x_mid):
    """A logistic function with four parameters: the way from chance to 1 begins on a plateau, and ends on another."""
    gone = early + (1 - early) * reach * ops.sigmoid(slope * ops.log(x / x_mid))
    return chance + (1 - chance) * gone


def whole_answers(x, K, c, alpha):
    """Schaeffer et al. (2023), arXiv:2304.15004: all ``K`` tokens right, each with probability exp(-(c / x)**alpha)."""
    return ops.exp(-K * (c / x) ** alpha)


def accuracy_of_size(N, D, chance, u, a, b, alpha, beta):
    """Bhagia et al. (2024), arXiv:2412.04403, both steps in one, in what the share alone can tell."""
    return chance + (1 - chance) * ops.sigmoid(u - a * N**-alpha - b * D**-beta)


sigmoid_of_loss = Law(
    "sigmoid_of_loss",
    accuracy_of_loss,
    inputs=(TASK_LOSS, CHANCE),
    output=ACCURACY,
    params=(
        REACH,
        Param("kappa", "steepness", "per nat/token", POSITIVE, STEEPNESS, EXPONENT_SPREAD, per="L"),
        Param(
            "u",
            "logit of the way gone at the mean loss of the runs",
            "",
            REAL,
            LOGIT,
            LOGIT_SPREAD,
            paper=_LossHalfWay("L_mid"),
        ),
    ),
    slopes={"L": -1},
    title="share of right answers against a loss, a sigmoid between chance and a limit",
    reference="Bhagia et al. (2024), arXiv:2412.04403; Xiao et al. (2024), arXiv:2412.04315, eq. 4",
)

EARLY = Param(
    "early",
    "how much of the way from chance to 1 is gone on the plateau before the rise",
    "share",
    UNIT,
    # Mostly below 5 %: the plateau is what a guess by the answers' frequencies is worth, not an ability.
    Prior("Beta", alpha=1.0, beta=60.0),
    Prior("LogNormal", mu=math.log(0.5), sigma=0.5),
)
SLOPE = Param(
    "slope",
    "steepness; from 10 to 90 % of the way takes 4.39 / slope e-folds, 1.91 / slope decades",
    "per e-fold of the input",
    POSITIVE,
    STEEPNESS,
    EXPONENT_SPREAD,
    per="x",
)
HALF_WAY = Param(
    "u",
    "logit of the way gone at the reference input",
    "",
    REAL,
    LOGIT,
    LOGIT_SPREAD,
    paper=_InputHalfWay("x_mid"),
)

sigmoid_of_compute = Law(
    "sigmoid_of_compute",
    accuracy_of_compute,
    inputs=(ANY, CHANCE),
    output=ACCURACY,
    params=(REACH, SLOPE, HALF_WAY),
    slopes={"x": 1},
    title="share of right answers against the log of any one input, a sigmoid between chance and a limit",
    reference="Owen (2024), arXiv:2401.04757; Ruan et al. (2024), arXiv:2405.10938",
)

sigmoid_from_plateau = Law(
    "sigmoid_from_plateau",
    accuracy_from_plateau,
    inputs=(ANY, CHANCE),
    output=ACCURACY,
    params=(EARLY, REACH, SLOPE, HALF_WAY),
    slopes={"x": 1},
    title="share of right answers against the log of any one input, a sigmoid from a plateau above chance to a limit",
    reference="four-parameter logistic; the plateau as in Abbott (1925), J. Econ. Entomol. 18, 265-267",
)

exact_match = Law(
    "exact_match",
    whole_answers,
    inputs=(ANY, ANSWER_TOKENS),
    output=ACCURACY,
    params=(
        Param(
            "l_ref",
            "negative log-probability of an answer token at the reference input",
            "nats/token",
            POSITIVE,
            Prior("LogNormal", mu=math.log(0.5), sigma=1.0),
            LEVEL_SPREAD,
            paper=Scale("c", "x", "alpha"),
        ),
        Param(
            "alpha",
            "exponent of the negative log-probability",
            "",
            POSITIVE,
            Prior("LogNormal", mu=math.log(0.4), sigma=0.8),
            EXPONENT_SPREAD,
        ),
    ),
    slopes={"x": 1, "K": -1},
    title="share of whole answers right, every token of each, against any one input",
    reference="Schaeffer et al. (2023), arXiv:2304.15004, section 3",
)

two_step = Law(
    "two_step",
    accuracy_of_size,
    inputs=(PARAMETERS, TOKENS, CHANCE),
    output=ACCURACY,
    params=(
        Param(
            "u",
            "logit of the share without limit of size and tokens; kappa (L_mid - E) of the two steps",
            "",
            REAL,
            Prior("Normal", mu=2.0, sigma=2.0),
            LEVEL_SPREAD,
        ),
        Param(
            "a_ref",
            "logits owed to model size at the reference size; kappa A N^-alpha of the two steps",
            "",
            POSITIVE,
            Prior("LogNormal", mu=0.0, sigma=1.0),
            LEVEL_SPREAD,
            paper=Amplitude("a", "N", "alpha"),
        ),
        Param(
            "b_ref",
            "logits owed to training tokens at the reference tokens; kappa B D^-beta of the two steps",
            "",
            POSITIVE,
            Prior("LogNormal", mu=0.0, sigma=1.0),
            LEVEL_SPREAD,
            paper=Amplitude("b", "D", "beta"),
        ),
        Param("alpha", "exponent of model size", "", POSITIVE, EXPONENT, EXPONENT_SPREAD),
        Param("beta", "exponent of training tokens", "", POSITIVE, EXPONENT, EXPONENT_SPREAD),
    ),
    slopes={"N": 1, "D": 1},
    title="share of right answers against parameters and tokens: a loss, then a sigmoid, in what the share alone tells",
    reference="Bhagia et al. (2024), arXiv:2412.04403",
)
