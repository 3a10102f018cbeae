"""Frames and masks of one window as network input (spec sections 1.3 to 1.5 and 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

import numpy as np

from models_onnx.manifest import PictureSpec
from plugin.engine.focus import Box, crop_to, find_focus
from plugin.engine.footage import Footage, Picture
from plugin.engine.resampling import Bytes, Float, Section, resize_bicubic, whole
from plugin.errors import MatteMismatch, UndecodableMedia


@dataclass(frozen=True, slots=True)
class SyncClip:
    """Small frames and masks of one window, kept as bytes until a batch is needed.

    Attributes:
        frames: `[T, s, s, 3]` uint8 RGB.
        masks: `[T, s, s]` uint8.
        box: the focal crop.
        empty: no mask shows an object.
    """

    frames: Bytes
    masks: Bytes
    box: Box
    empty: bool


@dataclass(frozen=True, slots=True)
class SegmentBatch:
    """Inputs of the sync encoder for a run of segments.

    Attributes:
        frames: `[segments, F, 3, s, s]` float32, -1..1.
        mask: `[segments, F, 1, s, s]` float32, 0..1.
        detail_frames: the focal crop of `frames`, same shape.
        detail_mask: the focal crop of `mask`, same shape.
    """

    frames: Float
    mask: Float
    detail_frames: Float
    detail_mask: Float


def clip_picture(frame: Picture, *, size: int) -> Bytes:
    """A frame squashed to the image tower's square, `[size, size, 3]` uint8."""
    return resize_bicubic(frame, columns=whole(size), rows=whole(size))


def sync_picture(frame: Picture, *, size: int, resize: str) -> Bytes:
    """A frame or mask on the sync encoder's canvas, `[size, size(, 3)]` uint8.

    Args:
        frame: `[H, W, 3]` or `[H, W]` uint8.
        size: side of the canvas, pixels.
        resize: "squash" (aspect not kept) or "center_crop" (shorter side fitted, middle kept).
    """
    height, width = frame.shape[:2]
    if resize == "squash":
        return resize_bicubic(frame, columns=whole(size), rows=whole(size))
    shorter = min(height, width)
    return resize_bicubic(
        frame, columns=_middle(width, shorter, size=size), rows=_middle(height, shorter, size=size)
    )


def _middle(length: int, shorter: int, *, size: int) -> Section:
    resized = size * length // shorter
    return Section(resized, round((resized - size) / 2.0), size)


def slot_times(start: Fraction, *, rate: int, count: int) -> list[Fraction]:
    """Exact times of slots `start + k / rate`, seconds."""
    return [start + Fraction(k, rate) for k in range(count)]


def collect_pictures(
    footage: Footage, *, start: Fraction, sync_frames: int, clip_slots: Sequence[Fraction], spec: PictureSpec
) -> tuple[Bytes, Bytes]:
    """Small pictures for both encoders from one pass over the footage.

    Args:
        footage: the cue's pictures.
        start: the window's start, seconds from the cue's first sample.
        sync_frames: pictures for the sync encoder, from `start` on.
        clip_slots: times of pictures for the image tower, ascending; none where its features are known.
        spec: rates and sizes.

    Returns:
        `[len(clip_slots), S, S, 3]` and `[sync_frames, s, s, 3]` uint8.

    Raises:
        UndecodableMedia: the footage gives no picture at all.
    """
    sync_slots = slot_times(start, rate=spec.sync_rate, count=sync_frames)
    times = sorted({*clip_slots, *sync_slots})
    wanted_clip, wanted_sync = set(clip_slots), set(sync_slots)
    clip, sync = [], []
    late = [_late(time, wanted_sync, spec) for time in times]
    for_clip = _held(lambda frame: clip_picture(frame, size=spec.clip_size))
    for_sync = _held(lambda frame: sync_picture(frame, size=spec.sync_size, resize=spec.resize))
    frames = _repeat_last(footage.frames([float(t) for t in times], late=late), len(times))
    for time, frame in zip(times, frames, strict=True):
        if time in wanted_clip:
            clip.append(for_clip(frame))
        if time in wanted_sync:
            sync.append(for_sync(frame))
    return np.stack(clip) if clip else np.empty((0, spec.clip_size, spec.clip_size, 3), np.uint8), np.stack(
        sync
    )


def _late(time: Fraction, sync: set[Fraction], spec: PictureSpec) -> float:
    """How late a frame may start for a slot.

    The image tower takes the first frame from the slot on (spec 1.1). For the sync encoder that would
    show 24 fps media 19 ms early on average; it was trained on video brought to its rate by taking the
    nearest frame, so half a picture is the limit there.
    """
    return 0.5 / spec.sync_rate if time in sync else 1.0 / spec.clip_rate


def collect_masks(footage: Footage, *, start: Fraction, sync_frames: int, spec: PictureSpec) -> Bytes:
    """Masks on the sync canvas, `[sync_frames, s, s]` uint8; white throughout without a matte.

    A matte shorter than the window repeats its last picture.

    Raises:
        MatteMismatch: there is a matte, but it gives no picture.
    """
    times = [float(t) for t in slot_times(start, rate=spec.sync_rate, count=sync_frames)]
    mattes = footage.masks(times)
    if mattes is None:
        return np.full((sync_frames, spec.sync_size, spec.sync_size), 255, np.uint8)
    for_sync = _held(lambda matte: sync_picture(matte, size=spec.sync_size, resize=spec.resize))
    small = [for_sync(matte) for matte in islice(mattes, sync_frames)]
    if not small:
        raise MatteMismatch(
            "The matte of this cue gives no picture.", remedy="Choose a matte that covers the cue."
        )
    return np.stack(small + [small[-1]] * (sync_frames - len(small)))


def collect_window(
    footage: Footage, *, start: Fraction, sync_frames: int, clip_slots: Sequence[Fraction], spec: PictureSpec
) -> tuple[Bytes, SyncClip]:
    """Pictures for the image tower and the sync encoder's clip; frames and masks are read side by side.

    Decoding and shrinking a full-HD movie takes most of a short cue's time, and its matte half as long.

    Args:
        footage: the cue's pictures.
        start: the window's start, seconds from the cue's first sample.
        sync_frames: pictures and masks for the sync encoder, from `start` on.
        clip_slots: times of pictures for the image tower, ascending; none where its features are known.
        spec: rates and sizes.

    Raises:
        UndecodableMedia: the footage gives no picture at all.
        MatteMismatch: there is a matte, but it gives no picture.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="masks") as beside:
        reading = beside.submit(collect_masks, footage, start=start, sync_frames=sync_frames, spec=spec)
        pictures, frames = collect_pictures(
            footage, start=start, sync_frames=sync_frames, clip_slots=clip_slots, spec=spec
        )
        masks = reading.result()
    return pictures, sync_clip(frames, masks, spec=spec)


def _held(shrink: Callable[[Picture], Bytes]) -> Callable[[Picture], Bytes]:
    """`shrink`, done once for a picture that is given again and again: a still, or footage of few frames."""
    last: tuple[Picture, Bytes] | None = None

    def shrink_once(picture: Picture) -> Bytes:
        nonlocal last
        if last is None or last[0] is not picture:
            last = picture, shrink(picture)
        return last[1]

    return shrink_once


def _repeat_last(pictures: Iterable[Picture], count: int) -> Iterator[Picture]:
    last = None
    given = 0
    for last in islice(pictures, count):
        given += 1
        yield last
    if last is None:
        raise UndecodableMedia(
            "The picture of this cue gives no frame.", remedy="Relink the clip to a file that plays."
        )
    for _ in range(count - given):
        yield last


def sync_clip(frames: Bytes, masks: Bytes, *, spec: PictureSpec) -> SyncClip:
    """The window with its focus found."""
    focus = find_focus(to_mask(masks), crop_min=spec.crop_min, threshold=spec.box_threshold)
    return SyncClip(frames, masks, focus.box, focus.empty)


def to_unit(pictures: Bytes) -> Float:
    """Image-tower input `[B, 3, S, S]` float32, 0..1, from `[B, S, S, 3]` bytes."""
    return np.ascontiguousarray(np.moveaxis(pictures, -1, 1)).astype(np.float32) / np.float32(255)


def to_signed(pictures: Bytes) -> Float:
    """Sync frames `[T, 3, s, s]` float32, -1..1, from `[T, s, s, 3]` bytes."""
    return (to_unit(pictures) - np.float32(0.5)) / np.float32(0.5)


def to_mask(masks: Bytes) -> Float:
    """Masks as float32, 0..1, soft edges kept."""
    return masks.astype(np.float32) / np.float32(255)


def segment_count(frames: int, *, spec: PictureSpec) -> int:
    """Whole segments in a window of `frames` sync frames (spec 0.1)."""
    return (frames - spec.segment_frames) // spec.segment_step + 1


def segment_batches(clip: SyncClip, *, spec: PictureSpec, size: int) -> Iterator[SegmentBatch]:
    """The window's segments, `size` at a time."""
    total = segment_count(len(clip.frames), spec=spec)
    for first in range(0, total, size):
        count = min(size, total - first)
        start = first * spec.segment_step
        end = start + (count - 1) * spec.segment_step + spec.segment_frames
        frames = to_signed(clip.frames[start:end])
        masks = to_mask(clip.masks[start:end])[:, None]
        yield SegmentBatch(
            _cut(frames, count, spec),
            _cut(masks, count, spec),
            _cut(crop_to(frames, clip.box, size=spec.sync_size), count, spec),
            _cut(crop_to(masks, clip.box, size=spec.sync_size), count, spec),
        )


def _cut(pictures: Float, count: int, spec: PictureSpec) -> Float:
    """Segments `[count, F, ...]` of `[n, ...]`; a view of the pictures where none is in two of them."""
    cut: Float
    if spec.segment_step == spec.segment_frames:
        cut = pictures.reshape(count, spec.segment_frames, *pictures.shape[1:])
    else:
        index = np.arange(count)[:, None] * spec.segment_step + np.arange(spec.segment_frames)[None]
        cut = pictures[index]
    return cut
