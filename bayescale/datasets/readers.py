"""From the files as they were published to one table per data set, in bayescale's columns."""

from typing import BinaryIO

import pandas as pd

from bayescale.cost import six_nd

_TINY_NAMES = {"params_non_embedding": "N", "tokens": "D", "flops_6nd": "C"}


def read_tiny_sweep(runs: BinaryIO) -> pd.DataFrame:
    """Read the embedded sweep: one row per training run."""
    table = _read_tiny(runs).rename(columns={"loss": "L"})
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


def _read_tiny(runs: BinaryIO) -> pd.DataFrame:
    # Counts are written as integers; a law raises them to negative powers, so here they are floats.
    return pd.read_csv(runs).rename(columns=_TINY_NAMES).astype(dict.fromkeys(_TINY_NAMES.values(), float))


def _lead_with(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    return table.reindex(columns=columns + [column for column in table.columns if column not in columns])
