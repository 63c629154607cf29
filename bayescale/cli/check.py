"""`bayescale check`: look at a table before fitting."""

from bayescale.cli.common import (
    ColumnOption,
    FillOption,
    JsonOption,
    LawOption,
    PoolOption,
    RunsArgument,
    build_model,
    print_json,
)


def check(
    runs: RunsArgument,
    law: LawOption = "chinchilla",
    column: ColumnOption = None,
    fill: FillOption = None,
    pool: PoolOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look at a table before fitting: columns, ranges, doubts, and the priors a fit would use.

    Example: bayescale check runs.csv --law chinchilla --column N=n_params
    """
    model = build_model(runs, law, column, fill, pool, None, None, False)
    table = model.describe()
    if as_json:
        print_json({"runs": table.reset_index().to_dict("records"), "model": model.to_dict()})
        return
    print(table.to_string(float_format=lambda v: f"{v:.4g}"))
    print()
    print(model)
