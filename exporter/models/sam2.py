"""SAM 2.1 as one network with the published keys, and the four modules its graphs are made of.

The host that runs the graphs holds the memory and chooses among masks: see `plugin/masks/sam2_session.py`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from exporter.models.sam2_heads import MaskDecoder, PromptEncoder
from exporter.models.sam2_image import ImageEncoder
from exporter.models.sam2_layers import Mlp, sine_position
from exporter.models.sam2_memory import Memory, MemoryAttention, MemoryEncoder
from exporter.models.sam2_sizes import Sam2Dims


class Sam2(nn.Module):
    """All weights of a published checkpoint; `no_mem_pos_enc` is in it and is used nowhere."""

    def __init__(self, dims: Sam2Dims) -> None:
        super().__init__()
        width, memory = dims.model_width, dims.memory_width
        self.dims = dims
        self.maskmem_tpos_enc = nn.Parameter(torch.zeros(dims.memories, 1, 1, memory))
        self.no_mem_embed = nn.Parameter(torch.zeros(1, 1, width))
        self.no_mem_pos_enc = nn.Parameter(torch.zeros(1, 1, width))
        self.no_obj_ptr = nn.Parameter(torch.zeros(1, width))
        self.no_obj_embed_spatial = nn.Parameter(torch.zeros(1, memory))
        self.image_encoder = ImageEncoder(dims)
        self.mask_downsample = nn.Conv2d(1, 1, 4, stride=4)
        self.memory_attention = MemoryAttention(dims)
        self.memory_encoder = MemoryEncoder(dims)
        self.sam_prompt_encoder = PromptEncoder(dims)
        self.sam_mask_decoder = MaskDecoder(dims)
        self.obj_ptr_proj = Mlp(width, width, width, width)
        self.obj_ptr_tpos_proj = nn.Linear(width, memory)


class ImageGraph(nn.Module):
    """A picture to its three maps."""

    def __init__(self, sam2: Sam2) -> None:
        super().__init__()
        self.sam2 = sam2

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """A normalised picture [1, 3, S, S] to `s0`, `s1` and `f2`.

        They are [1, C/8, S/4, S/4], [1, C/4, S/8, S/8] and [1, C, S/16, S/16].
        """
        fine, middle, f2 = self.sam2.image_encoder(image)
        decoder = self.sam2.sam_mask_decoder
        return decoder.conv_s0(fine), decoder.conv_s1(middle), f2


class HeadsGraph(nn.Module):
    """Prompts and a picture's maps to four masks, of which the host takes one (spec section 4)."""

    places: Tensor

    def __init__(self, sam2: Sam2) -> None:
        super().__init__()
        self.sam2 = sam2
        with torch.no_grad():
            places = sam2.sam_prompt_encoder.image_position()
        self.register_buffer("places", places, persistent=False)

    def forward(  # noqa: PLR0917  a graph's inputs are named in its order
        self,
        f2: Tensor,
        s0: Tensor,
        s1: Tensor,
        points: Tensor,
        labels: Tensor,
        mask: Tensor,
        has_mask: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Masks [1, 4, S/4, S/4], their IoU [1, 4], pointers [1, 4, C] and the object's score [1, 1].

        Args:
            f2: conditioned on the memory.
            s0: see `ImageGraph`.
            s1: see `ImageGraph`.
            points: see `PromptEncoder.points`.
            labels: see `PromptEncoder.points`.
            mask: see `PromptEncoder.dense`.
            has_mask: see `PromptEncoder.dense`.
        """
        prompts = self.sam2.sam_prompt_encoder
        source = f2 + prompts.dense(mask, has_mask)
        decoded = self.sam2.sam_mask_decoder(source, self.places, prompts.points(points, labels), s0, s1)
        return decoded.masks, decoded.iou, self.sam2.obj_ptr_proj(decoded.tokens), decoded.score


class MemoryEncoderGraph(nn.Module):
    """A frame's map and mask to its memory."""

    def __init__(self, sam2: Sam2) -> None:
        super().__init__()
        self.sam2 = sam2

    def forward(self, f2: Tensor, mask: Tensor, present: Tensor) -> Tensor:
        """See `MemoryEncoder`; `present` [1] is 0 where the object cannot be seen."""
        absent = self.sam2.no_obj_embed_spatial[:, :, None, None]
        return self.sam2.memory_encoder(f2, mask) + (1 - present).reshape(1, 1, 1, 1) * absent


class MemoryAttentionGraph(nn.Module):
    """A frame's map, conditioned on remembered frames and pointers."""

    position: Tensor

    def __init__(self, sam2: Sam2) -> None:
        super().__init__()
        self.sam2 = sam2
        position = sine_position(sam2.dims.grid, sam2.dims.memory_width)
        self.register_buffer("position", position.flatten(1).T, persistent=False)

    def forward(self, f2: Tensor, mem: Tensor, tidx: Tensor, ptr: Tensor, tsine: Tensor) -> Tensor:
        """The map, [1, C, S/16, S/16].

        Args:
            f2: of the new frame.
            mem: memories [M, Cm, S/16, S/16].
            tidx: row of the temporal positions for each, [M].
            ptr: object pointers [P, C].
            tsine: sine code of each pointer's distance in time, [P, C].
        """
        return self.sam2.memory_attention(f2, self.memory(mem, tidx, ptr, tsine))

    def memory(self, mem: Tensor, tidx: Tensor, ptr: Tensor, tsine: Tensor) -> Memory:
        """The same as tokens."""
        width = self.sam2.dims.memory_width
        times = self.sam2.maskmem_tpos_enc[:, 0][tidx]
        when = self.sam2.obj_ptr_tpos_proj(tsine)[:, None].expand(-1, self.sam2.dims.pointer_tokens, -1)
        return Memory(
            frames=mem.flatten(2).transpose(1, 2),
            frame_position=self.position + times,
            pointers=ptr.reshape(-1, width),
            pointer_position=when.reshape(-1, width),
        )
