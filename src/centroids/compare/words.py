"""A `LabelMatch` in plain words, with a table: finished numbers in, text out, nothing computed.

Called by `LabelMatch.summary` alone. Every list of names and every table has a limit, so that the
text stays readable from one to hundreds of clusters; what a limit cuts off is announced.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from centroids.wording import count, percent

if TYPE_CHECKING:
    from centroids.compare.label_match import LabelMatch

MAX_LINE = 100
MAX_NAME = 16
MAX_LISTED = 6
MAX_ROWS_NAMED = 5
MAX_CLUSTERS = 30


def summarise(match: LabelMatch) -> str:
    """Return the text of `LabelMatch.summary`."""
    lines = [
        line for text in _sentences(match) for line in wrap(text, MAX_LINE, break_on_hyphens=False)
    ]
    return "\n".join([*lines, "", *_table(match)])


def _sentences(match: LabelMatch) -> Iterator[str]:
    n_scored = match.n_samples - match.n_missing
    yield (
        f"{count(len(match.clusters), 'cluster')} against "
        f"{count(len(match.classes), 'class', 'classes')}, {count(n_scored, 'row')}."
    )
    if match.n_missing:
        yield f"{count(match.n_missing, 'more row')} without a known class: left out."
    if match.is_mapping_given:
        yield "The clusters keep the classes they were named after on other rows."
    for names, what in ((match.new_clusters, "clusters"), (match.new_classes, "classes")):
        if names:
            yield f"New {what} (their rows are misses): {_join(map(_name, names))}."
    yield _agreement("One class per cluster", match.accuracy, n_scored, match.misses)
    yield from _left_over(match)
    if match.mapping != match.majority_mapping:
        how = "Each cluster named after its largest class"
        yield _agreement(how, match.majority_accuracy, n_scored, match.majority_misses)
    yield from _merges_and_splits(match)
    yield (
        f"Adjusted Rand index {_index(match.adjusted_rand)}, adjusted mutual information "
        f"{_index(match.adjusted_mutual_info)}, V-measure {_index(match.v_measure)} "
        "(whatever the names; 1 = the same groups, near 0 = unrelated)."
    )


def _agreement(how: str, accuracy: float, n_scored: int, misses: NDArray[Any]) -> str:
    n_agreeing = n_scored - len(misses)
    text = f"{how}: {n_agreeing:,} of {n_scored:,} rows agree ({percent(accuracy)})"
    if len(misses) == 0:
        return f"{text}, no miss."
    text = f"{text}, {count(len(misses), 'miss', 'misses')}"
    if len(misses) > MAX_ROWS_NAMED:
        return f"{text}."
    rows = ", ".join(map(str, misses.tolist()))
    return f"{text}: row{'s' if len(misses) > 1 else ''} {rows}, counted from 0."


def _left_over(match: LabelMatch) -> Iterator[str]:
    named_after = set(match.mapping.values())
    clusters = set(match.clusters) - set(match.mapping) - set(match.new_clusters)
    classes = set(match.classes) - named_after - set(match.new_classes)
    for names, left_over, what in (
        (match.clusters, clusters, "Clusters without a class"),
        (match.classes, classes, "Classes without a cluster"),
    ):
        if left_over:
            listed = _join(_name(name) for name in names if name in left_over)
            yield f"{what} of their own, so all their rows are misses: {listed}."


def _merges_and_splits(match: LabelMatch) -> Iterator[str]:
    merges = [
        f"Merged: cluster {_name(cluster)} holds {_shares('class', shares, 'its rows')}."
        for cluster, shares in match.merged.items()
    ]
    splits = [
        f"Split: class {_name(name)} lies in {_shares('cluster', shares, 'its rows')}."
        for name, shares in match.split.items()
    ]
    for lines, what in ((merges, "merged clusters"), (splits, "split classes")):
        yield from lines[:MAX_LISTED]
        if len(lines) > MAX_LISTED:
            yield f"... and {len(lines) - MAX_LISTED:,} more {what}."
    if not merges and not splits:
        yield "No classes are merged and none is split."


def _shares(what: str, shares: Mapping[Hashable, float], whole: str) -> str:
    return _join(
        f"{what} {_name(name)} ({percent(share)}{f' of {whole}' if i == 0 else ''})"
        for i, (name, share) in enumerate(shares.items())
    )


def _table(match: LabelMatch) -> list[str]:
    """Return the counts of the largest clusters in the fullest layout that is not too wide."""
    by_size = match.confusion.sum(axis=1).argsort(kind="stable")[::-1]
    shown = sorted(by_size[:MAX_CLUSTERS].tolist())
    layouts = [_cluster_by_class(match, shown)]
    layouts += [_cluster_by_cluster(match, shown, n_classes) for n_classes in (3, 2, 1)]
    fitting = (lines for lines in layouts if max(map(len, lines)) <= MAX_LINE)
    lines = next(fitting, layouts[-1])
    if len(shown) < len(match.clusters):
        lines.append(
            f"The {len(shown)} largest of {len(match.clusters):,} clusters; "
            "`confusion` has the counts of all."
        )
    return lines


def _cluster_by_class(match: LabelMatch, shown: Sequence[int]) -> list[str]:
    header = ["cluster \\ class", *map(_name, match.classes), "own class"]
    rows = [
        [
            _name(match.clusters[i]),
            *(f"{count:,}" if count else "." for count in match.confusion[i].tolist()),
            _own_class(match, i),
        ]
        for i in shown
    ]
    return _aligned([header, *rows], text_columns={0, len(header) - 1})


def _cluster_by_cluster(match: LabelMatch, shown: Sequence[int], n_classes: int) -> list[str]:
    rows = [["cluster", "rows", "own class", "its classes (rows)"]]
    for i in shown:
        counts = match.confusion[i].tolist()
        present = sorted((-count, j) for j, count in enumerate(counts) if count)
        largest = [f"{_name(match.classes[j])} ({-count:,})" for count, j in present[:n_classes]]
        text = ", ".join(largest) or "-"
        if rest := present[n_classes:]:
            text += f" and {len(rest):,} more ({-sum(count for count, _ in rest):,})"
        rows.append([_name(match.clusters[i]), f"{sum(counts):,}", _own_class(match, i), text])
    return _aligned(rows, text_columns={0, 2, 3})


def _own_class(match: LabelMatch, i: int) -> str:
    cluster = match.clusters[i]
    return _name(match.mapping[cluster]) if cluster in match.mapping else "-"


def _aligned(rows: Sequence[Sequence[str]], text_columns: set[int]) -> list[str]:
    """Return the rows as lines of equal columns, text to the left and numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if i in text_columns else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _name(name: Hashable) -> str:
    text = str(name)
    if not text.isprintable() or (isinstance(name, str) and _reads_as_number(name)):
        text = repr(name)  # so that "1" is told from 1, and a text "nan" from a gap
    if len(text) <= MAX_NAME:
        return text
    n_kept = (MAX_NAME - 3) // 2  # both ends: many names differ in their last letters only
    return f"{text[:n_kept]}...{text[-n_kept:]}"


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _join(texts: Iterable[str]) -> str:
    listed = list(texts)
    if len(listed) > MAX_LISTED:
        return f"{', '.join(listed[:MAX_LISTED])} and {len(listed) - MAX_LISTED:,} more"
    return " and ".join(filter(None, [", ".join(listed[:-1]), listed[-1]]))


def _index(value: float) -> str:
    text = f"{value:z.4f}"
    return "more than 0.9999" if value < 1 and text == "1.0000" else text
