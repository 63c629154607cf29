"""`bayescale breaks`: where a broken power law breaks."""

from typing import Annotated

import typer

from bayescale.cli.common import JsonOption, PosteriorArgument, open_one, print_json


def breaks(
    posterior: PosteriorArgument,
    before: Annotated[
        str | None, typer.Option("--before", help="A scale before which the next break may come: 1e24.")
    ] = None,
    group: Annotated[str | None, typer.Option("--group", help="One group, or new for an unseen one.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    as_json: JsonOption = False,
) -> None:
    """Say where a broken power law breaks, and where the next break may wait.

    Example: bayescale breaks broken.nc --before 1e24
    """
    from bayescale.answers.breaks import breaks as ask
    from bayescale.answers.breaks import breaks_sentences, breaks_table

    answer = ask(open_one(posterior), before=before, group=group, seed=seed)
    if as_json:
        print_json({"attrs": dict(answer.attrs), "breaks": breaks_table(answer).to_dict("records")})
        return
    print("\n".join(breaks_sentences(answer)))
