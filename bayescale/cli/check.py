"""`bayescale check`: look at a table before fitting, or at a fit after it."""

import os
from pathlib import Path

from bayescale.cli.common import (
    AverageOption,
    ClusterOption,
    ColumnOption,
    DiscrepancyOption,
    FigureOption,
    FillOption,
    InputErrorOption,
    JsonOption,
    LawOption,
    NoiseOption,
    PoolOption,
    PriorOption,
    RunsArgument,
    UnfinishedOption,
    build_model,
    check_figure,
    draw_figure,
    open_either,
    print_json,
)
from bayescale.errors import InputError

SAVED = ".nc"


def check(
    runs: RunsArgument,
    law: LawOption = "chinchilla",
    column: ColumnOption = None,
    fill: FillOption = None,
    unfinished: UnfinishedOption = "warn",
    pool: PoolOption = None,
    prior: PriorOption = None,
    noise: NoiseOption = None,
    discrepancy: DiscrepancyOption = False,
    cluster: ClusterOption = None,
    input_error: InputErrorOption = None,
    average: AverageOption = None,
    figure: FigureOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look at a table before fitting: ranges, priors, what the runs can tell. Of a fit (POST.NC): what they have told.

    Example: bayescale check runs.csv --law chinchilla --column N=n_params
    """
    if runs.endswith(SAVED) and os.path.exists(runs):
        given = (column, fill, pool, prior, noise, discrepancy, average, cluster, input_error)
        if any(given) or unfinished != "warn":
            raise InputError(
                f"{runs!r} is a fit: its law, columns and priors are in it. Give it alone, with --json or --figure."
            )
        check_figure(figure)
        _check_saved(runs, figure, as_json)
        return
    if figure is not None:
        raise InputError("--figure draws the check of a fit: give a file written by fit -o.")
    model = build_model(
        runs, law, column, fill, pool, prior, noise, discrepancy, average, unfinished, cluster, input_error
    )
    _check_table(model, as_json)


def _check_table(model, as_json: bool) -> None:
    from bayescale.answers.identification import identify, identify_sentences, identify_table

    table = model.describe()
    found = identify(model)
    parts = found.drop_dims(("parameter", "pair", "input")).to_dataframe().reset_index()
    if as_json:
        print_json(
            {
                "runs": table.reset_index().to_dict("records"),
                "model": model.to_dict(),
                "identification": identify_table(found).reset_index().to_dict("records"),
                "parts": parts.to_dict("records"),
                "sentences": identify_sentences(found, model),
            }
        )
        return
    print(table.to_string(float_format=lambda v: f"{v:.4g}"))
    print()
    print(model)
    print("\nWhat these runs can tell\n")
    print("\n".join(identify_sentences(found, model)))
    print()
    print(identify_table(found).to_string(float_format=lambda v: f"{v:.2f}"))


def _check_saved(path: str, figure: Path | None, as_json: bool) -> None:
    from bayescale.answers.check import check_fit, check_sentences
    from bayescale.answers.mixture import Stack
    from bayescale.answers.sensitivity import sensitivity, sensitivity_sentences, sensitivity_table
    from bayescale.plots.check import plot_check

    saved = open_either(path)
    members = saved.members if isinstance(saved, Stack) else {saved.model.law.name: saved}
    if figure is not None and len(members) > 1:
        raise InputError(f"{path!r} is a stack; --figure draws the check of one fit. Check a member of it.")
    answers = {}
    for name, posterior in members.items():
        found, fitted = sensitivity(posterior), check_fit(posterior)
        draw_figure(figure, lambda fitted=fitted: plot_check(fitted))
        # Both say what is mostly prior, in the same words.
        lines = dict.fromkeys([*check_sentences(fitted), *sensitivity_sentences(found)])
        answers[name] = ([line.replace("POST.NC", path) for line in lines], sensitivity_table(found))
    if as_json:
        print_json(
            {
                name: {"sentences": lines, "parameters": table.reset_index().to_dict("records")}
                for name, (lines, table) in answers.items()
            }
        )
        return
    for name, (lines, table) in answers.items():
        if len(answers) > 1:
            print(f"{name}\n")
        print("\n".join(lines))
        print()
        print(table.to_string(float_format=lambda v: f"{v:.2f}"))
        print()
