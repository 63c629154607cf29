"""Villalobos & Atkinson (2023): how many decades of training a decade of inference is worth.

Two of the paper's trade spans follow from laws here. A Chinchilla-optimal model made smaller needs more tokens for
the same loss: 1.2 decades more training buy .7 decades less compute for each token of use. This ratio does not depend
on the budget. It is asked of the posterior of the digitised Chinchilla runs, and of Hoffmann's printed constants. The
other is search: 1.6 decades of it for one of training where play is weak, from the runs of Jones (2021), whose own
line for Hex 9 x 9 says 1.2. The spans of pruning and of repeated samples are read off figures, without a formula.
"""

import numpy as np

import bayescale as bs

SAVED = 0.7  # decades of inference compute
SOURCE = "Villalobos & Atkinson (2023), epoch.ai, section on scaling policies"
model = bs.Model("chinchilla", bs.load_runs("chinchilla"))


def training_for(saved, E, A, B, alpha, beta):
    """Decades of training compute that pay for ``saved`` decades of inference, from the optimum, at the same loss.

    Of the loss above the floor, ``beta / (alpha + beta)`` is owed to size at the optimum and the rest to tokens. ``E``,
    ``A`` and ``B`` cancel. Infinite where no tokens make up for the smaller model.
    """
    of_size, of_tokens = beta / (alpha + beta), alpha / (alpha + beta)
    left = (1 - of_size * 10 ** (alpha * saved)) / of_tokens  # of the term of tokens, relative to the optimum
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(left > 0, -np.log10(left) / beta - saved, np.inf)


def claims(posterior):
    """Yield the two spans."""
    draws = posterior.dataset
    symbols = ("E", "A", "B", "alpha", "beta")
    ours = training_for(SAVED, *(draws[symbol].to_numpy() for symbol in symbols))
    yield bs.Claim("decades of training for .7 of inference, digitised runs", 1.2, ours, SOURCE, within=0.05)
    printed = bs.LAWS["chinchilla"].find("hoffmann2022").values
    differs = (
        "with these exponents .45 of the reducible loss is owed to size, with Besiroglu's .51, and a smaller model "
        "costs less to make up for: 1.2 decades of training pay for .8 of inference"
    )
    of_printed = training_for(SAVED, **printed)
    yield bs.Claim("the same, Hoffmann's constants", 1.2, of_printed, SOURCE, within=0.1, differs=differs)
    # One to two decades of inference for one of training is the paper's span for most tasks.
    hex_rate = bs.LAWS["elo_exchange"].find("jones2021").values["r"]
    yield bs.Claim("decades of search for one of training, Hex", 1.5, hex_rate, SOURCE, within=0.5)
    differs = "1.6 is read off the weakest play of the curves; the line fitted to all of them has 1.2"
    yield bs.Claim("the same, where play is weak", 1.6, hex_rate, SOURCE, within=0.05, differs=differs)
