"""How many threads a call may use."""

from __future__ import annotations

import math
import os
from functools import lru_cache
from pathlib import Path, PurePosixPath

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

    return max(1, min(int(cpu_count()), _quota()) + 1 + n_jobs)


def _quota() -> int:
    """Return the number of CPUs that the quotas of this process's cgroups come to.

    joblib looks at the root group, which is a container's own; services and jobs of a scheduler
    have theirs below it.
    """
    try:
        with open("/proc/self/cgroup") as file:
            return _quota_once(file.read())
    except OSError:
        return _MOST


@lru_cache(maxsize=4)  # found once for the groups that the process is in: it takes long
def _quota_once(membership: str) -> int:
    return quota_of_groups(membership, Path("/sys/fs/cgroup"))


def quota_of_groups(membership: str, root: Path) -> int:
    """Return the least quota of some cgroups and those around them, in CPUs, rounded up.

    Parameters
    ----------
    membership : str
        As in ``/proc/self/cgroup``: lines of ``number:controllers:path``, version 2 without
        controllers.
    root : Path
        Where the groups are mounted.
    """
    quotas = [_MOST]
    for line in membership.splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        base = root / "cpu" if controllers else root
        inside = PurePosixPath(path.lstrip("/"))
        quotas += [_quota_in(base / group) for group in (inside, *inside.parents)]
    return min(quotas)


def _quota_in(group: Path) -> int:
    try:
        if (group / "cpu.max").exists():
            quota, period = (group / "cpu.max").read_text().split()
        else:
            quota, period = (
                (group / f"cpu.cfs_{name}_us").read_text().strip() for name in ("quota", "period")
            )
        return max(1, math.ceil(int(quota) / int(period))) if int(quota) > 0 else _MOST
    except (OSError, ValueError, ZeroDivisionError):  # none, or "max"
        return _MOST
