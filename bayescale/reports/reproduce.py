"""How to come to the same page: the commands, the seeds, the versions of then and of now."""

import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bayescale.answers.mixture import Stack
from bayescale.laws import LAWS
from bayescale.model import PARTIAL, Model
from bayescale.posterior import Posterior
from bayescale.reports.parts import DOUBT, GOOD, Lights, Part, Section, Table, Text
from bayescale.runs import hash_runs
from bayescale.storage import versions

_USUAL = {"draws": 1000, "tune": 1000, "chains": 4, "backend": "numba"}
STACK = "stack.nc"


def reproduce_section(
    members: Mapping[str, Posterior], subject: Posterior | Stack, asked: Sequence[str], seed: int
) -> Section:
    """Say how to come to the same page.

    Parameters
    ----------
    members : mapping of str to Posterior
        By the name of their files.
    subject : Posterior or Stack
        What was asked.
    asked : sequence of str
        Words of the command after the names of the files.
    seed : int
        Of the page.
    """
    files = [name if name.endswith(".nc") else f"{name}.nc" for name in members]
    lines = [line for file, one in zip(files, members.values(), strict=True) for line in fit_commands(one, file)]
    first = shlex.quote(files[0])
    if isinstance(subject, Stack):
        again = ["--seed", str(subject.seed)] if subject.seed else []
        lines.append(shlex.join(["bayescale", "stack", *files, "--by", subject.by, *again, "-o", STACK]))
        files = [STACK]
    page = ["--seed", str(seed)] if seed else []
    lines.append(shlex.join(["bayescale", "report", *files, *asked, *page]))
    hashes = dict.fromkeys(hash_runs(one.model.runs) for one in members.values())
    parts: list[Part] = [
        Text(lines, "code"),
        Text(
            [
                f"RUNS is the table whose SHA-256 is {', '.join(hashes)}. A posterior's file carries it: "
                f"bayescale refit {first} fits again without it, and says whether the draws are the same."
            ]
        ),
        Lights([compared(members, versions())]),
        _facts(members, seed),
    ]
    return Section("reproduce", "How to reproduce this", parts)


def compared(members: Mapping[str, Posterior], now: Mapping[str, str]) -> tuple[str, str]:
    """Whether this machine has the versions that the fits were made with, and what it means if not."""
    unknown = [name for name, one in members.items() if "versions" not in one.info]
    if unknown:
        return DOUBT, f"The versions that {', '.join(unknown)} was fitted with were not kept; a new fit keeps them."
    changed = {
        f"{package} {then} at the fit of {name}, {now.get(package, 'none')} now": None
        for name, one in members.items()
        for package, then in one.info["versions"].items()
        if then != now.get(package)
    }
    if changed:
        return DOUBT, f"Other versions than those of the fit: {'; '.join(changed)}. Draws may differ in their rounding."
    return GOOD, "The page was made with the versions of the fit."


def _facts(members: Mapping[str, Posterior], seed: int) -> Table:
    now = versions()
    kept = [one.info.get("versions", {}) for one in members.values()]
    seeds = [str(one.info.get("seed", "unknown")) for one in members.values()]
    rows = [("seed", *seeds, str(seed))]
    rows += [(package, *(then.get(package, "not kept") for then in kept), version) for package, version in now.items()]
    made = datetime.now(UTC).isoformat(timespec="minutes")
    header = ("what", *(f"fit of {name}" for name in members), "this page")
    return Table(header, rows, 1, f"Seeds and versions; the page was made {made}")


def fit_commands(posterior: Posterior, path: str) -> list[str]:
    """Return the command that fits a model again; in a comment, what only Python can say."""
    model, settings = posterior.model, posterior.info.get("settings", {})
    law = f"{model.law.name}:{model.law.inputs[0].column}" if model.law.movable else model.law.name
    words = ["bayescale", "fit", "RUNS", "--law", law, *_pooling(model), "--noise", str(model.noise)]
    words += [w for s in sorted(model.own_priors) for w in ("--prior", f"{s}={model.priors[s]}")]
    words += ["--discrepancy"] if model.discrepancy else []
    seed = posterior.info.get("seed")
    words += ["--seed", str(seed)] if seed is not None else []
    words += [
        w
        for name, usual in _USUAL.items()
        if settings.get(name, usual) != usual
        for w in (f"--{name}", str(settings[name]))
    ]
    words += ["--fast"] if settings.get("method") == "fast" else []
    aim = settings.get("target_accept")
    words += ["--target-accept", f"{aim:g}"] if aim is not None else []
    only_python = [
        *([f"Model(..., zero={ {s: list(groups) for s, groups in model.zero.items()} })"] if model.zero else []),
        *([f"a law of one's own, {law}"] if model.law.name not in LAWS else []),
    ]
    comment = [f"# in Python only: {'; '.join(only_python)}"] if only_python else []
    return [*comment, shlex.join([*words, "-o", path])]


def _pooling(model: Model) -> list[str]:
    if not model.group:
        return []
    kinds = {model.pooling[p.symbol] for p in model.law.params if p.pooled}
    if len(kinds) == 1:
        return ["--pool", model.group + ("" if kinds == {PARTIAL} else f":{kinds.pop()}")]
    return [w for s, k in model.pooling.items() for w in ("--pool", f"{s}={str(model.group) if k == PARTIAL else k}")]


def question_words(path_name: str, at: Mapping[str, Any] | None, C: Any, level: Any) -> list[str]:
    """Words of the command that ask what the page was asked."""
    words = ["-o", path_name]
    words += [w for name, x in (at or {}).items() for w in ("--at", f"{name}={_number(x)}")]
    return words + [w for name, x in (("--C", C), ("--level", level)) if x is not None for w in (name, _number(x))]


def _number(x: Any) -> str:
    """A number in full, without a tail of zeros."""
    if isinstance(x, str):
        return x
    short = f"{float(x):g}"
    return short if float(short) == x else f"{float(x):.15g}"
