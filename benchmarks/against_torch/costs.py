"""What takes cost, composed of what stages cost: how often each runs for what is asked, by either side."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from benchmarks.against_torch.size import MEASURED, WINDOW
from models_onnx.manifest import Manifest
from plugin.engine.decode import CHUNK_FRAMES
from plugin.engine.lengths import window_lengths
from plugin.render.planning import plan_windows
from plugin.timebase import STEM_RATE

Units = Sequence[tuple[str, float, float]]
"""Role, how often, and the sync frames of each (encoders: any)."""

ENCODERS = ("text_encoder", "image_encoder", "sync_encoder")
OBJECTS = 10


@dataclass(frozen=True, slots=True)
class Costs:
    """Processor seconds of one side.

    Attributes:
        points: by role: sync frames, ascending, and seconds of a run (of a row, for encoders).
    """

    points: Mapping[str, tuple[tuple[float, float], ...]]

    @classmethod
    def of(cls, entries: Iterable[Mapping[str, Any]], side: str) -> Costs:
        """What was measured of each stage; of encoders a single row where that was measured."""
        points: dict[str, dict[float, float]] = {}
        for entry in sorted(entries, key=lambda entry: -int(entry["units"])):
            cost = float(statistics.median(entry[side]["cpu"])) / entry["units"]
            points.setdefault(entry["role"], {})[entry["frames"]] = cost
        return cls({role: tuple(sorted(known.items())) for role, known in points.items()})

    def at(self, role: str, frames: float) -> float:
        """Seconds of a run over `frames`: between two that were measured, or in proportion to the nearest."""
        frames_known, seconds = zip(*self.points[role], strict=True)
        if role in ENCODERS:
            return float(seconds[-1])
        if frames <= frames_known[0]:
            return float(seconds[0] * frames / frames_known[0])
        if frames >= frames_known[-1]:
            return float(seconds[-1] * frames / frames_known[-1])
        return float(np.interp(frames, frames_known, seconds))

    def total(self, units: Units) -> float | None:
        """Seconds of all; None where a stage was not measured."""
        if any(role not in self.points for role, _, _ in units):
            return None
        return sum(count * self.at(role, frames) for role, count, frames in units)

    def lacks(self, units: Units) -> list[str]:
        """Stages of these that were not measured."""
        return sorted({role for role, _, _ in units} - set(self.points))


def manifest() -> Manifest:
    """What planning asks of a bundle."""
    sync = MEASURED.synchformer
    known = SimpleNamespace(
        sample_rate=MEASURED.sample_rate,
        latent=SimpleNamespace(hop=MEASURED.latent_hop),
        picture=SimpleNamespace(
            clip_rate=MEASURED.clip_rate,
            sync_rate=MEASURED.sync_rate,
            segment_frames=sync.segment_frames,
            segment_step=sync.segment_step,
            segment_features=sync.steps,
        ),
        window=SimpleNamespace(
            min_frames=sync.segment_frames, train_frames=WINDOW, multiple_frames=MEASURED.multiple_frames
        ),
    )
    return cast("Manifest", known)


def ending(seconds: Fraction) -> Units:
    """What we run for another take: two guidance branches, solver, sound, window by window."""
    windows = plan_windows(int(seconds * STEM_RATE), manifest()).windows
    units = [
        (role, count, window.frames)
        for window in windows
        for role, count in (("conditions", 2), ("flow", 2 * MEASURED.steps), ("decoder", 1))
    ]
    return (*units, ("vocoder", 1, _vocoded(max(window.end for window in windows))))


def _vocoded(latents: int) -> float:
    """Sync frames' worth of vocoder work, with the halos of its calls."""
    frames = latents * MEASURED.vae.frames_per_latent
    halo = MEASURED.vocoder.halo
    calls = 1 if frames <= CHUNK_FRAMES + 2 * halo else -(-frames // CHUNK_FRAMES)
    return (
        (frames + (calls - 1) * 2 * halo) * MEASURED.vocoder.hop * MEASURED.sync_rate / MEASURED.sample_rate
    )


def pictures(seconds: Fraction) -> int:
    """Pictures that we encode: those that windows share once."""
    windows = plan_windows(int(seconds * STEM_RATE), manifest()).windows
    count = window_lengths(windows[0].frames, manifest()).clip_frames
    interval = Fraction(1, MEASURED.clip_rate)
    return len({window.pictures + index * interval for window in windows for index in range(count)})


def segments(seconds: Fraction) -> int:
    """Segments that we encode."""
    lengths = [
        MEASURED.lengths(window.frames, batch=1)
        for window in plan_windows(int(seconds * STEM_RATE), manifest()).windows
    ]
    return sum(each["segments"] for each in lengths)


def asked(what: str, seconds: Fraction) -> Units:
    """What we run for something that an editor asks: a key of `ASKED`."""
    texts, seen, objects = ASKED[what]
    return (
        ("text_encoder", texts, WINDOW),
        ("image_encoder", seen * pictures(seconds), WINDOW),
        ("sync_encoder", objects * segments(seconds), WINDOW),
        *ending(seconds),
    )


ASKED: Mapping[str, tuple[float, float, float]] = {
    "first take": (2, 1, 1),
    "second take (new seed)": (0, 0, 0),
    "second prompt": (1, 0, 0),
    "second object in the shot": (0, 0, 1),
    f"{OBJECTS} objects in a shot, each": ((OBJECTS + 1) / OBJECTS, 1 / OBJECTS, 1),
}
"""Prompts that are encoded, and which part of the pictures and of the segments."""


def reference(seconds: Fraction) -> Units:
    """What the reference runs whatever is asked: all of it, in one pass over the whole cue."""
    frames = int(seconds * MEASURED.sync_rate)
    lengths = MEASURED.lengths(frames, batch=1)
    return (
        ("text_encoder", 2, WINDOW),
        ("image_encoder", lengths["clip_frames"], WINDOW),
        ("sync_encoder", lengths["segments"], WINDOW),
        ("conditions", 2, frames),
        ("flow", 2 * MEASURED.steps, frames),
        ("decoder", 1, frames),
        ("vocoder", 1, frames),
    )
