"""What did the runs decide, what did the prior? Contraction, and power-scaling of prior and likelihood."""

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from bayescale.answers.common import check_asked, check_many, doubted, unconverged, warn_unless_converged
from bayescale.law import Param
from bayescale.log_prior import log_prior, prior_sd, top_level
from bayescale.posterior import Posterior
from bayescale.words import listed

MOSTLY_PRIOR = 0.3
SENSITIVE = 0.05


def sensitivity(posterior: Posterior) -> xr.Dataset:
    """How much each parameter owes to the prior.

    Parameters
    ----------
    posterior : Posterior
        A fit.

    Returns
    -------
    Dataset
        By ``parameter`` (of each group; on its unconstrained scale, the log of a positive one). ``contraction``:
        ``1 - sd / prior sd``, near 1 where the runs have decided and near 0 where the prior has. ``prior`` and
        ``likelihood``: how fast the posterior changes as that factor is raised to a power near 1 [1]_, by ArviZ's
        `psense`; above 0.05 it matters. Of pooled parameters the priors of means and spreads are scaled, not what
        groups are given those, which the runs teach. NaN where draws do not move. ``of_law``: whether it is a parameter
        of the law, rather than of the noise or the discrepancy.

    Notes
    -----
    A prior that matters is no fault: it may hold knowledge. Where prior and likelihood both matter, they may disagree.

    References
    ----------
    .. [1] Kallioinen, Paananen, Bürkner & Vehtari (2024), Stat. Comput. 34, 57.
    """
    check_asked(posterior)
    check_many(posterior)
    warn_unless_converged(posterior)
    found = contraction(posterior)
    names, free = zip(*((label, u) for label, u, _ in _each(posterior)), strict=True)
    moves = np.array([u.std() > 0 for u in free])
    scaled = _power_scaled(posterior, names, free)
    return found.assign(
        {name: ("parameter", np.where(moves, values, np.nan)) for name, values in scaled.items()}
    ).assign_attrs(
        law=posterior.model.law.name,
        converged=int(posterior.converged),
        doubts=[] if posterior.converged else [unconverged(posterior)],
    )


def contraction(posterior: Posterior) -> xr.Dataset:
    """``contraction`` and ``of_law`` by ``parameter``: see `sensitivity`."""
    model = posterior.model
    sds = {p.symbol: prior_sd(model, p) for p in model.params}
    rows = [(label, 1 - u.std() / sds[p.symbol], p in model.law.params) for label, u, p in _each(posterior)]
    labels, values, of_law = zip(*rows, strict=True)
    return xr.Dataset(
        {
            "contraction": ("parameter", np.array(values), {"units": "1"}),
            "of_law": ("parameter", np.array(of_law)),
        },
        {"parameter": np.array(labels, dtype=object)},
    )


def _each(posterior: Posterior) -> Iterator[tuple[str, np.ndarray, Param]]:
    """Label, draws on the unconstrained scale, and declaration of each parameter of each group."""
    model = posterior.model
    for p in model.params:
        value = posterior.dataset[p.symbol].transpose("chain", "draw", ...)
        if model.group not in value.dims:
            yield p.symbol, np.asarray(p.support.unconstrain(value.to_numpy())), p
            continue
        for k, group in enumerate(model.groups):
            if group not in model.zero.get(p.symbol, ()):
                yield f"{p.symbol}[{group}]", np.asarray(p.support.unconstrain(value.to_numpy()[..., k])), p


def _power_scaled(posterior: Posterior, labels: Sequence[str], free: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    from arviz_stats import psense

    # A slash would be a path in a tree of data.
    names = [f"p{k}" for k in range(len(labels))]
    prior = log_prior(posterior.model, posterior.dataset)
    tree = xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset({n: (("chain", "draw"), u) for n, u in zip(names, free, strict=True)}),
            "log_likelihood": posterior.log_likelihood().reset_coords(drop=True).to_dataset(name="response"),
            "log_prior": prior,
        }
    )
    chosen = {"prior": top_level(posterior.model), "likelihood": ["response"]}
    scaled = {}
    for group, variables in chosen.items():
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            # Draws that do not move divide zero by zero; of few draws ArviZ smooths few.
            warnings.simplefilter("ignore", RuntimeWarning)
            warnings.simplefilter("ignore", UserWarning)
            try:
                values = psense(tree, group=group, group_var_names=variables)
            except ValueError:  # its tail has one value only: so few draws differ that there is nothing to smooth
                scaled[group] = np.full(len(names), np.nan)
                continue
        scaled[group] = np.array([float(values[n]) for n in names])
    return scaled


def sensitivity_table(found: xr.Dataset) -> pd.DataFrame:
    """A line for each parameter: ``contraction``, ``prior``, ``likelihood``, and ``verdict`` in a word or two."""
    table = found[["contraction", "prior", "likelihood"]].to_dataframe()
    prior, likelihood = table["prior"] >= SENSITIVE, table["likelihood"] >= SENSITIVE
    cases = [table["contraction"] < MOSTLY_PRIOR, prior & likelihood, prior]
    table["verdict"] = np.select(cases, ["mostly prior", "pulled by both", "by prior"], "-")
    return table


def sensitivity_sentences(found: xr.Dataset) -> list[str]:
    """Say what the prior decided, what it pulls against the runs, and the remedy."""
    rows = sensitivity_table(found.isel(parameter=found["of_law"].to_numpy())).to_dict("index")
    lines = mostly_prior_sentences(found)
    verdicts = {str(name): row["verdict"] for name, row in rows.items()}
    if pulled := [name for name, verdict in verdicts.items() if verdict == "pulled by both"]:
        lines.append(
            f"Prior and runs both move {listed(pulled, 8)} (power-scaling above {SENSITIVE}): they may disagree. Look "
            "whether the prior says what you know; if it does, tell the answer with another prior beside this one."
        )
    if leaning := [name for name, verdict in verdicts.items() if verdict == "by prior"]:
        lines.append(
            f"{listed(leaning, 8)} would move with the prior more than with the runs (power-scaling above {SENSITIVE} "
            "for the prior alone), though narrower than the prior."
        )
    return doubted(found) + (lines or ["No parameter is mostly prior, and none is sensitive to it."])


def mostly_prior_sentences(found: xr.Dataset) -> list[str]:
    """Name the parameters that the runs hardly narrowed, and the command that finds the run to narrow them."""
    names = [str(name) for name in found["parameter"].to_numpy()]
    width = dict(zip(names, (1 - found["contraction"].to_numpy()).tolist(), strict=True))
    law = [name for name, of_law in zip(names, found["of_law"].to_numpy(), strict=True) if of_law]
    weak = [name for name, left in width.items() if left > 1 - MOSTLY_PRIOR]
    if not weak:
        return []
    shown = listed(f"{name} ({100 * min(width[name], 1):.0f} %)" for name in weak)
    line = f"Mostly prior, not runs: {shown}; in brackets the width left of the prior's."
    worst = max((name for name in weak if name in law), key=lambda name: width[name], default="")
    if not worst:
        return [f"{line} They shape the noise; only many more runs would tell."]
    return [
        f"{line} Forecasts that lean on them lean on the prior. The run that would tell: bayescale design POST.NC "
        f"--about {worst.partition('[')[0]} --budget FLOP."
    ]
