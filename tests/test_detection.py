"""The detection limit against the definition of an exact binomial test."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

import bayescale as bs
from bayescale.errors import InputError


@pytest.mark.parametrize(("items", "chance"), [(100, 0.25), (1000, 0.05), (1000, 3.05e-5), (20, 0.5), (14042, 0.25)])
def test_the_limit_is_where_an_exact_test_has_its_power(items, chance):
    limit = float(bs.detection_limit(items, chance))
    counts = np.arange(items + 1)
    significant = stats.binom.sf(counts - 1, items, chance) <= 0.05
    least = counts[significant][0]
    assert stats.binom.sf(least - 1, items, chance + limit) == pytest.approx(0.8, abs=1e-9)


def test_the_normal_approximation_is_near_for_many_questions():
    """Chance 0.25, 1,000 questions: 1.645 standard errors under chance and 0.842 at the accuracy itself."""
    limit = float(bs.detection_limit(1000, 0.25))
    p = 0.25 + limit
    near = (1.645 * np.sqrt(0.25 * 0.75) + 0.842 * np.sqrt(p * (1 - p))) / np.sqrt(1000)
    assert limit == pytest.approx(near, abs=0.001)  # the counts are whole: one answer in 1,000


def test_too_few_questions_never_tell():
    assert float(bs.detection_limit(1, 0.25)) == np.inf
    assert float(bs.detection_limit(4, 0.5)) == np.inf
    assert np.isfinite(float(bs.detection_limit(5, 0.5)))  # 0.5**5 = 0.031


def test_names_are_kept():
    limit = bs.detection_limit(xr.DataArray([100.0, 1000.0], {"task": ["a", "b"]}, "task"), 0.1)
    assert limit.dims == ("task",)
    assert float(limit.sel(task="a")) == pytest.approx(float(bs.detection_limit(100, 0.1)))


def test_numbers_as_text_are_read():
    limit = bs.detection_limit(xr.DataArray(["100"], dims="task"), "0.1")
    assert float(limit.squeeze()) == pytest.approx(float(bs.detection_limit(100, 0.1)))


@pytest.mark.parametrize("items", [10**8, 10**10, 10**12])
@pytest.mark.parametrize("chance", [0.02, 0.25, 0.6, 0.99])
def test_of_very_many_questions_the_normal_distribution_holds(items, chance):
    """The limit tends to (z_level + z_power) standard deviations; what remains is of order 1 / sqrt(n p (1 - p))."""
    deviation = np.sqrt(chance * (1 - chance) / items)
    expected = (stats.norm.isf(0.05) + stats.norm.ppf(0.8)) * deviation
    assert float(bs.detection_limit(items, chance)) == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize(
    ("items", "chance", "options", "said"),
    [
        (0, 0.1, {}, "whole numbers from 1"),
        (10.5, 0.1, {}, "whole numbers"),
        (1e13, 0.25, {}, r"to 1e\+12"),
        (True, 0.25, {}, "items must be numbers"),
        (np.datetime64("2020"), 0.25, {}, "items must be numbers"),
        ([1, 2, 3], [0.1, 0.2], {}, "do not fit together"),
        (xr.DataArray([8, 9], {"t": [0, 1]}), xr.DataArray([0.1, 0.2], {"t": [1, 2]}), {}, "do not fit together"),
        (np.nan, 0.1, {}, "whole numbers"),
        (10, 0.0, {}, "between 0 and 1"),
        (10, np.nan, {}, "between 0 and 1"),
        (10, 0.1, {"level": 0.0}, "level must be a number above 0"),
        (10, 0.1, {"power": 1.0}, "power must be a number above 0"),
    ],
)
def test_what_is_no_test_is_refused(items, chance, options, said):
    with pytest.raises(InputError, match=said):
        bs.detection_limit(items, chance, **options)
