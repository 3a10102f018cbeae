"""OWLv2's picture in, boxes and scores out: against the publisher's library, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from exporter.owlv2_graphs import CLIP_MEAN, CLIP_STD, GREY
from models_onnx.finder_manifest import FINDER_RESIZE, FinderPictureSpec
from plugin.masks.owlv2_pictures import MOST_CANDIDATES, candidates, network_picture, overlaps, sentence

SIZE = 48
SPEC = FinderPictureSpec(SIZE, 16, FINDER_RESIZE, GREY, CLIP_MEAN, CLIP_STD)
MEAN, STD = (np.array(values, np.float32)[:, None, None] for values in (CLIP_MEAN, CLIP_STD))


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3)).astype(np.uint8)


@pytest.mark.parametrize("shape", [(90, 150), (150, 90), (97, 97), (48, 30)])
def test_a_picture_is_padded_smoothed_and_shrunk_as_its_makers_do_it(shape: tuple[int, int]) -> None:
    picture, side = noise(*shape), max(shape)
    square = np.full((side, side, 3), GREY)
    square[: shape[0], : shape[1]] = picture / 255
    sigma = max(0, (side / SIZE - 1) / 2)
    smooth = ndimage.gaussian_filter(square, (sigma, sigma, 0), mode="mirror")
    wanted = ndimage.zoom(smooth, (SIZE / side, SIZE / side, 1), order=1, mode="mirror", grid_mode=True)
    found = network_picture(picture, SPEC)
    assert found.shape == (1, 3, SIZE, SIZE)
    assert np.abs(found[0] * STD + MEAN - wanted.transpose(2, 0, 1)).max() < 1e-5


def test_a_small_picture_is_enlarged() -> None:
    found = network_picture(np.full((10, 20, 3), 255, np.uint8), SPEC)[0] * STD + MEAN
    assert np.allclose(found[:, :22], 1, atol=1e-5)
    assert np.allclose(found[:, 27:], GREY, atol=1e-5)


def logit(score: float) -> float:
    return float(np.log(score / (1 - score)))


def found_of(rows: list[tuple[float, float, float, float, float]]) -> list[tuple[float, tuple[float, ...]]]:
    """Score and box from score, centre and size relative to the square of a picture of 200 x 100."""
    table = np.array(rows, np.float32)
    logits = np.array([logit(row[0]) for row in rows], np.float32)
    places = candidates(
        logits, table[:, 1:], height=100, width=200, words="drum", least_score=0.1, most_overlap=0.5
    )
    assert all(one.box.words == "drum" for one in places)
    return [(one.score, (one.box.left, one.box.top, one.box.right, one.box.bottom)) for one in places]


def test_boxes_are_relative_to_the_longer_side_and_end_at_the_picture() -> None:
    ((score, box),) = found_of([(0.6, 0.5, 0.4, 0.2, 0.4)])
    assert score == pytest.approx(0.6, abs=1e-6)
    assert box == (80, 40, 120, 100)


def test_the_best_comes_first_and_hides_what_overlaps_it_too_much() -> None:
    rows = [(0.3, 0.2, 0.2, 0.2, 0.2), (0.5, 0.21, 0.2, 0.2, 0.2), (0.4, 0.7, 0.2, 0.2, 0.2)]
    assert [round(score, 2) for score, _ in found_of(rows)] == [0.5, 0.4]


def test_weak_boxes_and_boxes_in_the_padding_do_not_count() -> None:
    assert found_of([(0.09, 0.2, 0.2, 0.2, 0.2), (0.9, 0.5, 0.8, 0.2, 0.2)]) == []


def test_there_are_never_more_than_digits() -> None:
    rows = [(0.5, 0.05 + 0.07 * column, 0.1, 0.04, 0.1) for column in range(12)]
    assert len(found_of(rows)) == MOST_CANDIDATES


def test_overlap_is_intersection_over_union() -> None:
    box = np.array([0.0, 0, 2, 2])
    others = np.array([[0.0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6], [4, 4, 4, 4]])
    assert np.allclose(overlaps(box, others), [1, 1 / 3, 0, 0])


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("red drum", "a photo of a red drum"),
        (" the  drum ", "a photo of a drum"),
        ("a photo of a drum", "a photo of a drum"),
        ("A", "a photo of a A"),
        ("the {} sign", "a photo of a {} sign"),
    ],
)
def test_words_stand_in_the_published_sentence(words: str, asked: str) -> None:
    assert sentence(words, "a photo of a {}") == asked
