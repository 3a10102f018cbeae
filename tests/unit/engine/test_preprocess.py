from __future__ import annotations

import threading
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from plugin.engine import preprocess as p
from plugin.errors import MatteMismatch, UndecodableMedia


@pytest.fixture
def spec(bundle):
    return bundle.manifest.picture


class ShortFootage:
    """Gives fewer pictures than it was asked for."""

    fingerprint = ""
    damaged = False

    def __init__(self, *, frames: int, masks: int | None) -> None:
        self.count, self.mask_count = frames, masks

    def frames(self, times, *, late=()):
        return (np.full((9, 16, 3), 10 * k, np.uint8) for k, _ in zip(range(self.count), times, strict=False))

    def masks(self, times):
        if self.mask_count is None:
            return None
        return (
            np.full((9, 16), 10 * k, np.uint8) for k, _ in zip(range(self.mask_count), times, strict=False)
        )


def _slots(count: int, start: Fraction = Fraction(0)) -> list[Fraction]:
    return p.slot_times(start, rate=8, count=count)


def test_frames_are_asked_for_at_slots_from_the_windows_start(toy, spec) -> None:
    footage = toy.ToyFootage()
    p.collect_pictures(
        footage, start=Fraction(-1, 2), clip_slots=_slots(5, Fraction(-1, 2)), sync_frames=16, spec=spec
    )
    slots = {Fraction(-1, 2) + Fraction(k, 25) for k in range(16)} | {
        Fraction(-1, 2) + Fraction(k, 8) for k in range(5)
    }
    assert footage.frame_times == [float(slot) for slot in sorted(slots)]


def test_each_encoder_gets_the_frames_of_its_own_slots(toy, spec) -> None:
    clip, sync = p.collect_pictures(
        toy.ToyFootage(), start=Fraction(0), clip_slots=_slots(16), sync_frames=50, spec=spec
    )
    assert clip.shape == (16, 8, 8, 3)
    assert sync.shape == (50, 16, 16, 3)
    frames = list(toy.ToyFootage().frames([k / 8 for k in range(16)]))
    assert np.array_equal(clip[9], p.clip_picture(frames[9], size=8))
    frame = next(toy.ToyFootage().frames([31 / 25]))
    assert np.array_equal(sync[31], p.sync_picture(frame, size=16, resize="squash"))


def test_the_sync_encoder_gets_near_frames_and_the_image_tower_later_ones(spec) -> None:
    """Half a picture at 25 a second against a whole one at 8; a moment of both is the sync encoder's."""
    told = {}

    class Footage(ShortFootage):
        def frames(self, times, *, late=()):
            told.update(zip(times, late, strict=True))
            return super().frames(times)

    footage = Footage(frames=20, masks=None)
    p.collect_pictures(footage, start=Fraction(0), clip_slots=_slots(9), sync_frames=26, spec=spec)
    assert (told[0.125], told[0.04], told[1.0]) == (1 / 8, 1 / 50, 1 / 50)


def test_a_picture_that_is_held_is_made_small_once(spec, monkeypatch) -> None:
    shrunk = []
    monkeypatch.setattr(p, "sync_picture", lambda frame, **_: shrunk.append(frame) or frame[:4, :4])
    still, other = np.full((9, 16), 7, np.uint8), np.full((9, 16), 9, np.uint8)

    class Still(ShortFootage):
        def masks(self, times):
            return iter([still] * 10 + [other] * 5 + [still])

    masks = p.collect_masks(Still(frames=1, masks=1), start=Fraction(0), sync_frames=16, spec=spec)
    assert [picture is still for picture in shrunk] == [True, False, True]
    assert masks[:, 0, 0].tolist() == [7] * 10 + [9] * 5 + [7]


def test_short_footage_repeats_its_last_frame(spec) -> None:
    _, sync = p.collect_pictures(
        ShortFootage(frames=3, masks=None), start=Fraction(0), clip_slots=_slots(1), sync_frames=16, spec=spec
    )
    assert sync[:4, 0, 0, 0].tolist() == [0, 10, 20, 20]
    assert sync[-1, 0, 0, 0] == 20


def test_footage_without_a_frame_is_told(spec) -> None:
    with pytest.raises(UndecodableMedia):
        p.collect_pictures(
            ShortFootage(frames=0, masks=None),
            start=Fraction(0),
            clip_slots=_slots(1),
            sync_frames=16,
            spec=spec,
        )


def test_a_short_matte_repeats_its_last_picture(spec) -> None:
    masks = p.collect_masks(ShortFootage(frames=1, masks=2), start=Fraction(0), sync_frames=16, spec=spec)
    assert masks.shape == (16, 16, 16)
    assert masks[:, 0, 0].tolist() == [0] + [10] * 15


def test_a_matte_without_a_picture_is_told(spec) -> None:
    with pytest.raises(MatteMismatch):
        p.collect_masks(ShortFootage(frames=1, masks=0), start=Fraction(0), sync_frames=16, spec=spec)


def test_no_matte_is_the_whole_frame(spec) -> None:
    masks = p.collect_masks(ShortFootage(frames=1, masks=None), start=Fraction(0), sync_frames=16, spec=spec)
    assert (masks == 255).all()


def test_squash_keeps_the_border_and_centre_crop_does_not() -> None:
    frame = np.zeros((108, 192, 3), np.uint8)
    frame[:, :20] = 255
    assert p.sync_picture(frame, size=56, resize="squash")[:, 0].min() == 255
    assert p.sync_picture(frame, size=56, resize="center_crop").max() == 0


@pytest.mark.parametrize(("width", "first"), [(18, 1), (19, 2), (21, 2), (23, 4)])
def test_the_middle_begins_at_the_nearest_even_pixel_where_it_is_between_two(width: int, first: int) -> None:
    """Halves are rounded to the even pixel, as the networks' training did (spec 1.3)."""
    frame = np.tile(np.arange(width, dtype=np.uint8), (16, 1))
    assert p.sync_picture(frame, size=16, resize="center_crop")[0].tolist() == [*range(first, first + 16)]


@pytest.mark.parametrize(("height", "width"), [(1080, 1920), (1920, 1080), (225, 224), (100, 333)])
def test_centre_crop_fits_the_shorter_side(height: int, width: int) -> None:
    frame = np.zeros((height, width), np.uint8)
    assert p.sync_picture(frame, size=224, resize="center_crop").shape == (224, 224)


def test_values_reach_the_networks_in_their_ranges() -> None:
    pictures = np.array([0, 255], np.uint8).reshape(1, 1, 2, 1).repeat(3, axis=3)
    assert p.to_unit(pictures)[0, :, 0].tolist() == [[0, 1]] * 3
    assert p.to_signed(pictures)[0, :, 0].tolist() == [[-1, 1]] * 3
    assert p.to_mask(np.array([[[0, 128, 255]]], np.uint8))[0, 0].tolist() == pytest.approx([0, 128 / 255, 1])


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_segments_do_not_depend_on_the_batch(spec, batch: int) -> None:
    rng = np.random.default_rng(3)
    frames = rng.integers(0, 256, (50, 16, 16, 3), dtype=np.uint8)
    masks = np.zeros((50, 16, 16), np.uint8)
    masks[:, 4:9, 6:12] = 255
    clip = p.sync_clip(frames, masks, spec=spec)
    pieces = list(p.segment_batches(clip, spec=spec, size=batch))
    joined = np.concatenate([piece.frames for piece in pieces])
    assert len(joined) == p.segment_count(50, spec=spec) == 5
    assert np.array_equal(joined[2], p.to_signed(frames[16:32]))
    detail = np.concatenate([piece.detail_mask for piece in pieces])
    assert detail.shape == (5, 16, 1, 16, 16)
    assert np.allclose(detail, 1.0)


@pytest.mark.parametrize(("frames", "segments"), [(16, 1), (23, 1), (24, 2), (124, 14), (125, 14), (200, 24)])
def test_segment_count(spec, frames: int, segments: int) -> None:
    assert p.segment_count(frames, spec=replace(spec, segment_step=8)) == segments


def test_frames_and_masks_of_a_window_are_read_side_by_side(toy, spec) -> None:
    footage = toy.ToyFootage()
    together = threading.Barrier(2, timeout=10)
    frames, masks = footage.frames, footage.masks
    footage.frames = lambda times, *, late=(): (together.wait(), frames(times, late=late))[1]
    footage.masks = lambda times: (together.wait(), masks(times))[1]
    asked = {"start": Fraction(0), "sync_frames": 25}
    pictures, clip = p.collect_window(footage, clip_slots=_slots(8), spec=spec, **asked)
    fresh = toy.ToyFootage()
    clips, syncs = p.collect_pictures(fresh, clip_slots=_slots(8), spec=spec, **asked)
    assert np.array_equal(pictures, clips)
    assert np.array_equal(clip.frames, syncs)
    assert np.array_equal(clip.masks, p.collect_masks(fresh, spec=spec, **asked))


@pytest.mark.parametrize(
    ("frames", "masks", "fault"), [(1, 0, MatteMismatch), (0, 1, UndecodableMedia), (0, 0, UndecodableMedia)]
)
def test_what_goes_wrong_with_either_is_raised(spec, frames: int, masks: int, fault: type) -> None:
    with pytest.raises(fault):
        p.collect_window(
            ShortFootage(frames=frames, masks=masks),
            start=Fraction(0),
            sync_frames=16,
            clip_slots=_slots(2),
            spec=spec,
        )
