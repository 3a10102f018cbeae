"""A procedural scene of two sounding objects: a hammer on an anvil, and a bouncing ball.

Everything is drawn from formulas, so the time of every strike and bounce is known. The movie holds a
wide shot and a close one; the timeline starts at 01:00:00:00 and cuts between them. One matte is a luma
movie that runs across the cut, the other a numbered PNG sequence. Both mask tracks are disabled, as an
editor leaves them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
import opentimelineio as otio
from numpy.typing import NDArray
from pictures import Picture, png_bytes

RATE = 24
START_FRAME = 3600 * RATE
"""01:00:00:00, of the movie's own timecode and of the timeline."""
WIDTH, HEIGHT = 640, 360
WIDE_FRAMES, CLOSE_FRAMES = 120, 96
"""Source frames of the two shots, one after the other in the movie."""
STRIKES = tuple(Fraction(n, RATE) for n in (20, 44, 68, 92, 112, 136, 154, 172, 190))
"""Seconds from the movie's first frame at which the hammer meets the anvil."""
BOUNCES = tuple(Fraction(n, RATE) for n in (14, 34, 52, 68, 82, 94, 104, 112))
"""Seconds from the movie's first frame at which the ball meets the floor (wide shot)."""
SHOTS = ((12, 96), (126, 72))
"""The cut: (first source frame, frames) of each clip of the timeline."""
BALL_MATTE = (18, 72)
"""Record frames covered by the ball's matte: (first, number)."""
FIRST_IMAGE = 1001

Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DemoScene:
    """Where the made files are.

    Attributes:
        timeline: the OTIO file.
        movie: the picture.
        mattes: by label, the movie or the folder of images.
        events: by label, absolute record seconds of every event that is on the timeline and under the matte.
    """

    timeline: Path
    movie: Path
    mattes: dict[str, Path]
    events: dict[str, tuple[Fraction, ...]]


def make_scene(folder: Path) -> DemoScene:
    """Draw the scene and write movie, mattes and timeline to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    movie, anvil, ball = folder / "scene.mp4", folder / "anvil_matte.mp4", folder / "ball_matte"
    mattes: list[tuple[Picture, Picture]] = []
    write_movie(movie, _draw_all(mattes), start_frame=START_FRAME)
    shown = [mattes[frame] for frame in record_frames()]
    write_movie(anvil, (matte for matte, _ in shown), start_frame=START_FRAME)
    first, count = BALL_MATTE
    _write_images(ball, [matte for _, matte in shown[first : first + count]])
    timeline = folder / "demo.otio"
    otio.adapters.write_to_file(_timeline(movie, anvil, ball), str(timeline))
    return DemoScene(timeline, movie, {"anvil": anvil, "ball": ball}, known_events())


def _draw_all(mattes: list[tuple[Picture, Picture]]) -> Iterator[Picture]:
    """Every source frame in order; its two mattes are appended to `mattes`."""
    for frame in range(WIDE_FRAMES + CLOSE_FRAMES):
        picture, *both = draw(frame)
        mattes.append((both[0], both[1]))
        yield picture


def record_frames() -> tuple[int, ...]:
    """Source frame shown at each record frame of the timeline."""
    return tuple(frame for start, count in SHOTS for frame in range(start, start + count))


def known_events() -> dict[str, tuple[Fraction, ...]]:
    """By label, absolute record seconds of the strikes and bounces that the mattes cover."""
    shown = record_frames()
    first, count = BALL_MATTE
    covered = {"anvil": (STRIKES, range(len(shown))), "ball": (BOUNCES, range(first, first + count))}
    return {
        label: tuple(
            Fraction(START_FRAME + shown.index(frame), RATE)
            for frame in (int(time * RATE) for time in times)
            if frame in shown and shown.index(frame) in records
        )
        for label, (times, records) in covered.items()
    }


def draw(frame: int) -> tuple[Picture, Picture, Picture]:
    """One source frame: RGB `[H, W, 3]`, the anvil's matte and the ball's matte `[H, W]`."""
    close = frame >= WIDE_FRAMES
    x, y, background = _stage(close=close)
    time, picture = frame / RATE, background.copy()
    hit = float(_since(Fraction(frame, RATE), STRIKES))
    shake = 0.035 * np.exp(-hit * 9) * np.sin(hit * 60)
    anvil = _anvil(x, y - shake)
    wood, head = _hammer(x, y, angle=_hammer_angle(time))
    shade = (0.75 + 0.25 * np.clip((y - 1) / 2.2, 0, 1))[..., None]
    _paint(picture, shade * np.array([74, 80, 92], np.float32), anvil)
    _paint(picture, np.array([150, 104, 62], np.float32), wood)
    _paint(picture, np.array([120, 124, 132], np.float32), head)
    _paint(picture, np.array([255, 210, 120], np.float32), _spark(x, y, hit=hit))
    ball = np.zeros_like(x) if close else _ball(x, y, time)
    light = (0.7 + 0.3 * np.clip(y - _ball_height(time), -0.5, 0.7))[..., None]
    _paint(picture, light * np.array([214, 66, 48], np.float32), ball)
    struck = np.maximum(anvil, np.maximum(wood, head)) * (1 - ball)
    return _bytes(picture), _bytes(struck * 255), _bytes(ball * 255)


@cache
def _stage(*, close: bool) -> tuple[Plane, Plane, Plane]:
    """What does not move in a shot: world x, world y, background."""
    x, y = _grid(close=close)
    return x, y, _background(x, y)


def _grid(*, close: bool) -> tuple[Plane, Plane]:
    """World coordinates of every pixel: x to the right 0..16, y up; the close shot sees less of it."""
    scale, left, bottom = (HEIGHT / 5.2, 4.6, 0.6) if close else (HEIGHT / 7, 0.7, 0.0)
    row, column = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    return left + (column + 0.5) / scale, bottom + (HEIGHT - row - 0.5) / scale


def _background(x: Plane, y: Plane) -> Plane:
    """A brick wall over a wooden floor, `[H, W, 3]`, 0..255."""
    course = np.floor(y / 0.6)
    along = x + 0.6 * (course % 2)
    mortar = (np.abs(y / 0.6 - course - 0.5) > 0.44) | (np.abs(along % 1.2 - 0.6) > 0.56)
    tone = 0.9 + 0.1 * np.sin(np.floor(along / 1.2) * 12.9 + course * 78.2)
    grain = 0.94 + 0.06 * np.sin(x * 3 + 2 * np.sin(y * 9)) * np.sin(y * 31)
    wall = np.where(mortar[..., None], [118.0, 112.0, 104.0], tone[..., None] * [146.0, 104.0, 86.0])
    floor = grain[..., None] * np.array([132.0, 108.0, 80.0]) * (0.75 + 0.1 * y[..., None])
    return np.where((y > 1.5)[..., None], wall, floor).astype(np.float32)


def _anvil(x: Plane, y: Plane) -> Plane:
    face = _box(x - 9.2, y - 2.75, 1.7, 0.28)
    horn = _triangle(x, y, ((7.6, 3.03), (6.1, 2.9), (7.6, 2.5)))
    waist = _box(x - 9.2, y - 2.1, 0.62, 0.5)
    foot = _box(x - 9.2, y - 1.45, 1.25, 0.26)
    return _coverage(np.minimum.reduce([face, horn, waist, foot]))


def _hammer(x: Plane, y: Plane, *, angle: float) -> tuple[Plane, Plane]:
    """Handle and head of a hammer that turns about (12.6, 3.45); angle 0 touches the anvil's face."""
    cos, sin = np.cos(angle), np.sin(angle)
    u = (x - 12.6) * cos - (y - 3.45) * sin
    v = (x - 12.6) * sin + (y - 3.45) * cos
    return _coverage(_box(u + 1.8, v, 1.9, 0.11)), _coverage(_box(u + 3.6, v, 0.36, 0.42))


def _spark(x: Plane, y: Plane, *, hit: float) -> Plane:
    """The flash of a strike, `hit` seconds after it."""
    if hit > 0.4:
        return np.zeros_like(x)
    glow = np.exp(-(((x - 9.0) / 0.8) ** 2) - ((y - 3.1) / 0.5) ** 2)
    return np.asarray(0.8 * np.exp(-hit * 10) * np.where(glow > 0.02, glow, 0), np.float32)


def _hammer_angle(time: float) -> float:
    """0 at every strike; lifted between two of them, fast down, slow up."""
    before = max((float(s) for s in STRIKES if s <= time), default=0.0)
    after = min((float(s) for s in STRIKES if s > time), default=time + 0.6)
    phase = (time - before) / (after - before)
    return float(0.95 * np.sin(np.pi * phase**1.8) ** 0.9)


def _ball(x: Plane, y: Plane, time: float) -> Plane:
    squash = 1 - 0.28 * float(np.exp(-((_distance(time, BOUNCES) / 0.03) ** 2)))
    across = (x - (1.6 + 0.42 * time)) * squash**0.5
    up = (y - _ball_height(time) + 0.55 * (1 - squash)) / squash
    return _coverage(np.hypot(across, up).astype(np.float32) - 0.55)


def _ball_height(time: float) -> float:
    """Height of the centre: free flight from bounce to bounce."""
    before = max((float(b) for b in BOUNCES if b <= time), default=float(BOUNCES[0]) - 0.9)
    after = min((float(b) for b in BOUNCES if b > time), default=float(BOUNCES[-1]) + 0.4)
    return 1.35 + max(0.0, 18.0 / 2 * (time - before) * (after - time))


def _since(time: Fraction, events: tuple[Fraction, ...]) -> Fraction:
    return min((time - event for event in events if event <= time), default=Fraction(10))


def _distance(time: float, events: tuple[Fraction, ...]) -> float:
    return min(abs(time - float(event)) for event in events)


def _box(x: Plane, y: Plane, half_width: float, half_height: float) -> Plane:
    """Signed distance to a box round the origin; negative inside."""
    return np.asarray(np.maximum(np.abs(x) - half_width, np.abs(y) - half_height), np.float32)


def _triangle(x: Plane, y: Plane, corners: tuple[tuple[float, float], ...]) -> Plane:
    """Signed distance to a triangle given counter-clockwise; negative inside."""
    sides = []
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        length = np.hypot(bx - ax, by - ay)
        sides.append(((x - ax) * (by - ay) - (y - ay) * (bx - ax)) / length)
    return np.asarray(np.maximum.reduce(sides), np.float32)


def _coverage(distance: Plane) -> Plane:
    """Soft edge of one pixel of the wide shot."""
    return np.asarray(np.clip(0.5 - distance * 50, 0, 1), np.float32)


def _paint(picture: Plane, paint: Plane, coverage: Plane) -> None:
    """Lay `paint` over the picture, in place, where it covers anything."""
    rows, columns = np.flatnonzero(coverage.any(axis=1)), np.flatnonzero(coverage.any(axis=0))
    if not rows.size:
        return
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    alpha = coverage[part][..., None]
    wanted = paint[part] if paint.ndim == 3 else paint
    picture[part] += (wanted - picture[part]) * alpha


def _bytes(values: Plane) -> Picture:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def write_movie(path: Path, frames: Iterator[Picture], *, start_frame: int) -> None:
    """Write H.264 at 24 fps with a start timecode; grey or RGB frames."""
    hours, rest = divmod(start_frame // RATE, 3600)
    timecode = f"{hours:02}:{rest // 60:02}:{rest % 60:02}:{start_frame % RATE:02}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "18", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.metadata["timecode"] = timecode
        for picture in frames:
            frame = av.VideoFrame.from_ndarray(picture, format="gray" if picture.ndim == 2 else "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _write_images(folder: Path, mattes: list[Picture]) -> None:
    folder.mkdir(exist_ok=True)
    for number, matte in enumerate(mattes, FIRST_IMAGE):
        (folder / f"ball.{number}.png").write_bytes(png_bytes(matte))


def _timeline(movie: Path, anvil: Path, ball: Path) -> otio.schema.Timeline:
    timeline = otio.schema.Timeline("demo", global_start_time=_time(START_FRAME))
    picture = otio.schema.Track("V1", kind=otio.schema.TrackKind.Video)
    total = WIDE_FRAMES + CLOSE_FRAMES
    for name, (first, count) in zip(("wide", "close"), SHOTS, strict=True):
        picture.append(_clip(name, _movie(movie, total), first=START_FRAME + first, count=count))
    length = sum(count for _, count in SHOTS)
    over_cut = _mask_track("MASK: anvil")
    over_cut.append(_clip("anvil matte", _movie(anvil, length), first=START_FRAME, count=length))
    first, count = BALL_MATTE
    short = _mask_track("MASK ball")
    short.append(otio.schema.Gap(source_range=_range(0, first)))
    short.append(_clip("ball matte", _images(ball, count), first=FIRST_IMAGE, count=count))
    timeline.tracks.extend([picture, over_cut, short])
    return timeline


def _mask_track(name: str) -> otio.schema.Track:
    track = otio.schema.Track(name, kind=otio.schema.TrackKind.Video)
    track.enabled = False
    return track


def _clip(name: str, media: otio.core.MediaReference, *, first: int, count: int) -> otio.schema.Clip:
    return otio.schema.Clip(name, media_reference=media, source_range=_range(first, count))


def _movie(path: Path, frames: int) -> otio.schema.ExternalReference:
    return otio.schema.ExternalReference(path.absolute().as_uri(), _range(START_FRAME, frames))


def _images(folder: Path, count: int) -> otio.schema.ImageSequenceReference:
    return otio.schema.ImageSequenceReference(
        target_url_base=folder.absolute().as_uri() + "/",
        name_prefix="ball.",
        name_suffix=".png",
        start_frame=FIRST_IMAGE,
        frame_zero_padding=4,
        rate=RATE,
        available_range=_range(FIRST_IMAGE, count),
    )


def _time(frame: int) -> otio.opentime.RationalTime:
    return otio.opentime.RationalTime(frame, RATE)


def _range(first: int, count: int) -> otio.opentime.TimeRange:
    return otio.opentime.TimeRange(_time(first), _time(count))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the demo scene: movie, mattes, timeline.")
    parser.add_argument("folder", type=Path)
    print(make_scene(parser.parse_args().folder).timeline)
