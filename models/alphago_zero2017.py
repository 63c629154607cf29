"""AlphaGo Zero: twice the model and training, or twice the search, is worth 120 Elo.

Simulated: the rule is of a talk by Noam Brown, without runs. It makes players of nine training computes and nine
amounts of search, with a scatter of 30 Elo, and is to be found again. Both ways a decade is worth 398 Elo, and one
replaces the other at par.
"""

import itertools

import numpy as np
import pandas as pd

import bayescale as bs

ELO_OF_TWICE = 120.0
SOURCE = "Noam Brown, talk on planning in poker, Hanabi and Go: AlphaGo Zero"
decade = ELO_OF_TWICE / np.log10(2)
# The talk's scale has no zero: here it is at 1e20 FLOP of training and 1e12 of search.
truth = {"c": 20.0 + 12.0, "r": 1.0, "k": 1 / decade}

players = itertools.product(np.geomspace(1e20, 1e24, 9), np.geomspace(1e12, 1e15, 9))
design = pd.DataFrame(players, columns=["C_train", "C_test"]).assign(elo=1000.0)
runs = bs.simulate(bs.Model("elo_exchange", design, noise="normal"), {**truth, "sigma": 30.0}, seed=1)
model = bs.Model("elo_exchange", runs, noise="normal")


def claims(posterior):
    """Yield what twice of either is worth, and how one replaces the other."""
    draws, hex_law = posterior.dataset, bs.LAWS["elo_exchange"].find("jones2021").values
    of_search = np.log10(2) / draws["k"]
    prob = 1 - 0.05 / 3  # three claims at once
    yield bs.Claim("Elo for twice the search", ELO_OF_TWICE, of_search, SOURCE, prob=prob)
    yield bs.Claim("Elo for twice the training", ELO_OF_TWICE, draws["r"] * of_search, SOURCE, prob=prob)
    yield bs.Claim("decades of search for one of training", 1.0, draws["r"], SOURCE, prob=prob)
    yield bs.Claim("Elo for ten times the search", 398.0, decade, "120 log2 x = 398 log10 x", within=1.0)
    differs = "on Hex a decade of search is worth 250 Elo, and one of training 300; the rule is of Go"
    yield bs.Claim(
        "Elo for ten times the search on Hex",
        398.0,
        1 / hex_law["k"],
        "arXiv:2104.03113, figure 9",
        within=40.0,
        differs=differs,
    )
