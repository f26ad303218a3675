"""Numbers and names stay with their clusters, and the rest of the model follows."""

from __future__ import annotations

import copy
import itertools
import pickle
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from centroids import BisectingKMeans, KMeans, MiniBatchKMeans, align, stability

KINDS = [KMeans, MiniBatchKMeans, BisectingKMeans]


def groups(*at: float, n: int = 50, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.vstack([random.normal(a, 0.5, (n + 10 * i, 2)) for i, a in enumerate(at)])


def given(*at: float) -> KMeans:
    centers = np.repeat(np.array(at, dtype=float)[:, None], 2, axis=1)
    return KMeans(len(at), init=centers, n_init=1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_all_that_goes_by_cluster_is_numbered_anew(kind: Any, order: tuple[int, ...]) -> None:
    X = groups(0, 10, 20)
    old = given(*np.array([0.0, 10, 20])[list(order)]).fit(X)
    model = kind(3, random_state=0).fit(X).measure_radii(X)
    before = copy.deepcopy(model)
    alignment = model.align(old)
    np.testing.assert_array_equal(model.labels_, old.labels_)
    np.testing.assert_array_equal(model.labels_, model.predict(X))
    np.testing.assert_array_equal(model.counts_, np.bincount(model.labels_))
    np.testing.assert_allclose(model.cluster_centers_, old.cluster_centers_, atol=0.5)
    np.testing.assert_array_equal(model.nearest(X).labels, model.labels_)
    number = {int(b): int(a) for b, a in zip(before.labels_, model.labels_, strict=True)}
    for b, a in number.items():
        np.testing.assert_array_equal(model.radii_[a], before.radii_[b])
    assert model.score(X) == before.score(X)
    assert alignment.mapping == {0: 0, 1: 1, 2: 2}
    assert alignment.appeared == alignment.vanished == ()
    assert max(alignment.moved.values()) < 0.2
    assert all(growth == pytest.approx(1, abs=0.05) for growth in alignment.grew.values())


@pytest.mark.parametrize("kind", KINDS)
def test_fit_takes_over_the_numbers(kind: Any) -> None:
    X = groups(0, 10, 20)
    old = given(10, 20, 0).fit(X).name_clusters({0: "ten", 2: "zero"})
    model = kind(3, random_state=0).fit(X + 0.1, align_to=old)
    np.testing.assert_array_equal(model.labels_, old.labels_)
    assert dict(model.cluster_names_) == {0: "ten", 2: "zero"}
    assert model.alignment_.names == {0: "ten", 2: "zero"}
    again = kind(3, random_state=0).fit(X)
    assert not hasattr(again.fit(X), "alignment_")
    assert not model.fit(X).cluster_names_


def test_a_model_can_be_aligned_with_itself_of_before() -> None:
    X = groups(0, 10, 20)
    model = given(10, 20, 0).fit(X).name_clusters({1: "twenty"})
    labels = model.labels_
    model.set_params(init="k-means++", random_state=1).fit(X, align_to=model)
    np.testing.assert_array_equal(model.labels_, labels)
    assert dict(model.cluster_names_) == {1: "twenty"}


def test_ties_go_to_the_lower_number_after_a_fit_too() -> None:
    X = np.array([[0.0], [1.0], [2.0], [4.0], [0.0], [4.0]])  # 2 is as near to 4 as to 0
    old = KMeans(2, init=[[4.0], [0.0]], max_iter=1).fit(X)
    model = KMeans(2, init=[[0.0], [4.0]], max_iter=1).fit(X, align_to=old)
    np.testing.assert_array_equal(model.labels_, model.predict(X))
    np.testing.assert_array_equal(model.counts_, np.bincount(model.labels_))


@pytest.mark.parametrize("is_scaled", [False, True])
def test_centers_are_compared_in_the_units_of_the_old_model(is_scaled: bool) -> None:
    X = groups(0, 10, 20) * [1, 1000]
    old = make_pipeline(StandardScaler(), KMeans(3, random_state=0)).fit(X)
    old[-1].name_clusters({1: "one"})
    new: Any = KMeans(3, random_state=3)
    new = make_pipeline(StandardScaler(), new) if is_scaled else new
    new.fit(X[:-20] + np.array([0, 100]))
    assert align(new, old).vanished == ()
    np.testing.assert_array_equal(new.predict(X), old.predict(X))


def test_clusters_appear_vanish_and_change_their_number_only_where_they_must() -> None:
    old = given(0, 10, 20, 30).fit(groups(0, 10, 20, 30)).name_clusters({1: "ten", 3: "thirty"})
    fewer = given(30, 0, 20).fit(groups(0, 20, 30))
    found = align(fewer, old)
    assert found.mapping == {0: 0, 1: None, 2: 2, 3: 1}
    assert (found.vanished, found.appeared) == ((1,), ())
    assert (found.names, found.lost_names) == ({1: "thirty"}, {1: "ten"})
    assert 'Old cluster 1 "ten": vanished' in found.summary()
    assert "(before: 3)" in found.summary()
    more = given(40, 30, 0, 10, 20).fit(groups(0, 10, 20, 30, 40))
    found = align(more, old)
    assert found.mapping == {0: 0, 1: 1, 2: 2, 3: 3}
    assert found.appeared == (4,)
    np.testing.assert_allclose(more.cluster_centers_[:, 0], [0, 10, 20, 30, 40], atol=0.5)


def test_one_that_turned_up_far_away_does_not_push_the_others_along() -> None:
    old = given(0, 10, 20, 30).fit(groups(0, 10, 20, 30))
    new = given(10, 20, 30, 100).fit(groups(10, 20, 30, 100))
    found = align(new, old)
    assert found.vanished == (0,)
    assert found.appeared == (0,)
    np.testing.assert_allclose(new.cluster_centers_[1:, 0], [10, 20, 30], atol=0.5)


def test_movement_is_in_units_of_the_old_cluster() -> None:
    X = groups(0, 10)
    old = given(0, 10).fit(X)
    found = align(given(0, 10).fit(X + 0.3), old)
    spread = np.sqrt(old.inertia_ / len(X))
    assert found.unit == "spread"
    assert found.moved[0] == pytest.approx(0.3 * np.sqrt(2) / spread)
    old.measure_radii(X)
    found = align(given(0, 10).fit(X + 0.3), old)
    assert found.unit == "radius"
    assert found.moved[1] == pytest.approx(0.3 * np.sqrt(2) / old.radii_[1, 4])


def test_columns_are_matched_by_name() -> None:
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(groups(0, 10, 20) * [1, -1], columns=["a", "b"])
    old = KMeans(3, random_state=0).fit(X)
    new = KMeans(3, random_state=5).fit(X[["b", "a"]])
    align(new, old)
    np.testing.assert_array_equal(new.labels_, old.labels_)
    with pytest.raises(ValueError, match="no column 'b'"):
        align(KMeans(3).fit(X.rename(columns={"b": "c"})), old)
    with pytest.raises(ValueError, match="2 columns, the new one 1"):
        KMeans(3).fit(X[["a"]], align_to=old)


def test_what_cannot_be_aligned_is_refused() -> None:
    X = groups(0, 10)
    with pytest.raises(NotFittedError):
        KMeans(2).fit(X, align_to=KMeans(2))
    with pytest.raises(TypeError, match=r"centroids\.align"):
        KMeans(2).fit(X, align_to=make_pipeline(StandardScaler(), KMeans(2)).fit(X))
    with pytest.raises(TypeError, match="old_model must be"):
        align(KMeans(2).fit(X), StandardScaler().fit(X))


def test_a_stream_goes_on_with_the_new_numbers() -> None:
    X = groups(0, 10, 20)
    old = given(20, 0, 10).fit(X)
    model = MiniBatchKMeans(3, random_state=0).fit(X)
    model.align(old)
    model.partial_fit(groups(0, 10, 20, seed=1))
    np.testing.assert_allclose(model.cluster_centers_[:, 0], [20, 0, 10], atol=0.5)


def test_sparse_rows_and_cosine_models_keep_their_numbers() -> None:
    X = np.abs(groups(1, 2)) * np.repeat([[1, 0.1], [0.1, 1]], [50, 60], axis=0)
    old = KMeans(2, metric="cosine", random_state=0).fit(X)
    new = KMeans(2, metric="cosine", init=old.cluster_centers_[::-1]).fit(
        csr_array(X), align_to=old
    )
    np.testing.assert_array_equal(new.labels_, old.labels_)


def test_names_are_checked_and_kept() -> None:
    model = KMeans(3, random_state=0).fit(groups(0, 10, 20))
    assert dict(model.cluster_names_) == {}
    model.name_clusters({0: "a", 2: "Größe"}).name_clusters({0: None, 1: "b"})
    assert dict(model.cluster_names_) == {1: "b", 2: "Größe"}
    assert dict(pickle.loads(pickle.dumps(model)).cluster_names_) == {1: "b", 2: "Größe"}
    with pytest.raises(TypeError):
        model.cluster_names_[0] = "lost"  # type: ignore[index]
    for names in (
        {3: "x"},
        {-1: "x"},
        {"0": "x"},
        {0: ""},
        {0: 1},
        {0: "a\nb"},
        {0: "b"},
    ):
        with pytest.raises(ValueError, match="names"):
            model.name_clusters(names)  # type: ignore[arg-type]
    assert dict(model.cluster_names_) == {1: "b", 2: "Größe"}
    with pytest.raises(NotFittedError):
        KMeans(3).name_clusters({0: "a"})
    assert not hasattr(KMeans(3), "cluster_names_")


def test_radii_hold_the_shares_they_say_and_a_weight_is_repetition() -> None:
    X = groups(0, 10, 20)
    model = KMeans(3, random_state=0).fit(X).measure_radii(X)
    distances = model.nearest(X).distances
    for j in range(3):
        own = distances[model.labels_ == j]
        for share, radius in zip((0.25, 0.5, 0.75, 0.9, 0.99, 1), model.radii_[j], strict=True):
            assert np.mean(own <= radius) >= share > np.mean(own < radius)
    times = np.random.default_rng(0).integers(0, 4, len(X))
    weighted = copy.copy(model).measure_radii(X, sample_weight=times).radii_
    repeated = copy.copy(model).measure_radii(np.repeat(X, times, axis=0)).radii_
    np.testing.assert_array_equal(weighted, repeated)


def test_rows_far_from_every_center_are_outliers() -> None:
    pandas = pytest.importorskip("pandas")
    X = groups(0, 10, 20)
    model = KMeans(3, random_state=0).fit(X)
    with pytest.raises(ValueError, match="measure_radii"):
        model.is_outlier(X)
    model.measure_radii(X)
    new = np.array([[0.0, 0], [5, 5], [10, 10.5], [100, 100]])
    assert model.is_outlier(new).tolist() == [False, True, False, True]
    assert model.is_outlier(csr_array(new)).tolist() == [False, True, False, True]
    frame = pandas.DataFrame(X, columns=["a", "b"])
    named = KMeans(3, random_state=0).fit(frame).measure_radii(frame)
    assert named.is_outlier(pandas.DataFrame(new, columns=["a", "b"])).sum() == 2
    assert not hasattr(model.fit(X), "radii_")


def test_names_reach_the_words() -> None:
    X = groups(0, 10, 20)
    model = KMeans(3, random_state=0).fit(X).name_clusters({1: "ten"})
    assert 'cluster 1 "ten"' in stability(model, X, n_resamples=2).summary()
