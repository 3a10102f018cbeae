"""Everything that is wrong with a cue sheet, found before any rendering and told at once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from models_onnx.manifest import Manifest
from plugin.cues import Cue, CueSheet, Problem, Severity
from plugin.render.media_checks import Depth, MediaChecker
from plugin.timebase import TimeSpan, span_samples

PROMPT_LIMIT = 1000
"""Characters of a text that is no prompt any more: something else was pasted."""

_CHARACTERS_A_WORD = 7
_BYTES_PER_SAMPLE = 3
_SPOOL_BYTES_PER_SAMPLE = 4
_ROOM_BESIDE = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Hearing:
    """What a bundle makes of words; as the published model does, where none is known.

    Attributes:
        tokens: how many of a prompt it hears, the first and the last included.
        negatives: negative words count without guidance.
        guided: it was trained to be guided; one that was not only gets louder by guidance.
    """

    tokens: int = 77
    negatives: bool = False
    guided: bool = True

    @classmethod
    def of(cls, manifest: Manifest | None) -> Hearing:
        """Of a bundle, if there is one."""
        if manifest is None:
            return cls()
        guided = manifest.sampling.guidance > 1
        return cls(manifest.text.length, negatives=manifest.hears_negative_words, guided=guided)


USUAL_HEARING = Hearing()


def check_sheet(
    sheet: CueSheet,
    *,
    folder: Path | None = None,
    depth: Depth = Depth.FULL,
    presets: Iterable[str] | None = None,
    known: Iterable[Problem] = (),
    hearing: Hearing = USUAL_HEARING,
) -> tuple[Problem, ...]:
    """All problems of the sheet: of the sheet as a whole first, then cue by cue.

    Every media file is opened once, however many cues show it.

    Args:
        sheet: the cues.
        folder: where the stems would go; None leaves the folder and its disk unchecked.
        depth: how closely media are looked at.
        presets: names there are; None leaves presets unchecked.
        known: problems told already, by spotting; what they say is not said again.
        hearing: of the bundle.
    """
    told = tuple(known)
    overlapping = {problem.cue_id for problem in told if "overlap" in problem.message}
    blocked = {problem.cue_id for problem in told if problem.severity is Severity.BLOCKER}
    found = [*_output_problems(sheet, folder)]
    found += [problem for problem in _overlaps(sheet) if problem.cue_id not in overlapping]
    names = None if presets is None else frozenset(presets)
    with closing(MediaChecker.open(sheet, depth)) as media:
        for cue in sheet.cues:
            found += _place_problems(cue, sheet.record)
            found += _value_problems(cue, names)
            found += _prompt_problems(cue, hearing)
            if cue.id not in blocked:
                found += media.problems(cue)
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
    off = f"{float(start - timeline.end):.2f} s after the timeline's end"
    if start < timeline.start:
        off = f"{float(timeline.start - start):.2f} s before the timeline's start"
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


def _prompt_problems(cue: Cue, hearing: Hearing) -> Iterator[Problem]:
    """Long prompts are heard in part; one that cannot be meant as a prompt is refused.

    Negative words are what guidance steers away from; without guidance only some bundles know them.
    """
    heard = words_heard(hearing.tokens)
    if cue.negative_prompt.strip() and cue.guidance <= 1 and not hearing.negatives:
        yield Problem(
            Severity.WARNING,
            cue.id,
            cue.spot.source_name,
            f"The negative prompt of cue {cue.id} has no effect: its guidance is {cue.guidance:g}, "
            "and only guidance above 1 steers away from it.",
            "Raise the guidance a little, or say in the prompt what you want to hear.",
        )
    if cue.guidance > 1 and not hearing.guided:
        yield Problem(
            Severity.WARNING,
            cue.id,
            cue.spot.source_name,
            f"The guidance of cue {cue.id} is {cue.guidance:g}, but this model is made for none: "
            "it only gets louder, until it distorts.",
            "Leave the guidance at 1.",
        )
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
