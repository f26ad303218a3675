import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics.pairwise import cosine_distances
from sklearn.preprocessing import normalize

from centroids import KMeans


def directions(dtype=np.float64, n_samples=600, seed=0):
    """Rows around four directions, of very different lengths."""
    rng = np.random.default_rng(seed)
    axes = rng.normal(size=(4, 6))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    rows = axes[np.arange(n_samples) % 4] + 0.15 * rng.normal(size=(n_samples, 6))
    return (rows * rng.uniform(0.01, 100, size=(n_samples, 1))).astype(dtype)


def reference(X, centers, weights, n_iter):
    """Spherical K-Means by its definition."""
    X = normalize(X.astype(np.float64))
    for _ in range(n_iter):
        labels = np.argmax(X @ centers.T, axis=1)
        sums = np.array(
            [(weights[labels == j, None] * X[labels == j]).sum(0) for j in range(len(centers))]
        )
        centers = normalize(sums)
    return centers, np.argmax(X @ centers.T, axis=1)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
def test_fit_is_spherical_k_means(form):
    X = directions()
    weights = np.random.default_rng(1).uniform(0, 2, size=len(X))
    model = KMeans(4, init=X[:4], n_init=1, metric="cosine", tol=0, max_iter=50)
    model.fit(form(X), sample_weight=weights)
    centers, labels = reference(X, normalize(X[:4]), weights, 50)
    assert_array_equal(model.labels_, labels)
    assert_allclose(model.cluster_centers_, centers, atol=1e-12)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
def test_search_sees_small_angles(form):
    rng = np.random.default_rng(0)
    tangents = 6e-3 * rng.normal(size=(40, 2))[rng.integers(40, size=2000)]
    tangents += 6e-4 * rng.normal(size=(2000, 2))
    X = normalize(np.column_stack([np.ones(2000), tangents]))
    model = KMeans(20, metric="cosine", random_state=0, search="breathing").fit(form(X))
    plain = KMeans(20, metric="cosine", random_state=0, search=None).fit(form(X))
    assert model.inertia_ < 0.98 * plain.inertia_
    # 1 - cos is half the square of so small an angle.
    flat = KMeans(20, random_state=0, search="breathing").fit(X[:, 1:])
    assert model.inertia_ == pytest.approx(flat.inertia_ / 2, rel=0.01)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
def test_distances_and_inertia_are_one_minus_cosine(form, dtype):
    X = directions(dtype)
    model = KMeans(4, metric="cosine", random_state=0).fit(form(X))
    tolerance = 1e-6 if dtype == np.float32 else 1e-12
    assert_allclose(np.linalg.norm(model.cluster_centers_, axis=1), 1, rtol=tolerance)
    expected = cosine_distances(X.astype(float), model.cluster_centers_.astype(float))
    assert_allclose(model.transform(form(X)), expected, atol=tolerance)
    assert model.inertia_ == pytest.approx(expected.min(axis=1).sum(), rel=10 * tolerance)
    assert model.history_["inertia"][-1] == pytest.approx(model.inertia_, rel=1e-3)
    assert model.score(form(X)) == -model.inertia_
    assert_array_equal(model.predict(form(X)), model.labels_)
    nearest = model.nearest(form(X))
    assert_allclose(nearest.distances, expected.min(axis=1), atol=tolerance)
    assert_allclose(nearest.second_distances, np.sort(expected)[:, 1], atol=tolerance)


def test_length_of_a_row_does_not_matter():
    X = directions()
    model = KMeans(4, metric="cosine", random_state=0).fit(X)
    scaled = X * np.random.default_rng(2).uniform(1e-3, 1e3, size=(len(X), 1))
    assert_array_equal(model.predict(scaled), model.labels_)


def test_dense_and_sparse_agree():
    X = directions()
    dense = KMeans(7, metric="cosine", random_state=0).fit(X)
    sparse = KMeans(7, metric="cosine", random_state=0).fit(sp.csr_array(X))
    assert_array_equal(dense.labels_, sparse.labels_)
    assert_allclose(dense.cluster_centers_, sparse.cluster_centers_, atol=1e-12)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
def test_a_row_of_zeros_is_named(form):
    X = directions()
    X[[5, 9]] = 0
    with pytest.raises(ValueError, match=r"only zeros in row 5 .*metric='euclidean'"):
        KMeans(4, metric="cosine").fit(form(X))
    model = KMeans(4, metric="cosine").fit(form(directions()))
    with pytest.raises(ValueError, match="only zeros in row 5"):
        model.predict(form(X))


def test_a_first_center_of_zeros_is_named():
    with pytest.raises(ValueError, match="init has only zeros in row 1"):
        KMeans(2, init=[[1.0] * 6, [0.0] * 6], n_init=1, metric="cosine").fit(directions())


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_lengths_near_the_ends_of_the_range_keep_their_direction(scale):
    X = np.array([[1.0, 2.0], [2.0, 4.1], [-3.0, 1.0], [-6.0, 2.2]])
    model = KMeans(2, metric="cosine", random_state=0).fit(X * scale)
    assert_allclose(
        model.cluster_centers_,
        KMeans(2, metric="cosine", random_state=0).fit(X).cluster_centers_,
        rtol=1e-12,
    )


def test_opposite_rows_keep_the_center_they_had():
    X = np.array([[1.0, 0.0], [-1.0, 0.0]])
    model = KMeans(1, init=[[0.0, 2.0]], n_init=1, metric="cosine").fit(X)
    assert_array_equal(model.cluster_centers_, [[0.0, 1.0]])
    assert model.inertia_ == pytest.approx(2.0)
