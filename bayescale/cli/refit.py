"""`bayescale refit`: fit again from a file, and compare."""

from pathlib import Path
from typing import Annotated

import typer

from bayescale.cli.common import JsonOption, PosteriorArgument, check_output, open_one, print_json


def refit(
    posterior: PosteriorArgument,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Where to keep the new posterior.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Fit again from the model, seed and settings in a file; exit code 1 if the posterior is another one.

    Example: bayescale refit post.nc
    """
    from bayescale.answers.updating import refit as ask

    check_output(output, posterior)
    result = ask(open_one(posterior))
    if output is not None:
        result.after.save(output)
    table = result.parameters.to_dataframe().reset_index()
    if as_json:
        print_json(
            {
                "identical": result.identical,
                "agrees": result.agrees,
                "converged": result.before.converged and result.after.converged,
                "sentence": str(result),
                "limit": result.limit,
                "parameters": table.to_dict("records"),
            }
        )
    else:
        print(result)
        if not result.identical:
            print()
            print(table.to_string(index=False, float_format=lambda v: f"{v:.4g}"))
    if not result.agrees:
        raise typer.Exit(1)
