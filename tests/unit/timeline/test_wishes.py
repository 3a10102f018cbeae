from __future__ import annotations

import opentimelineio as otio
import pytest

from plugin.cues import MatteChannel
from plugin.timeline.wishes import Wish, marker_wish, mask_wish, our_metadata, with_metadata


@pytest.mark.parametrize(
    ("name", "label", "negative"),
    [
        ("MASK violin", "violin", ""),
        ("mask violin", "violin", ""),
        ("Matte: violin | not trumpet", "violin", "trumpet"),
        ("MASK: violin |NOT trumpet, drums", "violin", "trumpet, drums"),
        ("MASK_violin", "violin", ""),
        ("MASK-small dog", "small dog", ""),
        ("  MASK   small\tdog  ", "small dog", ""),
        ("MASKS dogs", "dogs", ""),
        ("MASK 2: violin", "violin", ""),
        ("MASK 2", "", ""),
        ("MASK 3 dogs", "3 dogs", ""),
        ("MASK1 dog", "1 dog", ""),
        ("MASK", "", ""),
        ("MASK | not music", "", "music"),
        ("MASK violin | without: trumpet | not drums", "violin", "trumpet, drums"),
        ("MASK d\x00og\nbark", "d og bark", ""),
        ("MASK Geige Ä", "Geige Ä", ""),
        ("MASK ../../etc/x", "../../etc/x", ""),
        ("MASK: ./x | not y", "./x", "y"),
        ("MASK... x", "x", ""),
    ],
)
def test_names_of_mask_tracks(name: str, label: str, negative: str) -> None:
    wish = mask_wish(name)
    assert wish is not None
    assert (wish.label, wish.negative, wish.faults) == (label, negative, ())


@pytest.mark.parametrize(
    "name", ["", "V1", "MASKED raider", "Mattel toys", "unmask", "picture MASK", "MASKÄ"]
)
def test_names_of_other_tracks(name: str) -> None:
    assert mask_wish(name) is None


@pytest.mark.parametrize(
    ("option", "channel"), [("alpha", "alpha"), ("R", "r"), ("green", "g"), ("Blue", "b"), ("luma", "luma")]
)
def test_channels_in_names(option: str, channel: str) -> None:
    assert mask_wish(f"MASK dog | {option} | not cat") == Wish(
        label="dog", negative="cat", channel=MatteChannel(channel)
    )


def test_invert_and_nonsense_in_names() -> None:
    wish = mask_wish("MASK dog | inverted | loudly")
    assert wish is not None
    assert wish.invert
    assert wish.faults == ("has a part 'loudly' that means nothing here",)


@pytest.mark.parametrize(
    ("name", "label"), [("FOLEY door", "door"), ("foley: a door", "a door"), ("Foley", "")]
)
def test_names_of_markers(name: str, label: str) -> None:
    wish = marker_wish(name)
    assert wish is not None
    assert wish.label == label


@pytest.mark.parametrize("name", ["", "Foleyed", "a FOLEY", "FOLEYS"])
def test_names_of_other_markers(name: str) -> None:
    assert marker_wish(name) is None


def test_metadata_wins_over_the_name() -> None:
    ours = {"label": "cat", "prompt": "a cat\npurring", "negative": "", "channel": "R", "invert": False}
    assert with_metadata(Wish("dog", None, "music", MatteChannel.ALPHA, True), ours) == Wish(
        "cat", "a cat purring", "", MatteChannel.RED, False
    )


def test_words_fall_back_on_each_other() -> None:
    assert (Wish("dog").words, Wish("dog").stem_label) == ("dog", "dog")
    assert (Wish("dog", "").words, Wish("", "a dog").stem_label) == ("", "a dog")
    assert (Wish().words, Wish().stem_label) == ("", "object")


def test_our_metadata_of_another_shape_is_nothing() -> None:
    clip = otio.schema.Clip()
    assert our_metadata(clip) == {}
    clip.metadata["sagafoley"] = "text"
    assert our_metadata(clip) == {}
    clip.metadata["sagafoley"] = {"role": "mask", "deep": {"a": 1}}
    assert our_metadata(clip) == {"role": "mask", "deep": None}
