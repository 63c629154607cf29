"""A figure as markup for a page: vectors without styles of their own, or a picture where vectors would be large."""

import base64
import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from bayescale.reports.parts import Figure

MOST = 260_000  # characters; more is drawn as a picture
DOTS = 130  # per inch, of a picture
PER_INCH = 96  # of a page's own pixels
_STYLE = re.compile(r'style="([^"]*)"')
_PATH = re.compile(r'\bd="[^"]*"')
_SHORT = re.compile(r"(\d+\.\d\d)\d+")  # a hundredth of a point


def draw(key: str, make: Callable[[], Any], caption: str) -> Figure:
    """Draw a figure into markup.

    Parameters
    ----------
    key : str
        Names the figure; letters and hyphens. The identifiers in its markup begin with it.
    make : callable
        Makes the axes.
    caption : str
        What it shows.
    """
    import matplotlib as mpl

    options: dict[Any, Any] = {"svg.fonttype": "path", "svg.hashsalt": key}
    try:
        with mpl.rc_context(options):
            markup = _markup(key, make(), caption)
    except ValueError:  # a name with dollar signs that is no formula
        with mpl.rc_context({**options, "text.parse_math": False}):
            markup = _markup(key, make(), caption)
    return Figure(markup, caption)


def _markup(key: str, axes: Any, caption: str) -> str:
    import matplotlib.pyplot as plt

    figure = np.ravel(np.asarray(axes, dtype=object))[0].figure
    try:
        written = io.StringIO()
        figure.savefig(written, format="svg", bbox_inches="tight", transparent=True, metadata={"Date": None})
        markup = _plain(written.getvalue(), key, caption)
        return markup if len(markup) <= MOST else _picture(figure, caption)
    finally:
        plt.close(figure)


def _plain(svg: str, key: str, caption: str) -> str:
    """An SVG that a page with a strict policy can hold: attributes for styles, identifiers of its own."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<defs>\s*<style.*?</style>\s*</defs>", "", svg, flags=re.S)
    svg = _STYLE.sub(lambda found: _attributes(found[1]), svg)
    svg = re.sub(r'\bid="', f'id="{key}-', svg)
    svg = re.sub(r'href="#', f'href="#{key}-', svg)
    svg = re.sub(r"url\(#", f"url(#{key}-", svg)
    # As wide as it was drawn, so that letters have one size on the whole page; what is too wide is made narrower.
    opening = rf'<svg viewBox="0 0 \1 \2" width="\1pt" {_named(caption)}>'
    svg = re.sub(r'<svg [^>]*viewBox="0 0 ([\d.]+) ([\d.]+)"[^>]*>', opening, svg, count=1)
    svg = _PATH.sub(lambda path: _SHORT.sub(r"\1", path[0]), svg)
    return re.sub(r"\s*\n\s*", "\n", svg).strip()


def _attributes(style: str) -> str:
    pairs = (item.split(":", 1) for item in style.split(";") if ":" in item)
    return " ".join(f'{name.strip()}="{value.strip()}"' for name, value in pairs)


def _named(caption: str) -> str:
    from markupsafe import escape

    return f'role="img" aria-label="{escape(caption)}"'.replace("\\", r"\\")


def _picture(figure, caption: str) -> str:
    from markupsafe import escape

    written = io.BytesIO()
    options: dict[str, Any] = {"bbox_inches": "tight", "transparent": True, "metadata": {"Software": None}}
    figure.savefig(written, format="png", dpi=DOTS, **options)
    picture = written.getvalue()
    wide = int.from_bytes(picture[16:20], "big") * PER_INCH // DOTS
    data = base64.b64encode(picture).decode()
    return f'<img alt="{escape(caption)}" width="{wide}" src="data:image/png;base64,{data}">'
