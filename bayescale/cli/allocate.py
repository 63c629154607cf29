"""`bayescale allocate`: split a budget, find the least one for a level, or weigh a given run."""

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
from bayescale.errors import InputError

_OPTIONS = ("posterior", "cost", "group", "seed", "regret", "at_most", "at_least")


def allocate(
    posterior: PosteriorArgument,
    c: Annotated[
        str | None, typer.Option("--C", help="Budget in the cost's unit: 1e24, or several: 1e22,1e24.")
    ] = None,
    level: Annotated[
        str | None, typer.Option("--L", help="Instead of a budget, the loss to reach: the least budget for it.")
    ] = None,
    n: Annotated[
        str | None, typer.Option("--N", help="Parameters: held fixed at a budget; with --D, a run to weigh.")
    ] = None,
    d: Annotated[str | None, typer.Option("--D", help="Training tokens, likewise.")] = None,
    at: Annotated[
        list[str] | None,
        typer.Option("--at", metavar="NAME=VALUE", help="Another input of the law, or argument of the cost."),
    ] = None,
    cost: Annotated[
        str,
        typer.Option(
            "--cost",
            help="six_nd, with_inference (--at D_inference=1T), training_dollars, dollars, hours, exact_flop, "
            "low_precision or sparse_six_nd.",
        ),
    ] = "six_nd",
    at_most: Annotated[
        list[str] | None, typer.Option("--max", metavar="N=70B", help="Most parameters or tokens allowed.")
    ] = None,
    at_least: Annotated[list[str] | None, typer.Option("--min", metavar="N=1B", help="Least allowed.")] = None,
    regret: Annotated[
        str, typer.Option("--regret", help="How far from the best: a share of the budget, 5%, or nats, 0.01.")
    ] = "5%",
    group: Annotated[str | None, typer.Option("--group", help="One group, or new for an unseen one.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    figure: FigureOption = None,
    as_json: JsonOption = False,
) -> None:
    """Split a budget: how many parameters, how many tokens, and how far one may deviate.

    With --L instead of --C: the least budget for that loss. With --N and --D: what that run gives away.

    Example: bayescale allocate post.nc --C 1e24 --max N=70B
    """
    from bayescale.answers.allocation import allocate as split
    from bayescale.answers.allocation import allocation_sentences, allocation_table
    from bayescale.answers.deviation import deviation, deviation_sentences, deviation_table
    from bayescale.plots.allocation import plot_allocation

    check_figure(figure)
    given: dict[str, Any] = {}
    named = (("C", c), ("L", level), ("N", n), ("D", d), *read_pairs(at, "--at"))
    for name, text in named:
        if text is None:
            continue
        if name in given:
            raise InputError(f"{name} is given twice, by --{name} and by --at.")
        if name in _OPTIONS:
            raise InputError(f"{name} is no input and no argument of a cost; it is the option --{name}.")
        given[name] = read_numbers(name, text)
    budget = given.pop("C", None)
    saved = open_either(posterior)
    asked = {"cost": find_cost(cost), "group": group, "seed": seed}
    if budget is None and {"N", "D"} <= given.keys() and level is None:
        if at_most or at_least:
            raise InputError("--max and --min limit what shares a budget; a run was given, --N and --D.")
        if figure is not None:
            raise InputError("--figure draws the best split over several budgets: --C 1e20,1e21,1e22, not one run.")
        answer = deviation(saved, **asked, **given)
        table, sentences = deviation_table(answer), deviation_sentences(answer)
    else:
        answer = split(
            saved,
            budget,
            regret=regret if regret.strip().endswith("%") else read_numbers("regret", regret),  # pyright: ignore[reportArgumentType]
            at_most=dict(read_pairs(at_most, "--max")),
            at_least=dict(read_pairs(at_least, "--min")),
            **asked,
            **given,
        )
        table, sentences = allocation_table(answer), allocation_sentences(answer)
        draw_figure(figure, lambda: plot_allocation(answer))
    if as_json:
        print_json({"attrs": dict(answer.attrs), "allocation": table.to_dict("records")})
        return
    print("\n".join(sentences))
