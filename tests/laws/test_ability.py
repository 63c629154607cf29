"""Laws of shares of right answers."""

import math

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.errors import InputError
from bayescale.law import ACCURACY
from bayescale.testing import check_law

NAMES = ("sigmoid_of_loss", "sigmoid_of_compute", "sigmoid_from_plateau", "exact_match", "two_step")


@pytest.mark.parametrize("name", NAMES)
def test_laws_pass_the_checks(name):
    assert bs.LAWS[name].output == ACCURACY
    check_law(bs.LAWS[name], seed=3)


def test_the_sigmoid_runs_from_the_ceiling_to_chance():
    law, fixed = bs.LAWS["sigmoid_of_loss"], {"chance": 0.25, "reach": 0.8, "kappa": 4.0, "L_mid": 1.0}
    ceiling = 0.25 + 0.8 * 0.75
    assert law(L=-40.0, **fixed) == pytest.approx(ceiling)
    assert law(L=40.0, **fixed) == pytest.approx(0.25)
    assert law(L=1.0, **fixed) == pytest.approx((0.25 + ceiling) / 2)


def test_the_sigmoid_of_loss_is_that_of_xiao():
    # laws.md, section 11: S = c / (1 + exp(-gamma (L - l))) + d with gamma < 0.
    c, gamma, middle, d = 0.6, -4.0, 1.1, 0.25
    L = np.linspace(0.5, 3.0, 9)
    ours = bs.LAWS["sigmoid_of_loss"](L=L, chance=d, reach=c / (1 - d), kappa=-gamma, L_mid=middle)
    np.testing.assert_allclose(ours, c / (1 + np.exp(-gamma * (L - middle))) + d)


def test_the_slope_is_the_ten_to_ninety_width_that_the_card_says():
    law = bs.LAWS["sigmoid_of_compute"]
    slope = 0.7
    decades = 2 * math.log(9) / math.log(10) / slope
    low, high = (law(x=10**d, chance=0.0, reach=1.0, slope=slope, x_mid=1.0) for d in (-decades / 2, decades / 2))
    assert (low, high) == (pytest.approx(0.1), pytest.approx(0.9))
    assert decades == pytest.approx(1.91 / slope, rel=1e-2)


def test_a_plateau_is_where_the_rise_begins():
    # Abbott's formula: of the answers that a guess leaves wrong, `early` are right on the plateau.
    law, fixed = bs.LAWS["sigmoid_from_plateau"], {"chance": 0.25, "reach": 0.8, "slope": 2.0, "x_mid": 1e9}
    plateau = 1 - (1 - 0.25) * (1 - 0.1)
    ceiling = plateau + 0.8 * (1 - plateau)
    assert law(x=1.0, early=0.1, **fixed) == pytest.approx(plateau)
    assert law(x=1e9, early=0.1, **fixed) == pytest.approx((plateau + ceiling) / 2)
    assert law(x=1e30, early=0.1, **fixed) == pytest.approx(ceiling)
    x = np.logspace(6, 12, 7)
    np.testing.assert_allclose(law(x=x, early=0.0, **fixed), bs.LAWS["sigmoid_of_compute"](x=x, **fixed))


def test_exact_match_is_the_power_of_one_token():
    # laws.md, section 12: p = exp(-(N/c)^alpha), exact match on K tokens p^K.
    law = bs.LAWS["exact_match"]
    one, five = (law(x=3e9, K=K, c=1e9, alpha=0.4) for K in (1.0, 5.0))
    assert one == pytest.approx(math.exp(-((3.0) ** -0.4)))
    assert five == pytest.approx(one**5)


def test_longer_answers_turn_up_later_and_more_suddenly():
    law, x = bs.LAWS["exact_match"], np.logspace(6, 16, 4001)

    def place(share, K):
        return np.log10(np.interp(share, law(x=x, K=K, c=1e9, alpha=0.4), x))

    assert place(0.5, 5.0) - place(0.5, 1.0) == pytest.approx(math.log10(5) / 0.4, abs=0.01)
    # On the log axis the curve only moves: what longer answers sharpen is the rise relative to its start.
    assert place(0.9, 5.0) - place(0.1, 5.0) == pytest.approx(place(0.9, 1.0) - place(0.1, 1.0), abs=0.01)


def test_two_step_is_a_loss_then_a_sigmoid():
    loss = bs.LAWS["chinchilla"]
    constants = dict(loss.find("besiroglu2024").values)
    N, D, kappa, middle = np.array([1e8, 1e9, 1e10]), np.array([1e10, 2e10, 1e12]), 3.0, 2.3
    two = bs.LAWS["sigmoid_of_loss"](
        L=loss(N=N, D=D, **constants), chance=0.25, reach=1 - 1e-12, kappa=kappa, L_mid=middle
    )
    one = bs.LAWS["two_step"](
        N=N,
        D=D,
        chance=0.25,
        u=kappa * (middle - constants["E"]),
        a=kappa * constants["A"],
        b=kappa * constants["B"],
        alpha=constants["alpha"],
        beta=constants["beta"],
    )
    np.testing.assert_allclose(one, two, rtol=1e-10)


def few_runs():
    C = np.logspace(3, 8, 6)
    return pd.DataFrame({"C": C, "chance": 0.1, "accuracy": [0.1, 0.12, 0.2, 0.4, 0.7, 0.8], "n_trials": 50})


def test_a_law_with_a_chance_is_put_on_any_column_and_survives_storage(tmp_path):
    law = bs.LAWS["sigmoid_of_compute"].on("tokens")
    assert law.columns == ("tokens", "chance")
    assert "tokens" in law.text()
    runs = few_runs().rename(columns={"C": "tokens"})
    model = bs.Model("sigmoid_of_compute:tokens", runs)
    assert model.law.columns == law.columns
    bs.sample_prior(model, 20).save(tmp_path / "prior.nc")
    assert bs.open_posterior(tmp_path / "prior.nc").model.law.columns == law.columns
    with pytest.raises(InputError, match="only a law of any one input"):
        bs.LAWS["two_step"].on("C")


def test_a_chance_that_does_not_vary_is_no_cause_for_a_warning(recwarn):
    bs.Model("sigmoid_of_compute:C", few_runs())
    assert not recwarn.list


def task_along(high):
    """Accuracies of a task of four options along six decades of compute that end at ``high``, of 100 questions each."""
    C = np.logspace(np.log10(high) - 6, np.log10(high), 12)
    runs = pd.DataFrame({"C": C, "chance": 0.25, "accuracy": 0.5, "n_trials": 100.0})
    model = bs.Model("sigmoid_of_compute:C", runs, noise="binomial")
    truth = {"reach": 0.9, "slope": 0.8, "x_mid": 1e22}
    return bs.Model("sigmoid_of_compute:C", bs.simulate(model, truth, seed=0), noise="binomial")


def test_a_threshold_inside_the_runs_is_found():
    posterior = bs.fit(task_along(1e24), seed=1)
    assert posterior.converged
    middle = posterior.dataset["x_mid"]
    low, high = np.log10(middle.quantile([0.025, 0.975]))
    assert low < 22 < high
    assert high - low < 1.5
    assert (middle > 1e24).mean() < 0.01


def test_a_threshold_beyond_the_runs_is_never_certain():
    # The runs end two decades before the midpoint: all they show is chance, give or take. The posterior is then flat
    # with a wall, where steps must be small.
    posterior = bs.fit(task_along(1e20), seed=1, draws=3000, target_accept=0.99)
    assert posterior.converged
    middle = posterior.dataset["x_mid"]
    assert (middle > 1e20).mean() > 0.95
    low, high = np.log10(middle.quantile([0.025, 0.975]))
    assert low < 22 < high
    assert high - low > 10
