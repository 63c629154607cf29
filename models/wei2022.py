"""Wei et al. (2022), table 1: where abilities emerged, in compute and size, and the training tokens that the two imply.

Closed form; nothing is fitted. With C = 6ND the two columns of the table give the tokens of each model. Models of one
family stand on one number of tokens, within what two digits of compute allow, and Chinchilla, at Gopher's compute, on
four times as many. The rows of many BIG-Bench tasks, without numbers, are left out. The embedded ladder
(`emergence_tiny`) and public scores (`owen2024`) have posteriors of such thresholds; the table has none, as the
scales were read off plots.
"""

import bayescale as bs

SOURCE = "arXiv:2206.07682, table 1"
TABLE = {  # ability: model, training compute in FLOP, parameters at which it first shows
    "addition and subtraction, 3 digits": ("GPT-3", 2.3e22, 13e9),
    "addition and subtraction, 4 to 5 digits": ("GPT-3", 3.1e23, 175e9),
    "MMLU, mean of 57 topics": ("GPT-3", 3.1e23, 175e9),
    "toxicity classification": ("Gopher", 1.3e22, 7.1e9),
    "TruthfulQA": ("Gopher", 5.0e23, 280e9),
    "MMLU, 26 topics": ("Gopher", 5.0e23, 280e9),
    "grounded conceptual mappings": ("GPT-3", 3.1e23, 175e9),
    "MMLU, 30 topics": ("Chinchilla", 5.0e23, 70e9),
    "word in context": ("PaLM", 2.5e24, 540e9),
    "instruction following": ("FLAN", 1.3e23, 68e9),
    "scratchpad, addition of 8 digits": ("LaMDA", 8.9e19, 40e6),
    "open-book fact checking": ("Gopher", 1.3e22, 7.1e9),
    "chain of thought, word problems": ("LaMDA", 1.3e23, 68e9),
    "chain of thought, StrategyQA": ("PaLM", 2.9e23, 62e9),
    "differentiable search index": ("T5", 3.3e22, 11e9),
    "self-consistency": ("LaMDA", 1.3e23, 68e9),
    "leveraging explanations": ("Gopher", 5.0e23, 280e9),
    "least-to-most": ("GPT-3", 3.1e23, 175e9),
    "zero-shot chain of thought": ("GPT-3", 3.1e23, 175e9),
    "calibration by P(true)": ("Anthropic", 2.6e23, 52e9),
    "multilingual chain of thought": ("PaLM", 2.9e23, 62e9),
    "ask-me-anything prompting": ("EleutherAI", 1.4e22, 6e9),
}
LARGEST = {  # family: an ability of its largest model, that its others are compared with
    "GPT-3": "MMLU, mean of 57 topics",
    "Gopher": "TruthfulQA",
    "PaLM": "word in context",
    "LaMDA": "self-consistency",
}


def tokens(ability):
    """Training tokens that a row of the table implies."""
    _, C, N = TABLE[ability]
    return C / bs.six_nd(N, 1.0)


def claims():
    """Yield ratios of the tokens implied, rounding of the table allowed for."""
    for family, largest in LARGEST.items():
        smaller = {row for row, (model, _, N) in TABLE.items() if model == family and TABLE[largest][2] > N}
        for row in sorted(smaller):
            ratio, what = tokens(row) / tokens(largest), f"tokens of {family}, {row}, over those of the largest"
            if family == "LaMDA":
                differs = "the scratchpad models of 40 million parameters were trained for longer for their size"
                yield bs.Claim(what, 1, ratio, SOURCE, within=0.05, differs=differs)
            else:
                yield bs.Claim(what, 1, ratio, SOURCE, within=0.05)
    source = "arXiv:2203.15556, abstract"
    four = tokens("MMLU, 30 topics") / tokens("TruthfulQA")
    yield bs.Claim("tokens of Chinchilla over those of Gopher", 4, four, source, within=0.05)
    published = "arXiv:2005.14165 and arXiv:2112.11446, tables of training"
    for family in ("GPT-3", "Gopher"):
        yield bs.Claim(f"tokens of {family}, billions", 300, tokens(LARGEST[family]) / 1e9, published, within=5)
