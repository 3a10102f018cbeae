"""Work that tells of itself through callbacks, turned into a plain iterator.

The work runs in a thread of its own and waits whenever the reader has not yet taken what it last
told, so the reader sets the pace as with any generator. Closing the iterator stops the work.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from plugin.errors import Cancelled

T = TypeVar("T")

_WAKE_SECONDS = 0.5
"""How long a wait may sleep before it looks whether it is still wanted (Ctrl-C on Windows needs it)."""


class Teller(Generic[T]):
    """The work's end of the line.

    Attributes:
        stopped: set once the reader has gone.
    """

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self._told: queue.Queue[T | None] = queue.Queue(maxsize=1)

    def tell(self, item: T) -> None:
        """Hands `item` to the reader; waits until there is room.

        Raises:
            Cancelled: the reader has gone.
        """
        while not self.stopped.is_set():
            try:
                self._told.put(item, timeout=_WAKE_SECONDS)
            except queue.Full:
                continue
            return
        raise Cancelled

    def hang_up(self) -> None:
        """Says that nothing more will come."""
        while not self.stopped.is_set():
            try:
                self._told.put(None, timeout=_WAKE_SECONDS)
            except queue.Full:
                continue
            return

    def listen(self) -> Iterator[T]:
        """What is told, until `hang_up`."""
        while True:
            try:
                item = self._told.get(timeout=_WAKE_SECONDS)
            except queue.Empty:
                continue
            if item is None:
                return
            yield item

    def leave(self) -> None:
        """The reader goes; whoever waits in `tell` is woken."""
        self.stopped.set()
        while not self._told.empty():
            self._told.get_nowait()


def relay(work: Callable[[Teller[T]], None], *, name: str) -> Iterator[T]:
    """What `work` tells, as it tells it.

    Args:
        work: is given a `Teller`; runs in a thread.
        name: of the thread.

    Raises:
        Whatever `work` raised, once all it told before has been read.
    """
    teller: Teller[T] = Teller()
    failure: list[BaseException] = []

    def run() -> None:
        try:
            work(teller)
        except BaseException as error:  # noqa: BLE001 - carried over and raised again in the reader's thread
            failure.append(error)
        finally:
            teller.hang_up()

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        yield from teller.listen()
    finally:
        teller.leave()
        thread.join()
    if failure:
        raise failure[0]
