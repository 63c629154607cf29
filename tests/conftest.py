"""Fixtures that more than one test file needs."""

import shutil
from pathlib import Path

import pytest

_SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"

# Where a file lies in the cache -> where its upstream bytes are kept beside the checkout.
_UPSTREAM = {
    "chinchilla/svg_extracted_data.csv": "chinchilla_epoch/raw/svg_extracted_data.csv",
    "extrapolation/benchmark.vision.csv": "alabdulmohsin_benchmark/raw/benchmark.vision.csv",
    "extrapolation/benchmark.lang.csv": "alabdulmohsin_benchmark/raw/benchmark.lang.csv",
}


@pytest.fixture(scope="session")
def shared_data():
    """The folder of public run tables beside the checkout, as tidy CSVs and upstream bytes."""
    if not _SHARED_DATA.is_dir():
        pytest.skip(f"the public run tables are not in {_SHARED_DATA}")
    return _SHARED_DATA


@pytest.fixture(scope="session")
def public_data(shared_data, tmp_path_factory):
    """A cache that holds every public data set; ``BAYESCALE_DATA`` points at it from here on."""
    cache = tmp_path_factory.mktemp("public_data")
    for cached, upstream in _UPSTREAM.items():
        (cache / cached).parent.mkdir(exist_ok=True)
        shutil.copyfile(shared_data / upstream, cache / cached)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BAYESCALE_DATA", str(cache))
        yield cache
