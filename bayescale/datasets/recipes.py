"""Data sets of a loss against how a model is trained: learning rate and batch, and the mixture of the training data."""

from bayescale.datasets.dataset import Dataset
from bayescale.datasets.factors import BUNDLE_CITATION, BUNDLE_LICENCE, IS_TRAIN, bundle_files
from bayescale.datasets.readers import read_domain_mixture, read_step_law

_COMMIT = "e0a58ffde4f6fdfb20880d47d6d180fdbcb1440d"

STEP_LAW = Dataset(
    name="step_law",
    title="learning rate and batch size, Step law (Li et al. 2025)",
    measures="Final training loss of language models of 60M to 1.07B parameters on 2 to 100 billion tokens, over a "
    "grid of peak learning rates and batch sizes for each pair.",
    rows=2_819,
    columns={
        "N": "parameters without embeddings",
        "D": "training tokens",
        "learning_rate": "peak learning rate",
        "batch_size_sequences": "batch size in sequences, of 2,048 tokens each in the paper",
        "L": "smoothed final training loss, nats/token",
        "is_train": "whether the run is among those to fit, else of 1.07B parameters and 100B tokens to predict",
    },
    unit="nats/token",
    groups=(),
    licence=BUNDLE_LICENCE,
    citation="Li, H. et al. (2025), Predictable Scale: Part I, Step Law: Optimal Hyperparameter Scaling Law in Large "
    "Language Model Pretraining, arXiv:2503.04715." + BUNDLE_CITATION,
    files=bundle_files(
        "step_law",
        _COMMIT,
        "lr_bsz_scaling_law",
        "3e8bf513e7c7da2b82e3d324c19643256e3f5cc5770aa4d0dcbc0aa3c38768e5",
        "ed6c33d124562015805d3715f9f01a58e5d27befcd63d30be23a94eedc9caa68",
    ),
    reader=read_step_law,
    caveats=(
        "All settings of a pair of N and D are here: for a law of N and D take the best of each pair.",
        "The length of a sequence is not in the table.",
    ),
)

DOMAIN_MIXTURE = Dataset(
    name="domain_mixture",
    title="mixtures of five domains, Ye et al. (2024) by its model sizes",
    measures="Losses on five domains of language models of four sizes, each trained on 26 mixtures of the domains.",
    rows=104,
    columns={
        "N": "parameters",
        **{f"r_{j}": f"share of domain {j} in the training data" for j in range(1, 6)},
        **{f"L_{j}": f"loss on domain {j}, nats/token" for j in range(1, 6)},
        "model_size": "70M, 160M, 305M or 410M",
        "is_train": IS_TRAIN.replace("costly ones", "mixtures"),
    },
    unit="nats/token",
    groups=("model_size",),
    licence=BUNDLE_LICENCE,
    citation="Ye, J. et al. (2024), Data Mixing Laws, arXiv:2403.16952." + BUNDLE_CITATION,
    files=bundle_files(
        "domain_mixture",
        _COMMIT,
        "domain_mixture_scaling_law",
        "b2ca2e6ed1f78d0a462b425394fb748b4b489b079b1aa320753149e5368e2015",
        "4b6f9e71e38cdd329881f75592d8b847f062c1360daac2e5fbb20f99aee63b26",
    ),
    reader=read_domain_mixture,
    caveats=(
        "The bundle names neither the domains nor, for sure, the paper: its authorship is read off the model sizes.",
        "Shares take few values, and a share of zero stands far apart from all others.",
    ),
)
