import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import nn

from exporter import fill
from exporter.models.synchformer import (
    GOLDEN_SYNCHFORMER,
    RMS_EPS,
    SYNCHFORMER_BASE,
    TINY_SYNCHFORMER,
    Block,
    ContextLayer,
    DividedAttention,
    PseudoCrossAttention,
    SpatialAggregation,
    Synchformer,
    cut_segments,
    fold_area_average,
)
from tests.parity.golden_files import stored_shapes

SMALL = dataclasses.replace(GOLDEN_SYNCHFORMER, depth=2)
TWELVE_HEADS = dataclasses.replace(SMALL, width=48, heads=12)
TOKENS = 1 + SMALL.steps * SMALL.positions


@pytest.fixture(autouse=True)
def _inference_only():
    with torch.inference_mode():
        yield


def filled(module):
    fill.fill_module(module)
    return module.eval()


@pytest.fixture
def network():
    return filled(Synchformer(SMALL))


def segments(count, dims=SMALL, *, prefix=""):
    side, frames = dims.image_size, dims.segment_frames
    return tuple(
        fill.network_input(prefix + name, (count, frames, channels, side, side), kind=kind)
        for name, channels, kind in (
            ("frames", 3, "image11"),
            ("mask", 1, "mask"),
            ("detail_frames", 3, "image11"),
            ("detail_mask", 1, "mask"),
        )
    )


def tokens(name, dims=SMALL, *, count=2):
    return fill.network_input(name, (count, TOKENS, dims.width), kind="normal")


def assert_close(actual, expected, atol=1e-5):
    np.testing.assert_allclose(actual, expected, atol=atol, rtol=1e-5)


# --- the checkpoint -------------------------------------------------------------------------------


def test_full_size_keys_and_shapes_are_the_checkpoints():
    with torch.device("meta"):
        state = Synchformer(SYNCHFORMER_BASE).state_dict()
    stored = stored_shapes("synchformer_with_context")
    assert {key: tuple(value.shape) for key, value in state.items()} == stored


def test_base_checkpoint_lacks_only_what_context_added():
    added = {
        key.split(".")[1]
        for key in stored_shapes("synchformer_with_context").keys()
        - stored_shapes("synchformer_base_vfeat").keys()
    }
    assert added == {"patch_embed_3d_mask", "cross_attn_layers"}


def test_still_picture_embedding_is_unused(network):
    batch = segments(1)
    before = network(*batch)
    network.vfeat_extractor.patch_embed.proj.weight.zero_()
    assert torch.equal(network(*batch), before)


def test_every_layer_norm_has_the_small_epsilon():
    norms = [m for m in Synchformer(SMALL).modules() if isinstance(m, nn.LayerNorm)]
    assert {norm.eps for norm in norms} == {1e-6}
    assert len(norms) == SMALL.depth * (3 + 2) + 1 + 2


# --- segments -------------------------------------------------------------------------------------


def test_segments_overlap_by_half_and_leave_the_rest_out():
    clip = torch.arange(45).view(45, 1, 1, 1).expand(45, 3, 2, 2)
    cut = cut_segments(clip, frames=16, step=8)
    assert cut.shape == (4, 16, 3, 2, 2)
    assert cut[:, 0, 0, 0, 0].tolist() == [0, 8, 16, 24]
    assert cut[3, :, 2, 1, 1].tolist() == list(range(24, 40))


@pytest.mark.parametrize(("length", "count"), [(16, 1), (23, 1), (24, 2), (125, 14), (200, 24)])
def test_number_of_segments(length, count):
    assert len(cut_segments(torch.zeros(length, 1), frames=16, step=8)) == count


def test_a_clip_shorter_than_a_segment_is_refused():
    with pytest.raises(ValueError, match="15 frames is shorter than one segment of 16"):
        cut_segments(torch.zeros(15, 3, 2, 2), frames=16, step=8)


def test_segments_never_see_each_other(network):
    batch = segments(3)
    together = network(*batch)
    assert together.shape == (3, 8, SMALL.width)
    for i in range(3):
        assert_close(network(*(one[i : i + 1] for one in batch))[0], together[i])
    assert not torch.allclose(together[0], together[1], atol=1e-2)


@pytest.mark.parametrize("dims", [GOLDEN_SYNCHFORMER, TINY_SYNCHFORMER])
def test_small_networks_run(dims):
    assert filled(Synchformer(dims))(*segments(1, dims)).shape == (1, 8, dims.features)


def test_every_input_matters(network):
    batch = segments(1)
    other = segments(1, prefix="other ")
    before = network(*batch)
    for i in range(4):
        changed = [*batch[:i], other[i], *batch[i + 1 :]]
        assert (network(*changed) - before).abs().max() > 1e-4


# --- embedding ------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", [0, 1], ids=["frames", "mask"])
def test_tokens_run_through_time_then_rows_then_columns(network, which):
    batch = list(segments(1)[:2])
    before = network.vfeat_extractor.embed(*batch)
    step, row, column = 3, 1, 2
    batch[which] = batch[which].clone()
    batch[which][0, step * 2 + 1, 0, row * SMALL.patch, column * SMALL.patch] += 1
    different = (network.vfeat_extractor.embed(*batch) != before).any(dim=-1)[0]
    side = SMALL.image_size // SMALL.patch
    assert different.nonzero().flatten().tolist() == [1 + (step * side + row) * side + column]


def test_places_are_the_sum_of_position_and_time(network):
    extractor = network.vfeat_extractor
    batch = segments(1)[:2]
    pixels = extractor.patch_embed_3d(batch[0]) + extractor.patch_embed_3d_mask(batch[1])
    embedded = extractor.embed(*batch)
    step, position = 5, 7
    index = step * SMALL.positions + position
    place = extractor.pos_embed[0, 1 + position] + extractor.temp_embed[0, step]
    assert_close(embedded[0, 1 + index], pixels[0, index] + place)
    assert_close(embedded[0, 0], extractor.cls_token[0, 0] + extractor.pos_embed[0, 0])


# --- blocks ---------------------------------------------------------------------------------------


def allowed_pairs(*, over_time):
    """Which token may attend to which, [TOKENS, TOKENS]: the rule written out, without grouping."""
    step = torch.arange(TOKENS - 1) // SMALL.positions
    position = torch.arange(TOKENS - 1) % SMALL.positions
    group = position if over_time else step
    allowed = torch.ones(TOKENS, TOKENS, dtype=torch.bool)
    allowed[1:, 1:] = group[:, None] == group[None, :]
    return allowed


@pytest.mark.parametrize("over_time", [True, False], ids=["time", "space"])
def test_divided_attention_is_attention_under_a_mask(over_time):
    layer = filled(DividedAttention(SMALL, over_time=over_time))
    x = tokens("x")
    q, k, v = (
        part.view(2, TOKENS, SMALL.heads, SMALL.head_width).transpose(1, 2)
        for part in layer.qkv(x).split(SMALL.width, dim=-1)
    )
    scores = q @ k.transpose(-1, -2) / math.sqrt(SMALL.head_width)
    scores = scores.masked_fill(~allowed_pairs(over_time=over_time), -math.inf)
    expected = layer.proj((scores.softmax(dim=-1) @ v).transpose(1, 2).reshape(2, TOKENS, -1))
    assert_close(layer(x), expected)


def test_a_block_attends_over_time_then_space_though_its_norms_are_numbered_otherwise():
    block = filled(Block(SMALL))
    x = tokens("x")
    a = x + block.timeattn(block.norm3(x))
    b = a + block.attn(block.norm1(a))
    assert_close(block(x), b + block.mlp(block.norm2(b)))
    assert block.timeattn.over_time
    assert not block.attn.over_time


def test_blocks_use_the_exact_gelu_and_context_layers_the_tanh_one():
    x = torch.linspace(-4, 4, 50)
    erf = x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))
    tanh = x * 0.5 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    assert (erf - tanh).abs().max() > 1e-4
    for layer, expected in ((Block(SMALL), erf), (ContextLayer(SMALL), tanh)):
        mlp = layer.mlp
        mlp.fc1 = mlp.fc2 = nn.Identity()
        assert_close(mlp(x), expected, atol=1e-6)


# --- the layer that is not a cross-attention ------------------------------------------------------


def test_a_third_of_the_heads_reads_the_detail_alone_and_the_others_the_context_alone():
    layer = filled(PseudoCrossAttention(TWELVE_HEADS))
    detail, context = tokens("detail", TWELVE_HEADS), tokens("context", TWELVE_HEADS)
    before = layer.split_heads(detail, context)
    new_detail = layer.split_heads(detail + 1, context)
    new_context = layer.split_heads(detail, context + 1)
    for q_k_or_v, after_detail, after_context in zip(before, new_detail, new_context, strict=True):
        reads_detail = (q_k_or_v != after_detail).any(dim=(0, 2, 3))
        reads_context = (q_k_or_v != after_context).any(dim=(0, 2, 3))
        assert reads_detail.tolist() == [True] * 4 + [False] * 8
        assert reads_context.tolist() == [False] * 4 + [True] * 8


def test_head_channels_are_interleaved_as_query_key_value():
    layer = filled(PseudoCrossAttention(TWELVE_HEADS))
    detail, context = tokens("detail", TWELVE_HEADS), tokens("context", TWELVE_HEADS)
    joint = torch.cat([layer.q(detail), layer.kv(context)], dim=-1)
    width = TWELVE_HEADS.head_width
    for j, part in enumerate(layer.split_heads(detail, context)):
        for head, channel in ((0, 0), (3, 2), (4, 0), (11, width - 1)):
            assert torch.equal(part[:, head, :, channel], joint[..., head * 3 * width + channel * 3 + j])


def test_no_query_of_one_stream_meets_a_key_of_the_other():
    layer = filled(PseudoCrossAttention(SMALL))
    layer.out_proj = nn.Identity()
    detail, context = tokens("detail"), tokens("context")
    before = layer(detail, context)
    third = SMALL.width // 3
    with_new_context = layer(detail, tokens("other"))
    with_new_detail = layer(tokens("other"), context)
    assert torch.equal(with_new_context[..., :third], before[..., :third])
    assert torch.equal(with_new_detail[..., third:], before[..., third:])
    assert not torch.allclose(with_new_context[..., third:], before[..., third:], atol=1e-2)
    assert not torch.allclose(with_new_detail[..., :third], before[..., :third], atol=1e-2)


def rms_norm(x, weight):
    return x / torch.sqrt((x * x).mean(dim=-1, keepdim=True) + RMS_EPS) * weight


def test_queries_are_scaled_before_they_are_normalised():
    layer = filled(PseudoCrossAttention(SMALL))
    layer.q.weight.mul_(1e-3)  # so small that the epsilon shows
    layer.q.bias.mul_(1e-3)
    layer.out_proj = nn.Identity()
    detail, context = tokens("detail"), tokens("context")
    q, k, v = layer.split_heads(detail, context)
    scale = 1 / math.sqrt(SMALL.head_width)

    def attention(query):
        scores = rms_norm(query, layer.q_norm.weight) @ rms_norm(k, layer.k_norm.weight).transpose(-1, -2)
        return ((scores * scale).softmax(dim=-1) @ v).transpose(1, 2).flatten(2)

    assert_close(layer(detail, context), attention(q * scale), atol=1e-6)
    third = SMALL.width // 3
    gap = (attention(q * scale) - attention(q))[..., :third]
    assert gap.norm() > 1e-4 * attention(q)[..., :third].norm()


def test_gates_are_plain_factors_that_start_closed():
    layer = ContextLayer(SMALL).eval()
    detail, context = tokens("detail"), tokens("context")
    assert torch.equal(layer(detail, context), detail)
    layer = filled(layer)
    layer.attn_factor.fill_(3.0)
    layer.mlp_factor.fill_(0.0)
    attended = layer.cross_attn(layer.layer_norm1(detail), context)
    assert_close(layer(detail, context), detail + 3.0 * attended, atol=1e-4)


# --- the whole ------------------------------------------------------------------------------------


def test_every_context_layer_gets_the_same_raw_output_of_the_first_pass(network):
    extractor = network.vfeat_extractor
    batch = segments(1)
    contexts, normed = [], []
    for layer in extractor.cross_attn_layers:
        layer.register_forward_hook(lambda _layer, args, _output: contexts.append(args[1]))
    extractor.norm.register_forward_hook(lambda _norm, args, _output: normed.append(args[0].shape))
    network(*batch)
    x = extractor.embed(*batch[:2])
    for block in extractor.blocks:
        x = block(x)
    assert len(contexts) == SMALL.depth
    assert all(torch.equal(context, x) for context in contexts)
    assert normed == [(1, TOKENS - 1, SMALL.width)]  # the detail alone, without its class token


def test_aggregation_is_the_first_row_of_torchs_encoder_layer():
    ours = filled(SpatialAggregation(SMALL))
    theirs = nn.TransformerEncoderLayer(
        SMALL.width,
        SMALL.heads,
        SMALL.hidden,
        activation="gelu",
        layer_norm_eps=1e-6,
        batch_first=True,
        norm_first=True,
    ).eval()
    state = ours.state_dict()
    class_token = state.pop("cls_token")
    theirs.load_state_dict(state, strict=True)
    groups = fill.network_input("groups", (5, SMALL.positions, SMALL.width), kind="normal")
    sequence = torch.cat([class_token.expand(5, -1, -1), groups], dim=1)
    assert_close(ours(groups), theirs(sequence)[:, 0])


def test_features_follow_time(network):
    batch = segments(1)
    x = network.vfeat_extractor.embed(*batch[:2])
    changed = x.clone()
    step = 5
    changed[:, 1 + step * SMALL.positions] += 1
    before, after = network.vfeat_extractor.aggregate(x), network.vfeat_extractor.aggregate(changed)
    assert (before != after).any(dim=-1)[0].nonzero().flatten().tolist() == [step]


def test_area_average_folds_into_the_patch_kernels():
    halved = dataclasses.replace(SMALL, image_size=SMALL.image_size // 2, patch=SMALL.patch // 2)
    small, large = filled(Synchformer(halved)), Synchformer(SMALL).eval()
    large.load_state_dict(fold_area_average(small.state_dict(), factor=2), strict=True)
    batch = segments(2)
    averaged = [nn.functional.avg_pool2d(one.flatten(0, 1), 2).unflatten(0, (2, -1)) for one in batch]
    assert_close(large(*batch), small(*averaged))
