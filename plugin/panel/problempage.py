"""Everything that is wrong, each with its remedy and the buttons that can do something about it."""

from __future__ import annotations

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QIcon
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QInputDialog, QListWidget, QListWidgetItem, QWidget

from plugin.controller.given import given_path
from plugin.controller.views import Action, ActionRow, Needs, ProblemRow
from plugin.cues import Severity
from plugin.panel.icons import icon
from plugin.panel.palettes import Shades
from plugin.panel.parts import button, cleared, column, label, name
from plugin.panel.pulse import Pulse

_ROW = Qt.ItemDataRole.UserRole
_BUTTONS_PER_LINE = 2


class ProblemPage(QWidget):
    """The list on top; below it the whole sentence, what to do, and buttons."""

    wanted = Signal(str)
    """The spot of a problem is to be looked at."""
    doctor_wanted = Signal()

    def __init__(self, pulse: Pulse, shades: Shades, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pulse, self._problems = pulse, pulse.desk.problems
        self._shades = shades
        self.list = QListWidget()
        self._empty = label("No problems.", use="good")
        self.message = label("", selectable=True)
        self.remedy = label("", use="heading", selectable=True)
        self._buttons = column(space=6)
        self.recheck = button(
            "Look again", self._recheck, icon_name="reload", tells="Look at all media of the timeline again"
        )
        self._shown: ProblemRow | None = None
        self._build()
        for signal in (pulse.problems, pulse.timeline, pulse.spots):
            signal.connect(self._refresh)
        self._refresh()

    def wear(self, shades: Shades) -> None:
        """Take other colours."""
        self._shades = shades
        for item in self._items():
            self._fill(item, item.data(_ROW))

    def _build(self) -> None:
        self.list.setWordWrap(True)
        self.list.setAlternatingRowColors(True)
        name(self.list, "Problems", "Enter goes to the spot; Tab goes to what can be done.")
        self.list.currentRowChanged.connect(lambda _: self._show_current())
        self.list.itemActivated.connect(lambda item: self.wanted.emit(item.data(_ROW).cue_id))
        page = column(self._empty, self.list, self.message, self.remedy, self._buttons, space=6, edge=8)
        last = QHBoxLayout()
        last.addWidget(self.recheck)
        last.addStretch(1)
        page.addLayout(last)
        page.setStretch(1, 1)
        self.setLayout(page)

    def _recheck(self) -> None:
        self._pulse.attempt(self._problems.recheck)

    def _items(self) -> list[QListWidgetItem]:
        return [self.list.item(place) for place in range(self.list.count())]

    def _refresh(self, _event: object = None) -> None:
        rows = self._problems.rows()
        if rows != tuple(item.data(_ROW) for item in self._items()):
            current = self.list.currentItem()
            kept = current.data(_ROW).id if current else ""
            self._fill_anew(rows, kept)
        self.list.setVisible(bool(rows))
        self._empty.setVisible(not rows)
        self.recheck.setEnabled(self._pulse.desk.timeline is not None)
        self._show_current()

    def _fill_anew(self, rows: tuple[ProblemRow, ...], kept: str) -> None:
        self.list.clear()
        for each in rows:
            item = QListWidgetItem(self.list)
            self._fill(item, each)
            if each.id == kept:
                self.list.setCurrentItem(item)
        if self.list.currentRow() < 0 and rows:
            self.list.setCurrentRow(0)

    def _fill(self, item: QListWidgetItem, each: ProblemRow) -> None:
        item.setData(_ROW, each)
        cue = f"{each.cue_id}: " if each.cue_id else ""
        item.setText(cue + each.message)
        item.setIcon(_sign(each.severity, self._shades))
        kind = "Blocks" if each.severity is Severity.BLOCKER else "Warning"
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{kind}: {cue}{each.message} {each.remedy}")

    def _show_current(self) -> None:
        item = self.list.currentItem()
        each: ProblemRow | None = item.data(_ROW) if item is not None else None
        for text, shown in ((self.message, each and each.subject), (self.remedy, each and each.remedy)):
            text.setText(shown or "")
            text.setVisible(bool(shown))
        self.message.setToolTip(each.detail if each else "")
        if each == self._shown:
            return
        self._shown = each
        cleared(self._buttons)
        for action in each.actions if each else ():
            self._buttons.addWidget(self._button(each, action))

    def _button(self, each: ProblemRow | None, action: ActionRow) -> QWidget:
        main = each is not None and action is each.actions[0]
        return button(action.title, lambda: self._act(each, action), main=main)

    def _act(self, each: ProblemRow | None, action: ActionRow) -> None:
        if each is None:
            return
        if action.action is Action.SHOW_DOCTOR:
            self.doctor_wanted.emit()
            return
        if action.action is Action.OPEN_FOLDER:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._problems.folder_of(each))))
            return
        given = self._asked(action)
        if action.needs is Needs.NOTHING or given:
            path = given if action.needs is Needs.BUNDLE else given_path(given)
            self._pulse.attempt(lambda: self._problems.act(each.id, action.action, path))

    def _asked(self, action: ActionRow) -> str:
        match action.needs:
            case Needs.FILE:
                return QFileDialog.getOpenFileName(self, action.title)[0]
            case Needs.FOLDER:
                return QFileDialog.getExistingDirectory(self, action.title)
            case Needs.BUNDLE:
                there = [each.name for each in self._pulse.desk.machine.bundles()]
                chosen, really = QInputDialog.getItem(self, action.title, "Bundle", there, 0, False)  # noqa: FBT003
                return chosen if really else ""
            case _:
                return ""


def _sign(severity: Severity, shades: Shades) -> QIcon:
    blocks = severity is Severity.BLOCKER
    return icon("bad" if blocks else "problem", shades.colour("bad" if blocks else "warn"))
