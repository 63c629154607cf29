"""`bayescale data`: the gallery of data sets."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bayescale.cli.common import JsonOption, check_output, print_json
from bayescale.errors import InputError
from bayescale.files import replacing


def data(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Show one data set.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Export it to this CSV file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the data sets, show one with its licence and caveats, or export it.

    Example: bayescale data tiny_sweep -o tiny_sweep.csv
    """
    from bayescale.datasets import DATASETS, describe, load_runs

    if name is None:
        if output is not None:
            raise InputError("Name the data set to export, as in: bayescale data tiny_sweep -o runs.csv")
        rows = [
            {"name": d.name, "title": d.title, "runs": d.rows, "licence": d.licence, "where": str(d.where)}
            for d in DATASETS.values()
        ]
        if as_json:
            print_json(rows)
            return
        width = max(len(row["name"]) for row in rows)
        for row in rows:
            print(f"{row['name']:<{width}} {row['runs']:>6} rows  {row['title']} ({row['where']}; {row['licence']})")
        return
    if output is not None:
        check_output(output)
        runs = load_runs(name)
        with replacing(output, "table", "runs.csv") as part:
            Path(part).write_text(runs.to_csv(index=False), encoding="utf-8")
        print(f"Wrote {output}.", file=sys.stderr)
    if as_json:
        print_json({"name": name, "description": describe(name), "output": str(output) if output else None})
    elif output is None:
        print(describe(name))
