"""A timeline for a real clip of two players: one picture, a mask track for each instrument."""

from __future__ import annotations

import argparse
import os
from fractions import Fraction
from pathlib import Path

import opentimelineio as otio
from pictures import movie_frames

START_SECONDS = 3600
"""The timeline starts at 01:00:00:00."""
OBJECTS = {"violin": "*vn*", "trumpet": "*tpt*"}
"""By label: how its matte's file name looks."""


def find_media() -> Path | None:
    """The folder of the real clip: $SAGAFOLEY_MEDIA, else `../shared/media` beside the project, else None."""
    named = os.environ.get("SAGAFOLEY_MEDIA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "media"
    return folder if folder.is_dir() and _only(folder, "Vid*.mp4") else None


def make_real_timeline(media: Path, folder: Path) -> Path:
    """Write `real.otio` to `folder` for the clip in `media`: the whole picture and both mattes, disabled.

    Raises:
        FileNotFoundError: the folder lacks the picture or a matte.
    """
    folder.mkdir(parents=True, exist_ok=True)
    picture = _wanted(media, "Vid*.mp4")
    rate, count = movie_frames(picture)
    start = START_SECONDS * rate
    timeline = otio.schema.Timeline("real", global_start_time=_time(start, rate))
    timeline.tracks.append(_track("V1", picture, rate, count))
    for label, pattern in OBJECTS.items():
        matte = _wanted(media, f"Masks{pattern}.mp4")
        track = _track(f"MASK: {label}", matte, *movie_frames(matte))
        track.enabled = False
        timeline.tracks.append(track)
    path = folder / "real.otio"
    otio.adapters.write_to_file(timeline, str(path))
    return path


def _track(name: str, movie: Path, rate: Fraction, count: int) -> otio.schema.Track:
    span = otio.opentime.TimeRange(_time(Fraction(0), rate), _time(Fraction(count), rate))
    reference = otio.schema.ExternalReference(movie.absolute().as_uri(), span)
    clip = otio.schema.Clip(movie.stem, media_reference=reference, source_range=span)
    track = otio.schema.Track(name, kind=otio.schema.TrackKind.Video)
    track.append(clip)
    return track


def _time(frame: Fraction, rate: Fraction) -> otio.opentime.RationalTime:
    return otio.opentime.RationalTime(float(frame), float(rate))


def _wanted(folder: Path, pattern: str) -> Path:
    found = _only(folder, pattern)
    if found is None:
        raise FileNotFoundError(f"no file like {pattern} in {folder}")
    return found


def _only(folder: Path, pattern: str) -> Path | None:
    return next(iter(sorted(folder.glob(pattern))), None)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make a timeline with two mask tracks for the real clip.")
    parser.add_argument("media", type=Path, help="folder of Vid*.mp4, Masks*vn*.mp4 and Masks*tpt*.mp4")
    parser.add_argument("folder", type=Path, help="where real.otio goes")
    options = parser.parse_args()
    print(make_real_timeline(options.media, options.folder))
