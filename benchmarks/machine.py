"""The machine: its description for the results, and how busy others keep it meanwhile."""

import os
import platform
import re
import time
from pathlib import Path

# Instruction sets that decide which kernel a library takes.
ISA_FLAGS = [
    *("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl"),
    *("avx512_vnni", "avx512_bf16", "amx_tile", "asimd", "sve"),
]


def describe() -> dict[str, object]:
    """Facts about processor, memory and system; nothing that names the host or its owner."""
    info = _cpuinfo()
    flags = set((info.get("flags") or info.get("Features") or "").split())
    return {
        "cpu": info.get("model name") or platform.processor() or platform.machine(),
        "family": info.get("cpu family"),
        "model": info.get("model"),
        "architecture": platform.machine(),
        "cores": usable_cpus(),
        "caches": _caches(),
        "isa": [flag for flag in ISA_FLAGS if flag in flags],
        "memory_gb": round(_memory_bytes() / 2**30, 1),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
    }


def name(description: dict[str, object]) -> str:
    """Folder name for the results of such machines, as in ``amd-epyc-f25m17-2cpu``."""
    parts = [str(description["cpu"])]
    if description["family"]:
        parts.append(f"f{description['family']}m{description['model']}")
    parts.append(f"{description['cores']}cpu")
    return re.sub(r"[^a-z0-9]+", "-", " ".join(parts).lower()).strip("-")


def usable_cpus() -> int:
    """Processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def busy_seconds() -> float | None:
    """CPU seconds spent by everybody since the start of the machine, stolen time included."""
    try:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    except OSError:
        return None
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, fields)
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


class Watch:
    """Share of the machine that others took while this process worked: 0 is a quiet machine."""

    def __init__(self) -> None:
        self._busy, self._own, self._wall = busy_seconds(), time.process_time(), time.perf_counter()

    def cpu_seconds(self) -> float:
        """CPU time of this process, all threads, since the watch was started."""
        return time.process_time() - self._own

    def others(self) -> float | None:
        """Others' CPU time as a share of all processors' time; None where nobody knows."""
        busy, wall = busy_seconds(), time.perf_counter() - self._wall
        # The kernel counts in ticks of 10 ms: short stretches say nothing.
        if busy is None or self._busy is None or wall < 0.2:
            return None
        share = (busy - self._busy - self.cpu_seconds()) / (wall * (os.cpu_count() or 1))
        return round(max(0.0, share), 3)


def wait_until_idle(limit: float, share: float = 0.05) -> None:
    """Return when others take less than this share of the machine, or after limit seconds."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        watch = Watch()
        time.sleep(1.0)
        if (watch.others() or 0.0) < share:
            return


def _cpuinfo() -> dict[str, str]:
    try:
        text = Path("/proc/cpuinfo").read_text().split("\n\n", 1)[0]
    except OSError:
        return {}
    pairs = (line.partition(":") for line in text.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _caches() -> list[str]:
    """As in ``L1 Data 32K``, for the first processor."""
    found = []
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = (
            (folder / part).read_text().strip() for part in ("level", "type", "size")
        )
        found.append(f"L{level} {kind} {size}")
    return found


def _memory_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 0
