"""All classes of sound makers, one module per family."""

from __future__ import annotations

from collections.abc import Mapping

from exporter.synth.makers.bouncing import BOUNCING
from exporter.synth.makers.friction import FRICTION
from exporter.synth.makers.hands import HANDS
from exporter.synth.makers.machines import MACHINES
from exporter.synth.makers.maker import Maker
from exporter.synth.makers.silent import SILENT
from exporter.synth.makers.strikes import STRIKES
from exporter.synth.makers.stringed import STRINGED
from exporter.synth.makers.swinging import SWINGING
from exporter.synth.makers.walking import WALKING
from exporter.synth.makers.water import WATER
from exporter.synth.scores import Kind

_SOUNDING = STRIKES + BOUNCING + SWINGING + WALKING + STRINGED + WATER + HANDS + FRICTION + MACHINES

MAKERS: Mapping[str, Maker] = {maker.name: maker for maker in (*_SOUNDING, SILENT)}
"""Every class by its name, the silent one last."""

CLASS_NAMES: tuple[str, ...] = tuple(maker.name for maker in _SOUNDING)
"""The classes that sound, in the order that gives each its number."""


def names_of(kind: Kind) -> tuple[str, ...]:
    """The classes of one kind."""
    return tuple(name for name, maker in MAKERS.items() if maker.kind == kind)
