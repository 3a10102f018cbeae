"""Following the making of masks on the command line: a bar while it runs, words when it ends."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from plugin.errors import Cancelled
from plugin.hosts import PlacedMatte
from plugin.masks.documents import PromptsDocument
from plugin.masks.makers import LOST_BELOW
from plugin.masks.matte_files import MatteFile
from plugin.masks.propagating import (
    FrameDone,
    KeyframeDone,
    ObjectLost,
    ShotChanged,
    TrackingStarted,
    WorkEvent,
)

FOLLOWING, WRITING = "following", "writing"


class FrameBar:
    """A bar that counts frames with the time left, on a terminal only."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._bar: Any = None

    def begin(self, words: str, total: int) -> None:
        """Starts anew."""
        self.close()
        if not self._stream.isatty() or total == 0:
            return
        from tqdm import tqdm  # noqa: PLC0415 (only a terminal needs it)

        self._bar = tqdm(
            total=total,
            desc=words,
            file=self._stream,
            leave=False,
            bar_format="{desc} {n_fmt} of {total_fmt} frames {bar} {elapsed}, {remaining} left{postfix}",
            ncols=shutil.get_terminal_size().columns - 1,
            mininterval=0.1,
        )

    def move(self, done: int, words: str = "") -> None:
        """So many frames are done."""
        if self._bar is not None:
            self._bar.set_postfix_str(words, refresh=False)
            self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


@dataclass(slots=True)
class Report:
    """What following an object gave.

    Attributes:
        frames: how many were to be followed.
        done: how many were, those from earlier runs among them.
        confidences: by frame.
        shot_changes: frames that begin a shot into which it was not followed.
        lost: the frame from which on the object was hardly found, where that ended the work.
        cancelled: the user stopped it.
    """

    frames: int = 0
    done: int = 0
    confidences: dict[int, float] = field(default_factory=dict)
    shot_changes: list[int] = field(default_factory=list)
    lost: int | None = None
    cancelled: bool = False

    @property
    def weak(self) -> list[int]:
        """Frames in which the object was hardly found."""
        return sorted(frame for frame, sure in self.confidences.items() if sure < LOST_BELOW)

    def words(self) -> str:
        """How sure the tracker was: "confidence 0.87, lowest 0.31 in frame 93"."""
        if not self.confidences:
            return "nothing had to be followed"
        mean = sum(self.confidences.values()) / len(self.confidences)
        lowest = min(self.confidences, key=lambda frame: (self.confidences[frame], frame))
        return f"confidence {mean:.2f}, lowest {self.confidences[lowest]:.2f} in frame {lowest}"

    def document(self) -> dict[str, Any]:
        """The report for machines."""
        sure = self.confidences.values()
        return {
            "followed": self.done,
            "confidence": {
                "mean": round(sum(sure) / len(sure), 4) if sure else None,
                "lowest": round(min(sure), 4) if sure else None,
                "weak_frames": self.weak,
            },
            "shot_changes": self.shot_changes,
            "lost_at": self.lost,
            "cancelled": self.cancelled,
        }


def follow(events: Iterable[WorkEvent], bar: FrameBar) -> Report:
    """Runs the work to its end, or until it is cancelled or the object is lost."""
    report = Report()
    try:
        with suppress(Cancelled):
            report.cancelled = True
            for event in events:
                _record(event, report, bar)
            report.cancelled = False
    finally:
        bar.close()
    return report


def _record(event: WorkEvent, report: Report, bar: FrameBar) -> None:
    match event:
        case TrackingStarted(frames=frames):
            report.frames = frames
            bar.begin(FOLLOWING, frames)
        case FrameDone(frame=frame, confidence=confidence):
            report.done += 1
            report.confidences[frame] = confidence
            bar.move(report.done, f", frame {frame}, confidence {confidence:.2f}")
        case ShotChanged(frame=frame):
            report.shot_changes.append(frame)
        case ObjectLost(frame=frame):
            report.lost = frame
        case KeyframeDone():
            pass


def matte_document(
    matte: MatteFile, document: PromptsDocument, label: str, *, prompts: Path
) -> dict[str, Any]:
    """A matte for machines."""
    return {
        "matte": str(matte.path),
        "prompts": str(prompts),
        "label": label,
        "format": str(matte.form),
        "rate": str(matte.rate),
        "first_frame": matte.first,
        "frames": matte.frames,
        "keyframes": sum(len(one.keyframes) for one in document.objects if one.label == label),
    }


def makers_document(document: PromptsDocument, words: str) -> dict[str, Any]:
    """What made the masks, for machines."""
    segmenter, tracker = document.segmenter, document.tracker
    return {
        "segmenter": {"name": segmenter.name, "version": segmenter.version},
        "tracker": {"name": tracker.name, "version": tracker.version},
        "words": words,
    }


def placed_document(placed: Sequence[PlacedMatte]) -> list[dict[str, Any]]:
    """Where a matte lies, for machines."""
    return [
        {"track": one.track_name, "record_seconds": [str(one.record.start), str(one.record.end)]}
        for one in placed
    ]
