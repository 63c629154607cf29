"""Abnar et al. (2025): the law of sparsity comes back from runs made with its constants.

Simulated: the runs are not public. Seven sparsities from 0 to .95, total sizes and tokens on a grid, scatter of .3 %.
"""

import itertools

import numpy as np
import pandas as pd

import bayescale as bs

sparsities = [0.02, 0.25, 0.5, 0.75, 0.85, 0.9, 0.95]
grid = itertools.product(np.geomspace(1e8, 2e10, 6), np.geomspace(2e9, 1e11, 5), sparsities)
design = pd.DataFrame(grid, columns=["N_total", "D", "S"]).assign(L=2.5)
truth = bs.LAWS["abnar"].find("abnar2025").values
model = bs.Model("abnar", design, noise="normal")
runs = bs.simulate(model, {**truth, "sigma": 0.003}, seed=1)
model = bs.Model("abnar", runs, noise="normal")
slow = True
agrees = ["abnar2025"]


def claims(posterior):
    """Yield every constant by itself: ten marginal claims on simulated runs, so at 1 - .05 / 10."""
    for symbol, value in truth.items():
        yield bs.Claim(symbol, value, posterior.dataset[symbol], "arXiv:2501.12370", prob=1 - 0.05 / len(truth))
