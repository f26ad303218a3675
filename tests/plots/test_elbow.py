"""The elbow plot shows the numbers it is given and marks the bend it says it marks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from centroids import ElbowDisplay, InputError

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")
plt = pytest.importorskip("matplotlib.pyplot")

REFERENCE = [
    4588752.83, 1674023.36, 924039.37, 400226.55, 187689.83, 182755.03,
    177709.85, 172991.01, 168104.44, 164503.85, 161138.86, 156110.06,
]  # fmt: skip


@pytest.fixture
def display() -> ElbowDisplay:
    return ElbowDisplay(range(1, 13), REFERENCE)


def test_bend_of_the_reference_experiment_is_at_its_five_groups(display: ElbowDisplay) -> None:
    assert display.bend == 5


@pytest.mark.parametrize(
    ("n_clusters", "inertia", "bend"),
    [
        ([1, 2, 3, 4, 5], [900, 300, 80, 75, 71], 3),
        ([2, 4, 6, 8], [1600, 100, 90, 80], 4),
        ([1, 2, 3, 4], [8, 4, 2, 1], None),
        ([1, 2, 3, 4], [100, 90, 70, 10], None),
        ([1, 2], [2, 1], None),
        ([3], [2], None),
        ([1, 2, 3, 4], [100, 10, 0, 0], 3),
        ([1, 2, 3, 4], [0, 0, 0, 0], None),
    ],
    ids=["plain", "gaps in K", "straight", "ever faster", "two points", "one point",
         "perfect fit", "no spread"],
)  # fmt: skip
def test_bend_is_where_log_inertia_turns_most(
    n_clusters: list[int], inertia: list[float], bend: int | None
) -> None:
    assert ElbowDisplay(n_clusters, inertia).bend == bend


def test_bend_does_not_depend_on_the_unit_of_the_rows(display: ElbowDisplay) -> None:
    for factor in (1e-12, 1e12):
        assert ElbowDisplay(range(1, 13), np.array(REFERENCE) * factor).bend == display.bend


def test_plot_draws_the_numbers_and_names_the_bend(display: ElbowDisplay) -> None:
    _, ax = plt.subplots()
    assert display.plot(ax) is display
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    np.testing.assert_array_equal(display.line_.get_xdata(), range(1, 13))
    np.testing.assert_array_equal(display.line_.get_ydata(), REFERENCE)
    assert ax.get_ylim()[0] == 0
    assert "K = 5: inertia 187,690" in ax.texts[0].get_text()
    plt.close("all")


def test_plot_without_axes_makes_a_figure(display: ElbowDisplay) -> None:
    display.plot(color="k")
    assert display.line_.get_color() == "k"
    plt.close(display.figure_)


def test_nothing_is_marked_where_nothing_bends() -> None:
    _, ax = plt.subplots()
    ElbowDisplay([1, 2, 3], [4, 2, 1]).plot(ax)
    assert not ax.texts
    plt.close("all")


def test_small_inertia_keeps_its_digits_on_the_axis() -> None:
    _, ax = plt.subplots()
    ElbowDisplay([1, 2, 3, 4], [0.9, 0.3, 0.01, 0.009]).plot(ax)
    labels = [ax.yaxis.get_major_formatter()(tick) for tick in ax.get_yticks()]
    assert len(set(labels)) == len(labels)
    assert "inertia 0.01" in ax.texts[0].get_text()
    plt.close("all")


def test_save_writes_a_picture_and_leaves_pyplot_alone(
    display: ElbowDisplay, tmp_path: Path
) -> None:
    display.save(tmp_path / "elbow.png")
    assert (tmp_path / "elbow.png").read_bytes().startswith(b"\x89PNG")
    assert not plt.get_fignums()
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("name", ["elbow.jpg", "nowhere/elbow.png"])
def test_a_picture_that_cannot_be_written_is_refused(
    display: ElbowDisplay, tmp_path: Path, name: str
) -> None:
    with pytest.raises(InputError):
        display.save(tmp_path / name)


@pytest.mark.parametrize(
    ("n_clusters", "inertia", "words"),
    [([1, 2], [1.0], "one inertia for each"), ([2, 1], [1.0, 2.0], "ascend")],
)
def test_numbers_that_do_not_fit_are_refused(
    n_clusters: list[int], inertia: list[float], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        ElbowDisplay(n_clusters, inertia)


def test_the_bend_needs_no_matplotlib() -> None:
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from centroids import ElbowDisplay, MissingExtraError\n"
        "display = ElbowDisplay([1, 2, 3], [9, 2, 1.9])\n"
        "assert display.bend == 2\n"
        "try: display.plot()\n"
        "except MissingExtraError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == 'drawing needs matplotlib: pip install "centroids[plot]"\n'
