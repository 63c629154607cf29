"""The main job on the embedded runs: one fit, a hierarchy, a comparison, and the figures."""

import time
from pathlib import Path
from typing import Any

import numpy as np

from bayescale.answers.allocation import allocate, allocation_sentences
from bayescale.answers.check import check_fit, check_sentences
from bayescale.answers.comparison import compare
from bayescale.answers.forecast import forecast, forecast_sentences
from bayescale.datasets import load_runs
from bayescale.errors import InputError
from bayescale.inference import fit, whole
from bayescale.model import Model

TARGET: dict[str, Any] = {"N": 4e5, "D": 1e6}  # four times the compute of the largest run
BUDGET = 6e12  # ten times it


def run_demo(folder: Path, seed: int = 1, quiet: bool = False) -> dict[str, Any]:
    """Fit, check, forecast, compare and draw, printing as it goes.

    Parameters
    ----------
    folder : Path
        Where the figures go; made if it is not there.
    seed : int
        For every fit.
    quiet : bool
        Print nothing.

    Returns
    -------
    dict
        What was printed, as text and numbers that JSON can hold.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"Cannot make the folder {str(folder)!r}: {error.strerror}.") from error
    started = time.perf_counter()
    answers: dict[str, Any] = {}

    def say(title: str, key: str, lines: list[str]) -> None:
        answers[key] = lines
        if not quiet:
            print(f"\n== {title} ({time.perf_counter() - started:.0f} s)")
            print("\n".join(lines), flush=True)

    runs = load_runs("tiny_sweep")
    text = runs.loc[runs["modality"] == "text"].drop(columns="modality")
    say("The runs: tiny transformers on six modalities, measured by this project", "runs", _table(runs))

    chinchilla = whole(fit(Model("chinchilla", text), seed=seed))
    say(
        "1. One modality, one law: what would a larger text run measure?",
        "one_law",
        [chinchilla.model.law.text(), *forecast_sentences(forecast(chinchilla, **TARGET))],
    )

    kaplan = whole(fit(Model("kaplan", text), seed=seed))
    comparison = compare({"chinchilla": chinchilla, "kaplan": kaplan}, by="waic")
    say("2. Kaplan or Chinchilla, on the text runs?", "comparison", str(comparison).splitlines())

    pooled = whole(fit(Model("chinchilla", runs, pool="modality", discrepancy=True), seed=seed))
    check = check_fit(pooled)
    say(
        "3. All modalities in one hierarchical model, free to depart smoothly from the law",
        "hierarchy",
        [str(pooled.diagnostics), *_exponents(pooled)],
    )
    say("4. Does it fit?", "check", check_sentences(check))
    say(
        "5. The same larger run in every modality, and in one never seen",
        "forecast",
        [
            *forecast_sentences(forecast(pooled, **TARGET)),
            "new modality: " + forecast_sentences(forecast(pooled, group="new", **TARGET))[0],
        ],
    )
    plan = allocate(pooled, C=np.geomspace(1e10, BUDGET, 7))
    say(
        "6. How to split ten times the compute of the largest run",
        "allocation",
        allocation_sentences(plan.isel(C=[-1])),
    )
    say("Figures", "figures", [str(path) for path in _draw(folder, pooled, comparison, check, plan)])
    return answers


def _table(runs) -> list[str]:
    ranges = runs.groupby("modality").agg(
        runs=("L", "size"),
        N_min=("N", "min"),
        N_max=("N", "max"),
        D_min=("D", "min"),
        D_max=("D", "max"),
        L_max=("L", "max"),
        L_min=("L", "min"),
    )
    return ranges.to_string(float_format=lambda v: f"{v:.4g}").splitlines()


def _exponents(posterior) -> list[str]:
    table = posterior.summary()
    chosen = table[[name.startswith(("alpha", "beta")) for name in table.index]]
    return chosen.to_string(float_format=lambda v: f"{v:.3g}").splitlines()


def _draw(folder: Path, pooled, comparison, check, plan) -> list[Path]:
    from bayescale.plots.allocation import plot_allocation
    from bayescale.plots.check import plot_check
    from bayescale.plots.common import save_figure
    from bayescale.plots.comparison import plot_comparison
    from bayescale.plots.exponents import plot_exponents
    from bayescale.plots.forecast import plot_forecast
    from bayescale.plots.prior import plot_prior

    drawings = {
        "forecast.png": lambda: plot_forecast(pooled),
        "exponents.png": lambda: plot_exponents(pooled),
        "comparison.png": lambda: plot_comparison(comparison),
        "check.png": lambda: plot_check(check),
        "allocation.png": lambda: plot_allocation(plan),
        "prior.png": lambda: plot_prior(pooled.model),
    }
    for name, draw in drawings.items():
        save_figure(draw(), folder / name)
    return [folder / name for name in drawings]
