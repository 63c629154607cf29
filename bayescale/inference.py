"""Model to posterior: compile once, sample, judge, and try again more carefully where the first try fails."""

import os
import sys
import threading
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bayescale.diagnostics import Diagnostics, diagnose
from bayescale.errors import ConvergenceWarning, InputError
from bayescale.given import check_kind, whole_number
from bayescale.layout import layout, prior_point, starting_point, unpack
from bayescale.model import Model
from bayescale.modes import STARTS, Mode, find_modes, group_chains, log_evidence
from bayescale.posterior import Posterior
from bayescale.progress import waiting, wanted
from bayescale.storage import versions
from bayescale.streams import stream
from bayescale.words import shown

LOW_RANK_LIMIT = 150  # beyond this many dimensions a low-rank mass matrix costs more than it brings
KEPT_GRAPHS = 32
MODE_IGNORED = 0.005  # a mode of less weight than this is left out of the draws


@dataclass(frozen=True)
class _Attempt:
    """How one try at sampling is set up."""

    adaptation: str
    target_accept: float
    tune: int
    draws: int

    def __str__(self):
        return (
            f"{self.adaptation}, target_accept {self.target_accept:g}, {self.tune} tuning and {self.draws} kept draws"
        )


@dataclass(frozen=True)
class _Trace:
    x: np.ndarray
    stats: dict[str, np.ndarray]
    diagnostics: Diagnostics
    attempt: _Attempt


def fit(
    model: Model,
    *,
    seed: int | None = None,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    target_accept: float | None = None,
    progress: bool | None = None,
    cores: int | None = None,
) -> Posterior:
    """Draw from the posterior of a model.

    Sampling is NUTS (nutpie). A first try that does not converge is repeated, with more draws where only they are
    missing and else with smaller steps, then with a diagonal mass matrix; the best try is returned, and what was tried
    is kept in it.

    A law that may have several modes is first climbed from many starting points; every mode found that is worth it gets
    chains of its own, and where chains do not mix, draws of the modes are combined by their evidence (bridge sampling).
    `Diagnostics.modes` tells their weights.

    Parameters
    ----------
    model : Model
        What to fit.
    seed : int, optional
        The same seed gives the same draws, bit for bit, on one machine. Without one a fresh seed is drawn and kept.
    draws, tune : int
        Kept and tuning draws of each chain; a repeated try takes two or three times as many.
    chains : int
        Independent chains; at least 2, so that convergence can be judged.
    target_accept : float, optional
        Acceptance probability aimed at in the first try; higher means smaller steps.
    progress : bool, optional
        Whether to show a progress bar; by default only on a terminal.
    cores : int, optional
        Threads; by default as many as there are processors, at most one for each chain.

    Returns
    -------
    Posterior
        Draws, model and diagnostics. Not converged: a `ConvergenceWarning` says so, and every answer repeats it.
        Interrupted by Ctrl-C: the draws until then, so marked.

    Raises
    ------
    InputError
        Settings out of range.
    """
    check_kind("model", model, Model, "Write bs.Model('chinchilla', runs).")
    _check_settings(draws, tune, chains, target_accept, seed)
    seed = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else int(seed)
    progress = wanted(progress)
    with _lock, _one_thread():
        with waiting(f"compiling {model.law.name}, once for its kind of model", progress):
            logp = _compiled(model)
        size = sum(free.size for free in layout(model))
        first = _Attempt(
            "low_rank" if size <= LOW_RANK_LIMIT else "diag",
            target_accept or (0.9 if model.group else 0.8),
            tune,
            draws,
        )
        sample: Callable[..., _Trace] = _sample
        if model.law.multimodal:
            first = replace(first, adaptation="diag", target_accept=target_accept or 0.95)
            rng = stream("modes", seed)
            with waiting(f"looking for the modes of {model.law.name} from {STARTS} starts", progress):
                modes = find_modes(logp, [prior_point(model, rng) for _ in range(STARTS)])
            sample = partial(_sample_modes, modes) if modes else _sample
        best = trace = sample(model, logp, first, seed, chains, progress, cores)
        tried = [str(first)]
        while not (trace.diagnostics.converged or trace.diagnostics.interrupted):
            attempt = _next_attempt(first, len(tried), trace.diagnostics, model.law.multimodal)
            if attempt is None:
                break
            try:
                trace = sample(model, logp, attempt, _next_seed(seed, len(tried)), chains, progress, cores)
            except KeyboardInterrupt:  # nothing drawn yet in this try: the tries before it stand
                tried.append(f"{attempt}, interrupted")
                break
            tried.append(str(attempt))
            best = min(best, trace, key=lambda t: _rank(t.diagnostics))
    if not best.diagnostics.converged:
        warnings.warn(f"The fit of {model.law.name} is {best.diagnostics}.", ConvergenceWarning, stacklevel=2)
    return Posterior.from_draws(
        model,
        unpack(model, best.x),
        best.stats,
        best.diagnostics,
        {
            "seed": seed,
            "sampler": f"nutpie NUTS, {best.attempt}",
            "attempts": tried,
            "tune": best.attempt.tune,
            "settings": {"draws": draws, "tune": tune, "chains": chains, "target_accept": target_accept},
            "versions": versions(),
        },
    )


def _check_settings(draws, tune, chains, target_accept, seed):
    for name, value, least in (("draws", draws, 50), ("tune", tune, 50), ("chains", chains, 2)):
        whole_number(name, value, least)
    if target_accept is not None and not (isinstance(target_accept, int | float) and 0.5 <= target_accept < 1):
        raise InputError(f"target_accept must lie in [0.5, 1); {shown(target_accept)} was given.")
    whole = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
    if seed is not None and not (whole and 0 <= seed < 2**63):
        raise InputError(f"seed must be a whole number from 0 and below 2**63; {shown(seed)} was given.")


def _next_attempt(first: _Attempt, tried: int, found: Diagnostics, curved: bool = False) -> _Attempt | None:
    """What to try after ``tried`` tries: too few effective draws alone ask for more, the rest for smaller steps.

    Posteriors of laws that may have several modes are ``curved``: a try costs a hundred times as much, so there is one
    more, with more draws.
    """
    if curved:
        return replace(first, tune=2 * first.tune, draws=3 * first.draws) if tried == 1 else None
    if tried == 1 and not found.divergences and found.rhat < 1.05:
        return replace(first, tune=2 * first.tune, draws=3 * first.draws)
    careful = max(0.97, 1 - (1 - first.target_accept) / 3)
    if tried == 1:
        return replace(first, target_accept=careful, draws=2 * first.draws)
    if tried == 2:
        return _Attempt("diag", careful, 2 * first.tune, 3 * first.draws)
    return None


def _next_seed(seed: int, tried: int) -> int:
    """Another seed for each further try, so that a bad start is not taken again."""
    return int(np.random.SeedSequence([seed, tried]).generate_state(1)[0])


def _rank(diagnostics: Diagnostics) -> tuple:
    """Order of tries, best first."""
    return len(diagnostics.problems), diagnostics.divergences, diagnostics.rhat


@contextmanager
def _one_thread():
    """Keep BLAS to one thread: on vectors this short, waking others costs a hundred times the work."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        yield


# --- sampling ---------------------------------------------------------------------------------------------------------


def _sample(model, logp, attempt, seed, chains, progress, cores, mode: Mode | None = None) -> _Trace:
    """Run chains, from near the prior medians or from a mode."""
    nutpie, from_pyfunc = _nutpie()
    size = sum(free.size for free in layout(model))
    compiled = from_pyfunc(
        size,
        lambda: logp,
        lambda *_: lambda x: {"x": x},
        [np.dtype("float64")],
        [(size,)],
        ["x"],
        make_initial_point_fn=lambda s: (
            starting_point(model, np.random.default_rng(s))
            if mode is None
            else mode.x + np.random.default_rng(s).uniform(-0.05, 0.05, size)
        ),
    )
    sampler = nutpie.sample(
        compiled,
        draws=attempt.draws,
        tune=attempt.tune,
        chains=chains,
        cores=min(chains, cores or os.cpu_count() or 1),
        seed=seed,
        adaptation=attempt.adaptation,
        target_accept=attempt.target_accept,
        save_warmup=False,
        progress_bar=progress,
        blocking=False,
    )
    interrupted = False
    try:
        trace = sampler.wait()
    except KeyboardInterrupt:
        with warnings.catch_warnings():
            # Cut short, a trace may hold fewer draws than chains; ArviZ then asks whether its dims are named right.
            warnings.simplefilter("ignore", UserWarning)
            trace, interrupted = sampler.abort(), True
    x = trace["posterior"]["x"].to_numpy()
    stats = {
        "diverging": trace["sample_stats"]["diverging"].to_numpy(),
        "energy": trace["sample_stats"]["energy"].to_numpy(),
        "n_steps": trace["sample_stats"]["n_steps"].to_numpy(),
    }
    if interrupted:
        x, stats = _complete_part(x, stats)
    values = _named(model, x)
    return _Trace(x, stats, diagnose(values, stats, interrupted), attempt)


def _sample_modes(modes, model, logp, attempt, seed, chains, progress, cores) -> _Trace:
    """Sample from every mode worth it; combine chains that do not mix by the evidence of their modes."""
    shares = [2] * len(modes)
    shares[0] += max(0, chains - sum(shares))
    traces = []
    for k, (mode, share) in enumerate(zip(modes, shares, strict=True)):
        traces.append(_sample(model, logp, attempt, _next_seed(seed, 100 + k), share, progress, cores, mode))
        if traces[-1].diagnostics.interrupted:
            return traces[-1]
    x = np.concatenate([trace.x for trace in traces])
    stats = {name: np.concatenate([trace.stats[name] for trace in traces]) for name in traces[0].stats}
    groups = group_chains(x)
    if len(groups) == 1:
        return _Trace(x, stats, diagnose(_named(model, x), stats), attempt)
    return _combine(model, logp, attempt, x, stats, groups, stream("modes", seed))


def _combine(model, logp, attempt, x, stats, groups, rng) -> _Trace:
    """One set of draws from chains of several modes, each mode with the share of its evidence."""
    found = [log_evidence(logp, x[group].reshape(-1, x.shape[2]), rng) for group in groups]
    log_weights = np.array([value for value, _ in found])
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    order = [int(k) for k in np.argsort(-weights) if weights[k] > MODE_IGNORED]
    verdicts = []
    for k in order:
        part = {name: value[groups[k]] for name, value in stats.items()}
        verdicts.append(diagnose(_named(model, x[groups[k]]), part))
    n_chains, n_draws = x.shape[:2]
    slots = n_chains * n_draws
    counts = np.floor(weights * slots + rng.random()).astype(int)
    chosen = np.concatenate(
        [
            np.array(groups[k])[rng.permutation(counts[k]) % len(groups[k])] * n_draws
            + rng.integers(n_draws, size=counts[k])
            for k in order
        ]
    )
    chosen = rng.choice(chosen, slots, replace=len(chosen) < slots)
    verdict = replace(
        max(verdicts, key=lambda v: (len(v.problems), v.rhat)),
        rhat=max(v.rhat for v in verdicts),
        divergences=sum(v.divergences for v in verdicts),
        draws=sum(v.draws for v in verdicts),
        modes=tuple(float(weights[k]) for k in order),
        modes_error=max(found[k][1] for k in order),
    )
    flat = x.reshape(slots, -1)[chosen].reshape(x.shape)
    kept = {name: value.reshape(slots)[chosen].reshape(n_chains, n_draws) for name, value in stats.items()}
    return _Trace(flat, kept, verdict, attempt)


def _complete_part(x, stats):
    """Chains of an interrupted fit that have draws, cut to the shortest of them."""
    lengths = np.isfinite(x).all(axis=-1).sum(axis=1)
    chains = np.flatnonzero(lengths >= 10)
    if chains.size == 0:
        raise KeyboardInterrupt
    keep = int(lengths[chains].min())
    return x[chains, :keep], {name: value[chains, :keep] for name, value in stats.items()}


def _named(model, x) -> dict[str, np.ndarray]:
    """The flat vector and all natural values, by name."""
    coordinates, start = {}, 0
    for free in layout(model):
        coordinates[f"{free.name} (sampled)"] = x[..., start : start + free.size]
        start += free.size
    natural = unpack(model, x)
    for symbol in model.zero:  # what is zero by the model does not move
        natural[symbol] = natural[symbol][..., model.nonzero(symbol)]
    return coordinates | natural


def _nutpie() -> tuple[Any, Callable]:
    """Import nutpie without all of ArviZ and its plots, which it asks for at import but needs only for plotting."""
    if "arviz" in sys.modules or "nutpie" in sys.modules:
        import nutpie
    else:
        import arviz_base

        sys.modules["arviz"] = arviz_base
        try:
            import nutpie
        finally:
            del sys.modules["arviz"]
    from nutpie.compiled_pyfunc import from_pyfunc

    return nutpie, from_pyfunc


# --- compiling --------------------------------------------------------------------------------------------------------

_lock = threading.RLock()
_graphs: dict[tuple, tuple[Any, Any]] = {}


def _compiled(model: Model) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """Log density and gradient of the flat vector; a graph compiled before, for another table, serves again."""
    import pymc as pm

    from bayescale.graph import graph_data, graph_structure, to_pymc

    key = graph_structure(model)
    if key in _graphs:
        graph, function = _graphs[key]
        with graph:
            pm.set_data(graph_data(model))
    else:
        graph = to_pymc(model)
        function = _compile(graph, starting_point(model, np.random.default_rng(0)))
        while len(_graphs) >= KEPT_GRAPHS:
            _graphs.pop(next(iter(_graphs)))
        _graphs[key] = graph, function
    return _callable(function)


def _compile(graph, x: np.ndarray):
    """Compile to machine code kept on disk.

    Floating-point sums are not reordered: cold and warm agree to the bit.
    """
    import pytensor
    from pytensor.compile.mode import Mode
    from pytensor.link.numba.linker import NumbaLinker

    class FreeLinker(NumbaLinker):
        """Release the interpreter while the function runs, so that chains run side by side."""

        def jit_compile(self, fn_and_cache):
            from pytensor.link.numba.dispatch.basic import numba_njit

            fn, cache_key = fn_and_cache
            return numba_njit(fn.py_func, final_function=True, cache=cache_key is not None, nogil=True)

    from pytensor.compile import mode as modes

    numba_mode: Any = modes.NUMBA
    with _cache_folder(), pytensor.config.change_flags(numba__fastmath=False):
        value_grad = graph.logp_dlogp_function(ravel_inputs=True, mode=Mode(FreeLinker(), numba_mode._optimizer))
        function = value_grad._pytensor_function
        function.trust_input = True
        function(x)
    return function


def _callable(function):
    """Bind the data in force now; safe to call from several threads."""
    arguments = [container.storage[0] for container in function.input_storage]
    machine_code, data = function.vm.jit_fn, tuple(arguments[1:])

    def logp(x):
        value, gradient = machine_code(x, *data)
        return float(value), gradient

    return logp


@contextmanager
def _cache_folder():
    """Keep compiled functions in a folder of our own, by versions; where it cannot be written, in none."""
    import numba
    import pytensor
    from pytensor.link.numba import cache

    folder = _user_cache() / f"pytensor-{pytensor.__version__}-numba-{numba.__version__}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".writable").touch()
    except OSError:
        with pytensor.config.change_flags(numba__cache=False):
            yield
        return
    before = cache.NUMBA_CACHE_PATH
    cache.NUMBA_CACHE_PATH = folder
    try:
        yield
    finally:
        cache.NUMBA_CACHE_PATH = before


def _user_cache() -> Path:
    """``BAYESCALE_CACHE``, else the platform's cache folder."""
    import pooch

    return Path(os.environ.get("BAYESCALE_CACHE") or pooch.os_cache("bayescale"))
