"""Renders a cue sheet: every cue to its takes, whole takes kept, failures told and passed over."""

from __future__ import annotations

import datetime as dt
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from plugin.cues import MAX_SEED, Cue, CueSheet
from plugin.engine.engine import Engine
from plugin.engine.watch import UNWATCHED, Watch
from plugin.errors import Cancelled, EngineError, OutOfMemory, OutputError, SagafoleyError, UnsupportedTiming
from plugin.media.ixml import Production
from plugin.render.events import (
    CueFailed,
    CueStarted,
    CueWarning,
    RenderEvent,
    SheetFinished,
    SheetStarted,
    StageProgress,
    TakeKept,
    TakeWritten,
)
from plugin.render.journal import Journal
from plugin.render.naming import sheet_bases
from plugin.render.provenance import take_identity
from plugin.render.relay import Teller, relay
from plugin.render.rendering import Brief
from plugin.render.stemfolder import BusyElsewhere, StemFolder
from plugin.render.stemwriting import StemPlace, write_stem
from plugin.render.takes import AudioFacts, Take
from plugin.render.workshop import CueFootage, Workshop
from plugin.timebase import sample_position, span_samples
from plugin.wholefile import is_disk_full, output_error


def render(
    sheet: CueSheet, engine: Engine, *, folder: Path, cancel: Callable[[], bool] = UNWATCHED.cancel
) -> Iterator[RenderEvent]:
    """Renders the sheet into `folder`; see `render_with`."""
    return render_with(Workshop.of_engine(engine), sheet, folder=folder, cancel=cancel)


def render_with(
    workshop: Workshop, sheet: CueSheet, *, folder: Path, cancel: Callable[[], bool] = UNWATCHED.cancel
) -> Iterator[RenderEvent]:
    """What happens while the sheet is rendered; nothing is done before the first event is asked for.

    A take of the same inputs that is whole in the folder is kept, not made again. A cue that fails is
    told as `CueFailed` and the next one follows. Closing the iterator stops the render.

    Args:
        workshop: looks at footage and makes sound.
        sheet: the cues.
        folder: where takes go; made when it is not there.
        cancel: asked before every solver step, from another thread than the caller's.

    Raises:
        Cancelled: `cancel` said so; whole takes stay, the unfinished one is cleared away.
        OutputError: the folder cannot be written to, or the disk is full; the sheet stops there.
    """

    def work(teller: Teller[RenderEvent]) -> None:
        stems = StemFolder.open(folder)
        run = _Run(workshop, sheet, stems=stems, teller=teller, cancel=cancel)
        _render_sheet(run)

    return relay(work, name="render")


@dataclass(slots=True)
class _Run:
    """One pass over a sheet."""

    workshop: Workshop
    sheet: CueSheet
    stems: StemFolder
    teller: Teller[RenderEvent]
    cancel: Callable[[], bool]
    known: dict[str, list[Take]] = field(default_factory=dict)
    claimed: set[str] = field(default_factory=set)
    written: int = 0
    kept: int = 0
    failed: int = 0

    @property
    def journal(self) -> Journal:
        return self.stems.journal

    def is_cancelled(self) -> bool:
        return self.teller.stopped.is_set() or self.cancel()

    def learn(self, take: Take) -> None:
        """Remembers a take that is in the folder, so that no cue repeats it."""
        takes = self.known.setdefault(take.identity, [])
        if all(take.name != other.name for other in takes):
            takes.append(take)


def _render_sheet(run: _Run) -> None:
    cues = run.sheet.cues
    run.journal.note(
        "run started",
        timeline=run.sheet.timeline_name,
        cues=len(cues),
        bundle=run.workshop.facts.bundle_digest,
        provider=run.workshop.facts.provider,
    )
    run.teller.tell(SheetStarted(len(cues), sum(cue.takes for cue in cues), run.stems.path))
    for take in run.stems.takes():
        run.learn(take)
    bases = sheet_bases(run.sheet)
    try:
        for number, cue in enumerate(cues, 1):
            _checkpoint(run)
            run.teller.tell(CueStarted(cue.id, cue.spot.label, number, len(cues), cue.takes))
            _try_cue(run, cue, base=bases[cue.id])
    except (Cancelled, OutputError) as ending:
        with suppress(OutputError):  # the journal may meet the very same full disk
            run.journal.note("run stopped", why=type(ending).__name__)
        raise
    run.journal.note("run finished", written=run.written, kept=run.kept, failed=run.failed)
    run.teller.tell(SheetFinished(run.written, run.kept, run.failed))


def _checkpoint(run: _Run) -> None:
    if run.is_cancelled():
        raise Cancelled


def _try_cue(run: _Run, cue: Cue, *, base: str) -> None:
    """Renders one cue; tells its failure instead of raising it, unless the rest would fail as well."""
    try:
        _render_cue(run, cue, base=base)
    except BusyElsewhere as error:
        _fail(run, cue, error)
    except OutputError:
        raise
    except SagafoleyError as error:
        _fail(run, cue, error)
    except OSError as error:
        if is_disk_full(error):
            raise output_error(run.stems.path / base, error) from error
        _fail(run, cue, _unforeseen(cue, error))
    except MemoryError as error:
        _fail(run, cue, _out_of_memory(cue, error))
    except Cancelled:
        raise
    except Exception as error:  # noqa: BLE001 - the edge of one cue: the others must not suffer
        _fail(run, cue, _unforeseen(cue, error))


def _fail(run: _Run, cue: Cue, error: SagafoleyError) -> None:
    run.failed += 1
    run.journal.note("cue failed", cue=cue.id, error=type(error).__name__, message=error.message)
    run.teller.tell(CueFailed(cue.id, cue.spot.label, error))


def _out_of_memory(cue: Cue, error: MemoryError) -> OutOfMemory:
    return OutOfMemory(
        f"The machine ran out of memory while cue {cue.id} ('{cue.spot.label}') was rendered.",
        remedy="Close other programs and run again; finished takes are kept.",
        detail=str(error),
    )


def _unforeseen(cue: Cue, error: Exception) -> EngineError:
    return EngineError(
        f"Cue {cue.id} ('{cue.spot.label}') met something unforeseen: {type(error).__name__}: {error}.",
        remedy="Run again with --verbose and send what it prints to the makers.",
        detail="".join(traceback.format_exception(error)),
    )


def _render_cue(run: _Run, cue: Cue, *, base: str) -> None:
    if span_samples(cue.spot.record) <= 0:
        raise UnsupportedTiming(
            f"Cue {cue.id} ('{cue.spot.label}') has no length.",
            remedy="Give its clip a length on the timeline, or remove it.",
        )
    with run.stems.hold(base):
        for take in run.stems.recover(base):
            run.journal.note("take recovered", cue=cue.id, take=take.name)
        for take in run.stems.takes_of(base):
            run.learn(take)
        with run.workshop.open_footage(cue.spot) as footage:
            warned: set[str] = set()
            for place in range(cue.takes):
                single = replace(cue, seed=(cue.seed + place) % (MAX_SEED + 1), takes=1)
                warnings = _provide_take(run, single, footage=footage, base=base, place=place + 1)
                for warning in (*footage.warnings, *warnings):
                    if warning not in warned:
                        run.teller.tell(CueWarning(cue.id, warning))
                        warned.add(warning)


def _provide_take(run: _Run, cue: Cue, *, footage: CueFootage, base: str, place: int) -> tuple[str, ...]:
    """Keeps the take of these inputs when it is whole, or makes it; what the take warns of."""
    _checkpoint(run)
    identity = take_identity(
        cue,
        timeline_name=run.sheet.timeline_name,
        footage=footage.fingerprint,
        bundle_digest=run.workshop.facts.bundle_digest,
    )
    kept = _whole_take(run, identity, base=base)
    if kept is not None:
        run.claimed.add(kept.name)
        run.kept += 1
        run.teller.tell(TakeKept(cue.id, kept, run.stems.path / kept.wav_name))
        return kept.warnings
    take, path = _make_take(run, cue, footage=footage, base=base, place=place, identity=identity)
    run.claimed.add(take.name)
    run.learn(take)
    run.written += 1
    run.journal.note("take written", cue=cue.id, take=take.name, sha256=take.audio.sha256)
    run.teller.tell(TakeWritten(cue.id, take, path))
    return take.warnings


def _whole_take(run: _Run, identity: str, *, base: str) -> Take | None:
    """A take of these inputs that no other cue of this run has: best one that bears this cue's name.

    A cue keeps its takes when others are put before it and its number changes.
    """
    if not identity:
        return None
    free = [take for take in run.known.get(identity, ()) if take.name not in run.claimed]
    ordered = sorted(free, key=lambda take: not take.name.startswith(f"{base}_t"))
    return next((take for take in ordered if run.stems.holds(take)), None)


def _make_take(
    run: _Run, cue: Cue, *, footage: CueFootage, base: str, place: int, identity: str
) -> tuple[Take, Path]:
    """A new take under its final names."""
    name = run.stems.next_name(base)
    run.journal.note("take started", cue=cue.id, take=name, identity=identity)
    said: list[str] = []

    def progress(stage: str, done: int, total: int) -> None:
        run.teller.tell(StageProgress(cue.id, place, stage, done, total))

    watch = Watch(run.is_cancelled, progress, said.append)
    try:
        audio = _write_sound(run, cue, footage=footage, name=name, identity=identity, watch=watch)
    except BaseException:
        run.stems.abandon(name)
        raise
    take = Take(
        name=name,
        cue=cue,
        timeline_name=run.sheet.timeline_name,
        rate=run.sheet.rate,
        drop_frame=run.sheet.drop_frame,
        identity=identity,
        picture_fingerprint=footage.picture_fingerprint,
        matte_fingerprint=footage.matte_fingerprint,
        engine=run.workshop.facts,
        audio=audio,
        versions=run.workshop.versions,
        created=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        warnings=(*footage.warnings, *said),
    )
    return take, run.stems.commit(take)


def _write_sound(
    run: _Run, cue: Cue, *, footage: CueFootage, name: str, identity: str, watch: Watch
) -> AudioFacts:
    """Synthesises the cue into the sound part of take `name`."""
    samples = span_samples(cue.spot.record)
    pieces = run.workshop.synthesise(footage, Brief.of(cue), samples=samples, watch=watch)
    stem = _stem_place(run, cue, name=name, identity=identity)
    audio = write_stem(pieces, stem)
    run.stems.tidy(name)
    return audio


def _stem_place(run: _Run, cue: Cue, *, name: str, identity: str) -> StemPlace:
    sheet, record = run.sheet, cue.spot.record
    words = f"{cue.spot.label}: {cue.prompt}" + (f" | not {cue.negative_prompt}" * bool(cue.negative_prompt))
    return StemPlace(
        part=run.stems.sound_part(name),
        scratch=run.stems.scratch(name),
        first_sample=sample_position(record.start),
        samples=span_samples(record),
        description=words,
        reference=identity[:32] or name[-32:],
        production=Production(
            project=sheet.timeline_name,
            scene=cue.id,
            take=name,
            note=words,
            rate=sheet.rate,
            drop_frame=sheet.drop_frame,
            tracks=(cue.spot.label,),
        ),
    )
