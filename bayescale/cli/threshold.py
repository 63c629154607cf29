"""`bayescale threshold`: the scale at which a level is reached."""

from typing import Annotated, Any

import typer

from bayescale.cli.common import (
    FigureOption,
    JsonOption,
    PosteriorArgument,
    check_figure,
    draw_figure,
    open_either,
    open_one,
    print_json,
    read_numbers,
    read_pairs,
)
from bayescale.errors import InputError


def threshold(
    posterior: PosteriorArgument,
    loss: Annotated[str | None, typer.Option("--L", help="The loss to reach: 2.0, or several: 2.5,2.0.")] = None,
    accuracy: Annotated[str | None, typer.Option("--accuracy", help="The accuracy to reach: 0.5.")] = None,
    margin: Annotated[str | None, typer.Option("--margin", help="The accuracy to reach, over chance.")] = None,
    level: Annotated[
        list[str] | None, typer.Option("--level", metavar="NAME=VALUE", help="Any other response: elo=-500, error=0.3.")
    ] = None,
    ratio: Annotated[
        str | None, typer.Option("--tokens-per-parameter", help="D / N along a budget, in place of the best split.")
    ] = None,
    n: Annotated[str | None, typer.Option("--N", help="Parameters, held: how many tokens are needed.")] = None,
    d: Annotated[str | None, typer.Option("--D", help="Training tokens, held: how many parameters.")] = None,
    at: Annotated[
        list[str] | None, typer.Option("--at", metavar="NAME=VALUE", help="Any other input of the law, held.")
    ] = None,
    horizon: Annotated[
        str | None, typer.Option("--horizon", help="A scale beyond which nobody goes: 1e26; its probability is told.")
    ] = None,
    then: Annotated[
        str | None,
        typer.Option("--then", metavar="ABILITY.NC", help="A law of accuracy against that loss."),
    ] = None,
    group: Annotated[str | None, typer.Option("--group", help="One group, or new for an unseen one.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    figure: FigureOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the scale at which a level is reached, and how probable it is that none is enough.

    Example: bayescale threshold post.nc --L 2.0 --horizon 1e26
    """
    from bayescale.answers.chain import chain
    from bayescale.answers.threshold import crossed_by, threshold_sentences, threshold_table
    from bayescale.answers.threshold import threshold as ask
    from bayescale.plots.threshold import plot_threshold

    check_figure(figure)
    named: dict[str, Any] = {}
    options = (("L", loss), ("accuracy", accuracy), ("N", n), ("D", d))
    for name, text in (*options, *read_pairs(level, "--level"), *read_pairs(at, "--at")):
        if text is None:
            continue
        if name in named:
            raise InputError(f"{name} is given twice.")
        named[name] = read_numbers(name, text)
    saved = open_either(posterior)
    answer = ask(
        saved if then is None else chain(saved, open_one(then)),
        margin=None if margin is None else read_numbers("margin", margin),
        tokens_per_parameter=ratio,
        horizon=horizon,
        group=group,
        seed=seed,
        **named,
    )
    draw_figure(figure, lambda: plot_threshold(answer))
    if as_json:
        curve = crossed_by(answer).rename("probability").reset_coords(drop=True)
        print_json(
            {
                "attrs": dict(answer.attrs),
                "threshold": threshold_table(answer).to_dict("records"),
                "curve": curve.to_dataframe().reset_index().to_dict("records"),
            }
        )
        return
    print("\n".join(threshold_sentences(answer)))
