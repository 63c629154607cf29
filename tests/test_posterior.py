"""A posterior's constants, summary, groups and densities, from draws known exactly."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from arviz_base import rc_context
from scipy import stats

import bayescale as bs
from bayescale.errors import InputError
from bayescale.posterior import NEW
from bayescale.streams import stream


def make_runs(groups=("code", "art", "text"), each=8, seed=6):
    rng = np.random.default_rng(seed)
    n = len(groups) * each
    runs = {"N": 10 ** rng.uniform(6, 9, n), "D": 10 ** rng.uniform(8, 11, n), "L": rng.uniform(2, 4, n)}
    return pd.DataFrame(runs | {"field": np.repeat(list(groups), each)}).sample(frac=1, random_state=1)


RUNS = make_runs()
N_REF, D_REF = (float(stats.gmean(RUNS[s])) for s in ("N", "D"))


def rows(table) -> list[Any]:
    return list(table.itertuples())


@pytest.fixture
def one():
    return bs.sample_prior(bs.Model("chinchilla", RUNS), draws=40, seed=1)


@pytest.fixture
def grouped():
    return bs.sample_prior(bs.Model("chinchilla", RUNS, pool="field"), draws=40, seed=2)


def chinchilla(d, N, D):
    """The law from sampled draws: amplitudes at the reference."""
    return d["E"] + d["A_ref"] * (N / N_REF) ** -d["alpha"] + d["B_ref"] * (D / D_REF) ** -d["beta"]


# -- The paper's constants


def test_the_papers_constants_follow_draw_by_draw(one):
    d = one.dataset
    assert d["A"].to_numpy() == pytest.approx((d["A_ref"] * N_REF ** d["alpha"]).to_numpy(), rel=1e-10)
    assert d["B"].to_numpy() == pytest.approx((d["B_ref"] * D_REF ** d["beta"]).to_numpy(), rel=1e-10)


def test_the_papers_constants_follow_in_each_group(grouped):
    for group in ("art", "code", "text"):
        d = grouped.dataset.sel(field=group)
        assert d["A"].to_numpy() == pytest.approx((d["A_ref"] * N_REF ** d["alpha"]).to_numpy(), rel=1e-10)


def test_a_shared_amplitude_and_own_exponents_make_own_constants():
    model = bs.Model("chinchilla", RUNS, pool={"*": "field", "A_ref": "complete"})
    d = bs.sample_prior(model, draws=10).dataset
    assert d["A_ref"].dims == ("chain", "draw")
    assert d["A"].dims == ("chain", "draw", "field")
    by_hand = d["A_ref"] * N_REF ** d["alpha"]
    assert d["A"].to_numpy() == pytest.approx(by_hand.to_numpy(), rel=1e-10)


def test_kaplans_constants():
    d = bs.sample_prior(bs.Model("kaplan", RUNS), draws=40).dataset
    assert d["N_c"].to_numpy() == pytest.approx((N_REF * d["L_N"] ** (1 / d["alpha_N"])).to_numpy(), rel=1e-10)


def test_hoffmanns_constants_come_back(exact_posterior):
    d = exact_posterior.dataset
    assert d["A"].to_numpy() == pytest.approx(np.full((4, 50), 406.4), rel=1e-10)
    assert d["B"].to_numpy() == pytest.approx(np.full((4, 50), 410.7), rel=1e-10)


# -- The tree


def test_the_tree_is_arvizs(grouped):
    tree = grouped.draws
    assert set(tree.children) == {"posterior", "sample_stats", "observed_data", "constant_data"}
    assert tree["posterior"]["E"].dims == ("chain", "draw", "field")
    assert list(tree["posterior"]["field"].to_numpy()) == ["art", "code", "text"]
    assert tree["observed_data"]["L"].to_numpy() == pytest.approx(RUNS["L"].to_numpy())
    assert tree["constant_data"]["D"].to_numpy() == pytest.approx(RUNS["D"].to_numpy())
    assert tree["posterior"]["E"].attrs == {"long_name": "irreducible loss", "units": "nats/token"}


def test_a_user_can_summarise_with_arviz(one):
    import arviz_stats

    table: Any = arviz_stats.summary(one.draws, kind="stats", var_names=["E"], round_to="none")
    assert table["mean"].tolist() == pytest.approx([float(one.dataset["E"].mean())])


def test_a_saved_posterior_opens_in_plain_arviz_and_xarray(one, tmp_path):
    """Without bayescale: the file is an ArviZ DataTree that its summary and its plots take."""
    import arviz as az

    one.save(tmp_path / "post.nc")
    for tree in (az.from_netcdf(tmp_path / "post.nc"), xr.open_datatree(tmp_path / "post.nc")):
        table: Any = az.summary(tree, var_names=["alpha"], kind="stats", round_to="none")
        assert table["mean"].tolist() == pytest.approx([float(one.dataset["alpha"].mean())])
        az.plot_trace(tree, var_names=["alpha"])
        tree.close()


# -- Parameters of a group


def test_parameters_of_all_groups_or_one(grouped):
    every, code = grouped.params(), grouped.params("code")
    assert set(every) == set(code) == {"E", "A_ref", "B_ref", "alpha", "beta", "sigma", "nu"}
    assert every["E"].dims == ("chain", "draw", "field")
    assert every["nu"].dims == code["E"].dims == ("chain", "draw")
    xr.testing.assert_equal(code["E"], grouped.dataset["E"].sel(field="code", drop=True))
    xr.testing.assert_equal(code["nu"], grouped.dataset["nu"])


def test_a_new_group_is_the_mean_moved_by_the_spread(grouped):
    d = grouped.dataset
    new = grouped.params(NEW, seed=3)
    z = (np.log(new["E"]) - np.log(d["E_mean"])) / d["E_spread"]
    assert stats.kstest(z.to_numpy().ravel(), stats.norm.cdf).pvalue > 0.01
    xr.testing.assert_equal(new["nu"], d["nu"])
    again, other = grouped.params(NEW, seed=3), grouped.params(NEW, seed=4)
    xr.testing.assert_equal(new["E"], again["E"])
    assert not np.any(new["E"] == other["E"])


@pytest.mark.parametrize("seed", range(4))
def test_a_new_groups_draws_are_independent_of_each_other(seed):
    posterior = bs.sample_prior(bs.Model("chinchilla", RUNS, pool="field", discrepancy=True), draws=1000, seed=1)
    d, new = posterior.dataset, posterior.params(NEW, seed=seed)
    pooled = ("E", "A_ref", "B_ref", "alpha", "beta", "sigma")
    moved = [((np.log(new[s]) - np.log(d[f"{s}_mean"])) / d[f"{s}_spread"]).to_numpy().ravel() for s in pooled]
    drawn = [*moved, *new["weights"].to_numpy()[0].T, new["drift"].to_numpy().ravel()]
    between = np.corrcoef(drawn)[np.triu_indices(len(drawn), 1)]
    # 45 pairs are looked at: five standard errors.
    assert np.abs(between).max() < 5 / np.sqrt(1000)


def test_a_new_group_of_a_real_parameter_moves_on_its_own_scale():
    posterior = bs.sample_prior(bs.Model("power:D", RUNS, pool="field"), draws=500, seed=1)
    d = posterior.dataset
    z = (posterior.params(NEW)["alpha"] - d["alpha_mean"]) / d["alpha_spread"]
    assert stats.kstest(z.to_numpy().ravel(), stats.norm.cdf).pvalue > 0.01


def test_a_group_called_new_is_refused():
    """It would hide the unseen group behind a seen one."""
    runs = RUNS.assign(field=RUNS["field"].replace("art", "new"))
    with pytest.raises(InputError, match="'new'"):
        bs.Model("chinchilla", runs, pool="field")


def test_groups_that_cannot_be_asked(one, grouped):
    with pytest.raises(InputError, match=r"no group 'poetry' of field.*art, code, text"):
        grouped.params("poetry")
    with pytest.raises(InputError, match="without pool="):
        one.params("art")
    mixed = bs.sample_prior(bs.Model("chinchilla", RUNS, pool={"*": "field", "E": None}), draws=5)
    with pytest.raises(InputError, match=r"E is fitted for each group by itself.*pool='field'"):
        mixed.params(NEW)


# -- Expectation and density at runs


@pytest.mark.parametrize("name", ["chain", "draw", "run", "term", "size", "quantity", "sigma", "E", "E_mean", "a/b"])
def test_a_group_column_that_no_dim_can_be_called_is_refused_before_the_fit(name):
    with pytest.raises(InputError, match=name):
        bs.Model("chinchilla", RUNS.rename(columns={"field": name}), pool=name, discrepancy=True)


@pytest.mark.parametrize("name", ["runs", "größe", "N total"])
def test_a_group_column_may_be_called_almost_anything(name):
    runs = RUNS.rename(columns={"field": name})
    posterior = bs.sample_prior(bs.Model("chinchilla", runs, pool=name, discrepancy=True), draws=5)
    assert posterior.log_likelihood().sizes == {"chain": 1, "draw": 5, "run": 24}
    assert posterior.replicate().sizes == {"chain": 1, "draw": 5, "run": 24}
    answer = bs.forecast(posterior, N=1e9, D=1e10)
    assert answer["L"].sizes == {"chain": 1, "draw": 5, name: 3}


def test_expectation_is_the_law_of_each_runs_group(grouped):
    location, params, _ = grouped.at_runs()
    assert location.dims == ("chain", "draw", "run")
    for i, run in enumerate(rows(RUNS)):
        d = grouped.dataset.sel(field=run.field)
        expected = chinchilla(d, run.N, run.D)
        assert location.isel(run=i).to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-10)
        assert params["sigma"].isel(run=i).to_numpy() == pytest.approx(d["sigma"].to_numpy())


def test_expectation_at_other_runs(grouped):
    others = pd.DataFrame({"N": [1e10, 2e10], "D": [1e12, 3e11], "field": ["text", "art"], "L": [2.0, 2.1]})
    location, _, facts = grouped.at_runs(others)
    for i, run in enumerate(rows(others)):
        expected = chinchilla(grouped.dataset.sel(field=run.field), run.N, run.D)
        assert location.isel(run=i).to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-10)
    assert facts["size"].to_numpy() == pytest.approx((others["N"] * others["D"]).to_numpy() / (N_REF * D_REF))


def test_expectation_includes_the_departure(departing_posterior, grid_runs):
    location, _, _ = departing_posterior.at_runs()
    n, d = np.log(grid_runs["N"].to_numpy() / 1e8), np.log(grid_runs["D"].to_numpy() / 1e10)
    x, y = n / n.std(), d / d.std()
    terms = [x * x, x * y, y * y]
    departure = 0.05 * sum(w * (b - b.mean()) for w, b in zip((0.5, -1.0, 2.0), terms, strict=True))
    expected = grid_runs["L"].to_numpy() * np.exp(departure)
    assert location.to_numpy()[2, 7] == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("noise", ["normal", "student", "student+size"])
def test_density_is_that_of_the_response_as_measured(noise):
    posterior = bs.sample_prior(bs.Model("chinchilla", RUNS, pool="field", noise=noise), draws=6, seed=5)
    density = posterior.log_likelihood()
    assert dict(density.sizes) == {"chain": 1, "draw": 6, "run": 24}
    for i, run in enumerate(rows(RUNS)):
        for draw in range(6):
            d = posterior.dataset.sel(field=run.field).isel(chain=0, draw=draw)
            scale = float(d["sigma"])
            if noise == "student+size":
                scale *= (run.N * run.D / (N_REF * D_REF)) ** float(d["kappa"])
            z = (np.log(run.L) - np.log(float(chinchilla(d, run.N, run.D)))) / scale
            standard: Any = stats.norm() if noise == "normal" else stats.t(float(d["nu"]))
            # d(log response) = d(response) / response: the Jacobian of the response as measured.
            expected = standard.logpdf(z) - np.log(scale) - np.log(run.L)
            assert float(density[0, draw, i]) == pytest.approx(expected, rel=1e-9)


def test_density_at_other_runs(exact_posterior):
    others = pd.DataFrame({"N": [70e9], "D": [1.4e12], "L": [1.95]})
    expected: Any = stats.lognorm(s=0.01, scale=1.69 + 406.4 / 70e9**0.34 + 410.7 / 1.4e12**0.28)
    density = exact_posterior.log_likelihood(others).to_numpy()
    assert density == pytest.approx(np.full((4, 50, 1), expected.logpdf(1.95)), rel=1e-9)


# -- Summary


def test_a_line_for_each_scalar_the_papers_constants_first(grouped):
    labels = list(grouped.summary().index)
    assert labels[:6] == ["E[art]", "E[code]", "E[text]", "A[art]", "A[code]", "A[text]"]
    assert labels.index("beta[text]") < labels.index("A_ref[art]") < labels.index("sigma[art]") < labels.index("E_mean")
    assert {"nu", "E_mean", "E_spread", "sigma_spread"} <= set(labels)
    assert len(labels) == len(set(labels)) == 8 * 3 + 1 + 2 * 6


def test_one_law_has_plain_labels(one):
    assert list(one.summary().index) == ["E", "A", "B", "alpha", "beta", "A_ref", "B_ref", "sigma", "nu"]


def test_one_group_still_has_its_name():
    with pytest.warns(bs.BayescaleWarning, match="prior alone"):
        model = bs.Model("chinchilla", RUNS[RUNS["field"] == "art"], pool="field")
    posterior = bs.sample_prior(model, draws=20)
    assert "E[art]" in posterior.summary().index


def test_medians_and_intervals_are_those_of_the_draws(grouped):
    d = grouped.dataset["alpha"].sel(field="code").to_numpy().ravel()
    with rc_context({"stats.ci_kind": "eti", "stats.ci_prob": 0.8}):
        row = grouped.summary().loc["alpha[code]"]
    assert row["median"] == pytest.approx(np.quantile(d, 0.5))
    assert row["sd"] == pytest.approx(np.std(d))
    assert list(row.index) == ["median", "sd", "eti80_lb", "eti80_ub", "ess_bulk", "r_hat"]
    assert row["eti80_lb"] == pytest.approx(np.quantile(d, 0.1))
    assert row["eti80_ub"] == pytest.approx(np.quantile(d, 0.9))


def test_the_shortest_interval_where_arviz_is_set_so(grid_runs):
    priors = {"sigma": "Exponential(2.0)"}
    many = bs.sample_prior(bs.Model("chinchilla", grid_runs, noise="normal", priors=priors), draws=20_000)
    with rc_context({"stats.ci_kind": "hdi", "stats.ci_prob": 0.9}):
        row = many.summary().loc["sigma"]
    assert row["hdi90_lb"] == pytest.approx(0.0, abs=0.01)
    # The 90 % quantile of an exponential of rate 2; its standard error over 20,000 draws is 0.011.
    assert row["hdi90_ub"] == pytest.approx(-np.log(0.1) / 2, abs=0.05)


def test_what_is_printed_says_law_runs_noise_seed_and_convergence(grouped):
    text = str(grouped)
    assert text == repr(grouped)
    for words in ("chinchilla", "24 runs, 3 groups of field", "noise student", "seed 2", "converged", "alpha[text]"):
        assert words in text


def test_arviz_finds_all_it_asks_for(grouped_posterior):
    """ArviZ's own functions run on the tree, and its groups are what the posterior says."""
    tree = grouped_posterior.to_arviz(seed=3)
    assert {"posterior", "sample_stats", "observed_data", "log_likelihood", "posterior_predictive"} <= set(
        tree.children
    )
    np.testing.assert_array_equal(tree["log_likelihood"]["L"], grouped_posterior.log_likelihood())
    np.testing.assert_array_equal(tree["posterior_predictive"]["L"], grouped_posterior.replicate(3))
    np.testing.assert_array_equal(tree["observed_data"]["L"], grouped_posterior.model.response)
    assert "log_likelihood" not in grouped_posterior.draws.children


@pytest.mark.parametrize("purposes", [("prior", "new group"), ("forecast", "drift"), ("replicate", "prior")])
def test_one_seed_never_serves_two_purposes(purposes):
    a, b = (stream(purpose, 1).standard_normal(4000) for purpose in purposes)
    assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(4000)
    np.testing.assert_array_equal(a, stream(purposes[0], 1).standard_normal(4000))


def test_a_law_that_has_changed_since_is_refused(tmp_path):
    runs = bs.load_runs("tiny_sweep")
    music = runs[runs["modality"] == "music"].drop(columns="modality")
    own = replace(
        bs.LAWS["chinchilla"], formula=lambda N, D, E, A, B, alpha, beta: E + (A / N**alpha + B / D**beta) ** 2
    )
    bs.sample_prior(bs.Model(own, music), 20).save(tmp_path / "own.nc")
    with pytest.raises(bs.InputError, match="was fitted with"):
        bs.open_posterior(tmp_path / "own.nc")
    assert bs.open_posterior(tmp_path / "own.nc", law=own).model.law is own


def test_a_saved_law_is_known_again_without_printing_its_formula(scattered_posterior, tmp_path, monkeypatch):
    scattered_posterior.save(tmp_path / "post.nc")
    monkeypatch.setattr(bs.Law, "text", lambda self: pytest.fail("a formula was printed, which takes a second"))
    assert bs.open_posterior(tmp_path / "post.nc").model.law is bs.LAWS["chinchilla"]


def test_on_a_page_numbers_are_those_of_the_summary(scattered_posterior):
    posterior = scattered_posterior
    page = posterior._repr_html_()
    assert page.startswith("<math")
    assert f"{posterior.summary()['median'].iloc[0]:.4g}" in page
    assert posterior.model._repr_html_().count("<pre>") == 1


def test_names_from_a_table_cannot_write_on_a_page():
    runs = bs.load_runs("tiny_sweep").replace({"modality": {"text": "<img src=x onerror=alert(1)>"}})
    posterior = bs.sample_prior(bs.Model("chinchilla", runs, pool="modality"), 50)
    for page in (posterior._repr_html_(), posterior.model._repr_html_()):
        assert "<img" not in page
    assert "&lt;img" in posterior._repr_html_()
