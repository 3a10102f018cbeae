"""Timelines made by functions that state every time in frames."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest

from plugin.timebase import TimeSpan

RATES = {
    "23.976": Fraction(24000, 1001),
    "24": Fraction(24),
    "25": Fraction(25),
    "29.97": Fraction(30000, 1001),
    "30": Fraction(30),
    "50": Fraction(50),
    "59.94": Fraction(60000, 1001),
    "60": Fraction(60),
}


class Builder:
    """Builds OTIO objects at one rate; media files are made empty in `folder`."""

    def __init__(self, folder: Path, rate: Fraction = Fraction(24)) -> None:
        self.folder = folder
        self.rate = rate

    def at(self, rate: Fraction) -> Builder:
        return Builder(self.folder, rate)

    def time(self, value: float, rate: Fraction | None = None) -> Any:
        return otio.opentime.RationalTime(value, float(rate or self.rate))

    def range(self, start: float, duration: float, rate: Fraction | None = None) -> Any:
        return otio.opentime.TimeRange(self.time(start, rate), self.time(duration, rate))

    def media(self, name: str) -> Path:
        path = self.folder / name
        path.touch()
        return path

    def reference(self, name: str, available: tuple[float, float] | None = (0, 100_000)) -> Any:
        span = None if available is None else self.range(*available)
        return otio.schema.ExternalReference(self.media(name).as_uri(), span)

    def clip(
        self,
        name: str,
        duration: float,
        *,
        start: float = 0,
        available: tuple[float, float] | None = (0, 100_000),
        effects: Sequence[Any] = (),
        metadata: dict[str, Any] | None = None,
        enabled: bool = True,
    ) -> Any:
        clip = otio.schema.Clip(name, self.reference(f"{name}.mov", available), self.range(start, duration))
        clip.effects.extend(effects)
        clip.enabled = enabled
        if metadata:
            clip.metadata["sagafoley"] = metadata
        return clip

    def title(self, name: str, duration: float) -> Any:
        return otio.schema.Clip(name, otio.schema.MissingReference(), self.range(0, duration))

    def gap(self, duration: float) -> Any:
        return otio.schema.Gap(source_range=self.range(0, duration))

    def track(self, name: str, *children: Any, kind: str = "Video", enabled: bool = True) -> Any:
        track = otio.schema.Track(name=name, kind=kind)
        track.enabled = enabled
        track.extend(children)
        return track

    def stack(self, *children: Any, start: float | None = None, duration: float = 0, name: str = "") -> Any:
        stack = otio.schema.Stack(name=name)
        if start is not None:
            stack.source_range = self.range(start, duration)
        stack.extend(children)
        return stack

    def timeline(self, *tracks: Any, start: float | None = 0, name: str = "cut") -> Any:
        timeline = otio.schema.Timeline(name)
        if start is not None:
            timeline.global_start_time = self.time(start)
        timeline.tracks.extend(tracks)
        return timeline

    def marker(self, name: str, start: float, duration: float) -> Any:
        return otio.schema.Marker(name, self.range(start, duration))

    def warp(self, speed: float) -> Any:
        return otio.schema.LinearTimeWarp(time_scalar=speed)

    def span(self, start: float, end: float) -> TimeSpan:
        """Frames to exact seconds."""
        return TimeSpan(Fraction(start) / self.rate, Fraction(end) / self.rate)

    def write(self, timeline: Any, name: str = "cut.otio") -> Path:
        path = self.folder / name
        path.write_text(otio.core.serialize_json_to_string(timeline), "utf-8")
        return path


@pytest.fixture
def build(tmp_path: Path) -> Builder:
    folder = tmp_path / "edit"
    folder.mkdir()
    return Builder(folder)


@pytest.fixture(params=RATES.values(), ids=RATES.keys())
def rate(request: pytest.FixtureRequest) -> Fraction:
    return Fraction(request.param)
