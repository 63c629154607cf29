"""Learning curves as smooth processes, against integrals, brute force and curves simulated from the process itself."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, special, stats

import bayescale as bs
from bayescale.curves.curve import Curve, approximate, go_on, integrals
from bayescale.curves.fitting import _Fit
from bayescale.curves.shared import MEANS, Shared, bend, slope_covariance, slope_mean, unbend

TRUE = Shared(
    noise=-4.6, wander=-4.6, slope=-1.5, slope_spread=-1.0, growth=0.5, growth_spread=-1.0, memory=0.7,
    restlessness=-1.2, flattening=1.5, coupling=0.5,
)  # fmt: skip


def power_laws(exponents, n=20):
    """Noise-free curves 0.9 (x / x_0)**-exponent."""
    along = np.geomspace(1e6, 1e9, n)
    rows = [pd.DataFrame({"run": f"c{e:g}", "D": along, "L": 0.9 * (along / along[0]) ** -e}) for e in exponents]
    return pd.concat(rows, ignore_index=True)


def simulated(rng, curves, t, shared=TRUE, unevenness=0.5):
    """Curves drawn from the process on a grid ten times finer than the fit's: dims (curve, t); and their noisiness."""
    fine = np.linspace(0.0, t[-1], 1 + int(100 * t[-1]))
    losses, noisiness = [], unevenness * rng.standard_normal(curves)
    for offset in noisiness:
        covariance = slope_covariance(shared, fine, offset) + 1e-9 * np.eye(len(fine))
        slope = slope_mean(shared, fine) + np.linalg.cholesky(covariance) @ rng.standard_normal(len(fine))
        fall = integrate.cumulative_trapezoid(np.exp(slope), fine, initial=0.0)
        log_loss = unbend(-np.interp(t, fine, fall), shared.flattening)
        steps = np.sqrt(np.diff(t, prepend=0.0)) * rng.standard_normal(len(t))
        wander = np.exp(shared.wander + offset) * np.cumsum(steps)
        losses.append(np.exp(log_loss + wander + np.exp(shared.noise + offset) * rng.standard_normal(len(t))))
    return np.array(losses), noisiness


def as_runs(t, losses):
    rows = [pd.DataFrame({"run": f"c{k}", "D": 1e6 * np.exp(t), "L": loss}) for k, loss in enumerate(losses)]
    return pd.concat(rows, ignore_index=True)


def test_the_bent_scale_goes_there_and_back():
    log_loss = np.linspace(-3.0, 1.0, 9)
    for flattening in (0.0, 1e-10, 0.5, 4.0):
        z = bend(log_loss, flattening)
        assert np.all(np.diff(z) > 0)
        np.testing.assert_allclose(unbend(z, flattening), log_loss, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(bend(log_loss, 1e-7), log_loss, atol=1e-6)  # continuous at 0


def test_integrals_are_those_of_the_broken_line():
    rng = np.random.default_rng(0)
    grid = np.array([0.0, 0.2, 0.5, 1.1, 2.0])
    values = rng.normal(size=5)
    t = np.array([0.0, 0.1, 0.2, 0.7, 1.9, 2.0])
    expected = [
        integrate.quad(lambda s: np.interp(s, grid, values), 0, end, points=list(grid[1:-1]))[0] if end else 0.0
        for end in t
    ]
    np.testing.assert_allclose(integrals(grid, t) @ values, expected, atol=1e-9)


def test_the_slope_moves_as_an_integrated_ornstein_uhlenbeck_process():
    """Mean and covariance against double integrals of the growth's own, conditioned on where it starts."""
    t = np.array([0.3, 1.0, 2.5])
    length, offset = np.exp(TRUE.memory), 0.4
    start, rough = np.exp(2 * TRUE.growth_spread), np.exp(2 * (TRUE.restlessness + TRUE.coupling * offset))

    def growth(a, b):
        return start * np.exp(-(a + b) / length) + rough * (np.exp(-abs(a - b) / length) - np.exp(-(a + b) / length))

    def twice(p, q):
        low, high = min(p, q), max(p, q)
        below = integrate.dblquad(growth, 0, low, 0, lambda a: a)[0]  # symmetric: half the square
        beside = integrate.dblquad(growth, 0, low, low, high)[0]
        return np.exp(2 * TRUE.slope_spread) + 2 * below + beside

    expected = [[twice(p, q) for q in t] for p in t]
    np.testing.assert_allclose(slope_covariance(TRUE, t, offset), expected, rtol=1e-6)
    mean = [TRUE.slope + integrate.quad(lambda s: TRUE.growth * np.exp(-s / length), 0, p)[0] for p in t]
    np.testing.assert_allclose(slope_mean(TRUE, t), mean, rtol=1e-9)


@pytest.fixture(scope="module")
def brute_force():
    """A curve of four points; the process drawn 400,000 times beyond it, each draw weighted by the points' density."""
    rng = np.random.default_rng(5)
    t = np.array([0.0, 0.5, 1.0, 1.6])
    # Rougher points than elsewhere, so that many draws count; unbent, so that the answer is Normal given the slope.
    shared = TRUE._replace(noise=-2.5, wander=-3.0, flattening=0.0, slope_spread=-0.7)
    curve = Curve.of(np.exp(t), np.exp(-0.35 * t**0.9 + np.array([0.01, -0.03, 0.02, 0.0])))
    ahead = curve.grid[-1] + np.linspace(0.0, np.log(2.0), 8)[1:]
    grid = np.concatenate([curve.grid, ahead])
    prior = slope_covariance(shared, grid, 0.0) + 1e-8 * np.eye(len(grid))
    slopes = slope_mean(shared, grid) + rng.standard_normal((400_000, len(grid))) @ np.linalg.cholesky(prior).T
    falls = np.exp(slopes) @ integrals(grid, np.append(t, grid[-1])).T
    scatter = np.exp(2 * shared.wander) * np.minimum.outer(t, t) + np.exp(2 * shared.noise) * np.eye(4) + 100.0
    off = curve.log_loss - curve.log_loss[0] + falls[:, :4]
    log_weights = stats.multivariate_normal(np.zeros(4), scatter).logpdf(off)
    # What follows: the level is known by the points up to their errors, which go on as a Wiener process does.
    lead = np.exp(2 * shared.wander) * t + 100.0
    pull = np.linalg.solve(scatter, lead)
    paths = curve.log_loss[0] - falls[:, 4] + off @ pull
    return curve, shared, grid[-1], log_weights, paths


def test_the_evidence_is_that_of_brute_force(brute_force):
    curve, shared, _, log_weights, _ = brute_force
    exact = special.logsumexp(log_weights) - np.log(len(log_weights))
    found = approximate(curve, shared, 0.0).evidence - 2 * np.log(2 * np.pi)
    assert found == pytest.approx(exact, abs=0.1)  # Laplace's error; Monte Carlo's is below 0.01


def test_what_follows_is_that_of_brute_force(brute_force):
    curve, shared, end, log_weights, paths = brute_force
    weights = special.softmax(log_weights)
    assert 1 / np.sum(weights**2) > 5000  # draws that count
    mean = weights @ paths
    sd = np.sqrt(weights @ (paths - mean) ** 2)
    found = approximate(curve, shared, 0.0)
    beyond = go_on(curve, found, shared, 0.0, np.array([end]), 20_000, np.random.default_rng(1))
    # Of the Gaussian approximation alone the mean is off by a quarter of the standard deviation.
    assert np.mean(beyond.path) == pytest.approx(mean, abs=0.03 * sd)
    assert np.std(beyond.path) == pytest.approx(sd, rel=0.03)


def test_noise_free_power_laws_go_on_as_such():
    exponents = (0.1, 0.3, 0.5)
    curves = bs.fit_curves(power_laws(exponents, n=8), curve="run")
    answer = bs.extrapolate(curves, times=[1, 2])["L_run"]
    expected = 0.9 * np.outer(1e3 ** -np.array(exponents), 1.0) * np.array([1.0, 2.0]) ** -np.array(exponents)[:, None]
    median = answer.median(("chain", "draw")).to_numpy()
    np.testing.assert_allclose(median[:, 0], expected[:, 0], rtol=1e-3)
    np.testing.assert_allclose(median[:, 1], expected[:, 1], rtol=0.01)
    low, high = (answer.quantile(q, ("chain", "draw")).to_numpy() for q in (0.05, 0.95))
    assert np.all((low < expected) & (expected < high))


def test_units_do_not_matter():
    """x in millions, the response in bits of another unit: the same answer, up to how the climb rounds."""
    rng = np.random.default_rng(2)
    t = np.linspace(0.0, 2.0, 6)
    runs = as_runs(t, simulated(rng, 2, t)[0])
    other = runs.assign(D=runs["D"] / 1e6, L=runs["L"] * 3.7)
    quantiles = []
    for table, unit in ((runs, 1.0), (other, 3.7)):
        answer = bs.extrapolate(bs.fit_curves(table, curve="run"), times=2)["L_run"] / unit
        quantiles.append(answer.quantile([0.05, 0.5, 0.95], ("chain", "draw")).to_numpy())
    width = (quantiles[0][2] - quantiles[0][0]).min()
    np.testing.assert_allclose(quantiles[1], quantiles[0], atol=0.05 * width)


def test_the_order_of_rows_does_not_matter():
    t = np.linspace(0.0, 2.0, 5)
    runs = as_runs(t, simulated(np.random.default_rng(6), 2, t)[0])
    first = bs.fit_curves(runs, curve="run")
    shuffled = bs.fit_curves(runs.iloc[[4, 2, 0, 8, 1, 3, 9, 5, 7, 6]], curve="run")
    assert shuffled.shared == first.shared
    assert shuffled.names == first.names


def covered(curves, losses, times):
    """Whether what came lies inside the 50 % and the 90 % interval; dims (level, curve, time)."""
    draws = bs.extrapolate(curves, times=times)["L_run"]
    below = (draws.to_numpy() < losses).mean(axis=(0, 1))
    return np.array([np.abs(below - 0.5) < level / 2 for level in (0.5, 0.9)])


def test_simulated_curves_are_covered():
    """Twelve curves of eight points, to twice the last one: intervals hold their share within four standard errors."""
    t = np.append(np.linspace(0.0, 3.0, 8), 3.0 + np.log(2.0))
    losses, _ = simulated(np.random.default_rng(3), 12, t)
    curves = bs.fit_curves(as_runs(t[:-1], losses[:, :-1]), curve="run")
    inside = covered(curves, losses[:, -1:], [2.0]).mean(axis=(1, 2))
    assert inside[1] == pytest.approx(0.9, abs=4 * np.sqrt(0.9 * 0.1 / 12))
    assert inside[0] == pytest.approx(0.5, abs=4 * np.sqrt(0.5 * 0.5 / 12))


@pytest.mark.slow
def test_simulated_tables_are_covered(capsys):
    """Sixteen tables of eight curves, their shared numbers scattered about `TRUE`."""
    rng = np.random.default_rng(4)
    t = np.append(np.linspace(0.0, 3.0, 12), 3.0 + np.log([1.5, 2.0]))
    shares = []
    for _ in range(16):
        shared = Shared(*(np.array(TRUE) + 0.3 * rng.standard_normal(len(TRUE))))
        losses, _ = simulated(rng, 8, t, shared)
        keep = losses[:, -3] < losses[:, 0]
        curves = bs.fit_curves(as_runs(t[:-2], losses[keep, :-2]), curve="run")
        shares.append(covered(curves, losses[keep, -2:], [1.5, 2.0]).mean(axis=(1, 2)))
    mean, error = np.mean(shares, axis=0), np.std(shares, axis=0) / np.sqrt(len(shares))
    with capsys.disabled():
        print(f"\n16 tables of 8 simulated curves: 50 % and 90 % intervals hold {mean.round(3)} (+- {error.round(3)})")
    # These curves are independent and of the process itself; for real ones their information counts a quarter and
    # tails are heavy. So intervals are somewhat wide here, never narrow.
    assert mean[1] > 0.9 - 4 * error[1]
    assert mean[0] > 0.5 - 4 * error[0]
    assert mean[0] < 0.75


def test_the_information_of_the_points_is_that_of_a_linear_curve():
    """With a slope that hardly varies the curve is a line in log-log with one unknown: its information is known."""
    t = np.linspace(0.0, 2.0, 21)
    still = Shared(-4.0, -12.0, -1.0, -8.0, 0.0, -8.0, 0.7, -8.0, 0.0, 0.0)
    fit = _Fit([Curve.of(np.exp(t), np.exp(-np.exp(-1.0) * t))])
    fit.values, fit.offsets = np.array(still), np.zeros(1)
    found = fit._information(0)
    k = Shared._fields.index("slope")
    # d(log loss)/d(slope) = -exp(slope) t; the level is unknown, so what counts is t about its mean.
    expected = np.exp(-2.0) * np.sum((t - t.mean()) ** 2) / np.exp(2 * still.noise)
    assert found[k, k] == pytest.approx(expected, rel=0.02)
    noise = Shared._fields.index("noise")
    assert found[noise, noise] == pytest.approx(2 * (len(t) - 1), rel=0.02)  # of a log sd from n - 1 contrasts


def test_one_curve_alone_leans_on_the_prior_and_says_so():
    curves = bs.fit_curves(power_laws((0.3,), n=5).drop(columns="run"))
    table = curves.table()
    assert curves.names == ("all runs",)
    assert list(table.index) == list(Shared._fields)
    assert table.loc["coupling", "narrowed"] < 0.1
    assert "coupling" in str(curves).split("Mostly prior: ")[1]
    assert table["narrowed"].between(-1e-9, 1).all()


def test_priors_of_the_table_are_those_used():
    table = bs.fit_curves(power_laws((0.3,), n=5), curve="run").table()
    assert table.loc["flattening", "prior"] == "Normal(1.5, 1)"
    assert MEANS[Shared._fields.index("flattening")] == 1.5


def rows(**columns):
    return pd.DataFrame({"run": "a", "D": [1e6, 2e6, 4e6, 8e6], "L": [0.9, 0.7, 0.6, 0.55], **columns})


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        (rows(L=[0.5, 0.6, 0.7, 0.8]), "must fall along 'D'.*'a'.*1 - accuracy"),
        (rows(D=1e6), "needs points at 2 values of 'D'"),
        (rows(L=[0.9, np.nan, 0.6, 0.5]), "L"),
        (rows(L=[0.9, -0.1, 0.6, 0.5]), "positive"),
        (rows(D=[1e6, 0.0, 4e6, 8e6]), "positive"),
        (rows(D=[1e6, np.inf, 4e6, 8e6]), "D"),
        (pd.concat([rows()] * 4), "most of 'a' share theirs.*average replicates"),
        (power_laws((0.3,), n=1001), "may have 1000 points.*every tenth"),
        (pd.concat([rows(), rows(run="b", L=[9e3, 7e3, 6e3, 5e3])]), "that of 'b' is 1e\\+04 times that of 'a'"),
        (rows(L=[0.9, 0.1, 0.01, 8e-4]), "more than a factor 1000 in 'a'"),
        (rows().drop(columns="L"), "L"),
        (rows().drop(columns="run"), "run"),
        (rows().iloc[:1], "at least two|needs points"),
    ],
)
@pytest.mark.filterwarnings("ignore:Fewer than 5 runs", "ignore:There (are|is) only")  # curves of four points or less
@pytest.mark.filterwarnings("ignore:Column")  # one of which does not vary, on purpose
def test_tables_that_cannot_be_followed_are_refused(runs, said):
    with pytest.raises(bs.InputError, match=said):
        bs.fit_curves(runs, curve="run")


@pytest.mark.parametrize("name", ["chain", "draw", "times", "beyond", "L_run"])
def test_columns_named_like_a_part_of_the_answer_are_refused(name):
    for role in ("run", "D"):
        names = {"x": "D", "curve": "run"} | ({"curve": name} if role == "run" else {"x": name})
        with pytest.raises(bs.InputError, match=f"'{name}' cannot be used here.*rename"):
            bs.fit_curves(rows().rename(columns={role: name}), **names)


def test_one_column_cannot_be_two_things():
    with pytest.raises(bs.InputError, match="'D' is named twice"):
        bs.fit_curves(rows(), curve="D")
