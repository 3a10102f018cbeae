"""What will be added to or taken off the timeline, before; what was verified there, after."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHeaderView,
    QLabel,
    QProgressBar,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from plugin.controller.given import given_path
from plugin.controller.views import PieceLine, PlacementReport, PlacementSummary
from plugin.panel.parts import CheckBox, button, column, label, name, row
from plugin.panel.pulse import Pulse

_TITLES = ("Spot", "Track", "Take", "In", "Out", "Note")


class PlaceDialog(QDialog):
    """First the summary with one button; then the report of the same act."""

    def __init__(
        self,
        pulse: Pulse,
        *,
        title: str,
        summary: PlacementSummary,
        act: str,
        icon_name: str = "place",
        do: Callable[[], None],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._pulse, self._do, self._report = pulse, do, pulse.desk.placing.report
        self.setWindowTitle(title)
        self.sentence = label(summary.sentence, use="heading", selectable=True)
        self.target = label(f"{summary.host}: {summary.target}", use="faint", selectable=True)
        self.table = QTableWidget(0, len(_TITLES))
        self.notes = label(_lines((*_on_tracks(summary), *summary.skipped, *summary.notes)), selectable=True)
        self.busy = QProgressBar()
        self.act = button(act, self.begin, main=True, icon_name=icon_name)
        self.folder = button("Open folder", self._open_folder, icon_name="open")
        self.away = button("Cancel", self.reject)
        self._build(summary)
        pulse.placement.connect(self._ended)

    def _build(self, summary: PlacementSummary) -> None:
        self.busy.setRange(0, 0)
        self.busy.setAccessibleName("Under way")
        self.busy.hide()
        self.folder.hide()
        self.act.setEnabled(summary.possible)
        self.act.setDefault(summary.possible)
        table = self.table
        table.setHorizontalHeaderLabels(_TITLES)
        table.verticalHeader().hide()
        table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        table.setTabKeyNavigation(False)
        table.setAlternatingRowColors(True)
        name(table, "Stems", "What goes where.")
        _fill(table, summary.pieces)
        self._show_parts()
        buttons = row(self.folder, None, self.away, self.act)
        lines = column(self.sentence, self.target, table, self.notes, self.busy, edge=14)
        lines.setStretch(lines.indexOf(table), 1000)
        lines.addStretch(1)
        lines.addLayout(buttons)
        self.setLayout(lines)
        (self.act if summary.possible else self.away).setFocus()
        self.resize(760, 420)

    def _show_parts(self) -> None:
        self.table.setVisible(self.table.rowCount() > 0)
        self.notes.setVisible(bool(self.notes.text()))
        self.target.setVisible(bool(self.target.text().strip(": ")))

    def begin(self) -> None:
        """Do it; the report is shown when it is done."""
        self.act.setEnabled(False)
        self.away.setText("Close")  # what is under way ends by itself
        self.sentence.setText("Under way; what is on the timeline stays as it is until all is written.")
        self.busy.show()
        if not self._pulse.attempt(self._do):
            self.busy.hide()
            self.reject()

    def _ended(self, _event: object = None) -> None:
        placing = self._pulse.desk.placing
        report = placing.report
        if placing.busy or report is None or report is self._report:
            return
        self._report = report
        self._show_report(report)

    def _show_report(self, report: PlacementReport) -> None:
        self.busy.hide()
        self.act.hide()
        self.setWindowTitle(report.title)
        self.sentence.setText(report.sentence)
        _paint(self.sentence, "bad" if report.failed else "good")
        self.target.setText(str(report.path or ""))
        _fill(self.table, report.pieces)
        self.notes.setText(_lines((*report.warnings, report.remedy)))
        self.folder.setVisible(report.folder is not None)
        self.away.setText("Close")
        self.away.setDefault(True)
        self.away.setFocus()
        self._show_parts()

    def _open_folder(self) -> None:
        report = self._report
        if report is not None and report.folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(report.folder)))


class ExportDialog(QDialog):
    """Where stems and a timeline with them are written, and whether as a package too."""

    def __init__(self, pulse: Pulse, *, cue_ids: tuple[str, ...], parent: QWidget) -> None:
        super().__init__(parent)
        self._pulse = pulse
        self.setWindowTitle("Export")
        timeline = pulse.desk.timeline
        self.folder = label(str(pulse.desk.placing.export_folder) if timeline else "", selectable=True)
        self.package = CheckBox("Also an OTIOZ package with all media inside")
        self.only = CheckBox(f"Only the {len(cue_ids)} selected spots")
        self.only.setEnabled(len(cue_ids) > 0)
        self._cue_ids = cue_ids
        self.act = button("Export", self.accept, main=True, icon_name="export")
        self.act.setDefault(True)
        choose = button("Another folder...", self._choose, icon_name="open")
        self.setLayout(
            column(
                label("The chosen takes as WAV files, and an OTIO timeline with them, go to this folder."),
                *(label(text, use="faint") for text in pulse.desk.placing.summary().skipped),
                row(self.folder, choose),
                self.package,
                self.only,
                row(None, button("Cancel", self.reject), self.act),
                edge=14,
            )
        )
        self.setMinimumWidth(560)
        self.act.setFocus()

    @property
    def cue_ids(self) -> tuple[str, ...]:
        """The spots that were chosen; none are all."""
        return self._cue_ids if self.only.isChecked() else ()

    def order(self) -> Callable[[], None]:
        """What does it as it was chosen; the dialog may be gone by then."""
        placing, folder = self._pulse.desk.placing, given_path(self.folder.text())
        otioz, cue_ids = self.package.isChecked(), self.cue_ids
        return lambda: placing.export(folder, otioz=otioz, cue_ids=cue_ids)

    def _choose(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Export to", self.folder.text())
        if chosen:
            self.folder.setText(chosen)


def _on_tracks(summary: PlacementSummary) -> tuple[str, ...]:
    """The tracks in question, where no table names them."""
    return () if summary.pieces or not summary.tracks else (f"Tracks: {', '.join(summary.tracks)}.",)


def _lines(sentences: Sequence[str]) -> str:
    return "\n".join(sentence for sentence in sentences if sentence)


def _paint(text: QLabel, use: str) -> None:
    text.setProperty("use", use)
    text.style().unpolish(text)
    text.style().polish(text)


def _fill(table: QTableWidget, pieces: Sequence[PieceLine]) -> None:
    table.setRowCount(len(pieces))
    for place, piece in enumerate(pieces):
        cells = (piece.cue_id, piece.track, piece.take, piece.start, piece.end, _note(piece))
        for across, text in enumerate(cells):
            item = QTableWidgetItem(text)
            item.setToolTip(str(piece.path) if across == 2 else text)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
            table.setItem(place, across, item)
    header = table.horizontalHeader()
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setStretchLastSection(True)


def _note(piece: PieceLine) -> str:
    if piece.error_samples is None:
        return piece.note
    read = (
        "read back: exact"
        if not piece.error_samples
        else f"read back: off by {piece.error_samples:g} samples"
    )
    return "; ".join(part for part in (read, piece.note) if part)
