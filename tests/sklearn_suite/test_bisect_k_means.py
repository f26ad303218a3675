"""scikit-learn's tests of BisectingKMeans, run against ours."""

import pytest
from borrowed import borrowed_tests

pytestmark = pytest.mark.filterwarnings("default")  # as scikit-learn runs them

globals().update(borrowed_tests("test_bisect_k_means"))
