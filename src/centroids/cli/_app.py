"""The commands put together; every error becomes one line on stderr and an exit code."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Annotated

import typer

import centroids
from centroids.cli.blobs import blobs
from centroids.cli.choose_k import choose_k
from centroids.cli.compare import compare
from centroids.cli.demo import demo
from centroids.cli.doctor import doctor
from centroids.cli.evaluate import evaluate
from centroids.cli.fit import fit
from centroids.cli.name import name
from centroids.cli.predict import predict
from centroids.cli.profile import profile

__all__ = ["run"]

OK, FAILED, WRONG_USE, INTERRUPTED = 0, 1, 2, 130
TERMINATED = 143
STOPPED = "stopped; no half-written file is left"

# typer's own base class of wrong use; it is click's or a copy of click's, as the version has it.
WrongUse = next(cls for cls in typer.BadParameter.__mro__ if cls.__name__ == "ClickException")

app = typer.Typer(
    add_completion=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (doctor, choose_k, fit, predict, profile, name, evaluate, compare, blobs, demo):
    app.command()(command)


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"centroids {centroids.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)  # type: ignore[untyped-decorator]
def _root(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """K-Means over CSV, Parquet, JSON and .npy files.

    Exit code: 0 if all went well, 1 if it failed, 2 for wrong use or bad input.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(WRONG_USE)


def run(argv: Sequence[str]) -> int:
    """Run a command line and give its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A terminal that knows no "…" prints "?"; it must not end the program.
            stream.reconfigure(errors="replace")
    try:
        with _leaving_on_sigterm():
            outcome = app(args=list(argv), prog_name="centroids", standalone_mode=False)
            sys.stdout.flush()
        if outcome != INTERRUPTED:
            return outcome if isinstance(outcome, int) else OK
        code, message = INTERRUPTED, STOPPED
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else FAILED
    except (KeyboardInterrupt, typer.Abort):
        code, message = INTERRUPTED, STOPPED
    except BrokenPipeError:
        # Whoever read our output has seen enough; the interpreter must not complain on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        if "CENTROIDS_TRACEBACK" in os.environ:
            raise
        code, message = _explain(error)
    sys.stderr.write(f"centroids: {' '.join(message.split())}\n")
    return code


def _explain(error: Exception) -> tuple[int, str]:
    """Give the exit code for an error, and what to tell the user."""
    if isinstance(error, WrongUse):
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "centroids"
        message = error.format_message().replace("Value error, ", "").rstrip(".")
        return WRONG_USE, f"{message}{' See' if message.endswith('?') else '; see'} {path} --help"
    if isinstance(error, ImportError | OSError):
        return FAILED, str(error)
    if isinstance(error, MemoryError):
        return FAILED, f"not enough memory; use fewer columns or a larger machine {error}"
    if isinstance(error, ValueError):
        return WRONG_USE, str(error)
    return FAILED, (
        f"internal error, {type(error).__name__}: {error}; please report it "
        "(CENTROIDS_TRACEBACK=1 shows where)"
    )


@contextmanager
def _leaving_on_sigterm() -> Iterator[None]:
    """Let SIGTERM unwind the stack, so that temporary files are removed."""

    def leave(signum: int, frame: FrameType | None) -> None:
        raise SystemExit(TERMINATED)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
