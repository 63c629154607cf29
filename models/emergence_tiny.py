"""Emergence on the embedded ladder: where tasks leave chance, and how sudden that is under two ways of counting.

No paper has these numbers: the runs were measured for bayescale. The claims are the closed form of Schaeffer et al.
(2023): an answer of K tokens is right when each token is, so that the share of whole answers is half-way up where the
share of tokens is the K-th root of that. The share of tokens, each given the right ones before it, is fitted with the
same law. Tokens are the axis: on this ladder accuracy is not monotone in compute. mod10 is left out: its answer is
one token, so that both ways of counting are one.
"""

import numpy as np

import bayescale as bs

runs = bs.load_runs("tiny_emergence").query("task != 'mod10'")
K = runs["answer_tokens"]
columns = ["task", "D", "chance", "accuracy", "n_trials"]
by_token = runs.assign(accuracy=runs["token_accuracy"], n_trials=K * runs["n_trials"], chance=runs["chance"] ** (1 / K))
# Every task is solved by the largest runs; a step between two rungs is no evidence that a task is free of scatter.
POOL = {"*": "task", "reach": "complete", "phi": "complete"}
models = {
    "answers": bs.Model("sigmoid_of_compute:D", runs[columns], pool=POOL),
    "tokens": bs.Model("sigmoid_of_compute:D", by_token[columns], pool=POOL),
}


def claims(posteriors):
    """Yield, for each task, the share of right tokens where whole answers are half-way up."""
    half_way, draws = posteriors["answers"].dataset["x_mid"], posteriors["tokens"].dataset.sizes["draw"]
    tasks = runs.groupby("task")[["answer_tokens", "chance"]].first()
    for task, (length, chance) in tasks.iterrows():
        paired = half_way.sel(task=task).isel(draw=np.arange(draws) % half_way.sizes["draw"])  # of independent fits
        share = bs.forecast(posteriors["tokens"], group=task, D=paired, chance=chance ** (1 / length))
        yield bs.Claim(
            f"share of right tokens where half the answers of {task} are right",
            ((1 + chance) / 2) ** (1 / length),
            share["accuracy"],
            "Schaeffer et al. (2023), arXiv:2304.15004, section 3: p^K",
            prob=1 - 0.05 / len(tasks),  # of as many claims at once
        )
