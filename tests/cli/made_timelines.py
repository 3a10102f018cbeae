"""Small timelines with mask tracks, for the command line's tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import opentimelineio as otio
from numpy.typing import NDArray

from tests.media_factory import make_movie

RATE = 24
START = 3600 * RATE
FRAMES = 36


def box(index: int) -> NDArray[np.uint8]:
    """A matte: a white box that wanders to the right."""
    picture = np.zeros((64, 96, 3), np.uint8)
    picture[20:50, 10 + index : 40 + index] = 255
    return picture


def nothing(_index: int) -> NDArray[np.uint8]:
    """A matte without white."""
    return np.zeros((64, 96, 3), np.uint8)


@dataclass(frozen=True, slots=True)
class MadeTimeline:
    """Files of one made timeline; change them to make it bad."""

    path: Path
    picture: Path
    matte: Path

    @property
    def document(self) -> otio.schema.Timeline:
        return otio.adapters.read_from_file(str(self.path))

    def rewrite(self, change: Callable[[otio.schema.Timeline], None]) -> None:
        timeline = self.document
        change(timeline)
        otio.adapters.write_to_file(timeline, str(self.path))


def make_timeline(
    folder: Path,
    *,
    name: str = "film",
    labels: Sequence[str] = ("MASK violin", "MASK: trumpet | not violin"),
    draw: Callable[[int], NDArray[np.uint8]] = box,
) -> MadeTimeline:
    """36 frames at 24 fps from 01:00:00:00: a picture and, disabled, a matte per label over frames 6..30."""
    folder.mkdir(parents=True, exist_ok=True)
    picture, matte = folder / "picture.mp4", folder / "matte.mp4"
    make_movie(picture, rate=RATE, frames=FRAMES)
    make_movie(matte, rate=RATE, frames=FRAMES, draw=draw)
    timeline = otio.schema.Timeline(name, global_start_time=rational(START))
    timeline.metadata["editor"] = {"note": "keep me"}
    timeline.tracks.append(track("V1", clip("shot", picture, 0, FRAMES)))
    for label in labels:
        masks = track(label, otio.schema.Gap(source_range=span(0, 6)), clip("matte", matte, 6, 24))
        masks.enabled = False
        timeline.tracks.append(masks)
    timeline.tracks.append(track("A1", kind=otio.schema.TrackKind.Audio))
    path = folder / f"{name}.otio"
    otio.adapters.write_to_file(timeline, str(path))
    return MadeTimeline(path, picture, matte)


def track(name: str, *items: otio.core.Item, kind: str = otio.schema.TrackKind.Video) -> otio.schema.Track:
    made = otio.schema.Track(name, kind=kind)
    made.extend(items)
    return made


def clip(name: str, media: Path, first: int, count: int) -> otio.schema.Clip:
    reference = otio.schema.ExternalReference(media.as_uri(), span(0, FRAMES))
    return otio.schema.Clip(name, media_reference=reference, source_range=span(first, count))


def span(first: int, count: int) -> otio.opentime.TimeRange:
    return otio.opentime.TimeRange(rational(first), rational(count))


def rational(frame: int) -> otio.opentime.RationalTime:
    return otio.opentime.RationalTime(frame, RATE)


def seconds(frame: int) -> Fraction:
    """Absolute record seconds of a frame of the timeline."""
    return Fraction(START + frame, RATE)
