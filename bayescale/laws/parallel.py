"""Loss of models that read their input in several parallel streams (ParScale)."""

from bayescale.coordinates import LocalSlopes
from bayescale.default_priors import EXPONENT, EXPONENT_SPREAD, FLOOR, LEVEL_SPREAD, TERM
from bayescale.law import LOSS, PARAMETERS, Amplitude, Coefficient, Input, Law, Param
from bayescale.prior import POSITIVE

STREAMS = Input("S", "parallel streams", "streams", "S", typical=(1.0, 16.0))


def parallel_loss(N, S, c, A, B, G, a, b):
    """Li et al. (2026): powers of size and of streams, their product, and a floor."""
    return c + A * N**-a + B * S**-b + G * N**-a * S**-b


def _term(symbol, meaning, paper):
    return Param(symbol, meaning, "nats/token", POSITIVE, TERM, LEVEL_SPREAD, scaled=True, paper=paper)


parallel_streams = Law(
    "parallel_streams",
    parallel_loss,
    inputs=(PARAMETERS, STREAMS),
    output=LOSS,
    params=(
        Param("c", "irreducible loss", "nats/token", POSITIVE, FLOOR, LEVEL_SPREAD, scaled=True),
        _term("A_ref", "loss owed to model size at the reference size", Amplitude("A", "N", "a")),
        _term("B_ref", "loss owed to few streams at the reference streams", Amplitude("B", "S", "b")),
        _term(
            "G_ref",
            "loss owed to both together at the reference",
            Coefficient("G", (("N", "a", -1), ("S", "b", -1))),
        ),
        Param("a", "exponent of model size", "", POSITIVE, EXPONENT, EXPONENT_SPREAD),
        Param("b", "exponent of streams", "", POSITIVE, EXPONENT, EXPONENT_SPREAD),
    ),
    title="loss against size and parallel streams, additive, with their product and a floor",
    reference="Li et al. (2026), arXiv:2604.22753, for the runs of Chen et al. (2025), arXiv:2505.10475",
    coordinates=LocalSlopes(terms=(("A_ref", "a"), ("G_ref", "a"), ("B_ref", "b"), ("G_ref", "b")), floor="c"),
)
