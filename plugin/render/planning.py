"""Which windows a cue is rendered in.

Windows begin on latent positions, so that neighbours share a grid and can be joined; frames are sampled
relative to each window's start. All windows of a long cue have the length the network was trained at
and are spread evenly, so none looks past the cue further than the last frame's duration. They begin at the
latent position next to a time of the image tower's pictures, so that neighbours see the same pictures
(docs/adr/0014-shared-pictures.md); the last one ends where the cue does, wherever that is.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from models_onnx.manifest import Manifest
from plugin.engine.lengths import latent_seconds, window_lengths
from plugin.timebase import STEM_RATE

_OVERLAP = Fraction(1, 5)
"""Least part of a window shared with its neighbour: 1 s of 5 s."""


@dataclass(frozen=True, slots=True)
class Window:
    """One model-length pass over part of a cue.

    Attributes:
        first: latent position where it begins, counted from the plan's first.
        frames: sync frames.
        latents: latent positions.
        start: seconds from the cue's first sample; negative when the cue borrows handles.
        pictures: the same for its first picture: `start`, or the time next to it (half a latent
            position away at most) that the pictures of all windows are counted from.
    """

    first: int
    frames: int
    latents: int
    start: Fraction
    pictures: Fraction

    @property
    def end(self) -> int:
        """Latent position after the last."""
        return self.first + self.latents


@dataclass(frozen=True, slots=True)
class Plan:
    """How one cue is rendered.

    Attributes:
        windows: ascending; neighbours overlap. None for a cue of no samples.
        lead: latent positions before the cue's first sample, cut off again.
        samples: samples of the stem piece, 48 kHz.
    """

    windows: tuple[Window, ...]
    lead: int
    samples: int


def plan_windows(samples: int, manifest: Manifest) -> Plan:
    """Windows that cover `samples` samples at 48 kHz.

    A cue shorter than the shortest pass borrows handles on both sides; one longer than the trained
    length takes several windows.

    Raises:
        ValueError: the number of samples is negative.
    """
    if samples < 0:
        raise ValueError(f"a cue cannot have {samples} samples")
    if samples == 0:
        return Plan((), lead=0, samples=0)
    needed = -(-samples * manifest.sample_rate // (STEM_RATE * manifest.latent.hop))
    longest = window_lengths(manifest.window.train_frames, manifest).latents
    if needed > longest:
        windows = tuple(
            _window(first, manifest.window.train_frames, manifest, pictures=pictures)
            for first, pictures in _spread(needed, length=longest, manifest=manifest)
        )
        return Plan(windows, lead=0, samples=samples)
    return _single(samples, needed=needed, manifest=manifest)


def _single(samples: int, *, needed: int, manifest: Manifest) -> Plan:
    window, rate = manifest.window, manifest.picture.sync_rate
    wanted = min(_round_up(-(-samples * rate // STEM_RATE), window.multiple_frames), window.train_frames)
    shortest = _round_up(window.min_frames, window.multiple_frames)
    if wanted >= shortest:
        return Plan((_window(0, wanted, manifest),), lead=0, samples=samples)
    lead = (window_lengths(shortest, manifest).latents - needed) // 2
    return Plan((_window(0, shortest, manifest, lead=lead),), lead=lead, samples=samples)


def _window(
    first: int, frames: int, manifest: Manifest, *, lead: int = 0, pictures: Fraction | None = None
) -> Window:
    latents = window_lengths(frames, manifest).latents
    start = (first - lead) * latent_seconds(manifest)
    return Window(first, frames, latents, start=start, pictures=start if pictures is None else pictures)


def _spread(total: int, *, length: int, manifest: Manifest) -> list[tuple[int, Fraction]]:
    """First positions of evenly spread windows that cover `total`, and times of their first pictures."""
    unit = latent_seconds(manifest)
    stride = length - max(1, int(length * _OVERLAP))
    step = _common_step(stride * unit, unit=unit, interval=Fraction(1, manifest.picture.clip_rate))
    travel = (total - length) * unit
    count = -(-travel // (stride * unit // step * step))
    starts = [-(-index * travel // (count * step)) * step for index in range(count)]
    shared = [(round(start / unit), start) for start in starts]
    near = round(travel / step) * step
    return [*shared, (total - length, near if abs(near - travel) <= unit / 2 else travel)]


def _common_step(stride: Fraction, *, unit: Fraction, interval: Fraction) -> Fraction:
    """Windows begin at multiples of it: the pictures' interval, or a position where windows are short."""
    return interval if unit <= interval <= stride / 4 else unit


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
