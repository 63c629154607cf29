"""Write a report: one page with the answers of a posterior, or the same as Markdown."""

import base64
import os
import shlex
import tempfile
from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from bayescale.answers.mixture import Stack
from bayescale.errors import InputError
from bayescale.posterior import Posterior
from bayescale.reports.answered import Answered, answer_all, choose, tried
from bayescale.reports.live import live_data
from bayescale.reports.parts import SAID, Section
from bayescale.reports.question import read_question
from bayescale.reports.sections import all_sections
from bayescale.words import listed

PAGE, MARKDOWN = (".html", ".htm"), (".md", ".markdown")


def report(
    posterior: Posterior | Stack | Sequence[Posterior] | Mapping[str, Posterior],
    path: str | os.PathLike[str],
    *,
    at: Mapping[str, Any] | None = None,
    C: float | str | None = None,
    level: float | str | None = None,
    title: str = "",
    seed: int = 0,
) -> None:
    """Write what a posterior answers to one file that needs nothing else.

    Parameters
    ----------
    posterior : Posterior, Stack, or several posteriors
        A fit; a stack; or several fits to the same runs, in a sequence or by name: they are compared by leave-one-out,
        and the answers are those of the law that comes first.
    path : path
        Where: ``.html`` for a page that opens from disk, with figures and a live part; ``.md`` for Markdown.
    at : mapping, optional
        The run to forecast, by column: ``{"N": "70B", "D": "1.4T"}``. By default the run that the budget is best spent
        on; of a law that splits no budget, a run ten times as large as the costliest in the law's first input.
        Inputs that are neither parameters nor tokens are held there too, by default as in the costliest run.
    C : number or str, optional
        Budget in FLOP; by default ten times that of the costliest run.
    level : number or str, optional
        A level of the response, such as a loss of 2.0: what it costs. By default that which the law expects of the
        budget.
    title : str, optional
        Of the page; by default the law's name.
    seed : int
        For all that is drawn.

    Raises
    ------
    InputError
        Another kind of file, a place that cannot be written, or a question that the laws cannot be asked.

    Examples
    --------
    >>> import bayescale as bs
    >>> bs.report(bs.open_posterior("sweep.nc"), "report.html", C=1e24)  # doctest: +SKIP
    """
    suffix = Path(path).suffix.lower()
    if suffix not in (*PAGE, *MARKDOWN):
        raise InputError(f"A report is a page, .html, or Markdown, .md; {str(path)!r} was given.")
    members = _members(posterior)
    main, comparison = choose(members, seed)
    subject = posterior if isinstance(posterior, Stack) else members[main]
    if isinstance(subject, Stack):
        main = max(subject.weights, key=lambda name: subject.weights[name])
    question = read_question(subject, at, C, level)
    answered = answer_all(members, subject, main, comparison, question, seed)
    sections = all_sections(answered, _command(members, path, at, C, level, seed), seed)
    title = title or f"{' and '.join(one.model.law.name for one in members.values())}: a report"
    write_whole(path, _page(title, sections, answered, seed) if suffix in PAGE else _markdown(title, sections))


def _members(posterior) -> dict[str, Posterior]:
    if isinstance(posterior, Posterior):
        return {posterior.model.law.name: posterior}
    if isinstance(posterior, Stack):
        return dict(posterior.members)
    if isinstance(posterior, Mapping):
        named = {str(name): one for name, one in posterior.items()}
    else:
        listing = list(posterior)
        names = [one.model.law.name if isinstance(one, Posterior) else "" for one in listing]
        labels = [n if names.count(n) == 1 else f"{n}_{k + 1}" for k, n in enumerate(names)]
        named = dict(zip(labels, listing, strict=True))
    if not named or not all(isinstance(one, Posterior) for one in named.values()):
        raise InputError("A report is made of a posterior, of several, or of a stack; open them with open_posterior.")
    return named


def _command(members, path, at, C, level, seed: int) -> str:
    words = ["bayescale", "report", *(f"{name}.nc" for name in members), "-o", Path(path).name]
    words += [w for name, x in (at or {}).items() for w in ("--at", f"{name}={x}")]
    words += [w for name, x in (("--C", C), ("--level", level)) if x is not None for w in (name, str(x))]
    return shlex.join([*words, *(["--seed", str(seed)] if seed else [])])


def _page(title: str, sections: Sequence[Section], answered: Answered, seed: int) -> str:
    """The page: style and script are named in its policy by their hashes; nothing else may run, or be fetched."""
    from markupsafe import Markup

    live = tried(lambda: live_data(answered.subject, answered.question.held, seed))
    style = _asset("page.css")
    script = ""
    if not isinstance(live, str):
        laws = ",\n".join(f"  function (x, p, i) {{ return {formula}; }}" for formula in live[1])
        script = "\n".join([_asset("calculator.js"), f"const LAWS = [\n{laws}\n];", _asset("page.js")])
    return (
        _templates(escape=True)
        .get_template("page.html.jinja")
        .render(
            title=title,
            sections=sections,
            said=SAID,
            style=Markup(style),
            script=Markup(script),
            style_hash=_hash(style),
            script_hash=_hash(script),
            live=None if isinstance(live, str) else {**live[0], "start": answered.question.budget, "title": title},
            no_live=live if isinstance(live, str) else "",
            held=listed(f"{name} = {x:.4g}" for name, x in answered.question.held.items()),
        )
    )


def _markdown(title: str, sections: Sequence[Section]) -> str:
    templates = _templates(escape=False)
    templates.filters["md"] = _escaped
    return templates.get_template("page.md.jinja").render(title=title, sections=sections, said=SAID)


def _escaped(text: str) -> str:
    """Text in which Markdown and HTML find nothing to act upon."""
    plain = " ".join(str(text).split())
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>#|~$!@" else "&amp;" if c == "&" else c for c in plain)


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


def write_whole(path: str | os.PathLike[str], text: str) -> None:
    """Write text to a file that appears under its name only when it is complete.

    Raises
    ------
    InputError
        The folder does not exist or cannot be written.
    """
    path = Path(os.path.realpath(path))
    if path.is_dir() or (path.exists() and not path.is_file()):
        raise InputError(f"Cannot write the report to {str(path)!r}: it is no file. Name a file, such as report.html.")
    name = ""
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
