import ast
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pooch
import pytest
import requests

import bayescale.datasets
from bayescale.cost import six_nd
from bayescale.datasets import DATASETS, File, Where, cache_folder, describe, load_runs
from bayescale.errors import InputError

EMBEDDED = ["tiny_sweep", "tiny_emergence"]
DOWNLOADED = [
    "chinchilla",
    "extrapolation",
    "data_constrained",
    "quest_precision",
    "routed_moe",
    "vocab_scaling",
    "step_law",
    "domain_mixture",
    "finetuning_sft",
    "parallel_scaling",
    "moe_upcycling_sparsity",
    "misfitting_c4",
    "obsscaling",
    "large_language_monkeys",
]
BY_HAND = [
    "porian_isoflop",
    "gadre_overtraining",
    "gadre_downstream",
    "olmo_ladder",
    "bnsl_four_digit_addition",
    "nanogpt_bench_width",
    "distillation",
    "mmlu_densing",
    "hex_alphazero",
    "o1_mini_aime",
]
PUBLIC = [*DOWNLOADED, *BY_HAND]
# Where each is kept beside the checkout as a tidy table, made from the source by other hands: file, and the names
# its columns have here, "" for one that is not read.
TIDY = {
    "porian_isoflop": ("porian_isoflop/porian_isoflop.csv", {}),
    "gadre_overtraining": ("gadre_overtraining/gadre_overtraining.csv", {"loss_c4_val": "L"}),
    "gadre_downstream": (
        "gadre_overtraining/gadre_downstream.csv",
        {"loss_c4_val": "L", "random_baseline": "chance"},
    ),
    "olmo_ladder": ("olmo_ladder/olmo_ladder.csv", {"loss_c4": "L"}),
    "bnsl_four_digit_addition": ("bnsl_four_digit_addition/bnsl_four_digit_addition.csv", {"train_examples": "D"}),
    "nanogpt_bench_width": ("nanogpt_bench_width/nanogpt_bench_width.csv", {"embedding_dimension": "width"}),
    "data_constrained": ("data_constrained/data_constrained.csv", {"unique_tokens": "D_U"}),
    "quest_precision": (
        "quest_precision/quest_precision.csv",
        {"params_no_embed": "N", "weight_bits": "P_w", "activation_bits": "P_a"}
        | {"tokens_per_param": "", "bit_operations": ""},
    ),
    "routed_moe": (
        "routed_moe/routed_moe.csv",
        {"params_dense": "N", "num_experts": "experts", "params_total": "N_total", "loss_validation": "L"},
    ),
    "vocab_scaling": (
        "vocab_scaling/vocab_scaling.csv",
        {"params_non_vocab": "N", "vocab_size": "V", "train_characters": "H", "unigram_normalized_loss": "L"},
    ),
    "distillation": (
        "distillation/distillation.csv",
        {"student_params": "N", "student_tokens": "D", "teacher_loss": "L_T"},
    ),
    "step_law": ("step_law_lr_bsz/step_law_lr_bsz.csv", {}),
    "domain_mixture": (
        "domain_mixture/domain_mixture.csv",
        {f"proportion_domain_{j}": f"r_{j}" for j in range(1, 6)} | {f"loss_domain_{j}": f"L_{j}" for j in range(1, 6)},
    ),
    "parallel_scaling": ("parallel_scaling/parallel_scaling.csv", {"parallel_streams": "S"}),
    "moe_upcycling_sparsity": (
        "moe_upcycling_sparsity/moe_upcycling_sparsity.csv",
        {"sparsity_p": "P", "group_id": "setting"}
        | {f"{x}_billion": "" for x in ("params_active", "params_dense", "tokens_dense", "tokens_upcycled")},
    ),
    "misfitting_c4": ("misfitting_c4/misfitting_c4.csv", {"run": ""}),
    "finetuning_sft": ("finetuning_sft/finetuning_sft.csv", {"finetune_examples": "D"}),
    "obsscaling": ("obsscaling/obsscaling.csv", {"score": "accuracy", "random_baseline": "chance"}),
    "mmlu_densing": ("mmlu_densing/mmlu_densing.csv", {"mmlu": "accuracy"}),
    "hex_alphazero": ("hex_alphazero/hex_alphazero.csv", {}),
    "large_language_monkeys": (
        "large_language_monkeys/counts.csv",
        {"problem_id": "problem", "samples": "n_trials", "correct": "n_correct", "benchmark": ""},
    ),
    "o1_mini_aime": ("o1_mini_aime/o1_mini_aime.csv", {}),
}
# Columns computed in reading, which no tidy table has.
DERIVED = {
    "misfitting_c4": {"run"},
    "moe_upcycling_sparsity": {"N", "N_dense", "D", "D_dense"},
    "mmlu_densing": {"t"},
    "large_language_monkeys": {"accuracy"},
}
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


def test_registry_tells_the_three_kinds_apart():
    assert set(DATASETS) == {*EMBEDDED, *PUBLIC}
    kinds = {"embedded": EMBEDDED, "downloaded at first use": DOWNLOADED, "placed by hand": BY_HAND}
    for where, names in kinds.items():
        assert {name for name, dataset in DATASETS.items() if dataset.where == where} == set(names)
    assert [name for name, dataset in DATASETS.items() if dataset.embedded] == EMBEDDED
    for name, dataset in DATASETS.items():
        assert dataset.name == name
        assert {file.where for file in dataset.files} == {dataset.where}


@pytest.mark.parametrize(
    ("file", "where"),
    [
        (File("a.csv", ""), Where.EMBEDDED),
        (File("a.csv", "", "https://a.org/a.csv"), Where.DOWNLOADED),
        (File("a.csv", "", origin="someone's figures."), Where.BY_HAND),
    ],
)
def test_where_follows_from_url_and_origin(file, where):
    assert file.where is where
    assert f"{where}" == where.value


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
    # A column with missing values says so.
    assert set(runs.columns[runs.isna().to_numpy().any(axis=0)]) == {
        column for column, meaning in dataset.columns.items() if "blank" in meaning
    }
    assert runs.attrs == {"source": name, "notes": list(dataset.notes)}
    assert set(dataset.groups) <= set(runs.columns)
    numbers = ("N", "D", "C", "L", "params", "N_total", "D_U", "P_w", "P_a", "experts", "V", "H", "L_T", "accuracy")
    sizes = runs[[column for column in numbers if column in runs]]
    assert sizes.columns.equals(sizes.select_dtypes(float).columns)
    assert np.all(sizes.drop(columns=["L", "accuracy"], errors="ignore") > 0)
    if "L" in runs:
        assert np.all((-runs["L"] if name == "vocab_scaling" else runs["L"]) > 0)
    shares = runs[[column for column in ("accuracy", "chance", "error") if column in runs]]
    assert np.all(shares.isna() | ((shares >= 0) & (shares <= 1)))
    flags = [column for column in runs if column.startswith("is_")]
    assert all(runs[column].dtype == bool for column in flags)
    if "n_trials" in runs:
        np.testing.assert_array_equal(runs["accuracy"], runs["n_correct"] / runs["n_trials"])


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
        assert (file.origin or "") in words
    assert f"{dataset.rows:,}" in text


@pytest.mark.parametrize("name", DOWNLOADED)
def test_downloaded_files_are_pinned_to_a_commit(name):
    for file in DATASETS[name].files:
        assert re.match(r"https://raw\.githubusercontent\.com/[\w-]+/[\w-]+/[0-9a-f]{40}/", file.url or "")
        assert file.path == f"{name}/{(file.url or '').rpartition('/')[2]}"


@pytest.mark.parametrize("name", BY_HAND)
def test_files_placed_by_hand_tell_the_commit_they_come_from(name):
    (file,) = DATASETS[name].files
    assert re.match(r"[\w-]+/[\w-]+ at commit [0-9a-f]{12,40}, .*\.$", file.origin or "")
    assert file.path == f"{name}/{name}.csv"


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=lambda dataset: dataset.name)
def test_every_file_has_its_own_hash_and_place(dataset):
    assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) for file in dataset.files)
    assert len({file.sha256 for file in dataset.files}) == len({file.path for file in dataset.files})


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
    assert 100 * np.max(runs["population_se"] / runs["L"]) == pytest.approx(se_percent, abs=0.006)


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


# The others, against tidy tables made from the same sources by other hands


@pytest.mark.parametrize("name", TIDY)
def test_table_is_the_tidy_table_cell_by_cell(name, public_data, shared_data):
    path, names = TIDY[name]
    tidy = pd.read_csv(shared_data / path)
    usual = {"params": "N", "tokens": "D", "flops": "C", "loss": "L"}
    tidy = tidy.drop(columns=[old for old, new in names.items() if not new]).rename(columns={**usual, **names})
    tidy = tidy.astype({column: bool for column in tidy if column.startswith("is_")})
    runs = load_runs(name).drop(columns=list(DERIVED.get(name, ())))
    assert set(runs) == set(tidy)
    # Rows are matched by sorting on the columns without blanks; the tidy tables have seven digits or more.
    keys = list(tidy.columns[tidy.notna().to_numpy().all(axis=0)])
    order = [table.round(6).sort_values(keys).index for table in (runs, tidy)]
    ours, theirs = runs.loc[order[0], list(tidy)], tidy.loc[order[1]]
    pd.testing.assert_frame_equal(
        ours.reset_index(drop=True), theirs.reset_index(drop=True), rtol=1e-7, check_dtype=False, check_flags=False
    )


def test_recorded_bit_operations_of_quest_are_n_times_d(public_data, shared_data):
    tidy = pd.read_csv(shared_data / "quest_precision" / "quest_precision.csv")
    np.testing.assert_allclose(tidy["bit_operations"], tidy["params_no_embed"] * tidy["tokens"], rtol=1e-9)


# Optimal size ~ C^a; laws.md, section 6b: Porian et al. (2024), table 1, for RefinedWeb and OpenWebText2.
@pytest.mark.parametrize(
    ("setting", "refinedweb", "openwebtext2"),
    [
        ("base|long|kaplan|kaplan|train", 0.835, 0.864),
        ("base|long|kaplan|standard|val", 0.706, 0.699),
        ("base|short|kaplan|standard|val", 0.602, 0.603),
        ("base|short|chinchilla|standard|val", 0.571, 0.574),
        ("tuned|short|const|standard|val", 0.497, 0.518),
    ],
)
def test_porian_isoflop_minima_have_the_published_exponents(setting, refinedweb, openwebtext2, public_data):
    runs = load_runs("porian_isoflop")
    np.testing.assert_allclose(six_nd(runs["N"], runs["D"]), runs["C"], rtol=1e-9)
    for corpus, published in {"refinedweb": refinedweb, "openwebtext2": openwebtext2}.items():
        experiment = runs[runs["experiment"] == f"{corpus}|{setting}"]
        best = [_isoflop_minimum(points) for _, points in experiment.groupby("C")]
        C, N = np.array([pair for pair in best if pair is not None]).T
        a = np.polyfit(C, N, 1)[0]
        # A parabola through five points, where the paper interpolates and weighs: within 0.035.
        assert a == pytest.approx(published, abs=0.035), corpus


def _isoflop_minimum(points):
    """Log C and log N of the least loss of a budget, by a parabola around it; None if that is at an end."""
    points = points.sort_values("N")
    x, y = np.log(points["N"].to_numpy()), np.log(points["L"].to_numpy())
    lowest = int(np.argmin(y))
    if lowest in (0, len(y) - 1):
        return None
    near = slice(max(0, lowest - 2), lowest + 3)
    c2, c1, _ = np.polyfit(x[near], y[near], 2)
    return np.log(points["C"].iloc[0]), -c1 / (2 * c2)


def test_gadre_tables_are_of_the_same_runs(public_data):
    runs, scores = load_runs("gadre_overtraining"), load_runs("gadre_downstream")
    np.testing.assert_allclose(six_nd(runs["N"], runs["D"]), runs["C"], rtol=1e-8)
    np.testing.assert_allclose(runs["D"] / (20 * runs["N"]), runs["chinchilla_multiplier"], rtol=1e-8)
    assert np.all((runs["loss_c4_val_lower95"] < runs["L"]) & (runs["L"] < runs["loss_c4_val_upper95"]))
    assert runs["train_dataset"].value_counts().to_dict() == {"c4": 31, "rpj": 32, "rw": 32}
    assert scores.groupby("run").size().to_dict() == dict.fromkeys(runs["run"], 46)
    np.testing.assert_allclose(scores["accuracy"] + scores["error"], 1, atol=1e-9)
    same = scores.drop_duplicates("run").set_index("run").loc[runs["run"]]
    np.testing.assert_array_equal(same[["N", "D", "L"]], runs[["N", "D", "L"]])


def test_olmo_reruns_differ_by_a_thousandth(public_data):
    loss = load_runs("olmo_ladder").set_index("run")["L"]
    differences = [abs(loss[run] - loss[f"{run}-rerun"]) for run in loss.index if f"{run}-rerun" in loss]
    assert len(differences) == 5
    assert np.all(np.array(differences) < 0.0011)


def test_bnsl_points_are_those_of_the_script(public_data):
    # Laws.md, section 10.2.
    runs = load_runs("bnsl_four_digit_addition")
    assert list(runs["D"][:3]) == [160, 192, 256]
    assert list(runs["L"][14:]) == [0.75856477, 0.64768338, 0.55695445]
    assert list(runs["is_train"]) == [True] * 14 + [False] * 3


def test_nanogpt_curves_are_24_with_the_widest_to_predict(public_data):
    runs = load_runs("nanogpt_bench_width")
    assert runs.groupby("curve_id")["width"].apply(list).map(tuple).unique().tolist() == [(6, 12, 24, 48, 96, 192, 384)]
    assert len(set(runs["curve_id"])) == 24
    np.testing.assert_array_equal(runs["is_train"], runs["width"] < 384)


def test_data_constrained_goes_to_9000_epochs(public_data):
    runs = load_runs("data_constrained")
    np.testing.assert_allclose(runs["epochs"], runs["D"] / runs["D_U"], rtol=1e-12)
    assert (runs["epochs"].min(), runs["epochs"].max()) == (1, 9000)
    assert np.sum(runs["epochs"] == 1) == 29
    assert np.sum(runs["D_U"] == 1e8) == 75
    curves = runs.sort_values("epochs").groupby(["N", "D_U"])["L"]
    assert sum(np.sum(np.diff(losses) > 0) for _, losses in curves) == 24
    assert runs["is_train"].value_counts().to_dict() == {True: 161, False: 21}


def test_quest_has_bits_from_1_to_16(public_data):
    runs = load_runs("quest_precision")
    assert set(runs["P_w"]) == set(runs["P_a"]) == {1, 2, 3, 4, 8, 16}
    assert len(set(runs["weight_quantizer"])) == 10
    plain = runs.query("weight_quantizer == 'none'")
    assert len(plain) == 6
    assert np.all((plain["P_w"] == 16) & (plain["activation_quantizer"] == "none"))
    assert np.all(runs.loc[runs["weight_quantizer"].str.contains("FP4"), "P_w"] == 16)
    assert np.sum((runs["D"] / runs["N"]).between(95, 105)) == 80


def test_routed_models_end_at_one_row_each(public_data):
    runs = load_runs("routed_moe")
    final = runs.query("is_final")
    assert len(final) == len(set(final["hyper_id"])) == len(set(runs["hyper_id"])) == 223
    assert np.all((final["step"] >= 248_000) & (final["step"] <= 250_000))
    last = runs.sort_values("step").groupby("hyper_id").tail(1)
    assert set(last.index) == set(final.index)
    dense = final.query("router_type == 'Dense'")
    assert np.all(dense["experts"] == 1)
    np.testing.assert_array_equal(dense["N"] == dense["N_total"], dense["experts_per_token"] == 1)
    main = final.query("routing_frequency == 0.5 and experts_per_token == 1")
    assert main["router_type"].value_counts().to_dict() == {"RL-R": 54, "S-Base": 53, "Hash": 51, "Dense": 8}
    assert set(main["experts"]) == {2**n for n in range(10)}
    setting = ["router_type", "experts", "experts_per_token", "routing_frequency", "N", "flop_increase", "seed"]
    twice = final.loc[final.duplicated(setting, keep=False)]
    assert not np.any(twice["routing_frequency"] == 0.5)
    apart = [np.ptp(losses) for _, losses in twice.groupby(setting)["L"]]
    assert sorted(apart) == pytest.approx([0.014, 0.014, 0.029, 0.087], abs=0.001)


def test_vocab_scaling_predicts_the_largest_vocabulary(public_data):
    runs = load_runs("vocab_scaling")
    np.testing.assert_array_equal(runs["is_train"], runs["V"] < 96_256)
    assert runs.groupby(["N", "V"]).size().unique().tolist() == [20]


def test_step_law_predicts_the_largest_pair(public_data):
    runs = load_runs("step_law")
    largest = (runs["N"] == runs["N"].max()) & (runs["D"] == runs["D"].max())
    np.testing.assert_array_equal(runs["is_train"], ~largest)
    assert len(runs.groupby(["N", "D"])) == 42


def test_shares_of_domains_sum_to_one(public_data):
    runs = load_runs("domain_mixture")
    assert runs[[f"r_{j}" for j in range(1, 6)]].sum(axis=1).to_numpy() == pytest.approx(1)
    assert runs.groupby(["model_size", "is_train"]).size().tolist() == [6, 20] * 4


def test_parallel_scaling_predicts_eight_streams(public_data):
    runs = load_runs("parallel_scaling")
    np.testing.assert_array_equal(runs["is_train"], runs["S"] < 8)
    assert runs.groupby(["corpus", "S"]).size().unique().tolist() == [6]


def test_moe_upcycling_counts_are_plain(public_data, shared_data):
    """Billions in the tidy table; the setting names the tokens."""
    runs = load_runs("moe_upcycling_sparsity")
    tidy = pd.read_csv(shared_data / "moe_upcycling_sparsity" / "moe_upcycling_sparsity.csv")
    for ours, theirs in {
        "N": "params_active_billion",
        "N_dense": "params_dense_billion",
        "D": "tokens_upcycled_billion",
        "D_dense": "tokens_dense_billion",
    }.items():
        np.testing.assert_allclose(runs[ours], 1e9 * tidy[theirs], rtol=1e-6)
    named = runs["setting"].str.extract(r"D1=(?P<before>[\d.]+)_D2=(?P<after>[\d.]+)").astype(float)
    np.testing.assert_allclose(runs["D"], 1e9 * named["after"], atol=5e6)
    assert np.all(runs["N"] >= runs["N_dense"])


def test_misfitting_has_255_final_losses_of_240_runs(public_data):
    runs: Any = load_runs("misfitting_c4")
    assert runs["is_final"].sum() == 255
    assert runs["run"].nunique() == 240
    assert runs["model"].nunique() == 11
    assert np.all(runs.loc[runs["is_final"], "step"] >= 0.999 * runs.loc[runs["is_final"], "planned_steps"])


def test_finetuning_has_13_sizes_for_42_pairs(public_data):
    runs = load_runs("finetuning_sft")
    assert runs.groupby(["model", "task"]).size().to_list() == [13] * 42
    np.testing.assert_array_equal(runs["is_train"], runs["D"] < 819_200)
    assert (runs["D"].min(), runs["D"].max()) == (200, 819_200)


def test_obsscaling_corrects_one_count_and_the_percentages(public_data):
    runs = load_runs("obsscaling")
    assert [len(set(runs[column])) for column in ("model", "family", "task")] == [123, 39, 22]
    assert set(runs.query("model == 'cerebras/btlm-3b-8k-base'")["D"]) == {0.627e12}
    assert np.max(runs.query("task == 'ipa_transliterate_2_bleu'")["accuracy"]) == pytest.approx(0.651583, abs=1e-6)
    guessed = runs.dropna(subset=["chance"])
    assert len(set(guessed["task"])) == 10
    assert set(guessed.query("task == 'mmlu'")["chance"]) == {0.25}


def test_mmlu_dates_are_counted_from_llama_1(public_data):
    runs = load_runs("mmlu_densing").set_index("release_date")
    assert set(runs.loc["2023-02-24", "t"]) == {0}
    assert runs.loc["2023-02-24", "family"].str.contains("Llama").all()
    assert (runs.index[0], runs["t"].iloc[0]) == ("2021-08-05", -568)
    np.testing.assert_allclose(six_nd(runs["N"], runs["D"]), runs["C"], rtol=1e-12)


def test_hex_runs_are_below_perfect_play(public_data):
    runs = load_runs("hex_alphazero")
    assert set(runs["board_size"]) == {3, 4, 5, 6, 7}
    assert len(set(runs["run_id"])) == 111
    assert np.all(runs["elo"] <= 0)
    assert runs.groupby("run_id")["C"].is_monotonic_increasing.all()


def test_monkeys_leave_16_to_94_problems_unsolved(public_data):
    runs = load_runs("large_language_monkeys")
    assert runs.groupby("N")["problem"].nunique().to_list() == [128] * 7
    assert set(runs["n_trials"]) == {10_000}
    unsolved = runs.query("n_correct == 0").groupby("N").size().to_dict()
    assert unsolved == {7e7: 94, 1.6e8: 55, 4.1e8: 44, 1e9: 33, 2.8e9: 24, 6.9e9: 21, 1.2e10: 16}


def test_o1_mini_lists_eight_points_under_both_methods(public_data):
    runs = load_runs("o1_mini_aime")
    points = ["requested_tokens", "mean_tokens_used", "accuracy"]
    assert np.sum(runs.duplicated(points)) == 8
    counts = 30 * runs["accuracy"]
    assert list(runs.loc[abs(counts - counts.round()) > 1e-6, "accuracy"]) == [0.675]


# The cache: only the right bytes are ever read or kept


def no_network(url, output_file):
    raise requests.exceptions.ConnectionError("Name or service not known")


@pytest.mark.parametrize("name", DOWNLOADED)
def test_no_network_says_where_to_put_the_file(name, empty_cache, network):
    network(no_network)
    file = DATASETS[name].files[0]
    with pytest.raises(InputError, match="Name or service not known") as caught:
        load_runs(name)
    for said in (file.url, file.sha256, str(empty_cache / file.path), "by hand"):
        assert str(said) in str(caught.value)
    assert not [path for path in empty_cache.rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", BY_HAND)
def test_table_that_cannot_be_downloaded_says_whence_and_whither(name, empty_cache, network):
    network(no_network)
    (file,) = DATASETS[name].files
    with pytest.raises(InputError, match="its source is not one table") as caught:
        load_runs(name)
    for said in (file.origin, file.sha256, empty_cache / file.path, "Put that table"):
        assert str(said) in str(caught.value)
    assert "Name or service not known" not in str(caught.value)


def test_wrong_table_placed_by_hand_is_refused_and_left_alone(public_data, empty_cache):
    (file,) = DATASETS["porian_isoflop"].files
    path = empty_cache / file.path
    path.parent.mkdir()
    path.write_bytes((public_data / file.path).read_bytes()[:-1])
    with pytest.raises(InputError, match=r"changed or cut short.*Put the right file in its place"):
        load_runs("porian_isoflop")
    assert path.exists()


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
