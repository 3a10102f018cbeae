"""Everything an editor decides about one timeline, as one value; every edit makes a new one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from plugin.cueing import CueEntry
from plugin.cues import Cue, CueSheet, Spot
from plugin.opening import Reading

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class TakeNote:
    """What an editor says of one take; its files stay as they are.

    Attributes:
        title: its name on screen, "" for its number.
        star: marked.
        gain_db: -60..24.
        fade_in: seconds.
        fade_out: seconds.
        trashed: in the trash folder.
    """

    title: str = ""
    star: bool = False
    gain_db: float = 0.0
    fade_in: float = 0.0
    fade_out: float = 0.0
    trashed: bool = False

    @property
    def levelled(self) -> bool:
        """Whether it shall sound other than its file."""
        return bool(self.gain_db or self.fade_in or self.fade_out)


UNSAID = TakeNote()


@dataclass(frozen=True, slots=True)
class Book:
    """The editor's decisions.

    Attributes:
        sheet: the cues.
        own: by cue id: its spot as the timeline has it; the cue's record is that one's with its handles.
        dismissed: cues that were removed; they are written to the sheet switched off.
        orphans: entries of the cue file that found no spot; they stay in the file.
        notes: by take name; a take without one has `UNSAID`.
        chosen: by cue id: the take that the editor chose.
        relinks: by path of a media file or folder: where it is now.
        accepted: ids of problems that the editor has seen and accepted.
        reading: what was said about the timeline file.
    """

    sheet: CueSheet
    own: Mapping[str, Spot] = field(default_factory=dict)
    dismissed: tuple[Cue, ...] = ()
    orphans: tuple[CueEntry, ...] = ()
    notes: Mapping[str, TakeNote] = field(default_factory=dict)
    chosen: Mapping[str, str] = field(default_factory=dict)
    relinks: Mapping[str, str] = field(default_factory=dict)
    accepted: frozenset[str] = frozenset()
    reading: Reading = field(default_factory=Reading)

    def cue(self, cue_id: str) -> Cue | None:
        """The cue of that id, None when there is none."""
        return next((cue for cue in self.sheet.cues if cue.id == cue_id), None)

    def note(self, take: str) -> TakeNote:
        """What was said of a take."""
        return self.notes.get(take, UNSAID)

    def with_cues(self, cues: Iterable[Cue]) -> Book:
        """The same with other cues, brought into record order, then that of their ids."""
        ordered = tuple(sorted(cues, key=lambda cue: (cue.spot.record.start, cue.id)))
        return replace(self, sheet=replace(self.sheet, cues=ordered))

    def with_note(self, take: str, **changes: Any) -> Book:
        """The same with something else said of a take."""
        note = replace(self.note(take), **changes)
        notes = {name: each for name, each in self.notes.items() if name != take}
        return replace(self, notes=notes if note == UNSAID else notes | {take: note})

    def with_choice(self, cue_id: str, take: str) -> Book:
        """The same with a take chosen; "" leaves the choice to the desk."""
        chosen = {cue: name for cue, name in self.chosen.items() if cue != cue_id}
        return replace(self, chosen=chosen | {cue_id: take} if take else chosen)
