"""Write a report: one page with the answers of a posterior, or the same as Markdown."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bayescale.answers.mixture import Stack
from bayescale.errors import InputError
from bayescale.files import check_place, replacing
from bayescale.posterior import Posterior
from bayescale.progress import waiting
from bayescale.reports.answered import answer_all, choose, tried
from bayescale.reports.live import live_data
from bayescale.reports.question import read_question
from bayescale.reports.render import markdown, page_of
from bayescale.reports.reproduce import question_words, reproduce_section
from bayescale.reports.sections import all_sections

PAGE, MARKDOWN = (".html", ".htm"), (".md", ".markdown")
EXAMPLE = "report.html"


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
    check_place(path, "report", EXAMPLE)
    members = _members(posterior)
    main, comparison = choose(members, seed)
    subject = posterior if isinstance(posterior, Stack) else members[main]
    if isinstance(subject, Stack):
        main = max(subject.weights, key=lambda name: subject.weights[name])
    question = read_question(subject, at, C, level)
    with waiting("answering the report's questions"):
        answered = answer_all(members, subject, main, comparison, question, seed)
    asked = question_words(Path(path).name, at, C, level)
    with waiting("drawing its figures"):
        sections = [*all_sections(answered), reproduce_section(members, subject, asked, seed)]
    title = title or f"{' and '.join(one.model.law.name for one in members.values())}: a report"
    if suffix in PAGE:
        live = tried(lambda: live_data(subject, question.held, seed))
        text = page_of(title, sections, live, question.held, question.budget)
    else:
        text = markdown(title, sections)
    with replacing(path, "report", EXAMPLE) as name:
        Path(name).write_text(text, encoding="utf-8")


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
