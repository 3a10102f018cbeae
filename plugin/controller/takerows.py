"""A take as the lanes show it."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

from plugin.controller.book import TakeNote
from plugin.controller.views import TakeRow
from plugin.cues import Cue
from plugin.render.takes import Take

_NUMBER = re.compile(r"_t0*(\d+)$")


def take_title(take: Take, note: TakeNote) -> str:
    """What a take is called on screen: what the editor called it, else its number."""
    number = _NUMBER.search(take.name)
    return note.title or (f"Take {number[1]}" if number else take.name)


def take_row(take: Take, cue: Cue, *, note: TakeNote, folder: Path, chosen: bool, why: str) -> TakeRow:
    """A take of a cue.

    Args:
        take: the take.
        cue: as it is today.
        note: what the editor said of the take.
        folder: where its files are.
        chosen: it would be placed.
        why: why it is not what the cue asks for today, "" when it is.
    """
    preview = take.cue.steps < cue.steps
    true_peak, loudness = take.audio.true_peak_dbtp, take.audio.loudness_lufs
    peak = None if true_peak is None else true_peak + note.gain_db
    loud = None if loudness is None else loudness + note.gain_db
    return TakeRow(
        name=take.name,
        cue_id=cue.id,
        title=take_title(take, note),
        path=folder / take.wav_name,
        star=note.star,
        chosen=chosen,
        current=not why,
        note="Preview: few steps, to judge timing." if preview and why else why or " ".join(take.warnings),
        preview=preview,
        seed=take.cue.seed,
        steps=take.cue.steps,
        prompt=take.cue.prompt,
        created=_day_and_time(take.created),
        record=take.cue.spot.record,
        level=_level(peak, loud),
        true_peak=peak,
        loudness=loud,
        gain_db=note.gain_db,
        fade_in=note.fade_in,
        fade_out=note.fade_out,
        made_by=f"{take.engine.bundle_id} on {take.engine.provider}",
        licence=licence_words(take.engine.licence.name, allowed=take.engine.licence.commercial_use),
        warnings=take.warnings,
    )


def licence_words(name: str, *, allowed: bool) -> str:
    """A licence and what it allows."""
    return f"{name} ({'paid work allowed' if allowed else 'not for paid work'})"


def _level(peak: float | None, loudness: float | None) -> str:
    if peak is None:
        return "silence"
    words = f"{peak:.1f} dBTP"
    return f"{loudness:.1f} LUFS, {words}" if loudness is not None else words


def _day_and_time(created: str) -> str:
    try:
        return dt.datetime.fromisoformat(created).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return created


def level_words(note: TakeNote) -> str:
    """Gain and fades in words; "" when there are none."""
    parts = [f"{note.gain_db:+.1f} dB"] if note.gain_db else []
    parts += [f"fade in {note.fade_in:g} s"] if note.fade_in else []
    parts += [f"fade out {note.fade_out:g} s"] if note.fade_out else []
    return ", ".join(parts)
