"""Results as data: JSON lines in one folder per kind of machine."""

import json
from collections.abc import Iterable
from pathlib import Path

from benchmarks import machine

HERE = Path(__file__).resolve().parent
Record = dict[str, object]

KEY_FIELDS = ("suite", "task", "cell", "n_samples", "peer", "threads", "seed")


def folder(base: Path | None = None) -> Path:
    """This machine's folder below benchmarks/results, or below base."""
    return (base or HERE / "results") / machine.name(machine.describe())


def describe_machine(path: Path, peaks: Record) -> Record:
    """Write or refresh machine.json with what was measured of the machine; keeps older peaks."""
    path.mkdir(parents=True, exist_ok=True)
    file = path / "machine.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    measured = {"peaks": peaks} if peaks else {}
    description = {"peaks": {}} | known | machine.describe() | measured
    file.write_text(json.dumps(description, indent=2) + "\n")
    return description


def append(path: Path, record: Record) -> None:
    """Add one record to its suite's file."""
    with (path / f"{record['suite']}.jsonl").open("a") as file:
        file.write(json.dumps(record) + "\n")


def load(path: Path) -> list[Record]:
    """All records; of measurements made again the last one counts."""
    latest: dict[tuple, Record] = {}
    for file in sorted(path.glob("*.jsonl")):
        for line in file.read_text().splitlines():
            record = json.loads(line)
            latest[key(record)] = record
    return list(latest.values())


def key(record: Record) -> tuple:
    """What makes two records measurements of the same thing."""
    return tuple(record[field] for field in KEY_FIELDS)


def select(records: Iterable[Record], **fields: object) -> list[Record]:
    """Records with these values."""
    return [r for r in records if all(r.get(name) == value for name, value in fields.items())]
