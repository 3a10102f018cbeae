"""SAM 2.1's host loop against the golden clip, on torch and on the ONNX graphs (minutes)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from exporter.sam2_export import Sam2Request, export_sam2
from exporter.sam2_graphs import SAM2_SIZES
from exporter.sam2_weights import DrawnSam2
from models_onnx.mask_manifest import MaskBundle
from plugin.masks.sam2_graphs import Sam2Constants, Sam2Graphs
from plugin.masks.sam2_pictures import enlarged, from_bfloat16
from tests.parity.golden_files import GoldenFile
from tests.parity.sam2_cases import SIDE, filled_network, golden_frame
from tests.parity.sam2_hosts import (
    VIDEO,
    TorchGraphs,
    constants_of,
    manifest_of,
    run_golden_correction,
    run_golden_story,
    session_of,
)

pytestmark = pytest.mark.parity

TINY = SAM2_SIZES["sam2-tiny"]
LOGITS, MEMORIES, PIXELS = 1e-4, 1e-3, 2


def _images(frame: int) -> np.ndarray:
    return golden_frame(frame).numpy()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> MaskBundle:
    folder: Path = tmp_path_factory.mktemp("sam2") / "bundle"
    request = Sam2Request(TINY, DrawnSam2(), "sam2-tiny", "SAM 2.1 tiny", trained=False)
    with torch.inference_mode(mode=False):
        return export_sam2(request, output=folder, say=lambda _: None)


@pytest.fixture(params=["torch", "onnx"])
def new_session(request):
    if request.param == "torch":
        network = filled_network()
        graphs, constants, manifest = TorchGraphs(network, TINY), constants_of(network), manifest_of(TINY)
    else:
        found = request.getfixturevalue("bundle")
        graphs = Sam2Graphs.open(found, provider="cpu", threads=1)
        constants, manifest = Sam2Constants.load(found), found.manifest
    return request.param, lambda: session_of(graphs, constants, manifest, _images)


def test_click_forward_and_reverse(new_session, parity):
    by, session = new_session
    story = run_golden_story(session(), side=SIDE)
    _check(story, parity("sam2 tracking", implementation=by), parity("sam2 memories", implementation=by))
    golden = GoldenFile.load("sam2_propagation")
    for frame in (1, 2, 3):
        shown = enlarged(story[f"forward/f{frame}"].chosen.logits, height=VIDEO[0], width=VIDEO[1])
        golden.check(f"forward/f{frame}/video_res_sample", shown[None, None], tolerance=LOGITS)


def test_a_correction_in_the_middle_survives(new_session, parity):
    by, session = new_session
    story = run_golden_correction(session(), side=SIDE)
    check = parity("sam2 tracking", implementation=by)
    golden = GoldenFile.load("sam2_propagation")
    check(golden, "correct/f3/low_res_logits_at_click", story.pop("at_click").logits[None, None])
    _check(story, check, parity("sam2 memories", implementation=by))


def _check(story, check, check_memory) -> None:
    golden = GoldenFile.load("sam2_propagation")
    for name, found in story.items():
        chosen = found.chosen
        check(golden, f"{name}/low_res_logits", chosen.logits[None, None])
        check(golden, f"{name}/obj_ptr", chosen.pointer[None])
        check(golden, f"{name}/object_score", np.array([[chosen.score]]))
        check_memory(golden, f"{name}/memory", from_bfloat16(found.memory)[None])
        positive = int((chosen.logits > 0).sum())
        assert abs(positive - int(golden.whole(f"{name}/positive_pixels"))) <= PIXELS, name
