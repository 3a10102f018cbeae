"""How the viewer feels on full HD: steps, jumps, playback, thumbnails, and the event loop while scrubbing.

    python -m benchmarks.viewer

Draws without a screen. The event loop's worst gap has a target of 100 ms; exit code 1 when it is missed.
"""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import opentimelineio as otio
from PySide6.QtWidgets import QApplication

from benchmarks.panel import GAP_LIMIT, Heart, shown_window, told, wait
from plugin.controller.pictures import Pictures, Thumbnail
from plugin.panel.stage import Stage
from plugin.panel.starting import make_application
from plugin.panel.window import Window
from plugin.timebase import TimeSpan
from tests.media_factory import Picture, draw_index, make_movie

FRAMES, GOP = 250, 25
RATE = Fraction(25)
WIDTH, HEIGHT = 1920, 1080


def make_film(folder: Path) -> Path:
    """Ten seconds of grainy full HD with a matte of the same size, a key frame each second."""
    grain = np.random.default_rng(0).integers(0, 50, (HEIGHT, WIDTH, 1), np.uint8)

    def picture(index: int) -> Picture:
        drawn = draw_index(index, width=WIDTH, height=HEIGHT) // 2
        return np.clip(drawn.astype(np.int16) + np.roll(grain, 8 * index, 1), 0, 255).astype(np.uint8)

    def matte(index: int) -> Picture:
        drawn = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        drawn[300:800, 3 * index : 3 * index + 600] = 255
        return drawn

    make_movie(folder / "shot.mp4", rate=RATE, frames=FRAMES, draw=picture, gop=GOP)
    make_movie(folder / "matte.mp4", rate=RATE, frames=FRAMES, draw=matte, gop=GOP)
    film = otio.schema.Timeline("film")
    film.tracks.extend([_track("V1", folder / "shot.mp4"), _track("MASK ball", folder / "matte.mp4")])
    path = folder / "film.otio"
    otio.adapters.write_to_file(film, str(path))
    return path


def _track(name: str, media: Path) -> otio.schema.Track:
    whole = otio.opentime.TimeRange(otio.opentime.RationalTime(0, 25), otio.opentime.RationalTime(FRAMES, 25))
    reference = otio.schema.ExternalReference(target_url=str(media), available_range=whole)
    clip = otio.schema.Clip(name=media.stem, media_reference=reference, source_range=whole)
    return otio.schema.Track(name, children=[clip], kind=otio.schema.TrackKind.Video)


def steps(application: QApplication, stage: Stage, frames: Sequence[int]) -> list[float]:
    """Seconds from each seek until its picture is there."""
    taken = []
    for frame in frames:
        begun = time.perf_counter()
        stage.transport.seek_wanted.emit(frame)
        wait(application, partial(shows, stage, stage.screening.playback.time()))
        taken.append(time.perf_counter() - begun)
    return taken


def shows(stage: Stage, moment: Fraction) -> bool:
    """Whether the picture of that moment is there."""
    frame = stage.screening.frame
    return frame is not None and frame.wish.time == moment


def told_steps(what: str, seconds: list[float]) -> None:
    """Print median and worst."""
    print(f"{what:<44}{1000 * statistics.median(seconds):8.1f} ms   worst {1000 * max(seconds):.1f} ms")


def scrub(application: QApplication, stage: Stage) -> float:
    """Worst gap of the event loop while the playhead is dragged to and fro for ten seconds."""
    heart, begun, at = Heart(), time.perf_counter(), 0
    while time.perf_counter() - begun < 10:
        at = (at + 7) % (2 * FRAMES)
        stage.transport.seek_wanted.emit(at if at < FRAMES else 2 * FRAMES - 1 - at)
        application.processEvents()
        time.sleep(0.004)
    return max(heart.gaps)


def playing(application: QApplication, stage: Stage) -> tuple[float, float]:
    """Different pictures shown a second while it plays, and the worst gap of the event loop."""
    seen: set[Fraction] = set()
    stage.transport.seek_wanted.emit(0)
    stage.screening.playback.loop = False
    heart = Heart()
    stage.transport.play_wanted.emit()
    begun = time.perf_counter()
    while time.perf_counter() - begun < 6:
        application.processEvents()
        if stage.screening.frame is not None:
            seen.add(stage.screening.frame.wish.time)
        time.sleep(0.001)
    stage.screening.playback.stop()
    return len(seen) / 6, max(heart.gaps)


def thumbnails(window: Window, count: int = 100) -> float:
    """Thumbnails a second, each of another moment, one thread."""
    cue = window.stage.screening.cue
    if cue is None or cue.spot.picture is None:
        return 0.0
    pictures = Pictures()
    begun, came = time.perf_counter(), 0
    for number in range(count):
        start = number * 2 / RATE
        record = TimeSpan(cue.spot.record.start + start, cue.spot.record.start + start + 1)
        pictures.thumbnail(replace(cue, spot=replace(cue.spot, record=record, id=f"{number:03}")))
    while came < count:
        came += sum(isinstance(one, Thumbnail) for one in pictures.poll())
        time.sleep(0.002)
    pictures.close()
    return count / (time.perf_counter() - begun)


def main() -> int:
    """Measure all."""
    application = make_application()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = make_film(folder)
        window = shown_window(folder)
        window.resize(1920, 1080)
        window.open_path(path)
        wait(application, lambda: window.stage.screening.frame)
        stage = window.stage
        wait(application, lambda: not stage.screening.busy)
        told_steps("one frame on, not seen before", steps(application, stage, range(1, 60)))
        told_steps("the same again, kept", steps(application, stage, range(20, 60)))
        told_steps("one frame back, not seen before", steps(application, stage, range(240, 180, -1)))
        jumps = random.Random(1).sample(range(FRAMES), 30)  # noqa: S311 (no secret)
        told_steps("a jump anywhere", steps(application, stage, jumps))
        good = told("worst gap of the event loop in a scrub", scrub(application, stage), GAP_LIMIT)
        shown, gap = playing(application, stage)
        good &= told(
            "worst gap of the event loop while it plays", gap, GAP_LIMIT, f"{shown:.1f} pictures/s of 25"
        )
        print(f"{'thumbnails':<44}{thumbnails(window):8.1f} a second")
        window.close()
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
