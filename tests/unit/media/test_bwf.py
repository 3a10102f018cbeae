from __future__ import annotations

import os
import resource
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import soundfile
import wavinfo

from plugin.errors import MediaMissing, OutputError, UndecodableMedia
from plugin.media import bwf
from plugin.media.bwf import Bext, BroadcastWriter
from plugin.media.bwf_reading import read_broadcast_wave
from plugin.media.ixml import Production
from plugin.media.loudness import Loudness

HOUR_AT_23976 = 172_972_800
WHEN = datetime(2026, 3, 4, 5, 6, 7)  # noqa: DTZ001 - bext knows local time only
BEXT = Bext(time_reference=HOUR_AT_23976 + 7, recorded=WHEN, description="violin, not trumpet")
PRODUCTION = Production(
    project="Reel 1",
    scene="001",
    take="2",
    note="Geige & Bogen: 提琴 \x07<leise>",
    rate=Fraction(24_000, 1001),
    drop_frame=False,
    tracks=("FOLEY violin",),
)
LOUDNESS = Loudness(integrated=-23.04, range=4.5, true_peak=-1.0, momentary_max=-18.25, short_term_max=-20.0)


def noise(count: int, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(count) * 0.2).astype(np.float32)


def write(path: Path, samples: np.ndarray, *, loudness: Loudness | None = None, pieces: int = 3) -> Path:
    with BroadcastWriter.open(path, bext=BEXT, production=PRODUCTION) as writer:
        for piece in np.array_split(samples, pieces):
            writer.write(piece)
        writer.finish(loudness=loudness)
    return path


@pytest.mark.parametrize("count", [0, 1, 2, 4801])
def test_every_reader_agrees(tmp_path: Path, count: int) -> None:
    samples = noise(count)
    path = write(tmp_path / "a.wav", samples)
    expected = np.rint(samples.astype(np.float64) * 2**23) / 2**23
    read, rate = soundfile.read(path, dtype="float64")
    assert rate == 48_000
    assert np.array_equal(read, expected)
    with wave.open(str(path)) as plain:
        assert plain.getparams()[:4] == (1, 3, 48_000, count)
    header = read_broadcast_wave(path)
    assert (header.frames, header.channels, header.sample_rate, header.bits) == (count, 1, 48_000, 24)
    assert path.stat().st_size % 2 == 0


def test_bext_is_read_by_others(tmp_path: Path) -> None:
    info = wavinfo.WavInfoReader(str(write(tmp_path / "a.wav", noise(4800), loudness=LOUDNESS)))
    assert info.bext is not None
    assert info.bext.time_reference == HOUR_AT_23976 + 7
    assert info.bext.version == 2
    assert info.bext.description == "violin, not trumpet"
    assert info.bext.originator == "Sagafoley"
    assert (info.bext.originator_date, info.bext.originator_time) == ("2026-03-04", "05:06:07")
    assert info.bext.coding_history == "A=PCM,F=48000,W=24,M=mono,T=Sagafoley\r\n"
    assert info.bext.loudness_value == pytest.approx(-23.04)
    assert info.bext.loudness_range == pytest.approx(4.5)
    assert info.bext.max_true_peak == pytest.approx(-1.0)
    assert info.bext.max_momentary_loudness == pytest.approx(-18.25)
    assert info.bext.max_shortterm_loudness == pytest.approx(-20.0)
    assert info.fmt.audio_format == 1


def test_our_reader_gives_back_what_was_written(tmp_path: Path) -> None:
    header = read_broadcast_wave(write(tmp_path / "a.wav", noise(4800), loudness=LOUDNESS))
    assert header.loudness == LOUDNESS
    assert header.time_reference == HOUR_AT_23976 + 7
    assert (header.description, header.originator) == ("violin, not trumpet", "Sagafoley")
    assert (header.date, header.time) == ("2026-03-04", "05:06:07")


def test_unknown_loudness_is_not_zero(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", noise(10))
    assert read_broadcast_wave(path).loudness == Loudness()
    content = path.read_bytes()
    start = content.index(b"bext") + 8 + 412
    assert content[start : start + 10] == b"\xff\x7f" * 5


def test_ixml_says_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", noise(10))
    root = ET.fromstring(read_broadcast_wave(path).ixml)  # noqa: S314 - our own file
    text = {element.tag: element.text for element in root.iter()}
    assert text["PROJECT"] == "Reel 1"
    assert text["NOTE"] == "Geige & Bogen: 提琴 <leise>"
    assert (text["TIMECODE_RATE"], text["TIMECODE_FLAG"]) == ("24000/1001", "NDF")
    assert text["TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO"] == str(HOUR_AT_23976 + 7)
    assert (text["TRACK_COUNT"], text["NAME"]) == ("1", "FOLEY violin")
    assert text["BWF_TIME_REFERENCE_LOW"] == str(HOUR_AT_23976 + 7)
    info = wavinfo.WavInfoReader(str(path))
    assert info.ixml is not None
    assert (info.ixml.project, info.ixml.scene, info.ixml.take) == ("Reel 1", "001", "2")


def test_a_day_has_more_samples_than_32_bits(tmp_path: Path) -> None:
    late = 23 * 3600 * 96_000
    bext = Bext(time_reference=late, recorded=WHEN)
    with BroadcastWriter.open(tmp_path / "a.wav", bext=bext, sample_rate=96_000) as writer:
        writer.write(noise(5))
        writer.finish()
    assert late > 2**32
    assert read_broadcast_wave(tmp_path / "a.wav").time_reference == late
    assert wavinfo.WavInfoReader(str(tmp_path / "a.wav")).bext.time_reference == late


def test_bext_is_ascii(tmp_path: Path) -> None:
    bext = Bext(time_reference=0, recorded=WHEN, description="Trompête 提" + "x" * 400)
    with BroadcastWriter.open(tmp_path / "a.wav", bext=bext) as writer:
        writer.finish()
    description = read_broadcast_wave(tmp_path / "a.wav").description
    assert description.startswith("Trompete ?xxx")
    assert len(description) == 256


def test_same_input_same_bytes(tmp_path: Path) -> None:
    one = write(tmp_path / "a.wav", noise(5000), pieces=1).read_bytes()
    assert write(tmp_path / "b.wav", noise(5000), pieces=77).read_bytes() == one


def test_full_scale_is_clipped_and_counted(tmp_path: Path) -> None:
    with BroadcastWriter.open(tmp_path / "a.wav", bext=BEXT) as writer:
        writer.write(np.array([1.0, -1.0, 1.5, -2.0, 0.0], np.float32))
        assert writer.finish().clipped == 2
    read, _ = soundfile.read(tmp_path / "a.wav", dtype="int32")
    top = (2**23 - 1) << 8
    assert read.tolist() == [top, -(2**31), top, -(2**31), 0]


def test_two_channels(tmp_path: Path) -> None:
    samples = noise(200).reshape(100, 2)
    with BroadcastWriter.open(tmp_path / "a.wav", bext=BEXT, channels=2) as writer:
        writer.write(samples)
        assert writer.finish().frames == 100
    read, _ = soundfile.read(tmp_path / "a.wav")
    assert np.allclose(read, samples, atol=2**-23)


@pytest.mark.parametrize("wrong", [np.zeros((3, 2), np.float32), np.array([np.nan], np.float32)])
def test_wrong_samples_are_refused(tmp_path: Path, wrong: np.ndarray) -> None:
    with (
        BroadcastWriter.open(tmp_path / "a.wav", bext=BEXT) as writer,
        pytest.raises(ValueError, match=r"channels|finite"),
    ):
        writer.write(wrong)
    assert list(tmp_path.glob("a.wav*")) == []


def test_past_the_riff_limit_it_is_rf64(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bwf, "_RIFF_LIMIT", 1000)
    samples = noise(4801)
    path = write(tmp_path / "a.wav", samples)
    assert path.read_bytes()[:4] == b"RF64"
    assert path.read_bytes()[12:16] == b"ds64"
    read, _ = soundfile.read(path, dtype="float64")
    assert np.array_equal(read, np.rint(samples.astype(np.float64) * 2**23) / 2**23)
    assert read_broadcast_wave(path).frames == 4801
    info = wavinfo.WavInfoReader(str(path))
    assert info.data.frame_count == 4801
    assert info.bext.time_reference == HOUR_AT_23976 + 7


def test_nothing_bears_the_name_before_the_end(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.wav"
    with BroadcastWriter.open(path, bext=BEXT) as writer:
        writer.write(noise(10))
        assert not path.exists()
        assert [part.suffix for part in path.parent.iterdir()] == [".part"]
        writer.finish()
        assert [whole.name for whole in path.parent.iterdir()] == ["a.wav"]


def test_an_unfinished_file_leaves_nothing(tmp_path: Path) -> None:
    with BroadcastWriter.open(tmp_path / "a.wav", bext=BEXT) as writer:
        writer.write(noise(10))
    assert list(tmp_path.glob("a.wav*")) == []


def test_a_taken_name_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"mine")
    with pytest.raises(OutputError, match="never overwritten"):
        BroadcastWriter.open(path, bext=BEXT)
    path.unlink()
    with BroadcastWriter.open(path, bext=BEXT) as writer:
        path.write_bytes(b"mine")
        with pytest.raises(OutputError, match="never overwritten"):
            writer.finish()
    assert path.read_bytes() == b"mine"
    assert list(tmp_path.glob("*.part")) == []


def test_a_disk_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    path = write(tmp_path / "a.wav", noise(100))
    assert read_broadcast_wave(path).frames == 100
    with BroadcastWriter.open(tmp_path / "b.wav", bext=BEXT) as writer:
        (tmp_path / "b.wav").write_bytes(b"mine")
        with pytest.raises(OutputError, match="never overwritten"):
            writer.finish()
    assert (tmp_path / "b.wav").read_bytes() == b"mine"


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def write_and_finish(writer: BroadcastWriter, *, pieces: int, size: int) -> None:
    for _ in range(pieces):
        writer.write(noise(size))
    writer.finish()


@pytest.mark.parametrize(("pieces", "size"), [(40, 2000), (1, 6600)], ids=["while writing", "at the end"])
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, pieces: int, size: int) -> None:
    with file_size_limit(20_000), BroadcastWriter.open(tmp_path / "a.wav", bext=BEXT) as writer:
        with pytest.raises(OutputError, match="disk is full") as caught:
            write_and_finish(writer, pieces=pieces, size=size)
        assert "Free some space" in caught.value.remedy
    assert list(tmp_path.glob("a.wav*")) == []


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"")
    with pytest.raises(OutputError, match=r"a\.wav could not be written") as caught:
        BroadcastWriter.open(tmp_path / "out" / "a.wav", bext=BEXT)
    assert caught.value.remedy


def test_a_folder_that_refuses_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(OutputError, match="does not allow it"):
        BroadcastWriter.open(tmp_path / "a.wav", bext=BEXT)


def test_reading_what_is_no_wave(tmp_path: Path) -> None:
    with pytest.raises(MediaMissing):
        read_broadcast_wave(tmp_path / "gone.wav")
    for content in (
        b"RIFF",
        b"not a wave file at all",
        write(tmp_path / "w.wav", noise(9)).read_bytes()[:700],
    ):
        (tmp_path / "bad.wav").write_bytes(content)
        with pytest.raises(UndecodableMedia, match=r"bad\.wav"):
            read_broadcast_wave(tmp_path / "bad.wav")


def test_a_cut_off_file_tells_the_frames_it_has(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", noise(1000))
    path.write_bytes(path.read_bytes()[:-300])
    assert read_broadcast_wave(path).frames == 900
