"""Figures of rows: differences between groups, multipliers, and what new runs changed; and figures by command."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

import bayescale as bs
from bayescale.answers.updating import Change, Update, compare_draws
from bayescale.cli import app
from bayescale.errors import BayescaleWarning, InputError


@pytest.fixture(autouse=True)
def no_figure_stays_open():
    yield
    plt.close("all")


def rows_of(ax):
    """Central bars by row, as their ends: (y, thin, thick); and the dots."""
    bars, dots = {}, {}
    for line in ax.lines:
        x, y = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
        if line.get_linestyle() == "None":
            dots[round(float(y[0]), 2)] = float(x[0])
        elif len(x) == 2 and y[0] == y[1]:
            bars.setdefault(round(float(y[0]), 2), {})[line.get_linewidth()] = tuple(x)
    return bars, dots


def texts_of(ax):
    return [text.get_text() for text in ax.texts]


def difference(values, group=None):
    """An answer of `contrast` with given draws: of one second group, or along groups."""
    dims = ("chain", "draw", "field") if group else ("chain", "draw")
    coords = {"field": list(group)} if group else {}
    draws = xr.DataArray(values, coords, dims, attrs={"units": "1"})
    attrs = {"converged": 1, "parameter": "alpha", "first": "code", "second": "" if group else "text", "group": "field"}
    return xr.Dataset({"difference": draws}, attrs=attrs)


def test_a_row_for_each_group_with_its_quantiles_and_probability():
    # 1 to 400 less 100.5: three quarters are positive.
    one = np.arange(1.0, 401.0) - 100.5
    ax = bs.plot_contrast(difference(np.stack([one, -one], axis=-1).reshape(4, 100, 2), ("text", "music")))
    bars, dots = rows_of(ax)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["text", "music"]
    assert dots == {0.0: pytest.approx(100.0), 1.0: pytest.approx(-100.0)}
    # Quantiles of 400 equally spaced points: 1 + 399 q, less 100.5.
    assert bars[0.0][1.0] == pytest.approx((1 + 399 * 0.05 - 100.5, 1 + 399 * 0.95 - 100.5))
    assert bars[0.0][3.0] == pytest.approx((1 + 399 * 0.25 - 100.5, 1 + 399 * 0.75 - 100.5))
    assert texts_of(ax) == ["P = 0.75", "P = 0.25"]


def test_one_pair_is_one_row_and_doubt_is_drawn():
    answer = difference(np.full((4, 50), 0.1))
    assert texts_of(bs.plot_contrast(answer)) == ["P = 1.00"]
    answer.attrs["converged"] = 0
    assert "not converged" in texts_of(bs.plot_contrast(answer))


def factor(values):
    dims = ("chain", "draw", "C")
    k = xr.DataArray(values, {"C": [1e20, 1e21]}, dims, attrs={"units": "1"})
    attrs = {"converged": 1, "along": "C", "first": "code", "second": "text", "group": "", "reducible": 0.5}
    return xr.Dataset({"multiplier": k, "beyond": k.isel(chain=0, draw=0) * 0 + 1}, attrs=attrs | {"output": "loss"})


def test_multipliers_stand_on_a_log_axis_and_never_is_said():
    values = np.full((4, 50, 2), 2.0)
    values[:1, :, 1] = np.inf  # a quarter
    ax = bs.plot_multiplier(factor(values))
    bars, dots = rows_of(ax)
    assert ax.get_xscale() == "log"
    assert dots == {0.0: 2.0, 1.0: 2.0}
    assert bars[1.0][1.0] == (2.0, 1e6)  # the bar ends at the edge that is said
    assert texts_of(ax) == ["more 1.00", "more 1.00, never 0.25"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["text, C = 1e+20", "text, C = 1e+21"]


def test_a_multiplier_that_nobody_reaches_is_refused():
    with pytest.raises(InputError, match="Neither recipe"):
        bs.plot_multiplier(factor(np.full((4, 50, 2), np.nan)))


def test_before_and_after_in_the_old_spread(scattered_posterior):
    before = scattered_posterior
    draws = {name: before.dataset[name].to_numpy() for name in ("E", "A_ref", "B_ref", "alpha", "beta", "sigma")}
    moved = draws | {"E": draws["E"] * np.exp(0.1)}  # two of its standard deviations, .05 in log
    stats = {"diverging": np.zeros((4, 250))}
    after = type(before).from_draws(before.model, moved, stats, before.diagnostics, {"seed": 1})
    change = Change(before, after, compare_draws(before, after), xr.Dataset())
    ax = bs.plot_update(Update(after, {"chinchilla": change}))
    _, dots = rows_of(ax)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    row = labels.index("E")
    spread = np.std(np.log(draws["E"]))
    assert dots[row - 0.16] == pytest.approx(0.0, abs=1e-12)
    assert dots[row + 0.16] == pytest.approx(0.1 / spread)
    assert dots[labels.index("alpha") + 0.16] == pytest.approx(0.0, abs=1e-12)
    median = float(np.median(draws["E"]))
    assert texts_of(ax)[row] == f"{median:.3g} to {median * np.exp(0.1):.3g}"
    with pytest.raises(InputError, match="'kaplan' was not updated"):
        bs.plot_update(Update(after, {"chinchilla": change}), "kaplan")


@pytest.fixture
def folder(tmp_path, monkeypatch, grouped_posterior, scattered_posterior):
    monkeypatch.chdir(tmp_path)
    grouped_posterior.save("grouped.nc")
    scattered_posterior.save("post.nc")
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        ("forecast", "post.nc", "--N", "1e9", "--D", "1e11"),
        ("allocate", "post.nc", "--C", "1e20,1e21,1e22"),
        ("threshold", "post.nc", "--L", "2.2"),
        ("contrast", "grouped.nc", "alpha", "code"),
        ("multiplier", "grouped.nc", "code", "text", "--reducible", "0.5"),
        ("check", "post.nc"),
    ],
    ids=lambda words: words[0],
)
def test_answers_are_drawn_by_command(folder, words):
    result = CliRunner().invoke(app, [*words, "--figure", "answer.svg"])
    assert result.exit_code == 0, result.output
    assert (folder / "answer.svg").read_text().startswith("<?xml")
    assert result.output == CliRunner().invoke(app, words).output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("threshold", "post.nc", "--L", "2.2", "--figure", "answer.doc"), "Cannot tell the format"),
        (("threshold", "post.nc", "--L", "2.2", "--figure", "nowhere/answer.png"), "there is no folder"),
        (("allocate", "post.nc", "--N", "1e9", "--D", "1e10", "--figure", "a.png"), "not one run"),
        (("allocate", "post.nc", "--C", "1e21", "--figure", "a.png"), "at least 3 budgets"),
        (("check", "tiny_sweep", "--pool", "modality", "--figure", "a.png"), "draws the check of a fit"),
    ],
)
def test_figures_that_cannot_be_drawn_are_refused(folder, words, message):
    result = CliRunner().invoke(app, words)
    assert isinstance(result.exception, InputError)
    assert message in str(result.exception)
    assert not list(folder.glob("*.png"))


def test_seeds_are_averaged_by_command():
    runs = bs.load_runs("tiny_sweep")
    cells = runs.groupby(["modality", "N", "D"]).ngroups
    with pytest.warns(BayescaleWarning, match=f"220 rows became {cells}"):
        result = CliRunner().invoke(app, ["check", "tiny_sweep", "--pool", "modality", "--average-seeds", "seed"])
    assert result.exit_code == 0
    assert f"runs         {cells} in 6 groups" in result.output
    assert "standard error of each run" in result.output
