"""The kinds of bad input: how a case of each is made, and what is asked with it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import h5py
import numpy as np
import pandas as pd
from hypothesis import strategies as st
from judge import judge, judge_command
from strategies import (
    ANYTHING,
    FILES,
    FORMULAS,
    NAMES,
    NOISES,
    ODD_NUMBERS,
    ODD_WORDS,
    PRIORS,
    frames,
    mostly,
    mutated_bytes,
    mutated_json,
    options,
    spoilt,
)
from world import World

import bayescale as bs
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
    fast, many : int
        How many cases the fast tests try, and `count.py`.
    """

    cases: st.SearchStrategy[Any]
    run: Callable[[World, Any], str]
    fast: int
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
    params = [(draw(mostly(st.just(s), SYMBOLS)), draw(mostly(st.just(p), st.one_of(PRIORS, ANYTHING)))) for s, p in good]
    inputs = draw(mostly(st.just(("N", "D")), st.one_of(ANYTHING, st.tuples(ODD_WORDS, ODD_WORDS))))
    centre = draw(mostly(st.sampled_from(["geometric mean", "mean", "none"]), st.one_of(ODD_WORDS, ANYTHING)))
    support = draw(mostly(st.just("positive"), st.sampled_from(["real", "unit"])))
    wrap = draw(mostly(st.just(tuple), st.sampled_from([list, set, str])))
    more = draw(
        options(slopes=st.one_of(ANYTHING, st.just({"N": -1, "x": 1})), published=ANYTHING, output=ANYTHING, name=ANYTHING)
    )
    published = draw(mostly(st.just({}), st.dictionaries(st.sampled_from(["E", "A", "alpha", "x"]), ANYTHING)))

    def declare():
        from bayescale import prior as p
        from bayescale.law import LOSS, Input, Law, Param, Published

        kind = {"positive": p.POSITIVE, "real": p.REAL, "unit": p.UNIT}[support]
        declared = tuple(Param(s, "a number", "", kind, bs.Prior.read(text), p.Prior("LogNormal", 0.0, 1.0)) for s, text in params)
        read = tuple(Input(s, "an input", "", s, centre=centre) for s in inputs) if isinstance(inputs, tuple) else inputs
        facts = {"published": wrap((Published("key", "a paper", **published),)) if published else (), "output": LOSS} | more
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
        ["agrees = ['besiroglu2024']", "agrees = 'besiroglu2024'", "agrees = 3", "agrees = [3]", "agrees = None", "agrees = ['x']"]
        + ["differs = {'hoffmann2022': 'why'}", "differs = ['hoffmann2022']", "differs = {3: 4}", "differs = {'hoffmann2022': 3}"]
        + ["claims = 3", "def claims(p): yield 3", "def claims(p): return None", "def claims(): yield 1", "def claims(p): 1/0"]
        + ["def claims(p): yield bs.Claim('E', p.dataset['E'], 1.0, 'x')", "def claims(p): raise SystemExit", "models = {}"]
        + ["def claims(p): yield bs.Claim('E', float('nan'), 1.0, 'x')", "def claims(p): yield bs.Claim(1, 2, 3)"]
        + ["def claims(p): yield bs.Claim('E', p.dataset['E'], 'one', 'x')", "def claims(p): yield bs.Claim('E', None, None, None)"]
        + ["model = 3", "model = None", "models = {'a': model}", "del model", "sampling = {'draws': 'x'}", "sampling = 3"]
        + ["sampling = {'seed': -1}", "sampling = {'x': 1}", "sampling = None", "x = (", "raise ValueError('no')", "import nothing_"]
        + ["raise SystemExit(0)", "slow = 'yes'", "\x00", "\ud83d", "print(1)", "__doc__ = 3", "models = {3: model}; del model"]
        + ["agrees = ['besiroglu2024 @ text']", "def claims(p): yield from []", "async def claims(p): yield 1", "class claims: pass"]
        + ["def claims(p): yield bs.Claim('E', p.dataset['E'], 1.0, 'x', prob=7)"]
    ),
    max_size=3,
)  # fmt: skip


def _analysis(world: World, lines: list[str]) -> str:
    path = world.write("analysis.py", ANALYSIS.format(lines="\n".join(lines)).encode(errors="surrogatepass"))
    return judge_command(["reproduce", str(path)], fine=(0, 1))


# -- Saved posteriors

SAVED = ("post", "grouped", "departing", "one", "answers", "stack")


@st.composite
def damages(draw: Any) -> tuple[str, Callable[[h5py.File], None] | Callable[[bytes], bytes]]:
    """A saved file's name, and how it is damaged."""
    name = draw(st.sampled_from(SAVED))
    return name, draw(st.one_of(st.just(None), st.just(None)) if False else _DAMAGE)


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
    st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(), st.text(max_size=5), st.just([]), st.just({}),
    st.sampled_from([["a"], {"N": None}, {"N": "x"}, {"E": ["Normal", {}]}, {"E": 1}, "chinchilla", "kaplan", "modality", _GONE]),
)  # fmt: skip
_DAMAGE = st.one_of(
    _PLACE.map(_cut),
    st.lists(st.tuples(_PLACE, st.integers(0, 255)), min_size=1, max_size=30).map(_flip),
    st.binary(max_size=30).map(lambda junk: lambda content: junk),
    _PLACE.map(_within(_remove)),
    st.tuples(_PLACE, _PLACE).map(_within(_remove_attribute)),
    st.tuples(
        st.sampled_from(["format", "spec", "spec_sha256", "notes", "versions", "runs_sha256", "created"]),
        st.one_of(st.text("abc{}[]:1,\"", max_size=9), st.integers(0, 9), st.sampled_from(["bayescale posterior 99", "null", "{}", "[1]"])),
    ).map(_within(_set_attribute)),
    st.tuples(_PLACE, st.sampled_from([float("nan"), float("inf"), -1.0, 0.0, 1e300])).map(_within(_change_numbers)),
    st.tuples(st.sampled_from(["model", "diagnostics", "info", "", "weights"]), _PLACE, _JSON).map(_within(_change_spec)),
    st.tuples(st.sampled_from(["model", "diagnostics", "info", "", "weights"]), _PLACE, _JSON).map(_within(_change_spec)),
)  # fmt: skip


def _damaged(world: World, case: Any) -> str:
    name, damage = case
    content = world.files[f"{name}.nc"]
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


# -- Answers

POSTERIORS = ("post", "grouped", "departing", "kaplan", "one", "broken", "answers", "ability", "elo", "stack")
SIZES = st.one_of(st.sampled_from(["70B", 1e9, "1.4T", [1e8, 1e9], 10**9, "400k", np.float32(1e8)]), st.floats(1e5, 1e14))
GROUPS = mostly(st.sampled_from([None, "text", "code", "new", "add1"]))
SEEDS = mostly(st.integers(0, 9))
COSTS = mostly(
    st.sampled_from([bs.six_nd, lambda N, D: 6 * N * D]),
    st.one_of(
        st.sampled_from([lambda N, D: -N, lambda N, D: 1.0, lambda N, D: np.nan * N, lambda N, D: None, lambda: 1, lambda x: x]),
        st.sampled_from([lambda *a: 1, lambda N, D: 1 / 0, lambda N, D: N if N > 1 else D, bs.with_inference, print]),
        ANYTHING,
    ),
)  # fmt: skip
SUBJECTS = mostly(st.sampled_from(POSTERIORS), st.one_of(ANYTHING, st.just("curves")))
SHARED = {"group": GROUPS, "seed": SEEDS}
MORE = {"N": mostly(SIZES), "D": mostly(SIZES), "C": mostly(SIZES), "L": mostly(st.sampled_from([2.0, "2.5", [3.0, 2.0]]))}
RARE = {"chance": mostly(st.just(0.25)), "board_size": mostly(st.just(7)), "accuracy": mostly(st.floats(0, 1)), "elo": mostly(st.just(-500)),
        "D_inference": mostly(st.just("1T")), "margin": mostly(st.just(0.1))}  # fmt: skip


def _inputs(*names: str) -> dict[str, st.SearchStrategy[Any]]:
    return {name: ({**MORE, **RARE})[name] for name in names}


def _wrong_names(found: dict[str, Any], name: str) -> dict[str, Any]:
    return {**found, name: 1e9} if name.isidentifier() and name not in ("self", "posterior", "curves") else found


@dataclass(frozen=True)
class Question:
    """An answer of the face: how it is asked, and what is made of its answer."""

    ask: Callable[..., Any]
    named: st.SearchStrategy[dict[str, Any]]
    then: Callable[[Any], Any] = lambda answer: answer
    placed: tuple[st.SearchStrategy[Any], ...] = ()
    subject: st.SearchStrategy[Any] = SUBJECTS
    open: bool = False


def _both(table: Callable[[Any], Any], sentences: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda answer: [answer, sentences(answer), (table(answer), None)[1]]


LEVELS = options(at_least=mostly(st.just({"N": "1M"})), at_most=mostly(st.just({"N": 1e9, "D": "1T"})))
TABLES = st.one_of(spoilt(), frames(), ANYTHING)
MAPPINGS = mostly(
    st.sampled_from([("kaplan", "post"), ("post", "departing"), ("post", "one")]),
    st.sampled_from([("post",), (), ("grouped", "answers"), ("stack", "post"), ("elo", "post")]),
)
QUESTIONS: dict[str, Question] = {
    "forecast": Question(
        bs.forecast,
        options(**SHARED, **_inputs("N", "D", "C", "chance", "L", "board_size"), runs=TABLES),
        _both(forecast_table, forecast_sentences),
        open=True,
    ),
    "allocate": Question(
        bs.allocate,
        options(**SHARED, **_inputs("C", "L", "N", "D", "D_inference"), cost=COSTS, regret=mostly(st.just("5%")),
                at_least=mostly(st.just({"N": "1M"})), at_most=mostly(st.just({"N": 1e9, "D": "1T"}))),
        _both(allocation_table, bs.allocation_sentences),
        open=True,
    ),
    "deviation": Question(
        bs.deviation, options(**SHARED, **_inputs("N", "D", "C"), cost=COSTS), _both(deviation_table, deviation_sentences), open=True
    ),
    "threshold": Question(
        bs.threshold,
        options(**SHARED, **_inputs("L", "N", "D", "accuracy", "elo", "board_size", "chance", "margin"), cost=COSTS,
                horizon=mostly(SIZES), tokens_per_parameter=mostly(st.just(20))),
        _both(bs.threshold_table, threshold_sentences),
        open=True,
    ),
    "sharpness": Question(
        bs.sharpness,
        options(**SHARED, **_inputs("chance"), than=mostly(st.just(1.0)), start=mostly(st.just(4.0))),
        _both(sharpness_table, sharpness_sentences),
        subject=mostly(st.sampled_from(["answers", "ability", "one"]), SUBJECTS),
        open=True,
    ),
    "breaks": Question(
        bs.breaks, options(**SHARED, before=mostly(SIZES)), _both(breaks_table, breaks_sentences),
        subject=mostly(st.just("broken"), SUBJECTS),
    ),
    "contrast": Question(
        bs.contrast,
        options(seed=SEEDS, second=GROUPS),
        _both(contrast_table, contrast_sentences),
        (mostly(st.sampled_from(["alpha", "A", "sigma", "E", "nu"])), GROUPS),
        subject=mostly(st.just("grouped"), SUBJECTS),
    ),
    "multiplier": Question(
        bs.multiplier,
        options(**_inputs("N", "D", "C"), seed=SEEDS, along=mostly(st.sampled_from(["C", "N", "D"])), reducible=mostly(st.floats(0, 1)),
                first=GROUPS, second=GROUPS),
        _both(multiplier_table, multiplier_sentences),
        subject=mostly(st.just("grouped"), SUBJECTS),
        open=True,
    ),
    "design": Question(
        bs.design,
        options(group=GROUPS, seed=SEEDS, at=mostly(st.just({"N": 1e9, "D": 1e11})), cost=COSTS, batch=mostly(st.just(2)),
                repeat=st.booleans(), checks=mostly(st.just(0)), candidates=mostly(st.none(), TABLES)),
        _both(design_table, design_sentences),
        (mostly(st.just("1e20")),),
        subject=mostly(st.sampled_from(["post", "stack"]), SUBJECTS),
    ),
    "extrapolate": Question(
        bs.extrapolate,
        options(times=mostly(st.sampled_from([2, [1.5, 2]])), group=mostly(st.sampled_from(["a", None])), seed=SEEDS, D=mostly(SIZES)),
        _both(bs.extrapolation_table, bs.extrapolation_sentences),
        subject=mostly(st.just("curves"), SUBJECTS),
        open=True,
    ),
    "update": Question(
        bs.update, options(seed=SEEDS), lambda update: update_sentences(update), (TABLES,),
        subject=mostly(st.sampled_from(["post", "grouped", "stack"]), SUBJECTS),
    ),
    "chain": Question(
        lambda first, **named: bs.threshold(bs.chain(first, named.pop("second")), **named),
        options(**SHARED, **_inputs("accuracy", "N", "D", "C"), horizon=mostly(SIZES)).flatmap(
            lambda named: st.just(named)
        ),
        _both(bs.threshold_table, threshold_sentences),
    ),
    "check_fit": Question(bs.check_fit, options(seed=SEEDS), check_sentences),
    "sensitivity": Question(bs.sensitivity, st.just({}), lambda found: None),
    "agreement": Question(
        bs.agreement, options(group=GROUPS), lambda found: None, (mostly(st.sampled_from(["hoffmann2022", "besiroglu2024"])),)
    ),
    "to_dataframe": Question(bs.to_dataframe, options(summary=ANYTHING)),
    "detection_limit": Question(
        bs.detection_limit,
        options(level=mostly(st.just(0.05)), power=mostly(st.just(0.8))),
        placed=(mostly(st.just(0.25)),),
        subject=mostly(st.integers(1, 10**6)),
    ),
    "average_seeds": Question(
        bs.average_seeds,
        options(by=mostly(st.just("seed"), st.one_of(NAMES, ANYTHING)), response=mostly(st.just("L")), inputs=mostly(st.just(["N", "D"])),
                within=mostly(st.none(), st.one_of(NAMES, ANYTHING))),
        subject=TABLES,
    ),
    "fit_curves": Question(
        bs.fit_curves,
        options(x=mostly(st.just("D")), y=mostly(st.just("L")), curve=mostly(st.sampled_from([None, "modality"]))),
        lambda curves: str(curves),
        subject=TABLES,
    ),
    "backtest": Question(
        bs.backtest,
        options(share=mostly(st.floats(0.1, 0.5)), least=mostly(st.just(2)), cut=mostly(st.just(1e18)), train=mostly(st.none()),
                points=mostly(st.none()), pool=POOLS, noise=NOISES, discrepancy=st.booleans(), seed=SEEDS, draws=mostly(st.just(50)),
                laws=mostly(st.just(["chinchilla", "kaplan"]))),
        _both(bs.backtest_table, bs.backtest_sentences),
        subject=mostly(st.just("runs"), TABLES),
    ),
    "recommend": Question(bs.recommend, options(pool=POOLS), lambda recipe: str(recipe), subject=mostly(st.just("runs"), TABLES)),
    "simulate": Question(
        lambda subject, truth, **named: bs.simulate(getattr(subject, "model", subject), truth, **named),
        options(seed=SEEDS),
        placed=(
            mostly(
                st.sampled_from(["hoffmann2022", {"E": 1.7, "A": 400.0, "B": 400.0, "alpha": 0.3, "beta": 0.3, "sigma": 0.01}]),
                st.one_of(ANYTHING, st.dictionaries(st.sampled_from(["E", "A", "alpha", "x", "sigma"]), ANYTHING)),
            ),
        ),
    ),
    "sample_prior": Question(
        lambda subject, **named: bs.sample_prior(getattr(subject, "model", subject), **named),
        options(draws=mostly(st.just(5)), seed=SEEDS),
        lambda prior: None,
    ),
    "load_runs": Question(bs.load_runs, st.just({}), subject=mostly(st.just("tiny_sweep"))),
    "open_posterior": Question(bs.open_posterior, options(law=ANYTHING), lambda found: None, subject=ANYTHING),
    "fit": Question(
        lambda subject, **named: bs.fit(getattr(subject, "model", subject), **named),
        options(draws=ANYTHING, tune=ANYTHING, chains=ANYTHING, target_accept=ANYTHING, seed=ANYTHING),
        lambda found: None,
        subject=ANYTHING,
    ),
}  # fmt: skip


@st.composite
def asked(draw: Any, question: Question) -> Any:
    """A subject, arguments by place and arguments by name."""
    named = dict(draw(question.named))
    if question.open and draw(st.integers(0, 9)) == 0:
        named = _wrong_names(named, draw(ODD_WORDS))
    return draw(question.subject), tuple(draw(place) for place in question.placed), named


def _answer(question: Question) -> Callable[[World, Any], str]:
    def run(world: World, case: Any) -> str:
        subject, placed, named = case
        subject = _found(world, subject)
        return judge(lambda: question.then(question.ask(subject, *placed, **named)))

    return run


def _found(world: World, subject: Any) -> Any:
    """Subjects are written by name, so that a case can be read."""
    if isinstance(subject, str):
        return {**world.posteriors, "curves": world.curves, "runs": world.runs}.get(subject, subject)
    return subject


def _compare(world: World, case: Any) -> str:
    names, verb, named = case
    found = {name: world.posteriors[name] for name in names} if isinstance(names, tuple) else names
    ask = {"compare": bs.compare, "stack": bs.stack}[verb]
    return judge(lambda: str(ask(found, **named)))


COMPARED = st.tuples(
    st.one_of(MAPPINGS, MAPPINGS, ANYTHING),
    st.sampled_from(["compare", "stack"]),
    options(by=mostly(st.sampled_from(["waic", "loo", "largest"])), unit=mostly(st.none()), seed=SEEDS),
)

# -- The command line

PATHS = mostly(
    st.sampled_from([f"{name}.nc" for name in POSTERIORS]),
    st.one_of(st.sampled_from(["runs.csv", "missing.nc", ".", "", "tiny_sweep", "/dev/null", "a/b.nc", "~"]), ODD_WORDS),
)
TABLE_PATHS = mostly(
    st.sampled_from(["runs.csv", "curves.csv", "new.csv", "tiny_sweep"]),
    st.one_of(st.sampled_from(["post.nc", "missing.csv", ".", "", "x", "/dev/null"]), ODD_WORDS),
)
NUMBERS = mostly(
    st.sampled_from(["70B", "1e9", "400k,1M", "1e20", "2.0", "1.5,2"]),
    st.one_of(
        st.sampled_from(["", "0", "-1", "nan", "inf", "1e400", "1,000", ",", "1,", "x", "1e300", "1e-300", "5%", "1;2", "1 2"]), ODD_WORDS
    ),
)
COUNTS = mostly(st.sampled_from(["1", "2", "5"]), st.one_of(st.sampled_from(["0", "-1", "1.5", "x", "", "9" * 30]), ODD_WORDS))
PAIRS = mostly(
    st.builds(lambda n, v: f"{n}={v}", st.sampled_from(["N", "D", "C", "L", "chance", "board_size", "D_inference"]), NUMBERS),
    st.one_of(ODD_WORDS, st.builds(lambda n, v: f"{n}={v}", ODD_WORDS, NUMBERS)),
)
GROUP_WORDS = mostly(st.sampled_from(["text", "code", "new", "a"]), ODD_WORDS)
LAW_WORDS = mostly(st.sampled_from(["chinchilla", "kaplan", "saturating:D"]), LAW_NAMES)
COLUMN_WORDS = mostly(
    st.sampled_from(["N=N", "D=D", "L=L"]), st.builds(lambda n, f: f"{n}={f}", st.sampled_from(["N", "D", "L", "x", ""]), FORMULAS)
)
PRIOR_WORDS = st.builds(lambda n, p: f"{n}={p}", st.sampled_from(["E", "alpha", "A", "x", ""]), PRIORS)
POOL_WORDS = mostly(st.sampled_from(["modality", "modality:none", "E=none", "alpha=modality"]), ODD_WORDS)
OUTPUT = "made"
FLAG = None
_TABLE_OPTIONS = {"--column": COLUMN_WORDS, "--fill": mostly(st.sampled_from(["C", "N", "D"]), ODD_WORDS),
                  "--unfinished": mostly(st.sampled_from(["warn", "keep", "drop"]), ODD_WORDS)}  # fmt: skip
_MODEL_OPTIONS = {"--law": LAW_WORDS, "--pool": POOL_WORDS, "--prior": PRIOR_WORDS, "--noise": NOISES, "--discrepancy": FLAG,
                  "--average-seeds": ODD_WORDS}  # fmt: skip
_ASKED = {"--N": NUMBERS, "--D": NUMBERS, "--C": NUMBERS, "--at": PAIRS, "--group": GROUP_WORDS, "--seed": COUNTS}
_SMALL = {"--draws": COUNTS, "--tune": COUNTS, "--chains": COUNTS}

# By command: what stands in its places, and what its options take; None is a flag.
SYNTAX: dict[str, tuple[tuple[st.SearchStrategy[str], ...], dict[str, st.SearchStrategy[str] | None]]] = {
    "check": ((st.one_of(TABLE_PATHS, PATHS),), {**_TABLE_OPTIONS, **_MODEL_OPTIONS}),
    "fit": ((TABLE_PATHS,), {**_TABLE_OPTIONS, **_MODEL_OPTIONS, **_SMALL, "--seed": COUNTS, "-o": st.just(f"{OUTPUT}.nc")}),
    "show": ((PATHS,), {}),
    "forecast": ((PATHS,), _ASKED),
    "extrapolate": (
        (mostly(st.just("curves.csv"), TABLE_PATHS),),
        {"--x": mostly(st.just("D"), ODD_WORDS), "--y": mostly(st.just("L"), ODD_WORDS), "--curve": mostly(st.just("run"), ODD_WORDS),
         "--times": NUMBERS, "--group": GROUP_WORDS, "--column": COLUMN_WORDS, "--seed": COUNTS},
    ),
    "allocate": (
        (PATHS,),
        {**_ASKED, "--L": NUMBERS, "--cost": mostly(st.sampled_from(["six_nd", "with_inference", "hours", "dollars"]), ODD_WORDS),
         "--max": PAIRS, "--min": PAIRS, "--regret": NUMBERS},
    ),
    "threshold": (
        (PATHS,),
        {**{k: v for k, v in _ASKED.items() if k != "--C"}, "--L": NUMBERS, "--accuracy": NUMBERS, "--margin": NUMBERS,
         "--level": PAIRS, "--tokens-per-parameter": NUMBERS, "--horizon": NUMBERS, "--then": PATHS},
    ),
    "sharpness": (
        (mostly(st.just("answers.nc"), PATHS),),
        {"--companion": PATHS, "--than": NUMBERS, "--start": NUMBERS, "--at": PAIRS, "--group": GROUP_WORDS, "--seed": COUNTS},
    ),
    "breaks": ((mostly(st.just("broken.nc"), PATHS),), {"--before": NUMBERS, "--group": GROUP_WORDS, "--seed": COUNTS}),
    "design": (
        (PATHS,),
        {"--budget": NUMBERS, "--about": mostly(st.sampled_from(["L", "N_opt", "alpha", "law"]), ODD_WORDS), "--at": PAIRS,
         "--candidates": TABLE_PATHS, "--cost": mostly(st.just("six_nd"), ODD_WORDS), "--batch": COUNTS, "--repeat": FLAG,
         "--group": GROUP_WORDS, "--checks": COUNTS, "--seed": COUNTS},
    ),
    "contrast": (
        (mostly(st.just("grouped.nc"), PATHS), mostly(st.sampled_from(["alpha", "E", "A"]), ODD_WORDS), GROUP_WORDS, GROUP_WORDS),
        {"--seed": COUNTS},
    ),
    "multiplier": (
        (mostly(st.just("grouped.nc"), PATHS), GROUP_WORDS, GROUP_WORDS),
        {**_ASKED, "--other": PATHS, "--along": mostly(st.sampled_from(["C", "N", "D"]), ODD_WORDS), "--reducible": NUMBERS},
    ),
    "compare": (
        (st.one_of(PATHS, TABLE_PATHS), PATHS),
        {**_TABLE_OPTIONS, "--law": LAW_WORDS, "--by": mostly(st.sampled_from(["waic", "loo"]), ODD_WORDS), "--pool": POOL_WORDS,
         "--noise": NOISES, "--unit": ODD_WORDS, "--seed": COUNTS},
    ),
    "stack": (
        (PATHS, PATHS),
        {"--by": mostly(st.sampled_from(["waic", "loo"]), ODD_WORDS), "--unit": ODD_WORDS, "--seed": COUNTS, "-o": st.just(f"{OUTPUT}.nc")},
    ),
    "backtest": (
        (TABLE_PATHS,),
        {**_TABLE_OPTIONS, "--law": LAW_WORDS, "--share": NUMBERS, "--least": COUNTS, "--cut": NUMBERS, "--train": ODD_WORDS,
         "--points": COUNTS, "--pool": POOL_WORDS, "--noise": NOISES, "--draws": COUNTS, "--seed": COUNTS},
    ),
    "update": ((PATHS, TABLE_PATHS), {**_TABLE_OPTIONS, "--seed": COUNTS, "-o": st.just(f"{OUTPUT}.nc")}),
    "refit": ((PATHS,), {"-o": st.just(f"{OUTPUT}.nc")}),
    "laws": ((mostly(st.just("kaplan"), LAW_NAMES),), {}),
    "data": ((mostly(st.just("tiny_sweep"), ODD_WORDS),), {"-o": st.just(f"{OUTPUT}.csv")}),
    "report": (
        (PATHS,),
        {"--at": PAIRS, "--C": NUMBERS, "--level": NUMBERS, "--title": ODD_WORDS, "--seed": COUNTS, "-o": st.just(f"{OUTPUT}.html")},
    ),
}  # fmt: skip


@st.composite
def command_lines(draw: Any, name: str) -> list[str]:
    """A command, its places filled, and up to four options."""
    places, named = SYNTAX[name]
    words = [name, *(draw(place) for place in places if draw(st.integers(0, 15)))]
    for _ in range(draw(st.integers(0, 4))):
        if named:
            option = draw(st.sampled_from(sorted(named)))
            value = named[option]
            words += [option] if value is None else [option, draw(value)]
    words += draw(st.sampled_from([[], [], ["--json"], ["--nonsense"], ["--"], ["extra"]])) if draw(st.booleans()) else []
    return words


def _command(world: World, words: list[str]) -> str:
    outputs = tuple(world.folder / f"{OUTPUT}{suffix}" for suffix in (".nc", ".csv", ".html"))
    return judge_command([word for word in words if "\x00" not in word], outputs, fine=(0, 1) if words[0] == "refit" else (0,))


DEAR = {"report": (1, 40), "backtest": (2, 150), "design": (5, 250), "check": (5, 250)}

KINDS: dict[str, Kind] = {
    "any table": Kind(st.tuples(frames(), READING, COLUMNS), _read, 40, 2500),
    "spoilt table": Kind(st.tuples(spoilt(), READING, COLUMNS), _read, 40, 2500),
    "file": Kind(st.tuples(FILES, READING, COLUMNS), _read_file, 60, 4000),
    "checked table": Kind(
        st.tuples(st.one_of(frames(), spoilt()), st.lists(NAMES, max_size=2, unique=True), NAMES, st.lists(NAMES, max_size=2)),
        _check, 30, 1000,
    ),
    "column formula": Kind(st.tuples(st.sampled_from(["N", "D", "L", "x"]), FORMULAS), _formula, 20, 1000),
    "prior": Kind(PRIORS, _prior, 40, 2000),
    "model of a spoilt table": Kind(st.tuples(spoilt(), LAW_NAMES, st.just({})), _model, 20, 800),
    "model": Kind(
        st.tuples(LAW_NAMES, options(pool=POOLS, priors=st.one_of(PRIOR_SETS, ANYTHING), noise=st.one_of(NOISES, ANYTHING),
                                     discrepancy=ANYTHING, zero=ZEROS)),
        _good_model, 20, 800,
    ),
    "identify": Kind(st.tuples(st.sampled_from(["chinchilla", "kaplan", "saturating:D"]), spoilt()), _identify, 5, 200),
    "law": Kind(laws(), _own_law, 20, 600),
    "analysis": Kind(LINES, _analysis, 5, 200),
    "saved file": Kind(damages(), _damaged, 15, 800),
    "comparison": Kind(COMPARED, _compare, 5, 200),
    **{
        f"bs.{name}": Kind(asked(question), _answer(question), *({"design": (3, 150), "fit_curves": (2, 100), "backtest": (2, 100),
                                                                 "check_fit": (3, 60), "sensitivity": (2, 60), "load_runs": (3, 60)}.get(name, (5, 250))))
        for name, question in QUESTIONS.items()
    },
    **{name: Kind(command_lines(name), _command, *DEAR.get(name, (3, 200))) for name in SYNTAX},
}  # fmt: skip
