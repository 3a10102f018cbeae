"""Spots become cues: presets, the user's choices and the cue file decide how each one sounds.

The order of precedence, weakest first: the preset of the bundle, the settings or options of this
run, the spot's own metadata, the cue file. The file always wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from plugin.cues import Cue, CueSheet, Matte, MatteChannel, Resize, Spot
from plugin.errors import UsageError
from plugin.presets import DEFAULT_PRESET, Presets
from plugin.timebase import TimeSpan

DEFAULT_SEED = 1
"""Seed of a cue that names none: the same everywhere, so that two renders agree byte for byte."""

NO_MATTE = "none"


@dataclass(frozen=True, slots=True)
class CueChoices:
    """What this run wants of every cue that does not say otherwise.

    Attributes:
        preset: name of the preset.
        steps: solver steps in place of the preset's, or None.
        guidance: guidance strength in place of the preset's, or None.
        seed: seed of the first take.
        takes: takes of each cue.
        resize: how pictures meet the model's square; None as the bundle says.
    """

    preset: str = DEFAULT_PRESET
    steps: int | None = None
    guidance: float | None = None
    seed: int = DEFAULT_SEED
    takes: int = 1
    resize: Resize | None = None


@dataclass(frozen=True, slots=True)
class CueEntry:
    """One cue as the cue file has it; None everywhere means that the file does not say.

    Attributes:
        id: the cue's id, unique in the file.
        line: where it begins in the file, 1-based; 0 when unknown.
        source: name of the track, marker or clip that it came from.
        start: record start, absolute seconds.
        end: record end, absolute seconds.
        matte: a `MatteChannel` value, or "none" for the whole frame.
        invert: black marks the object.
        enabled: false leaves the cue out.
    """

    id: str
    line: int = 0
    source: str | None = None
    start: Fraction | None = None
    end: Fraction | None = None
    label: str | None = None
    prompt: str | None = None
    negative_prompt: str | None = None
    preset: str | None = None
    steps: int | None = None
    guidance: float | None = None
    seed: int | None = None
    takes: int | None = None
    resize: Resize | None = None
    matte: str | None = None
    invert: bool | None = None
    enabled: bool = True

    @property
    def title(self) -> str:
        """How a message names it."""
        return f"cue '{self.id}' (line {self.line})" if self.line else f"cue '{self.id}'"


@dataclass(frozen=True, slots=True)
class CueFile:
    """The content of one `cues.toml`.

    Attributes:
        name: the file's name, for messages.
        timeline: name that stems get, None to keep the timeline's own.
        rate: frame rate its timecodes count in, None when it has none.
        entries: in the file's order.
    """

    name: str
    timeline: str | None
    rate: Fraction | None
    entries: tuple[CueEntry, ...]


def build_sheet(
    spots: Sequence[Spot],
    *,
    timeline_name: str,
    rate: Fraction,
    drop_frame: bool,
    record: TimeSpan,
    presets: Presets,
    choices: CueChoices | None = None,
    cue_file: CueFile | None = None,
) -> CueSheet:
    """The cue sheet of a timeline: one cue per spot, or exactly the cues of the file.

    Args:
        spots: what was found on the timeline.
        timeline_name: names files, unless the cue file names them.
        rate: the timeline's frame rate.
        drop_frame: how its timecode is printed.
        record: the timeline's extent, absolute seconds.
        presets: over the defaults of the bundle that will render.
        choices: what this run wants of every cue.
        cue_file: an edited cue sheet; spots that it does not name are left out.

    Raises:
        UsageError: an unknown preset, or a cue file that does not fit this timeline.
    """
    choices = choices or CueChoices()
    name = timeline_name
    if cue_file is None:
        cues = [_cue(spot, CueEntry(spot.id), presets=presets, choices=choices) for spot in spots]
    else:
        _check_rate(cue_file, rate)
        name = cue_file.timeline or timeline_name
        cues = _cues_of_file(cue_file, spots, presets=presets, choices=choices)
    ordered = tuple(sorted(cues, key=lambda cue: cue.spot.record.start))
    return CueSheet(name, rate, drop_frame, record, ordered)


def _check_rate(cue_file: CueFile, rate: Fraction) -> None:
    if cue_file.rate is not None and cue_file.rate != rate:
        raise UsageError(
            f"{cue_file.name} counts {float(cue_file.rate):.3f} frames a second, "
            f"but the timeline has {float(rate):.3f}.",
            remedy="Write the cue sheet again with `sagafoley spots TIMELINE --write cues.toml`.",
        )


def _cues_of_file(
    cue_file: CueFile, spots: Sequence[Spot], *, presets: Presets, choices: CueChoices
) -> list[Cue]:
    mistakes: list[str] = []
    cues: list[Cue] = []
    for entry in cue_file.entries:
        if not entry.enabled:
            continue
        try:
            spot = _spot_of(entry, spots)
            cues.append(_cue(_changed(spot, entry), entry, presets=presets, choices=choices))
        except UsageError as error:
            mistakes.append(f"{entry.title}: {error.message}")
    if mistakes:
        raise UsageError(
            f"{cue_file.name} does not fit the timeline: {' '.join(mistakes)}",
            remedy="Correct these cues, or write the cue sheet again with `sagafoley spots --write`.",
        )
    return cues


def _spot_of(entry: CueEntry, spots: Sequence[Spot]) -> Spot:
    """The spot an entry means: of the same source where named, best the same id, else most overlap."""
    fitting = [spot for spot in spots if entry.source in {None, spot.source_name}]
    for spot in fitting:
        if spot.id == entry.id and _overlap(entry, spot) > 0:
            return spot
    if entry.start is not None and entry.source is not None and fitting:
        best = max(fitting, key=lambda spot: _overlap(entry, spot))
        if _overlap(entry, best) > 0:
            return best
    asked = f"'{entry.source}' has" if entry.source else "the timeline has"
    raise UsageError(f"{asked} no spot there.", remedy="Correct the cue.")


def _overlap(entry: CueEntry, spot: Spot) -> Fraction:
    shared = spot.record.intersect(_record(spot, entry))
    return shared.duration if shared else Fraction(0)


def _record(spot: Spot, entry: CueEntry) -> TimeSpan:
    start = spot.record.start if entry.start is None else entry.start
    return TimeSpan(start, spot.record.end if entry.end is None else entry.end)


def _changed(spot: Spot, entry: CueEntry) -> Spot:
    """The spot with what the entry says of its place, name and matte."""
    record = _record(spot, entry)
    if record.start >= record.end:
        raise UsageError("its end is not after its start.", remedy="Correct the times.")
    return replace(
        spot,
        id=entry.id,
        record=record,
        label=spot.label if entry.label is None else entry.label,
        matte=_changed_matte(spot, entry),
    )


def _changed_matte(spot: Spot, entry: CueEntry) -> Matte | None:
    if entry.matte == NO_MATTE:
        return None
    clip = spot.matte.clip if spot.matte else spot.picture
    if entry.matte is not None and clip is not None:
        channel = MatteChannel(entry.matte)
        if spot.matte is None and channel is not MatteChannel.ALPHA:
            raise UsageError(
                "the timeline has no matte for it (only 'alpha' can come from the picture itself).",
                remedy="Correct the cue.",
            )
        inverted = spot.matte.invert if spot.matte else False
        return Matte(clip, channel, inverted if entry.invert is None else entry.invert)
    if spot.matte is None or entry.invert is None:
        return spot.matte
    return replace(spot.matte, invert=entry.invert)


def _cue(spot: Spot, entry: CueEntry, *, presets: Presets, choices: CueChoices) -> Cue:
    preset = entry.preset or choices.preset
    steps, guidance = presets.sampling(preset)
    if entry.preset is None:
        steps = steps if choices.steps is None else choices.steps
        guidance = guidance if choices.guidance is None else choices.guidance
    return Cue(
        spot=spot,
        prompt=spot.prompt if entry.prompt is None else entry.prompt,
        negative_prompt=spot.negative_prompt if entry.negative_prompt is None else entry.negative_prompt,
        preset=preset,
        steps=steps if entry.steps is None else entry.steps,
        guidance=guidance if entry.guidance is None else entry.guidance,
        seed=choices.seed if entry.seed is None else entry.seed,
        takes=choices.takes if entry.takes is None else entry.takes,
        resize=choices.resize if entry.resize is None else entry.resize,
    )
