"""Machine code on disk: damaged, mixed up, half written or nowhere to be put, the fit is the same."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bayescale.compiled import checked_files, give_pytensor_a_home

KEY, CODE = ("float64", "x86"), b"machine code" * 100

# A small fit in a process of its own; prints the hash of its draws.
FIT = """
import hashlib
import numpy as np, pandas as pd
import bayescale as bs
x = np.geomspace(1e6, 1e9, 30)
noise = np.exp(0.02 * np.random.default_rng(5).standard_normal(30))
runs = bs.read_runs(pd.DataFrame({"D": x, "L": 3.0 * (x / 3e7) ** -0.1 * noise}))
posterior = bs.fit(bs.Model("power:D", runs, noise="normal"), seed=3, draws=600, tune=300)
print(hashlib.sha256(posterior.dataset["alpha"].to_numpy().tobytes()).hexdigest())
"""


def start(program, cache, **environment):
    """Start a program in a new process, with a cache of compiled functions of its own."""
    env = {**os.environ, "BAYESCALE_CACHE": str(cache), **environment}
    command = [sys.executable, "-W", "ignore", "-c", program]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)


def printed(process):
    out, err = process.communicate(timeout=400)
    assert process.returncode == 0, err
    return out.strip()


# -- One entry


@pytest.fixture
def entry(tmp_path):
    """One entry of Numba's cache, and its two files: what is in it, and the code."""
    from numba.core import caching

    with checked_files():
        kept = caching.IndexDataCacheFile(str(tmp_path), "f", 0)
    kept.save(KEY, CODE)
    return kept, tmp_path / "f.nbi", tmp_path / "f.1.nbc"


def test_code_comes_back_under_its_key_alone(entry):
    kept, *_ = entry
    assert kept.load(KEY) == CODE
    assert kept.load(("float32", "x86")) is None


DAMAGE = {
    "empty": lambda content: b"",
    "cut short": lambda content: content[: len(content) // 2],
    "one bit": lambda content: content[:40] + bytes([content[40] ^ 1]) + content[41:],
    "garbage": lambda content: b"\x80\x05\xff" * 50,
    "of another program": lambda content: b"cos\nsystem\n(S'touch hacked'\ntR.",
}


@pytest.mark.parametrize("which", [1, 2], ids=["index", "code"])
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_as_if_not_there_and_is_written_anew(entry, damage, which, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kept, path = entry[0], entry[which]
    path.write_bytes(damage(path.read_bytes()))
    assert kept.load(KEY) is None
    assert not Path("hacked").exists()
    kept.save(KEY, CODE)
    assert kept.load(KEY) == CODE


def test_two_processes_that_write_one_name_do_not_get_each_others_code(entry):
    """Both found the folder empty, and each called the first function it compiled number 1."""
    from numba.core import caching

    kept, index, code = entry
    mine = index.read_bytes()
    index.unlink()
    with checked_files():
        other = caching.IndexDataCacheFile(str(index.parent), "f", 0)
    other.save(("float32", "x86"), b"other code")
    index.write_bytes(mine)
    assert code.exists()
    assert kept.load(KEY) is None


def test_a_full_disk_keeps_nothing_and_stops_nothing(entry, monkeypatch):
    kept, *_ = entry

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    kept.save(("float32", "x86"), CODE)
    assert kept.load(KEY) == CODE


def test_numba_is_as_before_afterwards():
    from numba.core import caching

    before = caching.IndexDataCacheFile
    with checked_files():
        assert caching.IndexDataCacheFile is not before
    assert caching.IndexDataCacheFile is before


def test_a_home_that_cannot_be_written_is_left_alone(monkeypatch, tmp_path):
    home = tmp_path / "home"
    home.write_text("not a folder")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PYTENSOR_FLAGS", "")
    for name in [n for n in sys.modules if n.partition(".")[0] == "pytensor"]:
        monkeypatch.delitem(sys.modules, name)
    give_pytensor_a_home()
    folder = os.environ["PYTENSOR_FLAGS"].removeprefix("base_compiledir=")
    assert os.access(folder, os.W_OK)
    monkeypatch.setenv("PYTENSOR_FLAGS", "base_compiledir=/mine")
    give_pytensor_a_home()
    assert os.environ["PYTENSOR_FLAGS"] == "base_compiledir=/mine"


# -- A fit


@pytest.mark.slow
def test_cold_and_warm_cache_two_processes_damage_and_no_home_give_the_same_draws(tmp_path):
    cache = tmp_path / "cache"
    first, second = start(FIT, cache), start(FIT, cache)  # both cold
    draws = printed(first)
    assert printed(second) == draws
    assert printed(start(FIT, cache)) == draws  # warm
    kept = sorted(path for path in cache.rglob("*") if path.suffix in (".nbi", ".nbc", ".py"))
    assert len(kept) > 4
    for number, path in enumerate(kept):
        path.write_bytes([*DAMAGE.values()][number % len(DAMAGE)](path.read_bytes()))
    assert printed(start(FIT, cache)) == draws
    home = tmp_path / "home"
    home.write_text("not a folder")
    assert printed(start(FIT, home / "cache", HOME=str(home))) == draws


@pytest.mark.slow
def test_a_kill_while_compiling_leaves_nothing_that_is_read_back(tmp_path):
    """Killed in the middle of writing the fifth file of code."""
    killer = """
import itertools, os, signal
from numba.core import caching
number, write = itertools.count(), caching.IndexDataCacheFile._open_for_write
import contextlib
@contextlib.contextmanager
def dying(self, path):
    with write(self, path) as file:
        if next(number) == 4:
            file.write(b"half")
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        yield file
caching.IndexDataCacheFile._open_for_write = dying
"""
    cache = tmp_path / "cache"
    killed = start(killer + FIT, cache)
    killed.communicate(timeout=400)
    assert killed.returncode == -9
    assert len(list(cache.rglob("*.nb[ci]"))) == 4
    assert printed(start(FIT, cache)) == printed(start(FIT, tmp_path / "another"))


@pytest.mark.slow
def test_a_full_disk_for_the_cache_stops_no_fit(tmp_path):
    """A file system of 100 kB, in a name space of its own, where that is allowed."""
    mount = f"mount -t tmpfs -o size=100k tmpfs {tmp_path}"
    if subprocess.run(["unshare", "-rm", "sh", "-c", mount], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a small file system")
    command = ["unshare", "-rm", "sh", "-c", f'{mount} && exec "$0" -W ignore -c "$1"', sys.executable, FIT]
    env = {**os.environ, "BAYESCALE_CACHE": str(tmp_path)}
    full = subprocess.run(command, capture_output=True, text=True, env=env, check=False, timeout=400)
    assert full.returncode == 0, full.stderr
    assert full.stdout.strip() == printed(start(FIT, tmp_path / "cache"))
