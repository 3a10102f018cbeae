"""What the desk and its render process say to each other: one JSON object per line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from plugin import errors
from plugin.cues import Cue, CueSheet
from plugin.errors import SagafoleyError
from plugin.render.provenance import cue_from_data, cue_to_data
from plugin.timebase import TimeSpan

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class EngineOrder:
    """Which engine a render needs; an engine of the same order is kept open.

    Attributes:
        bundle: folder of the bundle.
        provider: "auto", "cpu" or "cuda".
        threads: 0 leaves it to the runtime.
        memory_mb: 0 leaves it to the engine.
        cache_mb: room for features, 0 for none.
        cache: folder for features.
    """

    bundle: str
    provider: str
    threads: int
    memory_mb: int
    cache_mb: int
    cache: str


@dataclass(frozen=True, slots=True)
class RenderOrder:
    """One item to render.

    Attributes:
        item: its id in the queue.
        sheet: of one cue, with the number of its takes.
        folder: where takes go.
        engine: what renders it.
    """

    item: str
    sheet: CueSheet
    folder: Path
    engine: EngineOrder


def encoded(message: Mapping[str, Any]) -> bytes:
    """One line; file names that are no Unicode stay what they are."""
    return json.dumps(message).encode("ascii") + b"\n"


def decoded(line: bytes) -> Message | None:
    """The message of a line; None when it is none."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def order_to_message(order: RenderOrder) -> Message:
    """A render order as JSON can hold it."""
    sheet, cue = order.sheet, order.sheet.cues[0]
    return {
        "do": "render",
        "item": order.item,
        "cue": cue_to_data(cue),
        "takes": cue.takes,
        "timeline": {
            "name": sheet.timeline_name,
            "rate": str(sheet.rate),
            "drop_frame": sheet.drop_frame,
            "start": str(sheet.record.start),
            "end": str(sheet.record.end),
        },
        "folder": str(order.folder),
        "engine": asdict(order.engine),
    }


def order_of_message(message: Message) -> RenderOrder:
    """The order that `order_to_message` wrote."""
    timeline = message["timeline"]
    cue: Cue = replace(cue_from_data(message["cue"]), takes=message["takes"])
    record = TimeSpan(Fraction(timeline["start"]), Fraction(timeline["end"]))
    sheet = CueSheet(
        timeline["name"], Fraction(timeline["rate"]), timeline["drop_frame"], record=record, cues=(cue,)
    )
    return RenderOrder(message["item"], sheet, Path(message["folder"]), EngineOrder(**message["engine"]))


def failure_message(item: str, error: SagafoleyError) -> Message:
    """Why an item could not be rendered."""
    return {
        "tell": "failed",
        "item": item,
        "kind": type(error).__name__,
        "message": error.message,
        "remedy": error.remedy,
        "detail": error.detail,
    }


def failure_of_message(message: Message) -> SagafoleyError:
    """The failure that `failure_message` told."""
    kind = getattr(errors, message["kind"], SagafoleyError)
    known = isinstance(kind, type) and issubclass(kind, SagafoleyError)
    family = kind if known else SagafoleyError
    return family(message["message"], remedy=message["remedy"], detail=message["detail"])
