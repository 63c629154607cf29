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

    Of several, those that cannot run (missing data, an error of their own) are told and passed over; the exit code is
    then 2, unless a claim fails.

    Example: bayescale reproduce models/
    """
    from bayescale.answers.reproduction import analyses, load_analysis
    from bayescale.answers.reproduction import reproduce as run_analysis
    from bayescale.errors import InputError
    from bayescale.progress import track

    paths = [path for text in analysis for path in analyses(text)]
    ran, failed, unsure, broken = 0, [], [], []
    results: list[dict[str, Any]] = []
    for path in track(paths, lambda path: path.stem):
        try:
            if fast and load_analysis(path).get("slow"):
                continue
            result = run_analysis(path)
        except InputError as error:
            if len(paths) == 1:
                raise
            broken.append(path.stem)
            print(f"bayescale: {path.stem}: {error}", file=sys.stderr)
            continue
        ran += 1
        failed += [] if all(claim.holds for claim in result.claims) else [result.name]
        unsure += [result.name] if result.unconverged else []
        if as_json:
            results.append(_reproduced(result))
        else:
            print(result, end="\n\n", flush=True)
    if as_json:
        print_json(results)
    elif ran and not failed and not unsure:
        print("Every claim of those that ran holds." if broken else "Every claim holds.")
    if broken:
        print(f"bayescale: could not run {', '.join(broken)}.", file=sys.stderr)
    if failed:
        print(f"bayescale: claims fail in {', '.join(failed)}.", file=sys.stderr)
    if unsure:
        print(f"bayescale: fits did not converge in {', '.join(unsure)}.", file=sys.stderr)
    if failed or unsure or broken:
        raise typer.Exit(1 if failed or unsure else 2)


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
