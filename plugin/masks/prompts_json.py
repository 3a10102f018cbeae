"""A prompts document as JSON, and back, strictly: the same document gives the same bytes.

Frames are counted in the source from 0, places are source pixels. Version 1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from plugin.cues import ImageSequence, MediaFile, MediaSource
from plugin.masks.documents import Film, MadeBy, ObjectPrompts, PromptsDocument
from plugin.masks.prompts import Box, Click, FramePrompts, Gesture, Lasso, Place, Stroke
from plugin.masks.strict_json import Node, NotAsked, parse_json

KIND = "sagafoley prompts"
VERSION = 1

MOST_FRAMES = 2**31 - 1
MOST_SIDE = 1 << 16
_MOST_OBJECTS = 1000
_MOST_KEYFRAMES = 1_000_000
_MOST_GESTURES = 10_000
_MOST_PLACES = 100_000
_LONGEST_LABEL = 200
_PAINTED = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,200}\.png")
_POLICIES = ("error", "hold", "black")
_DIGITS = re.compile(r"[0-9a-f]{64}")

Data = dict[str, Any]


class TooNew(NotAsked):
    """Written by a version that knows more."""


class NotPrompts(NotAsked):
    """JSON of another kind."""


def document_bytes(document: PromptsDocument) -> bytes:
    """The JSON of a document, UTF-8."""
    film = document.film
    data = {
        "kind": KIND,
        "version": VERSION,
        "film": {
            "media": _media_data(film.media),
            "fingerprint": film.fingerprint,
            "rate": str(film.rate),
            "frames": film.frames,
            "width": film.width,
            "height": film.height,
        },
        "range": [document.first, document.last],
        "may_overlap": document.may_overlap,
        "segmenter": {"name": document.segmenter.name, "version": document.segmenter.version},
        "tracker": {"name": document.tracker.name, "version": document.tracker.version},
        "objects": [
            {"label": one.label, "keyframes": [_keyframe_data(each) for each in one.keyframes]}
            for one in document.objects
        ],
    }
    text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:  # a path that is no text
        return (json.dumps(data, indent=1, allow_nan=False) + "\n").encode("ascii")


def parse_document(data: bytes) -> PromptsDocument:
    """The document of a JSON text.

    Raises:
        NotPrompts: it is something else.
        TooNew: of a later version.
        NotAsked: damaged; the text says where and what.
    """
    root = parse_json(data)
    if not isinstance(root.value, dict) or root.value.get("kind") != KIND:
        raise NotPrompts(f"does not say that it is {KIND!r}")
    if root.peek("version").whole(1, 10**6) > VERSION:
        raise TooNew(f"the document has version {root.peek('version').value}")
    names = ["kind", "version", "film", "range", "may_overlap", "segmenter", "tracker", "objects"]
    _, _, film_node, span, overlap, segmenter, tracker, objects = root.fields(*names)
    film = _film(film_node)
    first, last = _span(span, film)
    document = PromptsDocument(
        film=film,
        first=first,
        last=last,
        segmenter=_made_by(segmenter),
        tracker=_made_by(tracker),
        objects=tuple(_object(node, film) for node in objects.items(most=_MOST_OBJECTS)),
        may_overlap=overlap.yes(),
    )
    labels = [one.label for one in document.objects]
    if len(set(labels)) < len(labels):
        raise objects.wrong("has two objects of one label")
    return document


def _film(node: Node) -> Film:
    media, mark, rate, frames, width, height = node.fields(
        "media", "fingerprint", "rate", "frames", "width", "height"
    )
    if _DIGITS.fullmatch(mark.text()) is None:
        raise mark.wrong("is not 64 hexadecimal digits")
    return Film(
        media=_media(media),
        fingerprint=mark.text(),
        rate=rate.rate(),
        frames=frames.whole(1, MOST_FRAMES),
        width=width.whole(1, MOST_SIDE),
        height=height.whole(1, MOST_SIDE),
    )


def _media_data(media: MediaSource) -> Data:
    if isinstance(media, MediaFile):
        return {"file": str(media.path)}
    names = ("prefix", "suffix", "padding", "first", "last", "step", "missing")
    return {
        "folder": str(media.folder),
        **{name: getattr(media, name) for name in names},
        "rate": str(media.rate),
    }


def _media(node: Node) -> MediaSource:
    if isinstance(node.value, dict) and "file" in node.value:
        return MediaFile(_path(node.fields("file")[0]))
    names = ["folder", "prefix", "suffix", "padding", "first", "last", "step", "missing", "rate"]
    folder, prefix, suffix, padding, first, last, step, missing, rate = node.fields(*names)
    if missing.text() not in _POLICIES:
        raise missing.wrong(f"is not one of {', '.join(_POLICIES)}")
    return ImageSequence(
        folder=_path(folder),
        prefix=_name(prefix),
        suffix=_name(suffix),
        padding=padding.whole(0, 20),
        first=first.whole(0, MOST_FRAMES),
        last=last.whole(0, MOST_FRAMES),
        step=step.whole(1, MOST_FRAMES),
        rate=rate.rate(),
        missing=missing.text(),
    )


def _path(node: Node) -> Path:
    if not node.text() or "\0" in node.text():
        raise node.wrong("is not a path")
    return Path(node.text())


def _name(node: Node) -> str:
    if any(char in node.text() for char in "/\\\0"):
        raise node.wrong("is not part of a file's name")
    return node.text()


def _span(node: Node, film: Film) -> tuple[int, int]:
    ends = [one.whole(0, film.frames - 1) for one in node.items(most=2)]
    if len(ends) != 2 or ends[0] > ends[1]:
        raise node.wrong("is not a first and a last frame")
    return ends[0], ends[1]


def _made_by(node: Node) -> MadeBy:
    name, version = node.fields("name", "version")
    return MadeBy(name.text(most=200), version.text(most=200))


def _object(node: Node, film: Film) -> ObjectPrompts:
    label, keyframes = node.fields("label", "keyframes")
    found = tuple(_keyframe(one, film) for one in keyframes.items(most=_MOST_KEYFRAMES))
    frames = [one.frame for one in found]
    if sorted(set(frames)) != frames:
        raise keyframes.wrong("is not in the order of its frames, each once")
    return ObjectPrompts(label.text(most=_LONGEST_LABEL), found)


def _keyframe_data(prompts: FramePrompts) -> Data:
    return {
        "frame": prompts.frame,
        "absent": prompts.absent,
        "painted": prompts.painted,
        "gestures": [gesture_data(one) for one in prompts.gestures],
    }


def _keyframe(node: Node, film: Film) -> FramePrompts:
    frame, absent, painted, gestures = node.fields("frame", "absent", "painted", "gestures")
    if painted.text() and _PAINTED.fullmatch(painted.text()) is None:
        raise painted.wrong("is not the name of a PNG beside the document")
    found = tuple(_gesture(one, film) for one in gestures.items(most=_MOST_GESTURES))
    if absent.yes() and (found or painted.text()):
        raise node.wrong("says that the object is absent and shows it as well")
    if not absent.yes() and not found and not painted.text():
        raise node.wrong("says nothing")
    return FramePrompts(frame.whole(0, film.frames - 1), found, absent.yes(), painted.text())


def gesture_data(gesture: Gesture) -> Data:
    """A gesture as plain JSON; equal gestures give equal data, whole numbers or not."""
    match gesture:
        case Click():
            return {"click": _place_data(gesture.place), "inside": gesture.inside, "size": gesture.size}
        case Box():
            sides = (gesture.left, gesture.top, gesture.right, gesture.bottom)
            words = {"words": gesture.words} if gesture.words else {}
            return {"box": [float(side) for side in sides], **words}
        case Lasso():
            return {"lasso": [_place_data(place) for place in gesture.places], "inside": gesture.inside}
        case Stroke():
            places = [_place_data(place) for place in gesture.places]
            return {"stroke": places, "radius": float(gesture.radius), "paints": gesture.paints}


def _place_data(place: Place) -> list[float]:
    return [float(place[0]), float(place[1])]


def _gesture(node: Node, film: Film) -> Gesture:
    kinds: dict[str, Callable[[Node, Film], Gesture]] = {
        "click": _click,
        "box": _box,
        "lasso": _lasso,
        "stroke": _stroke,
    }
    if not isinstance(node.value, dict):
        raise node.wrong("is not an object")
    for kind, read in kinds.items():
        if kind in node.value:
            return read(node, film)
    raise node.wrong(f"is none of {', '.join(kinds)}")


def _click(node: Node, film: Film) -> Click:
    click, inside, size = node.fields("click", "inside", "size")
    return Click(_place(click, film), inside.yes(), None if size.value is None else size.whole(0, 99))


def _box(node: Node, film: Film) -> Box:
    (box, *said) = node.fields("box", *(["words"] if "words" in node.value else []))
    sides = list(box.items(most=4))
    if len(sides) != 4:
        raise box.wrong("is not left, top, right and bottom")
    across, down = film.width, film.height
    left, right = (sides[at].real(-across, 2 * across) for at in (0, 2))
    top, bottom = (sides[at].real(-down, 2 * down) for at in (1, 3))
    if left >= right or top >= bottom:
        raise box.wrong("has no size")
    return Box(left, top, right, bottom, said[0].text(most=_LONGEST_LABEL) if said else "")


def _lasso(node: Node, film: Film) -> Lasso:
    lasso, inside = node.fields("lasso", "inside")
    return Lasso(_places(lasso, film, fewest=3), inside.yes())


def _stroke(node: Node, film: Film) -> Stroke:
    stroke, radius, paints = node.fields("stroke", "radius", "paints")
    largest = 2.0 * max(film.width, film.height)
    return Stroke(_places(stroke, film, fewest=1), radius.real(1e-3, largest), paints.yes())


def _places(node: Node, film: Film, *, fewest: int) -> tuple[Place, ...]:
    places = tuple(_place(one, film) for one in node.items(most=_MOST_PLACES))
    if len(places) < fewest:
        raise node.wrong(f"has {len(places)} places; it needs {fewest}")
    return places


def _place(node: Node, film: Film) -> Place:
    """Within the picture or not farther outside of it than it is large."""
    values = list(node.items(most=2))
    if len(values) != 2:
        raise node.wrong("is not x and y")
    return values[0].real(-film.width, 2 * film.width), values[1].real(-film.height, 2 * film.height)
