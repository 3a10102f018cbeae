"""The main window: spots, picture and takes, what they should sound like, queue, problems."""

from __future__ import annotations

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QMainWindow, QSizePolicy, QSplitter, QStackedWidget, QTabWidget, QWidget

from plugin.controller.given import Given, dropped_timeline
from plugin.controller.views import StatusLine
from plugin.panel.actions import Actions
from plugin.panel.deeds import Deeds, finish_typing
from plugin.panel.inspector import InspectorPage
from plugin.panel.maskentry import MaskEntry
from plugin.panel.maskkeys import KEYS as MASK_KEYS
from plugin.panel.maskkeys import TRACK_KEYS
from plugin.panel.notices import NoticeLine, StatusBar
from plugin.panel.pages import DoctorPage, InstalledPage, StartPage
from plugin.panel.palettes import Scheme, Shades, dress, shades_of
from plugin.panel.parts import application, column, wear_icons
from plugin.panel.problempage import ProblemPage
from plugin.panel.pulse import Pulse
from plugin.panel.queuepage import UNDER_WAY, QueuePage
from plugin.panel.remembered import remember_scheme, remember_window, remembered_scheme, restore_window
from plugin.panel.shortcutsheet import Keys
from plugin.panel.spotlist import SpotList
from plugin.panel.stage import Stage
from plugin.panel.thumbnails import Thumbnails


class Window(QMainWindow):
    """One window over one desk."""

    def __init__(self, pulse: Pulse) -> None:
        super().__init__()
        self.pulse = pulse
        self._scheme = remembered_scheme()
        shades = shades_of(self._scheme)
        self.thumbnails = Thumbnails(pulse, self)
        self.spots = SpotList(pulse, self.thumbnails, shades, self)
        self.stage = Stage(pulse, shades)
        self.inspector = InspectorPage(pulse)
        self.queue, self.problems = QueuePage(pulse, shades), ProblemPage(pulse, shades)
        self.start, self.installed = StartPage(pulse), InstalledPage(pulse)
        self.doctor = DoctorPage(pulse, shades)
        self.notices, self.status = NoticeLine(pulse, shades), StatusBar(pulse)
        self.tabs, self.pages = QTabWidget(), QStackedWidget()
        self._across = QSplitter(Qt.Orientation.Horizontal)
        self.actions_ = Actions(self)
        self.deeds, self.masks = Deeds(self), MaskEntry(self)
        self._build()
        self._bind()
        self.wear(self._scheme)

    def open_path(self, path: Given) -> None:
        """Begin to open a timeline."""
        may_leave = self.masks.may_leave("Open another timeline")
        if may_leave and self.deeds.may_end_renders("Opening another timeline"):
            self.pulse.attempt(lambda: self.pulse.desk.open_file(path))

    def wear(self, scheme: Scheme) -> None:
        """Take a palette, everywhere."""
        self._scheme = scheme
        shades = shades_of(scheme)
        dress(application(), shades)
        for part in (
            self.spots,
            self.stage,
            self.queue,
            self.problems,
            self.doctor,
            self.notices,
            self.masks,
        ):
            part.wear(shades)
        wear_icons(self, shades)

    @property
    def shades(self) -> Shades:
        """The colours that are worn."""
        return shades_of(self._scheme)

    def dress(self, widget: QWidget) -> None:
        """Put icons on a dialog."""
        wear_icons(widget, shades_of(self._scheme))

    def go(self, part: QWidget) -> None:
        """Bring a part of the desk to the front and under the keys."""
        if not self.masks.may_leave("Leave"):
            return
        if self.pulse.desk.timeline is not None:
            self.pages.setCurrentWidget(self._across)
        for page in (self.inspector, self.queue, self.problems):
            if page.isAncestorOf(part):
                self.tabs.setCurrentWidget(page)
        part.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def show_installed(self) -> None:
        """The first-run page."""
        self.installed.refresh()
        self.dress(self.installed)
        self.pages.setCurrentWidget(self.installed)
        self.installed.start.setFocus()

    def show_doctor(self) -> None:
        """The doctor's page; looking begins."""
        self.pages.setCurrentWidget(self.doctor)
        self.doctor.examine()
        self.doctor.back.setFocus()

    def in_and_out(self) -> tuple[str, str]:
        """Timecodes of the points set in the viewer, else in the editor, else of the spot looked at."""
        timeline, row = self.pulse.desk.timeline, self.pulse.desk.spots.row(self.spots.current)
        of_editor = timeline.marked if timeline else None
        return self.stage.marked() or of_editor or ((row.start, row.end) if row else ("", ""))

    def more_keys(self) -> tuple[tuple[str, Keys], ...]:
        """Keys of the viewer, the takes and mask mode, for the shortcut sheet."""
        return (*self.stage.keys(), ("Making a matte", MASK_KEYS), ("Tracking", TRACK_KEYS))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files that may be timelines."""
        if dropped_timeline(_files(event.mimeData().urls())) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the timeline that was dropped."""
        path = dropped_timeline(_files(event.mimeData().urls()))
        if path is not None:
            event.acceptProposedAction()
            self.open_path(path)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask while something is rendered; then end it and let go of everything."""
        finish_typing()
        if not self.masks.may_leave("Close the panel"):
            event.ignore()
            return
        if not (self.deeds.may_end_renders("Closing the panel") and self.deeds.may_lose_edits("Close")):
            event.ignore()
            return
        remember_window(self, self._across, self.stage.splitter)
        self.pulse.stop()
        self.thumbnails.close()
        self.stage.close_all()
        self.pulse.desk.close()
        event.accept()

    def _build(self) -> None:
        self.setWindowTitle("Sagafoley")
        self.setAcceptDrops(True)
        self.tabs.addTab(self.inspector, "Sound")
        self.tabs.addTab(self.queue, "Queue")
        self.tabs.addTab(self.problems, "Problems")
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        for part in (self.spots, self.stage, self.tabs):
            self._across.addWidget(part)
        self._across.setChildrenCollapsible(False)
        self._across.setSizes([470, 500, 310])
        for place, share in enumerate((2, 3, 0)):
            self._across.setStretchFactor(place, share)
        for page in (self.start, self._across, self.installed, self.doctor):
            self.pages.addWidget(page)
        middle = QWidget()
        middle.setLayout(column(self.notices, self.pages, space=0))
        self.setCentralWidget(middle)
        self.setStatusBar(self.status)
        self.actions_.build(self.deeds.do)
        self.actions_.offer_schemes(self._scheme, self._choose_scheme)
        for menu in self.stage.menu.menus:
            self.actions_.menu("&View").addMenu(menu)
        self.actions_.offer_sorts(lambda by, last_first: self.spots.sort_by(by, descending=last_first))
        self.resize(1280, 720)
        restore_window(self, self._across, self.stage.splitter)

    def _bind(self) -> None:
        pulse = self.pulse
        self.spots.chosen.connect(self._show_chosen)
        self.problems.wanted.connect(self._look_at)
        self.problems.doctor_wanted.connect(self.show_doctor)
        self.status.problems_wanted.connect(lambda: self.go(self.problems.list))
        self.start.opened.connect(self.open_path)
        self.start.file_wanted.connect(lambda: self.deeds.do("open_file"))
        self.start.editor_wanted.connect(lambda: self.deeds.do("open_editor"))
        self.start.installed_wanted.connect(self.show_installed)
        self.start.doctor_wanted.connect(self.show_doctor)
        self.installed.licences_wanted.connect(lambda: self.deeds.do("show_about"))
        for page in (self.installed, self.doctor):
            page.left.connect(self._show_timeline)
        self.actions_.recent.aboutToShow.connect(self._list_recent)
        pulse.timeline.connect(self._show_timeline)
        pulse.history.connect(self._show_history)
        self.status.shown.connect(self._count)
        self.masks.entered.connect(self._show_masks)
        self.masks.left.connect(self._leave_masks)
        QShortcut(QKeySequence("Esc"), self).activated.connect(self._escape)
        self._bind_list_keys()
        application().styleHints().colorSchemeChanged.connect(lambda _: self._system_scheme_changed())
        self.status.refresh()
        self._show_history()
        self._show_timeline()

    def _bind_list_keys(self) -> None:
        """In the list, the arrows step through the picture and Delete removes spots, which can be undone."""
        here, back, on = Qt.ShortcutContext.WidgetShortcut, self.stage.step(-1), self.stage.step(1)
        for keys, do in (("Left", back), ("Right", on), ("Delete", lambda: self.deeds.do("remove_spots"))):
            QShortcut(QKeySequence(keys), self.spots.table, context=here).activated.connect(do)

    def _show_timeline(self, _event: object = None) -> None:
        timeline = self.pulse.desk.timeline
        self.setWindowTitle(f"{timeline.name} - Sagafoley" if timeline else "Sagafoley")
        if timeline is None:
            self.start.refresh()
        self._need_room()
        if self.masks.on:
            self.pages.setCurrentWidget(self.masks.page)
            self.masks.page.canvas.setFocus()
        else:
            self.pages.setCurrentWidget(self.start if timeline is None else self._across)
            (self.start.open if timeline is None else self.spots.table).setFocus()
        self._show_chosen()

    def _show_masks(self) -> None:
        """Mask mode owns the window while it is on: what belongs to spots waits."""
        if self.pages.currentWidget() is not self.masks.page:
            self.pages.setCurrentWidget(self.masks.page)
            self._need_room()
        self._enable()
        self._show_history()

    def _need_room(self) -> None:
        """Let the window become as narrow as mask mode can be, while that is on."""
        policy = self._across.sizePolicy()
        policy.setHorizontalPolicy(
            QSizePolicy.Policy.Ignored if self.masks.on else QSizePolicy.Policy.Expanding
        )
        self._across.setSizePolicy(policy)

    def _leave_masks(self, cue_ids: tuple[str, ...]) -> None:
        self._show_timeline()
        if cue_ids:
            self.spots.select(cue_ids)

    def _escape(self) -> None:
        if not self.masks.escape():
            self.notices.hide()

    def _show_chosen(self) -> None:
        selected, current = self.spots.selected, self.spots.current
        self.inspector.show_spots(selected)
        self.stage.show_spot(current if current in selected or not selected else selected[0])
        self._enable()
        self._show_history()

    def _enable(self) -> None:
        timeline = self.pulse.desk.timeline is not None and not self.masks.on
        self.actions_.enable(timeline=timeline, spot=bool(self.spots.selected))

    def _show_history(self, _event: object = None) -> None:
        history = self.masks.history() if self.masks.on else self.pulse.desk.history()
        for key, word, what in (("undo", "&Undo", history.undo), ("redo", "&Redo", history.redo)):
            action = self.actions_[key]
            action.setText(f"{word} {what[:1].lower()}{what[1:]}" if what else word)
            action.setEnabled(bool(what))

    def _count(self, status: StatusLine) -> None:
        items = sum(each.state in UNDER_WAY for each in self.pulse.desk.queue.rows())
        for page, word, count in ((self.queue, "Queue", items), (self.problems, "Problems", status.problems)):
            self.tabs.setTabText(self.tabs.indexOf(page), f"{word} ({count})" if count else word)

    def _look_at(self, cue_id: str) -> None:
        if cue_id:
            self.spots.select((cue_id,))
            self.go(self.spots.table)

    def _list_recent(self) -> None:
        menu = self.actions_.recent
        menu.clear()
        for each in self.pulse.desk.recent():
            action = menu.addAction(f"{each.name}  ({each.folder})")
            action.setEnabled(each.there)
            action.triggered.connect(lambda _checked, path=each.path: self.open_path(path))
        if not menu.actions():
            menu.addAction("None yet").setEnabled(False)

    def _choose_scheme(self, scheme: Scheme) -> None:
        remember_scheme(scheme)
        self.wear(scheme)

    def _system_scheme_changed(self) -> None:
        if self._scheme is Scheme.SYSTEM:
            self.wear(self._scheme)


def _files(urls: list[QUrl]) -> list[str]:
    return [url.toLocalFile() for url in urls if url.isLocalFile()]
