"""Bhagia et al. (2024): a ladder of small models foretells the accuracy of a larger one, in two steps.

Step one is the loss on the right answer, in bits per byte, against parameters and tokens; step two the accuracy
against that loss. The public table has the ladder and 3B runs, not the paper's 7B and 13B: sizes up to 1.3B, as in
the paper, are fitted, and the claims are the accuracies measured on the largest 3B run, 6 times the compute of any
run fitted. Each task has its own curves, partially pooled, but for the ceiling, which few small runs come near: it is
one for all. Draws of the loss go through draws of the sigmoid, so that the errors of both steps count.
"""

import pandas as pd

import bayescale as bs

CHANCE = {
    "mmlu": 1 / 4,
    "hellaswag": 1 / 4,
    "arc_challenge": 1 / 4,
    "arc_easy": 1 / 4,
    "piqa": 1 / 2,
    "csqa": 1 / 5,
    "socialiqa": 1 / 3,
    "openbookqa": 1 / 4,
}
ladder = bs.load_runs("olmo_ladder")


def of_task(task, chance):
    """Rows of one task: its loss and its accuracy."""
    measured = {"L": ladder[f"bpb_{task}"], "accuracy": ladder[f"acc_{task}"]}
    return ladder[["run", "size", "N", "D"]].assign(task=task, chance=chance, **measured)


runs = pd.concat([of_task(task, chance) for task, chance in CHANCE.items()], ignore_index=True)
small = runs[runs["size"] != "3B"]
models = {
    "loss": bs.Model("chinchilla", small, pool="task"),
    "accuracy": bs.Model("sigmoid_of_loss", small, pool={"*": "task", "reach": "complete"}, noise="normal"),
    "at once": bs.Model("two_step", small.drop(columns="L"), pool="task", noise="normal"),
}
slow = True


def claims(posteriors):
    """Yield the accuracy of the largest run on each task."""
    largest = runs[runs["run"] == "3B-10xC"].set_index("task")
    both = bs.chain(posteriors["loss"], posteriors["accuracy"])
    for task, run in largest.iterrows():
        accuracy = bs.forecast(both, group=task, N=run["N"], D=run["D"], chance=run["chance"])["accuracy_run"]
        # Eight claims at once: each at 1 - 0.05 / 8.
        yield bs.Claim(f"accuracy on {task} at 3B", run["accuracy"], accuracy, "the ladder's table", prob=1 - 0.05 / 8)
