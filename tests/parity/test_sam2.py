"""SAM 2.1 tiny at full size against the golden vectors, stage by stage."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from exporter import fill
from exporter.models.sam2 import HeadsGraph, ImageGraph, MemoryAttentionGraph, MemoryEncoderGraph
from exporter.models.sam2_layers import rotation_tables, sine_position
from exporter.models.sam2_sizes import SAM21_TINY
from tests.parity.golden_files import GoldenFile
from tests.parity.sam2_cases import SIDE, filled_network, golden_image, smooth

pytestmark = pytest.mark.parity

POINT_CASES = ("click", "clicks3", "box", "none", "refine")
ROTATION_ROWS = [0, 1, 63, 64, 65, 4095]


@pytest.fixture(scope="module")
def network():
    return filled_network()


@pytest.fixture(scope="module")
def features(network):
    with torch.inference_mode():
        return ImageGraph(network)(golden_image())


def test_image_encoder(network, features, parity):
    golden = GoldenFile.load("sam2_image_encoder")
    check = parity("sam2 image encoder")
    stages = network.image_encoder.trunk(golden_image())
    for index, stage in enumerate(stages):
        check(golden, f"trunk{index}", stage)
    for index, level in enumerate(network.image_encoder.neck(stages)):
        check(golden, f"neck{index}", level)
    for index, feature in enumerate(features):
        check(golden, f"feat_s{index}", feature)
    check(golden, "pos_s2", sine_position(SAM21_TINY.grid, SAM21_TINY.model_width)[None])


@pytest.mark.parametrize("case", POINT_CASES)
def test_heads(case, network, features, parity):
    golden = GoldenFile.load("sam2_heads")
    check = parity("sam2 heads")
    s0, s1, f2 = features
    prompts = network.sam_prompt_encoder
    points, labels = _points(golden, case)
    mask, has_mask = _earlier_mask(case)
    check(golden, f"{case}/sparse", prompts.points(points, labels))
    if case == "refine":
        check(golden, "refine/dense", prompts.dense(mask, has_mask))
    source = f2 + network.no_mem_embed.reshape(1, -1, 1, 1) + prompts.dense(mask, has_mask)
    decoded = network.sam_mask_decoder(
        source, prompts.image_position(), prompts.points(points, labels), s0, s1
    )
    check(golden, f"{case}/raw_masks4", decoded.masks)
    check(golden, f"{case}/raw_iou4", decoded.iou)
    check(golden, f"{case}/raw_tokens4", decoded.tokens)
    check(golden, f"{case}/object_score", decoded.score)
    positive = (decoded.masks > 0).sum((2, 3)).numpy()
    assert np.abs(positive - golden.whole(f"{case}/raw_positive")).max() <= 3


def test_image_position(network, parity):
    golden = GoldenFile.load("sam2_heads")
    parity("sam2 heads")(golden, "dense_pe", network.sam_prompt_encoder.image_position())


@pytest.mark.parametrize("case", ["tracked", "clicked", "occluded"])
def test_memory_encoder(case, network, features, parity):
    golden = GoldenFile.load("sam2_memory_encoder")
    logits = 6 * smooth("sam2_memlogits", (1, 1, 16, 16), SIDE)
    mask = (logits > 0).float() if case == "clicked" else torch.sigmoid(logits)
    present = torch.tensor([0.0 if case == "occluded" else 1.0])
    memory = MemoryEncoderGraph(network)(features[2], mask * 20 - 10, present)
    parity("sam2 memory encoder")(golden, f"{case}/memory", memory)


def test_memory_position(parity):
    golden = GoldenFile.load("sam2_memory_encoder")
    code = sine_position(SAM21_TINY.grid, SAM21_TINY.memory_width)[None]
    parity("sam2 memory encoder")(golden, "memory_pos", code)


def test_rotation_tables(parity):
    golden = GoldenFile.load("sam2_memory_attention")
    cos, sin = rotation_tables(SAM21_TINY.grid, SAM21_TINY.model_width)
    check = parity("sam2 attention")
    check(golden, "rope_cos_rows", cos[ROTATION_ROWS])
    check(golden, "rope_sin_rows", sin[ROTATION_ROWS])


def _sine_of_distances(distances: list[float]) -> torch.Tensor:
    frequencies = 10000.0 ** (-2 * (torch.arange(128) // 2) / 128)
    angles = torch.tensor(distances)[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], 1)


def test_memory_attention(network, parity):
    golden = GoldenFile.load("sam2_memory_attention")
    check = parity("sam2 attention")
    cur = fill.network_input("sam2_cur", (4096, 1, 256), kind="normal")
    memories = [fill.network_input(f"sam2_mem{i}", (1, 64, 64, 64), kind="normal") for i in range(2)]
    pointers = [fill.network_input(f"sam2_ptr{i}", (1, 256), kind="normal") for i in range(2)]
    graph = MemoryAttentionGraph(network)
    given = (
        torch.cat(memories),
        torch.tensor([6, 0]),
        torch.cat(pointers),
        _sine_of_distances([2 / 9, 1 / 9]),
    )
    memory = graph.memory(*given)
    tokens = torch.cat([memory.frames.flatten(0, 1), memory.pointers])[:, None]
    position = torch.cat([memory.frame_position.flatten(0, 1), memory.pointer_position])[:, None]
    check(golden, "memory_tokens", tokens)
    check(golden, "memory_pos_tokens", position)
    check(golden, "pointer_pos", memory.pointer_position[:, None])
    f2 = cur.permute(1, 2, 0).reshape(1, 256, 64, 64)
    check(golden, "out", graph(f2, *given))


def test_a_given_mask_gives_its_pointer(network, features, parity):
    golden = GoldenFile.load("sam2_heads")
    mask = (smooth("sam2_maskin", (1, 1, 8, 8), SIDE) > 0).float()
    points, labels = torch.zeros(1, 1, 2), torch.full((1, 1), -1)
    s0, s1, f2 = features
    small = network.mask_downsample(mask)
    _, _, pointers, _ = HeadsGraph(network)(f2, s0, s1, points, labels, small, torch.ones(1))
    low = interpolate(mask * 20 - 10, size=(256, 256), mode="bilinear", antialias=True)
    parity("sam2 heads")(golden, "mask_input/low_res_mask", low)
    parity("sam2 heads")(golden, "mask_input/obj_ptr", pointers[:, 0])


def _points(golden: GoldenFile, case: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The case's points; no prompt at all is one point that is none."""
    if case == "none":
        return torch.zeros(1, 1, 2), torch.full((1, 1), -1)
    points, labels = golden.whole(f"{case}/points"), golden.whole(f"{case}/labels")
    return torch.from_numpy(points)[None], torch.from_numpy(labels).long()[None]


def _earlier_mask(case: str) -> tuple[torch.Tensor, torch.Tensor]:
    if case != "refine":
        return torch.zeros(1, 1, 256, 256), torch.zeros(1)
    logits = 4 * smooth("sam2_prevmask", (1, 1, 16, 16), 256)
    return logits.clamp(-32, 32), torch.ones(1)
