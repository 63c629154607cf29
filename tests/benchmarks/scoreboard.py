"""Scoreboard of forward splits: the large runs of public tables, forecast by the default from the small ones.

    python tests/benchmarks/scoreboard.py                            # the default on every table: an hour or two
    python tests/benchmarks/scoreboard.py --table olmo_ladder --model recommended
    python tests/benchmarks/scoreboard.py --inner                    # all models on inner splits, to choose among them
    python tests/benchmarks/scoreboard.py --points 3 5 8             # new groups, pooled and alone, on tiny_sweep
    python tests/benchmarks/scoreboard.py --summary                  # prints the log kept beside it

Inner splits hold out the largest fifth of the rows that the outer split fits; the outer test rows are no part of them.
Every evaluation is appended to the log, scoreboard.csv; one that the log has at the same commit is not made again.
Lines of split "outer, explored" are looks at the outer Chinchilla rows that were taken before this script existed and
before the default was settled (500 draws; seed 1): the default is not independent of those two tables.
Lines of split "inner, explored" are those the default was chosen on (models and weights of a stack; 1,200 draws by
importance sampling where it reached an effective size of 150, else NUTS); "inner far, explored" fits the lower 60 % of
those rows and forecasts the rest.
The outer rows of eight tables were scored on 25 November 2026 as well, with weights that were not shrunk from twenty
scored units on. Chinchilla's rows above 1e20 FLOP showed those to be too sure; the present shrinking was then taken
from "inner far, explored", and all ten tables scored once more. Two of them, ``gadre_overtraining`` and
``data_mixing_slimpajama``, had not been scored before.
``pythia_evals`` and ``clip_mammut_datacomp`` are for confirmation: scored once, on 25 November.
Some tables are read from a folder of tidy CSVs (``--folder``), the others by ``bs.load_runs``.
"""

import argparse
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import bayescale as bs
from bayescale.answers.scores import score

LOG = Path(__file__).with_suffix(".csv")
ROOT = Path(__file__).parents[2]
DOMAINS = ("arxiv", "book", "c4", "github", "commoncrawl", "stackexchange", "wikipedia", "openhermes")
LEAST, SHARE = 10, 0.2
NAIVE = ["last value", "log-log line", "least squares"]


@dataclass(frozen=True)
class Table:
    """A public table, how it is read, and where it is cut: a compute, or above a fifth of the runs, at least ten."""

    read: Callable[[Path], pd.DataFrame]
    cut: float | None = None
    held: Callable[[pd.DataFrame], Any] | None = None

    def fitted(self, folder: Path) -> tuple[pd.DataFrame, np.ndarray]:
        """Runs, and which of them the outer split fits."""
        runs = self.read(folder).reset_index(drop=True)
        if self.held is not None:
            return runs, ~np.asarray(self.held(runs))
        return runs, below(runs["C"].to_numpy(), self.cut)


def below(cost: np.ndarray, cut: float | None = None) -> np.ndarray:
    """Which runs cost less than the cut; by default the compute above which a fifth of the runs, at least ten, lie."""
    if cut is None:
        cut = np.sort(cost)[-max(LEAST, int(np.ceil(SHARE * len(cost))))] * (1 - 1e-6)
    return cost < cut


def chinchilla(_: Path) -> pd.DataFrame:
    """Read the 240 runs."""
    runs = bs.load_runs("chinchilla")
    return runs[~runs["is_outlier"]]


def porian(_: Path) -> pd.DataFrame:
    """Read the tuned experiment on RefinedWeb."""
    runs = bs.load_runs("porian_isoflop")
    return runs[runs["experiment"] == "refinedweb|tuned|short|const|standard|val"]


def misfitting(_: Path) -> pd.DataFrame:
    """Read the runs at their end."""
    runs = bs.load_runs("misfitting_c4")
    return runs[runs["is_final"]]


def slimpajama(folder: Path) -> pd.DataFrame:
    """Read the loss on each domain of the first mixture, the domains as groups."""
    runs: Any = pd.read_csv(folder / "data_mixing_slimpajama" / "data_mixing_slimpajama.csv")
    runs = runs[runs["mixture_id"] == runs["mixture_id"].min()]
    runs = runs.rename(columns={"params": "N", "tokens": "D", "flops": "C"})
    tables = [runs[["N", "D", "C"]].assign(domain=d, L=runs[f"loss_{d}"]) for d in DOMAINS]
    return pd.concat(tables).dropna()


def openclip(folder: Path) -> pd.DataFrame:
    """Read the error of zero-shot classification on ImageNet against parameters and samples seen."""
    runs: Any = pd.read_csv(folder / "openclip_laion" / "openclip_laion.csv")
    runs = runs[(runs["downstream_dataset"] == "imagenet1k") & (runs["metric"] == "top1_accuracy")]
    runs = runs.rename(columns={"params": "N", "samples_seen": "D", "error": "L", "forward_macs_total": "C"})
    return runs[["N", "D", "C", "L", "upstream_dataset"]]


def routed(_: Path) -> pd.DataFrame:
    """Read the runs with experts at their end, one router; cost is FLOP per step, all having as many steps."""
    runs = bs.load_runs("routed_moe")
    runs = runs[runs["is_final"] & (runs["router_type"] == "S-Base")]
    return runs.assign(C=runs["flops_per_step"])[["N", "experts", "C", "L"]]


def hexagons(_: Path) -> pd.DataFrame:
    """Read the best Elo of each board within every tenth of a decade of compute."""
    runs = bs.load_runs("hex_alphazero")
    best = runs.groupby(["board_size", np.floor(10 * np.log10(runs["C"]))])["elo"].idxmax()
    return runs.loc[best, ["C", "board_size", "elo"]]


def pythia(folder: Path) -> pd.DataFrame:
    """Read the log perplexity of LAMBADA's last words along training, after warm-up; one corpus."""
    runs: Any = pd.read_csv(folder / "pythia_evals" / "pythia_evals.csv")
    runs = runs[(runs["task"] == "lambada_openai") & (runs["corpus"] == "deduped") & (runs["step"] >= 3000)]
    runs = runs.rename(columns={"params": "N", "tokens": "D", "flops": "C"})
    return runs.assign(L=np.log(runs["perplexity"]))[["N", "D", "C", "L"]]


def clip(folder: Path) -> pd.DataFrame:
    """Read the least error on ImageNet of each CLIP model and number of samples seen, over the settings tried."""
    runs: Any = pd.read_csv(folder / "clip_mammut_datacomp" / "clip_mammut_datacomp.csv")
    runs = runs[runs["architecture"] == "clip"]
    runs = runs.rename(columns={"params": "N", "samples_seen": "D", "flops_forward_total": "C"})
    runs = runs.assign(L=1 - runs["imagenet_top1"])
    return runs.loc[runs.groupby(["N", "D"])["L"].idxmin(), ["N", "D", "C", "L"]]


TABLES = {
    "chinchilla_1e21": Table(chinchilla, 1e21),
    "chinchilla_1e20": Table(chinchilla, 1e20),
    "olmo_ladder": Table(lambda _: bs.load_runs("olmo_ladder"), held=lambda t: t["size"] == "3B"),
    "misfitting_c4": Table(misfitting),
    "porian_isoflop": Table(porian),
    "gadre_overtraining": Table(lambda _: bs.load_runs("gadre_overtraining")),
    "openclip_laion": Table(openclip),
    "routed_moe": Table(routed),
    "hex_alphazero": Table(hexagons),
    "data_mixing_slimpajama": Table(slimpajama),
}
# Scored once, before weights were shrunk.
CONFIRMATION = {"pythia_evals": Table(pythia), "clip_mammut_datacomp": Table(clip)}
TABLES |= CONFIRMATION
# What is tried beside the recommendation: one law, and what of it differs from the bare one.
MODELS: dict[str, dict[str, Any]] = {
    "recommended": {},
    "exact law": {},
    "departing law": {"discrepancy": True},
    "noise by size": {"noise": "student+size"},
    "kaplan_offset": {"law": "kaplan_offset"},
}


def models_of(name: str, runs: pd.DataFrame) -> bs.Recipe | dict[str, bs.Model]:
    """What is recommended, or one law by name."""
    recipe = bs.recommend(runs)
    if name == "recommended":
        return recipe
    options = {"law": recipe.laws[0], "pool": recipe.pool, "noise": recipe.noise} | MODELS[name]
    law = options.pop("law")
    return {str(law): bs.Model(law, runs, **options)}


def evaluate(runs: pd.DataFrame, fitted: np.ndarray, model: str, draws: int) -> pd.DataFrame:
    """Scores of one model, and of the naive forecasts beside it."""
    marked = runs.assign(is_fitted=fitted)
    answer = bs.backtest(marked, models_of(model, marked), train="is_fitted", seed=1, draws=draws, tune=draws)
    return bs.backtest_table(answer).reset_index().assign(model=model, fitted=int(fitted.sum()))


def new_groups(points: int, draws: int) -> pd.DataFrame:
    """Scores of each modality of tiny_sweep but for its first few runs, pooled and alone."""
    runs = bs.load_runs("tiny_sweep")
    answer = bs.backtest(runs, ["chinchilla"], pool="modality", points=points, seed=1, draws=draws, tune=draws)
    away: Any = np.abs(score(answer)["error"])
    typical = away.assign_coords(modality=answer["modality"]).groupby("modality").median("run").to_series()
    table = bs.backtest_table(answer, "modality").reset_index()
    table["median_error"] = [typical[row["forecaster"], row["modality"]] for _, row in table.iterrows()]
    return table.assign(model="pooled and alone", fitted=points)


def commit() -> str:
    """Short name of the commit, with a plus where the checkout differs from it."""
    ask = ["git", "-C", str(ROOT)]
    name = subprocess.run([*ask, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout
    differs = subprocess.run([*ask, "diff", "--quiet", "HEAD", "--", "bayescale"], check=False).returncode
    return name.strip() + ("+" if differs else "")


def append(table: str, split: str, scores: pd.DataFrame, draws: int, seconds: float) -> None:
    """Write an evaluation down, below what was written before."""
    lines = scores.assign(
        table=table, split=split, draws=draws, date=date.today().isoformat(), commit=commit(), seconds=round(seconds)
    )
    if "modality" not in lines:
        lines["modality"] = ""
    first = ["date", "commit", "table", "split", "model", "draws", "forecaster", "modality", "fitted", "runs"]
    rest = [c for c in lines.columns if c not in first]
    lines = lines[[*first, *sorted(rest)]].round(5)
    before = [pd.read_csv(LOG, dtype=str)] if LOG.exists() else []
    pd.concat([*before, lines]).to_csv(LOG, index=False)


def done(table: str, split: str, model: str) -> bool:
    """Whether the log has this evaluation at this commit."""
    if not LOG.exists():
        return False
    log = pd.read_csv(LOG, dtype={"commit": str})
    same = (log["table"] == table) & (log["split"] == split) & (log["model"] == model) & (log["commit"] == commit())
    return bool(same.any())


def summary() -> str:
    """The last evaluation of each table, split and model; and how far mean coverage is from what it should be."""
    log = pd.read_csv(LOG).drop_duplicates(["table", "split", "model", "forecaster", "modality"], keep="last")
    shown = ["runs", "rmse", "bias", "cover50", "cover80", "cover90", "cover95", "width95", "crps", "log_score"]
    said = []
    part: Any
    forward: Any = log[~log["split"].str.startswith("new")]
    # Of several laws, the stack alone is the forecast. (Before 6e60d14 the departing law was what was recommended.)
    whole = forward["model"] == "recommended"
    stacked = forward[whole & (forward["forecaster"] == "stack")][["table", "split", "commit"]].drop_duplicates()
    mixed = pd.MultiIndex.from_frame(forward[["table", "split", "commit"]]).isin(pd.MultiIndex.from_frame(stacked))
    forward = forward[~whole | forward["forecaster"].isin([*NAIVE, "stack"]) | ~mixed]
    for split, part in forward.groupby("split", sort=False):
        table = part.set_index(["table", "model", "forecaster"])[[*shown, "converged"]]
        naive = table.index.get_level_values("forecaster").isin(NAIVE)
        repeated = naive & (table.index.get_level_values("model") != "recommended")
        if "explored" not in split:  # of those, the means
            said.append(f"{split} splits\n{table[~repeated].to_string(float_format='{:.3g}'.format, na_rep='')}")
        means = table[~naive].groupby(level="model")[["cover50", "cover80", "cover90", "cover95", "log_score"]].mean()
        counts = table[~naive].groupby(level="model").size().rename("tables")
        said.append(
            f"{split} splits, mean over tables\n{means.assign(tables=counts).to_string(float_format='{:.3f}'.format)}"
        )
    for split, part in log[log["split"].str.startswith("new")].groupby("split", sort=False):
        measures = ["median_error", "log_score", "crps", "rmse"]
        by: Any = part.pivot_table(index="modality", columns="forecaster", values=measures)
        better = {s: (by[s]["chinchilla"] - by[s]["chinchilla alone"]) for s in measures}
        wins = {s: int((d > 0).sum() if s == "log_score" else (d < 0).sum()) for s, d in better.items()}
        said.append(f"{split}: pooled better than alone in {wins} of {len(by)} modalities\n{by.round(3).to_string()}")
    return "\n\n".join(said)


def main() -> None:
    """Evaluate what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", nargs="*", default=list(TABLES), choices=list(TABLES))
    parser.add_argument("--model", nargs="*", choices=list(MODELS))
    parser.add_argument("--inner", action="store_true", help="hold out within the rows the outer split fits")
    parser.add_argument("--points", nargs="*", type=int, help="new groups, known by so many runs, instead of tables")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--folder", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--summary", action="store_true", help=f"only print what {LOG.name} holds")
    asked = parser.parse_args()
    if asked.summary:
        print(summary())
        return
    warnings.simplefilter("ignore")
    split = "inner" if asked.inner else "outer"
    tasks: list[tuple[str, str, str, Callable[[], pd.DataFrame]]] = []
    for points in asked.points or ():
        tasks.append(
            ("tiny_sweep", f"new, {points} points", "pooled and alone", lambda k=points: new_groups(k, asked.draws))
        )
    for name in [] if asked.points else asked.table:
        for model in asked.model or (list(MODELS) if asked.inner else ["recommended"]):
            kind = "confirmation" if name in CONFIRMATION and not asked.inner else split
            tasks.append((name, kind, model, lambda n=name, m=model: _one(n, m, asked)))
    for table, kind, model, ask in tasks:
        if done(table, kind, model):
            continue
        began = time.monotonic()
        try:
            scores = ask()
        except bs.InputError as error:
            print(f"{table} {kind} {model}: {error}", flush=True)
            continue
        append(table, kind, scores, asked.draws, time.monotonic() - began)
        print(f"{table} {kind} {model}: {time.monotonic() - began:.0f} s\n{scores.head(1).T.to_string()}", flush=True)


def _one(name: str, model: str, asked) -> pd.DataFrame:
    runs: Any
    runs, fitted = TABLES[name].fitted(asked.folder)
    if asked.inner:
        runs = runs[fitted].reset_index(drop=True)
        cost = runs["C"].to_numpy()
        fitted = below(cost)
    return evaluate(runs, fitted, model, asked.draws)


if __name__ == "__main__":
    sys.exit(main())
