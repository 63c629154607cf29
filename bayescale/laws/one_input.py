"""Laws of any one input: a power law with a floor (Henighan et al. 2020) and without one (Hestness, Kaplan)."""

from bayescale.coordinates import LocalSlopes
from bayescale.default_priors import EXPONENT, EXPONENT_SPREAD, FLOOR, LEVEL_SPREAD, TERM
from bayescale.law import LOSS, Amplitude, Input, Law, Param, Published, Scale
from bayescale.prior import POSITIVE, REAL, Prior

ANY = Input("x", "any one input: parameters, tokens, compute, ...", "")
PF_DAY = 8.64e19  # FLOP


def saturating_loss(x, L_inf, x_0, alpha):
    """Henighan et al. (2020), equation 1.1."""
    return L_inf + (x_0 / x) ** alpha


def power_law(x, k, alpha):
    """Hestness et al. (2017), equation 1 without its floor; Kaplan et al. (2020), equations 1.1 to 1.3."""
    return k * x**-alpha


# Henighan et al. (2020), table 1: floor, x_0 and exponent of L(N), then of L(C) with C_0 in PF-days.
_HENIGHAN_N = {
    "image_8x8": (3.12, 8.0e1, 0.24),
    "image_16x16": (2.64, 2.8e2, 0.22),
    "image_32x32": (2.20, 6.3e1, 0.13),
    "image_vq_16x16": (3.99, 2.7e4, 0.13),
    "image_vq_32x32": (3.07, 1.9e4, 0.14),
    "text_to_image": (2.0, 5.1e3, 0.16),
    "image_to_text": (2.0, 5.5e3, 0.15),
    "video_vq": (1.01, 3.7e4, 0.24),
    "math": (0.28, 1.1e4, 0.16),
}
_HENIGHAN_C = {
    "image_8x8": (3.13, 1.8e-8, 0.19),
    "image_16x16": (2.64, 1.6e-8, 0.16),
    "image_32x32": (2.21, 3.6e-9, 0.10),
    "image_vq_16x16": (4.09, 6.1e-7, 0.11),
    "image_vq_32x32": (3.17, 2.6e-6, 0.12),
    "text_to_image": (1.93, 1.5e-6, 0.15),
    "image_to_text": (1.97, 1.5e-6, 0.16),
    "video_vq": (0.95, 2.2e-5, 0.14),
    "math": (0.14, 1.4e-5, 0.17),
}

saturating = Law(
    "saturating",
    saturating_loss,
    inputs=(ANY,),
    output=LOSS,
    params=(
        Param("L_inf", "irreducible loss", "nats/token", POSITIVE, FLOOR, LEVEL_SPREAD, scaled=True),
        Param(
            "A_ref",
            "reducible loss at the reference input",
            "nats/token",
            POSITIVE,
            TERM,
            LEVEL_SPREAD,
            scaled=True,
            paper=Scale("x_0", "x", "alpha"),
        ),
        Param("alpha", "exponent", "", POSITIVE, EXPONENT, EXPONENT_SPREAD),
    ),
    published=(
        *(
            Published(f"henighan2020_{k}_N", "arXiv:2010.14701, table 1, L(N)", "N", L_inf=e, x_0=x, alpha=a)
            for k, (e, x, a) in _HENIGHAN_N.items()
        ),
        *(
            Published(
                f"henighan2020_{k}_C",
                "arXiv:2010.14701, table 1, L(C)",
                "C",
                L_inf=e,
                x_0=x * PF_DAY,
                alpha=a,
            )
            for k, (e, x, a) in _HENIGHAN_C.items()
        ),
    ),
    title="loss against any one input, with a floor",
    reference="Henighan et al. (2020), arXiv:2010.14701, eq. 1.1",
    coordinates=LocalSlopes(terms=(("A_ref", "alpha"),), floor="L_inf"),
)

power = Law(
    "power",
    power_law,
    inputs=(ANY,),
    output=LOSS,
    params=(
        Param(
            "k_ref",
            "response at the reference input",
            "nats/token",
            POSITIVE,
            Prior("LogNormal", mu=0.0, sigma=0.5),
            LEVEL_SPREAD,
            scaled=True,
            paper=Amplitude("k", "x", "alpha"),
        ),
        Param(
            "alpha",
            "exponent; negative where the response grows",
            "",
            REAL,
            Prior("Normal", mu=0.0, sigma=0.5),
            Prior("LogNormal", mu=-2.3, sigma=0.5),
        ),
    ),
    published=(
        Published(
            "kaplan2020_N",
            "arXiv:2001.08361, eq. 1.1, N without embeddings",
            "N",
            k=8.8e13**0.076,
            alpha=0.076,
        ),
        Published("kaplan2020_D", "arXiv:2001.08361, eq. 1.2", "D", k=5.4e13**0.095, alpha=0.095),
        Published("kaplan2020_C_min", "arXiv:2001.08361, eq. 1.3", "C", k=(3.1e8 * PF_DAY) ** 0.050, alpha=0.050),
        Published("kaplan2020_C", "arXiv:2001.08361, table 5", "C", k=(1.6e7 * PF_DAY) ** 0.057, alpha=0.057),
        Published("henighan2020_language_N", "arXiv:2010.14701, table 1", "N", k=1.47e14**0.070, alpha=0.070),
        Published(
            "henighan2020_language_C",
            "arXiv:2010.14701, table 1",
            "C",
            k=(3.47e8 * PF_DAY) ** 0.048,
            alpha=0.048,
        ),
        Published("hestness2017_word_lm", "arXiv:1712.00409, word language models", "D", k=11.9, alpha=0.066),
    ),
    title="response against any one input, no floor",
    reference="Hestness et al. (2017), arXiv:1712.00409; Kaplan et al. (2020), arXiv:2001.08361, eq. 1.1-1.3",
)
