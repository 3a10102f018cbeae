"""The sync encoder before SAGANet: MMAudio's, which sees the whole frame and no mask.

Same blocks and weights as `synchformer`, one pass, no context layers and no mask embedding. Its keys
are those that the base Synchformer checkpoint has under `vfeat_extractor.`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from exporter.models.synchformer import SynchformerDims, VisualExtractor


class PlainExtractor(VisualExtractor):
    """The visual encoder without what SAGANet added."""

    def __init__(self, dims: SynchformerDims) -> None:
        super().__init__(dims)
        del self.patch_embed_3d_mask, self.cross_attn_layers

    def features(self, frames: Tensor) -> Tensor:
        """Frames [S, segment_frames, 3, s, s], -1..1, to features [S, steps, width]."""
        x = self.patch_embed_3d(frames)
        x = torch.cat([self.cls_token.expand(x.shape[0], -1, -1), x], dim=1) + self.places()
        for block in self.blocks:
            x = block(x)
        return self.aggregate(x)

    def places(self) -> Tensor:
        """Positions of all tokens [1, 1 + steps * positions, width], the class token's first."""
        inside = self.temp_embed.unsqueeze(2) + self.pos_embed[:, 1:].unsqueeze(1)
        return torch.cat([self.pos_embed[:, :1], inside.flatten(1, 2)], dim=1)


class PlainSynchformer(nn.Module):
    """MMAudio's sync encoder under the checkpoint's keys (`vfeat_extractor.*`)."""

    def __init__(self, dims: SynchformerDims) -> None:
        super().__init__()
        self.vfeat_extractor = PlainExtractor(dims)

    def forward(self, frames: Tensor) -> Tensor:
        """Features [S, steps, width] of whole frames [S, segment_frames, 3, s, s], -1..1."""
        features: Tensor = self.vfeat_extractor.features(frames)
        return features
