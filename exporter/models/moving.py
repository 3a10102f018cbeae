"""What moves in a picture, and where: local motion by block matching, read by small convolutions.

A tiny transformer with a linear patch embedding learns within hours what a mask does and within days what
pixels do. So a small model is given what every motion estimator begins with: of each cell of the picture, the
shift that explains it best from the frame before, how well, and how much better than no shift. Nothing of
that is trained. The convolutions behind it learn in minutes which of it are events.

Published networks have none of this.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GRID = 32
"""Side of the pictures that are matched."""
CELLS = 16
"""Cells per side."""
REACH = 4
"""Longest shift between two frames, pixels of the grid; an eighth of the picture."""
SHARPNESS = 18.0
REST = 0.01
"""How much better than rest a shift of one pixel must be."""
NEAR = 7
"""Window that contrast is equalised in, pixels of the grid."""
FAINT = 0.01
"""Variance below which contrast is noise; pictures are -1..1."""
LOUDER = 4.0
"""Brings shares of changed pixels to the size of the other figures."""
FIGURES = 10
"""Per cell: mask, its change (signed, absolute), shift right and down, what the best shift leaves, what it
gains over rest, change of the picture, the same within the mask, brightness."""
CHANGES, RIGHT = slice(1, 9), 3
"""Which figures compare with the frame before, and which is the shift right."""
_BLOCK = 5
_CELL = 64


def motion_maps(frames: Tensor, mask: Tensor) -> Tensor:
    """Figures of every frame against the one before; in the first frame nothing has changed.

    Args:
        frames: [S, T, 3, s, s], -1..1; s is a multiple of `GRID`.
        mask: [S, T, 1, s, s], 0..1.

    Returns:
        [S, T, FIGURES, CELLS, CELLS].
    """
    count, length = mask.shape[:2]
    factor = mask.shape[-1] // (2 * GRID) or 1
    frames, mask = (F.avg_pool2d(part.flatten(0, 1), factor) for part in (frames, mask))
    side = mask.shape[-1] // CELLS
    shown, marked = frames.unflatten(0, (count, length)), mask.unflatten(0, (count, length))
    changed = (shown - _before(shown)).abs().mean(2, keepdim=True).flatten(0, 1)
    masked = (marked - _before(marked)).flatten(0, 1)
    light = frames.mean(1, keepdim=True)
    alone = torch.cat([mask, masked, masked.abs(), LOUDER * changed, LOUDER * changed * mask, light], 1)
    mark, turn, turned, change, inside, light = F.avg_pool2d(alone, side).split(1, 1)
    right, down, left, gained = _matched(_equalised(frames).unflatten(0, (count, length)))
    maps = torch.cat([mark, turn, turned, right, down, left, gained, change, inside, light], 1)
    maps = maps.unflatten(0, (count, length))
    changes = maps[:, :, CHANGES]
    changes = torch.cat([torch.zeros_like(changes[:, :1]), changes[:, 1:]], 1)
    return torch.cat([maps[:, :, :1], changes, maps[:, :, CHANGES.stop :]], 2)


def _before(clip: Tensor) -> Tensor:
    """[S, T, ...]: every frame's predecessor; the first one's is itself."""
    return torch.cat([clip[:, :1], clip[:, :-1]], 1)


def _equalised(frames: Tensor) -> Tensor:
    """[n, 3, s, s] to the grid, without local brightness and contrast."""
    small = F.avg_pool2d(frames, frames.shape[-1] // GRID)
    apart = small - _smoothed(small)
    spread = _smoothed(apart.square().mean(1, keepdim=True))
    return apart * (spread + FAINT).rsqrt()


def _smoothed(pictures: Tensor) -> Tensor:
    return F.avg_pool2d(pictures, NEAR, 1, NEAR // 2, count_include_pad=False)


def _matched(clip: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Of the cells of [S, T, 3, GRID, GRID]: shift right and down (-1..1), what is left, what is gained.

    Each [S * T, 1, CELLS, CELLS].
    """
    now = clip.flatten(0, 1)
    past = F.pad(_before(clip).flatten(0, 1), (REACH,) * 4, mode="replicate")
    span = 2 * REACH + 1
    costs = torch.cat(
        [
            _cost(now, past[:, :, down : down + GRID, right : right + GRID])
            for down in range(span)
            for right in range(span)
        ],
        1,
    )
    steps = torch.arange(-REACH, REACH + 1, dtype=costs.dtype, device=costs.device)
    down, right = (axis.reshape(1, -1, 1, 1) for axis in torch.meshgrid(steps, steps, indexing="ij"))
    share = torch.softmax(-SHARPNESS * (costs + REST * (down.abs() + right.abs())), 1)
    least, rest = costs.amin(1, keepdim=True), costs[:, span * span // 2].unsqueeze(1)
    right, down = (-(share * axis).sum(1, keepdim=True) / REACH for axis in (right, down))
    return right, down, least, rest - least


def _cost(now: Tensor, past: Tensor) -> Tensor:
    """Mean difference within every cell and half a cell around it: [n, 3, GRID, GRID] to [n, 1, ...CELLS]."""
    apart = (now - past).abs().mean(1, keepdim=True)
    return F.avg_pool2d(F.pad(apart, (1,) * 4, mode="replicate"), 4, 2)


class CellReader(nn.Module):
    """What happens in each cell over time, and the strongest of it anywhere: an event may be in any place."""

    def __init__(self, width: int, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(channels, _CELL, _BLOCK, padding=_BLOCK // 2)
        self.second = nn.Conv1d(_CELL, _CELL, _BLOCK, padding=_BLOCK // 2)
        self.out = nn.Linear(2 * _CELL, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, cells: Tensor) -> Tensor:
        """[S, T, channels, c, c] to [S, T, width]."""
        count = cells.shape[0]
        courses = cells.flatten(3).permute(0, 3, 2, 1).flatten(0, 1)
        seen = F.gelu(self.second(F.gelu(self.first(courses)))).unflatten(0, (count, -1))
        return self.out(torch.cat([seen.amax(1), seen.mean(1)], 1).transpose(1, 2))


class ViewReader(nn.Module):
    """Figures of one view's cells to one vector a frame."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.near = nn.Conv2d(FIGURES, 32, 3, 2, 1)
        self.far = nn.Conv2d(32, 48, 3, 2, 1)
        self.whole = nn.Conv2d(48, width, CELLS // 4)
        self.cells = CellReader(width, 48)

    def forward(self, maps: Tensor) -> Tensor:
        """[S, T, FIGURES, CELLS, CELLS] to [S, T, width]."""
        seen = F.gelu(self.far(F.gelu(self.near(maps.flatten(0, 1)))))
        whole = self.whole(seen).flatten(1).unflatten(0, maps.shape[:2])
        return whole + self.cells(seen.unflatten(0, maps.shape[:2]))


class TimeBlock(nn.Module):
    """A residual convolution over the frames of a segment."""

    def __init__(self, width: int, *, dilation: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.across = nn.Conv1d(width, width, _BLOCK, padding=_BLOCK // 2 * dilation, dilation=dilation)
        self.out = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[S, T, width] to the same."""
        return x + self.out(F.gelu(self.across(self.norm(x).transpose(1, 2)))).transpose(1, 2)


class MotionPath(nn.Module):
    """What moves in both views of a segment, as features beside those of the transformer.

    Args:
        width: of a feature.
        tubelet: frames of a feature.
    """

    def __init__(self, width: int, *, tubelet: int) -> None:
        super().__init__()
        self.whole, self.detail = ViewReader(width), ViewReader(width)
        self.blocks = nn.Sequential(*(TimeBlock(width, dilation=one) for one in (1, 1, 2, 2)))
        self.join = nn.Linear(tubelet * width, width)
        self.norm = nn.LayerNorm(width)
        self.tubelet = tubelet

    def forward(self, frames: Tensor, mask: Tensor, detail_frames: Tensor, detail_mask: Tensor) -> Tensor:
        """Segments as `Synchformer.forward` gets them to features [S, T / tubelet, width]."""
        return self.read(motion_maps(frames, mask), motion_maps(detail_frames, detail_mask))

    def read(self, whole: Tensor, detail: Tensor) -> Tensor:
        """From maps [S, T, FIGURES, CELLS, CELLS] of both views."""
        frames = self.blocks(self.whole(whole) + self.detail(detail))
        return self.norm(self.join(frames.unflatten(1, (-1, self.tubelet)).flatten(2)))
