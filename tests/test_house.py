"""The house: imports point down, only two files know PyMC, and the face costs nothing."""

import ast
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import bayescale

HOUSE = Path(bayescale.__file__).parent

# From the ground up; a module may import from its own floor and from those below. "laws.*" is a gallery: its
# package and every file in it.
FLOORS = {
    "ground: words everyone uses": (
        "streams",
        "search",
        "errors",
        "memory",
        "files",
        "progress",
        "tasks",
        "ops",
        "prior",
        "words",
        "given",
        "numerals",
        "exports",
        "tables",
        "measured",
        "doubts",
        "runs",
        "cost",
        "conversions",
    ),
    "what is believed": (
        "coordinates",
        "law",
        "default_priors",
        "trace",
        "noise",
        "clusters",
        "input_error",
        "discrepancy",
        "laws.*",
        "datasets.*",
    ),
    "the waist": ("model",),
    "what is learnt": (
        "layout",
        "structure",
        "blocks",
        "machine_code",
        "jax_code",
        "log_prior",
        "modes",
        "compiled",
        "logs",
        "importance",
        "graph",
        "inference",
        "many",
        "diagnostics",
        "soundness",
        "posterior",
        "storage",
        "simulation",
        "curves.*",
    ),
    "what is asked": ("answers.*", "testing"),
    "how it is shown": ("plots.*", "reports.*", "demo", "cli.*"),
    "the face": ("__init__",),
}
# The one script the package carries as it was run for its embedded data; nothing imports it.
SCRIPTS = {"datasets.tiny_sweep.tiny_sweep"}

# Where PyMC, PyTensor and the sampler may be imported: a module, or one function of it.
SAMPLER = {"pymc", "pytensor", "nutpie"}
KNOW_PYMC = {
    "graph",
    "logs",
    "machine_code",
    "inference",
    "prior.to_pymc",
    "noise.to_pymc",
    "clusters.to_pymc",
    "testing._check_graph",
}
KNOW_PYMC_AT_THE_TOP = {"graph", "logs", "inference"}


def floor(module):
    """Number of the floor of a module, None if it has none."""
    for number, rooms in enumerate(FLOORS.values()):
        for room in rooms:
            gallery = room.removesuffix(".*")
            if module == gallery or (gallery != room and module.startswith(gallery + ".")):
                return number
    return None


@cache
def modules():
    """Name of each module of the house, without "bayescale.", and its file."""
    found = {}
    for path in sorted(HOUSE.rglob("*.py")):
        parts = path.relative_to(HOUSE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
        if name not in SCRIPTS:
            found[name] = path
    return found


@cache
def imports(module):
    """Every import of a module, also inside functions: (imported name, enclosing function or "")."""
    found = []

    def walk(node, function):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                found.extend((alias.name, function) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{module} has a relative import, line {child.lineno}"
                found.extend((f"{child.module}.{alias.name}", function) for alias in child.names)
            inner = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            walk(child, child.name if inner else function)

    walk(ast.parse(modules()[module].read_text()), "")
    return tuple(found)


@cache
def needs(module):
    """The modules of the house that a module imports."""
    found = set()
    for name, _ in imports(module):
        head, _, rest = name.partition(".")
        if head != "bayescale":
            continue
        # "from bayescale.law import Law" imports bayescale.law, "from bayescale import ops" bayescale.ops.
        candidates = [rest, rest.rpartition(".")[0], "__init__"]
        found.add(next(c for c in candidates if c in modules()))
    return frozenset(found - {module})


def test_every_module_has_a_floor():
    assert len(modules()) > 20
    assert [module for module in modules() if floor(module) is None] == []


@pytest.mark.parametrize("module", modules())
def test_imports_point_down(module):
    here = floor(module)
    assert here is not None
    assert [other for other in needs(module) if (floor(other) or 0) > here] == []


def test_imports_go_in_no_circle():
    try:
        TopologicalSorter({module: needs(module) for module in modules()}).prepare()
    except CycleError as error:
        pytest.fail(f"imports go in a circle: {' -> '.join(error.args[1])}")


def test_laws_know_nothing_of_runs_and_models():
    for module in modules():
        if module == "law" or module.startswith("laws"):
            assert needs(module).isdisjoint({"tables", "doubts", "runs", "cost", "model", "noise", "datasets"})


@pytest.mark.parametrize("module", modules())
def test_few_know_pymc(module):
    users = {
        f"{module}.{function}" if function and module not in KNOW_PYMC else module
        for name, function in imports(module)
        if name.partition(".")[0] in SAMPLER
    }
    assert users <= KNOW_PYMC
    at_the_top = {n for n, function in imports(module) if not function and n.partition(".")[0] in SAMPLER}
    assert not at_the_top or module in KNOW_PYMC_AT_THE_TOP


def loaded_by(statement):
    """Top-level packages in memory after one statement in a fresh interpreter."""
    program = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return set(answer.stdout.split())


def test_importing_the_face_imports_nothing():
    heavy = {"numpy", "pandas", "scipy", "xarray", "pymc", "pytensor", "arviz", "matplotlib"}
    assert loaded_by("import bayescale") & heavy == set()


def test_importing_the_command_line_imports_nothing_heavy():
    heavy = {"pymc", "pytensor", "arviz", "arviz_stats", "xarray", "matplotlib", "pandas"}
    assert loaded_by("import bayescale.cli") & heavy == set()


def test_a_model_is_built_without_the_sampler():
    statement = "import bayescale as bs; bs.Model('chinchilla', bs.load_runs('tiny_sweep'), pool='modality')"
    assert loaded_by(statement) & {"pymc", "pytensor", "arviz", "matplotlib"} == set()


@pytest.mark.parametrize("name", bayescale.__all__)
def test_every_name_of_the_face_is_there(name):
    assert getattr(bayescale, name) is not None


def test_the_face_has_no_other_names():
    with pytest.raises(AttributeError, match="no attribute 'forcast'"):
        getattr(bayescale, "forcast")  # noqa: B009
    assert set(dir(bayescale)) == set(bayescale.__all__)
