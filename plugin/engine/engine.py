"""The engine: pictures, a mask and words in, the pieces of a sound out.

Each method is one stage of one window. `plugin.render` strings them together over a cue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from models_onnx.bundle import Bundle
from models_onnx.manifest import Manifest, PictureSpec
from plugin.engine.cache import FeatureCache, feature_key
from plugin.engine.conditions import (
    BATCHING,
    Batching,
    Conditions,
    NullConditions,
    WindowFeatures,
    both_branches,
    encode_images,
    encode_segments,
    encode_text,
    flow_conditions,
)
from plugin.engine.cuda import CudaTuning
from plugin.engine.decode import decode_latent, vocode
from plugin.engine.flow import Steer, Velocity, euler, guide, needs_unconditional
from plugin.engine.footage import Footage, SharedFrames
from plugin.engine.last_pictures import LastPictures
from plugin.engine.lengths import window_lengths
from plugin.engine.memory import give_back_freed
from plugin.engine.preprocess import collect_window, segment_count, slot_times
from plugin.engine.providers import Provider, runtime_version
from plugin.engine.sessions import Array, Float, Sessions
from plugin.engine.solving import DeviceSolver
from plugin.engine.text import Tokenizer
from plugin.engine.watch import PICTURES, SAMPLING, UNWATCHED, Watch
from plugin.errors import OutOfMemory

_PROMPTS_KEPT = 8
"""Prompts whose features stay in memory: those of one cue, and of its neighbours."""


class Engine:
    """A bundle, ready to run.

    Attributes:
        bundle: the graphs and their manifest.
        sessions: runs and counts them.
        batching: how much goes through a graph at once.
        keeps_state: the solver's state stays where the graphs run, between its steps.
    """

    def __init__(
        self, sessions: Sessions, *, tokenizer: Tokenizer, nulls: NullConditions, cache: FeatureCache | None
    ) -> None:
        self.bundle = sessions.bundle
        self.sessions = sessions
        self.batching: Batching = BATCHING[sessions.provider]
        self.keeps_state = sessions.provider is Provider.CUDA and sessions.tuning.device_state
        self._tokenizer = tokenizer
        self._nulls = nulls
        self._cache = cache
        self._words: dict[str, Float] = {}
        self._seen = LastPictures()

    @classmethod
    def open(
        cls,
        bundle: Bundle,
        *,
        provider: str = "auto",
        threads: int | None = None,
        memory: int | None = None,
        cache: FeatureCache | None = None,
        tuning: CudaTuning | None = None,
    ) -> Engine:
        """An engine with no graph loaded yet.

        Args:
            bundle: opened and checked.
            provider: "auto" (CUDA where it works, else CPU), "cpu" or "cuda".
            threads: per graph; None leaves it to ONNX Runtime.
            memory: bytes that loaded graphs may take together; None: see `sessions.usual_memory`.
            cache: where features are kept between takes; None keeps none.
            tuning: of CUDA, for measurements; None is the usual.

        Raises:
            ProviderUnavailable: the provider does not work here.
            BundleCorrupt, BundleTooNew: the bundle cannot be used.
        """
        sessions = Sessions.open(bundle, provider=provider, threads=threads, memory=memory, tuning=tuning)
        tokenizer, nulls = Tokenizer.load(bundle), NullConditions.load(bundle)
        return cls(sessions, tokenizer=tokenizer, nulls=nulls, cache=cache)

    @property
    def manifest(self) -> Manifest:
        """What the bundle says about itself."""
        return self.bundle.manifest

    @property
    def provider(self) -> str:
        """Where graphs run: "cpu" or "cuda"."""
        return self.sessions.provider.value

    @property
    def calls(self) -> Mapping[str, int]:
        """Runs of every graph so far, by role."""
        return self.sessions.calls

    @property
    def fallen_back(self) -> int:
        """Runs since opening that overflowed in half precision and were done again in float32."""
        return self.sessions.fallen_back.total()

    @property
    def remarks(self) -> Mapping[str, int]:
        """Sentences that takes made since opening should carry, and how often each was true."""
        return self.sessions.remarks

    @property
    def looks_at_mattes(self) -> bool:
        """Whether the model sees a mask; MMAudio's hear the whole frame."""
        return any(tensor.name == "mask" for tensor in self.manifest.graphs["sync_encoder"].inputs)

    @property
    def loads(self) -> Mapping[str, int]:
        """Loads of every graph so far, by role."""
        return self.sessions.loads

    def drop(self, *roles: str) -> None:
        """Give the memory of the named graphs back, or of all."""
        self.sessions.drop(*roles)

    def features(
        self,
        footage: Footage,
        *,
        start: Fraction,
        frames: int,
        pictures: Fraction | None = None,
        resize: str | None = None,
        watch: Watch = UNWATCHED,
    ) -> WindowFeatures:
        """What the encoders see in one window, from the cache when it was seen before.

        Args:
            footage: the cue's pictures.
            start: the window's start, seconds from the cue's first sample.
            frames: sync frames of the window.
            pictures: the same for the image tower's first picture; None: `start`. Pictures that the window
                before showed at the same times are not encoded again.
            resize: "squash" or "center_crop"; None as the bundle says.
            watch: cancel and progress ("pictures": frames of the image tower and segments).
        """
        spec = self.manifest.picture
        if resize is not None:
            spec = replace(spec, resize=resize)
        first = start if pictures is None else pictures
        key = self._feature_key(footage, start=start, frames=frames, resize=spec.resize, pictures=first)
        known = self._recall(key, names=("clip", "sync", "empty"))
        count = window_lengths(frames, self.manifest).clip_frames
        slots = slot_times(first, rate=spec.clip_rate, count=count)
        if known is not None:
            total = self._encoder_work(frames)
            watch.progress(PICTURES, total, total)
            self._seen.keep(footage, slots, known["clip"])
            return WindowFeatures(known["clip"], known["sync"], empty=bool(known["empty"]))
        with self.sessions.watched(watch.cancel):
            seen = self._look(footage, start=start, frames=frames, spec=spec, slots=slots, watch=watch)
        if not footage.damaged:
            self._remember(key, {"clip": seen.clip, "sync": seen.sync, "empty": np.array(seen.empty)})
        return seen

    def text(self, prompt: str) -> Float:
        """Features `[1, L, Dt]` of a prompt; the empty prompt is encoded like any other."""
        ids = self._tokenizer.ids(prompt)
        key = feature_key(kind="text", ids=ids.tobytes().hex(), **self._origin())
        if key not in self._words:
            known = self._recall(key, names=("text",))
            text = encode_text(self.sessions, ids) if known is None else known["text"]
            if known is None:
                self._remember(key, {"text": text})
            while len(self._words) >= _PROMPTS_KEPT:
                self._words.pop(next(iter(self._words)))
            self._words[key] = text
        return self._words[key]

    def conditions(
        self,
        features: WindowFeatures,
        *,
        frames: int,
        prompt: str,
        negative_prompt: str | None,
        guidance: float,
        watch: Watch = UNWATCHED,
    ) -> Conditions:
        """Both guidance branches' inputs of the flow graph for one window (spec 5.1, 5.3).

        Args:
            features: what the encoders saw.
            frames: sync frames of the window.
            prompt: words for the sound.
            negative_prompt: words of the unconditional branch; "" is encoded like any prompt, None
                stands for the bundle's null text.
            guidance: at 1 and below the unconditional branch is not made.
            watch: cancel.
        """
        lengths = window_lengths(frames, self.manifest)
        latents = lengths.latents
        with self.sessions.watched(watch.cancel):
            text = self.text(prompt)
            # All words first: the text tower may leave when the next graph comes.
            against = no_words = self._nulls.text[None]
            guided = needs_unconditional(guidance)
            if negative_prompt is not None and (guided or self.manifest.hears_negative_words):
                against = self.text(negative_prompt)
            wanted = flow_conditions(self.sessions, features, text, latents=latents, negative=against)
            if not guided:
                return Conditions(wanted, None)
            nothing = self._nulls.features(lengths)
            other = flow_conditions(self.sessions, nothing, against, latents=latents, negative=no_words)
        return Conditions(wanted, other)

    def sample(
        self,
        conditions: Conditions,
        x0: Float,
        *,
        steps: int,
        guidance: float,
        steer: Steer | None = None,
        watch: Watch = UNWATCHED,
    ) -> Float:
        """The solved state `[1, N, C]` of one window.

        Args:
            conditions: of this window.
            x0: `[1, N, C]` starting noise.
            steps: solver steps.
            guidance: strength; at 1 and below only the conditional branch runs.
            steer: see `flow.euler`; without one the state can stay on the GPU.
            watch: cancel is looked at before every step; progress counts steps ("sampling").
        """

        def before_step(index: int) -> None:
            watch.checkpoint()
            watch.progress(SAMPLING, index, steps)

        with self.sessions.watched(watch.cancel):
            done, x = 0, x0
            if self.keeps_state:
                done, x = self._solve_there(
                    conditions, x0, steps=steps, guidance=guidance, before_step=before_step, steer=steer
                )
            velocity = self._velocity(conditions, guidance=guidance)
            x = euler(velocity, x, steps=steps, before_step=before_step, steer=steer, done=done)
        watch.progress(SAMPLING, steps, steps)
        return x

    def decode(self, x: Float, *, watch: Watch = UNWATCHED) -> Float:
        """Log-mel `[bands, frames]` of a solved state."""
        with self.sessions.watched(watch.cancel):
            return decode_latent(self.sessions, x)

    def vocode(self, mels: Iterable[Float], *, watch: Watch = UNWATCHED) -> Iterator[Float]:
        """One unbroken waveform at the bundle's rate from log-mel pieces; see `decode.vocode`."""
        return vocode(self.sessions, mels, watch=watch)

    def _solve_there(
        self,
        conditions: Conditions,
        x0: Float,
        *,
        steps: int,
        guidance: float,
        before_step: Callable[[int], None],
        steer: Steer | None,
    ) -> tuple[int, Float]:
        """Steps done with the state where the graphs run, and the state; none where there is no room."""
        guided = needs_unconditional(guidance) and conditions.unconditional is not None
        constants = both_branches(conditions) if guided else conditions.conditional
        try:
            solver = DeviceSolver.open(self.sessions, constants, latents=x0.shape[1], guided=guided)
        except OutOfMemory:
            return 0, x0
        return solver.solve(
            constants, x0, steps=steps, guidance=guidance, before_step=before_step, steer=steer
        )

    def _velocity(self, conditions: Conditions, *, guidance: float) -> Velocity:
        wanted, other = conditions.conditional, conditions.unconditional
        if other is None or not needs_unconditional(guidance):
            return lambda x, t: self._flow(x, t, wanted)
        if self.batching.guidance:
            stacked = both_branches(conditions)

            def together(x: Float, t: np.float32) -> Float:
                pair = self._flow(np.concatenate([x, x]), t, stacked)
                return guide(pair[:1], pair[1:], guidance=guidance)

            return together
        return lambda x, t: guide(self._flow(x, t, wanted), self._flow(x, t, other), guidance=guidance)

    def _flow(self, x: Float, t: np.float32, constants: Mapping[str, Array]) -> Float:
        feeds = {"x": x, "t": np.array([t], np.float32), **constants}
        return self.sessions.run("flow", feeds)["velocity"]

    def _look(
        self,
        footage: Footage,
        *,
        start: Fraction,
        frames: int,
        spec: PictureSpec,
        slots: Sequence[Fraction],
        watch: Watch,
    ) -> WindowFeatures:
        count = len(slots)
        key = self._picture_key(footage, start=slots[0], count=count)
        stored = self._recall(key, names=("clip",))
        known = (
            self._seen.before(footage, slots[0])
            if stored is None
            else dict(zip(slots, stored["clip"][0], strict=True))
        )
        wanted = [slot for slot in slots if slot not in known]
        with self.sessions.loading_ahead():
            pictures, clip = collect_window(
                footage, start=start, sync_frames=frames, clip_slots=wanted, spec=spec
            )
        give_back_freed()
        total = self._encoder_work(frames)
        first, second = watch.within(count - len(wanted), total=total), watch.within(count, total=total)
        if wanted:
            made = encode_images(self.sessions, pictures, batch=self.batching.images, watch=first)
            known = {**known, **dict(zip(wanted, made[0], strict=True))}
        images = np.stack([known[slot] for slot in slots])[None]
        if stored is None:
            self._remember(None if footage.damaged else key, {"clip": images})
        self._seen.keep(footage, slots, images)
        sync = encode_segments(self.sessions, clip, batch=self.batching.segments, watch=second)
        return WindowFeatures(images, sync, empty=clip.empty)

    def _encoder_work(self, frames: int) -> int:
        """Pictures and segments of a window: they cost about the same."""
        segments = segment_count(frames, spec=self.manifest.picture)
        return window_lengths(frames, self.manifest).clip_frames + segments

    def _feature_key(
        self, footage: Footage, *, start: Fraction, frames: int, resize: str, pictures: Fraction
    ) -> str | None:
        if not footage.fingerprint:
            return None
        return feature_key(
            kind="window",
            footage=footage.fingerprint,
            start=str(start),
            frames=frames,
            resize=resize,
            pictures=str(pictures),
            **self._origin(),
        )

    def _picture_key(self, footage: Footage, *, start: Fraction, count: int) -> str | None:
        """Of what the image tower sees, which is the same for every object of a shot."""
        if not isinstance(footage, SharedFrames) or not footage.frames_fingerprint:
            return None
        shown = footage.frames_fingerprint
        return feature_key(kind="pictures", footage=shown, start=str(start), count=count, **self._origin())

    def _origin(self) -> dict[str, str]:
        """What makes the features: the same everywhere for one bundle, but for their last bits."""
        return {"bundle": self.bundle.digest, "provider": self.provider, "onnxruntime": runtime_version()}

    def _recall(self, key: str | None, *, names: tuple[str, ...]) -> dict[str, Array] | None:
        if key is None or self._cache is None:
            return None
        known = self._cache.load(key)
        return known if known is not None and set(names) <= set(known) else None

    def _remember(self, key: str | None, arrays: Mapping[str, Array]) -> None:
        if key is not None and self._cache is not None:
            self._cache.store(key, arrays)
