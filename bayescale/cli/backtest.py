"""`bayescale backtest`: how well the small runs of a table foretell its large ones."""

from typing import Annotated

import typer

from bayescale.cli.common import (
    ColumnOption,
    DiscrepancyOption,
    FastOption,
    FigureOption,
    FillOption,
    JsonOption,
    NoiseOption,
    PoolOption,
    RunsArgument,
    UnfinishedOption,
    check_figure,
    draw_figure,
    print_json,
    read_pool,
    read_table,
)


def backtest(
    runs: RunsArgument,
    law: Annotated[
        list[str] | None,
        typer.Option("--law", help="A law to try; several are stacked. By default what is recommended for the table."),
    ] = None,
    share: Annotated[
        float, typer.Option("--share", help="How much to hold out: the largest runs of each group.")
    ] = 0.2,
    least: Annotated[int, typer.Option("--least", min=1, help="Runs held out at least, of each group.")] = 5,
    cut: Annotated[
        str | None, typer.Option("--cut", help="Hold out, instead, the runs that cost so much or more: 1e21 (FLOP).")
    ] = None,
    train: Annotated[
        str | None, typer.Option("--train", metavar="COLUMN", help="Fit, instead, the runs marked true in a column.")
    ] = None,
    points: Annotated[
        int | None,
        typer.Option("--points", min=2, help="Hold out, instead, each group but its first few runs (with --pool)."),
    ] = None,
    column: ColumnOption = None,
    fill: FillOption = None,
    unfinished: UnfinishedOption = "warn",
    pool: PoolOption = None,
    noise: NoiseOption = None,
    discrepancy: DiscrepancyOption = False,
    draws: Annotated[int, typer.Option("--draws", min=50, help="Kept and tuning draws of each chain.")] = 1000,
    fast: FastOption = False,
    figure: FigureOption = None,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    as_json: JsonOption = False,
) -> None:
    """Forecast the largest runs of a table from the others, and say how far ahead it lets one see.

    Example: bayescale backtest runs.csv --law kaplan --law chinchilla --cut 1e21
    """
    from bayescale.answers.backtest import backtest as ask
    from bayescale.answers.backtest import backtest_sentences, backtest_table
    from bayescale.numerals import parse_number
    from bayescale.plots.backtest import plot_backtest

    check_figure(figure)
    answer = ask(
        read_table(runs, column, fill, unfinished),
        law or None,
        share=share,
        least=least,
        cut=None if cut is None else parse_number(cut),
        train=train,
        points=points,
        pool=read_pool(pool),
        noise=noise,
        discrepancy=discrepancy,
        seed=seed,
        draws=draws,
        tune=draws,
        method="fast" if fast else "nuts",
    )
    draw_figure(figure, lambda: plot_backtest(answer))
    table, sentences = backtest_table(answer), backtest_sentences(answer)
    if as_json:
        lines = table.reset_index().to_dict("records")
        print_json({"attrs": dict(answer.attrs), "table": lines, "sentences": sentences})
        return
    if answer.attrs["recipe"]:
        print(answer.attrs["recipe"] + "\n")
    print(table.drop(columns=["runs", "bias", "interval_score95"]).to_string(float_format="{:.3g}".format, na_rep=""))
    print("\n" + "\n".join(sentences))
