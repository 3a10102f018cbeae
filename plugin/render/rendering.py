"""One cue's sound: every window conditioned, sampled, decoded, joined, and resampled to the stem's rate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plugin.cues import Cue, Resize
from plugin.engine.conditions import WindowFeatures
from plugin.engine.decode import expect_sound
from plugin.engine.engine import Engine
from plugin.engine.flow import Steer, noise_windows
from plugin.engine.footage import Footage
from plugin.engine.watch import SOUND, UNWATCHED, Watch
from plugin.media.audio import resample_stream
from plugin.render.planning import Plan, plan_windows
from plugin.render.stitching import Trail, exactly, follow, join_mels, skip
from plugin.timebase import STEM_RATE

Float = npt.NDArray[np.float32]

_RESAMPLER_SLACK = 8
"""Samples that resampling may round away at the very end."""


OVERFLOWED = "Half precision was not enough for a part of this cue; that part was computed again in float32."
"""What a take is told with when its graphs fell back."""

NOTHING_MARKED = (
    "The model sees no object in the matte (too small, too faint, or outside the picture it looks at); "
    "the sound is of the whole picture."
)

HARDLY_HEARD = -60.0
"""dBFS: a stem whose highest peak is below is as good as silent."""

NOTHING_HEARD = (
    "The stem is as good as silent: the model found nothing in the marked object's movement "
    "that would make this sound. Other words or another matte may help."
)

MATTE_IGNORED = (
    "This model hears the whole picture and knows no mattes; the matte of this cue changes nothing."
)
"""What a take of MMAudio's is told with when its cue has a matte."""


@dataclass(frozen=True, slots=True)
class Brief:
    """What one take should sound like.

    Attributes:
        prompt: words for the sound, may be empty.
        negative_prompt: words for what must not sound, may be empty.
        steps: solver steps.
        guidance: strength; at 1 and below the second branch is left out.
        seed: 0..2**63-1, decides the starting noise.
        resize: how pictures meet the model's square; None as the bundle says.
    """

    prompt: str
    negative_prompt: str
    steps: int
    guidance: float
    seed: int
    resize: Resize | None = None

    @classmethod
    def of(cls, cue: Cue) -> Brief:
        """The brief of a cue's first take."""
        return cls(cue.prompt, cue.negative_prompt, cue.steps, cue.guidance, cue.seed, cue.resize)


def synthesise(
    engine: Engine, footage: Footage, brief: Brief, *, samples: int, watch: Watch = UNWATCHED
) -> Iterator[Float]:
    """The cue's sound: float32 pieces of exactly `samples` samples in total, 48 kHz, mono.

    Sample 0 is the cue's start. Memory does not grow with length. The same arguments, bundle, provider and
    threads give the same samples. Nothing is computed before the first piece is asked for.

    Args:
        engine: runs the graphs.
        footage: the cue's pictures and matte.
        brief: what it should sound like.
        samples: length of the stem piece.
        watch: cancel is asked before every solver step, encoder batch and decoding, and after every piece;
            progress is told (stage, done, total) over the whole cue, stages are `plugin.engine.watch.STAGES`.

    Raises:
        Cancelled: `watch.cancel` said so.
        UnexpectedOutput: a stage gave NaN, or the sound is silent although an object was marked.
        OutOfMemory, EngineError, BundleCorrupt, MediaError: see the stages.
    """
    if samples == 0:
        return
    plan = plan_windows(samples, engine.manifest)
    before, remarks = engine.fallen_back, dict(engine.remarks)
    marked: list[bool] = []
    native = _native_sound(engine, footage, brief, plan=plan, watch=watch, marked=marked)
    stem = resample_stream(native, source_rate=engine.manifest.sample_rate, target_rate=STEM_RATE)
    cut = exactly(stem, samples, tolerance=_RESAMPLER_SLACK)
    done, peak = 0, 0.0
    for piece in expect_sound(cut, due=lambda: any(marked)):
        done, peak = done + len(piece), max(peak, float(np.abs(piece).max()))
        watch.progress(SOUND, done, samples)
        yield piece
        if done < samples:
            watch.checkpoint()
    if not engine.looks_at_mattes:
        if footage.masks(()) is not None:
            watch.warn(MATTE_IGNORED)
    elif not any(marked):
        watch.warn(NOTHING_MARKED)
    if any(marked) and peak < 10 ** (HARDLY_HEARD / 20):
        watch.warn(NOTHING_HEARD)
    if engine.fallen_back > before:
        watch.warn(OVERFLOWED)
    for sentence, count in engine.remarks.items():
        if count > remarks.get(sentence, 0):
            watch.warn(sentence)


def _native_sound(
    engine: Engine, footage: Footage, brief: Brief, *, plan: Plan, watch: Watch, marked: list[bool]
) -> Iterator[Float]:
    """The cue's sound at the bundle's rate, from the cue's start to the last window's end."""
    manifest = engine.manifest
    mels = join_mels(
        _window_mels(engine, footage, brief, plan=plan, watch=watch, marked=marked),
        [window.first for window in plan.windows],
        frames_per_latent=manifest.latent.hop // manifest.vocoder.mel_hop,
    )
    return skip(engine.vocode(mels, watch=watch), plan.lead * manifest.latent.hop)


def _window_mels(
    engine: Engine, footage: Footage, brief: Brief, *, plan: Plan, watch: Watch, marked: list[bool]
) -> Iterator[Float]:
    """The log-mel of every window; only one window's arrays and the overlap's path are held.

    Whether a window showed an object is added to `marked`.
    """
    windows = plan.windows
    spans = iter([(window.first, window.end) for window in windows])
    noise = noise_windows(brief.seed, spans, channels=engine.manifest.latent.channels)
    trail: Trail | None = None
    for index, (window, x0) in enumerate(zip(windows, noise, strict=True)):
        before = windows[index - 1].end - window.first if index else 0
        after = windows[index + 1].first if index + 1 < len(windows) else window.end
        recording = Trail()
        alone = len(windows) == 1
        steer = (
            None if alone else follow(trail, shared=before, recorded=after - window.first, trail=recording)
        )
        part = watch.share(index, count=len(windows))
        features = engine.features(
            footage,
            start=window.start,
            frames=window.frames,
            pictures=window.pictures,
            resize=brief.resize,
            watch=part,
        )
        marked.append(not features.empty)
        x = _solve(engine, features, x0, brief=brief, frames=window.frames, steer=steer, watch=part)
        trail = recording
        watch.checkpoint()
        yield engine.decode(x, watch=watch)


def _solve(
    engine: Engine,
    features: WindowFeatures,
    x0: Float,
    *,
    brief: Brief,
    frames: int,
    steer: Steer | None,
    watch: Watch,
) -> Float:
    """The solved state `[1, N, C]` of one window of `frames` sync frames."""
    conditions = engine.conditions(
        features,
        frames=frames,
        prompt=brief.prompt,
        negative_prompt=brief.negative_prompt,
        guidance=brief.guidance,
        watch=watch,
    )
    return engine.sample(conditions, x0, steps=brief.steps, guidance=brief.guidance, steer=steer, watch=watch)
