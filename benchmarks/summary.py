"""From records to comparable numbers: medians, ratios, geometric means. No formatting here."""

import math
import statistics
from dataclasses import dataclass

from benchmarks.peers import PEERS, parse_name
from benchmarks.results import Record, select

OURS = "centroids"
REFERENCE = "scikit-learn"
LIBRARIES = tuple(name for name, peer in PEERS.items() if peer.variant_of is None)


@dataclass(frozen=True)
class Entry:
    """Medians of one library on one cell."""

    peer: str  # the adapter that was fastest: the library itself or a variant of it
    seconds: float
    inertia: float | None
    n_iter: float | None
    same_dtype: bool
    check_seconds: float | None = None


@dataclass(frozen=True)
class Row:
    """One cell of one task: the libraries' entries, by library."""

    cell: str
    n_samples: int
    n_features: int
    n_clusters: int
    dtype: str
    entries: dict[str, Entry]

    def ratio(self, library: str) -> float | None:
        """How many times faster centroids is than the library; None unless both were measured."""
        ours, theirs = self.entries.get(OURS), self.entries.get(library)
        return theirs.seconds / ours.seconds if ours and theirs else None

    def fastest_peer(self) -> str | None:
        """The fastest other library that computed in the cell's own dtype."""
        able = {
            library: entry.seconds
            for library, entry in self.entries.items()
            if library != OURS and library in LIBRARIES and entry.same_dtype
        }
        return min(able, key=able.__getitem__) if able else None

    def excess(self, library: str, over: str = REFERENCE) -> float | None:
        """Relative excess of a library's median inertia over another's."""
        one, other = self.entries.get(library), self.entries.get(over)
        if not one or not other or one.inertia is None or not other.inertia:
            return None
        return one.inertia / other.inertia - 1.0


def rows(records: list[Record], suite: str, task: str) -> list[Row]:
    """One row per cell, in the order in which the cells were measured first."""
    chosen = [r for r in select(records, suite=suite, task=task) if "error" not in r]
    found = []
    for cell in dict.fromkeys(record["cell"] for record in chosen):
        of_cell = select(chosen, cell=cell)
        entries: dict[str, Entry] = {}
        for peer in dict.fromkeys(record["peer"] for record in of_cell):
            entry = _entry(peer, select(of_cell, peer=peer))
            library = library_of(peer)
            if library not in entries or entry.seconds < entries[library].seconds:
                entries[library] = entry
        sizes = (of_cell[0][name] for name in ("n_samples", "n_features", "n_clusters", "dtype"))
        found.append(Row(str(cell), *sizes, entries))
    return found


def library_of(peer: str) -> str:
    """Library an adapter belongs to; one with options stands for itself."""
    name, options = parse_name(peer)
    return peer if options else PEERS[name].variant_of or name


def geometric_mean(values: list[float]) -> float | None:
    return math.exp(statistics.fmean(map(math.log, values))) if values else None


def roofline(row: Row, iterations: int, peaks: Record) -> float | None:
    """Share of the machine's limit that our brute-force equivalent reaches.

    The limit of an iteration is the larger of 2 n K d flops at the measured FMA peak and one read
    of the rows at the measured bandwidth. Passes that skip rows can exceed it.
    """
    flops = peaks.get("fma_gflops", {}).get(row.dtype)
    bandwidth = peaks.get("read_gbytes")
    if not flops or not bandwidth or OURS not in row.entries:
        return None
    values = row.n_samples * row.n_features
    compute = 2.0 * values * row.n_clusters / (flops * 1e9)
    read = values * int(row.dtype[1:]) / (bandwidth * 1e9)
    return iterations * max(compute, read) / row.entries[OURS].seconds


def memory(records: list[Record]) -> dict[str, dict[str, tuple[float, float]]]:
    """Cell → peer → (peak in bytes a row, slope in bytes a row between half the rows and all)."""
    table: dict[str, dict[str, tuple[float, float]]] = {}
    chosen = [r for r in select(records, suite="memory") if "error" not in r]
    for record in sorted(chosen, key=lambda r: -r["n_samples"]):
        n, peak = record["n_samples"], record["peak_bytes"]
        for half in select(chosen, cell=record["cell"], peer=record["peer"], n_samples=n // 2):
            slope = (peak - half["peak_bytes"]) / (n - n // 2)
            table.setdefault(record["cell"], {})[record["peer"]] = (peak / n, slope)
    return table


def disturbance(records: list[Record], limit: float = 0.05) -> tuple[int, int, float]:
    """How many measurements others disturbed, of how many, and the worst share they took."""
    shares = [r["others"] for r in records if r.get("others") is not None]
    return sum(share > limit for share in shares), len(shares), max(shares, default=0.0)


def _entry(peer: str, records: list[Record]) -> Entry:
    def median(name: str) -> float | None:
        values = [r[name] for r in records if r.get(name) is not None]
        return statistics.median(values) if values else None

    return Entry(
        peer=peer,
        seconds=statistics.median(r["seconds"] for r in records),
        inertia=median("inertia"),
        n_iter=median("n_iter"),
        same_dtype=records[0]["dtype"] == records[0]["dtype_used"],
        check_seconds=median("check_seconds"),
    )
