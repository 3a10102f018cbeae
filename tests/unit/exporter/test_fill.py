import numpy as np
import pytest
import torch
from torch import nn

from exporter import fill
from tests.parity.golden_files import GoldenFile


def test_values_depend_on_the_name_alone():
    first = fill.weight("blocks.0.attn.qkv.weight", (6, 2))
    assert torch.equal(first, fill.weight("blocks.0.attn.qkv.weight", (6, 2)))
    assert not torch.equal(first, fill.weight("blocks.1.attn.qkv.weight", (6, 2)))
    assert first.dtype == torch.float32
    assert first.shape == (6, 2)


def test_known_numbers():
    np.testing.assert_allclose(
        fill.draw("input:latent", (2, 2)),
        [[-0.59861141, -1.05988317], [-0.91685955, 0.99555627]],
        rtol=1e-7,
    )


def test_a_salt_changes_every_value():
    assert not torch.equal(fill.weight("a.bias", (4,)), fill.weight("a.bias", (4,), salt="other"))
    assert torch.equal(fill.weight("ba.bias", (4,)), fill.weight("a.bias", (4,), salt="b"))


def test_rule_agrees_with_the_golden_lora_delta():
    layer = "joint_blocks.0.latent_block.attn.qkv"
    lora_a = fill.weight(f"{layer}.lora_A", (32, 448))
    lora_b = fill.weight(f"{layer}.lora_B", (896, 16))
    delta = torch.cat([lora_b[:448] @ lora_a[:16], torch.zeros(448, 448), lora_b[448:] @ lora_a[16:]]) * 2
    GoldenFile.load("tables").check("lora_delta", delta, tolerance=1e-6)


@pytest.mark.parametrize(
    ("name", "shape", "offset", "scale"),
    [
        ("cross_attn_layers.0.attn_factor", (), 0.5, 0.1),
        ("cross_attn_layers.0.mlp_factor", (), 0.5, 0.1),
        ("decoder.conv_out.learnable_gain", (), 0.0, 0.1),
        ("resblocks.0.activations.0.act.alpha", (8,), 0.0, 0.1),
        ("resblocks.0.activations.0.act.beta", (8,), 0.0, 0.1),
        ("vfeat_extractor.cls_token", (1, 1, 8), 0.0, 0.2),
        ("vfeat_extractor.pos_embed", (1, 5, 8), 0.0, 0.2),
        ("vfeat_extractor.temp_embed", (1, 8, 8), 0.0, 0.2),
        ("sync_pos_emb", (1, 1, 8, 4), 0.0, 0.2),
        ("empty_string_feat", (7, 4), 0.0, 1 / 32),
        ("empty_clip_feat", (1, 4), 0.0, 1 / 32),
        ("empty_sync_feat", (1, 4), 0.0, 0.5),
        ("latent_mean", (1, 1, 4), 0.0, 0.1),
        ("latent_std", (1, 1, 4), 1.0, 0.1),
        ("resblocks.3.convs1.0.parametrizations.weight.original0", (4, 1, 1), 0.3, 0.03),
        ("conv_post.parametrizations.weight.original0", (1, 1, 1), 0.1, 0.01),
        ("ups.0.0.parametrizations.weight.original0", (4, 1, 1), 1.0, 0.1),
        ("conv_pre.weight_g", (4, 1, 1), 1.0, 0.1),
        ("joint_blocks.0.clip_block.adaLN_modulation.1.weight", (6, 4), 0.0, 2 / 2),
        ("clip_input_proj.0.weight", (6, 4), 0.0, 32 / 2),
        ("text_input_proj.0.weight", (6, 4), 0.0, 32 / 2),
        ("sync_input_proj.0.weight", (6, 4), 0.0, 1 / 2),
        ("visual.positional_embedding", (6, 4), 0.0, 1 / 2),
        ("visual.conv1.weight", (6, 4, 2, 2), 0.0, 1 / 4),
        ("visual.ln_pre.weight", (6,), 1.0, 0.02),
        ("visual.ln_pre.bias", (6,), 0.0, 0.02),
        ("visual.class_embedding", (6,), 0.0, 0.02),
    ],
)
def test_formula(name, shape, offset, scale):
    n = fill.draw(name, shape)
    expected = (offset + scale * n).astype(np.float32)
    np.testing.assert_array_equal(fill.weight(name, shape).numpy(), expected)


@pytest.mark.parametrize("last", sorted(fill.ARCHITECTURE_CONSTANTS))
def test_architecture_constants_are_not_filled(last):
    with pytest.raises(ValueError, match="constant of the architecture"):
        fill.weight(f"somewhere.{last}", (3,))
    assert fill.weights({f"somewhere.{last}": (3,), "somewhere.bias": (3,)}).keys() == {"somewhere.bias"}


def test_a_key_that_merely_contains_a_constants_name_is_filled():
    assert not fill.is_architecture_constant("filter.weight")


def test_module_is_filled_in_place_under_its_checkpoint_names():
    module = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3, track_running_stats=False))
    module.register_buffer("data_mean", torch.full((2,), 7.0))
    fill.fill_module(module, prefix="visual.", keep={"visual.1.bias"})
    assert torch.equal(module[0].weight, fill.weight("visual.0.weight", (3, 4)))
    assert torch.equal(module[1].weight, fill.weight("visual.1.weight", (3,)))
    assert torch.equal(module[1].bias, torch.zeros(3))
    assert torch.equal(module.data_mean, torch.full((2,), 7.0))
    assert module[0].weight.requires_grad


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [("image01", 0, 1), ("image11", -1, 1), ("mask", 0, 1)],
)
def test_inputs_stay_in_the_range_of_their_kind(kind, low, high):
    values = fill.network_input("probe", (5000,), kind=kind)
    assert values.dtype == torch.float32
    assert values.min() == low
    assert values.max() == high


def test_inputs_without_a_range():
    n = fill.draw("input:probe", (50, 8)).astype(np.float32)
    half = fill.network_input("probe", (50, 8), kind="half")
    logmel = fill.network_input("probe", (50, 8), kind="logmel")
    unit = fill.network_input("probe", (50, 8), kind="unit")
    wave = fill.network_input("probe", (50, 8), kind="wave")
    np.testing.assert_allclose(half, n / 2)
    np.testing.assert_allclose(wave, 0.2 * n, rtol=1e-6)
    np.testing.assert_allclose(logmel, 2 * n - 4, rtol=1e-5)
    np.testing.assert_allclose(unit.norm(dim=-1), np.ones(50), rtol=1e-6)
    np.testing.assert_array_equal(fill.network_input("probe", (50, 8), kind="normal"), n)


def test_masks_are_binary():
    assert set(fill.network_input("m", (400,), kind="mask").tolist()) == {0.0, 1.0}


def test_unknown_kind_is_named():
    with pytest.raises(ValueError, match="unknown kind of input: colour"):
        fill.network_input("probe", (2,), kind="colour")
