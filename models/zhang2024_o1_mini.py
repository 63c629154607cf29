"""Zhang and Chen (2024): the accuracy of o1-mini on AIME rises with the log of the tokens it spends.

Two laws: a sigmoid in log tokens, with counts of questions and a chance of one answer in a thousand; and a straight
line in log tokens, as in the figure of the o1 report (2024), which prints no numbers. Budgets asked for in the
prompt, up to 11,000 tokens a question, are fitted; the claims are the accuracies measured by majority vote at 22,000
and 88,000 tokens. The accuracy at 43,000, no count of 30 questions, is left out. Nobody printed numbers: those
claimed are the table's own. Up to 88,000 tokens the two laws cannot be told apart.
"""

import bayescale as bs

table = bs.load_runs("o1_mini_aime").assign(chance=1e-3)
table = table.rename(columns={"n_questions": "n_trials", "mean_tokens_used": "tokens"})
columns = ["tokens", "chance", "accuracy", "n_trials"]
prompted = table.loc[table["method"] == "prompted_budget", columns]
models = {
    "sigmoid": bs.Model("sigmoid_of_compute:tokens", prompted, noise="binomial"),
    "line": bs.Model(
        "log_linear:tokens", prompted[["tokens", "accuracy"]].rename(columns={"accuracy": "score"}), noise="normal"
    ),
}


def claims(posteriors):
    """Yield the accuracies measured beyond the tokens fitted."""
    beyond = table[table["requested_tokens"].isin([4096, 16384])]
    for _, run in beyond.iterrows():
        tokens = run["tokens"]
        ours = {
            "sigmoid": bs.forecast(posteriors["sigmoid"], tokens=tokens, chance=1e-3)["accuracy_run"],
            "line": bs.forecast(posteriors["line"], tokens=tokens)["score_run"],
        }
        for law, draws in ours.items():
            # Four claims at once: each at 1 - 0.05 / 4.
            what = f"accuracy at {tokens:,.0f} tokens, {law}"
            yield bs.Claim(what, run["accuracy"], draws, "the table", prob=1 - 0.05 / 4)
