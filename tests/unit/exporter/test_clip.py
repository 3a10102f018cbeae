import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from exporter import fill
from exporter.models.clip import (
    CLIP_VIT_H_14_378,
    GOLDEN_CLIP,
    MEAN,
    STD,
    TINY_CLIP,
    UNUSED_KEYS,
    Attention,
    Clip,
    ImageTower,
    TextTower,
    image_state_dict,
    quick_gelu,
    text_state_dict,
)
from tests.parity.golden_files import stored_shapes

SMALL = dataclasses.replace(GOLDEN_CLIP, vision_layers=2, text_layers=2)
START, END, PAD = 301, 302, 0


@pytest.fixture(autouse=True)
def _inference_only():
    with torch.inference_mode():
        yield


@pytest.fixture
def image_tower():
    tower = ImageTower(SMALL).eval()
    fill.fill_module(tower, prefix="visual.")
    return tower


@pytest.fixture
def text_tower():
    tower = TextTower(SMALL).eval()
    fill.fill_module(tower)
    return tower


def images(count, *, name="images"):
    return fill.network_input(name, (count, 3, SMALL.image_size, SMALL.image_size), kind="image01")


def shapes(module):
    return {key: tuple(value.shape) for key, value in module.state_dict().items()}


def test_full_size_keys_and_shapes_are_the_checkpoints():
    with torch.device("meta"):
        assert shapes(Clip(CLIP_VIT_H_14_378)) == stored_shapes("clip_vit_h_14_378_quickgelu")


def test_towers_split_the_checkpoint_without_a_rest():
    with torch.device("meta"):
        checkpoint = Clip(CLIP_VIT_H_14_378).state_dict()
        image, text = ImageTower(CLIP_VIT_H_14_378), TextTower(CLIP_VIT_H_14_378)
    image.load_state_dict(image_state_dict(checkpoint), strict=True, assign=True)
    text.load_state_dict(text_state_dict(checkpoint), strict=True, assign=True)
    assert len(image.state_dict()) + len(text.state_dict()) + len(UNUSED_KEYS) == len(checkpoint)


def test_published_input_of_384_gives_the_grid_of_378():
    assert CLIP_VIT_H_14_378.image_size == 384
    assert CLIP_VIT_H_14_378.grid == 378 // 14


@pytest.mark.parametrize("dims", [GOLDEN_CLIP, TINY_CLIP])
def test_small_networks_run(dims):
    clip = Clip(dims).eval()
    fill.fill_module(clip)
    picture = fill.network_input("p", (2, 3, dims.image_size, dims.image_size), kind="image01")
    tokens = torch.arange(3 * dims.text_length).view(3, -1) % dims.vocabulary
    assert clip.visual(picture).shape == (2, dims.embed)
    assert clip(tokens).shape == (3, dims.text_length, dims.text_width)


def test_image_features_are_unit_vectors_and_pictures_independent(image_tower):
    batch = images(3)
    features = image_tower(batch)
    np.testing.assert_allclose(features.norm(dim=-1), np.ones(3), rtol=1e-6)
    alone = torch.cat([image_tower(batch[i : i + 1]) for i in range(3)])
    np.testing.assert_allclose(features, alone, rtol=1e-5, atol=1e-6)
    assert not torch.allclose(features[0], features[1], atol=1e-3)


def test_pixels_after_the_last_whole_patch_are_ignored(image_tower):
    picture = images(1)
    whole = SMALL.grid * SMALL.patch
    assert whole < SMALL.image_size
    border = picture.clone()
    border[:, :, whole:, :] = 0
    border[:, :, :, whole:] = 0
    assert torch.equal(image_tower(picture), image_tower(border))
    border[:, :, whole - 1, :] = 0
    assert not torch.equal(image_tower(picture), image_tower(border))


def test_pictures_are_normalised_inside(image_tower):
    mean = torch.tensor(MEAN).view(1, 3, 1, 1).expand(1, 3, SMALL.image_size, SMALL.image_size)
    std = torch.tensor(STD).view(1, 3, 1, 1)
    places = image_tower.positional_embedding[None, 1:]
    np.testing.assert_allclose(image_tower.embed(mean)[:, 1:], places, atol=1e-6)
    one = image_tower.conv1.weight.sum(dim=(1, 2, 3)).expand_as(places)
    np.testing.assert_allclose(
        image_tower.embed(mean + std)[:, 1:] - places, one.expand_as(places), atol=1e-5
    )


def test_patches_run_row_by_row_after_the_class_token(image_tower):
    picture, changed = images(1), images(1)
    row, column = 1, 2
    changed[..., row * SMALL.patch, column * SMALL.patch] += 0.5
    different = (image_tower.embed(picture) != image_tower.embed(changed)).any(dim=-1)[0]
    assert different.nonzero().flatten().tolist() == [1 + row * SMALL.grid + column]


def test_attention_agrees_with_torchs_own_module():
    ours = Attention(12, heads=3, causal=False).eval()
    theirs = nn.MultiheadAttention(12, 3, batch_first=True).eval()
    fill.fill_module(ours)
    theirs.load_state_dict(ours.state_dict(), strict=True)
    x = fill.network_input("x", (2, 5, 12), kind="normal")
    np.testing.assert_allclose(ours(x), theirs(x, x, x)[0], atol=1e-6)


def reference_blocks(x, transformer, *, heads, mask=None):
    """The residual blocks spelled out with torch's own attention."""
    for block in transformer.resblocks:
        attention = nn.MultiheadAttention(x.shape[-1], heads, batch_first=True).eval()
        attention.load_state_dict(block.attn.state_dict(), strict=True)
        normed = block.ln_1(x)
        x = x + attention(normed, normed, normed, attn_mask=mask, need_weights=False)[0]
        x = x + block.mlp.c_proj(quick_gelu(block.mlp.c_fc(block.ln_2(x))))
    return x


def test_image_tower_is_the_class_tokens_projection(image_tower):
    x = image_tower.ln_pre(image_tower.embed(images(2)))
    x = reference_blocks(x, image_tower.transformer, heads=SMALL.vision_heads)
    projected = image_tower.ln_post(x)[:, 0] @ image_tower.proj
    expected = projected / projected.norm(dim=-1, keepdim=True)
    np.testing.assert_allclose(image_tower(images(2)), expected, atol=1e-6)


def test_text_tower_is_the_normed_hidden_state(text_tower):
    tokens = torch.tensor([[START, 17, 30, END, PAD, PAD, PAD, PAD]])
    mask = nn.Transformer.generate_square_subsequent_mask(SMALL.text_length)
    x = text_tower.token_embedding.weight[tokens] + text_tower.positional_embedding
    x = text_tower.ln_final(reference_blocks(x, text_tower.transformer, heads=SMALL.text_heads, mask=mask))
    expected = x / x.norm(dim=-1, keepdim=True)
    np.testing.assert_allclose(text_tower(tokens), expected, atol=1e-6)


def test_quick_gelu_is_not_gelu():
    x = torch.tensor([-2.0, 0.5, 3.0])
    np.testing.assert_allclose(quick_gelu(x), x.numpy() / (1 + np.exp(-1.702 * x.numpy())), rtol=1e-6)
    assert not torch.allclose(quick_gelu(x), nn.functional.gelu(x), atol=1e-3)


def test_text_features_are_unit_vectors_at_every_position(text_tower):
    features = text_tower(torch.tensor([[START, 17, END, PAD, PAD, PAD, PAD, PAD]]))
    np.testing.assert_allclose(features.norm(dim=-1), np.ones((1, SMALL.text_length)), rtol=1e-6)


def test_text_attends_backwards_only(text_tower):
    tokens = torch.tensor([[START, 17, 30, END, PAD, PAD, PAD, PAD]])
    other = tokens.clone()
    other[0, 2] = 31
    different = (text_tower(tokens) - text_tower(other)).abs().amax(dim=-1)[0] > 1e-6
    assert different.tolist() == [False, False] + [True] * 6


def test_padding_is_encoded_like_words(text_tower):
    short = text_tower(torch.tensor([[START, 17, END]]))
    padded = text_tower(torch.tensor([[START, 17, END, PAD, PAD, PAD, PAD, PAD]]))
    np.testing.assert_allclose(short, padded[:, :3], atol=1e-6)
    assert (padded[:, 3] - padded[:, 4]).abs().max() > 1e-3


def test_layer_norms_have_clips_epsilon():
    epsilons = {m.eps for m in Clip(GOLDEN_CLIP).modules() if isinstance(m, nn.LayerNorm)}
    assert epsilons == {1e-5}
