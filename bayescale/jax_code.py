"""The log density of a model through JAX: the same graph, compiled by XLA for the device that JAX finds.

Optional (``pip install "bayescale[jax]"``). Calls pass through Python one at a time, and nothing is kept on disk; the
code of `machine_code` is the default because it does neither. Only a device for which a table is large repays that.
"""

import warnings
from typing import Any

import numpy as np

from bayescale.blocks import NO_BLOCKS, Blocks
from bayescale.compiled import give_pytensor_a_home
from bayescale.errors import InputError
from bayescale.layout import layout, starting_point
from bayescale.model import Model
from bayescale.words import shown


class JaxDensity:
    """Log density, with its gradient, of the flat vector of `layout`; what `machine_code.LogDensity` is, by JAX.

    Parameters
    ----------
    function : callable
        From a vector to its log density and gradient, compiled.
    size : int
        Length of the vector.
    blocks : Blocks, optional
        Linear maps of parts of the vector; the density is then that of the vector before them.
    """

    def __init__(self, function: Any, size: int, blocks: Blocks = NO_BLOCKS):
        self._function = function
        self.size = size
        self.blocks = blocks

    def through(self, blocks: Blocks) -> "JaxDensity":
        """Return the density of vectors that these blocks turn into those of `layout`."""
        return JaxDensity(self._function, self.size, blocks)

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Log density, up to a constant, and its gradient."""
        value, gradient = self._function(self.blocks.turn(np.asarray(x, float)))
        return float(value), self.blocks.pull(np.asarray(gradient, float))

    def values(self, points: np.ndarray) -> np.ndarray:
        """Log densities of the rows of a matrix."""
        return np.array([self(point)[0] for point in points])


def jax_density(model: Model) -> JaxDensity:
    """Return the log density of a model, compiled by JAX.

    Parameters
    ----------
    model : Model
        Any model whose graph JAX knows.

    Returns
    -------
    JaxDensity
        A function of the flat vector.

    Raises
    ------
    InputError
        JAX is not installed, or cannot compile this model: a function that it lacks, or `Model.cluster`.
    """
    try:
        import jax
    except Exception as error:  # not there, or not of one piece
        raise InputError(
            f"backend='jax' needs JAX, which does not start ({shown(str(error))}): pip install 'bayescale[jax]', or "
            "fit with backend='numba', which is the default."
        ) from None

    from bayescale.graph import compile_mode, to_pymc

    give_pytensor_a_home()
    with warnings.catch_warnings():
        # An assertion that shapes may be broadcast; JAX checks shapes itself while it compiles.
        warnings.filterwarnings("ignore", "Skipping Assert", UserWarning)
        try:
            value_grad: Any = to_pymc(model).logp_dlogp_function(ravel_inputs=True, mode=compile_mode("JAX"))
            function = value_grad._pytensor_function
            shared = [jax.device_put(variable.get_value()) for variable in function.maker.fgraph.inputs[1:]]
            compiled = function.vm.jit_fn
            density = JaxDensity(lambda x: compiled(x, *shared), sum(free.size for free in layout(model)))
            density(starting_point(model, np.random.default_rng(0)))  # compiles
        except (NotImplementedError, TypeError, IndexError):  # a function it lacks, or a shape that depends on data
            what = " with runs that go together (cluster=)" if model.cluster else ""
            raise InputError(
                f"JAX cannot compile {model.law.name}{what}; fit with backend='numba', which is the default."
            ) from None
    return density
