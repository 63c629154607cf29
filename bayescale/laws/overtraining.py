"""Over-trained models: loss against compute and tokens per parameter, and error against loss (Gadre et al. 2024)."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import Any

from bayescale import ops
from bayescale.coordinates import LocalSlopes
from bayescale.default_priors import EXPONENT_SPREAD, FLOOR, LEVEL_SPREAD, TERM
from bayescale.law import COMPUTE, LOSS, MEAN, Coefficient, Input, Law, Output, Param, Published
from bayescale.prior import POSITIVE, REAL, UNIT, Prior

TOKENS_PER_PARAMETER = Input("M", "training tokens per parameter", "tokens/parameter", "M", typical=(1.0, 1e4))
VALIDATION_LOSS = Input("L", "validation loss", "nats/token", "L", centre=MEAN, typical=(1.5, 6.0))
# Not bayescale.law.ERROR: the fitted curve crosses zero at a loss of about 1, so it has no log everywhere.
MEAN_ERROR = Output("error", "mean top-1 error over a set of tasks", "share", REAL)


def loss(C, M, E, a, b, eta):
    """Gadre et al. (2024), equation 4."""
    return E + (a * M**eta + b * M**-eta) * C**-eta


def optimum(C, E, a, b, eta):
    """Size and tokens of least loss at compute ``C = 6 N D``: the ratio at which both terms are equal."""
    M = (b / a) ** (1 / (2 * eta))
    return (C / (6 * M)) ** 0.5, (C * M / 6) ** 0.5


def error(L, epsilon, k, gamma):
    """Gadre et al. (2024), equation 5."""
    return epsilon - k * ops.exp(-gamma * L)


@dataclass(frozen=True)
class _Gain:
    """The factor ``k`` of ``k exp(-gamma L)``; at the reference loss, the value of the term there."""

    symbol: str = "k"

    def to_paper(self, value: Any, params: Mapping[str, Any], reference: Mapping[str, Any]):
        """Return ``k``."""
        return value * ops.exp(params["gamma"] * reference["L"])

    def from_paper(self, constant: Any, params: Mapping[str, Any], reference: Mapping[str, Any]):
        """Return the term's value at the reference loss."""
        return constant * ops.exp(-params["gamma"] * reference["L"])


overtraining = Law(
    "overtraining",
    loss,
    inputs=(COMPUTE, TOKENS_PER_PARAMETER),
    output=LOSS,
    params=(
        Param("E", "irreducible loss", "nats/token", POSITIVE, FLOOR, LEVEL_SPREAD, scaled=True),
        Param(
            "a_ref",
            "loss owed to model size at the reference point",
            "nats/token",
            POSITIVE,
            TERM,
            LEVEL_SPREAD,
            scaled=True,
            paper=Coefficient("a", (("C", "eta", -1), ("M", "eta", 1))),
        ),
        Param(
            "b_ref",
            "loss owed to training tokens at the reference point",
            "nats/token",
            POSITIVE,
            TERM,
            LEVEL_SPREAD,
            scaled=True,
            paper=Coefficient("b", (("C", "eta", -1), ("M", "eta", -1))),
        ),
        Param(
            "eta",
            "exponent of compute; half that of model size and tokens",
            "",
            POSITIVE,
            Prior("LogNormal", mu=log(0.15), sigma=0.6),
            EXPONENT_SPREAD,
        ),
    ),
    published=tuple(
        Published(
            f"gadre2024_{key}", "arXiv:2403.08540, released code on the released runs, C4 loss", E=E, a=a, b=b, eta=eta
        )
        for key, E, a, b, eta in (
            ("c4", 1.508, 141.0, 190.0, 0.1212),
            ("redpajama", 1.836, 212.0, 367.0, 0.1364),
            ("refinedweb", 1.734, 157.0, 246.0, 0.1272),
        )
    ),
    title="loss against compute and tokens per parameter",
    reference="Gadre et al. (2024), arXiv:2403.08540, eq. 4",
    coordinates=LocalSlopes(terms=(("a_ref", "eta"), ("b_ref", "eta")), floor="E"),
    optimum=optimum,
    slopes={"C": -1},
)

error_of_loss = Law(
    "error_of_loss",
    error,
    inputs=(VALIDATION_LOSS,),
    output=MEAN_ERROR,
    params=(
        Param(
            "epsilon",
            "error of a model that has learnt nothing",
            "share",
            UNIT,
            Prior("Beta", alpha=6.0, beta=2.0),
            Prior("LogNormal", mu=log(0.4), sigma=0.5),
        ),
        Param(
            "k_ref",
            "error avoided at the reference loss",
            "share",
            POSITIVE,
            Prior("LogNormal", mu=log(0.15), sigma=0.8),
            LEVEL_SPREAD,
            paper=_Gain(),
        ),
        Param(
            "gamma",
            "growth of the error avoided with falling loss",
            "1/(nats/token)",
            POSITIVE,
            Prior("LogNormal", mu=log(0.8), sigma=0.6),
            EXPONENT_SPREAD,
        ),
    ),
    published=tuple(
        Published(
            f"gadre2024_{key}_{tasks}",
            f"arXiv:2403.08540, released code on the released runs, {tasks} tasks, C4 loss",
            epsilon=epsilon,
            k=k,
            gamma=gamma,
        )
        for key, tasks, epsilon, k, gamma in (
            ("c4", 46, 0.7589, 1.289, 0.972),
            ("redpajama", 46, 0.7608, 1.323, 0.891),
            ("refinedweb", 46, 0.7677, 1.128, 0.822),
            ("c4", 17, 0.8497, 2.079, 0.756),
            ("redpajama", 17, 0.8570, 2.206, 0.715),
            ("refinedweb", 17, 0.8653, 2.215, 0.707),
        )
    ),
    title="mean downstream error against validation loss",
    reference="Gadre et al. (2024), arXiv:2403.08540, eq. 5",
    slopes={"L": 1},
)
