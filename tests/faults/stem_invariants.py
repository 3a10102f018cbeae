"""What must be true of a stem folder at any moment, whatever has happened to the programs that fill it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from plugin.media.bwf_reading import read_broadcast_wave
from plugin.render.takes import read_take

State = dict[str, tuple[int, int, str]]


def finished_takes(folder: Path) -> State:
    """Inode, time of change and hash of the files of every take that has both its names."""
    return {
        path.name: (
            path.stat().st_ino,
            path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for sidecar in folder.glob("*.json")
        for path in (sidecar, sidecar.with_suffix(".wav"))
    }


def assert_nothing_is_broken(folder: Path) -> None:
    """Every file under a final name is whole: each WAV parses, each sidecar has the WAV that it describes."""
    for path in (path for path in folder.iterdir() if path.is_file()):
        assert path.suffix in {".wav", ".json"}, path.name
        if path.suffix == ".wav":
            wave = read_broadcast_wave(path)
            assert wave.frames * 3 <= path.stat().st_size
            assert wave.time_reference is not None
        else:
            take = read_take(path)
            wav = path.with_suffix(".wav")
            assert hashlib.sha256(wav.read_bytes()).hexdigest() == take.audio.sha256
            assert wav.stat().st_size == take.audio.bytes
            assert read_broadcast_wave(wav).frames == take.audio.samples


def assert_all_done(folder: Path, *, takes: int) -> None:
    """The sheet is complete, nothing is there twice, nothing unfinished is left."""
    assert_nothing_is_broken(folder)
    assert len(list(folder.glob("*.wav"))) == len(list(folder.glob("*.json"))) == takes
    identities = {read_take(path).identity for path in folder.glob("*.json")}
    assert len(identities) == takes
    assert [path.name for path in (folder / ".sagafoley").iterdir() if ".part" in path.name] == []


def environment(root: Path) -> dict[str, str]:
    """The surroundings of a child process that finds our packages and tests."""
    return {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
