"""`bayescale reproduce`: run published analyses."""

import sys
from typing import Annotated, Any

import typer

from bayescale.cli.common import JsonOption, print_json


def reproduce(
    analysis: Annotated[
        list[str],
        typer.Argument(metavar="MODELS/ | FILE.PY ...", help="Published analyses: programs, run as they are."),
    ],
    fast: Annotated[bool, typer.Option("--fast", help="Leave out analyses marked slow.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Fit published analyses and hold them to their claims; exit code 1 where one fails.

    Example: bayescale reproduce models/
    """
    from bayescale.answers.reproduction import analyses, load_analysis
    from bayescale.answers.reproduction import reproduce as run_analysis

    paths = [path for text in analysis for path in analyses(text)]
    failed = []
    results: list[dict[str, Any]] = []
    for path in paths:
        if fast and load_analysis(path).get("slow"):
            continue
        result = run_analysis(path)
        failed += [] if result.holds else [result.name]
        if as_json:
            results.append(_reproduced(result))
        else:
            print(result, end="\n\n", flush=True)
    if as_json:
        print_json(results)
    elif not failed:
        print("Every claim holds.")
    if failed:
        print(f"bayescale: claims fail in {', '.join(failed)}.", file=sys.stderr)
        raise typer.Exit(1)


def _reproduced(result) -> dict[str, Any]:
    from bayescale.answers.reproduction import Claim

    claims = [
        {"what": c.what, "source": c.source, "inside": c.inside, "holds": c.holds, "differs": c.differs}
        | (
            {"published": c.published, "median": c.median, "interval": c.interval}
            if isinstance(c, Claim)
            else {"distance": c.distance, "limit": c.limit}
        )
        for c in result.claims
    ]
    return {
        "name": result.name,
        "title": result.title,
        "holds": result.holds,
        "claims": claims,
        "unconverged": result.unconverged,
        "warnings": list(result.warnings),
    }
