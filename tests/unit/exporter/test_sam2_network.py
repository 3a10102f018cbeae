"""SAM 2.1's networks: published keys and shapes, and the quirks its weights were trained with."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import layer_norm

from exporter import fill
from exporter.checkpoints import WrongCheckpoint, load_strictly
from exporter.models.sam2 import HeadsGraph, MemoryAttentionGraph, MemoryEncoderGraph, Sam2
from exporter.models.sam2_image import TrunkBlock, cut_windows, join_windows
from exporter.models.sam2_layers import ChannelNorm, rotate, rotation_tables, sine_position
from exporter.models.sam2_sizes import GOLDEN_SAM2, SAM21_BASE_PLUS, SAM21_SMALL, SAM21_TINY
from exporter.sam2_filling import SCORE_BIAS, fill_sam2
from tests.parity.golden_files import stored_shapes

PUBLISHED = {
    "sam2.1_hiera_tiny": (SAM21_TINY, 471, 38_962_754),
    "sam2.1_hiera_small": (SAM21_SMALL, 519, 46_060_610),
    "sam2.1_hiera_base_plus": (SAM21_BASE_PLUS, 615, 80_850_434),
}
DIMS = GOLDEN_SAM2


@pytest.fixture(autouse=True)
def _inference_only():
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def network():
    return fill_sam2(Sam2(DIMS))


def normal(name, *shape):
    return fill.network_input(name, shape, kind="normal")


@pytest.mark.parametrize("name", PUBLISHED)
def test_keys_and_shapes_are_the_published_ones(name):
    dims, entries, elements = PUBLISHED[name]
    with torch.device("meta"):
        state = Sam2(dims).state_dict()
    shapes = {key: tuple(tensor.shape) for key, tensor in state.items()}
    assert shapes == stored_shapes(name)
    assert len(shapes) == entries
    assert sum(tensor.numel() for tensor in state.values()) == elements


def test_a_checkpoint_of_another_size_is_refused_with_a_table(network):
    tensors = network.state_dict()
    tensors.pop("no_obj_ptr")
    tensors["extra"] = torch.zeros(1)
    with pytest.raises(WrongCheckpoint) as caught:
        load_strictly(Sam2(DIMS), tensors, name="sam2")
    assert "no_obj_ptr" in caught.value.table
    assert "extra" in caught.value.table


def test_the_saved_buffer_is_loaded(network):
    other = Sam2(DIMS)
    load_strictly(other, network.state_dict(), name="sam2")
    key = "positional_encoding_gaussian_matrix"
    assert torch.equal(
        getattr(other.sam_prompt_encoder.pe_layer, key), getattr(network.sam_prompt_encoder.pe_layer, key)
    )


def test_a_stages_first_block_has_the_windows_of_the_stage_before():
    blocks = Sam2(DIMS).image_encoder.trunk.blocks
    assert [block.window for block in blocks] == [4, 4, 2, 0, 6]
    assert [block.widens for block in blocks] == [False, True, True, False, True]


def test_windows_of_the_published_tiny():
    with torch.device("meta"):
        blocks = Sam2(SAM21_TINY).image_encoder.trunk.blocks
    assert [block.window for block in blocks] == [8, 8, 4, 4, 14, 0, 14, 0, 14, 0, 14, 7]
    assert [block.attn.heads for block in blocks] == [1, 2, 2, 4, 4, 4, 4, 4, 4, 4, 8, 8]


def test_windows_are_filled_with_zeros_and_joined_again():
    x = normal("x", 1, 4, 4, 3)
    windows = cut_windows(x, 3)
    assert windows.shape == (4, 3, 3, 3)
    assert not windows[3, 1:].any()
    assert torch.equal(join_windows(windows, 4), x)


def test_padding_takes_part_as_keys():
    block = TrunkBlock(8, 8, heads=1, window=3).eval()
    x = normal("x", 1, 4, 4, 8)
    alone = block.attn(block.norm1(x[:, 3:, 3:]))
    together = join_windows(block.attn(cut_windows(block.norm1(x), 3)), 4)[:, 3:, 3:]
    assert not torch.allclose(alone, together)


def test_the_shortcut_of_a_widening_block_is_projected_from_the_normed_input():
    block = TrunkBlock(8, 16, heads=2, window=4).eval()
    for layer in (block.attn.proj, block.mlp.layers[1]):
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    x = 100 * normal("x", 1, 4, 4, 8)
    assert torch.allclose(block(x), block(x / 50), atol=1e-3)


def test_channel_norm_is_the_layer_norm_over_channels():
    norm = ChannelNorm(6)
    x = normal("x", 1, 6, 3, 3)
    expected = layer_norm(x.permute(0, 2, 3, 1), (6,), eps=1e-6).permute(0, 3, 1, 2)
    assert torch.allclose(norm(x), expected, atol=1e-6)


def test_rotation_keeps_lengths_and_depends_on_the_distance_only():
    cos, sin = rotation_tables(4, 16)
    q, k = (normal(name, 16).expand(16, 16) for name in ("q", "k"))
    turned_q, turned_k = rotate(q, cos, sin), rotate(k, cos, sin)
    assert torch.allclose(turned_q.norm(dim=1), q.norm(dim=1))
    products = turned_q @ turned_k.T
    assert torch.allclose(products[0, 5], products[5, 10], atol=1e-5)  # one down and one right, twice
    assert not torch.allclose(products[0, 1], products[0, 4], atol=1e-3)


def test_rows_come_first_in_the_sine_position():
    code = sine_position(4, 8)
    assert torch.equal(code[:4, 1, 0], code[:4, 1, 3])
    assert torch.equal(code[4:, 0, 1], code[4:, 3, 1])


def test_the_token_of_no_point_is_always_added(network):
    prompts = network.sam_prompt_encoder
    tokens = prompts.points(torch.tensor([[[3.0, 5.0]]]), torch.tensor([[-1]]))
    assert tokens.shape == (1, 2, DIMS.model_width)
    assert torch.equal(tokens[0, 0], tokens[0, 1])


def test_every_label_has_its_own_code(network):
    prompts = network.sam_prompt_encoder
    tokens = prompts.points(torch.full((1, 4, 2), 7.0), torch.tensor([[0, 1, 2, 3]]))[0, :4]
    shared = tokens[0] - network.sam_prompt_encoder.point_embeddings[0].weight[0]
    for label in range(4):
        expected = shared + prompts.point_embeddings[label].weight[0]
        assert torch.allclose(tokens[label], expected, atol=1e-6)


def test_without_a_mask_its_values_do_not_matter(network):
    graph = HeadsGraph(network)
    given = _maps(), torch.tensor([[[20.0, 30.0]]]), torch.tensor([[1]])
    first, second = (
        graph(*given[0], *given[1:], mask, torch.zeros(1))
        for mask in (torch.zeros(1, 1, 16, 16), normal("m", 1, 1, 16, 16))
    )
    assert all(torch.allclose(one, other, atol=1e-6) for one, other in zip(first, second, strict=True))
    with_mask = graph(*given[0], *given[1:], normal("m", 1, 1, 16, 16), torch.ones(1))
    assert not torch.allclose(first[0], with_mask[0], atol=1e-3)


def test_absence_is_written_into_the_memory(network):
    graph = MemoryEncoderGraph(network)
    f2, mask = normal("f2", 1, 32, 4, 4), 10 * normal("mask", 1, 1, 64, 64)
    difference = graph(f2, mask, torch.zeros(1)) - graph(f2, mask, torch.ones(1))
    expected = network.no_obj_embed_spatial[:, :, None, None].expand_as(difference)
    assert torch.allclose(difference, expected, atol=1e-5)


def test_the_order_of_memories_does_not_matter_but_their_time_does(network):
    graph = MemoryAttentionGraph(network)
    f2, mem = normal("f2", 1, 32, 4, 4), normal("mem", 3, 8, 4, 4)
    ptr, tsine = normal("ptr", 2, 32), normal("tsine", 2, 32)
    times = torch.tensor([6, 0, 1])
    turned = graph(f2, mem.flip(0), times.flip(0), ptr.flip(0), tsine.flip(0))
    assert torch.allclose(graph(f2, mem, times, ptr, tsine), turned, atol=1e-4)
    assert not torch.allclose(graph(f2, mem, times, ptr, tsine), graph(f2, mem, times.flip(0), ptr, tsine))


def test_the_object_is_there_with_drawn_weights(network):
    assert network.state_dict()[SCORE_BIAS].item() == pytest.approx(2, abs=0.1)


def _maps():
    return normal("f2", 1, 32, 4, 4), normal("s0", 1, 4, 16, 16), normal("s1", 1, 8, 8, 8)
