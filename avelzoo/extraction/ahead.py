"""Work ahead: items made by a thread of their own, and readers that start before their turn."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any, Generic, TypeVar

T = TypeVar("T")
_END = object()
_PATIENCE = 5.0
"""Seconds to wait for a thread that was asked to stop; it stops after the item that it makes."""


class Ahead(Generic[T]):
    """Items of a source, made by a thread at most ``size`` items ahead of their use.

    An error of the source is raised at its place in the iteration. The source is made, used and closed in the thread.

    Args:
        source: makes the items; called in the thread.
        size: largest number of finished items that wait.
    """

    def __init__(self, source: Callable[[], Iterator[T]], size: int) -> None:
        self._source = source
        self._items: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(size)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="avelzoo-decoding", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        while True:
            item, error = self._items.get()
            if error is not None:
                raise error
            if item is _END:
                return
            yield item

    def close(self) -> None:
        """Stop the thread; items that wait are dropped."""
        self._stop.set()
        while self._thread.is_alive():
            try:
                self._items.get_nowait()  # a thread that waits for a place in the queue goes on, and stops
            except queue.Empty:
                break
        self._thread.join(_PATIENCE)

    def _work(self) -> None:
        items = None
        try:
            items = self._source()
            for item in items:
                self._items.put((item, None))
                if self._stop.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - raised where the items are used
            self._put_last(error)
        else:
            self._put_last(None)
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()

    def _put_last(self, error: BaseException | None) -> None:
        if not self._stop.is_set():
            self._items.put((_END, error))


def one_ahead(items: Iterable[T], start: Callable[[T], None], close: Callable[[T], None]) -> Generator[T, None, None]:
    """The items in order; each is started while the one before it is in use, and closed after its use.

    Args:
        items: read one ahead of their use.
        start: begins an item's work; called once per item, at once.
        close: ends it, whether it was used or not.
    """
    source = iter(items)
    opened: list[T] = []
    try:
        for item in source:
            opened.append(item)
            start(item)
            if len(opened) > 1:
                yield opened[0]
                close(opened.pop(0))
        if opened:
            yield opened[0]
    finally:
        for item in opened:
            close(item)
