"""A report's sections as a page, and as Markdown."""

import base64
from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.resources import files
from typing import Any

from bayescale.numerals import short_number
from bayescale.reports.parts import SAID, Section
from bayescale.words import listed


def page_of(
    title: str,
    sections: Sequence[Section],
    live: tuple[dict[str, Any], list[str]] | str,
    held: Mapping[str, float],
    start: float | None,
) -> str:
    """Return the page: its policy names style and script by their hashes; nothing else may run, or be fetched.

    Parameters
    ----------
    title : str
        Of the page.
    sections : sequence of Section
        The live part is put after the first.
    live : tuple or str
        Of `live_data`; or why there is no live part.
    held : mapping of str to float
        Inputs held fixed in the live part.
    start : float or None
        Budget with which the live part begins.
    """
    from markupsafe import Markup

    style = _asset("page.css")
    script = ""
    if not isinstance(live, str):
        laws = ",\n".join(f"  function (x, p, i) {{ return {formula}; }}" for formula in live[1])
        script = "\n".join([_asset("calculator.js"), f"const LAWS = [\n{laws}\n];", _asset("page.js")])
    template = _templates(escape=True).get_template("page.html.jinja")
    return template.render(
        title=title,
        sections=sections,
        said=SAID,
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
        live=None if isinstance(live, str) else {**live[0], "start": start},
        no_live=live if isinstance(live, str) else "",
        held=listed(f"{name} = {short_number(x, 4)}" for name, x in held.items()),
    )


def markdown(title: str, sections: Sequence[Section]) -> str:
    """Return the sections as Markdown, without figures and the live part."""
    templates = _templates(escape=False)
    templates.filters["md"] = _escaped
    return templates.get_template("page.md.jinja").render(title=title, sections=sections, said=SAID)


def _escaped(text: str) -> str:
    """Text in which Markdown and HTML find nothing to act upon."""
    plain = " ".join(str(text).split())
    entities = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
    return "".join(f"\\{c}" if c in "\\`*_{}[]#|~$!@" else entities.get(c, c) for c in plain)


def _templates(escape: bool):
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("bayescale.reports", "page"),
        autoescape=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _asset(name: str) -> str:
    return (files("bayescale.reports") / "page" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'" if text else "'none'"
