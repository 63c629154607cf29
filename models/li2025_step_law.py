"""Step law (Li et al. 2025): the best learning rate and batch size as powers of model size and tokens.

The runs are public: 2,819, a grid of settings for each of 42 pairs of size and tokens. At each pair a quadratic in
the two logs is fitted to the runs within 1 % of the best loss; its minimum is the pair's optimum. The paper takes
grid points near the best; the quadratic sees between them. The batch is in tokens, 2,048 a sequence. The learning
rate comes out as printed. So does the batch's exponent of tokens, but not that size has no say in it.
"""

import numpy as np
import pandas as pd

import bayescale as bs

SEQUENCE = 2048
table = bs.load_runs("step_law")


def minimum(runs):
    """Learning rate and batch in tokens at the minimum of a quadratic in logs, near the best run."""
    near = runs[runs["L"] < 1.01 * runs["L"].min()]
    x, y = np.log(near["learning_rate"]), np.log(SEQUENCE * near["batch_size_sequences"])
    _, a, b, aa, bb, ab = np.linalg.lstsq(
        np.column_stack([np.ones(len(near)), x, y, x**2, y**2, x * y]), np.log(near["L"]), rcond=None
    )[0]
    return np.exp(np.linalg.solve([[2 * aa, ab], [ab, 2 * bb]], [-a, -b]))


pairs = {pair: minimum(runs) for pair, runs in table.groupby(["N", "D"])}
optima = pd.DataFrame([(*pair, *best) for pair, best in pairs.items()], columns=["N", "D", "learning rate", "batch"])
SETTINGS = {"learning rate": "step_law2025_learning_rate", "batch": "step_law2025_batch"}
models = {
    name: bs.Model("power_product", optima.rename(columns={name: "setting"})[["N", "D", "setting"]])
    for name in SETTINGS
}
SIZE = (
    "the minima fall with size, as N^-.13; the paper leaves size out of its form. Best "
    "grid points alone, coarser, give -.12 with a standard error of .06"
)


def claims(posteriors):
    """Yield the exponents, and the coefficient where all are free."""
    law = bs.LAWS["power_product"]
    meaning = {"p": "exponent of size", "q": "exponent of tokens"}
    for name, key in SETTINGS.items():
        published, draws = law.find(key), posteriors[name].dataset
        for symbol, what in meaning.items():
            differs = SIZE if (name, symbol) == ("batch", "p") else ""
            # Four claims at once: each at 1 - 0.05 / 4.
            value, ours = published.values[symbol], draws[symbol]
            yield bs.Claim(f"{name}, {what}", value, ours, published.source, prob=1 - 0.05 / 4, differs=differs)
    rate = bs.forecast(posteriors["learning rate"], N=1e9, D=1e11)["setting"]
    printed = law.at("step_law2025_learning_rate", N=1e9, D=1e11)
    source = law.find("step_law2025_learning_rate").source
    yield bs.Claim("learning rate at 1e9 parameters, 1e11 tokens", printed, rate, source)
