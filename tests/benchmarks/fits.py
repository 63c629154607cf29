"""A hundred small fits: the fast path beside NUTS, in one run.

``python tests/benchmarks/fits.py`` fits Chinchilla's law with Student-t noise to a hundred simulated tables of 20 to 50
runs, twice: ``method="fast"`` and ``method="nuts"``. It prints fits in a CPU second (model, fit and all diagnostics;
compiling left out), how many have a k-hat below 0.7, and the widths of the 90 % intervals of the law's five
parameters against those of NUTS. What passes its own test is compared; what fell back is NUTS already, and is counted.
"""

import argparse
import os
import time
import warnings

import numpy as np
import pandas as pd

import bayescale as bs

SEED, TABLES, LEAST, MOST = 20261125, 100, 20, 50


def tables(count: int) -> list[pd.DataFrame]:
    """Simulated runs with Hoffmann et al.'s constants: each its own design, seed, and number of runs."""
    made = []
    for i in range(count):
        rng = np.random.default_rng([SEED, i])
        runs = int(rng.integers(LEAST, MOST + 1))
        N, D = 10 ** rng.uniform(7, 9.5, runs), 10 ** rng.uniform(9, 11, runs)
        L = (1.69 + 406.4 / N**0.34 + 410.7 / D**0.28) * np.exp(0.01 * rng.standard_t(4, runs))
        made.append(pd.DataFrame({"N": N, "D": D, "L": L}))
    return made


def fit_all(runs: list[pd.DataFrame], method: str) -> tuple[list[bs.Posterior], float]:
    """Posteriors, and CPU seconds of this process."""
    began = time.process_time()
    fitted = [bs.fit(bs.Model("chinchilla", table), seed=i, method=method, cores=1) for i, table in enumerate(runs)]
    return fitted, time.process_time() - began


def widths(posterior: bs.Posterior) -> np.ndarray:
    """Width of the 90 % interval of each parameter of the law."""
    low, high = (
        [posterior.dataset[p.symbol].quantile(q).item() for p in posterior.model.law.params] for q in (0.05, 0.95)
    )
    return np.array(high) - np.array(low)


def main() -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=TABLES)
    runs = tables(parser.parse_args().tables)
    warnings.simplefilter("ignore")
    print(f"{len(runs)} tables of {LEAST} to {MOST} runs; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for method in ("nuts", "fast"):
        bs.fit(bs.Model("chinchilla", runs[0]), seed=0, method=method)  # compiles, imports
    fast, cpu_fast = fit_all(runs, "fast")
    nuts, cpu_nuts = fit_all(runs, "nuts")
    weighed = [i for i, posterior in enumerate(fast) if posterior.diagnostics.pareto_k is not None]
    k = np.array([fast[i].diagnostics.pareto_k for i in weighed])
    ess = np.array([min(fast[i].diagnostics.ess_bulk, fast[i].diagnostics.ess_tail) for i in weighed])
    ratio = np.array([widths(fast[i]) / widths(nuts[i]) for i in weighed])
    print(
        f"fits in a CPU second: fast {len(runs) / cpu_fast:.1f} (fall-backs included), NUTS {len(runs) / cpu_nuts:.1f}"
    )
    print(f"k-hat below 0.7: {len(weighed)} of {len(runs)}; median {np.median(k):.2f}, greatest {k.max():.2f}")
    print(f"smallest effective sample size of a fit: median {np.median(ess):.0f}, least {ess.min():.0f}")
    print(
        f"90 % widths over those of NUTS: median {np.median(ratio):.3f}, from {ratio.min():.3f} to {ratio.max():.3f}; "
        f"{np.mean(abs(ratio - 1) <= 0.1):.1%} of {ratio.size} within 10 %"
    )
    refused = [f"{i}: {fast[i].info['refused']}" for i in range(len(runs)) if i not in weighed]
    print("refused: " + ("; ".join(refused) or "none"))


if __name__ == "__main__":
    main()
