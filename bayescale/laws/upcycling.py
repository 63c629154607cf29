"""Loss of dense models upcycled into mixtures of experts, against active parameters and sparsity."""

import math
from dataclasses import dataclass

from bayescale import ops
from bayescale.coordinates import SharedSlopes
from bayescale.default_priors import EXPONENT, EXPONENT_SPREAD, FLOOR, LEVEL_SPREAD, TERM
from bayescale.law import LOSS, Input, Law, Param
from bayescale.prior import POSITIVE, REAL, Prior

TOTAL_OVER_ACTIVE = Input("P", "total over active parameters", "", "P", typical=(1.0, 64.0))
ACTIVE = Input("N", "active parameters", "parameters", "N")


def upcycled_loss(P, N, E, A, a, b, c):
    """Li et al. (2026): powers of sparsity and active size whose exponents change with each other, and a floor."""
    return E + A * P**-a * N**-b * ops.exp(c * ops.log(P) * ops.log(N))


@dataclass(frozen=True)
class _Level:
    """``A``; in its place the term at the reference."""

    symbol: str = "A"

    def to_paper(self, value, params, reference):
        """Return ``A``."""
        P, N = ops.log(reference["P"]), ops.log(reference["N"])
        return value * ops.exp(params["a_ref"] * P + params["b_ref"] * N + params["c"] * P * N)

    def from_paper(self, constant, params, reference):
        """Return the term at the reference."""
        P, N = ops.log(reference["P"]), ops.log(reference["N"])
        return constant * ops.exp(params["c"] * P * N - params["a"] * P - params["b"] * N)


@dataclass(frozen=True)
class _Slope:
    """An exponent at 1 of the other input; in its place, at that input's reference.

    Parameters
    ----------
    symbol : str
        The exponent.
    other : str
        The other input.
    """

    symbol: str
    other: str

    def to_paper(self, value, params, reference):
        """Return the exponent at 1 of the other input."""
        return value + params["c"] * ops.log(reference[self.other])

    def from_paper(self, constant, params, reference):
        """Return the exponent at the other input's reference."""
        return constant - params["c"] * ops.log(reference[self.other])


upcycled_sparsity = Law(
    "upcycled_sparsity",
    upcycled_loss,
    inputs=(TOTAL_OVER_ACTIVE, ACTIVE),
    output=LOSS,
    params=(
        Param("E", "irreducible loss", "nats/token", POSITIVE, FLOOR, LEVEL_SPREAD, scaled=True),
        Param(
            "A_ref",
            "loss above the floor at the reference",
            "nats/token",
            POSITIVE,
            TERM,
            LEVEL_SPREAD,
            scaled=True,
            paper=_Level(),
        ),
        Param(
            "a_ref",
            "exponent of sparsity at the reference size; negative where more experts do harm",
            "",
            REAL,
            Prior("Normal", mu=0.0, sigma=0.2),
            Prior("LogNormal", mu=math.log(0.05), sigma=0.5),
            paper=_Slope("a", "N"),
        ),
        Param(
            "b_ref",
            "exponent of active size at the reference sparsity",
            "",
            POSITIVE,
            EXPONENT,
            EXPONENT_SPREAD,
            paper=_Slope("b", "P"),
        ),
        Param(
            "c",
            "how the exponent of each falls with the log of the other",
            "",
            REAL,
            Prior("Normal", mu=0.0, sigma=0.05),
            Prior("LogNormal", mu=math.log(0.01), sigma=0.5),
        ),
    ),
    title="loss of upcycled models against active size and sparsity, with their interaction and a floor",
    reference="Li et al. (2026), arXiv:2604.22753, for the runs of Liew et al. (2025), arXiv:2502.03009",
    coordinates=SharedSlopes(floor="E", term="A_ref", slopes=("a_ref", "c"), others=("b_ref",)),
)
