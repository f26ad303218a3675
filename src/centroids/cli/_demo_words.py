"""What one sees in the reference experiment, in words made from its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from centroids.cli._output import Payload, number
from centroids.cli._tables import plain_table, print_confusion
from centroids.cli._words import print_notes, print_whole
from centroids.wording import percent

__all__ = ["show_demo"]

BAR_WIDTH = 32


def show_demo(result: Payload, console: Console) -> None:
    """Print the result of ``centroids demo``."""
    data, split = result["data"], result["split"]
    console.print(
        f"{data['n_samples']:,} rows around {data['n_classes']} centers in {data['n_features']} "
        f"dimensions: {split['n_training']:,} training rows to fit and {split['n_heldout']:,} "
        f"held-out rows, with the same share of each of the classes 0 to {data['n_classes'] - 1}. "
        "K-Means never sees a class; classes only judge its clusters afterwards. Every model is "
        f"the best of {result['fit']['n_init']} starts. The tables count rows: a line for each "
        "cluster, a column for each class."
    )
    experiments = result["experiments"]
    right_one = next(e for e in experiments if e["n_clusters"] == data["n_classes"])
    for experiment in experiments:
        _show_experiment(console, experiment, right_one, data["n_classes"])
    _show_elbow(console, result["elbow"], data["n_classes"])
    console.print(f"\nchoose_k, which knows no classes, says: {result['choice']['summary'][0]}")
    print_notes(console, result["notes"])
    _show_files(console, result)


def _show_experiment(
    console: Console, experiment: Payload, right_one: Payload, n_classes: int
) -> None:
    n_clusters = experiment["n_clusters"]
    against = ""
    if experiment is not right_one:
        change = experiment["inertia"] / right_one["inertia"] - 1
        against = f" That is {100 * change:+.1f} % against K = {right_one['n_clusters']}."
    console.print()
    console.rule(Text(f"K = {n_clusters}: {_compared(n_clusters, n_classes)}"), align="left")
    console.print(
        f"Inertia {number(experiment['inertia'])} on the training rows; per row "
        f"{experiment['inertia_per_row']:.3f}, on the held-out rows "
        f"{experiment['heldout_inertia_per_row']:.3f}.{against}\n"
    )
    parts = [("training rows", experiment["training"]), ("held-out rows", experiment["heldout"])]
    print_confusion(console, parts)
    console.print()
    for sentence in _sentences(experiment):
        console.print(sentence)


def _compared(n_clusters: int, n_classes: int) -> str:
    if n_clusters == n_classes:
        return "as many clusters as classes"
    return f"{'fewer' if n_clusters < n_classes else 'more'} clusters than classes"


def _sentences(experiment: Payload) -> Iterator[str]:
    training, heldout = experiment["training"], experiment["heldout"]
    if not training["merged"] and not training["split"]:
        yield "Every class has a cluster of its own."
    for entry in training["merged"]:
        shared = _listed("class", sorted(share["class"] for share in entry["classes"]), "classes")
        yield f"Merged: {shared} share cluster {entry['cluster']}."
    for entry in training["split"]:
        pieces = _listed("cluster", [share["cluster"] for share in entry["clusters"]])
        yield f"Split: class {entry['class']} is cut into {pieces}."
    if training["n_misses"] == training["n_majority_misses"]:
        yield f"Misses: {_misses(training, heldout, 'n_misses')}."
    else:
        yield f"Misses with one cluster per class: {_misses(training, heldout, 'n_misses')}."
        yield (
            "Misses with every cluster named after its largest class: "
            f"{_misses(training, heldout, 'n_majority_misses')}."
        )
    if training["merged"]:
        yield "Too few clusters: some classes have none of their own and must share."
    elif training["split"]:
        yield "Too many clusters: K-Means uses all it gets and cuts classes that are one group."
    else:
        yield "The clusters are the classes, for rows the model never saw as well."


def _misses(training: Payload, heldout: Payload, key: str) -> str:
    return (
        f"{training[key]:,} of {training['n_rows']:,} training rows, "
        f"{heldout[key]:,} of {heldout['n_rows']:,} held-out rows"
    )


def _listed(noun: str, names: Sequence[object], nouns: str | None = None) -> str:
    *first, last = map(str, names)
    if not first:
        return f"{noun} {last}"
    return f"{nouns or noun + 's'} {', '.join(first)} and {last}"


def _show_elbow(console: Console, elbow: Payload, n_classes: int) -> None:
    console.print()
    console.rule(Text("How many clusters? Inertia on the training rows"), align="left")
    console.print(_elbow_table(elbow))
    console.print()
    bend = elbow["bend"]
    if bend is None:
        console.print("The curve has no elbow.")
        return
    drops = [1 - after / before for before, after in _pairs(elbow["inertia"])]
    until = [drop for k, drop in zip(elbow["n_clusters"][1:], drops, strict=True) if k <= bend]
    beyond = [drop for k, drop in zip(elbow["n_clusters"][1:], drops, strict=True) if k > bend]
    console.print(
        f"Up to K = {bend} every further cluster takes away {percent(min(until))} of the inertia "
        f"or more, beyond it {percent(max(beyond))} or less: the elbow is at K = {bend}"
        + (", the number of groups that are in the data." if bend == n_classes else ".")
    )


def _elbow_table(elbow: Payload) -> Table:
    table = plain_table("K", "inertia", "change")
    table.add_column("")
    largest = max(elbow["inertia"])
    changes = ["", *(f"{100 * (b / a - 1):+.1f} %" for a, b in _pairs(elbow["inertia"]))]
    for k, inertia, change in zip(elbow["n_clusters"], elbow["inertia"], changes, strict=True):
        is_bend = k == elbow["bend"]
        bar = "█" * max(1, round(BAR_WIDTH * inertia / largest))
        mark = Text(bar + ("  ◄ elbow" if is_bend else ""), style="bold" if is_bend else "")
        table.add_row(str(k), number(inertia), change, mark)
    return table


def _pairs(values: Sequence[float]) -> list[tuple[float, float]]:
    return list(pairwise(values))


def _show_files(console: Console, result: Payload) -> None:
    folder, files = Path(result["folder"]), result["files"]
    models = ", ".join(files["models"].values())
    print_whole(console, f"\nWritten to {folder}:")
    for names, what in (
        (files["report"], "all of K = 5 on one page; open it in a browser"),
        (files["elbow"], "the elbow as a picture"),
        (f"{files['training']}, {files['heldout']}", "rows, classes, clusters for each K"),
        (models, "the models"),
    ):
        print_whole(console, f"  {names}: {what}")
    some_model, rows = list(files["models"].values())[1], files["heldout"]
    print_whole(
        console,
        f"Next: centroids evaluate {folder / some_model} {folder / rows} --truth y",
    )
