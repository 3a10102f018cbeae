"""Project and timeline settings, in the forms that builds give them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .model import Project, Timeline
from .timecode import RATES, Rate, rate_name


def _text(rate: Rate) -> str:
    return rate_name(rate)


def _short(rate: Rate) -> str:
    return "23" if rate.number == 23.976 else _text(rate)


def _point_zero(rate: Rate) -> str:
    return _text(rate) if "." in _text(rate) else f"{_text(rate)}.0"


RATE_FORMS: dict[str, Callable[[Rate], Any]] = {
    "float": lambda rate: rate.number,
    "string": _text,
    "short": _short,
    "point zero": _point_zero,
    "bare": lambda rate: _text(rate).removesuffix(" DF"),
}
"""Ways in which `timelineFrameRate` was seen: 23.976, "29.97 DF", "23", "24.0", "29.97" without DF."""


def project_settings(project: Project, form: str) -> dict[str, Any]:
    """All settings of a project."""
    return {
        "timelineFrameRate": RATE_FORMS[form](project.rate),
        "timelinePlaybackFrameRate": str(project.rate.number),
        "timelineDropFrameTimecode": "1" if project.rate.drop else "0",
        "timelineResolutionWidth": "1920",
        "timelineResolutionHeight": "1080",
        "timelineSampleRate": "48000",
        "timelineOutputResMismatchBehavior": "scaleToFit",
        **project.settings,
    }


def timeline_settings(project: Project, timeline: Timeline, form: str) -> dict[str, Any]:
    """All settings of a timeline: the project's unless it has its own."""
    custom = timeline.settings.get("useCustomSettings", "0")
    known = {**project_settings(project, form), "useCustomSettings": custom}
    if custom != "1":
        return known
    own = {
        "timelineFrameRate": RATE_FORMS[form](timeline.rate),
        "timelineDropFrameTimecode": "1" if timeline.rate.drop else "0",
        "timelineResolutionWidth": str(timeline.size[0]),
        "timelineResolutionHeight": str(timeline.size[1]),
    }
    return {**known, **own, **timeline.settings}


def rate_in(value: Any) -> Rate | None:
    """The rate that a script sets, None when there is none like it."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    text = value if isinstance(value, str) else f"{value:g}"
    return RATES.get(text.removesuffix(".0"))
