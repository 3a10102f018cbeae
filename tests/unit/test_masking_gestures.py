"""What gestures make of a document, and undo for each."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from plugin.controller.masking.marking import Marking, words_of
from plugin.cues import MediaFile
from plugin.errors import UsageError
from plugin.masks.documents import Film, MadeBy, PromptsDocument
from plugin.masks.prompts import Box, Click, FramePrompts, Lasso, Stroke
from plugin.masks.prompts_json import document_bytes, parse_document

FILM = Film(MediaFile(Path("/film/shot.mov")), "ab" * 32, Fraction(25), 50, 200, 100)


class Drawer:
    """A marking with a playhead; `bases` are the masks that frames show without being drawn."""

    def __init__(self) -> None:
        self.frame = 0
        self.bases: dict[tuple[int, int], str] = {}
        self.changes = 0
        document = PromptsDocument(FILM, 0, 49, MadeBy("s", "1"), MadeBy("t", "1"))
        self.marking = Marking(
            document,
            here=lambda: self.frame,
            go=self.go,
            changed=self.changed,
            tracked=lambda number, frame: self.bases.get((number, frame), ""),
        )

    def go(self, frame: int) -> None:
        self.frame = frame

    def changed(self, _document: PromptsDocument) -> None:
        self.changes += 1

    @property
    def here(self) -> FramePrompts | None:
        return self.marking.prompts()


@pytest.fixture
def drawer() -> Drawer:
    return Drawer()


def test_the_first_gesture_brings_its_object_and_is_one_edit(drawer: Drawer) -> None:
    drawer.marking.click((10, 20))
    assert [one.label for one in drawer.marking.document.objects] == ["object"]
    assert drawer.here == FramePrompts(0, (Click((10.0, 20.0)),))
    assert drawer.marking.undo_title == "Click: object"
    drawer.marking.undo()
    assert drawer.marking.document.objects == ()
    drawer.marking.redo()
    assert drawer.here is not None


def test_undo_goes_gesture_by_gesture_and_shows_where_each_was(drawer: Drawer) -> None:
    drawer.marking.box((30, 40), (10, 20))
    drawer.frame = 7
    drawer.marking.stroke([(5, 5), (6, 6), (6, 6)], radius=3)
    drawer.marking.click((1, 2), inside=False)
    drawer.frame = 20
    drawer.marking.undo()
    assert drawer.frame == 7
    assert drawer.here == FramePrompts(7, (Stroke(((5.0, 5.0), (6.0, 6.0)), 3.0),))
    drawer.marking.undo()
    assert drawer.here is None
    drawer.marking.undo()
    assert drawer.frame == 0
    for _ in range(3):
        drawer.marking.redo()
    assert (drawer.frame, drawer.marking.redo_title) == (7, "")
    assert drawer.here is not None
    assert len(drawer.here.gestures) == 2
    drawer.frame = 0
    assert drawer.here == FramePrompts(0, (Box(10.0, 20.0, 30.0, 40.0),))


def test_a_gesture_after_undo_makes_redo_impossible(drawer: Drawer) -> None:
    drawer.marking.click((1, 1))
    drawer.marking.undo()
    drawer.marking.click((2, 2))
    assert drawer.marking.redo_title == ""


def test_one_drag_is_one_edit(drawer: Drawer) -> None:
    drawer.marking.click((10, 10))
    for x in (11, 15, 30):
        drawer.marking.move_gesture(0, (x, 10), drag="drag 1")
    assert drawer.here == FramePrompts(0, (Click((30.0, 10.0)),))
    drawer.marking.undo()
    assert drawer.here == FramePrompts(0, (Click((10.0, 10.0)),))


def test_boxes_and_lines_move_as_a_whole(drawer: Drawer) -> None:
    drawer.marking.box((10, 10), (20, 30))
    drawer.marking.lasso([(0, 0), (10, 0), (10, 10)])
    drawer.marking.move_gesture(0, (25, 40))
    drawer.marking.move_gesture(1, (5, 5))
    assert drawer.here is not None
    assert drawer.here.gestures == (
        Box(20.0, 30.0, 30.0, 50.0),
        Lasso(((5.0, 5.0), (15.0, 5.0), (15.0, 15.0))),
    )


def test_slips_of_the_hand_are_nothing(drawer: Drawer) -> None:
    drawer.marking.box((10, 10), (10, 50))
    drawer.marking.lasso([(1, 1), (50, 1)])
    drawer.marking.lasso([(1, 1), (50, 1), (90, 1)])
    drawer.marking.stroke([], radius=4)
    drawer.marking.remove_gesture(0)
    drawer.marking.move_gesture(3, (1, 1))
    drawer.marking.delete_keyframe()
    drawer.marking.absent()
    drawer.marking.choose_size(1)
    assert drawer.marking.document.objects == ()
    assert drawer.changes == 0


def test_places_outside_come_to_the_edge(drawer: Drawer) -> None:
    drawer.marking.stroke([(-5, 400)], radius=3)
    assert drawer.here == FramePrompts(0, (Stroke(((0.0, 100.0),), 3.0),))


def test_whole_numbers_are_written_as_they_will_be_read(drawer: Drawer) -> None:
    drawer.marking.click((10, 20))
    drawer.marking.lasso([(0, 0), (200, 0), (200, 100)])
    drawer.marking.box((1, 1), (30, 30))
    drawer.marking.stroke([(4, 4), (300, 9)], radius=3)
    drawer.marking.move_gesture(0, (30, 40))
    assert drawer.here is not None
    written = document_bytes(drawer.marking.document)
    read = parse_document(written).objects[0].keyframes[0]
    assert repr(read.gestures) == repr(drawer.here.gestures), "masks are named after how numbers are written"


def test_removing_the_last_gesture_removes_the_keyframe(drawer: Drawer) -> None:
    drawer.marking.click((1, 1))
    drawer.marking.click((2, 2))
    drawer.marking.remove_gesture(0)
    assert drawer.here == FramePrompts(0, (Click((2.0, 2.0)),))
    drawer.marking.remove_gesture(0)
    assert drawer.here is None


def test_the_size_of_a_click_is_chosen_in_one_edit(drawer: Drawer) -> None:
    drawer.marking.click((1, 1))
    drawer.marking.click((2, 2), inside=False)
    drawer.marking.choose_size(0)
    drawer.marking.choose_size(2)
    assert drawer.here is not None
    assert drawer.here.gestures[0] == Click((1.0, 1.0), size=2)
    drawer.marking.undo()
    assert drawer.here.gestures[0] == Click((1.0, 1.0))


def test_a_correction_begins_with_the_mask_that_was_tracked(drawer: Drawer) -> None:
    drawer.marking.click((1, 1))
    drawer.frame, drawer.bases = 9, {(0, 9): "painted-1.png"}
    drawer.marking.stroke([(4, 4)], radius=2, paints=False)
    assert drawer.here == FramePrompts(
        9, (Stroke(((4.0, 4.0),), 2.0, paints=False),), painted="painted-1.png"
    )


def test_an_outline_drawn_anew_does_not(drawer: Drawer) -> None:
    drawer.marking.click((1, 1))
    drawer.frame, drawer.bases = 9, {(0, 9): "painted-1.png"}
    drawer.marking.lasso([(0, 0), (10, 0), (10, 10)])
    assert drawer.here is not None
    assert drawer.here.painted == ""
    drawer.marking.undo()
    drawer.marking.lasso([(0, 0), (10, 0), (10, 10)], inside=False)
    assert drawer.here is not None
    assert drawer.here.painted == "painted-1.png"


def test_absent_and_back(drawer: Drawer) -> None:
    drawer.marking.click((1, 1))
    drawer.frame = 10
    drawer.marking.absent()
    assert drawer.here == FramePrompts(10, absent=True)
    drawer.frame = 15
    assert not drawer.marking.back()  # a gesture must say where
    drawer.marking.box((1, 1), (9, 9))
    assert drawer.marking.object is not None
    assert not drawer.marking.object.is_absent(15)
    assert drawer.marking.object.is_absent(14)
    drawer.frame = 10
    assert drawer.marking.back()
    assert not drawer.marking.object.is_absent(14)


def test_objects_have_names_of_their_own(drawer: Drawer) -> None:
    drawer.marking.add_object(" violin  case ")
    drawer.marking.add_object("trumpet")
    assert drawer.marking.object is not None
    assert drawer.marking.object.label == "trumpet"
    for wrong in ("", "  ", "Violin case"):
        with pytest.raises(UsageError):
            drawer.marking.add_object(wrong)
    with pytest.raises(UsageError, match="violin case"):
        drawer.marking.rename_object("1", "violin case")
    drawer.marking.choose_object("0")
    drawer.marking.click((3, 3))
    assert [len(one.keyframes) for one in drawer.marking.document.objects] == [1, 0]
    drawer.marking.remove_object("0")
    assert [one.label for one in drawer.marking.document.objects] == ["trumpet"]
    drawer.marking.undo()
    assert drawer.marking.object.label == "violin case"
    with pytest.raises(UsageError):
        drawer.marking.choose_object("2")


@pytest.mark.parametrize(
    ("gesture", "words"),
    [
        (Click((1, 2)), "point on the object at 1, 2"),
        (Click((1, 2), inside=False), "point outside the object at 1, 2"),
        (Box(0, 0, 10, 20), "box around the object at 5, 10"),
        (Lasso(((3, 4), (5, 6), (7, 8)), inside=False), "lasso around what is taken away at 3, 4"),
        (Stroke(((3, 4),), 2, paints=False), "eraser stroke at 3, 4"),
    ],
)
def test_gestures_in_words(gesture: Click | Box | Lasso | Stroke, words: str) -> None:
    assert words_of(gesture) == words


def test_a_click_beside_the_picture_is_refused_and_one_at_its_edge_is_not(drawer: Drawer) -> None:
    for place in ((-20.0, 30.0), (209.0, 30.0), (30.0, -5.0), (30.0, 105.0)):
        with pytest.raises(UsageError, match="beside the picture") as raised:
            drawer.marking.click(place)
        assert raised.value.remedy == "Click on the picture itself."
    assert drawer.here is None
    drawer.marking.click((201.0, -1.0))
    assert drawer.here == FramePrompts(0, (Click((199.5, 0.0)),))
    drawer.marking.move_gesture(0, (250.0, 150.0))
    assert drawer.here == FramePrompts(0, (Click((199.5, 99.5)),)), "a point needs a pixel to lie on"
