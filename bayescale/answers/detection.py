"""How far above chance an accuracy must lie to be told from a guess, with so many questions."""

from typing import Any

import numpy as np
import xarray as xr

from bayescale.errors import InputError
from bayescale.given import real_number
from bayescale.noise import MOST_TRIALS
from bayescale.words import shown

LEVEL, POWER = 0.05, 0.8


def detection_limit(items: Any, chance: Any, *, level: float = LEVEL, power: float = POWER) -> Any:
    """Smallest accuracy over chance that a test of so many questions tells from a guess.

    The test is the one-sided exact binomial test of the hypothesis that every answer is a guess. Questions count as
    independent, and runs as scattering no more than a binomial count does.

    Parameters
    ----------
    items : int, array_like or DataArray
        Questions asked, up to 1e12.
    chance : float, array_like or DataArray
        Share of right answers of a guess, between 0 and 1.
    level : float
        Probability of calling a guess more than that.
    power : float
        Probability of recognising an accuracy that lies by the limit above chance.

    Returns
    -------
    float, array_like or DataArray
        Accuracy minus chance; ``inf`` where not even all answers right would tell.

    Raises
    ------
    InputError
        No whole number of questions, or a share that is none; two arrays that do not fit together.

    Examples
    --------
    >>> round(float(detection_limit(1000, 0.25)), 3)
    0.036
    """
    for name, value in (("level", level), ("power", power)):
        real_number(name, value, 0, 1)
    n, p = _numbers("items", items), _numbers("chance", chance)
    if not (np.all(n >= 1) and np.all(n == np.round(n)) and np.all(n <= MOST_TRIALS)):
        raise InputError(
            f"items counts questions: whole numbers from 1 to {MOST_TRIALS:.2g}; {shown(items)} was given."
        )
    if not np.all((p > 0) & (p < 1)):
        raise InputError(f"chance is a share between 0 and 1; {shown(chance)} was given.")
    try:
        if isinstance(n, xr.DataArray) or isinstance(p, xr.DataArray):
            return xr.apply_ufunc(_limit, xr.DataArray(n), xr.DataArray(p), level, power)
        return _limit(n, p, level, power)
    except ValueError as error:
        raise InputError(f"items and chance do not fit together: {' '.join(str(error).split())}") from None


def _numbers(name: str, given: Any) -> np.ndarray | xr.DataArray:
    try:
        if np.asarray(given).dtype.kind in "bMm":
            raise TypeError
        numbers = np.asarray(given, dtype=float)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{name} must be numbers; {shown(given)} was given.") from None
    return given.copy(data=numbers) if isinstance(given, xr.DataArray) else numbers


def _limit(items, chance, level, power):
    """The accuracy at which the smallest significant count, or more, is reached with the power asked, minus chance."""
    from scipy.special import betaincinv
    from scipy.stats import binom

    least = binom.isf(level, items, chance) + 1  # the smallest count of which so many or more have at most `level`
    enough = np.minimum(least, items)
    return np.where(least <= items, betaincinv(enough, items - enough + 1, power) - chance, np.inf)
