"""Parsed TOML as a tree of frozen dataclasses: fields are keys, dataclasses are tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin, get_type_hints

from exporter.errors import ExportError


class WrongConfig(ExportError):
    """A configuration that cannot be used; the message names the key."""


@dataclass(frozen=True, slots=True)
class TableReader:
    """Parsed TOML to dataclasses; `name` is the file's, for messages."""

    name: str

    def table(self, default: Any, content: Mapping[str, Any], path: str) -> Any:
        """A dataclass with what the file changes in it."""
        hints = get_type_hints(type(default))
        unknown = sorted(set(content) - set(hints))
        if unknown:
            known = ", ".join(sorted(hints))
            raise self.wrong(f"{path}{unknown[0]} is not a key", f"Use one of: {known}.")
        changes = {
            key: self.value(hints[key], value, path + key, default=getattr(default, key))
            for key, value in content.items()
        }
        return dataclasses.replace(default, **changes)

    def value(self, kind: Any, value: Any, path: str, *, default: Any = None) -> Any:
        """One value as the type of its field."""
        if dataclasses.is_dataclass(kind):
            if not isinstance(value, dict):
                raise self.wrong(f"{path} must be a table", f"Write [{path}].")
            return self.table(default, value, path + ".")
        if get_origin(kind) is tuple:
            return self._tuple(kind, value, path)
        if kind is float and type(value) is int:
            return float(value)
        if type(value) is not kind:
            raise self.wrong(f"{path} is {value!r}", f"Give {_WORDS[kind]}.")
        return value

    def _tuple(self, kind: Any, value: Any, path: str) -> tuple[Any, ...]:
        kinds = get_args(kind)
        if not isinstance(value, list) or (kinds[-1] is not Ellipsis and len(value) != len(kinds)):
            raise self.wrong(f"{path} is {value!r}", "Give a list of the right length.")
        return tuple(self.value(kinds[0], one, path) for one in value)

    def wrong(self, what: str, remedy: str) -> WrongConfig:
        """The error for one key."""
        return WrongConfig(f"{self.name}: {what}.", remedy=remedy)


_WORDS: Mapping[Any, str] = {
    int: "a whole number",
    float: "a number",
    str: "a text in quotes",
    bool: "true or false",
}
