"""Runs whose errors go together: checkpoints of one training run, or all runs of one budget.

What is special about a cluster (its seed, its learning rate, the order of its data) moves all its runs alike. Each
cluster has an offset from the law, Normal on the scale of the noise with a learnt standard deviation ``omega``; the
offset is integrated out in closed form. With Student-t noise offset and scatter have one common random scale in each
cluster, so that a whole cluster may be an outlier: its runs are jointly a multivariate t.

A run of a cluster that was not fitted has a new offset: by itself it scatters by ``sigma`` and ``omega`` in quadrature,
which is the `Noise.scale` of a clustered noise. This module holds what several runs of one cluster do together.
"""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayescale import ops
from bayescale.errors import BayescaleWarning, InputError
from bayescale.noise import Noise, Normal, Student
from bayescale.numerals import missing_in
from bayescale.words import quoted, rows_that_are_not

FEW_CLUSTERS = 5
EARLIER, OTHERS = "earlier", "others"


def read_cluster(cluster: str | None, noise: Noise, runs: pd.DataFrame, response: str) -> Noise:
    """Check the column of clusters, and give the noise their offsets.

    Raises
    ------
    InputError
        No such column, missing labels, or a noise whose runs cannot be taken together.
    """
    if cluster is None:
        return replace(noise, clustered=False)
    if not isinstance(noise, Normal | Student):
        raise InputError(
            f"cluster={cluster!r} goes with noise 'student' or 'normal', alone or with '+size'; {noise} was given."
        )
    if cluster not in runs.columns or cluster == response:
        raise InputError(
            f"cluster names the column whose values are runs that share an offset; {cluster!r} is "
            f"{'the response' if cluster == response else 'none'}. Columns: {quoted(runs.columns)}."
        )
    labels: Any = runs[cluster]
    if (missing := np.flatnonzero(missing_in(labels))).size:
        raise InputError(
            f"Column {cluster!r} must name the cluster of each run; {rows_that_are_not(missing, len(runs))}."
        )
    return replace(noise, clustered=True)


def doubt_clusters(cluster: str, index: np.ndarray) -> None:
    """Warn where the runs can hardly tell offsets from scatter."""
    sizes = np.bincount(index)
    if (sizes > 1).sum() >= FEW_CLUSTERS:
        return
    warnings.warn(
        f"{int((sizes > 1).sum())} of {len(sizes)} clusters of {cluster!r} have several runs: how large their offsets "
        "are comes mostly from the prior of omega.",
        BayescaleWarning,
        stacklevel=3,
    )


def cluster_index(runs: pd.DataFrame, cluster: str, group: str | None) -> np.ndarray:
    """Number of each run's cluster, from 0; a cluster is of one group.

    Raises
    ------
    InputError
        The table lacks the column.
    """
    if cluster not in runs.columns:
        raise InputError(f"The fitted runs have a column {cluster!r} of clusters; these runs have none: add it.")
    columns = [cluster] if group is None or group == cluster else [group, cluster]
    return runs.groupby(columns, sort=False, observed=True).ngroup().to_numpy().astype("int64")


def given(
    what: str, noise: Noise, response, location: xr.DataArray, params: Mapping[str, Any], facts, index: np.ndarray
) -> tuple[Noise, xr.DataArray, dict[str, Any], dict[str, Any]]:
    """What is expected of each run once other runs of its cluster are known.

    Parameters
    ----------
    what : str
        `EARLIER`: given the runs of its cluster that stand before it in the table, so that densities multiply to that
        of all runs together, and transforms to the normal are independent. `OTHERS`: given all others of its cluster.
    noise : Noise
        A clustered one.
    response : DataArray
        Measured, dim ``run``.
    location, params, facts
        As `Posterior.at_runs` gives them.
    index : ndarray
        Cluster of each run.

    Returns
    -------
    noise, location, params, facts
        The same noise without clusters, about a shifted law with another scale (and more degrees of freedom): its
        ``log_density`` and ``cdf`` at these are the conditional ones.

    Notes
    -----
    Normal: the offset given residuals ``r_i`` of scales ``s_i`` has precision ``P = 1 / omega**2 + sum 1 / s_i**2`` and
    mean ``sum(r_i / s_i**2) / P``. Student-t: scales grow by ``sqrt((nu + Q) / (nu + n))`` and degrees of freedom by
    the ``n`` known runs, ``Q`` being their squared distance from the law [1]_.

    References
    ----------
    .. [1] Kotz & Nadarajah (2004), Multivariate t Distributions and Their Applications, section 1.11.
    """
    r = noise.deviation(response, location).transpose("chain", "draw", "run")
    scale, omega, nu = (
        (value + 0 * r).transpose("chain", "draw", "run").to_numpy()
        for value in (noise.own_scale(params, facts), params["omega"], params.get("nu", 1.0))
    )
    shift, width, known, distance = _by_cluster(what, r.to_numpy(), scale, omega, index)
    told: dict[str, Any] = {}
    if isinstance(noise, Student):
        told["nu"] = xr.DataArray(nu + known, dims=r.dims)
        width = width * np.sqrt((nu + distance) / (nu + known))
    told["sigma"] = xr.DataArray(width, dims=r.dims)
    moved = xr.DataArray(shift, dims=r.dims)
    moved = location * np.exp(moved) if noise.on_log else location + moved
    return replace(noise, clustered=False, by_size=False), moved, told, {}


def apart(values: np.ndarray, scale: np.ndarray, omega: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values less what earlier runs of their cluster foretell of them, and the scale of what is left.

    Of residuals that is independent scatter; of slopes ``J`` it is what counts as evidence: ``J' S**-1 J`` is the sum
    of squares of what is left over its scale, ``S`` being the covariance of the runs. Shapes (..., run).
    """
    mean, width, *_ = _by_cluster(EARLIER, values, scale, omega, index)
    return values - mean, width


def _by_cluster(what: str, r, scale, omega, index: np.ndarray):
    """`_condition` for each cluster; arrays of the shape of ``r``, run last."""
    found = tuple(np.empty(r.shape) for _ in range(4))
    for members in (np.flatnonzero(index == c) for c in range(index.max() + 1)):
        at = (..., members)
        for whole, part in zip(found, _condition(what, r[at], scale[at], omega[at]), strict=True):
            whole[at] = part
    return found


def _condition(what: str, r, scale, omega):
    """Of the runs of one cluster (last axis): conditional mean, scale, and how many are known at what distance."""
    precision = scale**-2
    n = r.shape[-1]

    def known(x):
        before = np.cumsum(x, axis=-1) - x
        return before if what == EARLIER else x.sum(axis=-1, keepdims=True) - x

    of_offset = omega**-2 + known(precision)
    mean = known(precision * r) / of_offset
    width = np.sqrt(scale**2 + 1 / of_offset)
    distance = known(precision * r**2) - known(precision * r) ** 2 / of_offset
    count = np.arange(n) if what == EARLIER else np.full(n, n - 1)
    return mean, width, count, np.maximum(distance, 0.0)


def draw(rng: np.random.Generator, noise: Noise, location, params: Mapping[str, Any], facts, index: np.ndarray):
    """Draw measured responses, runs of one cluster together; dims of ``location``, ``run`` last."""
    like = location.transpose("chain", "draw", "run")
    clusters = (*like.shape[:2], int(index.max()) + 1)
    apart = (noise.own_scale(params, facts) + 0 * like) * xr.DataArray(rng.standard_normal(like.shape), dims=like.dims)
    offset = rng.standard_normal(clusters)[..., index]
    deviation = params["omega"] * xr.DataArray(offset, dims=like.dims) + apart
    if isinstance(noise, Student):
        nu = (params["nu"] + 0 * like).transpose("chain", "draw", "run").to_numpy()
        first = np.unique(index, return_index=True)[1]
        common = rng.chisquare(nu[..., first])[..., index]
        deviation = deviation * xr.DataArray(np.sqrt(nu / common), dims=like.dims)
    return like * np.exp(deviation) if noise.on_log else like + deviation


def to_pymc(name: str, noise: Noise, mu, params: Mapping[str, Any], facts: Mapping[str, Any], observed) -> Any:
    """Add the observed response of all runs to the PyMC model in context; ``facts`` has their ``cluster_index``."""
    import pymc as pm
    import pytensor.tensor as pt

    every = pt.zeros_like(mu)
    scale, omega = noise.own_scale(params, facts) + every, params["omega"] + every
    nu = [params["nu"] + every] if isinstance(noise, Student) else []
    index = facts["cluster_index"]
    log_gamma: Any = pt.gammaln

    def log_density(value, mu, scale, omega, *nu_and_index: Any):
        *nu, index = nu_and_index

        def total(x) -> Any:
            of_clusters: Any = pt.zeros(index.max() + 1)
            return pt.inc_subtensor(of_clusters[index], x)

        precision, r = scale**-2, value - mu
        runs = total(pt.ones_like(r))
        told = total(omega**2) / runs  # one omega in each cluster
        weighed, inflation = total(precision * r), 1 + told * total(precision)
        distance = total(precision * r**2) - told * weighed**2 / inflation
        spread: Any = total(ops.log(scale**2)) + ops.log(inflation)
        if not nu:
            each: Any = distance + spread + runs * np.log(2 * np.pi)
            return pt.sum(-0.5 * each)
        free: Any = total(nu[0]) / runs
        half: Any = (free + runs) / 2
        norm = log_gamma(half) - log_gamma(free / 2) - 0.5 * runs * ops.log(np.pi * free)
        return pt.sum(norm - 0.5 * spread - half * ops.log1p(distance / free))

    def random(mu, scale, omega, *nu_and_index, rng, size):
        *nu, index = nu_and_index
        index = index.astype("int64")
        shape = (*(size or ()), *np.shape(mu))
        clusters = (*shape[:-1], index.max() + 1)
        drawn = omega * rng.standard_normal(clusters)[..., index] + scale * rng.standard_normal(shape)
        if nu:
            first = np.unique(index, return_index=True)[1]
            drawn = drawn * np.sqrt(nu[0] / rng.chisquare(nu[0][..., first], clusters)[..., index])
        return mu + drawn

    inputs = ",".join(["(n)"] * (4 + len(nu)))
    return pm.CustomDist(
        name,
        mu,
        scale,
        omega,
        *nu,
        index,
        logp=log_density,
        random=random,
        signature=f"{inputs}->(n)",
        observed=observed,
    )
