"""One cue's sound: every window conditioned, sampled, decoded, joined, and resampled to the stem's rate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plugin.engine.conditions import WindowFeatures
from plugin.engine.decode import expect_sound
from plugin.engine.engine import Engine
from plugin.engine.flow import Steer, noise_windows
from plugin.engine.footage import Footage
from plugin.engine.watch import SOUND, UNWATCHED, Watch
from plugin.media.audio import resample_stream
from plugin.render.planning import Plan, Window, plan_windows
from plugin.render.stitching import Trail, exactly, follow, join_mels, skip
from plugin.timebase import STEM_RATE

Float = npt.NDArray[np.float32]

_RESAMPLER_SLACK = 8
"""Samples that resampling may round away at the very end."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a cue should sound like; see `plugin.cues.Cue`."""

    prompt: str
    negative_prompt: str
    steps: int
    guidance: float
    seed: int


def synthesise(
    engine: Engine,
    footage: Footage,
    *,
    samples: int,
    prompt: str,
    negative_prompt: str,
    steps: int,
    guidance: float,
    seed: int,
    cancel: Callable[[], bool] = UNWATCHED.cancel,
    progress: Callable[[str, int, int], None] = UNWATCHED.progress,
) -> Iterator[Float]:
    """The cue's sound: float32 pieces of exactly `samples` samples in total, 48 kHz, mono.

    Sample 0 is the cue's start. Memory does not grow with length. The same arguments, bundle and provider
    give the same samples. Nothing is computed before the first piece is asked for.

    Args:
        engine: runs the graphs.
        footage: the cue's pictures and matte.
        samples: length of the stem piece.
        prompt: words for the sound, may be empty.
        negative_prompt: words for what must not sound, may be empty.
        steps: solver steps.
        guidance: strength; at 1 and below the second branch is left out.
        seed: decides the starting noise.
        cancel: asked before every solver step, encoder batch and decoding, and after every piece.
        progress: told (stage, done, total) over the whole cue; stages are `plugin.engine.watch.STAGES`.

    Raises:
        Cancelled: `cancel` said so.
        UnexpectedOutput: a stage gave NaN, or the sound is silent although an object was marked.
        OutOfMemory, EngineError, BundleCorrupt, MediaError: see the stages.
    """
    plan = plan_windows(samples, engine.manifest)
    wish = Wish(prompt, negative_prompt, steps, guidance, seed)
    watch = Watch(cancel, progress)
    marked: list[bool] = []
    native = _native_sound(engine, footage, plan=plan, wish=wish, watch=watch, marked=marked)
    stem = resample_stream(native, source_rate=engine.manifest.sample_rate, target_rate=STEM_RATE)
    cut = exactly(stem, samples, tolerance=_RESAMPLER_SLACK)
    done = 0
    for piece in expect_sound(cut, due=lambda: any(marked)) if samples else ():
        done += len(piece)
        progress(SOUND, done, samples)
        yield piece
        if done < samples:
            watch.checkpoint()


def _native_sound(
    engine: Engine, footage: Footage, *, plan: Plan, wish: Wish, watch: Watch, marked: list[bool]
) -> Iterator[Float]:
    """The cue's sound at the bundle's rate, from the cue's start to the last window's end."""
    manifest = engine.manifest
    mels = join_mels(
        _window_mels(engine, footage, plan=plan, wish=wish, watch=watch, marked=marked),
        [window.first for window in plan.windows],
        frames_per_latent=manifest.latent.hop // manifest.vocoder.mel_hop,
    )
    return skip(engine.vocode(mels), plan.lead * manifest.latent.hop)


def _window_mels(
    engine: Engine, footage: Footage, *, plan: Plan, wish: Wish, watch: Watch, marked: list[bool]
) -> Iterator[Float]:
    """The log-mel of every window; only one window's arrays and the overlap's path are held."""
    windows = plan.windows
    spans = iter([(window.first, window.end) for window in windows])
    noise = noise_windows(wish.seed, spans, channels=engine.manifest.latent.channels)
    trail: Trail | None = None
    for index, (window, x0) in enumerate(zip(windows, noise, strict=True)):
        before = windows[index - 1].end - window.first if index else 0
        after = windows[index + 1].first if index + 1 < len(windows) else window.end
        recording = Trail()
        steer = follow(trail, shared=before, recorded=after - window.first, trail=recording)
        part = watch.share(index, count=len(windows))
        features = engine.features(footage, start=window.start, frames=window.frames, watch=part)
        marked.append(not features.empty)
        x = _solve(engine, features, x0, window=window, wish=wish, steer=steer, watch=part)
        trail = recording
        watch.checkpoint()
        yield engine.decode(x)


def _solve(
    engine: Engine,
    features: WindowFeatures,
    x0: Float,
    *,
    window: Window,
    wish: Wish,
    steer: Steer,
    watch: Watch,
) -> Float:
    """The solved state `[1, N, C]` of one window."""
    conditions = engine.conditions(
        features,
        frames=window.frames,
        prompt=wish.prompt,
        negative_prompt=wish.negative_prompt,
        guidance=wish.guidance,
    )
    return engine.sample(conditions, x0, steps=wish.steps, guidance=wish.guidance, steer=steer, watch=watch)
