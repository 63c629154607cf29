"""The log density of a model as machine code: compiled once for models of one structure, kept in memory and on disk.

PyMC and PyTensor write the function; Numba compiles it, inside a wrapper that a sampler calls by its address. All that
depends on the table reaches it as arrays, so that code serves every table. On disk a structure has one small Python
file, the wrapper's text, and beside it what Numba keeps for it; where that fits, neither PyMC nor a compiler is asked.
The folder is never needed: what is missing, of other versions, cut short or not writable is compiled again.
"""

import ctypes
import math
import os
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from bayescale.blocks import NO_BLOCKS, Blocks
from bayescale.compiled import checked_files, give_pytensor_a_home
from bayescale.errors import InputError
from bayescale.files import replacing
from bayescale.layout import layout, starting_point
from bayescale.model import Model
from bayescale.structure import graph_data, graph_structure, structure_key

KEPT = 64  # structures in memory
_PACKAGES = ("pymc", "pytensor", "numba", "llvmlite")
_FAILED = -1  # what the code returns where it raised; the sampler stops

_SIGNATURE = ctypes.CFUNCTYPE(
    ctypes.c_int64, ctypes.c_uint64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p
)
# Values are copied one by one: slices compile slowly. The last two arrays are those of `Blocks`.
_TEXT = """SIZE = {size}
DATA = {data!r}


def logp(size, x_, gradient_, value_, facts_):
    if size != {size}:
        return {failed}
    try:
        f = carray(facts_, ({facts},), intp)
{arrays}
        place = carray(pointer(f[{place}]), (f[{place} + 1], f[{place} + 2]), int64)
        mix = carray(pointer(f[{place} + 3]), (f[{place} + 4], f[{place} + 5], f[{place} + 6]), float64)
        x = empty({size})
        for i in range({size}):
            x[i] = x_[i]
        for b in range(place.shape[0]):
            for i in range(place.shape[1]):
                total = 0.0
                for j in range(place.shape[1]):
                    total += mix[b, i, j] * x_[place[b, j]]
                x[place[b, i]] = total
        value, gradient = inner({names})
        number = value.item()
        value_[0] = number
        finite = isfinite(number)
        for i in range({size}):
            gradient_[i] = gradient[i]
            finite = finite and isfinite(gradient[i])
        for b in range(place.shape[0]):
            for j in range(place.shape[1]):
                total = 0.0
                for i in range(place.shape[1]):
                    total += mix[b, i, j] * gradient[place[b, i]]
                gradient_[place[b, j]] = total
        return 0 if finite else 3
    except Exception:
        return {failed}


def expand(size, expanded, x_, draw_, facts_):
    f = carray(facts_, ({facts},), intp)
    place = carray(pointer(f[{place}]), (f[{place} + 1], f[{place} + 2]), int64)
    mix = carray(pointer(f[{place} + 3]), (f[{place} + 4], f[{place} + 5], f[{place} + 6]), float64)
    for i in range({size}):
        draw_[i] = x_[i]
    for b in range(place.shape[0]):
        for i in range(place.shape[1]):
            total = 0.0
            for j in range(place.shape[1]):
                total += mix[b, i, j] * x_[place[b, j]]
            draw_[place[b, i]] = total
    return 0
"""

_lock = threading.RLock()
_codes: dict[tuple, "_Code"] = {}


@dataclass(frozen=True)
class _Code:
    """Compiled functions, and the arrays that they take: name and dtype, in order."""

    size: int
    data: tuple[tuple[str, str], ...]
    logp: Any
    expand: Any


class LogDensity:
    """Log density, with its gradient, of the flat vector of `layout`: compiled code with one table's numbers bound.

    Parameters
    ----------
    code : _Code
        What was compiled.
    data : mapping of str to ndarray
        `structure.graph_data` of the model.
    blocks : Blocks, optional
        Linear maps of parts of the vector; the density is then that of the vector before them.
    """

    def __init__(self, code: _Code, data: Mapping[str, np.ndarray], blocks: Blocks = NO_BLOCKS):
        self._code = code
        self._data = data
        self._arrays = [np.array(data[name], dtype, order="C") for name, dtype in code.data]
        self._arrays += [np.array(blocks.place, np.int64, order="C"), np.array(blocks.mix, float, order="C")]
        facts = [fact for array in self._arrays for fact in (array.ctypes.data, *array.shape)]
        self._facts = np.array(facts, np.intp)
        self._function = _SIGNATURE(code.logp.address)

    @property
    def size(self) -> int:
        """Length of the flat vector."""
        return self._code.size

    def through(self, blocks: Blocks) -> "LogDensity":
        """Return the density of vectors that these blocks turn into those of `layout`; draws come out as the latter."""
        return LogDensity(self._code, self._data, blocks)

    @property
    def addresses(self) -> tuple[int, int, int]:
        """Of the density, of the function that copies the vector into a draw, and of the numbers both are given."""
        return self._code.logp.address, self._code.expand.address, self._facts.ctypes.data

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Log density, up to a constant, and its gradient; safe to call from several threads."""
        x = np.ascontiguousarray(x, float)
        value, gradient = np.empty(1), np.empty(self.size)
        status = self._function(x.size, x.ctypes.data, gradient.ctypes.data, value.ctypes.data, self._facts.ctypes.data)
        if status == _FAILED:
            raise RuntimeError("The compiled log density failed; remove the folder of compiled code and try again.")
        return float(value[0]), gradient

    def values(self, points: np.ndarray) -> np.ndarray:
        """Log densities of the rows of a matrix, without their gradients: less than half the time of calls."""
        points = np.ascontiguousarray(points, float)
        values, gradient = np.empty(len(points)), np.empty(self.size)
        first, into, step = points.ctypes.data, values.ctypes.data, points.strides[0]
        slope, facts, function = gradient.ctypes.data, self._facts.ctypes.data, self._function
        for i in range(len(points)):
            if function(self.size, first + i * step, slope, into + i * values.itemsize, facts) == _FAILED:
                raise RuntimeError("The compiled log density failed; remove the folder of compiled code and try again.")
        return values


def log_density(model: Model) -> LogDensity:
    """Return the log density of a model, compiled if no model of its structure was before.

    Parameters
    ----------
    model : Model
        Any model.

    Returns
    -------
    LogDensity
        A function of the flat vector.
    """
    structure = graph_structure(model)
    with _lock, checked_files():
        code = _codes.get(structure)
        density = LogDensity(code, graph_data(model)) if code else _find(model)
        while len(_codes) >= KEPT:
            _codes.pop(next(iter(_codes)))
        _codes[structure] = density._code
    return density


def cache_folder() -> Path:
    """Return the folder of compiled code for the versions in use, under ``BAYESCALE_CACHE`` or the platform's cache."""
    import pooch

    root = Path(os.environ.get("BAYESCALE_CACHE") or pooch.os_cache("bayescale"))
    return root / "-".join(["checked", *_versions()])


@cache
def _versions() -> tuple[str, ...]:
    return tuple(f"{name}-{version(name)}" for name in _PACKAGES)


def _find(model: Model) -> LogDensity:
    """From disk if it is there and works, else compiled."""
    key, folder = structure_key(model), _writable(cache_folder())
    data, x = graph_data(model), starting_point(model, np.random.default_rng(0))
    path = folder / f"m{key}.py" if folder and key else None
    if path and path.exists():
        try:
            with _shim():
                density = LogDensity(_load(path.read_text(), path, None), data)
            if density.size == x.size:
                density(x)
                return density
        except Exception:  # whatever is wrong with what was kept, it is made again
            _remove(path)
    density = LogDensity(_compile(model, path, folder), data)
    density(x)  # looks up library functions, which sampling threads are spared
    return density


def _writable(folder: Path) -> Path | None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def _remove(path: Path) -> None:
    for kept in (path, *path.parent.glob(f"__pycache__/{path.stem}.*")):
        kept.unlink(missing_ok=True)


# --- compiling --------------------------------------------------------------------------------------------------------


def _compile(model: Model, path: Path | None, folder: Path | None) -> _Code:
    """Have PyTensor write the function and Numba compile it.

    Floating-point sums are not reordered: cold and warm agree to the bit.
    """
    give_pytensor_a_home()
    import pytensor

    from bayescale.graph import compile_mode, to_pymc

    with _pytensor_cache(folder), pytensor.config.change_flags(numba__fastmath=False):
        value_grad: Any = to_pymc(model).logp_dlogp_function(ravel_inputs=True, mode=compile_mode("NUMBA"))
        function = value_grad._pytensor_function
        shared = function.maker.fgraph.inputs[1:]
        data = tuple((variable.name, variable.dtype, variable.ndim) for variable in shared)
        source = _source(sum(free.size for free in layout(model)), data)
        return _load(source, path if path and _keep(source, path) else None, function.vm.jit_fn)


def _keep(source: str, path: Path) -> bool:
    """Write the wrapper's text; whether that could be done."""
    try:
        with replacing(path, "compiled code", "code.py") as temporary:
            Path(temporary).write_text(source)
    except InputError:
        return False
    return True


def _source(size: int, data: tuple[tuple[str, str, int], ...]) -> str:
    """Text of the wrapper: from addresses to arrays and back."""
    lines, names, place = [], [], 0
    for k, (_, dtype, ndim) in enumerate(data):
        shape = "".join(f"f[{place + 1 + axis}], " for axis in range(ndim))
        lines.append(f"        d{k} = carray(pointer(f[{place}]), ({shape}), {dtype})")
        names.append(f"d{k}")
        place += 1 + ndim
    return _TEXT.format(
        size=size,
        data=tuple((name, dtype) for name, dtype, _ in data),
        facts=place + 7,
        place=place,
        arrays="\n".join(lines),
        names=", ".join(["x", *names]),
        failed=_FAILED,
    )


def _load(source: str, path: Path | None, inner) -> _Code:
    """Compile a wrapper about ``inner``, or find it compiled beside ``path``; without either it fails."""
    import numba
    from numba.core import types

    names: dict[str, Any] = {
        "__name__": "bayescale_code",
        "inner": inner,
        "carray": numba.carray,
        "pointer": _pointer(),
        "isfinite": math.isfinite,
        "empty": np.empty,
        "intp": np.intp,
        "int64": np.int64,
        "float64": np.float64,
    }
    exec(compile(source, str(path or "<bayescale>"), "exec"), names)
    names |= {dtype: np.dtype(dtype).type for _, dtype in names["DATA"]}
    number, whole = types.CPointer(types.double), types.uint64
    with warnings.catch_warnings():
        # Some functions of SciPy cannot be kept: they are then compiled in every process.
        warnings.filterwarnings("ignore", "Cannot cache compiled function", numba.NumbaWarning)
        logp = numba.cfunc(types.int64(whole, number, number, number, types.voidptr), cache=path is not None)
        expand = numba.cfunc(types.int64(whole, whole, number, number, types.voidptr), cache=path is not None)
        return _Code(names["SIZE"], names["DATA"], logp(names["logp"]), expand(names["expand"]))


@cache
def _pointer():
    """A Numba function from an address to a pointer."""
    from numba.core import cgutils, types
    from numba.extending import intrinsic

    @intrinsic
    def pointer(typing_context, address):
        def generate(context, builder, signature, arguments):
            return builder.inttoptr(arguments[0], cgutils.voidptr_t)

        return types.voidptr(address), generate

    return pointer


@contextmanager
def _shim() -> Iterator[None]:
    """Let Numba find the module that functions without one name: PyTensor's generated ones, when read from disk."""
    name = "<dynamic>"
    if name in sys.modules:
        yield
        return
    sys.modules[name] = ModuleType(name)
    try:
        yield
    finally:
        del sys.modules[name]


@contextmanager
def _pytensor_cache(folder: Path | None) -> Iterator[None]:
    """Have PyTensor keep its own pieces in our folder, or nothing where it cannot be written."""
    import pytensor
    from pytensor.link.numba import cache as pieces

    if folder is None:
        with pytensor.config.change_flags(numba__cache=False):
            yield
        return
    before = pieces.NUMBA_CACHE_PATH
    pieces.NUMBA_CACHE_PATH = folder
    try:
        yield
    finally:
        pieces.NUMBA_CACHE_PATH = before
