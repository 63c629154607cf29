"""Random numbers: an independent stream for each purpose, so that one seed never serves two of them."""

import numpy as np

from bayescale.given import whole_number


def stream(purpose: str, seed: int = 0) -> np.random.Generator:
    """Generator for a purpose and a seed; the same two give the same numbers, another purpose gives unrelated ones."""
    return np.random.default_rng([whole_number("seed", seed), *purpose.encode()])
