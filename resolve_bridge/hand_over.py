"""Working with Resolve through timeline files, which every edition can: what the editor does, step by step.

The menu words are those of Resolve's English interface and its manual, 18.5 to 21.1.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

WHY_FREE_21 = (
    "The free edition from 21.1 on neither lists Python scripts in its menu nor lets outside programs in "
    "(Blackmagic keeps both for Studio), so there Sagafoley works through timeline files: same stems, same "
    "positions, carried over by hand."
)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do.

    Attributes:
        text: an imperative sentence.
        keys: the shortcut for it, "" when there is none.
        note: what to do when it does not go that way, or what to expect.
    """

    text: str
    keys: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class HandOver:
    """The whole way there and back, in three stretches.

    Attributes:
        take_out: in Resolve, until there is a file.
        make: in Sagafoley, from the file to stems.
        bring_in: in Resolve, until the stems are on tracks.
        instead: in place of `bring_in`, when the open timeline itself shall get the stems.
    """

    take_out: tuple[Step, ...]
    make: tuple[Step, ...]
    bring_in: tuple[Step, ...]
    instead: tuple[Step, ...]

    def lines(self) -> Iterator[str]:
        """The steps as text, numbered through, for a terminal or a help page."""
        number = 0
        for title, steps in self._stretches():
            yield title
            for step in steps:
                number += 1
                keys = f" ({step.keys})" if step.keys else ""
                yield f"  {number}. {step.text}{keys}"
                if step.note:
                    yield f"     {step.note}"

    def _stretches(self) -> tuple[tuple[str, tuple[Step, ...]], ...]:
        return (
            ("In DaVinci Resolve:", self.take_out),
            ("In Sagafoley:", self.make),
            ("In DaVinci Resolve, as a new timeline:", self.bring_in),
            ("Or into the timeline that you have open:", self.instead),
        )


def hand_over(
    *, timeline: Path | None = None, result: Path | None = None, platform: str = sys.platform
) -> HandOver:
    """The steps, with names where they are known.

    Args:
        timeline: the file that the editor exports, when it is known.
        result: the timeline that Sagafoley wrote, when it has.
        platform: whose keys are meant.
    """
    exported = timeline.name if timeline is not None else "film.otio"
    written = str(result) if result is not None else f"{Path(exported).stem}_foley.otio"
    key = "Shift-Command-" if platform == "darwin" else "Ctrl+Shift+"
    return HandOver(_take_out(key), _make(timeline, exported), _bring_in(key, written), _instead())


def _take_out(key: str) -> tuple[Step, ...]:
    return (
        Step("Open the timeline on the Edit page."),
        Step("Choose File > Export > Timeline.", keys=f"{key}O"),
        Step(
            "Choose the file type .otio and save it beside your project.",
            note="Not .otioz: it copies all media into one file, which takes long and is not needed.",
        ),
    )


def _make(timeline: Path | None, exported: str) -> tuple[Step, ...]:
    where = f'"{timeline}"' if timeline is not None else exported
    return (
        Step(
            f"Open {exported} in Sagafoley's panel, render, and choose Place; or type this in a terminal: "
            f"sagafoley render {where} --flavour resolve",
            note="The flavour `resolve` writes file names as Resolve reads them.",
        ),
    )


def _bring_in(key: str, written: str) -> tuple[Step, ...]:
    return (
        Step(f"Choose File > Import > Timeline and pick {written}.", keys=f"{key}I"),
        Step(
            "Leave 'Automatically import source clips into media pool' ticked and press OK.",
            note="If the import is cancelled with a log, import again with the box off and another name; "
            "if the name is taken, type a new one.",
        ),
        Step(
            "Look at the tracks named FOLEY at the bottom, and go on working in this timeline.",
            note="The timeline that you exported stays as it was.",
        ),
    )


def _instead() -> tuple[Step, ...]:
    return (
        Step("Import the WAV files of the stem folder into the media pool."),
        Step(
            "Select an empty audio track, select the files, right-click them and choose "
            "'Insert Selected Clips to Timeline With Timecode'.",
            note="Every stem carries the timecode at which it belongs.",
        ),
    )
