"""Waveforms for the stages that need no pictures: stems and mixtures, cut where something happens."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import torch
from torch import Tensor

from exporter.models.mel import MelDims
from exporter.sizes import Sizes
from exporter.training.config import Data
from exporter.training.scenes import CHECK_OFFSET, OFFSETS, Float, SceneSource, Sound

MIX_SHARE = 0.25
LOUDER_SHARE = 0.7
"""Share of the cuts that are centred on a loud place."""
GAIN_DB = (-15.0, 3.0)


def mel_layout(sizes: Sizes) -> MelDims:
    """The log-mel of a model: a window of four hops, bands up to half the rate."""
    hop, rate = sizes.vocoder.hop, sizes.sample_rate
    bands = sizes.vae.mel_bands
    return MelDims(sample_rate=rate, fft=4 * hop, hop=hop, bands=bands, low=0.0, high=rate / 2)


class SoundPool:
    """Stems of a moving window of numbered scenes; the same rule as `ScenePool`, ten times as fast."""

    def __init__(self, source: SceneSource, data: Data, *, stage: str) -> None:
        self.source = source
        self.data = data
        self.first = data.first_scene + OFFSETS[stage]
        self.kept: OrderedDict[int, tuple[Sound, ...]] = OrderedDict()

    def draw(self, step: int, rng: np.random.Generator, *, samples: int) -> Float:
        """A cut of one stem or of a mixture, [samples]."""
        end = int(max(self.data.pool // 5, 1) + 2 * step / self.data.steps_per_scene)
        start = max(0, end - self.data.pool)
        sounds = self._get(self.first + int(rng.integers(start, end)), oldest=self.first + start)
        return cut_sound(sounds, rng, samples=samples)

    def _get(self, index: int, *, oldest: int) -> tuple[Sound, ...]:
        if index not in self.kept:
            self.kept[index] = self.source.sounds(index)
        for old in [one for one in self.kept if one < oldest]:
            del self.kept[old]
        return self.kept[index]


def cut_sound(sounds: tuple[Sound, ...], rng: np.random.Generator, *, samples: int) -> Float:
    """A piece of a stem, or of all together, at any level; silence when nothing sounds."""
    if not sounds:
        return np.zeros(samples, np.float32)
    mixed = rng.random() < MIX_SHARE
    whole = (
        np.sum([one.stem for one in sounds], axis=0) if mixed else sounds[int(rng.integers(len(sounds)))].stem
    )
    whole = np.pad(whole, (0, max(0, samples - len(whole))))
    first = int(rng.integers(len(whole) - samples + 1))
    if rng.random() < LOUDER_SHARE and whole.any():
        power = np.square(whole[:: max(1, samples // 256)]) + 1e-12
        place = int(rng.choice(len(power), p=power / power.sum())) * max(1, samples // 256)
        first = int(np.clip(place - rng.random() * samples, 0, len(whole) - samples))
    gain = 10 ** (rng.uniform(*GAIN_DB) / 20)
    return np.asarray(whole[first : first + samples] * gain, np.float32)


def check_sounds(source: SceneSource, data: Data, *, samples: int) -> list[tuple[int, Tensor]]:
    """Held-out stems with their class, each [1, samples]: the first `samples` of the scene."""
    held_out = [sound for index in range(data.check_scenes) for sound in source.sounds(CHECK_OFFSET + index)]
    padded = (np.pad(one.stem, (0, max(0, samples - len(one.stem))))[:samples] for one in held_out)
    return [
        (one.label, torch.from_numpy(np.ascontiguousarray(stem, np.float32))[None])
        for one, stem in zip(held_out, padded, strict=True)
    ]


def level_weights(mel: Tensor, *, loud: float, depth: float) -> Tensor:
    """Weight of every bin of [B, bands, frames]: `1 + loud` at the sample's maximum, 1 `depth` nepers below.

    Loud bins are few, and an unweighted mean flattens the narrow partials that are all there is to hear.
    """
    peak = mel.amax((1, 2), keepdim=True)
    return 1 + loud * (1 - (peak - mel) / depth).clamp(0, 1)


LOUD_NEPERS = 4.6
"""Bins less than 40 dB below a sound's loudest are loud."""
DECIBELS = 8.6859


def loud_error(found: Tensor, true: Tensor) -> float:
    """Mean absolute difference of two log-mels over the loud bins of the true one, dB."""
    loud = true > true.max() - LOUD_NEPERS
    return float((found - true).abs()[loud].mean()) * DECIBELS


def errors_by_class(errors: list[tuple[int, float]], labels: tuple[str, ...]) -> dict[str, float]:
    """The mean over all sounds, and over those of the worst class; one row per class."""
    by_class = {
        name: [value for label, value in errors if label == index] for index, name in enumerate(labels)
    }
    means = {f"loud dB {name}": sum(rows) / len(rows) for name, rows in by_class.items() if rows}
    everything = [value for _, value in errors]
    overall = {
        "loud dB": sum(everything) / max(len(everything), 1),
        "loud dB worst": max(means.values(), default=0.0),
    }
    return overall | means
