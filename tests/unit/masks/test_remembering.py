"""Answers that are remembered are those that would be computed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from plugin.masks.colour_cut import ColourCut
from plugin.masks.outlining import outline
from plugin.masks.prompts import Box, Click, FramePrompts, Gesture, Lasso, Stroke
from plugin.masks.remembering import ANSWERS, remembered
from plugin.masks.seeded_grabcut import _cuts, surrounded

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Doubled:
    numbers: Numbers


@pytest.fixture
def asked() -> list[Numbers]:
    return []


def test_the_same_question_is_answered_once(asked: list[Numbers]) -> None:
    @remembered
    def doubled(numbers: Numbers, *, by: float | None = None) -> Doubled:
        asked.append(numbers)
        return Doubled(numbers * (by or 2))

    first = doubled(np.arange(3.0))
    assert doubled(np.arange(3.0)) is first
    assert not first.numbers.flags.writeable, "nobody may spoil what is remembered"
    others = [
        doubled(np.arange(3.0).astype(np.float32)),
        doubled(np.arange(3.0)[:, None]),
        doubled(np.arange(3.0), by=3),
        doubled(np.arange(1.0, 4)),
        doubled(np.arange(6.0)[::2]),
    ]
    assert len(asked) == 1 + len(others)
    for number in range(ANSWERS):
        doubled(np.full(3, float(number)))
    doubled(np.arange(3.0))
    assert len(asked) == 2 + len(others) + ANSWERS, "the oldest is forgotten"


def test_neighbours_do_not_run_into_each_other(asked: list[Numbers]) -> None:
    @remembered
    def both(one: Numbers, other: Numbers) -> int:
        asked.append(one)
        return len(one)

    assert both(np.zeros(1), np.zeros(3)) == 1
    assert both(np.zeros(3), np.zeros(1)) == 3
    assert len(asked) == 2


def test_a_failure_is_not_remembered(asked: list[Numbers]) -> None:
    @remembered
    def fails(one: Numbers) -> int:
        asked.append(one)
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            fails(np.zeros(1))
    assert len(asked) == 2


def picture() -> npt.NDArray[np.uint8]:
    made = np.random.default_rng(2).integers(60, 90, (180, 240, 3)).astype(np.uint8)
    cv2.circle(made, (120, 90), 30, (200, 60, 40), cv2.FILLED)
    return cv2.GaussianBlur(made, (0, 0), 1.2)


SAID: dict[str, tuple[Gesture, ...]] = {
    "box": (Box(80, 50, 160, 130), Click((70, 40), inside=False), Stroke(((90, 90),), 6)),
    "lasso": (Lasso(((80, 50), (160, 50), (160, 130), (80, 130))), Stroke(((90, 90),), 6, paints=False)),
    "click": (Click((120, 90)), Click((125, 95), inside=False)),
}


@pytest.mark.parametrize("gestures", SAID.values(), ids=SAID)
def test_a_corrected_mask_does_not_depend_on_what_was_asked_before(
    gestures: tuple[Gesture, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgetful() -> None:
        monkeypatch.setattr("plugin.masks.colour_cut.surrounded", surrounded.__wrapped__)  # type: ignore[attr-defined]
        monkeypatch.setattr("plugin.masks.clicking.surrounded", surrounded.__wrapped__)  # type: ignore[attr-defined]
        monkeypatch.setattr("plugin.masks.colour_cut.outline", outline.__wrapped__)  # type: ignore[attr-defined]

    grown = [
        ColourCut().segment(picture(), FramePrompts(0, gestures[:count]))
        for count in range(1, len(gestures) + 1)
    ]
    forgetful()
    alone = [
        ColourCut().segment(picture(), FramePrompts(0, gestures[:count]))
        for count in range(1, len(gestures) + 1)
    ]
    for one, other in zip(grown, alone, strict=True):
        assert (one.mask == other.mask).all()
        assert one.confidence == other.confidence


def test_a_correction_does_not_cut_again_what_was_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    cut: list[object] = []

    def counted(*args: object) -> object:
        cut.append(args)
        return _cuts(*args)  # type: ignore[arg-type]

    monkeypatch.setattr("plugin.masks.seeded_grabcut._cuts", counted)
    ground = picture() // 2
    first = Click((118, 92))
    ColourCut().segment(ground, FramePrompts(0, (first,)))
    sizes = len(cut)
    assert sizes > 1
    ColourCut().segment(ground, FramePrompts(0, (first, Stroke(((90, 90),), 6))))
    ColourCut().segment(ground, FramePrompts(0, (first, Click((80, 60), inside=False))))
    ColourCut().segment(ground, FramePrompts(7, (Click((118, 92), size=0),)))
    assert len(cut) == sizes


@pytest.mark.parametrize("sure", [False, True])
def test_going_on_with_a_cut_is_cutting_longer(sure: bool) -> None:
    """What is looked at after one round and after four is what runs of their own would give."""
    labels = np.zeros((180, 240), np.uint8)
    labels[40:140, 70:170] = cv2.GC_PR_FGD
    if sure:
        labels[85:95, 115:125] = cv2.GC_FGD
    for found, rounds in zip(_cuts(picture(), labels), (1, 4), strict=True):
        own = labels.copy()
        cv2.setRNGSeed(1)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(picture(), own, None, *models, rounds, cv2.GC_INIT_WITH_MASK)
        assert (found == ((own == cv2.GC_FGD) | (own == cv2.GC_PR_FGD))).all()
        assert found.any()
