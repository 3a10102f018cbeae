"""Sound becomes a stem file: under the ceiling, measured, placed by its TimeReference."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from plugin.errors import UnexpectedOutput
from plugin.media.bwf import Bext, BroadcastWriter
from plugin.media.ixml import Production
from plugin.media.loudness import CEILING_DBTP, peak_limited
from plugin.render.takes import AudioFacts, decibels, file_sha256
from plugin.timebase import STEM_RATE
from plugin.wholefile import output_error

Float = npt.NDArray[np.float32]

_ROUNDING_DB = 0.001
"""What rounding to 24 bits may add to a true peak, with room to spare."""

_UNDATED = dt.datetime(1980, 1, 1)  # noqa: DTZ001 - bext has local time, and this is no moment at all
"""bext must have a date, and the same inputs must give the same bytes; the sidecar knows the day."""


@dataclass(frozen=True, slots=True)
class StemPlace:
    """Where a stem file goes and what it says of itself.

    Attributes:
        part: the file to write; it must not be there yet.
        scratch: a folder for the samples until their level is known; made, and left to the caller.
        first_sample: position of sample 0 since midnight, at 48 kHz.
        samples: exact length.
        description: one line about the sound.
        reference: what tells this file from every other, at most 32 letters.
        production: names for iXML.
    """

    part: Path
    scratch: Path
    first_sample: int
    samples: int
    description: str
    reference: str
    production: Production


def write_stem(pieces: Iterable[Float], place: StemPlace) -> AudioFacts:
    """Writes the pieces as one mono 24-bit Broadcast WAV and waits until the disk has it.

    The whole sound is turned down by one gain where its true peak would exceed -1 dBTP; it is never
    turned up. Memory does not grow with length.

    Raises:
        OutputError: disk full or not writable.
        UnexpectedOutput: the pieces are not exactly `place.samples` samples, or not numbers.
    """
    try:
        place.scratch.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(place.part, error) from error
    peak = 0.0
    ceiling = CEILING_DBTP - _ROUNDING_DB
    checked = _checked(pieces, samples=place.samples)
    with peak_limited(checked, sample_rate=STEM_RATE, ceiling=ceiling, folder=place.scratch) as sound:
        with BroadcastWriter.open(place.part, bext=_bext(place), production=place.production) as writer:
            for piece in sound.pieces():
                peak = max(peak, float(np.max(np.abs(piece))))
                writer.write(piece)
            writer.finish(loudness=sound.loudness)
        return AudioFacts(
            bytes=place.part.stat().st_size,
            sha256=file_sha256(place.part),
            samples=sound.samples,
            gain_db=_rounded(decibels(sound.gain)) or 0.0,
            sample_peak_dbfs=_rounded(decibels(peak)),
            true_peak_dbtp=_rounded(sound.loudness.true_peak),
            loudness_lufs=_rounded(sound.loudness.integrated),
        )


def _checked(pieces: Iterable[Float], *, samples: int) -> Iterator[Float]:
    """The same pieces, proved to be finite and of the right length together."""
    given = 0
    for piece in pieces:
        given += len(piece)
        if given > samples or not np.isfinite(piece).all():
            break
        yield piece
    else:
        if given == samples:
            return
    raise UnexpectedOutput(
        "The sound is not what was asked for: too long, too short, or not numbers.",
        remedy="Verify the bundle with `sagafoley models verify`, then render again.",
        detail=f"{given} of {samples} samples",
    )


def _bext(place: StemPlace) -> Bext:
    return Bext(
        time_reference=max(place.first_sample, 0),
        recorded=_UNDATED,
        description=place.description,
        originator_reference=place.reference,
    )


def _rounded(level: float | None) -> float | None:
    return None if level is None else round(level, 3)
