import pytest

from bayescale.laws import LAWS

LAW = LAWS["parallel_streams"]
VALUES = {"c": 1.5, "A": 100.0, "B": 0.1, "G": 8.0, "a": 0.25, "b": 0.5}


def test_parallel_streams_by_hand():
    """At 1e8 parameters, N**-.25 is .01; at four streams S**-.5 is a half."""
    assert LAW(N=1e8, S=4.0, **VALUES) == pytest.approx(1.5 + 1.0 + 0.05 + 0.04, rel=1e-12)


def test_without_the_product_streams_save_the_same_at_any_size():
    plain = {**VALUES, "G": 0.0}
    saved = [LAW(N=N, S=1.0, **plain) - LAW(N=N, S=8.0, **plain) for N in (1e8, 1e10)]
    assert saved[0] == pytest.approx(saved[1], rel=1e-9)
    assert LAW(N=1e8, S=1.0, **VALUES) - LAW(N=1e8, S=8.0, **VALUES) > saved[0]
