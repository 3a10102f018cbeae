"""The best a bundle's last stages could do: the true stem through the VAE's encoder, which no bundle carries.

The encoder's weights stay where they were trained. Where they are not, or are not those of the bundle,
there is no oracle, and the report says "not measured".
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from exporter.checkpoints import load_strictly, read_checkpoint
from exporter.evaluation.onsets import Float
from exporter.models.mel import MelDims, log_mel
from exporter.models.vae import Vae, normalise_weights
from exporter.sizes import SIZES
from exporter.training.sounding import loud_error, mel_layout
from models_onnx.bundle import Bundle

VAE_FILE = "weights/vae.safetensors"


@dataclass(frozen=True, slots=True)
class Oracle:
    """Waves to mels and latents."""

    vae: Vae
    layout: MelDims
    multiple: int

    @classmethod
    def find(cls, training: Path, bundle: Bundle) -> Oracle | None:
        """From the folder of the run that the bundle was exported from; None where it is another's."""
        path = training / VAE_FILE
        sizes = SIZES.get(bundle.manifest.architecture)
        if sizes is None or not path.is_file():
            return None
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest not in {source.sha256 for source in bundle.manifest.sources}:
            return None
        vae = Vae(sizes.vae)
        load_strictly(vae, normalise_weights(read_checkpoint(path)), name=str(path))
        return cls(vae.eval().requires_grad_(requires_grad=False), mel_layout(sizes), sizes.latent_hop)

    def mel(self, wave: Float) -> Float:
        """Log-mel [bands, frames] of as many whole latents as the wave has."""
        whole = np.ascontiguousarray(wave[: len(wave) // self.multiple * self.multiple])
        return np.asarray(log_mel(torch.from_numpy(whole)[None], self.layout)[0].numpy(), np.float32)

    def latent(self, mel: Float) -> Float:
        """[1, N, C], as the decoder's graph wants it."""
        mean = self.vae.encode(torch.from_numpy(mel)[None]).mean
        return np.asarray(mean.transpose(1, 2).numpy(), np.float32)

    @staticmethod
    def error(found: Float, true: Float) -> float:
        """Mean absolute difference over the loud bins of the true mel, dB."""
        frames = min(found.shape[1], true.shape[1])
        return loud_error(torch.from_numpy(found[:, :frames]), torch.from_numpy(true[:, :frames]))
