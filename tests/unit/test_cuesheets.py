"""Cue files: written, edited, read; what wins; what is said about mistakes."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from plugin.cueing import CueChoices, build_sheet
from plugin.cues import ClipSource, CueSheet, Matte, MatteChannel, MediaFile, Resize, Spot, SpotOrigin
from plugin.cuesheets.reading import read_cue_file
from plugin.cuesheets.writing import format_cue_file, write_cue_file
from plugin.errors import UsageError
from plugin.presets import Presets
from plugin.timebase import TimeSpan

RATE = Fraction(24000, 1001)
HOUR = Fraction(86_400) / RATE
PRESETS = Presets.load()


def clip(name: str, start: Fraction, end: Fraction) -> ClipSource:
    return ClipSource(
        media=MediaFile(Path(f"/media/{name}.mov")),
        record=TimeSpan(start, end),
        source_start=Fraction(0),
        speed=Fraction(1),
        available=None,
        clip_name=name,
        track_name="V1",
    )


def spot(number: int, label: str, first: int, last: int, *, matte: bool = True) -> Spot:
    start, end = HOUR + first / RATE, HOUR + last / RATE
    return Spot(
        id=f"{number:03}",
        record=TimeSpan(start, end),
        label=label,
        prompt=label,
        negative_prompt="",
        picture=clip("shot", start, end),
        matte=Matte(clip("matte", start, end)) if matte else None,
        origin=SpotOrigin.MASK_TRACK,
        source_name=f"MASK {label}",
    )


SPOTS = (spot(1, "violin", 0, 48), spot(2, "trumpet", 24, 72), spot(3, "violin", 100, 148))


def sheet_of(spots: tuple[Spot, ...] = SPOTS, **changes: object) -> CueSheet:
    arguments: dict[str, object] = {
        "timeline_name": "My film",
        "rate": RATE,
        "drop_frame": False,
        "record": TimeSpan(HOUR, HOUR + 240 / RATE),
        "presets": PRESETS,
    }
    return build_sheet(spots, **(arguments | changes))  # type: ignore[arg-type]


def from_text(tmp_path: Path, text: str, **changes: object) -> CueSheet:
    path = tmp_path / "cues.toml"
    path.write_text(text, "utf-8")
    return sheet_of(cue_file=read_cue_file(path), **changes)


def test_spots_alone_take_the_run_choices() -> None:
    sheet = sheet_of(choices=CueChoices(preset="draft", guidance=3.0, seed=9, takes=2))
    assert [cue.id for cue in sheet.cues] == ["001", "002", "003"]
    cue = sheet.cues[0]
    assert (cue.prompt, cue.preset, cue.steps, cue.guidance) == ("violin", "draft", 8, 3.0)
    assert (cue.seed, cue.takes) == (9, 2)


def test_default_seed_is_the_same_everywhere() -> None:
    assert {cue.seed for cue in sheet_of().cues} == {1}


def test_written_and_read_back_is_the_same_sheet(tmp_path: Path) -> None:
    odd = replace(
        spot(4, 'Geige "λ"\\\n', 150, 160),
        matte=Matte(clip("m", HOUR, HOUR + 1), MatteChannel.RED, invert=True),
        negative_prompt="nicht 喇叭",
    )
    half = replace(spot(5, "bell", 170, 180, matte=False), record=TimeSpan(HOUR + Fraction(15, 2), HOUR + 8))
    spots = (*SPOTS, odd, half)
    written = sheet_of(
        spots, choices=CueChoices("fine", seed=7, takes=3, steps=31, resize=Resize.CENTER_CROP)
    )
    path = tmp_path / "new" / "cues.toml"
    write_cue_file(written, path, presets=PRESETS)
    assert sheet_of(spots, cue_file=read_cue_file(path)) == written


def test_drop_frame_times_come_back() -> None:
    rate = Fraction(30000, 1001)
    start = Fraction(107_892) / rate  # 01:00:00;00
    sounding = replace(spot(1, "bell", 0, 48), record=TimeSpan(start, start + 1799 / rate))
    text = format_cue_file(
        sheet_of((sounding,), rate=rate, drop_frame=True, record=sounding.record), presets=PRESETS
    )
    assert 'start = "01:00:00;00"' in text
    assert 'end = "01:00:59;29"' in text


def test_options_count_where_the_file_is_silent_and_only_there(tmp_path: Path) -> None:
    text = format_cue_file(sheet_of(), presets=PRESETS).replace(
        'id = "002"', 'id = "002"\npreset = "fine"\nseed = 4'
    )
    sheet = from_text(tmp_path, text, choices=CueChoices(preset="draft", steps=5, seed=2))
    assert [(cue.preset, cue.steps, cue.seed) for cue in sheet.cues] == [
        ("draft", 5, 2),
        ("fine", 50, 4),
        ("draft", 5, 2),
    ]


def test_the_file_wins_over_the_timeline(tmp_path: Path) -> None:
    sheet = from_text(
        tmp_path,
        'timeline = "Reel 1"\nrate = "24000/1001"\n'
        '[[cue]]\nid = "003"\nstart = "01:00:04:10"\nlabel = "cello"\nprompt = "low cello"\nmatte = "none"\n'
        '[[cue]]\nid = "001"\nend = "01:00:01:00"\ninvert = true\nresize = "squash"\n'
        '[[cue]]\nid = "002"\nenabled = false\n',
    )
    assert sheet.timeline_name == "Reel 1"
    first, third = sheet.cues
    assert first.spot.record == TimeSpan(HOUR, HOUR + 24 / RATE)
    assert first.spot.matte is not None
    assert first.spot.matte.invert
    assert (first.resize, third.resize) == (Resize.SQUASH, None)
    assert (third.id, third.spot.label, third.prompt) == ("003", "cello", "low cello")
    assert third.spot.record.start == HOUR + 106 / RATE
    assert third.spot.matte is None


def test_entries_find_their_spot_after_the_timeline_was_renumbered(tmp_path: Path) -> None:
    text = format_cue_file(sheet_of(), presets=PRESETS)
    moved = (spot(1, "drum", 0, 10), *(replace(s, id=f"{int(s.id) + 1:03}") for s in SPOTS))
    path = tmp_path / "cues.toml"
    path.write_text(text, "utf-8")
    sheet = sheet_of(moved, cue_file=read_cue_file(path))
    assert [(cue.id, cue.spot.source_name) for cue in sheet.cues] == [
        ("001", "MASK violin"),
        ("002", "MASK trumpet"),
        ("003", "MASK violin"),
    ]
    assert sheet.cues[2].spot.record == SPOTS[2].record


def test_a_second_cue_on_one_spot(tmp_path: Path) -> None:
    text = format_cue_file(sheet_of(SPOTS[:1]), presets=PRESETS)
    block = text[text.rindex("[[cue]]") :].replace('"001"', '"001-bow"')
    sheet = from_text(tmp_path, text + block)
    assert [cue.id for cue in sheet.cues] == ["001", "001-bow"]


def test_alpha_of_the_picture_when_the_file_asks(tmp_path: Path) -> None:
    bare = spot(1, "bell", 0, 24, matte=False)
    path = tmp_path / "cues.toml"
    path.write_text('[[cue]]\nid = "001"\nmatte = "alpha"\n', "utf-8")
    matte = sheet_of((bare,), cue_file=read_cue_file(path)).cues[0].spot.matte
    assert matte == Matte(bare.picture, MatteChannel.ALPHA)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[cue]]\nid = "009"\n', r"cue '009' \(line 1\): the timeline has no spot"),
        (
            '[[cue]]\nid = "001"\nsource = "MASK drum"\n',
            r"cue '001' \(line 1\): 'MASK drum' has no spot there",
        ),
        ('[[cue]]\nid = "001"\nstart = 9999\n', "cue '001'.*no spot there"),
        ('[[cue]]\nid = "001"\npreset = "fin"\n', r"no preset 'fin'\. Did you mean 'fine'"),
        ('rate = "25"\n', r"counts 25\.000 frames a second, but the timeline has 23\.976"),
    ],
)
def test_what_does_not_fit_the_timeline(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        from_text(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "# x\n[[cue]]\nid = '1'\npromt = 'a'\n",
            r"line 4, cue '1': unknown key 'promt' \(did you mean 'prompt'",
        ),
        ("[[cue]]\nid = '1'\nseed = -1\n", "line 3, cue '1': seed is -1"),
        ("[[cue]]\nid = '1'\nsteps = 0\n", "steps is 0; it must be a whole number from 1 to 1000"),
        ("[[cue]]\nid = '1'\nguidance = nan\n", "guidance is nan"),
        ("[[cue]]\nid = '1'\ntakes = 100\n", "takes is 100"),
        ("[[cue]]\nid = '1'\nprompt = 3\n", "prompt must be text in quotes"),
        ("[[cue]]\nid = '1'\nlabel = ' '\n", "label must not be empty"),
        ("[[cue]]\nid = '../x'\n", r"id is '\.\./x'"),
        ("[[cue]]\nid = 1\n", "id is 1"),
        ("[[cue]]\nprompt = 'a'\n", "line 1, cue number 1: id is missing"),
        ("[[cue]]\nid = 'a'\n[[cue]]\nid = 'A'\n", "line 3, cue 'A': a cue of this id is there already"),
        ("[[cue]]\nid = '1'\nresize = 'crop'\n", "resize is 'crop'; it must be one of squash, center_crop"),
        ("[[cue]]\nid = '1'\nmatte = 'green'\n", "matte is 'green'; it must be one of luma, alpha"),
        ("[[cue]]\nid = '1'\nmatte = ['luma']\n", "matte is"),
        ("[[cue]]\nid = '1'\ninvert = 1\n", "invert is 1; it must be true or false"),
        ("[[cue]]\nid = '1'\nstart = 01:00:00\n", "start is a time of day; put timecode in quotes"),
        ("[[cue]]\nid = '1'\nstart = '01:00:00:00'\n", "the file has no rate"),
        ("rate = 24\n[[cue]]\nid = '1'\nend = '01:00:00:24'\n", "line 4, cue '1': end is wrong.*frame 24"),
        ("rate = 24\n[[cue]]\nid = '1'\nend = '01:00:00;00'\n", "drop-frame timecode does not exist"),
        ("[[cue]]\nid = '1'\nstart = 'soon'\n", "start is 'soon'"),
        ("[[cue]]\nid = '1'\nstart = '1/0'\n", "start is '1/0'"),
        ("[[cue]]\nid = '1'\nstart = inf\n", "start is inf"),
        ("[[cue]]\nid = '1'\nstart = 5\nend = 5\n", "its end is not after its start"),
        ("rate = 'fast'\n", "line 1: rate is 'fast'"),
        ("rate = '1/0'\n", "rate is '1/0'"),
        ("rate = 0\n", "rate is 0"),
        ("rate = true\n", "rate is True; it must look like"),
        ("rate = '1e999999999'\n", "rate is '1e999999999'"),
        ("schema = 2\n", "schema 2 is not one this version knows"),
        ("timeline = ''\n", "line 1: timeline must be a name"),
        ("cues = 3\n", r"unknown key 'cues' \(did you mean 'cue'"),
        ("cue = 3\n", r"must begin with a line \[\[cue\]\]"),
        ("[cue]\nid = '1'\n", r"must begin with a line \[\[cue\]\]"),
        ("[[cue]\n", "not valid TOML.*line 1"),
    ],
)
def test_mistakes_are_named_with_line_and_cue(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        from_text(tmp_path, text)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="3 mistakes") as caught:
        from_text(tmp_path, "[[cue]]\nid = '1'\nseed = 'x'\ntakes = 0\n[[cue]]\nid = '2'\nfoo = 1\n")
    assert "line 3" in caught.value.message
    assert "line 7, cue '2': unknown key 'foo'" in caught.value.message


@pytest.mark.parametrize("name", ["none.toml", "folder", "bytes.toml", "deep.toml"])
def test_files_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe[[cue]]")
    (tmp_path / "deep.toml").write_text("x = " + "[" * 100_000, "utf-8")
    with pytest.raises(UsageError) as caught:
        read_cue_file(tmp_path / name)
    assert name in caught.value.message


def test_a_header_like_line_in_a_long_text_does_not_shift_lines(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cue '1': takes is 0") as caught:
        from_text(tmp_path, "[[cue]]\nid = '1'\nprompt = '''\n[[cue]]\n'''\ntakes = 0\n")
    assert "line" not in caught.value.message.split("mistake:")[1]


def test_times_after_midnight_come_back_as_they_went(tmp_path: Path) -> None:
    day = 86_400 * 24 / RATE
    late = replace(SPOTS[0], record=TimeSpan(day - 10 / RATE, day + 20 / RATE))
    sheet = sheet_of((late,), record=TimeSpan(day - 48 / RATE, day + 48 / RATE))
    text = format_cue_file(sheet, presets=PRESETS)
    assert 'start = "23:59:59:14"' in text
    assert from_text(tmp_path, text, spots=(late,)).cues[0].spot.record == late.record
