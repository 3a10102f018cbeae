"""Draws the panel's states to PNG files, without a screen: `python docs/make_screenshots.py [--out docs/panel]`."""  # noqa: INP001, E501

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PIL import Image
from PySide6.QtCore import QSettings
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QTableWidget, QWidget

from plugin.controller.desk import Desk
from plugin.controller.masking.views import Tool
from plugin.folders import Folders
from plugin.panel.palettes import Scheme
from plugin.panel.starting import make_application, make_window
from plugin.panel.window import Window

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "examples"))
LIMIT = 180.0
DOUBLE = "200_percent"
COLOURS = 240
AROUND_THE_ANVIL = (
    *((273, 206), (345, 201), (529, 201), (529, 235), (472, 236), (472, 270), (506, 270), (506, 302)),
    *((371, 302), (371, 270), (403, 270), (403, 236), (350, 235), (290, 216)),
)
"""Of the example's first picture, in its pixels."""

PUBLISHED = {
    *("takes", "generating", "problems", "light", "first_run", "doctor", "settings", "placed"),
    *("masking", "masking_narrow"),
    DOUBLE,
}
"""What docs/panel.md shows."""


class Camera:
    """Takes pictures of one window.

    Attributes:
        application: its event loop runs while something is waited for.
        window: the window.
        folder: where pictures go.
        home: of the user whose window it is.
        everything: also states that no page shows.
    """

    def __init__(
        self, application: QApplication, window: Window, folder: Path, *, home: Path, everything: bool
    ) -> None:
        self.application, self.window, self.folder = application, window, folder
        self.home, self.everything = home, everything

    def until(self, condition: Callable[[], object]) -> None:
        """Let the event loop run until something is so."""
        end = time.monotonic() + LIMIT
        while not condition():
            if time.monotonic() > end:
                raise SystemExit("a state of the panel did not come")
            self.application.processEvents()
            time.sleep(0.01)

    def settle(self, seconds: float = 1.0) -> None:
        """Let everything that was asked for be drawn."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end)

    def shoot(self, name: str, what: QWidget | None = None) -> None:
        """One picture, in few colours so that it is small."""
        if name not in PUBLISHED and not self.everything:
            return
        self.settle()
        self._tidy(what or self.window)
        image = (what or self.window).grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
        size, stride = (image.width(), image.height()), image.bytesPerLine()
        picture = Image.frombuffer("RGB", size, bytes(image.constBits()), "raw", "RGB", stride, 1)
        path = self.folder / f"{name}.png"
        picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)

    def _tidy(self, what: QWidget) -> None:
        """Show an editor's folders in place of those that this happens to run in."""
        for text in what.findChildren(QLabel):
            text.setText(self._of_an_editor(text.text()))
        for table in what.findChildren(QTableWidget):
            for row in range(table.rowCount()):
                for column in range(table.columnCount()):
                    item = table.item(row, column)
                    item.setText(self._of_an_editor(item.text()))

    def _of_an_editor(self, text: str) -> str:
        text = text.replace(str(ROOT), "/opt/sagafoley").replace(str(self.home), "/home/editor")
        text = text.replace(str(Path.cwd()), "/home/editor/film").replace(str(Path.home()), "/home/editor")
        return re.sub(r"(Linux|macOS|Windows)-[\w.-]+", r"\1", text)

    def dialog(self, key: str) -> QDialog:
        """The dialog that a command opens."""
        self.window.deeds.do(key)
        self.application.processEvents()
        return next(each for each in self.window.findChildren(QDialog) if each.isVisible())


def main() -> int:
    """Draw all states."""
    parser = argparse.ArgumentParser(description="Draw the panel's states.")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "panel")
    parser.add_argument("--only", choices=(DOUBLE,), help="just this one")
    parser.add_argument("--everything", action="store_true", help="also states that no page shows")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    application = make_application()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        camera = Camera(application, _window(home), options.out, home=home, everything=options.everything)
        _open(camera, Path(name)) if options.only else _all(camera, Path(name))
        if options.only:
            _generate(camera)
            camera.shoot(options.only)
        camera.window.close()
    if not options.only:
        line = [sys.executable, __file__, "--out", str(options.out), "--only", DOUBLE]
        subprocess.run(line, check=True, env=os.environ | {"QT_SCALE_FACTOR": "2"})
    return 0


def _window(folder: Path) -> Window:
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(folder / "window"))
    folders = Folders(folder / "config", folder / "data", folder / "cache")
    window = make_window(Desk.open(folders=folders))
    window.show()
    return window


def _open(camera: Camera, folder: Path) -> Path:
    from demo_scene import make_scene  # noqa: PLC0415 (of the examples' folder)

    scene = make_scene(folder / "film")
    camera.window.open_path(scene.timeline)
    camera.until(camera.window.spots.model.rowCount)
    return scene.movie


def _generate(camera: Camera) -> None:
    window = camera.window
    window.deeds.do("select_all")
    window.actions_.takes.setValue(2)
    window.deeds.do("generate_selection")
    camera.until(lambda: not window.pulse.desk.queue.running)
    window.spots.select(window.spots.model.ids[:1])


def _all(camera: Camera, folder: Path) -> None:
    window, desk = camera.window, camera.window.pulse.desk
    camera.shoot("start")
    window.show_installed()
    camera.shoot("first_run")
    window.show_doctor()
    camera.until(lambda: not desk.machine.doctor.running)
    camera.shoot("doctor")
    window.doctor.back.click()
    movie = _open(camera, folder)
    camera.shoot("opened")
    _mask(camera)
    window.deeds.do("select_all")
    window.inspector.steps.setValue(400)
    window.deeds.do("generate_selection")
    window.deeds.do("go_queue")
    camera.until(lambda: any(row.seconds_left and row.progress > 0.35 for row in desk.queue.rows()))
    camera.shoot("generating")
    window.deeds.do("cancel_all")
    camera.until(lambda: not desk.queue.running)
    desk.queue.clear()
    window.deeds.do("undo")
    window.deeds.do("go_sound")
    _generate(camera)
    window.deeds.do("go_takes")
    camera.shoot("takes")
    _placed(camera)
    window.wear(Scheme.LIGHT)
    camera.shoot("light")
    window.wear(Scheme.DARK)
    _dialogs(camera)
    movie.unlink()
    window.problems.recheck.click()
    camera.until(window.problems.list.count)
    window.deeds.do("go_problems")
    camera.shoot("problems")


def _mask(camera: Camera) -> None:
    window = camera.window
    window.deeds.do("make_matte")
    camera.until(lambda: window.masks.on and window.masks.page.session.picture)
    session = window.masks.page.session
    session.marking.lasso([(float(x), float(y)) for x, y in AROUND_THE_ANVIL])
    camera.until(lambda: window.masks.page.track.both.isEnabled() and not session.busy)
    window.masks.page.track.both.click()
    camera.until(lambda: session.tracking and session.tracking.done > 50)
    camera.shoot("masking")
    camera.until(lambda: not session.tracking.running)
    session.show(session.view().spot_first)
    session.choose_tool(Tool.BRUSH)
    size = window.size()
    window.wear(Scheme.LIGHT)
    window.resize(720, 620)
    camera.shoot("masking_narrow")
    window.wear(Scheme.DARK)
    window.masks.page.escape()
    window.deeds.sure_to_leave = lambda *_: True
    window.masks.may_leave("Leave")
    window.resize(size)


def _placed(camera: Camera) -> None:
    dialog = camera.dialog("place")
    camera.shoot("placing", dialog)
    dialog.act.click()  # type: ignore[attr-defined]
    camera.until(lambda: dialog.windowTitle() == "Placed")
    camera.shoot("placed", dialog)
    dialog.close()
    camera.settle(0.1)


def _dialogs(camera: Camera) -> None:
    for key, name in (
        ("show_settings", "settings"),
        ("show_shortcuts", "shortcuts"),
        ("show_about", "about"),
    ):
        dialog = camera.dialog(key)
        camera.shoot(name, dialog)
        dialog.close()
        camera.settle(0.1)


if __name__ == "__main__":
    raise SystemExit(main())
