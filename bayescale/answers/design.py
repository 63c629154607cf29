"""Which runs to make next: those that tell most about a stated quantity for a budget."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayescale.answers.candidates import COST, cost_of, expect, farthest, grid, read_table, with_groups
from bayescale.answers.common import check_asked, doubted, interval, interval_name, read_value, warn_unless_converged
from bayescale.answers.gain import Joint, Laws, best_plan, normal_scores
from bayescale.answers.mixture import Stack
from bayescale.answers.outcomes import Simulated, reweigh
from bayescale.answers.quantity import LAW, Quantity, describe_run, read_quantity
from bayescale.answers.trust import trust
from bayescale.cost import cost_unit, six_nd
from bayescale.errors import BayescaleWarning, InputError
from bayescale.given import check_text, whole_number
from bayescale.posterior import Posterior
from bayescale.simulation import sample_prior
from bayescale.streams import stream
from bayescale.words import counted, listed, shown

PRIOR_DRAWS = 1000
PRIOR_SHARE = 0.5  # a quantity whose variance the runs have cut by less than this is mostly prior
OUTCOMES = 400  # simulated sequences by which a design tells laws apart
APART = 2.0  # standard errors
FAR = 3.0  # times beyond the runs
MOST_IN_WORDS = 3  # quantities that a sentence names


def design(
    posterior: Posterior | Stack,
    budget: Any,
    candidates: pd.DataFrame | None = None,
    *,
    about: str,
    at: Mapping[str, Any] | pd.DataFrame | None = None,
    cost: Callable[..., Any] = six_nd,
    batch: int = 5,
    group: str | None = None,
    repeat: bool = False,
    checks: int = 200,
    seed: int = 0,
) -> xr.Dataset:
    """Choose the runs that tell most about a quantity for a budget.

    Draws of the quantity and of what each candidate run would measure are taken for jointly normal, after a change of
    scale to normal scores (ranks) that no heavy tail can upset; a run then adds information by exact algebra, and runs
    are chosen one after the other, each for what it adds to those before it. The noise counts by the information it
    leaves, so that Student-t noise of few degrees of freedom is no obstacle. What the algebra promises is checked by
    nested Monte Carlo: outcomes are simulated, and the draws re-weighted by their likelihood.

    Parameters
    ----------
    posterior : Posterior or Stack
        A fit, or several laws with weights; runs that tell the laws apart are then worth their while.
    budget : number or str
        For all runs together, in the unit of ``cost``.
    candidates : DataFrame, optional
        Runs that could be made, one row each: the law's inputs, the group where the fit has groups (or ``"new"``), and
        a column ``cost`` where the function does not tell. By default a grid of about 400: each input in equal steps of
        its log, from the least of the runs to ten times the largest. Those that cost more than the budget are left out.
    about : str
        The law's output, such as ``"L"``, without noise; ``"N_opt"``, the best size at a budget; a parameter by symbol,
        such as ``"alpha"``; or, for a stack, ``"law"``: which law is right, its weights taken for probabilities.
    at : mapping or DataFrame, optional
        Where: ``{"N": 70e9, "D": 1.4e12}``, lists for all combinations, a table for points one by one; for ``N_opt``
        the budget, ``{"C": 1e24}``.
    cost : callable
        What a run costs: takes columns of the candidates.
    batch : int
        Runs at most.
    group : str, optional
        The group the question is about, or ``"new"``; by default all groups.
    repeat : bool
        Whether a candidate may be chosen again, with another seed; rows that are alike are runs of their own anyway.
    checks : int
        Simulated outcomes by which the promise is checked, at least 2; 0 for none.
    seed : int
        For simulated outcomes, the draws of a stack and those of a new group.

    Returns
    -------
    Dataset
        By ``candidate``, with its inputs as coordinates: ``cost``; ``information`` alone, before any other run, nats;
        and ``information_per_cost``. By ``run``, in order: ``chosen``, the candidate; ``run_cost``; ``added``,
        information that it adds; ``total``, that of all runs up to it; and with checks ``simulated``, the total by
        nested Monte Carlo, ``simulated_error``, its standard error, and ``effective``, the draws it rests on.

        Information is half the log of the ratio of variances before and after, mean over the quantities asked about,
        on the scale of normal scores.

        About a quantity: ``expected``, dims chain, draw, ``step`` (0 is now, then after each run) and ``point``:
        draws as wide as they are expected to be, about the present median. About the law: ``found``, by step, the
        expected probability of the law that is right.

    Raises
    ------
    InputError
        Unknown quantity, missing inputs, a budget below the cheapest candidate, an unusable table.

    References
    ----------
    .. [1] Chaloner & Verdinelli (1995), Bayesian experimental design: a review, Statistical Science 10, 273-304.
    .. [2] Rainforth, Foster, Ivanova & Smith (2024), Modern Bayesian experimental design, Statistical Science 39.

    Examples
    --------
    >>> import bayescale as bs
    >>> answer = bs.design(posterior, 1e21, about="L", at={"N": 70e9, "D": 1.4e12})
    >>> bs.plot_design(answer)
    """
    check_asked(posterior, (Posterior, Stack), group)
    check_text("about", about, "L")
    source = _Source(posterior, seed)
    budget = _read_budget(budget)
    _check_counts(batch, checks)
    quantity = _read_about(source, about, at, cost, group, seed)
    table, notes = _read_candidates(source, candidates, cost, budget, group)
    costs = table[COST].to_numpy()
    source.ask(lambda p: _expected(p, quantity, table, seed))
    draws = source.mixed
    response, log_noise = (_flat(draws[name]) for name in ("centre", "log_noise"))
    _require_finite(response, table)
    member = _flat(draws["member"])
    if quantity is None:
        rng = stream("design", seed)
        state: Any = Laws.of_draws(member, response, log_noise, OUTCOMES, batch, rng)
        scores = None
    else:
        scores = normal_scores(_checked(_flat(draws["asked"]), quantity))
        state = Joint.of_draws(scores, response, np.exp(log_noise.mean(axis=0)))
    plan = best_plan(state, costs, budget, batch, repeat)
    alone = state.gains()
    answer = _answer(table, costs, plan, alone, draws, scores, quantity, state)
    if checks and plan.runs:
        told = _simulate(source, table.iloc[list(plan.runs)], scores, member, checks, seed)
        answer = answer.assign(
            simulated=("run", told.information), simulated_error=("run", told.error), effective=("run", told.effective)
        )
        notes += _compare(plan, told)
    notes += _far_out(source, table, plan.runs)
    if quantity is not None:
        notes += _prior_driven(source, quantity)
    return answer.assign_attrs(
        {
            "about": about,
            "budget": budget,
            "cost_unit": "units of cost" if candidates is not None and COST in candidates else cost_unit(cost),
            "law": draws.attrs.get("law", source.names[0]),
            **trust(posterior),
            "seed": seed,
            "power": plan.power,
            "checks": checks,
            "columns": list(_described(table.iloc[0], source)),
            "notes": notes,
        }
    )


class _Source:
    """Draws of a posterior, or of the mixture that a stack is: the same draws at every question."""

    def __init__(self, asked: Posterior | Stack, seed: int):
        if isinstance(asked, Stack):
            self.members = {name: p for name, p in asked.members.items() if asked.weights[name] > 0}
        else:
            self.members = {asked.model.law.name: asked}
            warn_unless_converged(asked, stacklevel=4)
        self.asked, self.seed = asked, seed
        self.mixed = xr.Dataset()

    @property
    def names(self) -> list[str]:
        """Names of the members that answer."""
        return list(self.members)

    @property
    def posteriors(self) -> list[Posterior]:
        """The members that answer."""
        return list(self.members.values())

    def ask(self, question: Callable[[Posterior], xr.Dataset]) -> None:
        """Put the first question, and keep the members that can answer it."""
        if isinstance(self.asked, Stack):
            answers = self.asked.ask(question)
            self.members = {name: p for name, p in self.members.items() if name in answers}
            self.mixed = self._mix({name: answers[name] for name in self.members})
        else:
            self.mixed = question(self.posteriors[0]).assign(member=_like_draws(self.posteriors[0], 0))

    def again(self, question: Callable[[Posterior], xr.Dataset]) -> xr.Dataset:
        """Put a further question to the same members; its draws are those of the first."""
        if isinstance(self.asked, Stack):
            return self._mix({name: question(p) for name, p in self.members.items()})
        return question(self.posteriors[0])

    def _mix(self, answers: Mapping[str, xr.Dataset]) -> xr.Dataset:
        assert isinstance(self.asked, Stack)
        numbered = {
            name: answer.assign(member=_like_draws(self.members[name], k))
            for k, (name, answer) in enumerate(answers.items())
        }
        return self.asked.mix(numbered, self.seed)


def _like_draws(posterior: Posterior, value: float) -> xr.DataArray:
    sizes = posterior.dataset.sizes
    return xr.DataArray(np.full((sizes["chain"], sizes["draw"]), value), dims=("chain", "draw"))


def _flat(draws: xr.DataArray) -> np.ndarray:
    """Draws in one row each."""
    values = draws.transpose("chain", "draw", ...).to_numpy()
    return values.reshape(-1, *values.shape[2:])


def _read_budget(budget: Any) -> float:
    value = read_value("budget", budget, signed=False)
    if value.ndim:
        raise InputError(f"budget is one number, for all runs together; {shown(budget)} was given.")
    return float(value)


def _check_counts(batch: int, checks: int) -> None:
    for name, value, least in (("batch", batch, 1), ("checks", checks, 0)):
        whole_number(name, value, least)
    if checks == 1:
        raise InputError("One simulated outcome has no standard error; checks is 0, for none, or at least 2.")


def _read_about(source: _Source, about: str, at, cost, group, seed) -> Quantity | None:
    """Return the quantity, or None for the question which law is right."""
    if about != LAW or not isinstance(source.asked, Stack):
        return read_quantity(source.posteriors, about, at, cost, group, seed)
    if len(source.members) < 2:
        raise InputError(
            f"All weight of this stack is on {listed(source.members)}, so there is nothing to tell apart. "
            "Stack with by='loo', or ask about 'L'."
        )
    if at is not None:
        raise InputError("Which law is right is asked everywhere; leave out at=.")
    return None


def _read_candidates(source: _Source, given, cost, budget: float, group) -> tuple[pd.DataFrame, list[str]]:
    """Candidates that the budget affords, with their cost, and what to say of the others."""
    table = grid(source.posteriors) if given is None else read_table(given, source.posteriors, "candidates")
    table: Any = with_groups(table, source.posteriors, group, "candidates")
    table = table.assign(**{COST: cost_of(table, cost)})
    affordable = (table[COST] <= budget).to_numpy()
    if not affordable.any():
        raise InputError(
            f"The budget of {budget:.4g} is below the cheapest candidate, which costs {table[COST].min():.4g} "
            f"({describe_run(_described(table.loc[table[COST].idxmin()], source))}). "
            "Give more, or cheaper candidates."
        )
    notes = []
    if given is not None and not affordable.all():
        notes.append(
            f"{(~affordable).sum()} of {counted(len(table), 'candidate')} cost more than the budget: left out."
        )
    return table[affordable].reset_index(drop=True), notes


def _described(row: pd.Series, source: _Source) -> dict[str, Any]:
    """Inputs and group of a candidate."""
    columns = [c for p in source.posteriors for c in (*p.model.law.columns, p.model.group) if c]
    return {c: row[c] for c in dict.fromkeys(columns) if c in row}


def _expected(posterior: Posterior, quantity: Quantity | None, table: pd.DataFrame, seed: int) -> xr.Dataset:
    """Draws of the quantity, and of the centre and log noise variance of every candidate."""
    noise = posterior.model.noise
    with np.errstate(all="ignore"):  # what is not finite is refused afterwards, with the run
        centre = expect(posterior, table, lambda location, params, *_: noise.centre(location, params), seed)
        log_noise = expect(
            posterior,
            table,
            lambda location, params, facts, _: (
                np.log(noise.equivalent_variance(params, facts, location)) + 0 * location
            ),
            seed,
        )
        found = {"centre": centre, "log_noise": log_noise}
        if quantity is not None:
            found["asked"] = quantity.ask(posterior)
    dataset = xr.Dataset({name: value.reset_coords(drop=True) for name, value in found.items()})
    return dataset.assign_attrs(law=posterior.model.law.name)


def _require_finite(response: np.ndarray, table: pd.DataFrame) -> None:
    if bad := np.flatnonzero(~np.isfinite(response).all(axis=0)).tolist():
        run = table.iloc[bad[0]].to_dict()
        raise InputError(
            f"The law gives no finite response at {counted(len(bad), 'candidate')}, first {describe_run(run)}; "
            "leave those out."
        )


def _checked(draws: np.ndarray, quantity: Quantity) -> np.ndarray:
    """Refuse a quantity that is not finite or already known."""
    for label, column in zip(quantity.labels, draws.T, strict=True):
        if not np.isfinite(column).all():
            raise InputError(
                f"{label} is not finite in {np.mean(~np.isfinite(column)):.0%} of the draws, so it has no spread to "
                "shrink; ask about another quantity."
            )
        if np.ptp(column) == 0:
            raise InputError(f"{label} is the same in all draws, {column[0]:.6g}: there is nothing left to learn.")
    return draws


def _answer(table, costs, plan, alone, draws, scores, quantity: Quantity | None, state) -> xr.Dataset:
    runs = list(plan.runs)
    columns = {str(c): ("candidate", table[c].to_numpy()) for c in table if c != COST}
    answer = xr.Dataset(
        {
            "cost": ("candidate", costs),
            "information": ("candidate", alone, {"units": "nats"}),
            "information_per_cost": ("candidate", alone / costs),
            "chosen": ("run", np.array(runs, dtype=int)),
            "run_cost": ("run", costs[runs]),
            "added": ("run", np.array(plan.gains, dtype=float), {"units": "nats"}),
            "total": ("run", np.cumsum(plan.gains), {"units": "nats"}),
        },
        columns,
    )
    states = [state]
    for run in runs:
        states.append(states[-1].observe(run))
    if quantity is None:
        return answer.assign(found=("step", np.array([s.found for s in states]), {"units": "1"}))
    ratio = np.sqrt(np.array([s.variance for s in states]) / state.variance)
    expected = _as_wide(_flat(draws["asked"]), scores, ratio)
    shape = (draws.sizes["chain"], draws.sizes["draw"], len(states), len(quantity.labels))
    dims = ("chain", "draw", "step", "point")
    values = xr.DataArray(expected.reshape(shape), dims=dims, attrs={"units": quantity.unit or "1"})
    return answer.assign(expected=values).assign_coords(point=list(quantity.labels))


def _as_wide(draws: np.ndarray, scores: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    """Draw (draw, point) in towards the medians, on the scale of normal scores, shape (draw, step, point)."""
    from scipy.special import ndtr

    place = ndtr(scores[:, None] * ratio) * len(draws) - 0.5
    order = np.arange(len(draws))
    return np.stack([np.interp(place[..., k], order, np.sort(draws[:, k])) for k in range(draws.shape[1])], axis=-1)


def _simulate(source: _Source, runs: pd.DataFrame, scores, member: np.ndarray, checks: int, seed: int) -> Simulated:
    """Simulate outcomes of the chosen runs from draws, and re-weight the draws by them."""
    runs = runs.reset_index(drop=True)
    rng = stream("design outcomes", seed)

    def measure(posterior: Posterior) -> xr.Dataset:
        noise = posterior.model.noise
        drawn = expect(posterior, runs, lambda law, params, facts, _: noise.draw(rng, law, params, facts), seed)
        return drawn.reset_coords(drop=True).to_dataset(name="outcome")

    outcomes = _flat(source.again(measure)["outcome"])
    own = rng.permutation(len(outcomes))[:checks]

    def density(posterior: Posterior) -> xr.Dataset:
        noise = posterior.model.noise

        def judge(law, params, facts, rows):
            response = xr.DataArray(outcomes[own][:, rows], dims=("outcome", "run"))
            return noise.log_density(response, law, params, facts)

        return expect(posterior, runs, judge, seed).reset_coords(drop=True).to_dataset(name="density")

    judged = source.again(density)["density"].transpose("outcome", "chain", "draw", "run").to_numpy()
    judged = judged.reshape(len(own), -1, len(runs))
    if scores is None:
        return reweigh(judged, own, np.zeros((len(member), 1)), member)
    return reweigh(judged, own, scores)


def _compare(plan, told: Simulated) -> list[str]:
    """Say where the algebra's promise and the simulated outcomes part."""
    total = np.cumsum(plan.gains)
    notes = []
    if not told.enough.all():
        first = int(np.argmin(told.enough))  # the first that is False
        notes.append(
            f"From run {first + 1} on simulated outcomes leave {told.effective[first]:.0f} effective draws, too few "
            "for a check. Refit after the first runs and ask again, or fit with more draws."
        )
    apart = told.enough & (np.abs(told.information - total) > APART * told.error)
    if apart.any():
        worst = int(np.argmax(np.where(apart, np.abs(told.information - total), -1)))
        notes.append(
            f"Simulated outcomes disagree with the promise by more than their error: after run {worst + 1} they give "
            f"{told.information[worst]:.3g} ± {told.error[worst]:.2g} nats instead of {total[worst]:.3g}, "
            f"{abs(told.information[worst] / total[worst] - 1):.0%} off."
        )
    return notes


def _far_out(source: _Source, table: pd.DataFrame, chosen: tuple[int, ...]) -> list[str]:
    """Say how far beyond the runs the chosen ones lie."""
    if not chosen:
        return []
    reach = max(farthest(posterior, table.iloc[list(chosen)]) for posterior in source.posteriors)
    if reach < FAR:
        return []
    free = all(posterior.model.discrepancy for posterior in source.posteriors)
    return [
        f"Chosen runs lie up to {reach:.3g} times beyond the runs so far. If the law does not hold there, they "
        f"mislead: make them in steps{'' if free else ', or fit with discrepancy=True (--discrepancy)'}."
    ]


def _prior_driven(source: _Source, quantity: Quantity) -> list[str]:
    """Say loudly which law's quantity the runs have hardly informed."""
    leaning = []
    for name, posterior in source.members.items():
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", BayescaleWarning)
            before = _spread(_flat(quantity.ask(sample_prior(posterior.model, PRIOR_DRAWS, source.seed))))
        after = _spread(_flat(quantity.ask(posterior)))
        if np.any(after**2 > PRIOR_SHARE * before**2):
            leaning.append(name)
    if not leaning:
        return []
    return [
        f"MOSTLY PRIOR: by {listed(leaning)} the runs so far have cut the variance of {quantity.symbol} by less than "
        "half, so what is promised leans on the prior. Make the first run, refit, and ask again."
    ]


def _spread(draws: np.ndarray) -> np.ndarray:
    """Central 68 % range of each quantity, in logs where it is positive."""
    draws = np.where(np.isfinite(draws), draws, np.nan)
    positive = np.nanmin(draws, axis=0) > 0
    scaled = np.where(positive, np.log(np.where(positive, draws, 1.0)), draws)
    low, high = np.nanquantile(scaled, [0.16, 0.84], axis=0)
    return high - low


def design_table(answer: xr.Dataset) -> pd.DataFrame:
    """Reduce a design to one line for each run, in the order in which to make them.

    Returns
    -------
    DataFrame
        Inputs of the run, ``cost``, ``information`` it adds (nats), ``per_cost``, the ``total`` with those before it,
        where checked ``simulated`` and its ``error``; then for each quantity the interval's ends after the run
        (``lower``, ``upper``) and its ``width``, or ``found``, the expected probability of the law that is right.
    """
    chosen = answer["chosen"].to_numpy()
    inputs = {str(c): answer[c].to_numpy()[chosen] for c in answer.coords if answer[c].dims == ("candidate",)}
    added, cost = answer["added"].to_numpy(), answer["run_cost"].to_numpy()
    table = pd.DataFrame(
        {**inputs, "cost": cost, "information": added, "per_cost": added / cost, "total": answer["total"].to_numpy()}
    )
    if "simulated" in answer:
        table = table.assign(simulated=answer["simulated"].to_numpy(), error=answer["simulated_error"].to_numpy())
    if "found" in answer:
        return table.assign(found=answer["found"].to_numpy()[1:])
    several = answer.sizes["point"] > 1
    for label, ends in _ends(answer).items():
        tail = f" {label}" if several else ""
        low, high = ends[1:].T
        table = table.assign(**{f"lower{tail}": low, f"upper{tail}": high, f"width{tail}": high - low})
    return table


def _ends(answer: xr.Dataset) -> dict[str, np.ndarray]:
    """Ends of the interval now and after each run, shape (step, 2), by quantity."""
    reduced = interval(answer["expected"]).sel(quantity=["lower", "upper"]).transpose("point", "step", "quantity")
    return dict(zip(map(str, answer["point"].to_numpy()), reduced.to_numpy(), strict=True))


def design_sentences(answer: xr.Dataset) -> list[str]:
    """Say a design in words: a sentence for each run, then what to know before trusting it."""
    unit, about = answer.attrs["cost_unit"], answer.attrs["about"]
    added, per_cost = answer["added"].to_numpy(), (answer["added"] / answer["run_cost"]).to_numpy()
    runs = [f"{_run_in_words(answer, k)} (cost {answer['cost'].to_numpy()[k]:.3g} {unit})" for k in _chosen(answer)]
    if not runs:
        lines = [f"No run that the budget affords would tell anything of {about}."]
    else:
        lines = [
            f"{'Then run' if step else 'Run'} {run}{'' if step else ' next'}: {_effect(answer, step)}; "
            f"{added[step]:.3g} nats, {per_cost[step]:.3g} per {unit.replace('units', 'unit')}."
            for step, run in enumerate(runs)
        ]
        spent = float(answer["run_cost"].sum())
        lines.append(f"Together they cost {spent:.3g} {unit}, {spent / answer.attrs['budget']:.0%} of the budget.")
        lines += _single(answer)
    if "simulated" in answer:
        last = answer.isel(run=-1)
        lines.append(
            f"{answer.attrs['checks']} simulated outcomes give {float(last['simulated']):.3g} ± "
            f"{float(last['simulated_error']):.2g} nats for all runs together; {float(last['total']):.3g} is promised."
        )
    return [*doubted(answer), *lines, *answer.attrs["notes"]]


def _chosen(answer: xr.Dataset) -> list[int]:
    return answer["chosen"].to_numpy().tolist()


def _run_in_words(answer: xr.Dataset, candidate: int) -> str:
    return describe_run({c: answer[c].to_numpy()[candidate] for c in answer.attrs["columns"]})


def _effect(answer: xr.Dataset, step: int) -> str:
    """What a run is expected to do, in words."""
    if "found" in answer:
        before, after = answer["found"].to_numpy()[[step, step + 1]]
        return f"the chance to tell the right law is expected to rise from {before:.2f} to {after:.2f}"
    ends = _ends(answer)
    if len(ends) > MOST_IN_WORDS:
        width = np.array([np.diff(e, axis=1)[:, 0] for e in ends.values()])
        share = np.mean(width[:, step + 1] / width[:, 0])
        return f"the {interval_name()} of {len(ends)} values of {answer.attrs['about']} are {share:.0%} as wide as now"
    return "; ".join(
        f"the {interval_name()} of {label} is expected to shrink from {_wide(e[step])} to {_wide(e[step + 1])}"
        for label, e in ends.items()
    )


def _wide(ends: np.ndarray) -> str:
    return f"{ends[1] - ends[0]:.3g} wide ({ends[0]:.4g} to {ends[1]:.4g})"


def _single(answer: xr.Dataset) -> list[str]:
    """The best single runs, where they are others than the first of the batch."""
    lines = []
    for name, what in (("information", "If only one run is made"), ("information_per_cost", "Per unit of cost")):
        best = int(np.argmax(answer[name].to_numpy()))
        if best != _chosen(answer)[0]:
            lines.append(
                f"{what}, the one that tells most is {_run_in_words(answer, best)} "
                f"(cost {float(answer['cost'][best]):.3g}, {float(answer['information'][best]):.3g} nats alone)."
            )
    return lines
