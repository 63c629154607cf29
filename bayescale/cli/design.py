"""`bayescale design`: which runs to make next."""

from typing import Annotated, Any

import typer

from bayescale.cli.common import (
    FigureOption,
    JsonOption,
    PosteriorArgument,
    check_figure,
    draw_figure,
    find_cost,
    open_either,
    print_json,
    read_numbers,
    read_pairs,
)


def design(
    posterior: PosteriorArgument,
    budget: Annotated[str, typer.Option("--budget", help="For all runs together, in the cost's unit: 1e21.")],
    about: Annotated[
        str,
        typer.Option(
            "--about", help="L (the law's output), N_opt, a parameter such as alpha, or law: which of a stack is right."
        ),
    ],
    at: Annotated[
        list[str] | None,
        typer.Option(
            "--at", metavar="NAME=VALUE", help="Where L is asked about, N=70B; or the budget of N_opt, C=1e24."
        ),
    ] = None,
    candidates: Annotated[
        str | None,
        typer.Option("--candidates", metavar="RUNS", help="Table of runs that could be made; by default a grid."),
    ] = None,
    cost: Annotated[
        str,
        typer.Option(
            "--cost", help="six_nd, exact_flop, low_precision or sparse_six_nd; or a column cost of the table."
        ),
    ] = "six_nd",
    batch: Annotated[int, typer.Option("--batch", min=1, help="Runs at most.")] = 5,
    repeat: Annotated[bool, typer.Option("--repeat", help="Let a run be made again with another seed.")] = False,
    group: Annotated[str | None, typer.Option("--group", help="One group, or new for an unseen one.")] = None,
    checks: Annotated[
        int, typer.Option("--checks", min=0, help="Simulated outcomes that check the promise; 0 for none.")
    ] = 200,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    figure: FigureOption = None,
    as_json: JsonOption = False,
) -> None:
    """Choose the next runs: those that tell most about a quantity for a budget.

    Example: bayescale design post.nc --budget 1e21 --about L --at N=70B --at D=1.4T
    """
    from bayescale.answers.design import design as choose
    from bayescale.answers.design import design_sentences, design_table
    from bayescale.plots.design import plot_design
    from bayescale.tables import read_table

    check_figure(figure)
    points: dict[str, Any] = {name: read_numbers(name, text) for name, text in read_pairs(at, "--at")}
    answer = choose(
        open_either(posterior),
        read_numbers("budget", budget),
        None if candidates is None else read_table(candidates),
        about=about,
        at=points or None,
        cost=find_cost(cost),
        batch=batch,
        repeat=repeat,
        group=group,
        checks=checks,
        seed=seed,
    )
    draw_figure(figure, lambda: plot_design(answer))
    if as_json:
        print_json({"attrs": dict(answer.attrs), "design": design_table(answer).to_dict("records")})
        return
    print("\n".join(design_sentences(answer)))
