"""What a training run costs; each cost is a function of the run's inputs."""


def six_nd(N, D):
    """Training compute of a dense transformer, in FLOP.

    Parameters
    ----------
    N : float or array_like
        Parameters (count).
    D : float or array_like
        Training tokens (count).

    Returns
    -------
    float or array_like
        ``6 * N * D``: two FLOP per parameter and token forward, four backward.

    References
    ----------
    .. [1] Kaplan et al. (2020), arXiv:2001.08361, section 2.1.
    """
    return 6.0 * N * D
