"""How long everything is in one window (spec 0.1)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from models_onnx.manifest import Manifest
from plugin.engine.preprocess import segment_count


@dataclass(frozen=True, slots=True)
class Lengths:
    """Sizes of one window.

    Attributes:
        frames: sync frames; the window lasts `frames / sync_rate` seconds.
        clip_frames: pictures for the image tower.
        sync_features: time steps the sync encoder gives.
        latents: latent positions; they cover the window and up to one position more.
    """

    frames: int
    clip_frames: int
    sync_features: int
    latents: int


def window_lengths(frames: int, manifest: Manifest) -> Lengths:
    """Sizes of a window of `frames` sync frames."""
    picture = manifest.picture
    segments = segment_count(frames, spec=picture)
    return Lengths(
        frames=frames,
        clip_frames=frames * picture.clip_rate // picture.sync_rate,
        sync_features=segments * picture.segment_features,
        latents=-(-frames * manifest.sample_rate // (picture.sync_rate * manifest.latent.hop)),
    )


def latent_seconds(manifest: Manifest) -> Fraction:
    """Duration of one latent position, exact."""
    return Fraction(manifest.latent.hop, manifest.sample_rate)
