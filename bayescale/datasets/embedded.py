"""The data sets inside the package, measured for bayescale."""

from bayescale.datasets.dataset import Dataset, File
from bayescale.datasets.readers import read_tiny_emergence, read_tiny_sweep

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
        "population_se": "standard error of L as an estimate of the population loss, nats/token",
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
        "population_se is common to all runs of a modality (same held-out blocks): differences between runs are "
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
