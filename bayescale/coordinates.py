"""Sampler's coordinates: what the runs know well, in place of what the paper prints.

A sum of power terms, ``E + A n**-alpha + B d**-beta``, is known by its level and its slopes at the centre of the runs,
not by ``A`` and ``alpha``. In the coordinates below the posterior is close to round, which is where a sampler is fast.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bayescale import ops


class Coordinates(Protocol):
    """A change of variables, with Jacobian 1, between the logs of a law's parameters and what the sampler moves in."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """The law's parameters in the order in which vectors of coordinates hold them."""
        ...

    def forward(self, log: Mapping[str, Any]) -> list:
        """Coordinates from the logs of the parameters."""
        ...

    def backward(self, coordinates) -> dict[str, Any]:
        """Logs of the parameters from their coordinates."""
        ...


@dataclass(frozen=True)
class LocalSlopes:
    """Level and slopes at the reference point of a sum of power terms.

    With the terms' values ``level_0`` (the floor if there is one), ``level_1``, ... at the reference point, the
    coordinates are ``T = log(sum of levels)``, ``q_j = log(level_j / level_0)``, and for each power term
    ``m = log(exponent * its share of the sum)``, the log of its contribution to the local log-log slope.
    Taken in the order (q, T, m) each coordinate is the log of one parameter plus a function of those before it,
    so the Jacobian is 1.

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


@dataclass(frozen=True)
class JointLevels:
    """Levels at the reference point of Kaplan's joint form, with or without a floor.

    The joint term is ``(a n**-r + b d**-1)**alpha_D`` with ``a = L_N**(1/alpha_D)``, ``b = L_D**(1/alpha_D)``.
    Coordinates: ``T``, the log of floor plus joint term; ``q = log(joint term / floor)`` where there is a floor;
    ``log(L_N / L_D)``; the log of the size exponent, and that of the tokens' exponent times the joint term's share of
    the response. Taken in the order (exponents, ratio, q, T) each is the log of one parameter plus a function of those
    before it: the Jacobian is 1.

    Parameters
    ----------
    size, tokens : str
        The losses at the reference when only size, or only tokens, limits (``L_N``, ``L_D``).
    size_exponent, tokens_exponent : str
        Their exponents.
    floor : str, optional
        The constant term.
    """

    size: str
    tokens: str
    size_exponent: str
    tokens_exponent: str
    floor: str | None = None

    @property
    def symbols(self) -> tuple[str, ...]:
        """The law's parameters in the order in which vectors of coordinates hold them."""
        return tuple(filter(None, (self.floor, self.size, self.tokens, self.size_exponent, self.tokens_exponent)))

    def forward(self, log: Mapping[str, Any]) -> list:
        """Coordinates ``[T, (q,) ratio, size exponent, tokens' slope]`` from the logs of the parameters."""
        ratio = log[self.size] - log[self.tokens]
        joint = log[self.tokens] + self._excess(ratio, log)
        if self.floor is None:
            return [joint, ratio, log[self.size_exponent], log[self.tokens_exponent]]
        q = joint - log[self.floor]
        above = _log_total([q])
        slope = log[self.tokens_exponent] + q - above
        return [log[self.floor] + above, q, ratio, log[self.size_exponent], slope]

    def backward(self, coordinates) -> dict[str, Any]:
        """Logs of the parameters from their coordinates."""
        *head, ratio, size_exponent, slope = coordinates
        log: dict[str, Any] = {self.size_exponent: size_exponent, self.tokens_exponent: slope}
        joint = head[0]
        if self.floor is not None:
            above = _log_total([head[1]])
            joint = head[0] + head[1] - above
            log[self.floor] = head[0] - above
            log[self.tokens_exponent] = slope - head[1] + above
        log[self.tokens] = joint - self._excess(ratio, log)
        log[self.size] = log[self.tokens] + ratio
        return log

    def _excess(self, ratio, log):
        """Log of the joint term over ``L_D``."""
        exponent = ops.exp(log[self.tokens_exponent])
        return exponent * _log_total([ratio / exponent])


def _log_total(ratios):
    """``log(1 + sum(exp(q)))``: the log of the sum of levels over the first of them."""
    return ops.log1p(sum(ops.exp(q) for q in ratios))
