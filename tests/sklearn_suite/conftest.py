"""Fixtures that scikit-learn's own conftest gives its tests."""

import numpy as np
import pytest


@pytest.fixture(params=[0, 42])
def global_random_seed(request):
    return request.param


@pytest.fixture(params=[np.float32, np.float64], ids=["float32", "float64"])
def global_dtype(request):
    return request.param
