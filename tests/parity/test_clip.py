import pytest
import torch

from exporter import fill
from exporter.models.clip import CLIP_VIT_H_14_378, VISUAL_PREFIX, ImageTower, TextTower
from tests.parity.golden_files import GoldenFile, recording

pytestmark = pytest.mark.parity

TRACE_TOLERANCE = 1e-4


def test_image_tower(parity):
    golden = GoldenFile.load("clip")
    tower = ImageTower(CLIP_VIT_H_14_378).eval()
    fill.fill_module(tower, prefix=VISUAL_PREFIX)
    video = fill.network_input("clip_video", (1, 2, 3, 384, 384), kind="image01")
    with recording(tower, only=golden.trace()) as recorder:
        features = tower(video.flatten(0, 1)).unflatten(0, (1, 2))
    assert not golden.first_divergence(recorder.rows, tolerance=TRACE_TOLERANCE)
    parity("clip image")(golden, "clip_features", features)


def test_text_tower(parity):
    golden = GoldenFile.load("text")
    tower = TextTower(CLIP_VIT_H_14_378).eval()
    fill.fill_module(tower)
    with recording(tower, only=golden.trace()) as recorder:
        features = tower(torch.from_numpy(golden.whole("tokens")).long())
    assert not golden.first_divergence(recorder.rows, tolerance=TRACE_TOLERANCE)
    parity("clip text")(golden, "text_features", features)
