"""From the numbers of displays to positions in a drawing. The template writes the marks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from centroids.plots.clusters import ClustersDisplay, frame_of
from centroids.plots.iterations import IterationsDisplay
from centroids.plots.silhouette import SilhouetteDisplay
from centroids.report.numbers import cell, quantity, shortened, tick

if TYPE_CHECKING:
    from centroids.choosing_k import KChoice

__all__ = ["Axis", "elbow_chart", "map_chart", "replay_data", "score_chart", "silhouette_chart"]

Float64 = NDArray[np.float64]
Chart = dict[str, Any]

WIDTH, HEIGHT = 480.0, 360.0
LEFT, RIGHT, TOP, BOTTOM = 66.0, 10.0, 12.0, 46.0
MOST_FRAMES = 60


@dataclass(frozen=True)
class Axis:
    """A scale of one direction: values low … high at positions start … end."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def at(self, value: float) -> float:
        """Return the position of a value, to a tenth of a unit."""
        low, high, v = self.low, self.high, value
        if self.is_log:
            low, high, v = math.log(low), math.log(high), math.log(v)
        share = (v - low) / (high - low) if high > low else 0.5
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self, n: int = 6) -> list[tuple[float, str]]:
        """Return positions and texts of round values."""
        values = self._log_ticks(n) if self.is_log else self._linear_ticks(n)
        return [(self.at(value), tick(value)) for value in values]

    def _linear_ticks(self, n: int) -> list[float]:
        extent = self.high - self.low
        if not extent > 0:
            return [self.low]
        step = 10.0 ** math.floor(math.log10(extent / n))
        step *= next(m for m in (1, 2, 5, 10) if extent / (step * m) <= n)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        digits = max(0, -math.floor(math.log10(step)))
        return [round(i * step, digits + 1) for i in range(first, last + 1)]

    def _log_ticks(self, n: int) -> list[float]:
        powers = range(math.floor(math.log10(self.low)) - 1, math.ceil(math.log10(self.high)) + 1)
        for steps in ((1, 2, 5), (1, 3), (1,)):
            values = [m * 10.0**p for p in powers for m in steps]
            inside = [v for v in values if self.low <= v <= self.high]
            if len(inside) <= n + 1:
                return inside
        return inside[:: -(-len(inside) // n)]


def _box(width: float = WIDTH, height: float = HEIGHT) -> Chart:
    return {
        "width": width,
        "height": height,
        "left": LEFT,
        "right": width - RIGHT,
        "top": TOP,
        "bottom": height - BOTTOM,
    }


def map_chart(
    display: ClustersDisplay, numbers: Any, misses: frozenset[int], classes: Any
) -> Chart:
    """Place rows, centers and regions of a map; one column becomes a strip."""
    points, centers = _on_a_plane(display.points, 0), _on_a_plane(display.centers, None)
    low, high = frame_of(points, centers)
    chart = _box()
    across = Axis(low[0], high[0], LEFT, WIDTH - RIGHT)
    up = Axis(low[1], high[1], HEIGHT - BOTTOM, TOP)
    is_strip = display.points.shape[1] == 1
    labels = [*map(shortened, display.axis_labels), "spread upwards only to be seen"][:2]
    chart |= {
        "x_ticks": across.ticks(),
        "y_ticks": [] if is_strip else up.ticks(),
        "x_label": labels[0],
        "y_label": labels[1],
        "radius": 2.6 if len(points) > 600 else 3.4,
        "points": [
            {
                "x": across.at(x),
                "y": up.at(y),
                "cluster": int(label),
                "row": int(number),
                "is_miss": int(row) in misses,
                "class": None if classes is None else cell(classes[row]),
            }
            for (x, y), label, row, number in zip(
                points.tolist(), display.labels, display.rows, numbers, strict=True
            )
        ],
        "centers": [(across.at(x), up.at(y)) for x, y in centers.tolist()],
        "regions": [
            " ".join(f"{across.at(x)},{up.at(y)}" for x, y in region.tolist())
            for region in display.regions or []
        ],
        "region_share": display.region_share if display.regions is not None else None,
        "n_shown": len(display.rows),
        "n_samples": display.n_samples,
        "axes": (across, up),
    }
    return chart


def _on_a_plane(positions: Float64, seed: int | None) -> Float64:
    """Give a single axis a second one: random heights for rows, the middle for centers."""
    if positions.shape[1] == 2:
        return positions
    n = len(positions)
    heights = np.full(n, 0.5) if seed is None else np.random.default_rng(seed).uniform(0.1, 0.9, n)
    return np.column_stack([positions[:, 0], heights])


def replay_data(display: IterationsDisplay, chart: Chart) -> Chart:
    """Place the centers of every iteration on a map drawn from the same rows."""
    across, up = chart["axes"]
    width, height = chart["right"], chart["bottom"]
    picked = _frames_to_show(len(display.frames))
    frames = []
    for number in picked:
        frame = display.frames[number]
        centers = _on_a_plane(frame.centers, None)
        frames.append(
            {
                "n": number,
                "inertia": quantity(frame.inertia, 6),
                "moved": frame.share_moved,
                "searched": frame.is_after_search,
                # First centers may lie beyond the rows shown.
                "centers": [
                    [
                        round(min(max(across.at(x), chart["left"]), width), 1),
                        round(min(max(up.at(y), chart["top"]), height), 1),
                    ]
                    for x, y in centers.tolist()
                ],
                "labels": frame.labels.tolist(),
            }
        )
    return {"frames": frames, "n_frames": len(display.frames)}


def _frames_to_show(n: int) -> list[int]:
    """All states of a short fit; of a long one the first, where most happens, and some later."""
    if n <= MOST_FRAMES:
        return list(range(n))
    first = MOST_FRAMES // 2
    later = np.linspace(first, n - 1, MOST_FRAMES - first).round().astype(int).tolist()
    return [*range(first), *later]


def silhouette_chart(display: SilhouetteDisplay) -> Chart:
    """Outline the block of every cluster."""
    chart = _box(height=max(HEIGHT, min(900.0, 60 + 22.0 * len(display.counts))))
    lowest = min((float(o.min()) for o in display.outlines if len(o)), default=0.0)
    across = Axis(min(0.0, lowest), 1.0, LEFT, WIDTH - RIGHT)
    up = Axis(0.0, 1.0, TOP, chart["height"] - BOTTOM)
    blocks = []
    for (top, bottom), outline in zip(display.blocks(), display.outlines, strict=True):
        y0, y1 = up.at(top), up.at(bottom)
        heights = np.linspace(y0, y1, len(outline) + 1).round(1).tolist()
        path = [f"M{across.at(0)} {y0}"]
        for value, begin, end in zip(outline.tolist(), heights[:-1], heights[1:], strict=True):
            path.append(f"L{across.at(value)} {begin}V{end}")
        path.append(f"H{across.at(0)}Z" if len(outline) else "Z")
        blocks.append({"path": "".join(path), "middle": round((y0 + y1) / 2, 1)})
    chart |= {
        "x_ticks": across.ticks(),
        "blocks": blocks,
        "mean_at": across.at(display.mean),
        "mean": display.mean,
        "means": display.means.tolist(),
    }
    return chart


def elbow_chart(choice: KChoice) -> Chart | None:
    """Draw inertia against K, both on logarithmic axes; None where there is no curve."""
    ks, inertia = choice.table["n_clusters"], choice.table["inertia"]
    held_out = choice.table["held_out_inertia"]
    keep = inertia > inertia[0] * 1e-12
    if np.count_nonzero(keep) < 2:
        return None
    ks, inertia, held_out = ks[keep], inertia[keep], held_out[keep]
    known = np.isfinite(held_out) & (held_out > 0)
    band = choice.null_band()
    values = [inertia, held_out[known]]
    if band is not None:
        band = band[:, : len(keep)][:, keep[: band.shape[1]]] * choice.table["inertia"][0]
        values.append(band.ravel())
    everything = np.concatenate(values)
    chart = _box()
    across = Axis(float(ks[0]), float(ks[-1]), LEFT + 8, WIDTH - RIGHT - 8, is_log=True)
    up = Axis(
        float(everything[everything > 0].min()) / 1.1, float(everything.max()) * 1.1,
        HEIGHT - BOTTOM, TOP, is_log=True,
    )  # fmt: skip
    ticks = [k for k in (1, 2, 3, 5, 8, 12, 20, 30, 50, 100, 200) if ks[0] <= k <= ks[-1]]
    chart |= {
        "x_ticks": [(across.at(k), str(k)) for k in ticks],
        "y_ticks": up.ticks(),
        "points": _points(ks, inertia, across, up),
        "held_out": _points(ks[known], held_out[known], across, up),
        "band": None if band is None else _band(ks, band, across, up),
        "marks": _marks(choice, across),
    }
    return chart


def _points(xs: Any, ys: Any, across: Axis, up: Axis) -> list[tuple[float, float, str]]:
    return [
        (across.at(x), up.at(y), f"K = {int(x)}: {quantity(y, 5)}")
        for x, y in zip(xs.tolist(), ys.tolist(), strict=True)
    ]


def _band(ks: Any, band: Float64, across: Axis, up: Axis) -> str:
    low, high = (np.maximum(side, up.low) for side in band)
    corners = [(k, v) for k, v in zip(ks.tolist(), high.tolist(), strict=True)]
    corners += [(k, v) for k, v in zip(ks[::-1].tolist(), low[::-1].tolist(), strict=True)]
    return " ".join(f"{across.at(k)},{up.at(v)}" for k, v in corners)


def score_chart(choice: KChoice) -> Chart | None:
    """Draw how much speaks for each K."""
    ks, scores = choice.table["n_clusters"], choice.table["score"]
    keep = ks > 1
    ks, scores = ks[keep], np.maximum(np.nan_to_num(scores[keep]), 0.0)
    if not len(ks) or not scores.any():
        return None
    chart = _box()
    slot = (WIDTH - LEFT - RIGHT) / len(ks)
    across = Axis(ks[0] - 0.5, ks[-1] + 0.5, LEFT, WIDTH - RIGHT)
    up = Axis(0.0, 3.0, HEIGHT - BOTTOM, TOP + 14)
    step = max(1, -(-len(ks) // 14))
    chart |= {
        "x_ticks": [(across.at(k), str(k)) for k in ks[::step].tolist()],
        "y_ticks": up.ticks(4),
        "bars": [
            {
                "x": round(across.at(k) - 0.36 * slot, 1),
                "y": up.at(score),
                "width": round(0.72 * slot, 1),
                "height": round(up.at(0) - up.at(score), 1),
                "text": f"K = {k}: {score:.2f} of 3",
                "is_chosen": k == choice.k_if_forced and choice.k > 1,
                "is_runner_up": k == choice.runner_up,
            }
            for k, score in zip(ks.tolist(), scores.tolist(), strict=True)
        ],
        "marks": _marks(choice, across),
    }
    return chart


def _marks(choice: KChoice, across: Axis) -> Sequence[tuple[float, str, str]]:
    """Where to point at K: position, text, kind."""
    if choice.k_if_forced < 2:
        return []
    word = "K" if choice.k > 1 else "if forced, K"
    return [(across.at(choice.k_if_forced), f"{word} = {choice.k_if_forced}", "chosen")]
