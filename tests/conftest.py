"""What all tests share."""

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True, scope="session")
def one_native_thread():
    """Keep OpenMP and BLAS, of scikit-learn and NumPy, from spinning on cores others need.

    The threads of this package are its own, and are not limited by it.
    """
    with threadpool_limits(1):
        yield
