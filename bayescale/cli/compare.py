"""`bayescale compare`: compare laws."""

from typing import Annotated

import typer

from bayescale.cli.common import (
    ClusterOption,
    ColumnOption,
    DiscrepancyOption,
    FigureOption,
    FillOption,
    InputErrorOption,
    JsonOption,
    LawsOption,
    NoiseOption,
    PoolOption,
    SeedOption,
    UnfinishedOption,
    UnitOption,
    build_model,
    check_figure,
    draw_figure,
    open_all,
    print_json,
)
from bayescale.errors import InputError


def compare(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="RUNS | A.NC B.NC ...", help="One table with --law twice, or saved posteriors."),
    ],
    law: LawsOption = None,
    by: Annotated[str, typer.Option("--by", help="waic, loo or largest.")] = "waic",
    column: ColumnOption = None,
    fill: FillOption = None,
    unfinished: UnfinishedOption = "warn",
    pool: PoolOption = None,
    noise: NoiseOption = None,
    discrepancy: DiscrepancyOption = False,
    cluster: ClusterOption = None,
    input_error: InputErrorOption = None,
    unit: UnitOption = None,
    seed: SeedOption = None,
    figure: FigureOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare laws on the same runs by WAIC, PSIS-LOO, or the largest runs held out.

    Example: bayescale compare runs.csv --law kaplan --law chinchilla --by waic
    """
    from bayescale.answers.comparison import check_question
    from bayescale.answers.comparison import compare as compare_posteriors
    from bayescale.inference import fit as fit_model
    from bayescale.inference import whole
    from bayescale.plots.comparison import plot_comparison
    from bayescale.progress import track

    check_figure(figure)
    if law:
        if len(sources) != 1:
            raise InputError(f"With --law, name one table of runs; {len(sources)} were given.")
        if len(set(law)) < 2:
            raise InputError(f"A comparison needs two laws; given: {', '.join(law)}.")
        models = {
            name: build_model(
                sources[0],
                name,
                column,
                fill,
                pool,
                None,
                noise,
                discrepancy,
                unfinished=unfinished,
                cluster=cluster,
                input_error=input_error,
            )
            for name in law
        }
        check_question(models, by, unit)
        fits = track(list(models.items()), lambda item: f"fit of {item[0]}")
        posteriors = {name: whole(fit_model(model, seed=seed)) for name, model in fits}
    else:
        if len(sources) < 2:
            raise InputError("A comparison needs two: one table with --law twice, or two saved posteriors.")
        posteriors = open_all(sources)
    result = compare_posteriors(posteriors, by, unit=unit, seed=seed or 0)
    draw_figure(figure, lambda: plot_comparison(result))
    if as_json:
        print_json(
            {
                "by": result.by,
                "table": result.table.reset_index().to_dict("records"),
                "verdict": result.verdict,
                "notes": list(result.notes),
            }
        )
        return
    print(result)
