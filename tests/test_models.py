"""The published analyses in models/: each builds, and each of its claims holds."""

import runpy
from pathlib import Path

import pytest

import bayescale as bs
from bayescale.answers.agreement import agreement

MODELS = sorted((Path(__file__).parents[1] / "models").glob("*.py"))


def test_there_are_models():
    assert MODELS


@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.stem)
def test_claims_hold(path, public_data):
    analysis = runpy.run_path(str(path))
    assert analysis["__doc__"]
    posterior = bs.fit(analysis["model"], seed=1)
    assert posterior.converged
    for key in analysis["agrees"]:
        assert agreement(posterior, key).inside, agreement(posterior, key)
    for key in analysis["differs"]:
        assert not agreement(posterior, key).inside, agreement(posterior, key)
