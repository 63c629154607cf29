"""Runs that share an offset: the joint density, what follows from it, and what a user may ask for."""

import warnings

import numpy as np
import pandas as pd
import pytensor
import pytest
import xarray as xr
from scipy import stats

import bayescale as bs
from bayescale import clusters
from bayescale.answers.comparison import loo
from bayescale.errors import BayescaleWarning, InputError
from bayescale.graph import to_pymc
from bayescale.law import COMPUTE, LOSS, Law, Param
from bayescale.layout import unpack
from bayescale.model import Model
from bayescale.posterior import Posterior
from bayescale.prior import POSITIVE, Prior

TRUTH = {"E": 1.69, "A_ref": 0.78, "B_ref": 0.65, "alpha": 0.34, "beta": 0.28, "sigma": 0.01, "omega": 0.02}
EXTRA = {
    "normal": {},
    "student": {"nu": 4.0},
    "normal+size": {"kappa": -0.2},
    "student+size": {"nu": 4.0, "kappa": 0.1},
}
STATS = {"diverging": np.zeros((4, 50), dtype=bool), "energy": np.zeros((4, 50))}
SEVEN = ["a", "b", "c", "d", "e", "f", "g"]


@pytest.fixture(scope="module")
def curves(grid_runs):
    """25 runs in seven clusters of 1 to 8, not in order; one standard error larger than the others."""
    run = np.random.default_rng(2).permutation(np.repeat(SEVEN, [1, 2, 2, 3, 4, 5, 8]))
    noisy = grid_runs["L"] * np.exp(0.03 * np.random.default_rng(3).standard_normal(25))
    return grid_runs.assign(L=noisy, run=run, L_se=noisy * np.linspace(0.0, 0.02, 25))


def covariance(model, posterior):
    """Of all runs together, by hand: own variance on the diagonal, omega**2 within a cluster."""
    law = posterior.at_runs()[0].to_numpy()[0, 0]
    value = {name: float(v[0, 0]) for name, v in posterior.params().items()}
    size = (model.runs["N"] * model.runs["D"] / 1e18).to_numpy()
    own = value["sigma"] * size ** value.get("kappa", 0.0)
    share = np.linspace(0.0, 0.02, 25)
    same = model.runs["run"].to_numpy()[:, None] == model.runs["run"].to_numpy()[None]
    return np.log(model.response / law), np.diag(own**2 + share**2) + value["omega"] ** 2 * same


def joint(noise, residual, scatter):
    if noise.startswith("normal"):
        return stats.multivariate_normal(np.zeros(len(residual)), scatter).logpdf(residual)
    return stats.multivariate_t(np.zeros(len(residual)), scatter, df=4).logpdf(residual)


@pytest.mark.parametrize("noise", EXTRA)
def test_the_density_of_a_cluster_is_the_multivariate_one(certain, curves, noise):
    model = bs.Model("chinchilla", curves, noise=noise, cluster="run")
    posterior = certain(model, {**TRUTH, **EXTRA[noise]}, (1, 2))
    residual, scatter = covariance(model, posterior)
    density = posterior.log_likelihood().to_numpy()[0, 0]
    for label in SEVEN:
        rows = np.flatnonzero(model.runs["run"] == label)
        expected = joint(noise, residual[rows], scatter[np.ix_(rows, rows)]) - np.log(model.response[rows]).sum()
        assert density[rows].sum() == pytest.approx(expected, rel=1e-9), label


@pytest.mark.parametrize("noise", EXTRA)
def test_given_the_others_is_the_ratio_of_joint_densities(certain, curves, noise):
    model = bs.Model("chinchilla", curves, noise=noise, cluster="run")
    posterior = certain(model, {**TRUTH, **EXTRA[noise]}, (1, 1))
    residual, scatter = covariance(model, posterior)
    scattered, *at = posterior.given_cluster(clusters.OTHERS)
    density = scattered.log_density(xr.DataArray(model.response, dims="run"), *at)
    found = density.transpose("chain", "draw", "run").to_numpy()[0, 0]
    for i in range(25):
        rows = np.flatnonzero(model.runs["run"] == model.runs["run"][i])
        rest = rows[rows != i]
        without = joint(noise, residual[rest], scatter[np.ix_(rest, rest)]) if rest.size else 0.0
        expected = joint(noise, residual[rows], scatter[np.ix_(rows, rows)]) - without - np.log(model.response[i])
        assert found[i] == pytest.approx(expected, rel=1e-8), i


@pytest.mark.parametrize(("noise", "pool"), [("normal", None), ("student", None), ("student+size", "field")])
def test_the_graph_agrees_with_numpy(certain, curves, noise, pool):
    runs = curves.assign(field=np.where(np.arange(25) % 2, "x", "y")) if pool else curves
    model = bs.Model("chinchilla", runs, noise=noise, cluster="run", pool=pool)
    graph = to_pymc(model)
    point = graph.initial_point()
    point = {name: value + 0.1 * np.arange(np.size(value)).reshape(np.shape(value)) for name, value in point.items()}
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        logp = float(graph.compile_logp(vars=[graph["measured_observed"]], sum=True)(point))
    flat = np.concatenate([np.ravel(point[v.name]) for v in graph.value_vars])
    values = {name: value[0, 0] for name, value in unpack(model, flat[None, None]).items()}
    density = certain(model, values, (1, 1)).log_likelihood().to_numpy() + np.log(model.response)
    assert logp == pytest.approx(density.sum(), rel=1e-9)


def test_clusters_are_of_one_group(curves):
    runs = curves.assign(field=np.where(np.arange(25) < 12, "x", "y"))
    model = bs.Model("chinchilla", runs, pool="field", cluster="run")
    assert model.cluster_index().max() + 1 == len(runs[["field", "run"]].drop_duplicates())
    assert bs.Model("chinchilla", runs, cluster="run").cluster_index().max() + 1 == 7


def test_what_clusters_leave_of_slopes_is_their_information(certain, curves):
    model = bs.Model("chinchilla", curves, noise="normal", cluster="run")
    posterior = certain(model, TRUTH, (1, 1))
    _, scatter = covariance(model, posterior)
    slopes = np.stack([np.ones(25), np.log(model.runs["N"] / 1e8)])
    own = np.hypot(0.01, np.linspace(0.0, 0.02, 25))
    left, width = clusters.apart(slopes, np.tile(own, (2, 1)), np.full((2, 25), 0.02), model.cluster_index())
    assert (left / width) @ (left / width).T == pytest.approx(slopes @ np.linalg.inv(scatter) @ slopes.T, rel=1e-9)


@pytest.mark.parametrize("noise", ["normal", "student"])
def test_replicated_runs_go_together_within_clusters_alone(certain, curves, noise):
    model = bs.Model("chinchilla", curves.drop(columns="L_se"), noise=noise, cluster="run")
    posterior = certain(model, {**TRUTH, **({"nu": 8.0} if noise == "student" else {})}, (4, 5000))
    deviation = np.log(posterior.replicate(1) / posterior.at_runs()[0]).to_numpy().reshape(-1, 25)
    found = np.cov(deviation.T)
    same = model.runs["run"].to_numpy()[:, None] == model.runs["run"].to_numpy()[None]
    inflation = 8 / 6 if noise == "student" else 1.0  # variance of a t over its squared scale
    expected = inflation * (0.0001 * np.eye(25) + 0.0004 * same)
    # 20,000 draws: a covariance errs by about 5e-4 * sqrt(2 / 20,000) = 5e-6, more with heavy tails.
    assert found == pytest.approx(expected, abs=4e-5)


def test_the_graph_generates_what_numpy_does(curves):
    import pymc as pm

    runs = curves.drop(columns="L_se")
    fixed = {name: f"LogNormal({np.log(value)}, 1e-6)" for name, value in TRUTH.items()}
    graph = to_pymc(bs.Model("chinchilla", runs, noise="normal", cluster="run", priors=fixed))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Numba will use object mode", category=UserWarning)
        with graph:
            drawn = pm.sample_prior_predictive(4000, random_seed=1, compile_kwargs={"mode": "FAST_COMPILE"})
    found = np.cov(drawn.prior_predictive["measured_observed"].to_numpy()[0].T)
    same = runs["run"].to_numpy()[:, None] == runs["run"].to_numpy()[None]
    assert found == pytest.approx(0.0001 * np.eye(25) + 0.0004 * same, abs=6e-5)


def test_a_forecast_has_an_offset_of_its_own(certain, curves):
    posterior = certain(bs.Model("chinchilla", curves, noise="normal", cluster="run"), TRUTH, (4, 5000))
    answer = bs.forecast(posterior, N=1e9, D=1e10)
    assert np.std(np.log(answer["L_run"] / answer["L"]).to_numpy()) == pytest.approx(np.hypot(0.01, 0.02), rel=0.03)


def test_leaving_clusters_out_scores_their_joint_density(certain, curves):
    model = bs.Model("chinchilla", curves, noise="normal", cluster="run")
    jitter = 1 + 1e-9 * np.random.default_rng(0).standard_normal((4, 50))  # all but alike: leaving out changes nothing
    posterior = Posterior.from_draws(
        model, {name: value * jitter for name, value in TRUTH.items()}, STATS, certain(model, TRUTH).diagnostics, {}
    )
    residual, scatter = covariance(model, posterior)
    expected = joint("normal", residual, scatter) - np.log(model.response).sum()
    assert float(loo(posterior, "run").elpd_i.sum()) == pytest.approx(expected, rel=1e-6)
    other = certain(bs.Model("chinchilla", curves, noise="normal"), {k: TRUTH[k] for k in TRUTH if k != "omega"})
    assert bs.compare({"with": posterior, "without": other}).pointwise.sizes["unit"] == 7


@pytest.mark.slow
def test_checkpoints_are_not_counted_as_independent_runs():
    """Ten checkpoints of each of 20 runs about one level: its error is that of the mean of 20 offsets."""
    rng = np.random.default_rng(4)
    C = np.repeat(np.geomspace(1e18, 1e20, 20), 10)
    offset = 0.05 * rng.standard_normal(20)
    runs = pd.DataFrame({"C": C, "run": np.repeat(np.arange(20), 10)})
    runs["L"] = np.exp(np.repeat(offset, 10) + 0.005 * rng.standard_normal(200))
    wide = Prior("LogNormal", 0, 1)
    flat = Law("flat", lambda C, k: k + 0 * C, (COMPUTE,), LOSS, (Param("k", "level", "", POSITIVE, wide, wide),))
    spread = {}
    for cluster in ("run", None):
        posterior = bs.fit(Model(flat, runs, noise="normal", cluster=cluster), seed=1, draws=400, tune=400)
        spread[cluster] = float(np.log(posterior.dataset["k"]).std())
    # sqrt(omega**2 / 20 + sigma**2 / 200), offsets' own spread as drawn; 20 of them tell omega to 16 %.
    assert spread["run"] == pytest.approx(offset.std(ddof=1) / np.sqrt(20), rel=0.25)
    assert spread[None] == pytest.approx(offset.std(ddof=1) / np.sqrt(200), rel=0.15)


# -- What a user may ask for


def test_a_model_keeps_its_clusters(curves, tmp_path, certain):
    model = bs.Model("chinchilla", curves, noise="student+size", cluster="run")
    assert "omega" in model.priors
    assert "7 of run" in str(model)
    assert Model.from_dict(model.to_dict(), model.runs).to_dict() == model.to_dict()
    assert Model.from_dict(model.to_dict(), model.runs).noise == model.noise
    assert model.refit_on(curves).cluster == "run"
    posterior = certain(model, {**TRUTH, "nu": 4.0, "kappa": 0.0})
    posterior.save(tmp_path / "post.nc")
    again = bs.open_posterior(tmp_path / "post.nc")
    assert again.log_likelihood().to_numpy() == pytest.approx(posterior.log_likelihood().to_numpy())


def test_simulated_clusters(curves):
    model = bs.Model("chinchilla", curves.drop(columns="L_se"), noise="normal", cluster="run")
    runs = bs.simulate(model, {**TRUTH, "sigma": 1e-6}, seed=2)
    ratio = np.log(runs["L"] / bs.simulate(model, {**TRUTH, "sigma": 1e-6, "omega": 1e-9}, seed=2)["L"])
    assert ratio.groupby(runs["run"]).std().max() < 1e-5
    assert ratio.std() > 0.005


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"cluster": "L"}, "the response"),
        ({"cluster": "batch"}, "Columns: "),
        ({"cluster": "run", "noise": "frontier"}, "'student' or 'normal'"),
    ],
)
def test_what_cannot_be_clustered_is_said(curves, changes, says):
    with pytest.raises(InputError, match=says):
        bs.Model("chinchilla", curves, **changes)


def test_missing_labels_are_refused_and_few_clusters_doubted(curves):
    with pytest.raises(InputError, match="1 of 25 rows is not"):
        bs.Model("chinchilla", curves.assign(run=curves["run"].where(curves.index != 3)), cluster="run")
    with pytest.warns(BayescaleWarning, match="2 of 2 clusters of 'run' have several runs"):
        bs.Model("chinchilla", curves.assign(run=curves["run"] > "d"), cluster="run")
    model = bs.Model("chinchilla", curves, cluster="run")
    with pytest.raises(InputError, match="'run' of clusters"):
        model.cluster_index(curves.drop(columns="run"))


def test_the_command_line_takes_clusters(run_command, curves, tmp_path):
    curves.drop(columns="L_se").to_csv(tmp_path / "runs.csv", index=False)
    code, out, _ = run_command("check", str(tmp_path / "runs.csv"), "--cluster", "run", "--input-error", "N=0.05")
    assert code == 0
    assert "7 of run" in out
    assert "uncertain by 0.05" in out
    code, _, err = run_command("check", str(tmp_path / "runs.csv"), "--cluster", "batch")
    assert code == 2
    assert "'batch' is none" in err
