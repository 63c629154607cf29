"""What the commands share: options, reading of tables and numbers, and JSON."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from bayescale.errors import InputError
from bayescale.files import check_place

INTERRUPTED = 130  # exit code, as the shell has it for Ctrl-C

RunsArgument = Annotated[
    str,
    typer.Argument(
        metavar="RUNS",
        help="A table (CSV, TSV, Parquet, JSON), an export of Weights & Biases or MLflow, a trainer_state.json, "
        "or a data set's name such as tiny_sweep.",
    ),
]
PosteriorArgument = Annotated[
    str, typer.Argument(metavar="POST.NC", help="A file written by `bayescale fit -o` or `bayescale stack -o`.")
]
UnitOption = Annotated[
    str | None, typer.Option("--unit", help="Column whose values are scored as one, such as a curve.")
]
LawOption = Annotated[
    str, typer.Option("--law", help="A law's name; for a law of one input with its column, saturating:C.")
]
LawsOption = Annotated[list[str] | None, typer.Option("--law", help="A law to compare; at least two.")]
ColumnOption = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="N=n_params",
        help="Which column of the table is N, D, C or L; or a product, D=steps*524288; or a number for all, N=124M.",
    ),
]
UnfinishedOption = Annotated[
    str,
    typer.Option(
        "--unfinished", metavar="warn|keep|drop", help="Runs that a tracker's export says crashed or still run."
    ),
]
FillOption = Annotated[str | None, typer.Option("--fill", metavar="C|N|D", help="Compute this column from C = 6 N D.")]
PoolOption = Annotated[
    list[str] | None,
    typer.Option(
        "--pool",
        help="Pool over a column: modality; modality:none for separate laws; "
        "alpha=modality, E=none or beta=complete for one parameter, the others being pooled too.",
    ),
]
PriorOption = Annotated[
    list[str] | None,
    typer.Option("--prior", metavar="'E=LogNormal(0.5, 0.2)'", help="Replace a default prior, natural units."),
]
NoiseOption = Annotated[
    str | None,
    typer.Option(
        "--noise",
        help="student, normal or frontier, each with +size; binomial or beta_binomial for accuracies with n_trials.",
        show_default="student; beta_binomial for accuracies with n_trials",
    ),
]
DiscrepancyOption = Annotated[bool, typer.Option("--discrepancy", help="Let the truth depart smoothly from the law.")]
ClusterOption = Annotated[
    str | None,
    typer.Option(
        "--cluster", metavar="COLUMN", help="Runs of one value share an offset: checkpoints of a run, runs of a budget."
    ),
]
InputErrorOption = Annotated[
    list[str] | None,
    typer.Option(
        "--input-error", metavar="N=0.05", help="How uncertain an input is: 0.05 for 5 %, or the column that says so."
    ),
]
FastOption = Annotated[
    bool,
    typer.Option("--fast", help="Try weighed points around the mode first; chains where they fail their own test."),
]
AverageOption = Annotated[
    str | None,
    typer.Option(
        "--average-seeds",
        metavar="COLUMN",
        help="Average runs that differ in this column alone; how uncertain the averages are counts in the fit.",
    ),
]
SeedOption = Annotated[int | None, typer.Option("--seed", min=0, help="Same seed, same draws.")]
FigureOption = Annotated[
    Path | None, typer.Option("--figure", metavar="OUT.PNG", help="Draw the answer too, as .png, .pdf or .svg.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def build_model(
    source,
    law,
    column,
    fill,
    pool,
    prior,
    noise,
    discrepancy,
    average=None,
    unfinished="warn",
    cluster=None,
    input_error=None,
):
    """Read the table and assemble the model; average runs that differ in one column alone, where one is named."""
    from bayescale.measured import average_seeds
    from bayescale.model import Model

    priors = dict(read_pairs(prior, "--prior"))
    options: dict[str, Any] = {
        "pool": read_pool(pool),
        "priors": priors,
        "noise": noise,
        "discrepancy": discrepancy,
        "cluster": cluster,
        "input_error": dict(read_pairs(input_error, "--input-error")),
    }
    model = Model(law, read_table(source, column, fill, unfinished), **options)
    if average is None:
        return model
    group = [model.group] if model.group else []
    response = model.law.output.symbol
    runs = average_seeds(
        model.runs, average, response=response, inputs=[*model.law.columns, *group], within=model.group
    )
    return Model(law, runs, **options)


def read_table(source: str, column, fill, unfinished="warn"):
    """Read the runs: a file, or a data set of this name."""
    from bayescale.datasets import DATASETS, load_runs
    from bayescale.runs import read_runs

    columns: dict[str, Any] = dict(read_pairs(column, "--column"))
    if source in DATASETS and not os.path.exists(source):
        runs = load_runs(source)
        return read_runs(runs, fill=fill, **columns) if columns or fill else runs
    if not os.path.exists(source) and not Path(source).suffix:
        raise InputError(
            f"There is no file and no data set {source!r}. Data sets: {', '.join(DATASETS)}; "
            "files end in .csv, .parquet, .jsonl."
        )
    return read_runs(source, fill=fill, **{"unfinished": unfinished, **columns})


def read_pool(options: list[str] | None):
    """Read the options of pooling as `Model` takes them."""
    if not options:
        return None
    whole = [text for text in options if "=" not in text]
    if len(whole) > 1:
        raise InputError(f"--pool names one column; {', '.join(whole)} were given.")
    if len(whole) == len(options):
        return whole[0]
    chosen = dict(read_pairs([text for text in options if "=" in text], "--pool"))
    return ({"*": whole[0]} if whole else {}) | chosen


def check_output(output: Path | None, source: str | None = None) -> None:
    """Refuse, before the work is done, a file that cannot be written after it."""
    if output is None:
        return
    check_place(output, "output", "out.nc, out.html or out.csv")
    if source is not None and os.path.exists(output) and os.path.exists(source) and os.path.samefile(output, source):
        raise InputError(f"{str(output)!r} is what is read; name another file to write to.")
    if not os.access(output if os.path.exists(output) else output.parent, os.W_OK):
        raise InputError(f"Cannot write {str(output)!r}: permission denied. Name a file that can be written.")


def keep(fitted, output: Path | None) -> Path | None:
    """Save a posterior or stack; draws cut short by Ctrl-C go beside a file that is there, not in its place."""
    if output is None:
        return None
    if was_interrupted(fitted) and os.path.exists(output):
        output = output.with_name(f"{output.stem}.interrupted{output.suffix}")
    fitted.save(output)
    return output


def was_interrupted(fitted) -> bool:
    """Whether Ctrl-C cut a fit short."""
    return bool(getattr(fitted, "info", {}).get("interrupted"))


def end_if_interrupted(fitted) -> None:
    """End with the exit code of Ctrl-C, after what was drawn until then is kept and printed."""
    if was_interrupted(fitted):
        raise typer.Exit(INTERRUPTED)


def check_figure(path: Path | None) -> None:
    """Refuse, before the work is done, a figure that cannot be written after it."""
    if path is None:
        return
    from bayescale.plots.common import check_format

    check_output(path)
    check_format(path)


def draw_figure(path: Path | None, plot: Callable[[], Any]) -> None:
    """Draw an answer to a file, where one was asked for."""
    if path is None:
        return
    from bayescale.plots.common import save_figure

    save_figure(plot(), path)


def read_pairs(options: list[str] | None, flag: str) -> list[tuple[str, str]]:
    """Read options of the form NAME=VALUE."""
    pairs = []
    for text in options or ():
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise InputError(f"{flag} takes NAME=VALUE; {text!r} was given.")
        if name.strip() in (given for given, _ in pairs):
            raise InputError(f"{flag} names {name.strip()} twice.")
        pairs.append((name.strip(), value.strip()))
    return pairs


def read_numbers(name: str, text: str) -> float | list[float]:
    """Read a number such as 70B, or several."""
    from bayescale.numerals import parse_number

    if re.fullmatch(r"\s*\d{1,3}(,\d{3})+\s*", text):
        raise InputError(
            f"--{name} {text}: is this one number or several? Write {text.replace(',', '')}, or several as 7B,70B."
        )
    if text.strip() and "," not in text:
        return parse_number(text)
    numbers = [parse_number(part) for part in text.split(",") if part.strip()]
    if len(numbers) < 2:
        raise InputError(f"--{name} takes a number such as 70B, or several: 7B,70B; {text!r} was given.")
    return numbers


def find_cost(name: str):
    """Look up what a run costs."""
    from bayescale.cost import COSTS

    if name not in COSTS:
        raise InputError(f"There is no cost {name!r}. Costs: {', '.join(COSTS)}.")
    return COSTS[name]


def open_one(path: str):
    """Open a posterior."""
    from bayescale.posterior import open_posterior

    return open_posterior(path)


def open_either(path: str):
    """Open a posterior or a stack, by what the file says it is."""
    from bayescale.answers.mixture import open_stack
    from bayescale.storage import is_stack

    return open_stack(path) if is_stack(path) else open_one(path)


def summary_of_stack(saved) -> dict[str, Any]:
    """Return a stack as JSON shows it."""
    from bayescale.answers.trust import doubts_of

    return {
        "by": saved.by,
        "seed": saved.seed,
        "converged": saved.converged,
        "weights": saved.table().reset_index().to_dict("records"),
        "notes": list(saved.notes),
        "doubts": doubts_of(saved),
    }


def open_all(paths: list[str]) -> dict[str, Any]:
    """Open several posteriors, called what their files are."""
    names = [Path(path).stem for path in paths]
    labels = names if len(set(names)) == len(names) else paths
    return {label: open_one(path) for label, path in zip(labels, paths, strict=True)}


def summary_of(posterior) -> dict[str, Any]:
    """Return a posterior as JSON shows it."""
    from bayescale.answers.trust import doubts_of

    return {
        "law": posterior.model.law.name,
        "converged": posterior.converged,
        "problems": posterior.diagnostics.problems,
        "doubts": doubts_of(posterior),
        "seed": posterior.info.get("seed"),
        "model": posterior.model.to_dict(),
        "summary": posterior.summary().reset_index(names="parameter").to_dict("records"),
    }


def print_json(value: Any) -> None:
    """Print as JSON."""
    print(json.dumps(as_plain(value), indent=2, allow_nan=False))


def as_plain(value: Any) -> Any:
    """Values as JSON has them: NumPy numbers as numbers, what is not finite as null."""
    if isinstance(value, dict):
        return {str(k): as_plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(v) for v in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not (value == value and abs(value) != float("inf")):
        return None
    return value
