"""Do the runs agree with published values? Inside or outside the joint 95 % region of the posterior."""

from dataclasses import dataclass

import numpy as np

from bayescale.answers.common import check_asked, unconverged, warn_unless_converged
from bayescale.errors import InputError
from bayescale.posterior import Posterior

REGION = 0.95


@dataclass(frozen=True)
class Agreement:
    """Where published values lie in a posterior.

    Parameters
    ----------
    key, source : str
        The published values.
    distance : float
        Mahalanobis distance from the posterior mean, in the law's coordinates.
    limit : float
        Radius of the joint 95 % region: the square root of a chi-squared quantile.
    doubt : str
        Why it is not to be trusted, where the fit has not converged.
    """

    key: str
    source: str
    distance: float
    limit: float
    doubt: str = ""

    @property
    def inside(self) -> bool:
        """Whether the published values lie inside the joint 95 % region."""
        return self.distance <= self.limit

    def __str__(self):
        where = "inside" if self.inside else "outside"
        return (
            f"{self.key} ({self.source}) lies {where} the joint {100 * REGION:.0f} % region: "
            f"distance {self.distance:.2f}, limit {self.limit:.2f}."
            f"{self.doubt and ' ' + self.doubt}"
        )


def agreement(posterior: Posterior, published: str, group: str | None = None) -> Agreement:
    """Locate published values in the posterior of a law's parameters.

    Parameters
    ----------
    posterior : Posterior
        A fit.
    published : str
        Key of the law's published values.
    group : str, optional
        Whose parameters, where the fit has groups.

    Returns
    -------
    Agreement
        The distance is taken where the posterior is closest to normal: in the sampler's coordinates of the law, else on
        the unconstrained scale.

    Raises
    ------
    InputError
        Unknown key or group; a posterior with groups and none named.
    """
    from scipy.stats import chi2

    check_asked(posterior, group=group)
    warn_unless_converged(posterior)
    model = posterior.model
    if model.group and group is None:
        raise InputError(f"Name the group to compare with, one of {', '.join(model.groups)}.")
    entry = model.law.find(published)
    draws = posterior.params(group)
    point = model.law.from_paper(entry.values, model.reference)
    zero = [symbol for symbol, groups in model.zero.items() if group in groups]
    cloud = _vector(model.law, {p.symbol: draws[p.symbol].to_numpy().ravel() for p in model.law.params}, zero)
    target = _vector(model.law, {symbol: np.asarray(value, dtype=float) for symbol, value in point.items()}, zero)
    away = target - cloud.mean(axis=1)
    distance = float(np.sqrt(away @ np.linalg.solve(np.cov(cloud), away)))
    doubt = "" if posterior.converged else unconverged(posterior)
    return Agreement(published, entry.source, distance, float(np.sqrt(chi2.ppf(REGION, len(target)))), doubt)


def _vector(law, values, zero) -> np.ndarray:
    """Parameters that are not zero on the unconstrained scale, in the law's coordinates where it has them."""
    u = {p.symbol: p.support.unconstrain(values[p.symbol]) for p in law.params if p.symbol not in zero}
    if zero:
        return np.stack(list(u.values()))
    if law.coordinates is None:
        return np.stack([u[p.symbol] for p in law.params])
    return np.stack(law.coordinates.forward(u))
