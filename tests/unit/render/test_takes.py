"""Sidecars and the stem folder: exact, whole or not at all, never overwritten."""

import errno
import json
import os
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from plugin.cues import ImageSequence, Resize
from plugin.errors import OutputError
from plugin.render import provenance, stemfolder
from plugin.render.provenance import cue_from_data, cue_to_data, take_identity
from plugin.render.stemfolder import BusyElsewhere, StemFolder
from plugin.render.takes import NotATake, decibels, find_takes, format_sidecar, is_whole, read_take
from plugin.timebase import TimeSpan
from tests.made_cues import HOUR, NTSC, clip, cue, take

BASE = "Film_001_violin"
NAME = f"{BASE}_t01"
SOUND = b"sound" * 1000


@pytest.fixture
def stems(tmp_path: Path) -> StemFolder:
    return StemFolder.open(tmp_path / "stems")


def begin(stems: StemFolder, name: str = NAME, sound: bytes = SOUND) -> None:
    stems.sound_part(name).write_bytes(sound)


def finished(stems: StemFolder) -> list[str]:
    return sorted(path.name for path in stems.path.iterdir() if path.is_file())


def unfinished(stems: StemFolder) -> list[str]:
    return sorted(path.name for path in stems.work.iterdir() if path.name.endswith(".part"))


def test_a_sidecar_says_everything_and_comes_back(tmp_path: Path) -> None:
    made = take(NAME, SOUND)
    path = tmp_path / f"{NAME}.json"
    path.write_bytes(format_sidecar(made))
    assert read_take(path) == made
    data = json.loads(path.read_bytes())
    assert data["place"] == {
        "start_timecode": "01:00:01;10",
        "end_timecode": "01:00:01;22",
        "first_sample": round((HOUR + 40 / NTSC) * 48000),
        "samples": made.audio.samples,
    }
    assert data["cue"]["record"]["start"] == str(HOUR + 40 / NTSC)
    assert data["engine"]["licence"]["commercial_use"] is True
    assert data["audio"]["loudness_lufs"] is None


def test_a_cue_comes_back_exactly_from_its_data() -> None:
    sequence = ImageSequence(Path("/m"), "a.", ".png", 4, 1001, 1100, 1, Fraction(24), "hold")
    plain = cue(3)
    odd = replace(
        plain.spot,
        picture=clip("seq", plain.spot.record, media=sequence, available=None, rate=None),
        matte=None,
    )
    bare = replace(plain.spot, picture=clip("gone", plain.spot.record, media=None))
    cropped = replace(plain, resize=Resize.CENTER_CROP)
    for made in (plain, cropped, replace(plain, spot=odd), replace(plain, spot=bare)):
        assert cue_from_data(json.loads(json.dumps(cue_to_data(made)))) == made


def test_a_name_that_is_no_unicode_still_makes_a_sidecar(tmp_path: Path) -> None:
    made = take(NAME, of=replace(cue(1), spot=replace(cue(1).spot, source_name="x\udcff")))
    path = tmp_path / f"{NAME}.json"
    path.write_bytes(format_sidecar(made))
    assert read_take(path) == made


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "cello"},
        {"negative_prompt": ""},
        {"steps": 4},
        {"guidance": 7.5},
        {"seed": 6},
        {"resize": Resize.SQUASH},
        {"spot": replace(cue(1).spot, label="cello")},
        {"spot": replace(cue(1).spot, record=TimeSpan(HOUR, HOUR + 1))},
    ],
)
def test_every_input_of_the_sound_changes_its_identity(change: dict[str, object]) -> None:
    def identity(**changes: object) -> str:
        made = replace(cue(1), **changes)  # type: ignore[arg-type]
        return take_identity(made, timeline_name="F", footage="f", bundle_digest="b")

    assert identity() == identity(preset="another name", takes=3)
    assert identity() != identity(**change)


def test_another_recipe_changes_every_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    before = take_identity(cue(1), timeline_name="F", footage="f", bundle_digest="b")
    monkeypatch.setattr(provenance, "RECIPE", provenance.RECIPE + 1)
    assert take_identity(cue(1), timeline_name="F", footage="f", bundle_digest="b") != before


def test_footage_that_cannot_be_told_apart_has_no_identity() -> None:
    assert take_identity(cue(1), timeline_name="F", footage="", bundle_digest="b") == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        "{" * 5000,
        '{"kind": "sagafoley take", "schema": 2}',
        '{"kind": "sagafoley take", "schema": 1}',
        " " * (2**20 + 1),
    ],
)
def test_other_files_are_no_takes(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, "utf-8")
    with pytest.raises(NotATake):
        read_take(path)
    assert list(find_takes(tmp_path)) == []


@pytest.mark.parametrize("name", ["../x_t01", "/x", "a/b", ""])
def test_a_sidecar_cannot_point_outside_its_folder(tmp_path: Path, name: str) -> None:
    data = json.loads(format_sidecar(take(NAME)))
    data["name"], data["audio"]["file"] = name, f"{name}.wav"
    path = tmp_path / "x.json"
    path.write_text(json.dumps(data), "utf-8")
    with pytest.raises(NotATake):
        read_take(path)


def test_a_take_is_whole_only_byte_for_byte(tmp_path: Path) -> None:
    wav = tmp_path / "x.wav"
    made = take(NAME, SOUND)
    assert not is_whole(made, wav)
    wav.write_bytes(SOUND)
    assert is_whole(made, wav)
    wav.write_bytes(SOUND[:-1])
    assert not is_whole(made, wav)
    wav.write_bytes(SOUND[:-1] + b"x")
    assert not is_whole(made, wav)


def test_commit_gives_both_names_and_leaves_nothing_behind(stems: StemFolder) -> None:
    begin(stems)
    path = stems.commit(take(NAME, SOUND))
    assert path.read_bytes() == SOUND
    assert finished(stems) == [f"{NAME}.json", f"{NAME}.wav"]
    assert unfinished(stems) == []
    assert [found.name for found in stems.takes()] == [NAME]


def test_a_taken_name_is_never_overwritten(stems: StemFolder) -> None:
    foreign = stems.path / f"{NAME}.wav"
    foreign.write_bytes(b"somebody's")
    begin(stems)
    with pytest.raises(OutputError):
        stems.commit(take(NAME, SOUND))
    assert foreign.read_bytes() == b"somebody's"
    assert finished(stems) == [f"{NAME}.wav"]
    assert stems.next_name(BASE) == f"{BASE}_t02"


def test_a_disk_without_hard_links(stems: StemFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    begin(stems)
    stems.commit(take(NAME, SOUND))
    assert finished(stems) == [f"{NAME}.json", f"{NAME}.wav"]
    begin(stems, f"{BASE}_t02")
    (stems.path / f"{BASE}_t02.wav").write_bytes(b"somebody's")
    with pytest.raises(OutputError):
        stems.commit(take(f"{BASE}_t02", SOUND))
    assert (stems.path / f"{BASE}_t02.wav").read_bytes() == b"somebody's"


class Killed(BaseException):
    """Stands for SIGKILL: nothing is cleaned up after it."""


STEPS = ["write_durably", "sync_folder", "_give_name", "discard"]


def kill_at(monkeypatch: pytest.MonkeyPatch, count: int, *, after: bool) -> None:
    """Ends the program at the `count`-th step of a commit, before or after it took place."""
    seen = 0
    for name in STEPS:
        real = getattr(stemfolder, name)

        def step(*arguments: object, real: object = real) -> None:
            nonlocal seen
            seen += 1
            if seen == count and not after:
                raise Killed
            real(*arguments)  # type: ignore[operator]
            if seen == count:
                raise Killed

        monkeypatch.setattr(stemfolder, name, step)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("count", range(1, 7))
def test_killed_at_any_step_of_a_commit_the_take_is_all_there_or_not_at_all(
    stems: StemFolder, monkeypatch: pytest.MonkeyPatch, count: int, after: bool
) -> None:
    begin(stems)
    made = take(NAME, SOUND)
    with monkeypatch.context() as patched:
        kill_at(patched, count, after=after)
        with pytest.raises(Killed):
            stems.commit(made)
    for path in stems.path.glob("*.wav"):
        assert path.read_bytes() == SOUND
    recovered = stems.recover(BASE)
    assert unfinished(stems) == []
    if recovered or stems.takes():
        assert finished(stems) == [f"{NAME}.json", f"{NAME}.wav"]
        assert stems.takes() == (made,)
        assert stems.holds(made)
    else:
        assert finished(stems) == []
        assert count == 1


def test_a_kill_between_link_and_unlink(stems: StemFolder) -> None:
    begin(stems)
    stems.sidecar_part(NAME).write_bytes(format_sidecar(take(NAME, SOUND)))
    os.link(stems.sound_part(NAME), stems.path / f"{NAME}.wav")
    assert [found.name for found in stems.recover(BASE)] == [NAME]
    assert finished(stems) == [f"{NAME}.json", f"{NAME}.wav"]
    assert unfinished(stems) == []


def test_recovery_takes_only_what_fits(stems: StemFolder) -> None:
    begin(stems, f"{BASE}_t01", SOUND[:-5])  # half a sound under a whole sidecar
    stems.sidecar_part(f"{BASE}_t01").write_bytes(format_sidecar(take(f"{BASE}_t01", SOUND)))
    begin(stems, f"{BASE}_t02")  # half a sidecar
    stems.sidecar_part(f"{BASE}_t02").write_bytes(format_sidecar(take(f"{BASE}_t02", SOUND))[:-40])
    begin(stems, f"{BASE}_t03")  # a sidecar of another name
    stems.sidecar_part(f"{BASE}_t03").write_bytes(format_sidecar(take(f"{BASE}_t09", SOUND)))
    stems.scratch(f"{BASE}_t04").mkdir()
    (stems.scratch(f"{BASE}_t04") / "sound.f32").write_bytes(b"samples")
    stems.sound_part(f"{BASE}_t05").with_name(f"{BASE}_t05.wav.part.4711.part").write_bytes(b"half")
    assert stems.recover(BASE) == ()
    assert unfinished(stems) == []
    assert finished(stems) == []


def test_recovery_leaves_other_cues_and_other_files_alone(stems: StemFolder) -> None:
    begin(stems, "Film_002_violin_t01")
    begin(stems, "Film_001_violin-two_t01")
    mine = stems.path / f"{BASE}_t01.wav.part"
    mine.write_bytes(b"not in the work folder")
    assert stems.recover(BASE) == ()
    assert unfinished(stems) == ["Film_001_violin-two_t01.wav.part", "Film_002_violin_t01.wav.part"]
    assert mine.exists()


def test_numbers_count_past_half_takes_too(stems: StemFolder) -> None:
    begin(stems, f"{BASE}_t04")
    (stems.path / f"{BASE}_t02.json").write_bytes(b"{}")
    (stems.path / f"{BASE}_t09.txt").write_bytes(b"")
    assert stems.next_name(BASE) == f"{BASE}_t05"


def test_two_runs_cannot_hold_one_cue(stems: StemFolder) -> None:
    other = StemFolder.open(stems.path)
    with stems.hold(BASE):
        with pytest.raises(BusyElsewhere, match="Film_001_violin"), other.hold(BASE):
            pass
        with other.hold("Film_002_violin"):
            pass
    with other.hold(BASE):
        pass


def test_a_stale_lock_file_locks_nothing(stems: StemFolder) -> None:
    (stems.work / f"{BASE}.lock").write_bytes(b"123456")
    with stems.hold(BASE):
        pass


def test_a_disk_without_locks(stems: StemFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise NotImplementedError("no flock")

    monkeypatch.setattr(stemfolder.FileLock, "acquire", refuse)
    with pytest.raises(OutputError, match="no file locks"), stems.hold(BASE):
        pass


def test_folders_that_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="could not be written"):
        StemFolder.open(tmp_path / "file" / "stems")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "touch", refuse)
    with pytest.raises(OutputError, match="does not allow it") as caught:
        StemFolder.open(tmp_path / "stems")
    assert caught.value.remedy == "Choose an output folder that you may write to."


def test_the_probe_of_a_killed_run_is_cleared_away(stems: StemFolder) -> None:
    (stems.work / "probe-4711.part").write_bytes(b"")
    StemFolder.open(stems.path)
    assert unfinished(stems) == []


def test_a_folder_without_permission(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)  # root may write anywhere, nobody may not
    try:
        with pytest.raises(OutputError, match="does not allow it"):
            StemFolder.open(locked / "stems")
    finally:
        if root:
            os.seteuid(0)


def test_find_takes_passes_over_what_is_not_whole(stems: StemFolder) -> None:
    for number in (1, 2, 3):
        name = f"{BASE}_t{number:02}"
        begin(stems, name)
        stems.commit(take(name, SOUND))
    (stems.path / f"{BASE}_t01.wav").unlink()
    (stems.path / f"{BASE}_t02.wav").write_bytes(b"cut")
    shutil.copy(stems.path / f"{BASE}_t03.json", stems.path / "copy.json")
    assert [found.name for found in stems.takes()] == [f"{BASE}_t03"]


def test_takes_of_one_cue(stems: StemFolder) -> None:
    for name in (NAME, "Film_001_violin-two_t01", "Film_002_violin_t01"):
        begin(stems, name)
        stems.commit(take(name, SOUND))
    assert [found.name for found in stems.takes_of(BASE)] == [NAME]


def test_decibels() -> None:
    assert decibels(0) is None
    assert decibels(1) == 0
    assert decibels(0.5) == pytest.approx(-6.0206, abs=1e-4)
