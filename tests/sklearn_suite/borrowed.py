"""scikit-learn's test modules, with its K-Means classes replaced by ours before they are imported.

The modules come from the installed wheel. ``LEFT_OUT`` names the tests that read private members of
scikit-learn's classes; each points to the test of the same claim through public names.
"""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from unittest.mock import patch

import sklearn.cluster

import centroids

OURS = ("BisectingKMeans", "KMeans", "MiniBatchKMeans")

LEFT_OUT = {
    "test_k_means": {
        # _n_init
        "test_kmeans_init_auto_with_initial_centroids": "test_n_init_auto_counts_its_runs",
        "test_n_init_auto": "test_n_init_auto_counts_its_runs",
        # _init_size
        "test_minibatch_kmeans_init_size": "test_init_size_bounds_the_rows_a_start_sees",
        # _init_centroids
        "test_sample_weight_init": "test_weights_change_the_first_centers",
        "test_sample_weight_zero": "test_rows_of_weight_zero_are_no_first_centers",
    },
    "test_bisect_k_means": {},
}


def borrowed_tests(name):
    """Return the tests of ``sklearn/cluster/tests/<name>.py``, run against our classes."""
    path = Path(sklearn.cluster.__file__).parent / "tests" / f"{name}.py"
    spec = spec_from_file_location(f"borrowed_{name}", path)
    module = module_from_spec(spec)
    with patch.multiple(sklearn.cluster, **{c: getattr(centroids, c) for c in OURS}):
        spec.loader.exec_module(module)
    tests = {n: v for n, v in vars(module).items() if n.startswith("test_")}
    gone = LEFT_OUT[name].keys() - tests.keys()
    assert not gone, f"left out, but not in this scikit-learn: {gone}"
    return {n: v for n, v in tests.items() if n not in LEFT_OUT[name]}
