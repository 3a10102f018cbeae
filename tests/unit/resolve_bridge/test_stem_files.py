"""Files for Resolve: the take's bytes, silence around them, the stamp moved, sizes beyond 4 GB."""

from datetime import datetime
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile

from plugin.errors import MediaMissing, OutputError
from plugin.hosts import StemPiece
from plugin.media.bwf import Bext, BroadcastWriter
from plugin.media.bwf_reading import read_broadcast_wave
from plugin.timebase import TimeSpan, sample_position
from resolve_bridge import stem_files
from resolve_bridge.layouts import FramedPiece
from resolve_bridge.stem_files import make_file, remove_file

START = Fraction(3600)


def framed(
    path: Path, *, samples: int, head: int = 0, total: int | None = None, channels: int = 1
) -> FramedPiece:
    record = TimeSpan(START, START + Fraction(samples, 48_000))
    piece = StemPiece("001", "dog", path, record, channels)
    return FramedPiece(piece, "0001", 90_000, 1, 1, head, samples if total is None else total)


def take(folder: Path, *, samples: int = 999, channels: int = 1) -> Path:
    path = folder / "take é 1.wav"
    bext = Bext(sample_position(START), datetime(2026, 1, 2, 3, 4, 5), description="dog")  # noqa: DTZ001
    sound = np.arange(samples * channels, dtype=np.float32).reshape(samples, channels) / 2**20
    with BroadcastWriter.open(path, bext=bext, channels=channels) as writer:
        writer.write(sound)
        writer.finish()
    return path


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("head", "total"), [(0, 1000), (0, 1001), (5, 1004), (800, 3000)])
def test_silence_around_the_sound(tmp_path: Path, head: int, total: int, channels: int) -> None:
    source = take(tmp_path, channels=channels)
    made = make_file(framed(source, samples=999, head=head, total=total, channels=channels), "ab12")
    assert made == tmp_path / "placed" / "take é 1_ab12.wav"
    old, _ = soundfile.read(source, dtype="int32", always_2d=True)
    new, rate = soundfile.read(made, dtype="int32", always_2d=True)
    assert (rate, len(new), new.shape[1]) == (48_000, total, channels)
    assert not new[:head].any()
    assert not new[head + 999 :].any()
    assert (new[head : head + 999] == old).all()
    wave = read_broadcast_wave(made)
    assert wave.time_reference == sample_position(START) - head
    assert wave.description == "dog"
    assert made.stat().st_size % 2 == 0


def test_a_file_that_fits_is_the_takes_own(tmp_path: Path) -> None:
    source = take(tmp_path)
    made = make_file(framed(source, samples=999), "ab12")
    assert made.samefile(source)
    remove_file(made)
    assert source.is_file()
    assert not made.parent.exists()


def test_files_of_others_stay(tmp_path: Path) -> None:
    source = take(tmp_path)
    first, second = (make_file(framed(source, samples=999), name) for name in ("a", "b"))
    remove_file(first)
    assert second.is_file()
    remove_file(source)
    assert source.is_file()


def test_beyond_four_gigabytes_it_is_rf64(tmp_path: Path) -> None:
    header = stem_files._header(stem_files._Wave(((b"fmt ", bytes(16)),), 0, 0, 3), 3 * 1_500_000_000, head=0)
    assert header[:4] == b"RF64"
    assert header[12:16] == b"ds64"
    assert int.from_bytes(header[28:36], "little") == 4_500_000_000
    assert int.from_bytes(header[36:44], "little") == 1_500_000_000
    source = take(tmp_path)
    data = bytearray(source.read_bytes())
    assert data[12:16] == b"JUNK"
    size = int.from_bytes(data[-4 - 999 * 3 - 1 : -999 * 3 - 1], "little")
    assert size == 999 * 3
    data[:4], data[12:16] = b"RF64", b"ds64"
    data[28:36] = size.to_bytes(8, "little")
    data[-4 - 999 * 3 - 1 : -999 * 3 - 1] = b"\xff" * 4
    source.write_bytes(data)
    made = make_file(framed(source, samples=999, head=3, total=1100), "ab12")
    assert read_broadcast_wave(made).frames == 1100


@pytest.mark.parametrize(
    "content", [b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"fLaC" + bytes(64), b"RIFF\0\0\0\0WAVEdata\x04\0\0\0abcd"]
)
def test_what_is_no_stem(tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "x.wav"
    source.write_bytes(content)
    with pytest.raises(OutputError, match=r"x\.wav is not a whole 48 kHz WAV file"):
        make_file(framed(source, samples=999), "ab12")
    assert not (tmp_path / "placed").exists()


def test_a_stem_of_another_length_or_none(tmp_path: Path) -> None:
    source = take(tmp_path)
    with pytest.raises(OutputError, match="does not have the length of its cue"):
        make_file(framed(source, samples=998), "ab12")
    data = source.read_bytes()
    source.write_bytes(data[:-300])
    with pytest.raises(OutputError, match="not a whole"):
        make_file(framed(source, samples=999), "ab12")
    source.unlink()
    with pytest.raises(MediaMissing):
        make_file(framed(source, samples=999), "ab12")


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = take(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stem_files, "_write_silence", full)
    with pytest.raises(OutputError, match="disk is full"):
        make_file(framed(source, samples=999, head=3, total=1100), "ab12")
    assert list((tmp_path / "placed").iterdir()) == []
