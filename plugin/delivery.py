"""From takes to the editor: which take of each cue is used, onto the timeline, into a package."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from plugin.cues import Cue, CueSheet
from plugin.hosts import StemPiece
from plugin.render.takes import Take, find_takes
from plugin.timeline.packages import Package, write_otioz

MadeTakes = Mapping[str, tuple[Take, Path]]
"""By cue id: the take that this run made or kept, and its WAV."""


def choose_pieces(sheet: CueSheet, made: MadeTakes, *, folder: Path) -> tuple[StemPiece, ...]:
    """One piece per cue: this run's take, else the newest earlier one that lies at the same place.

    Args:
        sheet: all cues of the timeline, so that rendering some of them keeps the others.
        made: of this run.
        folder: where earlier takes are.
    """
    earlier = tuple(find_takes(folder)) if any(cue.id not in made for cue in sheet.cues) else ()
    pieces = []
    for cue in sheet.cues:
        found = made.get(cue.id) or _newest(cue, sheet, earlier, folder=folder)
        if found is not None:
            pieces.append(_piece(cue, *found))
    return tuple(pieces)


def _newest(
    cue: Cue, sheet: CueSheet, earlier: tuple[Take, ...], *, folder: Path
) -> tuple[Take, Path] | None:
    fitting = [
        take
        for take in earlier
        if take.timeline_name == sheet.timeline_name
        and take.cue.spot.label == cue.spot.label
        and take.cue.spot.record == cue.spot.record
    ]
    if not fitting:
        return None
    newest = max(fitting, key=lambda take: (take.created, take.name))
    return newest, folder / newest.wav_name


def _piece(cue: Cue, take: Take, path: Path) -> StemPiece:
    facts = {
        "sidecar": take.sidecar_name,
        "prompt": take.cue.prompt,
        "negative_prompt": take.cue.negative_prompt,
        "seed": str(take.cue.seed),
        "bundle": take.engine.bundle_id,
        "licence": take.engine.licence.name,
    }
    return StemPiece(cue.id, cue.spot.label, path.absolute(), cue.spot.record, facts=tuple(facts.items()))


def package(timeline: Path) -> Package:
    """The self-contained `.otioz` beside a written timeline, with all media inside.

    Raises:
        OutputError: it cannot be written or does not read back.
    """
    return write_otioz(timeline, output=timeline.with_suffix(".otioz"))
