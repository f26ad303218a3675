"""The colors of clusters, shared by plots and report.

Ten colors that stay apart for the common kinds of color blindness (a test simulates them), on white
and on a dark page. Further clusters repeat them in a lighter and a darker tone: nobody tells thirty
colors apart, so that pictures also write the number of a cluster beside its center.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CHOSEN",
    "CURVE",
    "DARK",
    "FALLING",
    "HELD_OUT",
    "INK",
    "LIGHT",
    "RISING",
    "RUNNER_UP",
    "cluster_colors",
    "diverging",
    "mixed",
    "text_color_on",
]

LIGHT = (
    *("#3c5ab6", "#dea40c", "#1d977a", "#ff58bf", "#32abff"),
    *("#a82b04", "#3e3189", "#8f8211", "#802154", "#6f627a"),
)
DARK = (
    *("#528cc2", "#fdc131", "#59d1a7", "#bbadff", "#98efff"),
    *("#d75005", "#9b63ff", "#bca405", "#bb6188", "#80a8b9"),
)
INK = {"text": "#1d2430", "muted": "#5d6675", "line": "#c9cfd8", "page": "#ffffff"}
CURVE, HELD_OUT, CHOSEN, RUNNER_UP = "#1f5f99", "#5aa7d6", "#c4501b", "#d9a441"
"""Curves over the number of clusters, and what marks a number."""
FALLING, RISING = "#2a6fb3", "#b4581a"
"""The ends of the diverging scale: below and above the mean of all rows."""

_TONES = (0.0, 0.35, -0.35, 0.6, -0.55)
"""How far a repeated color is mixed with white (above 0) or black (below 0)."""


def cluster_colors(n_clusters: int, *, is_dark: bool = False) -> list[str]:
    """Return one color for each cluster, as ``#rrggbb``."""
    base = DARK if is_dark else LIGHT
    return [
        _toned(base[j % len(base)], _TONES[j // len(base) % len(_TONES)]) for j in range(n_clusters)
    ]


def diverging(value: float, limit: float) -> str:
    """Return the color of a signed value: white at 0, full at plus or minus `limit`."""
    weight = min(1.0, abs(value) / limit) if limit > 0 else 0.0
    return mixed("#ffffff", RISING if value > 0 else FALLING, weight)


def text_color_on(color: str) -> str:
    """Return black or white, whichever is easier to read on the color."""
    linear = np.where(
        _rgb(color) <= 0.04045, _rgb(color) / 12.92, ((_rgb(color) + 0.055) / 1.055) ** 2.4
    )
    luminance = float(linear @ np.array([0.2126, 0.7152, 0.0722]))
    # Equal contrast with both at sqrt(1.05 * 0.05) - 0.05.
    return "#ffffff" if luminance < 0.179 else "#000000"


def _toned(color: str, tone: float) -> str:
    return mixed(color, "#ffffff" if tone > 0 else "#000000", abs(tone))


def mixed(first: str, second: str, weight: float) -> str:
    """Return the color between two: the first at weight 0, the second at 1."""
    mixed = (1 - weight) * _rgb(first) + weight * _rgb(second)
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in mixed.tolist())


def _rgb(color: str) -> NDArray[np.float64]:
    return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
