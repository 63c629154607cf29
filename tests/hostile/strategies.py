"""What a careless, unlucky or hostile user gives: cells, tables, files, words, and values of any type."""

import datetime
import json
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from hypothesis import strategies as st

# -- Numbers, words and things that are neither

ODD_NUMBERS = st.sampled_from(
    [
        0,
        0.0,
        -0.0,
        -1,
        -1.5,
        1,
        2,
        1e-300,
        5e-324,
        1e300,
        1.7e308,
        2**53 + 1,
        2**63 - 1,
        2**63,
        10**400,
        float("nan"),
        float("inf"),
        -float("inf"),
        np.float32(3e38),
        np.int64(2**62),
        np.float64("nan"),
        np.int8(-1),
    ]
)
ODD_WORDS = st.one_of(
    st.sampled_from(
        [
            "",
            " ",
            "nan",
            "inf",
            "-inf",
            "1e400",
            "-7B",
            "7B",
            "1.4T",
            "1,000",
            "1,5",
            "0",
            "0x10",
            "1_000",
            "٣",
            "½",
            "1e",
            "7 B B",
            "new",
            "None",
            "null",
            "N",
            "D",
            "L",
            "C",
            "draw",
            "chain",
            "../x",
            "a\x00b",
            "a\nb",
            "\ud83d",
            "E",
            "alpha",
            "5%",
            "-",
            "=",
            "==1",
            "N=1",
            "é",
            "名前",
            "🙂",
            "<script>",
            "%s",
            "{}",
            "'",
            '"',
            "\\",
            "~",
            "*",
            "a*b",
            "2024-01-31",
            "True",
        ]
    ),
    st.text(max_size=8),
)
ODD_THINGS = st.one_of(
    st.sampled_from([None, True, False, b"7B", 1j, object, pd.NA, pd.NaT, Decimal("1e9"), Decimal("NaN"), ...]),
    st.sampled_from([datetime.date(2024, 1, 31), datetime.timedelta(1), pd.Timestamp("2024-01-31"), range(3)]),
    st.builds(object),
    st.sampled_from([[], (), {}, set(), [[]], [None], ["7B", None], [1e9, 1e9], [1e9, "7B"], [[1e9, 2e9], [3e9, 4e9]]]),
    st.sampled_from([[float("nan")], [1e9, float("inf")], [1e9, -1], {"N": 1e9}, {1e9}, [[1e9], [1e9, 2e9]], "7B,8B"]),
    st.sampled_from([np.array([]), np.array([1e9, np.nan]), np.array(["7B"]), np.ones((2, 2)) * 1e9, np.array(1e9)]),
    st.sampled_from(
        [
            xr.DataArray(np.nan),
            xr.DataArray([1e9, 2e9], dims="run"),
            xr.DataArray([1e9, 2e9], dims="chain"),
            xr.DataArray([1e9], dims="draw"),
            xr.DataArray(["7B"], dims="run"),
            xr.DataArray([], dims="run"),
            xr.DataArray([[1e9]], dims=("N", "D")),
            xr.Dataset({"N": 1e9}),
            pd.Series([1e9, 2e9]),
            pd.DataFrame({"N": [1e9], "D": [1e10], "L": [3.0]}),
            pd.DataFrame(),
        ]
    ),
    st.just(lambda *a, **k: 1.0),
)
ANYTHING = st.one_of(ODD_NUMBERS, ODD_WORDS, ODD_THINGS)


def mostly(good: st.SearchStrategy[Any], bad: st.SearchStrategy[Any] = ANYTHING) -> st.SearchStrategy[Any]:
    """Good values nine times in ten, so that a case with several arguments gets beyond the first."""
    return st.integers(0, 9).flatmap(lambda k: good if k else bad)


def options(**known: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the named arguments."""
    return st.fixed_dictionaries({}, optional=known)


# -- Tables

NAMES = st.sampled_from(
    [
        "N",
        "D",
        "C",
        "L",
        "accuracy",
        "elo",
        "error",
        "L_se",
        "loss_se",
        "n_trials",
        "modality",
        "unit",
        "seed",
        "state",
        "config",
        "summary",
        "params",
        "loss",
        "info",
        "data",
        "chain",
        "draw",
        "run",
        "E",
        "new",
        "",
        " ",
        "N ",
        "n",
        "µ",
        "名前",
        "Unnamed: 0",
        "N_original",
        "L_run",
        "beyond",
        "a/b",
        "a*b",
        "input_x",
        "cost",
        "chance",
    ]
)
CELLS = st.one_of(
    st.floats(1e-3, 1e13),
    ODD_NUMBERS,
    ODD_WORDS,
    ODD_THINGS,
    st.dictionaries(st.sampled_from(["N", "value", "desc", "a"]), st.floats(), max_size=2),
)
POSITIVE = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
PLAUSIBLE = {
    "N": st.floats(1e5, 1e11),
    "D": st.floats(1e7, 1e13),
    "L": st.floats(1.0, 5.0),
    "accuracy": st.floats(0, 1),
    "elo": st.floats(-3000, 0),
    "modality": st.sampled_from(["text", "code", "名前"]),
}


@st.composite
def frames(draw: Any) -> pd.DataFrame:
    """A table of any columns, cells and types."""
    names = draw(st.lists(NAMES, max_size=6))
    n = draw(st.integers(0, 5))
    columns = [draw(st.lists(draw(st.sampled_from([CELLS, POSITIVE])), min_size=n, max_size=n)) for _ in names]
    frame = pd.DataFrame({i: pd.Series(column, dtype=object) for i, column in enumerate(columns)})
    return draw(st.sampled_from([frame, frame.infer_objects()])).set_axis(names, axis=1)


@st.composite
def spoilt(draw: Any, columns: tuple[str, ...] = ("N", "D", "L")) -> pd.DataFrame:
    """A plausible table in which something is wrong: a cell, a column's type, its name, its size."""
    n = draw(st.integers(1, 12))
    extra = draw(st.lists(st.sampled_from(["accuracy", "elo", "modality"]), max_size=2, unique=True))
    cells = {c: draw(st.lists(PLAUSIBLE[c], min_size=n, max_size=n)) for c in dict.fromkeys((*columns, *extra))}
    frame = pd.DataFrame(cells)
    for _ in range(draw(st.integers(0, 2))):
        column = draw(st.sampled_from(list(range(frame.shape[1]))))
        frame = draw(st.sampled_from(_SPOILERS))(draw, frame, column)
    return frame


def _spoil_cell(draw: Any, frame: pd.DataFrame, column: int) -> pd.DataFrame:
    cells = frame.iloc[:, column].astype(object).tolist()
    cells[draw(st.integers(0, len(cells) - 1))] = draw(CELLS)
    return _replaced(frame, column, pd.Series(cells, dtype=object))


def _spoil_scale(draw: Any, frame: pd.DataFrame, column: int) -> pd.DataFrame:
    factor = draw(st.sampled_from([1e-300, 1e-30, 1e-9, 1e9, 1e30, 1e200, 1e290, -1.0, 0.0]))
    numbers = pd.to_numeric(frame.iloc[:, column], errors="coerce")
    with np.errstate(all="ignore"):
        return _replaced(frame, column, numbers * factor)


def _spoil_constant(draw: Any, frame: pd.DataFrame, column: int) -> pd.DataFrame:
    return _replaced(frame, column, pd.Series([frame.iloc[0, column]] * len(frame)))


def _spoil_type(draw: Any, frame: pd.DataFrame, column: int) -> pd.DataFrame:
    cells = frame.iloc[:, column]
    kind = draw(st.sampled_from(["str", "category", "float16", "complex", "datetime64[ns]", "object", "bytes"]))
    try:
        with np.errstate(all="ignore"):
            return _replaced(
                frame, column, cells.map(lambda x: str(x).encode()) if kind == "bytes" else cells.astype(kind)
            )
    except (TypeError, ValueError, OverflowError, NotImplementedError):
        return frame


def _spoil_name(draw: Any, frame: pd.DataFrame, column: int) -> pd.DataFrame:
    names = list(frame.columns)
    names[column] = draw(st.one_of(NAMES, ODD_THINGS.filter(_hashable), ODD_NUMBERS))
    return frame.set_axis(pd.Index(names, dtype=object), axis=1)


def _spoil_index(draw: Any, frame: pd.DataFrame, column: int) -> pd.DataFrame:
    name = draw(st.sampled_from(["N", "seed", None, 3]))
    return frame.set_axis(pd.Index([draw(st.sampled_from([0, "a", None]))] * len(frame), name=name), axis=0)


_SPOILERS = (_spoil_cell, _spoil_cell, _spoil_scale, _spoil_constant, _spoil_type, _spoil_name, _spoil_index)


def _hashable(thing: Any) -> bool:
    try:
        hash(thing)
    except TypeError:
        return False
    return True


def _replaced(frame: pd.DataFrame, column: int, cells: pd.Series) -> pd.DataFrame:
    parts = {i: frame.iloc[:, i].reset_index(drop=True) for i in range(frame.shape[1])}
    parts[column] = cells.reset_index(drop=True)
    return pd.DataFrame(parts).set_axis(frame.columns, axis=1)


# -- Files

HTML = b"<!DOCTYPE html>\n<html><body><table><tr><td>N</td></tr></table></body></html>"
CSV = b"N,D,L,modality\n1e7,1e9,3.1,text\n7B,1.4T,2.0,code\n1e8,1e10,2.6,text\n1e9,2e10,2.2,text\n"
WANDB_CSV = (
    b'Name,State,n_params,tokens,"val/loss","config"\n'
    b'a,finished,1e7,1e9,3.1,"{""lr"": {""desc"": null, ""value"": 1}}"\n'
    b"b,crashed,1e8,1e10,2.6,\"{'lr': 2, 'x': nan}\"\nc,running,1e9,,\n"
)
WANDB = [
    {"name": "a", "state": "finished", "config": {"n_params": 1e7, "tokens": 1e9}, "summary": {"val/loss": 3.1}},
    {"name": "b", "state": "crashed", "config": {"n_params": 1e8, "tokens": 1e10}, "summary": {"val/loss": 2.6}},
]
MLFLOW = {
    "runs": [
        {
            "info": {"run_id": "a", "status": "FINISHED"},
            "data": {
                "metrics": [{"key": "val_loss", "value": 3.1, "step": 1}],
                "params": [{"key": "n_params", "value": "1e7"}, {"key": "tokens", "value": "1e9"}],
            },
        },
        {
            "info": {"run_id": "b", "status": "FAILED"},
            "data": {
                "metrics": [{"key": "val_loss", "value": 2.1, "step": 1, "timestamp": 3}],
                "params": [{"key": "n_params", "value": "1e8"}, {"key": "tokens", "value": "2e9"}],
            },
        },
    ],
    "next_page_token": "x",
}
TRAINER = {
    "global_step": 30,
    "log_history": [
        {"step": 10, "loss": 3.5, "num_input_tokens_seen": 1e6},
        {"step": 10, "eval_loss": 3.4, "num_input_tokens_seen": 1e6},
        {"step": 20, "eval_loss": 3.1, "num_input_tokens_seen": 2e6},
        {"step": 30, "eval_loss": 2.9, "num_input_tokens_seen": 4e6},
    ],
}
LIST = [{"N": 1e7, "D": 1e9, "L": 3.1}, {"N": 1e8, "D": "1e10", "L": 2.6}, {"N": 1e9, "D": 3e10, "L": 2.1}]
JSON_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.text(max_size=6),
    st.sampled_from(["7B", "", [], {}, [1, 2], {"value": 3}, [{"key": "a"}], {"value": 1, "desc": 2}, 10**400]),
)


PARQUET: Any = (
    pd.DataFrame({"N": [1e7, 1e8, 1e9], "D": [1e9, 1e10, 1e11], "L": [3.1, 2.6, 2.2], "t": list("abc")})
).to_parquet(None)


@st.composite
def mutated_json(draw: Any, document: Any) -> Any:
    """The document with up to three of its parts replaced, removed, doubled or renamed."""
    copy = json.loads(json.dumps(document))
    for _ in range(draw(st.integers(0, 3))):
        holder, key = draw(st.sampled_from(_places(copy, copy) or [(None, None)]))
        if holder is None:
            return draw(JSON_LEAVES)
        action = draw(st.sampled_from(["replace", "replace", "remove", "double", "rename"]))
        if action == "remove":
            del holder[key]
        elif action == "double" and isinstance(holder, list):
            holder.append(holder[key])
        elif action == "rename" and isinstance(holder, dict):
            holder[draw(st.one_of(st.text(max_size=4), NAMES))] = holder.pop(key)
        else:
            holder[key] = draw(JSON_LEAVES)
    return copy


def _places(part: Any, root: Any) -> list[tuple[Any, Any]]:
    keys = list(part) if isinstance(part, dict) else list(range(len(part))) if isinstance(part, list) else []
    return [place for key in keys for place in [(part, key), *_places(part[key], root)]]


@st.composite
def mutated_bytes(draw: Any, content: bytes) -> bytes:
    """The content cut, with bytes changed, put in or taken out."""
    content = bytes(content)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(content) - 1, 0)))
        action = draw(st.sampled_from(["cut", "set", "set", "insert", "remove", "double"]))
        if action == "cut":
            content = content[:at]
        elif action == "set":
            content = content[:at] + bytes([draw(st.integers(0, 255))]) + content[at + 1 :]
        elif action == "insert":
            more = draw(
                st.sampled_from([b",", b"\n", b'"', b"\x00", b"\xff", b"\t", b";", b"{", b"nan", b"\r", b"1e400"])
            )
            content = content[:at] + more + content[at:]
        elif action == "remove":
            content = content[:at] + content[at + draw(st.integers(1, 9)) :]
        else:
            content = content[:at] + content[at : at + 20] + content[at:]
    return content


@st.composite
def csv_texts(draw: Any) -> bytes:
    """Text that is nearly a table: any header, any cells, any separator, encoding and line end."""
    names = draw(st.lists(st.one_of(NAMES, ODD_WORDS), min_size=1, max_size=5))
    lines = [names, *draw(st.lists(st.lists(st.one_of(ODD_WORDS, ODD_NUMBERS.map(str)), max_size=6), max_size=5))]
    separator, end = draw(st.sampled_from([",", ",", "\t", ";", "|"])), draw(st.sampled_from(["\n", "\r\n", "\r"]))
    text = end.join(separator.join(cells) for cells in lines)
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1"]))
    return text.encode(encoding, errors="replace")


def json_files(document: Any) -> st.SearchStrategy[bytes]:
    """The document changed within, or its text broken."""
    whole = mutated_json(document).map(lambda changed: json.dumps(changed).encode())
    return st.one_of(whole, whole, mutated_bytes(json.dumps(document).encode()))


FILES = st.one_of(
    st.tuples(
        st.sampled_from([".csv", ".tsv", ".CSV"]), st.one_of(csv_texts(), mutated_bytes(CSV), mutated_bytes(WANDB_CSV))
    ),
    st.tuples(st.just(".json"), st.one_of(*map(json_files, (WANDB, MLFLOW, TRAINER, LIST)))),
    st.tuples(
        st.sampled_from([".jsonl", ".ndjson"]),
        mutated_json(LIST).map(
            lambda rows: "\n".join(map(json.dumps, rows if isinstance(rows, list) else [rows])).encode()
        ),
    ),
    st.tuples(st.just(".parquet"), mutated_bytes(PARQUET)),
    st.tuples(
        st.sampled_from([".csv", ".tsv", ".json", ".parquet", ".jsonl", ".xlsx", ""]),
        st.one_of(
            st.binary(max_size=60),
            st.sampled_from([HTML, CSV, PARQUET, b"", b"\n\n", b"\x00" * 40, b"[" * 5000, b'{"a":' * 3000]),
        ),
    ),
)

# -- Words of the interface

FORMULAS = st.one_of(
    st.lists(
        st.one_of(
            st.sampled_from(["N", "D", "L", "steps", "2048", "1e6", "7B", "", " ", "*", "0", "-1", "1e400", "nan"]),
            ODD_WORDS,
        ),
        min_size=1,
        max_size=5,
    ).map("*".join),
    st.sampled_from(
        ["__import__('os')", "N**2", "N+D", "N/D", "(N)", "N*D*L*modality", "*", "**", "N*", "*N", "1", "124M"]
    ),
)
ARGUMENTS = st.one_of(
    st.sampled_from(
        ["0.5", "0.2", "-1", "0", "1e300", "1e-300", "nan", "inf", "-inf", "1e400", "", "x", "7B", "1,0", "mu"]
    ),
    st.sampled_from(
        ["mu=0.5", "sigma=0.2", "sigma=-1", "mu=1e9", "sigma=1e-320", "lower=0", "upper=1", "nu=3", "=1", "mu="]
    ),
    ODD_WORDS,
)
DISTRIBUTIONS = st.sampled_from(
    [
        "Normal",
        "LogNormal",
        "HalfNormal",
        "StudentT",
        "Exponential",
        "Gamma",
        "InverseGamma",
        "Beta",
        "Uniform",
        "TruncatedNormal",
        "normal",
        "Cauchy",
        "Flat",
        "",
        "__import__",
        "Normal ",
        "os.system",
    ]
)
PRIORS = st.one_of(
    st.builds(lambda name, args: f"{name}({', '.join(args)})", DISTRIBUTIONS, st.lists(ARGUMENTS, max_size=4)),
    st.builds(
        lambda name, args: f"{name}({', '.join(f'{a:.17g}' for a in args)})",
        DISTRIBUTIONS,
        st.lists(st.floats(), min_size=1, max_size=4),
    ),
    ODD_WORDS,
)
NOISES = st.one_of(
    st.sampled_from(["student", "normal", "frontier", "binomial", "beta_binomial", "student+size", "normal+size+size"]),
    st.sampled_from(["+size", "student+", "binomial+size", "Student", "student +size", "poisson"]),
    ODD_WORDS,
)
