"""One question, put to us and to others: ``python tests/benchmarks/rivals.py``, after ``pip install --group rivals``.

The loss of a run of 70e9 parameters and 1.4e12 tokens, from the 240 digitised Chinchilla runs without the paper's
outliers: median and central 90 % interval of the law. Each rival is a whole process, first with empty caches of
compiled code and then once more; seconds of CPU and of the clock, and the answer. PyMC and NumPyro sample the model a
careful user would write: amplitudes at the runs' geometric means, Student-t noise on log loss, 4 x (1,000 + 1,000)
draws. simple-scaling-laws runs with its defaults; its interval is a bootstrap's. Least squares (SciPy) is Huber's loss
on log residuals from 50 starts, with no interval.
"""

import json
import os
import subprocess
import sys
import tempfile
import time

import bayescale as bs

QUESTION = """
import json, sys
import numpy as np
import bayescale as bs
runs = bs.load_runs("chinchilla")
runs = runs[~runs["is_outlier"].astype(bool)]
answer = lambda law: print(json.dumps([float(q) for q in np.quantile(law, [0.5, 0.05, 0.95])]))
"""
OURS = """
posterior = bs.fit(bs.Model("chinchilla", runs), seed=1, progress=False{method})
answer(bs.forecast(posterior, N=70e9, D=1.4e12)["L"])
"""
SAVED = """
import sys
from bayescale.cli import main
sys.argv = ["bayescale", "forecast", {path!r}, "--N", "70e9", "--D", "1.4e12", "--json"]
main()
"""
TABLE = """
N0, D0 = np.exp(np.log(runs["N"]).mean()), np.exp(np.log(runs["D"]).mean())
N, D, y = runs["N"].to_numpy() / N0, runs["D"].to_numpy() / D0, np.log(runs["L"].to_numpy())
at = lambda E, A, B, alpha, beta: E + A * (70e9 / N0) ** -alpha + B * (1.4e12 / D0) ** -beta
"""
PYMC = """
import pymc as pm
with pm.Model():
    E, A, B = pm.LogNormal("E", 0.5, 0.5), pm.LogNormal("A", -0.6, 1), pm.LogNormal("B", -0.6, 1)
    alpha, beta = pm.LogNormal("alpha", np.log(0.3), 0.6), pm.LogNormal("beta", np.log(0.3), 0.6)
    sigma, nu = pm.LogNormal("sigma", np.log(0.02), 1), pm.Gamma("nu", 2, 0.1)
    pm.StudentT("y", nu=nu, mu=pm.math.log(E + A * N**-alpha + B * D**-beta), sigma=sigma, observed=y)
    trace = pm.sample(1000, tune=1000, chains=4, random_seed=1, progressbar=False)
answer(at(*(trace["posterior"][v].to_numpy() for v in ("E", "A", "B", "alpha", "beta"))))
"""
NUMPYRO = """
import os
import jax, numpyro
import jax.numpy as jnp
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS
numpyro.enable_x64()
if cache := os.environ.get("RIVAL_CACHE"):
    jax.config.update("jax_compilation_cache_dir", cache)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
def model():
    E, A, B = (numpyro.sample(n, dist.LogNormal(m, s)) for n, m, s in (("E", .5, .5), ("A", -.6, 1.), ("B", -.6, 1.)))
    alpha, beta = (numpyro.sample(n, dist.LogNormal(jnp.log(0.3), 0.6)) for n in ("alpha", "beta"))
    sigma, nu = numpyro.sample("sigma", dist.LogNormal(jnp.log(0.02), 1.0)), numpyro.sample("nu", dist.Gamma(2.0, 0.1))
    mean = jnp.log(E + A * N**-alpha + B * D**-beta)
    numpyro.sample("y", dist.StudentT(nu, mean, sigma), obs=y)
mcmc = MCMC(NUTS(model), num_warmup=1000, num_samples=1000, num_chains=4, chain_method="sequential", progress_bar=False)
mcmc.run(jax.random.PRNGKey(1))
answer(at(*(np.asarray(mcmc.get_samples()[v]) for v in ("E", "A", "B", "alpha", "beta"))))
"""
SIMPLE = """
import polars as pl
from simple_scaling_laws import fit
table = pl.DataFrame({"training_run_id": [str(i) for i in range(len(runs))], "model_size__N": runs["N"].to_numpy(),
                      "dataset_size__D": runs["D"].to_numpy(), "test_loss__L": runs["L"].to_numpy()})
model = fit(table, law="separable-power", seed=1)
point = pl.DataFrame({"point_id": ["asked"], "model_size__N": [70e9], "dataset_size__D": [1.4e12]})
row = model.predict(point, quantiles=[0.05, 0.5, 0.95]).to_dicts()[0]
print(json.dumps([float(row["test_loss__L__" + q]) for q in ("median", "q050", "q950")]))
"""
LEAST_SQUARES = """
from scipy.optimize import least_squares
def off(p):
    logs = p[0], p[1] - np.exp(p[3]) * np.log(N), p[2] - np.exp(p[4]) * np.log(D)
    return np.logaddexp(np.logaddexp(*logs[:2]), logs[2]) - y
rng = np.random.default_rng(1)
starts = rng.normal([0.5, -0.6, -0.6, -1.2, -1.2], [0.3, 0.5, 0.5, 0.5, 0.5], (50, 5))
found = min((least_squares(off, start, loss="huber", f_scale=1e-3) for start in starts), key=lambda one: one.cost)
print(json.dumps([float(at(*np.exp(found.x)))]))
"""
RIVALS = {
    "bayescale": QUESTION + OURS.format(method=""),
    "bayescale, method='fast'": QUESTION + OURS.format(method=", method='fast'"),
    "PyMC, pm.sample": QUESTION + TABLE + PYMC,
    "NumPyro": QUESTION + TABLE + NUMPYRO,
    "simple-scaling-laws": QUESTION + SIMPLE,
    "SciPy least squares": QUESTION + TABLE + LEAST_SQUARES,
}


def ask(program: str, folder: str) -> tuple[float, float, str]:
    """CPU seconds and seconds of a process, and the last line it printed."""
    caches = {"BAYESCALE_CACHE": folder, "PYTENSOR_FLAGS": f"base_compiledir={folder}", "RIVAL_CACHE": folder}
    before, began = os.times(), time.perf_counter()
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        check=False,
        env={**os.environ, **caches, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    wall, after = time.perf_counter() - began, os.times()
    if said.returncode:
        raise SystemExit(f"A rival failed; pip install --group rivals.\n{said.stderr[-2000:]}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return cpu, wall, said.stdout.strip()


def main() -> None:
    """Ask each; print a table."""
    print(f"bayescale {bs.__version__}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(
        "| | first: CPU s | s | again: CPU s | s | loss of the run: median, 90 % interval |\n|---|---|---|---|---|---|"
    )
    for name, program in RIVALS.items():
        with tempfile.TemporaryDirectory() as folder:
            first, again = ask(program, folder), ask(program, folder)
        middle, *ends = json.loads(again[2].splitlines()[-1])
        found = f"{middle:.3f}" + (", {:.3f} to {:.3f}".format(*ends) if ends else ", none")
        print(f"| {name} | {first[0]:.1f} | {first[1]:.1f} | {again[0]:.1f} | {again[1]:.1f} | {found} |", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "post.nc")
        ask(RIVALS["bayescale"] + f"posterior.save({path!r})\n", folder)
        cpu, wall, _ = ask(SAVED.format(path=path), folder)
    print(f"| `bayescale forecast` on a posterior that is saved | | | {cpu:.1f} | {wall:.1f} | |")


if __name__ == "__main__":
    main()
