"""Calls into Resolve whose answers are looked at, since nothing there raises and nothing there is sure.

Failure is None, False, "", [] or an object that is nothing; lists come as dicts from old builds; a method
that this version lacks reads as None, and `hasattr` is always true. Every call of ours goes through here.
"""

import os
import unicodedata
from typing import Any, Dict, List, Optional

NOT_RUNNING = "HostNotRunning"
REFUSED = "HostRefused"
TOO_OLD = "HostTooOld"

CLOSE_WINDOWS = "Close any window that is open in Resolve (one may hide behind another), then do it again."


class BridgeFault(Exception):
    """Resolve does not do it.

    Attributes:
        kind: NOT_RUNNING, REFUSED or TOO_OLD.
        message: what failed, on which named thing.
        remedy: one imperative sentence.
        detail: for developers.
        left: how many things of ours could not be taken back.
    """

    def __init__(self, kind: str, message: str, remedy: str, detail: str = "", left: int = 0) -> None:
        Exception.__init__(self, message)
        self.kind = kind
        self.message = message
        self.remedy = remedy
        self.detail = detail
        self.left = left


def refused(message: str, remedy: str = CLOSE_WINDOWS, detail: str = "") -> BridgeFault:
    """A fault of the usual kind."""
    return BridgeFault(REFUSED, message, remedy, detail)


def has(thing: Any, method: str) -> bool:
    """Whether this version of Resolve has a method."""
    return thing is not None and callable(getattr(thing, method, None))


def call(thing: Any, method: str, *arguments: Any) -> Any:
    """The answer, whatever it is; None where thing or method is not there."""
    if not has(thing, method):
        return None
    try:
        return getattr(thing, method)(*arguments)
    except Exception:  # noqa: BLE001 (a native binding may raise anything; to us it is one more "no")
        return None


def read(thing: Any, method: str, *arguments: Any) -> Any:
    """The answer of a getter, asked once more when it is None."""
    answer = call(thing, method, *arguments)
    return call(thing, method, *arguments) if answer is None and has(thing, method) else answer


def text(thing: Any, method: str, *arguments: Any) -> str:
    """A getter's text, asked once more when it is none; "" when it stays none."""
    for _ in range(2):
        answer = read(thing, method, *arguments)
        if isinstance(answer, str) and answer:
            return answer
    return ""


def whole(thing: Any, method: str, *arguments: Any) -> Optional[int]:
    """A getter's whole number; None for anything else."""
    return as_whole(read(thing, method, *arguments))


def number(thing: Any, method: str, *arguments: Any) -> Optional[float]:
    """A getter's number; None for anything else."""
    answer = read(thing, method, *arguments)
    return None if isinstance(answer, bool) or not isinstance(answer, (int, float)) else float(answer)


def as_whole(value: Any) -> Optional[int]:
    """A whole number, also where it is written as a float."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
        return None
    return int(value)


def things(thing: Any, method: str, *arguments: Any) -> List[Any]:
    """A getter's list, also where it comes as `{1.0: x}`; [] for None."""
    return as_list(read(thing, method, *arguments))


def as_list(value: Any) -> List[Any]:
    """A list without what is None, also where it comes as `{1.0: x}`."""
    if isinstance(value, dict):
        value = [value[key] for key in sorted(value)]
    return [one for one in value if one is not None] if isinstance(value, (list, tuple)) else []


def mapping(thing: Any, method: str, *arguments: Any) -> Dict[Any, Any]:
    """A getter's dict; {} for anything else."""
    answer = read(thing, method, *arguments)
    return answer if isinstance(answer, dict) else {}


def identity(thing: Any) -> str:
    """An object's unique id, "" for a ghost and for None."""
    return text(thing, "GetUniqueId")


def bin_mark(folder: Any) -> str:
    """What tells a bin from the others: its id, or its name where Resolve does not tell an id."""
    return identity(folder) or text(folder, "GetName")


def setting(project: Any, timeline: Any, key: str) -> Any:
    """A setting of the timeline, else of the project; None when neither tells."""
    for owner in (timeline, project):
        for answer in (read(owner, "GetSetting", key), mapping(owner, "GetSettings").get(key)):
            if answer not in (None, ""):
                return answer
    return None


def clip_properties(pool_item: Any) -> Dict[str, Any]:
    """All properties of a media pool item."""
    found = mapping(pool_item, "GetClipProperty")
    return found or mapping(pool_item, "GetClipProperty")


def path_of(pool_item: Any) -> str:
    """The file of a media pool item, "" without one."""
    found = clip_properties(pool_item).get("File Path") if pool_item is not None else None
    return found if isinstance(found, str) else ""


def same_path(one: str, other: str) -> bool:
    """Whether two spellings name one file (slashes, case on Windows, accents on macOS)."""
    return bool(one) and bool(other) and path_key(one) == path_key(other)


def path_key(path: str) -> str:
    """A path in the spelling that is compared."""
    return unicodedata.normalize("NFC", os.path.normcase(os.path.normpath(path)))
