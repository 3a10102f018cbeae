from dataclasses import replace

import numpy as np
import pytest
import torch

from exporter import fill
from exporter.models import flow, flow_blocks, lora
from exporter.models.flow import GOLDEN_FLOW, TINY_FLOW, Conditions, FlowNetwork, follow, left_open
from tests.parity.golden_files import GoldenFile, stored_shapes

LATENTS, CLIP_FRAMES, SYNC_FRAMES = 11, 4, 16
LORA_DIMS = replace(GOLDEN_FLOW, lora_rank=2)


def _shapes(module):
    return {key: tuple(tensor.shape) for key, tensor in module.state_dict().items()}


def _network(dims=GOLDEN_FLOW):
    network = FlowNetwork(dims)
    fill.fill_module(network)
    return network.eval().requires_grad_(requires_grad=False)


def _features(dims=GOLDEN_FLOW, *, batch=1, clip_frames=CLIP_FRAMES, sync_frames=SYNC_FRAMES):
    return (
        fill.network_input("clip", (batch, clip_frames, dims.clip_width), kind="unit"),
        fill.network_input("sync", (batch, sync_frames, dims.sync_width), kind="half"),
        fill.network_input("text", (batch, dims.text_length, dims.text_width), kind="unit"),
    )


def _conditions(network, *, latents=LATENTS, **lengths) -> Conditions:
    clip, sync, text = _features(network.dims, **lengths)
    return network.conditions(clip, sync, text, flow.upsample_index(sync.shape[1], latents))


def _latent(*, batch=1, latents=LATENTS, dims=GOLDEN_FLOW):
    return fill.network_input("latent", (batch, latents, dims.latent_channels), kind="normal")


def relative(result, expected):
    assert result.shape == expected.shape
    return float((result - expected).norm() / expected.norm())


T = torch.tensor([0.3])


@pytest.mark.parametrize(
    ("dims", "name"),
    [
        (flow.SMALL_44K_SA, "small_44k_sa"),
        (flow.SMALL_44K_SA_NO_LORA, "small_44k_sa_no_lora"),
        (flow.MEDIUM_44K_SA, "medium_44k_sa"),
    ],
)
def test_keys_and_shapes_are_those_of_the_checkpoint(dims, name):
    with torch.device("meta"):
        network = FlowNetwork(dims)
    assert list(_shapes(network).items()) == list(stored_shapes(name).items())


def test_the_golden_network_is_small_and_has_every_kind_of_layer():
    network = FlowNetwork(GOLDEN_FLOW)
    assert sum(p.numel() for p in network.parameters()) * 4 < 80_000
    assert [block.last for block in network.joint_blocks] == [False, True]
    assert len(network.fused_blocks) == 1


def test_the_tiny_network_fits_the_embedded_bundle():
    with torch.device("meta"):
        network = FlowNetwork(TINY_FLOW)
    layers = sum(p.numel() for p in network.layers())
    assert layers < 4_800_000
    bank = network.voices.bank.numel()
    assert bank < 3_300_000
    assert sum(p.numel() for p in network.parameters()) - layers - bank < 1_500_000


class TestTables:
    golden = GoldenFile.load("tables")

    def _rope(self, positions, stretch):
        frequencies = flow._frequencies(64) * stretch
        cos, sin = flow.rope_table(torch.tensor(positions, dtype=torch.float32), frequencies).unbind(-1)
        return torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)

    def test_latent_rope(self):
        rows = self._rope([0, 1, 100, 215], 1.0)
        assert self.golden.difference("rope_latent_rows", rows).largest < 1e-5

    def test_clip_rope_is_stretched_to_the_latents(self):
        rows = self._rope([0, 1, 39], 216 / 40)
        assert self.golden.difference("rope_clip_rows", rows).largest < 2e-5

    def test_time_is_not_scaled_to_a_thousand(self):
        features = flow.time_features(torch.from_numpy(self.golden.whole("timestep_t")), 256)
        self.golden.check("timestep_features", features, tolerance=1e-6)

    def test_upsample_index(self):
        index = flow.upsample_index(112, 216)
        assert index.dtype == torch.int64
        np.testing.assert_array_equal(index, self.golden.whole("sync_upsample_index"))

    @pytest.mark.parametrize(("frames", "latents"), [(8, 28), (16, 16), (24, 7), (288, 517)])
    def test_upsample_index_stays_inside_and_never_falls(self, frames, latents):
        index = flow.upsample_index(frames, latents)
        assert index.shape == (latents,)
        assert index.min() >= 0
        assert index.max() < frames
        assert (index.diff() >= 0).all()

    def test_lora_delta(self):
        layer = "joint_blocks.0.latent_block.attn.qkv"
        delta = lora.lora_delta(
            fill.weight(f"{layer}.lora_A", (32, 448)), fill.weight(f"{layer}.lora_B", (896, 16))
        )
        self.golden.check("lora_delta", delta, tolerance=1e-6)
        rows = delta[torch.from_numpy(self.golden.whole("lora_delta_rows_index")).long()]
        self.golden.check("lora_delta_rows", rows, tolerance=1e-6)


class TestAttention:
    """[MATCH] interleaved rows, and rotation of adjacent pairs, against their definition in loops."""

    width, heads, length = 12, 3, 5

    def _defined(self, attention, x, rope):
        d = self.width // self.heads
        qkv = attention.qkv(x)
        q, k, v = (torch.zeros(self.heads, self.length, d, dtype=x.dtype) for _ in range(3))
        for head in range(self.heads):
            for element in range(d):
                for kind, part in enumerate((q, k, v)):
                    part[head, :, element] = qkv[0, :, head * 3 * d + 3 * element + kind]
        q, k = (
            self._norm_and_rotate(part, norm.weight, rope)
            for part, norm in ((q, attention.q_norm), (k, attention.k_norm))
        )
        weights = torch.softmax(q @ k.transpose(1, 2) / d**0.5, -1)
        return (weights @ v).permute(1, 0, 2).reshape(1, self.length, self.width)

    def _norm_and_rotate(self, x, weight, rope):
        x = x / torch.sqrt((x * x).mean(-1, keepdim=True) + flow_blocks.RMS_EPS) * weight
        turned = torch.zeros_like(x)
        for pair in range(x.shape[-1] // 2):
            cos, sin = rope[:, pair, 0], rope[:, pair, 1]
            turned[..., 2 * pair] = cos * x[..., 2 * pair] - sin * x[..., 2 * pair + 1]
            turned[..., 2 * pair + 1] = sin * x[..., 2 * pair] + cos * x[..., 2 * pair + 1]
        return turned

    def test_interleaved_projection_and_adjacent_rotation(self):
        attention = flow_blocks.Attention(self.width, self.heads)
        fill.fill_module(attention, prefix="attn.")
        attention = attention.double()
        x = fill.network_input("tokens", (1, self.length, self.width), kind="normal").double()
        rope = flow.rope_table(torch.arange(self.length) * 1.0, flow._frequencies(4)).double()
        q, k, v = attention.query_key_value(x, rope)
        torch.testing.assert_close(
            flow_blocks.attend(q, k, v), self._defined(attention, x, rope), rtol=0, atol=1e-12
        )

    def test_keys_and_values_alone_are_the_same(self):
        attention = flow_blocks.Attention(self.width, self.heads)
        fill.fill_module(attention)
        x = fill.network_input("tokens", (1, self.length, self.width), kind="normal")
        _, k, v = attention.query_key_value(x, None)
        for alone, joint in zip(attention.key_value(x, None), (k, v), strict=True):
            torch.testing.assert_close(alone, joint)


def test_the_mlp_gates_the_first_projection():
    mlp = flow_blocks.GatedMlp(4, 6, kernel=1)
    x = fill.network_input("x", (1, 3, 4), kind="normal")
    gate, value = mlp.w1(x), mlp.w3(x)
    torch.testing.assert_close(mlp(x), mlp.w2(gate * torch.sigmoid(gate) * value))


def test_convolutions_see_the_true_ends():
    """Nothing but zeros lies outside: a shorter sequence is not a cut of a longer one."""
    conv = flow_blocks.ChannelsLastConv(2, 3, 7)
    x = fill.network_input("x", (1, 9, 2), kind="normal")
    zeros = torch.zeros(1, 3, 2)
    padded = torch.cat([zeros, x, zeros], 1)
    torch.testing.assert_close(conv(x), conv(padded)[:, 3:-3])
    assert not torch.allclose(conv(x)[:, :5], conv(x[:, :5]))


class TestQuirks:
    def test_the_final_layer_sees_the_global_condition_not_the_one_per_position(self):
        network = _network()
        seen = []
        network.final_layer.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[1]))
        conditions = _conditions(network)
        network.velocity(_latent(), T, conditions)
        torch.testing.assert_close(seen[0], (network.t_embed(T) + conditions.global_condition).unsqueeze(1))

    def test_lora_tensors_are_never_applied(self):
        network = _network(LORA_DIMS)
        before = network.velocity(_latent(), T, _conditions(network))
        for key, parameter in network.named_parameters():
            if "lora_" in key:
                parameter.fill_(100.0)
        torch.testing.assert_close(network.velocity(_latent(), T, _conditions(network)), before)

    def test_lora_thirds_follow_rows_not_q_k_v(self):
        delta = lora.lora_delta(torch.ones(4, 6), torch.ones(12, 2))
        assert (delta[:6] == 4).all()
        assert (delta[6:12] == 0).all()
        assert (delta[12:] == 4).all()

    def test_the_last_joint_block_asks_no_queries_of_clip_and_text(self):
        network = _network()
        before = network.velocity(_latent(), T, _conditions(network))
        width = GOLDEN_FLOW.head_width
        for stream in (network.joint_blocks[-1].clip_block, network.joint_blocks[-1].text_block):
            stream.attn.qkv.weight.unflatten(0, (-1, width, 3))[:, :, 0].fill_(torch.nan)
            stream.attn.q_norm.weight.fill_(torch.nan)
        torch.testing.assert_close(network.velocity(_latent(), T, _conditions(network)), before)

    def test_clip_and_text_projections_have_no_activation_between(self):
        network = _network()
        clip, _, text = _features()
        conditions = _conditions(network)
        for features, projection, result in (
            (clip, network.clip_input_proj, conditions.clip_condition),
            (text, network.text_input_proj, conditions.text_condition),
        ):
            torch.testing.assert_close(projection[1](projection[0](features)), result)


class TestConditions:
    def test_sync_positions_repeat_every_segment(self):
        network = _network()
        _, sync, _ = _features(sync_frames=24)
        positions = network._sync_positions(sync)
        torch.testing.assert_close(positions, network.sync_pos_emb[0, 0].repeat(3, 1))

    def test_each_latent_gets_its_nearest_sync_feature(self):
        network = _network()
        clip, sync, text = _features()
        every = network.conditions(clip, sync, text, torch.arange(SYNC_FRAMES)).sync_condition
        index = torch.tensor([0, 0, 5, 15])
        some = network.conditions(clip, sync, text, index).sync_condition
        torch.testing.assert_close(some, every[:, index])

    def test_ropes_start_at_zero_and_span_the_same_time(self):
        conditions = _conditions(_network(), latents=12, clip_frames=4)
        assert conditions.latent_rope.shape == (12, GOLDEN_FLOW.head_width // 2, 2)
        torch.testing.assert_close(conditions.clip_rope, conditions.latent_rope[::3])

    def test_null_features_have_the_shape_of_real_ones(self):
        network = _network()
        null = network.null_conditions()
        assert null.clip.shape == (GOLDEN_FLOW.clip_width,)
        assert null.sync.shape == (GOLDEN_FLOW.sync_width,)
        assert null.text.shape == (GOLDEN_FLOW.text_length, GOLDEN_FLOW.text_width)
        assert torch.equal(null.clip, network.empty_clip_feat[0])


class TestSampling:
    def _branches(self, network):
        null = network.null_conditions()
        unconditional = network.conditions(
            null.clip.expand(1, CLIP_FRAMES, -1),
            null.sync.expand(1, SYNC_FRAMES, -1),
            null.text.unsqueeze(0),
            flow.upsample_index(SYNC_FRAMES, LATENTS),
        )
        return _conditions(network), unconditional

    def test_branches_are_just_rows_of_the_batch(self):
        network = _network()
        both = self._branches(network)
        x = _latent()
        joint = network.velocity(torch.cat([x, x]), T, flow.both_branches(*both))
        for row, conditions in zip(joint, both, strict=True):
            assert relative(row[None], network.velocity(x, T, conditions)) < 1e-5

    def test_one_guided_step(self):
        network = _network()
        wanted, unwanted = self._branches(network)
        x = _latent()
        zero = torch.zeros(1)
        (result,) = flow.euler_steps(network, x, wanted, unconditional=unwanted, steps=1, guidance=3.0)
        expected = x + 3 * network.velocity(x, zero, wanted) - 2 * network.velocity(x, zero, unwanted)
        assert relative(result, expected) < 1e-5

    def test_times_never_reach_one(self):
        network = _network()
        seen = []
        network.t_embed.register_forward_hook(lambda _module, inputs, _output: seen.append(float(inputs[0])))
        conditions, _ = self._branches(network)
        list(flow.euler_steps(network, _latent(), conditions, unconditional=None, steps=25))
        golden = GoldenFile.load("euler").whole("t_values")
        np.testing.assert_allclose(seen, golden, atol=1e-7)
        assert max(seen) < 0.97

    @pytest.mark.parametrize(("guidance", "rows"), [(1.0, 1), (0.5, 1), (1.5, 2)])
    def test_no_second_branch_without_guidance(self, guidance, rows):
        network = _network()
        seen = []
        network.audio_input_proj.register_forward_hook(lambda _m, inputs, _o: seen.append(inputs[0].shape[0]))
        wanted, unwanted = self._branches(network)
        list(flow.euler_steps(network, _latent(), wanted, unconditional=unwanted, steps=2, guidance=guidance))
        assert seen == [rows, rows]

    def test_denormalise(self):
        network = _network()
        x = _latent()
        expected = x * network.latent_std + network.latent_mean
        torch.testing.assert_close(network.denormalise(x), expected)
        assert not torch.allclose(expected, x)


class TestLora:
    def test_merging_adds_the_delta_to_the_weight_only(self):
        network = _network(LORA_DIMS)
        before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
        merged = lora.merge_lora(before)
        layers = lora.lora_layers(before)
        assert len(layers) == LORA_DIMS.joint_blocks + LORA_DIMS.fused_blocks
        for key, tensor in merged.items():
            layer = key.removesuffix(".weight")
            expected = before[key]
            if key.endswith(".weight") and layer in layers:
                expected = expected + lora.lora_delta(before[f"{layer}.lora_A"], before[f"{layer}.lora_B"])
                assert not torch.allclose(expected, before[key])
            torch.testing.assert_close(tensor, expected)

    def test_fine_tuning_reaches_the_factors(self):
        network = FlowNetwork(LORA_DIMS)
        fill.fill_module(network)
        parameters = dict(network.named_parameters())
        velocity = torch.func.functional_call(
            flow.VelocityGraph(network),
            {f"network.{key}": tensor for key, tensor in lora.merge_lora(parameters).items()},
            (_latent(), T, *_conditions(network)),
        )
        velocity.square().mean().backward()
        for key in lora.trainable_keys(parameters):
            assert parameters[key].grad is not None, key
            assert parameters[key].grad.abs().max() > 0, key


def test_following_the_expectation_gives_the_best_linear_guess():
    """Of all multiples of the state around its mean, none is nearer to the velocity."""
    generator = torch.Generator().manual_seed(0)
    noise, latent = torch.randn(2, 4096, 1, 4, generator=generator)
    mean, deviation = torch.full_like(noise, 0.7), torch.full_like(noise, 0.3)
    latent = mean + deviation * latent
    for time in (0.0, 0.2, 0.5, 0.9, 1.0):
        t = torch.tensor([time])
        x = (1 - time) * noise + time * latent
        guess = follow(torch.zeros_like(x), x, t, mean, deviation)
        error = float((guess - (latent - noise)).square().mean())
        assert error == pytest.approx(float(0.09 / left_open(t, torch.tensor(0.3))), rel=0.1)
        for other in (guess + 0.05 * (x - time * mean), guess - 0.05 * (x - time * mean)):
            assert error <= float((other - (latent - noise)).square().mean()) + 1e-4


def test_what_is_added_to_the_expectation_has_unit_size():
    generator = torch.Generator().manual_seed(1)
    noise, latent = torch.randn(2, 4096, 1, 4, generator=generator)
    mean, deviation = torch.full_like(noise, -1.0), torch.full_like(noise, 2.0)
    t = torch.rand(4096, generator=generator)
    x = (1 - t.view(-1, 1, 1)) * noise + t.view(-1, 1, 1) * (mean + deviation * latent)
    velocity = mean + deviation * latent - noise
    rest = velocity - follow(torch.zeros_like(x), x, t, mean, deviation)
    added = follow(torch.ones_like(x), x, t, mean, deviation) - follow(
        torch.zeros_like(x), x, t, mean, deviation
    )
    assert float((rest / added).square().mean()) == pytest.approx(1, abs=0.03)
