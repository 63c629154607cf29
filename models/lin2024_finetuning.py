"""Lin et al. (2024): the rectified law of fine-tuning, on 14 models times 3 tasks at once.

The runs are public. Each pair of model and task is a group of its own; all share strength. Fitted up to 409,600
examples; the runs on 819,200 are held out. No constants are at hand that these runs could be held to. What the law is
for is to extrapolate, so the claim is that held-out losses lie inside the 90 % bands as often as they should. They do
not: see below.
"""

import bayescale as bs

runs = bs.load_runs("finetuning_sft")
runs = runs.assign(pair=runs["model"].str.split("/").str[-1] + " " + runs["task"])
held_out = runs[~runs["is_train"]]
model = bs.Model("rectified", runs[runs["is_train"]], pool="pair")
sampling = {"seed": 1, "draws": 1000, "tune": 1000}  # by 500, R-hat of some of 200 quantities passes 1.01
slow = True

WHY = (
    "the 14 that miss all lie below their band, 7 of them of gigaword, where loss is 3.5 % lower than the law says (in "
    "the median; flan .4 %, wikiword .6 %): the last doubling of the data helps more than the curve before it promised"
)


def claims(posterior):
    """Yield the share of held-out losses inside the 90 % band."""
    loss = bs.forecast(posterior, held_out)["L_run"]
    low, high = (loss.quantile(q, ("chain", "draw")).to_numpy() for q in (0.05, 0.95))
    inside = (low <= held_out["L"].to_numpy()) & (held_out["L"].to_numpy() <= high)
    two_sd = 2 * (0.9 * 0.1 / len(held_out)) ** 0.5  # of a share of 42 independent runs
    yield bs.Claim(
        "share of held-out runs in the 90 % band", 0.9, inside.mean(), "its definition", within=two_sd, differs=WHY
    )
