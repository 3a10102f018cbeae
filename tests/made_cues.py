"""Cues, takes and a synthesis made of nothing, for the tests of this room."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from plugin.cues import ClipSource, Cue, CueSheet, Matte, MatteChannel, MediaFile, Spot, SpotOrigin
from plugin.engine.watch import Watch
from plugin.render.provenance import EngineFacts, LicenceFacts
from plugin.render.rendering import Brief
from plugin.render.takes import AudioFacts, Take
from plugin.timebase import TimeSpan, span_samples

NTSC = Fraction(30000, 1001)
HOUR = Fraction(107_892) / NTSC  # 01:00:00;00
FACTS = EngineFacts(
    bundle_id="made",
    bundle_version="1",
    bundle_digest="d" * 64,
    architecture="none",
    precision="fp32",
    provider="cpu",
    licence=LicenceFacts("MIT", commercial_use=True, attribution="", text="Free."),
)


def clip(name: str, record: TimeSpan, **changes: Any) -> ClipSource:
    made = ClipSource(
        media=MediaFile(Path(f"/media/{name}.mov")),
        record=record,
        source_start=Fraction(10),
        speed=Fraction(1),
        available=TimeSpan(Fraction(9), Fraction(100)),
        clip_name=name,
        track_name="V1",
        rate=NTSC,
    )
    return replace(made, **changes)


def cue(number: int, label: str = "violin", *, frames: int = 12, **changes: Any) -> Cue:
    start = HOUR + 40 * number / NTSC
    record = TimeSpan(start, start + frames / NTSC)
    spot = Spot(
        id=f"{number:03}",
        record=record,
        label=label,
        prompt=label,
        negative_prompt="wind",
        picture=clip("shot", record),
        matte=Matte(clip("matte", record, speed=Fraction(-1, 2)), MatteChannel.RED, invert=True),
        origin=SpotOrigin.MASK_TRACK,
        source_name=f"MASK {label}",
    )
    made = Cue(spot, label, "wind", "standard", steps=3, guidance=7.0, seed=5)
    return replace(made, **changes)


def sheet(*cues: Cue, name: str = "Film") -> CueSheet:
    return CueSheet(name, NTSC, drop_frame=True, record=TimeSpan(HOUR, HOUR + 60), cues=cues)


def take(name: str, sound: bytes = b"sound", *, of: Cue | None = None, identity: str = "i" * 64) -> Take:
    made = of or cue(1)
    return Take(
        name=name,
        cue=replace(made, takes=1),
        timeline_name="Film",
        rate=NTSC,
        drop_frame=True,
        identity=identity,
        picture_fingerprint="p",
        matte_fingerprint="m",
        engine=FACTS,
        audio=AudioFacts(
            bytes=len(sound),
            sha256=hashlib.sha256(sound).hexdigest(),
            samples=span_samples(made.spot.record),
            gain_db=-0.5,
            sample_peak_dbfs=-1.2,
            true_peak_dbtp=-1.0,
            loudness_lufs=None,
        ),
        versions=(("sagafoley", "0"), ("python", "3")),
        created="2026-01-01T00:00:00+00:00",
        warnings=("a matte held",),
    )


@dataclass
class MadeFootage:
    """Footage without pictures."""

    spot: Spot
    fingerprint: str
    picture_fingerprint: str = "p"
    matte_fingerprint: str = "m"
    warnings: tuple[str, ...] = ()
    damaged: bool = False

    def frames(self, times: Sequence[float], *, late: Sequence[float] = ()) -> Iterator[Any]:
        raise NotImplementedError

    def masks(self, times: Sequence[float]) -> Iterator[Any] | None:
        raise NotImplementedError


@dataclass
class MadeSynthesis:
    """Noise that its inputs decide, in pieces; counts what it made.

    Attributes:
        calls: (prompt, seed) of every sound begun.
        scale: loudest sample.
        before_piece: called with (prompt, index) before every piece.
    """

    calls: list[tuple[str, int]] = field(default_factory=list)
    scale: float = 0.5
    pieces: int = 4
    before_piece: Callable[[str, int], None] = lambda prompt, index: None

    def __call__(self, footage: Any, brief: Brief, *, samples: int, watch: Watch) -> Iterator[Any]:
        self.calls.append((brief.prompt, brief.seed))
        generator = np.random.default_rng(list(f"{footage.fingerprint} {brief}".encode()))
        cuts = np.linspace(0, samples, self.pieces + 1).astype(int)
        for index in range(self.pieces):
            watch.checkpoint()
            self.before_piece(brief.prompt, index)
            watch.progress("sampling", index + 1, self.pieces)
            noise = generator.uniform(-self.scale, self.scale, cuts[index + 1] - cuts[index])
            yield noise.astype(np.float32)


@contextmanager
def open_made(spot: Spot) -> Iterator[MadeFootage]:
    yield MadeFootage(spot, fingerprint=f"{spot.picture and spot.picture.clip_name}")
