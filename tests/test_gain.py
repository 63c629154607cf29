"""The algebra of designs against textbook linear regression, brute force and quadrature."""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import norm

from bayescale.answers.gain import Joint, Laws, best_plan, greedy, normal_scores, robust_normal
from bayescale.answers.outcomes import reweigh

X = np.array([-2.0, -1.0, -0.2, 0.0, 0.5, 1.5, 3.0])
PRIOR = np.array([[1.0, 0.3], [0.3, 0.5]])
SIGMA = 0.7
DESIGN = np.column_stack([np.ones_like(X), X])


def line(about):
    """A straight line ``a + b x`` with a normal prior and known noise; ``about`` gives the combinations asked about."""
    about = np.atleast_2d(np.asarray(about, dtype=float))
    return Joint(
        np.einsum("qi,ij,qj->q", about, PRIOR, about),
        about @ PRIOR @ DESIGN.T,
        DESIGN @ PRIOR @ DESIGN.T,
        np.full(len(X), SIGMA**2),
    )


def textbook(chosen):
    """Posterior covariance of Bayesian linear regression."""
    rows = DESIGN[list(chosen)]
    return np.linalg.inv(np.linalg.inv(PRIOR) + rows.T @ rows / SIGMA**2)


@pytest.mark.parametrize("about", [(0, 1), (1, 0), (1, 10)], ids=["slope", "intercept", "far out"])
def test_gains_are_those_of_bayesian_c_optimality(about):
    c = np.array(about)
    expected = [0.5 * np.log((c @ PRIOR @ c) / (c @ textbook([k]) @ c)) for k in range(len(X))]
    np.testing.assert_allclose(line(about).gains(), expected, rtol=1e-10, atol=1e-12)


def test_gains_of_a_sequence_add_up_to_the_regression_on_all_of_it():
    chosen = [6, 0, 6, 2]  # a run made twice has fresh noise
    state, told = line((1, 10)), 0.0
    for k in chosen:
        told += state.gains()[k]
        state = state.observe(k)
    c = np.array([1, 10])
    assert state.variance[0] == pytest.approx(c @ textbook(chosen) @ c, rel=1e-10)
    assert told == pytest.approx(0.5 * np.log((c @ PRIOR @ c) / (c @ textbook(chosen) @ c)), rel=1e-10)


def test_responses_after_a_sequence_give_bayesian_d_optimality():
    """The information on all parameters is half the log ratio of determinants: the product of signal over noise."""
    state, told = line((0, 1)), 0.0
    for k in (0, 6, 3):
        told += 0.5 * np.log1p(state.response[k, k] / state.noise[k])
        state = state.observe(k)
    assert told == pytest.approx(0.5 * np.log(np.linalg.det(PRIOR) / np.linalg.det(textbook([0, 6, 3]))), rel=1e-10)


def test_several_quantities_count_by_the_mean_of_their_information():
    both, one, other = line([(0, 1), (1, 0)]), line((0, 1)), line((1, 0))
    np.testing.assert_allclose(both.gains(), (one.gains() + other.gains()) / 2, rtol=1e-12)


def test_draws_give_the_gains_of_the_covariances_they_are_from():
    """With 40,000 draws a squared correlation is known to about 0.007."""
    draws = np.random.default_rng(0).multivariate_normal([0, 0], PRIOR, 40_000)
    drawn = Joint.of_draws(draws @ [[1.0], [10.0]], draws @ DESIGN.T, np.full(len(X), SIGMA**2))
    np.testing.assert_allclose(1 - np.exp(-2 * drawn.gains()), 1 - np.exp(-2 * line((1, 10)).gains()), atol=0.015)


def test_chance_correlations_are_no_information():
    """Of 300 runs that have nothing to do with the quantity, none is worth anything."""
    rng = np.random.default_rng(1)
    joint = Joint.of_draws(rng.normal(size=(1000, 1)), rng.normal(size=(1000, 300)), np.full(300, 1e-6))
    assert joint.gains().max() == 0.0


def test_normal_scores_do_not_care_for_monotone_scales_and_tails():
    draws = np.random.default_rng(2).standard_cauchy((2001, 2))
    scores = normal_scores(draws)
    np.testing.assert_allclose(normal_scores(np.arctan(draws)), scores)
    assert np.abs(scores).max() < 4
    np.testing.assert_allclose(scores.std(axis=0), 1.0, rtol=2e-3)  # the outermost of 2,001 ranks cut the tails
    np.testing.assert_array_equal(normal_scores(np.ones((10, 1))), 0.0)
    # Half the central 68.27 % range of a Cauchy is tan(.34134 pi).
    np.testing.assert_allclose(robust_normal(draws).std(axis=0), np.tan(0.34134 * np.pi), rtol=0.1)


# -- Choosing


def independent(shares, noise=1.0):
    """A quantity that is a sum of independent parts, each of them measured by a run of its own."""
    shares = np.asarray(shares, dtype=float)
    return Joint(np.array([shares.sum()]), shares[None], np.diag(shares), np.full(len(shares), noise))


def brute_force(state, cost, budget, most):
    best = 0.0
    for size in range(1, most + 1):
        for chosen in combinations(range(len(cost)), size):
            if sum(cost[k] for k in chosen) <= budget:
                after = state
                for k in chosen:
                    after = after.observe(k)
                best = max(best, 0.5 * np.log(state.variance[0] / after.variance[0]))
    return best


@pytest.mark.parametrize("most", [1, 2, 3])
def test_greedy_is_the_best_of_all_where_parts_are_independent(most):
    """At equal cost the largest reductions of variance add up, so the greedy choice is the optimum."""
    state, cost = independent([3.0, 0.5, 2.0, 1.0, 0.1]), np.ones(5)
    plan = best_plan(state, cost, 10.0, most)
    assert plan.total == pytest.approx(brute_force(state, cost, 10.0, most), rel=1e-12)
    assert plan.runs == (0, 2, 3)[:most]


def test_the_better_of_the_plans_beats_a_dear_run_and_cheap_ones():
    """Gain over cost alone would leave out the run that holds nearly everything, gain alone the four cheap ones."""
    dear = independent([100.0, 0.2, 0.2])
    assert best_plan(dear, np.array([10.0, 0.001, 0.001]), 10.0, 1).runs == (0,)
    cheap = independent([1.2, 1.0, 1.0, 1.0, 1.0])
    plan = best_plan(cheap, np.array([4.0, 1.0, 1.0, 1.0, 1.0]), 4.0, 5)
    assert set(plan.runs) == {1, 2, 3, 4}
    assert plan.total == pytest.approx(brute_force(cheap, [4, 1, 1, 1, 1], 4.0, 5))


def test_cost_orders_runs_of_equal_gain():
    plan = greedy(independent([1.0, 1.0, 1.0]), np.array([3.0, 1.0, 2.0]), 10.0, 3)
    assert plan.runs == (1, 2, 0)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_budget_batch_and_repeats_are_respected(power):
    cost = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
    plan = greedy(line((1, 10)), cost, 9.0, 4, power)
    assert cost[list(plan.runs)].sum() <= 9.0
    assert len(set(plan.runs)) == len(plan.runs) <= 4
    again = greedy(line((1, 10)), np.ones(7), 100.0, 6, power, repeat=True)
    assert len(again.runs) == 6
    assert len(set(again.runs)) < 6
    assert np.all(np.diff(again.gains) < 1e-12)  # a straight line's replicates tell less and less


def test_nothing_is_bought_where_nothing_is_told():
    state = Joint(np.array([1.0]), np.zeros((1, 3)), np.eye(3), np.ones(3))
    assert best_plan(state, np.ones(3), 10.0, 3).runs == ()


# -- Which law is right


def two_laws(gap, outcomes=20_000):
    """Two laws sure of their responses, which are ``gap`` apart, at even weights, with noise of 1."""
    gap = np.asarray(gap, dtype=float)
    half = outcomes // 2
    return Laws(
        np.full((outcomes, 2), np.log(0.5)),
        np.tile(np.stack([np.zeros_like(gap), gap]), (outcomes, 1, 1)),
        np.zeros((2, len(gap), len(gap))),
        np.ones((2, len(gap))),
        np.repeat([0, 1], half),
        np.random.default_rng(3).standard_normal((outcomes, 3)),
    )


def information_of_mixture(gap):
    """Entropy of the mixture of N(0, 1) and N(gap, 1) less that of either, by quadrature."""
    y = np.linspace(-12, 12 + gap, 40_001)
    mixture = 0.5 * norm.pdf(y) + 0.5 * norm.pdf(y, gap)
    return -np.trapezoid(mixture * np.log(mixture), y) - 0.5 * np.log(2 * np.pi * np.e)


def test_information_on_the_law_is_that_of_a_mixture_of_normals():
    """20,000 outcomes know it to about 0.003 nats."""
    gaps = [0.0, 0.5, 2.0, 10.0]
    expected = [information_of_mixture(gap) for gap in gaps]
    np.testing.assert_allclose(two_laws(gaps).gains(), expected, atol=0.01)
    assert expected[-1] == pytest.approx(np.log(2), abs=1e-6)


def test_two_runs_tell_laws_apart_as_one_of_the_root_of_twice_the_gap():
    after = two_laws([1.0, 1.0]).observe(0).observe(1)
    told = np.log(2) - np.mean(-np.sum(np.exp(after.log_weight) * after.log_weight, axis=1))
    assert told == pytest.approx(information_of_mixture(np.sqrt(2.0)), abs=0.01)
    assert two_laws([1.0]).found == pytest.approx(0.5)
    assert after.found > 0.6


def test_uncertainty_within_a_law_blurs_the_difference():
    sure = two_laws([2.0])
    unsure = Laws(sure.log_weight, sure.mean, np.full((2, 1, 1), 3.0), sure.noise, sure.true, sure.shocks)
    # A gap of 2 at standard deviation sqrt(1 + 3) is a gap of 1 at standard deviation 1.
    assert unsure.gains()[0] == pytest.approx(information_of_mixture(1.0), abs=0.01)


def test_a_law_that_learns_from_a_run_predicts_the_next():
    """After a run of the same response without much noise, a law is as sure of it as regression says."""
    state = Laws(
        np.full((4000, 2), np.log(0.5)),
        np.zeros((4000, 2, 1)),
        np.full((2, 1, 1), 3.0),
        np.full((2, 1), 1.0),
        np.repeat([0, 1], 2000),
        np.random.default_rng(4).standard_normal((4000, 2)),
    )
    after = state.observe(0)
    np.testing.assert_allclose(after.response[:, 0, 0], 3.0 / 4.0)
    # The predicted mean is 3/4 of an outcome of variance 4.
    assert after.mean[:, 0, 0].std() == pytest.approx(1.5, rel=0.05)


# -- Simulated outcomes


def test_reweighted_draws_have_the_posterior_variance_of_regression():
    """A normal quantity measured once and twice: information is half the log of one plus signal over noise."""
    rng = np.random.default_rng(5)
    theta = rng.standard_normal(4000)
    own = rng.permutation(4000)[:400]
    y = theta[own][:, None] + 0.8 * rng.standard_normal((400, 2))
    told = reweigh(norm.logpdf(y[:, None], theta[:, None], 0.8), own, normal_scores(theta[:, None]))
    expected = 0.5 * np.log1p(np.array([1, 2]) / 0.8**2)
    assert np.all(np.abs(told.information - expected) < 4 * told.error + 0.01)  # 1/100 for 4,000 draws
    assert told.enough.all()


def test_too_few_effective_draws_are_noticed():
    theta = np.random.default_rng(6).standard_normal(400)
    density = norm.logpdf(theta[:50, None, None], theta[None, :, None], 0.01)
    told = reweigh(density, np.arange(50), normal_scores(theta[:, None]))
    assert not told.enough.any()


def test_reweighted_groups_of_draws_are_the_laws():
    """Draws of two laws that are sure of 0 and 2, with noise 1."""
    rng = np.random.default_rng(7)
    member = np.repeat([0, 1], 500)
    own = rng.permutation(1000)[:800]
    y = 2.0 * member[own] + rng.standard_normal(800)
    density = norm.logpdf(y[:, None, None], 2.0 * member[None, :, None])
    told = reweigh(density, own, np.zeros((1000, 1)), member)
    assert told.information[0] == pytest.approx(information_of_mixture(2.0), abs=4 * told.error[0])
    assert 0.5 < told.found[0] < 1


def test_runs_that_tell_nothing_are_not_bought():
    """Two laws that one run tells apart for good: a second adds less than rounding, and is left unbought."""
    member = np.repeat([0, 1], 200)
    rng = np.random.default_rng(0)
    response = member[:, None] * 100.0 + 0.1 * rng.standard_normal((400, 3))
    state = Laws.of_draws(member, response, np.zeros((400, 3)), 50, 3, rng)
    plan = best_plan(state, np.ones(3), 10.0, 3)
    assert len(plan.runs) == 1
    assert plan.total == pytest.approx(np.log(2), abs=1e-6)
