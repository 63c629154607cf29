"""Many fits through one function: in a pool of processes or on a cluster, resumable, the same as each alone."""

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bayescale.errors import ConvergenceWarning, InputError
from bayescale.inference import NUMBA, NUTS, fit
from bayescale.model import Model
from bayescale.posterior import Posterior, open_posterior
from bayescale.runs import hash_runs
from bayescale.storage import versions
from bayescale.tasks import Outcome, digest, run_many
from bayescale.words import listed


class _Fit(NamedTuple):
    """One task: what to fit, and how."""

    model: Model
    settings: Mapping[str, Any]
    cores: int | None


class _PosteriorKeeper:
    """A posterior's own file; what it depends on is in its name and, checked at reading, in itself."""

    suffix = ".nc"

    def __init__(self, laws: Mapping[str, Any]):
        self.laws = laws

    def write(self, path: Path, key: str, value: Posterior) -> None:
        """Write it, whole or not at all."""
        value.save(path)

    def read(self, path: Path, key: str) -> Posterior:
        """Read it back; raise `InputError` if the file is damaged or is another's."""
        posterior = open_posterior(path, self.laws[key])
        settings = dict(posterior.info.get("settings", {})) | {"seed": posterior.info.get("seed")}
        if _key(posterior.model, settings) != key:
            raise InputError(f"{str(path)!r} holds the fit of another model, or other settings.")
        return posterior


def fit_many(
    models: Mapping[str, Model] | Sequence[Model],
    *,
    seed: int | Sequence[int] = 0,
    method: str = NUTS,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    target_accept: float | None = None,
    backend: str = NUMBA,
    workers: int | None = None,
    client: Any = None,
    folder: str | os.PathLike[str] | None = None,
    progress: bool | None = None,
    each: Callable[[Outcome], object] | None = None,
) -> list[Outcome]:
    """Fit many models; a fit that fails is reported, and an interrupted sweep goes on where it was.

    Parameters
    ----------
    models : mapping of str to Model, or sequence of Model
        What to fit; a sequence's are called ``"0"``, ``"1"``, ...
    seed : int or sequence of int
        Of every fit, as `fit` takes it, or one for each.
    method, draws, tune, chains, target_accept, backend
        As `fit` takes them. ``method="fast"`` is made for many small fits.
    workers : int, optional
        Processes; by default as many as there are processors. Each compiles a kind of model once. 1: in this process.
    client : distributed.Client, optional
        Fit on this Dask cluster instead (``pip install "bayescale[cluster]"``).
    folder : path, optional
        Keep every posterior here as soon as it is there; a fit of the same model, runs, settings and versions that is
        there already is read and not made again.
    progress : bool, optional
        Tell what is done and how long the rest may take; by default only on a terminal.
    each : callable, optional
        Called with every `Outcome` as soon as it is there.

    Returns
    -------
    list of Outcome
        In the order of the models: ``value``, a `Posterior`, the same as `fit` gives, to the bit; or ``error``, why
        there is none. Fits that did not converge are named in one `ConvergenceWarning`.

    Raises
    ------
    InputError
        The folder cannot be used, or the numbers of seeds and models differ.

    Examples
    --------
    >>> import bayescale as bs
    >>> fits = bs.fit_many({"a": model_a, "b": model_b}, method="fast", folder="fits")  # doctest: +SKIP
    >>> {f.name: f.error or f.value.converged for f in fits}  # doctest: +SKIP
    """
    named = dict(models) if isinstance(models, Mapping) else {str(i): model for i, model in enumerate(models)}
    seeds = [seed] * len(named) if isinstance(seed, int) else list(seed)
    if len(seeds) != len(named):
        raise InputError(f"{len(seeds)} seeds were given for {len(named)} models.")
    common = {
        "draws": draws,
        "tune": tune,
        "chains": chains,
        "target_accept": target_accept,
        "method": method,
        "backend": backend,
    }
    cores = None if workers == 1 and client is None else 1  # one process each: no threads beside
    tasks = {
        name: _Fit(model, {**common, "seed": one}, cores)
        for (name, model), one in zip(named.items(), seeds, strict=True)
    }
    laws = {_task_key(task): task.model.law for task in tasks.values()} if folder is not None else {}
    fits = run_many(
        _fit_one,
        tasks,
        workers=workers,
        client=client,
        folder=folder,
        key=_task_key,
        keeper=_PosteriorKeeper(laws),
        progress=progress,
        each=each,
    )
    if doubtful := [one.name for one in fits if one.value is not None and not one.value.converged]:
        warnings.warn(
            f"{len(doubtful)} of {len(fits)} fits have not converged: {listed(doubtful)}.",
            ConvergenceWarning,
            stacklevel=2,
        )
    return fits


def _fit_one(task: _Fit) -> Posterior:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # said once, of all
        posterior = fit(task.model, progress=False, cores=task.cores, **task.settings)
    if posterior.diagnostics.interrupted:
        raise KeyboardInterrupt
    return posterior


def _task_key(task: _Fit) -> str:
    return _key(task.model, task.settings)


def _key(model: Model, settings: Mapping[str, Any]) -> str:
    """Hash of all that a posterior depends on."""
    return digest(model.to_dict(), hash_runs(model.runs), dict(settings), versions())
