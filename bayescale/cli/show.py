"""`bayescale show`: print what was kept."""

from bayescale.cli.common import JsonOption, PosteriorArgument, open_either, print_json, summary_of, summary_of_stack


def show(posterior: PosteriorArgument, as_json: JsonOption = False) -> None:
    """Print a saved posterior, or a stack of them: model, priors, parameters, convergence; weights.

    Example: bayescale show post.nc
    """
    from bayescale.answers.mixture import Stack

    saved = open_either(posterior)
    if isinstance(saved, Stack):
        _show_stack(saved, as_json)
        return
    if as_json:
        print_json(summary_of(saved))
        return
    print(saved.model)
    print()
    print(saved)


def _show_stack(saved, as_json: bool) -> None:
    if as_json:
        members = {name: summary_of(posterior) for name, posterior in saved.members.items()}
        print_json(summary_of_stack(saved) | {"members": members})
        return
    print(saved)
    for name, posterior in saved.members.items():
        print(f"\n{name}\n{posterior}")
