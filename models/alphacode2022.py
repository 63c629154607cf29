"""AlphaCode (Li et al. 2022): the share solved rises with the log of the number of samples, on other models' samples.

The paper's runs are not public and its slopes stand in a figure only. The samples here are those of Brown et al.
(2024): seven Pythia models, 128 problems of MATH. A line in log k is fitted from 16 to 256 samples of each model,
dealt into blocks that share no sample, and asked for 1,000. The line is right about the middle of the curve only: its
median is .05 to .07 too high for the three models that had solved more than half, and .04 too low for the three that
had solved less than a third. The noise learnt from that bend makes the intervals wide enough. `brown2024` has a law
that bends.
"""

import numpy as np
import pandas as pd
from scipy.stats import hypergeom

import bayescale as bs

LARGEST, SAMPLES = 1000, 10_000
table = bs.load_runs("large_language_monkeys")
rng = np.random.default_rng(1)
rows = []
for name, problems in table.groupby("model"):
    right = problems["n_correct"].to_numpy()[:, None]
    samples = rng.permuted(np.arange(SAMPLES) < right, axis=1)
    for k in (16, 32, 64, 128, 256):
        dealt, samples = np.split(samples, [1792], axis=1)  # 7 x 256 samples a problem for each k
        solved = dealt.reshape(len(problems), -1, k).any(axis=2)
        rows.append({"model": name, "k": float(k), "score": solved.mean()})
model = bs.Model("log_linear:k", pd.DataFrame(rows), pool="model", noise="normal")


def claims(posterior):
    """Yield the share solved by 1,000 samples."""
    for name, problems in table.groupby("model"):
        failing = hypergeom.pmf(0, SAMPLES, problems["n_correct"].to_numpy(), LARGEST)  # all of k samples wrong
        forecast = bs.forecast(posterior, k=LARGEST, group=name)["score_run"]
        what = f"share solved by {name} with {LARGEST:,} samples"
        # Seven claims at once: each at 1 - 0.05 / 7.
        yield bs.Claim(what, float(1 - failing.mean()), forecast, "counts of Brown et al. (2024)", prob=1 - 0.05 / 7)
