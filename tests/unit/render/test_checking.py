"""Checks before a render: every problem, all at once, each naming its thing and a remedy."""

import os
import time
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plugin.cues import (
    ClipSource,
    Cue,
    CueSheet,
    ImageSequence,
    Matte,
    MatteChannel,
    MediaFile,
    MediaSource,
    Problem,
    Severity,
    Spot,
    SpotOrigin,
)
from plugin.media.video import MediaInfo
from plugin.render import checking, media_checks
from plugin.render.checking import Hearing, check_sheet
from plugin.render.media_checks import Depth
from plugin.timebase import TimeSpan
from tests.media_factory import (
    make_alpha_movie,
    make_audio_only,
    make_movie,
    make_sequence,
    make_truncated,
    write_image,
)

HOUR = Fraction(3600)
ONE = TimeSpan(HOUR, HOUR + 1)


def black(_: int) -> np.ndarray:
    return np.zeros((64, 96, 3), np.uint8)


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> dict[str, MediaSource]:
    folder = tmp_path_factory.mktemp("media")
    (folder / "text.mov").write_text("not a movie", "utf-8")
    (folder / "empty.mov").write_bytes(b"")
    make_sequence(folder / "seq", count=24, rate=24)
    make_sequence(folder / "holes", count=24, holes=[1005, 1009, 1020], rate=24)
    late = lambda i: np.full((64, 96, 3), 255 if i >= 20 else 0, np.uint8)  # noqa: E731
    files = {
        "shot": make_movie(folder / "shot.mp4", rate=25, frames=50).path,
        "black": make_movie(folder / "black.mp4", rate=25, frames=50, draw=black).path,
        "late": make_movie(folder / "late.mp4", rate=25, frames=50, draw=late).path,
        "short": make_movie(folder / "short.mp4", rate=25, frames=10).path,
        "cut": make_truncated(folder / "cut.mp4").path,
        "sound": make_audio_only(folder / "sound.m4a"),
        "text": folder / "text.mov",
        "empty": folder / "empty.mov",
        "gone": folder / "gone.mov",
        "alpha": make_alpha_movie(folder, "png.mov", frames=30).path,
        "white": write_image(folder / "white.png", np.full((8, 8), 255, np.uint8)),
    }
    sequence = ImageSequence(folder / "seq", "shot.", ".png", 4, 1001, 1024, 1, Fraction(24))
    others = {"noseq": replace(sequence, prefix="none."), "holes": replace(sequence, folder=folder / "holes")}
    return {name: MediaFile(path) for name, path in files.items()} | {"seq": sequence, **others}


def clip(source: MediaSource | None, **changes: Any) -> ClipSource:
    made = ClipSource(
        media=source,
        record=ONE,
        source_start=Fraction(0),
        speed=Fraction(1),
        available=None,
        clip_name="shot 12",
        track_name="V1",
    )
    return replace(made, **changes)


def cue(picture: ClipSource | None, matte: Matte | None = None, *, number: int = 1, **changes: Any) -> Cue:
    spot = Spot(
        f"{number:03}", ONE, f"violin{number}", "violin", "", picture, matte, SpotOrigin.MARKER, "FOLEY"
    )
    return replace(Cue(spot, "violin", "", "standard", 25, 7.0, 1), **changes)


def sheet(*cues: Cue) -> CueSheet:
    return CueSheet("Film", Fraction(25), drop_frame=False, record=TimeSpan(HOUR, HOUR + 60), cues=cues)


def problems(*cues: Cue, **options: Any) -> list[Problem]:
    found = check_sheet(sheet(*cues), **options)
    for problem in found:
        assert problem.message.endswith(".")
        assert problem.remedy.endswith(".")
        assert problem.subject
    return list(found)


def the_one(*cues: Cue, **options: Any) -> tuple[Severity, str]:
    (problem,) = problems(*cues, **options)
    return problem.severity, problem.message


def test_a_good_sheet_has_no_problems(media: dict[str, MediaSource], tmp_path: Path) -> None:
    good = [
        cue(clip(media["shot"]), Matte(clip(media["late"]))),
        cue(clip(media["seq"], record=ONE), Matte(clip(media["white"])), number=2),
        cue(clip(media["alpha"]), Matte(clip(media["alpha"]), MatteChannel.ALPHA), number=3),
        cue(clip(media["shot"], source_start=Fraction(2), speed=Fraction(-1)), number=4),
        cue(clip(media["shot"], source_start=Fraction(1), speed=Fraction(0)), number=5),
    ]
    assert problems(*good, folder=tmp_path / "new" / "stems", presets=["standard"]) == []
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gone", r"gone.mov"),
        ("text", r"text.mov"),
        ("empty", r"empty.mov"),
        ("sound", r"sound.m4a"),
        ("noseq", r"none.[1001-1024].png"),
    ],
)
@pytest.mark.parametrize("kind", ["picture", "matte"])
def test_media_that_cannot_be_used(media: dict[str, MediaSource], name: str, said: str, kind: str) -> None:
    bad = clip(media[name])
    made = cue(bad) if kind == "picture" else cue(clip(media["shot"]), Matte(bad))
    severity, message = the_one(made)
    assert severity is Severity.BLOCKER
    assert said in message


def test_no_picture_and_no_media() -> None:
    assert the_one(cue(None)) == (
        Severity.BLOCKER,
        "There is no picture under cue 001 ('violin1', FOLEY).",
    )
    assert the_one(cue(clip(None)))[1] == "The picture clip 'shot 12' on track V1 names no media file."


def test_a_matte_of_no_white(media: dict[str, MediaSource]) -> None:
    severity, message = the_one(cue(clip(media["shot"]), Matte(clip(media["black"]))))
    assert severity is Severity.BLOCKER
    assert "black.mp4 marks nothing within cue 001" in message
    assert problems(cue(clip(media["shot"]), Matte(clip(media["black"]), invert=True))) == []
    inverted_white = Matte(clip(media["white"]), invert=True)
    assert "(inverted) marks nothing" in the_one(cue(clip(media["shot"]), inverted_white))[1]


def test_white_counts_only_within_the_cue(media: dict[str, MediaSource]) -> None:
    """`late` is black up to frame 19 of 50 at 25 a second."""
    before = replace(ONE, end=HOUR + Fraction(19, 25))
    early = replace(cue(None).spot, record=before)

    def with_matte(**changes: Any) -> Cue:
        shown = clip(media["late"], record=before, **changes)
        return replace(
            cue(None), spot=replace(early, picture=clip(media["shot"], record=before), matte=Matte(shown))
        )

    assert "marks nothing" in the_one(with_matte())[1]
    assert problems(with_matte(source_start=Fraction(5, 25))) == []
    assert "marks nothing" in the_one(with_matte(source_start=Fraction(20, 25), speed=Fraction(-1)))[1]
    assert problems(with_matte(source_start=Fraction(23, 25), speed=Fraction(-1))) == []
    assert "marks nothing" in the_one(with_matte(source_start=Fraction(10, 25), speed=Fraction(0)))[1]
    assert problems(with_matte(source_start=Fraction(30, 25), speed=Fraction(0))) == []


def test_a_matte_without_the_channel(media: dict[str, MediaSource]) -> None:
    severity, message = the_one(cue(clip(media["shot"]), Matte(clip(media["shot"]), MatteChannel.ALPHA)))
    assert severity is Severity.BLOCKER
    assert "shot.mp4 has no alpha channel" in message


@pytest.mark.parametrize("kind", ["picture", "matte"])
def test_media_shorter_than_the_cue(media: dict[str, MediaSource], kind: str) -> None:
    def with_short(**changes: Any) -> Cue:
        short = clip(media["short"], **changes)
        return cue(short) if kind == "picture" else cue(clip(media["shot"]), Matte(short))

    severity, message = the_one(with_short())
    assert severity is Severity.WARNING
    assert message == (
        f"The {kind} short.mp4 is 0.40 s long, but cue 001 ('violin1') shows 0.00 s to 1.00 s of it; "
        "its edge frame is held."
    )
    severity, message = the_one(with_short(source_start=Fraction(7)))
    assert severity is Severity.BLOCKER
    assert "shows 7.00 s to 8.00 s of it." in message


def test_a_truncated_file_says_so(media: dict[str, MediaSource]) -> None:
    record = TimeSpan(HOUR, HOUR + 4)
    long = replace(cue(None).spot, record=record, picture=clip(media["cut"], record=record))
    severity, message = the_one(replace(cue(None), spot=long))
    assert severity is Severity.WARNING
    assert "cut.mp4 (the file is damaged or cut short) is" in message


def test_negative_words_that_nothing_hears_are_told(media: dict[str, MediaSource]) -> None:
    shot = clip(media["shot"])
    severity, message = the_one(cue(shot, negative_prompt="wind", guidance=1.0))
    assert severity is Severity.WARNING
    assert "has no effect: its guidance is 1," in message
    assert problems(cue(shot, negative_prompt="wind", guidance=1.1)) == []
    assert problems(cue(shot, negative_prompt=" ", guidance=1.0)) == []
    assert problems(cue(shot, negative_prompt="wind", guidance=1.0), hearing=Hearing(negatives=True)) == []


def test_guidance_of_a_model_that_was_not_made_for_it_is_told(media: dict[str, MediaSource]) -> None:
    shot = clip(media["shot"])
    (problem,) = problems(cue(shot, guidance=3.0), hearing=Hearing(guided=False))
    assert problem.severity is Severity.WARNING
    assert "is 3, but this model is made for none" in problem.message
    assert problems(cue(shot, guidance=1.0), hearing=Hearing(guided=False)) == []
    assert problems(cue(shot, guidance=3.0)) == []


def test_words_values_and_names(media: dict[str, MediaSource]) -> None:
    shot = clip(media["shot"])
    assert "has 5000 characters" in the_one(cue(shot, prompt="x" * 5000))[1]
    assert the_one(cue(shot, prompt="x" * 5000))[0] is Severity.BLOCKER
    long_words = problems(cue(shot, prompt="a " * 57, negative_prompt="b " * 57))
    assert [problem.severity for problem in long_words] == [Severity.WARNING] * 2
    assert "negative prompt" in long_words[1].message
    assert problems(cue(shot, prompt="a " * 56)) == []
    short = problems(cue(shot, prompt="a " * 11), hearing=Hearing(tokens=16))
    assert "about the first 10 words" in short[0].message
    assert problems(cue(shot, prompt="a " * 10), hearing=Hearing(tokens=16)) == []
    blocker = the_one(cue(shot, preset="fin"), presets=["draft", "fine"])
    assert blocker == (Severity.BLOCKER, "Cue 001 asks for the preset 'fin', which does not exist.")
    empty = replace(cue(shot).spot, record=TimeSpan(HOUR, HOUR))
    assert the_one(replace(cue(shot), spot=empty)) == (
        Severity.BLOCKER,
        "Cue 001 ('violin1') has no length.",
    )


def test_cues_of_one_label_that_overlap(media: dict[str, MediaSource]) -> None:
    first, second = cue(clip(media["shot"])), cue(clip(media["shot"]), number=2)
    second = replace(second, spot=replace(second.spot, label="VIOLIN1"))
    severity, message = the_one(first, second)
    assert severity is Severity.WARNING
    assert message == "Cues 001 and 002 are both 'VIOLIN1' and overlap; both will sound."
    told = Problem(Severity.WARNING, "002", "FOLEY", "Spots 001 and 002 overlap.", "Do.")
    assert problems(first, second, known=[told]) == []


def test_what_spotting_told_is_not_told_again(media: dict[str, MediaSource]) -> None:
    told = Problem(Severity.BLOCKER, "001", "FOLEY", "There is no picture.", "Move it.")
    assert problems(cue(None), known=[told]) == []
    assert len(problems(cue(None), cue(None, number=2), known=[told])) == 1


def test_all_problems_come_at_once_in_the_order_of_the_cues(media: dict[str, MediaSource]) -> None:
    found = problems(
        cue(clip(media["gone"]), Matte(clip(media["text"])), preset="no", prompt="x" * 500),
        cue(None, number=2),
        presets=["standard"],
    )
    assert [(problem.cue_id, problem.severity.value) for problem in found] == [
        ("001", "blocker"),
        ("001", "warning"),
        ("001", "blocker"),
        ("001", "blocker"),
        ("002", "blocker"),
    ]


def test_an_output_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    severity, message = the_one(folder=tmp_path / "file" / "stems")
    assert severity is Severity.BLOCKER
    assert "cannot be written to" in message
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "does not allow it" in the_one(folder=tmp_path / "new")[1]


def test_a_disk_with_too_little_room(
    media: dict[str, MediaSource], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 2 * 2**20})
    monkeypatch.setattr(checking.shutil, "disk_usage", lambda _: usage)
    severity, message = the_one(cue(clip(media["shot"]), takes=20), folder=tmp_path)
    assert severity is Severity.WARNING
    assert "need about 11 MB" in message
    assert "room for 2 MB" in message
    samples = 48_000 * 60
    long = replace(cue(clip(media["shot"])).spot, record=TimeSpan(HOUR, HOUR + 60))
    needed = samples * (3 + 4) + 8 * 2**20  # the stem, its samples before their level is known, and the rest
    for free, short in ((needed, False), (needed - 1, True)):
        usage.free = free
        told = problems(replace(cue(None), spot=long), folder=tmp_path)
        assert any("room for" in problem.message for problem in told) is short


def test_quick_checks_open_nothing(media: dict[str, MediaSource], monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("opened")

    for name in ("probe", "extent_of"):
        monkeypatch.setattr(media_checks, name, never)
    for name in ("probe", "extent_of"):
        monkeypatch.setattr(media_checks, name, never)
    monkeypatch.setattr(media_checks.MatteReader, "open", never)
    found = problems(
        cue(clip(media["text"]), Matte(clip(media["black"]))),
        cue(clip(media["gone"]), number=2),
        cue(clip(media["noseq"]), number=3),
        cue(clip(media["seq"]), number=4),
        depth=Depth.QUICK,
    )
    assert [(problem.cue_id, problem.message.split(" is ")[0]) for problem in found] == [
        ("002", "gone.mov"),
        ("003", "none.[1001-1024].png"),
    ]


@pytest.fixture
def probed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    counted: Counter[str] = Counter()
    real = media_checks.probe

    def count(source: MediaSource) -> MediaInfo:
        counted[source.name] += 1
        return real(source)

    monkeypatch.setattr(media_checks, "probe", count)
    return counted


def test_300_cues_of_few_files_are_checked_quickly_and_each_file_probed_once(
    media: dict[str, MediaSource], probed: Counter[str]
) -> None:
    cues = [
        cue(clip(media["shot"]), Matte(clip(media["late"]), invert=bool(number % 2)), number=number)
        for number in range(1, 301)
    ]
    began = time.thread_time()
    assert problems(*cues) == []
    assert time.thread_time() - began < 3.0
    assert probed["shot.mp4"] == 1
    assert probed["late.mp4"] == 1


def test_images_missing_within_the_cue_stop_it(media: dict[str, MediaSource]) -> None:
    part = TimeSpan(HOUR, HOUR + Fraction(12, 24))
    holed, shot = clip(media["holes"]), clip(media["shot"])

    def within(record: TimeSpan, matte: Matte | None, picture: ClipSource = holed) -> Cue:
        made = cue(picture, matte)
        return replace(made, spot=replace(made.spot, record=record))

    (found,) = problems(within(part, None))
    assert found.severity is Severity.BLOCKER
    assert "lacks 2 images within cue 001" in found.message
    assert "the first is shot.1005.png" in found.message
    assert found.remedy.startswith("Render or copy shot.1005.png into ")
    (found,) = problems(within(part, Matte(holed), shot))
    assert found.severity is Severity.BLOCKER
    assert found.message.startswith("The matte shot.[1001-1024].png lacks 2 images")
    between = TimeSpan(HOUR + Fraction(5, 24), HOUR + Fraction(8, 24))
    assert problems(within(between, None)) == []


@pytest.mark.parametrize(
    ("policy", "said"), [("hold", "the image before is held"), ("black", "black is shown")]
)
def test_missing_images_with_a_policy_are_told(media: dict[str, MediaSource], policy: str, said: str) -> None:
    sequence = media["holes"]
    assert isinstance(sequence, ImageSequence)
    severity, message = the_one(cue(clip(replace(sequence, missing=policy))))
    assert severity is Severity.WARNING
    assert "lacks 3 images" in message
    assert message.endswith(f"{said}.")


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (-1, 1, "begins 1.00 s before the timeline's start"),
        (60, 61, "begins 0.00 s after the timeline's end"),
        (70, 71, "begins 10.00 s after the timeline's end"),
    ],
)
def test_a_cue_outside_the_timeline_is_stopped(
    media: dict[str, MediaSource], start: int, end: int, said: str
) -> None:
    record = TimeSpan(HOUR + start, HOUR + end)
    still = clip(media["white"], record=record)
    made = cue(still)
    outside = replace(made, spot=replace(made.spot, record=record))
    severity, message = the_one(outside)
    assert severity is Severity.BLOCKER
    assert said in message
    assert problems(cue(still)) == []
