"""Image and text towers: what is seen, what a phrase means, and that a picture and its phrase agree."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from exporter.models.clip import Clip, ClipDims
from exporter.tokenizer import build_tokenizer, encode, load_merges, text_ids
from exporter.training.checkpoint import write_weights
from exporter.training.config import Config, Mattes
from exporter.training.picturing import draw_wear, find_box
from exporter.training.randomness import draws, noise_source
from exporter.training.scenes import SILENT, Bytes, Scene, ScenePool, SceneSource, check_scenes
from exporter.training.starting import tame_start


class Words:
    """Phrases to rows of token ids [L], as the runtime makes them."""

    def __init__(self, dims: ClipDims) -> None:
        self.ids = text_ids(vocabulary=dims.vocabulary, length=dims.text_length)
        self.tokenizer = build_tokenizer(load_merges(), vocabulary=dims.vocabulary)
        self.known: dict[str, tuple[int, ...]] = {}

    def row(self, phrase: str) -> tuple[int, ...]:
        """Token ids of one phrase."""
        if phrase not in self.known:
            self.known[phrase] = encode(self.tokenizer, phrase, self.ids)
        return self.known[phrase]

    def rows(self, phrases: list[str]) -> Tensor:
        """Token ids [n, L]."""
        return torch.tensor([self.row(phrase) for phrase in phrases])


class TowersNetwork(nn.Module):
    """Both towers and two linear questions: which classes are in a picture, which one a phrase names."""

    def __init__(self, dims: ClipDims, *, labels: int) -> None:
        super().__init__()
        self.clip = Clip(dims)
        self.seen = nn.Linear(dims.embed, labels)
        self.meant = nn.Linear(dims.text_width, labels)
        self.scale = nn.Parameter(torch.tensor(2.0))


class TowersTraining:
    """The stage "towers"."""

    name = "towers"

    def __init__(self, config: Config, source: SceneSource, device: torch.device) -> None:
        self.config, self.source, self.device = config, source, device
        self.words = Words(config.model.clip)
        with torch.random.fork_rng():
            torch.manual_seed(noise_source(config.seed, self.name, "weights").initial_seed())
            self.network = TowersNetwork(config.model.clip, labels=len(source.labels))
            tame_start(self.network)
        self.network.to(device)
        self.pool = ScenePool(source, config.data, stage=self.name)
        self._held_out: list[Scene] | None = None

    def trained(self) -> Mapping[str, nn.Parameter]:
        """All but the contrastive temperature of the checkpoint's own key, which is not used."""
        return {key: value for key, value in self.network.named_parameters() if key != "clip.logit_scale"}

    def losses(self, step: int) -> Mapping[str, Tensor]:
        """See `Stage`."""
        settings, rng = self.config.towers, draws(self.config.seed, self.name, step, "batch")
        mattes = self.config.mattes.at(step, settings.optimisation.steps)
        whole, crops, phrases, present, labels = [], [], [], [], []
        for _ in range(settings.optimisation.batch):
            _, scene = self.pool.draw(step, rng)
            sounding = [one for one in range(len(scene.things)) if scene.things[one].label != SILENT]
            if not sounding:
                continue
            thing = int(rng.choice(sounding))
            pictures = self._pictures(scene, thing, rng, mattes)
            whole.append(pictures[0])
            crops.append(pictures[1])
            phrases.append(str(rng.choice(scene.things[thing].captions)))
            labels.append(scene.things[thing].label)
            present.append(self._present(scene))
        return self._compare(
            torch.stack(whole), torch.stack(crops), phrases, torch.stack(present), torch.tensor(labels)
        )

    def _pictures(
        self, scene: Scene, thing: int, rng: np.random.Generator, mattes: Mattes
    ) -> tuple[Tensor, Tensor]:
        """A whole picture and the crop around one object, at the image tower's size."""
        count = len(scene.frames)
        wear = draw_wear(rng, mattes, count=count, rate=self.config.model.sync_rate)
        frame = int(rng.integers(count))
        which = slice(frame, frame + 1)
        picture = wear.worn_frames(scene.frames, which)
        masks = wear.worn_masks(scene.things[thing].masks)[which]
        box = find_box(masks, crop_min=self.config.model.crop_min)
        crop = picture[..., box.y0 : box.y1, box.x0 : box.x1]
        size = self.config.model.clip.image_size
        return squashed(picture, size)[0], squashed(crop, size)[0]

    def _present(self, scene: Scene) -> Tensor:
        present = torch.zeros(len(self.source.labels))
        for thing in scene.things:
            if thing.label != SILENT:
                present[thing.label] = 1
        return present

    def _compare(
        self, whole: Tensor, crops: Tensor, phrases: list[str], present: Tensor, labels: Tensor
    ) -> dict[str, Tensor]:
        settings, network = self.config.towers, self.network
        labels, present = labels.to(self.device), present.to(self.device)
        images = network.clip.visual(torch.cat([whole, crops]).to(self.device))
        pictures, focused = images.chunk(2)
        positions = network.clip(self.words.rows(phrases).to(self.device))
        seen = F.binary_cross_entropy_with_logits(
            network.seen(pictures * network.scale.exp()), present
        ) + F.cross_entropy(network.seen(focused * network.scale.exp()), labels)
        meant = F.cross_entropy(network.meant(positions.mean(1) * network.scale.exp()), labels)
        agree = self._agreement(focused, positions, labels)
        total = settings.seen * seen + settings.meant * meant + settings.agree * agree
        return {"loss": total, "seen": seen, "meant": meant, "agree": agree}

    def _agreement(self, images: Tensor, positions: Tensor, labels: Tensor) -> Tensor:
        """Contrastive loss between crops and phrases; phrases of the same class are equally right."""
        texts = F.normalize(positions.mean(1) @ self.network.clip.text_projection, dim=-1)
        likeness = images @ texts.T * self.network.scale.exp()
        same = (labels[:, None] == labels[None]).float()
        share = same / same.sum(1, keepdim=True)
        return (F.cross_entropy(likeness, share) + F.cross_entropy(likeness.T, share)) / 2

    def check(self) -> Mapping[str, float]:
        """How often a held-out crop is nearest to a phrase of its class, and a phrase is understood."""
        if self._held_out is None:
            self._held_out = check_scenes(self.source, self.config.data)
        rng = draws(self.config.seed, self.name, "check")
        pairs = [
            (scene, index)
            for scene in self._held_out
            for index, thing in enumerate(scene.things)
            if thing.label != SILENT
        ]
        labels = torch.tensor([scene.things[index].label for scene, index in pairs])
        crops = torch.stack(
            [self._pictures(scene, index, rng, self.config.mattes)[1] for scene, index in pairs]
        )
        phrases = [scene.things[index].captions[-1] for scene, index in pairs]
        images = self.network.clip.visual(crops.to(self.device))
        positions = self.network.clip(self.words.rows(phrases).to(self.device)).mean(1)
        texts = F.normalize(positions @ self.network.clip.text_projection, dim=-1)
        nearest = (images @ texts.T).argmax(1).cpu()
        meant = self.network.meant(positions * self.network.scale.exp()).argmax(1).cpu()
        return {
            "crop to phrase": float((labels[nearest] == labels).float().mean()),
            "phrase to class": float((meant == labels).float().mean()),
        }

    def deliver(self, folder: Path) -> None:
        """Both towers in one file."""
        write_weights(folder / "clip.safetensors", self.network.clip.state_dict())


def squashed(pictures: Tensor, size: int) -> Tensor:
    """[n, 3, H, W] in 0..1 to [n, 3, size, size], bicubic, smoothed where it gets smaller."""
    resized = F.interpolate(pictures, size=(size, size), mode="bicubic", antialias=True, align_corners=False)
    return resized.clamp(0, 1)


def clip_pictures(frames: Bytes, *, times: np.ndarray, size: int) -> Tensor:
    """The pictures [Tc, 3, size, size] in 0..1 of a window's frames at these indices."""
    picked = torch.from_numpy(np.ascontiguousarray(frames[times].transpose(0, 3, 1, 2))).float() / 255
    return squashed(picked, size)
