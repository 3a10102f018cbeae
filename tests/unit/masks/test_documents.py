"""Prompts documents: edits that can be undone, the file, and everything that may be wrong with one."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.cues import ImageSequence, MediaFile
from plugin.errors import MediaMissing, UnreadablePrompts
from plugin.masks.document_files import (
    PaintedMasks,
    found_film,
    painted_names,
    read_document,
    write_document,
)
from plugin.masks.documents import Film, MadeBy, ObjectPrompts, PromptsDocument
from plugin.masks.made import MadeMasks
from plugin.masks.prompts import Box, Click, FramePrompts, Gesture, Lasso, Stroke
from plugin.masks.prompts_json import document_bytes, parse_document
from plugin.masks.results import MaskStore
from plugin.masks.strict_json import NotAsked
from plugin.media.fingerprint import fingerprint
from tests.unit.masks.made_makers import FILM, HEIGHT, WIDTH, document

SAID = ObjectPrompts(
    "violin | not trumpet",
    (
        FramePrompts(0, (Click((10.5, 3.25)), Click((20, 4), inside=False, size=2), Box(1, 2, 30.5, 31))),
        FramePrompts(7, (Lasso(((1, 1), (20, 2), (9, 30))), Stroke(((3, 3), (8, 9)), 2.5, paints=False))),
        FramePrompts(30, absent=True),
        FramePrompts(41, painted="painted-0123456789abcdef.png"),
    ),
)
OTHER = ObjectPrompts("Trompete ü", (FramePrompts(3, (Lasso(((1, 1), (20, 2), (9, 30)), inside=False),)),))
DOCUMENT = replace(document(SAID, OTHER, last=59), may_overlap=False)


def test_it_reads_back_as_it_was_in_the_same_bytes() -> None:
    data = document_bytes(DOCUMENT)
    assert parse_document(data) == DOCUMENT
    assert document_bytes(parse_document(data)) == data


def test_whole_numbers_are_the_same_place_as_others() -> None:
    whole, other = (
        document(ObjectPrompts("a", (FramePrompts(0, (Click(at),)),))) for at in ((3, 4), (3.0, 4.0))
    )
    assert document_bytes(whole) == document_bytes(other)
    keys = {MadeMasks(said, MaskStore(Path("nowhere"))).keys() for said in (whole, other)}
    assert len(keys) == 1


def test_a_drawn_box_is_written_as_before_there_were_words() -> None:
    drawn, found = (
        json.loads(document_bytes(document(ObjectPrompts("a", (FramePrompts(0, (box,)),)))))
        for box in (Box(1, 2, 3, 4), Box(1, 2, 3, 4, "drum"))
    )
    gesture = {"box": [1.0, 2.0, 3.0, 4.0]}
    assert drawn["objects"][0]["keyframes"][0]["gestures"] == [gesture]
    assert found["objects"][0]["keyframes"][0]["gestures"] == [{**gesture, "words": "drum"}]


def test_an_image_sequence_reads_back() -> None:
    media = ImageSequence(Path("/film/é"), "shot.", ".exr", 4, 1001, 1060, 1, Fraction(24000, 1001), "hold")
    said = replace(DOCUMENT, film=replace(FILM, media=media, rate=Fraction(24000, 1001)))
    assert parse_document(document_bytes(said)) == said


def test_a_path_that_is_no_text_survives() -> None:
    said = replace(DOCUMENT, film=replace(FILM, media=MediaFile(Path("/film/\udcff.mov"))))
    assert parse_document(document_bytes(said)) == said


numbers = st.floats(-WIDTH / 2, WIDTH / 2, width=32)
places = st.tuples(st.floats(0, WIDTH, width=32), st.floats(0, HEIGHT, width=32))
words = st.sampled_from(["", "red drum", "tambour é"])
gestures: st.SearchStrategy[Gesture] = st.one_of(
    st.builds(Click, places, st.booleans(), st.none() | st.integers(0, 9)),
    st.builds(Lasso, st.lists(places, min_size=3, max_size=6).map(tuple), st.booleans()),
    st.builds(Stroke, st.lists(places, min_size=1, max_size=6).map(tuple), st.floats(0.5, 99), st.booleans()),
    st.builds(Box, st.floats(0, 9), st.floats(0, 9), st.floats(10, 99), st.floats(10, 35), words),
)
said_frames = st.dictionaries(
    st.integers(0, FILM.frames - 1), st.lists(gestures, min_size=1, max_size=3).map(tuple), max_size=4
)


@settings(max_examples=40, deadline=None)
@given(said_frames, st.text(max_size=20).filter(lambda text: text.isprintable()))
def test_whatever_was_drawn_reads_back(frames: dict[int, tuple[Gesture, ...]], label: str) -> None:
    keyframes = tuple(FramePrompts(frame, frames[frame]) for frame in sorted(frames))
    said = document(ObjectPrompts(label, keyframes))
    assert parse_document(document_bytes(said)) == said


def changed(*path: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        node: Any = data
        for step in path[:-1]:
            node = node[step]
        if to is KeyError:
            del node[path[-1]]
        else:
            node[path[-1]] = to

    return change


FIRST = ("objects", 0, "keyframes", 0)
CLICK = (*FIRST, "gestures", 0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (changed("surprise", to=1), "has 'surprise', which means nothing here"),
        (changed("film", "surprise", to=1), "film has 'surprise'"),
        (changed(*CLICK, "surprise", to=1), r"gestures\[0\] has 'surprise'"),
        (changed("range", to=KeyError), "lacks 'range'"),
        (changed("version", to="1"), "version is not a whole number"),
        (changed("version", to=True), "version is not a whole number"),
        (changed("may_overlap", to=1), "may_overlap is not true or false"),
        (changed("film", "rate", to="24/0"), "film.rate is not a rate"),
        (changed("film", "rate", to="-24"), "film.rate is not a rate"),
        (changed("film", "rate", to="nan"), "film.rate is not a rate"),
        (changed("film", "rate", to="9" * 30), "film.rate is not a rate"),
        (changed("film", "width", to=10**6), "film.width is not from 1 to 65536"),
        (changed("film", "frames", to=0), "film.frames is not from 1"),
        (changed("film", "fingerprint", to="xy"), "fingerprint is not 64"),
        (changed("film", "media", to={"file": ""}), "film.media.file is not a path"),
        (changed("film", "media", to={"file": "a\0b"}), "film.media.file is not a path"),
        (changed("range", to=[0, 60]), r"range\[1\] is not from 0 to 59"),
        (changed("range", to=[5, 4]), "range is not a first and a last frame"),
        (changed("range", to=[5]), "range is not a first and a last frame"),
        (changed("objects", to={}), "objects is not a list"),
        (changed("objects", 0, "label", to="x" * 300), "label has 300 characters"),
        (changed("objects", 1, "label", to="violin | not trumpet"), "two objects of one label"),
        (changed(*FIRST, "frame", to=60), "frame is not from 0 to 59"),
        (changed(*FIRST, "frame", to=1.0), "frame is not a whole number"),
        (changed(*FIRST, "frame", to=7), "not in the order of its frames"),
        (changed(*FIRST, "absent", to=True), "absent and shows it as well"),
        (changed(*FIRST, "gestures", to=[]), "says nothing"),
        (changed(*FIRST, "painted", to="../../secret.png"), "not the name of a PNG beside"),
        (changed(*FIRST, "painted", to="/etc/x.png"), "not the name of a PNG beside"),
        (changed(*FIRST, "painted", to="..png"), "not the name of a PNG beside"),
        (changed(*CLICK, "click", to=[1]), r"click is not x and y"),
        (changed(*CLICK, "click", to=[1, 2, 3]), r"click has 3 entries"),
        (changed(*CLICK, "click", to=[1e9, 1]), r"click\[0\] is not from -120 to 240"),
        (changed(*CLICK, "click", to=[10**400, 1]), r"click\[0\] is not from -120 to 240"),
        (changed(*CLICK, "click", to=["1", 1]), r"click\[0\] is not a number"),
        (changed(*CLICK, "click", to=[True, 1]), r"click\[0\] is not a number"),
        (changed(*CLICK, "size", to=-1), "size is not from 0"),
        (changed(*CLICK, to={"circle": [1, 1]}), "is none of click, box, lasso, stroke"),
        (changed(*FIRST, "gestures", 2, "box", to=[30, 2, 1, 31]), "box has no size"),
        (changed("objects", 0, "keyframes", 1, "gestures", 0, "lasso", to=[[1, 1]]), "needs 3"),
        (changed("objects", 0, "keyframes", 1, "gestures", 1, "radius", to=0), "radius is not from"),
        (changed("tracker", "name", to=None), "tracker.name is not a text"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: Callable[[dict[str, Any]], None], words: str) -> None:
    data = json.loads(document_bytes(DOCUMENT))
    change(data)
    path = tmp_path / "shot.prompts.json"
    path.write_text(json.dumps(data))
    with pytest.raises(UnreadablePrompts, match=words) as caught:
        read_document(path)
    assert "shot.prompts.json is damaged" in caught.value.message
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ('{"kind": NaN}', "NaN, which is no number"),
        ('{"kind": -Infinity}', "Infinity, which is no number"),
        ('{"kind": "a", "kind": "b"}', "'kind' twice"),
        ("[" * 100 + "]" * 100, "nested too deeply"),
        ("[" * 100_000, "not JSON"),
        ("7", "holds no prompts"),
        ('{"kind": "sagafoley take"}', "holds no prompts"),
        ('{"OTIO_SCHEMA": "Timeline.1"}', "holds no prompts"),
        ('{"kind": "sagafoley prompts"}', "lacks 'version'"),
        ('{"kind": ' + "9" * 5000 + "}", "not JSON"),
        ('{"kind": "sagafoley prompts", "version": 1e999}', "version is not a whole number"),
    ],
)
def test_what_is_no_document_at_all(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "shot.prompts.json"
    path.write_text(text)
    with pytest.raises(UnreadablePrompts, match=words):
        read_document(path)


def test_a_later_version_asks_for_an_update(tmp_path: Path) -> None:
    data = json.loads(document_bytes(DOCUMENT)) | {"version": 2, "something": "new"}
    path = tmp_path / "shot.prompts.json"
    path.write_text(json.dumps(data))
    with pytest.raises(UnreadablePrompts, match="newer Sagafoley") as caught:
        read_document(path)
    assert "up to date" in caught.value.remedy


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.prompts.json", tmp_path):
        with pytest.raises(UnreadablePrompts, match="cannot be read"):
            read_document(path)
    binary = tmp_path / "x.prompts.json"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UnreadablePrompts, match="UTF-8"):
        read_document(binary)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_change_of_a_value_gets_through_unseen_or_raises_something_else(data: st.DataObject) -> None:
    tree = json.loads(document_bytes(DOCUMENT))
    nodes = list(every_place(tree))
    path = data.draw(st.sampled_from(nodes))
    value = data.draw(st.sampled_from([None, -1, 1e300, "x", [], {}, True, 2**70, [[]]]))
    changed(*path, to=value)(tree)
    with suppress(NotAsked):
        read = parse_document(json.dumps(tree).encode())
        assert parse_document(document_bytes(read)) == read


def every_place(node: Any, path: tuple[Any, ...] = ()) -> Any:
    parts = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, part in parts:
        yield (*path, key)
        yield from every_place(part, (*path, key))


def test_gestures_are_added_changed_moved_and_taken_away() -> None:
    said = ObjectPrompts("violin")
    said = said.with_gesture(5, Click((1, 1))).with_gesture(2, Box(0, 0, 4, 4)).with_gesture(5, Click((2, 2)))
    assert [one.frame for one in said.keyframes] == [2, 5]
    moved = said.with_gesture_moved(5, 1, by=(10, -1)).with_gesture_moved(2, 0, by=(1, 2))
    assert moved.keyframes[1].gestures == (Click((1, 1)), Click((12, 1)))
    assert moved.keyframes[0].gestures == (Box(1, 2, 5, 6),)
    found = ObjectPrompts("a").with_gesture(2, Box(0, 0, 4, 4, "drum")).with_gesture_moved(2, 0, by=(1, 2))
    assert found.keyframes[0].gestures == (Box(1, 2, 5, 6, "drum"),)
    fewer = moved.without_gesture(5, 0)
    assert fewer.keyframes[1].gestures == (Click((12, 1)),)
    assert [one.frame for one in fewer.without_gesture(5, 0).keyframes] == [2]
    assert [len(one.gestures) for one in said.keyframes] == [1, 2]  # the values before are as they were
    with pytest.raises(IndexError):
        said.without_gesture(5, 2)
    with pytest.raises(IndexError):
        said.with_gesture_moved(9, 0, by=(1, 1))


def test_absent_and_back() -> None:
    said = ObjectPrompts("violin").with_gesture(0, Click((1, 1))).absent_from(10)
    assert [said.is_absent(frame) for frame in (0, 9, 10, 50)] == [False, False, True, True]
    assert not said.back_at(30).is_absent(30)
    assert said.back_at(5) == said
    shown = said.with_gesture(20, Click((3, 3)))
    assert [shown.is_absent(frame) for frame in (19, 20, 40)] == [True, False, False]
    assert said.with_gesture(10, Click((3, 3))).at(10) == FramePrompts(10, (Click((3, 3)),))
    before, after = shown.before(20), shown.after(10)
    assert before is not None and before.frame == 10  # noqa: PT018
    assert after is not None and after.frame == 20  # noqa: PT018
    assert shown.before(0) is None


def test_a_painted_mask_takes_the_place_of_gestures_and_gestures_go_on_from_it() -> None:
    said = ObjectPrompts("violin").with_gesture(3, Click((1, 1))).with_painted(3, "painted-1.png")
    assert said.at(3) == FramePrompts(3, painted="painted-1.png")
    more = said.with_gesture(3, Stroke(((1, 1),), 4))
    assert more.at(3) == FramePrompts(3, (Stroke(((1, 1),), 4),), painted="painted-1.png")
    assert more.without_gesture(3, 0).at(3) == FramePrompts(3, painted="painted-1.png")


def test_ranges_and_objects_of_a_document() -> None:
    assert (document().with_range(50, 4).first, document().with_range(-5, 999).last) == (4, 59)
    two = document().with_object(1, OTHER)
    assert [one.label for one in two.objects] == ["square", "Trompete ü"]
    assert two.without_object(0).object("Trompete ü") == OTHER
    assert two.object("nobody") is None
    with pytest.raises(IndexError):
        two.with_object(3, OTHER)
    assert replace(two, segmenter=MadeBy("a", "1")) != two


def film_on_disk(folder: Path) -> Film:
    path = folder / "shot.mov"
    path.write_bytes(b"picture")
    media = MediaFile(path)
    return replace(FILM, media=media, fingerprint=fingerprint(media))


def with_film(film: Film) -> PromptsDocument:
    said = SAID.without_keyframe(41)
    return replace(DOCUMENT, film=film, objects=(said,))


def test_painted_masks_travel_with_the_document(tmp_path: Path) -> None:
    film = film_on_disk(tmp_path)
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[5:9, 5:9] = 77
    own = PaintedMasks(tmp_path / "work", film)
    name = own.add(mask)
    assert own.add(mask) == name
    said = replace(with_film(film), objects=(SAID.with_painted(41, name),))
    path = tmp_path / "mattes" / "shot_violin_matte_v01.prompts.json"
    write_document(path, said, painted=own)
    assert read_document(path) == said
    assert painted_names(said) == {name}
    beside = PaintedMasks(path.parent, film)
    assert np.array_equal(beside(name), mask)
    (path.parent / name).unlink()
    with pytest.raises(UnreadablePrompts, match="not there or damaged"):
        beside(name)


def test_a_picture_made_elsewhere_becomes_a_painted_mask(tmp_path: Path) -> None:
    painted = PaintedMasks(tmp_path / "work", film_on_disk(tmp_path))
    grey = np.zeros((HEIGHT, WIDTH), np.uint8)
    grey[:, 60:] = 255
    cv2.imwrite(str(tmp_path / "colour.png"), cv2.merge([grey] * 3))
    assert np.array_equal(painted(painted.add_file(tmp_path / "colour.png")), grey)
    cv2.imwrite(str(tmp_path / "small.png"), grey[::2, ::2])
    with pytest.raises(UnreadablePrompts, match=r"small\.png has 60 x 20 pixels and the film 120 x 40"):
        painted.add_file(tmp_path / "small.png")
    with pytest.raises(MediaMissing):
        painted.add_file(tmp_path / "nowhere.png")


def test_a_film_is_found_beside_its_prompts(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    said = with_film(film_on_disk(tmp_path / "old"))
    assert found_film(said, folder=tmp_path) == said
    (tmp_path / "old" / "shot.mov").rename(tmp_path / "shot.mov")
    assert found_film(said, folder=tmp_path).film.media == MediaFile(tmp_path / "shot.mov")
    (tmp_path / "shot.mov").write_bytes(b"another")
    with pytest.raises(UnreadablePrompts, match=r"made for another shot\.mov"):
        found_film(said, folder=tmp_path)
    (tmp_path / "shot.mov").unlink()
    with pytest.raises(MediaMissing, match=r"shot\.mov, which the prompts were made for, is not there"):
        found_film(said, folder=tmp_path)
