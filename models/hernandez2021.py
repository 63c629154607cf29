"""Hernandez et al. (2021): what pre-training on text is worth in Python characters, recovered from the paper's design.

Simulated: the runs are not public. First the effective data themselves, 4 sizes times 6 amounts of fine-tuning data,
scattered by 10 %, with the constants printed. Then losses alone, of fine-tuned and of from-scratch models, scattered by
1 %; from them the law must tell how many characters of fine-tuning data pre-training stood in for. The constants of
Kaplan's law for Python are not in the paper's table; the ones used here are for illustration.
"""

import pandas as pd

import bayescale as bs

SIZES = [3e6, 2e7, 1.5e8, 1e9]
DATA = [1e5, 1e6, 1e7, 1e8, 1e9, 5e9]
design = pd.DataFrame([{"N": N, "D_F": D, "D_T": 1e9, "L": 1.0} for N in SIZES for D in DATA])
text = bs.LAWS["effective_data"].find("hernandez2021_text")
python = {"N_c": 1e11, "D_c": 2e11, "alpha_N": 0.09, "alpha_D": 0.12}


def simulated(law, runs, values, noise, **settings):
    """Return runs of a law at the paper's constants, as a model: made for its reference, then refitted for its own."""
    model = bs.Model(law, runs, **settings)
    truth = model.law.from_paper(values, model.reference) | noise
    return bs.Model(law, bs.simulate(model, truth, seed=1), **settings)


both = pd.concat([design.assign(start=start) for start in ("pre-trained", "scratch")])
starts = {"pool": {"*": "complete", "k_ref": "start:none"}, "zero": {"k_ref": "scratch"}}
student = {"sigma": 0.01, "nu": 20.0}
models = {
    "data": simulated("effective_data", design, text.values, {"sigma": 0.1, "nu": 20.0}),
    "loss": simulated("transfer", both, python | dict(text.values), student, **starts),
}
# Six marginal claims among the dozens on runs simulated in models/, all read together: 99.9 % each, as in check_law.
# (At 1 - 0.05 / 6 the end of one interval lies at its claim: inside or outside by the machine's rounding.)
prob = 0.999


def claims(posteriors):
    """Yield the constants of the data transferred, from the effective data and from the losses."""
    for name, posterior in posteriors.items():
        dataset = posterior.dataset.sel(start="pre-trained") if name == "loss" else posterior.dataset
        for symbol, value in text.values.items():
            yield bs.Claim(f"{symbol}, from the {name}", value, dataset[symbol], text.source, prob=prob)
