"""The manifest of a bundle: all the runtime needs to know, as values.

`manifest_json` turns these into `manifest.json` and back; `bundle` ties them to a folder.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

SCHEMA = 1
MANIFEST_NAME = "manifest.json"
ROLES = ("text_encoder", "image_encoder", "sync_encoder", "conditions", "flow", "decoder", "vocoder")
"""What the graphs of a bundle are called; every bundle has all of them."""


class InvalidBundle(Exception):
    """The folder is not a usable bundle.

    Attributes:
        reason: "missing" (no such folder, no manifest), "corrupt" (damaged, changed, unsafe), "newer" (a
            schema this version does not know) or "other" (a bundle for masks where sound is made, or the
            other way round).
        path: the folder or file at fault.
    """

    def __init__(self, message: str, *, reason: str, path: Path) -> None:
        super().__init__(message)
        self.reason = reason
        self.path = path


WINDOW_SEGMENTS = "window_segments"
"""Free dimension of a sync encoder that reads all segments of a window together: they are given in one call.
Where it is "segments", each is read alone."""
NEGATIVE_WORDS = "negative_text_features"
"""Input of a conditions graph that knows what must not sound; published models have none."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output of a graph.

    Attributes:
        name: as in the graph.
        dtype: "float32", "float16" or "int64".
        shape: an int is fixed, a string names a free dimension ("batch", "latents", ...).
    """

    name: str
    dtype: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class GraphSpec:
    """One ONNX graph of the bundle and its interface."""

    file: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


@dataclass(frozen=True, slots=True)
class FileSpec:
    """Size and hash of one file of the bundle."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Licence:
    """Under which terms the weights may be used; travels with every stem.

    Attributes:
        name: short name ("CC-BY-NC-4.0").
        commercial_use: whether paid work is allowed.
        attribution: who must be named.
        text: one or two sentences a user can understand.
    """

    name: str
    commercial_use: bool
    attribution: str
    text: str


@dataclass(frozen=True, slots=True)
class PictureSpec:
    """How frames and masks become network input (spec sections 1.3 to 1.5, 3).

    Attributes:
        clip_rate: image-tower frames per second (8).
        clip_size: side of the square image-tower input, pixels (384).
        sync_rate: sync-encoder frames per second (25).
        sync_size: side of the square sync-encoder input, pixels (224).
        segment_frames: frames of one segment (16).
        segment_step: frames between starts of neighbouring segments (8).
        segment_features: features of one segment (8).
        resize: "squash" or "center_crop".
        crop_min: smallest side of the focal crop, pixels of `sync_size` (56).
        box_threshold: mask values 0..1 at or below it do not count for the focal box.
    """

    clip_rate: int
    clip_size: int
    sync_rate: int
    sync_size: int
    segment_frames: int
    segment_step: int
    segment_features: int
    resize: str
    crop_min: int
    box_threshold: float


@dataclass(frozen=True, slots=True)
class TextSpec:
    """The tokenizer's frame: `tokenizer` is a file of the bundle; ids are cut and padded to `length`."""

    tokenizer: str
    length: int
    start_id: int
    end_id: int
    pad_id: int


@dataclass(frozen=True, slots=True)
class LatentSpec:
    """The latent's layout (spec sections 0.1, 5.4).

    Attributes:
        channels: values per latent position (40).
        hop: audio samples per latent position (1024).
        mean, std: per channel; a decoded latent is `x * std + mean`.
    """

    channels: int
    hop: int
    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class VocoderSpec:
    """Mel to waveform.

    Attributes:
        mel_bands: bands of the log-mel (128).
        mel_hop: audio samples per mel frame (512).
        halo: mel frames of context on each side after which a chunk's middle no longer changes.
    """

    mel_bands: int
    mel_hop: int
    halo: int


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """Lengths of one model pass, counted in sync frames (`sync_rate`).

    Attributes:
        min_frames: shortest pass (16 = 0.64 s).
        train_frames: the length the network was trained at (125 = 5 s); longer cues take several windows.
        multiple_frames: a pass is a multiple of this (1 = any length).
    """

    min_frames: int
    train_frames: int
    multiple_frames: int


@dataclass(frozen=True, slots=True)
class SamplingSpec:
    """Defaults of the solver: Euler steps and guidance strength."""

    steps: int
    guidance: float


@dataclass(frozen=True, slots=True)
class Source:
    """Where the weights came from: checkpoint file name and sha256."""

    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything the runtime knows about a bundle. See each part's own description.

    Attributes:
        id: short name ("embedded"); a take's sidecar carries it.
        title: one line for people.
        version: of the weights.
        architecture: name of the dimensions ("small_44k_sa").
        precision: "fp32" or "fp16".
        opset: ONNX opset of the graphs.
        onnxruntime_min: oldest onnxruntime the bundle was made for ("1.20").
        sample_rate: of the vocoder's output, Hz.
        null_conditions: `.npz` with float32 `clip` [Dc], `sync` [Ds], `text` [L, Dt] (spec 5.3).
        graphs: by role: text_encoder, image_encoder, sync_encoder, conditions, flow, decoder, vocoder.
        files: every file of the bundle but the manifest, by its relative posix path.
        parity: relative L2 differences ONNX against torch measured at export, by graph.
        gpu_graphs: files of the same graphs in another form, by role: their heavy arithmetic in float16,
            attention as ONNX Runtime's own operator. Used on CUDA; roles without one use `graphs`.
        eight_bit: graphs that compute with integers of 8 bits, by role, and the least cosine of what they
            give to what float32 gives, measured at export.
    """

    schema: int
    id: str
    title: str
    version: str
    architecture: str
    precision: str
    opset: int
    onnxruntime_min: str
    licence: Licence
    sources: tuple[Source, ...]
    sample_rate: int
    picture: PictureSpec
    text: TextSpec
    latent: LatentSpec
    vocoder: VocoderSpec
    window: WindowSpec
    sampling: SamplingSpec
    null_conditions: str
    graphs: dict[str, GraphSpec]
    files: dict[str, FileSpec]
    parity: dict[str, float]
    gpu_graphs: dict[str, str] = field(default_factory=dict)
    eight_bit: dict[str, float] = field(default_factory=dict)

    @property
    def hears_negative_words(self) -> bool:
        """Whether the conditions know what must not sound, so that no guidance is needed for it."""
        return any(tensor.name == NEGATIVE_WORDS for tensor in self.graphs["conditions"].inputs)
