"""Ctrl-C: the first stops cleanly and can be resumed, the second ends at once. The bar: on terminals only."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import GOLDEN
from tests.cli.made_timelines import make_timeline

PATIENCE = 60


def render_line(film: Path, out: Path, *more: str) -> list[str]:
    program = [sys.executable, "-m", "plugin.cli", "render", str(film), "-o", str(out)]
    return [*program, "--bundle", str(GOLDEN), "--provider", "cpu", "--threads", "1", *more]


def wait_for(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_cleanly_and_the_next_run_resumes(tmp_path: Path, number: int) -> None:
    film, out = make_timeline(tmp_path / "edit").path, tmp_path / "out"
    sheet = tmp_path / "cues.toml"
    subprocess.run([sys.executable, "-m", "plugin.cli", "spots", film, "--write", sheet], check=True)
    quick_then_slow = sheet.read_text("utf-8").replace('id = "001"', 'id = "001"\nsteps = 1')
    sheet.write_text(quick_then_slow.replace('id = "002"', 'id = "002"\nsteps = 1000'), "utf-8")
    line = render_line(film, out, "--cues", str(sheet))
    child = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for((out / "film_001_violin_t01.json").exists)
    child.send_signal(number)
    said, told = child.communicate(timeout=PATIENCE)
    assert child.returncode == 130, told
    assert "Stopping after this step" in told
    assert "Run the same line again to go on" in told
    assert "Traceback" not in told
    assert said.splitlines() == [str(out / "film_001_violin_t01.wav")]
    left = {path.name for path in out.rglob("*") if path.is_file() and path.suffix != ".lock"}
    assert left == {"film_001_violin_t01.wav", "film_001_violin_t01.json", "journal.jsonl"}

    sheet.write_text(sheet.read_text("utf-8").replace("steps = 1000", "steps = 1"), "utf-8")
    resumed = subprocess.run([*line, "-v"], capture_output=True, text=True, check=True)
    assert "film_001_violin_t01.wav was whole already" in resumed.stderr
    assert "film_002_trumpet_t01.wav written" in resumed.stderr


def test_a_second_ctrl_c_ends_at_once() -> None:
    code = (
        "import os, time\n"
        "from plugin.cli.interrupt import Interruption\n"
        "with Interruption(lambda text: os.write(1, text.encode() + b'\\n')):\n"
        "    print('ready', flush=True)\n"
        "    end = time.monotonic() + 60\n"
        "    while time.monotonic() < end: time.sleep(0.01)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    with child.stdout:
        assert child.stdout.readline() == "ready\n"
        child.send_signal(signal.SIGINT)
        assert "Stopping after this step" in child.stdout.readline()
        child.send_signal(signal.SIGINT)
        assert child.wait(timeout=10) == -signal.SIGINT


def test_a_signal_amid_a_print_is_told_all_the_same(capfd: pytest.CaptureFixture[str]) -> None:
    from plugin.cli.interrupt import Interruption

    def busy(_text: str) -> None:
        raise RuntimeError("reentrant call inside <_io.BufferedWriter name='<stderr>'>")

    with Interruption(busy) as interruption:
        os.kill(os.getpid(), signal.SIGINT)
        assert interruption()
    assert "Stopping after this step" in capfd.readouterr().err


def test_handlers_are_put_back() -> None:
    from plugin.cli.interrupt import Interruption

    before = signal.getsignal(signal.SIGINT)
    with Interruption(lambda _text: None) as interruption:
        assert not interruption()
    assert signal.getsignal(signal.SIGINT) is before


def on_a_terminal(line: list[str]) -> tuple[int, str]:
    """Exit code and what a terminal on stderr was shown."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
    child = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=theirs, env=environment)
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the other side has closed
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    return child.wait(timeout=PATIENCE), shown.decode("utf-8", "replace")


def test_a_terminal_sees_a_bar_with_the_time_left(tmp_path: Path) -> None:
    film = make_timeline(tmp_path / "edit").path
    code, shown = on_a_terminal(render_line(film, tmp_path / "out", "--steps", "30"))
    assert code == 0, shown
    assert "1/2 001 violin" in shown
    assert "2/2 002 trumpet" in shown
    assert "%" in shown
    assert " left" in shown


def test_a_terminal_sees_errors_in_colour(tmp_path: Path) -> None:
    code, shown = on_a_terminal(render_line(tmp_path / "gone.otio", tmp_path / "out"))
    assert code == 2
    assert "\x1b[31merror\x1b[0m: There is no timeline file" in shown
