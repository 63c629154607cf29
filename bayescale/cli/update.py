"""`bayescale update`: fit again with new runs, and say what they changed."""

from pathlib import Path
from typing import Annotated

import typer

from bayescale.cli.common import (
    ColumnOption,
    FigureOption,
    FillOption,
    JsonOption,
    PosteriorArgument,
    RunsArgument,
    SeedOption,
    UnfinishedOption,
    check_figure,
    check_output,
    draw_figure,
    end_if_interrupted,
    keep,
    open_either,
    print_json,
    read_table,
)
from bayescale.errors import InputError


def update(
    posterior: PosteriorArgument,
    runs: RunsArgument,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Where to keep the new posterior.")] = None,
    column: ColumnOption = None,
    fill: FillOption = None,
    unfinished: UnfinishedOption = "warn",
    seed: SeedOption = None,
    figure: FigureOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit again with new runs added; print what they changed, and whether they were expected.

    Example: bayescale update post.nc new_runs.csv -o post2.nc
    """
    from bayescale.answers.mixture import Stack
    from bayescale.answers.updating import update as ask
    from bayescale.answers.updating import update_sentences, update_table
    from bayescale.plots.update import plot_update

    check_figure(figure)
    check_output(output, posterior)
    check_output(output, runs)
    saved = open_either(posterior)
    if figure is not None and isinstance(saved, Stack):
        raise InputError(f"{posterior!r} is a stack; --figure draws what changed in one fit. Update a member of it.")
    updated = ask(saved, read_table(runs, column, fill, unfinished), seed=seed)
    kept = keep(updated.posterior, output)
    table = update_table(updated)
    draw_figure(figure, lambda: plot_update(updated))
    if as_json:
        print_json(
            {
                "converged": updated.posterior.converged,
                "parameters": table.to_dict("records"),
                "surprise": {
                    name: {"p": float(change.surprise["p"])}
                    | {key: change.surprise[key].to_numpy().tolist() for key in ("log_density", "pit")}
                    for name, change in updated.changes.items()
                },
                "sentences": update_sentences(updated),
                "output": str(kept) if kept else None,
            }
        )
    else:
        print("\n".join(update_sentences(updated)))
        print()
        print(table.to_string(index=False, float_format=lambda v: f"{v:.4g}"))
        if kept is not None:
            print(f"\nKept in {kept}.")
    end_if_interrupted(updated.posterior)
