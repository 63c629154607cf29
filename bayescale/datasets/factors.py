"""Data sets of a loss against more than size and data: repetition, bits, experts, vocabulary, teacher, fine-tuning."""

from bayescale.datasets.dataset import Dataset, File, at_commit
from bayescale.datasets.readers import (
    read_data_constrained,
    read_distillation,
    read_finetuning_sft,
    read_moe_upcycling_sparsity,
    read_parallel_scaling,
    read_quest_precision,
    read_routed_moe,
    read_vocab_scaling,
)

# Several tables were gathered in one bundle, each in a part to fit (candidates) and one to predict (the most costly).
_BUNDLE = "PlanarG/active-sl"
BUNDLE_LICENCE = "CC BY 4.0 (data card of the bundle PlanarG/active-sl)"
BUNDLE_CITATION = (
    " From the bundle of Li, S., Li, S., Lin, H., Sun, W., Talwalkar, A. & Yang, Y. (2026), Spend Less, Fit Better: "
    "Budget-Efficient Scaling Law Fitting via Active Experiment Selection, arXiv:2604.22753."
)
IS_TRAIN = "whether the run is among those to fit, else among the costly ones to predict"


def bundle_files(name: str, commit: str, folder: str, train: str, test: str) -> tuple[File, File]:
    """Both parts of a table of the bundle; ``train`` and ``test`` are their sha256."""
    parts = {"train-00000-of-00001.parquet": train, "test-00000-of-00001.parquet": test}
    first, second = (
        File(f"{name}/{part}", sha256, at_commit(_BUNDLE, commit, f"benchmark/dataset/{folder}/{part}"))
        for part, sha256 in parts.items()
    )
    return first, second


DATA_CONSTRAINED = Dataset(
    name="data_constrained",
    title="training on repeated data, Muennighoff et al. (2023)",
    measures="Final test loss of language models of 7M to 8.7B parameters, trained for 1 to 9,000 epochs on 0.1 to "
    "178 billion unique tokens.",
    rows=182,
    columns={
        "N": "parameters",
        "D": "tokens processed, repetitions counted",
        "D_U": "unique tokens",
        "L": "final test loss, nats/token",
        "epochs": "D / D_U",
        "is_train": IS_TRAIN,
    },
    unit="nats/token",
    groups=(),
    licence=BUNDLE_LICENCE + "; the original repository huggingface/datablations is Apache-2.0",
    citation="Muennighoff, N. et al. (2023), Scaling Data-Constrained Language Models, NeurIPS 2023, arXiv:2305.16264."
    + BUNDLE_CITATION,
    files=bundle_files(
        "data_constrained",
        "e0a58ffde4f6fdfb20880d47d6d180fdbcb1440d",
        "data_constrained_scaling_law",
        "d0e6f059e657c7476f8f2636110e391d086c78bd826a50c4cc62f06e73c7b020",
        "acdc55ff3bffb3020b365007d2b18bc0bf0ec3e359b2ceb3e09abe2bbb94cc2e",
    ),
    reader=read_data_constrained,
    notes=("epochs is D / D_U.",),
    caveats=(
        "At the same N and D_U the loss rises with more epochs in 24 steps, which the published law cannot follow; "
        "the paper dropped runs for that before its own fit, which is a selection on the outcome.",
        "75 of the 182 runs repeat 0.1 billion unique tokens; 29 see every token once.",
        "Two runs (82.7M parameters, 320 and 600 epochs) list the same loss to the last digit.",
    ),
)

QUEST_PRECISION = Dataset(
    name="quest_precision",
    title="quantised training, QuEST (Panferov et al. 2025)",
    measures="C4 validation loss of Llama-style models of 30M to 800M parameters, trained with weights and "
    "activations of 1 to 16 bits by several quantisers.",
    rows=104,
    columns={
        "N": "parameters without embeddings",
        "D": "training tokens",
        "P_w": "bits of a weight",
        "P_a": "bits of an activation",
        "L": "C4 validation loss, nats/token",
        "weight_quantizer": "family of the quantiser, none for full precision",
        "activation_quantizer": "the same for activations",
        "model_size_m": "nominal size, millions of parameters",
        "learning_rate": "peak learning rate",
        "n_layer": "depth",
        "n_embd": "width",
    },
    unit="nats/token",
    groups=("weight_quantizer", "activation_quantizer"),
    licence="MIT",
    citation="Panferov, A. et al. (2025), QuEST: Stable Training of LLMs with 1-Bit Weights and Activations, "
    "arXiv:2502.05003.",
    files=(
        File(
            "quest_precision/runs_for_scaling.json",
            "b588f0fc2144a69a0d24c192becf70d329fd2613c69ff6d3c9ddeea3e2e702fc",
            at_commit(
                "IST-DASLab/QuEST", "c295afda142c03a89d2af04653881beccf459aa1", "for_plots/runs_for_scaling.json"
            ),
        ),
    ),
    reader=read_quest_precision,
    notes=("The recorded bit operations are left out: they equal N D. So are the other arguments of the runs.",),
    caveats=(
        "Runs of ten weight quantisers stand side by side, and a law of bits alone ignores which: filter or pool "
        "over weight_quantizer.",
        "Rows of HalfHadamardFP4Trust say 16 bits although their values are 4-bit floats: leave them out, or set "
        "P_w and P_a to 4.",
        "The table of Kumar et al. (2024), whose law this serves, is not public: their constants are of other models.",
        "D / N is about 100 in 80 runs and 25 or 50 in the others: N and D are correlated by 0.91 in logs.",
    ),
)

ROUTED_MOE = Dataset(
    name="routed_moe",
    title="dense and routed language models, Clark et al. (2022)",
    measures="Losses on six data sets along the training of 223 models of 15M to 1.3B dense parameters with up to "
    "512 experts, under three kinds of router.",
    rows=5_568,
    columns={
        "N": "parameters seen by one token (dense size)",
        "experts": "experts per routed layer, 1 for a dense model",
        "N_total": "all parameters",
        "L": "validation loss, nats/token",
        "experts_per_token": "experts that see a token",
        "hyper_id": "number of the setting, one per training run",
        "step": "training step",
        "loss_c4": "C4 loss, nats/token, blank in 2 rows",
        "loss_curation_corpus": "Curation Corpus loss, nats/token, blank in 5 rows",
        "loss_lambada": "LAMBADA loss, nats/token, blank in 6 rows",
        "loss_pile": "loss on the Pile's EuroParl, nats/token, blank in 15 rows",
        "loss_wikitext103": "WikiText-103 loss, nats/token, blank in 3 rows",
        "d_model": "width",
        "num_blocks": "depth",
        "num_heads": "attention heads",
        "kqv_size": "size of a key, query or value",
        "flop_increase": "multiplier of the FLOP of a dense model",
        "router_type": "Dense, Hash, S-Base or RL-R",
        "seed": "seed",
        "routing_frequency": "share of the layers that are routed",
        "flops_per_step": "FLOP per step, as recorded",
        "model_size_label": "dense size as named in the paper",
        "is_final": "whether it is the last step of the run",
    },
    unit="nats/token",
    groups=("router_type",),
    licence="CC BY 4.0 (all but the code of the source)",
    citation="Clark, A. et al. (2022), Unified Scaling Laws for Routed Language Models, ICML 2022, arXiv:2202.01169.",
    files=(
        File(
            "routed_moe/curves.csv.gz",
            "c03e7531add85e594f368d33bac4a0220280be858a7ed12d147cf73af6a3819f",
            at_commit(
                "google-deepmind/scaling_laws_for_routing",
                "42da0c392b127df2c01fa7b705f72396050d05e5",
                "data/curves.csv.gz",
            ),
        ),
    ),
    reader=read_routed_moe,
    notes=("223 rows of step 0 and 8 rows without validation loss are left out.", "is_final was added."),
    caveats=(
        "Rows of a run are one learning curve: the published law is of final losses, so keep the 223 rows with "
        "is_final, and for its main table routing_frequency 0.5 and experts_per_token 1.",
        "Dense models with experts_per_token 2 or 4 cost that many times the FLOP (flop_increase) under the N of the "
        "plain model; the filter on experts_per_token leaves them out too.",
        "The dense model of 130M was trained with three seeds: their losses are 2.6568, 2.6555 and 2.6560.",
        "Four settings stand twice, with losses that differ by 0.01 to 0.09: routing_frequency is not 0.5 in them.",
        "D is not given: the paper trains every model on about 130 billion tokens (step 248,000 to 250,000).",
        "The paper's law has logs to base 10, and constants of its own for each of three router types.",
    ),
)

VOCAB_SCALING = Dataset(
    name="vocab_scaling",
    title="vocabulary size, Tao et al. (2024)",
    measures="Loss of language models of six sizes with vocabularies of 4,096 to 96,256 tokens along their training.",
    rows=1_200,
    columns={
        "N": "parameters without those of the vocabulary",
        "V": "vocabulary size, tokens",
        "H": "training characters",
        "L": "loss minus the entropy of single tokens, nats/token: negative, lower is better",
        "is_train": "whether the row is among those to fit, else of the vocabulary of 96,256 to predict",
    },
    unit="nats/token, minus the entropy of single tokens",
    groups=(),
    licence=BUNDLE_LICENCE,
    citation="Tao, C. et al. (2024), Scaling Laws with Vocabulary: Larger Models Deserve Larger Vocabularies, "
    "NeurIPS 2024, arXiv:2407.13623." + BUNDLE_CITATION,
    files=bundle_files(
        "vocab_scaling",
        "e0a58ffde4f6fdfb20880d47d6d180fdbcb1440d",
        "vocab_scaling_law",
        "959415949e790c46d30b445536d2a364d804c7c942398320dd0677ed3ecdf633",
        "e94a7f367168596511ee0024fe52acca6ef1a2fceef9c605b6b5b62e748396cb",
    ),
    reader=read_vocab_scaling,
    caveats=(
        "L is negative in every row: noise on log loss does not apply, and E stands with a minus sign in the law.",
        "The 20 rows of one N and V are one learning curve: their errors are correlated.",
        "The number of vocabulary parameters, which the paper's law uses, is V times a width that is not given.",
    ),
)

PARALLEL_SCALING = Dataset(
    name="parallel_scaling",
    title="parallel streams, Chen et al. (2025)",
    measures="Loss of language models of 0.5B to 4.4B parameters that read their input in 1 to 8 parallel streams, "
    "trained on code (stack) or text (pile).",
    rows=48,
    columns={
        "N": "parameters",
        "S": "parallel streams",
        "L": "loss, nats/token",
        "corpus": "stack or pile",
        "is_train": "whether the run is among those to fit, else of 8 streams to predict",
    },
    unit="nats/token",
    groups=("corpus",),
    licence=BUNDLE_LICENCE,
    citation="Chen, M. et al. (2025), Parallel Scaling Law for Language Models, arXiv:2505.10475." + BUNDLE_CITATION,
    files=bundle_files(
        "parallel_scaling",
        "e0a58ffde4f6fdfb20880d47d6d180fdbcb1440d",
        "parallel_scaling_law",
        "3bf76fabd8f7f5f1b90543b9cb9ef83db888c5674bdc9c4dc23277bd8a92f7b7",
        "16f73df39117534390df840862fba13e4ce032b08c24b31b0406258987d6613c",
    ),
    reader=read_parallel_scaling,
    caveats=(
        "N grows by up to 2 % with the streams, which have parameters of their own.",
        "Training tokens are not given, and the same for all; losses are rounded to 1e-4.",
        "The paper's own law is E + (A / (N (k log S + 1)))**alpha, for each corpus.",
    ),
)

MOE_UPCYCLING_SPARSITY = Dataset(
    name="moe_upcycling_sparsity",
    title="dense models upcycled into mixtures of experts, Liew et al. (2025)",
    measures="Loss of 88 mixtures of experts grown out of dense models, against active parameters and sparsity, after "
    "three numbers of further tokens.",
    rows=88,
    columns={
        "P": "total over active parameters",
        "N": "active parameters",
        "D": "tokens after upcycling",
        "L": "loss, nats/token",
        "setting": "tokens before and after upcycling, in billions",
        "N_dense": "parameters of the dense model",
        "D_dense": "tokens of the dense model before upcycling",
        "is_train": IS_TRAIN,
    },
    unit="nats/token",
    groups=("setting",),
    licence=BUNDLE_LICENCE,
    citation="Liew, S. P., Kato, T. & Takase, S. (2025), Scaling Laws for Upcycling Mixture-of-Experts Language "
    "Models, arXiv:2502.03009." + BUNDLE_CITATION,
    files=bundle_files(
        "moe_upcycling_sparsity",
        "e0a58ffde4f6fdfb20880d47d6d180fdbcb1440d",
        "sparsity_scaling_law",
        "a91b91ba7826bf262770ed6e7ab363274810819856e99981b5ad579576796127",
        "240f1b6315deee2167a84d1a29ebac1b349e0e0c40f41511e36ec6a42bb387c6",
    ),
    reader=read_moe_upcycling_sparsity,
    notes=("Counts are given in billions in the source, which is inferred from their size.",),
    caveats=(
        "Read off figures by the authors of the bundle.",
        "N is 1, 1.75 or 3.25 times N_dense, and the loss does not fall with N throughout: models of 0.23 billion "
        "active parameters with N = N_dense are worse than models of 0.17 billion with 1.75 times N_dense.",
    ),
)

DISTILLATION = Dataset(
    name="distillation",
    title="distillation, Busbridge et al. (2025), digitised",
    measures="Loss of students of 0.14B to 7.75B parameters against their tokens and their teacher's loss.",
    rows=354,
    columns={
        "N": "parameters of the student",
        "D": "tokens the student is distilled on",
        "L_T": "loss of the teacher, nats/token",
        "L": "loss of the student, nats/token",
        "is_train": IS_TRAIN,
    },
    unit="nats/token",
    groups=(),
    licence=BUNDLE_LICENCE,
    citation="Busbridge, D. et al. (2025), Distillation Scaling Laws, ICML 2025, arXiv:2502.08606." + BUNDLE_CITATION,
    files=(
        File(
            "distillation/distillation.csv",
            "4e42443bac63526a7a245a6a881b2961269981ab0d65e05c9df8366ab84f3677",
            origin="PlanarG/active-sl at commit 080c3e6a8b1a876a6efe89f011247f57fa809797, "
            "benchmark/dataset/distillation_scaling_law/*.parquet: the part to fit, and below it the part to predict.",
        ),
    ),
    reader=read_distillation,
    caveats=(
        "Read off figures by the authors of the bundle.",
        "Later versions of the bundle left it out without a reason.",
        "Teachers are known by their loss alone: neither their size nor which rows share one is given.",
    ),
)

FINETUNING_SFT = Dataset(
    name="finetuning_sft",
    title="fine-tuning, Lin et al. (2024)",
    measures="Test loss of 14 pretrained models, fine-tuned on 200 to 819,200 examples of three tasks.",
    rows=546,
    columns={
        "model": "pretrained model",
        "task": "flan (instructions), gigaword (summaries) or wikiword, as labelled in the source",
        "D": "fine-tuning examples",
        "L": "test loss after fine-tuning, nats/token",
        "is_train": "whether the row has at most 409,600 examples, else 819,200 to predict",
    },
    unit="nats/token",
    groups=("task", "model"),
    licence=BUNDLE_LICENCE,
    citation="Lin, H. et al. (2024), Selecting Large Language Model to Fine-tune via Rectified Scaling Law, "
    "ICML 2024, arXiv:2402.02314." + BUNDLE_CITATION,
    files=bundle_files(
        "finetuning_sft",
        "cb26daa6a5efb48f77407e6ef38d9c451232746c",
        "sft_scaling_law",
        "27108aa497be369d6df2346735983b7580829d7a2cc40ea4564e94b8d721abae",
        "61a8295f0a531f2559cf6e9890bf289ab7bb0d31fdb6fec765bbd48c45e2c4a3",
    ),
    reader=read_finetuning_sft,
    notes=("The source's pair of model and task is split in two columns.",),
    caveats=(
        "At small D the loss falls more slowly than a power law: a plain power law is biased.",
        "Models have tokenizers of their own: their losses differ in unit.",
        "One row per model, task and D: nothing tells the noise between seeds.",
    ),
)
