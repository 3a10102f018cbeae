"""The motion path, trained by itself beside a finished sync encoder: minutes, for its input is prepared.

What is matched from frame to frame is not trained, so it is measured once per marked object and kept; a
step only reads it. The questions are those of the sync encoder, and how hard an event is.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from exporter.models.moving import CELL_WIDTH, CHANGES, Maps, MotionPath, maps_of, mirrored
from exporter.synth.mattes import held_every, union
from exporter.training.asking import just_one
from exporter.training.checkpoint import go_on_from, write_weights
from exporter.training.config import Config
from exporter.training.matching import Tally, match_onsets, pick_onsets
from exporter.training.picturing import Wear, find_box, no_wear, views
from exporter.training.placing import Placed, padded, placed_loss
from exporter.training.randomness import draws, noise_source
from exporter.training.scenes import SILENT, Scene, SceneSource, check_scenes
from exporter.training.segments import Answers, SegmentPool, Truth, parts_of
from exporter.training.sync_stage import ONSET_THRESHOLD
from exporter.training.targets import BINS, QUIET
from exporter.training.voicing import curve_losses

_STILL = 1e-3
CHECKED = ("clean", "held", "union")
HELD_FRAMES = 4
CURVES = ("onset", "energy", "strike")


class MotionNetwork(nn.Module):
    """The path and what it is asked; the last class is "nothing sounds here".

    `place` is asked of every small place of the picture: whether something begins in it.
    """

    def __init__(self, width: int, *, tubelet: int, labels: int) -> None:
        super().__init__()
        self.path = MotionPath(width, tubelet=tubelet)
        self.onset = nn.Linear(width, BINS)
        self.energy = nn.Linear(width, BINS)
        self.strike = nn.Linear(width, BINS)
        self.label = nn.Linear(width, labels + 1)
        self.place = nn.Conv1d(CELL_WIDTH, BINS // tubelet, 1)


@dataclass(frozen=True, slots=True)
class Mapped:
    """One marked object: maps of all its frames, halves; what is true of it, and where."""

    maps: Maps
    truth: Truth
    placed: Placed


@dataclass(frozen=True, slots=True)
class Sample:
    """One segment of a marked object: its maps, what is true of it, and where (`Placed.cut`)."""

    maps: Maps
    answers: Answers
    places: tuple[Tensor, Tensor]


class MapPool:
    """Marked objects of a moving window of scenes, and batches of their segments."""

    def __init__(self, source: SceneSource, config: Config) -> None:
        self.config = config
        self.objects = SegmentPool(source, config, stage="motion")
        self.kept: OrderedDict[int, tuple[Mapped, ...]] = OrderedDict()

    def draw(self, step: int, rng: np.random.Generator) -> Sample:
        """One segment of one marked object."""
        numbers = self.objects.window.window(step)
        number = numbers[int(rng.integers(len(numbers)))]
        for old in [one for one in self.kept if one < numbers.start]:
            del self.kept[old]
        if number not in self.kept:
            self.kept[number] = self._mapped(number)
        mapped = self.kept[number][int(rng.integers(len(self.kept[number])))]
        dims = self.config.model.synchformer
        frames = dims.segment_frames
        start = 2 * int(rng.integers((mapped.maps.whole.shape[1] - frames) // 2 + 1))
        answers = mapped.truth.answers(np.array([start]), steps=dims.steps, frames=frames)
        turned = bool(rng.random() < 0.5)
        pieces = [cut(one, start, frames) for one in mapped.maps]
        return Sample(
            Maps(*(mirrored(one) if turned else one for one in pieces)),
            answers,
            mapped.placed.cut(start, frames, mirrored=turned),
        )

    def _mapped(self, number: int) -> tuple[Mapped, ...]:
        result = []
        for marked in self.objects.marked(number):
            shown = [torch.from_numpy(one).float()[None] / 255 for one in (marked.whole, marked.detail)]
            parts = [part for one in shown for part in (one[:, :, :3] * 2 - 1, one[:, :, 3:])]
            maps = Maps(*(one.half() for one in maps_of(*parts)))
            result.append(Mapped(maps, marked.truth, marked.placed))
        return tuple(result)


def cut(maps: Tensor, start: int, frames: int) -> Tensor:
    """Some frames of [S, T, FIGURES, ...] as a segment of its own: its first frame has none before it."""
    piece = maps[:, start : start + frames].float().clone()
    piece[:, 0, CHANGES] = 0
    return piece


class MotionTraining:
    """The stage "motion"."""

    name = "motion"

    def __init__(self, config: Config, source: SceneSource, device: torch.device) -> None:
        self.config, self.source, self.device = config, source, device
        dims = config.model.synchformer
        with torch.random.fork_rng():
            torch.manual_seed(noise_source(config.seed, self.name, "weights").initial_seed())
            self.network = MotionNetwork(dims.motion, tubelet=dims.tubelet, labels=len(source.labels))
        if config.motion.begin:
            new = ("path.fine.", "place.")
            if go_on_from(self.network, Path(config.motion.begin), stage=self.name, new=new):
                self.network.path.fine.begin_like(self.network.path.detail)
        self.network.to(device)
        self.pool = MapPool(source, config)
        self.steady = torch.tensor([*(float(source.steady(one)) for one in range(len(source.labels))), 0.0])
        self._held_out: list[Scene] | None = None

    def trained(self) -> Mapping[str, nn.Parameter]:
        """Everything."""
        return dict(self.network.named_parameters())

    def losses(self, step: int) -> Mapping[str, Tensor]:
        """See `Stage`."""
        rng = draws(self.config.seed, self.name, step, "batch")
        samples = [self.pool.draw(step, rng) for _ in range(self.config.motion.optimisation.batch)]
        maps = Maps(
            *(
                torch.cat(column).to(self.device)
                for column in zip(*(one.maps for one in samples), strict=True)
            )
        )
        asked = [one.answers for one in samples]
        answers = Answers(
            *(torch.cat([getattr(one, name) for one in asked]).to(self.device) for name in Answers.__slots__)
        )
        path = self.network.path
        seen = path.fine.seen(maps.fine)
        places = [one.to(self.device) for one in padded([one.places for one in samples])]
        said = self.network.place(seen.flatten(0, 1)).transpose(1, 2).flatten(1).unflatten(0, seen.shape[:2])
        placed = placed_loss(said, *places)
        losses = self._compare(path.said(maps, seen), answers)
        return {**losses, "loss": losses["loss"] + self.config.motion.placed * placed, "placed": placed}

    def _compare(self, features: Tensor, answers: Answers) -> dict[str, Tensor]:
        network = self.network
        said = [getattr(network, name)(features).flatten(1) for name in CURVES]
        true = [getattr(answers, name).flatten(1) for name in CURVES]
        driven = answers.label[:, 0] @ self.steady.to(features.device)
        curves = curve_losses(torch.stack(said, -1), torch.stack(true, -1), driven=driven)
        label = F.cross_entropy(network.label(features).flatten(0, 1), answers.label.flatten(0, 1))
        total = sum(curves.values()) + self.config.motion.label * label
        return {"loss": total, "label": label, **curves}

    @torch.no_grad()
    def check(self) -> Mapping[str, float]:
        """Of held-out objects with clean, held and still mattes: onset F1, class, how energy goes along."""
        if self._held_out is None:
            self._held_out = check_scenes(self.source, self.config.data)
        figures: dict[str, float] = {}
        for kind in CHECKED:
            tally, right, alike = Tally(), [], []
            for scene in self._held_out:
                for index, thing in enumerate(scene.things):
                    if thing.label == SILENT:
                        continue
                    found, energy, label = self.answer(scene, index, worn(kind, len(scene.frames)))
                    right.append(label == thing.label)
                    if thing.onsets:
                        tally += match_onsets(found, thing.onsets)
                    else:
                        alike.append(_alike(energy, thing.stem))
            figures |= {f"{kind} onset F1": tally.f1, f"{kind} class": float(np.mean(right or [False]))}
            figures[f"{kind} energy"] = float(np.mean(alike or [0]))
        return figures

    def answer(self, scene: Scene, index: int, wear: Wear) -> tuple[tuple[float, ...], Tensor, int]:
        """Onsets in seconds, log power of every bin, and the likeliest class of one object."""
        features = self.network.path(*(one.to(self.device) for one in self._segments(scene, index, wear)))
        curve = self.network.onset(features).sigmoid().flatten().float().cpu().numpy()
        shares = self.network.label(features).log_softmax(-1)[..., :-1].flatten(0, 1).mean(0)
        dims = self.config.model.synchformer
        rate = self.config.model.sync_rate * BINS * dims.steps / dims.segment_frames
        energy = self.network.energy(features).flatten().cpu()
        return pick_onsets(curve, rate=rate, threshold=ONSET_THRESHOLD), energy, int(shares.argmax())

    def _segments(self, scene: Scene, index: int, wear: Wear) -> tuple[Tensor, ...]:
        sizes = self.config.model
        masks = wear.worn_masks(just_one(scene, index).masks)
        frames = wear.worn_frames(scene.frames, slice(None))
        box = find_box(masks, crop_min=sizes.crop_min)
        seen = views(frames, masks, box, shrink=self.config.sync.shrink)
        return tuple(part.unflatten(0, (-1, sizes.synchformer.segment_frames)) for part in parts_of(seen))

    def deliver(self, folder: Path) -> None:
        """The path under the sync encoder's keys, and the questions beside it."""
        state = self.network.state_dict()
        parts = {key: value for key, value in state.items() if key.startswith("path.")}
        write_weights(
            folder / "motion.safetensors",
            {key.replace("path.", "motion.", 1): value for key, value in parts.items()},
        )
        write_weights(
            folder / "heads.safetensors", {key: value for key, value in state.items() if key not in parts}
        )


def worn(kind: str, count: int) -> Wear:
    """Wear of one of `CHECKED` for a window of so many frames."""
    plain = no_wear(count)
    if kind == "clean":
        return plain
    if kind == "held":
        return replace(plain, masks=(lambda masks: held_every(masks, frames=HELD_FRAMES),))
    return replace(plain, masks=(union,))


def _alike(energy: Tensor, stem: np.ndarray) -> float:
    """Correlation of a log power with a sound's, bin by bin."""
    edges = np.linspace(0, len(stem), len(energy) + 1).astype(int)
    power = np.add.reduceat(np.asarray(stem, np.float64) ** 2, edges[:-1]) / np.maximum(np.diff(edges), 1)
    true = np.log(np.maximum(power, np.exp(QUIET)))
    found = energy.numpy()
    if true.std() < _STILL or found.std() < _STILL:
        return 0.0
    return float(np.corrcoef(found, true)[0, 1])
