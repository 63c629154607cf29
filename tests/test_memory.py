"""Memory: a warning with a remedy before more is asked for than is free."""

import math

import pytest

import bayescale as bs
from bayescale import memory
from bayescale.answers.forecast import forecast


def test_what_is_free_is_a_number_of_bytes_not_above_the_machines():
    import os

    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert 0 < memory.free_memory() <= machine


def test_the_limit_of_a_container_counts(tmp_path):
    assert memory._of_container(tmp_path) == math.inf
    (tmp_path / "memory.current").write_text("1000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert memory._of_container(tmp_path) == math.inf
    (tmp_path / "memory.max").write_text("5000\n")
    assert memory._of_container(tmp_path) == 4000


@pytest.fixture
def small(monkeypatch):
    """A machine with one megabyte to spare."""
    monkeypatch.setattr(memory, "free_memory", lambda: 1e6)


def test_a_forecast_of_too_many_points_warns_with_the_numbers_and_the_remedy(small, scattered_posterior):
    """1,000 draws at 5 x 6 points: 30,000 numbers of 8 bytes, four times over, are 0.96 MB of 1 MB."""
    forecast(scattered_posterior, N=[1e8] * 4, D=[1e9] * 6)
    said = r"1,000 draws for each of 30 points and groups need about 0.00096 GB.*0.001 GB are free.*fewer points"
    with pytest.warns(bs.BayescaleWarning, match=said):
        forecast(scattered_posterior, N=[1e8] * 5, D=[1e9] * 6)


def test_compare_and_check_warn_before_they_compute(monkeypatch, scattered_posterior):
    """1,000 draws for each of 25 runs, four times over: 0.8 MB."""
    monkeypatch.setattr(memory, "free_memory", lambda: 0.9e6)
    for ask in (
        lambda: bs.check_fit(scattered_posterior),
        lambda: bs.compare({"a": scattered_posterior, "b": scattered_posterior}),
    ):
        with pytest.warns(bs.BayescaleWarning, match=r"1,000 draws for each of 25 runs need .*--draws"):
            ask()


def test_a_fit_of_too_many_draws_warns_before_it_samples(small, monkeypatch, scattered_posterior):
    from bayescale import inference

    class BeganError(Exception):
        """Sampling began."""

    def sampled(*_):
        raise BeganError

    monkeypatch.setattr(inference, "_sample", sampled)
    monkeypatch.setattr(inference, "log_density", lambda model: None)
    with pytest.warns(bs.BayescaleWarning, match=r"draws of 6 parameters need .*--draws"), pytest.raises(BeganError):
        bs.fit(scattered_posterior.model, draws=10**6)
