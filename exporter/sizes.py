"""Named sets of sizes: one model's networks that fit together, with its rates and sampling defaults.

| name | what |
|---|---|
| `small_44k_sa`, `medium_44k_sa` | the published SAGANet |
| `small_44k`, `medium_44k` | MMAudio, which SAGANet extends: hears the whole frame, knows no masks |
| `tiny` | our own model, trained from scratch |
| `embedded` | `tiny` in its interface, far thinner; ships with the code until a trained model does |
| `golden` | the smallest that has every kind of layer; for tests |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from exporter.models.bigvgan import BIGVGAN_44K, GOLDEN_VOCODER, TINY_VOCODER, VocoderDims
from exporter.models.clip import CLIP_VIT_H_14_378, GOLDEN_CLIP, TINY_CLIP, ClipDims
from exporter.models.flow import GOLDEN_FLOW, MEDIUM_44K_SA, SMALL_44K_SA, TINY_FLOW, FlowDims
from exporter.models.synchformer import (
    GOLDEN_SYNCHFORMER,
    SYNCHFORMER_BASE,
    TINY_SYNCHFORMER,
    SynchformerDims,
)
from exporter.models.vae import GOLDEN_VAE, TINY_VAE, VAE_44K, VaeDims
from exporter.models.vocos import ROUNDS_TOLERANCE, TINY_VOCOS, VocosDims
from models_onnx.manifest import WINDOW_SEGMENTS


@dataclass(frozen=True, slots=True)
class Sizes:
    """Everything about a model but its weights.

    Attributes:
        name: of the set; a manifest's `architecture`.
        clip, synchformer, flow, vae, vocoder: sizes of the networks.
        sample_rate: of the waveform, Hz.
        clip_rate, sync_rate: frames per second of the image tower and the sync encoder.
        crop_min: smallest side of the focal crop, pixels of the sync canvas.
        train_frames: sync frames of the length the model was trained at.
        multiple_frames: a pass is a multiple of this many sync frames.
        steps, guidance: sampling defaults.
        masked: the sync encoder sees a mask and its focal crop; otherwise the whole frame only.
        compact: graphs get short meaningless names inside, to be small.
    """

    name: str
    clip: ClipDims
    synchformer: SynchformerDims
    flow: FlowDims
    vae: VaeDims
    vocoder: VocoderDims | VocosDims
    sample_rate: int
    clip_rate: int
    sync_rate: int
    crop_min: int
    train_frames: int
    multiple_frames: int
    steps: int
    guidance: float
    masked: bool = True
    compact: bool = False

    def __post_init__(self) -> None:
        for what, first, second in self._seams():
            if first != second:
                raise ValueError(f"{self.name}: the networks disagree about {what}: {first} and {second}")

    def _seams(self) -> tuple[tuple[str, int, int], ...]:
        clip, sync, flow, vae = self.clip, self.synchformer, self.flow, self.vae
        return (
            ("the image feature", clip.embed, flow.clip_width),
            ("the text feature", clip.text_width, flow.text_width),
            ("the prompt's length", clip.text_length, flow.text_length),
            ("the sync feature", sync.features, flow.sync_width),
            ("features of a segment", sync.steps, flow.segment_features),
            ("latent channels", flow.latent_channels, vae.latent_channels),
            ("mel bands", vae.mel_bands, self.vocoder.mel_bands),
        )

    @property
    def latent_hop(self) -> int:
        """Audio samples of one latent position."""
        return self.vae.frames_per_latent * self.vocoder.hop

    @property
    def tolerances(self) -> dict[str, float]:
        """Graphs that may differ from torch by more than others, and how much (relative L2)."""
        return {"vocoder": ROUNDS_TOLERANCE} if isinstance(self.vocoder, VocosDims) else {}

    def lengths(self, frames: int, *, batch: int) -> dict[str, int]:
        """Every free dimension of the graphs for a pass over `frames` sync frames (spec section 0.1)."""
        sync = self.synchformer
        segments = (frames - sync.segment_frames) // sync.segment_step + 1
        latents = -(-frames * self.sample_rate // (self.sync_rate * self.latent_hop))
        return {
            "batch": batch,
            "segments": segments,
            WINDOW_SEGMENTS: segments,
            "sync_frames": segments * sync.steps,
            "clip_frames": frames * self.clip_rate // self.sync_rate,
            "latents": latents,
            "mel_frames": latents * self.vae.frames_per_latent,
            "samples": latents * self.latent_hop,
        }


SMALL = Sizes(
    name="small_44k_sa",
    clip=CLIP_VIT_H_14_378,
    synchformer=SYNCHFORMER_BASE,
    flow=replace(SMALL_44K_SA, lora_rank=0),  # never applied at inference: spec section 4.1
    vae=VAE_44K,
    vocoder=BIGVGAN_44K,
    sample_rate=44100,
    clip_rate=8,
    sync_rate=25,
    crop_min=56,
    train_frames=125,
    multiple_frames=1,
    steps=25,
    guidance=7.0,
)
MEDIUM = replace(SMALL, name="medium_44k_sa", flow=replace(MEDIUM_44K_SA, lora_rank=0))
SMALL_PLAIN = replace(SMALL, name="small_44k", masked=False, guidance=4.5)
MEDIUM_PLAIN = replace(MEDIUM, name="medium_44k", masked=False, guidance=4.5)
TINY = Sizes(
    name="tiny",
    clip=TINY_CLIP,
    synchformer=TINY_SYNCHFORMER,
    flow=TINY_FLOW,
    vae=TINY_VAE,
    vocoder=TINY_VOCOS,
    sample_rate=44100,
    clip_rate=4,
    sync_rate=25,
    crop_min=32,
    train_frames=128,
    multiple_frames=16,
    steps=12,
    guidance=1.0,
)
EMBEDDED = replace(
    TINY,
    name="embedded",
    clip=replace(
        TINY_CLIP,
        vision_width=24,
        vision_heads=2,
        vision_layers=1,
        vision_hidden=48,
        embed=16,
        vocabulary=768,
        text_width=16,
        text_heads=2,
        text_layers=1,
        text_hidden=32,
    ),
    synchformer=replace(TINY_SYNCHFORMER, width=6, heads=3, depth=1, hidden=12, motion=0),
    flow=replace(
        TINY_FLOW,
        latent_channels=8,
        clip_width=16,
        sync_width=6,
        text_width=16,
        hidden=16,
        heads=2,
        joint_blocks=2,
        fused_blocks=1,
        mlp_hidden=32,
        time_features=32,
        bank=None,
    ),
    vae=replace(TINY_VAE, latent_channels=8, widths=(16, 24), straight=False),
    vocoder=replace(TINY_VOCODER, channels=16, dilations=(1, 3)),
    compact=True,
)
GOLDEN = Sizes(
    name="golden",
    clip=replace(
        GOLDEN_CLIP, vision_width=8, vision_hidden=12, embed=6, vocabulary=520, text_width=6, text_hidden=12
    ),
    synchformer=replace(GOLDEN_SYNCHFORMER, image_size=16, width=6, hidden=12),
    flow=replace(GOLDEN_FLOW, clip_width=6, sync_width=6, text_width=6),
    vae=replace(GOLDEN_VAE, widths=(6, 8)),
    vocoder=GOLDEN_VOCODER,
    sample_rate=1600,
    clip_rate=8,
    sync_rate=25,
    crop_min=4,
    train_frames=64,
    multiple_frames=1,
    steps=4,
    guidance=3.0,
    compact=True,
)
SIZES: Mapping[str, Sizes] = {
    sizes.name: sizes for sizes in (SMALL, MEDIUM, SMALL_PLAIN, MEDIUM_PLAIN, TINY, EMBEDDED, GOLDEN)
}
