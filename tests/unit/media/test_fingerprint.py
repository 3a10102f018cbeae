from __future__ import annotations

import os
import shutil
from fractions import Fraction
from pathlib import Path

import pytest

from plugin.cues import ImageSequence, MediaFile
from plugin.errors import MediaMissing, UndecodableMedia
from plugin.media import fingerprint as subject
from plugin.media.fingerprint import fingerprint
from tests.media_factory import make_sequence


def of(path: Path) -> str:
    return fingerprint(MediaFile(path))


def test_content_decides_not_the_name(tmp_path: Path) -> None:
    (tmp_path / "a.mov").write_bytes(b"picture")
    (tmp_path / "b.mov").write_bytes(b"picture")
    (tmp_path / "c.mov").write_bytes(b"pictura")
    os.utime(tmp_path / "b.mov", (1, 1))
    assert of(tmp_path / "a.mov") == of(tmp_path / "b.mov") != of(tmp_path / "c.mov")
    assert len(of(tmp_path / "a.mov")) == 64


def test_a_large_file_is_sampled_at_both_ends_and_by_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "WHOLE_FILE_LIMIT", 800)
    path = tmp_path / "a.mov"
    content = bytearray(5000)
    found = set()
    for place in (None, 0, 2150, 4999):
        changed = bytearray(content)
        if place is not None:
            changed[place] = 1
        path.write_bytes(changed)
        os.utime(path, (5, 5))
        found.add(of(path))
    os.utime(path, (6, 6))
    found.add(of(path))
    assert len(found) == 5


def test_a_sequence_is_all_its_images_and_holes(tmp_path: Path) -> None:
    make_sequence(tmp_path / "a", count=4)
    source = ImageSequence(tmp_path / "a", "shot.", ".png", 4, 1001, 1004, 1, Fraction(24))
    whole = fingerprint(source)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    moved = ImageSequence(tmp_path / "b", "shot.", ".png", 4, 1001, 1004, 1, Fraction(24))
    assert fingerprint(moved) == whole
    (tmp_path / "b" / "shot.1003.png").unlink()
    assert fingerprint(moved) != whole
    assert (
        fingerprint(ImageSequence(tmp_path / "a", "shot.", ".png", 4, 1001, 1004, 1, Fraction(25))) != whole
    )


def test_missing_and_empty(tmp_path: Path) -> None:
    with pytest.raises(MediaMissing):
        of(tmp_path / "gone.mov")
    (tmp_path / "empty.mov").write_bytes(b"")
    with pytest.raises(UndecodableMedia):
        of(tmp_path / "empty.mov")
