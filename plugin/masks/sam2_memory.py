"""What SAM 2.1 remembers of an object, and which of it a frame reads (spec section 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from models_onnx.mask_manifest import MemorySpec
from plugin.masks.sam2_choosing import Chosen
from plugin.masks.sam2_pictures import Half, from_bfloat16

Float = npt.NDArray[np.float32]
Index = npt.NDArray[np.int64]

_SINE_BASE = 10000.0


@dataclass(frozen=True, slots=True)
class Remembered:
    """The result of one frame.

    Attributes:
        chosen: its mask and pointer.
        memory: [Cm, S/16, S/16] as bfloat16; None until it is encoded.
    """

    chosen: Chosen
    memory: Half | None = None

    def encoded(self, memory: Half) -> Remembered:
        """The same with its memory."""
        return replace(self, memory=memory)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one frame reads: inputs of the memory attention graph, named as there."""

    mem: Float
    tidx: Index
    ptr: Float
    tsine: Float

    def feeds(self) -> dict[str, npt.NDArray[np.float32] | npt.NDArray[np.int64]]:
        """By name."""
        return {"mem": self.mem, "tidx": self.tidx, "ptr": self.ptr, "tsine": self.tsine}


@dataclass(frozen=True, slots=True)
class Bank:
    """An object's results, settled ones only.

    Attributes:
        prompted: results of frames with prompts, in the order in which they came ("conditioning").
        tracked: all others.
        frames: of the clip.
        spec: sizes and limits.
    """

    prompted: Mapping[int, Remembered]
    tracked: Mapping[int, Remembered]
    frames: int
    spec: MemorySpec

    def read(self, frame: int, *, direction: int) -> Reading:
        """What a frame reads when the clip is gone through forward (1) or in reverse (-1)."""
        memories = [(self.spec.previous, each) for each in self.prompted.values()]
        for steps in range(self.spec.previous, 0, -1):
            before = self.tracked.get(frame - direction * steps)
            if before is not None:
                memories.append((steps - 1, before))
        pointers = self._pointers(frame, direction)
        held = [from_bfloat16(each.memory) for _, each in memories if each.memory is not None]
        return Reading(
            mem=np.stack(held),
            tidx=np.array([row for row, each in memories if each.memory is not None], np.int64),
            ptr=np.stack([each.chosen.pointer for _, each in pointers]),
            tsine=self._sine([distance for distance, _ in pointers]),
        )

    @property
    def pointer_frames(self) -> int:
        """Frames whose pointers may be read: fewer in a clip that is shorter than the limit."""
        return min(self.frames, self.spec.pointers)

    def _pointers(self, frame: int, direction: int) -> list[tuple[int, Remembered]]:
        """Of prompted frames only those that lie behind, however far; of others the nearest."""
        behind = ((direction * (frame - number), each) for number, each in self.prompted.items())
        found = [(distance, each) for distance, each in behind if distance >= 0]
        for distance in range(1, self.pointer_frames):
            before = self.tracked.get(frame - direction * distance)
            if before is not None:
                found.append((distance, before))
        return found

    def _sine(self, distances: list[int]) -> Float:
        """The code of distances in time, [P, C]: sines, then cosines."""
        half = self.spec.width // 2
        places = np.array(distances, np.float32) / np.float32(max(self.pointer_frames - 1, 1))
        exponents = (2 * (np.arange(half) // 2) / half).astype(np.float32)
        angles = places[:, None] / np.float32(_SINE_BASE) ** exponents
        return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)
