"""A smooth departure of the truth from the law, learnt from the runs and carried into the forecast.

Laws are only approximately right. Where parameters and tokens help each other more than the law says, or a curve bends
late, the runs scatter about the law in a pattern, and a forecast that takes the pattern for noise is too sure of
itself.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from typing import Any

import numpy as np

from bayescale.law import Law, Output, Param, input_spans
from bayescale.prior import POSITIVE, REAL, Prior

LEAST_SCALE = 0.5  # of a log: a factor of 1.6

TAU = Param(
    "tau",
    "typical size of the departure from the law, on log response",
    "",
    POSITIVE,
    Prior("LogNormal", mu=math.log(0.01), sigma=1.0),
    Prior("LogNormal", mu=math.log(0.4), sigma=0.5),
    pooled=False,
)


_TAU_OWN = replace(
    TAU,
    meaning="typical size of the departure from the law",
    prior=Prior("LogNormal", mu=math.log(0.03), sigma=1.0),
    scaled=True,
)


def tau(output: Output) -> Param:
    """Size of the departure: on the log or logit of a positive response or a share, else in units of the response."""
    return _TAU_OWN if output.support == REAL else TAU


@dataclass(frozen=True)
class Quadratic:
    """Squares and products of the log inputs, added to log response with small learnt weights.

    A share departs from the law on its logit, and a response that may be negative on its own scale.

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
        Standard deviation of each log input over the runs, at least `LEAST_SCALE`.
    offsets : tuple of float
        Mean of each product over the runs.
    """

    scales: Mapping[str, float]
    offsets: tuple[float, ...]

    @classmethod
    def of(cls, law: Law, runs, reference: Mapping[str, float]) -> "Quadratic":
        """Take scales and offsets from the runs; an input that does not vary is left out.

        Where an input varies little (two sizes 1 % apart), its scale is `LEAST_SCALE`: in standard deviations, larger
        runs would be so far away that the departure there has no bounds.
        """
        varying = [i for i in law.inputs if runs[i.column].nunique() > 1]
        spans = input_spans(law, runs)
        # In ratios a shifted input has a spread of 1 already.
        scales = {i.symbol: 1.0 if i.support == REAL else max(spans[i.symbol], LEAST_SCALE) for i in varying}
        bare = cls(scales, (0.0,) * len(_pairs(scales)))
        ratios = {}
        for i in varying:
            x = i.relative(runs[i.column].to_numpy(dtype=float), reference[i.symbol])
            ratios[i.symbol] = np.exp(x / spans[i.symbol]) if i.support == REAL else x
        return cls(scales, tuple(float(np.mean(b)) for b in bare.basis(ratios)))

    def __str__(self):
        return "quadratic"

    @property
    def terms(self) -> list[str]:
        """Names of the products, such as ``"N*D"``."""
        return ["*".join(pair) for pair in _pairs(self.scales)]

    def basis(self, ratios: Mapping[str, Any]) -> list:
        """Products at inputs relative to their reference (`Model.ratios`), one array for each term."""
        logs = {symbol: np.log(ratios[symbol]) / scale for symbol, scale in self.scales.items()}
        return [logs[a] * logs[b] - offset for (a, b), offset in zip(_pairs(self.scales), self.offsets, strict=True)]


def _pairs(symbols):
    return list(combinations_with_replacement(symbols, 2))
