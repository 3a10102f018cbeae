"""Values that were used last, as many as fit into a weight."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """A cache that drops what was not used for longest; safe between threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._weight = 0
        self._items: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def weight(self) -> int:
        """Of everything that is kept."""
        return self._weight

    def get(self, key: Hashable) -> T | None:
        """The value, None when it is not (any more) there."""
        with self._lock:
            found = self._items.get(key)
            if found is None:
                return None
            self._items.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, value: T, *, weight: int) -> None:
        """Keep this value; one that alone is over the limit is kept until the next."""
        with self._lock:
            before = self._items.pop(key, None)
            self._weight += weight - (before[1] if before else 0)
            self._items[key] = (value, weight)
            while self._weight > self._limit and len(self._items) > 1:
                _, dropped = self._items.popitem(last=False)[1]
                self._weight -= dropped

    def clear(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._items.clear()
            self._weight = 0
