"""A few hundred bad inputs of every kind; `count.py` tries more than twenty thousand."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from judge import ANSWER, REFUSAL, WARNING
from kinds import GROUPS, KINDS
from world import World, no_sampling

EVERY_CHECK: Any = list(HealthCheck)  # of Hypothesis, left out: a slow machine is no fault of the input
FEW = {"tables": 120, "beliefs": 60, "saved files": 12, "answers": 70, "commands": 20}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Good things to spoil, in a folder of their own, and no sampler to wait for."""
    folder = tmp_path_factory.mktemp("hostile")
    with no_sampling(), pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield World(folder)


@pytest.mark.parametrize("group", GROUPS)
def test_bad_input_is_answered_warned_of_or_refused(world, group):
    @settings(
        max_examples=FEW[group],
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=EVERY_CHECK,
    )
    @given(st.sampled_from(list(GROUPS[group])).flatmap(lambda name: st.tuples(st.just(name), KINDS[name].cases)))
    def each(named):
        name, case = named
        assert KINDS[name].run(world, case) in (ANSWER, WARNING, REFUSAL)

    each()


def test_twenty_thousand_are_counted():
    assert sum(kind.many for kind in KINDS.values()) >= 22_000  # of which Hypothesis leaves out what it repeats
