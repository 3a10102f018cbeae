import pytest
import torch

from exporter import fill
from exporter.models.synchformer import SYNCHFORMER_BASE, Synchformer, cut_segments
from tests.parity.golden_files import GoldenFile, recording

pytestmark = pytest.mark.parity

TRACE_TOLERANCE = 1e-4
FRAMES = 24


def _segments(name: str, *, channels: int, kind: fill.InputKind) -> torch.Tensor:
    clip = fill.network_input(name, (1, FRAMES, channels, 224, 224), kind=kind)[0]
    return cut_segments(clip, frames=SYNCHFORMER_BASE.segment_frames, step=SYNCHFORMER_BASE.segment_step)


def test_sync_encoder(parity):
    golden = GoldenFile.load("sync")
    network = Synchformer(SYNCHFORMER_BASE).eval()
    fill.fill_module(network)
    inputs = (
        _segments("sync_video", channels=3, kind="image11"),
        _segments("mask_video", channels=1, kind="mask"),
        _segments("sync_detail_video", channels=3, kind="image11"),
        _segments("mask_detail_video", channels=1, kind="mask"),
    )
    # One segment at a time, as the stored trace was taken.
    with recording(network.vfeat_extractor, only=golden.trace()) as recorder:
        features = torch.cat([network(*(one[i : i + 1] for one in inputs)) for i in range(2)])
    assert not golden.first_divergence(recorder.rows, tolerance=TRACE_TOLERANCE)
    parity("synchformer")(golden, "sync_features", features.flatten(0, 1).unsqueeze(0))
