"""What can be wrong with what the user gave, in words the command line can print as they stand."""


class InputError(ValueError):
    """The user's mistake: what is wrong, what was given, what to do."""


class BayescaleWarning(UserWarning):
    """Something the user must know before trusting an answer: a doubtful table, a misfit, a prior-driven result."""


class ConvergenceWarning(BayescaleWarning):
    """The sampler has not converged; answers from these draws are not to be trusted."""
