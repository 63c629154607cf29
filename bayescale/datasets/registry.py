"""The data sets that load by name: what they measure, where they come from, what to beware of."""

from collections.abc import Mapping
from types import MappingProxyType

from bayescale.datasets.dataset import Dataset, File
from bayescale.datasets.readers import (
    read_chinchilla,
    read_extrapolation,
    read_tiny_emergence,
    read_tiny_sweep,
)

_TINY_RUN = {
    "size": "index of the model size, 0 (smallest) to 7",
    "seed": "seed of the initialisation, the training blocks and their order",
    "d_model": "width",
    "n_layer": "depth",
    "n_head": "attention heads",
    "vocab": "vocabulary, tokens",
    "params_total": "all parameters",
    "flops_exact": "3 x forward matmul FLOP x D, with attention products and unembedding",
    "batch_tokens": "tokens per optimiser step",
    "steps": "optimiser steps",
    "lr": "peak learning rate",
    "train_loss_tail": "mean training loss over the last tenth of the steps, nats/token",
}
_TINY_CITATION = "The bayescale developers, tiny_sweep: a measured multi-modality scaling data set, in bayescale."
_TINY_LICENCE = "Apache-2.0, as bayescale; the tables hold measurements only, nothing of any corpus"

TINY_SWEEP = Dataset(
    name="tiny_sweep",
    title="tiny transformers on six modalities under one protocol, measured for bayescale",
    measures="Held-out loss of decoder-only transformers trained for one epoch on text, code, image, speech, "
    "music and math, over a grid of model sizes and token budgets; every cell is its own run.",
    rows=220,
    columns={
        "N": "parameters without embedding and unembedding",
        "D": "tokens predicted in training (one epoch)",
        "C": "training compute 6ND, FLOP",
        "L": "held-out loss after the last step, nats/token",
        "modality": "text, code, image, speech, music or math",
        **_TINY_RUN,
        "loss_se": "standard error of L as an estimate of the population loss, nats/token",
    },
    unit="nats/token",
    groups=("modality",),
    licence=_TINY_LICENCE,
    citation=_TINY_CITATION,
    files=(File("tiny_sweep/runs.csv", "4f679a47ca5087edb6bb996f92bb220fce512e0d1fb6f14890fa49ec9bb788a6"),),
    reader=read_tiny_sweep,
    notes=("N is the count without embedding and unembedding, and C = 6ND uses it.",),
    caveats=(
        "At D = 65,536 all but the smallest models are still on the early plateau: more parameters no longer "
        "help, and seed noise is several times larger.",
        "The additive form E + A/N^alpha + B/D^beta misfits: the effect of D grows with N, so residuals in "
        "text, code and image exceed the seed noise.",
        "The irreducible loss of math is not identified: its loss falls in steps as operations are learnt.",
        "loss_se is common to all runs of a modality (same held-out blocks): differences between runs are "
        "far more precise, and their noise is the spread between seeds.",
        "Compute is small, 7e8 to 6e11 FLOP; beyond N = 150,000 nothing was run past D = 262,144.",
        "The learning rate depends on the width only: large models at small D are under-tuned.",
        "A token is a character, a grey level or a mu-law code: losses of two modalities differ in unit.",
        "7.8 % of the image test blocks and 1.6 % of those of speech stand verbatim in the training blocks.",
    ),
)

TINY_EMERGENCE = Dataset(
    name="tiny_emergence",
    title="eight tasks along a ladder of compute, measured for bayescale",
    measures="Exact-match accuracy, per-token accuracy and log-likelihood of small transformers trained on a "
    "mixture of eight tasks (arithmetic, copying, reversing, sorting): 13 rungs of compute, two seeds each.",
    rows=208,
    columns={
        "task": "add1, add2, add3, sub2, mod10, copy5, reverse5 or sort5",
        "N": "parameters without embedding and unembedding",
        "D": "tokens seen in training, all 16 positions of a problem counted",
        "C": "training compute 6ND, FLOP",
        "accuracy": "n_correct / n_trials",
        "n_correct": "problems solved by exact match",
        "n_trials": "fresh problems asked",
        "chance": "accuracy of a guess uniform over well-formed answers",
        **_TINY_RUN,
        "answer_tokens": "length of the answer, tokens",
        "token_accuracy": "share of answer tokens that are right given the true prefix",
        "loglik_per_token": "mean log-likelihood of an answer token given the true prefix, nats",
        "loglik_se": "standard error of loglik_per_token, nats",
    },
    unit="accuracy, share of problems solved by exact match",
    groups=("task",),
    licence=_TINY_LICENCE,
    citation=_TINY_CITATION,
    files=(File("tiny_sweep/emergence.csv", "931b36b9529c8ce9a743a03d7d357e551540391760eeeeaa0de4f93730d52b80"),),
    reader=read_tiny_emergence,
    notes=("accuracy is n_correct / n_trials.",),
    caveats=(
        "Accuracy is not monotone in C: the rungs are not one ray in (N, D), and tokens matter more here.",
        "The eight rows of a run share one training, and all runs are asked the same problems of a task: "
        "their counts are not independent.",
        "Seeds differ by far more than binomial noise near a transition; mod10 is found by some runs only.",
        "chance is a uniform guess; one from the marginal frequencies does better (0.10 for add1, 0.02 for sub2).",
        "The small problem spaces of add1, add2, sub2 and mod10 recur in training: this is learning, not "
        "generalisation to unseen operands.",
    ),
)

CHINCHILLA = Dataset(
    name="chinchilla",
    title="the Chinchilla runs, digitised by Epoch AI",
    measures="Final training loss of 245 language models of Hoffmann et al. (2022), read off their figure 4: "
    "size and compute from the position of a marker, loss from its colour.",
    rows=245,
    columns={
        "N": "parameters",
        "D": "training tokens, C / (6N)",
        "C": "training compute, FLOP",
        "L": "final training loss, nats/token",
        "is_outlier": "one of the five runs with the highest loss, which the replication leaves out",
    },
    unit="nats/token",
    groups=(),
    licence="none stated by the source repository",
    citation="Besiroglu, T., Erdil, E., Barnett, M. & You, J. (2024), Chinchilla Scaling: A replication "
    "attempt, arXiv:2404.10102. Original runs: Hoffmann, J. et al. (2022), Training Compute-Optimal Large "
    "Language Models, arXiv:2203.15556.",
    files=(
        File(
            "chinchilla/svg_extracted_data.csv",
            "193478df4e90f040016431996c45682659306840ecdadf83cfb9cd5ca0aa1b30",
            "https://raw.githubusercontent.com/epoch-research/analyzing-chinchilla/"
            "92258837425e1b5f2851d624287f0120583a3d0e/data/svg_extracted_data.csv",
        ),
    ),
    reader=read_chinchilla,
    notes=(
        "D is not observed: it is C / (6N), the replication's own mapping.",
        "All 245 rows are kept, in the order of the source; is_outlier marks the five to leave out.",
        "Colour and pixel columns are left out.",
    ),
    caveats=(
        "The loss was read from a colour scale: errors are largest for high losses, and some markers nearly coincide.",
        "N, D and C are exactly collinear in logs, since D is C / (6N).",
        "The five outliers, all near 1e19 FLOP with less than one token per parameter, move the additive "
        "fit: beta from 0.37 to 0.45.",
    ),
)

_NSLPFN = "https://raw.githubusercontent.com/DongWooLee-Eli/nslpfn/10a5a60911a2a22ef453d8b4ddf1408b6a6075d9/data/"

EXTRAPOLATION = Dataset(
    name="extrapolation",
    title="the extrapolation benchmark of Alabdulmohsin et al. (2022)",
    measures="92 learning curves with a fixed split into points to fit and larger ones to predict: 72 of "
    "few-shot image classification, 5 of machine translation, 5 of language modelling, 10 of BIG-Bench.",
    rows=19_595,
    columns={
        "curve_id": "domain code|dataset|n_shot|model, one per curve",
        "domain": "image_classification, machine_translation, language_modelling or big_bench",
        "dataset": "birds200, cifar100, caltech101, imagenet, nmt, lm or a BIG-Bench task",
        "n_shot": "shots of the evaluation, 0 where the upstream loss is evaluated",
        "metric": "few_shot_error_rate, log_perplexity, rescaled_validation_loss, one_minus_preferred_metric",
        "model": "architecture, as labelled in the source",
        "params": "parameters, from the README of the source",
        "D": "examples (vision), sentence pairs (translation) or tokens (language modelling, BIG-Bench) seen",
        "L": "loss or error, lower is better; unit by metric",
        "is_train": "whether the point is to be fitted (else predicted)",
    },
    unit="by metric: error rate (image_classification), nats (machine_translation), rescaled to between 0 "
    "and 1 (language_modelling), one minus the task's score (big_bench)",
    groups=("domain", "dataset", "n_shot", "model"),
    licence="CC BY 4.0 (the data sets of google-research/google-research); the repository of the copy is MIT",
    citation="Alabdulmohsin, I., Neyshabur, B. & Zhai, X. (2022), Revisiting Neural Scaling Laws in Language "
    "and Vision, NeurIPS 2022, arXiv:2209.06640. Published in google-research/google-research, "
    "revisiting_neural_scaling_laws/data; downloaded from the copy in DongWooLee-Eli/nslpfn.",
    files=(
        File(
            "extrapolation/benchmark.vision.csv",
            "23b00692d71e58aa5a2a941e831d57688e0977fdcf5f5125ff7b64283b5d9e83",
            _NSLPFN + "benchmark.vision.csv",
        ),
        File(
            "extrapolation/benchmark.lang.csv",
            "63c346db00a66b692e1ea9a0f71a2f2b267e55f74be5b863a92e199dffbf0983",
            _NSLPFN + "benchmark.lang.csv",
        ),
    ),
    reader=read_extrapolation,
    notes=(
        "D counts examples seen for image classification, sentence pairs for machine translation and tokens "
        "for language modelling and BIG-Bench.",
        "687 exact duplicates were dropped: the source lists each language modelling point four times.",
        "Rows are sorted by D within a curve; curves stand in the order of the source.",
    ),
    caveats=(
        "L is in another unit in each domain: never compare or pool its scale across domains.",
        "Points of a curve are successive measurements on a learning curve: their errors may be correlated.",
        "The split is at about half the largest D of a curve: fit below, predict above (is_train).",
        "Machine translation curves have 9 or 10 points to fit and one to predict: too few for calibration.",
        "BIG-Bench curves are step functions with many repeated values.",
        "The language modelling loss was rescaled by the authors to between 0 and 1: it is not in nats.",
    ),
)

DATASETS: Mapping[str, Dataset] = MappingProxyType(
    {dataset.name: dataset for dataset in (TINY_SWEEP, TINY_EMERGENCE, CHINCHILLA, EXTRAPOLATION)}
)
