"""Voices that are taken for another class where they are used give their place to the best of their class.

A trial plays a candidate at a few even times. In scenes events crowd, fade and swell, and some voices that
were heard well alone are heard as another class there: a muted string as a knock, a low bow as rolling. So
every voice of a filled bank stands in for sounds of scenes once, at their own times and efforts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from exporter.models.voices import Voices
from exporter.training.asking import just_one
from exporter.training.config import Config
from exporter.training.scenes import OFFSETS, SILENT, SceneSource
from exporter.training.segments import truth_of
from exporter.training.trials import Trials

EACH = 8
"""Sounds of scenes, of every class, that a voice stands in for."""
MOST_SCENES = 400
"""Scenes that are looked through for them."""
RIGHT = 0.75
"""Share of them that a voice must be heard right in."""
CERTAIN = 1e-4
"""Nearest to 0 and 1 that the likelihood of an onset is told."""

Shares = Callable[[int, Sequence[Tensor]], Tensor]
"""Of a class [of the bank] and curves [1, moments, 3]: how often each voice is heard right, [voices]."""


def scene_curves(source: SceneSource, config: Config, labels: Sequence[int]) -> Mapping[int, list[Tensor]]:
    """True curves [1, moments, 3], as `Voices.placed` takes them, of `EACH` sounds of every label.

    A label that `MOST_SCENES` scenes do not show so often has fewer.
    """
    found: dict[int, list[Tensor]] = {label: [] for label in labels}
    for label, curves in _curves(source, config):
        if len(found.get(label, ())) < EACH and label in found:
            found[label].append(curves)
        if all(len(known) == EACH for known in found.values()):
            break
    return found


def _curves(source: SceneSource, config: Config) -> Iterator[tuple[int, Tensor]]:
    first = config.data.first_scene + OFFSETS["features"] - MOST_SCENES
    for index in range(first, first + MOST_SCENES):
        scene = source.scene(index)
        for number, thing in enumerate(scene.things):
            if thing.label == SILENT:
                continue
            truth = truth_of(just_one(scene, number), config, labels=len(source.labels))
            onset = np.clip(truth.onset, CERTAIN, 1 - CERTAIN)
            curves = np.stack([np.log(onset / (1 - onset)), truth.energy, truth.strike], -1)
            yield thing.label, torch.from_numpy(curves.astype(np.float32))[None]


def heard_right(voices: Voices, trials: Trials, *, count: int) -> Shares:
    """A `Shares` that lets `trials` listen to `count` latent positions."""

    def one_as(kind: Tensor, voice: int, curves: Tensor) -> Tensor:
        return voices.placed(kind, torch.tensor([voice]), curves, count=count)

    @torch.no_grad()
    def shares(label: int, played: Sequence[Tensor]) -> Tensor:
        kind, numbers = torch.tensor([label - SILENT]), range(voices.dims.voices)
        heard = [torch.cat([one_as(kind, voice, curves) for voice in numbers]) for curves in played]
        return torch.stack([trials.right(label, sounds) for sounds in heard]).float().mean(0)

    return shares


@torch.no_grad()
def replace_misheard(voices: Voices, played: Mapping[int, Sequence[Tensor]], shares: Shares) -> None:
    """Let the best voice of a class take the place of those that are heard right too seldom.

    Args:
        voices: a filled bank.
        played: curves by label, of `scene_curves`; what was found nowhere stays as it is.
        shares: how often each voice of a class is heard right.
    """
    for label, curves in played.items():
        if not curves:
            continue
        row, right = int(voices.rows[label - SILENT]), shares(label, curves)
        best = int(right.argmax())
        for bad in torch.nonzero(right < min(RIGHT, float(right[best])))[:, 0].tolist():
            voices.bank[row, bad] = voices.bank[row, best]
            voices.energy[row, bad] = voices.energy[row, best]
