"""Examples in docstrings run; where they show what is printed, it is."""

import doctest
import importlib
import pkgutil

import matplotlib.pyplot as plt
import numpy as np
import pytest

import bayescale as bs
from bayescale.diagnostics import Diagnostics
from bayescale.posterior import Posterior


class Shown(doctest.OutputChecker):
    """Compare what is printed only where an example shows it."""

    def check_output(self, want, got, optionflags):
        return not want or super().check_output(want, got, optionflags)


def examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    for found in pkgutil.walk_packages(bs.__path__, "bayescale."):
        if ".datasets.tiny" not in found.name:
            yield from (test for test in finder.find(importlib.import_module(found.name)) if test.examples)


@pytest.fixture(scope="module")
def posterior():
    """A fit of two modalities as it might be: few draws about plausible values, so that answers come at once."""
    runs = bs.load_runs("tiny_sweep")
    model = bs.Model("chinchilla", runs[runs["modality"].isin(["code", "text"])], pool="modality")
    values = {"E": 1.0, "A_ref": 0.4, "B_ref": 0.4, "alpha": 0.35, "beta": 0.35, "sigma": 0.01}
    rng, shape = np.random.default_rng(5), (4, 12)
    draws = {name: value * np.exp(0.05 * rng.standard_normal((*shape, 2))) for name, value in values.items()}
    draws |= {f"{name}_mean": np.full(shape, value) for name, value in values.items()}
    draws |= {f"{name}_spread": np.full(shape, 0.2) for name in values} | {"nu": np.full(shape, 5.0)}
    stats = {"diverging": np.zeros(shape, dtype=bool), "energy": rng.standard_normal(shape)}
    return Posterior.from_draws(model, draws, stats, Diagnostics(1.0, "", 1e4, 1e4, "", 0, 1.0), {"seed": 7})


@pytest.mark.parametrize("test", list(examples()), ids=lambda test: test.name)
@pytest.mark.filterwarnings("ignore::bayescale.BayescaleWarning")  # of so few draws, far beyond these runs
def test_example(test, posterior, tmp_path, monkeypatch):
    """Examples speak of ``posterior``, a fit, and of ``sweep.nc``, its file."""
    monkeypatch.chdir(tmp_path)
    if any("sweep.nc" in example.source for example in test.examples):
        posterior.save("sweep.nc")
    test.globs = dict(test.globs) | {"posterior": posterior}
    failed, _ = doctest.DocTestRunner(Shown(), verbose=False).run(test, clear_globs=False)
    plt.close("all")
    assert not failed
