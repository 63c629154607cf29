"""The command line: each command parses, makes one library call, and prints. One file, one command."""

import sys
import warnings
from typing import Annotated

import typer

from bayescale.cli.allocate import allocate
from bayescale.cli.backtest import backtest
from bayescale.cli.breaks import breaks
from bayescale.cli.check import check
from bayescale.cli.common import INTERRUPTED
from bayescale.cli.compare import compare
from bayescale.cli.contrast import contrast
from bayescale.cli.data import data
from bayescale.cli.demo import demo
from bayescale.cli.design import design
from bayescale.cli.extrapolate import extrapolate
from bayescale.cli.fit import fit
from bayescale.cli.forecast import forecast
from bayescale.cli.laws import laws
from bayescale.cli.multiplier import multiplier
from bayescale.cli.refit import refit
from bayescale.cli.report import report
from bayescale.cli.reproduce import reproduce
from bayescale.cli.sharpness import sharpness
from bayescale.cli.show import show
from bayescale.cli.stack import stack
from bayescale.cli.threshold import threshold
from bayescale.cli.update import update
from bayescale.errors import BayescaleWarning, InputError
from bayescale.progress import silence

# In the order of their use, as the help lists them.
COMMANDS = (
    demo,
    check,
    fit,
    show,
    forecast,
    extrapolate,
    allocate,
    threshold,
    sharpness,
    breaks,
    design,
    contrast,
    multiplier,
    compare,
    stack,
    backtest,
    update,
    refit,
    report,
    reproduce,
    laws,
    data,
)

app = typer.Typer(
    name="bayescale",
    help="Bayesian neural scaling laws: from a table of training runs to answers with honest intervals.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
for command in COMMANDS:
    app.command()(command)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"bayescale {version('bayescale')}")
        raise typer.Exit


@app.callback()
def every_command(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress; stands before the command.")] = False,
) -> None:
    """Options of the program itself."""
    silence(quiet)


def main() -> None:
    """Run the command line; the user's mistakes end in one sentence and exit code 2."""
    warnings.showwarning = _warner()
    warnings.simplefilter("always", BayescaleWarning)  # whatever PYTHONWARNINGS says: it is part of the answer
    try:
        app()
    except InputError as error:
        print(f"bayescale: {error}", file=sys.stderr)
        sys.exit(2)
    except SystemExit as end:
        if end.code == INTERRUPTED:  # Typer catches Ctrl-C itself, and says nothing
            print("bayescale: interrupted; no file was left half written.", file=sys.stderr)
        raise


def _warner():
    """Show warnings on standard error, each sentence once: a report asks one fit several questions."""
    told = set()

    def show(message, category, filename, lineno, file=None, line=None):
        ours = issubclass(category, BayescaleWarning)
        text = f"Warning: {message}" if ours else warnings.formatwarning(message, category, filename, lineno, line)
        if text not in told:
            told.add(text)
            print(text, file=sys.stderr)

    return show
