"""Palettes that can be read, icons that are drawn."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor, QFontDatabase
from PySide6.QtWidgets import QApplication

from plugin.panel.icons import icon, names, pixmap
from plugin.panel.palettes import DARK, LIGHT, Scheme, Shades, palette_of, shades_of


def luminance(colour: QColor) -> float:
    """WCAG 2.2, relative luminance."""
    parts = (colour.redF(), colour.greenF(), colour.blueF())
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: QColor, other: QColor) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("shades", [DARK, LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize("ground", ["window", "base", "alternate", "raised"])
@pytest.mark.parametrize("text", ["text", "faint", "good", "warn", "bad"])
def test_text_can_be_read_on_every_ground(shades: Shades, ground: str, text: str) -> None:
    assert contrast(shades.colour(text), shades.colour(ground)) >= 4.5


@pytest.mark.parametrize("shades", [DARK, LIGHT], ids=["dark", "light"])
def test_what_is_selected_can_be_read(shades: Shades) -> None:
    assert contrast(shades.colour("on_accent"), shades.colour("accent")) >= 4.0
    assert contrast(shades.colour("off"), shades.colour("window")) >= 3.0


def test_the_two_palettes_are_two(qapp: QApplication) -> None:
    assert shades_of(Scheme.LIGHT) is LIGHT
    assert shades_of(Scheme.DARK) is DARK
    assert palette_of(DARK) != palette_of(LIGHT)


@pytest.mark.parametrize("name", names())
def test_every_icon_draws_something_inside_its_box(qapp: QApplication, name: str) -> None:
    image = pixmap(name, QColor("red"), 48).toImage()
    inked = [(x, y) for x in range(48) for y in range(48) if image.pixelColor(x, y).alpha() > 30]
    assert 40 < len(inked) < 48 * 48 * 0.6
    assert all(0 < x < 47 and 0 < y < 47 for x, y in inked), "cut off at the edge"
    assert not icon(name, QColor("red"), faint=QColor("grey")).isNull()


def test_there_are_letters(qapp: QApplication) -> None:
    """Without fonts Qt draws nothing and says nothing."""
    assert QFontDatabase.families()
