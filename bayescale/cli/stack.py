"""`bayescale stack`: weigh laws."""

from pathlib import Path
from typing import Annotated

import typer

from bayescale.cli.common import JsonOption, UnitOption, check_output, open_all, print_json, summary_of_stack


def stack(
    posteriors: Annotated[
        list[str], typer.Argument(metavar="A.NC B.NC ...", help="Saved posteriors of laws fitted to the same runs.")
    ],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Where to keep the stack.")] = None,
    by: Annotated[str, typer.Option("--by", help="largest, loo or waic.")] = "largest",
    unit: UnitOption = None,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    as_json: JsonOption = False,
) -> None:
    """Weigh laws by how well their mixture predicts; forecasts of the stack mix them.

    Example: bayescale stack a.nc b.nc -o stack.nc
    """
    from bayescale.answers.stacking import stack as weigh

    for source in posteriors:
        check_output(output, source)
    result = weigh(open_all(posteriors), by, unit=unit, seed=seed)
    if output is not None:
        result.save(output)
    if as_json:
        print_json(summary_of_stack(result) | {"output": str(output) if output else None})
        return
    print(result)
    if output is not None:
        print(f"\nKept in {output}. Ask it: bayescale forecast {output} --help")
