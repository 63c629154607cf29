"""`bayescale multiplier`: how much more of an input one recipe needs than another."""

from typing import Annotated, Any

import typer

from bayescale.cli.common import (
    FigureOption,
    JsonOption,
    PosteriorArgument,
    check_figure,
    draw_figure,
    open_either,
    print_json,
    read_numbers,
    read_pairs,
)
from bayescale.errors import InputError


def multiplier(
    posterior: PosteriorArgument,
    first: Annotated[str | None, typer.Argument(help="A group, where the fit has groups.")] = None,
    second: Annotated[str | None, typer.Argument(help="Another; without it, each of the others.")] = None,
    other: Annotated[
        str | None, typer.Option("--other", metavar="OTHER.NC", help="The fit of the second recipe, if it has its own.")
    ] = None,
    along: Annotated[str, typer.Option("--along", help="The input: N, D, C, or another of the law.")] = "C",
    reducible: Annotated[
        float | None,
        typer.Option("--reducible", help="Compare at this share of each one's own reducible loss, such as 0.5."),
    ] = None,
    n: Annotated[str | None, typer.Option("--N", help="Parameters at the point: 1B.")] = None,
    d: Annotated[str | None, typer.Option("--D", help="Training tokens at the point: 20B.")] = None,
    c: Annotated[str | None, typer.Option("--C", help="Training compute at the point in FLOP: 1e21.")] = None,
    at: Annotated[
        list[str] | None, typer.Option("--at", metavar="NAME=VALUE", help="Any other input of the law.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    figure: FigureOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how much more parameters, tokens or compute one recipe needs than another for the same loss.

    Example: bayescale multiplier post.nc code text --along C --reducible 0.5
    """
    from bayescale.answers.multiplier import multiplier as ask
    from bayescale.answers.multiplier import multiplier_sentences, multiplier_table
    from bayescale.plots.multiplier import plot_multiplier

    check_figure(figure)
    given = {"N": n, "D": d, "C": c}
    for name, text in read_pairs(at, "--at"):
        if given.get(name) is not None:
            raise InputError(f"{name} is given twice, by --{name} and by --at.")
        given[name] = text
    inputs: dict[str, Any] = {name: read_numbers(name, text) for name, text in given.items() if text is not None}
    saved = open_either(posterior)
    answer = ask(
        saved,
        first,
        second,
        other=open_either(other) if other else None,
        along=along,
        reducible=reducible,
        seed=seed,
        **inputs,
    )
    draw_figure(figure, lambda: plot_multiplier(answer))
    if as_json:
        print_json({"attrs": dict(answer.attrs), "multiplier": multiplier_table(answer).to_dict("records")})
        return
    print("\n".join(multiplier_sentences(answer)))
