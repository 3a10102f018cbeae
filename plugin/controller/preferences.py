"""Settings as a dialog shows them, and what was put in as settings again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugin.controller.views import SettingFault, SettingRow
from plugin.errors import UsageError
from plugin.presets import Presets
from plugin.settings import Row, Settings, row, rows

_TITLES = {
    "bundle": "Model bundle",
    "provider": "Run the model on",
    "threads": "CPU threads",
    "memory_mb": "Memory of the model (MB)",
    "cache_mb": "Disk space for features (MB)",
    "preset": "Preset",
    "takes": "Takes per spot",
    "seed": "First seed",
    "output_folder": "Folder for stems",
    "preview_preset": "Preset of previews",
    "idle_minutes": "Give memory back after (minutes)",
    "flavour": "Timelines are written for",
}

_WORDS = {
    ("provider", "auto"): "GPU when there is one, else CPU",
    ("provider", "cpu"): "CPU",
    ("provider", "cuda"): "NVIDIA GPU (CUDA)",
    ("flavour", "generic"): "any OTIO reader",
    ("flavour", "resolve"): "DaVinci Resolve",
}

_KINDS = {str: "text", int: "whole number", float: "number", bool: "flag"}


def setting_rows(settings: Settings, presets: Presets, bundles: tuple[str, ...]) -> tuple[SettingRow, ...]:
    """All settings, in the order they are shown.

    Args:
        settings: as they are.
        presets: proposals for settings that name one.
        bundles: proposals for the bundle.
    """
    proposals = {
        "bundle": tuple((name, name) for name in bundles),
        "preset": tuple((name, name) for name in presets.names),
    }
    proposals["preview_preset"] = proposals["preset"]
    return tuple(
        _setting_row(each, getattr(settings, each.key), proposals.get(each.key, ())) for each in rows()
    )


def _setting_row(each: Row, value: Any, proposals: tuple[tuple[str, str], ...]) -> SettingRow:
    choices = tuple((choice, _WORDS.get((each.key, choice), choice)) for choice in each.choices)
    return SettingRow(
        key=each.key,
        title=_TITLES.get(each.key, each.key.replace("_", " ").capitalize()),
        help=each.help,
        kind="choice" if choices else _KINDS[each.kind],
        value=value,
        default=each.default,
        lowest=each.lowest,
        highest=each.highest,
        choices=choices or proposals,
        allowed=each.allowed,
    )


def read_values(values: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[SettingFault, ...]]:
    """The values that can be, and why the others cannot; texts of numbers are read as numbers."""
    good: dict[str, Any] = {}
    faults: list[SettingFault] = []
    for key, value in values.items():
        try:
            each = row(key)
            good[key] = each.check(_read(each, value))
        except UsageError as error:
            faults.append(SettingFault(key, error.message, error.remedy))
    return good, tuple(faults)


def _read(each: Row, value: Any) -> Any:
    if isinstance(value, str) and each.kind in {int, float}:
        try:
            return each.kind(value.strip())
        except ValueError:
            return value
    return value
