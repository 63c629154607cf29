"""Bad input by name: what is known to go wrong with tables of runs."""

import threading
import warnings

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale import tables
from bayescale.answers.forecast import forecast_sentences
from bayescale.errors import BayescaleWarning, InputError


def grid(**columns: object) -> pd.DataFrame:
    """Nine plausible runs, with columns replaced or added."""
    N, D = (x.ravel() for x in np.meshgrid([1e7, 1e8, 1e9], [1e9, 1e10, 1e11]))
    return pd.DataFrame({"N": N, "D": D, "L": 1.7 + 400 / N**0.34 + 400 / D**0.28, **columns})


@pytest.mark.parametrize("factor", [1e-290, 1e-9, 1e280])
def test_units_that_cannot_be_counts_are_doubted(factor):
    table = grid()
    with pytest.warns(BayescaleWarning, match=r"as if in billions|tokens per parameter"):
        runs = bs.read_runs(table.assign(N=table["N"] * factor))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayescaleWarning)
        model = bs.Model("chinchilla", runs)
    assert model.reference["N"] == pytest.approx(1e8 * factor)


def test_units_beyond_a_float_are_refused():
    with pytest.raises(InputError, match=r"training FLOP, from C = 6 N D.*first inf"):
        bs.read_runs(grid(N=1e300))
    with pytest.raises(InputError, match=r"training FLOP, from C = 6 N D.*first 0"):
        bs.read_runs(grid(N=1e-300, D=1e-300))


def test_integers_do_not_overflow():
    """6 N D of a 4B model on 5T tokens is 1.2e23: beyond the largest integer of 64 bits, 9.2e18."""
    ints = grid(N=np.arange(1, 10) * 4_000_000_000, D=np.arange(9, 0, -1) * 5_000_000_000_000)
    compute = [1.2e23 * k * (10 - k) for k in range(1, 10)]
    assert bs.read_runs(ints)["C"].tolist() == pytest.approx(compute)
    with pytest.warns(BayescaleWarning, match="tokens per parameter"):
        assert bs.read_runs(grid(N=2**63))["C"].tolist() == (6.0 * 2**63 * grid()["D"]).tolist()
    assert bs.Model("chinchilla", ints).cost().tolist() == pytest.approx(compute)
    # An own cost is given floats.
    plan = bs.allocate(bs.sample_prior(bs.Model("chinchilla", grid()), 30), C=10**23, cost=lambda N, D: 6 * N * D)
    assert float(plan["N_bayes"] * plan["D_bayes"] * 6) == pytest.approx(1e23)
    with pytest.raises(InputError, match=r"must be numbers; 1 of 9 rows is not \(row 1"):
        bs.read_runs(grid(N=[10**400, *[10**7] * 8]))


def test_names_in_any_script_are_kept():
    table = pd.concat([grid()] * 2, ignore_index=True).assign(модальность=["код"] * 9 + ["画像"] * 9)
    table = table.rename(columns={"N": "参数", "D": "tõkens", "L": "потеря"})
    runs = bs.read_runs(table, N="参数", D="tõkens", L="потеря")
    model = bs.Model("chinchilla", runs, pool="модальность")
    assert model.groups == ("код", "画像")
    answer = bs.forecast(bs.sample_prior(model, 20), N="1B", D="1T", group="画像")
    assert np.isfinite(answer["L"]).all()
    assert "画像" in str(bs.sample_prior(model, 20))


def test_names_given_twice_are_refused(tmp_path):
    table = grid()
    with pytest.raises(InputError, match="More than one column is called 'N'"):
        bs.read_runs(pd.concat([table, table[["N"]]], axis=1))
    (tmp_path / "twice.csv").write_text("N,D,N\n1,2,3\n")
    with pytest.raises(InputError, match="More than one column is called 'N'"):
        bs.read_runs(tmp_path / "twice.csv")
    (tmp_path / "twice.jsonl").write_text('{"N": 1e7, "N": 1e8, "L": 2}\n')
    with pytest.raises(InputError, match="More than one column is called 'N'"):
        bs.read_runs(tmp_path / "twice.jsonl")


def test_mixed_types_are_read_or_refused_by_row():
    sizes = [1e7, "100M", "1e9", 10**7, np.float32(1e8), " 1B ", "10,000,000", 1e8, 1e9]
    assert bs.read_runs(grid(N=sizes))["N"].tolist() == grid()["N"].tolist()
    with pytest.raises(InputError, match=r"1 of 9 rows is not \(row 3; .*first True"):
        bs.read_runs(grid(N=[1e7, "1M", True, *[1e7] * 6]))
    with pytest.raises(InputError, match=r"row 9; .*first datetime.date"):
        bs.read_runs(grid(N=[*[1e7] * 8, pd.Timestamp("2024-01-31").date()]))


def test_dates_are_no_sizes_but_may_name_groups():
    table = pd.concat([grid()] * 2, ignore_index=True)
    days = pd.date_range("2024-01-01", periods=2).repeat(9)
    with pytest.raises(InputError, match="must be numbers"):
        bs.read_runs(table.assign(D=days))
    model = bs.Model("chinchilla", bs.read_runs(table.assign(day=days)), pool="day")
    assert model.groups == ("2024-01-01", "2024-01-02")


@pytest.mark.parametrize("empty", ["", "  "])
def test_empty_text_is_no_number_and_no_group(empty):
    with pytest.raises(InputError, match=r"1 of 9 rows is not \(row 1"):
        bs.read_runs(grid(N=[empty, *["1M"] * 8]))
    runs = bs.read_runs(grid(modality=[empty, *["text"] * 8]))
    with pytest.raises(InputError, match=r"'modality' is empty text, or holds a null byte, in 1 of 9 rows \(row 1"):
        bs.Model("chinchilla", runs, pool="modality")


def test_a_group_with_one_run_is_doubted_and_answered():
    runs = bs.read_runs(grid(modality=["rare", *["text"] * 8]))
    with pytest.warns(BayescaleWarning, match=r"Fewer than 5 runs in group 'rare' \(1\)"):
        model = bs.Model("chinchilla", runs, pool="modality")
    answer = bs.forecast(bs.sample_prior(model, 50), N="1B", D="1T", group="rare")
    assert np.isfinite(answer["L_run"]).all()


def test_three_hundred_groups():
    table = pd.concat([grid(modality=f"group {k}") for k in range(300)], ignore_index=True)
    model = bs.Model("chinchilla", bs.read_runs(table), pool="modality")
    assert len(model.groups) == 300
    prior = bs.sample_prior(model, 20)
    assert bs.forecast(prior, N="1B", D="1T").sizes["modality"] == 300
    said = forecast_sentences(bs.forecast(prior, N="1B", D="1T"))
    assert sum("a run would measure" in sentence for sentence in said) == 300


def test_a_constant_loss_is_doubted():
    with pytest.warns(BayescaleWarning, match=r"Column 'L' \(loss\) is 2.5 in all 9 runs"):
        bs.read_runs(grid(L=2.5))


def test_a_floor_above_the_losses_is_doubted():
    with pytest.warns(BayescaleWarning, match=r"prior of E \(Uniform\(lower=4, upper=5\)\) lies above the smallest L"):
        bs.Model("chinchilla", bs.read_runs(grid()), priors={"E": "Uniform(4, 5)"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bs.Model("chinchilla", bs.read_runs(grid()), priors={"E": "Uniform(1, 5)"})


def test_accuracies_of_nothing_and_all():
    """With counts they are none and all right. As an error rate, 0 has no log and is refused."""
    runs = pd.DataFrame({"D": np.logspace(6, 12, 7), "accuracy": [0.0, 0.0, 0.1, 0.5, 0.9, 1.0, 1.0], "chance": 0.1})
    for table in (runs, runs.assign(n_trials=10)):
        prior = bs.sample_prior(bs.Model("sigmoid_of_compute:D", bs.read_runs(table)), 50)
        assert np.isfinite(prior.log_likelihood()).all()
        assert np.isfinite(bs.forecast(prior, D=1e13, chance=0.1)["accuracy_run"]).all()
    with pytest.raises(InputError, match="between 0 and 1"):
        bs.read_runs(runs.assign(accuracy=100 * runs["accuracy"]))
    with pytest.raises(InputError, match=r"positive and finite.*first 0"):
        bs.Model("saturating:D", runs.assign(L=1 - runs["accuracy"]))


def test_elo_may_be_negative():
    runs = bs.read_runs(
        pd.DataFrame({"C": np.logspace(15, 20, 6), "board_size": [5.0, 7.0] * 3, "elo": np.linspace(-2500, -100, 6)})
    )
    prior = bs.sample_prior(bs.Model("elo_frontier", runs), 50)
    assert np.isfinite(bs.forecast(prior, C=1e22, board_size=7)["elo_run"]).all()
    with pytest.raises(InputError, match="must be finite"):
        bs.read_runs(runs.assign(elo=[-np.inf, *runs["elo"][1:]]))


HTML = "<!DOCTYPE html>\n<html><head><title>404</title></head><body><table><tr><td>N</td></tr></table></body></html>"


@pytest.mark.parametrize("name", ["runs.csv", "runs.tsv", "runs.json", "runs.jsonl", "runs.parquet"])
@pytest.mark.parametrize("before", ["", "\n\n  ", "\ufeff", '<?xml version="1.0"?>'])
def test_a_table_that_is_a_web_page_is_refused(tmp_path, name, before):
    (tmp_path / name).write_text(before + HTML, encoding="utf-8")
    with pytest.raises(InputError, match="is a web page"):
        bs.read_runs(tmp_path / name)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "runs.csv"
    path.write_text("N,D,L\n1e7,1e9,3.1\n1e8,1e10,2.6\n")
    fstat, asked = tables.os.fstat, []

    def grown(descriptor):
        if asked:
            with path.open("a") as file:
                file.write("1e9,1e1")
        asked.append(descriptor)
        return fstat(descriptor)

    monkeypatch.setattr(tables.os, "fstat", grown)
    with pytest.raises(InputError, match="changed while it was read"):
        bs.read_runs(path)


def test_a_table_written_and_read_at_once_is_whole_or_refused(tmp_path):
    """A writer that truncates and writes again and again: what is read is one of its tables, or refused."""
    path = tmp_path / "runs.csv"
    whole = "N,D,L\n" + "".join(f"1e7,1e9,{k}.0\n" for k in range(1, 2000))
    path.write_text(whole)
    done = threading.Event()

    def write():
        while not done.is_set():
            path.write_text(whole)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(30):
            try:
                assert len(bs.read_runs(path)) == 1999
            except InputError as error:
                assert "changed while" in str(error) or "is empty" in str(error)  # noqa: PT017
    finally:
        done.set()
        writer.join()


@pytest.mark.slow
def test_a_million_runs_are_read_and_checked(tmp_path):
    n = 1_000_000
    rng = np.random.default_rng(1)
    N, D = 10 ** rng.uniform(6, 10, n), 10 ** rng.uniform(8, 12, n)
    table = pd.DataFrame(
        {"N": N, "D": D, "L": 1.7 + 400 / N**0.34 + 400 / D**0.28, "modality": rng.choice(["a", "b"], n)}
    )
    table.to_csv(tmp_path / "runs.csv", index=False)
    runs = bs.read_runs(tmp_path / "runs.csv")
    assert len(runs) == n
    model = bs.Model("chinchilla", runs, pool="modality")
    assert model.describe()["runs"].sum() == n
    text = table.assign(N=[f"{x:.6g}" for x in N])
    text.loc[n - 1, "N"] = "many"
    with pytest.raises(InputError, match=r"1 of 1000000 rows is not \(row 1000000; .*first 'many'"):
        bs.read_runs(text)
