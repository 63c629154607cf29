"""What a user or a download supplies is data: never run, never a path out, never markup; downloads over https."""

import ast
import io
import json
import re
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.datasets import DATASETS
from bayescale.exports import spread_records
from bayescale.numerals import parse_number
from bayescale.plots.common import check_format
from bayescale.reports.parts import Section, Table, Text
from bayescale.reports.render import markdown, page_of

HOUSE = Path(bs.__file__).parent
SCRIPT = HOUSE / "datasets" / "tiny_sweep" / "tiny_sweep.py"  # kept as it was run; nothing imports it
SOURCES = {str(path.relative_to(HOUSE)): path for path in sorted(HOUSE.rglob("*.py")) if path != SCRIPT}

# -- Nothing is run

# Names by which text or bytes become a program, or a program of the system is started.
BUILT_IN = {"eval", "exec", "compile", "__import__", "breakpoint"}
RUNNERS = {
    *("pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "read_pickle", "to_pickle"),
    *("subprocess", "popen", "system", "pty", "ctypes", "runpy", "run_path", "run_module", "importlib"),
    *("sympify", "parse_expr", "parse_latex", "lambdify", "yaml", "xmlrpc", "loads_pickle", "unpack_archive"),
    *("zipfile", "tarfile", "extractall", "socket", "urlopen", "urlretrieve", "query", "shell", "allow_pickle"),
}
# And the places that may use one, each with its reason.
ALLOWED = {
    ("answers/reproduction.py", "runpy"),  # an analysis of models/ is a program, and is said to be one
    ("answers/reproduction.py", "run_path"),
    ("machine_code.py", "exec"),  # text that it wrote itself, into the user's own cache, beside the code Numba keeps
    ("machine_code.py", "compile"),
    ("machine_code.py", "ctypes"),  # compiled code is called by its address
    ("machine_code.py", "importlib"),  # versions
    ("inference.py", "importlib"),  # a module of nutpie, by its name
    ("__init__.py", "importlib"),  # modules of the house, by names that stand there
    ("storage.py", "importlib"),  # importlib.metadata: versions
    ("reports/render.py", "importlib"),  # importlib.resources: the page's own files
    ("laws/__init__.py", "importlib"),  # the gallery
    ("cli/__init__.py", "importlib"),  # its own version
}


def names_in(path):
    """What a file names: built-in functions by themselves, modules, attributes and keywords."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute) and node.attr not in BUILT_IN:
            yield node.attr
        elif isinstance(node, ast.Import):
            yield from (part for alias in node.names for part in alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            yield from {*(node.module or "").split("."), *(alias.name for alias in node.names)} - BUILT_IN
        elif isinstance(node, ast.keyword) and node.arg not in BUILT_IN:
            yield node.arg or ""


@pytest.mark.parametrize("name", SOURCES)
def test_no_source_can_run_what_it_reads(name):
    found = {one for one in names_in(SOURCES[name]) if one in BUILT_IN | RUNNERS}
    assert {one for one in found if (name, one) not in ALLOWED} == set()


@pytest.mark.parametrize(
    "line",
    ["eval(text)", "pandas.read_pickle(p)", "np.load(p, allow_pickle=True)", "from subprocess import run", "os.system"],
)
def test_such_a_line_would_be_found(tmp_path, line):
    (tmp_path / "a.py").write_text(line)
    assert set(names_in(tmp_path / "a.py")) & (BUILT_IN | RUNNERS)


def test_that_models_are_programs_is_said(run_command, pytestconfig):
    code, out, _ = run_command("reproduce", "--help")
    assert code == 0
    assert "programs" in out
    readme = (pytestconfig.rootpath / "README.md").read_text()
    assert re.search(r"models/.*programs?", readme, re.S | re.I)


# -- Text goes through parsers that know numbers and names alone

NASTY = [
    "__import__('os').system('touch hacked')",
    "().__class__.__bases__[0].__subclasses__()",
    "9**9**9**9",
    "(" * 5000 + ")" * 5000,
    "[" * 20000,
    "1" * 100_000,
    "1e" + "9" * 10_000,
    "-" * 50_000,
    "a=" * 20_000,
    "," * 100_000,
    "1_" * 50_000,
    "Νormal(0, 1)",  # the first letter is a Greek capital Nu
    "Normal(０, １)" * 500,
    "Normal\u202e(0, 1)",
    "{" * 3000,
    "%s%n{0.__class__}",
    "\x00",
]
PRIORS = [
    "Normal(__import__('os'), 1)",
    "Normal(mu=1, sigma=9**9**9)",
    "Normal.__class__(0, 1)",
    "Normal(0, 1).to_pymc()",
    "Normal(Normal(0, 1), 1)",
    "Normal(0, 1); Normal(0, 1)",
    "Normal(mu.__class__=0, sigma=1)",
    "Normal(1e999, 1)",
    "Normal(nan, 1)",
    f"Normal({'1' * 5000}, 1)",
    f"Normal({'0,' * 100_000} 1)",
    f"Normal({' ' * 200_000}",
    "Normal" + " " * 200_000 + "x",
    "Νormal(0, 1)",
]


def ids(text):
    return ascii(text)[:24]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    """Work where a file that appears is seen."""
    monkeypatch.chdir(tmp_path)
    yield
    assert not (tmp_path / "hacked").exists()


@pytest.fixture
def bounded():
    """Fail what hangs: a regular expression that backtracks for ever, a power that fills the memory."""
    import signal

    def late(*_):
        raise AssertionError("reading takes more than ten seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(10)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("text", [*NASTY, *PRIORS], ids=ids)
def test_a_prior_is_a_name_and_numbers(text, bounded):
    with pytest.raises(bs.InputError):
        bs.Prior.parse(text)


@pytest.mark.parametrize("text", NASTY, ids=ids)
def test_a_number_is_a_number(text, bounded):
    with pytest.raises(bs.InputError) if text != "1" * 100_000 else pytest.raises(bs.InputError, match="too large"):
        parse_number(text)


@pytest.mark.parametrize("text", NASTY, ids=ids)
def test_a_product_of_columns_knows_columns_and_numbers(text, bounded):
    table = pd.DataFrame({"N": [1e6, 1e7, 1e8], "D": [1e9] * 3, "L": [3.0, 2.5, 2.2]})
    with pytest.raises(bs.InputError):
        bs.read_runs(table, D=f"N*{text}")


@pytest.mark.parametrize("text", NASTY, ids=ids)
def test_law_pool_and_noise_are_names(text, bounded):
    table = pd.DataFrame({"N": [1e6, 1e7, 1e8] * 2, "D": [1e9] * 6, "L": [3.0, 2.5, 2.2] * 2})
    for options in ({"law": text}, {"law": f"saturating:{text}"}, {"pool": text}, {"noise": text}):
        with pytest.raises(bs.InputError):
            bs.Model(options.pop("law", "chinchilla"), table, **options)


NESTED = {
    "JSON": '{"a":' * 50_000 + "1" + "}" * 50_000,
    "Python": "{'a': " * 5000 + "1" + "}" * 5000,
    "call": "{'a': __import__('os').system('touch hacked')}",
    "power": "{'a': 9**9**9}",
    "long": "{'a': " + "1" * 100_000 + "}",
}


@pytest.mark.parametrize("cell", NESTED.values(), ids=NESTED)
def test_a_record_in_a_cell_is_data_or_text(cell, bounded):
    table = spread_records(pd.DataFrame({"config": [cell, "{'a': 1}"]}))
    assert len(table) == 2


@pytest.mark.parametrize("depth", [300, 2000, 5000, 100_000])
def test_records_nested_without_end_are_read_or_refused(tmp_path, depth, bounded):
    """How deep the reader can go is Python's affair (its stack, its version): 300 it must, 100,000 no one wants."""
    (tmp_path / "runs.jsonl").write_text('{"N": 1e6, "config": ' + '{"a":' * depth + "1" + "}" * depth + "}")
    try:
        runs = bs.read_runs(tmp_path / "runs.jsonl")
    except bs.InputError:
        assert depth > 300
    else:
        assert depth < 100_000
        assert list(runs["N"]) == [1e6]


def test_numbers_that_numpy_would_unpickle_are_refused(tmp_path):
    """A table in NumPy's own format, whose objects run as they are read."""

    class Trap:
        def __reduce__(self):
            return open, ("hacked", "w")

    np.save(tmp_path / "runs.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    (tmp_path / "runs.npy").rename(tmp_path / "runs.parquet")
    with pytest.raises(bs.InputError):
        bs.read_runs(tmp_path / "runs.parquet")


# -- No path leads out


def archive(kind):
    content = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(content, "w") as made:
            made.writestr("../hacked", "N,D,L\n1,2,3\n")
    else:
        with tarfile.open(fileobj=content, mode="w:gz") as made:
            link = tarfile.TarInfo("runs.csv")
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
            made.addfile(link)
    return content.getvalue()


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz", ".csv", ".parquet", ".json", ".csv.gz"])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_archives_are_not_unpacked(tmp_path, kind, suffix):
    path = tmp_path / f"runs{suffix}"
    path.write_bytes(archive(kind))
    with pytest.raises(bs.InputError):
        bs.read_runs(path)
    assert not (tmp_path.parent / "hacked").exists()


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "tiny_sweep/../../x", "tiny_sweep\x00", "."])
def test_a_data_set_is_a_name_of_the_registry(name):
    with pytest.raises(bs.InputError, match="There is no data set"):
        bs.load_runs(name)


def test_files_of_data_sets_stay_in_the_cache():
    for dataset in DATASETS.values():
        for file in dataset.files:
            path = Path(file.path)
            assert not path.is_absolute()
            assert ".." not in path.parts


@pytest.mark.filterwarnings("ignore:Fewer than 5 runs")
def test_names_in_a_saved_posterior_are_no_paths(tmp_path):
    """Column, group and law names that would lead out of a folder, kept and read back."""
    rows = {"N": [1e6, 1e7, 1e8] * 2, "D": [1e9, 1e10, 3e10] * 2, "L": [3.0, 2.5, 2.2] * 2}
    runs = pd.DataFrame(rows | {"../../hacked": 1.0, "group": ["/etc/passwd", "../hacked"] * 3})
    made = bs.sample_prior(bs.Model("chinchilla", runs, pool="group"), draws=5)
    made.save(tmp_path / "post.nc")
    assert bs.open_posterior(tmp_path / "post.nc").model.groups == made.model.groups
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["post.nc"]


@pytest.mark.parametrize("name", ["a.py", "a.pkl", "a"])
def test_a_figure_has_the_format_of_a_figure(name):
    with pytest.raises(bs.InputError, match="Cannot tell the format"):
        check_format(name)


# -- Nothing becomes markup

HOSTILE = "<img src=x onerror=alert(1)>'\"&</script><script>alert(2)</script>{{7*7}}"


def test_every_word_of_a_page_is_escaped_and_its_policy_lets_nothing_in():
    sections = [
        Section("one", HOSTILE, [Text([HOSTILE]), Text([HOSTILE], "code"), Table([HOSTILE], [[HOSTILE]], 1, HOSTILE)])
    ]
    page = page_of(HOSTILE, sections, HOSTILE, {HOSTILE: 1.0}, None)
    assert page.count("<script") == 0
    assert "<img" not in page
    assert "49" not in re.sub(r"sha256-[^']*", "", page[page.index("<body>") :])
    policy = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)[0]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "*" not in policy
    text = markdown(HOSTILE, sections)
    outside = re.sub(r"```sh\n.*?\n```\n", "", text, flags=re.S)  # a block of code shows its text as it stands
    assert text.count("```") == 2
    assert "<img" not in outside
    assert "<script" not in outside


def test_a_column_that_is_markup_stays_text_in_a_law():
    column = "<img src=x onerror=alert(1)>"
    runs = pd.DataFrame({column: np.geomspace(1, 1e3, 8), "L": np.linspace(3, 2, 8)})
    model = bs.Model(f"saturating:{column}", runs)
    for shown in (model.law.mathml(), bs.sample_prior(model, draws=50)._repr_html_()):
        assert "<img" not in shown


# -- Downloads


def test_every_download_is_pinned_and_over_https():
    for dataset in DATASETS.values():
        for file in dataset.files:
            assert file.url is None or file.url.startswith("https://")
            assert re.fullmatch("[0-9a-f]{64}", file.sha256)


@pytest.mark.parametrize("target", ["http://example.org/x.csv", "ftp://example.org/x", "file:///etc/passwd"])
def test_a_redirect_away_from_https_is_not_followed(tmp_path, monkeypatch, target):
    import requests
    from requests.adapters import HTTPAdapter

    asked = []

    def send(self, request, **_):
        asked.append(request.url)
        response = requests.Response()
        response.status_code, response.url, response.request = 302, request.url, request
        response.headers["location"] = target
        response.raw = io.BytesIO()
        return response

    monkeypatch.setattr(HTTPAdapter, "send", send)
    monkeypatch.setenv("BAYESCALE_DATA", str(tmp_path))
    with pytest.raises(bs.InputError, match=f"over https only; {re.escape(target)} was to be asked"):
        bs.load_runs("chinchilla")
    assert asked == [DATASETS["chinchilla"].files[0].url]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


# -- The command line


@pytest.mark.parametrize("text", NASTY, ids=ids)
def test_hostile_options_end_in_one_sentence(run_command, text, bounded):
    if "\x00" in text:
        text = text.replace("\x00", "\x01")  # no command line can hold it
    for words in (
        ("fit", "tiny_sweep", "--prior", f"E={text}"),
        ("fit", "tiny_sweep", "--column", f"D=N*{text}"),
        ("fit", "tiny_sweep", "--law", f"x{text}"),
    ):
        code, out, err = run_command(*words)
        assert (code, out) == (2, ""), err[-300:]
        assert "Traceback" not in err


@pytest.mark.filterwarnings("ignore:Fewer than 5 runs")
def test_json_of_hostile_names_is_json(run_command, tmp_path):
    runs = pd.DataFrame({"N": [1e6, 1e7, 1e8] * 2, "D": [1e9, 1e10, 3e10] * 2, "L": [3.0, 2.5, 2.2] * 2})
    runs["g"] = [HOSTILE, "b\u2028\u2029"] * 3
    made = bs.sample_prior(bs.Model("chinchilla", runs, pool="g"), draws=50)
    made.save(tmp_path / "post.nc")
    code, out, _ = run_command("forecast", str(tmp_path / "post.nc"), "--N", "1e9", "--D", "1e10", "--json")
    assert code == 0
    assert HOSTILE in {row["g"] for row in json.loads(out)["forecast"]}
