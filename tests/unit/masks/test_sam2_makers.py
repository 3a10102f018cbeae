"""SAM 2.1's sessions, segmenter and tracker on the smallest network, run by torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from exporter.models.sam2 import Sam2
from exporter.sam2_filling import fill_sam2
from exporter.sam2_graphs import SAM2_SIZES
from models_onnx.mask_manifest import MaskBundle
from plugin.errors import BadPrompt, Cancelled, MatteMismatch
from plugin.masks.prompts import Box, Click, FramePrompts, Lasso, Stroke
from plugin.masks.sam2_model import FeatureCache, Sam2Model
from plugin.masks.sam2_pictures import soft_mask, squashed_mask
from plugin.masks.sam2_segmenter import Sam2Segmenter
from plugin.masks.sam2_session import Decoder, ObjectSession, Points
from plugin.masks.sam2_tracker import Sam2Tracker
from tests.parity.sam2_hosts import TorchGraphs, constants_of, manifest_of

GOLDEN = SAM2_SIZES["sam2-golden"]
HEIGHT, WIDTH = 54, 96


class Film:
    """Noise that moves to the right, three pixels per frame."""

    def __init__(self) -> None:
        self.ground = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        self.asked: list[int] = []

    def picture(self, frame: int) -> np.ndarray:
        self.asked.append(frame)
        return np.roll(self.ground, 3 * frame, 1)


@pytest.fixture(scope="module")
def model() -> Sam2Model:
    network = fill_sam2(Sam2(GOLDEN.dims))
    manifest = manifest_of(GOLDEN)
    decoder = Decoder(TorchGraphs(network, GOLDEN), constants_of(network), manifest)
    return Sam2Model(MaskBundle(Path(), manifest, "ab" * 32), decoder, words="SAM 2.1, torch")


@pytest.fixture
def film() -> Film:
    return Film()


def square(left: int = 30, *, top: int = 10) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[top : top + 20, left : left + 30] = 255
    return mask


EMPTY = np.zeros((HEIGHT, WIDTH), np.uint8)


def session(model: Sam2Model, film: Film, *, frames: int = 20, horizon: int | None = None) -> ObjectSession:
    return ObjectSession(
        model.decoder,
        model.bundle.manifest,
        lambda frame: model.features.of(film.picture(frame))[1],
        frames=frames,
        horizon=horizon,
    )


def one_point(x: float, y: float, label: int = 1) -> Points:
    return Points(np.array([[x, y]], np.float32), np.array([label]))


def two_points() -> Points:
    return Points(np.array([[20, 20], [50, 50]], np.float32), np.array([1, 0]))


# -- sessions -------------------------------------------------------------------------------------


def test_a_correction_of_a_tracked_frame_survives_the_next_tracking(model, film) -> None:
    made = session(model, film)
    made.click(1, one_point(20, 20))
    before = dict(made.track(range(1, 5), direction=1))
    corrected = made.click(4, two_points())
    after = dict(made.track(range(1, 5), direction=1))
    assert np.array_equal(after[4].chosen.logits, corrected.logits)
    assert not np.array_equal(before[4].chosen.logits, corrected.logits)
    assert not np.array_equal(before[3].chosen.logits, after[3].chosen.logits), "the correction is remembered"


def test_a_second_click_before_tracking_starts_from_the_first_ones_mask(model, film) -> None:
    alone, after_one = session(model, film), session(model, film)
    after_one.click(0, one_point(20, 20))
    assert not np.allclose(alone.click(0, two_points()).logits, after_one.click(0, two_points()).logits)


def test_a_correction_looks_into_the_memory(model, film) -> None:
    tracked, fresh = session(model, film), session(model, film)
    tracked.click(0, one_point(20, 20))
    list(tracked.track(range(3), direction=1))
    assert not np.allclose(tracked.click(2, two_points()).logits, fresh.click(2, two_points()).logits)


def test_a_given_mask_is_the_result_itself(model, film) -> None:
    made = session(model, film)
    mask = np.zeros((64, 64), bool)
    mask[16:32, 8:40] = True
    given = made.give(0, mask)
    assert given.confidence > 0.99
    assert np.array_equal(given.logits > 0, mask[::4, ::4])
    ((frame, result), *_) = made.track(range(2), direction=1)
    assert frame == 0
    assert result.chosen is given


def test_a_given_mask_of_nothing_means_that_the_object_is_not_there(model, film) -> None:
    given = session(model, film).give(0, np.zeros((64, 64), bool))
    assert not given.is_present
    assert np.array_equal(given.pointer, model.decoder.constants.no_obj_ptr)


def test_prompts_that_are_taken_back_leave_a_tracked_result(model, film) -> None:
    made = session(model, film)
    made.click(0, one_point(20, 20))
    made.click(3, one_point(40, 40))
    first = dict(made.track(range(4), direction=1))
    made.take_back(3)
    second = dict(made.track(range(4), direction=1))
    assert not np.array_equal(first[3].chosen.logits, second[3].chosen.logits)


def test_what_lies_beyond_the_horizon_is_not_read(model, film) -> None:
    whole, short = session(model, film), session(model, film, horizon=16)
    for made in (whole, short):
        made.click(0, one_point(20, 20))
    ends = [dict(made.track(range(19), direction=1))[18].chosen.logits for made in (whole, short)]
    assert np.array_equal(*ends)
    forgetful = session(model, film, horizon=2)
    forgetful.click(0, one_point(20, 20))
    assert not np.array_equal(ends[0], dict(forgetful.track(range(19), direction=1))[18].chosen.logits)


# -- features -------------------------------------------------------------------------------------


def test_a_picture_is_encoded_once_and_the_oldest_go_first(model, film) -> None:
    cache = FeatureCache(model.decoder, model.bundle, most_bytes=1)
    key, features = cache.of(film.picture(0))
    assert cache.of(film.picture(0).copy())[1] is features
    assert cache.encoded == 1
    assert cache.of(film.picture(1))[0] != key
    cache.of(film.picture(0))
    assert cache.encoded == 3
    roomy = FeatureCache(model.decoder, model.bundle)
    for frame in (0, 1, 0, 1):
        roomy.of(film.picture(frame))
    assert roomy.encoded == 2


# -- the segmenter --------------------------------------------------------------------------------


def ask(model, film, *gestures, before=None):
    return Sam2Segmenter(model).segment(film.picture(0), FramePrompts(0, gestures), before=before)


def test_one_click_has_three_readings_smallest_first(model, film) -> None:
    found = ask(model, film, Click((50, 20)))
    areas = [int((reading >= 128).sum()) for reading in found.candidates]
    assert len(areas) == 3
    assert areas == sorted(areas)
    assert any(np.array_equal(found.mask, reading) for reading in found.candidates)
    assert 0 < found.confidence < 1
    for size, reading in enumerate(found.candidates):
        assert np.array_equal(ask(model, film, Click((50, 20), size=size)).mask, reading)


def test_the_same_gestures_give_the_same_mask_whatever_was_asked_before(model, film) -> None:
    gestures = Click((50, 20)), Click((10, 10), inside=False), Click((70, 40))
    segmenter = Sam2Segmenter(model)
    for count in (1, 2, 3):
        grown = segmenter.segment(film.picture(0), FramePrompts(0, gestures[:count]))
    fresh = ask(model, film, *gestures)
    assert np.array_equal(grown.mask, fresh.mask)
    assert grown.confidence == fresh.confidence
    assert fresh.candidates == ()


def test_a_click_more_takes_one_more_run_of_the_heads(model, film) -> None:
    segmenter, runs = Sam2Segmenter(model), []
    decoder = model.decoder
    real = decoder.graphs.run
    decoder.graphs.run = lambda role, feeds: (runs.append(role), real(role, feeds))[1]
    try:
        for count in (1, 2, 3):
            clicks = tuple(Click((20 + 10 * n, 20)) for n in range(count))
            segmenter.segment(film.picture(0), FramePrompts(0, clicks))
    finally:
        del decoder.graphs.run
    assert runs.count("heads") == 3


def test_a_painted_mask_is_started_from(model, film) -> None:
    click = Click((50, 20))
    assert not np.array_equal(ask(model, film, click).mask, ask(model, film, click, before=square()).mask)
    negative = Click((50, 20), inside=False)
    assert (ask(model, film, negative, before=square()).mask >= 128).any()


def test_strokes_alone_paint_without_the_network(model, film) -> None:
    found = ask(model, film, Stroke(((20, 20), (60, 20)), 5.0))
    assert found.confidence == 1
    assert found.mask[20, 40] == 255
    erased = ask(model, film, Stroke(((45, 20),), 3.0, paints=False), before=square())
    assert erased.mask[20, 45] == 0
    assert erased.mask[12, 45] == 255


def test_absent_is_an_empty_mask(model, film) -> None:
    found = Sam2Segmenter(model).segment(film.picture(0), FramePrompts(0, absent=True))
    assert not found.mask.any()
    assert found.mask.shape == (HEIGHT, WIDTH)


@pytest.mark.parametrize(
    ("gestures", "words"),
    [
        ((Click((5, 5), inside=False),), "only what is not the object"),
        ((Lasso(((1, 1), (9, 1), (9, 9)), inside=False),), "says where the object is"),
        ((Stroke(((5, 5),), 2.0, paints=False),), "says where the object is"),
        ((Click((500, 5)),), "outside of frame 0"),
        ((Box(10, 10, 20, 20), Stroke(((0, 27), (96, 27)), 60.0, paints=False)), "No object was found"),
    ],
)
def test_gestures_that_mean_nothing_are_told(model, film, gestures, words) -> None:
    with pytest.raises(BadPrompt, match=words) as caught:
        ask(model, film, *gestures)
    assert caught.value.remedy.endswith(".")


# -- the tracker ----------------------------------------------------------------------------------


def track(model, film, keyframes, *, first=0, last=8, cancel=lambda: False):
    found = Sam2Tracker(model).track(film, keyframes, first=first, last=last, cancel=cancel)
    return {tracked.frame: tracked for tracked in found}


def test_every_frame_comes_once_outward_from_the_keyframe(model, film) -> None:
    found = list(Sam2Tracker(model).track(film, {4: square()}, first=2, last=7))
    assert [tracked.frame for tracked in found] == [3, 2, 4, 5, 6, 7]
    assert np.array_equal(found[2].mask, square())
    assert found[2].confidence == 1
    assert all(tracked.mask.shape == (HEIGHT, WIDTH) for tracked in found)
    assert all(0 <= tracked.confidence < 1 for tracked in found if tracked.frame != 4)


def test_tracking_is_the_sessions(model, film) -> None:
    made, mask = session(model, film, frames=4), square()
    made.give(4, squashed_mask(mask, 64))
    wanted = {frame: found.chosen for frame, found in made.track(range(4, 8), direction=1)}
    found = track(model, film, {4: mask}, first=4, last=7)
    for frame in (5, 6, 7):
        assert found[frame].confidence == wanted[frame].confidence


def test_between_two_keyframes_both_are_followed_to_the_middle(model, film) -> None:
    found = list(Sam2Tracker(model).track(film, {0: square(), 6: square(45)}, first=0, last=6))
    assert [tracked.frame for tracked in found] == [0, 1, 2, 3, 5, 4, 6]
    other = track(model, film, {0: square(), 6: square(20)}, last=6)
    assert not np.array_equal(found[1].mask, other[1].mask), "the far keyframe is remembered too"


def test_a_correction_changes_nothing_beyond_its_neighbours(model, film) -> None:
    before = track(model, film, {0: square(), 4: square(45)})
    after = track(model, film, {0: square(), 4: square(45), 6: square(50)})
    for frame in range(4):
        assert np.array_equal(before[frame].mask, after[frame].mask)
    assert not np.array_equal(before[5].mask, after[5].mask)


def test_part_of_a_range_gives_the_same_masks_as_the_whole(model, film) -> None:
    keys = {0: square(), 8: square(50)}
    whole, part = track(model, film, keys), track(model, film, keys, first=5, last=6)
    assert sorted(part) == [5, 6]
    for frame in part:
        assert np.array_equal(whole[frame].mask, part[frame].mask)


def test_an_object_that_is_absent_stays_so_until_the_next_keyframe(model, film) -> None:
    found = track(model, film, {0: square(), 3: EMPTY, 6: square(50)})
    assert not found[4].mask.any()
    assert not found[5].mask.any()
    assert found[5].confidence == 1
    assert found[7].confidence < 1
    assert found[1].confidence < 1


def test_before_a_first_keyframe_that_is_empty_nothing_is_known(model, film) -> None:
    found = track(model, film, {3: EMPTY}, last=5)
    assert not any(tracked.mask.any() for tracked in found.values())
    assert [found[frame].confidence for frame in (2, 3, 4)] == [0, 1, 1]
    assert film.asked == []


def test_a_range_of_one_frame(model, film) -> None:
    assert sorted(track(model, film, {3: square()}, first=3, last=3)) == [3]
    assert sorted(track(model, film, {3: square()}, first=5, last=5)) == [5]


def test_cancel_keeps_what_came(model, film) -> None:
    asked: list[str] = []
    tracking = Sam2Tracker(model).track(film, {0: square()}, first=0, last=8, cancel=lambda: bool(asked))
    assert [next(tracking).frame for _ in range(3)] == [0, 1, 2]
    asked.append("stop")
    with pytest.raises(Cancelled):
        next(tracking)
    assert max(film.asked) == 2, "nothing more was looked at"


def test_several_objects_are_independent(model, film) -> None:
    alone = track(model, film, {0: square()}, last=3)
    encoded = model.features.encoded
    track(model, film, {0: square(50, top=30)}, last=3)
    assert model.features.encoded == encoded, "the pictures' maps are shared"
    again = track(model, film, {0: square()}, last=3)
    assert all(np.array_equal(alone[frame].mask, again[frame].mask) for frame in alone)


def test_a_film_that_changes_its_size_is_told(model) -> None:
    class Wider(Film):
        def picture(self, frame: int) -> np.ndarray:
            return super().picture(frame)[:, : WIDTH - 2 * frame]

    with pytest.raises(MatteMismatch, match="Frame 1 has 94 x 54 pixels"):
        track(model, Wider(), {0: square()})


def test_no_keyframe_is_told(model, film) -> None:
    with pytest.raises(BadPrompt, match="no mask to track from"):
        track(model, film, {})


def test_an_object_that_fades_is_marked_lost(model, film, monkeypatch) -> None:
    monkeypatch.setattr("plugin.masks.sam2_tracker.LOST_BELOW", 1.1)
    found = track(model, film, {0: square()}, last=7)
    assert [found[frame].lost for frame in range(8)] == [False] * 5 + [True] * 3


def test_makers_say_who_they_are(model) -> None:
    for maker in (Sam2Segmenter(model), Sam2Tracker(model)):
        assert maker.name == "sam2-golden"
        assert maker.version == "1-abababababababab"
        assert maker.words == "SAM 2.1, torch"


# -- what the graphs are fed ----------------------------------------------------------------------


class Watched:
    """Graphs whose inputs are kept, by role."""

    def __init__(self, graphs) -> None:
        self._graphs = graphs
        self.fed: dict[str, list[dict[str, np.ndarray]]] = {}

    def run(self, role, feeds):
        self.fed.setdefault(role, []).append(dict(feeds))
        return self._graphs.run(role, feeds)


@pytest.fixture
def watched(model) -> Watched:
    return Watched(model.decoder.graphs)


def watched_session(model, film, watched) -> ObjectSession:
    manifest = model.bundle.manifest
    decoder = Decoder(watched, model.decoder.constants, manifest)
    return ObjectSession(
        decoder, manifest, lambda frame: model.features.of(film.picture(frame))[1], frames=20
    )


def test_a_prompted_frames_mask_is_remembered_cut_and_a_tracked_ones_soft(model, film, watched) -> None:
    made = watched_session(model, film, watched)
    made.click(0, one_point(20, 20))
    list(made.track(range(2), direction=1))
    prompted, tracked = (set(np.unique(feeds["mask"])) for feeds in watched.fed["memory_encoder"])
    assert prompted == {-10.0, 10.0}
    assert len(tracked) > 2
    assert min(tracked) >= -10
    assert max(tracked) <= 10


def test_a_corrected_frame_is_read_once_as_a_prompted_one(model, film, watched) -> None:
    made = watched_session(model, film, watched)
    made.click(0, one_point(20, 20))
    list(made.track(range(4), direction=1))
    made.click(2, two_points())
    list(made.track(range(4), direction=1))
    last = watched.fed["memory_attention"][-1]
    assert last["tidx"].tolist() == [6, 6, 1]
    assert len(last["mem"]) == 3


def test_the_first_frame_of_an_object_reads_no_memory(model, film, watched) -> None:
    made = watched_session(model, film, watched)
    made.click(0, one_point(20, 20))
    assert "memory_attention" not in watched.fed
    (fed,) = watched.fed["heads"]
    features = model.features.of(film.picture(0))[1]
    added = fed["f2"] - features.f2
    assert added[0, :, 0, 0] == pytest.approx(model.decoder.constants.no_mem_embed, abs=1e-5)


def test_without_points_one_that_is_none_is_given(model, film, watched) -> None:
    made = watched_session(model, film, watched)
    made.click(0, one_point(20, 20))
    list(made.track(range(2), direction=1))
    assert [fed["labels"].tolist() for fed in watched.fed["heads"]] == [[[1]], [[-1]]]
    assert [fed["has_mask"].tolist() for fed in watched.fed["heads"]] == [[0], [0]]


def test_clicks_one_after_the_other_are_the_sessions(model, film) -> None:
    made = session(model, film)
    first, second = one_point(32, 32), Points(np.array([[32, 32], [8, 8]], np.float32), np.array([1, 0]))
    made.click(0, first)
    wanted = made.click(0, second)
    scale = np.array([WIDTH, HEIGHT]) / 64
    clicks = tuple(
        Click((float(x), float(y)), inside=bool(label))
        for (x, y), label in zip(second.places * scale, second.labels, strict=True)
    )
    found = ask(model, film, *clicks)
    assert found.confidence == pytest.approx(wanted.confidence, rel=1e-5)
    assert np.array_equal(found.mask, soft_mask(wanted.logits, height=HEIGHT, width=WIDTH))
