"""The progress bar of a render with the time left, on a terminal only."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, TextIO

from plugin.engine.watch import PICTURES, SAMPLING, SOUND
from plugin.render.events import (
    CueFailed,
    CueStarted,
    RenderEvent,
    SheetStarted,
    StageProgress,
    TakeKept,
    TakeWritten,
)

_STAGES = {
    PICTURES: ("looking", 0.0, 0.3),
    SAMPLING: ("generating", 0.3, 0.5),
    SOUND: ("writing", 0.8, 0.2),
}
"""Word, beginning and share of one take for each stage; only the evenness of the bar hangs on them."""


class ProgressBar:
    """Follows the events of a render; draws nothing where nobody watches."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._bar: Any = None
        self._cue = ""
        self._finished = 0
        self._next_cue = 0

    def follow(self, event: RenderEvent) -> None:
        """Move on to what the event says."""
        match event:
            case SheetStarted(takes=takes) if self._stream.isatty():
                self._bar = _bar(takes, self._stream)
            case CueStarted(cue_id=cue, label=label, number=number, cues=cues, takes=takes):
                self._cue = f"{number}/{cues} {cue} {label}"
                self._finished, self._next_cue = self._next_cue, self._next_cue + takes
                self._begin()
            case StageProgress(stage=stage, done=done, total=total):
                word, start, share = _STAGES.get(stage, (stage, 0.0, 0.0))
                self._move(self._finished + start + share * done / max(total, 1), word)
            case TakeWritten() | TakeKept():
                self._finished += 1
                self._move(self._finished, "done")
            case CueFailed():
                self._move(self._next_cue, "failed")
            case _:
                pass

    @contextmanager
    def aside(self) -> Iterator[None]:
        """While entered the bar is out of the way of other lines."""
        with self._bar.external_write_mode(file=self._stream) if self._bar is not None else nullcontext():
            yield

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()

    def _begin(self) -> None:
        """Show the next cue at once, however soon it will be done."""
        if self._bar is not None:
            self._bar.set_description_str(f"{self._cue}: starting")

    def _move(self, done: float, word: str) -> None:
        if self._bar is not None:
            self._bar.set_description_str(f"{self._cue}: {word}", refresh=False)
            self._bar.update(max(0.0, done - self._bar.n))


def _bar(total: int, stream: TextIO) -> Any:
    from tqdm import tqdm  # noqa: PLC0415 (only a terminal needs it)

    size = shutil.get_terminal_size()  # never 0, as a terminal of unknown size would say
    return tqdm(
        total=total,
        file=stream,
        leave=False,
        bar_format="{desc} {percentage:3.0f}% {bar} {elapsed}, {remaining} left",
        ncols=size.columns - 1,
        nrows=size.lines,
        mininterval=0.1,
    )
