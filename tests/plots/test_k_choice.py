"""The picture of a choice: finished numbers in, three panels out."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from centroids import KChoiceDisplay, choose_k

pytest.importorskip("matplotlib").use("Agg")

DATA = {
    "five blobs": make_blobs(400, 2, centers=5, cluster_std=0.6, random_state=0)[0],
    "a cloud": np.random.default_rng(0).normal(size=(300, 2)),
    "constant": np.ones((20, 2)),
    "one row": np.ones((1, 2)),
    "two values": np.repeat([0.0, 1.0], 50)[:, None],
}


@pytest.mark.parametrize("X", DATA.values(), ids=DATA.keys())
def test_any_choice_can_be_drawn(X, tmp_path):
    choice = choose_k(X, random_state=0)
    display = KChoiceDisplay(choice, choice.null_band())
    display.save(tmp_path / "choice.png")
    assert (tmp_path / "choice.png").stat().st_size > 10_000
    assert len(display.axes_) == 3


def test_plot_shows_the_verdict_and_marks_the_choice():
    from matplotlib.figure import Figure

    display = choose_k(DATA["five blobs"], random_state=0).plot(Figure())
    assert display.figure_.get_suptitle() == "K = 5, clearly."
    assert any("K = 5" in text.get_text() for text in display.axes_[0].texts)


def test_the_null_band_starts_at_one_and_falls():
    choice = choose_k(DATA["a cloud"], random_state=0)
    low, high = choice.null_band()
    assert low[0] == high[0] == 1.0
    assert (np.diff(high) < 0).all()
    assert (low <= high).all()
