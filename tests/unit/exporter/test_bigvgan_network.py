from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from exporter import fill
from exporter.models import bigvgan
from exporter.models.bigvgan import BIGVGAN_44K, GOLDEN_VOCODER, TINY_VOCODER, AntiAliasedSnake, Vocoder
from tests.parity.golden_files import GoldenFile, stored_shapes

WEIGHT_NORM = "bigvgan_v2_44khz_128band_512x.weight_norm"
REMOVED = "bigvgan_v2_44khz_128band_512x.removed"
FULL_REACH = replace(BIGVGAN_44K, mel_bands=2, channels=64)
"""Every kernel, rate and dilation of the published vocoder, at small width."""


def _network(dims=GOLDEN_VOCODER):
    network = Vocoder(dims)
    fill.fill_module(network)
    return network.eval().requires_grad_(requires_grad=False)


def _mel(frames, *, dims=GOLDEN_VOCODER, batch=1):
    return fill.network_input("mel", (batch, dims.mel_bands, frames), kind="logmel")


class TestKeys:
    def test_keys_and_shapes_are_those_without_weight_norm(self):
        with torch.device("meta"):
            network = Vocoder(BIGVGAN_44K)
        shapes = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
        assert shapes == stored_shapes(REMOVED)

    @pytest.mark.parametrize("spelling", bigvgan.WEIGHT_NORM_SPELLINGS)
    def test_both_spellings_fold_to_them(self, spelling):
        magnitude, direction = bigvgan.WEIGHT_NORM_SPELLINGS[0]
        stored = {
            key.replace(magnitude, spelling[0]).replace(direction, spelling[1]): torch.empty(
                shape, device="meta"
            )
            for key, shape in stored_shapes(WEIGHT_NORM).items()
        }
        folded = bigvgan.fold_weight_norm(stored)
        assert {key: tuple(tensor.shape) for key, tensor in folded.items()} == stored_shapes(REMOVED)

    def test_a_folded_checkpoint_passes_unchanged(self):
        tensors = Vocoder(GOLDEN_VOCODER).state_dict()
        folded = bigvgan.fold_weight_norm(tensors)
        assert folded.keys() == tensors.keys()
        assert all(folded[key] is tensor for key, tensor in tensors.items())

    def test_half_a_pair_is_refused(self):
        with pytest.raises(KeyError, match="conv_pre"):
            bigvgan.fold_weight_norm({"conv_pre.weight_g": torch.ones(2, 1, 1)})

    @pytest.mark.parametrize("transposed", [False, True])
    def test_folding_agrees_with_torch(self, transposed):
        """The norm runs over all but dimension 0, the input channel of a transposed convolution."""
        layer = torch.nn.ConvTranspose1d(3, 5, 4) if transposed else torch.nn.Conv1d(3, 5, 4)
        normed = torch.nn.utils.parametrizations.weight_norm(layer)
        with torch.no_grad():
            normed.parametrizations.weight.original0.mul_(2)
        folded = bigvgan.fold_weight_norm({f"l.{key}": tensor for key, tensor in normed.state_dict().items()})
        torch.testing.assert_close(folded["l.weight"], normed.weight)

    def test_the_tiny_vocoder_is_small(self):
        with torch.device("meta"):
            network = Vocoder(TINY_VOCODER)
        assert sum(p.numel() for p in network.parameters()) < 2_000_000
        assert TINY_VOCODER.hop == BIGVGAN_44K.hop == 512


class TestActivation:
    """Polyphase form against the definition: zero stuffing, filter, nonlinearity, filter, decimation."""

    def _defined(self, snake, x):
        channels = x.shape[1]
        up, down = (
            taps.expand(channels, 1, -1) for taps in (snake.upsample.filter, snake.downsample.lowpass.filter)
        )
        padded = functional.pad(x, (5, 5), mode="replicate")
        doubled = functional.conv_transpose1d(padded, 2 * up, stride=2, groups=channels)[..., 15:-15]
        alpha, beta = snake.act.alpha[:, None].exp(), snake.act.beta[:, None].exp()
        y = doubled + torch.sin(alpha * doubled) ** 2 / (beta + 1e-9)
        return functional.conv1d(functional.pad(y, (5, 6), mode="replicate"), down, stride=2, groups=channels)

    @pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 6, 7, 16, 97])
    def test_polyphase_equals_zero_stuffing(self, length):
        snake = AntiAliasedSnake(6).double().requires_grad_(requires_grad=False)
        fill.fill_module(snake)
        x = fill.network_input("x", (2, 6, length), kind="normal").double() * 3
        result = snake(x)
        assert result.shape == x.shape
        assert float((result - self._defined(snake, x)).abs().max()) < 1e-12

    def test_up_and_down_filters_are_not_confused(self):
        snake = AntiAliasedSnake(1).double().requires_grad_(requires_grad=False)
        snake.upsample.filter.copy_(torch.rand(1, 1, 12, generator=torch.Generator().manual_seed(1)))
        snake.downsample.lowpass.filter.copy_(
            torch.rand(1, 1, 12, generator=torch.Generator().manual_seed(2))
        )
        x = fill.network_input("x", (1, 1, 20), kind="normal").double()
        assert float((snake(x) - self._defined(snake, x)).abs().max()) < 1e-12

    def test_filter_taps(self):
        golden = GoldenFile.load("tables")
        for name in ("aa_filter_up", "aa_filter_down"):
            assert golden.difference(name, bigvgan.anti_aliasing_filter()).largest < 1e-7
        assert float(bigvgan.anti_aliasing_filter().sum()) == pytest.approx(1, abs=1e-6)

    def test_a_constant_passes_both_filters(self):
        snake = AntiAliasedSnake(1).double().requires_grad_(requires_grad=False)
        x = torch.full((1, 1, 9), 0.7, dtype=torch.float64)
        expected = 0.7 + torch.sin(torch.tensor(0.7, dtype=torch.float64)) ** 2
        torch.testing.assert_close(snake(x), expected.expand(1, 1, 9), rtol=1e-6, atol=0)


class TestNetwork:
    def test_length_and_range(self):
        audio = _network()(_mel(5, batch=2) + 20)
        assert audio.shape == (2, 1, 5 * GOLDEN_VOCODER.hop)
        assert float(audio.abs().max()) <= 1

    def test_stages_average_their_parallel_blocks(self):
        network = _network(replace(GOLDEN_VOCODER, rates=(4,), rate_kernels=(8,)))
        mel = _mel(6)
        x = network.ups[0][0](network.conv_pre(mel))
        mean = (network.resblocks[0](x) + network.resblocks[1](x)) / 2
        expected = network.conv_post(network.activation_post(mean)).clamp(-1, 1)
        torch.testing.assert_close(network(mel), expected)


class TestHalo:
    def test_published_vocoder(self):
        assert BIGVGAN_44K.halo == 21

    @pytest.mark.parametrize("dims", [GOLDEN_VOCODER, FULL_REACH], ids=["golden", "full reach"])
    def test_a_frame_depends_on_its_halo_and_on_nothing_else(self, dims):
        """Exact: gradients end at the halo, and reach it."""
        network, halo = _network(dims).double(), dims.halo
        mel = _mel(2 * halo + 7, dims=dims).double().requires_grad_()
        frame = halo + 3
        samples = self._unclamped(network, mel)[..., frame * dims.hop : (frame + 1) * dims.hop]
        weights = fill.network_input("probe", tuple(samples.shape), kind="normal").double()
        (gradient,) = torch.autograd.grad((samples * weights).sum(), mel)
        touched = gradient[0].abs().amax(0).nonzero().flatten() - frame
        assert int(touched.abs().max()) == halo

    def _unclamped(self, network, mel):
        outputs = []
        network.conv_post.register_forward_hook(lambda _module, _inputs, output: outputs.append(output))
        network(mel)
        return outputs[0]

    @pytest.mark.parametrize(("first", "last"), [(0, 9), (30, 41), (52, 60)])
    def test_a_chunk_with_halo_has_the_middle_of_the_whole(self, first, last):
        dims, frames = GOLDEN_VOCODER, 60
        network, mel = _network(dims).double(), _mel(frames).double()
        whole = network(mel)
        begin, end = max(first - dims.halo, 0), min(last + dims.halo, frames)
        chunk = network(mel[..., begin:end])
        middle = chunk[..., (first - begin) * dims.hop : (last - begin) * dims.hop]
        expected = whole[..., first * dims.hop : last * dims.hop]
        torch.testing.assert_close(middle, expected, rtol=0, atol=1e-12)

    def test_a_third_of_it_is_not_enough(self):
        """Far taps weigh little, so the outermost frames drown in rounding; nearer ones do not."""
        dims, frames, frame = GOLDEN_VOCODER, 60, 30
        network, mel = _network(dims).double(), _mel(frames).double()
        expected = self._unclamped(network, mel)[..., frame * dims.hop : (frame + 1) * dims.hop]
        halo = dims.halo // 3
        chunk = self._unclamped(network, mel[..., frame - halo : frame + halo + 1])
        middle = chunk[..., halo * dims.hop : (halo + 1) * dims.hop]
        assert float((middle - expected).abs().max()) > 1e-9


class TestSettled:
    def test_it_gives_the_same_and_keeps_its_keys(self):
        network, mel = _network(), _mel(9, batch=2)
        wanted, keys = network(mel), list(network.state_dict())
        assert torch.equal(bigvgan.settled(network)(mel), wanted)
        assert list(network.state_dict()) == keys

    def test_nothing_of_its_weights_is_worked_out_again(self):
        network = bigvgan.settled(_network())
        wanted = network(_mel(9))
        for activation in network.modules():
            if isinstance(activation, AntiAliasedSnake):
                activation.act.alpha.fill_(torch.nan)
                activation.upsample.filter.fill_(torch.nan)
        assert torch.equal(network(_mel(9)), wanted)
