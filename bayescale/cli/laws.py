"""`bayescale laws`: the gallery of laws."""

import re
from pathlib import Path
from typing import Annotated

import typer

from bayescale.cli.common import JsonOption, print_json


def laws(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Show one law's card.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the laws, or show one: formula, parameters, priors, published values.

    Example: bayescale laws chinchilla
    """
    from bayescale.laws import LAWS, get_law

    if name is not None:
        law = get_law(name)
        if as_json:
            print_json(
                {
                    "name": law.name,
                    "formula": law.text(),
                    "latex": law.latex(),
                    "parameters": {p.symbol: p.meaning for p in law.params},
                    "published": {e.key: dict(e.values) | {"source": e.source} for e in law.published},
                    "analyses": _analyses_of(law.name),
                }
            )
        else:
            print(law.card())
            if found := _analyses_of(law.name):
                print("\nAnalyses, for `bayescale reproduce`")
                print("\n".join(f"  {path}" for path in found))
        return
    rows = [{"name": law.name, "title": law.title, "reference": law.reference} for law in LAWS.values()]
    if as_json:
        print_json(rows)
        return
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        print(f"{row['name']:<{width}}  {row['title']}\n{'':<{width}}  {row['reference']}")


def _analyses_of(law: str) -> list[str]:
    """Published analyses that name a law: those of ./models, or of the checkout this package lies in."""
    folder = next((p for p in (Path("models"), Path(__file__).parents[2] / "models") if p.is_dir()), None)
    if folder is None:
        return []
    named = re.compile(rf"""["']{re.escape(law)}(:\w+)?["']""")
    return [str(path) for path in sorted(folder.glob("*.py")) if named.search(path.read_text(encoding="utf-8"))]
