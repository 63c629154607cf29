"""`bayescale report`: write what a posterior answers to one page."""

from pathlib import Path
from typing import Annotated

import typer

from bayescale.cli.common import JsonOption, check_output, open_all, open_either, print_json, read_numbers, read_pairs


def report(
    posteriors: Annotated[
        list[str],
        typer.Argument(
            metavar="POST.NC [MORE.NC ...]", help="A saved posterior or stack; several posteriors are compared."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="A page, .html, or Markdown, .md.")] = Path(
        "report.html"
    ),
    at: Annotated[
        list[str] | None,
        typer.Option("--at", metavar="NAME=VALUE", help="A run to forecast: N=70B, then --at D=1.4T."),
    ] = None,
    c: Annotated[
        str | None, typer.Option("--C", help="Budget in FLOP; default: ten times the costliest run's.")
    ] = None,
    level: Annotated[str | None, typer.Option("--level", help="Level of the response whose cost is asked.")] = None,
    title: Annotated[str, typer.Option("--title", help="Of the page; by default the law's name.")] = "",
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    as_json: JsonOption = False,
) -> None:
    """Write one page with the answers, the figures, the checks, and a live part; it needs no network.

    Example: bayescale report post.nc -o report.html --C 1e24
    """
    from bayescale.reports.report import report as write
    from bayescale.storage import is_stack

    for path in posteriors:
        check_output(output, path)
    saved = open_either(posteriors[0]) if len(posteriors) == 1 and is_stack(posteriors[0]) else open_all(posteriors)
    given = {name: read_numbers(name, text) for name, text in read_pairs(at, "--at")}
    write(saved, output, at=given or None, C=c, level=level, title=title, seed=seed)
    if as_json:
        print_json({"report": str(output), "bytes": output.stat().st_size, "posteriors": posteriors})
        return
    print(f"Written to {output}.")
