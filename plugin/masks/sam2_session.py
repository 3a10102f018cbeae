"""One object in one clip: clicks, given masks, tracking either way (spec section 8).

Every frame that gets a prompt stays a prompted one, also when it is corrected after tracking: the published
predictor's default would compute it again, and lose the correction, at the next tracking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models_onnx.mask_manifest import MaskManifest
from plugin.masks.sam2_choosing import Chosen, choose
from plugin.masks.sam2_graphs import (
    HEADS,
    MEMORY_ATTENTION,
    MEMORY_ENCODER,
    Array,
    Graphs,
    Sam2Constants,
)
from plugin.masks.sam2_memory import Bank, Remembered
from plugin.masks.sam2_pictures import GIVEN_LOGIT, antialiased, enlarged, probability, to_bfloat16

Float = npt.NDArray[np.float32]

LARGEST_LOGIT = 32.0
"""Earlier logits are cut to this before they become a prompt."""
MEMORY_SCALE, MEMORY_OFFSET = 20.0, -10.0
NO_POINT = -1
"""Label of a point that is none."""


@dataclass(frozen=True, slots=True)
class Features:
    """A picture's maps: [1, C/8, S/4, S/4], [1, C/4, S/8, S/8] and [1, C, S/16, S/16]."""

    s0: Float
    s1: Float
    f2: Float


@dataclass(frozen=True, slots=True)
class Points:
    """Points in pixels of the square picture.

    Attributes:
        places: [n, 2] as (x, y).
        labels: [n]: 1 on the object, 0 not on it, 2 and 3 the first and last corner of a box, which come
            before all others.
    """

    places: Float
    labels: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


class Decoder:
    """The heads graph and the rules around it, for frames that see no memory or have seen it."""

    def __init__(self, graphs: Graphs, constants: Sam2Constants, manifest: MaskManifest) -> None:
        self.graphs = graphs
        self.constants = constants
        self.size = manifest.picture.size
        self.low = manifest.memory.low_size

    def outputs(
        self, features: Features, f2: Float, *, points: Points | None, earlier: Float | None
    ) -> dict[str, Float]:
        """What the heads graph gives.

        Args:
            features: of the picture.
            f2: the map that is looked at; with memory, or with what stands for none.
            points: the prompt's.
            earlier: logits [S/4, S/4], or a shrunk given mask.
        """
        if points is None or not len(points):
            places, labels = np.zeros((1, 2), np.float32), np.array([NO_POINT])
        else:
            places, labels = points.places, points.labels
        none = np.zeros((self.low, self.low), np.float32)
        feeds: dict[str, Array] = {
            "f2": f2,
            "s0": features.s0,
            "s1": features.s1,
            "points": places[None].astype(np.float32),
            "labels": labels[None].astype(np.int64),
            "mask": (none if earlier is None else earlier)[None, None].astype(np.float32),
            "has_mask": np.array([earlier is not None], np.float32),
        }
        return self.graphs.run(HEADS, feeds)

    def decode(
        self, features: Features, f2: Float, *, points: Points | None = None, earlier: Float | None = None
    ) -> Chosen:
        """The mask that counts; `earlier` are logits of this frame."""
        held = None if earlier is None else np.clip(earlier, -LARGEST_LOGIT, LARGEST_LOGIT)
        outputs = self.outputs(features, f2, points=points, earlier=held)
        count = 0 if points is None else len(points)
        return choose(outputs, points=count, no_obj_ptr=self.constants.no_obj_ptr)

    def unremembered(self, features: Features) -> Float:
        """The map of a frame that sees no memory."""
        return features.f2 + self.constants.no_mem_embed[None, :, None, None]

    def given(self, features: Features, mask: npt.NDArray[np.bool_]) -> Chosen:
        """A mask [S, S] as a result: it is the output, the heads give its pointer only."""
        values = mask.astype(np.float32)
        logits = antialiased(2 * GIVEN_LOGIT * values - GIVEN_LOGIT, height=self.low, width=self.low)
        blocks = values.reshape(self.low, 4, self.low, 4)
        shrunk = np.einsum("aibj,ij->ab", blocks, self.constants.mask_kernel) + self.constants.mask_bias
        outputs = self.outputs(features, features.f2, points=None, earlier=shrunk)
        is_there = bool(mask.any())
        seen = is_there and float(outputs["score"].reshape(-1)[0]) > 0
        pointer = outputs["pointers"][0, 0] if seen else self.constants.no_obj_ptr
        return Chosen(logits, pointer, 1.0, GIVEN_LOGIT if is_there else -GIVEN_LOGIT)


class ObjectSession:
    """One object in one clip.

    Args:
        decoder: with the graphs.
        manifest: of the bundle.
        features: a frame's, by its number.
        frames: of the clip; in clips of fewer than 16 it changes the code of time.
        horizon: results of tracked frames further back than this are forgotten; None keeps all.
    """

    def __init__(
        self,
        decoder: Decoder,
        manifest: MaskManifest,
        features: Callable[[int], Features],
        *,
        frames: int,
        horizon: int | None = None,
    ) -> None:
        self._decoder = decoder
        self._spec = manifest.memory
        self._features = features
        self._frames = frames
        self._horizon = horizon
        self._prompted: dict[int, Remembered] = {}
        self._tracked: dict[int, Remembered] = {}
        self._pending: dict[int, Remembered] = {}
        self._directions: dict[int, int] = {}

    def click(self, frame: int, points: Points) -> Chosen:
        """The mask of a frame with all its points, the earlier ones included.

        On a frame that was tracked, the memory and the mask that was there take part.
        """
        features = self._features(frame)
        direction = self._directions.get(frame)
        f2 = (
            self._decoder.unremembered(features)
            if direction is None
            else self._conditioned(frame, features, direction)
        )
        before = self._last(frame)
        earlier = None if before is None else before.chosen.logits
        chosen = self._decoder.decode(features, f2, points=points, earlier=earlier)
        self._pending[frame] = Remembered(chosen)
        return chosen

    def give(self, frame: int, mask: npt.NDArray[np.bool_]) -> Chosen:
        """A frame's mask [S, S], made elsewhere."""
        chosen = self._decoder.given(self._features(frame), mask)
        self._pending[frame] = Remembered(chosen)
        return chosen

    def take_back(self, frame: int) -> None:
        """Forget a frame's prompts; its result stays, as one that was tracked."""
        self._pending.pop(frame, None)
        result = self._prompted.pop(frame, None)
        if result is not None:
            self._tracked[frame] = result
        self._directions.pop(frame, None)

    def track(self, frames: Iterable[int], *, direction: int) -> Iterator[tuple[int, Remembered]]:
        """Results of frames in the order of work; those with prompts pass through as they are.

        Args:
            frames: beginning at a frame with a prompt, without gaps.
            direction: 1 forward, -1 in reverse.
        """
        self._settle()
        for frame in frames:
            result = self._prompted.get(frame)
            if result is None:
                result = self._tracked[frame] = self._follow(frame, direction)
                self._forget(frame, direction)
            self._directions[frame] = direction
            yield frame, result

    def _follow(self, frame: int, direction: int) -> Remembered:
        features = self._features(frame)
        f2 = self._conditioned(frame, features, direction)
        chosen = self._decoder.decode(features, f2)
        return Remembered(chosen, self._encoded(features, chosen, is_prompted=False))

    def _conditioned(self, frame: int, features: Features, direction: int) -> Float:
        bank = Bank(self._prompted, self._tracked, self._frames, self._spec)
        feeds = {"f2": features.f2, **bank.read(frame, direction=direction).feeds()}
        return self._decoder.graphs.run(MEMORY_ATTENTION, feeds)["conditioned"]

    def _encoded(self, features: Features, chosen: Chosen, *, is_prompted: bool) -> npt.NDArray[np.uint16]:
        """The memory of a frame; of one with a prompt, of its mask cut at 0."""
        size = self._decoder.size
        whole = enlarged(chosen.logits, height=size, width=size)
        mask = (whole > 0).astype(np.float32) if is_prompted else probability(whole)
        feeds = {
            "f2": features.f2,
            "mask": (mask * np.float32(MEMORY_SCALE) + np.float32(MEMORY_OFFSET))[None, None],
            "present": np.array([chosen.is_present], np.float32),
        }
        return to_bfloat16(self._decoder.graphs.run(MEMORY_ENCODER, feeds)["memory"][0])

    def _settle(self) -> None:
        """Encode the memories of new prompts; from now on other frames see them."""
        for frame, result in self._pending.items():
            memory = self._encoded(self._features(frame), result.chosen, is_prompted=True)
            self._prompted[frame] = result.encoded(memory)
            self._tracked.pop(frame, None)
        self._pending.clear()

    def _forget(self, frame: int, direction: int) -> None:
        if self._horizon is not None:
            old = frame - direction * self._horizon
            self._tracked.pop(old, None)
            self._directions.pop(old, None)

    def _last(self, frame: int) -> Remembered | None:
        return self._pending.get(frame) or self._prompted.get(frame) or self._tracked.get(frame)
