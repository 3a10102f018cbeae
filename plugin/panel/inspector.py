"""What should sound: the fields of one spot, or of a selection."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFormLayout, QWidget

from plugin.controller.views import MAX_HANDLE, CueEdit, DeskEvent, Inspector
from plugin.cues import MAX_GUIDANCE, MAX_STEPS, MAX_TAKES
from plugin.panel.fields import (
    ChoiceField,
    DigitsField,
    FlagField,
    NumberField,
    RealField,
    WordsField,
)
from plugin.panel.parts import SPACE, application, column, label, name, row, scrolled
from plugin.panel.pulse import Pulse

_MATTES = {
    "none": "Whole frame",
    "luma": "Luma",
    "alpha": "Alpha channel",
    "r": "Red channel",
    "g": "Green channel",
    "b": "Blue channel",
}


class InspectorPage(QWidget):
    """Edits go to the desk with every letter; typing in one field is one step of undo."""

    def __init__(self, pulse: Pulse, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pulse, self._desk = pulse, pulse.desk
        self._ids: tuple[str, ...] = ()
        self._gesture = 0
        self.title = label("", use="heading")
        self.note = label("", use="faint")
        self.prompt, self.negative_prompt, self.label = WordsField(), WordsField(), WordsField()
        self.preset, self.matte = ChoiceField(), ChoiceField()
        self.steps = NumberField(1, MAX_STEPS)
        self.guidance = RealField(0.0, MAX_GUIDANCE)
        self.seed = DigitsField()
        self.takes = NumberField(1, MAX_TAKES)
        self.invert = FlagField("Black marks the object")
        self.handle_in, self.handle_out = NumberField(0, MAX_HANDLE), NumberField(0, MAX_HANDLE)
        self._form = QWidget()
        self._build()
        self._bind()
        self.show_spots(())

    def show_spots(self, cue_ids: tuple[str, ...]) -> None:
        """Show the fields of these spots."""
        others = cue_ids != self._ids
        self._ids = cue_ids
        self._refresh()
        if others:
            self._gesture += 1
            for field in (self.label, self.prompt, self.negative_prompt, self.seed):
                field.settle()

    def _build(self) -> None:
        self.prompt.hint("What should sound, e.g. violin")
        self.negative_prompt.hint("What should not, e.g. trumpet")
        self.label.hint("The object, names the track")
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        form.setVerticalSpacing(SPACE)
        form.setContentsMargins(0, 0, 0, 0)
        for title, tells, field in self._lines():
            form.addRow(title, field)
            if title:  # an underlined letter is not kerned and may want a pixel more
                form.labelForField(field).setContentsMargins(0, 0, 4, 0)
            name(field, title.replace("&", ""), tells)
            field.setToolTip(tells)
        handles = row(self.handle_in, label("before", use="faint", wraps=False))
        after = row(self.handle_out, label("after", use="faint", wraps=False))
        name(self.handle_in, "Frames before", "The stem begins that many frames earlier.")
        name(self.handle_out, "Frames after", "The stem ends that many frames later.")
        form.addRow("Hand&les", handles)
        form.labelForField(handles).setBuddy(self.handle_in)  # type: ignore[attr-defined]
        form.addRow("", after)
        self._form.setLayout(column(self.title, self.note, form, edge=10))
        self._form.layout().addStretch(1)  # type: ignore[union-attr]
        area = scrolled(self._form)
        area.setMinimumWidth(self._form.minimumSizeHint().width())  # larger letters want more
        self.setLayout(column(area, space=0))

    def _lines(self) -> tuple[tuple[str, str, QWidget], ...]:
        return (
            ("Pro&mpt", "What should sound. Every spot that is selected gets it.", self.prompt),
            ("&Not", "What must not sound.", self.negative_prompt),
            ("O&bject", "Names the stem and its audio track, FOLEY and this word.", self.label),
            ("P&reset", "How much work goes into a take; brings its steps and guidance.", self.preset),
            ("S&teps", "Solver steps: more take longer and sound cleaner.", self.steps),
            ("G&uidance", "How strictly words and picture are followed; 1 is plainly.", self.guidance),
            ("See&d", "Decides the starting noise of the first take; the next ones count up.", self.seed),
            ("Ta&kes", "How many takes are made of the spot.", self.takes),
            ("M&atte", "Which values of the matte picture mark the object.", self.matte),
            ("", "Turns the matte around.", self.invert),
        )

    def _another_gesture(self) -> None:
        self._gesture += 1

    def _bind(self) -> None:
        for key in ("label", "prompt", "negative_prompt"):
            getattr(self, key).said.connect(lambda text, key=key: self._edit(key, text, typed=True))
        for key in ("steps", "guidance", "takes", "handle_in", "handle_out"):
            getattr(self, key).said.connect(lambda value, key=key: self._edit(key, value, typed=True))
        for key in ("preset", "matte", "invert"):
            getattr(self, key).said.connect(lambda value, key=key: self._edit(key, value, typed=False))
        self.seed.number.connect(lambda value: self._edit("seed", value, typed=True))
        application().focusChanged.connect(lambda *_: self._another_gesture())
        self._pulse.spots.connect(self._changed)
        self._pulse.timeline.connect(self._changed)
        self._pulse.settings.connect(self._changed)

    def _edit(self, key: str, value: Any, *, typed: bool) -> None:
        gesture = f"{key}-{self._gesture}" if typed else ""
        edit = CueEdit(**{key: value})
        if not self._pulse.attempt(lambda: self._desk.spots.edit(self._ids, edit, gesture=gesture)):
            self._refresh()

    def _changed(self, event: DeskEvent) -> None:
        if not event.ids or set(event.ids) & set(self._ids):
            self._refresh()

    def _refresh(self) -> None:
        self._ids = tuple(each for each in self._ids if self._desk.spots.row(each) is not None)
        self._form.setEnabled(bool(self._ids))
        self._say_who()
        if not self._ids:
            return
        view = self._desk.spots.inspector(self._ids)
        self.preset.offer(tuple((each.name, each.name) for each in self._desk.spots.presets()))
        self.preset.setToolTip("\n".join(f"{p.name}: {p.title}" for p in self._desk.spots.presets()))
        self.matte.offer(tuple((each, _MATTES.get(each, each)) for each in view.matte_choices))
        self._show(view)

    def _show(self, view: Inspector) -> None:
        for key in ("label", "prompt", "negative_prompt", "preset", "steps", "guidance", "takes", "matte"):
            getattr(self, key).show_shared(getattr(view, key))
        for key in ("invert", "handle_in", "handle_out"):
            getattr(self, key).show_shared(getattr(view, key))
        self.seed.show_number(view.seed)
        self.matte.setEnabled(len(view.matte_choices) > 1)
        self.invert.setEnabled(view.matte.value != "none")

    def _say_who(self) -> None:
        rows = [row for each in self._ids if (row := self._desk.spots.row(each)) is not None]
        if not rows:
            self.title.setText("No spot selected")
            self.note.setText("Select spots on the left to say what they should sound like.")
        elif len(rows) == 1:
            self.title.setText(f"{rows[0].id}  {rows[0].label}")
            self.note.setText(rows[0].note or f"{rows[0].start} to {rows[0].end}, {rows[0].length}")
        else:
            self.title.setText(f"{len(rows)} spots")
            self.note.setText("What you change here is changed for all of them.")
