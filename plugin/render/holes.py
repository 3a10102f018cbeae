"""Images that an image sequence lacks where a cue shows it."""

from __future__ import annotations

from fractions import Fraction

from plugin.cues import ImageSequence, Problem, Severity, Spot
from plugin.timebase import TimeSpan

_SHOWN_INSTEAD = {"hold": "the image before is held", "black": "black is shown"}


def hole_problems(spot: Spot, sequence: ImageSequence, *, kind: str, shown: TimeSpan) -> tuple[Problem, ...]:
    """What to say of images that are missing within a cue; nothing when all are there.

    A missing image stops the cue, unless the timeline says what to show instead.

    Args:
        spot: the cue's spot.
        sequence: the media.
        kind: "picture" or "matte".
        shown: the part that the cue shows, seconds from the first image; a freeze shows a moment.
    """
    missing = missing_numbers(sequence, shown)
    if not missing:
        return ()
    first = sequence.path_of(missing[0])
    counted = f"{len(missing)} image" + "s" * (len(missing) != 1)
    lacks = f"The {kind} {sequence.name} lacks {counted} within cue {spot.id} ('{spot.label}')"
    named = f"{lacks}, the first is {first.name}"
    instead = _SHOWN_INSTEAD.get(sequence.missing)
    return (
        Problem(
            Severity.WARNING if instead else Severity.BLOCKER,
            spot.id,
            sequence.name,
            f"{named}; {instead}." if instead else f"{named}.",
            f"Render or copy {first.name} into {sequence.folder}"
            + (", and the others that are missing." if len(missing) > 1 else "."),
        ),
    )


def missing_numbers(sequence: ImageSequence, shown: TimeSpan) -> tuple[int, ...]:
    """Numbers without a file among those on screen in `shown`, seconds from the first image."""
    step = max(1, sequence.step)
    count = (sequence.last - sequence.first) // step + 1
    first = min(max((shown.start * sequence.rate).__floor__(), 0), count - 1)
    end = max(_ceiling(shown.end * sequence.rate), first + 1)
    numbers = (sequence.first + index * step for index in range(first, min(end, count)))
    return tuple(number for number in numbers if not sequence.path_of(number).is_file())


def _ceiling(value: Fraction) -> int:
    return -(-value // 1)
