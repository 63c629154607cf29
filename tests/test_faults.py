"""A process killed, a disk full: nothing that was finished is lost, nothing broken is read back as good."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.datasets import DATASETS

FILE = DATASETS["chinchilla"].files[0]
KILL = "import os, signal; die = lambda: os.kill(os.getpid(), signal.SIGKILL)\n"


def killed(program, *words):
    """Run a program that kills itself; nothing of Python's own tidying is done."""
    done = subprocess.run([sys.executable, "-c", KILL + program, *map(str, words)], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


# -- Killed while it writes

SAVE = """
import sys
import bayescale.files, bayescale.storage
old, new = sys.argv[1:3]
stored = bayescale.storage.read_tree(old)
{patch}
bayescale.storage.write_tree(new, *stored)
"""
MOMENTS = {
    "half written": """
from pathlib import Path
write = Path.write_bytes
def half(self, content):
    write(self, content[: len(content) // 2])
    die()
Path.write_bytes = half
""",
    "before it is renamed": "os.replace = lambda *_: die()",
}


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_a_kill_while_saving_leaves_the_old_posterior_whole(tmp_path, scattered_posterior, moment):
    path = tmp_path / "post.nc"
    scattered_posterior.save(path)
    before = path.read_bytes()
    killed(SAVE.format(patch=moment), path, path)
    assert path.read_bytes() == before
    for part in tmp_path.glob(".post.nc.*.part"):  # what is left of the new one has no name that anyone reads
        if moment == MOMENTS["half written"]:
            with pytest.raises(bs.InputError, match="damaged, cut short"):
                bs.open_posterior(part)
    scattered_posterior.save(path)
    assert bs.open_posterior(path).dataset.equals(scattered_posterior.dataset)


def test_a_kill_while_downloading_leaves_no_file_and_the_next_load_downloads(tmp_path, monkeypatch):
    program = """
import sys, pooch
from bayescale.datasets import load_runs
def half(self, url, output_file, pooch, check_only=False):
    with open(output_file, "wb") as file:
        file.write(b"x,y" * 1000)
    die()
pooch.HTTPDownloader.__call__ = half
load_runs("chinchilla")
"""
    monkeypatch.setenv("BAYESCALE_DATA", str(tmp_path))
    killed(program)
    assert not (tmp_path / FILE.path).exists()

    import pooch

    asked = []
    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", lambda self, url, *_, **__: asked.append(url))
    with pytest.raises(bs.InputError, match="changed or cut short; it was not kept"):
        bs.load_runs("chinchilla")
    assert asked == [FILE.url]


@pytest.mark.slow
def test_a_kill_while_sampling_leaves_the_old_posterior_and_the_next_fit_is_the_same(tmp_path):
    x = np.geomspace(1e6, 1e9, 30)
    noise = np.exp(0.02 * np.random.default_rng(5).standard_normal(30))
    pd.DataFrame({"D": x, "L": 3.0 * (x / 3e7) ** -0.1 * noise}).to_csv(tmp_path / "runs.csv", index=False)
    (tmp_path / "post.nc").write_bytes(b"a finished fit")
    program = """
import sys, time, bayescale.cli
from bayescale import inference
nutpie = inference._nutpie()
class Module:
    @staticmethod
    def sample(*args, **kwargs):
        sampler = nutpie.sample(*args, **kwargs)
        while sampler.inspect()["posterior"].sizes.get("draw", 0) < 50:
            time.sleep(0.1)
        die()
inference._nutpie = lambda: Module
sys.argv = ["bayescale", "fit", *sys.argv[1:]]
bayescale.cli.main()
"""
    words = [tmp_path / "runs.csv", "--law", "power:D", "--seed", "3", "-o", tmp_path / "post.nc"]
    killed(program, *words)
    assert (tmp_path / "post.nc").read_bytes() == b"a finished fit"
    assert sorted(os.listdir(tmp_path)) == ["post.nc", "runs.csv"]
    model = bs.Model("power:D", bs.read_runs(tmp_path / "runs.csv"))
    first = bs.fit(model, seed=3)
    first.save(tmp_path / "post.nc")
    assert bs.refit(bs.open_posterior(tmp_path / "post.nc")).identical


# -- A full disk


def test_a_disk_that_fills_up_while_saving_leaves_the_old_posterior(tmp_path, scattered_posterior):
    """No file may grow beyond 4 kB: the system refuses the rest, as a full disk does."""
    path = tmp_path / "post.nc"
    scattered_posterior.save(path)
    before = path.read_bytes()
    program = """
import resource, signal, sys
import bayescale as bs
from bayescale.storage import read_tree, write_tree
stored = read_tree(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    write_tree(sys.argv[1], *stored)
except bs.InputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Cannot write the posterior to")
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["post.nc"]


def test_a_disk_that_fills_up_while_downloading_keeps_nothing(tmp_path, monkeypatch):
    import pooch

    def full(self, url, output_file, pooch, check_only=False):
        Path(output_file).write_bytes(b"x,y")
        raise OSError(28, "No space left on device")

    monkeypatch.setenv("BAYESCALE_DATA", str(tmp_path))
    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", full)
    with pytest.raises(bs.InputError, match=r"failed \(.*No space left on device.*by hand"):
        bs.load_runs("chinchilla")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_a_disk_that_fills_up_while_drawing_leaves_the_old_figure(tmp_path, monkeypatch, scattered_posterior, suffix):
    from matplotlib.figure import Figure

    def full(self, name, **_):
        Path(name).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    path = tmp_path / f"prior.{suffix}"
    path.write_bytes(b"old")
    axes = bs.plot_prior(scattered_posterior.model)
    monkeypatch.setattr(Figure, "savefig", full)
    with pytest.raises(bs.InputError, match="No space left on device"):
        bs.save_figure(axes, path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == [path.name]
