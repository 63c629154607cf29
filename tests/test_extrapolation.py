"""How learning curves go on: the answer's shape, its words, and the public benchmark (slow)."""

import importlib.util
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

import bayescale as bs
from bayescale.answers.extrapolation import _follow, extrapolation_sentences, extrapolation_table
from bayescale.curves.curve import Beyond


def runs_of(exponents=(0.2, 0.4), n=5):
    """Curves that end at different tokens: the second at twice the first's last."""
    along = np.geomspace(1e6, 1e8, n)
    noise = np.exp(0.01 * np.random.default_rng(0).standard_normal(n))
    rows = [
        pd.DataFrame({"run": f"c{k}", "D": along * (1 + k), "L": 3.0 * (along / 1e6) ** -e * noise})
        for k, e in enumerate(exponents)
    ]
    return pd.concat(rows, ignore_index=True)


@pytest.fixture(scope="module")
def curves():
    return bs.fit_curves(runs_of(), curve="run")


def test_an_answer_has_a_draw_for_each_curve_and_time(curves):
    answer = bs.extrapolate(curves, times=[2, 1])
    assert answer["L"].dims == answer["L_run"].dims == ("chain", "draw", "run", "times")
    assert dict(answer.sizes) == {"chain": 4, "draw": 250, "run": 2, "times": 2}
    np.testing.assert_allclose(answer["times"], [1.0, 2.0])
    np.testing.assert_allclose(answer["D"], [[1e8, 2e8], [2e8, 4e8]])
    np.testing.assert_allclose(answer["beyond"], [[1.0, 2.0], [1.0, 2.0]])
    assert answer.attrs["response"] == "L"
    # Noise is added to the level: what is measured spreads more.
    assert np.all(answer["L_run"].std(("chain", "draw")) >= 0.99 * answer["L"].std(("chain", "draw")))


def test_twice_the_last_point_is_the_default(curves):
    np.testing.assert_allclose(bs.extrapolate(curves)["times"], [2.0])


def test_points_may_be_named_by_the_input(curves):
    answer = bs.extrapolate(curves, D=["200M", "1.5e8"], group="c0")
    assert answer["L"].dims == ("chain", "draw", "D")
    np.testing.assert_allclose(answer["beyond"], [1.5, 2.0])


def test_same_seed_same_draws_and_a_curve_alone_is_the_curve_among_all(curves):
    both, again, other = (bs.extrapolate(curves, times=2, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(both["L_run"], again["L_run"])
    assert not np.array_equal(both["L_run"], other["L_run"])
    alone = bs.extrapolate(curves, times=2, group="c1", seed=3)
    np.testing.assert_array_equal(alone["L_run"], both["L_run"].sel(run="c1"))


def test_a_table_without_a_column_of_curves_is_one_curve():
    answer = bs.extrapolate(bs.fit_curves(runs_of((0.3,)).drop(columns="run")), times=[1, 2])
    assert answer["L"].dims == ("chain", "draw", "times")
    (first, second) = extrapolation_sentences(answer)
    assert first.startswith("at D = 100M, 1 times the last point, one would measure L = ")
    assert "200M" in second


def test_what_follows_is_normal_about_each_path():
    """Mean 0 and variances as stated; the error of the last level is shared by all points, the wander accumulates."""
    part = Beyond(np.zeros((20_000, 2)), np.full((20_000, 2), 0.04), np.tile([0.01, 0.03], (20_000, 1)), 0.2)
    level, run = _follow(part, np.random.default_rng(0))
    expected = [[0.05, 0.05], [0.05, 0.07]]  # last + wander up to the earlier of the two
    np.testing.assert_allclose(np.cov(level.T), expected, rtol=0.05)
    np.testing.assert_allclose(np.cov(run.T), expected + 0.04 * np.eye(2), rtol=0.05)
    assert stats.kstest(run[:, 0] / np.sqrt(0.09), "norm").pvalue > 1e-3


def test_table_and_sentences(curves):
    answer = bs.extrapolate(curves, times=2)
    table = extrapolation_table(answer)
    assert list(table.columns[:3]) == ["run", "times", "D"]
    assert len(table) == 2
    sentences = extrapolation_sentences(answer)
    assert len(sentences) == 2
    assert sentences[0].startswith("c0: at D = 200M, 2 times the last point, one would measure L = ")


def test_far_answers_say_that_nothing_was_tested_there(curves):
    with pytest.warns(bs.BayescaleWarning, match="up to 2 times the last point; at 100 times nothing was tested"):
        answer = bs.extrapolate(curves, times=[2, 100])
    assert "at 100 times nothing was tested" in extrapolation_sentences(answer)[-1]
    width = answer["L_run"].quantile([0.05, 0.95], ("chain", "draw")).diff("quantile").squeeze("quantile")
    median = answer["L_run"].median(("chain", "draw"))
    assert np.all(np.isfinite(answer["L_run"]))
    assert np.all((width / median).sel(times=100) > 3 * (width / median).sel(times=2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bs.extrapolate(curves, times=2)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"times": 0.5}, "1 .the last point. or more; 0.5"),
        ({"times": -1}, "positive"),
        ({"times": np.nan}, "finite"),
        ({"times": []}, "empty"),
        ({"times": xr.Dataset({"times": 2.0})}, "times must be a number, or a list of them; a Dataset"),
        ({"times": 1e300}, "farther than can be computed"),
        ({"times": 2, "D": 1e9}, "not both"),
        ({"N": 1e9}, "run along 'D'; 'N'"),
        ({"D": 1.5e8}, "lies before the last point of 'c1'"),
        ({"group": "c7"}, "no curve 'c7'; there are 'c0', 'c1'"),
    ],
)
def test_questions_that_cannot_be_answered_are_refused(curves, asked, said):
    with pytest.raises(bs.InputError, match=said):
        bs.extrapolate(curves, **asked)


def test_the_figure_shows_points_and_bands_beyond_them(curves):
    panels = bs.plot_extrapolation(curves, times=2)
    assert [ax.get_title(loc="left") for ax in panels] == ["c0 (5 points)", "c1 (5 points)"]
    for ax, last in zip(panels, (1e8, 2e8), strict=True):
        points, median = ax.lines[:2]
        assert len(points.get_xdata()) == 5
        assert median.get_xdata()[[0, -1]] == pytest.approx([last, 2 * last])
        wide, narrow = (band.get_paths()[0].get_extents() for band in ax.collections)
        assert wide.ymin < narrow.ymin < narrow.ymax < wide.ymax
        assert wide.xmin == pytest.approx(last)
    plt.close("all")


def test_a_figure_holds_a_dozen_curves(curves):
    with pytest.raises(bs.InputError, match="2 panels; 1 axes"):
        bs.plot_extrapolation(curves, axes=plt.subplots()[1])
    with pytest.raises(bs.InputError, match="no curve 'c7'"):
        bs.plot_extrapolation(curves, group="c7")
    plt.close("all")


# -- The public benchmark


@pytest.fixture(scope="module")
def benchmark_script():
    """The script that keeps the log."""
    path = Path(__file__).parent / "benchmarks" / "extrapolation.py"
    spec = importlib.util.spec_from_file_location("extrapolation_benchmark", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_a_mixture_is_scored_as_its_formula(benchmark_script):
    forecast = benchmark_script.Mixture(np.array([[0.0], [1.0]]), np.array([[0.5], [0.5]]))
    y = 1.7
    by_hand = np.log((stats.lognorm.pdf(y, 0.5) + stats.lognorm.pdf(y, 0.5, scale=np.e)) / 2)
    assert forecast.log_density(np.log([y]))[0] == pytest.approx(by_hand)
    assert forecast.quantile(0.5)[0] == pytest.approx(0.5, abs=1e-9)
    assert forecast.cdf(forecast.quantile(0.9))[0] == pytest.approx(0.9)


def test_the_interval_of_a_mean_over_clusters_is_that_of_clusters(benchmark_script):
    """Curves that repeat their cluster's value tell no more than the clusters: standard error sd / sqrt(clusters)."""
    values = np.random.default_rng(0).standard_normal(40)
    low, high = benchmark_script.clustered(np.repeat(values, 3), np.repeat(np.arange(40).astype(str), 3))
    assert high - low == pytest.approx(2 * 1.96 * values.std() / np.sqrt(40), rel=0.05)


@pytest.mark.usefixtures("public_data")
def test_the_benchmark_holds_the_published_curves(benchmark_script):
    """Counts of the reference sheet: 72, 5, 5, 10 and 24 curves; each language model's rows once."""
    tables = benchmark_script.tables()
    assert {name: len(splits) for name, splits in tables.items()} == {
        "vision": 72, "nmt": 5, "lm": 5, "big_bench": 10, "nanogpt": 24,
    }  # fmt: skip
    assert np.quantile([len(s.x) for s in tables["lm"]], [0, 0.5, 1]).tolist() == [11, 12, 59]
    assert {len(s.x_held) for s in tables["nmt"]} == {1}
    assert all(s.y.max() == 1 for s in tables["nanogpt"])
    assert all(s.x_held.min() > s.x.max() for splits in tables.values() for s in splits)


@pytest.mark.slow
@pytest.mark.usefixtures("public_data")
def test_the_public_benchmark_is_beaten(benchmark_script, capsys):
    """Lee et al. (2025), NSL-PFN: vision .0280 and 3.330, language .0194 and 2.773."""
    scores = {}
    for name, splits in benchmark_script.tables().items():
        forecasts = benchmark_script.ours(splits)
        scores[name] = pd.DataFrame([benchmark_script.score(s, f) for s, f in zip(splits, forecasts, strict=True)])
    kinds = {kind: pd.concat([scores[t] for t in tables]) for kind, tables in benchmark_script.KINDS.items()}
    means = {kind: benchmark_script.means(part).to_dict() for kind, part in kinds.items()}
    with capsys.disabled():
        print(f"\n{pd.DataFrame(means).to_string(float_format='{:.4g}'.format)}")
    for kind, rmsle, ll in (("vision", 0.0280, 3.330), ("language", 0.0194, 2.773)):
        assert means[kind]["rmsle"] < rmsle
        assert means[kind]["ll"] > ll
        assert means[kind]["cover90_low"] < 0.9 < means[kind]["cover90_high"]
