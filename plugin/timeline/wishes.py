"""What the editor wrote: the words on a mask track, a marker or in our metadata.

A name reads `MASK violin | not trumpet | alpha | invert`: the object, then any of `not <words>`, a
channel (`luma`, `alpha`, `red`, `green`, `blue` or `r`, `g`, `b`) and `invert`, in any order and case.
A marker reads `FOLEY violin | not trumpet`. `metadata["sagafoley"]` on a track, clip, media reference
or marker says the same with the keys `role`, `label`, `prompt`, `negative`, `channel`, `invert`, and
wins over the name; a clip's wins over its track's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from plugin.cues import MatteChannel

NAMESPACE = "sagafoley"
"""The one metadata key that is ours."""

ROLE_MASK = "mask"
ROLE_PICTURE = "picture"
ROLE_ALPHA = "alpha"
ROLE_STEM = "stem"
UNNAMED_LABEL = "object"
"""Names the stem of a matte that says no word."""

_MASK_NAME = re.compile(r"\s*(?:mask|matte)s?(?![^\W\d_])(.*)", re.IGNORECASE | re.DOTALL)
_MARKER_NAME = re.compile(r"\s*foley(?![^\W\d_])(.*)", re.IGNORECASE | re.DOTALL)
_LEAD = " \t\r\n:_-–—.#"
_DOTS = re.compile(r"[\s:_–—#-]*(?=\.+[/\\])")
"""What comes before a label that begins like a path; its dots are its own."""
_COUNTED = re.compile(r"\d+\s*[:.)_–—-]\s*(?=\S)|\d+\s*$")
_NOT = re.compile(r"(?:not|no|without)\b\s*:?(.*)", re.IGNORECASE | re.DOTALL)
_CHANNELS = {
    "luma": MatteChannel.LUMA,
    "alpha": MatteChannel.ALPHA,
    "r": MatteChannel.RED,
    "red": MatteChannel.RED,
    "g": MatteChannel.GREEN,
    "green": MatteChannel.GREEN,
    "b": MatteChannel.BLUE,
    "blue": MatteChannel.BLUE,
}
_INVERT = {"invert", "inverted", "inverse"}
_TEXT_KEYS = {"label", "prompt", "negative"}


@dataclass(frozen=True, slots=True)
class Wish:
    """One object in the editor's words.

    Attributes:
        label: names the stem; "" when nothing was said.
        prompt: what to generate; None means the label.
        negative: what to keep out.
        channel: which values of the matte mark the object; None means not said.
        invert: black marks the object.
        faults: what could not be understood, each completing `the name or metadata ...`.
    """

    label: str = ""
    prompt: str | None = None
    negative: str = ""
    channel: MatteChannel | None = None
    invert: bool = False
    faults: tuple[str, ...] = ()

    @property
    def stem_label(self) -> str:
        """The label, or the general one when nothing was said."""
        return self.label or self.prompt or UNNAMED_LABEL

    @property
    def words(self) -> str:
        """The prompt; empty only when neither label nor prompt was said."""
        return self.label if self.prompt is None else self.prompt


def mask_wish(name: str) -> Wish | None:
    """What a mask track's name asks for; None when the name is not a mask track's."""
    match = _MASK_NAME.match(name)
    return described(match[1]) if match else None


def marker_wish(name: str) -> Wish | None:
    """What a marker's name asks for; None when it is not one of ours."""
    match = _MARKER_NAME.match(name)
    return described(match[1]) if match else None


def described(text: str) -> Wish:
    """What the words after `MASK` or `FOLEY` ask for."""
    first, *options = text.split("|")
    dotted = _DOTS.match(first)
    label = first[dotted.end() :] if dotted else _COUNTED.sub("", first.strip(_LEAD), count=1).strip(_LEAD)
    wish = Wish(label=one_line(label))
    for option in options:
        wish = _with_option(wish, one_line(option))
    return wish


def one_line(text: str) -> str:
    """Text without control characters, runs of blanks as one."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())


def _with_option(wish: Wish, option: str) -> Wish:
    word = option.casefold()
    if not word:
        return wish
    if word in _CHANNELS:
        return replace(wish, channel=_CHANNELS[word])
    if word in _INVERT:
        return replace(wish, invert=True)
    negative = _NOT.fullmatch(option)
    if negative:
        words = ", ".join(part for part in (wish.negative, one_line(negative[1])) if part)
        return replace(wish, negative=words)
    return replace(wish, faults=(*wish.faults, f"has a part {option!r} that means nothing here"))


def our_metadata(thing: Any) -> dict[str, Any]:
    """A plain copy of the scalars in `metadata["sagafoley"]`; empty when absent or of another shape."""
    metadata = thing.metadata
    if NAMESPACE not in metadata:
        return {}
    ours = metadata[NAMESPACE]
    return {str(key): _plain(ours[key]) for key in ours} if isinstance(ours, Mapping) else {}


def _plain(value: Any) -> Any:
    """Scalars as they are; OTIO's containers die with their owner and mean nothing here anyway."""
    return value if isinstance(value, str | bool | int | float) else None


def role_of(ours: Mapping[str, Any]) -> str:
    """The role in our metadata, lower case, "" when none."""
    role = ours.get("role")
    return role.strip().casefold() if isinstance(role, str) else ""


def with_metadata(wish: Wish, ours: Mapping[str, Any]) -> Wish:
    """The wish after our metadata had its say; values of the wrong type become faults."""
    for key in ("label", "prompt", "negative", "channel", "invert"):
        if key in ours:
            wish = _with_value(wish, key, ours[key])
    return wish


def _with_value(wish: Wish, key: str, value: Any) -> Wish:
    if key in _TEXT_KEYS and isinstance(value, str):
        text = one_line(value)
        if key == "label":
            return replace(wish, label=text)
        return replace(wish, prompt=text) if key == "prompt" else replace(wish, negative=text)
    if key == "invert" and isinstance(value, bool):
        return replace(wish, invert=value)
    if key == "channel" and isinstance(value, str) and value.strip().casefold() in _CHANNELS:
        return replace(wish, channel=_CHANNELS[value.strip().casefold()])
    return replace(wish, faults=(*wish.faults, f"says {key} = {value!r}, which means nothing here"))
