"""Gadre et al. (2024): the loss and the error of over-trained models, from five and six small runs.

The runs are public. As in the paper, loss is learnt from four models at 20 tokens per parameter and the smallest one
at 320; the mean error over 17 tasks from the five of RedPajama and a 1.4B model. What is then asked of RedPajama is a
1.4B model at 640 tokens per parameter and a 6.9B at 20. The paper fits by least squares and gives no intervals. Five
runs and four constants leave a posterior that is wide: it covers the fits, and the large runs. Normal noise, as least
squares has.
"""

import pandas as pd

import bayescale as bs

# fmt: off
TASKS = (
    "arc_easy", "bigbench_cs_algorithms", "bigbench_dyck_languages", "bigbench_novel_concepts",
    "bigbench_operators", "bigbench_qa_wikidata", "boolq", "commonsense_qa", "copa", "coqa", "hellaswag",
    "hellaswag_zeroshot", "lambada_openai", "piqa", "pubmed_qa_labeled", "squad", "winograd",
)
# fmt: on
SOURCE = "github.com/mlfoundations/scaling, exp_data: losses of commit 041eb2f, errors of 79adc26"
# The three large RedPajama models: loss on C4 and mean error over the 17 tasks, from the files of that folder.
LARGE = {
    "1.4B, 20 tokens each": {"N": 1439795200, "D": 28795904000, "L": 2.768757, "error": 0.547325},
    "1.4B, 640 tokens each": {"N": 1439795200, "D": 921468928000, "L": 2.502054, "error": 0.475215},
    "6.9B, 20 tokens each": {"N": 6889410560, "D": 137788211200, "L": 2.424993, "error": 0.471637},
}


def compute(N, D):
    """Inputs of the law: FLOP, and tokens per parameter."""
    return {"C": bs.six_nd(N, D), "M": D / N}


runs = bs.load_runs("gadre_overtraining")
runs = runs.assign(**compute(runs["N"], runs["D"]))
small = runs[(runs["chinchilla_multiplier"] == 1) | ((runs["chinchilla_multiplier"] == 16) & (runs["N"] < 2e7))]
tasks = bs.load_runs("gadre_downstream")
errors = tasks[tasks["task"].isin(TASKS)].groupby("run")["error"].mean()
of_redpajama = small[small["train_dataset"] == "rpj"][["run", "L"]].assign(error=lambda t: t["run"].map(errors))
six = pd.concat([of_redpajama, pd.DataFrame([LARGE["1.4B, 20 tokens each"]])])

NAMES = {"c4": "c4", "redpajama": "rpj", "refinedweb": "rw"}
models = {
    name: bs.Model("overtraining", small[small["train_dataset"] == key], noise="normal") for name, key in NAMES.items()
}
models["error"] = bs.Model("error_of_loss", six[["L", "error"]], noise="normal")
slow = True
prob = 1 - 0.05 / 9  # nine marginal claims on constants


def claims(posteriors):
    """Yield the constants of the fits, and the large runs as measured."""
    for name in NAMES:
        published = bs.LAWS["overtraining"].find(f"gadre2024_{name}")
        for symbol in ("E", "eta"):
            yield bs.Claim(
                f"{symbol}, {name}",
                published.values[symbol],
                posteriors[name].dataset[symbol],
                published.source,
                prob=prob,
            )
    published = bs.LAWS["error_of_loss"].find("gadre2024_redpajama_17")
    for symbol, value in published.values.items():
        ours = posteriors["error"].dataset[symbol]
        yield bs.Claim(f"{symbol}, redpajama, 17 tasks", value, ours, published.source, prob=prob)
    for what in ("1.4B, 640 tokens each", "6.9B, 20 tokens each"):
        run = LARGE[what]
        loss = bs.forecast(posteriors["redpajama"], **compute(run["N"], run["D"]))
        yield bs.Claim(f"measured loss, {what}", run["L"], loss["L_run"], SOURCE)
        error = bs.forecast(posteriors["error"], L=run["L"])
        yield bs.Claim(f"measured error at that loss, {what}", run["error"], error["error_run"], SOURCE)
