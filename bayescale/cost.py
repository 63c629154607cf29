"""What a training run costs; each cost is a function of the run's inputs."""

import inspect
from collections.abc import Callable
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from bayescale.errors import InputError


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


def with_inference(N, D, D_inference):
    """Compute over a model's life, in FLOP: its training and all its later use.

    Parameters
    ----------
    N : float or array_like
        Parameters (count).
    D : float or array_like
        Training tokens (count).
    D_inference : float or array_like
        Tokens read and written over the model's life (count).

    Returns
    -------
    float or array_like
        ``6 * N * D + 2 * N * D_inference``; a token in use costs the forward pass alone.

    References
    ----------
    .. [1] Sardana et al. (2024), arXiv:2401.00448, equation 3.
    """
    return six_nd(N, D) + 2.0 * N * D_inference


def dollars_per_flop(dollars_per_hour, flop_per_second):
    """Price of one FLOP on hardware that is never idle, in dollars.

    Parameters
    ----------
    dollars_per_hour : float or array_like
        Price of one device for an hour.
    flop_per_second : float or array_like
        Peak speed of that device, at the precision that will be used.
    """
    return dollars_per_hour / (3600.0 * flop_per_second)


def dollars(
    N,
    D,
    D_input=0.0,
    D_output=0.0,
    *,
    training_price,
    inference_price,
    training_utilisation,
    input_utilisation,
    output_utilisation,
):
    """Money spent over a model's life, in the currency of the prices.

    Reading a prompt fills the hardware, writing an answer token by token does not; so the two have their own
    utilisation. Training and use may run on different hardware, each with its own price.

    Parameters
    ----------
    N : float or array_like
        Parameters (count).
    D : float or array_like
        Training tokens (count).
    D_input, D_output : float or array_like
        Tokens read and tokens written over the model's life (count).
    training_price, inference_price : float or array_like
        Price of one FLOP at full utilisation (`dollars_per_flop`).
    training_utilisation, input_utilisation, output_utilisation : float or array_like
        Share of the peak speed that is reached (model FLOP utilisation), above 0 and at most 1.

    References
    ----------
    .. [1] Sardana et al. (2024), arXiv:2401.00448, equation 6.
    """
    training = six_nd(N, D) / _share("training_utilisation", training_utilisation)
    reading = D_input / _share("input_utilisation", input_utilisation)
    writing = D_output / _share("output_utilisation", output_utilisation)
    return training_price * training + inference_price * 2.0 * N * (reading + writing)


def low_precision(N, D, P):
    """Training cost where arithmetic is cheaper at fewer bits, in FLOP at 16 bits.

    Parameters
    ----------
    N : float or array_like
        Parameters (count).
    D : float or array_like
        Training tokens (count).
    P : float or array_like
        Bits of weights, activations and attention cache alike; 16 gives `six_nd`.

    Returns
    -------
    float or array_like
        ``(6 / 16) * N * D * P``.

    References
    ----------
    .. [1] Kumar et al. (2024), arXiv:2411.04330.
    """
    return six_nd(N, D) * P / 16.0


def transformer_forward(d_model, n_layers, n_heads, key_size, ffw_size, vocabulary, sequence):
    """Forward pass of a dense transformer over one sequence, in FLOP, counted matrix by matrix.

    Parameters
    ----------
    d_model : float or array_like
        Width of the residual stream.
    n_layers, n_heads, key_size : float or array_like
        Layers, heads of each layer, width of each head.
    ffw_size : float or array_like
        Width inside the feed-forward block of two matrices.
    vocabulary : float or array_like
        Entries of the vocabulary; 0 leaves out the embedding and the final logits.
    sequence : float or array_like
        Tokens in the sequence, each attending to all of them.

    Notes
    -----
    The embedding is counted as a matrix product, as the paper's list has it. The paper's table A4 of ratios to ``6ND``
    is not this total: its six figures are those of the layers alone (``vocabulary=0``) at 2,048 tokens, with ``N``
    counting the embedding and the projection of relative positions.

    References
    ----------
    .. [1] Hoffmann et al. (2022), arXiv:2203.15556, appendix F.
    """
    heads = n_heads * key_size
    projections = 2.0 * sequence * d_model * heads * 4.0  # query, key, value and output
    scores = 2.0 * sequence**2.0 * heads * 2.0  # query by key, then weights by value
    softmax = 3.0 * n_heads * sequence**2.0
    dense = 2.0 * sequence * d_model * ffw_size * 2.0
    ends = 2.0 * sequence * vocabulary * d_model * 2.0  # embedding and final logits
    return ends + n_layers * (projections + scores + softmax + dense)


def transformer_training(D, d_model, n_layers, n_heads, key_size, ffw_size, vocabulary, sequence):
    """Training compute of a dense transformer, in FLOP, counted matrix by matrix.

    Parameters
    ----------
    D : float or array_like
        Training tokens (count), in sequences of ``sequence`` tokens.
    d_model, n_layers, n_heads, key_size, ffw_size, vocabulary, sequence : float or array_like
        Shape of the model, as in `transformer_forward`.

    Returns
    -------
    float or array_like
        Three forward passes over each sequence: the backward pass costs two.

    References
    ----------
    .. [1] Hoffmann et al. (2022), arXiv:2203.15556, appendix F.
    """
    forward = transformer_forward(d_model, n_layers, n_heads, key_size, ffw_size, vocabulary, sequence)
    return 3.0 * forward * (D / sequence)


def exact_flop(N, D, vocabulary=32_000.0, sequence=2_048.0, aspect_ratio=100.0):
    """Training compute of a dense transformer of ``N`` parameters, in FLOP, counted matrix by matrix.

    The shape follows from the size: ``aspect_ratio`` times as wide as deep, feed-forward blocks four times the width,
    heads that together have the width, an embedding of its own for input and output tied: ``N = 12 l d**2 + V d``.

    Parameters
    ----------
    N : float or array_like
        Parameters, those of the embedding included (count).
    D : float or array_like
        Training tokens (count), in sequences of ``sequence`` tokens.
    vocabulary, sequence : float or array_like
        Entries of the vocabulary, above 0, and tokens in a sequence.
    aspect_ratio : float or array_like
        Width over number of layers: 102 for Chinchilla (70B), 205 for Gopher (280B).

    References
    ----------
    .. [1] Hoffmann et al. (2022), arXiv:2203.15556, appendix F.
    """
    # 12 d**3 / aspect_ratio + V d = N, by the hyperbolic form of the one real root, which subtracts nothing.
    scale = np.sqrt(vocabulary * aspect_ratio / 36.0)
    d_model = 2.0 * scale * np.sinh(np.arcsinh(N * aspect_ratio / (8.0 * scale**3.0) / 3.0) / 3.0)
    key_size = 128.0
    return transformer_training(
        D, d_model, d_model / aspect_ratio, d_model / key_size, key_size, 4.0 * d_model, vocabulary, sequence
    )


def hours(N, D, devices, flop_per_second, utilisation):
    """Time a training run takes, in hours.

    Parameters
    ----------
    N : float or array_like
        Parameters (count).
    D : float or array_like
        Training tokens (count).
    devices : float or array_like
        Devices at work (count).
    flop_per_second : float or array_like
        Peak speed of one device.
    utilisation : float or array_like
        Share of the peak speed that is reached (model FLOP utilisation), above 0 and at most 1.
    """
    speed = devices * flop_per_second * _share("utilisation", utilisation)
    return six_nd(N, D) / speed / 3600.0


def training_dollars(N, D, dollars_per_hour, flop_per_second, utilisation):
    """Price of a training run, in dollars: that of its device hours.

    Parameters
    ----------
    N : float or array_like
        Parameters (count).
    D : float or array_like
        Training tokens (count).
    dollars_per_hour : float or array_like
        Price of one device for an hour.
    flop_per_second, utilisation : float or array_like
        Peak speed of that device, and the share of it that is reached.
    """
    return dollars_per_hour * hours(N, D, 1.0, flop_per_second, utilisation)


def sparse_six_nd(N_total, D, S):
    """Training compute of a routed transformer, in FLOP: a token pays for the experts it sees.

    Parameters
    ----------
    N_total : float or array_like
        Parameters, all experts counted.
    D : float or array_like
        Training tokens (count).
    S : float or array_like
        Sparsity: share of the experts that a token does not see, taken for the share of all parameters: attention and
        embedding, which every token sees, are neglected.
    """
    return six_nd(N_total * (1.0 - S), D)


def cost_unit(cost: Callable[..., Any]) -> str:
    """Unit of a cost: of a known one its own, of the user's what its attribute ``unit`` says."""
    while isinstance(cost, partial):
        cost = cost.func
    return getattr(cost, "unit", "") or _UNITS.get(cost, "units of the cost")


def cost_arguments(cost: Callable[..., Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names that a cost must be given, and those that have a default."""
    try:
        found = inspect.signature(cost).parameters.values()
    except (TypeError, ValueError):
        raise InputError(f"The cost must be a function such as six_nd; {cost!r} was given.") from None
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD, p.POSITIONAL_ONLY) for p in found):
        raise InputError(f"The cost {cost!r} must name its arguments, as in `lambda N, D: 6 * N * D`.")
    needed = tuple(p.name for p in found if p.default is p.empty)
    return needed, tuple(p.name for p in found if p.default is not p.empty)


def _share(name, value):
    if np.all((value > 0) & (value <= 1)):
        return value
    raise InputError(
        f"'{name}' (share of the peak speed that is reached) must lie above 0 and at most at 1; "
        f"given {np.min(value):g} to {np.max(value):g}. Give 0.4 for 40 per cent."
    )


_UNITS = {
    six_nd: "FLOP",
    with_inference: "FLOP",
    dollars: "dollars",
    training_dollars: "dollars",
    hours: "hours",
    low_precision: "FLOP at 16 bits",
    exact_flop: "FLOP",
    transformer_training: "FLOP",
    sparse_six_nd: "FLOP",
}
# By name, for the command line.
COSTS = MappingProxyType(
    {
        cost.__name__: cost
        for cost in (
            six_nd,
            with_inference,
            training_dollars,
            dollars,
            hours,
            low_precision,
            exact_flop,
            sparse_six_nd,
        )
    }
)
