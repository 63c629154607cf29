import math

import numpy as np
import pytensor.tensor as pt
import pytest
import sympy
import xarray as xr
from pytensor.compile.sharedvalue import shared
from pytensor.tensor.variable import TensorVariable

from bayescale import ops

KNOWN = {"exp": math.exp, "log": math.log, "log1p": math.log1p}
POINTS = [0.02, 0.5, 1.0, 3.7]


@pytest.fixture(params=KNOWN)
def function(request):
    return request.param


def test_floats_and_integers(function):
    for x in POINTS:
        assert getattr(ops, function)(x) == pytest.approx(KNOWN[function](x), rel=1e-15)
        assert getattr(ops, function)(np.float64(x)) == pytest.approx(KNOWN[function](x), rel=1e-15)
    assert getattr(ops, function)(2) == pytest.approx(KNOWN[function](2), rel=1e-15)


def test_arrays(function):
    answer = getattr(ops, function)(np.array(POINTS))
    assert isinstance(answer, np.ndarray)
    assert answer == pytest.approx([KNOWN[function](x) for x in POINTS], rel=1e-15)


def test_data_arrays_keep_their_dims_and_coordinates(function):
    x = xr.DataArray(POINTS, dims="group", coords={"group": list("abcd")})
    answer = getattr(ops, function)(x)
    assert isinstance(answer, xr.DataArray)
    assert answer.dims == ("group",)
    assert float(answer.sel(group="c")) == pytest.approx(KNOWN[function](1.0), rel=1e-15)


def test_tensors_stay_symbolic(function):
    x = pt.dvector("x")
    answer = getattr(ops, function)(x)
    assert isinstance(answer, TensorVariable)
    value = answer.eval({x: np.array(POINTS)}, mode="FAST_COMPILE")
    assert value == pytest.approx([KNOWN[function](p) for p in POINTS], rel=1e-14)


def test_tensor_constants_and_shared_variables(function):
    for x in (pt.constant(0.5, dtype="float64"), shared(0.5)):
        answer = getattr(ops, function)(x)
        assert answer.eval(mode="FAST_COMPILE") == pytest.approx(KNOWN[function](0.5), rel=1e-14)


def test_symbols_stay_symbolic(function):
    x = sympy.Symbol("x", positive=True)
    expected = {"exp": sympy.exp(x), "log": sympy.log(x), "log1p": sympy.log(1 + x)}
    assert getattr(ops, function)(x) == expected[function]
    assert getattr(ops, function)(2 * x + 1).free_symbols == {x}


def test_log1p_is_accurate_for_small_values():
    assert ops.log1p(1e-18) == 1e-18
    x = pt.dscalar("x")
    assert ops.log1p(x).eval({x: 1e-18}, mode="FAST_COMPILE") == 1e-18
