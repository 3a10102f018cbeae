"""What moves in a picture, and where: local motion by block matching, read by small convolutions.

A tiny transformer with a linear patch embedding learns within hours what a mask does and within days what
pixels do. So a small model is given what every motion estimator begins with: of each cell of the picture, the
shift that explains it best from the frame before, how well, and how much better than no shift. Nothing of
that is trained. The convolutions behind it learn in minutes which of it are events.

Published networks have none of this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PIXELS = 64
"""Side that pictures are averaged to, where they are larger."""
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
CELL_WIDTH = 64
"""Of what is known of a cell at a moment."""
_NEAR, _FAR = 32, 48


@dataclass(frozen=True, slots=True)
class Scale:
    """How closely a picture is looked at.

    Attributes:
        grid: side of the pictures that are matched; every two pixels are a cell.
        reach: longest shift between two frames, pixels of the grid.
        coloured: matched in colour, not in brightness alone.
    """

    grid: int
    reach: int
    coloured: bool

    @property
    def cells(self) -> int:
        """Cells per side."""
        return self.grid // 2


COARSE = Scale(grid=32, reach=4, coloured=True)
"""Both views; shifts of up to an eighth of the picture."""
FINE = Scale(grid=64, reach=3, coloured=False)
"""The whole view once more, for things that are small in it and have no view of their own."""
CELLS = COARSE.cells


class Maps(NamedTuple):
    """Maps of a segment: whole and detail [S, T, FIGURES, c, c] at `COARSE`, fine likewise at `FINE`."""

    whole: Tensor
    detail: Tensor
    fine: Tensor


def motion_maps(frames: Tensor, mask: Tensor, scale: Scale = COARSE) -> Tensor:
    """Figures of every frame against the one before; in the first frame nothing has changed.

    Args:
        frames: [S, T, 3, s, s], -1..1; s is a multiple of the grid.
        mask: [S, T, 1, s, s], 0..1.
        scale: how closely.

    Returns:
        [S, T, FIGURES, scale.cells, scale.cells].
    """
    count, length = mask.shape[:2]
    factor = mask.shape[-1] // PIXELS or 1
    frames, mask = (F.avg_pool2d(part.flatten(0, 1), factor) for part in (frames, mask))
    side = mask.shape[-1] // scale.cells
    shown, marked = frames.unflatten(0, (count, length)), mask.unflatten(0, (count, length))
    changed = (shown - _before(shown)).abs().mean(2, keepdim=True).flatten(0, 1)
    masked = (marked - _before(marked)).flatten(0, 1)
    light = frames.mean(1, keepdim=True)
    alone = torch.cat([mask, masked, masked.abs(), LOUDER * changed, LOUDER * changed * mask, light], 1)
    mark, turn, turned, change, inside, bright = F.avg_pool2d(alone, side).split(1, 1)
    equal = _equalised(frames if scale.coloured else light, scale.grid)
    right, down, left, gained = _matched(equal.unflatten(0, (count, length)), scale.reach).split(1, 1)
    maps = torch.cat([mark, turn, turned, right, down, left, gained, change, inside, bright], 1)
    maps = maps.unflatten(0, (count, length))
    changes = maps[:, :, CHANGES]
    changes = torch.cat([torch.zeros_like(changes[:, :1]), changes[:, 1:]], 1)
    return torch.cat([maps[:, :, :1], changes, maps[:, :, CHANGES.stop :]], 2)


def _before(clip: Tensor) -> Tensor:
    """[S, T, ...]: every frame's predecessor; the first one's is itself."""
    return torch.cat([clip[:, :1], clip[:, :-1]], 1)


def _equalised(frames: Tensor, grid: int) -> Tensor:
    """[n, c, s, s] to the grid, without local brightness and contrast."""
    small = F.avg_pool2d(frames, frames.shape[-1] // grid)
    apart = small - _smoothed(small)
    spread = _smoothed(apart.square().mean(1, keepdim=True))
    return apart * (spread + FAINT).rsqrt()


def _smoothed(pictures: Tensor) -> Tensor:
    return F.avg_pool2d(pictures, NEAR, 1, NEAR // 2, count_include_pad=False)


def _matched(clip: Tensor, reach: int) -> Tensor:
    """Of the cells of [S, T, c, g, g]: shift right and down (-1..1), what is left, what is gained.

    [S * T, 4, g / 2, g / 2].
    """
    now = clip.flatten(0, 1)
    grid, span = now.shape[-1], 2 * reach + 1
    past = F.pad(_before(clip).flatten(0, 1), (reach,) * 4, mode="replicate")
    # A row of shifts at a time: loading a graph takes longer the more nodes it has, and much longer.
    aside = torch.stack([past[..., right : right + grid] for right in range(span)], 1)
    here = now.unsqueeze(1)
    costs = torch.cat([_cost(here, aside[..., down : down + grid, :]) for down in range(span)], 1)
    steps = torch.arange(-reach, reach + 1, dtype=costs.dtype, device=costs.device)
    shifts = torch.stack(torch.meshgrid(steps, steps, indexing="xy")).flatten(1)
    effort = REST * shifts.abs().sum(0).reshape(1, -1, 1, 1)
    share = torch.softmax(-SHARPNESS * (costs + effort), 1)
    moved = (-shifts / reach @ share.flatten(2)).unflatten(2, costs.shape[2:])
    least, rest = costs.amin(1, keepdim=True), costs[:, span * span // 2].unsqueeze(1)
    return torch.cat([moved, least, rest - least], 1)


def _cost(now: Tensor, past: Tensor) -> Tensor:
    """Mean difference within every cell and half a cell around it, for some shifts.

    [n, 1, c, g, g] and [n, shifts, c, g, g] to [n, shifts, g / 2, g / 2].
    """
    apart = (now - past).abs().mean(2)
    return F.avg_pool2d(F.pad(apart, (1,) * 4, mode="replicate"), 4, 2)


def mirrored(maps: Tensor) -> Tensor:
    """Left and right exchanged, of [..., FIGURES, c, c]."""
    figures = torch.ones(FIGURES, dtype=maps.dtype, device=maps.device)
    figures[RIGHT] = -1
    return maps.flip(-1) * figures.view(-1, 1, 1)


def maps_of(frames: Tensor, mask: Tensor, detail_frames: Tensor, detail_mask: Tensor) -> Maps:
    """All maps of segments [S, T, c, s, s]."""
    return Maps(
        motion_maps(frames, mask), motion_maps(detail_frames, detail_mask), motion_maps(frames, mask, FINE)
    )


class CellReader(nn.Module):
    """What happens in each cell over time, and the strongest of it anywhere: an event may be in any place."""

    def __init__(self, width: int, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(channels, CELL_WIDTH, _BLOCK, padding=_BLOCK // 2)
        self.second = nn.Conv1d(CELL_WIDTH, CELL_WIDTH, _BLOCK, padding=_BLOCK // 2)
        self.out = nn.Linear(2 * CELL_WIDTH, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, cells: Tensor) -> Tensor:
        """[S, T, channels, c, c] to [S, T, width]."""
        return self.pooled(self.seen(cells))

    def seen(self, cells: Tensor) -> Tensor:
        """Of each cell, row by row, what happens in it: [S, c * c, CELL_WIDTH, T]."""
        courses = cells.flatten(3).permute(0, 3, 2, 1).flatten(0, 1)
        return F.gelu(self.second(F.gelu(self.first(courses)))).unflatten(0, (cells.shape[0], -1))

    def pooled(self, seen: Tensor) -> Tensor:
        """What `seen` said, the strongest and the mean, to [S, T, width]."""
        return self.out(torch.cat([seen.amax(1), seen.mean(1)], 1).transpose(1, 2))


class ViewReader(nn.Module):
    """Figures of one view's cells to one vector a frame."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.near = nn.Conv2d(FIGURES, _NEAR, 3, 2, 1)
        self.far = nn.Conv2d(_NEAR, _FAR, 3, 2, 1)
        self.whole = nn.Conv2d(_FAR, width, CELLS // 4)
        self.cells = CellReader(width, _FAR)

    def forward(self, maps: Tensor) -> Tensor:
        """[S, T, FIGURES, CELLS, CELLS] to [S, T, width]."""
        seen = F.gelu(self.far(F.gelu(self.near(maps.flatten(0, 1)))))
        whole = self.whole(seen).flatten(1).unflatten(0, maps.shape[:2])
        return whole + self.cells(seen.unflatten(0, maps.shape[:2]))


class FineReader(nn.Module):
    """What happens in small places of the whole picture; each is read by itself, for it may be anywhere."""

    SIDE = FINE.cells // 4
    """Places per side of the picture."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.near = nn.Conv2d(FIGURES, _NEAR, 3, 2, 1)
        self.far = nn.Conv2d(_NEAR, _FAR, 3, 2, 1)
        self.cells = CellReader(width, _FAR)

    def forward(self, maps: Tensor) -> Tensor:
        """[S, T, FIGURES, c, c] at `FINE` to [S, T, width]."""
        return self.cells.pooled(self.seen(maps))

    def seen(self, maps: Tensor) -> Tensor:
        """Of each place, row by row: [S, SIDE * SIDE, CELL_WIDTH, T]."""
        near = F.gelu(self.far(F.gelu(self.near(maps.flatten(0, 1)))))
        return self.cells.seen(near.unflatten(0, maps.shape[:2]))

    @torch.no_grad()
    def begin_like(self, view: ViewReader) -> None:
        """See what that view's reader sees, and say nothing of it yet."""
        said = self.cells.out.state_dict()
        self.load_state_dict({key: value for key, value in view.state_dict().items() if "whole." not in key})
        self.cells.out.load_state_dict({key: torch.zeros_like(value) for key, value in said.items()})


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
        self.fine = FineReader(width)
        self.blocks = nn.Sequential(*(TimeBlock(width, dilation=one) for one in (1, 1, 2, 2)))
        self.join = nn.Linear(tubelet * width, width)
        self.norm = nn.LayerNorm(width)
        self.tubelet = tubelet

    def forward(self, frames: Tensor, mask: Tensor, detail_frames: Tensor, detail_mask: Tensor) -> Tensor:
        """Segments of a window, one after the other, as `Synchformer.forward` gets them, to their features.

        They are read as one long segment, for what happens where two meet is half in each; and once more
        with left and right exchanged, for two looks err less than one.

        Args:
            frames: [S, T, 3, s, s].
            mask: [S, T, 1, s, s].
            detail_frames: like `frames`.
            detail_mask: like `mask`.

        Returns:
            [S, T / tubelet, width].
        """
        window = [one.flatten(0, 1).unsqueeze(0) for one in (frames, mask, detail_frames, detail_mask)]
        maps = maps_of(*window)
        features = self.read(Maps(*(torch.cat([one, mirrored(one)]) for one in maps))).mean(0)
        return features.unflatten(0, (-1, frames.shape[1] // self.tubelet))

    def read(self, maps: Maps) -> Tensor:
        """From the maps of a segment."""
        return self.said(maps, self.fine.seen(maps.fine))

    def said(self, maps: Maps, seen: Tensor) -> Tensor:
        """From the maps, and what `FineReader.seen` made of the fine ones."""
        frames = self.blocks(self.whole(maps.whole) + self.detail(maps.detail) + self.fine.cells.pooled(seen))
        return self.norm(self.join(frames.unflatten(1, (-1, self.tubelet)).flatten(2)))
