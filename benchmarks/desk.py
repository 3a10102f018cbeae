"""How long the desk takes without a window: a feature opened, edits, a first and a second take, cancel.

    python -m benchmarks.desk [--clips 3000] [--spots 300]

A loop polls the desk as a window would, every 5 ms, and keeps its worst gap beside each step.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import opentimelineio as otio

from benchmarks.timeline import make_timeline
from plugin.controller.desk import Desk
from plugin.controller.views import CueEdit
from plugin.folders import Folders
from tests.media_factory import make_movie

_PAUSE = 0.005
_SHORT = 125
"""Frames of the timeline that is rendered, at 25 a second."""


class Loop:
    """Polls a desk, and knows the worst gap since it was last asked."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.worst = 0.0

    def until(self, condition: Callable[[], object]) -> float:
        """Polls until something is so; seconds that took."""
        begun = last = time.perf_counter()
        self.worst = 0.0
        while True:
            self.desk.poll()
            now = time.perf_counter()
            self.worst, last = max(self.worst, now - last), now
            if condition():
                return now - begun
            time.sleep(_PAUSE)


def report(step: str, seconds: float, gap: float | None = None) -> None:
    """One line of the table."""
    worst = "" if gap is None else f"   worst gap {gap * 1000:5.0f} ms"
    print(f"{step:<40}{seconds:8.3f} s{worst}", flush=True)


@contextmanager
def empty_desk() -> Iterator[tuple[Desk, Path]]:
    """A desk of a new user, and a folder to work in."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        begun = time.perf_counter()
        desk = Desk.open(folders=Folders(folder / "config", folder / "data", folder / "cache"))
        report("empty desk", time.perf_counter() - begun)
        try:
            yield desk, folder
        finally:
            desk.close()


def open_feature(desk: Desk, folder: Path, *, clips: int, spots: int) -> None:
    """Opens a feature and edits all of its spots."""
    loop, path = Loop(desk), folder / "feature.otio"
    otio.adapters.write_to_file(make_timeline(clips, spots, folder), str(path))
    desk.open_file(path)
    opened = loop.until(lambda: desk.timeline)
    begun = time.perf_counter()
    rows = desk.spots.rows()
    listed = time.perf_counter() - begun
    report(f"{clips} clips opened, {len(rows)} spots listed", opened + listed, loop.worst)
    report("  list of spots", listed)
    begun = time.perf_counter()
    desk.spots.edit([row.id for row in rows], CueEdit(prompt="rain"))
    report("all spots edited", time.perf_counter() - begun)
    report("  saved", loop.until(lambda: desk.status().saved == "saved"), loop.worst)


def render_takes(desk: Desk, folder: Path) -> None:
    """Renders a take of five seconds, another, and cancels a third."""
    loop = Loop(desk)
    desk.open_file(_short_film(folder))
    loop.until(lambda: desk.timeline and desk.timeline.name == "short")
    (spot,) = desk.spots.rows()
    for step in ("first take (process and encoders)", "second take"):
        desk.queue.generate([spot.id])
        report(step, loop.until(lambda: not desk.queue.running), loop.worst)
    desk.queue.generate([spot.id])
    loop.until(lambda: desk.queue.rows()[-1].progress > 0)
    desk.queue.cancel(desk.queue.rows()[-1].id)
    report("cancelled", loop.until(lambda: not desk.queue.running), loop.worst)
    print(f"render process holds {desk.status().memory}, runs {desk.status().provider}")


def _short_film(folder: Path) -> Path:
    """A moving square and its matte."""

    def draw(index: int) -> np.ndarray:
        picture = np.zeros((144, 256, 3), np.uint8)
        picture[40:100, index : index + 60] = 255
        return picture

    def clip(name: str) -> otio.schema.Clip:
        path = folder / f"{name}.mp4"
        make_movie(path, rate=25, frames=_SHORT, draw=draw)
        span = otio.opentime.TimeRange(
            otio.opentime.RationalTime(0, 25), otio.opentime.RationalTime(_SHORT, 25)
        )
        return otio.schema.Clip(name, otio.schema.ExternalReference(path.as_uri(), span), span)

    timeline = otio.schema.Timeline("short", global_start_time=otio.opentime.RationalTime(0, 25))
    for track, name in (("V1", "picture"), ("MASK door", "matte")):
        timeline.tracks.append(otio.schema.Track(track, kind="Video", children=[clip(name)]))
    path = folder / "short.otio"
    otio.adapters.write_to_file(timeline, str(path))
    return path


def main() -> None:
    """Prints one line per step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=3000)
    parser.add_argument("--spots", type=int, default=300)
    arguments = parser.parse_args()
    with empty_desk() as (desk, folder):
        open_feature(desk, folder, clips=arguments.clips, spots=arguments.spots)
        render_takes(desk, folder)


if __name__ == "__main__":
    main()
