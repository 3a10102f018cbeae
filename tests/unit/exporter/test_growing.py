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

OLD = '{"schema": 1, "id": "old", "graphs": {}}'
NEW = '{"schema": 1, "id": "new", "graphs": {}}'

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


def _grows(output: Path, work: Callable[[Path], object]) -> None:
    with folder_beside(output) as folder:
        work(folder)
        put_in_place(folder, output)


def _filled(folder: Path) -> Path:
    (folder / MANIFEST_NAME).write_text(NEW)
    return folder


def _bundle(folder: Path) -> Path:
    folder.mkdir()
    (folder / MANIFEST_NAME).write_text(OLD)
    return folder


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
        (folder / MANIFEST_NAME).write_text(OLD)
        put_in_place(folder, output)
    assert [path.name for path in place.iterdir()] == ["bundle"]
    assert [path.name for path in output.iterdir()] == [MANIFEST_NAME]


def test_an_export_that_still_runs_is_left_alone(place: Path, start: Start) -> None:
    start(place / "bundle")
    (other,) = _hidden(place)
    with folder_beside(place / "bundle") as folder:
        assert set(_hidden(place)) == {other, folder.parent}
    assert (other / "bundle" / "flow.onnx").read_bytes() == b"half"


@pytest.mark.parametrize("name", ["other", "bundle-fp16", "bundle-2", "bundle.v1"])
def test_folders_of_other_bundles_and_other_people_are_left_alone(
    place: Path, start: Start, name: str
) -> None:
    other = start(place / name)
    other.kill()
    other.wait()
    (left,) = _hidden(place)
    (left / "before").mkdir()
    (left / "before" / MANIFEST_NAME).write_text(OLD)
    theirs = place / ".bundle-of-mine.part"
    theirs.mkdir()
    before = _hidden(place)
    with folder_beside(place / "bundle") as folder:
        assert not (place / "bundle").exists()
        put_in_place(_filled(folder), place / "bundle")
    assert _hidden(place) == before
    assert (left / "before" / MANIFEST_NAME).read_text() == OLD


def test_a_bundle_that_stepped_aside_at_the_kill_comes_back(place: Path) -> None:
    output = place / "bundle"
    output.mkdir()
    (output / MANIFEST_NAME).write_text(OLD)
    command = [sys.executable, "-c", textwrap.dedent(STEP_ASIDE), str(output)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert not output.exists()
    with pytest.raises(ZeroDivisionError):
        _fails(output)
    assert (output / MANIFEST_NAME).read_text() == OLD
    assert [path.name for path in place.iterdir()] == ["bundle"]


def test_a_bundle_whose_successor_cannot_be_named_comes_back(place: Path) -> None:
    output = place / "bundle"
    output.mkdir()
    (output / MANIFEST_NAME).write_text(OLD)
    with pytest.raises(ExportError, match="could not be written"):
        _grows(output, lambda folder: folder.rmdir())
    assert (output / MANIFEST_NAME).read_text() == OLD
    assert [path.name for path in place.iterdir()] == ["bundle"]


def test_a_file_system_without_locks_is_no_hindrance(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("exporter.growing._hold", refuse)
    with folder_beside(place / "bundle") as first, folder_beside(place / "bundle") as second:
        assert first.is_dir()
        assert second.is_dir()


def _comes_while_it_grows(output: Path, name: str, content: str) -> str:
    """What is told when a file appears in the place before the bundle is named."""

    def comes(folder: Path) -> None:
        _filled(folder)
        output.mkdir(exist_ok=True)
        (output / name).write_text(content)

    with pytest.raises(ExportError) as refused:
        _grows(output, comes)
    return str(refused.value)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("notes.txt", "mine", "holds more than a bundle: notes.txt. It was left as it is"),
        (MANIFEST_NAME, '{"name": "web"}', "its manifest.json is not of one. It was left as it is"),
        (
            MANIFEST_NAME,
            '{"schema": 1, "id": "third", "graphs": {}}',
            "became another bundle in the meantime.",
        ),
    ],
)
def test_what_comes_to_the_place_in_the_meantime_stays_and_so_does_the_bundle(
    place: Path, name: str, content: str, told: str
) -> None:
    output = _bundle(place / "bundle")
    message = _comes_while_it_grows(output, name, content)
    assert told in message
    assert f"the finished bundle is {place / 'bundle-2'}. Use it under that name" in message
    assert (output / name).read_text() == content
    assert (place / "bundle-2" / MANIFEST_NAME).read_text() == NEW
    assert sorted(path.name for path in place.iterdir()) == ["bundle", "bundle-2"]


def test_a_name_that_was_free_is_not_taken_from_what_has_it_by_then(place: Path) -> None:
    _bundle(place / "bundle-2")
    _comes_while_it_grows(place / "bundle", MANIFEST_NAME, OLD)
    assert (place / "bundle" / MANIFEST_NAME).read_text() == OLD
    assert (place / "bundle-2" / MANIFEST_NAME).read_text() == OLD
    assert (place / "bundle-3" / MANIFEST_NAME).read_text() == NEW


def test_what_comes_at_the_last_moment_stays(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output, rename = _bundle(place / "bundle"), Path.rename

    def aside(path: Path, target: Path) -> Path:
        if path == output:
            (output / "notes.txt").write_text("mine")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", aside)
    with pytest.raises(ExportError, match="bundle-2"), folder_beside(output) as folder:
        put_in_place(_filled(folder), output)
    assert (output / "notes.txt").read_text() == "mine"
    assert (place / "bundle-2" / MANIFEST_NAME).read_text() == NEW


def test_an_interruption_while_it_steps_aside_gives_the_bundle_back(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, rename = _bundle(place / "bundle"), Path.rename

    def interrupted(path: Path, target: Path) -> Path:
        if path.name == "bundle" and path != output:
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt), folder_beside(output) as folder:
        put_in_place(_filled(folder), output)
    assert (output / MANIFEST_NAME).read_text() == OLD
    assert [path.name for path in place.iterdir()] == ["bundle"]


def test_what_stepped_aside_is_kept_where_its_name_was_taken_in_that_instant(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, rename = _bundle(place / "bundle"), Path.rename

    def taken(path: Path, target: Path) -> Path:
        moved = rename(path, target)
        if path == output:
            output.write_text("somebody's file")
        return moved

    monkeypatch.setattr(Path, "rename", taken)
    with pytest.raises(ExportError, match="bundle-3"), folder_beside(output) as folder:
        put_in_place(_filled(folder), output)
    assert output.read_text() == "somebody's file"
    assert (place / "bundle-2" / MANIFEST_NAME).read_text() == OLD
    assert (place / "bundle-3" / MANIFEST_NAME).read_text() == NEW


def test_a_link_is_followed_and_stays(place: Path) -> None:
    there = _bundle(place / "there")
    (place / "elsewhere").mkdir()
    link = place / "elsewhere" / "bundle"
    link.symlink_to(Path("..") / "there")
    with folder_beside(link) as folder:
        put_in_place(_filled(folder), link)
    assert link.is_symlink()
    assert (there / MANIFEST_NAME).read_text() == NEW
    assert sorted(path.name for path in place.rglob("*")) == ["bundle", "elsewhere", MANIFEST_NAME, "there"]
