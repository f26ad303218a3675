"""How many threads a call may use."""

from __future__ import annotations

import os

# Below this many multiply-adds the core uses one thread anyway, so none are counted.
_SMALL = 1e6
# More than the core ever uses.
_MOST = 1024


def n_threads(n_jobs: int | None, work: float) -> int:
    """Return the number of threads for ``work`` multiply-adds.

    Parameters
    ----------
    n_jobs : int or None
        As in joblib: None uses ``OMP_NUM_THREADS`` where it is set, else every usable CPU (affinity
        and cgroup quota respected); -1 every usable CPU, -2 all but one.
    work : float
        Estimate of the multiply-adds to be done.
    """
    if n_jobs is not None and n_jobs > 0:
        return min(n_jobs, _MOST)
    if work < _SMALL:
        return 1
    if n_jobs is None:
        limit = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
        if limit.isdecimal() and int(limit) > 0:
            return min(int(limit), _MOST)
        n_jobs = -1
    from joblib import cpu_count

    return max(1, int(cpu_count()) + 1 + n_jobs)
