"""A table as users have it: texts, identifiers, dates, gaps, categories, money, many scales."""

from __future__ import annotations

from pathlib import Path

import numpy as np

GROUPS = ("students", "families", "retired", "business")
SHARES = (0.35, 0.3, 0.25, 0.1)
AGE = (22.0, 41.0, 71.0, 48.0)
VISITS = (11.0, 6.0, 2.5, 25.0)
EMAIL_SHARE = (0.85, 0.5, 0.15, 0.7)
MONEY = (4.2, 6.0, 5.2, 8.4)  # logarithm of the median
CITIES = ("Paris", "Lyon", "Nîmes", "Lille", "Brest")


def write_mixed_table(path: Path, n_rows: int, seed: int = 0) -> np.ndarray:
    """Write a CSV file of customers in four groups, and return the group of each row."""
    random = np.random.default_rng(seed)
    group = random.choice(len(GROUPS), n_rows, p=SHARES)

    def around(centers: tuple[float, ...], spread: float) -> np.ndarray:
        return np.array(centers)[group] + random.normal(0, spread, n_rows)

    columns = {
        "customer_id": np.arange(100_001, 100_001 + n_rows).astype(str),
        "name": np.array([f"Customer, {i}" for i in random.integers(0, 10**9, n_rows)]),
        "signup": np.datetime_as_string(
            np.datetime64("2015-01-01") + random.integers(0, 4000, n_rows).astype("m8[D]")
        ),
        "city": np.array(CITIES)[(group + random.integers(0, 3, n_rows)) % len(CITIES)],
        "plan": np.where(random.random(n_rows) < 0.8, np.array(GROUPS)[group], "other"),
        "age": np.maximum(around(AGE, 4), 16).round(1).astype(str),
        "visits_per_month": random.poisson(np.array(VISITS)[group]).astype(str),
        "spent_eur": np.exp(around(MONEY, 0.6)).round(2).astype(str),
        "email_share": np.clip(around(EMAIL_SHARE, 0.08), 0, 1).round(3).astype(str),
        "country_code": np.full(n_rows, "33"),
    }
    for name, share in (("age", 0.03), ("email_share", 0.01), ("city", 0.02)):
        columns[name][random.random(n_rows) < share] = ""
    quoted = {"name": np.char.add(np.char.add('"', columns["name"]), '"')}
    rows = zip(*(columns | quoted).values(), strict=True)
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(columns) + "\n")
        file.writelines(",".join(row) + "\n" for row in rows)
    return group
