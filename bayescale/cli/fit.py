"""`bayescale fit`: fit a law."""

import warnings
from pathlib import Path
from typing import Annotated

import typer

from bayescale.cli.common import (
    AverageOption,
    ClusterOption,
    ColumnOption,
    DiscrepancyOption,
    FastOption,
    FillOption,
    InputErrorOption,
    JsonOption,
    LawOption,
    NoiseOption,
    PoolOption,
    PriorOption,
    RunsArgument,
    SeedOption,
    UnfinishedOption,
    build_model,
    check_output,
    end_if_interrupted,
    keep,
    print_json,
    summary_of,
)
from bayescale.errors import BayescaleWarning


def fit(
    runs: RunsArgument,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Where to keep the posterior.")] = None,
    law: LawOption = "chinchilla",
    column: ColumnOption = None,
    fill: FillOption = None,
    unfinished: UnfinishedOption = "warn",
    pool: PoolOption = None,
    prior: PriorOption = None,
    noise: NoiseOption = None,
    discrepancy: DiscrepancyOption = False,
    cluster: ClusterOption = None,
    input_error: InputErrorOption = None,
    average: AverageOption = None,
    seed: SeedOption = None,
    draws: Annotated[int, typer.Option("--draws", help="Kept draws of each chain.")] = 1000,
    tune: Annotated[int, typer.Option("--tune", help="Tuning draws of each chain.")] = 1000,
    chains: Annotated[int, typer.Option("--chains", help="Independent chains.")] = 4,
    target_accept: Annotated[
        float | None, typer.Option("--target-accept", help="Acceptance probability; higher means smaller steps.")
    ] = None,
    fast: FastOption = False,
    backend: Annotated[
        str, typer.Option("--backend", help="What compiles: numba, or jax where it is installed, for its devices.")
    ] = "numba",
    as_json: JsonOption = False,
) -> None:
    """Fit a law to a table of runs; print the posterior and whether the law fits.

    Example: bayescale fit runs.csv --law chinchilla --pool modality --seed 1 -o post.nc
    """
    from bayescale.answers.check import check_fit, check_sentences
    from bayescale.inference import fit as fit_model

    check_output(output, runs)
    model = build_model(
        runs, law, column, fill, pool, prior, noise, discrepancy, average, unfinished, cluster, input_error
    )
    posterior = fit_model(
        model,
        seed=seed,
        draws=draws,
        tune=tune,
        chains=chains,
        target_accept=target_accept,
        method="fast" if fast else "nuts",
        backend=backend,
    )
    kept = keep(posterior, output)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayescaleWarning)  # said once already, by the fit
        sentences = check_sentences(check_fit(posterior))
    if as_json:
        print_json(summary_of(posterior) | {"check": sentences, "output": str(kept) if kept else None})
    else:
        print(posterior)
        print()
        print("\n".join(sentences))
        if kept is not None:
            print(f"\nKept in {kept}. Ask it: bayescale forecast {kept} --help")
    end_if_interrupted(posterior)
