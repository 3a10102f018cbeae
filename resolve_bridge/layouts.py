"""Stem pieces on tracks of whole frames, as Resolve takes them, without losing a sample.

Resolve puts clips at whole frames and takes as many whole frames of a file as it holds, rounded down. So a
piece lies at the frame that contains its first sample, its file begins at that frame with silence, and is
filled up to the end of its last frame with silence. See docs/adr/0011-stems-on-resolves-tracks.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import count as counting
from math import ceil, floor

from plugin.hosts import StemPiece
from plugin.timebase import STEM_RATE, sample_position
from resolve_bridge.counting import FrameCount

_SUBTYPES = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}


@dataclass(frozen=True, slots=True)
class FramedPiece:
    """A piece in frames.

    Attributes:
        piece: what was asked for.
        key: names it in one placement.
        frame: where it is placed, in Resolve's count.
        frames: frames that it must cover.
        most: frames that it may cover, where the file's rate is not the timeline's.
        head: samples of silence before its first sample.
        samples: length of the file, per channel.
    """

    piece: StemPiece
    key: str
    frame: int
    frames: int
    most: int
    head: int
    samples: int

    @property
    def is_fitted(self) -> bool:
        """Whether the take's own file does not do as it is."""
        return self.head > 0 or self.samples != self.piece.samples


@dataclass(frozen=True, slots=True)
class FramedTrack:
    """One new track.

    Attributes:
        name: `FOLEY violin`, `FOLEY violin 2`, ...
        label: the object's word.
        subtype: "mono", "stereo", ...
        pieces: in record order, none overlapping.
    """

    name: str
    label: str
    subtype: str
    pieces: tuple[FramedPiece, ...]


def lay_out(
    pieces: Sequence[StemPiece],
    count: FrameCount,
    *,
    project_rate: Fraction | None = None,
    taken: Collection[str] = (),
) -> tuple[FramedTrack, ...]:
    """Pieces on tracks: one per label in the order in which labels first appear, more where they overlap.

    Args:
        pieces: what is placed.
        count: of the timeline.
        project_rate: rate that Resolve gives to sound files at import; None: the timeline's.
        taken: names of tracks of ours that stay.
    """
    labels: dict[str, list[FramedPiece]] = {}
    for number, piece in enumerate(pieces, 1):
        framed = _framed(piece, f"{number:04}", count, project_rate or count.rate)
        labels.setdefault(piece.label, []).append(framed)
    return tuple(
        FramedTrack(name, label, _subtype(lane), tuple(lane))
        for label, group in labels.items()
        for name, lane in zip(_names(group[0].piece.track_name, taken), _lanes(group), strict=False)
    )


def _framed(piece: StemPiece, key: str, count: FrameCount, file_rate: Fraction) -> FramedPiece:
    frame = floor(count.frame(piece.record.start))
    frames = ceil(count.frame(piece.record.end)) - frame
    file_frames = ceil(frames * file_rate / count.rate)
    head = sample_position(piece.record.start) - sample_position(count.seconds(frame))
    samples = max(head + piece.samples, ceil(file_frames * STEM_RATE / file_rate))
    most = max(frames, floor(file_frames * count.rate / file_rate))
    return FramedPiece(piece, key, frame, frames, most, head, samples)


def _names(first: str, taken: Collection[str]) -> Iterator[str]:
    """`FOLEY violin`, `FOLEY violin 2`, ... without those that are taken; it never ends."""
    names = (first if number == 1 else f"{first} {number}" for number in counting(1))
    return (name for name in names if name not in taken)


def _subtype(lane: Sequence[FramedPiece]) -> str:
    channels = max(one.piece.channels for one in lane)
    return _SUBTYPES.get(channels, f"adaptive{channels}")


def _lanes(group: Sequence[FramedPiece]) -> list[list[FramedPiece]]:
    lanes: list[list[FramedPiece]] = []
    for one in sorted(group, key=lambda each: (each.frame, each.frames, each.key)):
        free = next((lane for lane in lanes if lane[-1].frame + lane[-1].most <= one.frame), None)
        if free is None:
            free = []
            lanes.append(free)
        free.append(one)
    return lanes
