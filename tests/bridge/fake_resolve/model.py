"""What the fake editor owns: projects, bins, media, timelines, tracks, items. Data only; no rules."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from .timecode import Rate, timecode_of


def new_id() -> str:
    """An opaque identity."""
    return str(uuid.uuid4())


@dataclass(slots=True, eq=False)
class Thing:
    """Anything that scripts hold handles to; `alive` False makes its handles stale."""

    id: str = field(default_factory=new_id, kw_only=True)
    alive: bool = field(default=True, kw_only=True)


@dataclass(frozen=True, slots=True)
class Media:
    """A media file as the editor understood it at import.

    Attributes:
        path: "" for what has no file.
        kind: "video", "audio", "av", "still", "sequence", "timeline".
        rate: of the pictures; of sound alone, the project's rate at import.
        frames: whole frames at `rate`, rounded down.
        start: frame count of the file's start timecode.
        channels: audio channels.
        sample_rate: of the sound.
        alpha: "None", "Straight" or "Premultiplied".
        size: width and height.
    """

    path: str
    kind: str
    rate: Rate
    frames: int
    start: int = 0
    channels: int = 0
    sample_rate: int = 48_000
    alpha: str = "None"
    size: tuple[int, int] = (1920, 1080)

    @property
    def has_picture(self) -> bool:
        return self.kind in {"video", "av", "still", "sequence", "timeline"}

    @property
    def has_sound(self) -> bool:
        return self.channels > 0


@dataclass(slots=True, eq=False)
class PoolItem(Thing):
    """A clip of the media pool."""

    name: str
    media: Media
    mattes: list[str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    online: bool = True
    clip_color: str = ""


@dataclass(slots=True, eq=False)
class Folder(Thing):
    """A bin."""

    name: str
    folders: list[Folder] = field(default_factory=list)
    items: list[PoolItem] = field(default_factory=list)

    def walk(self) -> Iterator[Folder]:
        """This bin and all below it."""
        yield self
        for folder in self.folders:
            yield from folder.walk()


@dataclass(slots=True, eq=False)
class Item(Thing):
    """Something on a track.

    Attributes:
        kind: "clip", "title", "generator", "transition", "adjustment", "compound".
        start: absolute timeline frame; whole unless the editor slipped it by sub-frames.
        duration: timeline frames.
        source_start: media frames from the file's first frame.
        speed: 1 as shot, 2 twice as fast, negative backwards, 0 a still.
        link: items of one shot share a number.
        problems: what the placing of it did that no test should see (`channel_loss`, `outside_timeline`).
        clicked: somebody put Magic Mask clicks on it.
    """

    name: str
    start: Fraction
    duration: Fraction
    kind: str = "clip"
    pool: PoolItem | None = None
    source_start: Fraction = Fraction(0)
    speed: Fraction = Fraction(1)
    enabled: bool = True
    color: str = ""
    link: int = 0
    markers: dict[int, dict[str, Any]] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    clicked: bool = False
    comps: list[str] = field(default_factory=list)
    unsaved: bool = False

    @property
    def end(self) -> Fraction:
        return self.start + self.duration

    @property
    def source_span(self) -> Fraction:
        """Media frames that it plays, never negative."""
        return self.duration * abs(self.speed)


@dataclass(slots=True, eq=False)
class Track(Thing):
    """One track. `name` None shows the editor's own name ("Audio 2")."""

    kind: str
    subtype: str = ""
    name: str | None = None
    enabled: bool = True
    locked: bool = False
    items: list[Item] = field(default_factory=list)

    def sorted_items(self) -> list[Item]:
        return sorted(self.items, key=lambda item: item.start)


@dataclass(slots=True, eq=False)
class Timeline(Thing):
    """A timeline.

    Attributes:
        start_count: frames of the start timecode, counted truly from 00:00:00:00.
        start: what `GetStartFrame` says; differs from `start_count` under one reading of drop-frame.
        playhead: absolute frame.
        marks: ("video"|"audio", "in"|"out") -> frame from the timeline's start.
        pool: its entry in the media pool.
    """

    name: str
    rate: Rate
    start: int
    start_count: int
    size: tuple[int, int] = (1920, 1080)
    tracks: list[Track] = field(default_factory=list)
    markers: dict[int, dict[str, Any]] = field(default_factory=dict)
    marks: dict[tuple[str, str], int] = field(default_factory=dict)
    playhead: int = 0
    selected: list[Item] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    pool: PoolItem | None = None

    def of_kind(self, kind: str) -> list[Track]:
        return [track for track in self.tracks if track.kind == kind]

    def name_of(self, track: Track) -> str:
        """The track's name as shown."""
        number = self.of_kind(track.kind).index(track) + 1
        return track.name if track.name is not None else f"{track.kind.capitalize()} {number}"

    def items(self) -> list[Item]:
        return [item for track in self.tracks for item in track.sorted_items()]

    @property
    def end(self) -> int:
        """Absolute frame after the last item; the start when empty."""
        ends = [item.end for item in self.items()]
        last = max(ends, default=Fraction(self.start))
        return -int(-last // 1)

    def timecode(self, frame: int) -> str:
        return timecode_of(self.start_count + frame - self.start, self.rate)

    def track_of(self, item: Item) -> Track | None:
        return next((track for track in self.tracks if item in track.items), None)


@dataclass(slots=True, eq=False)
class Project(Thing):
    """A project with its media pool, timelines and render queue."""

    name: str
    rate: Rate
    root: Folder = field(default_factory=lambda: Folder("Master"))
    folder: Folder = None  # type: ignore[assignment]
    timelines: list[Timeline] = field(default_factory=list)
    current: Timeline | None = None
    settings: dict[str, str] = field(default_factory=dict)
    render_format: tuple[str, str] = ("mov", "H264")
    render_settings: dict[str, Any] = field(default_factory=dict)
    render_mode: int = 1
    render_jobs: list[dict[str, Any]] = field(default_factory=list)
    selected_clips: list[PoolItem] = field(default_factory=list)
    session: int = 0

    def __post_init__(self) -> None:
        self.folder = self.folder or self.root

    def pool_items(self) -> list[PoolItem]:
        return [item for folder in self.root.walk() for item in folder.items]

    def item_at(self, path: str | Path) -> PoolItem | None:
        return next((item for item in self.pool_items() if item.media.path == str(path)), None)

    def folder_of(self, item: PoolItem) -> Folder | None:
        return next((folder for folder in self.root.walk() if item in folder.items), None)
