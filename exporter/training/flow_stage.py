"""The flow network, trained from scratch on stored features: flow matching, with null conditions.

A sample without video or words trains what guidance subtracts; words without video train what a
negative prompt takes away. A re-voiced sample keeps its words: they alone tell it apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from exporter.checkpoints import read_checkpoint
from exporter.models.flow import Conditions, FlowNetwork, follow, left_open, upsample_index
from exporter.training.checkpoint import go_on_from, write_weights
from exporter.training.config import Config
from exporter.training.features import KINDS, Features, load_features
from exporter.training.frozen import Encoders, finished
from exporter.training.randomness import draws, noise_source
from exporter.training.towers_stage import Words
from exporter.training.voicing import choice_loss, classes_of, fill_bank

CHECK_TIMES = (0.1, 0.3, 0.5, 0.7, 0.9)
CHECK_SAMPLES = 64
EXPECT_BATCH = 2
SURPRISE = 0.25
"""Weight of the expectation's own loss beside the layers'."""
LOUD, DOUBT = 0.25, 0.25
"""Weights of squares, and of the deviations' likelihood, beside absolute errors."""
CALM = 0.1
"""What is left of the deviations where the expectation stands alone."""
USUAL = 3.0
"""Deviations that an error has without being out of the ordinary."""


class Batch(NamedTuple):
    """One step's samples: features [B, ...], latent x1 [B, N, C] normalised, class of the sound [B]."""

    clip: Tensor
    sync: Tensor
    text: Tensor
    x1: Tensor
    kinds: Tensor


class Matching(nn.Module):
    """The flow network as one call, so that its parameters can be replaced for a step."""

    def __init__(self, flow: FlowNetwork) -> None:
        super().__init__()
        self.flow = flow

    def forward(self, batch: Batch, x: Tensor, t: Tensor) -> Tensor:
        """v(x, t) of every row, t [B]."""
        return self.flow.velocity(x, t, self.conditions(batch))

    def conditions(self, batch: Batch) -> Conditions:
        """Of every row, with the voices they choose."""
        return self.flow.conditions(batch.clip, batch.sync, batch.text, self._index(batch))

    def told(self, batch: Batch) -> tuple[Conditions, Tensor]:
        """Conditions of every row with the voices that are true, and how hard those were to choose."""
        if not self.flow.dims.voices:
            return self.conditions(batch), torch.zeros((), device=batch.x1.device)
        voices = self.flow.voices
        found = self.flow.unvoiced(batch.clip, batch.sync, batch.text, self._index(batch))
        logits = voices.logits(found.sync_condition, found.global_condition)
        described = voices.describe(batch.x1)
        return self.flow.voiced(found, described), choice_loss(voices, logits, batch.kinds, described)

    def chosen(self, batch: Batch) -> Tensor:
        """The class that the conditions of every row call for, [B]."""
        found = self.flow.unvoiced(batch.clip, batch.sync, batch.text, self._index(batch))
        return self.flow.voices.logits(found.sync_condition, found.global_condition)[0].argmax(-1)

    def _index(self, batch: Batch) -> Tensor:
        return upsample_index(batch.sync.shape[1], batch.x1.shape[1]).to(batch.x1.device)


def matching_pair(x1: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Time t [B] (logit-normal), the state there, and the velocity to learn: x_t, x1 - x0."""
    x0 = torch.randn(x1.shape, generator=generator).to(x1.device)
    t = torch.randn(len(x1), generator=generator).sigmoid().to(x1.device)
    share = t.view(-1, 1, 1)
    return t, (1 - share) * x0 + share * x1, x1 - x0


class FlowTraining:
    """The stage "flow"."""

    name = "flow"

    def __init__(self, config: Config, out: Path, device: torch.device) -> None:
        self.config, self.device = config, device
        self.samples, self.held_out = load_features(out)
        self.text = Encoders.load(out, config.model, device).clip
        self.words = Words(config.model.clip)
        with torch.random.fork_rng():
            torch.manual_seed(noise_source(config.seed, self.name, "weights").initial_seed())
            self.network = Matching(FlowNetwork(config.model.flow))
        self._start(read_checkpoint(finished(out, "latent")))
        self.network.to(device)
        self.sync_std = float(self.samples.sync.float().std())

    @torch.no_grad()
    def _start(self, statistics: Mapping[str, Tensor]) -> None:
        """First weights or an earlier run's, then latent statistics, features of no words, bank of voices."""
        flow = self.network.flow
        if self.config.flow.begin:
            go_on_from(self.network, Path(self.config.flow.begin), stage=self.name, new=".voices.")
        else:
            _close_gates(flow)
        flow.latent_mean.copy_(statistics["latent_mean"])
        flow.latent_std.copy_(statistics["latent_std"])
        weights = statistics["latent_std"].flatten() ** self.config.flow.emphasis
        self.weights = (weights / weights.mean()).to(self.device)
        if flow.dims.voices:
            latents = (self.samples.mean.float() - flow.latent_mean) / flow.latent_std
            fill_bank(flow.voices, latents, classes_of(self.samples, count=flow.dims.voice_classes))
        flow.empty_string_feat.copy_(self.text(self.words.rows([""]).to(self.device))[0].cpu())

    def trained(self) -> Mapping[str, nn.Parameter]:
        """All but the statistics and the features of no words."""
        return {key: value for key, value in self.network.named_parameters() if value.requires_grad}

    def losses(self, step: int) -> Mapping[str, Tensor]:
        """See `Stage`."""
        settings, rng = self.config.flow, draws(self.config.seed, self.name, step, "batch")
        alone = self.network.flow.dims.expecting and step < settings.expect
        size = settings.optimisation.batch * (EXPECT_BATCH if alone else 1)
        rows = torch.from_numpy(rng.integers(len(self.samples), size=size))
        generator = noise_source(self.config.seed, self.name, step, "noise")
        batch = self._batch(self.samples, rows, generator)
        batch = self._dropped(batch, self.samples.kind[rows], generator)
        if alone:
            conditions, choice = self.network.told(batch)
            surprise = self._surprise(batch, *self.network.flow.expected(conditions))
            return {
                "loss": surprise + self.config.flow.choice * choice,
                "surprise": surprise,
                "choice": choice,
            }
        t, x, velocity = matching_pair(batch.x1, generator)
        if self.network.flow.dims.expecting:
            return self._beyond_expectation(batch, x, t, velocity)
        return {"loss": ((self.network(batch, x, t) - velocity).square() * self.weights).mean()}

    def _beyond_expectation(self, batch: Batch, x: Tensor, t: Tensor, velocity: Tensor) -> dict[str, Tensor]:
        """What the layers add, at unit size, and what the expectation says, each by its own loss."""
        flow = self.network.flow
        conditions, choice = self.network.told(batch)
        mean, deviation = flow.expected(conditions)
        fixed = (mean.detach(), deviation.detach())
        guess = follow(torch.zeros_like(x), x, t, *fixed)
        size = fixed[1] * left_open(t.view(-1, 1, 1), fixed[1]).rsqrt()
        error = flow.found(x, t, conditions) - (velocity - guess) / size
        found = (_squared(error) * self.weights).mean()
        surprise = self._surprise(batch, mean, deviation)
        loss = found + SURPRISE * surprise + self.config.flow.choice * choice
        return {"loss": loss, "found": found, "surprise": surprise, "choice": choice}

    def _surprise(self, batch: Batch, mean: Tensor, deviation: Tensor) -> Tensor:
        """How far the mean is off, absolute for silence's sake and squared for loud things'; and how surely.

        The median of what may be is a sound and the mean is none, but most of a latent is silence: absolute
        errors alone care little for the colour of what sounds.
        """
        error = batch.x1 - mean
        off = error.abs() + LOUD * error.square()
        doubt = error.detach().abs() / deviation + deviation.log()
        return ((off + DOUBT * doubt) * self.weights).mean()

    def _batch(self, samples: Features, rows: Tensor, generator: torch.Generator) -> Batch:
        flow = self.network.flow
        mean, std = samples.mean[rows].float(), samples.std[rows].float()
        latent = mean + std * torch.randn(mean.shape, generator=generator)
        phrase = torch.randint(samples.tokens.shape[1], (len(rows),), generator=generator)
        with torch.no_grad():
            text = self.text(samples.tokens[rows, phrase].to(self.device))
        sync = samples.sync[rows].float()
        noise = torch.randn(sync.shape, generator=generator) * self.sync_std * self.config.flow.sync_noise
        return Batch(
            clip=samples.clip[rows].float().to(self.device),
            sync=(sync + noise).to(self.device),
            text=text,
            x1=(latent.to(self.device) - flow.latent_mean) / flow.latent_std,
            kinds=self._classes(samples, rows),
        )

    def _classes(self, samples: Features, rows: Tensor) -> Tensor:
        count = self.network.flow.dims.voice_classes
        return classes_of(samples, count=count)[rows].to(self.device)

    def _dropped(self, batch: Batch, kinds: Tensor, generator: torch.Generator) -> Batch:
        settings = self.config.flow
        count = len(kinds)
        no_video = torch.rand(count, generator=generator) < settings.drop_video
        revoiced = kinds == KINDS.index("revoiced")
        no_text = (torch.rand(count, generator=generator) < settings.drop_text) & ~revoiced
        return with_nulls(self.network.flow, batch, no_video=no_video, no_text=no_text)

    def check(self) -> Mapping[str, float]:
        """Mean squared error of the velocity at fixed times on held-out samples, nothing dropped."""
        generator = noise_source(self.config.seed, self.name, "check")
        rows = torch.arange(min(len(self.held_out), CHECK_SAMPLES))
        batch = self._batch(self.held_out, rows, generator)
        x0 = torch.randn(batch.x1.shape, generator=generator).to(self.device)
        figures = {}
        for time in CHECK_TIMES:
            t = torch.full((len(rows),), time, device=self.device)
            found = self.network(batch, (1 - time) * x0 + time * batch.x1, t)
            figures[f"velocity {time}"] = float((found - (batch.x1 - x0)).square().mean())
        figures["velocity"] = sum(figures.values()) / len(figures)
        if self.network.flow.dims.expecting:
            expected = self.network.flow.expected(self.network.conditions(batch))
            figures["surprise"] = float(self._surprise(batch, *expected))
        return figures | (self._choices(batch) if self.network.flow.dims.voices else {})

    def _choices(self, batch: Batch) -> dict[str, float]:
        """Surprise with the true voices, and how often the class is the right one, with words and without."""
        told, _ = self.network.told(batch)
        mute = torch.ones(len(batch.kinds), dtype=torch.bool)
        wordless = with_nulls(self.network.flow, batch, no_video=~mute, no_text=mute)
        shares = [(self.network.chosen(one) == batch.kinds).float().mean() for one in (batch, wordless)]
        return {
            "surprise told": float(self._surprise(batch, *self.network.flow.expected(told))),
            "class": float(shares[0]),
            "class without words": float(shares[1]),
        }

    def deliver(self, folder: Path) -> None:
        """The network with its null features and latent statistics.

        Layers that no step has trained would only disturb what the conditions say, and a sample of each
        value by itself is noise: then they are silent, and the deviations a tenth.
        """
        flow = self.network.flow
        if flow.dims.expecting and self.config.flow.expect >= self.config.flow.optimisation.steps:
            with torch.no_grad():
                for value in flow.layers():
                    value.zero_()
                flow.expectation.calm(CALM)
        write_weights(folder / "flow.safetensors", flow.state_dict())


def _close_gates(flow: FlowNetwork) -> None:
    """Layers that begin by passing their input on; beside an expectation, by saying nothing."""
    if flow.dims.expecting:
        for value in flow.final_layer.conv.parameters():
            value.zero_()
    for name, module in flow.named_modules():
        if name.endswith("adaLN_modulation"):
            for value in module.get_submodule("1").parameters():
                value.zero_()


def _squared(error: Tensor) -> Tensor:
    """The square up to `USUAL` deviations, beyond it as its tangent.

    One sample that sounds where silence was certain would otherwise undo a hundred steps.
    """
    return 2 * F.huber_loss(error, torch.zeros_like(error), reduction="none", delta=USUAL)


def with_nulls(flow: FlowNetwork, batch: Batch, *, no_video: Tensor, no_text: Tensor) -> Batch:
    """Rows whose pictures or words are missing get the null features, which are trained by it."""
    null = flow.null_conditions()
    video = no_video.view(-1, 1, 1).to(batch.x1.device)
    words = no_text.view(-1, 1, 1).to(batch.x1.device)
    return batch._replace(
        clip=torch.where(video, null.clip, batch.clip),
        sync=torch.where(video, null.sync, batch.sync),
        text=torch.where(words, null.text, batch.text),
    )
