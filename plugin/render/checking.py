"""Everything that is wrong with a cue sheet, found before any rendering and told at once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

from plugin.cues import (
    ClipSource,
    Cue,
    CueSheet,
    ImageSequence,
    Matte,
    MatteChannel,
    MediaSource,
    Problem,
    Severity,
    Spot,
)
from plugin.errors import MediaError, MediaMissing, SagafoleyError
from plugin.media.mattes import MatteReader
from plugin.media.video import Extent, MediaInfo, VideoReader
from plugin.render.clocks import MediaClock, clock_of, media_of, shown_span
from plugin.render.holes import hole_problems
from plugin.timebase import TimeSpan, span_samples

USUAL_TOKENS = 77
"""Tokens of a prompt in the published model, for when no bundle is known."""

PROMPT_LIMIT = 1000
"""Characters of a text that is no prompt any more: something else was pasted."""

_CHARACTERS_A_WORD = 7
_BYTES_PER_SAMPLE = 3
_SPOOL_BYTES_PER_SAMPLE = 4
_ROOM_BESIDE = 8 * 2**20
_OPEN_MATTES = 8
_LOOKERS = 8
_FRAME_UNKNOWN = Fraction(1, 24)


class Depth(StrEnum):
    """How closely media are looked at.

    QUICK: whether the files are there. FULL: their pictures are decoded where that can show a fault.
    """

    QUICK = "quick"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Look:
    """What one media file showed: its facts, or why it cannot be used."""

    info: MediaInfo | None = None
    extent: Extent | None = None
    fault: SagafoleyError | None = None


def check_sheet(
    sheet: CueSheet,
    *,
    folder: Path | None = None,
    depth: Depth = Depth.FULL,
    presets: Iterable[str] | None = None,
    known: Iterable[Problem] = (),
    tokens: int = USUAL_TOKENS,
) -> tuple[Problem, ...]:
    """All problems of the sheet: of the sheet as a whole first, then cue by cue.

    Every media file is opened once, however many cues show it.

    Args:
        sheet: the cues.
        folder: where the stems would go; None leaves the folder and its disk unchecked.
        depth: how closely media are looked at.
        presets: names there are; None leaves presets unchecked.
        known: problems told already, by spotting; what they say is not said again.
        tokens: how many tokens of a prompt the bundle hears, its first and last included.
    """
    told = tuple(known)
    overlapping = {problem.cue_id for problem in told if "overlap" in problem.message}
    blocked = {problem.cue_id for problem in told if problem.severity is Severity.BLOCKER}
    found = [*_output_problems(sheet, folder)]
    found += [problem for problem in _overlaps(sheet) if problem.cue_id not in overlapping]
    names = None if presets is None else frozenset(presets)
    with closing(_Checker(depth, _look_at_all(sheet, depth))) as checker:
        for cue in sheet.cues:
            found += _place_problems(cue, sheet.record)
            found += _value_problems(cue, names)
            found += _prompt_problems(cue, heard=words_heard(tokens))
            if cue.id not in blocked:
                found += checker.media_problems(cue)
    return tuple(dict.fromkeys(found))


def _output_problems(sheet: CueSheet, folder: Path | None) -> Iterator[Problem]:
    if folder is None:
        return
    standing = next(path for path in (folder.absolute(), *folder.absolute().parents) if _exists(path))
    if not standing.is_dir() or not os.access(standing, os.W_OK | os.X_OK):
        yield Problem(
            Severity.BLOCKER,
            "",
            str(folder),
            f"Stems cannot be written to {folder}: {standing} does not allow it.",
            "Choose an output folder that you may write to.",
        )
        return
    with suppress(OSError):
        yield from _room_problems(sheet, folder, free=shutil.disk_usage(standing).free)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a folder on the way may not be entered
        return False


def _room_problems(sheet: CueSheet, folder: Path, *, free: int) -> Iterator[Problem]:
    samples = [max(span_samples(cue.spot.record), 0) for cue in sheet.cues]
    stems = sum(n * cue.takes for n, cue in zip(samples, sheet.cues, strict=True)) * _BYTES_PER_SAMPLE
    needed = stems + max(samples, default=0) * _SPOOL_BYTES_PER_SAMPLE + _ROOM_BESIDE
    if free < needed:
        yield Problem(
            Severity.WARNING,
            "",
            str(folder),
            f"The stems need about {needed / 2**20:.0f} MB, but {folder} has room for {free / 2**20:.0f} MB.",
            "Free some space there or choose another output folder.",
        )


def _overlaps(sheet: CueSheet) -> Iterator[Problem]:
    """Cues of one label that sound at the same time: they cannot lie on one track."""
    latest: dict[str, Cue] = {}
    for cue in sheet.cues:
        label = cue.spot.label.casefold()
        before = latest.get(label)
        if before is not None and cue.spot.record.start < before.spot.record.end:
            yield Problem(
                Severity.WARNING,
                cue.id,
                cue.spot.source_name,
                f"Cues {before.id} and {cue.id} are both '{cue.spot.label}' and overlap; both will sound.",
                "Give one of them another label if only one is meant.",
            )
        if before is None or cue.spot.record.end > before.spot.record.end:
            latest[label] = cue


def _place_problems(cue: Cue, timeline: TimeSpan) -> Iterator[Problem]:
    """A cue that cannot be placed: it begins where the timeline is not."""
    start = cue.spot.record.start
    if timeline.start <= start and (start < timeline.end or start == timeline.start):
        return
    off = f"{_seconds(start - timeline.end)} s after the timeline's end"
    if start < timeline.start:
        off = f"{_seconds(timeline.start - start)} s before the timeline's start"
    yield Problem(
        Severity.BLOCKER,
        cue.id,
        cue.spot.source_name,
        f"Cue {cue.id} ('{cue.spot.label}') begins {off}, so it cannot be placed.",
        "Correct its start and end in the cue sheet.",
    )


def _value_problems(cue: Cue, presets: frozenset[str] | None) -> Iterator[Problem]:
    subject = cue.spot.source_name
    if span_samples(cue.spot.record) <= 0:
        yield Problem(
            Severity.BLOCKER,
            cue.id,
            subject,
            f"Cue {cue.id} ('{cue.spot.label}') has no length.",
            "Give its clip a length on the timeline, or remove it.",
        )
    if presets is not None and cue.preset not in presets:
        yield Problem(
            Severity.BLOCKER,
            cue.id,
            subject,
            f"Cue {cue.id} asks for the preset '{cue.preset}', which does not exist.",
            f"Use one of: {', '.join(sorted(presets))}.",
        )


def words_heard(tokens: int) -> int:
    """About how many words a prompt of that many tokens holds: English takes 4 tokens for 3 words."""
    return max((tokens - 2) * 3 // 4, 1)


def _prompt_problems(cue: Cue, *, heard: int) -> Iterator[Problem]:
    """Long prompts are heard in part; one that cannot be meant as a prompt is refused."""
    for kind, words in (("prompt", cue.prompt), ("negative prompt", cue.negative_prompt)):
        if len(words.split()) <= heard and len(words) <= heard * _CHARACTERS_A_WORD:
            continue
        yield Problem(
            Severity.BLOCKER if len(words) > PROMPT_LIMIT else Severity.WARNING,
            cue.id,
            cue.spot.source_name,
            f"The {kind} of cue {cue.id} has {len(words)} characters; "
            f"the model hears about the first {heard} words and nothing after.",
            "Say it in a few words.",
        )


def _look_at_all(sheet: CueSheet, depth: Depth) -> dict[MediaSource, Look]:
    """What every media source of the sheet showed; several are looked at side by side."""
    spots = [cue.spot for cue in sheet.cues]
    clips = [spot.picture for spot in spots] + [spot.matte.clip for spot in spots if spot.matte]
    sources = tuple(
        dict.fromkeys(clip.media for clip in clips if clip is not None and clip.media is not None)
    )
    look = _glance if depth is Depth.QUICK else _inspect
    with ThreadPoolExecutor(min(_LOOKERS, os.cpu_count() or 1), thread_name_prefix="look") as pool:
        return dict(zip(sources, pool.map(look, sources), strict=True))


@dataclass(slots=True)
class _Checker:
    """Judges each cue by what its media showed."""

    depth: Depth
    looks: dict[MediaSource, Look]
    mattes: dict[tuple[MediaSource, MatteChannel, bool], MatteReader] = field(default_factory=dict)

    def close(self) -> None:
        """Lets go of the mattes that are open."""
        for reader in self.mattes.values():
            reader.close()
        self.mattes.clear()

    def media_problems(self, cue: Cue) -> Iterator[Problem]:
        """What is wrong with the picture and the matte of a cue."""
        yield from self._clip_problems(cue, cue.spot.picture, kind="picture")
        matte = cue.spot.matte
        if matte is None:
            return
        faults = list(self._clip_problems(cue, matte.clip, kind="matte"))
        yield from faults
        if self.depth is Depth.FULL and all(fault.severity is not Severity.BLOCKER for fault in faults):
            yield from self._matte_problems(cue, matte)

    def _clip_problems(self, cue: Cue, clip: ClipSource | None, *, kind: str) -> Iterator[Problem]:
        try:
            clip, source = media_of(clip, spot=cue.spot, kind=kind)
        except MediaMissing as error:
            yield _blocker(cue, cue.spot.source_name, error)
            return
        look = self.looks[source]
        if look.fault is not None:
            yield _blocker(cue, source.name, look.fault)
        elif look.info is not None:
            yield from _cover_problems(cue.spot, clip, source, look, kind=kind)
            if isinstance(source, ImageSequence):
                shown = clock_of(clip, look.info).file_span(cue.spot.record)
                yield from hole_problems(cue.spot, source, kind=kind, shown=shown)

    def _matte_problems(self, cue: Cue, matte: Matte) -> Iterator[Problem]:
        """Whether the matte has its channel and marks anything within the cue."""
        try:
            clip, source = media_of(matte.clip, spot=cue.spot, kind="matte")
            reader = self._matte_reader(source, matte)
            clock = clock_of(clip, reader.info)
            found = reader.first_white(**_file_range(clock, cue.spot.record, reader.info))
        except MediaError as error:
            yield _blocker(cue, matte.clip.clip_name, error)
            return
        if found is None:
            inverted = " (inverted)" if matte.invert else ""
            yield Problem(
                Severity.BLOCKER,
                cue.id,
                source.name,
                f"The matte {source.name}{inverted} marks nothing within cue {cue.id} ('{cue.spot.label}'): "
                f"its {matte.channel.words} has no white.",
                "Choose the channel that holds the object, invert the matte, or export it again.",
            )

    def _matte_reader(self, source: MediaSource, matte: Matte) -> MatteReader:
        key = (source, matte.channel, matte.invert)
        if key not in self.mattes:
            if len(self.mattes) >= _OPEN_MATTES:
                self.mattes.pop(next(iter(self.mattes))).close()
            self.mattes[key] = MatteReader.open(source, channel=matte.channel, invert=matte.invert)
        return self.mattes[key]


def _blocker(cue: Cue, subject: str, error: SagafoleyError) -> Problem:
    return Problem(Severity.BLOCKER, cue.id, subject, error.message, error.remedy)


def _glance(source: MediaSource) -> Look:
    """Whether the media is there at all."""
    if isinstance(source, ImageSequence):
        numbers = range(source.first, source.last + 1, max(1, source.step))
        there = any(_is_file(source.path_of(number)) for number in numbers)
        where = source.folder
    else:
        there, where = _is_file(source.path), source.path
    if there:
        return Look()
    return Look(
        fault=MediaMissing(
            f"{source.name} is not there.", remedy="Relink the clip to its media.", detail=str(where)
        )
    )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _inspect(source: MediaSource) -> Look:
    """The facts of the media, its real end included."""
    try:
        with VideoReader.open(source) as reader:
            extent = None if reader.info.duration is None else reader.extent()
            return Look(reader.info, extent)
    except MediaError as error:
        return Look(fault=error)


def _cover_problems(
    spot: Spot, clip: ClipSource, source: MediaSource, look: Look, *, kind: str
) -> Iterator[Problem]:
    """Whether the media holds what the cue shows of it."""
    if look.info is None or look.extent is None:
        return
    clock = clock_of(clip, look.info)
    shown = shown_span(clip, spot.record)
    start, end = shown.start - clock.zero, shown.end - clock.zero
    frame = 1 / look.info.rate if look.info.rate else _FRAME_UNKNOWN
    within = start >= -frame and end <= look.extent.end + frame
    if within:
        return
    nothing = end <= 0 or start >= look.extent.end
    damaged = "" if look.extent.complete else " (the file is damaged or cut short)"
    yield Problem(
        Severity.BLOCKER if nothing else Severity.WARNING,
        spot.id,
        source.name,
        f"The {kind} {source.name}{damaged} is {_seconds(look.extent.end)} s long, but cue {spot.id} "
        f"('{spot.label}') shows {_seconds(start)} s to {_seconds(end)} s of it"
        + ("." if nothing else "; its edge frame is held."),
        f"Relink the clip to the whole {kind}, or shorten it on the timeline.",
    )


def _seconds(time: Fraction) -> str:
    return f"{float(time):.2f}"


def _file_range(clock: MediaClock, record: TimeSpan, info: MediaInfo) -> dict[str, Fraction]:
    """The part of the matte file that the cue shows, drawn into the file where it lies outside."""
    ends = sorted((clock.file_time(record.start), clock.file_time(record.end)))
    if info.duration is None:
        return {"start": Fraction(0), "end": Fraction(0)}
    last = max(info.duration - (1 / info.rate if info.rate else _FRAME_UNKNOWN), Fraction(0))
    start = min(max(ends[0], Fraction(0)), last)
    return {"start": start, "end": max(ends[1], start)}
