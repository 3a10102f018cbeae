"""Latents to log-mel, log-mel to waveform (spec 6 and 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from models_onnx.manifest import LatentSpec
from plugin.engine.sessions import Float, Sessions
from plugin.engine.watch import UNWATCHED, Watch
from plugin.errors import UnexpectedOutput

CHUNK_FRAMES = 448
"""Mel frames that one vocoder call adds to the sound; the halo comes on top. Bounds memory.

A window of 5 s (432 frames at 44.1 kHz) fits into one call; over a minute the halos cost a tenth.
"""

SILENCE_PEAK = 1e-5
"""A whole cue that never gets louder than this (-100 dBFS) is a fault, not a quiet sound."""


def denormalise(x: Float, spec: LatentSpec) -> Float:
    """The latent the decoder expects: `x * std + mean` per channel, `[B, N, C]`."""
    latent: Float = x * np.asarray(spec.std, np.float32) + np.asarray(spec.mean, np.float32)
    return latent


def decode_latent(sessions: Sessions, x: Float) -> Float:
    """Log-mel `[bands, frames]` of one window's solved state `[1, N, C]`."""
    manifest = sessions.bundle.manifest
    mel: Float = sessions.run("decoder", {"latent": denormalise(x, manifest.latent)})["mel"][0]
    frames = x.shape[1] * manifest.latent.hop // manifest.vocoder.mel_hop
    if mel.shape != (manifest.vocoder.mel_bands, frames):
        raise _wrong_shape("decoder", mel.shape, (manifest.vocoder.mel_bands, frames))
    return mel


def vocode(sessions: Sessions, mels: Iterable[Float], *, watch: Watch = UNWATCHED) -> Iterator[Float]:
    """One unbroken waveform from log-mel pieces `[bands, m]`: pieces `[n]` float32, -1..1.

    The vocoder runs over chunks that overlap by the manifest's halo, and only the part that the chunk's
    edges cannot reach is kept, so the pieces equal one run over everything. All calls but those on a
    sound shorter than a chunk have the same shape. Memory does not grow with length.
    """
    halo = sessions.bundle.manifest.vocoder.halo
    span = CHUNK_FRAMES + 2 * halo
    held, first, given = np.zeros((sessions.bundle.manifest.vocoder.mel_bands, 0), np.float32), 0, 0
    for mel in mels:
        held = np.concatenate([held, mel], axis=1)
        start = max(given - halo, 0)
        # Strictly more than a span, so that there is always a part left to be the end of the sound.
        while first + held.shape[1] - start > span:
            chunk = held[:, start - first : start - first + span]
            yield _vocode_part(sessions, chunk, keep=slice(given - start, span - halo), watch=watch)
            given = start + span - halo
            start = given - halo
            # The last chunk reaches back to be as long as the others.
            kept_from = max(given - span, 0)
            held, first = held[:, kept_from - first :], kept_from
    if held.size:
        start = max(held.shape[1] - span, 0)
        yield _vocode_part(sessions, held[:, start:], keep=slice(given - first - start, None), watch=watch)


def _vocode_part(sessions: Sessions, mel: Float, *, keep: slice, watch: Watch) -> Float:
    hop = sessions.bundle.manifest.vocoder.mel_hop
    with sessions.watched(watch.cancel):
        audio = sessions.run("vocoder", {"mel": mel[None]})["audio"]
    if audio.shape != (1, 1, mel.shape[1] * hop):
        raise _wrong_shape("vocoder", audio.shape, (1, 1, mel.shape[1] * hop))
    samples: Float = audio[0, 0].reshape(mel.shape[1], hop)[keep].reshape(-1)
    return samples


def expect_sound(pieces: Iterable[Float], *, due: Callable[[], bool]) -> Iterator[Float]:
    """The same pieces; complains at the end when all of them were silent.

    Args:
        pieces: of one whole cue.
        due: asked at the end whether there was anything to sound.

    Raises:
        UnexpectedOutput: nothing was louder than `SILENCE_PEAK`.
    """
    peak = 0.0
    for piece in pieces:
        peak = max(peak, float(np.abs(piece).max(initial=0.0)))
        yield piece
    if peak < SILENCE_PEAK and due():
        raise UnexpectedOutput(
            "The vocoder gave silence where sound was due.",
            remedy="Check the cue's prompt and matte, then render another take.",
            detail=f"peak {peak:.2e}",
        )


def _wrong_shape(role: str, shape: tuple[int, ...], expected: tuple[int, ...]) -> UnexpectedOutput:
    return UnexpectedOutput(
        f"The {role} graph gave values of the shape {shape} instead of {expected}.",
        remedy="Verify the bundle with `sagafoley models verify`; where it is whole, use another.",
    )
