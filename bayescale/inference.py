"""Model to posterior: compile once, sample, judge, and try again more carefully where the first try fails."""

import os
import sys
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from bayescale.blocks import NO_BLOCKS, find_blocks
from bayescale.diagnostics import Diagnostics, diagnose, diagnose_weights
from bayescale.errors import ConvergenceWarning, InputError
from bayescale.given import check_kind, whole_number
from bayescale.importance import RefusedError, weigh
from bayescale.jax_code import JaxDensity, jax_density
from bayescale.layout import layout, prior_point, starting_point, unpack
from bayescale.machine_code import LogDensity, log_density
from bayescale.memory import warn_if_large
from bayescale.model import PARTIAL, Model
from bayescale.modes import STARTS, Mode, find_modes, group_chains, log_evidence
from bayescale.posterior import Posterior
from bayescale.progress import waiting, wanted
from bayescale.storage import versions
from bayescale.streams import stream
from bayescale.words import shown

LOW_RANK_LIMIT = 150  # beyond this many dimensions a low-rank mass matrix costs more than it brings
METHODS = NUTS, FAST = "nuts", "fast"
BACKENDS = NUMBA, JAX = "numba", "jax"
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
    method: str = NUTS,
    backend: str = NUMBA,
    retry: bool = True,
) -> Posterior:
    """Draw from the posterior of a model.

    Sampling is NUTS (nutpie). A first try that does not converge is repeated, with more draws where only they are
    missing and else with smaller steps, then with a diagonal mass matrix; the best try is returned, and what was tried
    is kept in it.

    A law that may have several modes is first climbed from many starting points; every mode found that is worth it gets
    chains of its own, and where chains do not mix, draws of the modes are combined by their evidence (bridge sampling).
    `Diagnostics.modes` tells their weights.

    ``method="fast"`` tries independent draws first, weighed points around the mode (`importance`): a tenth of the time,
    for many small fits. It falls back to NUTS where a law may have several modes, groups are partially pooled, the
    climb ends short of the mode, or the weights fail their own test (Pareto k-hat of 0.7 or more, too few effective
    draws). The print says which it was.

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
    method : str
        ``"nuts"``, or ``"fast"``: weighed points where they pass their test, else NUTS.
    backend : str
        What compiles the log density: ``"numba"``, or ``"jax"`` (``pip install "bayescale[jax]"``) for a device that
        JAX drives. The posterior is the same; on a processor JAX is slower.
    retry : bool
        Whether a try of NUTS that does not converge is repeated; without, it is given as it is, marked.

    Returns
    -------
    Posterior
        Draws, model and diagnostics. Not converged: a `ConvergenceWarning` says so, and every answer repeats it.
        Interrupted by Ctrl-C: the draws until then, so marked.

    Raises
    ------
    InputError
        Settings out of range, or JAX is asked for and cannot serve.
    """
    check_kind("model", model, Model, "Write bs.Model('chinchilla', runs).")
    _check_settings(draws, tune, chains, target_accept, seed, method, backend)
    seed = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else int(seed)
    progress = wanted(progress)
    info: dict[str, Any] = {
        "seed": seed,
        "settings": {
            "draws": draws,
            "tune": tune,
            "chains": chains,
            "target_accept": target_accept,
            "method": method,
            "backend": backend,
        },
        "versions": versions(),
    }
    with _one_thread():
        with waiting(f"compiling {model.law.name}, once for its kind of model", progress):
            logp = jax_density(model) if backend == JAX else log_density(model)
        if method == FAST:
            try:
                return _fit_fast(model, logp, seed, (chains, draws), info)
            except RefusedError as refused:
                info["refused"] = str(refused)
        size = sum(free.size for free in layout(model))
        kept = chains * draws
        warn_if_large(2 * size * kept, f"{kept:,} draws of {size:,} parameters", "Keep fewer draws= (--draws).")
        first = _Attempt(
            "low_rank" if size <= LOW_RANK_LIMIT else "diag",
            target_accept or (0.9 if model.group and size <= LOW_RANK_LIMIT else 0.8),  # blocks make groups round
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
        tried, interrupted = [str(first)], trace.diagnostics.interrupted
        while retry and not (trace.diagnostics.converged or interrupted):
            attempt = _next_attempt(first, len(tried), trace.diagnostics, model.law.multimodal)
            if attempt is None:
                break
            try:
                trace = sample(model, logp, attempt, _next_seed(seed, len(tried)), chains, progress, cores)
            except KeyboardInterrupt:  # nothing drawn yet in this try: the tries before it stand
                tried, interrupted = [*tried, f"{attempt}, interrupted"], True
                break
            tried, interrupted = [*tried, str(attempt)], trace.diagnostics.interrupted
            best = min(best, trace, key=lambda t: _rank(t.diagnostics))
    if not best.diagnostics.converged:
        warnings.warn(f"The fit of {model.law.name} is {best.diagnostics}.", ConvergenceWarning, stacklevel=2)
    return Posterior.from_draws(
        model,
        unpack(model, best.x),
        best.stats,
        best.diagnostics,
        info
        | {
            "sampler": f"nutpie NUTS, {best.attempt}",
            "attempts": tried,
            "interrupted": interrupted,
            "tune": best.attempt.tune,
        },
    )


def whole(posterior: Posterior) -> Posterior:
    """Return a fit that is one step of a longer work; where the user stopped it, the work stops too.

    Raises
    ------
    KeyboardInterrupt
        The fit was interrupted: draws cut short would spoil what is made of several fits.
    """
    if posterior.diagnostics.interrupted or posterior.info.get("interrupted"):
        raise KeyboardInterrupt
    return posterior


def _check_settings(draws, tune, chains, target_accept, seed, method, backend):
    for name, value, known in (("method", method, METHODS), ("backend", backend, BACKENDS)):
        if not (isinstance(value, str) and value in known):
            raise InputError(f"{name} must be {' or '.join(map(repr, known))}; {shown(value)} was given.")
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
    nutpie = _nutpie()
    blocks = find_blocks(model, logp) if model.group and logp.size > LOW_RANK_LIMIT else NO_BLOCKS

    def start(chain_seed: int) -> np.ndarray:
        rng = np.random.default_rng(chain_seed)
        x = starting_point(model, rng) if mode is None else mode.x + rng.uniform(-0.05, 0.05, logp.size)
        return blocks.undo(x)

    turned = logp.through(blocks)
    compiled = _called(turned, start) if isinstance(turned, JaxDensity) else _sampled(turned, start)
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
            try:
                trace, interrupted = sampler.abort(), True
            except ValueError:  # sampling had just ended, and its draws were being read
                raise KeyboardInterrupt from None
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


def _fit_fast(model, logp, seed, shape, info) -> Posterior:
    """Draws from weighted points; raises `RefusedError` where they cannot be relied on."""
    if model.law.multimodal:
        raise RefusedError(f"{model.law.name} may have several modes")
    if PARTIAL in model.pooling.values():
        raise RefusedError("groups that share strength have no mode that stands for them")
    rng = stream("importance", seed)
    found = weigh(logp, [starting_point(model, rng), prior_point(model, rng)], rng, logp.values)
    verdict = diagnose_weights(_named(model, found.points), found.weights, found.pareto_k)
    if not verdict.converged:
        raise RefusedError("; ".join(verdict.problems))
    x = found.resample(shape[0] * shape[1], rng).reshape(*shape, -1)
    stats = {
        "diverging": np.zeros(shape, dtype=bool),
        "energy": np.full(shape, np.nan),
        "n_steps": np.zeros(shape, int),
    }
    info = info | {"sampler": f"importance sampling, {len(found.points)} points", "attempts": []}
    return Posterior.from_draws(model, unpack(model, x), stats, verdict, info)


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


def _nutpie() -> Any:
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
    return nutpie


def _sampled(logp: LogDensity, start: Callable[[int], np.ndarray]):
    """What nutpie samples: compiled code by its address, so that no thread waits for the interpreter."""
    from nutpie.sample import CompiledModel

    _lib = import_module("nutpie._lib")
    density, expand, facts = logp.addresses

    class Compiled(CompiledModel):
        @property
        def n_dim(self):
            return logp.size

        @property
        def shapes(self):
            return {"x": (logp.size,)}

        @property
        def coords(self):
            return {}

        def _make_sampler(self, settings, init_mean, cores, *others):
            sizes: dict[str, int] = {}  # filled by the next line
            variables = _lib.PyVariable.new_variables(["x"], ["float64"], [(logp.size,)], sizes, {})
            model = _lib.PyMcModel(
                _lib.LogpFunc(density, facts, logp),
                _lib.ExpandFunc(logp.size, logp.size, expand, facts, logp),
                variables,
                logp.size,
                sizes,
                {},
                start,
                None,
            )
            return _lib.PySampler.from_pymc(settings, cores, model, *others)

    return Compiled(dims={})


def _called(logp: JaxDensity, start: Callable[[int], np.ndarray]):
    """What nutpie samples where the density is a Python function."""
    from nutpie import compiled_pyfunc

    return compiled_pyfunc.from_pyfunc(
        logp.size,
        lambda: logp,
        lambda *_: lambda x: {"x": logp.blocks.turn(x)},
        [np.dtype(float)],
        [(logp.size,)],
        ["x"],
        make_initial_point_fn=start,
    )
