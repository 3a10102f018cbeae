"""Mel front end, VAE encoder and decoder at full size against the golden vectors."""

import json
from pathlib import Path

import pytest
import torch

from exporter import fill
from exporter.models.mel import log_mel
from exporter.models.vae import VAE_44K, DecoderGraph, Vae, normalise_weights
from tests.parity.golden_files import GoldenFile, stored_shapes

pytestmark = pytest.mark.parity

STATISTICS = Path(__file__).parent / "vae_statistics.json"
"""Mel mean and deviation per band, constants of the v1-44 architecture."""


@pytest.fixture(scope="module")
def vae():
    with torch.device("meta"):
        network = Vae(VAE_44K)
    weights = normalise_weights(fill.weights(stored_shapes("vae_v1-44")))
    statistics = json.loads(STATISTICS.read_text("utf-8"))
    weights |= {key: torch.tensor(values).view(1, -1, 1) for key, values in statistics.items()}
    network.load_state_dict(weights, assign=True)
    return network.eval()


def test_decoder(vae, parity):
    latent = fill.network_input("latent", (1, 216, 40), kind="normal")
    parity("vae decoder")(GoldenFile.load("vae"), "mel", DecoderGraph(vae)(latent))


def test_mel_and_encoder(vae, parity):
    golden = GoldenFile.load("vae_enc")
    mel = log_mel(fill.network_input("wave", (1, 65536), kind="wave"))
    parity("mel")(golden, "mel", mel)
    posterior = vae.encode(mel)
    parity("vae encoder")(golden, "mean", posterior.mean)
    parity("vae encoder")(golden, "std", posterior.std)
