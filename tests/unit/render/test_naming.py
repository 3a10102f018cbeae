"""Take names on every system's disk."""

import unicodedata
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.cues import Cue, CueSheet, Spot, SpotOrigin
from plugin.render.naming import (
    folded,
    next_number,
    safe_name,
    sheet_bases,
    take_base,
    take_name,
    take_number,
)
from plugin.timebase import TimeSpan

RESERVED = ["CON", "con", "PRN", "aux", "NUL", "COM1", "lpt9", "COM¹", "CON.tar", "nul.wav"]


def cue(cue_id: str, label: str) -> Cue:
    spot = Spot(
        cue_id, TimeSpan(Fraction(0), Fraction(1)), label, label, "", None, None, SpotOrigin.MARKER, "V1"
    )
    return Cue(spot, label, "", "standard", 25, 7.0, 1)


def sheet(*cues: Cue, name: str = "Film") -> CueSheet:
    return CueSheet(
        name, Fraction(24), drop_frame=False, record=TimeSpan(Fraction(0), Fraction(9)), cues=cues
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("violin", "violin"),
        ("glass  break", "glass-break"),
        ("../../etc/passwd", "etc-passwd"),
        ("C:\\Windows", "C-Windows"),
        ("what? <now> | *", "what-now"),
        ("trailing. . .", "trailing"),
        (".hidden", "hidden"),
        ("a\x00b\x1b\u202ec\u200b", "abc"),
        ("two\nlines", "two-lines"),
        ("Ku\u0308he", "K\u00fche"),
        ("ヴァイオリン", "ヴァイオリン"),
        ("\ud800", "x"),
        ("...", "x"),
        ("", "x"),
    ],
)
def test_parts(text: str, name: str) -> None:
    assert safe_name(text, limit=40, fallback="x") == name


@pytest.mark.parametrize("word", RESERVED)
def test_windows_devices_are_no_names(word: str) -> None:
    assert safe_name(word, limit=40, fallback="object") == f"object-{word}"
    assert safe_name("x" + word, limit=40, fallback="object") == "x" + word


def test_long_names_are_cut_between_letters() -> None:
    assert safe_name("ü" * 40, limit=15, fallback="x") == "ü" * 7
    accented = "x" * 8 + "e\u0323\u0301\u0302"  # does not compose into one character
    cut = safe_name(accented, limit=11, fallback="x")
    assert cut == "x" * 8


@given(st.text(max_size=300), st.integers(10, 80))
def test_any_text_gives_a_name_every_disk_takes(text: str, limit: int) -> None:
    name = safe_name(text, limit=limit, fallback="object")
    assert 1 <= len(name.encode("utf-8")) <= limit + len("object-")
    assert not set(name) & set('<>:"/\\|?* \n\t\x00')
    assert name[0] not in ".-_"
    assert name[-1] not in ".-_ "
    assert unicodedata.is_normalized("NFC", name)
    assert name.isprintable()
    assert name.split(".")[0].upper() not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT1"}
    assert safe_name(text, limit=limit, fallback="object") == name


def test_the_longest_take_fits_every_disk() -> None:
    base = take_base(timeline="é" * 300, cue_id="9" * 99, label="界" * 300)
    assert len(f"{take_name(base, 99)}.json.part".encode()) < 200


def test_the_pattern() -> None:
    base = take_base(timeline="My Film", cue_id="003", label="wine glass")
    assert take_name(base, 2) == "My-Film_003_wine-glass_t02"


def test_two_tracks_of_the_same_name_get_two_names() -> None:
    bases = sheet_bases(sheet(cue("001", "violin"), cue("002", "violin")))
    assert bases == {"001": "Film_001_violin", "002": "Film_002_violin"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (cue("a", "violin"), cue("A", "Violin")),
        (cue("1", "a_b"), cue("1_a", "b")),
        (cue("1", "a"), cue("1", "a/")),
        (cue("x/", "a"), cue("x:", "a")),
    ],
)
def test_names_that_would_meet_are_kept_apart(first: Cue, second: Cue) -> None:
    second = replace(
        second, spot=replace(second.spot, id=second.spot.id + ("" if second.id != first.id else "/"))
    )
    names = list(sheet_bases(sheet(first, second)).values())
    assert len({folded(name) for name in names}) == 2


def test_numbers_go_up_past_what_is_there() -> None:
    names = ["Film_001_a_t01", "film_001_A_t07", "Film_001_ab_t30", "Film_001_a_t2", "Film_001_a", "x_t99"]
    assert next_number("Film_001_a", names) == 8
    assert next_number("Other", names) == 1
    assert take_number("Film_001_a", "Film_001_a_t100") == 100
    assert next_number("Fil\u0308m", [unicodedata.normalize("NFD", "Fil\u0308m_t03")]) == 4
