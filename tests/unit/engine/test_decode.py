from __future__ import annotations

import numpy as np
import pytest

from plugin.engine import decode
from plugin.engine.decode import decode_latent, denormalise, expect_sound, vocode
from plugin.engine.sessions import Sessions
from plugin.errors import UnexpectedOutput


@pytest.fixture
def sessions(bundle):
    return Sessions.open(bundle, provider="cpu", threads=1)


def _mel(frames: int) -> np.ndarray:
    return np.random.default_rng(frames).standard_normal((4, frames)).astype(np.float32)


def _pieces(mel: np.ndarray, length: int) -> list[np.ndarray]:
    return [mel[:, at : at + length] for at in range(0, mel.shape[1], length)]


@pytest.mark.parametrize("frames", [1, 5, 447, 448, 454, 455, 456, 900, 2003])
@pytest.mark.parametrize("length", [1, 60, 2000])
def test_chunks_sound_as_one_run(sessions, frames: int, length: int) -> None:
    mel = _mel(frames)
    whole = sessions.run("vocoder", {"mel": mel[None]})["audio"][0, 0]
    chunked = np.concatenate(list(vocode(sessions, _pieces(mel, length))))
    assert chunked.shape == whole.shape
    assert np.allclose(chunked, whole, atol=1e-6)


def test_all_chunks_of_a_long_sound_have_one_shape(sessions, monkeypatch) -> None:
    shapes = []
    real = Sessions.run
    monkeypatch.setattr(
        Sessions,
        "run",
        lambda self, role, feeds: shapes.append(feeds["mel"].shape) or real(self, role, feeds),
    )
    list(vocode(sessions, _pieces(_mel(1003), 40)))
    assert set(shapes) == {(1, 4, decode.CHUNK_FRAMES + 2 * 3)}
    assert len(shapes) == 3


def test_a_halo_that_is_too_small_would_be_heard(toy, tmp_path) -> None:
    from models_onnx.manifest import VocoderSpec

    bundle = toy.make_toy_bundle(tmp_path / "b", vocoder=VocoderSpec(mel_bands=4, mel_hop=512, halo=1))
    sessions = Sessions.open(bundle, provider="cpu", threads=1)
    mel = _mel(900)
    whole = sessions.run("vocoder", {"mel": mel[None]})["audio"][0, 0]
    assert not np.allclose(np.concatenate(list(vocode(sessions, [mel]))), whole, atol=1e-4)


def test_no_mel_is_no_sound(sessions) -> None:
    assert list(vocode(sessions, [])) == []


def test_latents_are_denormalised(bundle, sessions) -> None:
    x = np.full((1, 3, 4), 2, np.float32)
    assert np.allclose(denormalise(x, bundle.manifest.latent), 2.1)
    assert np.allclose(decode_latent(sessions, x), 2.1)
    assert decode_latent(sessions, x).shape == (4, 6)


def test_a_mel_of_the_wrong_length_is_told(toy, tmp_path) -> None:
    from models_onnx.manifest import VocoderSpec

    bundle = toy.make_toy_bundle(tmp_path / "b", vocoder=VocoderSpec(mel_bands=4, mel_hop=256, halo=3))
    sessions = Sessions.open(bundle, provider="cpu", threads=1)
    with pytest.raises(UnexpectedOutput, match="decoder"):
        decode_latent(sessions, np.ones((1, 3, 4), np.float32))
    with pytest.raises(UnexpectedOutput, match="vocoder"):
        list(vocode(sessions, [_mel(4)]))


def test_silence_is_told_at_the_end_only() -> None:
    silent = [np.zeros(10, np.float32), np.full(3, 9e-6, np.float32)]
    pieces = expect_sound(silent, due=lambda: True)
    assert len(next(pieces)) == 10
    assert len(next(pieces)) == 3
    with pytest.raises(UnexpectedOutput, match="silence"):
        next(pieces)


def test_silence_is_right_where_nothing_was_marked() -> None:
    assert len(list(expect_sound([np.zeros(10, np.float32)], due=lambda: False))) == 1


def test_a_quiet_sound_is_a_sound() -> None:
    quiet, silent = np.array([0, -2e-5], np.float32), np.zeros(10, np.float32)
    for pieces in ([silent, quiet], [quiet, silent]):
        assert len(list(expect_sound(pieces, due=lambda: True))) == 2
