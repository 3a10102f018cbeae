"""Timeline files in: OTIO's own formats, Final Cut Pro 7 XML, EDL and AAF, as one OTIO Timeline.

Nothing is fetched, no media linker runs, and whatever is wrong with a file comes out as
`UnreadableTimeline` in words.
"""

from __future__ import annotations

import gc
import io
import json
import logging
import re
import stat
import threading
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio

from plugin.errors import UnreadableTimeline
from plugin.timeline.edl import edl_rate, remember_rate, restore_record_start
from plugin.timeline.json_trees import objects_in

MAX_BYTES = 512 * 1024 * 1024
"""Larger documents are refused; a feature film is a hundredth of it."""

MAX_VALUES = 5_000_000
"""JSON values, about. Each costs up to 300 bytes; 12,000 clips of 20 effects each have 3.5 million."""

MAX_DEPTH = 400
"""JSON nesting that is handed to OTIO, whose parser overruns the stack far above it."""

_INSTANCE = "SerializableObjectRef"
"""A reference inside the document; it could make an item contain itself."""

CONTENT_NAME = "content.otio"
_MANGLED = re.compile(r"N\d+open(?:timelineio|time)\d+v[\d_]+([A-Za-z]+?)(?:E\b|\d\w*)")
"""A type in OTIO's error texts, such as N14opentimelineio7v0_18_16EffectE, which is Effect."""

_ONE_AT_A_TIME = threading.RLock()
_MOST_WORDS = 400
_EXPORT_AGAIN = "Export the timeline again as OTIO (.otio) or Final Cut Pro 7 XML (.xml)."


def read_timeline(
    path: Path, *, edl_frame_rate: Fraction | None = None, timeline_name: str | None = None
) -> Any:
    """The timeline in a file, whatever the format.

    Understood: .otio, .json (OTIO in a file of another name), .otioz, .otiod, Final Cut Pro 7 .xml,
    .edl, .aaf. A root that is a Stack, Track or Clip, or a collection of clips, is wrapped.

    Args:
        path: the file (for .otiod the folder).
        edl_frame_rate: the rate of an EDL, which has no field for it; None finds out what fits.
        timeline_name: which timeline to take from a file that holds several.

    Returns:
        An `opentimelineio.schema.Timeline`. OTIO empties its tracks when it is no longer referred to,
        so keep it for as long as they are used.

    Raises:
        UnreadableTimeline: no such file, not a timeline, damaged, too large, or of a newer schema.
    """
    reader = _READERS.get(path.suffix.casefold())
    if reader is None:
        raise _refused(path, "is of no kind that can be read here")
    _check_file(path)
    with _quiet():
        root = reader(path, edl_frame_rate)
    return _as_timeline(root, path, timeline_name)


def media_folder(path: Path) -> Path:
    """The folder that relative media references of a timeline file start from, absolute."""
    return (path if path.suffix.casefold() == ".otiod" else path.parent).absolute()


def read_tree(path: Path) -> dict[str, Any]:
    """The document of an .otio, .json, .otioz or .otiod as plain JSON, checked to be safe for OTIO.

    Raises:
        UnreadableTimeline: not readable, not JSON, not OTIO, or nested too deeply.
    """
    _check_file(path)
    return _checked_json(_content(path), path)[1]


def timeline_of_json(text: str, path: Path) -> Any:
    """The OTIO object in a JSON text that `read_tree` has already let through.

    Raises:
        UnreadableTimeline: not OTIO, damaged, or of a newer schema.
    """
    try:
        return otio.core.deserialize_json_from_string(text)
    except otio.exceptions.UnsupportedSchemaError as error:
        raise UnreadableTimeline(
            f"{path.name} was written with a newer OpenTimelineIO schema than this version knows.",
            remedy="Update Sagafoley, or export the timeline for OpenTimelineIO 0.18 or older.",
            detail=str(error),
        ) from error
    except ValueError as error:  # a field, effect or marker of a wrong or unknown type
        reason = f"is refused by OpenTimelineIO ({_otio_words(error)})"
        raise _refused(path, reason, detail=repr(error)) from error
    except Exception as error:  # OTIO raises anything, RecursionError and KeyError included
        raise _refused(path, "is not a whole OpenTimelineIO document", detail=repr(error)) from error


def _otio_words(error: ValueError) -> str:
    """OTIO's own text with the names that its compiler gave to its types made readable, as one line."""
    plain = _MANGLED.sub(r"\1", str(error))
    return " ".join(plain.removesuffix(" (near line 1)").split())[:_MOST_WORDS]


def _read_otio(path: Path, _rate: Fraction | None) -> Any:
    text, _ = _checked_json(_content(path), path)
    return timeline_of_json(text, path)


def _content(path: Path) -> bytes:
    """The JSON inside any of OTIO's own formats."""
    suffix = path.suffix.casefold()
    if suffix == ".otiod":
        return _bytes_of(path / CONTENT_NAME)
    return _zipped_content(path) if suffix == ".otioz" else _bytes_of(path)


def _zipped_content(path: Path) -> bytes:
    try:
        with zipfile.ZipFile(path) as package, package.open(CONTENT_NAME) as file:
            data = file.read(MAX_BYTES + 1)
    except KeyError as error:
        raise _refused(path, f"holds no {CONTENT_NAME}") from error
    except Exception as error:  # zipfile passes on what zlib, lzma and struct raise
        raise _refused(path, "is not a whole OTIOZ package", detail=repr(error)) from error
    if len(data) > MAX_BYTES:
        raise _refused(path, "holds a timeline of more than 512 MiB")
    return data


def _read_fcp_xml(path: Path, _rate: Fraction | None) -> Any:
    text = _text_of(_bytes_of(path))
    if "<!ENTITY" in text.upper():
        raise _refused(path, "declares XML entities, which no editing program writes")
    if "<xmeml" not in text:
        raise _refused(path, "is XML, but not Final Cut Pro 7 XML")
    return _through_adapter(path, "fcp_xml", text)


def _read_edl(path: Path, rate: Fraction | None) -> Any:
    text = _text_of(_bytes_of(path))
    found = edl_rate(text, told=rate)
    timeline = _through_adapter(path, "cmx_3600", text, rate=float(found.rate))
    if not isinstance(timeline, otio.schema.Timeline) or not len(timeline.tracks):
        raise _refused(path, "is an EDL without events")
    restore_record_start(timeline)
    remember_rate(timeline, found)
    return timeline


def _read_aaf(path: Path, _rate: Fraction | None) -> Any:
    _bytes_of(path, most=8)  # adapters do not say why a file cannot be opened
    return _through_adapter(path, "AAF", None)


def _read_fcpxml(path: Path, _rate: Fraction | None) -> Any:
    raise UnreadableTimeline(
        f"{path.name} is FCPXML, whose rates and start timecode cannot be read reliably here.",
        remedy="Export the timeline as OTIO (.otio) or Final Cut Pro 7 XML (.xml) instead.",
    )


_READERS: dict[str, Callable[[Path, Fraction | None], Any]] = {
    ".otio": _read_otio,
    ".json": _read_otio,
    ".otioz": _read_otio,
    ".otiod": _read_otio,
    ".xml": _read_fcp_xml,
    ".edl": _read_edl,
    ".aaf": _read_aaf,
    ".fcpxml": _read_fcpxml,
    ".fcpxmld": _read_fcpxml,
}


def _through_adapter(path: Path, name: str, text: str | None, **options: Any) -> Any:
    """What an OTIO adapter makes of a file; whatever it raises or prints stays inside."""
    unlinked = otio.media_linker.MediaLinkingPolicy.DoNotLinkMedia
    try:
        if text is None:
            return otio.adapters.read_from_file(
                str(path), adapter_name=name, media_linker_name=unlinked, **options
            )
        return otio.adapters.read_from_string(text, adapter_name=name, media_linker_name=unlinked, **options)
    except Exception as error:  # noqa: BLE001 - adapters raise anything: AttributeError for a bad EDL
        detail = repr(error)
    if text is None:
        gc.collect()  # pyaaf2 leaves its file open when it fails; close it while warnings are off
    kind = {"cmx_3600": "EDL", "fcp_xml": "Final Cut Pro 7 XML file"}.get(name, name)
    raise _refused(path, f"is not a whole {kind}", detail=detail)


@contextmanager
def _quiet() -> Iterator[None]:
    """Adapters print, warn and log about their own insides; none of it is for the user.

    One at a time: what is switched off belongs to the whole process, and two that overlap would leave it off.
    """
    with _ONE_AT_A_TIME, _silence():
        yield


@contextmanager
def _silence() -> Iterator[None]:
    root, mute, level = logging.getLogger(), logging.NullHandler(), logging.root.manager.disable
    root.addHandler(mute)  # without a handler, `logging.warning` would install one for good
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
        root.removeHandler(mute)


def _check_file(path: Path) -> None:
    """Nothing is opened that has no end (a device) or never begins (a pipe)."""
    content = path / CONTENT_NAME if path.suffix.casefold() == ".otiod" else path
    try:
        status = content.stat()
    except PermissionError as error:
        raise _unopened(content, error) from error
    except (OSError, ValueError) as error:
        raise UnreadableTimeline(
            f"There is no timeline file {content}.",
            remedy="Check the path and the spelling.",
            detail=str(error),
        ) from error
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableTimeline(
            f"{content.name} is {'a folder' if stat.S_ISDIR(status.st_mode) else 'not a file'}.",
            remedy="Give the timeline's own file.",
            detail=str(content),
        )
    if status.st_size > MAX_BYTES:
        raise _refused(path, "is larger than 512 MiB")


def _bytes_of(path: Path, *, most: int = MAX_BYTES + 1) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(most)
    except OSError as error:
        raise _unopened(path, error) from error
    if len(data) > MAX_BYTES:
        raise _refused(path, "is larger than 512 MiB")
    return data


def _unopened(path: Path, error: OSError) -> UnreadableTimeline:
    return UnreadableTimeline(
        f"{path.name} cannot be opened: {error.strerror or error}.",
        remedy="Check that it is a file which you may read, in a folder that you may enter.",
        detail=str(path),
    )


def _text_of(data: bytes) -> str:
    for encoding in ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig",):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            break
    return data.decode("cp1252", errors="replace")


def _checked_json(data: bytes, path: Path) -> tuple[str, dict[str, Any]]:
    """The text and its tree; OTIO's own parser is never shown what would end the process."""
    if sum(data.count(mark) for mark in b",[{") > MAX_VALUES:
        raise _refused(path, f"holds more than {MAX_VALUES // 1_000_000} million values")
    try:
        text = data.decode("utf-8-sig")
        tree = json.loads(text)
    except RecursionError as error:
        raise _refused(path, "is nested too deeply") from error
    except ValueError as error:
        raise _refused(path, "is not JSON", detail=str(error)) from error
    if not isinstance(tree, dict) or "OTIO_SCHEMA" not in tree:
        raise _refused(path, "is JSON, but not OpenTimelineIO")
    if depth_of(tree) > MAX_DEPTH:
        raise _refused(path, "is nested too deeply")
    if _INSTANCE in text and any(node["OTIO_SCHEMA"].startswith(_INSTANCE) for node in objects_in(tree)):
        raise _refused(path, "holds one item in several places, which OpenTimelineIO never writes")
    return text, tree


def depth_of(tree: Any) -> int:
    """Levels of containers in a JSON tree."""
    depth, level = 0, [tree]
    while level:
        depth += 1
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
    return depth


def _as_timeline(root: Any, path: Path, name: str | None) -> Any:
    if isinstance(root, otio.schema.SerializableCollection):
        return _from_collection(root, path, name)
    if isinstance(root, otio.schema.Timeline):
        if name is not None and root.name != name:
            raise _unknown_name(path, name, [root])
        if root.tracks is None:
            raise _refused(path, "holds a timeline without tracks")
        return root
    if isinstance(root, otio.core.Item):
        return wrapped([root], name=root.name or path.stem)
    raise _refused(path, "holds no timeline")


def _from_collection(root: Any, path: Path, name: str | None) -> Any:
    timelines = [child for child in root if isinstance(child, otio.schema.Timeline)]
    named = [timeline for timeline in timelines if name is None or timeline.name == name]
    if len(named) == 1:
        return named[0]
    if timelines and not named and name is not None:
        raise _unknown_name(path, name, timelines)
    if timelines:
        raise UnreadableTimeline(
            f"{path.name} holds {len(timelines)} timelines ({_names(timelines)}), "
            "and it is not clear which is meant.",
            remedy="Name the one to use, or export it alone.",
        )
    items = [child for child in root if isinstance(child, otio.core.Item)]
    if not items:
        raise _refused(path, "holds no timeline")
    return wrapped([child.deepcopy() for child in items], name=root.name or path.stem)


def _unknown_name(path: Path, name: str, timelines: list[Any]) -> UnreadableTimeline:
    return UnreadableTimeline(
        f"{path.name} holds no timeline named {name!r}; it holds {_names(timelines)}.",
        remedy="Choose one of those names.",
    )


def _names(timelines: list[Any]) -> str:
    return ", ".join(repr(timeline.name) for timeline in timelines)


def wrapped(items: list[Any], *, name: str) -> Any:
    """A timeline around loose items: tracks and stacks side by side, clips end to end."""
    if len(items) == 1 and isinstance(items[0], otio.schema.Stack):
        timeline = otio.schema.Timeline(name)
        timeline.tracks = items[0]
        return timeline
    timeline = otio.schema.Timeline(name)
    row = otio.schema.Track(name="", kind=otio.schema.TrackKind.Video)
    for item in items:
        (timeline.tracks if isinstance(item, otio.schema.Track) else row).append(item)
    if len(row):
        timeline.tracks.insert(0, row)
    return timeline


def _refused(path: Path, reason: str, *, detail: str = "") -> UnreadableTimeline:
    return UnreadableTimeline(f"{path.name} {reason}.", remedy=_EXPORT_AGAIN, detail=detail)
