"""New runs: added to a fit, judged by what it foretold, refused where they cannot be; and fits made again."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayescale as bs
from bayescale.answers import updating
from bayescale.answers.updating import compare_draws, update_sentences, update_table
from bayescale.cli import main
from bayescale.errors import BayescaleWarning, InputError
from bayescale.posterior import open_posterior

SIGMA = 0.01


@pytest.fixture
def no_sampler(monkeypatch):
    """Fits are draws from the prior; what was fitted is kept."""
    fitted = []

    def fit(model, **settings):
        fitted.append((model, settings))
        return bs.sample_prior(model, 60)

    monkeypatch.setattr(updating, "fit", fit)
    return fitted


def more_runs(off=(0.5, -1.0, 2.0)):
    """Runs on Hoffmann's law, so many noise scales above it."""
    N, D = np.array([2e9, 3e9, 2e7]), np.array([3e11, 1e11, 2e9])
    law = 1.69 + 406.4 / N**0.34 + 410.7 / D**0.28
    return pd.DataFrame({"N": N, "D": D, "L": law * np.exp(SIGMA * np.array(off))})


# -- The fit


def test_all_runs_are_fitted_with_the_old_prior_and_reference(exact_posterior, no_sampler):
    new = more_runs()
    updated = bs.update(exact_posterior, new, seed=3)
    ((model, settings),) = no_sampler
    old = exact_posterior.model
    assert settings["seed"] == 3
    assert len(model.runs) == len(old.runs) + 3
    assert model.response[-3:] == pytest.approx(new["L"].to_numpy())
    # New runs this large would move the centre and the size of the response; the prior would then have seen them.
    assert dict(model.reference) == dict(old.reference) != dict(old.refit_on(model.runs).reference)
    assert (model.response_scale, dict(model.priors)) == (old.response_scale, dict(old.priors))
    assert updated.posterior.model is model


def test_one_new_run_in_a_file_is_enough(tmp_path, exact_posterior, no_sampler, capsys, monkeypatch):
    exact_posterior.save(tmp_path / "post.nc")
    more_runs().head(1).to_csv(tmp_path / "new.csv", index=False)
    files = [str(tmp_path / name) for name in ("post.nc", "new.csv", "post2.nc")]
    monkeypatch.setattr("sys.argv", ["bayescale", "update", *files[:2], "-o", files[2]])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    ((model, _),) = no_sampler
    assert len(model.runs) == len(exact_posterior.model.runs) + 1
    assert model.response[-1] == pytest.approx(more_runs()["L"][0])
    assert "1 run added to 25" in capsys.readouterr().out
    assert open_posterior(tmp_path / "post2.nc").model.response[-1] == model.response[-1]


def test_settings_of_the_fit_are_those_of_the_update(exact_posterior, no_sampler):
    kept = {"draws": 300, "tune": 400, "chains": 3, "target_accept": 0.95}
    posterior = type(exact_posterior)(
        exact_posterior.model, exact_posterior.draws, exact_posterior.diagnostics, {"seed": 7, "settings": kept}
    )
    bs.update(posterior, more_runs(), seed=1)
    assert no_sampler[0][1] == {"seed": 1, "progress": None, **kept}


def test_a_real_update_and_a_real_refit(grid_runs, tmp_path):
    """An update is the fit of all runs at once; a file fitted again gives the same draws."""
    model = bs.Model("chinchilla", grid_runs.drop(index=[7, 24]).reset_index(drop=True), noise="normal")
    truth = {"E": 1.69, "A_ref": 0.776, "B_ref": 0.652, "alpha": 0.34, "beta": 0.28, "sigma": SIGMA}
    posterior = bs.fit(model.with_runs(bs.simulate(model, truth, 2)), seed=1, draws=500, tune=500)
    posterior.save(tmp_path / "post.nc")
    again = bs.refit(open_posterior(tmp_path / "post.nc"))
    assert again.identical
    assert str(again) == "The same draws, bit for bit."
    updated = bs.update(posterior, more_runs(), seed=5)
    runs = updated.posterior.model.runs
    at_once = bs.fit(posterior.model.with_runs(runs), seed=5, draws=500, tune=500)
    assert at_once.dataset.equals(updated.posterior.dataset)
    change = updated.changes["chinchilla"].parameters.sel(parameter="alpha")
    before, after = (np.log(p.dataset["alpha"].to_numpy()) for p in (posterior, updated.posterior))
    assert float(change["ratio"]) == pytest.approx(after.std() / before.std())
    seeded = {**posterior.info, "seed": 2}
    other = bs.refit(type(posterior)(posterior.model, posterior.draws, posterior.diagnostics, seeded))
    assert not other.identical
    assert other.agrees
    assert "within Monte Carlo error" in str(other)


def test_a_refit_names_the_versions_that_changed(exact_posterior, monkeypatch):
    kept = {"seed": 1, "settings": {}, "versions": {"pymc": "6.3.0", "nutpie": "0.16.11"}}
    before = type(exact_posterior)(exact_posterior.model, exact_posterior.draws, exact_posterior.diagnostics, kept)
    after = bs.sample_prior(exact_posterior.model, 2000)
    after = type(after)(
        after.model, after.draws, after.diagnostics, {"versions": {**kept["versions"], "pymc": "6.4.0"}}
    )
    monkeypatch.setattr(updating, "fit", lambda model, **_: after)
    assert "Other draws (pymc 6.3.0 then, 6.4.0 now)" in str(bs.refit(before))


def test_another_posterior_is_no_refit(certain, exact_posterior, monkeypatch):
    moved = certain(
        exact_posterior.model, {"E": 1.8, "A_ref": 0.7, "B_ref": 0.7, "alpha": 0.3, "beta": 0.3, "sigma": 0.02}
    )
    wide = bs.sample_prior(exact_posterior.model, 2000)
    posterior = type(wide)(wide.model, wide.draws, wide.diagnostics, {"seed": 1, "settings": {}})
    monkeypatch.setattr(updating, "fit", lambda model, **_: moved)
    result = bs.refit(posterior)
    assert not result.agrees
    assert "MORE than Monte Carlo error" in str(result)


def test_draws_of_the_prior_cannot_be_fitted_again(exact_posterior):
    with pytest.raises(InputError, match="not made by fit"):
        bs.refit(bs.sample_prior(exact_posterior.model, 50))


# -- What changed


def test_changes_are_on_the_scale_on_which_a_parameter_is_free(certain, exact_posterior):
    model = exact_posterior.model
    rng = np.random.default_rng(0)
    z = rng.standard_normal((4, 1000))

    def make(shift, width):
        values = {p.symbol: np.exp(shift + width * z) for p in model.params}
        return type(exact_posterior).from_draws(
            model, values, {"diverging": np.zeros((4, 1000))}, exact_posterior.diagnostics, {}
        )

    found = compare_draws(make(0.0, 0.2), make(0.1, 0.05))
    middle = np.median(z)
    assert found["ratio"].to_numpy() == pytest.approx(np.full(6, 0.25))
    assert found["before"].to_numpy() == pytest.approx(np.full(6, np.exp(0.2 * middle)))
    assert found["shift"].to_numpy() == pytest.approx((0.1 - 0.15 * middle) / (0.2 * z.std()))


def test_what_moved_is_said(exact_posterior, monkeypatch):
    wide = bs.sample_prior(exact_posterior.model, 500)
    monkeypatch.setattr(updating, "fit", lambda model, **_: _like(exact_posterior, model))
    updated = bs.update(wide, more_runs(), seed=1)
    text = "\n".join(update_sentences(updated))
    assert text.startswith("3 runs added to 25; law, priors, noise and reference point are kept.")
    assert "Narrower now, as a share of the width before: " in text
    table = update_table(updated).set_index("parameter")
    assert list(table.columns) == ["before", "after", "shift", "sd_ratio"]
    assert table.loc["alpha", "after"] == pytest.approx(0.34)
    assert table.loc["alpha", "sd_ratio"] == pytest.approx(0, abs=1e-9)


def _like(posterior, model):
    return type(posterior)(model, posterior.draws, posterior.diagnostics, posterior.info)


# -- Whether they were expected


def test_surprise_of_a_known_law_is_that_of_normal_noise(exact_posterior, no_sampler):
    off = np.array([0.5, -1.0, 2.0])
    new = more_runs(off)
    surprise = bs.update(exact_posterior, new, seed=1).changes["chinchilla"].surprise
    assert surprise["pit"].to_numpy() == pytest.approx(stats.norm.cdf(off), rel=1e-9)
    expected = stats.norm.logpdf(off) - np.log(SIGMA) - np.log(new["L"].to_numpy())
    assert surprise["log_density"].to_numpy() == pytest.approx(expected, rel=1e-9)
    # Of independent normal runs, the summed log density orders tables as their sum of squares does. The density of the
    # response as measured also has the factor 1 / L, whose noise of 1 % hardly matters beside. 200 distinct draws: the
    # Monte Carlo error is at most .035.
    assert float(surprise["p"]) == pytest.approx(stats.chi2.sf(np.sum(off**2), 3), abs=0.11)


@pytest.mark.parametrize(("off", "word"), [((0.5, -1.0, 1.0), "were expected"), ((40.0, 40.0, 40.0), "SURPRISE")])
def test_surprise_is_said(exact_posterior, no_sampler, off, word):
    updated = bs.update(exact_posterior, more_runs(off), seed=1)
    (line,) = [line for line in update_sentences(updated) if "expected" in line]
    assert word in line
    if word == "SURPRISE":
        assert "0 of 3 inside the 90 % interval" in line
        assert "most lie above; p below 0.0025" in line
        assert "unit" in line


def test_uncertain_law_expects_more(certain, exact_posterior, no_sampler):
    """Ten noise scales off surprise a known law, not one whose level is uncertain by as much."""
    rng = np.random.default_rng(3)
    level = np.exp(0.15 * rng.standard_normal((4, 250)))
    model = exact_posterior.model
    values = {p.symbol: float(exact_posterior.dataset[p.symbol].mean()) * np.ones((4, 250)) for p in model.params}
    values |= {s: values[s] * level for s in ("E", "A_ref", "B_ref")}
    stat = {"diverging": np.zeros((4, 250))}
    unsure = type(exact_posterior).from_draws(model, values, stat, exact_posterior.diagnostics, {})
    new = more_runs((10.0, 10.0, 10.0))
    sure = bs.update(exact_posterior, new, seed=1).changes["chinchilla"].surprise
    found = bs.update(unsure, new, seed=1).changes["chinchilla"].surprise
    assert float(sure["p"]) == 0
    assert float(found["p"]) > 0.1
    assert found["pit"].to_numpy() == pytest.approx(np.full(3, stats.norm.cdf(0.1 / 0.15)), abs=0.05)


# -- Groups


def grouped_runs(group, scale=1.0):
    N, D = np.array([2e5, 4e5]), np.array([1e7, 2e7])
    return pd.DataFrame({"N": N, "D": D, "L": scale * np.array([2.2, 2.0]), "modality": group, "unit": "nats/token"})


def test_runs_of_a_known_group_and_of_a_new_one(grouped_posterior, no_sampler):
    both = pd.concat([grouped_runs("text"), grouped_runs("video")], ignore_index=True)
    if "unit" not in grouped_posterior.model.runs:
        both = both.drop(columns="unit")
    with pytest.warns(BayescaleWarning, match=r"New modality: video\."):
        updated = bs.update(grouped_posterior, both, seed=1)
    model = no_sampler[0][0]
    assert "video" in model.groups
    assert len(model.runs) == 224
    change = updated.changes["chinchilla"]
    assert np.isfinite(change.surprise["pit"]).all()
    table = update_table(updated).set_index("parameter")
    assert np.isnan(table.loc["alpha[video]", "before"])
    assert table.loc["alpha[text]", "before"] == pytest.approx(0.40)
    again = bs.sample_prior(model, 20)  # the model is whole
    assert again.params("video")["alpha"].sizes == {"chain": 1, "draw": 20}


def test_a_new_group_of_an_unpooled_fit_cannot_be_judged(no_sampler):
    posterior = bs.sample_prior(bs.Model("chinchilla", bs.load_runs("tiny_sweep"), pool="modality:none"), 50)
    new = grouped_runs("video").drop(columns="unit")
    with pytest.warns(BayescaleWarning, match="New modality: video"):
        updated = bs.update(posterior, new, seed=1)
    assert np.isnan(float(updated.changes["chinchilla"].surprise["p"]))
    assert "cannot be said" in "\n".join(update_sentences(updated))


# -- Stacks


def test_members_of_a_stack_are_fitted_again_and_weights_kept(grid_runs, no_sampler):
    members = {law: bs.sample_prior(bs.Model(law, grid_runs), 100) for law in ("kaplan", "chinchilla")}
    stack = bs.stack(members, by="waic")
    updated = bs.update(stack, more_runs(), seed=1)
    assert [model.law.name for model, _ in no_sampler] == ["kaplan", "chinchilla"]
    assert updated.posterior.weights == stack.weights
    text = "\n".join(update_sentences(updated))
    assert "Log density of the new runs, before they were seen: " in text
    assert "The weights are those learnt before 3 runs came in." in text
    assert set(update_table(updated)["law"]) == {"kaplan", "chinchilla"}
    assert bs.forecast(updated.posterior, N=1e9, D=1e10)["L"].min() > 0


# -- What is refused, or told


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda old, new: old.iloc[[3, 5]], r"2 new runs \(rows 1, 2;.*copies of a run that is fitted already"),
        (lambda old, new: pd.concat([new, new.iloc[[0]]]), r"1 new run \(row 4;.*is a copy"),
        (lambda old, new: new.drop(columns="D"), "no column 'D'"),
        (lambda old, new: new.assign(L=-1.0), "must be positive"),
        (lambda old, new: new.iloc[:0], "one row for each"),
        (lambda old, new: new.to_numpy(), "new_runs must be a DataFrame"),
    ],
)
def test_runs_that_cannot_be_added(exact_posterior, no_sampler, change, words):
    with pytest.raises(InputError, match=words):
        bs.update(exact_posterior, change(exact_posterior.model.runs, more_runs()), seed=1)
    assert not no_sampler


def test_other_columns_are_told(exact_posterior, no_sampler):
    with pytest.warns(BayescaleWarning, match="left out: 'note'"):
        updated = bs.update(exact_posterior, more_runs().assign(note="x"), seed=1)
    assert "note" not in updated.posterior.model.runs
    with pytest.warns(BayescaleWarning, match="'L_se' of the new runs is not used"):
        bs.update(exact_posterior, more_runs().assign(L_se=0.1), seed=1)


def test_errors_are_asked_for_where_the_fit_has_them(certain, grid_runs, no_sampler):
    model = bs.Model("chinchilla", grid_runs.assign(L_se=0.01), noise="normal")
    posterior = bs.sample_prior(model, 50)
    with pytest.raises(InputError, match="'L_se', these runs have none"):
        bs.update(posterior, more_runs(), seed=1)
    bs.update(posterior, more_runs().assign(L_se=0.02), seed=1)
    assert no_sampler[0][0].errors()[-3:] == pytest.approx(0.02 / more_runs()["L"].to_numpy())


def test_other_units_are_refused(grid_runs, no_sampler):
    posterior = bs.sample_prior(bs.Model("chinchilla", grid_runs.assign(unit="nats/token")), 50)
    with pytest.raises(InputError, match=r"L is in nats/token in the fitted runs, in bits/byte in the new ones"):
        bs.update(posterior, more_runs().assign(unit="bits/byte"), seed=1)


# -- The command line


def test_command_lines(exact_posterior, no_sampler, tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from bayescale.cli import app

    monkeypatch.chdir(tmp_path)
    exact_posterior.save("post.nc")
    more_runs().to_csv("new.csv", index=False)
    result = CliRunner().invoke(app, ["update", "post.nc", "new.csv", "-o", "post2.nc", "--seed", "1"])
    assert result.exit_code == 0, result.output
    assert "3 runs added to 25" in result.output
    assert len(open_posterior("post2.nc").model.runs) == 28
    result = CliRunner().invoke(app, ["update", "post.nc", "new.csv", "--seed", "1", "--json"])
    answer = json.loads(result.output)
    assert {row["parameter"] for row in answer["parameters"]} == {"E", "A_ref", "B_ref", "alpha", "beta", "sigma"}
    assert len(answer["surprise"]["chinchilla"]["pit"]) == 3
    result = CliRunner().invoke(app, ["update", "post.nc", "new.csv", "-o", "post.nc"])
    assert isinstance(result.exception, InputError)

    settings = {"draws": 50, "tune": 50, "chains": 2, "target_accept": None}
    prior = bs.sample_prior(exact_posterior.model, 60)
    type(prior)(prior.model, prior.draws, prior.diagnostics, {"seed": 0, "settings": settings}).save("prior.nc")
    result = CliRunner().invoke(app, ["refit", "prior.nc"])
    assert (result.exit_code, result.output) == (0, "The same draws, bit for bit.\n")
    assert json.loads(CliRunner().invoke(app, ["refit", "prior.nc", "--json"]).output)["identical"]
    monkeypatch.setattr(updating, "fit", lambda model, **_: _like(exact_posterior, model))
    assert CliRunner().invoke(app, ["refit", "prior.nc"]).exit_code == 1
