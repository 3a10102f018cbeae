"""What the image tower saw in the window before, for the next one, which begins with the same pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from plugin.engine.footage import Footage, SharedFrames
from plugin.engine.sessions import Float


class LastPictures:
    """Features of one window's pictures, by time; a few hundred kB.

    Windows of a cue are seen in order, so what a window takes from the one before is always the same,
    whether that was computed or came from the cache.
    """

    def __init__(self) -> None:
        self._shown = ""
        self._first = Fraction(0)
        self._features: Mapping[Fraction, Float] = {}

    def keep(self, footage: Footage, slots: Sequence[Fraction], features: Float) -> None:
        """Instead of what was kept: features `[1, Tc, Dc]` of the pictures at `slots`.

        Nothing of damaged footage is kept, so that its damage is told again.
        """
        self._shown = "" if footage.damaged else _shown(footage)
        self._first, self._features = slots[0], dict(zip(slots, features[0], strict=True))

    def before(self, footage: Footage, first: Fraction) -> Mapping[Fraction, Float]:
        """Features `[Dc]` by time, for a window whose pictures begin at `first`.

        None when other footage was seen last, its pictures have no name, or what was seen began no earlier.
        """
        known = self._shown and self._shown == _shown(footage) and self._first < first
        return self._features if known else {}


def _shown(footage: Footage) -> str:
    """Changes whenever any frame could; "" where that is not known."""
    shared = footage.frames_fingerprint if isinstance(footage, SharedFrames) else ""
    return shared or footage.fingerprint
