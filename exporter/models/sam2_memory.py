"""SAM 2.1's memory: a frame and its mask become one, and a new frame reads them (spec sections 5 and 6)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from exporter.models.sam2_layers import (
    TOKEN_EPS,
    ChannelNorm,
    SplitAttention,
    rotate,
    rotation_tables,
    sine_position,
)
from exporter.models.sam2_sizes import Sam2Dims

_HALVINGS = 4
_FUSER_RATIO = 4
_POSITION_SHARE = 0.1
"""How much of the position the frame's own tokens get."""


class MaskDownsampler(nn.Module):
    """A mask [1, 1, S, S] to [1, C, S/16, S/16]: every halving of the sides has four times the channels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for _ in range(_HALVINGS):
            layers += [
                nn.Conv2d(channels, 4 * channels, 3, stride=2, padding=1),
                ChannelNorm(4 * channels),
                nn.GELU(),
            ]
            channels *= 4
        self.encoder = nn.Sequential(*layers, nn.Conv2d(channels, width, 1))

    def forward(self, mask: Tensor) -> Tensor:
        """See the class."""
        return self.encoder(mask)


class FuserBlock(nn.Module):
    """A ConvNeXt block."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = ChannelNorm(width)
        self.pwconv1 = nn.Linear(width, _FUSER_RATIO * width)
        self.pwconv2 = nn.Linear(_FUSER_RATIO * width, width)
        self.gamma = nn.Parameter(torch.ones(width))
        self.act = nn.GELU()

    def forward(self, x: Tensor) -> Tensor:
        """[1, C, H, W] to the same."""
        inner = self.norm(self.dwconv(x)).permute(0, 2, 3, 1)
        inner = self.gamma * self.pwconv2(self.act(self.pwconv1(inner)))
        return x + inner.permute(0, 3, 1, 2)


class Fuser(nn.Module):
    """Its blocks, one after the other."""

    def __init__(self, dims: Sam2Dims) -> None:
        super().__init__()
        self.layers = nn.ModuleList(FuserBlock(dims.model_width) for _ in range(dims.fuser_layers))

    def forward(self, x: Tensor) -> Tensor:
        """[1, C, H, W] to the same."""
        for layer in self.layers:
            x = layer(x)
        return x


class MemoryEncoder(nn.Module):
    """A frame's map and its mask to the memory of that frame."""

    def __init__(self, dims: Sam2Dims) -> None:
        super().__init__()
        width = dims.model_width
        self.mask_downsampler = MaskDownsampler(width)
        self.pix_feat_proj = nn.Conv2d(width, width, 1)
        self.fuser = Fuser(dims)
        self.out_proj = nn.Conv2d(width, dims.memory_width, 1)

    def forward(self, f2: Tensor, mask: Tensor) -> Tensor:
        """The memory [1, Cm, S/16, S/16].

        Args:
            f2: the unconditioned map [1, C, S/16, S/16].
            mask: [1, 1, S, S], in -10..10.
        """
        return self.out_proj(self.fuser(self.pix_feat_proj(f2) + self.mask_downsampler(mask)))


class Memory(NamedTuple):
    """What a frame reads.

    Attributes:
        frames: tokens of M remembered frames, [M, N, Cm].
        frame_position: in the picture and in time, the same shape.
        pointers: tokens of P object pointers, [P * C/Cm, Cm].
        pointer_position: in time, the same shape.
    """

    frames: Tensor
    frame_position: Tensor
    pointers: Tensor
    pointer_position: Tensor


class MemoryLayer(nn.Module):
    """One layer of the memory attention: the frame's tokens see themselves, then the memory."""

    def __init__(self, dims: Sam2Dims) -> None:
        super().__init__()
        width = dims.model_width
        self.self_attn = SplitAttention(width, inner=width, heads=1)
        self.cross_attn_image = SplitAttention(width, inner=width, heads=1, source=dims.memory_width)
        self.linear1 = nn.Linear(width, dims.attention_hidden)
        self.linear2 = nn.Linear(dims.attention_hidden, width)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width, eps=TOKEN_EPS) for _ in range(3))

    def forward(self, x: Tensor, memory: Memory, tables: tuple[Tensor, Tensor]) -> Tensor:
        """Tokens [1, N, C] to the same; `tables`: see `rotation_tables`."""
        x = x + self._look_around(self.norm1(x), tables)
        x = x + self._look_back(self.norm2(x), memory, tables)
        return x + self.linear2(torch.relu(self.linear1(self.norm3(x))))

    def _look_around(self, x: Tensor, tables: tuple[Tensor, Tensor]) -> Tensor:
        own = self.self_attn
        return own.attend(rotate(own.q_proj(x), *tables), rotate(own.k_proj(x), *tables), own.v_proj(x))

    def _look_back(self, x: Tensor, memory: Memory, tables: tuple[Tensor, Tensor]) -> Tensor:
        """Keys of frames are rotated as the frame's own; those of pointers are not."""
        cross = self.cross_attn_image
        frames = rotate(cross.k_proj(memory.frames + memory.frame_position), *tables)
        pointers = cross.k_proj(memory.pointers + memory.pointer_position)
        keys = torch.cat([frames.flatten(0, 1), pointers])[None]
        values = torch.cat([memory.frames.flatten(0, 1), memory.pointers])[None]
        return cross.attend(rotate(cross.q_proj(x), *tables), keys, cross.v_proj(values))


class MemoryAttention(nn.Module):
    """A new frame's map, conditioned on what is remembered."""

    position: Tensor
    cos: Tensor
    sin: Tensor

    def __init__(self, dims: Sam2Dims) -> None:
        super().__init__()
        self.layers = nn.ModuleList(MemoryLayer(dims) for _ in range(dims.attention_layers))
        self.norm = nn.LayerNorm(dims.model_width, eps=TOKEN_EPS)
        cos, sin = rotation_tables(dims.grid, dims.model_width)
        position = sine_position(dims.grid, dims.model_width)[None]
        for name, table in (("position", position), ("cos", cos), ("sin", sin)):
            self.register_buffer(name, table, persistent=False)

    def forward(self, f2: Tensor, memory: Memory) -> Tensor:
        """[1, C, S/16, S/16] to the same."""
        x = (f2 + _POSITION_SHARE * self.position).flatten(2).transpose(1, 2)
        for layer in self.layers:
            x = layer(x, memory, (self.cos, self.sin))
        return self.norm(x).transpose(1, 2).reshape(f2.shape)
