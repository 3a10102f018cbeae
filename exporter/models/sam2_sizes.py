"""Every size of SAM 2.1, as values: the three published ones that are exported, and one for tests."""

from __future__ import annotations

from dataclasses import dataclass, replace

STRIDE = 16
"""Pixels of the picture per token of the model."""
POOLING = 2
"""By which every stage of the trunk but the first shrinks the sides."""
MASK_TOKENS = 4
"""Masks that the decoder gives: the whole, and three readings of one click."""


@dataclass(frozen=True, slots=True)
class Sam2Dims:
    """All sizes of the five networks (spec sections 0 and 2).

    Attributes:
        image_size: side of the square picture, pixels; a multiple of 32.
        width, heads: of the trunk's first stage; both double with every further stage.
        depths: blocks of the four stages.
        windows: side of the attention windows of each stage, tokens. A stage's first block still has the
            previous stage's, which must therefore be even for all but the last.
        global_blocks: numbers of the blocks that attend everywhere.
        position_grid: side of the coarse position table, which is resized to the picture.
        model_width: channels of tokens, prompts and pointers.
        memory_width: channels of a memory; a pointer becomes `model_width / memory_width` of its tokens.
        decoder_heads, decoder_layers, decoder_hidden: of the mask decoder's transformer.
        attention_layers, attention_hidden: of the memory attention.
        fuser_layers: of the memory encoder.
        memories: rows of the table of temporal positions: frames before, and the prompted frames' one.
    """

    image_size: int
    width: int
    heads: int
    depths: tuple[int, int, int, int]
    windows: tuple[int, int, int, int]
    global_blocks: tuple[int, ...]
    position_grid: int
    model_width: int = 256
    memory_width: int = 64
    decoder_heads: int = 8
    decoder_layers: int = 2
    decoder_hidden: int = 2048
    attention_layers: int = 4
    attention_hidden: int = 2048
    fuser_layers: int = 2
    memories: int = 7

    @property
    def grid(self) -> int:
        """Tokens along one side of the picture."""
        return self.image_size // STRIDE

    @property
    def low_size(self) -> int:
        """Side of the masks the decoder gives, pixels."""
        return self.image_size // 4

    @property
    def pointer_tokens(self) -> int:
        """Tokens of one object pointer in the memory."""
        return self.model_width // self.memory_width

    @property
    def stage_widths(self) -> tuple[int, ...]:
        """Channels of the four stages."""
        return tuple(self.width << stage for stage in range(4))

    @property
    def first_blocks(self) -> tuple[int, ...]:
        """Number of each stage's first block."""
        return tuple(sum(self.depths[:stage]) for stage in range(4))


SAM21_TINY = Sam2Dims(
    image_size=1024,
    width=96,
    heads=1,
    depths=(1, 2, 7, 2),
    windows=(8, 4, 14, 7),
    global_blocks=(5, 7, 9),
    position_grid=7,
)
SAM21_SMALL = replace(SAM21_TINY, depths=(1, 2, 11, 2), global_blocks=(7, 10, 13))
SAM21_BASE_PLUS = replace(
    SAM21_TINY, width=112, heads=2, depths=(2, 3, 16, 3), global_blocks=(12, 16, 20), position_grid=14
)
GOLDEN_SAM2 = Sam2Dims(
    image_size=64,
    width=8,
    heads=1,
    depths=(1, 1, 2, 1),
    windows=(4, 2, 6, 3),
    global_blocks=(3,),
    position_grid=3,
    model_width=32,
    memory_width=8,
    decoder_heads=2,
    decoder_layers=2,
    decoder_hidden=48,
    attention_layers=2,
    attention_hidden=48,
    fuser_layers=1,
)
"""The smallest that has every kind of layer and every kind of padding."""
