"""Inputs known only roughly: what their errors add, and what a user may ask for."""

import numpy as np
import pandas as pd
import pytensor
import pytest
from scipy import integrate, stats

import bayescale as bs
from bayescale.errors import InputError
from bayescale.graph import to_pymc
from bayescale.input_error import response_variance
from bayescale.law import LOSS, MEAN, Input, Law, Param
from bayescale.layout import unpack
from bayescale.model import Model
from bayescale.prior import POSITIVE, Prior

TRUTH = {"E": 1.69, "A_ref": 0.78, "B_ref": 0.65, "alpha": 0.34, "beta": 0.28, "sigma": 0.005}
EXTRA = {"normal": {}, "student": {"nu": 4.0}, "frontier": {"shortfall": 0.02}, "normal+size": {"kappa": -0.2}}


@pytest.fixture(scope="module")
def rough(grid_runs):
    return grid_runs.assign(L=grid_runs["L"] * 1.01, D_error=np.linspace(0.0, 0.1, len(grid_runs)))


def slopes(N, D):
    """Slopes of Hoffmann's log loss in log N and log D."""
    size, tokens = 406.4 / N**0.34, 410.7 / D**0.28
    return -0.34 * size / (1.69 + size + tokens), -0.28 * tokens / (1.69 + size + tokens)


def test_errors_count_by_the_slope_of_the_law(certain, rough):
    model = bs.Model("chinchilla", rough, noise="normal", input_error={"N": 0.05, "D": "D_error"})
    posterior = certain(model, TRUTH | {"A_ref": 406.4 / 1e8**0.34, "B_ref": 410.7 / 1e10**0.28}, (1, 2))
    _, params, facts = posterior.at_runs()
    by_N, by_D = slopes(rough["N"].to_numpy(), rough["D"].to_numpy())
    expected = np.sqrt(0.005**2 + (0.05 * by_N) ** 2 + (rough["D_error"] * by_D) ** 2)
    # Half the difference of the law across two errors of up to 10 % is its slope but for a part in a thousand.
    assert model.noise.scale(params, facts).to_numpy()[0, 0] == pytest.approx(expected.to_numpy(), rel=1e-3)


@pytest.mark.parametrize(("error", "off"), [(0.05, 0.02), (0.1, 0.05), (0.3, 0.2)])
def test_the_first_order_is_the_integral_over_true_inputs(error, off):
    """The density with the true N integrated out, N being log-normal about the record: by quadrature, at three heights.

    What is printed is the largest difference of log densities up to two standard deviations out.
    """
    law = bs.LAWS["chinchilla"]
    params = {**law.from_paper(law.find("hoffmann2022").values, {"N": 1e8, "D": 1e10})}
    at = {"N": 0.1, "D": 1.0}  # where size matters most: N of 1e7
    sigma, expected = 0.005, np.log(law.evaluate(params, at))
    variance = sigma**2 + float(response_variance(law, params, at, {"N": error}, True))
    differences = []
    for z in (-2.0, -1.0, 0.0, 1.0, 2.0):
        y = expected + z * np.sqrt(variance)

        def integrand(u, y=y):
            centre = np.log(law.evaluate(params, {**at, "N": at["N"] * np.exp(u)}))
            return stats.norm.pdf(y, centre, sigma) * stats.norm.pdf(u, 0.0, error)

        exact = integrate.quad(integrand, -8 * error, 8 * error, points=np.linspace(-2, 2, 9) * error, limit=400)[0]
        differences.append(abs(stats.norm.logpdf(y, expected, np.sqrt(variance)) - np.log(exact)))
    print(f"error {error:g}: log density off by at most {max(differences):.2g}")
    assert max(differences) < off


@pytest.mark.parametrize("noise", EXTRA)
def test_the_graph_agrees_with_numpy(certain, rough, noise):
    model = bs.Model("chinchilla", rough, noise=noise, input_error={"N": 0.05, "D": "D_error"})
    graph = to_pymc(model)
    point = graph.initial_point()
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        logp = float(graph.compile_logp(vars=[graph["measured_observed"]], sum=True)(point))
    flat = np.concatenate([np.ravel(point[v.name]) for v in graph.value_vars])
    values = {name: value[0, 0] for name, value in unpack(model, flat[None, None]).items()}
    density = certain(model, values, (1, 1)).log_likelihood().to_numpy() + np.log(model.response)
    # PyMC's ExGaussian loses digits: see test_measured.
    assert logp == pytest.approx(density.sum(), rel=1e-9, abs=25 * 3e-8 if noise == "frontier" else None)


def test_a_run_asked_for_is_what_it_is(certain, rough):
    posterior = certain(bs.Model("chinchilla", rough, noise="normal", input_error={"N": 0.2}), TRUTH, (4, 5000))
    answer = bs.forecast(posterior, N=1e7, D=1e10)
    assert np.std(np.log(answer["L_run"] / answer["L"]).to_numpy()) == pytest.approx(0.005, rel=0.03)


def test_an_input_that_is_shifted_errs_in_its_own_unit():
    date = Input("t", "release", "days", "t", centre=MEAN)
    params = tuple(Param(s, s, "", POSITIVE, Prior("LogNormal", 0, 1), Prior("LogNormal", 0, 1)) for s in "kb")
    line = Law("line", lambda t, k, b: k + b * t, (date,), LOSS, params)
    found = response_variance(line, {"k": 1.0, "b": 0.02}, {"t": 5.0}, {"t": 3.0}, False)
    assert found == pytest.approx((0.02 * 3.0) ** 2)


# -- What a user may ask for


def test_a_model_keeps_its_errors(rough):
    model = bs.Model("chinchilla", rough, input_error={"N": "0.05", "D": "D_error"})
    assert dict(model.input_error) == {"N": 0.05, "D": "D_error"}
    assert "uncertain by 0.05" in str(model)
    assert "the column 'D_error'" in str(model)
    assert Model.from_dict(model.to_dict(), model.runs).to_dict() == model.to_dict()
    assert model.refit_on(rough).input_error == model.input_error
    with pytest.raises(InputError, match="'D_error'"):
        model.refit_on(rough.drop(columns="D_error"))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"C": 0.05}, "no input of 'chinchilla'"),
        ({"N": -0.05}, "-0.05 was given"),
        ({"N": 5}, "at most 0.3"),
        ({"N": float("nan")}, "nan was given"),
        ({"N": "five"}, "'five' was given"),
        ({"N": None}, "None was given"),
    ],
)
def test_errors_that_are_none_are_refused(rough, given, says):
    with pytest.raises(InputError, match=says):
        bs.Model("chinchilla", rough, input_error=given)


def test_bad_rows_of_a_column_of_errors_are_named(rough):
    with pytest.raises(InputError, match=r"1 of 25 rows is not \(row 3"):
        bs.Model(
            "chinchilla", rough.assign(D_error=rough["D_error"].where(rough.index != 2)), input_error={"D": "D_error"}
        )


def test_counts_take_no_errors_of_inputs():
    runs = pd.DataFrame({"C": np.geomspace(1e18, 1e21, 8), "accuracy": np.linspace(0.2, 0.9, 8), "n_trials": 100})
    runs["chance"] = 0.1
    with pytest.raises(InputError, match="noise='student'"):
        bs.Model("sigmoid_of_compute", runs, input_error={"C": 0.1})
