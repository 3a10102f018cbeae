"""A bundle's folder while it grows: what a kill leaves, and who clears it away."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from exporter.errors import ExportError
from exporter.growing import folder_beside, put_in_place
from models_onnx.bundle import MANIFEST_NAME

GROW = """
    import sys
    from pathlib import Path
    from exporter.growing import folder_beside

    with folder_beside(Path(sys.argv[1])) as folder:
        (folder / "flow.onnx").write_bytes(b"half")
        print("growing", flush=True)
        sys.stdin.read()
"""
STEP_ASIDE = """
    import os, signal, sys
    from pathlib import Path
    from exporter.growing import folder_beside, put_in_place

    def killed(self, target):
        os.kill(os.getpid(), signal.SIGKILL)

    with folder_beside(Path(sys.argv[1])) as folder:
        rename = type(folder).rename
        type(folder).rename = lambda self, to: killed(self, to) if self == folder else rename(self, to)
        put_in_place(folder, Path(sys.argv[1]))
"""

Start = Callable[[Path], "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start an export that grows until its input ends."""
    with ExitStack() as ended:

        def started(output: Path) -> subprocess.Popen[str]:
            command = [sys.executable, "-c", textwrap.dedent(GROW), str(output)]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            ended.enter_context(process)
            ended.callback(process.kill)
            assert process.stdout is not None
            assert process.stdout.readline() == "growing\n"
            return process

        yield started


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An empty folder for bundles."""
    folder = tmp_path / "bundles"
    folder.mkdir()
    return folder


def _hidden(folder: Path) -> list[Path]:
    return sorted(folder.glob(".*"))


def _fails(output: Path) -> None:
    with folder_beside(output) as folder:
        (folder / "flow.onnx").write_bytes(b"half")
        raise ZeroDivisionError


def test_nothing_is_left_of_a_folder_that_was_not_named(place: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        _fails(place / "bundle")
    assert list(place.iterdir()) == []


def test_a_killed_export_is_cleared_away_by_the_next(place: Path, start: Start) -> None:
    output = place / "bundle"
    process = start(output)
    process.kill()
    process.wait()
    (left,) = _hidden(place)
    assert (left / "bundle" / "flow.onnx").read_bytes() == b"half"
    assert not output.exists()
    with folder_beside(output) as folder:
        assert _hidden(place) == [folder.parent]
        assert list(folder.iterdir()) == []
        (folder / MANIFEST_NAME).write_text("{}")
        put_in_place(folder, output)
    assert [path.name for path in place.iterdir()] == ["bundle"]
    assert [path.name for path in output.iterdir()] == [MANIFEST_NAME]


def test_an_export_that_still_runs_is_left_alone(place: Path, start: Start) -> None:
    start(place / "bundle")
    (other,) = _hidden(place)
    with folder_beside(place / "bundle") as folder:
        assert set(_hidden(place)) == {other, folder.parent}
    assert (other / "bundle" / "flow.onnx").read_bytes() == b"half"


def test_folders_of_other_bundles_and_other_people_are_left_alone(place: Path, start: Start) -> None:
    other = start(place / "other")
    other.kill()
    other.wait()
    theirs = place / ".bundle-of-mine.part"
    theirs.mkdir()
    before = _hidden(place)
    with folder_beside(place / "bundle"):
        pass
    assert _hidden(place) == before


def test_a_bundle_that_stepped_aside_at_the_kill_comes_back(place: Path) -> None:
    output = place / "bundle"
    output.mkdir()
    (output / MANIFEST_NAME).write_text("old")
    command = [sys.executable, "-c", textwrap.dedent(STEP_ASIDE), str(output)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert not output.exists()
    with pytest.raises(ZeroDivisionError):
        _fails(output)
    assert (output / MANIFEST_NAME).read_text() == "old"
    assert [path.name for path in place.iterdir()] == ["bundle"]


def test_a_bundle_whose_successor_cannot_be_named_comes_back(place: Path) -> None:
    output = place / "bundle"
    output.mkdir()
    (output / MANIFEST_NAME).write_text("old")
    with pytest.raises(ExportError, match="could not be written"), folder_beside(output) as folder:
        put_in_place(folder / "missing", output)
    assert (output / MANIFEST_NAME).read_text() == "old"
    assert [path.name for path in place.iterdir()] == ["bundle"]


def test_a_file_system_without_locks_is_no_hindrance(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("exporter.growing._hold", refuse)
    with folder_beside(place / "bundle") as first, folder_beside(place / "bundle") as second:
        assert first.is_dir()
        assert second.is_dir()
