"""Matte files: what is read back is what was made, nothing is written over, and a failure leaves nothing."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plugin.cues import MatteChannel
from plugin.errors import Cancelled, OutputError
from plugin.masks import matte_files
from plugin.masks.makers import Mask
from plugin.masks.matte_files import MatteForm, free_name, picture_name, write_matte
from plugin.media.mattes import MatteReader
from plugin.one_video import matte_media

ROOT = Path(__file__).parents[3]
NTSC = Fraction(24000, 1001)


def mask(frame: int, *, width: int = 97, height: int = 55) -> Mask:
    """A disc with a soft edge that wanders, odd in size, with every value somewhere."""
    y, x = np.mgrid[:height, :width]
    away = np.hypot(x - 20 - frame, y - 27)
    return (255 * np.clip((18 - away) / 6, 0, 1)).astype(np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "mattes"
    made.mkdir()
    return made


def write(path: Path, form: MatteForm, frames: range = range(7, 19), **more: Any) -> matte_files.MatteFile:
    return write_matte(
        mask, path=path.with_name(path.name + form.suffix), form=form, rate=NTSC, frames=frames, **more
    )


@pytest.mark.parametrize("form", MatteForm)
def test_it_reads_back(folder: Path, form: MatteForm) -> None:
    told: list[int] = []
    matte = write(folder / "shot_violin_matte_v01", form, tell=told.append)
    assert told == list(range(12))
    assert [entry.name for entry in folder.iterdir()] == ["shot_violin_matte_v01" + form.suffix]
    with MatteReader.open(matte.media()) as reader:
        assert (reader.info.rate, reader.info.width, reader.info.height) == (NTSC, 97, 55)
        found = list(reader.frames_at([number / NTSC for number in range(12)]))
        assert abs(reader.extent().end - 12 / NTSC) < Fraction(1, 1000)  # Matroska counts milliseconds
    furthest = max(int(np.abs(read.astype(int) - mask(7 + n)).max()) for n, read in enumerate(found))
    assert furthest <= (0 if form.is_exact else 4)
    assert all(((read >= 128) == (mask(7 + n) >= 128)).mean() > 0.999 for n, read in enumerate(found))


def test_prores_carries_the_same_values_as_alpha(folder: Path) -> None:
    matte = write(folder / "matte", MatteForm.PRORES, timecode="01:00:00:07")
    with MatteReader.open(matte.media(), channel=MatteChannel.ALPHA) as reader:
        found = list(reader.frames_at([number / NTSC for number in range(12)]))
        assert reader.info.start_timecode == (3600 * 24 + 7) / NTSC
    assert all(np.array_equal(read, mask(7 + number)) for number, read in enumerate(found))


def test_pictures_bear_the_numbers_of_the_films_frames(folder: Path) -> None:
    matte = write(folder / "shot_violin_matte_v01", MatteForm.PNG)
    names = sorted(entry.name for entry in matte.path.iterdir())
    assert names[0] == "shot_violin_matte_v01.0007.png" == picture_name(matte.path.name, 7, last=18)
    assert names[-1] == "shot_violin_matte_v01.0018.png"
    assert matte_media(matte.path, rate=NTSC) == matte.media()  # as `generate --mask FOLDER` finds it


def test_long_films_have_longer_numbers(folder: Path) -> None:
    matte = write(folder / "matte", MatteForm.PNG, range(99_998, 100_002))
    assert min(entry.name for entry in matte.path.iterdir()) == "matte.099998.png"
    with MatteReader.open(matte.media()) as reader:
        assert len(list(reader.frames_at([0, 3 / NTSC]))) == 2


@pytest.mark.parametrize("form", MatteForm)
def test_nothing_is_written_over(folder: Path, form: MatteForm) -> None:
    first = write(folder / "matte", form)
    before = contents(folder)
    with pytest.raises(OutputError, match="there already") as caught:
        write(folder / "matte", form)
    assert caught.value.remedy
    assert contents(folder) == before
    assert first.path.exists()


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_each_matte_gets_the_next_version(folder: Path) -> None:
    assert free_name(folder, clip="shot 1", label="violin") == "shot-1_violin_matte_v01"
    (folder / "shot-1_violin_matte_v01").mkdir()
    (folder / "shot-1_violin_matte_v03.prompts.json").touch()
    (folder / "SHOT-1_violin_matte_v07.mkv").touch()
    (folder / "shot-1_violins_matte_v40.mkv").touch()
    (folder / "shot-1_violin_matte_vXX.mkv").touch()
    assert free_name(folder, clip="shot 1", label="violin") == "shot-1_violin_matte_v08"
    assert free_name(folder, clip="../é/..", label="a | not b") == "é_a-not-b_matte_v01"
    assert free_name(folder / "nowhere", clip="", label="") == "clip_object_matte_v01"


def test_every_mask_of_an_exact_form_is_made_once(folder: Path) -> None:
    asked: list[int] = []

    def counted(frame: int) -> Mask:
        asked.append(frame)
        return mask(frame)

    write_matte(counted, path=folder / "matte", form=MatteForm.PNG, rate=NTSC, frames=range(7, 12))
    assert asked == list(range(7, 12))


@pytest.mark.parametrize("form", MatteForm)
def test_cancelling_leaves_nothing(folder: Path, form: MatteForm) -> None:
    asked = iter([False, False, True])
    with pytest.raises(Cancelled):
        write(folder / "matte", form, cancel=lambda: next(asked))
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("form", MatteForm)
def test_a_matte_that_reads_back_different_is_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch, form: MatteForm
) -> None:
    real = matte_files._write

    def swapped(masks: Callable[[int], Mask], *more: Any) -> None:
        real(lambda frame: np.maximum(masks(frame), 9 * (frame == 11)), *more)  # type: ignore[arg-type]

    monkeypatch.setattr(matte_files, "_write", swapped)
    with pytest.raises(OutputError, match=r"Frame 11 of .* reads back different"):
        write(folder / "matte", form)
    assert list(folder.iterdir()) == []


def test_a_matte_that_lost_a_frame_is_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = matte_files._write

    def shorter(masks: Any, part: Path, matte: Any, frames: range, timecode: None) -> None:
        real(masks, part, matte, frames[:-1], timecode)

    monkeypatch.setattr(matte_files, "_write", shorter)
    for form in (MatteForm.PNG, MatteForm.FFV1):
        with pytest.raises(OutputError):
            write(folder / "matte", form)
    assert list(folder.iterdir()) == []


def test_pictures_on_a_full_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, left = Path.write_bytes, [5]

    def small(path: Path, data: bytes) -> int:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, data)

    monkeypatch.setattr(Path, "write_bytes", small)
    with pytest.raises(OutputError, match="disk is full") as caught:
        write(folder / "matte", MatteForm.PNG)
    assert "Free some space" in caught.value.remedy
    assert list(folder.iterdir()) == []


LIMITED = """
import resource, sys
from fractions import Fraction
from pathlib import Path
import numpy as np
from plugin.errors import OutputError
from plugin.masks.matte_files import MatteForm, write_matte
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
form = MatteForm(sys.argv[2])
noise = np.random.default_rng(1).integers(0, 256, (90, 90), np.uint8)
try:
    path = Path(sys.argv[1]) / ("matte" + form.suffix)
    write_matte(lambda _: noise, path=path, form=form, rate=Fraction(25), frames=range(9))
except OutputError as error:
    print(error.message, "|", error.remedy)
    sys.exit(2)
"""


@pytest.mark.parametrize("form", MatteForm)
def test_the_systems_own_limit_on_file_size(folder: Path, form: MatteForm) -> None:
    child = subprocess.run(
        [sys.executable, "-c", LIMITED, str(folder), str(form)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert child.returncode == 2, child.stderr
    assert "disk is full" in child.stdout
    assert "Traceback" not in child.stderr
    assert list(folder.iterdir()) == []


def test_a_folder_that_may_not_be_written_to(folder: Path) -> None:
    (folder / "file").write_text("")
    with pytest.raises(OutputError) as caught:
        write(folder / "file" / "matte", MatteForm.PNG)
    assert caught.value.remedy


def test_what_a_killed_run_left_is_cleared_away(folder: Path) -> None:
    stale = matte_files.part_of(folder / "matte")
    stale.mkdir()
    (stale / "old.png").write_bytes(b"old")
    matte = write(folder / "matte", MatteForm.PNG)
    assert len(list(matte.path.iterdir())) == 12
    assert [path.name for path in folder.iterdir()] == ["matte"]
    shutil.rmtree(matte.path)
