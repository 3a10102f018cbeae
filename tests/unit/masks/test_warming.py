"""A segmenter is used once before an editor draws; one with a network is left alone."""

from __future__ import annotations

from plugin.masks.colour_cut import ColourCut
from plugin.masks.makers import Picture
from plugin.masks.prompts import Box, FramePrompts, Lasso
from plugin.masks.warming import warm_up
from tests.unit.masking_fakes import FakeSegmenter


class Noted:
    """A colour cut that tells what it was asked."""

    name, version = "noted", "1"

    def __init__(self) -> None:
        self.asked: list[FramePrompts] = []
        self.found: list[int] = []

    def segment(self, picture: Picture, prompts: FramePrompts, *, before: object = None) -> object:
        self.asked.append(prompts)
        made = ColourCut().segment(picture, prompts)
        self.found.append(int((made.mask >= 128).sum()))
        return made


def test_every_way_of_cutting_runs_to_its_end() -> None:
    noted = Noted()
    warm_up(noted)  # type: ignore[arg-type]
    kinds = {type(gesture) for prompts in noted.asked for gesture in prompts.gestures}
    assert {Lasso, Box} < kinds
    assert len(noted.found) == len(noted.asked), "none ended before its cut"
    assert all(150 < found < 500 for found in noted.found), "the square of 16 by 16"


def test_a_network_is_not_asked() -> None:
    segmenter = FakeSegmenter()
    warm_up(segmenter)
    assert segmenter.asked == []
