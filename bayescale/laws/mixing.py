"""Loss on a validation set against the shares of domains in the training data (Ye et al. 2024).

Shares sum to 1, so the last domain's is left out: the others' effects are measured against it. A share may be zero.
"""

import inspect
from dataclasses import dataclass

from bayescale import ops
from bayescale.default_priors import FLOOR, LEVEL_SPREAD, TERM
from bayescale.law import LOSS, MEAN, Input, Law, Param
from bayescale.prior import POSITIVE, REAL, Prior


@dataclass(frozen=True)
class _MeanShares:
    """The coefficient ``k``; in its place the reducible loss at the mean shares of the runs."""

    domains: int
    symbol: str = "k"

    def to_paper(self, value, params, reference):
        """Return ``k``."""
        return value * ops.exp(-self._exponent(params, reference))

    def from_paper(self, constant, params, reference):
        """Return the reducible loss at the mean shares."""
        return constant * ops.exp(self._exponent(params, reference))

    def _exponent(self, params, reference):
        return sum(params[f"t_{j}"] * reference[f"r_{j}"] for j in range(1, self.domains))


def mixing(domains: int) -> Law:
    """Make the law of a number of domains.

    Parameters
    ----------
    domains : int
        At least 2.

    Returns
    -------
    Law
        Inputs ``r_1``, ``r_2``, ...: the shares of all domains but the last. Parameters: the floor ``c``; ``k_ref``,
        the loss above it at the mean shares of the runs; and ``t_j``, negative where a larger share of domain j at the
        cost of the last one lowers the loss.

    References
    ----------
    .. [1] Ye et al. (2024), arXiv:2403.16952.
    """
    numbers = range(1, domains)

    def response(*values, **named):
        given = dict(zip(symbols, values, strict=False)) | named
        return given["c"] + given["k"] * ops.exp(sum(given[f"t_{j}"] * given[f"r_{j}"] for j in numbers))

    symbols = [*(f"r_{j}" for j in numbers), "c", "k", *(f"t_{j}" for j in numbers)]
    parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in symbols]
    response.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportFunctionMemberAccess]
    response.__doc__ = f"Ye et al. (2024): an exponential of the shares of {domains} domains."
    return Law(
        f"mixing_{domains}",
        response,
        inputs=tuple(
            Input(f"r_{j}", f"share of domain {j} in the training data", "share", f"r_{j}", MEAN, (0.0, 0.9 / domains))
            for j in numbers
        ),
        output=LOSS,
        params=(
            Param("c", "loss that no mixture removes", "nats/token", POSITIVE, FLOOR, LEVEL_SPREAD, scaled=True),
            Param(
                "k_ref",
                "loss above that at the mean shares of the runs",
                "nats/token",
                POSITIVE,
                TERM,
                LEVEL_SPREAD,
                scaled=True,
                paper=_MeanShares(domains),
            ),
            *(
                Param(
                    f"t_{j}",
                    f"effect of the share of domain {j} instead of the last",
                    "",
                    REAL,
                    Prior("Normal", mu=0.0, sigma=5.0),
                    Prior("LogNormal", mu=0.0, sigma=0.5),
                )
                for j in numbers
            ),
        ),
        title=f"loss against the shares of {domains} domains in the training data",
        reference="Ye et al. (2024), arXiv:2403.16952",
    )


mixing_2 = mixing(2)
mixing_3 = mixing(3)
mixing_5 = mixing(5)
