"""Whether Resolve runs, from listings as the systems give them."""

from __future__ import annotations

from pathlib import Path

import pytest

from resolve_bridge import processes
from resolve_bridge.processes import is_resolve_running

TASKS = '"Resolve.exe","4711","Console","1","3.412.884 K"\r\n'
NO_TASKS = "INFO: No tasks are running which match the specified criteria.\r\n"
PS = "/sbin/launchd\n/Applications/DaVinci Resolve/DaVinci Resolve.app/Contents/MacOS/Resolve\n"


@pytest.mark.parametrize(
    ("platform", "listing", "running"),
    [
        ("win32", TASKS, True),
        ("win32", NO_TASKS, False),
        ("win32", None, None),
        ("darwin", PS, True),
        ("darwin", "/sbin/launchd\n/usr/bin/ResolveHelper\n", False),
        ("darwin", None, None),
    ],
)
def test_listings(platform: str, listing: str | None, running: bool | None) -> None:
    assert is_resolve_running(platform, run=lambda _: listing) is running


@pytest.mark.parametrize(
    ("line", "running"),
    [
        (b"/opt/resolve/bin/resolve\0-nogui\0", True),
        (b"resolve\0", True),
        (b"/usr/bin/systemd-resolved\0", False),
        (b"/usr/bin/vi\0/opt/resolve/bin/resolve\0", False),
        (b"", False),
    ],
)
def test_linux_looks_at_programs_not_at_arguments(tmp_path: Path, line: bytes, running: bool) -> None:
    for number, content in (("1", b"/sbin/init\0"), ("4711", line)):
        (tmp_path / number).mkdir()
        (tmp_path / number / "cmdline").write_bytes(content)
    (tmp_path / "8").mkdir()
    assert processes._in_proc(tmp_path) is running


def test_a_system_without_a_listing_does_not_tell(tmp_path: Path) -> None:
    assert processes._in_proc(tmp_path / "none") is None
    assert processes._output(["/nowhere/ps"]) is None


def test_this_system_tells() -> None:
    assert is_resolve_running() in {True, False, None}
    assert "sh" in (processes._output(["sh", "-c", "echo sh"]) or "")
