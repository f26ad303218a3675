"""The result of ``centroids fit`` in words."""

from __future__ import annotations

from rich.console import Console

from centroids.cli._fit_result import CUT_SHORT
from centroids.cli._output import Payload, number, place_of
from centroids.cli._tables import print_clusters
from centroids.cli._words import (
    print_alignment,
    print_data,
    print_matches,
    print_notes,
    print_whole,
)
from centroids.wording import count

__all__ = ["show_fit"]


def show_fit(result: Payload, console: Console) -> None:
    """Print the result of ``centroids fit``."""
    training, heldout, model = result["training"], result["heldout"], result["model"]
    print_data(console, result["data"], model["log"])
    if heldout is not None:
        how = ", the same share of every class" if result["split"]["is_stratified"] else ""
        console.print(
            f"{count(training['n_samples'], 'row')} to fit, "
            f"{count(heldout['n_samples'], 'row')} held out{how}"
        )
    unit = " (with the logarithms)" if model["log"] else ""
    unit = " (in scaled units)" if model["scale"] != "none" else unit
    if result["choice"] is not None:
        console.print(f"\n{result['choice']['summary'][0]}", style="bold")
        print_whole(console, f"Evidence: centroids choose-k {result['same_rows']}")
    # A chosen model starts from where the choice ended, so its own iterations say nothing.
    is_chosen = result["choice"] is not None
    after = "" if is_chosen else f" after {count(model['n_iter'], 'iteration')}"
    console.print(
        f"\nK = {model['n_clusters']}: inertia {number(training['inertia'])}{unit}{after}, "
        f"random state {model['random_state']}"
    )
    if model["has_timed_out"]:
        console.print(f"--max-time was {model['max_time']:g} seconds, {CUT_SHORT}.")
    if heldout is not None:
        console.print(
            f"inertia per row: {number(training['inertia_per_row'])} on the rows fitted, "
            f"{number(heldout['inertia_per_row'])} on the rows held out"
        )
    console.print()
    print_clusters(console, result["clusters"], result["data"]["columns"])
    parts = [("Rows fitted", training), ("Rows held out", heldout)]
    print_matches(
        console, [(name, part["match"]) for name, part in parts if part and "match" in part]
    )
    if result["alignment"] is not None:
        console.print()
        print_alignment(console, result["alignment"])
    if result["stability"] is not None:
        console.print("\nHow sure is that? " + result["stability"]["summary"][0])
    print_notes(console, result["notes"])
    _show_files(console, result)


def _show_files(console: Console, result: Payload) -> None:
    files = result["files"]
    console.print()
    if not any(files.values()):
        console.print("Nothing is kept; add -o MODEL, --labels OUT or --report OUT to do so.")
    if files["labels"]:
        print_whole(console, f"Labels: {place_of(files['labels'])}")
    if files["report"]:
        print_whole(console, f"Report: {files['report']}")
    if files["model"]:
        print_whole(console, f"Model: {files['model']}")
        file = result["data"]["file"]
        print_whole(console, f"Next: centroids profile {files['model']} {file}")
        print_whole(console, f"      centroids predict {files['model']} NEW.csv -o labelled.csv")
