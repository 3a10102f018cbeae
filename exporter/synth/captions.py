"""Words for what sounds: several phrasings per class, short enough for sixteen tokens."""

from __future__ import annotations

from exporter.synth.arrays import Random
from exporter.synth.chance import chance, pick
from exporter.synth.makers import MAKERS

_FRAMES = ("{}", "the sound of {}", "{} close up", "sound of {}", "we hear {}", "{} in a room", "only {}")


def captions_of(name: str) -> tuple[str, ...]:
    """All phrasings of a class, the plain one first.

    Raises:
        KeyError: no class of this name.
    """
    phrases = (*MAKERS[name].phrases, name.replace("_", " "))
    return tuple(frame.format(phrase) for frame in _FRAMES for phrase in phrases)


def draw_caption(rng: Random, name: str) -> str:
    """One phrasing of a class; mostly a plain one.

    Raises:
        KeyError: no class of this name.
    """
    plain = len(MAKERS[name].phrases) + 1
    captions = captions_of(name)
    return pick(rng, captions[:plain]) if chance(rng, 0.6) else pick(rng, captions)


def vocabulary() -> tuple[str, ...]:
    """Every word of every phrasing, in order of the alphabet."""
    return tuple(sorted({word for name in MAKERS for text in captions_of(name) for word in text.split()}))
