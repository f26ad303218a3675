"""Clusters that are there come back; pieces of one cloud do not, whatever a warm start says."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from centroids import BisectingKMeans, KMeans, MiniBatchKMeans, stability
from centroids.describe.resampling import _best_jaccard, _draw


def separated(n: int = 400) -> np.ndarray:
    random = np.random.default_rng(0)
    return random.normal(size=(n, 2)) + 12 * random.permutation(np.arange(n) % 4)[:, None] * [1, 1]


def cloud() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(500, 5))


@pytest.mark.parametrize("method", ["bootstrap", "half"])
@pytest.mark.parametrize(
    "model",
    [
        KMeans(4, random_state=0, n_init=3),
        MiniBatchKMeans(4, random_state=0),
        BisectingKMeans(4, random_state=0),
        make_pipeline(StandardScaler(), KMeans(4, random_state=0, n_init=3)),
        KMeans(4, init=np.array([[0.0, 0], [12, 12], [24, 24], [36, 36]])),
        KMeans(4, init=lambda X, k, random_state: X[:k]),
    ],
    ids=lambda model: type(model).__name__,
)
def test_separated_clusters_are_stable(model: Any, method: Any) -> None:
    X = separated()
    found = stability(model.fit(X), X, n_resamples=5, method=method)
    if "init" in model.get_params() and callable(model.get_params()["init"]):
        assert len(found.jaccard) == 4  # a model in a bad optimum may well dissolve
        return
    assert found.words == ("stable",) * 4
    assert found.overall > 0.95
    assert found.n_drawn == (400 if method == "bootstrap" else 200)


def test_pieces_of_one_cloud_dissolve() -> None:
    X = cloud()
    found = stability(KMeans(5, random_state=0, n_init=5).fit(X), X, n_resamples=10)
    assert "stable" not in found.words
    assert found.word == "dissolves"
    assert "Overall dissolves" in found.summary()


def test_a_bad_optimum_is_not_called_stable() -> None:
    """Two centers in one group, one between two groups: a warm start would stay there."""
    random = np.random.default_rng(0)
    groups = np.repeat([[0.0, 0], [60, 0], [60, 8]], 200, axis=0)
    X = groups + random.normal(size=groups.shape)
    bad = KMeans(3, init=np.array([[-1.0, 0], [1, 0], [60, 4]])).fit(X)
    assert sorted(bad.counts_) != [200, 200, 200]
    found = stability(bad, X, n_resamples=5)
    assert "stable" not in found.words


def test_the_same_call_gives_the_same_numbers_on_any_number_of_threads() -> None:
    X = cloud()
    model = KMeans(3, random_state=0).fit(X)
    first = stability(model, X, n_resamples=4)
    again = stability(model, X, n_resamples=4, n_jobs=2)
    np.testing.assert_array_equal(first.jaccard, again.jaccard)
    other = stability(model, X, n_resamples=4, random_state=1)
    assert (first.jaccard != other.jaccard).any()


def test_jaccard_is_rows_in_both_over_rows_in_either() -> None:
    random = np.random.default_rng(0)
    old, new = random.integers(0, 4, 50).astype(np.int32), random.integers(0, 4, 50)
    old[old == 3] = 2
    weights = random.integers(1, 4, 50).astype(float)
    found = _best_jaccard(old, new.astype(np.int32), weights, 4)
    for j in range(3):
        either = [weights[(old == j) | (new == i)].sum() for i in range(4)]
        both = [weights[(old == j) & (new == i)].sum() for i in range(4)]
        assert found[j] == pytest.approx(max(b / e for b, e in zip(both, either, strict=True)))
    assert np.isnan(found[3])


def test_rows_without_weight_are_never_drawn() -> None:
    X = np.vstack([separated(), np.full((300, 2), 1000.0)])
    weights = np.r_[np.ones(400), np.zeros(300)]
    model = KMeans(4, random_state=0, n_init=3).fit(X, sample_weight=weights)
    found = stability(model, X, sample_weight=weights, n_resamples=5, method="half")
    assert found.words == ("stable",) * 4


def test_large_data_are_drawn_in_part_and_that_is_said() -> None:
    X = separated(3000)
    model = KMeans(4, random_state=0, n_init=3).fit(X)
    found = stability(model, X, n_resamples=3, max_samples=500)
    assert (found.n_drawn, found.n_samples) == (500, 3000)
    assert "500 of 3,000 rows" in found.summary()


@pytest.mark.parametrize("method", ["bootstrap", "half"])
def test_a_part_of_the_rows_shows_small_clusters_and_does_not_flatter_them(method: Any) -> None:
    """20 of 6,000 rows: a plain draw of 200 would mostly miss them."""
    random = np.random.default_rng(0)
    X = np.vstack([separated(5980), random.normal([90.0, 0.0], 0.5, (20, 2))])
    model = KMeans(5, random_state=0, n_init=3).fit(X)
    assert min(model.counts_) == 20
    found = stability(model, X, n_resamples=5, max_samples=200, method=method)
    assert found.keeps_small
    assert found.words == ("stable",) * 5
    assert "Small clusters got more than their share" in found.summary()
    whole = stability(model, X, n_resamples=2, method=method)
    assert not whole.keeps_small
    assert "Small clusters" not in whole.summary()


def test_rows_drawn_in_part_stand_for_all_of_their_cluster() -> None:
    strata = [np.arange(1000), np.arange(1000, 1020)]
    rows, times, stand_for = _draw(strata, 100, "bootstrap", np.random.default_rng(0))
    assert (np.diff(rows) > 0).all()
    for own in strata:
        is_own = np.isin(rows, own)
        assert (times * stand_for)[is_own].sum() == pytest.approx(len(own))
    assert times[rows >= 1000].sum() == 20


def test_plain_data_say_what_the_summary_says() -> None:
    X = separated()
    found = stability(KMeans(4, random_state=0, n_init=3).fit(X), X, n_resamples=2)
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert [entry["jaccard"] for entry in plain["clusters"]] == found.jaccard.tolist()
    assert (plain["n_drawn"], plain["n_samples"], plain["word"]) == (400, 400, "stable")


def test_bad_arguments_are_named() -> None:
    X = separated()
    model = KMeans(4, random_state=0).fit(X)
    bad: list[tuple[dict[str, Any], str]] = [
        ({"n_resamples": 0}, "n_resamples"),
        ({"method": "jackknife"}, "jackknife"),
        ({"max_samples": 0}, "max_samples"),
        ({"max_samples": 5}, "too few for 4 clusters"),
        ({"random_state": None}, "random_state"),
    ]
    for arguments, words in bad:
        with pytest.raises(ValueError, match=words):
            stability(model, X, **arguments)


def test_of_one_good_and_three_arbitrary_clusters_the_good_one_is_stable() -> None:
    random = np.random.default_rng(1)
    X = np.vstack([random.normal(size=(300, 2)), random.normal([30, 0], 0.5, (100, 2))])
    model = KMeans(4, random_state=0).fit(X)
    found = stability(model, X)
    far = model.predict([[30.0, 0.0]])[0]
    assert found.words[far] == "stable"
    assert found.jaccard[far] > np.delete(found.jaccard, far).max()
    assert f"Stable: cluster {far} (1.00)" in found.summary()
