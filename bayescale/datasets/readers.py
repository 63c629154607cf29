"""From the files as they were published to one table per data set, in bayescale's columns."""

import json
from collections.abc import Mapping
from typing import BinaryIO

import pandas as pd

from bayescale.cost import six_nd
from bayescale.numerals import parse_number

_TINY_NAMES = {"params_non_embedding": "N", "tokens": "D", "flops_6nd": "C"}


def read_tiny_sweep(runs: BinaryIO) -> pd.DataFrame:
    """Read the embedded sweep: one row per training run."""
    table = _read_tiny(runs).rename(columns={"loss": "L", "loss_se": "population_se"})
    return _lead_with(table, ["N", "D", "C", "L", "modality"])


def read_tiny_emergence(runs: BinaryIO) -> pd.DataFrame:
    """Read the embedded emergence ladder: one row per training run and task."""
    table = _read_tiny(runs)
    table["accuracy"] = table["n_correct"] / table["n_trials"]
    return _lead_with(table, ["task", "N", "D", "C", "accuracy", "n_correct", "n_trials", "chance"])


def read_chinchilla(points: BinaryIO) -> pd.DataFrame:
    """Read Epoch AI's digitised Chinchilla runs: one row per marker of the figure."""
    table = pd.read_csv(points)
    N, C, L = table["Model Size"], table["Training FLOP"], table["loss"]
    D = C / six_nd(N, 1.0)
    is_outlier = L.rank(ascending=False) <= 5
    return pd.DataFrame({"N": N, "D": D, "C": C, "L": L, "is_outlier": is_outlier})


# Datasets and shots are coded in the source's "Task"; names and parameter counts are those of its README.
_DATASETS = {
    "bird": "birds200",
    "c": "cifar100",
    "cal": "caltech101",
    "inet": "imagenet",
    "log_perplexity": "nmt",
    "val_loss": "lm",
    "date": "date_understanding",
    "ling": "linguistic_mappings",
    "qa": "qa_wikidata",
    "mult": "mult_data_wrangling",
    "unit": "unit_conversion",
}
_DOMAINS = {
    "IC": "image_classification",
    "NMT": "machine_translation",
    "LM": "language_modelling",
    "BB": "big_bench",
}
_METRICS = {
    "IC": "few_shot_error_rate",
    "NMT": "log_perplexity",
    "LM": "rescaled_validation_loss",
    "BB": "one_minus_preferred_metric",
}
_PARAMS = {
    "ViT/S/16": 32e6,
    "ViT/B/16": 110e6,
    "BiT/50/1": 61e6,
    "BiT/101/3": 494e6,
    "MiX/B/16": 73e6,
    "MiX/L/16": 226e6,
    "6 Enc, 6 Dec": 300e6,
    "6 Enc, 28 Dec": 300e6,
    "28 Enc, 6 Dec": 300e6,
    "Dec-only": 300e6,
    "TEnc-LSTM": 300e6,
    "1.68e+07": 1.68e7,
    "1.34e+08": 1.34e8,
    "2.62e+08": 2.62e8,
    "4.53e+08": 4.53e8,
    "1.07e+09": 1.07e9,
    "262M": 262e6,
}


def read_extrapolation(vision: BinaryIO, language: BinaryIO) -> pd.DataFrame:
    """Read the extrapolation benchmark: one row per point of a learning curve, by curve and rising D."""
    source = pd.concat([pd.read_csv(vision), pd.read_csv(language)]).drop_duplicates(ignore_index=True)
    # "bird_5" is 5 shots of bird, "('date', '2-shot')" is 2 shots of date, "val_loss" has no shots.
    task = source["Task"].str.extract(r"(?P<code>[a-z_]*[a-z])[^a-z0-9]*(?P<shots>\d+)?")
    table = pd.DataFrame(
        {
            "domain": source["Domain"].map(_DOMAINS.get),
            "dataset": task["code"].map(_DATASETS.get),
            "n_shot": task["shots"].fillna("0").astype(int),
            "metric": source["Domain"].map(_METRICS.get),
            "model": source["Model"],
            "params": source["Model"].map(_PARAMS.get),
            "D": source["Seen Examples"],
            "L": source["Loss"],
            "is_train": source["Training"] == 1,
        }
    )
    parts = [source["Domain"], table["dataset"], table["n_shot"].astype(str), table["model"]]
    table.insert(0, "curve_id", parts[0].str.cat(parts[1:], sep="|"))
    order = table.assign(curve=table.groupby("curve_id", sort=False).ngroup()).sort_values(["curve", "D"]).index
    return table.loc[order].reset_index(drop=True)


_RUN_NAMES = {"params": "N", "tokens": "D", "flops": "C"}


def read_porian_isoflop(points: BinaryIO) -> pd.DataFrame:
    """Read the IsoFLOP tables of Porian et al.: one row per experiment, budget and model size."""
    return _rename(pd.read_csv(points), {**_RUN_NAMES, "loss": "L"})


def read_gadre_overtraining(runs: BinaryIO) -> pd.DataFrame:
    """Read the over-training runs of Gadre et al.: one row per training run."""
    return _rename(pd.read_csv(runs), {**_RUN_NAMES, "loss_c4_val": "L"})


def read_gadre_downstream(scores: BinaryIO) -> pd.DataFrame:
    """Read the downstream scores of the runs of Gadre et al.: one row per training run and task."""
    names = {"task": "task", **_RUN_NAMES, "loss_c4_val": "L", "accuracy": "accuracy", "error": "error"}
    return _rename(pd.read_csv(scores), {**names, "random_baseline": "chance"})


def read_olmo_ladder(runs: BinaryIO) -> pd.DataFrame:
    """Read the OLMo model ladder: one row per training run."""
    return _rename(pd.read_csv(runs), {**_RUN_NAMES, "loss_c4": "L"})


def read_bnsl_four_digit_addition(points: BinaryIO) -> pd.DataFrame:
    """Read the four-digit addition curve: one row per size of the training set."""
    return _rename(pd.read_csv(points), {"train_examples": "D", "loss": "L"})


def read_nanogpt_bench_width(points: BinaryIO) -> pd.DataFrame:
    """Read the nanoGPT-Bench curves: one row per curve and width."""
    return _rename(pd.read_csv(points), {"curve_id": "curve_id", "embedding_dimension": "width", "loss": "L"})


def read_data_constrained(train: BinaryIO, test: BinaryIO) -> pd.DataFrame:
    """Read the runs on repeated data: one row per training run."""
    table = _read_bundle(train, test)
    table.insert(0, "epochs", table["tokens"] / table["unique_tokens"])
    names = {"params": "N", "tokens": "D", "unique_tokens": "D_U", "loss": "L", "epochs": "epochs"}
    return _rename(table.drop(columns="group"), names)


def read_finetuning_sft(train: BinaryIO, test: BinaryIO) -> pd.DataFrame:
    """Read the fine-tuning runs: one row per model, task and size of the fine-tuning set."""
    table = _read_bundle(train, test)
    # The source writes the pair as text: "('gpt2', 'flan')".
    pair = table.pop("group").str.extract(r"^\('(?P<model>[^']+)', '(?P<task>[^']+)'\)$")
    return _rename(table.join(pair), {"model": "model", "task": "task", "sft_data_size": "D", "sft_loss": "L"})


def read_vocab_scaling(train: BinaryIO, test: BinaryIO) -> pd.DataFrame:
    """Read the vocabulary runs: one row per measurement."""
    names = {"non_vocab_parameters": "N", "vocab_size": "V", "num_characters": "H", "unigram_normalized_loss": "L"}
    return _rename(_read_bundle(train, test).drop(columns="group"), names)


def read_parallel_scaling(train: BinaryIO, test: BinaryIO) -> pd.DataFrame:
    """Read the runs with parallel streams: one row per model and corpus."""
    names = {"num_params": "N", "parallel_size": "S", "loss": "L", "group": "corpus"}
    return _rename(_read_bundle(train, test), names)


def read_moe_upcycling_sparsity(train: BinaryIO, test: BinaryIO) -> pd.DataFrame:
    """Read the upcycled mixtures of experts: one row per training run."""
    table = _read_bundle(train, test)
    billions = ["N_active", "N_dense", "D1", "D2"]
    table[billions] *= 1e9
    names = {"P": "P", "N_active": "N", "D2": "D", "loss": "L", "group": "setting", "N_dense": "N_dense"}
    return _rename(table, {**names, "D1": "D_dense"})


def read_misfitting_c4(checkpoints: BinaryIO) -> pd.DataFrame:
    """Read the sweep of Li et al. (2025): one row per run and checkpoint."""
    names = {"N": "N", "D": "D", "loss": "L", "N_no_emb": "params_no_embed", "peak_lr": "learning_rate"}
    names |= {"current_steps": "step", "total_steps": "planned_steps", "portion_steps_elapsed": "fraction_elapsed"}
    source = pd.read_csv(checkpoints)[[*names, "model", "sweep"]]
    table: pd.DataFrame = source.drop_duplicates(ignore_index=True).astype({"N": float, "D": float})  # pyright: ignore
    table["C"] = six_nd(table["N"], table["D"])
    table["is_final"] = table["portion_steps_elapsed"] >= 0.999
    table["run"] = table.groupby(["sweep", "model", "total_steps", "peak_lr"]).ngroup()
    return _rename(table, {"N": "N", "D": "D", "C": "C", "loss": "L", "run": "run", **names})


def read_distillation(points: BinaryIO) -> pd.DataFrame:
    """Read the digitised distillation runs: one row per student."""
    names = {"student_params": "N", "student_tokens": "D", "teacher_loss": "L_T", "loss": "L"}
    return _rename(pd.read_csv(points), names)


def read_step_law(train: BinaryIO, test: BinaryIO) -> pd.DataFrame:
    """Read the grid of learning rates and batch sizes: one row per training run."""
    names = {"non_embedding_param_size": "N", "data_size": "D", "lr": "learning_rate", "bsz": "batch_size_sequences"}
    return _rename(_read_bundle(train, test).drop(columns="group"), names | {"lm_loss": "L"})


def read_domain_mixture(train: BinaryIO, test: BinaryIO) -> pd.DataFrame:
    """Read the losses on five domains: one row per model size and mixture."""
    table = _read_bundle(train, test).rename(columns={"group": "model_size"})
    table.insert(0, "N", table["model_size"].map(parse_number))
    domains = range(1, 6)
    shares = {f"proportion_domain_{j}": f"r_{j}" for j in domains}
    losses = {f"loss_domain_{j}": f"L_{j}" for j in domains}
    return _rename(table, {"N": "N"} | shares | losses | {"model_size": "model_size"})


def read_quest_precision(runs: BinaryIO) -> pd.DataFrame:
    """Read the quantised training runs of QuEST: one row per training run."""
    table = pd.DataFrame(json.load(runs))
    arguments = pd.DataFrame(table["args"].to_list())
    return pd.DataFrame(
        {
            "N": table["non_embedding_parameters"].astype(float),
            "D": table["tokens"].astype(float),
            "P_w": table["w_bits"].astype(float),
            "P_a": table["a_bits"].astype(float),
            "L": table["loss"],
            "weight_quantizer": table["w_quant"].map(_name_quantizer),
            "activation_quantizer": table["a_quant"].map(_name_quantizer),
            "model_size_m": table["model_size"],
            "learning_rate": arguments["lr"],
            "n_layer": arguments["n_layer"],
            "n_embd": arguments["n_embd"],
        }
    )


def _name_quantizer(label: str) -> str:
    return "none" if label == "NoQuantizer" else label.removesuffix("Quantizer")


def read_routed_moe(curves: BinaryIO) -> pd.DataFrame:
    """Read the dense and routed models of Clark et al.: one row per setting and step with a validation loss."""
    source = pd.read_csv(curves, compression="gzip")
    table = source.loc[source["step"] > 0].dropna(subset=["loss_validation"]).reset_index(drop=True)
    table["is_final"] = table["step"] == table.groupby("hyper_id")["step"].transform("max")
    names = {"dense_parameter_count": "N", "num_experts": "experts", "total_parameter_count": "N_total"}
    return _rename(table, {**names, "loss_validation": "L", "k": "experts_per_token"})


# Scores of a guess, where they are known.
_OBSSCALING_CHANCE = {
    "mmlu": 0.25,
    "arc_c": 0.25,
    "hellaswag": 0.25,
    "winograd": 0.5,
    "xwinograd": 0.5,
    "gsm8k": 0.0,
    "humaneval": 0.0,
    "parsinlu_qa_2_acc": 0.25,
    "gpqa": 0.25,
    "mmlu_pro": 0.1,
}


def read_obsscaling(standard: BinaryIO, emergent: BinaryIO, leaderboard: BinaryIO) -> pd.DataFrame:
    """Read the benchmark scores of Ruan et al.: one row per model and task with a score."""
    files = {"standard": standard, "emergent": emergent, "leaderboard_v2": leaderboard}
    wide = {group: pd.read_csv(file).rename(columns=_name_obsscaling) for group, file in files.items()}
    models = wide["standard"][["model", "family", "N", "D"]]
    wide["standard"] = wide["standard"].drop(columns=["family", "N", "D", "C"])
    long = [t.melt("model", var_name="task", value_name="accuracy").assign(task_group=g) for g, t in wide.items()]
    scores = pd.concat(long).merge(models, on="model", validate="many_to_one")
    table = scores.dropna(subset=["D", "accuracy"]).reset_index(drop=True)
    # The source gives BTLM-3B 627 trillion tokens, 40 times as many as any other model: billions were meant.
    table.loc[table["model"] == "cerebras/btlm-3b-8k-base", "D"] = 0.627
    table.loc[table["task"].str.endswith("_bleu"), "accuracy"] /= 100
    table = table.assign(N=1e9 * table["N"], D=1e12 * table["D"])
    table["C"] = six_nd(table["N"], table["D"])
    table["chance"] = table["task"].map(_OBSSCALING_CHANCE.get).astype(float)
    return _lead_with(table, ["task", "N", "D", "C", "accuracy", "chance", "model", "family", "task_group"])


def _name_obsscaling(column: str) -> str:
    facts = {"Model Family": "family", "Model Size (B)": "N", "Pretraining Data Size (T)": "D", "FLOPs (1E21)": "C"}
    return facts.get(column, column.lower().replace("-", "_").removeprefix("leaderboard_"))


def read_mmlu_densing(models: BinaryIO) -> pd.DataFrame:
    """Read MMLU scores with release dates: one row per model."""
    table = pd.read_csv(models)
    table["t"] = (pd.to_datetime(table["release_date"]) - pd.Timestamp("2023-02-24")).dt.days
    return _rename(table, {"t": "t", **_RUN_NAMES, "mmlu": "accuracy"})


def read_hex_alphazero(points: BinaryIO) -> pd.DataFrame:
    """Read the learning curves of AlphaZero on Hex: one row per snapshot of a run."""
    return _rename(pd.read_csv(points), {"board_size": "board_size", "flops": "C", "elo": "elo"})


def read_large_language_monkeys(coverage: BinaryIO) -> pd.DataFrame:
    """Read the repeated samples of Pythia on MATH: one row per model and problem."""
    # The source repeats the counts for each of 101 numbers of samples.
    source = pd.read_parquet(coverage, filters=[("Scaling Parameter", "==", 1)])
    n_correct, n_trials = source["Num. Samples Correct"].astype(int), source["Num. Samples Total"]
    table = pd.DataFrame(
        {
            "model": source["Model"],
            "N": source["Model"].str.removeprefix("Pythia ").map(parse_number),
            "problem": source["Problem Idx"],
            "accuracy": n_correct / n_trials,
            "n_correct": n_correct,
            "n_trials": n_trials,
        }
    )
    return table.sort_values("N", kind="stable", ignore_index=True)


def read_o1_mini_aime(points: BinaryIO) -> pd.DataFrame:
    """Read the accuracy of o1-mini on AIME: one row per method and token budget."""
    names = ("method", "mean_tokens_used", "accuracy")
    return _rename(pd.read_csv(points), dict(zip(names, names, strict=True)))


# Inputs are counts or bits, often written as integers; a law raises them to negative powers, so here they are floats.
_INPUTS = ("N", "D", "C", "N_total", "experts", "D_U", "V", "H", "S", "P", "t", "width")


def _rename(table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Rename columns and put them first, in the order of ``names``; inputs become floats, flags written 0/1 bool."""
    renamed = table.rename(columns=dict(names))
    types: dict[str, type] = {column: float for column in _INPUTS if column in renamed}
    types |= {column: bool for column in renamed if column.startswith("is_")}
    return _lead_with(renamed.astype(types), list(names.values()))


def _read_bundle(train: BinaryIO, test: BinaryIO) -> pd.DataFrame:
    """Stack the two parts of a table of the bundle of Li et al.; ``is_train`` marks the first."""
    parts = [pd.read_parquet(part).assign(is_train=is_train) for part, is_train in ((train, True), (test, False))]
    return pd.concat(parts, ignore_index=True)


def _read_tiny(runs: BinaryIO) -> pd.DataFrame:
    # Counts are written as integers; a law raises them to negative powers, so here they are floats.
    return pd.read_csv(runs).rename(columns=_TINY_NAMES).astype(dict.fromkeys(_TINY_NAMES.values(), float))


def _lead_with(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    return table.reindex(columns=columns + [column for column in table.columns if column not in columns])
