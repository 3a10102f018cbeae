"""The vocoder's trunk: sharper magnitudes than least squares give, and phases to begin the rounds with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from exporter.errors import ExportError
from exporter.models.mel import log_mel
from exporter.models.vocos import Vocos, VocosDims
from exporter.training.checkpoint import write_weights
from exporter.training.config import Config
from exporter.training.randomness import draws, noise_source
from exporter.training.scenes import SceneSource
from exporter.training.sounding import SoundPool, check_sounds, errors_by_class, level_weights, loud_error
from exporter.training.vae_stage import latent_frames

FLOOR = 1e-4


class VocoderTraining:
    """The stage "vocoder"."""

    name = "vocoder"

    def __init__(self, config: Config, source: SceneSource, device: torch.device) -> None:
        self.config, self.source, self.device = config, source, device
        self.dims = vocos_dims(config)
        with torch.random.fork_rng():
            torch.manual_seed(noise_source(config.seed, self.name, "weights").initial_seed())
            self.network = Vocos(replace(self.dims, refinements=config.vocoder.refinements))
        self.network.to(device)
        self.pool = SoundPool(source, config.data, stage=self.name)

    def trained(self) -> Mapping[str, nn.Parameter]:
        """The trunk: everything else is a table."""
        return dict(self.network.named_parameters())

    def losses(self, step: int) -> Mapping[str, Tensor]:
        """See `Stage`."""
        settings, rng = self.config.vocoder, draws(self.config.seed, self.name, step, "batch")
        samples = settings.frames * self.dims.hop
        waves = [
            torch.from_numpy(self.pool.draw(step, rng, samples=samples))
            for _ in range(settings.optimisation.batch)
        ]
        wave = torch.stack(waves).to(self.device).clamp(-1, 1)
        mel = log_mel(wave, self.dims.mel)
        magnitude, unit = self.network.spectrum(mel)
        true = self._true_spectra(wave)
        figures = self._spectral_losses(magnitude, unit, true)
        grid = magnitude.unflatten(-1, (self.network.fourier.n1, -1))
        wanted = torch.cat([grid, grid], -1)
        sound = self.network.sound(self.network.refine(wanted, wanted * unit))
        figures["mel"] = self._weighted(log_mel(sound, self.dims.mel), mel)
        figures["spectrum"] = _spectral_distance(sound, wave, hop=self.dims.hop)
        figures["loss"] = sum(getattr(settings, name) * value for name, value in tuple(figures.items()))
        return figures

    def _true_spectra(self, wave: Tensor) -> Tensor:
        """[B, frames, n1, n2] of the waveform, framed as the mel is."""
        margin = (self.dims.fft - self.dims.hop) // 2
        padded = nn.functional.pad(wave.unsqueeze(1), (margin, margin), mode="reflect").squeeze(1)
        return self.network.fourier.transform(self.network.overlap.cut(padded))

    def _spectral_losses(self, magnitude: Tensor, unit: Tensor, true: Tensor) -> dict[str, Tensor]:
        """Log magnitude, and the turns of phase from bin to bin in time, where there is sound."""
        real, imaginary = (part.flatten(2) for part in true.chunk(2, -1))
        length = (real.square() + imaginary.square()).sqrt()
        settings = self.config.vocoder
        logs = (length + FLOOR).log()
        weights = level_weights(logs, loud=settings.loud, depth=settings.depth)
        distance = (weights * ((magnitude + FLOOR).log() - logs).abs()).sum() / weights.sum()
        found = torch.complex(*(part.flatten(2) for part in unit.float().chunk(2, -1)))
        there = torch.complex(real.float(), imaginary.float()) / (length + FLOOR)
        turn = (found[:, 1:] * found[:, :-1].conj()) * (there[:, 1:] * there[:, :-1].conj()).conj()
        share = (length[:, 1:] * length[:, :-1]).sqrt()
        phase = (share * (1 - turn.real)).sum() / (share.sum() + FLOOR)
        return {"magnitude": distance, "phase": phase}

    def _weighted(self, found: Tensor, true: Tensor) -> Tensor:
        settings = self.config.vocoder
        weights = level_weights(true, loud=settings.loud, depth=settings.depth)
        return (weights * (found - true).abs()).sum() / weights.sum()

    def check(self) -> Mapping[str, float]:
        """Error of the loud bins on true mels, dB, by class: trained, and plain Griffin-Lim beside it."""
        trained = Vocos(self.dims).to(self.device).eval()
        trained.load_state_dict(self.network.state_dict())
        plain = Vocos(self.dims).to(self.device).eval()
        figures: dict[str, float] = {}
        samples = latent_frames(self.config) * self.dims.hop
        sounds = check_sounds(self.source, self.config.data, samples=samples)
        for prefix, network in (("", trained), ("plain ", plain)):
            errors = []
            for label, wave in sounds:
                mel = log_mel(wave.to(self.device), self.dims.mel)
                errors.append((label, loud_error(log_mel(network(mel)[:, 0], self.dims.mel), mel)))
            rows = errors_by_class(errors, self.source.labels)
            figures |= {prefix + name: value for name, value in rows.items()}
        return figures

    def deliver(self, folder: Path) -> None:
        """The trunk's weights."""
        write_weights(folder / "vocoder.safetensors", self.network.state_dict())


def vocos_dims(config: Config) -> VocosDims:
    """The vocoder's sizes.

    Raises:
        ExportError: the model's vocoder is of another kind.
    """
    dims = config.model.vocoder
    if not isinstance(dims, VocosDims):
        raise ExportError(
            f"The vocoder of {config.sizes} is not one that is trained here.",
            remedy="Name sizes with a Vocos vocoder, such as tiny.",
        )
    return dims


def _spectral_distance(found: Tensor, true: Tensor, *, hop: int) -> Tensor:
    """Log-magnitude difference at a short, the mel's and a long window."""
    total = torch.zeros((), device=found.device)
    for fft in (hop, 2 * hop, 8 * hop):
        window = torch.hann_window(fft, device=found.device)
        pair = [
            (torch.stft(one.float(), fft, fft // 4, window=window, return_complex=True).abs() + FLOOR).log()
            for one in (found, true)
        ]
        total = total + (pair[0] - pair[1]).abs().mean() / 3
    return total
