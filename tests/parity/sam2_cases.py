"""Inputs of SAM 2.1's golden vectors."""

from __future__ import annotations

from functools import cache

import torch
from torch.nn.functional import interpolate

from exporter import fill
from exporter.models.sam2 import Sam2
from exporter.models.sam2_sizes import SAM21_TINY
from exporter.sam2_filling import fill_sam2

SIDE = SAM21_TINY.image_size
FRAME_SHIFT = (16, 24)
"""Rows down and columns right from one frame of the golden clip to the next."""


def smooth(name: str, shape: tuple[int, ...], side: int) -> torch.Tensor:
    small = fill.network_input(name, shape, kind="normal")
    return interpolate(small, size=(side, side), mode="bilinear", align_corners=False)


@cache
def filled_network() -> Sam2:
    """SAM 2.1 tiny with the golden vectors' weights, made once."""
    with torch.inference_mode(mode=False):
        return fill_sam2(Sam2(SAM21_TINY))


def golden_image() -> torch.Tensor:
    """Already normalised, [1, 3, 1024, 1024]."""
    return smooth("sam2_image", (1, 3, 16, 16), SIDE)


def golden_frame(index: int) -> torch.Tensor:
    down, right = FRAME_SHIFT
    return torch.roll(golden_image(), (down * index, right * index), dims=(2, 3))
