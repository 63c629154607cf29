"""`bayescale contrast`: compare a parameter between groups."""

from typing import Annotated

import typer

from bayescale.cli.common import (
    FigureOption,
    JsonOption,
    PosteriorArgument,
    check_figure,
    draw_figure,
    open_either,
    print_json,
)


def contrast(
    posterior: PosteriorArgument,
    parameter: Annotated[str, typer.Argument(help="A parameter or constant of the law, or of the noise: alpha.")],
    first: Annotated[str, typer.Argument(help="A group, or new for an unseen one.")],
    second: Annotated[str | None, typer.Argument(help="Another; without it, each of the others.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    figure: FigureOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare a parameter between groups: the probability that one is larger, difference and ratio.

    Example: bayescale contrast post.nc alpha code text
    """
    from bayescale.answers.contrast import contrast as ask
    from bayescale.answers.contrast import contrast_sentences, contrast_table
    from bayescale.plots.contrast import plot_contrast

    check_figure(figure)
    answer = ask(open_either(posterior), parameter, first, second, seed=seed)
    draw_figure(figure, lambda: plot_contrast(answer))
    if as_json:
        print_json({"attrs": dict(answer.attrs), "contrast": contrast_table(answer).to_dict("records")})
        return
    print("\n".join(contrast_sentences(answer)))
