"""How the panel feels: cold start, a large timeline, and the event loop's worst gap while a render runs.

    python -m benchmarks.panel [--clips 3000] [--spots 300]

Draws without a screen. The targets are docs/panel.md's: 2 s, 2 s, 100 ms. Exit code 1 when one is missed.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import opentimelineio as otio
from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QApplication

from benchmarks.timeline import make_timeline
from plugin.controller.desk import Desk
from plugin.folders import Folders
from plugin.panel.starting import keep_pauses_short, make_application, make_window
from plugin.panel.window import Window

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

COLD_LIMIT, LIST_LIMIT, GAP_LIMIT = 2.0, 2.0, 0.1
RENDER_SECONDS = 25.0
TICK = 5
"""Milliseconds between two beats of the heart."""

COLD_START = """
import sys, time
from PySide6.QtCore import QTimer
from plugin.panel.starting import make_application, make_window
application = make_application()
window = make_window()
window.show()
QTimer.singleShot(0, lambda: (print(time.time()), sys.stdout.flush(), application.exit()))
application.exec()
"""


def cold_start() -> tuple[float, float]:
    """Seconds from the start of Python to the first turn of the shown window's event loop, worst of five.

    The second number is the processor time of each, on average: what it takes where nothing else runs.
    """
    seconds = []
    for _ in range(5):
        begun = time.time()
        ran = subprocess.run([sys.executable, "-c", COLD_START], capture_output=True, text=True, check=True)
        seconds.append(float(ran.stdout) - begun)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return max(seconds), (spent.ru_utime + spent.ru_stime) / 5


class Heart:
    """Beats in the event loop and remembers how long it had to wait.

    Attributes:
        gaps: seconds between two beats.
        work: seconds of processor time that the window's own thread used in each: what is left of a gap
            was spent waiting for a core.
    """

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self.work: list[float] = []
        self._last = time.perf_counter()
        self._worked = time.thread_time()
        self._timer = QTimer()
        self._timer.setInterval(TICK)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def rest(self) -> None:
        """Forget what was."""
        self.gaps.clear()
        self.work.clear()
        self._last, self._worked = time.perf_counter(), time.thread_time()

    def stop(self) -> None:
        """Beat no more; what was stays."""
        self._timer.stop()

    def _beat(self) -> None:
        now, worked = time.perf_counter(), time.thread_time()
        self.gaps.append(now - self._last)
        self.work.append(worked - self._worked)
        self._last, self._worked = now, worked


def wait(application: QApplication, condition: Callable[[], object], *, limit: float = 300.0) -> float:
    """Let the event loop run until something is so; seconds it took."""
    begun = time.perf_counter()
    while not condition() and time.perf_counter() - begun < limit:
        application.processEvents()
        time.sleep(0.001)
    return time.perf_counter() - begun


def large_timeline(application: QApplication, folder: Path, *, clips: int, spots: int) -> float:
    """Seconds from the order to open until every spot is in the list."""
    source = folder / "cut.otio"
    source.write_text(otio.core.serialize_json_to_string(make_timeline(clips, spots, folder)), "utf-8")
    window = shown_window(folder)
    window.open_path(source)
    seconds = wait(application, lambda: window.spots.model.rowCount() == spots)
    wait(application, lambda: False, limit=2.0)
    window.close()
    return seconds


def shown_window(folder: Path) -> Window:
    """A window of a user without a past, with the embedded bundle."""
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(folder / "window"))
    desk = Desk.open(folders=Folders(folder / "config", folder / "data", folder / "cache"))
    window = make_window(desk)
    window.show()
    keep_pauses_short()
    return window


def gap_while_rendering(application: QApplication, folder: Path) -> tuple[Heart, int]:
    """The heart while the embedded bundle renders and somebody works; takes made on the way."""
    from demo_scene import make_scene  # noqa: PLC0415 (of the examples' folder)

    window = shown_window(folder)
    window.open_path(make_scene(folder / "scene").timeline)
    wait(application, window.spots.model.rowCount)
    wait(application, lambda: not window.pulse.desk.status().busy, limit=20.0)
    heart = Heart()
    window.pulse.desk.queue.generate(window.spots.model.ids, takes=8)
    begun, turn = time.perf_counter(), 0
    wait(application, lambda: any(row.progress > 0 for row in window.pulse.desk.queue.rows()))
    heart.rest()
    while time.perf_counter() - begun < RENDER_SECONDS:
        wait(application, lambda: False, limit=0.1)
        turn += 1
        if turn % 2:
            window.inspector.negative_prompt.said.emit(f"noise {turn}")
        else:
            window.spots.step(1 if turn % 8 < 4 else -1)
    heart.stop()
    made = sum(row.made for row in window.pulse.desk.queue.rows())
    window.deeds.may_end_renders = lambda _doing: True  # type: ignore[method-assign]
    window.close()
    return heart, made


def told(what: str, seconds: float, limit: float, more: str = "") -> bool:
    """Print one line; whether the target is met."""
    met = seconds <= limit
    verdict = "" if met else "MISSED"
    print(f"{what:<44}{1000 * seconds:8.0f} ms   target {1000 * limit:5.0f} ms   {verdict} {more}")
    return met


def main() -> int:
    """Measure all three."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=3000)
    parser.add_argument("--spots", type=int, default=300)
    arguments = parser.parse_args()
    seconds, spent = cold_start()
    more = f"processor {1000 * spent:.0f} ms; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    good = told("cold start to a usable window, worst of 5", seconds, COLD_LIMIT, more)
    application = make_application()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds = large_timeline(application, folder, clips=arguments.clips, spots=arguments.spots)
        what = f"{arguments.clips} clips, {arguments.spots} spots to the list"
        good &= told(what, seconds, LIST_LIMIT)
        heart, made = gap_while_rendering(application, folder / "render")
        more = f"99 %: {1000 * statistics.quantiles(heart.gaps, n=100)[98]:.0f} ms, {made} takes made"
        good &= told("worst gap of the event loop in a render", max(heart.gaps), GAP_LIMIT, more)
        told("   of that the window's own work, at most", max(heart.work), GAP_LIMIT)
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
