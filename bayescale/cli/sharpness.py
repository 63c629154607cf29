"""`bayescale sharpness`: whether a rise is sudden, or only counted so."""

from typing import Annotated, Any

import typer

from bayescale.cli.common import JsonOption, PosteriorArgument, open_one, print_json, read_numbers, read_pairs


def sharpness(
    posterior: PosteriorArgument,
    companion: Annotated[
        str | None, typer.Option("--companion", metavar="OTHER.NC", help="A fit of the continuous metric.")
    ] = None,
    than: Annotated[float, typer.Option("--than", help="Sharp takes fewer decades than this.")] = 1.0,
    start: Annotated[
        float | None, typer.Option("--start", help="Where a companion without a start begins: the loss of a guess.")
    ] = None,
    at: Annotated[
        list[str] | None, typer.Option("--at", metavar="NAME=VALUE", help="An input of the law, held.")
    ] = None,
    group: Annotated[str | None, typer.Option("--group", help="One group, or new for an unseen one.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    as_json: JsonOption = False,
) -> None:
    """Count the decades of scale from 10 to 90 % of the way, under a metric and its companion.

    Example: bayescale sharpness answers.nc --companion tokens.nc --than 1
    """
    from bayescale.answers.sharpness import sharpness as ask
    from bayescale.answers.sharpness import sharpness_sentences, sharpness_table

    inputs: dict[str, Any] = {name: read_numbers(name, text) for name, text in read_pairs(at, "--at")}
    beside = None if companion is None else open_one(companion)
    answer = ask(open_one(posterior), beside, than=than, start=start, group=group, seed=seed, **inputs)
    if as_json:
        print_json({"attrs": dict(answer.attrs), "sharpness": sharpness_table(answer).to_dict("records")})
        return
    print("\n".join(sharpness_sentences(answer)))
