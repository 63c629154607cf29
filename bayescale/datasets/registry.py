"""The data sets that load by name, in the order they are listed."""

from collections.abc import Mapping
from types import MappingProxyType

from bayescale.datasets.dataset import Dataset
from bayescale.datasets.embedded import TINY_EMERGENCE, TINY_SWEEP
from bayescale.datasets.factors import (
    DATA_CONSTRAINED,
    DISTILLATION,
    FINETUNING_SFT,
    MOE_UPCYCLING_SPARSITY,
    PARALLEL_SCALING,
    QUEST_PRECISION,
    ROUTED_MOE,
    VOCAB_SCALING,
)
from bayescale.datasets.losses import (
    BNSL_FOUR_DIGIT_ADDITION,
    CHINCHILLA,
    EXTRAPOLATION,
    GADRE_DOWNSTREAM,
    GADRE_OVERTRAINING,
    MISFITTING_C4,
    NANOGPT_BENCH_WIDTH,
    OLMO_LADDER,
    PORIAN_ISOFLOP,
)
from bayescale.datasets.recipes import DOMAIN_MIXTURE, STEP_LAW
from bayescale.datasets.scores import (
    HEX_ALPHAZERO,
    LARGE_LANGUAGE_MONKEYS,
    MMLU_DENSING,
    O1_MINI_AIME,
    OBSSCALING,
)

DATASETS: Mapping[str, Dataset] = MappingProxyType(
    {
        dataset.name: dataset
        for dataset in (
            TINY_SWEEP,
            TINY_EMERGENCE,
            CHINCHILLA,
            EXTRAPOLATION,
            PORIAN_ISOFLOP,
            GADRE_OVERTRAINING,
            GADRE_DOWNSTREAM,
            OLMO_LADDER,
            MISFITTING_C4,
            BNSL_FOUR_DIGIT_ADDITION,
            NANOGPT_BENCH_WIDTH,
            DATA_CONSTRAINED,
            QUEST_PRECISION,
            ROUTED_MOE,
            VOCAB_SCALING,
            PARALLEL_SCALING,
            MOE_UPCYCLING_SPARSITY,
            DISTILLATION,
            STEP_LAW,
            DOMAIN_MIXTURE,
            FINETUNING_SFT,
            OBSSCALING,
            MMLU_DENSING,
            HEX_ALPHAZERO,
            LARGE_LANGUAGE_MONKEYS,
            O1_MINI_AIME,
        )
    }
)
