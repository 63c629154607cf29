"""How much memory is free, and a warning before more than that is asked for."""

import os
import warnings
from pathlib import Path

from bayescale.errors import BayescaleWarning

NUMBER = 8  # bytes
COPIES = 4  # arrays of that size that live at once while one is computed
SHARE = 0.8  # of the free memory, beyond which one is warned


def free_memory() -> float:
    """Bytes that this process may still take: of the machine, and of its container if it has a limit; else infinite."""
    return min(_of_machine(), _of_container())


def _of_machine() -> float:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024.0 * int(line.split()[1])
    except (OSError, ValueError):
        pass
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):  # not every system tells
        return float("inf")


def _of_container(folder: Path = Path("/sys/fs/cgroup")) -> float:
    try:
        return float((folder / "memory.max").read_text()) - float((folder / "memory.current").read_text())
    except (OSError, ValueError):  # no container, or one without a limit: "max"
        return float("inf")


def warn_if_large(numbers: float, what: str, remedy: str) -> None:
    """Warn that an array may not fit, before it is made.

    Parameters
    ----------
    numbers : float
        How many it has.
    what : str
        What is computed: ``"4,000 draws for each of 1,000,000 runs"``.
    remedy : str
        What makes it smaller.

    Warns
    -----
    BayescaleWarning
        It needs more than most of the memory that is free.
    """
    needed, free = COPIES * NUMBER * numbers, free_memory()
    if needed > SHARE * free:
        warnings.warn(
            f"{what} need about {needed / 1e9:.3g} GB of memory; {max(free, 0) / 1e9:.3g} GB are free, so the system "
            f"may end this program. {remedy}",
            BayescaleWarning,
            stacklevel=4,
        )
