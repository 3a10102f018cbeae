"""Typical timelines, with real small media behind them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from tests.media_factory import Made, Picture, make_movie

from .editor import Editor
from .media import read_media
from .model import Folder, Item, Media, PoolItem, Project, Timeline, Track
from .timecode import RATES, Rate

WIDTH, HEIGHT = 96, 64


@dataclass(slots=True)
class Film:
    """A project with one timeline; frames below are from the timeline's start.

    V1: shot A (0..48, of `picture` from frame 10, linked with A1), shot B (48..84, of `second`, whose
    timecode begins at 10:00:00:00, from frame 5; it has a matte attached in the pool), with `extras` a
    dissolve over the cut and shot C (96..120, `picture` from frame 0 at 200 %).
    V2: with `extras` a title (20..40) on a locked track. V3: "MASK violin | not trumpet", disabled, one
    matte (12..36) over shot A.
    A1 "Dialogue" (stereo): the sound of A. A2 (mono, locked with `extras`): empty.
    Markers: "FOLEY door" at 60 (12 long) on the timeline, "note" at 3; marks at 6..90; playhead at 30.
    """

    editor: Editor
    project: Project
    timeline: Timeline
    picture: PoolItem
    second: PoolItem
    matte: PoolItem
    shots: dict[str, Item]

    @property
    def rate(self) -> Rate:
        return self.timeline.rate

    def seconds(self, frame: int) -> Fraction:
        """Absolute record time of a frame from the timeline's start."""
        return (self.timeline.start + frame) / self.rate.exact


def draw_shot(index: int) -> Picture:
    """A bright square that falls and bounces over a grey ground."""
    picture = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    top = abs((index * 4) % (2 * (HEIGHT - 20)) - (HEIGHT - 20))
    picture[top : top + 16, 40:56] = (220, 180, 60)
    return picture


def draw_matte(index: int) -> Picture:
    """Where that square is, white on black."""
    return np.where(draw_shot(index)[..., :1] > 128, np.uint8(255), np.uint8(0)).repeat(3, axis=2)


def _movie(folder: Path, name: str, rate: Rate, **more: Any) -> Made | Path:
    path = folder / name
    return path if path.exists() else make_movie(path, rate=rate.exact, gop=1, b_frames=0, **more)


def make_media(folder: Path, rate: Rate) -> tuple[Path, Path, Path]:
    """Picture (with sound), second picture (10:00:00:00), matte; made once per folder."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = Rate(rate.exact)
    start = "10:00:00;00" if rate.drop else "10:00:00:00"
    _movie(folder, "picture.mov", plain, frames=72, draw=draw_shot, tone=True)
    _movie(folder, "second.mov", plain, frames=60, draw=draw_shot, timecode=start)
    _movie(folder, "matte.mov", plain, frames=40, draw=draw_matte)
    return folder / "picture.mov", folder / "second.mov", folder / "matte.mov"


def add_media(editor: Editor, folder: Folder, path: Path) -> PoolItem:
    """A file imported by the editor's user."""
    assert editor.project is not None
    media = read_media(str(path), editor.project.rate)
    assert media is not None, path
    item = PoolItem(path.name, media)
    folder.items.append(item)
    return item


def place(timeline: Timeline, track: Track, pool: PoolItem | None, at: int, frames: int, **more: Any) -> Item:
    """An item put on a track by the editor's user; `at` is from the timeline's start."""
    name = more.pop("name", pool.name if pool else "")
    item = Item(name, Fraction(timeline.start + at), Fraction(frames), pool=pool, **more)
    track.items.append(item)
    return item


def film(
    editor: Editor,
    folder: Path,
    *,
    rate: str = "24",
    start: int | None = None,
    extras: bool = True,
    name: str = "Reel 1",
    change: Callable[[Film], None] | None = None,
) -> Film:
    """A project "Film" with the timeline that `Film` describes, opened in the editor.

    Args:
        editor: where.
        folder: where the media lie or are made.
        rate: a key of `RATES`.
        start: first frame of the timeline; None is one o'clock, as the editor counts it.
        extras: title, transition, retime, locks.
        name: of the timeline.
        change: what else is different.
    """
    paths = make_media(folder, RATES[rate])
    project = editor.add_project("Film", rate=rate)
    footage, work = Folder("Footage"), Folder("Work")
    project.root.folders += [footage, work]
    picture, second, matte = (add_media(editor, footage, path) for path in paths)
    timeline = editor.new_timeline(name, start=start)
    made = Film(editor, project, timeline, picture, second, matte, {})
    _lay_tracks(made)
    if extras:
        _lay_extras(made)
    second.mattes.append(str(paths[2]))
    project.folder = work
    editor.page = "edit"
    if change is not None:
        change(made)
    return made


def _lay_tracks(made: Film) -> None:
    timeline = made.timeline
    v1, v2, v3 = (
        Track("video"),
        Track("video"),
        Track("video", name="MASK violin | not trumpet", enabled=False),
    )
    a1, a2 = Track("audio", "stereo", "Dialogue"), Track("audio", "mono")
    timeline.tracks = [v1, v2, v3, a1, a2]
    made.shots = {
        "A": place(timeline, v1, made.picture, 0, 48, source_start=Fraction(10), link=1),
        "B": place(timeline, v1, made.second, 48, 36, source_start=Fraction(5)),
        "mask": place(timeline, v3, made.matte, 12, 24, source_start=Fraction(2)),
        "A sound": place(timeline, a1, made.picture, 0, 48, source_start=Fraction(10), link=1),
    }
    blank = {"note": "", "customData": ""}
    timeline.markers[3] = {"color": "Blue", "duration": 1, "name": "note", **blank}
    timeline.markers[60] = {"color": "Green", "duration": 12, "name": "FOLEY door", **blank}
    timeline.marks = {
        (kind, edge): 6 if edge == "in" else 90 for kind in ("video", "audio") for edge in ("in", "out")
    }
    timeline.playhead = timeline.start + 30


def _lay_extras(made: Film) -> None:
    timeline = made.timeline
    v1, v2 = timeline.of_kind("video")[:2]
    made.shots |= {
        "dissolve": place(timeline, v1, None, 44, 8, name="Cross Dissolve", kind="transition"),
        "C": place(timeline, v1, made.picture, 96, 24, speed=Fraction(2)),
        "title": place(timeline, v2, None, 20, 20, name="Text+", kind="title"),
    }
    v2.locked = True
    timeline.of_kind("audio")[1].locked = True


def crowded(made: Film) -> None:
    """What else timelines hold, for `film(change=crowded)`: nothing of it overlaps `Film`'s own.

    On V4 "Effects": a compound (0..10), a generator (10..20), an adjustment clip (20..30), a shot backwards
    (30..40), a freeze frame (40..50), a disabled shot (50..60). A3 (5.1): a sound that begins between two
    frames. A subtitle track. Markers on shot A; the title and shot B are selected.
    """
    timeline, blank = made.timeline, Media("", "timeline", made.rate, 10)
    v4, a3 = Track("video", name="Effects"), Track("audio", "5.1")
    timeline.tracks += [v4, a3, Track("subtitle")]
    compound = PoolItem("Compound Clip 1", blank)
    made.project.root.items.append(compound)
    place(timeline, v4, compound, 0, 10, kind="compound")
    place(timeline, v4, None, 10, 10, name="Solid Color", kind="generator")
    place(timeline, v4, None, 20, 10, name="Adjustment Clip", kind="adjustment")
    place(timeline, v4, made.picture, 30, 10, source_start=Fraction(20), speed=Fraction(-1))
    place(timeline, v4, made.picture, 40, 10, source_start=Fraction(20), speed=Fraction(0))
    place(timeline, v4, made.picture, 50, 10, enabled=False)
    place(timeline, a3, made.picture, 60, 12).start += Fraction(1, 3)
    made.shots["A"].markers[4] = {
        "color": "Red",
        "duration": 1,
        "name": "hit",
        "note": "loud",
        "customData": "",
    }
    timeline.selected = [made.shots["B"], *([made.shots["title"]] if "title" in made.shots else [])]
