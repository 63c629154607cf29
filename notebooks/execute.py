"""Execute notebooks and keep their outputs in the file, all or some: `python notebooks/execute.py [NOTEBOOK ...]`."""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

FOLDER = Path(__file__).parent


def execute(path):
    """Return the notebook at this path, executed in a fresh kernel from its own folder."""
    notebook = nbformat.read(path, as_version=4)
    # Figures go into the notebook, wherever the caller's go.
    env = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    with TemporaryDirectory() as sockets:
        client = NotebookClient(
            notebook,
            timeout=300,
            kernel_name="python3",
            config=Config({"KernelManager": {"transport": "ipc", "ip": f"{sockets}/kernel"}}),  # files, no network
            record_timing=False,
            resources={"metadata": {"path": str(Path(path).parent)}},
        )
        client.execute(env=env)
    notebook.metadata.pop("language_info", None)  # it names the version of Python that happened to run
    return notebook


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:] or sorted(map(str, FOLDER.glob("*.ipynb")))):
        nbformat.write(execute(path), path)
        print(path.name, flush=True)
