"""What each command of the window does: one method per key of `commands`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QDialog, QFileDialog, QMessageBox

from plugin.controller.given import film_filter, given_path, timeline_filter
from plugin.controller.views import QueueState
from plugin.errors import SagafoleyError
from plugin.panel.about import AboutDialog
from plugin.panel.adding import AddMarker, AddRange, AddTrack
from plugin.panel.maskclips import ClipChoice
from plugin.panel.placedialog import ExportDialog, PlaceDialog
from plugin.panel.settingsdialog import SettingsDialog
from plugin.panel.shortcutsheet import ShortcutSheet

if TYPE_CHECKING:
    from plugin.panel.window import Window


class Deeds(QObject):
    """Does what a command says, on the desk and in the window."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window, self._pulse, self._desk = window, window.pulse, window.pulse.desk

    def do(self, key: str) -> None:
        """Do what the command of that key says; what cannot be done is told."""
        finish_typing()
        try:
            getattr(self, key)()
        except SagafoleyError as error:
            self._pulse.failed.emit(error)

    def open_file(self) -> None:
        """Ask for a timeline and open it."""
        path = QFileDialog.getOpenFileName(self._window, "Open timeline", "", timeline_filter())[0]
        if path:
            self._window.open_path(given_path(path))

    def open_editor(self) -> None:
        """Open what is open in the running editor."""
        if self._window.masks.may_leave("Open another timeline"):
            self._pulse.attempt(self._desk.open_editor)

    def refresh(self) -> None:
        """Read the timeline again."""
        self._window.thumbnails.refresh()
        self._pulse.attempt(self._desk.refresh)

    def close_timeline(self) -> None:
        """Put the timeline away."""
        if self.may_end_renders("Closing the timeline") and self.may_lose_edits("Close the timeline"):
            self._pulse.attempt(self._desk.close_timeline)

    def quit(self) -> None:
        """Close the window."""
        self._window.close()

    def undo(self) -> None:
        """Take the last edit back, or the last gesture in mask mode."""
        masks = self._window.masks
        masks.page.undo() if masks.on else self._pulse.attempt(self._desk.undo)

    def redo(self) -> None:
        """Make it again."""
        masks = self._window.masks
        masks.page.redo() if masks.on else self._pulse.attempt(self._desk.redo)

    def select_all(self) -> None:
        """Select every spot that is shown."""
        self._window.spots.table.selectAll()

    def find(self) -> None:
        """Go to the search field."""
        self._window.spots.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._window.spots.search.selectAll()

    def remove_spots(self) -> None:
        """Remove the selected spots."""
        self._pulse.attempt(lambda: self._desk.spots.remove(self._window.spots.selected))

    def empty_trash(self) -> None:
        """Remove deleted takes for good, when that is really wanted."""
        if self._sure("Empty the trash?", "Takes in the trash are removed for good.", "Empty trash"):
            self._pulse.attempt(self._desk.takes.empty_trash)

    def add_range(self) -> None:
        """Add a spot between two timecodes."""
        start, end = self._window.in_and_out()
        self._ask(AddRange(self._pulse, start=start, end=end, parent=self._window))

    def add_marker(self) -> None:
        """Add the spots of a marker."""
        self._ask(AddMarker(self._pulse, parent=self._window))

    def add_track(self) -> None:
        """Add the spots of a mask track."""
        self._ask(AddTrack(self._pulse, parent=self._window))

    def make_matte(self) -> None:
        """Mark the object in the picture of the spot that is looked at."""
        self._window.masks.open_spot(self._window.spots.current)

    def make_clip_matte(self) -> None:
        """Mark an object in a picture clip that is chosen from all of them."""
        self._ask(ClipChoice(self._pulse, self._window.masks.open_clip, parent=self._window))

    def make_film_matte(self) -> None:
        """Mark an object in a movie that need not be on any timeline."""
        if self._window.masks.may_leave("Open a movie"):
            path = QFileDialog.getOpenFileName(self._window, "Make a matte of a movie", "", film_filter())[0]
            if path:
                self._window.masks.open_film(given_path(path))

    def next_spot(self) -> None:
        """Look at the next spot."""
        self._window.spots.step(1)

    def previous_spot(self) -> None:
        """Look at the spot before."""
        self._window.spots.step(-1)

    def show_in_editor(self) -> None:
        """Move the editor's playhead to the spot."""
        row = self._desk.spots.row(self._window.spots.current)
        if row is not None:
            self._pulse.attempt(lambda: self._desk.placing.show(row.record.start))

    def generate(self) -> None:
        """Render the spot that is looked at."""
        self._generate((self._window.spots.current,))

    def generate_selection(self) -> None:
        """Render all selected spots."""
        self._generate(self._window.spots.selected)

    def generate_stale(self) -> None:
        """Render every spot without a take that fits."""
        self._pulse.attempt(self._generate_stale)

    def preview_first(self) -> None:
        """The switch is looked at when something is generated."""

    def cancel_current(self) -> None:
        """Stop what is rendered now."""
        queue = self._desk.queue
        for each in queue.rows():
            if each.state is QueueState.RUNNING:
                self._pulse.attempt(partial(queue.cancel, each.id))

    def cancel_all(self) -> None:
        """Cancel everything that waits or runs."""
        self._pulse.attempt(self._desk.queue.cancel_all)

    def place(self) -> None:
        """Show what would be placed, place it, show what was verified."""
        self._ask(
            PlaceDialog(
                self._pulse,
                title="Place chosen takes",
                summary=self._desk.placing.summary(),
                act="Place",
                do=self._desk.placing.place,
                parent=self._window,
            )
        )

    def remove_placement(self) -> None:
        """Show what would be removed, remove it, show what was."""
        self._ask(
            PlaceDialog(
                self._pulse,
                title="Remove our last placement",
                summary=self._desk.placing.removal(),
                act="Remove",
                icon_name="remove",
                do=self._desk.placing.remove,
                parent=self._window,
            )
        )

    def export(self) -> None:
        """Write stems and a timeline into a folder."""
        choice = ExportDialog(self._pulse, cue_ids=self._window.spots.selected, parent=self._window)
        choice.accepted.connect(lambda: self._export(choice.cue_ids, choice.order()))
        self._ask(choice)

    def _export(self, cue_ids: tuple[str, ...], do: Callable[[], None]) -> None:
        summary = self._desk.placing.summary(cue_ids)
        dialog = PlaceDialog(
            self._pulse,
            title="Export",
            summary=summary,
            act="Export",
            icon_name="export",
            do=do,
            parent=self._window,
        )
        self._ask(dialog)
        dialog.begin()

    def show_settings(self) -> None:
        """The settings dialog."""
        self._ask(SettingsDialog(self._pulse, self._window))

    def show_shortcuts(self) -> None:
        """The shortcut sheet."""
        self._ask(ShortcutSheet(self._window.more_keys(), self._window))

    def show_about(self) -> None:
        """Version and licences."""
        self._ask(AboutDialog(self._pulse, self._window))

    def show_installed(self) -> None:
        """What is there and what could be added."""
        self._window.show_installed()

    def show_doctor(self) -> None:
        """Look at everything a render needs."""
        self._window.show_doctor()

    def go_spots(self) -> None:
        """To the list of spots."""
        self._window.go(self._window.spots.table)

    def go_viewer(self) -> None:
        """To the picture."""
        self._window.go(self._window.stage.viewer)

    def go_takes(self) -> None:
        """To the takes."""
        self._window.go(self._window.stage.takes)

    def go_sound(self) -> None:
        """To the prompt."""
        self._window.go(self._window.inspector.prompt)

    def go_queue(self) -> None:
        """To the queue."""
        self._window.go(self._window.queue.list)

    def go_problems(self) -> None:
        """To the problems."""
        self._window.go(self._window.problems.list)

    def sure_to_leave(self, title: str, reason: str) -> bool:
        """Whether the person wants to leave what is under way."""
        return self._sure(title, reason, "Leave")

    def may_end_renders(self, doing: str) -> bool:
        """Whether nothing is rendered, or the person wants that to end."""
        if not self._desk.queue.running:
            return True
        text = "What is being rendered ends; whole takes stay."
        return self._sure(f"{doing} ends the render", text, "End the render")

    def may_lose_edits(self, act: str) -> bool:
        """Whether all edits are on disk, or the person gives up those that cannot be saved."""
        if self._desk.save():
            return True
        self._pulse.beat()
        text = "The disk refuses the cue sheet; Problems says why. What was decided last would be lost."
        return self._sure("Some edits are not saved", text, f"{act} all the same")

    def _generate_stale(self) -> None:
        added = self._desk.queue.generate_stale(preview=self._preview)
        self._window.notices.say(
            f"{added} spot{'s' * (added != 1)} added to the queue."
            if added
            else "Every spot has a take that fits."
        )

    @property
    def _preview(self) -> bool:
        return self._window.actions_["preview_first"].isChecked()

    def _generate(self, cue_ids: tuple[str, ...]) -> None:
        more = self._window.actions_.takes.value() or None
        queue = self._desk.queue
        self._pulse.attempt(lambda: queue.generate(cue_ids, takes=more, preview=self._preview))

    def _ask(self, dialog: QDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._window.dress(dialog)
        dialog.open()

    def _sure(self, title: str, text: str, act: str) -> bool:
        question = QMessageBox(self._window)
        question.setWindowTitle(title)
        question.setText(title)
        question.setInformativeText(text)
        yes = question.addButton(act, QMessageBox.ButtonRole.AcceptRole)
        no = question.addButton("Go on", QMessageBox.ButtonRole.RejectRole)
        question.setDefaultButton(no)
        question.setEscapeButton(no)
        question.exec()
        QApplication.processEvents()
        return question.clickedButton() is yes


def finish_typing() -> None:
    """A number that is being typed counts before anything is done with it."""
    field = QApplication.focusWidget()
    if isinstance(field, QAbstractSpinBox):
        field.interpretText()
