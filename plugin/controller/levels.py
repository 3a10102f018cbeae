"""Takes with their gain and fades, as files that can be placed; the takes themselves stay as they are."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from plugin.controller.book import TakeNote
from plugin.cues import Cue
from plugin.delivery import piece_of
from plugin.hosts import StemPiece
from plugin.media.audio import Samples, read_pieces
from plugin.media.ixml import Production
from plugin.media.shaping import Shape
from plugin.render.stemwriting import StemPlace, write_stem
from plugin.render.takes import AudioFacts, Take, file_sha256
from plugin.timebase import STEM_RATE, sample_position, span_samples
from plugin.wholefile import WORK_FOLDER, discard, write_whole

FOLDER = "levelled"
"""The folder of shaped takes, inside the stem folder."""

KIND = "sagafoley levelled take"


@dataclass(frozen=True, slots=True)
class ChosenTake:
    """What is placed of a cue.

    Attributes:
        cue: whose.
        take: the take.
        note: its gain and fades.
    """

    cue: Cue
    take: Take
    note: TakeNote

    @property
    def shape(self) -> Shape:
        """What is done to its sound."""
        note = self.note
        return Shape.of(
            gain_db=note.gain_db, fade_in=note.fade_in, fade_out=note.fade_out, sample_rate=STEM_RATE
        )

    def path_in(self, folder: Path) -> Path:
        """The file that is placed: the take's own, or the shaped one, whose name says how it is shaped."""
        if not self.note.levelled:
            return folder / self.take.wav_name
        text = f"{self.take.audio.sha256} {self.shape}"
        mark = hashlib.sha256(text.encode("ascii")).hexdigest()[:8]
        return folder / FOLDER / f"{self.take.name}_{mark}.wav"


def provide(chosen: ChosenTake, folder: Path) -> StemPiece:
    """The piece of a chosen take; a shaped file is written where it is not there yet.

    Raises:
        MediaMissing: the take's file is gone.
        OutputError: disk full or not writable.
    """
    path = chosen.path_in(folder)
    facts: dict[str, str] = {}
    if chosen.note.levelled:
        audio = _levelled(chosen, folder, path)
        note = chosen.note
        names = ("gain_db", "fade_in", "fade_out")
        facts = {name: f"{getattr(note, name):g}" for name in names}
        if audio.gain_db:
            facts["limited_db"] = f"{audio.gain_db:g}"
    return piece_of(chosen.cue, chosen.take, path, more=facts)


def _levelled(chosen: ChosenTake, folder: Path, path: Path) -> AudioFacts:
    known = _known(path)
    if known is not None:
        return known
    work = folder / WORK_FOLDER / f"{path.stem}.scratch.part"
    discard(path)
    audio = write_stem(_shaped(chosen, folder), _place(chosen, path, work))
    data = {
        "kind": KIND,
        "take": chosen.take.sidecar_name,
        "take_sha256": chosen.take.audio.sha256,
        "gain_db": chosen.note.gain_db,
        "fade_in": chosen.note.fade_in,
        "fade_out": chosen.note.fade_out,
        "licence": asdict(chosen.take.engine.licence),
        "audio": {"file": path.name} | asdict(audio),
    }
    write_whole(path.with_suffix(".json"), (json.dumps(data, indent=1) + "\n").encode("ascii"))
    shutil.rmtree(work, ignore_errors=True)
    return audio


def _known(path: Path) -> AudioFacts | None:
    """The facts of a shaped file that is there, byte for byte."""
    try:
        audio = json.loads(path.with_suffix(".json").read_bytes())["audio"]
        audio.pop("file")
        facts = AudioFacts(**audio)
        return facts if file_sha256(path) == facts.sha256 else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _shaped(chosen: ChosenTake, folder: Path) -> Iterator[Samples]:
    first, shape, total = 0, chosen.shape, chosen.take.audio.samples
    for piece in read_pieces(folder / chosen.take.wav_name):
        yield shape.applied(piece, first=first, total=total)
        first += len(piece)


def _place(chosen: ChosenTake, path: Path, work: Path) -> StemPlace:
    take, record = chosen.take, chosen.take.cue.spot.record
    label = take.cue.spot.label
    words = f"{label}: {take.cue.prompt} ({chosen.note.gain_db:+g} dB)"
    return StemPlace(
        part=path,
        scratch=work,
        first_sample=sample_position(record.start),
        samples=span_samples(record),
        description=words,
        reference=path.stem[-32:],
        production=Production(
            project=take.timeline_name,
            scene=take.cue.id,
            take=path.stem,
            note=words,
            rate=take.rate,
            drop_frame=take.drop_frame,
            tracks=(label,),
        ),
    )
