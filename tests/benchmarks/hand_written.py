"""The gradient of one model, written by hand for Numba: what compiled graphs are measured against."""

import math

import numba
import numpy as np


@numba.njit
def digamma(x):
    """Derivative of the log of the gamma function: recurrence up to 6, then its asymptotic series."""
    below = 0.0
    while x < 6:
        below += 1 / x
        x += 1
    z = 1 / (x * x)
    return math.log(x) - 0.5 / x - z * (1 / 12 - z * (1 / 120 - z * (1 / 252 - z * (1 / 240 - z / 132)))) - below


@numba.njit
def gradient_by_hand(x, log_N, log_D, y, priors, out):
    """Log density, up to a constant, of Chinchilla's law with Student-t noise, default priors; gradient into ``out``.

    ``x`` is (T, q_A, q_B, m_A, m_B, log sigma, log nu) of `bayescale.coordinates.LocalSlopes`; ``priors`` the location
    and scale of E, A, B, alpha, beta and sigma (LogNormal), shape and rate of nu (Gamma).
    """
    T, qA, qB, mA, mB, log_sigma, log_nu = x
    eA, eB = math.exp(qA), math.exp(qB)
    Z = 1 + eA + eB
    lZ, sA, sB = math.log(Z), eA / Z, eB / Z
    log_alpha, log_beta = mA - qA + lZ, mB - qB + lZ
    alpha, beta, sigma, nu = math.exp(log_alpha), math.exp(log_beta), math.exp(log_sigma), math.exp(log_nu)
    c, per = (nu + 1) / 2, 1 / (nu * sigma * sigma)
    dT = dA = dB = d_alpha = d_beta = d_sigma = d_nu = value = 0.0
    for i in range(y.size):
        u, v = math.exp(qA - alpha * log_N[i]), math.exp(qB - beta * log_D[i])
        w = 1 + u + v
        r = y[i] - (T - lZ + math.log(w))
        z = r * r * per
        log_tail = math.log1p(z)
        value -= c * log_tail
        g = 2 * c * r * per / (1 + z)
        pu, pv = g * u / w, g * v / w
        dT += g
        dA += pu
        dB += pv
        d_alpha -= pu * log_N[i]
        d_beta -= pv * log_D[i]
        d_sigma += 2 * c * z / (1 + z)
        d_nu += c * z / (1 + z) - 0.5 * nu * log_tail
    n = y.size
    value += n * (math.lgamma(c) - math.lgamma(nu / 2) - 0.5 * log_nu - log_sigma)
    d_sigma -= n
    d_nu += n * (0.5 * nu * (digamma(c) - digamma(nu / 2)) - 0.5)
    # The prior of the logs of E, A, B, alpha, beta.
    logs = (T - lZ, T - lZ + qA, T - lZ + qB, log_alpha, log_beta)
    pull = np.empty(5)
    for k in range(5):
        z = (logs[k] - priors[2 * k]) / priors[2 * k + 1]
        value -= 0.5 * z * z
        pull[k] = -z / priors[2 * k + 1]
    z = (log_sigma - priors[10]) / priors[11]
    value += -0.5 * z * z + priors[12] * log_nu - priors[13] * nu
    d_alpha = d_alpha * alpha + pull[3]
    d_beta = d_beta * beta + pull[4]
    levels = pull[0] + pull[1] + pull[2]
    through = -dT - levels + d_alpha + d_beta  # what lZ moves
    out[0] = dT + levels
    out[1] = dA + pull[1] - d_alpha + sA * through
    out[2] = dB + pull[2] - d_beta + sB * through
    out[3] = d_alpha
    out[4] = d_beta
    out[5] = d_sigma - z / priors[11]
    out[6] = d_nu + priors[12] - priors[13] * nu
    return value
