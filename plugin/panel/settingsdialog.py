"""The settings dialog, made from the table of settings."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFormLayout,
    QLabel,
    QLineEdit,
    QWidget,
)

from plugin.controller.views import SettingRow
from plugin.panel.parts import CheckBox, button, column, label, name, row, scrolled
from plugin.panel.pulse import Pulse


class SettingsDialog(QDialog):
    """One line per setting; nothing is saved before everything can be."""

    def __init__(self, pulse: Pulse, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pulse, self._machine = pulse, pulse.desk.machine
        self.setWindowTitle("Settings")
        self.fields: dict[str, QWidget] = {}
        self._faults: dict[str, QLabel] = {}
        self._rows = {each.key: each for each in self._machine.settings()}
        self.save = button("Save", self._save, main=True, icon_name="good")
        self.save.setDefault(True)
        self._fault = label("", use="bad")
        self._fault.hide()
        self._build()
        pulse.failed.connect(self._failed)
        self._check()

    def values(self) -> dict[str, Any]:
        """What the dialog says, by key."""
        return {key: _value(field) for key, field in self.fields.items()}

    def _build(self) -> None:
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setVerticalSpacing(14)
        for each in self._rows.values():
            form.addRow(each.title, self._line(each))
        inside = QWidget()
        inside.setLayout(column(form, edge=14))
        back = button("Defaults", self._defaults, icon_name="reload", tells="Put every setting back")
        buttons = row(back, None, button("Cancel", self.reject), self.save)
        foot = column(self._fault, buttons, edge=10)
        self.setLayout(column(scrolled(inside), foot, space=0))
        self.resize(780, 680)

    def _line(self, each: SettingRow) -> QWidget:
        field = _field(each)
        name(field, each.title, f"{each.help} Give {each.allowed}.")
        fault = self._faults[each.key] = label("", use="bad")
        fault.hide()
        self.fields[each.key] = field
        _on_change(field, self._check)
        line = QWidget()
        line.setLayout(column(field, label(each.help, use="faint"), fault, space=3))
        line.setFocusProxy(field)
        return line

    def _check(self) -> None:
        faults = {each.key: each for each in self._machine.check_settings(self.values())}
        for key, shown in self._faults.items():
            fault = faults.get(key)
            shown.setText(f"{fault.message} {fault.remedy}" if fault else "")
            shown.setVisible(fault is not None)
        whole = faults.get("")
        self._fault.setText(f"{whole.message} {whole.remedy}" if whole else "")
        self._fault.setVisible(whole is not None)
        self.save.setEnabled(not faults)

    def _defaults(self) -> None:
        for key, field in self.fields.items():
            _show(field, self._rows[key].default)
        self._check()

    def _save(self) -> None:
        values = self.values()
        if self._pulse.attempt(lambda: self._machine.change_settings(values)):
            self.accept()

    def _failed(self, error: Exception) -> None:
        self._fault.setText(str(error))
        self._fault.show()


def _field(each: SettingRow) -> QWidget:
    if each.kind == "flag":
        field: QWidget = CheckBox()
    elif each.choices:
        box = QComboBox()
        box.setEditable(each.kind == "text")
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        for value, words in each.choices:
            box.addItem(words, value)
        field = box
    else:
        field = QLineEdit()
    _show(field, each.value)
    return field


def _show(field: QWidget, value: str | float | bool) -> None:  # noqa: FBT001 (a value, not a switch)
    if isinstance(field, QCheckBox):
        field.setChecked(bool(value))
    elif isinstance(field, QComboBox):
        place = field.findData(value)
        field.setCurrentIndex(place)
        if place < 0 and field.isEditable():
            field.setEditText(str(value))
        line = field.lineEdit()
        if line is not None:
            line.setCursorPosition(0)
    elif isinstance(field, QLineEdit):
        field.setText(str(value))


def _value(field: QWidget) -> Any:
    if isinstance(field, QCheckBox):
        return field.isChecked()
    if isinstance(field, QComboBox):
        chosen = field.currentText() == field.itemText(field.currentIndex())
        return field.currentData() if chosen else field.currentText()
    return field.text() if isinstance(field, QLineEdit) else None


def _on_change(field: QWidget, do: Any) -> None:
    if isinstance(field, QCheckBox):
        field.toggled.connect(lambda _: do())
    elif isinstance(field, QComboBox):
        field.currentTextChanged.connect(lambda _: do())
    elif isinstance(field, QLineEdit):
        field.textChanged.connect(lambda _: do())
