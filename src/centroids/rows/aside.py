"""An iterator in a thread of its own, so that Ctrl-C reaches the one who waits for it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

__all__ = ["in_thread"]

T = TypeVar("T")
AHEAD = 2
SECONDS = 0.1


def in_thread(make: Callable[[], Iterator[T]], interrupt: Callable[[], None]) -> Iterator[T]:
    """Give what an iterator gives, made and run in another thread.

    Signals are for the main thread alone. A library that looks for them in its own loops, and loses
    some, never sees one.

    Parameters
    ----------
    make : callable
        Makes the iterator.
    interrupt : callable
        Makes it stop early, from another thread.
    """
    items: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue(AHEAD)
    is_left = threading.Event()

    def put(item: T | None, error: BaseException | None) -> None:
        while not is_left.is_set():
            try:
                items.put((item, error), timeout=SECONDS)
            except queue.Full:
                continue
            return

    def work() -> None:
        try:
            for item in make():
                put(item, None)
                if is_left.is_set():
                    return
            put(None, StopIteration())
        except BaseException as error:  # it is the waiting thread's to handle
            put(None, error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            item, error = items.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item  # type: ignore[misc]
    finally:
        is_left.set()
        while thread.is_alive():
            interrupt()
            thread.join(SECONDS)
