from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from bayescale.laws import LAWS
from bayescale.laws.precision import effective_share

precision, after = LAWS["precision"], LAWS["post_training_quantisation"]
GAMMA_W = 2.6745  # laws.md, section 17
values = {"E": 2.0, "A": 4.299e3, "B": 1e4, "alpha": 0.4965, "beta": 0.4965}


@pytest.mark.parametrize(("bits", "share"), [(3, 0.674), (4, 0.776), (8, 0.950), (16, 0.997)])
def test_effective_share_of_parameters(bits, share):  # laws.md, section 17
    assert effective_share(bits, GAMMA_W) == pytest.approx(share, abs=5e-4)


def test_full_precision_is_chinchilla_and_few_bits_are_fewer_parameters():
    chinchilla = LAWS["chinchilla"]
    assert precision(N=1e8, D=1e10, P_w=1e3, gamma=GAMMA_W, **values) == chinchilla(N=1e8, D=1e10, **values)
    four = precision(N=1e8, D=1e10, P_w=4.0, gamma=GAMMA_W, **values)
    assert four == pytest.approx(chinchilla(N=1e8 * effective_share(4.0, GAMMA_W), D=1e10, **values), rel=1e-12)


def test_best_bits_do_not_depend_on_compute():  # laws.md, section 17: P* / gamma = 1.904, all three precisions alike
    found: Any = minimize_scalar(lambda u: -3 * np.log1p(-np.exp(-u)) + np.log(u), bounds=(0.1, 10), method="bounded")
    best = found.x
    assert best == pytest.approx(1.904, abs=1e-3)
    assert best * GAMMA_W == pytest.approx(5, abs=0.2)


def test_twice_the_tokens_make_rounding_cost_more():  # laws.md, section 17: a factor of 1.42
    constants = {"C_T": 0.06, "gamma_D": 0.5068, "gamma_N": 0.3439, "gamma_post": 0.6}
    one = after(N=1e8, D=1e10, P_post=4.0, **constants)
    assert after(N=1e8, D=2e10, P_post=4.0, **constants) / one == pytest.approx(1.42, abs=5e-3)
    assert after(N=1e8, D=1e10, P_post=4.6, **constants) / one == pytest.approx(np.exp(-1))
