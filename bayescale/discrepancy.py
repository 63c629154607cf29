"""A smooth departure of the truth from the law, learnt from the runs and carried into the forecast.

Laws are only approximately right. Where parameters and tokens help each other more than the law says, or a curve bends
late, the runs scatter about the law in a pattern, and a forecast that takes the pattern for noise is too sure of
itself.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np

from bayescale.law import Law, Param
from bayescale.prior import POSITIVE, Prior

TAU = Param(
    "tau",
    "typical size of the departure from the law, on log response",
    "",
    POSITIVE,
    Prior("LogNormal", mu=math.log(0.01), sigma=1.0),
    Prior("LogNormal", mu=math.log(0.4), sigma=0.5),
    pooled=False,
)


@dataclass(frozen=True)
class Quadratic:
    """Squares and products of the log inputs, added to log response with small learnt weights.

    For each group ``tau * sum_k w_k * (b_k(x) - mean of b_k over the runs)`` with ``w_k ~ Normal(0, 1)``; the ``b_k``
    are all products of two log inputs, each divided by its standard deviation over the runs. One ``tau`` serves all
    groups, so groups teach each other how far to trust the law.

    Beyond the runs nobody knows how the departure goes on. There it continues as an integrated Wiener process of the
    same size: to the quadratic is added ``tau * z * log(beyond)**1.5`` with ``z ~ Normal(0, 1)``, one for each draw and
    group, where ``beyond`` is how many times a point lies outside the runs (`Posterior.beyond`).

    The departure and the curvature of the law explain part of the same thing: with a `Quadratic`, floor and exponents
    are those of a law that need not be exact, and are less certain.

    Parameters
    ----------
    scales : mapping of str to float
        Standard deviation of each log input over the runs.
    offsets : tuple of float
        Mean of each product over the runs.
    """

    scales: Mapping[str, float]
    offsets: tuple[float, ...]

    @classmethod
    def of(cls, law: Law, runs, reference: Mapping[str, float]) -> "Quadratic":
        """Take scales and offsets from the runs; an input that does not vary is left out."""
        scales = {
            i.symbol: float(np.log(runs[i.column].to_numpy()).std()) for i in law.inputs if runs[i.column].nunique() > 1
        }
        bare = cls(scales, (0.0,) * len(_pairs(scales)))
        relative = {i.symbol: runs[i.column].to_numpy() / reference[i.symbol] for i in law.inputs}
        return cls(scales, tuple(float(np.mean(b)) for b in bare.basis(relative)))

    def __str__(self):
        return "quadratic"

    @property
    def terms(self) -> list[str]:
        """Names of the products, such as ``"N*D"``."""
        return ["*".join(pair) for pair in _pairs(self.scales)]

    def basis(self, relative: Mapping[str, Any]) -> list:
        """Products at inputs divided by their reference, one array for each term."""
        logs = {symbol: np.log(relative[symbol]) / scale for symbol, scale in self.scales.items()}
        return [logs[a] * logs[b] - offset for (a, b), offset in zip(_pairs(self.scales), self.offsets, strict=True)]


def _pairs(symbols):
    return list(combinations_with_replacement(symbols, 2))
