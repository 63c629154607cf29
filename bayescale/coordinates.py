"""Sampler's coordinates: what the runs know well, in place of what the paper prints.

A sum of power terms, ``E + A n**-alpha + B d**-beta``, is known by its level and its slopes at the centre of the runs, not
by ``A`` and ``alpha``. In the coordinates below the posterior is close to round, which is where a sampler is fast.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bayescale import ops


@dataclass(frozen=True)
class LocalSlopes:
    """Level and slopes at the reference point of a sum of power terms.

    With the terms' values ``level_0`` (the floor if there is one), ``level_1``, ... at the reference point, the
    coordinates are ``T = log(sum of levels)``, ``q_j = log(level_j / level_0)``, and for each power term
    ``m = log(exponent * its share of the sum)``, the log of its contribution to the local log-log slope. Taken in the
    order (q, T, m) each coordinate is the log of one parameter plus a function of those before it, so the Jacobian is 1.

    Parameters
    ----------
    terms : tuple of (str, str)
        Amplitude and exponent of each power term, as the law's parameters are called; all positive.
    floor : str, optional
        The constant term.
    """

    terms: tuple[tuple[str, str], ...]
    floor: str | None = None

    @property
    def symbols(self) -> tuple[str, ...]:
        """The law's parameters in the order in which vectors of coordinates hold them."""
        return tuple(filter(None, (self.floor, *(a for a, _ in self.terms), *(e for _, e in self.terms))))

    def forward(self, log: Mapping[str, Any]) -> list:
        """Coordinates ``[T, q..., m...]`` from the logs of the parameters."""
        levels = [log[s] for s in self._levels]
        ratios = [level - levels[0] for level in levels[1:]]
        total = _log_total(ratios)
        shares = dict(zip(self._levels, [-total, *(q - total for q in ratios)], strict=True))
        slopes = [log[exponent] + shares[amplitude] for amplitude, exponent in self.terms]
        return [levels[0] + total, *ratios, *slopes]

    def backward(self, coordinates) -> dict[str, Any]:
        """Logs of the parameters from their coordinates."""
        n_levels = len(self._levels)
        level, ratios, slopes = coordinates[0], coordinates[1:n_levels], coordinates[n_levels:]
        total = _log_total(ratios)
        shares = dict(zip(self._levels, [-total, *(q - total for q in ratios)], strict=True))
        log = {symbol: level + share for symbol, share in shares.items()}
        for (amplitude, exponent), slope in zip(self.terms, slopes, strict=True):
            log[exponent] = slope - shares[amplitude]
        return log

    @property
    def _levels(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.floor, *(amplitude for amplitude, _ in self.terms))))


def _log_total(ratios):
    """``log(1 + sum(exp(q)))``: the log of the sum of levels over the first of them."""
    return ops.log1p(sum(ops.exp(q) for q in ratios))
