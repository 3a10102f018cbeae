"""From takes to the editor: which take of each cue is used, onto the timeline, into a package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from plugin.cues import Cue, CueSheet
from plugin.filehost import FileHost
from plugin.hosts import Conflict, PlacedPiece, StemPiece
from plugin.render.takes import Take, find_takes
from plugin.timeline.packages import Package, write_otioz
from plugin.timeline.reading import media_folder

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
            pieces.append(piece_of(cue, *found))
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


def piece_of(cue: Cue, take: Take, path: Path, *, more: Mapping[str, str] | None = None) -> StemPiece:
    """A take as a piece of its cue's stem.

    Args:
        cue: whose place and label it gets.
        take: what it was made of.
        path: the WAV that holds its sound.
        more: facts that travel with it beside the usual ones.
    """
    facts = {
        "sidecar": take.sidecar_name,
        "prompt": take.cue.prompt,
        "negative_prompt": take.cue.negative_prompt,
        "seed": str(take.cue.seed),
        "bundle": take.engine.bundle_id,
        "licence": take.engine.licence.name,
        **(more or {}),
    }
    return StemPiece(cue.id, cue.spot.label, path.absolute(), cue.spot.record, facts=tuple(facts.items()))


@dataclass(frozen=True, slots=True)
class Delivery:
    """What was written for the editor.

    Attributes:
        otio: the timeline with our tracks.
        otioz: the package of it; None when none was asked for.
        pieces: placed and read back.
        warnings: whole sentences.
    """

    otio: Path
    otioz: Path | None
    pieces: tuple[PlacedPiece, ...]
    warnings: tuple[str, ...]


def deliver(
    host: FileHost,
    pieces: Sequence[StemPiece],
    *,
    package: Path | None = None,
    conflict: Conflict = Conflict.REPLACE,
) -> Delivery:
    """Place the pieces, read them back, and pack the timeline where a package is asked for.

    Args:
        host: the timeline's file.
        pieces: the chosen takes.
        package: folder of the self-contained `.otioz` with all media inside; None for none.
        conflict: what becomes of what was placed earlier.

    Raises:
        UnreadableTimeline: the file is no timeline any more.
        OutputError: something cannot be written or does not read back.
    """
    placed = host.place(pieces, conflict=conflict)
    warnings = list(host.placement.warnings) if host.placement else []
    packed: Package | None = None
    if package is not None:
        inside = package / host.output.with_suffix(".otioz").name
        packed = write_otioz(host.output, output=inside, folder=media_folder(host.path))
        warnings += [f"Not in the package, because the file is not there: {name}" for name in packed.missing]
        warnings += [f"Not in the package, because it is no media file: {name}" for name in packed.refused]
    return Delivery(host.output, packed.path if packed else None, placed, tuple(warnings))
