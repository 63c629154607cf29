"""The sections of a report, from what was answered."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayescale.answers.allocation import allocation_sentences, allocation_table
from bayescale.answers.check import check_sentences
from bayescale.answers.common import interval_name
from bayescale.answers.comparison import Comparison
from bayescale.answers.forecast import forecast_sentences, forecast_table
from bayescale.answers.identification import identify_sentences, identify_table
from bayescale.answers.mixture import Stack
from bayescale.answers.sensitivity import sensitivity_sentences, sensitivity_table
from bayescale.answers.threshold import threshold_sentences, threshold_table
from bayescale.diagnostics import MAX_PARETO_K, MAX_RHAT, MIN_BFMI, MIN_ESS
from bayescale.model import COMPLETE, MEAN, PARTIAL, Model
from bayescale.numerals import short_number
from bayescale.plots.allocation import plot_allocation
from bayescale.plots.check import plot_check
from bayescale.plots.comparison import plot_comparison
from bayescale.plots.exponents import plot_exponents
from bayescale.plots.forecast import plot_forecast
from bayescale.plots.posterior import plot_posterior
from bayescale.plots.threshold import plot_threshold
from bayescale.posterior import Posterior
from bayescale.reports.answered import Answered
from bayescale.reports.figures import draw
from bayescale.reports.parts import BAD, DOUBT, GOOD, Formula, Lights, Part, Section, Table, Text, table_of
from bayescale.runs import hash_runs

_FIRST = 3  # doubts about the fit on the first screen
_MANY = 12  # parameters of one table; more are folded into those of the law


def answer_section(a: Answered) -> Section:
    """The first screen: what was asked, what is answered, how far to trust it."""
    lights = _trust(a)
    # What spoils an answer is read before it; all else that may be doubted, after it.
    worst = [light for light in lights if light[0] == BAD][:1]
    parts: list[Part] = [Text([" ".join(a.question.words)], "aside")]
    parts += [Lights(worst)] if worst else []
    parts += _answered(a.forecast, forecast_sentences, _forecast_lines, "A run to come")
    if a.question.budget is not None or isinstance(a.plan, xr.Dataset):
        parts += _answered(a.plan, allocation_sentences, _plan_lines, "How to split the budget")
    if a.question.level is not None:
        parts += _answered(a.reached, _level_sentences, _level_lines, "What it costs")
    if isinstance(a.comparison, Comparison):
        parts.append(Text([f"Which law: {a.comparison.verdict}"], "answer"))
    parts.append(Lights([light for light in lights if light not in worst]))
    return Section("answer", "The answer", parts)


def _answered(answer, sentences: Callable, lines: Callable, caption: str) -> list[Part]:
    """One answer: sentences where it is one line, a table where it is several; the reason where there is none."""
    if isinstance(answer, str):
        return [Text([f"{caption}: not answered. {answer}"])]
    rows = lines(answer)
    if len(rows) == 1:
        return [Text([f"{caption}. {said}" for said in sentences(answer)[:1]], "answer")]
    return [table_of(rows, labels=1, caption=f"{caption} (intervals: {interval_name()})")]


def _forecast_lines(answer: xr.Dataset) -> pd.DataFrame:
    output = next(str(name) for name in answer.data_vars)
    unit = answer[output].attrs.get("units", "")
    rows = []
    for row in forecast_table(answer).to_dict("records"):
        labels = {str(k): v for k, v in row.items() if k in answer.coords and k != "C"}
        rows.append(
            labels
            | {
                f"a run would measure ({unit})": _banded(row, f"{output}_run"),
                f"the law ({unit})": _banded(row, output),
                "times beyond the runs": f"{row['beyond']:.3g}",
            }
        )
    return _groups_first(pd.DataFrame(rows))


def _groups_first(frame: pd.DataFrame) -> pd.DataFrame:
    """Put columns of names before those of numbers."""
    first = frame.iloc[0]
    names = [c for c in frame.columns if isinstance(first[c], str) and "(" not in c and "times" not in c]
    return frame.reindex(columns=[*names, *(c for c in frame.columns if c not in names)])


def _banded(row: Any, name: str) -> str:
    return f"{row[f'{name} median']:.4g} ({row[f'{name} lower']:.4g} to {row[f'{name} upper']:.4g})"


def _plan_lines(answer: xr.Dataset) -> pd.DataFrame:
    symbol, unit = answer.attrs["output"], answer[answer.attrs["output"]].attrs.get("units", "")
    rows = []
    for row in allocation_table(answer).to_dict("records"):
        near = [short_number(row[f"N_{end}"]) for end in ("low", "high")]
        best = [short_number(row[f"N {end}"]) for end in ("lower", "upper")]
        labels = {str(k): v for k, v in row.items() if k in answer.coords and isinstance(v, str)}
        rows.append(
            labels
            | {
                "N": row["N_bayes"],
                "D": row["D_bayes"],
                "tokens per parameter": row["tokens_per_parameter_bayes"],
                f"N within {answer.attrs['allowed']}": f"{near[0]} to {near[1]}",
                "best N": f"{best[0]} to {best[1]}",
                f"{symbol} of the law ({unit})": _banded(row, f"{symbol}_bayes"),
            }
        )
    return pd.DataFrame(rows)


def _level_sentences(answer: xr.Dataset) -> list[str]:
    """What the level costs, without what is said of the law before it."""
    return [said for said in threshold_sentences(answer) if said.startswith(answer.attrs["output"])]


def _level_lines(answer: xr.Dataset) -> pd.DataFrame:
    scale = answer.attrs["scale"]
    unit = answer[scale].attrs.get("units", "")
    rows = []
    for row in threshold_table(answer).to_dict("records"):
        labels = {str(k): v for k, v in row.items() if k in answer.coords and isinstance(v, str)}
        needed = "never" if np.isinf(row[f"{scale} lower"]) else _banded(row, scale).replace("inf", "never")
        rows.append(labels | {"level": row["level"], f"{scale} ({unit})": needed, "P(never)": row["P(never)"]})
    return pd.DataFrame(rows)


def _trust(a: Answered) -> list[tuple[str, str]]:
    """How far to trust it, each line with its light."""
    bad = [name for name, one in a.members.items() if not one.converged]
    lights = [
        (BAD, f"Not converged: {', '.join(bad)}; see Diagnostics for what to do.")
        if bad
        else (GOOD, "The sampler has converged.")
    ]
    if isinstance(a.check, xr.Dataset):
        # What to do about a misfit comes before the places where it was found.
        doubts = sorted(
            (one for one in _fit_lights(a.check) if one[0] != GOOD),
            key=lambda one: (not one[1].startswith("The law is only"), one[0] != BAD),
        )
        lights += doubts[:_FIRST] or [(GOOD, "No misfit was found.")]
        if len(doubts) > _FIRST:
            lights.append((DOUBT, f"{len(doubts) - _FIRST} more lines of doubt stand in Diagnostics."))
    if isinstance(a.forecast, xr.Dataset):
        beyond = float(a.forecast["beyond"].max())
        lights.append(
            (GOOD, "The run asked about lies inside the range of the runs.")
            if beyond <= 1
            else (DOUBT, f"The run asked about lies {beyond:.3g} times beyond the runs: the law must hold until there.")
        )
    return lights + [(DOUBT, said) for said in a.warned]


def _fit_lights(check: xr.Dataset) -> list[tuple[str, str]]:
    marks = {"MISFIT": BAD, "The law is only": BAD}
    good = ("No misfit", "Leave-one-out")
    return [
        (next((light for start, light in marks.items() if said.startswith(start)), _otherwise(said, good)), said)
        for said in check_sentences(check)
    ]


def _otherwise(said: str, good: Sequence[str]) -> str:
    return GOOD if said.startswith(tuple(good)) else DOUBT


def runs_section(a: Answered) -> Section:
    """What was learnt from."""
    model = a.posterior.model
    table = model.describe().reset_index(names=model.group or "runs of")
    ends = [c for c in table.columns if not str(c).endswith("_mean")]
    parts: list[Part] = [table_of(table.reindex(columns=ends), caption="Number of runs, and what they range over")]
    if notes := list(model.runs.attrs.get("notes", ())):
        parts.append(Text([f"Note: {note}" for note in notes]))
    parts.append(Text([f"SHA-256 of the table: {hash_runs(model.runs)}"], "aside"))
    return Section("runs", "The runs", parts)


def model_section(a: Answered) -> Section:
    """What was assumed, in words and as a formula."""
    parts: list[Part] = []
    for name, one in a.members.items():
        model, law = one.model, one.model.law
        title = f"{name}: " if len(a.members) > 1 else ""
        parts.append(Text([f"{title}{law.name}, {law.title}. {law.reference}.".replace("..", ".")]))
        parts.append(Formula(law.mathml(), law.text()))
        parts.append(Text(_assumed(model)))
        parts.append(_priors(model))
    return Section("model", "The model", parts)


def _assumed(model: Model) -> list[str]:
    lines = [f"Noise: {model.noise}, {model.noise.where}."]
    lines.append(
        f"Departure from the law: {model.discrepancy}, learnt."
        if model.discrepancy
        else "Departure from the law: none, the law is taken as exact."
    )
    if model.group:
        words = {PARTIAL: "partly pooled", COMPLETE: "the same for all", "none": "each group for itself"}
        kinds = {kind: [p for p, k in model.pooling.items() if k == kind] for kind in words}
        said = "; ".join(f"{', '.join(names)} {words[kind]}" for kind, names in kinds.items() if names)
        lines.append(f"{len(model.groups)} groups of {model.group}: {said}.")
    centre = ", ".join(f"{i.column} = {short_number(model.reference[i.symbol])}" for i in model.law.inputs)
    return [*lines, f"Inputs are taken relative to the centre of the runs, {centre}."]


def _priors(model: Model) -> Table:
    rows = []
    for p in model.params:
        name = p.symbol + MEAN if model.pooling[p.symbol] == PARTIAL else p.symbol
        prior = model.priors[p.symbol]
        low, high = (float(prior.quantile(q)) for q in (0.05, 0.95))
        own = "yours" if p.symbol in model.own_priors else "default"
        rows.append((name, p.meaning, p.unit or "", str(prior), f"{low:.3g} to {high:.3g}", own))
    header = ("parameter", "meaning", "unit", "prior", "its 90 %", "whose")
    return Table(header, rows, 1, "Parameters and priors")


def diagnostics_section(a: Answered) -> Section:
    """Whether the draws may be trusted, whether the law fits, and what to do."""
    parts: list[Part] = []
    for name, one in a.members.items():
        if len(a.members) > 1:
            parts.append(Text([f"{name}:"]))
        parts.append(Lights(_sampler_lights(one)))
    parts.append(Lights(_fit_lights(a.check)) if isinstance(a.check, xr.Dataset) else Text([a.check]))
    return Section("diagnostics", "Diagnostics, and what to do", parts)


def _sampler_lights(posterior: Posterior) -> list[tuple[str, str]]:
    d = posterior.diagnostics
    fewest = min(d.ess_bulk, d.ess_tail)
    lights = [(fewest >= MIN_ESS, f"effective draws {fewest:.0f} at least, {MIN_ESS:.0f} are asked for")]
    if d.pareto_k is not None:
        lights.append((d.pareto_k < MAX_PARETO_K, f"Pareto k-hat {d.pareto_k:.2f}, below {MAX_PARETO_K} is asked for"))
    else:
        lights.insert(0, (d.rhat <= MAX_RHAT, f"R-hat {d.rhat:.4f}, at most {MAX_RHAT} is asked for"))
        lights.append((d.divergences == 0, f"divergent transitions {d.divergences}"))
        lights.append((d.bfmi >= MIN_BFMI, f"energy fraction {d.bfmi:.2f}, at least {MIN_BFMI} is asked for"))
    found = [(GOOD if good else BAD if d.problems else DOUBT, said) for good, said in lights]
    return found + [(BAD, f"To do: {problem}.") for problem in d.problems]


def posterior_section(a: Answered) -> Section:
    """Prior and posterior, side by side."""
    one = a.posterior
    table = one.summary().reset_index(names="parameter")
    law = {*one.model.law.constants, *(p.symbol for p in one.model.law.params)}
    shown_rows = table
    if len(table) > _MANY:
        shown_rows = table.loc[[str(name).partition("[")[0].removesuffix(MEAN) in law for name in table["parameter"]]]
    parts: list[Part] = [
        draw("posterior", lambda: plot_posterior(one), "Prior (grey) and posterior of each parameter of the law."),
    ]
    if any(not p.scaled for p in one.model.law.params):
        caption = "Exponents: medians with central 50 % and 90 %, and values that papers printed."
        parts.append(draw("exponents", lambda: plot_exponents(one), caption))
    parts.append(table_of(shown_rows, caption=f"Posterior: median, standard deviation, {interval_name()}"))
    return Section("posterior", "Before and after: prior and posterior", parts)


def forecast_section(a: Answered) -> Section:
    """Forecast bands, by group."""
    caption = (
        "Runs, the law's median, and bands that hold 50 % and 90 % of runs to come; paler and dashed beyond the runs."
    )
    figure = draw("forecast", lambda: plot_forecast(a.subject), caption)
    lines = forecast_sentences(a.forecast) if isinstance(a.forecast, xr.Dataset) else [a.forecast]
    return Section("forecast", "Forecast", [figure, Text(lines)])


def allocation_section(a: Answered) -> Section:
    """The frontier of a budget, with the basin of sizes that cost little more."""
    if isinstance(a.frontier, str):
        return Section("allocation", "Splitting a budget", [Text([f"Left out: {a.frontier}"])])
    caption = (
        f"The size to train at each budget; the band is what gives away no more than {a.frontier.attrs['allowed']}; "
        "thin lines are the interval of the best size."
    )
    frontier = a.frontier
    parts: list[Part] = [draw("allocation", lambda: plot_allocation(frontier), caption)]
    parts.append(Text(allocation_sentences(a.plan) if isinstance(a.plan, xr.Dataset) else [a.plan]))
    return Section("allocation", "Splitting a budget", parts)


def threshold_section(a: Answered) -> Section:
    """What a level of the response costs."""
    if isinstance(a.reached, str):
        return Section("threshold", "When is a level reached?", [Text([f"Left out: {a.reached}"])])
    reached = a.reached
    caption = "Probability that the level is reached by a scale; what a curve lacks of 1 is the probability of never."
    figure = draw("threshold", lambda: plot_threshold(reached), caption)
    return Section("threshold", "When is a level reached?", [figure, Text(threshold_sentences(reached))])


def fit_section(a: Answered) -> Section:
    """Residuals and predictive checks."""
    if isinstance(a.check, str):
        return Section("fit", "Does the law fit?", [Text([f"Left out: {a.check}"])])
    check = a.check
    names = {
        "residual_sd": "spread of residuals",
        "seed_sd": "of repeated runs",
        "structure": "explained by the inputs",
        "structure_p": "p-value of that",
        "cover_50": "inside 50 %",
        "cover_90": "inside 90 %",
    }
    table = check[list(names)].to_dataframe().rename(columns=names).reset_index(names="runs of")
    caption = (
        "Residuals with bands of noise, leave-one-out calibration, and the probability of each run to be an outlier."
    )
    checks = "Posterior predictive checks; shares of runs inside their leave-one-out intervals"
    return Section(
        "fit", "Does the law fit?", [draw("check", lambda: plot_check(check), caption), table_of(table, caption=checks)]
    )


def comparison_section(a: Answered) -> Section | None:
    """Which law the runs support."""
    if a.comparison is None:
        return None
    parts: list[Part] = []
    if isinstance(a.comparison, str):
        parts.append(Text([f"Left out: {a.comparison}"]))
    else:
        found = a.comparison
        caption = "How far each law is behind the best, in expected log predictive density."
        parts.append(draw("comparison", lambda: plot_comparison(found), caption))
        parts.append(table_of(found.table.reset_index(names="law"), caption="By PSIS-LOO"))
        parts.append(Text([found.verdict, *found.notes]))
        parts.append(Text(["For larger runs than these ask also: bayescale compare A.NC B.NC --by largest"], "aside"))
    if isinstance(a.subject, Stack):
        weights = a.subject.table().reset_index(names="law")
        parts.append(table_of(weights, caption=f"Weights of the stack, by {a.subject.by!r}; {interval_name()}"))
        parts.append(Text(list(a.subject.notes)))
    return Section("comparison", "Which law?", parts)


def untold_section(a: Answered) -> Section:
    """What the runs cannot tell."""
    parts: list[Part] = []
    if isinstance(a.told, xr.Dataset):
        parts.append(Text(identify_sentences(a.told, a.posterior.model)))
    if isinstance(a.leaning, xr.Dataset):
        parts.append(Text(sensitivity_sentences(a.leaning)))
        table = sensitivity_table(a.leaning)
        if isinstance(a.told, xr.Dataset):
            table["expected before the fit"] = identify_table(a.told)["contraction"]
        table = table.loc[a.leaning["of_law"].to_numpy()].reset_index(names="parameter")
        caption = "Contraction (0 prior alone, 1 certainty), and how the posterior moves with prior and likelihood"
        parts.append(table_of(table, caption=caption))
    return Section("untold", "What the runs cannot tell", parts)


def all_sections(a: Answered) -> list[Section]:
    """Every section but the last, which says how to reproduce the page, in the order of reading."""
    found = [
        answer_section(a),
        runs_section(a),
        model_section(a),
        diagnostics_section(a),
        posterior_section(a),
        forecast_section(a),
        allocation_section(a),
        threshold_section(a),
        fit_section(a),
        comparison_section(a),
        untold_section(a),
    ]
    return [section for section in found if section is not None]
