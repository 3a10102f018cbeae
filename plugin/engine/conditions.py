"""What steers the flow network: features of pictures and words, made into its conditions (spec 5.1, 5.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models_onnx.bundle import Bundle
from models_onnx.manifest import NEGATIVE_WORDS, WINDOW_SEGMENTS
from plugin.engine.arrays import UnreadableArrays, read_arrays
from plugin.engine.bundle_errors import bundle_errors
from plugin.engine.lengths import Lengths
from plugin.engine.preprocess import SyncClip, segment_batches, segment_count, to_unit
from plugin.engine.providers import Provider
from plugin.engine.resampling import Bytes
from plugin.engine.rows import even_size, padded
from plugin.engine.sessions import Array, Float, Sessions
from plugin.engine.text import Ids
from plugin.engine.watch import PICTURES, UNWATCHED, Watch
from plugin.errors import BundleCorrupt

_BATCHED = (
    "clip_condition",
    "sync_condition",
    "text_condition",
    "global_condition",
)
_TABLES = ("latent_rope", "clip_rope")


@dataclass(frozen=True, slots=True)
class Batching:
    """How much goes through a graph at once.

    Attributes:
        images: pictures per call of the image encoder.
        segments: segments per call of the sync encoder.
        guidance: both guidance branches in one call of the flow graph.
    """

    images: int
    segments: int
    guidance: bool


BATCHING: Mapping[Provider, Batching] = {
    Provider.CPU: Batching(images=4, segments=2, guidance=False),
    Provider.CUDA: Batching(images=8, segments=8, guidance=True),
}
"""Fixed per provider, so that the same cue gives the same bytes. See docs/adr/0005-batching.md."""


@dataclass(frozen=True, slots=True)
class WindowFeatures:
    """What the encoders saw in one window.

    Attributes:
        clip: `[1, Tc, Dc]` float32, unit norm.
        sync: `[1, Ts, Ds]` float32.
        empty: the mask shows no object anywhere.
    """

    clip: Float
    sync: Float
    empty: bool


@dataclass(frozen=True, slots=True)
class NullConditions:
    """Features that stand for "nothing known": `clip` [Dc], `sync` [Ds], `text` [L, Dt]."""

    clip: Float
    sync: Float
    text: Float

    @classmethod
    def load(cls, bundle: Bundle) -> NullConditions:
        """The null features of a bundle.

        Raises:
            BundleCorrupt: the file was changed, or lacks an array.
        """
        name = bundle.manifest.null_conditions
        with bundle_errors():
            path = bundle.checked_path(name)
        try:
            stored = read_arrays(path)
            return cls(*(stored[key].astype(np.float32) for key in ("clip", "sync", "text")))
        except (OSError, UnreadableArrays, KeyError) as error:
            raise BundleCorrupt(
                f"The null features {name} of the bundle {bundle.manifest.id} cannot be read.",
                remedy="Install or export the bundle again.",
                detail=str(error),
            ) from None

    def features(self, lengths: Lengths) -> WindowFeatures:
        """The null features repeated over a window."""
        clip = np.tile(self.clip, (1, lengths.clip_frames, 1))
        return WindowFeatures(clip, np.tile(self.sync, (1, lengths.sync_features, 1)), empty=True)


@dataclass(frozen=True, slots=True)
class Conditions:
    """Inputs of the flow graph that stay the same over all steps, by name.

    Attributes:
        conditional: for the asked-for sound.
        unconditional: for the other guidance branch; None when guidance does not need it.
    """

    conditional: Mapping[str, Array]
    unconditional: Mapping[str, Array] | None


def encode_images(sessions: Sessions, pictures: Bytes, *, batch: int, watch: Watch = UNWATCHED) -> Float:
    """Image-tower features `[1, Tc, Dc]` of `[Tc, S, S, 3]` pictures."""
    parts, total, size = [], len(pictures), _part_size(sessions, len(pictures), batch)
    for first in range(0, total, size):
        watch.checkpoint()
        images = _same_shape(sessions, to_unit(pictures[first : first + size]), size)
        last = first + size >= total
        parts.append(sessions.run("image_encoder", {"images": images}, shrink=last)["clip_features"])
        watch.progress(PICTURES, min(first + size, total), total)
    return np.concatenate(parts)[None, :total]


def encode_segments(sessions: Sessions, clip: SyncClip, *, batch: int, watch: Watch = UNWATCHED) -> Float:
    """Sync features `[1, Ts, Ds]` of a window, with its focal crop.

    Args:
        sessions: of the bundle.
        clip: the window's pictures and masks.
        batch: segments per call, for an encoder that reads each alone.
        watch: cancel and progress.
    """
    spec, inputs = sessions.bundle.manifest.picture, sessions.bundle.manifest.graphs["sync_encoder"].inputs
    total, done, parts = segment_count(len(clip.frames), spec=spec), 0, []
    together = inputs[0].shape[0] == WINDOW_SEGMENTS
    size = total if together else _part_size(sessions, total, batch)
    wanted = [tensor.name for tensor in inputs]
    for segments in segment_batches(clip, spec=spec, size=size):
        watch.checkpoint()
        seen = {
            "frames": segments.frames,
            "mask": segments.mask,
            "detail_frames": segments.detail_frames,
            "detail_mask": segments.detail_mask,
        }
        feeds = {name: _same_shape(sessions, seen[name], size) for name in wanted}
        done += len(segments.frames)
        parts.append(sessions.run("sync_encoder", feeds, shrink=done == total)["sync_features"])
        watch.progress(PICTURES, done, total)
    features = np.concatenate(parts)[:total]
    return features.reshape(1, -1, features.shape[-1])


def _part_size(sessions: Sessions, count: int, most: int) -> int:
    """Rows of one call: on a GPU the same for all calls of a window, 7 and 7 of 14 rather than 8 and 6."""
    return most if sessions.provider is Provider.CPU else even_size(count, most=most)


def _same_shape(sessions: Sessions, rows: Float, size: int) -> Float:
    """The rows; on a GPU always `size` of them, so that nothing is planned anew for the last ones."""
    return rows if sessions.provider is Provider.CPU else padded(rows, size)


def encode_text(sessions: Sessions, ids: Ids) -> Float:
    """Text features `[1, L, Dt]` of token ids `[1, L]`."""
    return sessions.run("text_encoder", {"tokens": ids})["text_features"]


def upsample_index(sync_features: int, latents: int) -> Ids:
    """Which sync feature belongs to each latent position: `floor((i + 0.5) Ts / N)`, int64 `[N]`.

    [MATCH] In float32, as torch's `nearest-exact` does it: where the exact value is whole it may come out one
    lower, at a tenth of all lengths for one position or two.
    """
    half, scale = np.float32(0.5), np.float32(sync_features) / np.float32(latents)
    index: Ids = ((np.arange(latents, dtype=np.float32) + half) * scale).astype(np.int64)
    return np.minimum(index, sync_features - 1)


def flow_conditions(
    sessions: Sessions, features: WindowFeatures, text: Float, *, latents: int, negative: Float
) -> dict[str, Array]:
    """The flow graph's constant inputs for one branch.

    Args:
        sessions: runs the conditions graph.
        features: what the encoders saw.
        text: `[1, L, Dt]` features of the words.
        latents: latent positions of the window.
        negative: as `text`, of words for what must not sound; read by graphs that ask for it.
    """
    feeds: dict[str, Array] = {
        "clip_features": features.clip,
        "sync_features": features.sync,
        "text_features": text,
        "upsample_index": upsample_index(features.sync.shape[1], latents),
    }
    if sessions.bundle.manifest.hears_negative_words:
        feeds[NEGATIVE_WORDS] = negative
    return dict(sessions.run("conditions", feeds))


def both_branches(conditions: Conditions) -> dict[str, Array]:
    """Both guidance branches in one batch, the conditional one first."""
    if conditions.unconditional is None:
        raise ValueError("guidance needs no second branch here")
    stacked = {
        name: np.concatenate([conditions.conditional[name], conditions.unconditional[name]])
        for name in _BATCHED
    }
    return {**stacked, **{name: conditions.conditional[name] for name in _TABLES}}
