"""JSON read strictly: every value is asked for by name and type, and what nobody asked for is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NoReturn

_DEEPEST = 32


class NotAsked(ValueError):
    """A value that is missing, too much, of another type or beyond its limits; the text says where."""


def parse_json(data: bytes) -> Node:
    """The root of a JSON text.

    Raises:
        NotAsked: it is no JSON, holds a key twice, a number that is none, or is nested beyond reason.
    """
    try:
        tree = json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise NotAsked("is not a text in UTF-8") from error
    except NotAsked:
        raise
    except (ValueError, RecursionError) as error:
        raise NotAsked(f"is not JSON ({error})") from error
    _check_depth(tree)
    return Node(tree, "")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1)
        raise NotAsked(f"says {twice!r} twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise NotAsked(f"holds {text}, which is no number")


def _check_depth(tree: Any) -> None:
    level = [tree]
    for _ in range(_DEEPEST):
        below = [one for one in level if isinstance(one, dict | list)]
        level = [part for one in below for part in (one.values() if isinstance(one, dict) else one)]
        if not level:
            return
    raise NotAsked("is nested too deeply")


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands, such as `objects[0].label`."""

    value: Any
    where: str

    def fields(self, *names: str) -> tuple[Node, ...]:
        """The values of an object that has exactly these keys, in the order asked for."""
        if not isinstance(self.value, dict):
            raise self.wrong("is not an object")
        for missing in (name for name in names if name not in self.value):
            raise self.wrong(f"lacks {missing!r}")
        for unknown in sorted(set(self.value) - set(names)):
            raise self.wrong(f"has {unknown[:40]!r}, which means nothing here")
        return tuple(Node(self.value[name], self._below(name)) for name in names)

    def peek(self, name: str) -> Node:
        """One value of an object, whatever else it has."""
        if not isinstance(self.value, dict) or name not in self.value:
            raise self.wrong(f"lacks {name!r}")
        return Node(self.value[name], self._below(name))

    def items(self, *, most: int) -> Iterator[Node]:
        """The values of a list."""
        if not isinstance(self.value, list):
            raise self.wrong("is not a list")
        if len(self.value) > most:
            raise self.wrong(f"has {len(self.value)} entries, more than {most}")
        return (Node(one, f"{self.where}[{number}]") for number, one in enumerate(self.value))

    def text(self, *, most: int = 4096) -> str:
        """A text of at most so many characters."""
        if not isinstance(self.value, str):
            raise self.wrong("is not a text")
        if len(self.value) > most:
            raise self.wrong(f"has {len(self.value)} characters, more than {most}")
        return self.value

    def yes(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            raise self.wrong("is not true or false")
        return self.value

    def whole(self, lowest: int, highest: int) -> int:
        """A whole number within limits."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise self.wrong("is not a whole number")
        if not lowest <= self.value <= highest:
            raise self.wrong(f"is not from {lowest} to {highest}")
        return self.value

    def real(self, lowest: float, highest: float) -> float:
        """A finite number within limits."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise self.wrong("is not a number")
        if not lowest <= self.value <= highest or not math.isfinite(self.value):
            raise self.wrong(f"is not from {lowest:g} to {highest:g}")
        return float(self.value)

    def rate(self) -> Fraction:
        """A positive fraction such as `24000/1001`."""
        text = self.text(most=40)
        top, _, bottom = text.partition("/")
        digits = [part for part in (top, bottom or "1") if part.isascii() and part.isdigit()]
        if len(digits) != 2 or int(digits[1]) == 0 or not 0 < Fraction(int(top), int(digits[1])) <= 1000:
            raise self.wrong("is not a rate such as 25 or 24000/1001")
        return Fraction(int(top), int(digits[1]))

    def wrong(self, what: str) -> NotAsked:
        """The error that says what is wrong with this value."""
        return NotAsked(f"{self.where or 'the document'} {what}")

    def _below(self, name: str) -> str:
        return f"{self.where}.{name}" if self.where else name
