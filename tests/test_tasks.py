"""Many tasks give what each gives alone: in this process, in a pool, after deaths, and after an interruption."""

import json
import os
import signal
from pathlib import Path

import pytest

from bayescale.errors import InputError
from bayescale.tasks import TRIES, digest, run_many


def third(x):
    if x < 0:
        raise ValueError(f"{x} is negative")
    return {"third": x / 3}


def logged(task):
    """Note every call in a file."""
    with open(task["log"], "a") as log:
        log.write(f"{task['x']}\n")
    return task["x"] / 3


def dies_once(task):
    """Kill the worker, but only the first time."""
    mark = Path(task["mark"])
    if task["x"] == 2 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return task["x"] / 3


def dies(x):
    if x == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return x / 3


def calls(log):
    return [float(line) for line in log.read_text().split()] if log.exists() else []


def test_values_come_in_the_order_of_the_tasks():
    seen = []
    found = run_many(third, {"a": 1, "b": 2}, workers=1, each=seen.append)
    assert [(one.name, one.value, one.failed) for one in found] == [
        ("a", {"third": 1 / 3}, False),
        ("b", {"third": 2 / 3}, False),
    ]
    assert seen == found
    assert run_many(third, {}) == []


def test_a_failure_is_told_and_stops_nothing():
    found = run_many(third, {"a": 1, "b": -2, "c": 3}, workers=1)
    assert [one.failed for one in found] == [False, True, False]
    assert found[1].error == "ValueError: -2 is negative"


def test_a_pool_gives_the_same_as_one_process_and_outlives_a_killed_worker(tmp_path):
    tasks = {str(x): {"x": x, "mark": str(tmp_path / "died")} for x in range(5)}
    pooled = run_many(dies_once, tasks, workers=2)
    assert (tmp_path / "died").exists()
    assert [one.value for one in pooled] == [x / 3 for x in range(5)]
    assert pooled == run_many(dies_once, tasks, workers=1)


def test_a_task_that_kills_every_worker_is_given_up_alone():
    found = run_many(dies, {str(x): x for x in range(4)}, workers=2)
    assert [one.failed for one in found] == [False, True, False, False]
    assert f"its worker died, {TRIES} times" in found[1].error
    assert "__main__" in found[1].error


def test_what_cannot_be_sent_is_told():
    found = run_many(lambda x: x, {"a": 1, "b": 2}, workers=2)
    assert all("use workers=1" in one.error for one in found)


# -- On disk


@pytest.fixture
def tasks(tmp_path):
    return {str(x): {"x": x, "log": str(tmp_path / "log")} for x in (1, 2, 3)}


def test_what_is_kept_is_not_done_again(tasks, tmp_path):
    first = run_many(logged, tasks, workers=1, folder=tmp_path / "kept")
    again = run_many(logged, tasks | {"4": {"x": 4, "log": str(tmp_path / "log")}}, workers=1, folder=tmp_path / "kept")
    assert calls(tmp_path / "log") == [1, 2, 3, 4]
    assert [one.value for one in again] == [*(one.value for one in first), 4 / 3]  # 1 / 3 to the bit
    assert [one.kept for one in again] == [True, True, True, False]


def test_an_interrupted_sweep_goes_on(tasks, tmp_path):
    def stop(outcome):
        if outcome.name == "2":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_many(logged, tasks, workers=1, folder=tmp_path / "kept", each=stop)
    run_many(logged, tasks, workers=1, folder=tmp_path / "kept")
    assert calls(tmp_path / "log") == [1, 2, 3]


@pytest.mark.parametrize("content", ["", '{"key": "', "[]", '{"key": "another", "value": 9}'])
def test_a_file_that_is_damaged_or_another_s_is_made_again(tasks, tmp_path, content):
    run_many(logged, tasks, workers=1, folder=tmp_path / "kept")
    damaged = sorted((tmp_path / "kept").iterdir())[0]
    damaged.write_text(content)
    again = run_many(logged, tasks, workers=1, folder=tmp_path / "kept")
    assert [one.value for one in again] == [1 / 3, 2 / 3, 1]
    assert len(calls(tmp_path / "log")) == 4
    assert json.loads(damaged.read_text())["value"] in (1 / 3, 2 / 3, 1)


def test_a_failure_is_not_kept(tmp_path):
    run_many(third, {"a": -1}, workers=1, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_key_tells_tasks_and_functions_apart():
    assert digest("a", 1) == digest("a", 1)
    assert len({digest("a", 1), digest("a", 1.5), digest("b", 1), digest("a", [1])}) == 4


def test_mistakes_are_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="Cannot keep results in"):
        run_many(third, {"a": 1}, folder=tmp_path / "file")
    with pytest.raises(InputError, match="workers must be at least 1; 0 was given"):
        run_many(third, {"a": 1}, workers=0)
    with pytest.raises(InputError, match="under a hash of their task"):
        run_many(third, {"a": object()}, folder=tmp_path / "kept")
