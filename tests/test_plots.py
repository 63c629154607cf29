import json
import math
import subprocess
import sys
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from gallery import overlapping
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.colors import to_rgb

import bayescale as bs
from bayescale.answers.comparison import Comparison
from bayescale.diagnostics import Diagnostics
from bayescale.discrepancy import TAU
from bayescale.errors import ConvergenceWarning, InputError
from bayescale.layout import natural_dims
from bayescale.model import MEAN, Model
from bayescale.numerals import parse_number, short_number
from bayescale.plots.check import plot_check
from bayescale.plots.common import math_symbol, save_figure
from bayescale.plots.comparison import plot_comparison
from bayescale.plots.exponents import plot_exponents
from bayescale.plots.forecast import plot_forecast
from bayescale.plots.prior import plot_prior
from bayescale.posterior import Posterior

GOOD = Diagnostics(1.0, "", 1e9, 1e9, "", 0, 1.0)
BAD = Diagnostics(1.2, "E", 1e9, 1e9, "", 0, 1.0)
TRUTH = {"E": 1.8, "A_ref": 0.4, "B_ref": 0.3, "alpha": 0.35, "beta": 0.3, "sigma": 0.02, "nu": 6.0, "tau": 0.05}
Z = {0.75: 0.6744897501960817, 0.95: 1.6448536269514722}  # standard normal quantiles


@pytest.fixture(autouse=True)
def no_figure_stays_open():
    yield
    plt.close("all")


def make_runs(groups=("birds", "ants")):
    """A grid of N and D for each group; the second group stops at a tenth of the tokens."""
    rows = []
    for k, group in enumerate(groups):
        for N in (1e6, 1e7, 1e8, 1e9):
            for D in np.array([1e8, 1e9, 1e10]) / 10**k:
                if N * D <= 1e17:
                    rows.append((N, D, 1.5 + k + 30 / N**0.3 + 60 / D**0.25, group))
    runs = pd.DataFrame(rows, columns=["N", "D", "L", "field"])
    return runs.assign(C=6 * runs["N"] * runs["D"])


def make_model(pool: Any = "field", law="chinchilla", **options):
    runs = make_runs() if pool else make_runs(("all",))
    return Model(law, runs, pool=pool, **options)


def make_posterior(model, draws=200, width=0.1, seed=0, diagnostics=GOOD, **truth):
    """Draws spread around known values on the log scale; with width 0 the values themselves."""
    rng = np.random.default_rng(seed)
    values = {}
    for name, dims in natural_dims(model).items():
        shape = (2, draws // 2, *(len(model.groups) if d == model.group else 3 for d in dims))
        base = {**TRUTH, **truth}.get(name.removesuffix(MEAN), 0.2)
        values[name] = base * np.exp(width * rng.standard_normal(shape))
    stats = {"diverging": np.zeros((2, draws // 2), dtype=bool), "energy": np.zeros((2, draws // 2))}
    return Posterior.from_draws(model, values, stats, diagnostics, {"seed": seed})


def dots(ax) -> Any:
    return next(c for c in ax.collections if isinstance(c, PathCollection))


def curves(ax):
    """The part inside the runs and the part beyond them of each curve."""
    found = [line for line in ax.lines if line.get_linewidth() == 1.3]
    assert [line.get_linestyle() for line in found] == ["-", "--"] * (len(found) // 2)
    return list(zip(found[::2], found[1::2], strict=True))


def whole(curve):
    inside, beyond = curve
    assert inside.get_xydata()[-1] == pytest.approx(beyond.get_xydata()[0])
    return np.concatenate([inside.get_xydata(), beyond.get_xydata()[1:]]).T


def bands(ax) -> Any:
    return [c for c in ax.collections if isinstance(c, PolyCollection)]


def band_limits(band):
    """X, lower and upper edge of a filled band."""
    x, y = np.asarray(band.get_paths()[0].vertices).T
    places = np.unique(x)
    return places, np.array([y[x == p].min() for p in places]), np.array([y[x == p].max() for p in places])


def written(ax):
    return [t.get_text() for t in ax.texts]


def at_by_hand(model, N, D):
    n, d = N / model.reference["N"], D / model.reference["D"]
    return TRUTH["E"] + TRUTH["A_ref"] * n ** -TRUTH["alpha"] + TRUTH["B_ref"] * d ** -TRUTH["beta"]


# -- Forecast


def test_points_of_a_forecast_are_the_runs():
    model = make_model()
    panels = plot_forecast(make_posterior(model))
    assert [ax.get_title(loc="left") for ax in panels] == ["ants (11 runs)", "birds (9 runs)"]
    for group, ax in zip(model.groups, panels, strict=True):
        runs = model.runs.loc[model.runs["field"] == group, ["D", "L"]]
        assert np.asarray(dots(ax).get_offsets()) == pytest.approx(runs.to_numpy())


def test_points_and_curves_are_darker_for_smaller_models_also_in_grey():
    model = make_model(pool=None)
    ax = plot_forecast(make_posterior(model))[0]
    luminance = np.array([0.299, 0.587, 0.114])
    grey = dots(ax).get_facecolors()[:, :3] @ luminance
    of_size = [np.unique(grey[model.runs["N"] == N]) for N in (1e6, 1e7, 1e8, 1e9)]
    assert [len(shades) for shades in of_size] == [1, 1, 1, 1]
    by_size = np.concatenate(of_size)
    assert np.diff(by_size).min() > 0.1
    assert [to_rgb(inside.get_color()) @ luminance for inside, _ in curves(ax)] == pytest.approx(by_size)


def test_curves_are_the_law():
    model = make_model(pool=None)
    ax = plot_forecast(make_posterior(model, width=0))[0]
    for N, curve in zip((1e6, 1e7, 1e8, 1e9), curves(ax), strict=True):
        D, loss = whole(curve)
        assert D[0] == pytest.approx(1e8)
        assert D[-1] == pytest.approx(1e11)
        assert loss == pytest.approx(at_by_hand(model, N, D))


def test_curves_against_parameters_are_named_by_tokens():
    model = make_model(pool=None)
    ax = plot_forecast(make_posterior(model, width=0), "N")[0]
    assert written(ax)[1:] == ["D = 100M", "D = 1B", "D = 10B"]
    for D, curve in zip((1e8, 1e9, 1e10), curves(ax), strict=True):
        N, loss = whole(curve)
        assert loss == pytest.approx(at_by_hand(model, N, D))


def test_sizes_of_the_curves_are_sizes_of_runs():
    runs = make_runs(("all",))
    runs["N"] = runs["N"] * np.linspace(1, 1.3, len(runs))
    ax = plot_forecast(make_posterior(Model("chinchilla", runs)))[0]
    named = [parse_number(text.removeprefix("N = ")) for text in written(ax)[1:]]
    assert len(named) == 4
    assert all(np.abs(np.log(runs["N"] / N)).min() < 0.05 for N in named)  # two digits are shown
    assert named[0] == pytest.approx(runs["N"].min(), rel=0.05)
    assert named[-1] == pytest.approx(runs["N"].max(), rel=0.05)


def test_bands_are_those_of_the_noise():
    model = make_model(pool=None, noise="normal")
    ax = plot_forecast(make_posterior(model, draws=4000, width=0), reach=1)[0]
    for k, N in enumerate((1e6, 1e7)):
        for band, z in zip(bands(ax)[4 * k : 4 * k + 2], (Z[0.95], Z[0.75]), strict=True):
            D, lower, upper = band_limits(band)
            law = np.log(at_by_hand(model, N, D))
            # Forty independent quantiles of 4000 draws: their mean is good to a per cent of sigma.
            assert np.mean(np.log(upper) - law) == pytest.approx(z * TRUTH["sigma"], rel=0.03)
            assert np.mean(np.log(lower) - law) == pytest.approx(-z * TRUTH["sigma"], rel=0.03)


def test_bands_are_quantiles_of_the_forecast():
    model = make_model()
    posterior = make_posterior(model)
    panels = plot_forecast(posterior, reach=1, seed=3)
    for group, ax in zip(model.groups, panels, strict=True):
        x = band_limits(bands(ax)[0])[0]
        answer = bs.forecast(posterior, group=group, seed=3, D=x, N=[1e6, 1e7, 1e8, 1e9])["L_run"].sel(N=1e6)
        draws = answer.transpose("chain", "draw", "D").to_numpy().reshape(-1, x.size)
        for band, (low, high) in zip(bands(ax)[:2], ((5, 95), (25, 75)), strict=True):
            _, lower, upper = band_limits(band)
            assert lower == pytest.approx(np.percentile(draws, low, axis=0))
            assert upper == pytest.approx(np.percentile(draws, high, axis=0))


def test_bands_and_lines_carry_the_discrepancy():
    model = make_model(pool=None, noise="normal", discrepancy=True)
    posterior = make_posterior(model, draws=2000, width=0, sigma=0.001, weights=1.0)
    ax = plot_forecast(posterior, reach=1)[0]
    D, lower, upper = band_limits(bands(ax)[1])
    assert model.discrepancy is not None
    basis = model.discrepancy.basis(model.relative({"N": 1e6, "D": D}))
    departure = TRUTH[TAU.symbol] * sum(basis)
    assert np.ptp(departure) > 0.05
    law = at_by_hand(model, 1e6, D)
    assert np.sqrt(lower * upper) == pytest.approx(law * np.exp(departure), rel=3e-4)
    assert curves(ax)[0][0].get_ydata() == pytest.approx(law * np.exp(departure))


def test_beyond_the_runs_starts_at_the_largest_run_of_the_group():
    model = make_model()
    panels = plot_forecast(make_posterior(model), reach=20.0)
    for largest, ax in zip((1e9, 1e10), panels, strict=True):
        assert "beyond the runs" in written(ax)
        edge = next(line for line in ax.lines if list(line.get_ydata()) == [0, 1])
        assert list(edge.get_xdata()) == [largest, largest]
        inside, beyond = curves(ax)[0]
        assert inside.get_xdata()[-1] == largest
        assert beyond.get_xdata()[0] == largest
        assert beyond.get_xdata()[-1] == pytest.approx(20 * largest)
        near, far = bands(ax)[0], bands(ax)[2]
        assert band_limits(near)[0][-1] == band_limits(far)[0][0] == largest
        assert far.get_alpha() == pytest.approx(near.get_alpha() / 2)


def test_a_large_model_is_beyond_the_runs_before_the_largest_tokens():
    ax = plot_forecast(make_posterior(make_model(pool=None)))[0]
    # No run exceeds N D = 1e17; the last point of the grid inside is at most one step, 10 to the 2/39, below.
    for N, (inside, beyond) in zip((1e6, 1e7, 1e8, 1e9), curves(ax), strict=True):
        start = inside.get_xdata()[-1]
        assert start == beyond.get_xdata()[0]
        limit = min(1e17 / N, 1e10)
        assert limit / 10 ** (2.01 / 39) < start <= limit * (1 + 1e-9)


def test_a_stack_is_drawn_as_the_mixture_it_forecasts():
    """Of two laws that disagree, at weights .75 and .25: bands are quantiles of the mixed draws at the runs' inputs."""
    low, high = (make_posterior(make_model(pool=None, noise="normal"), seed=s, E=e) for s, e in ((1, 1.6), (2, 2.4)))
    weights = xr.DataArray(np.full((2, 3), 0.5), {"law": ["low", "high"]}, ("law", "sample"))
    stack = bs.Stack({"low": low, "high": high}, {"low": 0.75, "high": 0.25}, weights, "loo")
    ax = plot_forecast(stack, reach=1)[0]
    D, lower, upper = band_limits(bands(ax)[0])
    mixed = bs.forecast(stack, N=1e6, D=D)["L_run"].quantile([0.05, 0.95], ("chain", "draw"))
    # Another grid has other noise: quantiles of 200 draws, of which the outer five per cent are ten.
    assert lower == pytest.approx(mixed[0].to_numpy(), rel=0.04)
    assert upper == pytest.approx(mixed[1].to_numpy(), rel=0.04)
    assert ax.get_title(loc="left") == "stack (9 runs)"
    assert "0.75 low + 0.25 high, median" in [t.get_text() for t in ax.figure.legends[0].get_texts()]


def test_reach_of_one_draws_nothing_beyond():
    ax = plot_forecast(make_posterior(make_model(pool=None)), reach=1)[0]
    assert "beyond the runs" not in written(ax)
    assert max(c.get_datalim(ax.transData).x1 for c in ax.collections) == pytest.approx(1e10)


@pytest.mark.parametrize(
    ("law", "x", "label"),
    [
        ("chinchilla", None, "training tokens D (tokens)"),
        ("chinchilla", "N", "N (parameters)"),
        ("saturating:C", None, "training compute C (FLOP)"),
        ("power:N", None, "N (parameters)"),
    ],
)
def test_axes_say_meaning_and_unit(law, x, label):
    posterior = make_posterior(make_model(pool=None, law=law), L_inf=1.5, k_ref=2.0)
    ax = plot_forecast(posterior, x)[0]
    assert ax.get_xlabel() == label
    assert ax.get_ylabel() == "loss L (nats/token)"
    assert ax.get_xscale() == ax.get_yscale() == "log"


def test_a_law_of_one_input_is_one_curve():
    model = make_model(pool=None, law="saturating:C")
    ax = plot_forecast(make_posterior(model, width=0, L_inf=1.5))[0]
    assert len(curves(ax)) == 1
    C, loss = whole(curves(ax)[0])
    assert loss == pytest.approx(1.5 + TRUTH["A_ref"] * (C / model.reference["x"]) ** -TRUTH["alpha"])
    assert np.asarray(dots(ax).get_offsets())[:, 0] == pytest.approx(model.runs["C"])


def test_ticks_are_counts_and_plain_decimals():
    ax = plot_forecast(make_posterior(make_model(pool=None)))[0]
    ax.figure.canvas.draw()
    left, right = ax.get_xlim()
    shown = [tick.label1.get_text() for tick in ax.xaxis.get_major_ticks() if left <= tick.get_loc() <= right]
    assert shown == ["100M", "1B", "10B", "100B"]
    losses = [t.get_text() for t in ax.get_yticklabels()]
    assert len(losses) >= 3
    assert all("e" not in text and "$" not in text and math.isfinite(float(text)) for text in losses)


def test_names_of_coinciding_curves_are_moved_apart():
    model = make_model(pool=None)
    ax = plot_forecast(make_posterior(model, width=0, alpha=1e-9))[0]
    assert np.ptp([beyond.get_ydata()[-1] for _, beyond in curves(ax)]) < 1e-6
    assert len(written(ax)) == 5
    assert overlapping(ax.figure) == []


def test_own_axes_are_drawn_on():
    _, own = plt.subplots(1, 2)
    panels = plot_forecast(make_posterior(make_model()), axes=own)
    assert list(panels) == list(own)
    assert len(dots(own[1]).get_offsets()) == 9
    with pytest.raises(InputError, match="2 panels; 1 axes were given"):
        plot_forecast(make_posterior(make_model()), axes=own[0])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"x": "C"}, "drawn against N or D; x='C'"),
        ({"reach": 0.5}, "at least 1; 0.5"),
        ({"reach": math.nan}, "at least 1; nan"),
    ],
)
def test_a_forecast_that_cannot_be_drawn(options, words):
    with pytest.raises(InputError, match=words):
        plot_forecast(make_posterior(make_model()), **options)
    assert plt.get_fignums() == []


def test_a_figure_from_bad_draws_says_so_and_warns_once():
    model = make_model()
    posterior = make_posterior(model, diagnostics=BAD)
    with pytest.warns(ConvergenceWarning) as caught:
        panels = plot_forecast(posterior)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    notes = [t for ax in panels for t in ax.texts if t.get_text() == "not converged"]
    assert len(notes) == 1
    assert to_rgb(notes[0].get_color())[0] > 0.7
    with pytest.warns(ConvergenceWarning):
        ax = plot_exponents(posterior)
    assert "not converged" in written(ax)
    assert "not converged" not in written(plot_exponents(make_posterior(model)))


# -- Exponents


def rows(ax):
    """Label of each row, with its median and the ends of its thin and thick bar."""
    found = []
    for tick, label in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True):
        here = [line for line in ax.lines if set(line.get_ydata()) == {tick}]
        dot = next(line for line in here if line.get_marker() != "None")
        thin, thick = sorted((line for line in here if line is not dot), key=lambda line: line.get_linewidth())
        found.append((label.get_text(), dot.get_xdata()[0], *thin.get_xdata(), *thick.get_xdata()))
    return found


def test_exponents_are_medians_and_central_intervals_by_group():
    model = make_model()
    posterior = make_posterior(model, width=0.3)
    expected = []
    for symbol in ("alpha", "beta"):
        draws = posterior.dataset[symbol].to_numpy().reshape(-1, 2)
        mean = posterior.dataset[symbol + MEAN].to_numpy().ravel()
        for name, x in (("ants", draws[:, 0]), ("birds", draws[:, 1]), ("shared mean", mean)):
            expected.append((name, *np.percentile(x, [50, 5, 95, 25, 75])))
    found = rows(plot_exponents(posterior))
    assert [row[0] for row in found] == [row[0] for row in expected]
    for row, by_hand in zip(found, expected, strict=True):
        assert row[1:] == pytest.approx(by_hand[1:])


def test_exponents_of_all_runs_and_of_all_groups():
    alone = rows(plot_exponents(make_posterior(make_model(pool=None))))
    assert [row[0] for row in alone] == ["all runs", "all runs"]
    shared = make_model(pool={"*": "field", "alpha": "complete", "beta": "field:none"})
    assert [row[0] for row in rows(plot_exponents(make_posterior(shared)))] == ["all groups", "ants", "birds"]


def published_at(ax):
    """Labels and places of the vertical lines of published values."""
    flags = {t.get_text(): t.xy[0] for t in ax.texts if hasattr(t, "xy")}
    upright = {line.get_xdata()[0] for line in ax.lines if len(set(line.get_ydata())) == 2}
    assert set(flags.values()) == upright
    return flags


def test_published_values_stand_where_the_papers_say():
    flags = published_at(plot_exponents(make_posterior(make_model())))
    # Hoffmann et al. (2022), eq. 10, and Besiroglu et al. (2024): alpha, then beta.
    assert flags["hoffmann2022 0.34"] == 0.34
    assert flags["besiroglu2024 0.348"] == 0.3478
    assert flags["hoffmann2022 0.28"] == 0.28
    assert flags["besiroglu2024 0.366"] == 0.3658


def test_published_values_are_those_of_the_same_input_and_few():
    on_tokens = plot_exponents(make_posterior(make_model(pool=None, law="power:D"), k_ref=2.0))
    assert published_at(on_tokens) == {"hestness2017_word_lm 0.066": 0.066, "kaplan2020_D 0.095": 0.095}
    nine = plot_exponents(make_posterior(make_model(pool=None, law="saturating:N"), L_inf=1.5))
    assert published_at(nine) == {}


def test_exponents_have_no_unit_and_say_so():
    ax = plot_exponents(make_posterior(make_model()))
    assert "no unit" in ax.get_xlabel()
    assert written(ax)[0] == r"$\alpha$, exponent of model size"
    assert overlapping(ax.figure) == []


# -- Comparison


def make_comparison(flags=("", "3 of 50: p_waic above 0.4", "")):
    table = pd.DataFrame(
        {
            "elpd": [100.0, 96.0, 71.0],
            "se": [5.0, 5.0, 6.0],
            "elpd_diff": [0.0, -4.0, -29.0],
            "dse": [0.0, 2.5, 9.0],
            "p": [5.0, 4.0, 4.0],
            "weight": [0.8, 0.2, 0.0],
            "flags": list(flags),
        },
        index=pd.Index(["b", "c", "a"], name="law"),
    )
    scores = xr.Dataset({"elpd_i": (("law", "unit"), np.zeros((3, 50)))}, {"law": ["b", "c", "a"]})
    return Comparison("waic", table, scores, "b is ahead of c by 4.0 ± 2.5.", ())


def test_comparison_stands_in_order_with_its_standard_errors():
    ax = plot_comparison(make_comparison())
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first row is on top
    found = rows(ax)
    assert [row[0] for row in found] == ["b", "c", "a"]
    assert found[0][1:] == (0, 0, 0, 0, 0)
    assert found[1][1:] == pytest.approx((-4, -9, 1, -6.5, -1.5))
    assert found[2][1:] == pytest.approx((-29, -47, -11, -38, -20))


def test_comparison_says_criterion_verdict_and_what_is_unreliable():
    ax = plot_comparison(make_comparison())
    assert ax.get_title(loc="left") == "Laws compared by WAIC"
    assert "(nats, sum over 50 units)" in ax.get_xlabel()
    text = " ".join(" ".join(written(ax)).split())
    assert "best" in text
    assert "−4.0 ± 2.5" in text
    assert "b is ahead of c by 4.0 ± 2.5." in text
    assert "Hollow: flagged (c, 3 of 50: p_waic above 0.4)" in text
    hollow = [line.get_markerfacecolor() == "white" for line in ax.lines if line.get_marker() == "o"]
    assert hollow == [False, True, False]
    assert overlapping(ax.figure) == []
    assert "Hollow" not in " ".join(written(plot_comparison(make_comparison(("", "", "")))))


# -- Check


OUT = [4, 30, 31, 59]


def make_check(n=60, group=True):
    rng = np.random.default_rng(1)
    outlier = rng.uniform(0, 0.4, n)
    outlier[OUT] = 0.9, 0.6, 0.7, 1.0
    coords = {"group": ("run", np.where(np.arange(n) % 2, "odd", "even"))} if group else {}
    return xr.Dataset(
        {
            "cost": ("run", 10 ** rng.uniform(18, 22, n), {"units": "FLOP", "long_name": "training compute C"}),
            "residual": ("run", rng.normal(0, 0.01, n)),
            "residual_lower": ("run", np.full(n, -0.02)),
            "residual_upper": ("run", np.full(n, 0.03)),
            "pit": ("run", rng.uniform(0, 1, n)),
            "outlier": ("run", outlier),
        },
        coords,
        {"law": "chinchilla", "converged": 1},
    )


@pytest.mark.parametrize("group", [True, False])
def test_residuals_and_outliers_are_the_runs(group):
    check = make_check(group=group)
    residuals, _, outliers = plot_check(check)
    points = [line for line in residuals.lines if line.get_linestyle() == "None"]
    *clouds, rings = points
    drawn = np.sort(np.concatenate([cloud.get_xydata() for cloud in clouds]), axis=0)
    assert drawn == pytest.approx(np.sort(np.stack([check["cost"], check["residual"]], axis=1), axis=0))
    assert rings.get_xydata() == pytest.approx(np.stack([check["cost"], check["residual"]], axis=1)[OUT])
    assert sorted(map(int, written(residuals))) == [5, 31, 32, 60]
    assert sorted(map(int, written(outliers))) == [5, 31, 32, 60]
    expected = np.stack([np.arange(1, 61), check["outlier"]], axis=1)
    assert np.asarray(dots(outliers).get_offsets()) == pytest.approx(expected)
    assert (residuals.get_legend_handles_labels()[1] == ["even", "odd"]) == group


def test_residuals_have_the_band_of_their_noise():
    grouped = plot_check(make_check())[0]
    edges = [set(line.get_ydata()) for line in grouped.lines if line.get_linestyle() == "-"]
    assert edges == [{-0.02}, {0.03}, {-0.02}, {0.03}, {0}]
    _, lower, upper = band_limits(bands(plot_check(make_check(group=False))[0])[0])
    assert set(lower) == {-0.02}
    assert set(upper) == {0.03}


def test_pit_has_the_band_of_a_calibrated_fit():
    check = make_check()
    ax = plot_check(check)[1]
    bars = [p for p in ax.patches if p.get_width() < 1]
    heights = [p.get_height() for p in bars]
    pit = check["pit"].to_numpy()
    assert heights == [np.sum((pit >= k / 5) & (pit < (k + 1) / 5)) for k in range(5)]
    span = next(p for p in ax.patches if p.get_width() == 1)
    low, high = span.get_y(), span.get_y() + span.get_height()
    # Counts of 60 runs in a fifth of the range are Binomial(60, 0.2): at most 2.5 % below, at most 2.5 % above.
    mass = [math.comb(60, k) * 0.2**k * 0.8 ** (60 - k) for k in range(61)]
    below = lambda k: sum(mass[: round(k)])  # noqa: E731
    assert below(low) <= 0.025 < below(low + 1)
    assert 1 - below(high + 1) <= 0.025 < 1 - below(high)


def test_check_panels_say_what_they_show():
    panels = plot_check(make_check())
    assert panels[0].get_xlabel() == "training compute C (FLOP)"
    assert panels[0].get_xscale() == "log"
    assert "no unit" in panels[0].get_ylabel()
    assert "count" in panels[1].get_ylabel()
    assert "probability" in panels[2].get_ylabel()
    assert overlapping(panels[0].figure) == []


def test_check_of_a_fit_is_drawn_as_it_comes():
    posterior = make_posterior(make_model(), draws=400)
    check = bs.check_fit(posterior)
    panels = plot_check(check)
    clouds = [line.get_xydata() for line in panels[0].lines if line.get_linestyle() == "None"][:2]
    assert np.sort(np.concatenate(clouds)[:, 1]) == pytest.approx(np.sort(check["residual"]))


def test_check_refuses_what_it_cannot_draw():
    with pytest.raises(InputError, match="no pit, outlier"):
        plot_check(make_check().drop_vars(["pit", "outlier"]))
    wrong = make_check()
    wrong["pit"][0] = 1.2
    with pytest.raises(InputError, match="'pit' must lie between 0 and 1"):
        plot_check(wrong)
    wrong["pit"][0] = np.nan
    with pytest.raises(InputError, match="'pit' must lie between 0 and 1"):
        plot_check(wrong)


def test_check_numbers_the_most_outlying_only():
    check = make_check()
    check["outlier"][:] = np.linspace(0.6, 1.0, 60)
    numbers = sorted(map(int, written(plot_check(check)[2])))
    assert numbers == list(range(41, 61))


# -- Prior


def test_prior_curves_are_the_law_at_draws_of_the_prior():
    model = make_model()
    panels = plot_prior(model, draws=7, seed=5)
    prior = bs.sample_prior(model, 7, 5).dataset
    for group, ax in zip(model.groups, panels, strict=True):
        p = prior.sel(field=group).isel(chain=0)
        curves = ax.lines
        assert len(curves) == 7
        for k, line in enumerate(curves):
            d = p.isel(draw=k)
            n = line.get_xdata() / model.reference["N"]
            by_hand = float(d["E"]) + float(d["A_ref"]) * n ** -float(d["alpha"]) + float(d["B_ref"])
            assert line.get_ydata() == pytest.approx(by_hand)
        runs = model.runs.loc[model.runs["field"] == group, ["N", "L"]]
        assert np.asarray(dots(ax).get_offsets()) == pytest.approx(runs.to_numpy())
    assert panels[0].get_xlabel() == "N (parameters)"
    assert panels[0].get_ylabel() == "loss L (nats/token)"


@pytest.mark.filterwarnings(
    "ignore:Column 'N'", "ignore:Column 'D'", "ignore:There are only 3 runs"
)  # one size, on purpose
def test_prior_is_drawn_along_the_first_input_that_varies():
    runs = make_runs(("all",))
    runs = runs.loc[runs["N"] == 1e6]
    assert plot_prior(Model("chinchilla", runs), draws=3)[0].get_xlabel() == "training tokens D (tokens)"
    still = pd.concat([runs.iloc[:1]] * 6, ignore_index=True).assign(L=[2.0, 2.1, 2.2, 2.3, 2.4, 2.5])
    with pytest.raises(InputError, match="varies over the runs"):
        plot_prior(Model("chinchilla", still))


# -- Saving, and what is shared


def test_a_figure_is_saved_at_150_dots_per_inch_and_closed(tmp_path):
    ax = plot_comparison(make_comparison())
    other = plt.figure()
    save_figure(ax, tmp_path / "a.png")
    assert plt.get_fignums() == [other.number]
    header = (tmp_path / "a.png").read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    width = int.from_bytes(header[16:20], "big") / 150
    assert width == pytest.approx(6.0, abs=1.0)
    save_figure(plot_forecast(make_posterior(make_model())), str(tmp_path / "b.svg"))
    assert "<svg" in (tmp_path / "b.svg").read_text()


def test_a_figure_that_cannot_be_saved_stays_open(tmp_path):
    ax = plot_comparison(make_comparison())
    with pytest.raises(InputError, match=r"end its name in .*\.png"):
        save_figure(ax, tmp_path / "a.xyz")
    with pytest.raises(InputError, match="end its name in"):
        save_figure(ax, tmp_path / "a")
    with pytest.raises(InputError, match=r"there is no folder .* Name one that exists"):
        save_figure(ax, tmp_path / "no" / "a.png")
    assert [plt.figure(k) for k in plt.get_fignums()] == [ax.figure]


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0, "0"),
        (0.5, "0.5"),
        (950, "950"),
        (1000, "1k"),
        (65_536, "65.5k"),
        (999_999, "1M"),
        (70e9, "70B"),
        (1.4e12, "1.4T"),
        (999.9e12, "1e15"),
        (6.02e23, "6.02e23"),
        (-2500, "-2.5k"),
    ],
)
def test_short_numbers(x, text):
    assert short_number(x) == text
    assert parse_number(text) == pytest.approx(x, rel=0.005)


def test_short_numbers_of_few_digits():
    assert short_number(24_736, 2) == "25k"
    assert short_number(99_999, 2) == "100k"
    assert short_number(1.797e308) == "1.8e308"  # rounded, it is more than a float holds


@pytest.mark.parametrize(
    ("symbol", "text"),
    [("alpha", r"$\alpha$"), ("alpha_N", r"$\alpha_{N}$"), ("L_inf", r"$L_{\infty}$"), ("E", "$E$")],
)
def test_symbols_are_written_as_in_papers(symbol, text):
    assert math_symbol(symbol) == text


@pytest.mark.parametrize("x", ["D", "N"])
def test_six_panels_can_be_read(x):
    runs = bs.load_runs("tiny_sweep")
    panels = plot_forecast(make_posterior(Model("chinchilla", runs, pool="modality"), B_ref=0.6), x)
    assert len(panels) == 6
    assert overlapping(panels[0].figure) == []
    assert all(ax.get_ylabel() for ax in panels[[0, 3]])
    assert all(ax.get_xlabel() for ax in panels[3:])
    assert not any(ax.get_xlabel() for ax in panels[:3])


def test_drawing_changes_no_setting():
    before = dict(plt.rcParams)
    posterior = make_posterior(make_model())
    for axes in (plot_forecast(posterior), plot_exponents(posterior), plot_check(make_check())):
        np.ravel(np.asarray(axes, dtype=object))[0].figure.canvas.draw()
    plot_prior(posterior.model, draws=2)
    assert dict(plt.rcParams) == before


def test_matplotlib_is_loaded_by_drawing_only():
    program = (
        "import json, sys, bayescale.plots.forecast, bayescale.plots.check; print(json.dumps(sorted(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "matplotlib" not in json.loads(answer.stdout)


# -- Responses and inputs of other ranges


def test_a_date_and_a_density_have_linear_axes(certain):
    """A law of a shifted input whose response may be negative: the band is that of the forecast, nothing is a log."""
    runs = pd.DataFrame({"t": [-200.0, 0.0, 150.0, 300.0, 420.0], "ln_density": [-1.2, -0.4, 0.3, 1.6, 2.4]})
    posterior = certain(
        bs.Model("densing", runs, noise="normal"), {"A": 0.006, "B_ref": 0.5, "sigma": 0.2}, shape=(2, 400)
    )
    (ax,) = bs.plot_forecast(posterior, reach=2.0)
    assert (ax.get_xscale(), ax.get_yscale()) == ("linear", "linear")
    line = ax.lines[0]
    day, height = line.get_xdata(), line.get_ydata()
    assert (day[0], day[-1]) == (-200.0, 420.0)
    assert height == pytest.approx(0.006 * (day - runs["t"].mean()) + 0.5)
    farthest = max(drawn.get_xdata().max() for drawn in ax.lines if len(drawn.get_xdata()) > 2)
    assert farthest == pytest.approx(420.0 + runs["t"].std(ddof=0) * np.log(2.0))
    (ax,) = bs.plot_prior(posterior.model)
    assert (ax.get_xscale(), ax.get_yscale()) == ("linear", "linear")


def test_an_accuracy_is_drawn_on_its_own_scale_against_the_log_of_tokens(certain):
    runs = bs.load_runs("tiny_emergence").query("task == 'add2'")
    model = bs.Model("exact_match:D", runs, noise="binomial")
    posterior = certain(model, {p.symbol: float(model.priors[p.symbol].quantile(0.5)) for p in model.params})
    (ax,) = bs.plot_forecast(posterior)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "linear")


# -- Backtest


def make_backtest(measured, spread=True):
    """A backtest whose forecast of each run is normal about 3 with standard deviation 0.1."""
    from scipy import stats

    draws = 3 + 0.1 * stats.norm.ppf((np.arange(400) + 0.5) / 400).reshape(4, 100)
    n = len(measured)
    return xr.Dataset(
        {
            "L": ("run", np.asarray(measured, dtype=float), {"units": "nats/token"}),
            "L_run": (("chain", "draw", "forecaster", "run"), np.broadcast_to(draws[:, :, None, None], (4, 100, 2, n))),
            "log_density": (("forecaster", "run"), np.zeros((2, n))),
            "spread": ("forecaster", [spread, False]),
            "weight": ("forecaster", [np.nan, np.nan]),
            "converged": ("forecaster", [True, True]),
            "beyond": ("run", np.full(n, 2.0)),
        },
        {"forecaster": ["chinchilla", "last value"]},
        {"response": "L", "on_log": 1, "runs": 9, "held_out": "the largest", "group": "", "cost_unit": "FLOP"},
    )


def test_backtest_shows_medians_where_they_were_measured_and_misses_in_another_colour():
    answer = make_backtest([2.95, 3.05, 3.4])
    (ax,) = bs.plot_backtest(answer)
    points = {line.get_marker(): line.get_xydata() for line in ax.lines if line.get_linestyle() == "None"}
    assert len(points) == 2  # inside the 90 % interval, 2.84 to 3.16, and outside
    held, missed = sorted(points.values(), key=lambda xy: -len(xy))
    np.testing.assert_allclose(held, [[2.95, 3.0], [3.05, 3.0]], rtol=1e-3)
    np.testing.assert_allclose(missed, [[3.4, 3.0]], rtol=1e-3)
    assert "90 % holds 67 %" in ax.get_title(loc="left")
    assert ax.get_xlim() == ax.get_ylim()


def test_backtest_of_chosen_forecasters_and_of_unknown_ones():
    answer = make_backtest([2.95, 3.05])
    assert len(bs.plot_backtest(answer, ["chinchilla", "last value"])) == 2
    with pytest.raises(InputError, match="no forecaster 'kaplan'"):
        bs.plot_backtest(answer, ["kaplan"])
