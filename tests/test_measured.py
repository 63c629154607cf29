"""Errors of measured responses: read, used by every likelihood, and made from seeds."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

import bayescale as bs
from bayescale.errors import BayescaleWarning, InputError
from bayescale.graph import to_pymc
from bayescale.layout import unpack
from bayescale.measured import error_column, read_errors
from bayescale.posterior import open_posterior

TRUTH = {"E": 1.69, "A_ref": 0.78, "B_ref": 0.65, "alpha": 0.34, "beta": 0.28, "sigma": 0.01}
NOISES = {
    "normal": ({}, lambda scale: stats.norm(scale=scale)),
    "student": ({"nu": 4.0}, lambda scale: stats.t(4.0, scale=scale)),
    "frontier": ({"shortfall": 0.02}, lambda scale: stats.exponnorm(0.02 / scale, scale=scale)),
    "normal+size": ({"kappa": -0.2}, lambda scale: stats.norm(scale=scale)),
}


@pytest.fixture(scope="module")
def erring_runs(grid_runs):
    """Runs on Hoffmann's law with standard errors of 0 to 5 % of the loss."""
    share = np.linspace(0.0, 0.05, len(grid_runs))
    return grid_runs.assign(L=grid_runs["L"] * 1.01, L_se=share * grid_runs["L"] * 1.01)


# -- The likelihood


@pytest.mark.parametrize("noise", NOISES)
def test_every_density_has_both_errors_in_quadrature(certain, erring_runs, noise):
    extra, distribution = NOISES[noise]
    model = bs.Model("chinchilla", erring_runs, noise=noise)
    posterior = certain(model, {**TRUTH, **extra}, (1, 2))
    location, params, facts = posterior.at_runs()
    law = location.to_numpy()[0, 0]
    share = np.linspace(0.0, 0.05, len(erring_runs))
    size = erring_runs["N"] * erring_runs["D"] / 1e18 if "size" in noise else 1.0
    own = 0.01 * np.asarray(size) ** extra.get("kappa", 0.0)
    expected = distribution(np.sqrt(own**2 + share**2))
    residual = np.log(model.response / law)
    density = posterior.log_likelihood().to_numpy()[0, 0]
    assert density == pytest.approx(expected.logpdf(residual) - np.log(model.response), rel=1e-9)
    below = model.noise.cdf(xr.DataArray(model.response, dims="run"), location, params, facts)
    assert below.transpose("chain", "draw", "run").to_numpy()[0, 0] == pytest.approx(expected.cdf(residual), rel=1e-9)


@pytest.mark.parametrize("noise", NOISES)
def test_the_graph_agrees_with_numpy(certain, erring_runs, noise):
    at_start = []
    for runs in (erring_runs, erring_runs.drop(columns="L_se")):
        model = bs.Model("chinchilla", runs, noise=noise)
        graph = to_pymc(model)
        point = graph.initial_point()
        logp = float(graph.compile_logp(vars=[graph["measured_observed"]], sum=True)(point))
        flat = np.concatenate([np.ravel(point[v.name]) for v in graph.value_vars])
        values = {name: value[0, 0] for name, value in unpack(model, flat[None, None]).items()}
        density = certain(model, values, (1, 1)).log_likelihood().to_numpy() + np.log(model.response)
        # PyMC's ExGaussian loses digits: up to 2.3e-8 a run against mpmath with 50 digits, where NumPy's has 1.4e-14.
        assert logp == pytest.approx(density.sum(), rel=1e-9, abs=25 * 3e-8 if noise == "frontier" else None)
        at_start.append(logp)
    with_errors, without = at_start
    assert with_errors != pytest.approx(without, rel=1e-3)


def test_replicated_runs_scatter_by_both_errors(certain, grid_runs):
    runs = grid_runs.assign(L_se=0.03 * grid_runs["L"])
    model = bs.Model("chinchilla", runs, noise="normal")
    posterior = certain(model, TRUTH, (4, 2000))
    law = posterior.at_runs()[0]
    spread = np.std(np.log(posterior.replicate(1) / law).to_numpy())
    assert spread == pytest.approx(np.hypot(0.01, 0.03), rel=0.01)  # 200,000 numbers: 0.2 % is one standard error


def test_a_run_not_made_has_no_error_of_measurement(certain, grid_runs):
    runs = grid_runs.assign(L_se=0.03 * grid_runs["L"])
    posterior = certain(bs.Model("chinchilla", runs, noise="normal"), TRUTH, (4, 5000))
    answer = bs.forecast(posterior, N=1e9, D=1e10)
    assert np.std(np.log(answer["L_run"] / answer["L"]).to_numpy()) == pytest.approx(0.01, rel=0.03)


def test_a_response_of_any_sign_errs_in_its_own_unit():
    runs = pd.DataFrame({"C": np.logspace(10, 14, 6), "n": [3.0, 5.0] * 3, "elo": np.linspace(-100.0, 200.0, 6)})
    inputs = dict(zip(bs.LAWS["elo_frontier"].columns, ("C", "n"), strict=True))
    runs = runs.rename(columns={own: column for column, own in inputs.items()}).assign(elo_se=30.0)
    model = bs.Model("elo_frontier", runs, noise="normal")
    assert model.errors() == pytest.approx(np.full(6, 30.0))
    assert model.noise.scale({"sigma": 40.0}, model.facts_of({})).to_numpy() == pytest.approx(np.full(6, 50.0))


def test_simulated_runs_keep_their_share_of_error(erring_runs):
    model = bs.Model("chinchilla", erring_runs, noise="normal")
    simulated = bs.simulate(model, TRUTH, seed=3)
    assert not np.allclose(simulated["L"], erring_runs["L"], rtol=1e-4)
    again = bs.Model("chinchilla", simulated, noise="normal")
    assert again.errors() == pytest.approx(model.errors(), rel=1e-12)


def test_known_errors_do_not_inflate_sigma(certain, grid_runs):
    """The likelihood of sigma, truth known: its maximum is at the truth with errors given, far above without."""
    rng = np.random.default_rng(5)
    many = pd.concat([grid_runs] * 80, ignore_index=True)
    share = np.where(np.arange(len(many)) % 2, 0.04, 0.0)
    many["L"] = many["L"] * np.exp(rng.normal(0, np.hypot(0.01, share)))
    tried = np.geomspace(0.004, 0.06, 60)
    best = {}
    for given, runs in (("with", many.assign(L_se=share * many["L"])), ("without", many)):
        model = bs.Model("chinchilla", runs, noise="normal")
        posterior = certain(model, {**TRUTH, "sigma": 0.01}, (1, len(tried)))
        scan = posterior.draws["posterior"].to_dataset().assign(sigma=(("chain", "draw"), tried[None]))
        scanned = type(posterior).from_draws(
            model,
            {p.symbol: scan[p.symbol].to_numpy() for p in model.params},
            {"diverging": np.zeros((1, len(tried)), dtype=bool)},
            posterior.diagnostics,
            {},
        )
        best[given] = tried[np.argmax(scanned.log_likelihood().sum("run").to_numpy())]
    assert best["with"] == pytest.approx(0.01, rel=0.06)
    assert best["without"] == pytest.approx(np.sqrt(0.01**2 + 0.04**2 / 2), rel=0.06)


@pytest.mark.slow
def test_a_fit_recovers_sigma_beneath_known_errors(grid_runs):
    many = pd.concat([grid_runs] * 4, ignore_index=True)
    share = np.where(np.arange(len(many)) % 2, 0.05, 0.0)
    model = bs.Model("chinchilla", many.assign(L_se=share * many["L"]), noise="normal")
    runs = bs.simulate(model, TRUTH, seed=11)
    posterior = bs.fit(model.with_runs(runs), seed=1, draws=500, tune=500)
    blind = bs.fit(bs.Model("chinchilla", runs.drop(columns="L_se"), noise="normal"), seed=1, draws=500, tune=500)
    sigma = posterior.dataset["sigma"]
    assert posterior.converged
    assert float(sigma.quantile(0.005)) < 0.01 < float(sigma.quantile(0.995))
    assert float(blind.dataset["sigma"].quantile(0.005)) > 0.02
    # The precise half of the runs is given its weight, so the law is known better too.
    assert float(posterior.dataset["alpha"].std()) < 0.6 * float(blind.dataset["alpha"].std())


def test_a_saved_posterior_keeps_its_errors(certain, erring_runs, tmp_path):
    posterior = certain(bs.Model("chinchilla", erring_runs, noise="normal"), TRUTH)
    posterior.save(tmp_path / "post.nc")
    again = open_posterior(tmp_path / "post.nc")
    assert again.model.error_column == "L_se"
    xr.testing.assert_allclose(again.log_likelihood(), posterior.log_likelihood(), rtol=1e-14)
    spec = posterior.model.to_dict()
    del spec["error_column"]  # as files were before there was one
    assert bs.Model.from_dict(spec, erring_runs).error_column == ""


def test_held_out_runs_need_their_errors(certain, erring_runs):
    posterior = certain(bs.Model("chinchilla", erring_runs, noise="normal"), TRUTH)
    part = erring_runs.iloc[:7].reset_index(drop=True)
    assert posterior.log_likelihood(part).to_numpy()[0, 0] == pytest.approx(
        posterior.log_likelihood().to_numpy()[0, 0, :7]
    )
    with pytest.raises(InputError, match="'L_se', these runs have none; add it, with 0"):
        posterior.log_likelihood(part.drop(columns="L_se"))


def test_counts_have_their_own_error():
    runs = pd.DataFrame({"C": np.logspace(10, 14, 6), "accuracy": np.linspace(0.1, 0.9, 6), "n_trials": 100})
    law = next(one for one in bs.LAWS.values() if one.output.symbol == "accuracy" and len(one.inputs) == 1)
    law = law.on("C") if law.movable else law
    with pytest.warns(BayescaleWarning, match="'accuracy_se' is not used: noise binomial"):
        model = bs.Model(law, runs.assign(accuracy_se=0.02), noise="binomial")
    assert model.errors() is None


# -- The column


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ([0.1, -0.1, 0.1], r"zero or positive, and finite; 1 of 3 rows is not \(row 2;.*first -0.1"),
        ([0.1, np.nan, 0.1], "first missing. Write 0 where L is measured without"),
        ([0.1, np.inf, 0.1], "first inf"),
        (["0.1", "small", "0.1"], "must be numbers.*first 'small'"),
    ],
)
def test_errors_that_cannot_be(cells, words):
    runs = pd.DataFrame({"N": [1e7, 1e8, 1e9], "D": [1e9, 1e10, 1e10], "L": [3.0, 2.5, 2.2], "L_se": cells})
    with pytest.raises(InputError, match=words):
        bs.read_runs(runs)
    with pytest.raises(InputError, match=words):
        read_errors(runs, "L")


def test_text_is_read_as_numbers():
    runs = pd.DataFrame({"N": [1e7, 1e8], "D": [1e9, 2e9], "L": [3.0, 2.5], "L_se": ["0.1", "1e-2"]})
    assert bs.read_runs(runs)["L_se"].tolist() == [0.1, 0.01]
    assert error_column("accuracy") == "accuracy_se"


def test_loss_se_is_read_with_a_doubt():
    table = pd.DataFrame({"N": [1e7, 1e8], "D": [1e9, 2e9], "L": [3.0, 2.5], "loss_se": [0.1, 0.2]})
    with pytest.warns(BayescaleWarning, match="read as 'L_se'.*common to all runs"):
        runs = bs.read_runs(table)
    assert runs["L_se"].tolist() == [0.1, 0.2]
    assert "L_se" not in bs.read_runs(table, loss_se="loss_se")  # the way out that the warning tells


def test_an_embedded_tables_common_error_is_not_taken_for_each_runs_own():
    runs = bs.read_runs(bs.load_runs("tiny_sweep"), C="C")
    assert "L_se" not in runs
    assert bs.Model("chinchilla", runs, pool="modality").errors() is None


# -- Averages over seeds


def test_seeds_become_one_row():
    table = pd.DataFrame(
        {
            "N": [1e7, 1e7, 1e7, 1e8, 1e8, 1e9],
            "D": [1e9, 1e9, 1e9, 1e9, 1e9, 1e9],
            "L": np.exp([1.00, 1.02, 1.04, 0.90, 0.94, 0.80]),
            "seed": [0, 1, 2, 0, 1, 0],
        }
    )
    with pytest.warns(BayescaleWarning, match=r"6 rows became 3: averages of L over 'seed'.*share of it: 0\.0231"):
        averaged = bs.average_seeds(table)
    # Sums of squares 2 * .02^2 and 2 * .02^2, degrees of freedom 2 and 1.
    spread = np.sqrt((2 * 0.02**2 + 2 * 0.02**2) / 3)
    means = np.exp([1.02, 0.92, 0.80])
    assert averaged["L"].to_numpy() == pytest.approx(means, rel=1e-12)
    assert averaged["L_se"].to_numpy() == pytest.approx(spread * means / np.sqrt([3, 2, 1]), rel=1e-12)
    assert averaged["seeds"].tolist() == [3, 2, 1]
    assert "seed" not in averaged
    assert averaged.attrs["notes"][-1].startswith("6 rows became 3")


def test_each_part_has_its_own_spread():
    table = pd.DataFrame(
        {
            "N": [1e7] * 4,
            "D": [1e9] * 4,
            "modality": ["a", "a", "b", "b"],
            "L": np.exp([1.0, 1.02, 0.5, 0.6]),
            "seed": [0, 1, 0, 1],
            "run_id": [10, 11, 12, 13],
        }
    )
    with pytest.warns(BayescaleWarning, match=r"in a.*in b.*Dropped, since they vary between seeds: 'run_id'"):
        averaged = bs.average_seeds(table, inputs=["N", "D"], within="modality")
    # The standard error of the mean of two values is half their distance.
    assert (averaged["L_se"] / averaged["L"]).to_numpy() == pytest.approx([0.01, 0.05])
    assert averaged["modality"].tolist() == ["a", "b"]


def test_accuracies_are_averaged_as_they_are():
    table = pd.DataFrame({"C": [1e9, 1e9, 1e10], "accuracy": [0.0, 0.1, 0.5], "seed": [0, 1, 0]})
    with pytest.warns(BayescaleWarning, match="3 rows became 2"):
        averaged = bs.average_seeds(table, response="accuracy")
    assert averaged["accuracy"].tolist() == pytest.approx([0.05, 0.5])
    assert averaged["accuracy_se"].tolist() == pytest.approx([0.05, 0.1 / np.sqrt(2)])


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        ({}, {"by": "rng"}, "no column 'rng'"),
        ({"run_id": [1, 2, 3]}, {}, "nothing to average.*'run_id'"),
        ({"L_se": [0.1, 0.1, 0.1]}, {}, "column 'L_se' already"),
        ({"seed": [0, 0, 0]}, {}, r"1 row \(first: row 2.*same 'seed'"),
        ({"L": ["3", "2", "1"]}, {}, "must be numbers in every row"),
        ({}, {"inputs": ["N", "seed"]}, "tells seeds apart"),
        ({"modality": ["a", "a", "b"]}, {"within": "modality"}, "No configuration of 'b' has several seeds"),
    ],
)
def test_averages_that_cannot_be_made(change, options, words):
    table = pd.DataFrame({"N": [1e7, 1e7, 1e8], "D": [1e9] * 3, "L": [3.0, 3.1, 2.5], "seed": [0, 1, 0]})
    with pytest.raises(InputError, match=words):
        bs.average_seeds(table.assign(**change), **options)


def test_an_averaged_table_is_fitted_with_its_errors():
    runs = bs.load_runs("tiny_sweep")
    inputs = ["N", "D", "modality"]
    with pytest.warns(BayescaleWarning, match="220 rows became"):
        averaged = bs.average_seeds(runs, inputs=inputs, within="modality")
    assert len(averaged) == len(runs.drop_duplicates(inputs))
    model = bs.Model("chinchilla", averaged, pool="modality")
    assert model.error_column == "L_se"
    assert "standard error of each run" in str(model)
