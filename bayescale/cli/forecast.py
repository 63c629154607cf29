"""`bayescale forecast`: forecast the response of a run."""

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


def forecast(
    posterior: PosteriorArgument,
    n: Annotated[str | None, typer.Option("--N", help="Parameters: 70B, or several: 7B,70B.")] = None,
    d: Annotated[str | None, typer.Option("--D", help="Training tokens: 1.4T.")] = None,
    c: Annotated[str | None, typer.Option("--C", help="Training compute in FLOP: 5.76e23.")] = None,
    at: Annotated[
        list[str] | None, typer.Option("--at", metavar="NAME=VALUE", help="Any other input of the law.")
    ] = None,
    group: Annotated[str | None, typer.Option("--group", help="One group, or new for an unseen one.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    figure: FigureOption = None,
    as_json: JsonOption = False,
) -> None:
    """Forecast the loss of a run: what it would measure, and the law.

    Example: bayescale forecast post.nc --N 70B --D 1.4T
    """
    from bayescale.answers.forecast import forecast as ask
    from bayescale.answers.forecast import forecast_sentences, forecast_table
    from bayescale.answers.mixture import Stack
    from bayescale.plots.forecast import plot_forecast

    check_figure(figure)
    given = {"N": n, "D": d, "C": c}
    for name, text in read_pairs(at, "--at"):
        if given.get(name) is not None:
            raise InputError(f"{name} is given twice, by --{name} and by --at.")
        given[name] = text
    inputs: dict[str, Any] = {name: read_numbers(name, text) for name, text in given.items() if text is not None}
    saved = open_either(posterior)
    columns = saved.columns if isinstance(saved, Stack) else saved.model.law.columns
    what = "the stack" if isinstance(saved, Stack) else f"law {saved.model.law.name!r}"
    if unknown := sorted(inputs.keys() - {*columns, "N", "D", "C"}):
        raise InputError(f"{', '.join(unknown)} is no input; {what} is asked at {', '.join(columns)}.")
    answer = ask(saved, group=group, seed=seed, **inputs)
    draw_figure(figure, lambda: plot_forecast(saved, seed=seed))
    if as_json:
        print_json({"attrs": dict(answer.attrs), "forecast": forecast_table(answer).to_dict("records")})
        return
    print("\n".join(forecast_sentences(answer)))
