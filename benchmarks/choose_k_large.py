"""A million rows: is K found, and in how many seconds? Appends to results/choose_k/large.jsonl.

python -m benchmarks.choose_k_large
"""

from __future__ import annotations

import itertools
import json
import time

import numpy as np
from sklearn.metrics import adjusted_rand_score

from benchmarks.choose_k_page import RESULTS
from centroids import KMeans, choose_k

N_ROWS, N_FEATURES = 1_000_000, 8
# Sets of the first seed were looked at when the rule for samples that disagree was made.
SEEN_SEED, SEED = 20_261_124, 20_261_128


def rows_and_groups(k: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Spherical groups around uniform means, 12 standard deviations a side."""
    random = np.random.default_rng([seed, k])
    means = random.random((k, N_FEATURES)) * 12
    groups = random.integers(k, size=N_ROWS)
    return means[groups] + random.standard_normal((N_ROWS, N_FEATURES)), groups


def main() -> None:
    """Measure K = 20, 50 and 100."""
    for seed, k in itertools.product((SEED, SEEN_SEED), (20, 50, 100)):
        X, groups = rows_and_groups(k, seed)
        start = time.process_time()
        choice = choose_k(X, random_state=0, n_jobs=1)
        seconds = time.process_time() - start
        start = time.process_time()
        KMeans(k, search=None, random_state=0, n_jobs=1).fit(X)
        record = {
            "n_samples": N_ROWS,
            "n_features": N_FEATURES,
            "truth": k,
            "is_seen": seed == SEEN_SEED,
            "k": choice.k,
            "verdict": choice.verdict,
            "runner_up": choice.runner_up,
            "is_settled": choice.is_settled_on_all_rows,
            "choices_by_sample": choice.choices_by_sample,
            "seconds": round(seconds, 2),
            "final_seconds": round(time.process_time() - start, 2),
            "adjusted_rand": adjusted_rand_score(groups, choice.estimator.labels_),
        }
        with (RESULTS / "large.jsonl").open("a") as file:
            file.write(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
