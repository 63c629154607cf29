"""A report's sections as a page, and as Markdown; and files written whole."""

import base64
import os
import tempfile
from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from bayescale.errors import InputError
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
        held=listed(f"{name} = {x:.4g}" for name, x in held.items()),
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


def check_place(path: str | os.PathLike[str]) -> Path:
    """Refuse, before the work is done, a place that cannot be written after it; follow links.

    Raises
    ------
    InputError
        The folder does not exist, or no file can be there.
    """
    real = Path(os.path.realpath(path))
    if not real.parent.is_dir():
        raise InputError(f"Cannot write the report to {str(path)!r}: there is no folder {str(real.parent)!r}.")
    if real.exists() and not real.is_file():
        raise InputError(f"Cannot write the report to {str(path)!r}: it is no file. Name a file, such as report.html.")
    return real


def write_whole(path: str | os.PathLike[str], text: str) -> None:
    """Write text to a file that appears under its name only when it is complete.

    Raises
    ------
    InputError
        The folder does not exist or cannot be written.
    """
    path, name = check_place(path), ""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except OSError as error:
        raise InputError(
            f"Cannot write the report to {str(path)!r}: {error.strerror}. Name a file in a folder that can be written."
        ) from error
    finally:
        if name:
            Path(name).unlink(missing_ok=True)
