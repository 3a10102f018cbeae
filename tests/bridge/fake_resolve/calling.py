"""How scripts touch the editor: handles that never raise, and methods with rules that hold for every call."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .model import Folder, Item, PoolItem, Project, Thing, Timeline, Track
from .profiles import Version

if TYPE_CHECKING:
    from .editor import Editor


class Refused(Exception):
    """The editor does not do it; the script gets the method's failure value."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for a method before its body runs.

    Attributes:
        fails: what a script gets when it fails.
        stale: what it gets from a dead object.
        mutates: whether an open modal window stops it.
        since: first version that has it.
        studio: the free edition opens its paywall window instead.
    """

    fails: Any
    stale: Any
    mutates: bool
    since: Version
    studio: bool


def call(
    fails: Any = None,
    *,
    mutates: bool = False,
    since: Version = (0, 0, 0),
    studio: bool = False,
    stale: Any = "same",
) -> Callable[[Any], Any]:
    """Make a method callable from scripts."""
    usual = False if fails is False else None

    def mark(function: Any) -> Any:
        function.rules = Rules(fails, usual if stale == "same" else stale, mutates, since, studio)
        return function

    return mark


class Api:
    """The methods of one kind of object; made anew for every call.

    Attributes:
        editor: the whole editor.
        it: the object that the handle stands for.
    """

    KIND = ""

    def __init__(self, editor: Editor, it: Any) -> None:
        self.editor = editor
        self.it = it

    @property
    def options(self) -> Any:
        return self.editor.options

    @property
    def project(self) -> Project:
        """The open project.

        Raises:
            Refused: none is open.
        """
        if self.editor.project is None:
            raise Refused
        return self.editor.project

    @property
    def timeline(self) -> Timeline:
        """The current timeline.

        Raises:
            Refused: none is.
        """
        if self.project.current is None:
            raise Refused
        return self.project.current


APIS: dict[str, type[Api]] = {}


def api(kind: str) -> Callable[[type[Api]], type[Api]]:
    """Register the methods of a kind of object."""

    def register(cls: type[Api]) -> type[Api]:
        cls.KIND = kind
        APIS[kind] = cls
        return cls

    return register


def methods_of(kind: str) -> dict[str, Rules]:
    """Every method of a kind, whatever the version."""
    found = {name: getattr(value, "rules", None) for name, value in inspect.getmembers(APIS[kind])}
    return {name: rules for name, rules in found.items() if rules is not None}


class Handle:
    """What a script holds. Any attribute that is no method here is None, and `hasattr` is always True."""

    __slots__ = ("_editor", "_it", "_kind", "_session")

    def __init__(self, editor: Editor, kind: str, it: Any) -> None:
        object.__setattr__(self, "_editor", editor)
        object.__setattr__(self, "_kind", kind)
        object.__setattr__(self, "_it", it)
        object.__setattr__(self, "_session", editor.session)

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__"):
            return object.__getattribute__(self, name)
        editor, kind = parts(self)[:2]
        if kind == "Resolve" and name in editor.enums:
            return editor.enums[name]
        if name not in editor.methods(kind):
            return None
        return BoundCall(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        """Scripts may write what they like on an object; it changes nothing."""

    def __dir__(self) -> list[str]:
        editor, kind = parts(self)[:2]
        return sorted([*editor.methods(kind), *(editor.enums if kind == "Resolve" else ())])

    def __repr__(self) -> str:
        return f"{parts(self)[1]} (0x{id(self):x}) [App: 'Resolve' on 127.0.0.1]"


class BoundCall:
    """A method of a handle."""

    __slots__ = ("_handle", "_name")

    def __init__(self, handle: Handle, name: str) -> None:
        self._handle = handle
        self._name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        editor = parts(self._handle)[0]
        return editor.answer(self._handle, self._name, args, kwargs)


class Ghost:
    """What a failed placing may hand out: an object that is nothing."""

    id = ""
    alive = True


def parts(handle: Handle) -> tuple[Editor, str, Any, int]:
    """Editor, kind, object and session of a handle, for the fake's own use."""
    get = object.__getattribute__
    return get(handle, "_editor"), get(handle, "_kind"), get(handle, "_it"), get(handle, "_session")


def thing_of(handle: Any) -> Any:
    """What a handle stands for: for assertions of tests."""
    return parts(handle)[2]


_KINDS: dict[type, str] = {
    Project: "Project",
    Timeline: "Timeline",
    Item: "TimelineItem",
    Ghost: "TimelineItem",
    PoolItem: "MediaPoolItem",
    Folder: "Folder",
}


def to_script(editor: Editor, value: Any) -> Any:
    """A result as scripts see it: things as handles, lists in the build's form."""
    if isinstance(value, (Thing, Ghost)):
        return Handle(editor, _KINDS[type(value)], value)
    if isinstance(value, tuple):
        return Handle(editor, value[0], value[1])
    if isinstance(value, list):
        out = [to_script(editor, one) for one in value]
        return {float(n): one for n, one in enumerate(out, 1)} if editor.options.lists_as_dicts else out
    if isinstance(value, dict):
        return {key: to_script(editor, one) for key, one in value.items()}
    return value


def from_script(editor: Editor, value: Any) -> Any:
    """An argument: handles as what they stand for; a stale one is refused."""
    if isinstance(value, Handle):
        if not editor.is_fresh(value):
            raise Refused
        return parts(value)[2]
    if isinstance(value, (list, tuple)):
        return [from_script(editor, one) for one in value]
    if isinstance(value, dict):
        return {key: from_script(editor, one) for key, one in value.items()}
    return value


def is_whole(value: Any) -> bool:
    """Whether it is a whole number, written as an int or a float; infinity and not-a-number are none."""
    return (isinstance(value, int) and not isinstance(value, bool)) or _is_whole_float(value)


def _is_whole_float(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()


def _whole(value: Any) -> int:
    if not is_whole(value):
        raise Refused
    return int(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Refused
    return value


_PLAIN: dict[str, Callable[[Any], Any]] = {"int": _whole, "float": _number, "Any": lambda value: value}
_TYPES: dict[str, type] = {
    "str": str,
    "bool": bool,
    "dict": dict,
    "Timeline": Timeline,
    "Item": Item,
    "PoolItem": PoolItem,
    "Folder": Folder,
}


def _fit(value: Any, annotation: str) -> Any:
    """`value` if it is of the kind that the method wants; a wrong kind is refused, never turned."""
    for wanted in annotation.split(" | "):
        if wanted == "None" and value is None:
            return None
        if wanted in _PLAIN:
            return _PLAIN[wanted](value)
        if wanted.startswith("list"):
            value = list(value.values()) if isinstance(value, dict) else value
            inner = wanted[5:-1]
            if isinstance(value, list):
                return [_fit(one, inner) for one in value] if inner else value
        elif wanted in _TYPES and isinstance(value, _TYPES[wanted]):
            return value
    raise Refused


def fitted(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    """Arguments for `function` (its own `self` left out).

    Raises:
        Refused: too few, too many, or of a wrong kind.
    """
    parameters = list(inspect.signature(function).parameters.values())[1:]
    if kwargs or (len(args) > len(parameters) and not any(p.kind is p.VAR_POSITIONAL for p in parameters)):
        raise Refused
    out: list[Any] = []
    for place, parameter in enumerate(parameters):
        if parameter.kind is parameter.VAR_POSITIONAL:
            return [*out, *(_fit(value, parameter.annotation) for value in args[place:])]
        if place < len(args):
            out.append(_fit(args[place], parameter.annotation))
        elif parameter.default is parameter.empty:
            raise Refused
    return out


def fresh(value: Any) -> Any:
    """A failure value of its own."""
    return copy.copy(value)


def is_alive(it: Any) -> bool:
    """Whether what a handle stands for still exists."""
    return not isinstance(it, (Thing, Track)) or it.alive
