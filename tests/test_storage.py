"""What is written comes back as it was; what is damaged is refused; what stood there before is not lost."""

import json
import os
import stat
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayescale as bs
from bayescale.diagnostics import Diagnostics
from bayescale.errors import InputError
from bayescale.law import LOSS, PARAMETERS, Law, Param
from bayescale.posterior import Posterior, open_posterior
from bayescale.prior import POSITIVE, Prior

MODELS = {
    "one law": {"law": "chinchilla"},
    "pooled": {"law": "chinchilla", "pool": "field", "noise": "normal+size"},
    "departing": {"law": "kaplan", "pool": {"*": "field", "L_N": None}, "discrepancy": True},
    "on a column": {"law": "saturating:D", "priors": {"alpha": "Uniform(0.1, 0.9)"}},
}


def make_runs():
    rng = np.random.default_rng(8)
    runs = {"N": 10 ** rng.uniform(6, 9, 18), "D": 10 ** rng.uniform(8, 11, 18), "L": rng.uniform(2, 4, 18)}
    return pd.DataFrame(runs | {"field": ["code", "art", "text"] * 6})


@pytest.fixture
def posterior():
    return bs.sample_prior(bs.Model("chinchilla", make_runs()), draws=20, seed=1)


def kept(posterior, path):
    posterior.save(path)
    return open_posterior(path)


def model_with(**columns):
    return bs.Model("chinchilla", make_runs().assign(**columns))


# -- There and back


@pytest.mark.parametrize("name", MODELS)
def test_everything_comes_back(tmp_path, name):
    model = bs.Model(runs=make_runs(), **MODELS[name])
    made = bs.sample_prior(model, draws=20, seed=3)
    again = kept(made, tmp_path / "post.nc")
    for group in ("posterior", "sample_stats", "observed_data", "constant_data"):
        xr.testing.assert_identical(again.draws[group].to_dataset(), made.draws[group].to_dataset())
    assert again.model.to_dict() == model.to_dict()
    assert again.model.law == model.law
    assert again.diagnostics == made.diagnostics
    assert again.info == made.info
    pd.testing.assert_frame_equal(again.model.runs, model.runs)


@pytest.mark.parametrize("name", MODELS)
def test_answers_are_the_same_afterwards(tmp_path, name):
    made = bs.sample_prior(bs.Model(runs=make_runs(), **MODELS[name]), draws=20, seed=3)
    again = kept(made, tmp_path / "post.nc")
    xr.testing.assert_identical(again.log_likelihood(), made.log_likelihood())
    xr.testing.assert_identical(again.replicate(seed=2), made.replicate(seed=2))
    at = dict.fromkeys(made.model.law.columns, 1e12)
    xr.testing.assert_identical(bs.forecast(again, **at), bs.forecast(made, **at))


def test_a_verdict_that_is_not_good_comes_back(tmp_path, posterior):
    verdict = Diagnostics(1.3, "alpha", 12.0, float("nan"), "beta", 5, 0.1, interrupted=True)
    again = kept(Posterior(posterior.model, posterior.draws, verdict, {}), tmp_path / "post.nc").diagnostics
    assert not again.converged
    assert (again.rhat, again.divergences, again.interrupted) == (1.3, 5, True)
    assert np.isnan(again.ess_tail)


@pytest.mark.parametrize(
    "values",
    [
        np.arange(18),
        np.arange(18, dtype="uint8"),
        np.linspace(0, 1, 18, dtype="float32"),
        np.array([True, False] * 9),
        ["a", "", "größe, 1.4T\n"] * 6,
        [0.5, np.nan] * 9,
    ],
    ids=["integers", "bytes", "single", "truth", "text", "missing numbers"],
)
def test_columns_come_back_with_their_type(tmp_path, values):
    model = model_with(extra=values)
    again = kept(bs.sample_prior(model, draws=5), tmp_path / "post.nc")
    pd.testing.assert_frame_equal(again.model.runs, model.runs)


@pytest.mark.parametrize("missing", [None, np.nan])
def test_missing_text_stays_missing(tmp_path, missing):
    # A column of remarks that most rows leave empty, as any CSV file may have.
    model = model_with(remark=["restarted", missing, "nan", ""] * 4 + ["end"] * 2)
    again = kept(bs.sample_prior(model, draws=5), tmp_path / "post.nc").model.runs["remark"]
    assert again.isna().tolist() == [False, True, False, False] * 4 + [False] * 2
    assert again.dropna().tolist() == ["restarted", "nan", ""] * 4 + ["end"] * 2


def test_a_column_wholly_missing_stays_so(tmp_path):
    again = kept(bs.sample_prior(model_with(remark=[None] * 18), draws=5), tmp_path / "post.nc")
    assert again.model.runs["remark"].isna().tolist() == [True] * 18


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (pd.Timestamp("2024-05-01"), "2024-05-01 00:00:00"),
        (pd.Categorical(["a", "b"] * 9), "a"),
        (pd.Series(["a", 1] * 9, dtype=object), "a"),
    ],
    ids=["date", "category", "mixed"],
)
def test_what_netcdf_has_no_type_for_becomes_text(tmp_path, values, text):
    again = kept(bs.sample_prior(model_with(extra=values), draws=5), tmp_path / "post.nc")
    assert again.model.runs["extra"].iloc[0] == text


def test_whole_numbers_with_gaps_become_numbers(tmp_path):
    again = kept(bs.sample_prior(model_with(extra=pd.array([1, None] * 9, dtype="Int64")), draws=5), tmp_path / "p.nc")
    assert again.model.runs["extra"].iloc[0] == 1.0
    assert again.model.runs["extra"].isna().tolist() == [False, True] * 9


@pytest.mark.parametrize("name", ["a/b", "größe", "N total", "posterior", "row", "column_0", "."])
def test_a_column_may_be_called_anything(tmp_path, name):
    model = model_with(**{name: np.arange(18)})
    again = kept(bs.sample_prior(model, draws=5), tmp_path / "post.nc")
    pd.testing.assert_frame_equal(again.model.runs, model.runs)


def test_many_columns_keep_their_order(tmp_path):
    model = model_with(**{f"x{i}": float(i) for i in range(15)})
    again = kept(bs.sample_prior(model, draws=5), tmp_path / "post.nc")
    assert list(again.model.runs.columns) == list(model.runs.columns)


@pytest.mark.parametrize("name", ["größe", "N total", "runs"])
def test_a_group_column_may_be_called_almost_anything(tmp_path, name):
    model = bs.Model("chinchilla", make_runs().rename(columns={"field": name}), pool=name)
    made = bs.sample_prior(model, draws=5)
    again = kept(made, tmp_path / "post.nc")
    xr.testing.assert_identical(again.dataset, made.dataset)


def test_groups_that_were_numbers_come_back(tmp_path):
    model = bs.Model("chinchilla", make_runs().assign(field=[1, 2, 3] * 6), pool="field")
    again = kept(bs.sample_prior(model, draws=5), tmp_path / "post.nc")
    assert again.model.groups == ("1", "2", "3")
    assert again.model.group_index.tolist() == model.group_index.tolist()


def test_notes_come_back(tmp_path):
    runs = make_runs()
    runs.attrs["notes"] = ["Column 'n' is read as 'N'.", "größe"]
    again = kept(bs.sample_prior(bs.Model("chinchilla", runs), draws=5), tmp_path / "post.nc")
    assert again.model.runs.attrs["notes"] == runs.attrs["notes"]


def test_the_file_explains_itself(tmp_path, posterior):
    posterior.save(tmp_path / "post.nc")
    with xr.open_datatree(tmp_path / "post.nc", engine="h5netcdf") as tree:
        assert tree.attrs["format"] == "bayescale posterior 3"
        assert json.loads(tree.attrs["spec"])["model"]["law"] == "chinchilla"
        assert json.loads(tree.attrs["versions"])["bayescale"] == bs.__version__
        assert tree["posterior"]["E"].attrs["units"] == "nats/token"


# -- Laws


def own_formula(N, E, k, alpha):
    return E + k * N**-alpha


OWN = Law(
    "my_own",
    own_formula,
    inputs=(PARAMETERS,),
    output=LOSS,
    params=tuple(
        Param(s, s, "", POSITIVE, Prior("LogNormal", 0, 1), Prior("HalfNormal", 1)) for s in ("E", "k", "alpha")
    ),
)


def test_a_users_own_law_is_asked_for(tmp_path):
    made = bs.sample_prior(bs.Model(OWN, make_runs()), draws=5)
    made.save(tmp_path / "post.nc")
    with pytest.raises(InputError, match=r"law 'my_own', which is not in the gallery; pass law="):
        open_posterior(tmp_path / "post.nc")
    again = open_posterior(tmp_path / "post.nc", law=OWN)
    assert again.model.law is OWN
    xr.testing.assert_identical(bs.forecast(again, N=1e9), bs.forecast(made, N=1e9))


def test_a_law_of_any_input_remembers_its_column(tmp_path):
    runs = make_runs().assign(epochs=np.linspace(1, 4, 18))
    again = kept(bs.sample_prior(bs.Model("power:epochs", runs), draws=5), tmp_path / "post.nc")
    assert again.model.law.columns == ("epochs",)
    assert bs.forecast(again, epochs=8.0)["L"].sizes == {"chain": 1, "draw": 5}


def test_another_law_than_the_fitted_one_is_refused(tmp_path, posterior):
    posterior.save(tmp_path / "post.nc")
    with pytest.raises(InputError, match="chinchilla"):
        open_posterior(tmp_path / "post.nc", law=bs.LAWS["kaplan"])


# -- Whole or not at all


def test_the_file_can_be_read_by_all(tmp_path, posterior):
    posterior.save(tmp_path / "post.nc")
    assert stat.S_IMODE(os.stat(tmp_path / "post.nc").st_mode) == 0o644
    assert os.listdir(tmp_path) == ["post.nc"]


def test_saving_again_replaces(tmp_path, posterior):
    posterior.save(tmp_path / "post.nc")
    other = bs.sample_prior(posterior.model, draws=7, seed=2)
    assert kept(other, tmp_path / "post.nc").dataset.sizes["draw"] == 7


def test_a_posterior_can_be_saved_over_the_file_it_came_from(tmp_path, posterior):
    again = kept(kept(posterior, tmp_path / "post.nc"), tmp_path / "post.nc")
    xr.testing.assert_identical(again.dataset, posterior.dataset)


@pytest.mark.parametrize(
    ("trouble", "raised"),
    [(OSError(28, "No space left on device"), InputError), (KeyboardInterrupt(), KeyboardInterrupt)],
    ids=["full disk", "Ctrl-C"],
)
@pytest.mark.parametrize("before", [None, b"what stood there before"], ids=["new", "old"])
def test_a_write_that_breaks_off_leaves_no_trace(tmp_path, posterior, monkeypatch, trouble, raised, before):
    def break_off(self, content):
        with open(self, "wb") as file:
            file.write(b"\x89HDF half")
        raise trouble

    path = tmp_path / "post.nc"
    if before is not None:
        path.write_bytes(before)
    monkeypatch.setattr(Path, "write_bytes", break_off)
    with pytest.raises(raised):
        posterior.save(path)
    assert os.listdir(tmp_path) == ([] if before is None else ["post.nc"])
    assert before is None or path.read_bytes() == before


def test_where_nothing_can_be_written(tmp_path, posterior):
    with pytest.raises(InputError, match="there is no folder"):
        posterior.save(tmp_path / "nowhere" / "post.nc")
    with pytest.raises(InputError, match="it is a folder"):
        posterior.save(tmp_path)
    with pytest.raises(InputError, match="Cannot write"):
        posterior.save(tmp_path / ("x" * 300 + ".nc"))


# -- Files that are damaged, or something else


def refused(path, words):
    with pytest.raises(InputError, match=words) as error:
        open_posterior(path)
    assert str(path) in str(error.value)


def test_files_that_are_no_posterior(tmp_path):
    refused(tmp_path / "none.nc", "There is no file")
    refused(tmp_path, "There is no file")
    for name, content in {"empty.nc": b"", "text.nc": b"N,D,L\n1,2,3\n", "noise.nc": bytes(range(256)) * 40}.items():
        (tmp_path / name).write_bytes(content)
        refused(tmp_path / name, "cannot be read as a posterior")
    xr.Dataset({"E": ("draw", [1.0, 2.0])}).to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    refused(tmp_path / "other.nc", "is not a posterior saved by this version of bayescale")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_a_file_cut_short_is_refused(tmp_path, posterior, share):
    posterior.save(tmp_path / "post.nc")
    content = (tmp_path / "post.nc").read_bytes()
    (tmp_path / "post.nc").write_bytes(content[: int(share * len(content))])
    refused(tmp_path / "post.nc", "damaged, cut short, or no NetCDF file")


def tamper(path, change):
    with h5py.File(path, "r+") as file:
        change(file)


def set_loss(file):
    column = next(c for c in file["runs"].values() if c.attrs.get("column") == "L")
    column[3] = 0.5


def drop_runs(file):
    del file["runs"]


def older_format(file):
    file.attrs["format"] = "bayescale posterior 0"


def rename_column(file):
    column = next(c for c in file["runs"].values() if c.attrs.get("column") == "N")
    column.attrs["column"] = "M"


def break_spec(file):
    file.attrs["spec"] = "{"


def drop_spec(file):
    del file.attrs["spec"]


def empty_spec(file):
    file.attrs["spec"] = "{}"


def strange_model(file):
    spec = json.loads(file.attrs["spec"])
    del spec["model"]["priors"]
    file.attrs["spec"] = json.dumps(spec)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (set_loss, "its runs are not those it was saved with"),
        (rename_column, "its runs are not those it was saved with"),
        (drop_runs, "is not a posterior saved by this version"),
        (older_format, "is not a posterior saved by this version"),
        (break_spec, "damaged posterior"),
        (drop_spec, "damaged posterior"),
        (empty_spec, "its model is not the one it was saved with"),
        (strange_model, "its model is not the one it was saved with"),
    ],
)
def test_a_file_changed_since_is_refused(tmp_path, posterior, change, words):
    posterior.save(tmp_path / "post.nc")
    open_posterior(tmp_path / "post.nc")
    tamper(tmp_path / "post.nc", change)
    refused(tmp_path / "post.nc", words)


def test_a_link_is_written_through_and_what_is_no_file_is_left_alone(tmp_path, posterior):
    (tmp_path / "real.nc").write_text("old")
    (tmp_path / "link.nc").symlink_to(tmp_path / "real.nc")
    posterior.save(tmp_path / "link.nc")
    assert (tmp_path / "link.nc").is_symlink()
    assert bs.open_posterior(tmp_path / "real.nc").dataset.equals(posterior.dataset)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="no file"):
        posterior.save(tmp_path / "pipe")
    assert not (tmp_path / "pipe").is_file()
