"""`bayescale extrapolate`: how learning curves go on."""

from typing import Annotated

import typer

from bayescale.cli.common import (
    ColumnOption,
    FigureOption,
    JsonOption,
    RunsArgument,
    check_figure,
    draw_figure,
    print_json,
    read_numbers,
    read_table,
)


def extrapolate(
    runs: RunsArgument,
    x: Annotated[str, typer.Option("--x", help="Column along which the curves run.")] = "D",
    y: Annotated[str, typer.Option("--y", help="Column of the response, falling: a loss or an error.")] = "L",
    curve: Annotated[
        str | None, typer.Option("--curve", help="Column that says which curve a point is of; without, one curve.")
    ] = None,
    times: Annotated[
        str, typer.Option("--times", help="How many times beyond each curve's last point: 2, or 2,4.")
    ] = "2",
    group: Annotated[str | None, typer.Option("--group", help="One curve; all are learnt from.")] = None,
    column: ColumnOption = None,
    figure: FigureOption = None,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    as_json: JsonOption = False,
) -> None:
    """Say how learning curves go on, from how the slopes of all of them die out; no law is assumed.

    Example: bayescale extrapolate curves.csv --curve run --times 2,4
    """
    from bayescale.answers.extrapolation import extrapolate as ask
    from bayescale.answers.extrapolation import extrapolation_sentences, extrapolation_table, read_times
    from bayescale.curves.fitting import fit_curves
    from bayescale.plots.extrapolation import plot_extrapolation

    check_figure(figure)
    factors = read_times(read_numbers("times", times)).tolist()
    curves = fit_curves(read_table(runs, column, None), x=x, y=y, curve=curve)
    answer = ask(curves, times=factors, group=group, seed=seed)
    draw_figure(figure, lambda: plot_extrapolation(curves, factors[-1], group=group, seed=seed))
    sentences = extrapolation_sentences(answer)
    if as_json:
        lines = extrapolation_table(answer).to_dict("records")
        shared = curves.table().reset_index().to_dict("records")
        print_json({"attrs": dict(answer.attrs), "shared": shared, "table": lines, "sentences": sentences})
        return
    print(f"{curves}\n\n" + "\n".join(sentences))
