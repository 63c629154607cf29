"""Every public figure as an image: compared with a picture kept, told apart without colour, not cut, its words words.

After a change that was meant, and after looking at every picture: ``make baselines``.
"""

from itertools import combinations
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from gallery import FIGURES, grouped, overlapping, plain
from matplotlib.colors import to_rgb
from matplotlib.testing.compare import compare_images
from PIL import Image

import bayescale as bs
from bayescale.plots.common import COLOURS, GREY, INK, PALE, RED, save_figure

BASELINE = Path(__file__).parent / "baseline"
SOFTWARE = f"matplotlib {'.'.join(mpl.__version__.split('.')[:2])}"
DOTS = 50  # per inch: small files, and still every line and letter
# Root mean square over the levels 0 to 255 of all pixels. With one minor version of matplotlib, which brings its own
# letters and its own drawing, a picture is the same to the bit; another processor's rounding may move the few pixels at
# an edge by a level, under 0.05. Of changes that a reader would see, the least found was a bar 0.7 points thicker: 0.7.
# Another minor version sets letters otherwise and shifts all else (3.10 against 3.11: 26 to 39), so it is not compared.
TOLERANCE = 0.5


@pytest.fixture(scope="module")
def posteriors():
    """What is drawn: one law, and six groups."""
    return plain(), grouped()


@pytest.fixture(scope="module")
def figures(posteriors):
    """The figures by name, each drawn when it is first asked for."""
    drawn = {}

    def draw(name):
        if name not in drawn:
            drawn[name] = draw_panels(name, posteriors)
        return drawn[name]

    with mpl.rc_context({"figure.max_open_warning": 0}):  # held on purpose, more of them than a reader would
        yield draw
    plt.close("all")


def draw_panels(name, posteriors):
    """Panels of a figure in matplotlib's own style, whatever the user's is."""
    with plt.style.context("default"):
        return np.ravel(np.asarray(FIGURES[name](*posteriors), dtype=object))


def compare(figure, name, folder):
    """None where a figure is the picture kept; else a message that names both and their difference."""
    kept, found = BASELINE / f"{name}.png", folder / f"{name}.png"
    with Image.open(kept) as picture:
        drawn_by = picture.info["Software"]
    if drawn_by != SOFTWARE:
        pytest.skip(f"the pictures were kept by {drawn_by}, and this is {SOFTWARE}, which sets letters otherwise")
    write(figure, found)
    return compare_images(str(kept), str(found), TOLERANCE)


def write(figure, path):
    with plt.style.context("default"):
        figure.savefig(path, dpi=DOTS, metadata={"Software": SOFTWARE})


def test_every_public_figure_is_in_the_gallery():
    shown = {name.split("_")[0] for name in FIGURES}
    assert {f"plot_{name}" for name in shown} == {name for name in bs.__all__ if name.startswith("plot_")}


@pytest.mark.parametrize("name", FIGURES)
def test_figure_is_the_picture_kept(figures, name, tmp_path, request):
    figure = figures(name)[0].figure
    if request.config.getoption("--remake-baselines"):
        write(figure, BASELINE / f"{name}.png")
        pytest.skip(f"tests/baseline/{name}.png was made anew: look at it")
    different = compare(figure, name, tmp_path)
    assert different is None, f"{different}\n    If the change was meant: look at them, then make baselines."


def test_a_bar_a_little_thicker_is_another_picture(posteriors, tmp_path):
    panels = draw_panels("exponents", posteriors)
    bar = panels[0].lines[0]
    bar.set_linewidth(bar.get_linewidth() + 0.7)
    different = compare(panels[0].figure, "exponents", tmp_path)
    plt.close(panels[0].figure)
    assert different is not None
    for shown in ("baseline/exponents.png", str(tmp_path / "exponents.png"), "exponents-failed-diff.png"):
        assert shown in different


def test_pictures_kept_are_those_of_the_gallery_and_small():
    kept = list(BASELINE.glob("*.png"))
    assert {path.stem for path in kept} == set(FIGURES)
    assert sum(path.stat().st_size for path in kept) < 600_000


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_overlaps_or_is_cut(figures, name):
    figure = figures(name)[0].figure
    assert overlapping(figure) == []
    drawn, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(drawn.x0, drawn.y0, width - drawn.x1, height - drawn.y1) >= 0


# -- Colours


# Machado, Oliveira & Fernandes (2009), IEEE TVCG 15, table 1: severity 1, on linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
# From sRGB's primaries to CIE XYZ, in units of the white point D65.
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(colour, alpha=None, sight="none"):
    """CIELAB of a colour on white paper, as one sees it; L* goes from 0, black, to 100, white."""
    c = 1 - (1 - np.array(to_rgb(colour))) * (1 if alpha is None else alpha)
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    x, y, z = XYZ @ np.clip(BLINDNESS[sight] @ linear, 0, 1) / XYZ.sum(axis=1)
    f = [np.cbrt(v) if v > (6 / 29) ** 3 else v * (29 / 6) ** 2 / 3 + 4 / 29 for v in (x, y, z)]
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_lab_of_known_colours():
    """White, and sRGB's red: 53.2, 80.1, 67.2."""
    assert lab("white") == pytest.approx([100, 0, 0], abs=0.1)
    assert lab("#FF0000") == pytest.approx([53.2, 80.1, 67.2], abs=0.1)
    assert lab("#000000", alpha=0.5)[0] == pytest.approx(53.4, abs=0.2)


@pytest.mark.parametrize("sight", BLINDNESS)
def test_colours_are_told_apart(sight):
    """A distance of 2.3 is just seen side by side; ten times that is seen across a figure, half of it colour-blind."""
    least = 23 if sight == "none" else 11.5
    seen = {colour: lab(colour, sight=sight) for colour in COLOURS}
    near = {pair: np.linalg.norm(seen[pair[0]] - seen[pair[1]]) for pair in combinations(COLOURS, 2)}
    assert min(near.values()) >= least, min(near, key=near.__getitem__)


def contrast(colour):
    """WCAG's ratio to white paper, from 1 to 21."""
    return 1.05 / (0.05 + ((lab(colour)[0] + 16) / 116) ** 3)


def test_lines_and_words_are_seen_on_white():
    """WCAG 2.2 asks a contrast of 4.5 of words and 3 of marks: what is paler is drawn in lines, never written."""
    assert contrast("#777777") == pytest.approx(4.48, abs=0.005)
    assert all(contrast(colour) >= 4.5 for colour in (INK, GREY, RED))
    assert {colour for colour in COLOURS if contrast(colour) < 3} <= {"#E69F00", "#CC79A7", "#56B4E9"}
    assert min(map(contrast, (*COLOURS, PALE))) > 2
    assert lab(PALE)[0] - lab(COLOURS[0])[0] >= 15  # before and after, in one row


def grey_look(handle):
    """What a legend's key is without colour: kind, marker, dashes, lightness."""
    colour = handle.get_facecolor() if hasattr(handle, "get_facecolor") else handle.get_color()
    shape = (handle.get_marker(), handle.get_linestyle()) if hasattr(handle, "get_marker") else ("patch", "")
    return shape, lab(colour[:3] if not isinstance(colour, str) else colour, handle.get_alpha())[0]


@pytest.mark.parametrize("name", FIGURES)
def test_keys_of_a_legend_are_told_apart_in_grey(figures, name):
    axes = figures(name)
    legends = [*axes[0].figure.legends, *(ax.get_legend() for ax in axes if ax.get_legend())]
    for legend in legends:
        looks = dict(
            zip([t.get_text() for t in legend.get_texts()], map(grey_look, legend.legend_handles), strict=True)
        )
        for (one, (shape, light)), (other, (its, lightness)) in combinations(looks.items(), 2):
            assert shape != its or abs(light - lightness) >= 15, (one, other)


def test_shades_of_a_forecast_go_from_dark_to_light(figures):
    shades = [lab(line.get_color()[:3])[0] for line in figures("forecast_one")[0].lines if line.get_linestyle() == "--"]
    assert len(shades) == 4
    assert np.diff(shades).min() >= 10


# -- Vectors


def test_words_of_a_vector_figure_are_words(figures, tmp_path):
    """An SVG can be searched; a PDF keeps its fonts as TrueType, which journals ask for, not as Type 3."""
    for suffix in ("svg", "pdf"):
        save_figure(bs.plot_prior(plain().model, draws=5), tmp_path / f"prior.{suffix}")
    markup = (tmp_path / "prior.svg").read_text()
    assert ">run, measured at any D</text>" in markup
    assert ">chinchilla (25 runs)</text>" in markup
    pdf = (tmp_path / "prior.pdf").read_bytes()
    assert b"/Subtype /Type0" in pdf
    assert b"/Subtype /Type3" not in pdf
    assert mpl.rcParams["svg.fonttype"] == mpl.rcParamsDefault["svg.fonttype"]
