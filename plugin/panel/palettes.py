"""The panel's colours, light and dark, and how every widget takes them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication


class Scheme(StrEnum):
    """Which palette is wanted."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Shades:
    """Colours by use, as `#rrggbb`. Text on `window`, `base` and `raised` has a contrast of 4.5 or more.

    Attributes:
        window: behind everything.
        base: behind lists and fields.
        alternate: every second row.
        raised: buttons and headers.
        line: edges.
        text: what is read.
        faint: what is read second.
        off: text of what cannot be used now.
        accent: the one thing to press, and what is selected.
        on_accent: text on the accent.
        good: done, placed.
        warn: worth a look.
        bad: does not work.
    """

    window: str
    base: str
    alternate: str
    raised: str
    line: str
    text: str
    faint: str
    off: str
    accent: str
    on_accent: str
    good: str
    warn: str
    bad: str

    def colour(self, use: str) -> QColor:
        """The colour of that use."""
        return QColor(getattr(self, use))


DARK = Shades(
    window="#25282e",
    base="#15171b",
    alternate="#1a1d22",
    raised="#2f343c",
    line="#434a55",
    text="#e8eaee",
    faint="#a9b1bd",
    off="#7b8490",
    accent="#2f7fd6",
    on_accent="#ffffff",
    good="#5fc98a",
    warn="#f0b44c",
    bad="#ff8078",
)
LIGHT = Shades(
    window="#f1f2f4",
    base="#ffffff",
    alternate="#f6f7f9",
    raised="#e6e8ec",
    line="#b9bfc9",
    text="#1c1f24",
    faint="#515966",
    off="#7c8592",
    accent="#1f66b8",
    on_accent="#ffffff",
    good="#176f3d",
    warn="#8a5600",
    bad="#b3261e",
)

_ROLES = {
    QPalette.ColorRole.Window: "window",
    QPalette.ColorRole.Base: "base",
    QPalette.ColorRole.AlternateBase: "alternate",
    QPalette.ColorRole.Button: "raised",
    QPalette.ColorRole.ToolTipBase: "raised",
    QPalette.ColorRole.Mid: "line",
    QPalette.ColorRole.Dark: "line",
    QPalette.ColorRole.WindowText: "text",
    QPalette.ColorRole.Text: "text",
    QPalette.ColorRole.ButtonText: "text",
    QPalette.ColorRole.ToolTipText: "text",
    QPalette.ColorRole.BrightText: "bad",
    QPalette.ColorRole.PlaceholderText: "faint",
    QPalette.ColorRole.Highlight: "accent",
    QPalette.ColorRole.HighlightedText: "on_accent",
    QPalette.ColorRole.Accent: "accent",
    QPalette.ColorRole.Link: "accent",
}
_TEXTS = (
    QPalette.ColorRole.WindowText,
    QPalette.ColorRole.Text,
    QPalette.ColorRole.ButtonText,
    QPalette.ColorRole.PlaceholderText,
)


def shades_of(scheme: Scheme) -> Shades:
    """The colours of a scheme; the system's own choice between the two where it is left to that."""
    if scheme is Scheme.SYSTEM:
        dark = QApplication.styleHints().colorScheme() is not Qt.ColorScheme.Light
        return DARK if dark else LIGHT
    return DARK if scheme is Scheme.DARK else LIGHT


def palette_of(shades: Shades) -> QPalette:
    """The colours as Qt's palette."""
    palette = QPalette()
    for role, use in _ROLES.items():
        palette.setColor(role, shades.colour(use))
    for role in _TEXTS:
        palette.setColor(QPalette.ColorGroup.Disabled, role, shades.colour("off"))
    return palette


def dress(application: QApplication, shades: Shades) -> None:
    """Give the whole application these colours."""
    application.setStyle("Fusion")
    application.setPalette(palette_of(shades))
    application.setStyleSheet(_sheet(shades))


def _sheet(shades: Shades) -> str:
    """What a palette cannot say: edges, the one button to press, headings, keyboard focus."""
    return f"""
    QToolTip {{
        color: {shades.text}; background: {shades.raised}; border: 1px solid {shades.line}; padding: 4px;
    }}
    QLabel[use="heading"] {{ font-weight: 600; }}
    QLabel[use="faint"] {{ color: {shades.faint}; }}
    QLabel[use="good"] {{ color: {shades.good}; }}
    QLabel[use="warn"] {{ color: {shades.warn}; }}
    QLabel[use="bad"] {{ color: {shades.bad}; }}
    QFrame[use="card"] {{ background: {shades.base}; border: 1px solid {shades.line}; border-radius: 6px; }}
    QPushButton[use="main"] {{
        color: {shades.on_accent}; background: {shades.accent}; border: 1px solid {shades.accent};
        border-radius: 4px; padding: 5px 14px; font-weight: 600;
    }}
    QPushButton[use="main"]:disabled {{
        color: {shades.off}; background: {shades.raised}; border-color: {shades.line};
    }}
    QPushButton[use="main"]:focus {{ border: 2px solid {shades.text}; padding: 4px 13px; }}
    QHeaderView::section {{
        background: {shades.raised}; color: {shades.text}; border: none;
        border-right: 1px solid {shades.line}; border-bottom: 1px solid {shades.line}; padding: 4px 6px;
    }}
    QTableView, QListView, QTreeView, QScrollArea {{ border: 1px solid {shades.line}; }}
    QTableView:focus, QListView:focus, QTreeView:focus {{ border: 1px solid {shades.accent}; }}
    QToolBar {{ border: none; border-bottom: 1px solid {shades.line}; padding: 2px 4px; spacing: 3px; }}
    QMenuBar {{ border: none; background: {shades.window}; }}
    QStatusBar {{ border-top: 1px solid {shades.line}; }}
    QStatusBar::item {{ border: none; }}
    """
