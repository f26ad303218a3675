"""The choice in words. Reads a finished `KChoice`; computes nothing new."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from centroids.choosing_k.criteria import CURVE_CRITERIA, PARTITION_CRITERIA
from centroids.choosing_k.gate import BELOW_NULL, SIGNIFICANT
from centroids.choosing_k.valleys import FLAT_RATIO
from centroids.wording import rough_percent

if TYPE_CHECKING:
    from centroids.choosing_k.result import KChoice
    from centroids.choosing_k.valleys import Valley

__all__ = ["summary_of", "title_of"]

_TITLES = {
    "isolated": "isolated clusters",
    "isolated_held_out": "isolated clusters on held-out rows",
}


def title_of(name: str) -> str:
    """Name a criterion or column in a sentence."""
    criterion = PARTITION_CRITERIA.get(name) or CURVE_CRITERIA.get(name)
    return criterion.title if criterion else _TITLES.get(name, name.replace("_", " "))


def summary_of(choice: KChoice) -> str:
    """Explain the choice in plain sentences, one a line."""
    parts = [_headline(choice), *_reasons(choice), *_votes(choice), *_used(choice)]
    parts += [f"Look at: {caution}" for caution in choice.cautions]
    return "\n".join(parts)


def _headline(choice: KChoice) -> str:
    k, second = choice.k_if_forced, choice.runner_up
    if k == 1 and choice.has_timed_out:
        return "Time ran out before two clusters were tried: K = 1 is no finding."
    if choice.verdict == "no clusters":
        forced = f" If you must partition, use K = {k}." if k > 1 else ""
        return f"No separated clusters found (K = 1).{forced}"
    if choice.verdict == "clear":
        return f"K = {k}, clearly."
    if choice.verdict == "likely":
        return f"K = {k}, likely" + (f"; the runner-up is {second}." if second else ".")
    if second is None:
        return f"K = {k}, though the evidence is weak."
    low, high = sorted((k, second))
    return f"Ambiguous: K = {low} or {high}; {k} scores a little higher."


def _reasons(choice: KChoice) -> list[str]:
    if choice.k_if_forced < 2:
        return [] if choice.has_timed_out else [_why_nothing(choice)]
    lines = [_why_this(choice), *_why_not_fewer(choice), *_why_not_more(choice)]
    if choice.has_two_levels and choice.verdict == "ambiguous":
        lines.append(
            "Why in doubt: every criterion of variance asks for more clusters than that, so there "
            "may be groups within the groups, too close for a valley between them."
        )
    return lines


def _why_nothing(choice: KChoice) -> str:
    if choice.n_samples_used < 6:
        return f"Too few rows to tell: {choice.n_samples_used}."
    if len(choice.table["n_clusters"]) == 1 and choice.table["inertia"][0] > 0:
        return "Nothing but K = 1 was tried."
    return "Every way to cut the rows leaves fewer than two different groups."


def _why_this(choice: KChoice) -> str:
    k = choice.k_if_forced
    share = _percent(choice.gate.ratio)
    if choice.verdict == "no clusters":
        ratio = f"{share} of the level near the weaker center"
        if choice.gate.ratio < BELOW_NULL and choice.gate.p_value >= SIGNIFICANT:
            ratio += f", on too few rows to mean much (p = {choice.gate.p_value:.2f})"
        elif choice.gate.null_ratio is not None:
            ratio += f"; data without clusters gives {_percent(choice.gate.null_ratio)}"
        return (
            f"Cut into {k}, the density between neighbouring clusters is {ratio}, on rows "
            "that had no part in placing the centers."
        )
    isolated = int(choice.table["isolated"][k - 1])
    held_out = int(choice.table["isolated_held_out"][k - 1])
    who = "both clusters" if (isolated, k) == (2, 2) else f"{isolated} of {k} clusters"
    if isolated == k > 2:
        who = f"all {k} clusters"
    return (
        f"Why {k}: a valley in the density separates {who} from every neighbour ({held_out} of {k} "
        f"on rows held out); between neighbours the density falls to {share} of the weaker peak."
    )


def _why_not_fewer(choice: KChoice) -> list[str]:
    valley = choice.merge
    if valley is None or choice.verdict == "no clusters":
        return []
    k = choice.k_if_forced
    pair = f"clusters {valley.first} and {valley.second}"
    if valley.is_separated:
        return [
            f"Why not {k - 1}: it would merge {pair}, though between them the density falls to "
            f"{_percent(valley.ratio)} of the smaller peak ({_counts(valley)})."
        ]
    return [
        f"Why not {k - 1}: it would merge {pair}, and between them there is hardly a valley "
        f"({_percent(valley.ratio)} of the smaller peak): {k - 1} is a fair answer, too."
    ]


def _why_not_more(choice: KChoice) -> list[str]:
    valley, k = choice.split, choice.k_if_forced
    if valley is None or choice.verdict == "no clusters":
        return []
    if valley.ratio <= FLAT_RATIO and not valley.is_separated:
        return [
            f"Why not {k + 1}: too few rows lie between and around the centers of the new pair to "
            f"tell it from one group ({_counts(valley)})."
        ]
    if not valley.is_separated:
        return [
            f"Why not {k + 1}: the new pair has no valley between its centers "
            f"({_percent(valley.ratio)} of the smaller peak, {_counts(valley)})."
        ]
    if choice.table["score"][k:].size and choice.runner_up == k + 1:
        return [
            f"Why not {k + 1}: the new pair does have a valley ({_percent(valley.ratio)} of the "
            "smaller peak), but fewer criteria prefer it."
        ]
    return [
        f"Why not {k + 1}: hardly any criterion prefers it, though the new pair has a valley "
        f"({_percent(valley.ratio)} of the smaller peak, {_counts(valley)})."
    ]


def _votes(choice: KChoice) -> list[str]:
    if choice.k_if_forced < 2:
        return []
    known = [name for name, k in choice.preferred.items() if k is not None]
    line = f"{len(choice.agreeing)} of {len(known)} criteria prefer {choice.k_if_forced}"
    by_k: dict[int, list[str]] = {}
    for name, k in choice.dissenting.items():
        by_k.setdefault(k, []).append(title_of(name))
    if not by_k:
        return [line + "."]
    ranked = sorted(by_k.items(), key=lambda item: (-len(item[1]), item[0]))
    return [line + "; others: " + "; ".join(f"{k} ({', '.join(n)})" for k, n in ranked) + "."]


def _used(choice: KChoice) -> list[str]:
    lines = []
    if choice.smallest_share is not None:
        samples = choice.choices_by_sample
        agree = "; each gives " + ", ".join(map(str, samples)) if len(samples) > 1 else ""
        plural = "samples" if len(samples) > 1 else "sample"
        lines.append(
            f"Chosen on {choice.n_samples_used:,} of {choice.n_samples:,} rows "
            f"({len(samples)} random {plural}{agree}); clusters below "
            f"{rough_percent(choice.smallest_share)} of the rows may be missed. The model is "
            "fitted on all rows."
        )
    if choice.is_settled_on_all_rows:
        low, high = sorted((choice.k_if_forced, choice.runner_up or choice.k_if_forced))
        lines.append(
            f"The samples left {low} or {high} open; to decide, the rows between the two clusters "
            "in question were counted in all the data."
        )
    if choice.has_timed_out:
        lines.append(f"Time ran out: only K up to {int(choice.table['n_clusters'][-1])} was tried.")
    return lines


def _percent(ratio: float) -> str:
    return "more than 1000 %" if not np.isfinite(ratio) or ratio > 10 else f"{100 * ratio:.0f} %"


def _counts(valley: Valley) -> str:
    return f"{valley.n_middle:.0f} rows between, {valley.n_peak:.0f} near the weaker center"
