"""Does a published analysis come out again? Fit what a file of ``models/`` declares, and hold it to its claims."""

import inspect
import runpy
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bayescale.answers.agreement import agreement
from bayescale.errors import BayescaleWarning, InputError
from bayescale.given import real_number
from bayescale.inference import fit, whole
from bayescale.model import Model
from bayescale.posterior import Posterior
from bayescale.progress import track
from bayescale.words import listed, quoted, shown

SEED = 1
SETTINGS = tuple(inspect.signature(fit).parameters)[1:]  # all but the model


@dataclass(frozen=True)
class Claim:
    """One published number, and what comes out here.

    Parameters
    ----------
    what : str
        What the number is, with its unit.
    published : float
        As printed.
    ours : float, array_like or DataArray
        Draws of the same quantity; or one number, from a closed form.
    source : str
        Paper, equation or table.
    within : float
        How far the published value may lie outside the interval of our draws, or from our number: its rounding, or the
        tolerance of the claim. Needed with one number.
    prob : float
        Probability of the central interval that must hold the published value.
    differs : str
        Why the published value should lie outside; the claim then is that it does.

    Examples
    --------
    >>> import bayescale as bs
    >>> str(bs.Claim("loss", 1.937, 1.9366, "closed form", within=0.0005))
    'loss: published 1.937, here 1.937; inside, as claimed'
    """

    what: str
    published: float
    ours: Any
    source: str
    within: float = 0.0
    prob: float = 0.95
    differs: str = ""

    def __post_init__(self):
        if not isinstance(self.published, int | float | np.number) or np.isnan(self.published):
            raise InputError(
                f"The claim {self.what!r} has no published number to hold ours to; {shown(self.published)} was given."
            )
        real_number("prob", self.prob, 0, 1)
        try:
            draws = np.asarray(self.ours, dtype=float)
        except (TypeError, ValueError) as error:
            raise InputError(f"The claim {self.what!r} has no draws, but {shown(self.ours)}.") from error
        if draws.size == 0 or np.isnan(draws).any():
            raise InputError(f"The claim {self.what!r} has no draws, or draws that are not numbers (NaN).")
        if np.size(self.ours) == 1 and not self.within:
            raise InputError(
                f"The claim {self.what!r} is one number; say within= how far the published may be from it."
            )

    @property
    def interval(self) -> tuple[float, float]:
        """Central interval of our draws; of one number, itself."""
        tail = (1 - self.prob) / 2
        # A draw itself, not a mean of two: draws may be infinite, where no compute is enough.
        low, high = np.quantile(np.asarray(self.ours, dtype=float), [tail, 1 - tail], method="nearest")
        return float(low), float(high)

    @property
    def median(self) -> float:
        """Median of our draws."""
        return float(np.median(np.asarray(self.ours, dtype=float)))

    @property
    def inside(self) -> bool:
        """Whether the published value lies in our interval, or within the tolerance of it."""
        low, high = self.interval
        return bool(low - self.within <= self.published <= high + self.within)

    @property
    def holds(self) -> bool:
        """Whether what is claimed is true: inside, or outside where it should differ."""
        return self.inside is not bool(self.differs)

    @property
    def here(self) -> str:
        """Ours, in words."""
        low, high = self.interval
        return f"{self.median:.4g}" if np.size(self.ours) == 1 else f"{self.median:.4g} ({low:.4g} to {high:.4g})"

    def __str__(self):
        return f"{self.what}: published {self.published:.4g}, here {self.here}; {_verdict(self)}"


@dataclass(frozen=True)
class RegionClaim:
    """Published parameters, and whether they lie in the joint region of the posterior.

    Parameters
    ----------
    what : str
        The key of the published values, and the group where there are groups.
    source : str
        Paper, equation or table.
    distance, limit : float
        Mahalanobis distance, and the radius of the joint 95 % region.
    differs : str
        Why they should lie outside; the claim then is that they do.
    """

    what: str
    source: str
    distance: float
    limit: float
    differs: str = ""

    @property
    def inside(self) -> bool:
        """Whether the values lie in the joint region."""
        return self.distance <= self.limit

    @property
    def holds(self) -> bool:
        """Whether what is claimed is true: inside, or outside where they should differ."""
        return self.inside is not bool(self.differs)

    def __str__(self):
        return f"{self.what}: distance {self.distance:.2f}, limit {self.limit:.2f}; {_verdict(self)}"


def _verdict(claim: "Claim | RegionClaim") -> str:
    where = "inside" if claim.inside else "outside"
    return f"{where}, as claimed" if claim.holds else f"{where.upper()}: THE CLAIM FAILS"


@dataclass(frozen=True)
class Reproduction:
    """What came of one published analysis.

    Parameters
    ----------
    name, title : str
        The file's name, and the first line of its docstring.
    claims : tuple of Claim or RegionClaim
        What was published, beside what came out.
    posteriors : mapping of str to Posterior
        The fits, by name; empty for an analysis in closed form.
    seconds : float
        How long it took.
    warnings : tuple of str
        What was warned of on the way.
    """

    name: str
    title: str
    claims: tuple[Claim | RegionClaim, ...]
    posteriors: Mapping[str, Posterior] = field(default_factory=dict)
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()

    @property
    def unconverged(self) -> list[str]:
        """Fits that are not to be trusted, with the reason."""
        return [f"{name}: {p.diagnostics}" for name, p in self.posteriors.items() if not p.converged]

    @property
    def holds(self) -> bool:
        """Whether every fit converged and every claim is true."""
        return not self.unconverged and all(claim.holds for claim in self.claims)

    def _reasons(self) -> dict[str, list[str]]:
        """Every reason to differ, with the claims that it is of."""
        reasons: dict[str, list[str]] = {}
        for claim in self.claims:
            if claim.differs:
                reasons.setdefault(claim.differs, []).append(claim.what)
        return reasons

    def __str__(self):
        true = sum(claim.holds for claim in self.claims)
        lines = [f"{self.name}: {self.title}"]
        lines += [f"  {line}" for line in _table(self.claims)]
        lines += [f"  {', '.join(which)}: differs because {why}" for why, which in self._reasons().items()]
        lines += [f"  fit {line}" for line in self.unconverged]
        lines += [f"  Warning: {text}" for text in self.warnings]
        lines.append(f"  {true} of {len(self.claims)} claims hold, {self.seconds:.0f} s.")
        return "\n".join(lines)


def _table(claims: Iterable[Claim | RegionClaim]) -> list[str]:
    rows = [("", "published", "here", "inside?")]
    for claim in claims:
        if isinstance(claim, Claim):
            rows.append((claim.what, f"{claim.published:.4g}", claim.here, _verdict(claim)))
        else:
            here = f"distance {claim.distance:.2f}, limit {claim.limit:.2f}"
            rows.append((claim.what, "joint", here, _verdict(claim)))
    widths = [max(len(row[k]) for row in rows) for k in range(3)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, (*widths, 0), strict=True)).rstrip() for row in rows
    ]


def analyses(path: str | Path) -> list[Path]:
    """Files of published analyses: the one named, or all in a folder, sorted.

    Raises
    ------
    InputError
        No such file or folder, or a folder without analyses.
    """
    path = Path(path)
    if path.is_dir():
        found = sorted(p for p in path.glob("*.py") if not p.name.startswith("_"))
        if not found:
            raise InputError(f"There are no analyses (.py) in the folder {str(path)!r}.")
        return found
    if path.suffix != ".py" or not path.is_file():
        raise InputError(
            f"There is no analysis {str(path)!r}; name a file of models/, or the folder. "
            "That folder is part of the repository, and does not come with the installed package."
        )
    return [path]


def load_analysis(path: str | Path) -> dict[str, Any]:
    """Run a file of ``models/`` and return its names. The file is a program: run only what you trust.

    Raises
    ------
    InputError
        The file fails, or declares nothing to reproduce.
    """
    try:
        names = runpy.run_path(str(path))
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # whatever a user's program raises
        raise InputError(f"The analysis {str(path)!r} fails: {type(error).__name__}: {error}.") from error
    if not names.keys() & {"agrees", "differs", "claims"}:
        raise InputError(f"The analysis {str(path)!r} claims nothing: it defines none of agrees, differs and claims.")
    _check_models(path, names)
    _check_keys(path, names)
    if (names.get("agrees") or names.get("differs")) and not isinstance(names.get("model"), Model):
        raise InputError(f"The analysis {str(path)!r} defines agrees or differs, but no model to hold them to.")
    for key in (*names.get("agrees", ()), *names.get("differs", ())):
        _check_key(path, names["model"], key)
    return names


def _check_keys(path: str | Path, names: Mapping[str, Any]) -> None:
    """Refuse what are no keys of published values, and reasons that are none."""
    agrees, differs = names.get("agrees", ()), names.get("differs", {})
    if not isinstance(agrees, list | tuple | set) or not all(isinstance(key, str) for key in agrees):
        raise InputError(f"The analysis {str(path)!r}: agrees must be a list of keys; {shown(agrees)} was given.")
    if not isinstance(differs, Mapping) or not all(isinstance(word, str) for word in (*differs, *differs.values())):
        raise InputError(f"The analysis {str(path)!r}: differs must map each key to the reason why it lies outside.")


def _check_key(path: str | Path, model: Model, key: str) -> None:
    """Refuse published values or a group that the model does not have, before a fit is spent on them."""
    published, _, group = (part.strip() for part in key.partition("@"))
    model.law.find(published)
    if model.group and group not in model.groups:
        raise InputError(
            f"The analysis {str(path)!r}: {key!r} names no group of {model.group!r}; write "
            f"{f'{published} @ {model.groups[0]}'!r}, or one of {listed(model.groups)}."
        )


def _check_models(path: str | Path, names: Mapping[str, Any]) -> None:
    if "model" in names and "models" in names:
        raise InputError(f"The analysis {str(path)!r} defines both model and models; keep one.")
    models = names.get("models", {"model": names["model"]} if "model" in names else {})
    if not isinstance(models, Mapping) or not all(
        isinstance(name, str) and isinstance(m, Model) for name, m in models.items()
    ):
        raise InputError(f"The analysis {str(path)!r}: model must be a Model, and models a mapping of names to Models.")
    if not callable(names.get("claims", print)):
        raise InputError(f"The analysis {str(path)!r}: claims must be a function that yields Claim.")
    if not isinstance(names.get("sampling", {}), Mapping):
        raise InputError(f"The analysis {str(path)!r}: sampling must map settings to values, {{'seed': 1}}.")
    if unknown := [name for name in names.get("sampling", {}) if name not in SETTINGS]:
        raise InputError(
            f"The analysis {str(path)!r}: sampling names {quoted(unknown)}; the settings are {listed(SETTINGS)}."
        )


def reproduce(path: str | Path, progress: bool | None = None) -> Reproduction:
    """Fit a published analysis and hold it to its claims.

    Parameters
    ----------
    path : path
        A Python file that defines some of: ``model``, a `Model`, or ``models``, a mapping of names to models;
        ``sampling``, settings for `fit`, by default ``{"seed": 1}``; ``agrees``, keys of published values that must lie
        inside the joint 95 % region, and ``differs``, a mapping of keys that must lie outside to the reason why, both
        for ``model``; ``claims``, a function that yields `Claim`: it is given the posterior of ``model``, or the
        mapping of posteriors of ``models``, or nothing where neither is defined. A key of a model with groups is
        written ``"key @ group"``.
    progress : bool, optional
        Whether to show progress bars.

    Returns
    -------
    Reproduction
        Every claim, whether it holds, and the fits.
    """
    start = time.monotonic()
    path = Path(path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", BayescaleWarning)
        names = load_analysis(path)
        posteriors = _fit_all(names, progress)
        claims = tuple(_claims(names, posteriors))
    if not claims:
        raise InputError(f"The analysis {str(path)!r} claims nothing: agrees, differs and claims are empty.")
    kept = []
    for warning in caught:
        if issubclass(warning.category, BayescaleWarning):
            kept.append(str(warning.message))
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    return Reproduction(
        name=path.stem,
        title=str(names.get("__doc__") or "").strip().partition("\n")[0],
        claims=claims,
        posteriors=posteriors,
        seconds=time.monotonic() - start,
        warnings=tuple(dict.fromkeys(kept)),
    )


def _fit_all(names: Mapping[str, Any], progress: bool | None) -> dict[str, Posterior]:
    models = {"model": names["model"]} if "model" in names else dict(names.get("models", {}))
    settings = {"seed": SEED, "progress": progress, **names.get("sampling", {})}
    fits = track(list(models.items()), lambda item: f"fit of {item[0]}", progress)
    return {name: whole(fit(model, **settings)) for name, model in fits}


def _claims(names: Mapping[str, Any], posteriors: Mapping[str, Posterior]) -> Iterator[Claim | RegionClaim]:
    differs = dict(names.get("differs", {}))
    for key in [*names.get("agrees", ()), *differs]:
        published, _, group = (part.strip() for part in key.partition("@"))
        found = agreement(posteriors["model"], published, group or None)
        yield RegionClaim(key, found.source, found.distance, found.limit, differs.get(key, ""))
    derive: Callable[..., Iterable[Claim]] | None = names.get("claims")
    if derive is None:
        return
    given: tuple[Any, ...] = (posteriors["model"],) if "model" in names else (posteriors,) if posteriors else ()
    try:
        claims = list(derive(*given))
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # whatever a user's program raises
        raise InputError(f"claims() of the analysis fails: {type(error).__name__}: {error}.") from error
    if wrong := [claim for claim in claims if not isinstance(claim, Claim)]:
        raise InputError(f"claims() of the analysis must yield Claim; it yields {wrong[0]!r} too.")
    yield from claims
