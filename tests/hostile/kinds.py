"""The kinds of bad input: how a case of each is made, and what is asked with it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import h5py
import numpy as np
import pandas as pd
import typer
from hypothesis import strategies as st
from judge import judge, judge_command
from strategies import (
    ANYTHING,
    FILES,
    FORMULAS,
    NAMES,
    NOISES,
    ODD_WORDS,
    PRIORS,
    frames,
    mostly,
    options,
    spoilt,
)
from world import MADE, World

import bayescale as bs
from bayescale import cli
from bayescale.answers.allocation import allocation_table
from bayescale.answers.breaks import breaks_sentences, breaks_table
from bayescale.answers.check import check_sentences
from bayescale.answers.contrast import contrast_sentences, contrast_table
from bayescale.answers.design import design_sentences, design_table
from bayescale.answers.deviation import deviation_sentences, deviation_table
from bayescale.answers.forecast import forecast_sentences, forecast_table
from bayescale.answers.identification import identify_sentences, identify_table
from bayescale.answers.multiplier import multiplier_sentences, multiplier_table
from bayescale.answers.sharpness import sharpness_sentences, sharpness_table
from bayescale.answers.threshold import threshold_sentences
from bayescale.answers.updating import update_sentences
from bayescale.runs import KNOWN, check_runs, describe_runs, hash_runs


@dataclass(frozen=True)
class Kind:
    """One kind of bad input.

    Parameters
    ----------
    cases : strategy
        Makes a case.
    run : callable
        Takes the world and a case, and says what came of it.
    many : int
        How many cases `count.py` tries.
    """

    cases: st.SearchStrategy[Any]
    run: Callable[[World, Any], str]
    many: int


# -- Tables and files


COLUMNS = options(
    N=mostly(st.sampled_from(["N", "params", "n_params", "config.n_params"]), st.one_of(NAMES, FORMULAS, ANYTHING)),
    D=mostly(st.sampled_from(["D", "tokens", "1e9"]), st.one_of(NAMES, FORMULAS, ANYTHING)),
    L=mostly(st.sampled_from(["L", "loss", "val/loss"]), st.one_of(NAMES, FORMULAS, ANYTHING)),
    group=st.one_of(NAMES, ODD_WORDS),
)
READING = options(
    fill=mostly(st.sampled_from(["C", "N", "D"])),
    duplicates=mostly(st.sampled_from(["warn", "keep", "drop"])),
    unfinished=mostly(st.sampled_from(["warn", "keep", "drop"])),
)


def _use(runs: pd.DataFrame) -> Any:
    """What is done with every table that has been read."""
    for name in KNOWN.keys() & set(runs.columns):
        assert runs[name].dtype == np.float64
        assert np.isfinite(runs[name]).all()
    json.dumps(runs.attrs["notes"], allow_nan=False)
    assert hash_runs(runs) == hash_runs(runs.copy())
    if {"N", "D", "L"} <= set(runs.columns):
        group = "modality" if "modality" in runs.columns else None
        str(bs.Model("chinchilla", runs, pool=group))
    return None


def _read(world: World, case: Any) -> str:
    source, reading, columns = case
    return judge(lambda: _use(bs.read_runs(source, **{**columns, **reading})))


def _read_file(world: World, case: Any) -> str:
    (suffix, content), reading, columns = case
    path = world.write(f"table{suffix}", content)
    return judge(lambda: _use(bs.read_runs(path, **{**columns, **reading})))


def _check(world: World, case: Any) -> str:
    frame, inputs, output, groups = case
    arguments = (frame, dict.fromkeys(inputs, "input"), (output, "response"), groups)
    return judge(lambda: (check_runs(*arguments), describe_runs(*arguments))[1])


def _formula(world: World, case: Any) -> str:
    column, formula = case
    runs = world.runs.assign(steps=world.runs["D"] / 2048, modality="text")
    return judge(lambda: _use(bs.read_runs(runs, **{column: formula})))


TABLES = st.one_of(spoilt(), frames())

# -- What is believed

POOLS = st.one_of(
    st.sampled_from([None, "modality", "modality:none", "modality:complete", "modality:half", "N", "L", "E"]),
    st.dictionaries(
        st.sampled_from(["E", "alpha", "*", "A", "A_ref", "nu", "x"]),
        st.one_of(st.sampled_from(["modality", "none", "complete", None, "N"]), ANYTHING),
        max_size=3,
    ),
    NAMES,
    ANYTHING,
)
PRIOR_SETS = st.dictionaries(
    st.one_of(st.sampled_from(["E", "alpha", "A_ref", "A", "sigma", "nu", "alpha_spread", "E_mean"]), ODD_WORDS),
    st.one_of(PRIORS, PRIORS, ANYTHING),
    max_size=2,
)
LAW_NAMES = st.one_of(
    st.sampled_from(["chinchilla", "kaplan", "saturating:D", "saturating", "saturating:L", "saturating:modality"]),
    st.sampled_from(["broken_1:N", "elo_frontier", "sigmoid_of_compute:D", "mixing", "farseer", "chinchilla:D", ":N"]),
    st.sampled_from(sorted(bs.LAWS)),
    ODD_WORDS,
)
ZEROS = st.one_of(st.none(), st.dictionaries(st.sampled_from(["E", "alpha", "x"]), ANYTHING, max_size=2), ANYTHING)


def _prior(world: World, case: Any) -> str:
    def ask():
        prior = bs.Prior.parse(case)
        assert bs.Prior.parse(str(prior)).distribution == prior.distribution
        return [np.asarray(prior.quantile([0.05, 0.5, 0.95])), prior.draw(np.random.default_rng(1), (3,)), str(prior)]

    return judge(ask)


def _model(world: World, case: Any) -> str:
    frame, law, arguments = case

    def ask():
        model = bs.Model(law, frame, **arguments)
        prior = bs.sample_prior(model, draws=10)
        return [str(model), str(prior), model.describe()]

    return judge(ask)


def _good_model(world: World, case: Any) -> str:
    return _model(world, (world.runs.assign(modality=["text", "code", "image", "music", "math"] * 5), *case))


def _identify(world: World, case: Any) -> str:
    law, frame = case

    def ask():
        model = bs.Model(law, frame)
        found = bs.identify(model)
        return [identify_table(found), *identify_sentences(found, model)]

    return judge(ask)


FORMULAE = st.sampled_from(
    [
        lambda N, D, E, A, alpha: E + A * N**-alpha + 0 * D,
        lambda N, D, E, A, alpha: E + A / (alpha - alpha) + 0 * N * D,
        lambda N, D, E, A, alpha: 3.0,
        lambda N, D, E, A, alpha: None,
        lambda N, D, E, A, alpha: [E, A],
        lambda N, D, E, A, alpha: "loss",
        lambda N, D, E, A, alpha: E + A * N**-alpha - 1e9 + 0 * D,
        lambda N, D, E, A, alpha: np.nan * E,
        lambda N, D, E, A, alpha: E + undefined,  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
        lambda N, D, E, A, alpha: 1 / 0,
        lambda N, D, E, A, alpha: E if N > 1 else A,
        lambda N, D, E, A: E + A * N + D,
        lambda *a: 1.0,
        lambda **k: 1.0,
        lambda N, D, E, A, alpha=1: E + A * N**-alpha,
        None,
        "E + A*N**-alpha",
        print,
        int,
    ]
)
SYMBOLS = mostly(st.sampled_from(["E", "A", "alpha"]), st.one_of(ODD_WORDS, ANYTHING))


@st.composite
def laws(draw: Any) -> Callable[[], Any]:
    """How to declare a law of one's own in which something is wrong."""
    formula = draw(FORMULAE)
    good = [("E", "LogNormal(0, 1)"), ("A", "LogNormal(0, 1)"), ("alpha", "LogNormal(-1, 0.5)")]
    params = [
        (draw(mostly(st.just(s), SYMBOLS)), draw(mostly(st.just(p), st.one_of(PRIORS, ANYTHING)))) for s, p in good
    ]
    inputs = draw(mostly(st.just(("N", "D")), st.one_of(ANYTHING, st.tuples(ODD_WORDS, ODD_WORDS))))
    centre = draw(mostly(st.sampled_from(["geometric mean", "mean", "none"]), st.one_of(ODD_WORDS, ANYTHING)))
    support = draw(mostly(st.just("positive"), st.sampled_from(["real", "unit"])))
    wrap = draw(mostly(st.just(tuple), st.sampled_from([list, str])))
    more = draw(
        options(
            slopes=st.one_of(ANYTHING, st.just({"N": -1, "x": 1})), published=ANYTHING, output=ANYTHING, name=ANYTHING
        )
    )
    published = draw(mostly(st.just({}), st.dictionaries(st.sampled_from(["E", "A", "alpha", "x"]), ANYTHING)))

    def declare():
        from bayescale import prior as p
        from bayescale.law import LOSS, Input, Law, Param, Published

        kind = {"positive": p.POSITIVE, "real": p.REAL, "unit": p.UNIT}[support]
        declared = tuple(
            Param(s, "a number", "", kind, bs.Prior.read(text), p.Prior("LogNormal", 0.0, 1.0)) for s, text in params
        )
        read = (
            tuple(Input(s, "an input", "", s, centre=centre) for s in inputs) if isinstance(inputs, tuple) else inputs
        )
        facts = {
            "published": wrap((Published("key", "a paper", **published),)) if published else (),
            "output": LOSS,
        } | more
        return Law(facts.pop("name", "own"), formula, inputs=read, params=wrap(declared), **facts)

    return declare


def _own_law(world: World, declare: Any) -> str:
    def ask():
        law = declare()
        model = bs.Model(law, world.runs)
        prior = bs.sample_prior(model, draws=10)
        return [law.card(), str(model), bs.forecast(prior, N=1e8, D=1e10)]

    return judge(ask)


ANALYSIS = """\"\"\"An analysis.\"\"\"
import bayescale as bs
runs = bs.load_runs("tiny_sweep").query("modality == 'text'").drop(columns="modality")
model = bs.Model("chinchilla", runs)
{lines}
"""
LINES = st.lists(
    st.sampled_from(
        [
            "agrees = ['besiroglu2024']",
            "agrees = 'besiroglu2024'",
            "agrees = 3",
            "agrees = [3]",
            "agrees = None",
            "agrees = ['x']",
            "differs = {'hoffmann2022': 'why'}",
            "differs = ['hoffmann2022']",
            "differs = {3: 4}",
            "differs = {'hoffmann2022': 3}",
            "claims = 3",
            "def claims(p): yield 3",
            "def claims(p): return None",
            "def claims(): yield 1",
            "def claims(p): 1/0",
            "def claims(p): yield bs.Claim('E', 1.0, p.dataset['E'], 'x')",
            "def claims(p): raise SystemExit",
            "models = {}",
            "def claims(p): yield bs.Claim('E', float('nan'), 1.0, 'x')",
            "def claims(p): yield bs.Claim(1, 2, 3)",
            "def claims(p): yield bs.Claim('E', p.dataset['E'], 'one', 'x')",
            "def claims(p): yield bs.Claim('E', None, None, None)",
            "model = 3",
            "model = None",
            "models = {'a': model}",
            "del model",
            "sampling = {'draws': 'x'}",
            "sampling = 3",
            "sampling = {'seed': -1}",
            "sampling = {'x': 1}",
            "sampling = None",
            "x = (",
            "raise ValueError('no')",
            "import nothing_",
            "raise SystemExit(0)",
            "slow = 'yes'",
            "\x00",
            "\ud83d",
            "print(1)",
            "__doc__ = 3",
            "models = {3: model}; del model",
            "agrees = ['besiroglu2024 @ text']",
            "def claims(p): yield from []",
            "async def claims(p): yield 1",
            "class claims: pass",
            "def claims(p): yield bs.Claim('E', p.dataset['E'], 1.0, 'x', prob=7)",
        ]
    ),
    max_size=3,
)


def _analysis(world: World, lines: list[str]) -> str:
    path = world.write("analysis.py", ANALYSIS.format(lines="\n".join(lines)).encode(errors="surrogatepass"))
    return judge_command(["reproduce", str(path)], fine=(0, 1))


# -- Saved posteriors

SAVED = ("post", "grouped", "departing", "one", "answers", "stack")


@st.composite
def damages(draw: Any) -> tuple[str, Callable[[h5py.File], None] | Callable[[bytes], bytes]]:
    """A saved file's name, and how it is damaged."""
    name = draw(st.sampled_from(SAVED))
    return name, draw(_DAMAGE)


def _cut(share: float) -> Callable[[bytes], bytes]:
    return lambda content: content[: int(len(content) * share)]


def _flip(places: list[tuple[float, int]]) -> Callable[[bytes], bytes]:
    def flip(content: bytes) -> bytes:
        changed = bytearray(content)
        for share, byte in places:
            changed[int(share * (len(changed) - 1))] = byte
        return bytes(changed)

    return flip


def _within(change: Callable[[h5py.File, Any], None]) -> Callable[[Any], Callable[[h5py.File], None]]:
    return lambda how: lambda file: change(file, how)


def _objects(file: h5py.File) -> list[str]:
    names: list[str] = []
    file.visit(names.append)
    return names


def _remove(file: h5py.File, how: float) -> None:
    names = _objects(file)
    del file[names[int(how * (len(names) - 1))]]


def _remove_attribute(file: h5py.File, how: tuple[float, float]) -> None:
    holders = [file, *(file[name] for name in _objects(file))]
    holders = [holder for holder in holders if len(holder.attrs)]
    holder = holders[int(how[0] * (len(holders) - 1))]
    keys = sorted(holder.attrs)
    del holder.attrs[keys[int(how[1] * (len(keys) - 1))]]


def _set_attribute(file: h5py.File, how: tuple[str, Any]) -> None:
    file.attrs[how[0]] = how[1]


def _change_numbers(file: h5py.File, how: tuple[float, float]) -> None:
    sets = [name for name in _objects(file) if isinstance(file[name], h5py.Dataset) and file[name].dtype.kind == "f"]  # pyright: ignore
    data: Any = file[sets[int(how[0] * (len(sets) - 1))]]
    if data.size:
        values = data[...]
        values.flat[0] = how[1]
        data[...] = values


def _change_spec(file: h5py.File, how: Any) -> None:
    """Replace a part of the specification, and sign it as if it were ours."""
    spec = json.loads(str(file.attrs["spec"]))
    part, key, value = how
    holder = spec.get(part, spec) if isinstance(spec, dict) else spec
    if isinstance(holder, dict) and holder:
        name = sorted(holder)[int(key * (len(holder) - 1))]
        if value is _GONE:
            del holder[name]
        else:
            holder[name] = value
    text = json.dumps(spec)
    file.attrs["spec"], file.attrs["spec_sha256"] = text, sha256(text.encode()).hexdigest()


_GONE = object()
_PLACE = st.floats(0, 1)
_JSON = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.text(max_size=5),
    st.just([]),
    st.just({}),
    st.sampled_from(
        [["a"], {"N": None}, {"N": "x"}, {"E": ["Normal", {}]}, {"E": 1}, "chinchilla", "kaplan", "modality", _GONE]
    ),
)
_DAMAGE = st.one_of(
    _PLACE.map(_cut),
    st.lists(st.tuples(_PLACE, st.integers(0, 255)), min_size=1, max_size=30).map(_flip),
    st.binary(max_size=30).map(lambda junk: lambda content: junk),
    _PLACE.map(_within(_remove)),
    st.tuples(_PLACE, _PLACE).map(_within(_remove_attribute)),
    st.tuples(
        st.sampled_from(["format", "spec", "spec_sha256", "notes", "versions", "runs_sha256", "created"]),
        st.one_of(
            st.text('abc{}[]:1,"', max_size=9),
            st.integers(0, 9),
            st.sampled_from(["bayescale posterior 99", "null", "{}", "[1]"]),
        ),
    ).map(_within(_set_attribute)),
    st.tuples(_PLACE, st.sampled_from([float("nan"), float("inf"), -1.0, 0.0, 1e300])).map(_within(_change_numbers)),
    st.tuples(st.sampled_from(["model", "diagnostics", "info", "", "weights"]), _PLACE, _JSON).map(
        _within(_change_spec)
    ),
    st.tuples(st.sampled_from(["model", "diagnostics", "info", "", "weights"]), _PLACE, _JSON).map(
        _within(_change_spec)
    ),
)


def _damaged(world: World, case: Any) -> str:
    name, damage = case
    content = world.save(name)
    path = world.folder / "damaged.nc"
    try:
        path.write_bytes(damage(content))
    except AttributeError:  # a damage within, that takes an open file
        path.write_bytes(content)
        with h5py.File(path, "r+") as file:
            damage(file)
    return judge(lambda: _use_saved(path))


def _use_saved(path: Any) -> Any:
    """What is done with every file that opens: show it, and forecast from it."""
    from bayescale.answers.mixture import Stack
    from bayescale.cli.common import open_either

    saved = open_either(str(path))
    members = saved.members.values() if isinstance(saved, Stack) else [saved]
    inputs = {c: 1e9 for member in members for c in member.model.law.columns}
    inputs = inputs | ({"chance": 0.25} if "chance" in inputs else {})
    return [str(saved), bs.forecast(saved, **inputs)]


# -- Answers: a question that is good, and then spoilt

POSTERIORS = ("post", "grouped", "departing", "kaplan", "one", "broken", "answers", "ability", "elo", "stack", "few")
COSTS = st.sampled_from(
    [
        bs.with_inference,
        print,
        lambda N, D: -N,
        lambda N, D: 1.0,
        lambda N, D: np.nan * N,
        lambda N, D: None,
        lambda: 1,
        lambda x: x,
        lambda *a: 1,
        lambda N, D: 1 / 0,
        lambda N, D: N if N > 1 else D,
        lambda N, D: "x",
        lambda N, D: N + D,
    ]
)
SIZES = st.one_of(
    st.floats(1e3, 1e15), st.floats(min_value=0, allow_infinity=False), st.lists(st.floats(1e3, 1e15), max_size=3)
)
CLOSE = {
    "group": st.sampled_from(["text", "code", "new", "add1", "x", "", None]),
    "cost": COSTS,
    "runs": TABLES,
    "candidates": TABLES,
    "pool": POOLS,
    "noise": NOISES,
    "seed": st.sampled_from([0, 3, -1, 2**64, 1.0, None]),
    "along": st.sampled_from(["N", "D", "C", "L", "x"]),
    "reducible": st.floats(0, 1),
    "regret": st.sampled_from(["5%", "0%", "100%", "1e-9%", 1e-12, 1e9, "nan"]),
    "at_most": st.dictionaries(st.sampled_from(["N", "D", "C", "x"]), st.one_of(SIZES, ODD_WORDS), max_size=2),
    "at_least": st.dictionaries(st.sampled_from(["N", "D", "C", "x"]), st.one_of(SIZES, ODD_WORDS), max_size=2),
    "laws": st.lists(LAW_NAMES, max_size=3),
    "unit": NAMES,
    "by": st.sampled_from(["waic", "loo", "largest", "seed", "x"]),
    "times": st.one_of(st.floats(0, 100), st.lists(st.floats(1, 1e4), max_size=3)),
    "truth": st.dictionaries(st.sampled_from(["E", "A", "B", "A_ref", "alpha", "beta", "sigma", "x"]), st.floats()),
}
NAMED = st.sampled_from(
    ["N", "D", "C", "L", "chance", "board_size", "accuracy", "elo", "D_inference", "horizon", "margin", "x", *CLOSE]
)


@dataclass(frozen=True)
class Question:
    """An answer of the face: how it is asked, what is made of its answer, and good questions: places, and names.

    ``open``: it takes inputs by names of their own; else a name that it has not is Python's to refuse.
    """

    ask: Callable[..., Any]
    good: tuple[tuple[tuple[Any, ...], dict[str, Any]], ...]
    then: Callable[[Any], Any] = lambda answer: answer
    open: bool = False


def _both(table: Callable[[Any], Any], sentences: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda answer: [answer, sentences(answer), (table(answer), None)[1]]


def _words_of(table: Callable[[Any], Any], sentences: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """For answers in which NaN has a meaning that they document: none of it may be in what is said."""
    return lambda answer: [sentences(answer), (table(answer), None)[1]]


def _good(*calls: Any) -> Any:
    return tuple((call[:-1], call[-1]) for call in calls)


_POINT = {"N": 1e9, "D": "1T"}
_TRUTH = {"E": 1.7, "A": 400.0, "B": 400.0, "alpha": 0.3, "beta": 0.3, "sigma": 0.01}
QUESTIONS: dict[str, Question] = {
    "forecast": Question(
        bs.forecast,
        _good(
            ("post", _POINT),
            ("grouped", {**_POINT, "group": "text"}),
            ("stack", {**_POINT, "seed": 3}),
            ("one", {"D": [1e9, 1e10]}),
            ("departing", {**_POINT, "group": None}),
            ("elo", {"C": 1e20, "board_size": 7}),
            ("answers", {"D": 1e9, "group": "new"}),
            ("post", "runs", {}),
            ("grouped", "seeds", {}),
            ("stack", "runs", {}),
            ("broken", {"N": "70B"}),
        ),
        _both(forecast_table, forecast_sentences),
        open=True,
    ),
    "allocate": Question(
        bs.allocate,
        _good(
            ("post", {"C": 1e21}),
            ("grouped", {"C": [1e14, 1e15], "group": "text"}),
            ("stack", {"C": "1e21", "regret": "5%"}),
            ("post", {"L": 2.5}),
            ("post", {"C": 1e21, "cost": bs.with_inference, "D_inference": "1T", "at_most": {"N": "1B"}}),
            ("departing", {"C": 1e22, "at_least": {"D": 1e9}, "regret": 0.01}),
            ("kaplan", {"C": 1e20, "N": 1e9}),
        ),
        _both(allocation_table, bs.allocation_sentences),
        open=True,
    ),
    "deviation": Question(
        bs.deviation,
        _good(
            ("post", _POINT),
            ("grouped", {**_POINT, "group": "code", "seed": 1}),
            ("stack", {**_POINT, "cost": bs.six_nd}),
        ),
        _both(deviation_table, deviation_sentences),
        open=True,
    ),
    "threshold": Question(
        bs.threshold,
        _good(
            ("post", {"L": 2.5}),
            ("grouped", {"L": [1.5, 2.0], "group": "text", "horizon": "1e18"}),
            ("stack", {"L": "2.2", "N": "1B"}),
            ("one", {"L": 2.4, "horizon": 1e30}),
            ("answers", {"accuracy": 0.5}),
            ("answers", {"margin": 0.1, "chance": 0.25}),
            ("elo", {"elo": -500, "board_size": 7}),
            ("broken", {"L": 2.0}),
            ("post", {"L": 3.0, "tokens_per_parameter": 20}),
        ),
        _both(bs.threshold_table, threshold_sentences),
        open=True,
    ),
    "sharpness": Question(
        bs.sharpness,
        _good(
            ("answers", {"than": 1.0}),
            ("answers", {"group": "add1", "seed": 2}),
            ("one", {"start": 9.0}),
            ("answers", "one", {"start": 9}),
        ),
        _both(sharpness_table, sharpness_sentences),
        open=True,
    ),
    "breaks": Question(
        bs.breaks,
        _good(("broken", {}), ("broken", {"before": "1e24", "seed": 1, "group": None})),
        _both(breaks_table, breaks_sentences),
    ),
    "contrast": Question(
        bs.contrast,
        _good(
            ("grouped", "alpha", "text", "code", {}),
            ("grouped", "A", "text", {"seed": 2}),
            ("grouped", "sigma", "new", "math", {}),
        ),
        _both(contrast_table, contrast_sentences),
    ),
    "multiplier": Question(
        bs.multiplier,
        _good(
            ("grouped", "text", "code", {"along": "N", "N": 1e6, "D": 1e9}),
            ("grouped", "text", {"reducible": 0.5}),
            ("post", {"other": "departing", "along": "D", **_POINT}),
            ("stack", {"other": "post", "reducible": 0.3, "along": "C"}),
        ),
        _words_of(multiplier_table, multiplier_sentences),
        open=True,
    ),
    "design": Question(
        lambda posterior, budget, about, **named: bs.design(posterior, budget, about=about, **named),
        _good(
            ("post", "1e20", "L", {"at": {"N": 1e9, "D": 1e11}, "checks": 0, "batch": 2}),
            ("post", 1e21, "alpha", {"checks": 3, "repeat": True}),
            ("stack", 1e20, "law", {"checks": 0, "seed": 1}),
            ("post", 1e20, "N_opt", {"at": {"C": 1e22}, "checks": 0, "candidates": "runs"}),
            (
                "grouped",
                1e14,
                "L",
                {"at": {"N": 1e6, "D": 1e8}, "group": "text", "checks": 0, "batch": 1, "cost": bs.six_nd},
            ),
        ),
        _both(design_table, design_sentences),
    ),
    "extrapolate": Question(
        bs.extrapolate,
        _good(
            ("curves", {"group": "a"}),
            ("curves", {"times": [1.5, 2], "group": "b", "seed": 2}),
            ("curves", {"D": "64M", "group": "a"}),
        ),
        _both(bs.extrapolation_table, bs.extrapolation_sentences),
        open=True,
    ),
    "update": Question(
        bs.update,
        _good(("post", "new", {"seed": 1}), ("grouped", "seeds", {}), ("stack", "new", {})),
        lambda update: update_sentences(update),
    ),
    "chain": Question(
        lambda first, second, **named: bs.threshold(bs.chain(first, second), **named),
        _good(
            ("post", "ability", {"accuracy": 0.5, "group": "add1"}),
            ("stack", "ability", {"accuracy": [0.3, 0.6], "horizon": "1e26"}),
        ),
        _both(bs.threshold_table, threshold_sentences),
        open=True,
    ),
    "check_fit": Question(
        bs.check_fit, _good(("post", {"seed": 1}), ("grouped", {}), ("answers", {}), ("few", {})), check_sentences
    ),
    "sensitivity": Question(bs.sensitivity, _good(("post", {}), ("few", {})), lambda found: None),
    "agreement": Question(
        bs.agreement,
        _good(("post", "hoffmann2022", {}), ("grouped", "besiroglu2024", {"group": "text"})),
        lambda found: None,
    ),
    "to_dataframe": Question(
        lambda subject, **named: bs.to_dataframe(
            bs.forecast(subject, **_POINT) if isinstance(subject, bs.Posterior) else subject, **named
        ),
        _good(("post", {"summary": True}), ("curves", {})),
    ),
    "detection_limit": Question(bs.detection_limit, _good((100, 0.25, {"level": 0.05, "power": 0.8}))),
    "average_seeds": Question(
        bs.average_seeds,
        _good(("seeds", {}), ("seeds", {"by": "seed", "inputs": ["N", "D"], "within": "modality", "response": "L"})),
    ),
    "fit_curves": Question(
        bs.fit_curves, _good(("runs", {"curve": "N"}), ("seeds", {"x": "N", "y": "L"})), lambda curves: str(curves)
    ),
    "backtest": Question(
        bs.backtest,
        _good(
            ("runs", {"laws": ["chinchilla", "kaplan"], "share": 0.3, "least": 2, "draws": 50}),
            ("runs", {"cut": 1e18, "laws": ["kaplan"]}),
            ("tiny", {"laws": ["chinchilla"], "pool": "modality", "points": 3, "seed": 1}),
        ),
        _words_of(bs.backtest_table, bs.backtest_sentences),
    ),
    "recommend": Question(
        bs.recommend, _good(("runs", {}), ("tiny", {"pool": "modality"})), lambda recipe: str(recipe)
    ),
    "simulate": Question(
        lambda subject, truth, **named: bs.simulate(getattr(subject, "model", subject), truth, **named),
        _good(("post", "hoffmann2022", {"seed": 1}), ("post", _TRUTH, {})),
    ),
    "sample_prior": Question(
        lambda subject, **named: bs.sample_prior(getattr(subject, "model", subject), **named),
        _good(("post", {"draws": 3, "seed": 1}), ("grouped", {"draws": 1})),
        lambda prior: None,
    ),
    "compare": Question(
        bs.compare,
        _good(
            ({"a": "post", "b": "departing"}, {"by": "loo", "seed": 1}),
            ({"a": "kaplan", "b": "post"}, {"unit": None}),
            ({"a": "kaplan", "b": "few"}, {"by": "largest"}),
        ),
        str,
    ),
    "stack": Question(
        bs.stack,
        _good(
            ({"a": "post", "b": "departing"}, {"by": "loo", "seed": 1}),
            ({"a": "kaplan", "b": "post"}, {"cuts": (0.2,)}),
            ({"a": "kaplan", "b": "few"}, {"by": "waic"}),
        ),
        str,
    ),
    "load_runs": Question(bs.load_runs, _good(("tiny_sweep", {}))),
    "open_posterior": Question(
        bs.open_posterior, _good(("post.nc", {}), ("post.nc", {"law": bs.LAWS["chinchilla"]})), lambda found: None
    ),
    "fit": Question(  # of settings that are refused: the sampler itself is left out
        lambda subject, **named: bs.fit(getattr(subject, "model", subject), **{"draws": 1, **named}),
        _good(("post", {"tune": 50, "chains": 2, "seed": 1, "target_accept": 0.9})),
    ),
}


@st.composite
def spoilt_calls(draw: Any, question: Question) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """A good question with up to three of its arguments replaced, left out or added."""
    places, named = draw(st.sampled_from(question.good))
    places, named = list(places), dict(named)
    for _ in range(draw(st.sampled_from([0, 1, 1, 1, 2, 3]))):
        name = draw(st.sampled_from([*range(len(places)), *named, *named, "+"]))
        if isinstance(name, int):
            near = st.sampled_from(POSTERIORS) if name == 0 else ODD_WORDS
            places[name] = draw(st.one_of(near, ANYTHING, TABLES))
        elif name == "+" and question.open:
            added = draw(NAMED)
            if added != "runs" or len(places) == 1:  # given twice, Python refuses it before the package does
                named[added] = draw(st.one_of(CLOSE.get(added, SIZES), ANYTHING))
        elif name != "+" and draw(st.integers(0, 5)) == 0:
            del named[name]
        elif name != "+":
            named[name] = draw(st.one_of(CLOSE.get(name, SIZES), ANYTHING))
    return tuple(places), named


def _answer(question: Question) -> Callable[[World, Any], str]:
    def run(world: World, case: Any) -> str:
        places, named = case
        subjects = [_found(world, given) for given in places]
        named = {
            name: _found(world, given) if name in ("other", "candidates", "runs") else given
            for name, given in named.items()
        }
        return judge(lambda: question.then(question.ask(*subjects, **named)))

    return run


def _found(world: World, given: Any) -> Any:
    """Good things are written by name, so that a case can be read."""
    if isinstance(given, dict):
        return {name: _found(world, thing) if isinstance(thing, str) else thing for name, thing in given.items()}
    if isinstance(given, str) and given == "post.nc":
        world.save("post")
    return world.thing(given) if isinstance(given, str) and given in MADE else given


# -- The command line: a line that is good, and then spoilt

OUTPUT = "made"
GOOD_LINES = """
check runs.csv --law chinchilla --column N=N --fill C
check tiny_sweep --pool modality --average-seeds seed --prior E=LogNormal(0,1)
check post.nc --json
fit runs.csv --law kaplan --noise normal --draws 50 --tune 50 --chains 2 --seed 1 -o made.nc
fit runs.csv --column D=D*2 --column L=L --unfinished keep --discrepancy -o made.nc
show post.nc --json
show stack.nc
forecast post.nc --N 70B --D 1.4T --seed 1
forecast grouped.nc --at N=1M --D 1B,2B --group text --json
forecast stack.nc --N 70B --C 1e24
extrapolate curves.csv --x D --y L --curve run --times 1.5,2 --group a --seed 1
allocate post.nc --C 1e21,1e22 --max N=1B --min D=1B --regret 5% --json
allocate grouped.nc --L 2.0 --group new --seed 3
allocate post.nc --N 1B --D 1T
allocate stack.nc --C 1e21 --cost with_inference --at D_inference=1T
threshold post.nc --L 2.0,2.5 --horizon 1e26 --json
threshold answers.nc --accuracy 0.5 --group add1
threshold post.nc --accuracy 0.5 --then ability.nc
threshold elo.nc --level elo=-500 --at board_size=7
sharpness answers.nc --companion one.nc --than 1 --start 9
breaks broken.nc --before 1e24 --seed 1 --json
design post.nc --budget 1e20 --about L --at N=1B --at D=100B --checks 0 --batch 2
design stack.nc --budget 1e20 --about law --checks 0 --cost six_nd --candidates runs.csv
contrast grouped.nc alpha code text --seed 1
multiplier grouped.nc code text --along C --reducible 0.5 --json
multiplier post.nc --other departing.nc --along N --N 1B --D 20B
compare post.nc departing.nc --by waic
compare runs.csv --law kaplan --law chinchilla --by loo --seed 1 --noise normal
stack post.nc kaplan.nc --by loo -o made.nc --json
backtest runs.csv --law kaplan --share 0.3 --least 2 --draws 50 --seed 1
update post.nc new.csv --seed 1 -o made.nc --fill C
refit post.nc -o made.nc
laws kaplan --json
data tiny_sweep -o made.csv
report post.nc -o made.html --C 1e22 --level 2.5 --at N=1B --at D=1T --title x
reproduce analysis.py --fast
"""
LINES_OF: dict[str, list[list[str]]] = {}
for _line in GOOD_LINES.split("\n"):
    if _line:
        LINES_OF.setdefault(_line.split()[0], []).append([*map(str, _line.split())])
VALUES = st.one_of(
    st.sampled_from(
        [
            "70B",
            "400k,1M",
            "2.0",
            "",
            "0",
            "-1",
            "nan",
            "inf",
            "1e400",
            "1,000",
            ",",
            "1e300",
            "1e-300",
            "5%",
            "1;2",
            "9" * 30,
        ]
    ),
    st.sampled_from(
        [f"{name}.nc" for name in POSTERIORS] + ["runs.csv", "missing.nc", ".", "tiny_sweep", "/dev/null", "a/b.nc"]
    ),
    st.builds(
        lambda n, v: f"{n}={v}",
        st.one_of(st.sampled_from(["N", "D", "C", "L", "E", "alpha", "x"]), ODD_WORDS),
        st.one_of(st.sampled_from(["1e9", "0", "-1", "nan", "1e400", "x", "1,2"]), FORMULAS, PRIORS),
    ),
    LAW_NAMES,
    NOISES,
    PRIORS,
    ODD_WORDS,
)


def _options_of(name: str) -> list[str]:
    found: Any = typer.main.get_command(cli.app)
    return sorted(
        opt for param in found.commands[name].params for opt in param.opts if opt.startswith("-") and opt != "--figure"
    )


@st.composite
def command_lines(draw: Any, name: str) -> list[str]:
    """A good line with up to three of its words replaced, left out, doubled or added."""
    words = list(draw(st.sampled_from(LINES_OF[name])))
    for _ in range(draw(st.sampled_from([0, 1, 1, 1, 2, 3]))):
        at = draw(st.integers(1, len(words)))
        action = draw(st.sampled_from(["replace", "replace", "replace", "remove", "double", "add"]))
        if action == "add" or at == len(words):
            words[at:at] = [draw(st.sampled_from(_options_of(name))), draw(VALUES)]
        elif action == "remove":
            del words[at]
        elif action == "double":
            words.insert(at, words[at])
        else:
            words[at] = draw(VALUES)
    return [word.replace("\x00", "") for word in words]  # no command line can hold it


def _command(world: World, words: list[str]) -> str:
    for word in words:
        if word.endswith(".nc") and word[:-3] in MADE:
            world.save(word[:-3])
    outputs = tuple(world.folder / f"{OUTPUT}{suffix}" for suffix in (".nc", ".csv", ".html"))
    return judge_command(words, outputs, fine=(0, 1) if words[0] in ("refit", "reproduce") else (0,))


# What costs a second or more is tried less often.
MANY = {"report": 40, "backtest": 60, "extrapolate": 60, "reproduce": 60, "fit": 100, "check": 100, "design": 100}
MANY |= {
    "bs.design": 120,
    "bs.fit_curves": 80,
    "bs.backtest": 60,
    "bs.check_fit": 60,
    "bs.extrapolate": 80,
    "bs.chain": 150,
}
MANY |= {"bs.sensitivity": 40, "bs.load_runs": 60, "bs.stack": 100, "bs.compare": 100, "bs.multiplier": 100}

GROUPS: dict[str, dict[str, Kind]] = {
    "tables": {
        "any table": Kind(st.tuples(frames(), READING, COLUMNS), _read, 3500),
        "spoilt table": Kind(st.tuples(spoilt(), READING, COLUMNS), _read, 3500),
        "file": Kind(st.tuples(FILES, READING, COLUMNS), _read_file, 4000),
        "checked table": Kind(
            st.tuples(
                st.one_of(frames(), spoilt()),
                st.lists(NAMES, max_size=2, unique=True),
                NAMES,
                st.lists(NAMES, max_size=2),
            ),
            _check,
            1500,
        ),
        "column formula": Kind(st.tuples(st.sampled_from(["N", "D", "L", "x"]), FORMULAS), _formula, 1500),
    },
    "beliefs": {
        "prior": Kind(PRIORS, _prior, 2000),
        "model of a spoilt table": Kind(st.tuples(spoilt(), LAW_NAMES, st.just({})), _model, 600),
        "model": Kind(
            st.tuples(
                LAW_NAMES,
                options(
                    pool=POOLS,
                    priors=st.one_of(PRIOR_SETS, ANYTHING),
                    noise=st.one_of(NOISES, ANYTHING),
                    discrepancy=ANYTHING,
                    zero=ZEROS,
                ),
            ),
            _good_model,
            600,
        ),
        "identify": Kind(
            st.tuples(st.sampled_from(["chinchilla", "kaplan", "saturating:D"]), spoilt()), _identify, 100
        ),
        "law": Kind(laws(), _own_law, 600),
        "analysis": Kind(LINES, _analysis, 150),
    },
    "saved files": {"saved file": Kind(damages(), _damaged, 400)},
    "answers": {
        f"bs.{name}": Kind(spoilt_calls(question), _answer(question), MANY.get(f"bs.{name}", 200))
        for name, question in QUESTIONS.items()
    },
    "commands": {name: Kind(command_lines(name), _command, MANY.get(name, 120)) for name in LINES_OF},
}
KINDS = {name: kind for group in GROUPS.values() for name, kind in group.items()}
