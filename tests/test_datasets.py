import ast
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pooch
import pytest
import requests

import bayescale.datasets
from bayescale.cost import six_nd
from bayescale.datasets import DATASETS, cache_folder, describe, load_runs
from bayescale.errors import InputError

EMBEDDED = ["tiny_sweep", "tiny_emergence"]
PUBLIC = ["chinchilla", "extrapolation"]
TINY_FOLDER = Path(bayescale.datasets.__file__).parent / "tiny_sweep"


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BAYESCALE_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture
def network(monkeypatch):
    """Let the tests say what the network does in place of pooch's download of (url, file)."""

    def becomes(download):
        def call(self, url, output_file, pooch, check_only=False):
            return download(url, output_file)

        monkeypatch.setattr(pooch.HTTPDownloader, "__call__", call)

    return becomes


# Every data set


def test_registry_holds_the_four():
    assert set(DATASETS) == {*EMBEDDED, *PUBLIC}
    assert [name for name, dataset in DATASETS.items() if dataset.embedded] == EMBEDDED
    assert all(dataset.name == name for name, dataset in DATASETS.items())


@pytest.mark.parametrize("name", EMBEDDED)
def test_embedded_table_is_as_declared(name):
    check_as_declared(name)


@pytest.mark.parametrize("name", PUBLIC)
def test_public_table_is_as_declared(name, public_data):
    check_as_declared(name)


def check_as_declared(name):
    runs, dataset = load_runs(name), DATASETS[name]
    assert list(runs.columns) == list(dataset.columns)
    assert len(runs) == dataset.rows
    assert list(runs.index) == list(range(dataset.rows))
    assert not runs.isna().to_numpy().any()
    assert runs.attrs == {"source": name, "notes": list(dataset.notes)}
    assert set(dataset.groups) <= set(runs.columns)
    sizes = runs[[column for column in ("N", "D", "C", "L", "params") if column in runs]]
    assert sizes.columns.equals(sizes.select_dtypes(float).columns)
    assert np.all(sizes > 0)


def test_notes_of_one_load_do_not_leak_into_the_next():
    load_runs("tiny_sweep").attrs["notes"].append("a word of mine")
    assert "a word of mine" not in load_runs("tiny_sweep").attrs["notes"]


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=lambda dataset: dataset.name)
def test_description_tells_all_without_the_network(dataset, empty_cache, network):
    network(no_network)
    text = describe(dataset.name)
    words = " ".join(text.split())
    for said in (dataset.title, dataset.measures, dataset.unit, dataset.licence, dataset.citation):
        assert said in words
    for said in (*dataset.notes, *dataset.caveats):
        assert said in words
    for column, meaning in dataset.columns.items():
        assert re.search(rf"^  {column} +{re.escape(meaning)}$", text, re.MULTILINE)
    for file in dataset.files:
        assert file.sha256 in text
        assert (file.url or file.path) in text
    assert f"{dataset.rows:,}" in text


@pytest.mark.parametrize("name", PUBLIC)
def test_public_files_are_pinned_to_a_commit(name):
    for file in DATASETS[name].files:
        assert re.match(r"https://raw\.githubusercontent\.com/[\w-]+/[\w-]+/[0-9a-f]{40}/", file.url or "")
        assert file.path.startswith(f"{name}/")


def test_unknown_name_names_the_known_and_the_close():
    with pytest.raises(InputError, match=r"'chinchila'.*Did you mean chinchilla") as caught:
        load_runs("chinchila")
    assert all(name in str(caught.value) for name in DATASETS)
    with pytest.raises(InputError, match=r"'zzz'\. Choose one of"):
        describe("zzz")


# tiny_sweep: the numbers are those of its README


README_RUNS = """
text   37 31 4194304 2.542 1.609 0.48
code   37 31 4194304 2.559 1.724 0.53
image  37 31 4194304 1.366 0.867 0.55
speech 37 31 4194304 4.573 4.026 0.37
music  35 29 2097152 2.295 1.468 0.76
math   37 31 4194304 2.134 1.650 0.13
"""


@pytest.mark.parametrize("line", README_RUNS.split("\n")[1:-1], ids=lambda line: line.split()[0])
def test_tiny_sweep_is_what_its_readme_says(line):
    modality, *numbers = line.split()
    all_runs = load_runs("tiny_sweep")
    runs = all_runs[all_runs["modality"] == modality]
    n_runs, n_cells, D_max, L_max, L_min, se_percent = map(float, numbers)
    assert len(runs) == n_runs
    assert len(set(zip(runs["N"], runs["D"], strict=True))) == n_cells
    assert (runs["N"].min(), runs["N"].max()) == (1764, 787_584)
    assert (runs["D"].min(), runs["D"].max()) == (65_536, D_max)
    assert f"{runs['C'].min():.1e} {runs['C'].max():.1e}" == "6.9e+08 6.2e+11"
    assert (runs["L"].max(), runs["L"].min()) == pytest.approx((L_max, L_min), abs=0.0006)
    assert 100 * np.max(runs["loss_se"] / runs["L"]) == pytest.approx(se_percent, abs=0.006)


def test_tiny_sweep_has_220_runs_of_six_modalities_and_nothing_else():
    runs = load_runs("tiny_sweep")
    assert len(runs) == 220
    assert set(runs["modality"]) == {"text", "code", "image", "speech", "music", "math"}
    assert not np.any(runs.duplicated(["modality", "N", "D", "seed"]))
    assert set(runs["seed"]) == {0, 1, 2}


def test_tiny_sweep_seed_noise_is_that_of_its_readme():
    runs = load_runs("tiny_sweep").query("N == 24736 and D == 262144")
    spread = runs["L"].map(np.log).groupby(runs["modality"]).std()
    published = {
        "text": 0.0085,
        "code": 0.0214,
        "image": 0.0032,
        "speech": 0.0011,
        "music": 0.0134,
        "math": 0.0044,
    }
    assert spread.to_dict() == pytest.approx(published, abs=0.00006)


@pytest.mark.parametrize("name", EMBEDDED)
def test_compute_of_the_tiny_runs_is_6nd(name):
    runs = load_runs(name)
    np.testing.assert_array_equal(runs["C"], six_nd(runs["N"], runs["D"]))
    assert np.all(runs["params_total"] > runs["N"])


# Accuracy of seed 0 and seed 1, of the README's table.
README_LADDER = {
    ("copy5", 1_764, 262_144): (0.47, 0.90),
    ("reverse5", 13_944, 524_288): (0.35, 0.86),
    ("mod10", 24_736, 4_194_304): (0.35, 0.96),
    ("add3", 24_736, 2_097_152): (0.08, 0.81),
    ("add1", 24_736, 1_048_576): (0.61, 0.06),
}


@pytest.mark.parametrize(("cell", "accuracy"), README_LADDER.items(), ids=lambda x: str(x[0]))
def test_tiny_emergence_is_what_its_readme_says(cell, accuracy):
    runs = load_runs("tiny_emergence").set_index(["task", "N", "D"]).loc[cell].sort_values("seed")
    assert list(runs["accuracy"]) == pytest.approx(accuracy, abs=0.0051)


def test_tiny_emergence_is_eight_tasks_on_13_rungs_with_2_seeds():
    runs = load_runs("tiny_emergence")
    assert set(runs["task"]) == {"add1", "add2", "add3", "sub2", "mod10", "copy5", "reverse5", "sort5"}
    assert not np.any(runs.duplicated(["task", "N", "D", "seed"]))
    assert len(runs[["N", "D"]].drop_duplicates()) == 13
    assert runs["seed"].value_counts().to_dict() == {0: 104, 1: 104}
    assert np.all(runs["n_trials"] == 1000)
    np.testing.assert_array_equal(runs["accuracy"], runs["n_correct"] / 1000)


def test_chance_is_a_uniform_guess_over_well_formed_answers():
    chance = load_runs("tiny_emergence").groupby("task")["chance"].unique().explode()
    # Copying or reversing five letters of eight has 8^5 answers; sorting has C(8 + 5 - 1, 5) sorted ones.
    expected = {"add1": 1 / 20, "add2": 1 / 200, "add3": 1 / 2000, "sub2": 1 / 100, "mod10": 1 / 10}
    expected |= {"copy5": 8**-5, "reverse5": 8**-5, "sort5": 1 / 792}
    assert chance.to_dict() == pytest.approx(expected, abs=1e-8)


def test_the_script_and_readme_are_shipped_beside_their_tables():
    readme = (TINY_FOLDER / "README.md").read_text()
    script = ast.parse((TINY_FOLDER / "tiny_sweep.py").read_text())
    assert "tiny_sweep: a miniature multi-modality neural scaling-law sweep" in (ast.get_docstring(script) or "")
    for table in ("runs.csv", "emergence.csv"):
        assert f"`{table}`" in readme
        columns = (TINY_FOLDER / table).read_text().splitlines()[0].split(",")
        assert all(column in readme for column in columns)


@pytest.mark.parametrize("name", EMBEDDED)
def test_embedded_data_need_neither_network_nor_pooch(name):
    code = (
        "import sys; from bayescale.datasets import load_runs; "
        f"load_runs({name!r}); heavy = {{'pooch', 'torch', 'pymc'}} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stderr


# chinchilla and extrapolation: against tidy tables made from the same bytes by other hands


def test_chinchilla_is_the_tidy_table(public_data, shared_data):
    runs = load_runs("chinchilla")
    tidy = pd.read_csv(shared_data / "chinchilla_epoch" / "chinchilla_epoch.csv")
    for ours, theirs in {"N": "params", "D": "tokens", "C": "flops", "L": "loss"}.items():
        np.testing.assert_allclose(runs[ours], tidy[theirs], rtol=1e-9)
    np.testing.assert_array_equal(runs["is_outlier"], tidy["is_outlier"] == 1)
    assert runs["is_outlier"].dtype == bool


def test_chinchilla_outliers_are_the_five_that_besiroglu_leaves_out(public_data):
    runs = load_runs("chinchilla")
    assert list(np.flatnonzero(runs["is_outlier"])) == [0, 1, 2, 3, 4]
    assert list(runs["L"][:5]) == pytest.approx([5.006, 4.665, 3.766, 3.794, 3.447], abs=0.0006)
    assert np.max(runs["L"][5:]) < np.min(runs["L"][:5])
    np.testing.assert_allclose(six_nd(runs["N"], runs["D"]), runs["C"], rtol=1e-12)


def test_extrapolation_is_the_tidy_table_cell_by_cell(public_data, shared_data):
    runs = load_runs("extrapolation")
    tidy = pd.read_csv(shared_data / "alabdulmohsin_benchmark" / "alabdulmohsin_benchmark.csv")
    tidy = tidy.rename(columns={"seen": "D", "loss": "L"}).astype({"is_train": bool})
    # The tidy table was written with ten to twelve digits.
    pd.testing.assert_frame_equal(runs, tidy, rtol=1e-10, check_flags=False)
    assert len(runs) == 19_595


def test_extrapolation_has_the_92_curves_of_the_paper(public_data):
    runs = load_runs("extrapolation")
    curves = runs.groupby("domain")["curve_id"].nunique().to_dict()
    assert curves == {
        "image_classification": 72,
        "machine_translation": 5,
        "language_modelling": 5,
        "big_bench": 10,
    }
    assert not np.any(runs.duplicated())
    for curve, points in runs.groupby("curve_id"):
        fitted, predicted = points[points["is_train"]], points[~points["is_train"]]
        assert np.max(fitted["D"]) < np.min(predicted["D"]), curve


def test_language_modelling_points_stand_four_times_in_the_source(public_data):
    source = pd.read_csv(public_data / "extrapolation" / "benchmark.lang.csv")
    copies = source.groupby(list(source.columns), as_index=False).size()
    expected = np.where(copies["Domain"] == "LM", 4, 1)
    np.testing.assert_array_equal(copies["size"], expected)
    assert len(source) - len(copies) == 687
    assert any("687 exact duplicates" in note for note in DATASETS["extrapolation"].notes)


# The cache: only the right bytes are ever read or kept


def no_network(url, output_file):
    raise requests.exceptions.ConnectionError("Name or service not known")


@pytest.mark.parametrize("name", PUBLIC)
def test_no_network_says_where_to_put_the_file(name, empty_cache, network):
    network(no_network)
    file = DATASETS[name].files[0]
    with pytest.raises(InputError, match="Name or service not known") as caught:
        load_runs(name)
    for said in (file.url, file.sha256, str(empty_cache / file.path), "by hand"):
        assert str(said) in str(caught.value)
    assert not [path for path in empty_cache.rglob("*") if path.is_file()]


def test_download_cut_short_is_refused_and_not_kept(public_data, empty_cache, network):
    file = DATASETS["chinchilla"].files[0]
    whole = (public_data / file.path).read_bytes()
    network(lambda url, output_file: Path(output_file).write_bytes(whole[:1000]))
    with pytest.raises(InputError, match="changed or cut short; it was not kept") as caught:
        load_runs("chinchilla")
    assert file.sha256 in str(caught.value)
    assert not [path for path in empty_cache.rglob("*") if path.is_file()]


def test_download_is_kept_and_not_repeated(public_data, empty_cache, network):
    asked = []

    def serve(url, output_file):
        asked.append(url)
        content = (public_data / "chinchilla" / "svg_extracted_data.csv").read_bytes()
        Path(output_file).write_bytes(content)

    network(serve)
    first = load_runs("chinchilla")
    network(no_network)
    pd.testing.assert_frame_equal(load_runs("chinchilla"), first)
    assert asked == [DATASETS["chinchilla"].files[0].url]
    kept = (empty_cache / "chinchilla" / "svg_extracted_data.csv").read_bytes()
    assert sha256(kept).hexdigest() == DATASETS["chinchilla"].files[0].sha256


def test_file_placed_by_hand_is_read_without_the_network(public_data, empty_cache, network):
    network(no_network)
    for file in DATASETS["extrapolation"].files:
        (empty_cache / file.path).parent.mkdir(exist_ok=True)
        (empty_cache / file.path).write_bytes((public_data / file.path).read_bytes())
    assert len(load_runs("extrapolation")) == 19_595


def test_wrong_bytes_in_the_cache_are_refused_and_left_alone(empty_cache, network):
    network(no_network)
    file = DATASETS["chinchilla"].files[0]
    path = empty_cache / file.path
    path.parent.mkdir()
    path.write_bytes(b"x,y\n1,2\n")
    with pytest.raises(InputError, match="changed or cut short") as caught:
        load_runs("chinchilla")
    for said in (path, file.sha256, sha256(b"x,y\n1,2\n").hexdigest(), file.url, "Delete it"):
        assert str(said) in str(caught.value)
    assert path.read_bytes() == b"x,y\n1,2\n"


def test_cache_that_cannot_be_a_folder_is_an_input_error(tmp_path, monkeypatch, network):
    network(no_network)
    (tmp_path / "a_file").write_text("not a folder")
    monkeypatch.setenv("BAYESCALE_DATA", str(tmp_path / "a_file"))
    with pytest.raises(InputError, match="a_file"):
        load_runs("chinchilla")


@pytest.mark.parametrize("unset", [None, ""])
def test_cache_folder_is_the_users_cache_unless_chosen(monkeypatch, unset):
    monkeypatch.delenv("BAYESCALE_DATA", raising=False)
    if unset is not None:
        monkeypatch.setenv("BAYESCALE_DATA", unset)
    assert cache_folder() == Path(pooch.os_cache("bayescale"))
    monkeypatch.setenv("BAYESCALE_DATA", "~/runs")
    assert cache_folder() == Path.home() / "runs"
