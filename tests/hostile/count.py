"""Give bayescale thousands of bad inputs and count what came of them.

    python tests/hostile/count.py [--seed N] [--times X] [KIND ...]

Every outcome must be an answer, a warning or an `InputError`; anything else is printed, and the exit code is 1.
"""

import argparse
import os
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from judge import ANSWER, REFUSAL, WARNING
from kinds import KINDS
from world import World, no_sampling

OUTCOMES = (ANSWER, WARNING, REFUSAL)
BROKEN = "BROKEN"
EVERY_CHECK: Any = list(HealthCheck)  # of Hypothesis, left out: a slow machine is no fault of the input
SHOWN = 1500  # letters of a case


def count(name: str, world: World, many: int, number: int) -> tuple[Counter[str], dict[str, tuple[Any, str]]]:
    """Outcomes of so many cases of a kind, and one case of each fault."""
    outcomes: Counter[str] = Counter()
    faults: dict[str, tuple[Any, str]] = {}

    @seed(number)
    @settings(
        max_examples=many,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=EVERY_CHECK,
    )
    @given(KINDS[name].cases)
    def each(case):
        try:
            outcomes[KINDS[name].run(world, case)] += 1
        except Exception as error:
            outcomes[BROKEN] += 1
            faults.setdefault(_place(error), (case, "".join(traceback.format_exception(error)[-12:])))

    each()
    return outcomes, faults


def _place(error: Exception) -> str:
    """Where a fault lies: the last line of the package on the way, and the error's type."""
    chain = [error, *([error.__cause__] if error.__cause__ else [])]
    frames = [f for e in chain for f in traceback.extract_tb(e.__traceback__) if "/bayescale/" in f.filename]
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else str(error)[:120]
    return f"{where} {type(chain[-1]).__name__}"


def main() -> int:
    """Count, print, and say whether all is well."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("kinds", nargs="*", default=list(KINDS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--times", type=float, default=1.0, help="more or fewer cases of each kind")
    asked = parser.parse_args()
    total: Counter[str] = Counter()
    print(f"{'kind':<26}{'cases':>7}" + "".join(f"{o:>12}" for o in (*OUTCOMES, BROKEN)) + f"{'s':>7}", flush=True)
    with tempfile.TemporaryDirectory() as folder, no_sampling():
        world = World(Path(folder))
        os.chdir(folder)
        began = time.monotonic()
        for name in asked.kinds:
            start = time.monotonic()
            outcomes, faults = count(name, world, max(1, int(KINDS[name].many * asked.times)), asked.seed)
            total += outcomes
            _print(name, outcomes, time.monotonic() - start)
            for place, (case, trace) in faults.items():
                print(f"\n== {name}: {place}\n{repr(case)[:SHOWN]}\n{trace}")
        os.chdir("/")
    _print("all", total, time.monotonic() - began)
    return 1 if total[BROKEN] else 0


def _print(name: str, outcomes: Counter[str], seconds: float) -> None:
    columns = "".join(f"{outcomes[o]:>12}" for o in (*OUTCOMES, BROKEN))
    print(f"{name:<26}{outcomes.total():>7}{columns}{seconds:>7.0f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
