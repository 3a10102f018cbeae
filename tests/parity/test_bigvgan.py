"""The vocoder at full size against the golden vectors."""

import pytest
import torch

from exporter import fill
from exporter.models.bigvgan import BIGVGAN_44K, Vocoder, anti_aliasing_filter, fold_weight_norm
from tests.parity.golden_files import GoldenFile, stored_shapes

pytestmark = pytest.mark.parity


def test_vocoder(parity):
    with torch.device("meta"):
        vocoder = Vocoder(BIGVGAN_44K)
    shapes = stored_shapes("bigvgan_v2_44khz_128band_512x.weight_norm")
    weights = fold_weight_norm(fill.weights(shapes))
    weights |= {key: anti_aliasing_filter().view(1, 1, -1) for key in shapes if key.endswith(".filter")}
    vocoder.load_state_dict(weights, assign=True)
    audio = vocoder.eval()(fill.network_input("mel", (1, 128, 48), kind="logmel"))
    parity("vocoder")(GoldenFile.load("vocoder"), "audio", audio)
