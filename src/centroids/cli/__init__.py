"""The command ``centroids``: parse, call the public names of the package, print.

One file per command (`doctor`, `choose_k`, `fit`, `predict`, `profile`, `name`, `evaluate`,
`compare`, `blobs`, `demo`); each has a function that computes a result of plain data and one that
shows it, so that ``--json`` holds everything that is printed. `_app` puts the commands together and
turns every error into one line and an exit code. What commands share:

- `_options`: arguments and options; those that belong together are one value (`_groups`)
- `_reading`, `_modelling`, `_matching`, `_labelling`, `_findings`: steps on the way from files to
  a result
- `_fit_result`, `_reporting`: what a fit came to, as plain data and as a page
- `_output`, `_words`, `_tables`: what is printed, and progress

No arithmetic on rows lives here, and nothing but public names of ``centroids`` is used, besides
`wording`. Called by the console script and by ``python -m centroids``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line.

    Parameters
    ----------
    argv : sequence of str, optional
        The words behind ``centroids``; those of this process by default.

    Returns
    -------
    int
        0 if all went well, 1 if it failed, 2 for wrong use or bad input, 130 after Ctrl-C.
    """
    try:
        from centroids.cli._app import run
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in ("typer", "rich"):
            raise
        needs = f'the command line needs {package}: pip install "centroids[cli]"'
        print(f"centroids: {needs}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 130
    return run(sys.argv[1:] if argv is None else list(argv))
