"""IsoFLOP profiles: loss against size at fixed compute, parabolas about the optimal size (Hoffmann, approach 2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import Any

from bayescale import ops
from bayescale.coordinates import LocalSlopes
from bayescale.default_priors import EXPONENT_SPREAD, FLOOR, LEVEL_SPREAD, TERM
from bayescale.law import COMPUTE, LOSS, PARAMETERS, Amplitude, Law, Param
from bayescale.laws.optimal import ALLOCATION
from bayescale.prior import POSITIVE, Prior


def loss(N, C, E, K, gamma, k, a, h):
    """Parabolas of Hoffmann et al. (2022), section 3.2, of all budgets in one: their minima lie on two power laws."""
    N_opt = k * C**a
    return E + K * C**-gamma * (1 + h * ops.log(N / N_opt) ** 2)


def optimum(C, E, K, gamma, k, a, h):
    """Size and tokens at the bottom of the parabola of compute ``C = 6 N D``."""
    N = k * C**a
    return N, C / 6 / N


@dataclass(frozen=True)
class _OptimalSize:
    """The coefficient ``k`` of ``N_opt = k * C**a``; at the reference, ``N_opt`` there over the reference size."""

    symbol: str = "k"

    def to_paper(self, value: Any, params: Mapping[str, Any], reference: Mapping[str, Any]):
        """Return ``k``, in parameters."""
        return value * reference["N"] * reference["C"] ** -params["a"]

    def from_paper(self, constant: Any, params: Mapping[str, Any], reference: Mapping[str, Any]):
        """Return the optimal size at the reference compute, relative to the reference size."""
        return constant * reference["C"] ** params["a"] / reference["N"]


@dataclass(frozen=True)
class _Valley:
    """Level, slope and curvature of the loss along the optimum at the reference compute.

    The level and slope are those of `LocalSlopes`; the curvature is ``log(h * share)``, with the share of the loss that
    is reducible. It follows the level and its ratio in the order of `LocalSlopes`, so the Jacobian is 1.
    """

    floor: str = "E"
    term: tuple[str, str] = ("K_ref", "gamma")
    curvature: str = "h"
    others: tuple[str, ...] = ("N_opt_ref", "a")

    @property
    def _slopes(self) -> LocalSlopes:
        return LocalSlopes((self.term,), self.floor)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The law's parameters in the order in which vectors of coordinates hold them."""
        return (*self._slopes.symbols, self.curvature, *self.others)

    def forward(self, log: Mapping[str, Any]) -> list:
        """Coordinates from the logs of the parameters."""
        level, ratio, slope = self._slopes.forward(log)
        share = log[self.term[0]] - level
        return [level, ratio, slope, log[self.curvature] + share, *(log[s] for s in self.others)]

    def backward(self, coordinates) -> dict[str, Any]:
        """Logs of the parameters from their coordinates."""
        level, ratio, slope, curvature, *others = coordinates
        values = self._slopes.backward([level, ratio, slope])
        share = values[self.term[0]] - level
        return values | {self.curvature: curvature - share} | dict(zip(self.others, others, strict=True))

    def log_jacobian(self, coordinates) -> Any:
        """Zero: volumes are kept."""
        return 0.0


isoflop = Law(
    "isoflop",
    loss,
    inputs=(PARAMETERS, COMPUTE),
    output=LOSS,
    params=(
        Param("E", "irreducible loss", "nats/token", POSITIVE, FLOOR, LEVEL_SPREAD, scaled=True),
        Param(
            "K_ref",
            "reducible loss of the optimal model at the reference compute",
            "nats/token",
            POSITIVE,
            TERM,
            LEVEL_SPREAD,
            scaled=True,
            paper=Amplitude("K", "C", "gamma"),
        ),
        # Published exponents of loss in compute lie between .05 and .19.
        Param(
            "gamma",
            "exponent of the optimal loss in compute",
            "",
            POSITIVE,
            Prior("LogNormal", mu=log(0.12), sigma=0.6),
            EXPONENT_SPREAD,
        ),
        Param(
            "N_opt_ref",
            "optimal size at the reference compute, relative to the reference size",
            "",
            POSITIVE,
            Prior("LogNormal", mu=0.0, sigma=1.0),
            LEVEL_SPREAD,
            along="N",
            paper=_OptimalSize(),
        ),
        Param("a", "exponent of the optimal size in compute", "", POSITIVE, ALLOCATION, EXPONENT_SPREAD),
        # The second order of E + A N**-alpha + B D**-beta at the optimum has h = alpha * beta / 2, which is .05 to .06.
        Param(
            "h",
            "share by which the reducible loss grows a factor e off the optimal size",
            "",
            POSITIVE,
            Prior("LogNormal", mu=log(0.06), sigma=0.7),
            EXPONENT_SPREAD,
        ),
    ),
    title="isoFLOP parabolas of all budgets, with the optimal size and loss as powers of compute",
    reference="Hoffmann et al. (2022), arXiv:2203.15556, approach 2; Porian et al. (2024), arXiv:2406.19146",
    coordinates=_Valley(),
    optimum=optimum,
    slopes={},
)
