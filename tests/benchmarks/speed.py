"""Time to an answer, beside plain PyMC and SciPy, in one run: ``python tests/benchmarks/speed.py``.

Chinchilla's 245 digitised runs, Student-t noise, 4 x (1,000 tuning + 1,000 kept) draws. CPU seconds are those of whole
processes, with a cache of compiled code that is empty and then with the one the first process left; effective draws per
CPU second are of a warm model, the parameter with the fewest counting. The gradient is compared with one written by
hand for Numba. Groups are 50 (or 500) simulated curves of 30 runs, partially pooled, 4 x (400 tuning + 1,000 kept).

Runs are 100 to 100,000 simulated ones of one law, fitted by the fast path.

``--only`` runs one part: runs, processes, draws, gradient, groups, many-groups.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import bayescale as bs

OURS = """
import bayescale as bs
posterior = bs.fit(bs.Model("chinchilla", bs.load_runs("chinchilla")), seed=1, progress=False)
"""

PLAIN = """
import numpy as np, pymc as pm, bayescale as bs
runs = bs.load_runs("chinchilla")
N, D, y = runs["N"].to_numpy(), runs["D"].to_numpy(), np.log(runs["L"].to_numpy())
with pm.Model():
    {priors}
    alpha, beta = pm.LogNormal("alpha", np.log(0.3), 0.6), pm.LogNormal("beta", np.log(0.3), 0.6)
    sigma, nu = pm.LogNormal("sigma", np.log(0.02), 1), pm.Gamma("nu", 2, 0.1)
    pm.StudentT("y", nu=nu, mu={law}, sigma=sigma, observed=y)
"""
NAIVE = {  # the paper's constants in their units
    "priors": 'E = pm.LogNormal("E", 0.5, 0.5); A = pm.LogNormal("A", 6, 1.5); B = pm.LogNormal("B", 6, 1.5)',
    "law": "pm.math.log(E + A * N**-alpha + B * D**-beta)",
}
CENTRED = {  # amplitudes at the geometric means of the runs
    "priors": "N, D = N / np.exp(np.log(N).mean()), D / np.exp(np.log(D).mean()); "
    'E = pm.LogNormal("E", 0.5, 0.5); A = pm.LogNormal("A", -0.6, 1); B = pm.LogNormal("B", -0.6, 1)',
    "law": NAIVE["law"],
}
SAMPLE = "    pm.sample(1000, tune=1000, chains=4, random_seed=1, progressbar=False)\n"
WARM = """
import json, time, warnings
import arviz_stats, nutpie
warnings.simplefilter("ignore")
compiled = nutpie.compile_pymc_model(model)
began = time.process_time()
trace = nutpie.sample(compiled, draws=1000, tune=1000, chains=4, seed=1, save_warmup=False, progress_bar=False)
cpu = time.process_time() - began
ess = arviz_stats.ess(trace["posterior"].to_dataset()[["E", "A", "B", "alpha", "beta", "sigma", "nu"]])
print(json.dumps([cpu, min(float(v) for v in ess.values()), int(trace["sample_stats"]["diverging"].sum())]))
"""


def cpu_of(program: str, folder: str) -> float:
    """CPU seconds of a process, its compiled code kept in ``folder``."""
    flags = f"base_compiledir={folder}"
    env = {**os.environ, "BAYESCALE_CACHE": folder, "PYTENSOR_FLAGS": flags, "OMP_NUM_THREADS": "1"}
    before = os.times()
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, env=env, capture_output=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def processes() -> None:
    """Whole processes, cold and again."""
    programs = {"bayescale": OURS, "plain PyMC, natural units": PLAIN.format(**NAIVE) + SAMPLE}
    cost: dict[str, list[float]] = {}
    for name, program in programs.items():
        with tempfile.TemporaryDirectory() as folder:
            cost[name] = [cpu_of(program, folder) for _ in range(2)]
        print(f"{name}: {cost[name][0]:.1f} CPU s with an empty cache, {cost[name][1]:.1f} in a second process")
    ours, plain = cost.values()
    print(f"ratios: {ours[0] / plain[0]:.2f} (at most 0.50), {ours[1] / plain[1]:.2f} (at most 0.33)")
    cost_of = {"forecast of a saved posterior": ANSWER, "scipy.optimize.curve_fit, one fit": LEAST_SQUARES}
    for name, program in cost_of.items():
        with tempfile.TemporaryDirectory() as folder:
            place = str(Path(folder) / "post.nc")
            if "post.nc" in program:
                cpu_of(OURS + f"posterior.save({place!r})\n", folder)
            print(f"{name}: {cpu_of(program.replace('post.nc', place), folder):.1f} CPU s, whole process")


ANSWER = """
from bayescale.cli import main
import sys
sys.argv = ["bayescale", "forecast", "post.nc", "--N", "70e9", "--D", "1.4e12"]
main()
"""
LEAST_SQUARES = """
import numpy as np, pandas as pd, bayescale as bs
from scipy.optimize import curve_fit
runs = bs.load_runs("chinchilla")
x = np.log([runs["N"], runs["D"]])
law = lambda x, e, a, b, alpha, beta: np.logaddexp(e, np.logaddexp(a - alpha * x[0], b - beta * x[1]))
curve_fit(law, x, np.log(runs["L"]), [0.5, 6, 6, 0.3, 0.3])
"""


def draws() -> None:
    """Effective draws per CPU second of sampling, warm."""
    model = bs.Model("chinchilla", bs.load_runs("chinchilla"))
    bs.fit(model, seed=0, progress=False)
    began = time.process_time()
    posterior = bs.fit(model, seed=1, progress=False)
    ours = posterior.diagnostics.ess_bulk / (time.process_time() - began)
    print(f"bayescale: {ours:.0f} effective draws in a CPU second, {posterior.diagnostics.divergences} divergences")
    for name, form, least in (("natural units", NAIVE, 50), ("centred", CENTRED, 15)):
        program = PLAIN.format(**form).replace("pm.Model():", "pm.Model() as model:") + WARM
        with tempfile.TemporaryDirectory() as folder:
            env = {**os.environ, "PYTENSOR_FLAGS": f"base_compiledir={folder}", "OMP_NUM_THREADS": "1"}
            said = subprocess.run([sys.executable, "-c", program], check=True, env=env, capture_output=True, text=True)
        cpu, ess, diverging = json.loads(said.stdout.splitlines()[-1])
        print(
            f"plain PyMC, {name}: {ess / cpu:.0f}, {diverging:.0f} divergences; ours {ours * cpu / ess:.0f} times (at "
            f"least {least})"
        )


def best(call: Callable[[], object], times: int = 5000) -> float:
    """Least CPU microseconds of a call over five rounds."""
    least = math.inf
    for _ in range(5):
        began = time.process_time()
        for _ in range(times):
            call()
        least = min(least, (time.process_time() - began) / times)
    return 1e6 * least


def gradient() -> None:
    """The compiled gradient against one written by hand, both called from Python with nothing to convert."""
    from hand_written import gradient_by_hand

    from bayescale.layout import starting_point
    from bayescale.machine_code import log_density
    from bayescale.structure import graph_data

    model = bs.Model("chinchilla", bs.load_runs("chinchilla"))
    density, data = log_density(model), graph_data(model)
    x = starting_point(model, np.random.default_rng(0))
    priors = np.concatenate([data[f"prior_{s}"] for s in ("E", "A_ref", "B_ref", "alpha", "beta", "sigma", "nu")])
    table = data["log_N"], data["log_D"], data["measured"], priors
    out = np.empty(7)
    value = gradient_by_hand(x, *table, out)
    expected, slope = density(x)
    assert np.allclose(out, slope, rtol=1e-8)
    value_2 = gradient_by_hand(x + 0.1, *table, np.empty(7))
    assert math.isclose(value_2 - value, density(x + 0.1)[0] - expected, rel_tol=1e-8)
    place, into = np.empty(1), np.empty(7)
    arguments = (7, x.ctypes.data, into.ctypes.data, place.ctypes.data, density.addresses[2])
    ours = best(lambda: density._function(*arguments))
    hand = best(lambda: gradient_by_hand(x, *table, out))
    print(f"gradient: {ours:.1f} us, by hand {hand:.1f} us: {ours / hand:.2f} times (at most 2.5)")


def simulated(groups: int) -> pd.DataFrame:
    """Curves with a floor, a level and an exponent of their own, 30 runs each."""
    rng = np.random.default_rng(0)
    floor, level, slope = (size * np.exp(0.2 * rng.standard_normal((groups, 1))) for size in (1.5, 0.8, 0.3))
    D = 10 ** rng.uniform(7, 10, (groups, 30))
    L = (floor + level * (D / 3e8) ** -slope) * np.exp(0.01 * rng.standard_normal((groups, 30)))
    return pd.DataFrame({"D": D.ravel(), "L": L.ravel(), "curve": np.repeat([f"c{i}" for i in range(groups)], 30)})


def grouped(groups: int, limit: float) -> None:
    """CPU seconds to a thousand effective draws of every parameter, sampling and diagnostics."""
    model = bs.Model("saturating:D", simulated(groups), pool="curve", noise="normal")
    from bayescale.machine_code import log_density

    log_density(model)
    began, wall = time.process_time(), time.perf_counter()
    posterior = bs.fit(model, seed=1, tune=400, progress=False)
    cpu, wall = time.process_time() - began, time.perf_counter() - wall
    found = posterior.diagnostics
    print(f"{groups} groups x 30 runs: {cpu:.1f} CPU s, {wall:.1f} s wall, {posterior.info['sampler']}")
    print(f"  {found}")
    print(f"  {cpu * 1000 / found.ess_bulk:.1f} CPU s to 1,000 effective draws of every parameter (at most {limit:g})")


def many_runs() -> None:
    """Whole fits of one law to ever more runs, by the fast path where it passes its test."""
    rng = np.random.default_rng(0)
    for runs in (100, 1_000, 10_000, 100_000):
        N, D = 10 ** rng.uniform(7, 9.5, runs), 10 ** rng.uniform(9, 11, runs)
        L = (1.69 + 406.4 / N**0.34 + 410.7 / D**0.28) * np.exp(0.01 * rng.standard_t(4, runs))
        model = bs.Model("chinchilla", pd.DataFrame({"N": N, "D": D, "L": L}))
        began, wall = time.process_time(), time.perf_counter()
        posterior = bs.fit(model, seed=1, method="fast", progress=False)
        cpu, wall = time.process_time() - began, time.perf_counter() - wall
        print(
            f"{runs:,} runs: {cpu:.1f} CPU s, {wall:.1f} s wall, {posterior.info['sampler']}; {posterior.diagnostics}"
        )


PARTS = {
    "runs": many_runs,
    "processes": processes,
    "draws": draws,
    "gradient": gradient,
    "groups": lambda: grouped(50, 4),
    "many-groups": lambda: grouped(500, 40),
}


def main() -> None:
    """Run the parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=PARTS)
    only = parser.parse_args().only
    warnings.simplefilter("ignore")
    print(f"bayescale {bs.__version__}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for name, part in PARTS.items():
        if only in (None, name):
            part()


if __name__ == "__main__":
    main()
