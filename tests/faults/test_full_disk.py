"""A disk that fills up in the middle of a render: one clear error, nothing half-written, nothing lost."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest

from plugin.errors import OutputError
from plugin.render.events import CueFailed, RenderEvent, SheetFinished, TakeWritten
from plugin.render.runner import render_with
from plugin.render.workshop import Workshop
from tests.faults.stem_invariants import (
    assert_all_done,
    assert_nothing_is_broken,
    environment,
    finished_takes,
)
from tests.made_cues import FACTS, MadeSynthesis, cue, open_made, sheet

ROOT = Path(__file__).parents[2]
CUES = 3
SHEET = sheet(*(cue(number) for number in range(1, CUES + 1)))
WORKSHOP = Workshop(FACTS, open_made, MadeSynthesis(), ())

LIMITED = """
import resource, sys
from pathlib import Path
from plugin.errors import OutputError
from plugin.render.runner import render_with
from tests.faults.test_full_disk import SHEET, WORKSHOP
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    list(render_with(WORKSHOP, SHEET, folder=Path(sys.argv[1])))
except OutputError as error:
    print(error.message, "|", error.remedy)
    sys.exit(2)
"""


def render_all(folder: Path) -> list[RenderEvent]:
    return list(render_with(WORKSHOP, SHEET, folder=folder))


def assert_next_run_completes(folder: Path) -> None:
    """With room again, what is missing is made and what is whole is kept."""
    before = finished_takes(folder)
    end = render_all(folder)[-1]
    assert isinstance(end, SheetFinished)
    assert (end.written + end.kept, end.failed) == (CUES, 0)
    assert before.items() <= finished_takes(folder).items()
    assert_all_done(folder, takes=CUES)


@contextmanager
def full_at(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, count: int) -> Iterator[list[int]]:
    """From its `count`-th call on, `module.name` says that the disk is full; gives the calls seen."""
    real, seen = getattr(module, name), [0]

    def maybe(*arguments: Any, **options: Any) -> Any:
        seen[0] += 1
        if seen[0] >= count:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(module, name, maybe)
        yield seen


def stop_when_full(folder: Path) -> tuple[list[RenderEvent], OutputError]:
    events: list[RenderEvent] = []
    with pytest.raises(OutputError) as caught:
        events.extend(render_with(WORKSHOP, SHEET, folder=folder))
    return events, caught.value


@pytest.mark.parametrize("count", [*range(1, 12), 15, 20])
@pytest.mark.parametrize("name", ["fsync", "link", "mkdir"])
def test_no_room_at_the_nth_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, count: int
) -> None:
    folder = tmp_path / "stems"
    events: list[RenderEvent] = []
    # A refused link is answered with a rename, which needs no room, and few calls may do for a sheet.
    told = nullcontext() if name == "link" else suppress(OutputError)
    with full_at(monkeypatch, os, name, count) as seen, told:
        events.extend(render_with(WORKSHOP, SHEET, folder=folder))
    if name == "fsync":
        assert (seen[0] < count) == (bool(events) and isinstance(events[-1], SheetFinished))
    assert [event for event in events if isinstance(event, CueFailed)] == []
    assert seen[0] > 0
    if folder.exists():
        assert_nothing_is_broken(folder)
    assert_next_run_completes(folder)


def _limited_write(limit: int) -> Callable[..., Any]:
    """A `Path.open` whose files take at most `limit` bytes, all of them together."""
    real, left = Path.open, [limit]

    class Small:
        def __init__(self, file: Any) -> None:
            self._file = file

        def write(self, data: bytes) -> Any:
            left[0] -= len(data)
            if left[0] < 0:
                self._file.write(data[: max(0, len(data) + left[0])])
                raise OSError(errno.ENOSPC, "No space left on device")
            return self._file.write(data)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

        def __enter__(self) -> Any:
            self._file.__enter__()
            return self

        def __exit__(self, *error: object) -> None:
            self._file.__exit__(*error)

    def opened(path: Path, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        file = real(path, mode, *arguments, **options)
        return Small(file) if "w" in mode else file

    return opened


@pytest.mark.parametrize(
    "limit", [0, 1, 1000, 40_000, 76_000, 77_500, 100_000, 134_500, 136_000, 150_000, 250_000, 400_000]
)
def test_no_room_after_so_many_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    folder = tmp_path / "stems"
    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", _limited_write(limit))
        events, error = stop_when_full(folder)
    assert "disk is full" in error.message
    assert "Free some space" in error.remedy
    written = [event for event in events if isinstance(event, TakeWritten)]
    assert len(written) <= limit // (19_219 * 7)
    assert [event for event in events if isinstance(event, CueFailed)] == []
    assert_nothing_is_broken(folder)
    assert len(finished_takes(folder)) == 2 * len(written)
    assert_next_run_completes(folder)


@pytest.mark.parametrize("limit", [100, 1_000, 30_000, 60_000, 76_000])
def test_the_systems_own_limit_on_file_size(tmp_path: Path, limit: int) -> None:
    folder = tmp_path / "stems"
    child = subprocess.run(
        [sys.executable, "-c", LIMITED, str(folder), str(limit)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(ROOT),
        check=False,
    )
    assert child.returncode == 2, child.stderr
    assert "disk is full" in child.stdout
    assert "Traceback" not in child.stderr
    assert_nothing_is_broken(folder)
    assert list(folder.glob("*.*")) == [folder / ".sagafoley"]
    assert_next_run_completes(folder)


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[bool]:
    """Mounts a small disk at `folder` where this user may; tells whether it did."""
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    mounted = mount is not None and subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("kilobytes", [64, 144, 208, 256])
def test_a_small_disk(tmp_path: Path, kilobytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real one where mounting is allowed; elsewhere writes are cut off at the same size."""
    folder = tmp_path / "disk"
    with small_disk(folder, kilobytes) as mounted, monkeypatch.context() as patched:
        if not mounted:
            patched.setattr(Path, "open", _limited_write(kilobytes * 1024))
        _, error = stop_when_full(folder)
        assert "disk is full" in error.message
        assert_nothing_is_broken(folder)
        kept = finished_takes(folder)
        if mounted:
            larger = ["mount", "-o", "remount,size=4m", str(folder)]
            subprocess.run(larger, check=True)
        patched.undo()
        assert_next_run_completes(folder)
        assert kept.items() <= finished_takes(folder).items()
