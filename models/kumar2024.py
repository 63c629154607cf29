"""Kumar et al. (2024): effective parameters at few bits, in closed form and on the public runs of another quantiser.

The 465 runs of the paper are not public. The posterior is of runs of QuEST (Panferov et al. 2025) with 2 to 4 bits
for the weights alone, and at full precision: 18 runs, 30M to 800M parameters, about 100 tokens for each parameter.
Since tokens grow with parameters, the two exponents are known in sum only, and ``gamma`` with them: the exponent of
effective parameters comes out at .17 (published .4965 for both). With both held at .4965 the law fits these runs four
times worse, and ``gamma`` is 2.8 with a standard deviation of 1.1. The published value is inside either way, so these
runs do not show that QuEST wastes fewer parameters than plain rounding does.

Simulated: loss added by quantising after training, with the paper's constants on its ranges of size, tokens and bits
and noise of a tenth, is to be found again.
"""

import itertools

import numpy as np
import pandas as pd

import bayescale as bs
from bayescale.laws.precision import effective_share

GAMMA_W = 2.6745  # bits; arXiv:2411.04330, appendix K, table 2

runs = bs.load_runs("quest_precision")
full = runs["weight_quantizer"] == "none"
weights_only = (runs["weight_quantizer"] == "HalfHadamardTrust") & (runs["activation_quantizer"] == "none")

# arXiv:2411.04330, appendix K, table 2; C_T and gamma_post are quoted from memory of it.
AFTER = {"C_T": 0.0598, "gamma_D": 0.5068, "gamma_N": 0.3439, "gamma_post": 0.5907}
sizes, tokens, bits = np.geomspace(3e7, 2.2e8, 4), np.geomspace(1.5e9, 2.6e10, 5), [3.0, 4.0, 5.0, 6.0]
grid = pd.DataFrame(itertools.product(sizes, tokens, bits), columns=["N", "D", "P_post"]).assign(delta=0.01)
after = bs.Model("post_training_quantisation", grid, noise="normal")
after = after.with_runs(bs.simulate(after, {**AFTER, "sigma": 0.1}, seed=1))
models = {"trained": bs.Model("precision", runs[full | weights_only]), "after": after}


def claims(posteriors):
    """Yield the shares of parameters that count, ``gamma``, and the constants of quantising after training."""
    for bits, share in ((3, 0.674), (4, 0.776), (8, 0.950), (16, 0.997)):
        ours = effective_share(bits, GAMMA_W)
        yield bs.Claim(f"effective share at {bits} bits", share, ours, "arXiv:2411.04330, eq. 3", within=0.0005)
    gamma = posteriors["trained"].dataset["gamma"]
    yield bs.Claim("gamma of weights, bits", GAMMA_W, gamma, "arXiv:2411.04330, table 2")
    for symbol, value in AFTER.items():
        ours = posteriors["after"].dataset[symbol]  # four constants of simulated runs: each at 1 - .05 / 4
        yield bs.Claim(f"{symbol}, quantised after training", value, ours, "eq. 2", prob=1 - 0.05 / 4)
