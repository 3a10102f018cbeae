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
from safetensors.torch import load_file
from torch import Tensor, nn

from exporter.checkpoints import read_checkpoint
from exporter.models.flow import Conditions, FlowNetwork, follow, left_open, upsample_index
from exporter.training.checkpoint import go_on_from, write_weights
from exporter.training.config import Config
from exporter.training.features import KINDS, Features, load_features
from exporter.training.filling import bank_path
from exporter.training.frozen import Encoders, finished
from exporter.training.motion_stage import CURVES
from exporter.training.randomness import draws, noise_source, seed_of
from exporter.training.towers_stage import Words
from exporter.training.voicing import choice_loss, classes_of, curve_losses, nearest_voice

CHECK_TIMES = (0.1, 0.3, 0.5, 0.7, 0.9)
CHECK_SAMPLES = 64
EXPECT_BATCH = 2
USUAL = 3.0
"""Deviations that an error has without being out of the ordinary."""


class Batch(NamedTuple):
    """One step's samples: features [B, ...], latent x1 [B, N, C] normalised, class [B], its curves, labels.

    `present` [B, labels] is 1 for all that sound in it.
    """

    clip: Tensor
    sync: Tensor
    text: Tensor
    x1: Tensor
    kinds: Tensor
    curves: Tensor
    present: Tensor


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

    def asked(self, batch: Batch) -> dict[str, Tensor]:
        """How hard the true class and voice were to choose, and the true curves to say."""
        voices = self.flow.voices
        found = self.flow.unvoiced(batch.clip, batch.sync, batch.text, self._index(batch))
        logits = self.flow.logits(found, batch.sync)
        nearest = nearest_voice(voices, batch.kinds, batch.x1)
        said = voices.curves(batch.sync)
        energy = voices.fitted(said[..., 1], batch.kinds)
        told = torch.stack([said[..., 0], energy, said[..., 2]], -1)
        curves = curve_losses(told, batch.curves, driven=voices.steady[voices.rows[batch.kinds].long()])
        return {"choice": choice_loss(logits, batch.kinds, nearest, present=batch.present), **curves}

    def told(self, batch: Batch) -> Conditions:
        """Conditions of every row with the class, the voice and the curves that are true."""
        voices = self.flow.voices
        found = self.flow.unvoiced(batch.clip, batch.sync, batch.text, self._index(batch))
        nearest = nearest_voice(voices, batch.kinds, batch.x1)
        onset, energy, strike = batch.curves.unbind(-1)
        plain = energy - voices.fitted(torch.zeros_like(energy), batch.kinds)
        plain = plain / (1 + voices.usual[batch.kinds, :1])
        curves = torch.stack([torch.logit(onset.clamp(1e-4, 1 - 1e-4)), plain, strike], -1)
        return self.flow.voiced(found, (batch.kinds, nearest), curves)

    def chosen(self, batch: Batch) -> Tensor:
        """The class that the conditions of every row call for, [B]."""
        found = self.flow.unvoiced(batch.clip, batch.sync, batch.text, self._index(batch))
        return self.flow.logits(found, batch.sync)[0].argmax(-1)

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
        self.config, self.out, self.device = config, out, device
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
        if flow.dims.bank:
            self._ask_as_before()
        if self.config.flow.begin:
            go_on_from(self.network, Path(self.config.flow.begin), stage=self.name, new=(".voices.",))
        else:
            _close_gates(flow)
        flow.latent_mean.copy_(statistics["latent_mean"])
        flow.latent_std.copy_(statistics["latent_std"])
        weights = statistics["latent_std"].flatten() ** self.config.flow.emphasis
        self.weights = (weights / weights.mean()).to(self.device)
        if flow.dims.bank:
            flow.voices.load_state_dict(load_file(bank_path(self.out)), strict=False)
        flow.empty_string_feat.copy_(self.text(self.words.rows([""]).to(self.device))[0].cpu())

    def _ask_as_before(self) -> None:
        """Curves and class begin as the motion path was asked; what follows begins with nothing to add."""
        voices = self.network.flow.voices
        curves = voices.curves
        for value in curves.more.parameters():
            value.zero_()
        path = self.out / "motion" / "heads.safetensors"
        if not path.is_file():
            return
        heads = load_file(path)
        rows = torch.cat([heads[f"{name}.weight"] for name in CURVES])
        curves.plain.weight.zero_()
        curves.plain.weight[:, -rows.shape[1] :] = rows
        curves.plain.bias.copy_(torch.cat([heads[f"{name}.bias"] for name in CURVES]))
        voices.seen.weight.zero_()
        voices.seen.weight[:, -rows.shape[1] :] = heads["label.weight"]
        voices.seen.bias.copy_(heads["label.bias"])

    def trained(self) -> Mapping[str, nn.Parameter]:
        """All but the statistics and the features of no words."""
        return {key: value for key, value in self.network.named_parameters() if value.requires_grad}

    def losses(self, step: int) -> Mapping[str, Tensor]:
        """See `Stage`."""
        self.network.train()
        with torch.random.fork_rng():
            torch.manual_seed(seed_of(self.config.seed, self.name, step, "dropout"))
            return self._losses(step)

    def _losses(self, step: int) -> dict[str, Tensor]:
        settings, rng = self.config.flow, draws(self.config.seed, self.name, step, "batch")
        alone = bool(self.network.flow.dims.bank) and step < settings.expect
        size = settings.optimisation.batch * (EXPECT_BATCH if alone else 1)
        rows = torch.from_numpy(rng.integers(len(self.samples), size=size))
        generator = noise_source(self.config.seed, self.name, step, "noise")
        batch = self._batch(self.samples, rows, generator)
        batch = self._dropped(batch, self.samples.kind[rows], generator)
        if alone:
            return self._asked(batch)
        t, x, velocity = matching_pair(batch.x1, generator)
        if self.network.flow.dims.bank:
            return self._beyond_expectation(batch, x, t, velocity)
        return {"loss": ((self.network(batch, x, t) - velocity).square() * self.weights).mean()}

    def _asked(self, batch: Batch) -> dict[str, Tensor]:
        found = self.network.asked(batch)
        return {"loss": sum(found.values(), torch.zeros((), device=self.device)), **found}

    def _beyond_expectation(self, batch: Batch, x: Tensor, t: Tensor, velocity: Tensor) -> dict[str, Tensor]:
        """What the layers add, at unit size, and what the voices are asked, each by its own loss."""
        flow = self.network.flow
        conditions = self.network.told(batch)
        mean, deviation = flow.expected(conditions)
        guess = follow(torch.zeros_like(x), x, t, mean, deviation)
        size = deviation * left_open(t.view(-1, 1, 1), deviation).rsqrt()
        error = flow.found(x, t, conditions) - (velocity - guess) / size
        found = (_squared(error) * self.weights).mean()
        asked = self._asked(batch)
        return {**asked, "loss": found + asked["loss"], "found": found}

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
            curves=samples.curves[rows].float().to(self.device),
            present=samples.present[rows].float().to(self.device),
        )

    def _classes(self, samples: Features, rows: Tensor) -> Tensor:
        bank = self.network.flow.dims.bank
        return classes_of(samples, count=bank.classes if bank else 1)[rows].to(self.device)

    def _dropped(self, batch: Batch, kinds: Tensor, generator: torch.Generator) -> Batch:
        settings = self.config.flow
        count = len(kinds)
        no_video = torch.rand(count, generator=generator) < settings.drop_video
        revoiced = kinds == KINDS.index("revoiced")
        no_text = (torch.rand(count, generator=generator) < settings.drop_text) & ~revoiced
        return with_nulls(self.network.flow, batch, no_video=no_video, no_text=no_text)

    def check(self) -> Mapping[str, float]:
        """Mean squared error of the velocity at fixed times on held-out samples, nothing dropped."""
        self.network.eval()
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
        return figures | (self._choices(batch) if self.network.flow.dims.bank else {})

    def _choices(self, batch: Batch) -> dict[str, float]:
        """How hard the questions are, and how often the class is the right one, with words and without."""
        mute = torch.ones(len(batch.kinds), dtype=torch.bool)
        wordless = with_nulls(self.network.flow, batch, no_video=~mute, no_text=mute)
        shares = [(self.network.chosen(one) == batch.kinds).float().mean() for one in (batch, wordless)]
        return {
            **{name: float(value) for name, value in self.network.asked(batch).items()},
            "class": float(shares[0]),
            "class without words": float(shares[1]),
        }

    def deliver(self, folder: Path) -> None:
        """The network with its null features and latent statistics.

        Layers that no step has trained would only disturb what the conditions say: then they are silent.
        """
        flow = self.network.flow
        if flow.dims.bank and self.config.flow.expect >= self.config.flow.optimisation.steps:
            with torch.no_grad():
                for value in flow.layers():
                    value.zero_()
        write_weights(folder / "flow.safetensors", flow.state_dict())


def _close_gates(flow: FlowNetwork) -> None:
    """Layers that begin by passing their input on; beside an expectation, by saying nothing."""
    if flow.dims.bank:
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
