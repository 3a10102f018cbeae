"""Pages beside the desk: the start page, what is installed, and the doctor."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QHeaderView,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from plugin.controller.views import AdditionRow
from plugin.doctor import State
from plugin.panel.icons import icon
from plugin.panel.palettes import Shades
from plugin.panel.parts import button, card, cleared, column, label, name, row, scrolled
from plugin.panel.pulse import Pulse

_PATH = Qt.ItemDataRole.UserRole
_SIGNS = {State.GOOD: ("good", "good"), State.NOTE: ("note", "warn"), State.BAD: ("bad", "bad")}


class StartPage(QWidget):
    """How a timeline gets onto the desk: dropped, chosen, from the editor, or again."""

    opened = Signal(object)
    """The path of a recent timeline."""
    file_wanted = Signal()
    editor_wanted = Signal()
    installed_wanted = Signal()
    doctor_wanted = Signal()

    def __init__(self, pulse: Pulse, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = pulse.desk
        self.open = button("Open timeline...", self.file_wanted.emit, main=True, icon_name="open")
        self.editor = button("Take the editor's timeline", self.editor_wanted.emit, icon_name="host")
        self.recent = QListWidget()
        self._none = label("Timelines that you open are listed here.", use="faint")
        self._build()
        pulse.timeline.connect(self.refresh)

    def refresh(self, _event: object = None) -> None:
        """List what was open before."""
        self.recent.clear()
        for each in self._desk.recent():
            item = QListWidgetItem(f"{each.name}\n{each.folder}{'' if each.there else ' (not there now)'}")
            item.setData(_PATH, each.path)
            item.setToolTip(str(each.path))
            if not each.there:
                item.setFlags(Qt.ItemFlag.NoItemFlags)
            self.recent.addItem(item)
        self.recent.setVisible(self.recent.count() > 0)
        self._none.setVisible(self.recent.count() == 0)

    def _build(self) -> None:
        self.open.setAccessibleDescription("OTIO, OTIOZ, EDL, Final Cut 7 XML or AAF")
        self.recent.setAlternatingRowColors(True)
        self.recent.setMaximumHeight(220)
        name(self.recent, "Recent timelines", "Enter opens one.")
        self.recent.itemActivated.connect(lambda item: self.opened.emit(item.data(_PATH)))
        inside = QWidget()
        inside.setMaximumWidth(680)
        inside.setLayout(
            column(
                label("Sagafoley", use="title"),
                label(
                    "The synchronised sound of one chosen object in a shot. Mark the object with a matte on "
                    "a video track named like MASK violin, open the timeline, generate, choose, place."
                ),
                row(self.open, self.editor, None),
                label("or drop an OTIO, OTIOZ, EDL, XML or AAF file anywhere on this window", use="faint"),
                label("Recent", use="heading"),
                self._none,
                self.recent,
                row(
                    button("What is installed", self.installed_wanted.emit, icon_name="about"),
                    button("Check this machine", self.doctor_wanted.emit, icon_name="doctor"),
                    None,
                ),
                space=12,
            )
        )
        outer = row(None, inside, None, edge=24)
        outer.setStretch(1, 10)
        page = QVBoxLayout(self)
        page.addStretch(1)
        page.addLayout(outer)
        page.addStretch(2)


class InstalledPage(QWidget):
    """First run: what is installed, what could be added, under which licences."""

    left = Signal()
    licences_wanted = Signal()

    def __init__(self, pulse: Pulse, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._machine = pulse.desk.machine
        self.start = button("Start", self._start, main=True)
        self._facts, self._additions = column(space=8), column(space=8)
        self._sides = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._build()
        pulse.settings.connect(lambda _: self.refresh() if self.isVisible() else None)

    def refresh(self) -> None:
        """Look again."""
        view = self._machine.first_run()
        cleared(self._facts)
        cleared(self._additions)
        self._facts.addWidget(label("What is installed", use="heading"))
        for fact in view.installed:
            title, text = label(fact.title, use="faint"), label(fact.text, selectable=True)
            self._facts.addWidget(card(title, text))
        self._facts.addStretch(1)
        self._additions.addWidget(label("What could be added", use="heading"))
        for addition in view.additions:
            self._additions.addWidget(_addition(addition))
        self._additions.addStretch(1)

    def _build(self) -> None:
        self._sides.setSpacing(16)
        self._sides.addLayout(self._facts, 1)
        self._sides.addLayout(self._additions, 1)
        intro = label(
            "Everything works offline and on this machine. Nothing is fetched or sent unless you do it.",
        )
        inside = QWidget()
        inside.setLayout(column(label("Welcome to Sagafoley", use="title"), intro, self._sides, edge=24))
        licences = button("Read the licences", self.licences_wanted.emit, icon_name="page")
        foot = row(licences, None, self.start, edge=10)
        self.setLayout(column(scrolled(inside, title="Installed"), foot, space=0))

    def _start(self) -> None:
        self._machine.first_run_seen()
        self.left.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Side by side where there is room."""
        wide = event.size().width() > 60 * self.fontMetrics().averageCharWidth() * 2
        across, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._sides.setDirection(across if wide else down)
        super().resizeEvent(event)


def _addition(addition: AdditionRow) -> QWidget:
    state = label(
        "installed" if addition.present else "not installed", use="good" if addition.present else "faint"
    )
    state.setWordWrap(False)
    parts: list[QLabel] = [label(addition.adds)]
    if not addition.present:
        parts.append(label(addition.how, selectable=True))
    parts.append(label(addition.licence, use="faint"))
    title = label(addition.title, use="heading")
    head = row(title, state)
    head.setStretch(0, 1)
    return card(head, *parts)


class DoctorPage(QWidget):
    """Everything a render needs from this machine, as it is found."""

    left = Signal()

    def __init__(self, pulse: Pulse, shades: Shades, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pulse, self._machine, self._shades = pulse, pulse.desk.machine, shades
        self.table = QTableWidget(0, 3)
        self.sentence = label("", use="heading", selectable=True)
        self.again = button("Check again", self.examine, icon_name="reload")
        self.back = button("Back", self.left.emit, main=True)
        self._build()
        pulse.doctor.connect(self._refresh)

    def examine(self) -> None:
        """Look at everything."""
        self._pulse.attempt(self._machine.examine)
        self._refresh()

    def wear(self, shades: Shades) -> None:
        """Take other colours."""
        self._shades = shades
        self._refresh()

    def _build(self) -> None:
        table = self.table
        table.setHorizontalHeaderLabels(("What", "Found", "What to do"))
        table.verticalHeader().hide()
        table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        table.setTabKeyNavigation(False)
        table.setAlternatingRowColors(True)
        table.setWordWrap(True)
        table.setShowGrid(False)
        table.setIconSize(QSize(18, 18))
        name(table, "Findings")
        header = table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        header.sectionResized.connect(lambda *_: table.resizeRowsToContents())
        title = label("Doctor", use="title")
        self.setLayout(column(title, self.sentence, table, row(self.again, None, self.back), edge=18))

    def _refresh(self, _event: object = None) -> None:
        view = self._machine.doctor
        self.sentence.setText(view.sentence)
        self.again.setEnabled(not view.running)
        self.table.setRowCount(len(view.rows))
        for place, each in enumerate(view.rows):
            sign, use = _SIGNS[each.state]
            for across, text in enumerate((each.subject, each.found, each.remedy)):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                if across == 0:
                    item.setIcon(icon(sign, self._shades.colour(use)))
                    item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{each.subject}: {each.state}")
                self.table.setItem(place, across, item)
        self.table.resizeRowsToContents()
