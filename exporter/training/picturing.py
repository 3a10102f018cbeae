"""Pictures and masks as the runtime would give them, and as bad as editors' are.

The focus rule is the runtime's (spec 1.5): one box per window, at least `crop_min`, around mask values
above one half. Wear is drawn once per window, so that the box sees it too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from exporter.synth.frame_rates import SOURCE_RATES, held_frames
from exporter.synth.mattes import PERTURBATIONS
from exporter.training.config import Mattes
from exporter.training.scenes import Bytes

THRESHOLD = 0.5
Change = Callable[[Bytes], Bytes]


@dataclass(frozen=True, slots=True)
class Box:
    """A crop in pixels, ends exclusive."""

    x0: int
    y0: int
    x1: int
    y1: int


def find_box(masks: Tensor, *, crop_min: int) -> Box:
    """The focus of masks [T, S, S], 0..1; the whole picture where they are empty."""
    marked = masks > min(THRESHOLD, float(masks.max()) / 2)
    side = masks.shape[-1]
    filled = marked.flatten(1).any(1)
    if not bool(filled.any()):
        return Box(0, 0, side, side)
    x0, x1 = _range(marked[filled].any(1), crop_min=crop_min)
    y0, y1 = _range(marked[filled].any(2), crop_min=crop_min)
    return Box(x0, y0, x1, y1)


def _range(marked: Tensor, *, crop_min: int) -> tuple[int, int]:
    """Of marked columns [T, S]: the common range of equally long ones, shifted into the picture."""
    side = marked.shape[1]
    places = torch.arange(side)
    first = torch.where(marked, places, side).amin(1)
    last = torch.where(marked, places, -1).amax(1)
    length = int((last - first).clamp(min=crop_min).max())
    end = (first + length).clamp(max=side)
    return int((end - length).min()), int(end.max())


@dataclass(frozen=True, slots=True)
class Views:
    """Encoder input of some frames: whole and focused, [n, 3, s, s] in -1..1 and [n, 1, s, s] in 0..1."""

    frames: Tensor
    mask: Tensor
    detail_frames: Tensor
    detail_mask: Tensor


def views(frames: Tensor, masks: Tensor, box: Box, *, shrink: int) -> Views:
    """Both views, averaged down after the crop was enlarged to the canvas, as folded kernels do.

    Args:
        frames: [n, 3, S, S], 0..1.
        masks: [n, S, S], 0..1.
        box: of the whole window.
        shrink: factor between the canvas and the network in training.
    """
    joint = torch.cat([frames * 2 - 1, masks.unsqueeze(1)], 1)
    crop = joint[..., box.y0 : box.y1, box.x0 : box.x1]
    focused = F.interpolate(crop, size=frames.shape[-2:], mode="bilinear", align_corners=False)
    if shrink > 1:
        joint, focused = _shrunk(joint, shrink), _shrunk(focused, shrink)
    return Views(joint[:, :3], joint[:, 3:], focused[:, :3], focused[:, 3:])


def _shrunk(pictures: Tensor, factor: int) -> Tensor:
    """The average of squares of `factor` pixels: faster than pooling."""
    return pictures.unflatten(-1, (-1, factor)).mean(-1).unflatten(-2, (-1, factor)).mean(-2)


@dataclass(frozen=True, slots=True)
class Wear:
    """One window's wear: what to do to its pictures, masks and time.

    Attributes:
        masks: steps on masks [T, S, S] of bytes, in order.
        frames: steps on pictures [n, 3, S, S], in order.
        order: frame shown at every frame of the window.
        flip: left and right exchanged.
    """

    masks: tuple[Change, ...]
    frames: tuple[Callable[[Tensor], Tensor], ...]
    order: np.ndarray
    flip: bool

    def worn_masks(self, masks: Bytes) -> Tensor:
        """All masks of a window, bytes to 0..1."""
        worn = np.ascontiguousarray(masks[self.order])
        for step in self.masks:
            worn = step(worn)
        result = torch.from_numpy(np.ascontiguousarray(worn)).float() / 255
        return result.flip(-1) if self.flip else result

    def worn_frames(self, frames: Bytes, which: slice) -> Tensor:
        """Some pictures of a window, bytes [T, S, S, 3] to [n, 3, S, S] in 0..1."""
        picked = np.ascontiguousarray(frames[self.order[which]].transpose(0, 3, 1, 2))
        worn = torch.from_numpy(picked).float() / 255
        for step in self.frames:
            worn = step(worn)
        return worn.flip(-1) if self.flip else worn


def no_wear(count: int) -> Wear:
    """Everything as it was drawn."""
    return Wear((), (), np.arange(count), flip=False)


def draw_wear(rng: np.random.Generator, mattes: Mattes, *, count: int, rate: float) -> Wear:
    """Wear for a window of `count` frames at `rate` per second."""
    order = np.arange(count)
    if rng.random() < mattes.repeat:
        source, ahead = float(rng.choice(SOURCE_RATES)), float(rng.uniform(0, 0.5))
        order = np.array(held_frames(count, fps=rate, source=source, ahead=ahead))
    return Wear(
        masks=_mask_steps(rng, mattes),
        frames=_frame_steps(rng, mattes),
        order=order,
        flip=bool(rng.random() < mattes.flip),
    )


def _mask_steps(rng: np.random.Generator, mattes: Mattes) -> tuple[Change, ...]:
    """What goes wrong with the matte, slowest things first."""
    steps: list[Change] = []
    for share, names in (
        (mattes.static, ("union", "still_box")),
        (mattes.boxed, ("boxed",)),
        (mattes.hold, ("held",)),
        (mattes.late, ("late",)),
        (mattes.shift, ("shifted",)),
        (mattes.jitter, ("jittered",)),
        (mattes.edge, ("dilated", "eroded")),
        (mattes.blur, ("blurred",)),
    ):
        if rng.random() < share:
            name, seed = str(rng.choice(names)), int(rng.integers(1 << 31))
            steps.append(partial(_perturbed, name, seed))
    return tuple(steps)


def _perturbed(name: str, seed: int, masks: Bytes) -> Bytes:
    return PERTURBATIONS[name](masks, np.random.default_rng(seed))


def _frame_steps(rng: np.random.Generator, mattes: Mattes) -> tuple[Callable[[Tensor], Tensor], ...]:
    steps: list[Callable[[Tensor], Tensor]] = []
    if rng.random() < mattes.colour:
        matrix = _colour_matrix(rng)
        gain, lift, gamma = rng.uniform(0.7, 1.3), rng.uniform(-0.12, 0.12), rng.uniform(0.7, 1.4)
        steps.append(lambda frames: recoloured(frames, matrix))
        steps.append(lambda frames: ((frames - 0.5) * gain + 0.5 + lift).clamp(0, 1).pow(gamma))
    if rng.random() < mattes.grey:
        steps.append(lambda frames: frames.mean(1, keepdim=True).expand_as(frames))
    return tuple(steps)


def recoloured(frames: Tensor, matrix: Tensor) -> Tensor:
    """Every colour of [n, 3, S, S] through a 3 x 3 matrix, kept in 0..1."""
    return torch.einsum("ij,njhw->nihw", matrix, frames).clamp(0, 1)


def _colour_matrix(rng: np.random.Generator) -> Tensor:
    """A turn of the hue by any angle around the grey axis, and a change of saturation."""
    angle, saturation = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 1.5)
    grey = np.full((3, 3), 1 / 3)
    across = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
    turn = np.cos(angle) * (np.eye(3) - grey) + np.sin(angle) * across
    return torch.from_numpy(grey + saturation * turn).float()
