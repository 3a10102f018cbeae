"""Answers of pure functions of small arrays, remembered by every byte they were asked with.

A correction of a frame asks for all its gestures once more; only the new one is worked on then. What is
remembered is what would be computed again, so masks do not depend on what was asked before.
"""

from __future__ import annotations

import dataclasses
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
T = TypeVar("T")

ANSWERS = 32
"""That are held: a click has five sizes, and each answer to a crop is a quarter of a megabyte."""


def remembered(function: Callable[P, T]) -> Callable[P, T]:
    """The same function; of the last questions it knows the answers, whose arrays are read-only.

    Its arguments and its answer are arrays, numbers, None, and frozen dataclasses of these. Safe between
    threads.
    """
    known: OrderedDict[bytes, T] = OrderedDict()
    lock = threading.Lock()

    @wraps(function)
    def asked(*args: P.args, **kwargs: P.kwargs) -> T:
        key = _digest((*args, *sorted(kwargs.items())))
        with lock:
            if key in known:
                known.move_to_end(key)
                return known[key]
        answer = function(*args, **kwargs)
        _freeze(answer)
        with lock:
            known[key] = answer
            while len(known) > ANSWERS:
                known.popitem(last=False)
        return answer

    return asked


def _digest(values: tuple[Any, ...]) -> bytes:
    made = hashlib.blake2b(digest_size=16)
    for value in values:
        made.update(_digest_of(value))
    return made.digest()


def _digest_of(value: object) -> bytes:
    """Of fixed length, so that neighbours cannot run into each other."""
    if isinstance(value, np.ndarray):
        kind = f"{value.dtype} {value.shape}".encode()
        return hashlib.blake2b(
            np.ascontiguousarray(value).view(np.uint8).data, key=kind[:64], digest_size=16
        ).digest()
    if isinstance(value, tuple):
        return _digest(value)
    if dataclasses.is_dataclass(value):
        return _digest(tuple(getattr(value, each.name) for each in dataclasses.fields(value)))
    return hashlib.blake2b(repr(value).encode(), digest_size=16).digest()


def _freeze(answer: object) -> None:
    if isinstance(answer, np.ndarray):
        answer.flags.writeable = False
    elif dataclasses.is_dataclass(answer):
        for each in dataclasses.fields(answer):
            _freeze(getattr(answer, each.name))
