"""Data sets of a loss against size, data or compute."""

from bayescale.datasets.dataset import Dataset, File, at_commit
from bayescale.datasets.readers import (
    read_bnsl_four_digit_addition,
    read_chinchilla,
    read_extrapolation,
    read_gadre_downstream,
    read_gadre_overtraining,
    read_misfitting_c4,
    read_nanogpt_bench_width,
    read_olmo_ladder,
    read_porian_isoflop,
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
            at_commit(
                "epoch-research/analyzing-chinchilla",
                "92258837425e1b5f2851d624287f0120583a3d0e",
                "data/svg_extracted_data.csv",
            ),
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

_NSLPFN = ("DongWooLee-Eli/nslpfn", "10a5a60911a2a22ef453d8b4ddf1408b6a6075d9")

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
            at_commit(*_NSLPFN, "data/benchmark.vision.csv"),
        ),
        File(
            "extrapolation/benchmark.lang.csv",
            "63c346db00a66b692e1ea9a0f71a2f2b267e55f74be5b863a92e199dffbf0983",
            at_commit(*_NSLPFN, "data/benchmark.lang.csv"),
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

PORIAN_ISOFLOP = Dataset(
    name="porian_isoflop",
    title="the IsoFLOP tables of Porian et al. (2024), from Kaplan's setting to Chinchilla's",
    measures="Loss of language models against their size at up to 12 compute budgets, in 15 experiments on two corpora "
    "that change one thing at a time: what counts as a parameter, warm-up, decay, tuning.",
    rows=1_745,
    columns={
        "N": "parameters, counted as param_count says",
        "D": "training tokens, C / (6N)",
        "C": "compute budget, FLOP",
        "L": "loss interpolated to the budget, nats/token",
        "experiment": "dataset|hparams|warmup|decay|param_count|eval_split, one per experiment",
        "source_file": "name of the summary table in the source",
        "dataset": "refinedweb or openwebtext2",
        "hparams": "base or tuned (learning rate, batch size and beta_2 by model size)",
        "warmup": "long (the same for all sizes) or short (scaled with the size)",
        "decay": "kaplan (long cosine), chinchilla (cosine matched to the budget) or const",
        "param_count": "kaplan (no embedding, no head), standard (with head) or attention (FLOP of attention too)",
        "eval_split": "whether the loss is on train or val data",
    },
    unit="nats/token",
    groups=("experiment", "dataset"),
    licence="MIT text in the LICENSE file of the source, which carries the copyright line of another project",
    citation="Porian, T., Wortsman, M., Jitsev, J., Schmidt, L. & Carmon, Y. (2024), Resolving Discrepancies in "
    "Compute-Optimal Scaling of Language Models, NeurIPS 2024, arXiv:2406.19146.",
    files=(
        File(
            "porian_isoflop/porian_isoflop.csv",
            "fa11e18d780f48642dca23e9ad81512608ebd4bf3a9850718c450e365b21651b",
            origin="formll/resolving-scaling-law-discrepancies at commit 0dc60d91b8a525858a3067fc9e4a46ff5374cc6f, "
            "data/summary_df*.pickle.xz: the lists n_vals, t_vals and loss_vals of every budget, one row per element. "
            "bayescale reads no pickles.",
        ),
    ),
    reader=read_porian_isoflop,
    caveats=(
        "Losses are interpolated along each run to the budget and smoothed: they are not losses at the end of a run.",
        "N, D and C are exactly collinear in logs within an experiment, since D is C / (6N), and N is counted "
        "differently between experiments: fit one experiment at a time, or pool over them.",
        "The losses at several budgets may come from one training run, so rows are not independent.",
    ),
)

_GADRE_CITATION = (
    "Gadre, S. Y. et al. (2024), Language models scale reliably with over-training and on downstream tasks, "
    "arXiv:2403.08540."
)
_GADRE_ORIGIN = "mlfoundations/scaling at commit a003c4913793ac2ae7ef87b28ecb562955d026d5, exp_data: "

GADRE_OVERTRAINING = Dataset(
    name="gadre_overtraining",
    title="the over-training runs of Gadre et al. (2024)",
    measures="Losses on eight validation sets of OpenLM models of four sizes, trained on three corpora for 5 to 640 "
    "tokens per parameter.",
    rows=95,
    columns={
        "N": "parameters",
        "D": "training tokens",
        "C": "training compute 6ND, FLOP",
        "L": "loss on C4 validation data, nats/token",
        "run": "name of the model, one per run",
        "train_dataset": "c4, rpj (RedPajama) or rw (RefinedWeb)",
        "arch": "width d, layers l and heads h",
        "params_no_embed": "parameters without embeddings",
        "chinchilla_multiplier": "D / (20N)",
        "lr": "peak learning rate",
        "batch_size": "batch size as recorded",
        "loss_openlm": "loss on the OpenLM validation text, nats/token",
        "loss_c4_val_lower95": "lower end of the 95 % interval of L over evaluation sequences",
        "loss_c4_val_upper95": "upper end of that interval",
        "loss_paloma_c4_en": "loss on Paloma's C4, nats/token",
        "loss_paloma_dolma_100_programing_languages": "loss on Paloma's code in 100 languages, nats/token",
        "loss_paloma_falcon_refinedweb": "loss on Paloma's RefinedWeb, nats/token",
        "loss_paloma_ptb": "loss on Paloma's Penn Treebank, nats/token",
        "loss_paloma_redpajama": "loss on Paloma's RedPajama, nats/token",
        "loss_val_de_en_100": "loss on the set of that name, nats/token",
    },
    unit="nats/token",
    groups=("train_dataset",),
    licence="MIT",
    citation=_GADRE_CITATION,
    files=(
        File(
            "gadre_overtraining/gadre_overtraining.csv",
            "d8a649773f75bd6e88f6290557712e792737950c832d2e320a712ca7330b4c71",
            origin=_GADRE_ORIGIN + "models/*.json and evals/*.json, one row per model.",
        ),
    ),
    reader=read_gadre_overtraining,
    notes=("L is loss_c4_val; the other validation losses keep their names.",),
    caveats=(
        "The runs of 1.4B and 6.9B parameters that the paper predicts are not in this table: sizes end at 0.41B.",
        "Of the 96 cells of size, multiplier and corpus one is missing: 0.41B on c4 at 32 times Chinchilla's tokens.",
        "The interval of L is that of the evaluation sample alone: it knows nothing of seeds.",
        "All validation losses of a run share one training.",
    ),
)

GADRE_DOWNSTREAM = Dataset(
    name="gadre_downstream",
    title="downstream error of the over-training runs of Gadre et al. (2024)",
    measures="Accuracy on 46 tasks of the 95 runs of gadre_overtraining, beside their C4 validation loss.",
    rows=4_370,
    columns={
        "task": "one of 46 tasks",
        "N": "parameters",
        "D": "training tokens",
        "C": "training compute 6ND, FLOP",
        "L": "loss of the run on C4 validation data, nats/token",
        "accuracy": "accuracy on the task",
        "error": "1 - accuracy",
        "chance": "accuracy of a guess, as the source gives it",
        "run": "name of the model, one per run",
        "train_dataset": "c4, rpj (RedPajama) or rw (RefinedWeb)",
        "chinchilla_multiplier": "D / (20N)",
        "loss_openlm": "loss of the run on the OpenLM validation text, nats/token",
    },
    unit="accuracy, share of items",
    groups=("task", "train_dataset"),
    licence="MIT",
    citation=_GADRE_CITATION,
    files=(
        File(
            "gadre_downstream/gadre_downstream.csv",
            "0c5c34f866d8b95b270fcd0a0c35080944a9352ece0f2204806627e70720b718",
            origin=_GADRE_ORIGIN + "models/*.json, evals/*.json and eval_metadata.csv, one row per model and task.",
        ),
    ),
    reader=read_gadre_downstream,
    caveats=(
        "The paper's law is of the error averaged over tasks: average over task within a run first.",
        "The runs of 1.4B and 6.9B parameters that the paper predicts are not in this table.",
        "L is an input here, measured once per run: the 46 rows of a run share it and one training.",
        "Item counts are not given, so binomial noise is not known; many small runs are at chance.",
    ),
)

_OLMO_TASKS = (
    "mmlu",
    "hellaswag",
    "arc_challenge",
    "arc_easy",
    "piqa",
    "csqa",
    "socialiqa",
    "openbookqa",
    "boolq",
    "winogrande",
)

OLMO_LADDER = Dataset(
    name="olmo_ladder",
    title="the OLMo model ladder of Bhagia et al. (2024)",
    measures="Final C4 loss, and bits per byte and accuracy on ten tasks, of language models of five sizes trained "
    "on 0.5 to 10 times Chinchilla's tokens, with one run per size repeated.",
    rows=30,
    columns={
        "N": "parameters",
        "D": "training tokens",
        "C": "training compute 6ND, FLOP",
        "L": "C4 validation loss, nats/token",
        "run": "size-multiple, one per run",
        "size": "190M, 370M, 760M, 1B or 3B",
        "role": "ladder",
        "chinchilla_multiple": "D / (20N), as planned",
        **{
            f"{kind}_{task}": meaning
            for task in _OLMO_TASKS
            for kind, meaning in (
                ("bpb", "bits per byte of the right answer, 5-shot"),
                ("acc", "accuracy, 5-shot"),
            )
        },
    },
    unit="nats/token",
    groups=(),
    licence="Apache-2.0",
    citation="Bhagia, A. et al. (2024), Establishing Task Scaling Laws via Compute-Efficient Model Ladders, "
    "arXiv:2412.04403.",
    files=(
        File(
            "olmo_ladder/olmo_ladder.csv",
            "ed198ec56cc1e3319d1d86f92de438acce5f3952b580221b52dd613f70b87d21",
            origin="allenai/OLMo at commit 9bc064c72b1439640993e7ff28238e7b8f855aee, "
            "scripts/scaling/data/peteish-moreeval/*.csv: of every run the last row with a C4 loss and a token count; "
            "the four groups of MMLU are averaged with weights 0.215, 0.335, 0.219 and 0.231.",
        ),
    ),
    reader=read_olmo_ladder,
    caveats=(
        "The 7B and 13B models that the paper predicts are not in this table. The paper fits sizes up to 1.3B; the "
        "3B runs can serve as a test.",
        "Runs whose name ends in -rerun repeat another one: their C4 losses differ by about 0.001 or less.",
        "Task losses are in bits per byte, the C4 loss in nats per token.",
        "Accuracies are by length-normalised ranking of the answers, that of boolq by plain ranking.",
    ),
)

BNSL_FOUR_DIGIT_ADDITION = Dataset(
    name="bnsl_four_digit_addition",
    title="four-digit addition against training examples, the worked example of the BNSL paper",
    measures="Test loss of a transformer on four-digit addition as its training set grows: flat, then a sharp drop.",
    rows=17,
    columns={
        "D": "training examples",
        "L": "test loss, nats",
        "is_train": "whether the point is fitted in the paper (the first 14), else predicted",
    },
    unit="nats",
    groups=(),
    licence="none stated by the source repository",
    citation="Caballero, E., Gupta, K., Rish, I. & Krueger, D. (2023), Broken Neural Scaling Laws, ICLR 2023, "
    "arXiv:2210.14891.",
    files=(
        File(
            "bnsl_four_digit_addition/bnsl_four_digit_addition.csv",
            "04e257c9756af241f200f2a91b0f6ab40b3e41284b83d86f62f3ce42ee386e94",
            origin="ethancaballero/broken_neural_scaling_laws at commit ffa608f7ca79, the two arrays written in "
            "fit_bnsl_and_extrapolate__4_digit_addition__dataset_size_x-axis.py.",
        ),
    ),
    reader=read_bnsl_four_digit_addition,
    caveats=(
        "17 points on one curve, over less than a decade of D: a prior on the break matters.",
        "The break begins within the points to fit: nothing here tells what a law makes of a break not yet seen.",
        "The paper's script fits log(L + 1), not log L.",
    ),
)

NANOGPT_BENCH_WIDTH = Dataset(
    name="nanogpt_bench_width",
    title="nanoGPT-Bench: loss against embedding width",
    measures="Validation loss of nanoGPT on OpenWebText at seven widths, for 12 settings of the hyperparameters and "
    "two arrays of the source.",
    rows=168,
    columns={
        "curve_id": "source_array and hparam_index, one per curve",
        "width": "embedding dimension, 6 to 384",
        "L": "validation loss, nats/token",
        "source_array": "final or min, as the array is called in the source",
        "hparam_index": "0 to 11, one per setting of the hyperparameters",
        "is_train": "whether the point is fitted (the first six widths), else predicted",
    },
    unit="nats/token",
    groups=("source_array", "hparam_index"),
    licence="MIT, the repository of the copy",
    citation="Lee, D. et al. (2025), NSL-PFN, ICML 2025, arXiv:2505.23032. Runs of nanoGPT-Bench: Kadra, A. et al. "
    "(2023), Scaling Laws for Hyperparameter Optimization, arXiv:2302.00441.",
    files=(
        File(
            "nanogpt_bench_width/nanogpt_bench_width.csv",
            "5b9bf38a51f4cd7ea821aef91ac39167561b98700dd4a24a4f2e135f63b8416f",
            origin=f"{' at commit '.join(_NSLPFN)}, data/final_val_loss_over_n_embd.npy and "
            "data/min_val_loss_over_n_embd.npy: one row per element.",
        ),
    ),
    reader=read_nanogpt_bench_width,
    caveats=(
        "The array called min holds larger losses (7.1 to 10.8) than the one called final (3.9 to 6.9): the names "
        "are swapped or mean something else, so do not read them as minima.",
        "The hyperparameters of a setting are not given.",
        "Seven points on a curve, six to fit and one to predict.",
    ),
)

MISFITTING_C4 = Dataset(
    name="misfitting_c4",
    title="the learning-rate sweep of Li, Kudugunta & Zettlemoyer (2025)",
    measures="C4 loss along the training of 240 language models of 11 sizes, 12M to 1B parameters without embeddings, "
    "at many token budgets and learning rates.",
    rows=4_843,
    columns={
        "N": "parameters, embeddings counted",
        "D": "tokens seen at the checkpoint",
        "C": "6 N D, FLOP",
        "L": "loss on C4, nats/token",
        "run": "number of the sweep's run: model, planned steps, learning rate, sweep",
        "params_no_embed": "parameters without embeddings",
        "learning_rate": "peak learning rate",
        "step": "training step",
        "planned_steps": "steps the schedule was made for",
        "fraction_elapsed": "step / planned_steps",
        "model": "name of the model's shape",
        "sweep": "label of the sweep",
        "is_final": "whether the schedule was complete, fraction_elapsed at least 0.999",
    },
    unit="nats/token",
    groups=("model",),
    licence="none stated by the source repository",
    citation="Li, M., Kudugunta, S. & Zettlemoyer, L. (2025), (Mis)Fitting: A Survey of Scaling Laws, ICLR 2025, "
    "arXiv:2502.18969.",
    files=(
        File(
            "misfitting_c4/scaling_results.csv",
            "193b4b7665365112605417e2ef06d55efe599cfa08412354e3ae42c3af7a9f58",
            at_commit("hadasah/scaling_laws", "1f3708c0a12df0effb0ee906b1da5f9f0ff4f4f1", "data/scaling_results.csv"),
        ),
    ),
    reader=read_misfitting_c4,
    notes=(
        "Nine rows that repeat another are left out; run and is_final were added.",
        "The tokens planned are left out: in the source they follow the checkpoint.",
    ),
    caveats=(
        "Only the 255 rows with is_final are at the end of their schedule: fit a law of final losses to those.",
        "Learning rates that are off cost up to a third of a nat at one N and D: noise is on one side "
        "(noise='frontier'), or keep the best learning rate of each.",
    ),
)
