"""bayescale: Bayesian neural scaling laws, from a table of runs to answers with honest intervals."""

from importlib import import_module

__version__ = "0.1.0"

# The face: name -> module. Nothing is imported before it is used, so that `import bayescale` costs nothing.
_HOME = {
    "InputError": "errors",
    "BayescaleWarning": "errors",
    "ConvergenceWarning": "errors",
    "Prior": "prior",
    "read_runs": "runs",
    "six_nd": "cost",
    "with_inference": "cost",
    "average_seeds": "measured",
    "load_runs": "datasets",
    "DATASETS": "datasets",
    "Law": "law",
    "Param": "law",
    "Input": "law",
    "Published": "law",
    "LAWS": "laws",
    "Model": "model",
    "fit": "inference",
    "fit_many": "many",
    "Posterior": "posterior",
    "open_posterior": "posterior",
    "sample_prior": "simulation",
    "simulate": "simulation",
    "forecast": "answers.forecast",
    "fit_curves": "curves.fitting",
    "Curves": "curves.fitting",
    "extrapolate": "answers.extrapolation",
    "extrapolation_table": "answers.extrapolation",
    "extrapolation_sentences": "answers.extrapolation",
    "allocate": "answers.allocation",
    "allocation_sentences": "answers.allocation",
    "deviation": "answers.deviation",
    "threshold": "answers.threshold",
    "crossed_by": "answers.threshold",
    "threshold_table": "answers.threshold",
    "detection_limit": "answers.detection",
    "chain": "answers.chain",
    "sharpness": "answers.sharpness",
    "breaks": "answers.breaks",
    "compare": "answers.comparison",
    "stack": "answers.stacking",
    "Stack": "answers.mixture",
    "open_stack": "answers.mixture",
    "backtest": "answers.backtest",
    "backtest_table": "answers.backtest",
    "backtest_sentences": "answers.backtest",
    "recommend": "answers.recommendation",
    "Recipe": "answers.recommendation",
    "contrast": "answers.contrast",
    "multiplier": "answers.multiplier",
    "update": "answers.updating",
    "refit": "answers.updating",
    "design": "answers.design",
    "to_dataframe": "answers.frames",
    "check_law": "testing",
    "agreement": "answers.agreement",
    "check_fit": "answers.check",
    "sensitivity": "answers.sensitivity",
    "identify": "answers.identification",
    "Claim": "answers.reproduction",
    "reproduce": "answers.reproduction",
    "plot_forecast": "plots.forecast",
    "plot_extrapolation": "plots.extrapolation",
    "plot_allocation": "plots.allocation",
    "plot_threshold": "plots.threshold",
    "plot_exponents": "plots.exponents",
    "plot_comparison": "plots.comparison",
    "plot_check": "plots.check",
    "plot_design": "plots.design",
    "plot_contrast": "plots.contrast",
    "plot_multiplier": "plots.multiplier",
    "plot_update": "plots.update",
    "plot_backtest": "plots.backtest",
    "plot_prior": "plots.prior",
    "plot_posterior": "plots.posterior",
    "save_figure": "plots.common",
    "report": "reports.report",
}

__all__ = ["__version__", *_HOME]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module 'bayescale' has no attribute {name!r}")
    return getattr(import_module(f"bayescale.{_HOME[name]}"), name)


def __dir__():
    return sorted(__all__)
