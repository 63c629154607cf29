"""Random numbers: an independent stream for each purpose, so that one seed never serves two of them."""

import numpy as np


def stream(purpose: str, seed: int = 0) -> np.random.Generator:
    """Generator for a purpose and a seed; the same two give the same numbers, another purpose gives unrelated ones."""
    return np.random.default_rng([int(seed), *purpose.encode()])
