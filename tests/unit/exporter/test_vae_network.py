import math

import pytest
import torch
from torch import nn

from exporter import fill
from exporter.models import vae
from exporter.models.mel import MEL_44K, hertz_to_mel, log_mel, mel_basis, mel_to_hertz
from exporter.models.vae import GOLDEN_VAE, TINY_VAE, VAE_44K, DecoderGraph, Vae
from tests.parity.golden_files import GoldenFile, stored_shapes


def _raw():
    """A checkpoint of golden dimensions, weights not normalised."""
    with torch.device("meta"):
        shapes = {key: tuple(tensor.shape) for key, tensor in Vae(GOLDEN_VAE).state_dict().items()}
    bands = (1, GOLDEN_VAE.mel_bands, 1)
    return fill.weights(shapes) | {"data_mean": torch.full(bands, -4.0), "data_std": torch.full(bands, 2.0)}


def _network(tensors=None):
    network = Vae(GOLDEN_VAE)
    network.load_state_dict(vae.normalise_weights(_raw()) if tensors is None else tensors)
    return network.eval().requires_grad_(requires_grad=False)


def test_keys_and_shapes_are_those_of_the_checkpoint():
    with torch.device("meta"):
        network = Vae(VAE_44K)
    shapes = [(key, tuple(tensor.shape)) for key, tensor in network.state_dict().items()]
    assert shapes == list(stored_shapes("vae_v1-44").items())


def test_the_tiny_decoder_fits_the_embedded_bundle():
    with torch.device("meta"):
        network = Vae(TINY_VAE)
    assert sum(p.numel() for p in network.decoder.parameters()) < 3_000_000


def relative(result, expected):
    assert result.shape == expected.shape
    return float((result - expected).norm() / expected.norm())


class TestNormalisation:
    golden = GoldenFile.load("tables")

    @pytest.mark.parametrize(
        ("name", "key", "shape"),
        [
            ("vae_decoder_conv_in_normalised", "decoder.conv_in.weight", (2048, 40, 3)),
            ("vae_decoder_mid_attn_qkv_normalised", "decoder.mid.attn_1.qkv.weight", (6144, 2048, 1)),
        ],
    )
    def test_golden_weights(self, name, key, shape):
        weights = vae.normalise_weights({key: fill.weight(key, shape)})
        self.golden.check(name, weights[key], tolerance=1e-6)

    def test_rows_get_unit_length_and_nothing_else_changes(self):
        raw = _raw()
        weights = vae.normalise_weights(raw)
        for key, tensor in weights.items():
            if key.endswith(".weight"):
                torch.testing.assert_close(
                    tensor.flatten(1).norm(dim=1), torch.ones(tensor.shape[0]), rtol=1e-3, atol=0
                )
            else:
                assert tensor is raw[key]

    def test_a_second_application_shrinks_so_it_is_applied_once(self):
        key = "decoder.mid.block_1.conv1.weight"
        stored = fill.weight(key, (64, 2048, 3)) * math.sqrt(2048 * 3)  # entries of about 1, as trained
        once = vae.normalise_weights({key: stored})
        twice = vae.normalise_weights(once)
        shrunk = float(twice[key].norm() / once[key].norm())
        assert shrunk == pytest.approx(1 / (1 + vae.NORM_EPS * math.sqrt(2048 * 3)), rel=3e-4)
        assert shrunk < 0.993

    def test_the_network_uses_its_weights_as_they_are(self):
        latent = fill.network_input("latent", (1, 4, 5), kind="normal")
        assert relative(_network(_raw()).decode(latent), _network().decode(latent)) > 1e-3


class TestBlocks:
    def test_magnitude_preserving_functions(self):
        x = torch.randn(1, 64, 4096, generator=torch.Generator().manual_seed(1))
        other = torch.randn(x.shape, generator=torch.Generator().manual_seed(2))
        torch.testing.assert_close(
            vae.pixel_norm(3 * x).pow(2).mean(1), torch.ones(1, 4096), rtol=1e-3, atol=0
        )
        assert float(vae.mixed(x, other).std()) == pytest.approx(1, abs=0.01)
        assert float(vae.scaled_silu(x).pow(2).mean()) == pytest.approx(1, abs=0.02)

    @pytest.mark.parametrize("channels", [(6, 6), (6, 4)])
    def test_the_residual_path_carries_the_normalised_input(self, channels):
        block = vae.ResBlock(*channels)
        nn.init.zeros_(block.conv2.weight)
        x = fill.network_input("x", (1, channels[0], 7), kind="normal") * 5
        kept = vae.pixel_norm(x)
        if channels[0] != channels[1]:
            kept = block.nin_shortcut(kept)
        torch.testing.assert_close(block(x), kept * 0.7 / math.hypot(0.7, 0.3))

    def test_attention_channels_are_interleaved(self):
        """[MATCH] channel 3c + j of qkv; every part normalised over its channels, one head."""
        width, length = 4, 5
        block = vae.AttentionBlock(width)
        x = fill.network_input("x", (1, width, length), kind="normal")
        joint = block.qkv(x)[0]
        q, k, v = (
            vae.pixel_norm(torch.stack([joint[3 * c + kind] for c in range(width)])[None])[0]
            for kind in range(3)
        )
        weights = torch.softmax(q.T @ k / math.sqrt(width), -1)
        expected = vae.mixed(x, block.proj_out((v @ weights.T)[None]))
        torch.testing.assert_close(block(x), expected)

    def test_doubling_repeats_every_frame(self):
        doubling = vae.Doubling(2)
        nn.init.zeros_(doubling.conv.weight)
        with torch.no_grad():
            doubling.conv.weight[:, :, 1] = torch.eye(2)
        x = fill.network_input("x", (1, 2, 3), kind="normal")
        torch.testing.assert_close(doubling(x), x.repeat_interleave(2, dim=2))

    def test_halving_averages_pairs_between_its_convolutions(self):
        halving = vae.Halving(2)
        x = fill.network_input("x", (1, 2, 6), kind="normal")
        inner = halving.conv1(x)
        torch.testing.assert_close(halving(x), halving.conv2((inner[..., 0::2] + inner[..., 1::2]) / 2))

    def test_blocks_are_clamped(self):
        level = vae.Level(3, 3, blocks=1).requires_grad_(requires_grad=False)
        level.block[0].conv2.weight.fill_(1e4)
        x = fill.network_input("x", (1, 3, 5), kind="normal")
        assert float(level.block[0](x).abs().max()) > 256
        assert float(level(x).abs().max()) == 256

    def test_the_output_gain_is_one_plus_the_learned(self):
        conv = vae.OutputConv(2, 3, 3, padding=1, bias=False)
        x = fill.network_input("x", (1, 2, 5), kind="normal")
        torch.testing.assert_close(conv.scaled(x, torch.tensor(0.25)), conv(x) * 1.25)


class TestCoder:
    def test_levels_change_rate_where_the_checkpoint_has_it(self):
        network = _network()
        assert [level.downsample is not None for level in network.encoder.down] == [True, False]
        assert [level.upsample is not None for level in network.decoder.up] == [False, True]

    def test_shapes(self):
        network = _network()
        mel = network.decode(fill.network_input("latent", (2, 4, 9), kind="normal"))
        assert mel.shape == (2, 8, 18)
        posterior = network.encode(mel)
        assert posterior.mean.shape == posterior.std.shape == (2, 4, 9)
        assert (posterior.std > 0).all()
        assert GOLDEN_VAE.frames_per_latent == 2

    def test_the_mel_statistics_frame_both_ways(self):
        raw = vae.normalise_weights(_raw())
        plain = raw | {"data_mean": torch.zeros(1, 8, 1), "data_std": torch.ones(1, 8, 1)}
        latent = fill.network_input("latent", (1, 4, 5), kind="normal")
        mel = _network(plain).decode(latent)
        torch.testing.assert_close(_network(raw).decode(latent), mel * 2 - 4)
        torch.testing.assert_close(_network(raw).encode(mel * 2 - 4), _network(plain).encode(mel))

    def test_the_graph_takes_latents_positions_first(self):
        network = _network()
        latent = fill.network_input("latent", (1, 5, 4), kind="normal")
        torch.testing.assert_close(DecoderGraph(network)(latent), network.decode(latent.transpose(1, 2)))

    def test_the_log_variance_is_limited(self):
        tensors = vae.normalise_weights(_raw())
        tensors["encoder.learnable_gain"] = torch.tensor(1e6)
        std = _network(tensors).encode(fill.network_input("mel", (1, 8, 8), kind="logmel")).std
        assert float(std.max()) == pytest.approx(math.exp(10))
        assert float(std.min()) == pytest.approx(math.exp(-15))


class TestMel:
    def test_basis_has_the_golden_row_sums(self):
        golden = GoldenFile.load("vae_enc")
        sums = mel_basis(MEL_44K).sum(1)
        assert golden.difference("mel_basis_row_sums", sums).relative_l2 < 1e-6

    def test_golden_mel(self):
        mel = log_mel(fill.network_input("wave", (1, 65536), kind="wave"))
        GoldenFile.load("vae_enc").check("mel", mel, tolerance=1e-5)

    @pytest.mark.parametrize("hertz", [0.0, 440.0, 1000.0, 9000.0, 22050.0])
    def test_scale_turns_back(self, hertz):
        assert mel_to_hertz(hertz_to_mel(hertz)) == pytest.approx(hertz)

    def test_silence_is_at_the_floor_and_loud_input_is_clamped(self):
        silence = log_mel(torch.zeros(1, 4096))
        assert silence.shape == (1, 128, 8)
        assert float(silence.max()) < -9
        wave = 10 * fill.network_input("wave", (1, 4096), kind="wave")
        torch.testing.assert_close(log_mel(wave), log_mel(wave.clamp(-1, 1)))

    def test_a_tone_peaks_in_its_band(self):
        times = torch.arange(44100, dtype=torch.float64) / 44100
        mel = log_mel(torch.sin(2 * math.pi * 3000 * times)[None].float())
        corners = (hertz_to_mel(22050.0) - hertz_to_mel(0.0)) / 129
        expected = round(hertz_to_mel(3000.0) / corners) - 1
        assert int(mel[0, :, 40].argmax()) == expected
