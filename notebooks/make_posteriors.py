"""Fit what the notebooks open: `python notebooks/make_posteriors.py [NAME ...]`, all of it or a few by name.

Draws are thinned and rounded, so that the files stay small; the verdict on convergence is that of
all the draws. A law of one's own stands here as it stands in the sixth notebook: a posterior opens only with the
formula that it was fitted with.
"""

import sys
from pathlib import Path

import numpy as np

import bayescale as bs
from bayescale.law import LOSS, PARAMETERS, TOKENS, Amplitude
from bayescale.prior import POSITIVE

FOLDER = Path(__file__).parent / "posteriors"
SEED = 1
MODALITIES = ("code", "image", "math", "music", "speech", "text")
FEW = 6  # runs that a modality is left with, in the second notebook
LARGEST = 10  # runs of text that are held out, in the third


def sweep():
    """Runs of six modalities, with what the law asks for."""
    return bs.load_runs("tiny_sweep")[["modality", "N", "D", "C", "L"]]


def of(modality):
    """Runs of one modality."""
    runs = sweep()
    return runs[runs["modality"] == modality].drop(columns="modality").reset_index(drop=True)


def cheapest(runs):
    """Return the cheapest few runs of each modality."""
    return runs.sort_values("C", kind="stable").groupby("modality").head(FEW).sort_index()


def few_of(modality):
    """All runs of the other modalities, and the cheapest few of this one."""
    runs = sweep()
    return runs[(runs["modality"] != modality) | runs.index.isin(cheapest(runs).index)]


def small(runs):
    """All but the largest runs."""
    return runs.sort_values("C", kind="stable").iloc[:-LARGEST].sort_index()


def simulated():
    """Runs that Hoffmann's law made, one pair of exponents for all; three modalities keep only a few."""
    truth = {
        "E": dict(zip(MODALITIES, (1.1, 0.65, 1.5, 1.1, 3.7, 1.05), strict=True)),
        "A_ref": dict(zip(MODALITIES, (0.12, 0.08, 0.05, 0.13, 0.07, 0.14), strict=True)),
        "B_ref": dict(zip(MODALITIES, (0.88, 0.3, 0.25, 0.5, 0.4, 0.85), strict=True)),
        "alpha": 0.38,
        "beta": 0.28,
        "sigma": 0.01,
        "nu": 20,
    }
    runs = bs.simulate(bs.Model("chinchilla", sweep(), pool="modality:none"), truth, seed=SEED)
    return runs[~runs["modality"].isin(MODALITIES[:3]) | runs.index.isin(cheapest(runs).index)]


def ladder(law="sigmoid_from_plateau:D", by_token=False):
    """Counts of right answers, or of right tokens, on a ladder of tokens; tasks share only reach and scatter."""
    runs = bs.load_runs("tiny_emergence").query("task != 'mod10'")
    K = runs["answer_tokens"]
    if by_token:
        runs = runs.assign(
            accuracy=runs["token_accuracy"], n_trials=K * runs["n_trials"], chance=runs["chance"] ** (1 / K)
        )
    pool = {"*": "task", "reach": "complete", "phi": "complete"}
    return bs.Model(law, runs[["task", "D", "chance", "accuracy", "n_trials"]], pool=pool)


def one_exponent(N, D, E, A, B, alpha):
    """Return the law of the sixth notebook."""
    return E + A * N**-alpha + B * D**-alpha


def param(symbol, meaning, median, paper=None):
    """Return a positive parameter with a prior as wide as a factor of two either way."""
    prior, between_groups = bs.Prior("LogNormal", mu=np.log(median), sigma=0.8), bs.Prior("LogNormal", mu=-1, sigma=0.5)
    return bs.Param(symbol, meaning, "", POSITIVE, prior, between_groups, paper=paper)


OWN = bs.Law(
    "one_exponent",
    one_exponent,
    inputs=(PARAMETERS, TOKENS),
    output=LOSS,
    params=(
        param("E", "irreducible loss", 1.5),
        param("A_ref", "loss owed to size at the centre of the runs", 0.5, Amplitude("A", "N", "alpha")),
        param("B_ref", "loss owed to tokens there", 0.5, Amplitude("B", "D", "alpha")),
        param("alpha", "exponent of both", 0.3),
    ),
)

# Hoffmann's exponents, .34 and .28, to 5 %.
BELIEF = {"alpha": "LogNormal(-1.079, 0.05)", "beta": "LogNormal(-1.273, 0.05)"}

# Name of the file: how many draws of each of four chains are kept, and the model.
MODELS = {
    "pooled": (150, lambda: bs.Model("chinchilla", sweep(), pool="modality")),
    "separate": (150, lambda: bs.Model("chinchilla", sweep(), pool="modality:none")),
    **{f"few_{m}_pooled": (75, lambda m=m: bs.Model("chinchilla", few_of(m), pool="modality")) for m in MODALITIES},
    "simulated_alone": (75, lambda: bs.Model("chinchilla", simulated(), pool="modality:none")),
    "simulated_pooled": (75, lambda: bs.Model("chinchilla", simulated(), pool="modality")),
    "few_alone": (75, lambda: bs.Model("chinchilla", cheapest(sweep()), pool="modality:none")),
    **{f"text_{law}": (200, lambda law=law: bs.Model(law, of("text"))) for law in ("kaplan", "chinchilla")},
    **{
        f"text_{law}_small": (200, lambda law=law: bs.Model(law, small(of("text")))) for law in ("kaplan", "chinchilla")
    },
    **{
        f"text_{law}_departing_small": (200, lambda law=law: bs.Model(law, small(of("text")), discrepancy=True))
        for law in ("kaplan", "chinchilla")
    },
    "departing": (150, lambda: bs.Model("chinchilla", sweep(), pool="modality", discrepancy=True)),
    "answers": (150, lambda: ladder()),
    "answers_from_chance": (150, lambda: ladder("sigmoid_of_compute:D")),
    "tokens": (150, lambda: ladder(by_token=True)),
    "own_chinchilla": (200, lambda: bs.Model("chinchilla", of("music"))),
    "own_priors": (200, lambda: bs.Model("chinchilla", of("music"), priors=BELIEF)),
    "own_law": (200, lambda: bs.Model(OWN, of("music"))),
}


def rounded(x):
    """Numbers to a relative 1e-5, far below their spread: the file is half as large."""
    if x.dtype != float:
        return x
    mantissa, exponent = np.frexp(x)
    return np.ldexp(np.round(mantissa * 2**16) / 2**16, exponent)


def thinned(posterior, keep):
    """Return the posterior with so many draws of each chain, evenly spaced, and rounded."""
    chosen = np.linspace(0, posterior.draws["posterior"].sizes["draw"] - 1, keep).astype(int)
    draws = posterior.draws.copy()
    for name in ("posterior", "sample_stats"):
        kept = draws[name].to_dataset().isel(draw=chosen).assign_coords(draw=np.arange(keep))
        draws[name] = kept.map(rounded, keep_attrs=True)
    return bs.Posterior(posterior.model, draws, posterior.diagnostics, posterior.info)


def main(names):
    """Fit and save."""
    for name in names or MODELS:
        keep, model = MODELS[name]
        posterior = bs.fit(model(), seed=SEED)
        print(f"{name}: {posterior.diagnostics}", flush=True)
        thinned(posterior, keep).save(FOLDER / f"{name}.nc")


if __name__ == "__main__":
    main(sys.argv[1:])
