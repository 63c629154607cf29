"""Loss against parameters and tokens in Kaplan's joint form, without and with a floor."""

from bayescale.coordinates import JointLevels
from bayescale.default_priors import EXPONENT, EXPONENT_SPREAD, FLOOR, LEVEL_SPREAD, TERM, WHOLE
from bayescale.law import LOSS, PARAMETERS, TOKENS, Law, Param, Published, Scale
from bayescale.prior import POSITIVE


def loss(N, D, N_c, D_c, alpha_N, alpha_D):
    """Kaplan et al. (2020), equation 1.5."""
    return ((N_c / N) ** (alpha_N / alpha_D) + D_c / D) ** alpha_D


def loss_offset(N, D, E, N_c, D_c, alpha_N, alpha_D):
    """Equation 1.5 above a floor, so that the joint form and the missing floor can be told apart."""
    return E + loss(N, D, N_c, D_c, alpha_N, alpha_D)


def optimum(C, N_c, D_c, alpha_N, alpha_D):
    """Size and tokens of least loss at compute ``C = 6 N D``: where the two terms of equation 1.5 balance."""
    k = alpha_N / alpha_D
    N = (k * N_c**k * C / (6 * D_c)) ** (1 / (k + 1))
    return N, C / 6 / N


def optimum_offset(C, E, N_c, D_c, alpha_N, alpha_D):
    """As without a floor, which moves nothing."""
    return optimum(C, N_c, D_c, alpha_N, alpha_D)


def _params(level):
    return (
        Param(
            "L_N",
            "loss at the reference size, tokens without limit",
            "nats/token",
            POSITIVE,
            level,
            LEVEL_SPREAD,
            scaled=True,
            paper=Scale("N_c", "N", "alpha_N"),
        ),
        Param(
            "L_D",
            "loss at the reference tokens, parameters without limit",
            "nats/token",
            POSITIVE,
            level,
            LEVEL_SPREAD,
            scaled=True,
            paper=Scale("D_c", "D", "alpha_D"),
        ),
        Param("alpha_N", "exponent of model size", "", POSITIVE, EXPONENT, EXPONENT_SPREAD),
        Param("alpha_D", "exponent of training tokens", "", POSITIVE, EXPONENT, EXPONENT_SPREAD),
    )


kaplan = Law(
    "kaplan",
    loss,
    inputs=(PARAMETERS, TOKENS),
    output=LOSS,
    params=_params(WHOLE),
    published=(
        Published(
            "kaplan2020",
            "arXiv:2001.08361, eq. 1.5 and table 2; N without embeddings",
            N_c=6.4e13,
            D_c=1.8e13,
            alpha_N=0.076,
            alpha_D=0.103,
        ),
    ),
    title="loss against parameters and tokens, joint form, no floor",
    reference="Kaplan et al. (2020), arXiv:2001.08361, eq. 1.5",
    coordinates=JointLevels("L_N", "L_D", "alpha_N", "alpha_D"),
    optimum=optimum,
)

kaplan_offset = Law(
    "kaplan_offset",
    loss_offset,
    inputs=(PARAMETERS, TOKENS),
    output=LOSS,
    params=(
        Param("E", "irreducible loss", "nats/token", POSITIVE, FLOOR, LEVEL_SPREAD, scaled=True),
        *_params(TERM),
    ),
    title="Kaplan's joint form above a floor",
    reference="Kaplan et al. (2020), arXiv:2001.08361, eq. 1.5, plus E",
    coordinates=JointLevels("L_N", "L_D", "alpha_N", "alpha_D", floor="E"),
    optimum=optimum_offset,
)
