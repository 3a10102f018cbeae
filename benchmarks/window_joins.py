"""How windows of a long cue join: ours against cross-fading waveforms.

    python benchmarks/window_joins.py BUNDLE [seconds]

Four ways on the same pictures, words and seeds:

    own noise      every window has its own noise and is vocoded alone; equal-power fade of waveforms
    shared noise   as above, but the noise of shared latent positions is the same
    joint          the product's way: shared positions follow the earlier window, one vocoder run

For each, over the middle half of every overlap (the seam) and the rest:
level of the seam against its surroundings (dB: mean, worst; and the worst of as many places between
seams, which is how much the sound itself varies), coherence of the two sounds that are faded,
spectral flux of the seam against that of the rest.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models_onnx.bundle import Bundle
from plugin.engine.engine import Engine
from plugin.engine.flow import noise_rows, noise_windows
from plugin.render.planning import Plan, plan_windows
from plugin.render.stitching import Trail, follow, join_mels, overlap_weights
from plugin.timebase import STEM_RATE

Float = npt.NDArray[np.float32]
STEPS, SEEDS = 8, range(6)


class Footage:
    """A disc that swings once every two seconds."""

    fingerprint = ""
    damaged = False

    def frames(
        self, times: Sequence[float], *, late: Sequence[float] = ()
    ) -> Iterator[npt.NDArray[np.uint8]]:
        """See `plugin.engine.footage.Footage`."""
        del late  # there is a frame at every moment
        for mask in self.masks(times):
            yield np.stack([mask, mask // 2 + 60, 180 - mask // 3], axis=-1)

    def masks(self, times: Sequence[float]) -> Iterator[npt.NDArray[np.uint8]]:
        """See `plugin.engine.footage.Footage`."""
        rows, columns = np.mgrid[0:54, 0:96]
        for time in times:
            distance = np.hypot(rows - 27, columns - 48 - 30 * np.sin(np.pi * time))
            yield (np.clip(12 - distance, 0, 1) * 255).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Case:
    """One way of joining: how windows are solved, and how they become one sound."""

    name: str
    shared_noise: bool
    joint: bool


CASES = (
    Case("own noise", shared_noise=False, joint=False),
    Case("shared noise", shared_noise=True, joint=False),
    Case("joint", shared_noise=True, joint=True),
)


def _noise(case: Case, plan: Plan, *, seed: int, channels: int) -> Iterator[Float]:
    if case.shared_noise:
        return noise_windows(seed, iter([(w.first, w.end) for w in plan.windows]), channels=channels)
    return (
        noise_rows(seed * 1000 + k, channels=channels)(w.latents)[None] for k, w in enumerate(plan.windows)
    )


def _solved(engine: Engine, plan: Plan, case: Case, *, seed: int) -> Iterator[Float]:
    """Log-mel of every window."""
    trail: Trail | None = None
    windows, manifest = plan.windows, engine.manifest
    for k, x0 in enumerate(_noise(case, plan, seed=seed, channels=manifest.latent.channels)):
        window = windows[k]
        before = windows[k - 1].end - window.first if k and case.joint else 0
        after = windows[k + 1].first - window.first if k + 1 < len(windows) else window.latents
        recording = Trail()
        steer = follow(trail if case.joint else None, shared=before, recorded=after, trail=recording)
        features = engine.features(Footage(), start=window.start, frames=window.frames)
        guidance = manifest.sampling.guidance
        conditions = engine.conditions(
            features, frames=window.frames, prompt="bell", negative_prompt="", guidance=guidance
        )
        x = engine.sample(conditions, x0, steps=STEPS, guidance=guidance, steer=steer)
        trail = recording
        yield engine.decode(x)


def _sound(engine: Engine, plan: Plan, case: Case, *, seed: int) -> tuple[Float, list[float]]:
    """The whole sound at the bundle's rate, and the coherence of what was faded at each seam."""
    hop, ratio = engine.manifest.latent.hop, engine.manifest.latent.hop // engine.manifest.vocoder.mel_hop
    mels = list(_solved(engine, plan, case, seed=seed))
    alone = [np.concatenate(list(engine.vocode([mel]))) for mel in mels]
    pairs = list(pairwise(zip(plan.windows, alone, strict=True)))
    coherence = [
        float(np.corrcoef(one[(b.first - a.first) * hop :], two[: (a.end - b.first) * hop])[0, 1])
        for (a, one), (b, two) in pairs
    ]
    if case.joint:
        firsts = [window.first for window in plan.windows]
        return np.concatenate(
            list(engine.vocode(join_mels(mels, firsts, frames_per_latent=ratio)))
        ), coherence
    joined = alone[0]
    for (a, _), (b, two) in pairs:
        shared = (a.end - b.first) * hop
        weights = overlap_weights(shared)
        start = b.first * hop
        faded = np.sqrt(weights) * joined[start : start + shared] + np.sqrt(1 - weights) * two[:shared]
        joined = np.concatenate([joined[:start], faded, two[shared:]])
    return joined, coherence


def _seams(engine: Engine, plan: Plan) -> list[slice]:
    """The middle half of every overlap, in samples."""
    hop, seams = engine.manifest.latent.hop, []
    for a, b in pairwise(plan.windows):
        quarter = (a.end - b.first) * hop // 4
        seams.append(slice(b.first * hop + quarter, a.end * hop - quarter))
    return seams


def _level(sound: Float, seam: slice) -> float:
    """Seam against as much sound before and after it, dB."""
    length = seam.stop - seam.start
    around = np.concatenate(
        [sound[max(seam.start - length, 0) : seam.start], sound[seam.stop : seam.stop + length]]
    )
    return float(10 * np.log10(np.mean(sound[seam] ** 2) / np.mean(around**2)))


def _between(one: slice, two: slice) -> slice:
    """A stretch as long as a seam in the middle between two of them."""
    middle, half = (one.stop + two.start) // 2, (one.stop - one.start) // 2
    return slice(middle - half, middle + half)


def _flux(sound: Float, *, frame: int) -> Float:
    """Change of the log spectrum from frame to frame, dB, one value per hop of half a frame."""
    count = (len(sound) - frame) // (frame // 2)
    index = np.arange(frame)[None] + np.arange(count)[:, None] * (frame // 2)
    spectrum = np.abs(np.fft.rfft(sound[index] * np.hanning(frame), axis=1))
    log = 20 * np.log10(spectrum + 1e-3 * spectrum.max())
    return np.abs(np.diff(log, axis=0)).mean(axis=1)


def main() -> None:
    """Print the table."""
    engine = Engine.open(Bundle.open(sys.argv[1]), provider="cpu", threads=1)
    seconds = Fraction(sys.argv[2]) if len(sys.argv) > 2 else Fraction(20)
    plan = plan_windows(int(seconds * STEM_RATE), engine.manifest)
    seams = _seams(engine, plan)
    frame = max(32, engine.manifest.sample_rate // 50)
    print(f"{Path(sys.argv[1]).name}: {float(seconds)} s, {len(plan.windows)} windows, {len(SEEDS)} seeds")
    print(f"{'':14}{'level mean':>11}{'worst':>8}{'elsewhere':>11}{'coherence':>11}{'flux seam/rest':>16}")
    for case in CASES:
        levels, elsewhere, fluxes, coherences = [], [], [], []
        for seed in SEEDS:
            sound, coherence = _sound(engine, plan, case, seed=seed)
            levels += [_level(sound, seam) for seam in seams]
            elsewhere += [_level(sound, _between(one, two)) for one, two in pairwise(seams)]
            coherences += coherence
            flux, inside = _flux(sound, frame=frame), np.zeros(len(sound), bool)
            for seam in seams:
                inside[seam] = True
            at = inside[(np.arange(len(flux)) + 1) * (frame // 2)]
            fluxes.append(flux[at].mean() / flux[~at].mean())
        worst = max(levels, key=abs)
        print(
            f"{case.name:14}{np.mean(levels):>8.2f} dB{worst:>5.1f} dB"
            f"{max(elsewhere, key=abs):>8.1f} dB{np.mean(coherences):>11.3f}"
            f"{np.mean(fluxes):>16.3f}"
        )


if __name__ == "__main__":
    main()
