"""`bayescale demo`: the main job on the embedded runs."""

from pathlib import Path
from typing import Annotated

import typer

from bayescale.cli.common import JsonOption, print_json


def demo(
    output: Annotated[Path, typer.Option("--output", help="Folder for the figures.")] = Path("demo"),
    seed: Annotated[int, typer.Option("--seed", min=0)] = 1,
    as_json: JsonOption = False,
) -> None:
    """Do the main job on the embedded runs: fit, forecast, compare laws, draw figures.

    Example: bayescale demo --output demo
    """
    from bayescale.demo import run_demo

    answers = run_demo(output, seed, quiet=as_json)
    if as_json:
        print_json(answers)
