"""Displays of fitted models: what they compute, and that any model can be drawn."""

import itertools

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_blobs
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from centroids import (
    BisectingKMeans,
    ClustersDisplay,
    ConfusionDisplay,
    FitRecorder,
    IterationsDisplay,
    KMeans,
    LogTransformer,
    ProfileDisplay,
    SilhouetteDisplay,
    match_labels,
)
from centroids.plots import palette
from centroids.plots.fitted import sample_rows
from centroids.plots.maps import voronoi_cells

pytest.importorskip("matplotlib").use("Agg")

IRIS = load_iris().data
# Machado, Oliveira & Fernandes, "A physiologically-based model for simulation of color vision
# deficiency", IEEE TVCG 15(6), 2009: full severity, on linear RGB.
VISION = {
    "full": "1 0 0 / 0 1 0 / 0 0 1",
    "protan": "0.152286 1.052583 -0.204868 / 0.114503 0.786281 0.099216 /"
    "-0.003882 -0.048116 1.051998",
    "deutan": "0.367322 0.860646 -0.227968 / 0.280085 0.672501 0.047413 /"
    "-0.011820 0.042940 0.968881",
    "tritan": "1.255528 -0.076749 -0.178779 / -0.078411 0.930809 0.147602 /"
    "0.004733 0.691367 0.303900",
}


def blobs(k, n=600, d=5):
    return make_blobs(n, d, centers=k, random_state=1)[0]


@pytest.mark.parametrize("k", [1, 2, 5, 10, 30])
@pytest.mark.parametrize("d", [1, 2, 5])
def test_any_number_of_clusters_and_columns_can_be_drawn(k, d, tmp_path):
    X = blobs(k, d=d)
    model = KMeans(k, random_state=0).fit(X)
    displays = [
        ClustersDisplay.from_estimator(model, X),
        IterationsDisplay.from_estimator(model, X),
    ]
    if k > 1:
        displays.append(SilhouetteDisplay.from_estimator(model, X))
    for i, display in enumerate(displays):
        display.save(tmp_path / f"{i}.png")
        assert (tmp_path / f"{i}.png").stat().st_size > 8_000


# ---------------------------------------------------------------- silhouette


def test_silhouette_is_that_of_the_distances_to_centers():
    model = KMeans(3, random_state=0).fit(IRIS)
    display = SilhouetteDisplay.from_estimator(model, IRIS)
    near = np.sort(model.transform(IRIS), axis=1)
    values = 1 - near[:, 0] / near[:, 1]
    assert display.mean == pytest.approx(values.mean(), rel=1e-12)
    for j in range(3):
        own = np.sort(values[model.labels_ == j])[::-1]
        np.testing.assert_allclose(display.outlines[j], own, rtol=1e-9, atol=1e-12)
        assert display.means[j] == pytest.approx(own.mean())


def test_outlines_of_large_clusters_are_thinned_from_end_to_end():
    values = np.linspace(1, 0, 5000)
    display = SilhouetteDisplay(values, np.zeros(5000, int))
    assert len(display.outlines[0]) == 200
    assert display.outlines[0][[0, -1]].tolist() == [1.0, 0.0]


def test_blocks_fill_the_picture_in_order_and_small_ones_stay_visible():
    labels = np.repeat([0, 1, 2], [9990, 9, 1])
    blocks = SilhouetteDisplay(np.ones(10000), labels).blocks()
    edges = np.ravel(blocks)
    assert (np.diff(edges) > 0).all()
    assert edges[0] > 0
    assert edges[-1] < 1
    assert blocks[2][1] - blocks[2][0] > 0.005


def test_silhouette_of_one_cluster_is_refused():
    with pytest.raises(ValueError, match="one cluster"):
        SilhouetteDisplay.from_estimator(KMeans(1).fit(IRIS), IRIS)


# ---------------------------------------------------------------- maps


def test_logarithms_are_shown_as_such_since_regions_have_straight_edges():
    random = np.random.default_rng(0)
    X = np.column_stack([random.normal(40, 9, 300), np.exp(random.normal(9, 2, 300))])
    steps = LogTransformer([1]), StandardScaler(), KMeans(4, random_state=0)
    model = make_pipeline(*steps).fit(X)
    display = ClustersDisplay.from_estimator(model, X, feature_names=["age", "income"])
    assert display.axis_labels == ("age", "ln income")
    np.testing.assert_allclose(display.points, np.column_stack([X[:, 0], np.log(X[:, 1])]))
    corners = np.vstack(display.regions)
    labels = np.repeat(np.arange(4), [len(region) for region in display.regions])
    centers = display.centers[labels]
    inside = centers + 0.99 * (corners - centers)
    inside[:, 1] = np.exp(inside[:, 1])
    assert (model.predict(inside) == labels).all()


def test_two_columns_are_shown_as_they_are_even_behind_a_scaler():
    X = blobs(3, d=2) * [1.0, 1000.0] + [0.0, 5000.0]
    model = make_pipeline(StandardScaler(), KMeans(3, random_state=0)).fit(X)
    display = ClustersDisplay.from_estimator(model, X, feature_names=["age", "income"])
    np.testing.assert_allclose(display.points, X, rtol=1e-9)
    assert display.axis_labels == ("age", "income")
    assert display.region_share == 1.0
    for center, region in zip(display.centers, display.regions, strict=True):
        low, high = region.min(axis=0), region.max(axis=0)
        assert ((low <= center) & (center <= high)).all()


def test_data_frames_pipelines_and_gaps_are_taken_as_the_model_takes_them():
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(blobs(3, d=2) * [1.0, 50.0], columns=["age", "income"])
    X.iloc[3, 1] = np.nan
    model = make_pipeline(SimpleImputer(), StandardScaler(), KMeans(3, random_state=0)).fit(X)
    model.set_output(transform="pandas")
    display = ClustersDisplay.from_estimator(model, X)
    assert display.axis_labels == ("age", "income")
    np.testing.assert_array_equal(display.labels, model[-1].labels_)
    filled = X.fillna(X.mean()).to_numpy()
    np.testing.assert_allclose(display.points, filled, rtol=1e-9)
    model = KMeans(3, random_state=0).fit(X.fillna(0))
    for rows in (X.fillna(0), X.fillna(0).to_numpy()):  # no warning on names either way
        assert ClustersDisplay.from_estimator(model, rows).axis_labels == ("age", "income")
    with pytest.raises(ValueError, match="in this order"):
        ClustersDisplay.from_estimator(model, X.fillna(0)[["income", "age"]])


def test_sparse_rows_and_cosine_can_be_mapped():
    from scipy.sparse import random as random_sparse

    X = random_sparse(300, 50, density=0.3, format="csr", random_state=0)
    model = KMeans(4, random_state=0, metric="cosine").fit(X)
    display = ClustersDisplay.from_estimator(model, X)
    np.testing.assert_array_equal(display.labels, model.labels_)
    assert np.abs(display.points).max() <= 2  # rows of length one
    assert 0 <= SilhouetteDisplay.from_estimator(model, X).mean <= 1


def test_the_map_shows_what_it_says_of_the_centers():
    model = KMeans(4, random_state=0).fit(IRIS)
    display = ClustersDisplay.from_estimator(model, IRIS)
    weights = model.counts_ / len(IRIS)
    around = model.cluster_centers_ - weights @ model.cluster_centers_
    shown = (weights @ np.square(display.centers)).sum() / (weights @ np.square(around)).sum()
    says = [float(label.split("(")[1].split(" %")[0]) for label in display.axis_labels]
    assert sum(says) == pytest.approx(100 * shown, abs=1)


def test_principal_components_are_those_of_scikit_learn():
    from sklearn.decomposition import PCA

    model = KMeans(3, random_state=0).fit(IRIS)
    display = ClustersDisplay.from_estimator(model, IRIS, projection="pca")
    expected = PCA(2).fit_transform(IRIS)
    np.testing.assert_allclose(np.abs(display.points), np.abs(expected), atol=1e-9)
    assert display.axis_labels[0] == "component 1 (92 % of variance)"


def test_regions_are_left_out_where_they_would_mislead():
    X = np.random.default_rng(0).normal(size=(500, 20))
    display = ClustersDisplay.from_estimator(KMeans(8, random_state=0).fit(X), X)
    assert display.region_share < 0.95
    assert display.regions is None


def test_cells_hold_what_is_nearest_to_their_center():
    from matplotlib.path import Path

    random = np.random.default_rng(0)
    centers = random.uniform(size=(12, 2))
    cells = voronoi_cells(centers, [0, 0], [1, 1])
    points = random.uniform(size=(300, 2))
    nearest = np.square(points[:, None] - centers).sum(axis=2).argmin(axis=1)
    for j, cell in enumerate(cells):
        assert Path(cell).contains_points(points[nearest == j], radius=1e-9).all()
        assert not Path(cell).contains_points(points[nearest != j]).any()


def test_a_sample_keeps_small_clusters_and_is_the_same_each_time():
    labels = np.repeat([0, 1, 2], [100_000, 50, 3])
    rows = sample_rows(labels, 3, 1200)
    assert np.bincount(labels[rows]).tolist()[1:] == [50, 3]
    assert 1100 < len(rows) <= 1200
    assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(rows, sample_rows(labels, 3, 1200))


def test_labels_on_the_map_are_those_of_predict():
    model = BisectingKMeans(5, random_state=0).fit(IRIS)
    display = ClustersDisplay.from_estimator(model, IRIS)
    np.testing.assert_array_equal(display.labels, model.predict(IRIS))


@pytest.mark.parametrize("projection", ["tsne", None])
def test_an_unknown_projection_is_refused(projection):
    model = KMeans(2, random_state=0).fit(IRIS)
    with pytest.raises(ValueError, match="projection must be"):
        ClustersDisplay.from_estimator(model, IRIS, projection=projection)


def test_a_model_without_centers_is_refused():
    with pytest.raises(TypeError, match="StandardScaler"):
        ClustersDisplay.from_estimator(StandardScaler().fit(IRIS), IRIS)


# ---------------------------------------------------------------- the fit as it happens


@pytest.mark.parametrize("settings", [{"tol": 0}, {"n_init": 5}, {"max_iter": 2}, {"tol": 0.5}])
def test_frames_lead_from_the_seeding_to_the_model(settings):
    X = blobs(6, d=2) * 3
    recorder = FitRecorder()
    model = KMeans(6, init="random", n_init=1, random_state=3, callback=recorder)
    model.set_params(**settings)
    model.fit(X)
    display = IterationsDisplay.from_recorder(recorder, model, X)
    frames = display.frames
    np.testing.assert_array_equal(frames[-1].centers, model.cluster_centers_)
    np.testing.assert_array_equal(frames[-1].labels, model.labels_)
    first = recorder.run_of(model)[0].centers
    assert set(map(tuple, frames[0].centers)) == set(map(tuple, first))
    inertia = [frame.inertia for frame in frames]
    assert (np.diff(inertia) <= 1e-9 * inertia[0]).all()
    for before, after in itertools.pairwise(frames[:-1]):
        # Each center is the mean of the rows that were nearest to it before.
        means = [X[before.labels == j].mean(axis=0) for j in range(6)]
        np.testing.assert_allclose(after.centers, means, rtol=1e-9)


def test_repeating_the_fit_gives_the_recorded_one():
    recorder = FitRecorder()
    model = KMeans(3, random_state=0, callback=recorder).fit(IRIS)
    recorded = IterationsDisplay.from_recorder(recorder, model, IRIS)
    repeated = IterationsDisplay.from_estimator(model, IRIS)
    for one, other in zip(recorded.frames, repeated.frames, strict=True):
        np.testing.assert_array_equal(one.centers, other.centers)
        np.testing.assert_array_equal(one.labels, other.labels)


def test_a_recorder_of_another_fit_is_refused():
    recorder = FitRecorder()
    KMeans(3, random_state=0, callback=recorder).fit(IRIS)
    with pytest.raises(ValueError, match="did not record"):
        IterationsDisplay.from_recorder(recorder, KMeans(4, random_state=0).fit(IRIS), IRIS)


def test_a_recorder_forgets_the_fit_before():
    recorder = FitRecorder()
    KMeans(3, random_state=0, n_init=3, callback=recorder).fit(IRIS)
    KMeans(4, random_state=0, n_init=2, callback=recorder).fit(IRIS)
    assert [len(run[0].centers) for run in recorder.runs] == [4, 4]


# ---------------------------------------------------------------- profile and confusion


def test_columns_with_large_effects_come_first():
    import matplotlib.pyplot as plt

    display = ProfileDisplay(
        [[0.1, -2.0, 0.3], [0.0, 1.0, -0.4]], ["a", "b", "c"], names=["x", None]
    )
    display.plot()
    assert [tick.get_text() for tick in display.ax_.get_yticklabels()] == ["b", "c", "a"]
    assert [tick.get_text() for tick in display.ax_.get_xticklabels()] == ["0 x", "1"]
    assert display.ax_.texts[0].get_text() == "−2.0"
    plt.close("all")


def test_many_columns_are_cut_and_the_title_says_so():
    import matplotlib.pyplot as plt

    effects = np.random.default_rng(0).normal(size=(4, 40))
    display = ProfileDisplay(effects, [f"c{j}" for j in range(40)]).plot()
    assert "15 weaker columns left out" in display.ax_.get_title(loc="left")
    plt.close("all")


@pytest.mark.parametrize(("k", "what"), [(3, "merged"), (6, "split")])
def test_merged_clusters_and_split_classes_stand_out(k, what):
    import matplotlib.pyplot as plt

    X, y = make_blobs(400, 2, centers=4, cluster_std=0.5, random_state=4)
    match = match_labels([f"class {v}" for v in y], KMeans(k, random_state=0).fit_predict(X))
    display = ConfusionDisplay(match).plot()
    ticks = display.ax_.get_yticklabels() if what == "merged" else display.ax_.get_xticklabels()
    bold = {tick.get_text() for tick in ticks if tick.get_fontweight() == "bold"}
    assert bold == {str(name) for name in (match.merged if what == "merged" else match.split)}
    assert bold
    shown = [int(text.get_text().replace(",", "")) for text in display.ax_.texts]
    assert sum(shown) == 400
    plt.close("all")


# ---------------------------------------------------------------- colors


@pytest.mark.parametrize("colors", [palette.LIGHT, palette.DARK], ids=["light", "dark"])
@pytest.mark.parametrize("vision", VISION)
def test_the_ten_colors_stay_apart_for_the_color_blind(colors, vision):
    seen = [_oklab(np.clip(_matrix(VISION[vision]) @ _linear(c), 0, 1)) for c in colors]
    gaps = [np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)]
    assert min(gaps) > 0.09


@pytest.mark.parametrize(("is_dark", "page"), [(False, "#ffffff"), (True, "#1c2027")])
def test_colors_show_on_the_page_and_numbers_on_the_colors(is_dark, page):
    for color in palette.cluster_colors(10, is_dark=is_dark):
        assert _contrast(color, page) > 2.1
    for color in palette.cluster_colors(50, is_dark=is_dark):
        assert _contrast(color, palette.text_color_on(color)) > 4.5


def test_the_first_fifty_clusters_have_colors_of_their_own():
    assert len(set(palette.cluster_colors(50))) == 50


def _linear(color):
    c = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def _contrast(one, other):
    high, low = sorted(float(_linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other))[::-1]
    return (high + 0.05) / (low + 0.05)


def _matrix(text):
    return np.array([row.split() for row in text.split("/")], dtype=float)


def _oklab(linear):
    """Ottosson, "A perceptual color space for image processing", 2020."""
    to_lms = _matrix(
        "0.41222147 0.53633254 0.05144599 / 0.2119035 0.68069955 0.10739696 /"
        "0.08830246 0.28171884 0.6299787"
    )
    to_lab = _matrix(
        "0.21045426 0.79361779 -0.00407205 / 1.9779985 -2.42859221 0.45059371 /"
        "0.02590404 0.78277177 -0.80867577"
    )
    return to_lab @ np.cbrt(to_lms @ linear)
