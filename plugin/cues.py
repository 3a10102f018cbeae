"""What should sound, and how: media as the timeline shows it, spots, cues, the cue sheet, problems.

Values only: nothing here opens a file. Times on the timeline are absolute (see `plugin.timebase`);
times inside media are seconds from the media's own zero as stated at each field.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

from plugin.timebase import TimeSpan

MAX_STEPS = 1000
MAX_GUIDANCE = 50.0
MAX_SEED = 2**63 - 1
MAX_TAKES = 99
"""Limits of what a cue may ask for."""


@dataclass(frozen=True, slots=True)
class MediaFile:
    """One movie or still-image file."""

    path: Path

    @property
    def name(self) -> str:
        """What to call it in a message."""
        return self.path.name


@dataclass(frozen=True, slots=True)
class ImageSequence:
    """Numbered image files: `<folder>/<prefix><number><suffix>`.

    Attributes:
        padding: digits of the number, zero filled; 0 or 1 means none.
        first: number shown at media time 0.
        last: number of the final image, inclusive.
        step: difference of neighbouring numbers.
        rate: images per second.
        missing: what a missing number shows: "error", "hold" (the image before) or "black".
    """

    folder: Path
    prefix: str
    suffix: str
    padding: int
    first: int
    last: int
    step: int
    rate: Fraction
    missing: str = "error"

    @property
    def name(self) -> str:
        """What to call it in a message."""
        return f"{self.prefix}[{self.first}-{self.last}]{self.suffix}"

    def path_of(self, number: int) -> Path:
        """The file of one image number."""
        return self.folder / f"{self.prefix}{number:0{self.padding}d}{self.suffix}"


MediaSource = MediaFile | ImageSequence


@dataclass(frozen=True, slots=True)
class ClipSource:
    """A piece of media as one clip shows it on the timeline.

    Attributes:
        media: where the pictures are; None when the document names no media.
        record: the part of the timeline that the clip covers, absolute seconds.
        source_start: media time in the document's count (it may include the media's start
            timecode) shown at `record.start`. With `speed` < 0 it is the exclusive end: the frame
            just before it is shown first.
        speed: media seconds per record second; 1 normal, 0 freeze, negative reverse.
        available: the media's extent in the document's count, None when the document does not say.
            `available.start` is the media's first frame.
        clip_name: the clip's name, for messages.
        track_name: its track's name, for messages.
        rate: the media's rate as the document states it, None when unknown.
    """

    media: MediaSource | None
    record: TimeSpan
    source_start: Fraction
    speed: Fraction
    available: TimeSpan | None
    clip_name: str
    track_name: str
    rate: Fraction | None = None

    def source_time(self, record_time: Fraction) -> Fraction:
        """Media time, in the document's count, shown at an absolute record time."""
        return self.source_start + (record_time - self.record.start) * self.speed


class MatteChannel(StrEnum):
    """Which values of the matte picture mark the object."""

    LUMA = "luma"
    ALPHA = "alpha"
    RED = "r"
    GREEN = "g"
    BLUE = "b"

    @property
    def words(self) -> str:
        """What to call it in a message."""
        return "luma" if self is MatteChannel.LUMA else f"{self.name.lower()} channel"


class Resize(StrEnum):
    """How a picture meets the model's square: as a whole, its shape not kept, or only its middle."""

    SQUASH = "squash"
    CENTER_CROP = "center_crop"


class SpotOrigin(StrEnum):
    """What on the timeline asked for the sound."""

    MASK_TRACK = "mask track"
    MARKER = "marker"
    ALPHA = "alpha"
    RANGE = "in and out points"


@dataclass(frozen=True, slots=True)
class Matte:
    """The picture that marks one object.

    Attributes:
        clip: the matte's media on the timeline (for an alpha matte: the picture clip itself).
        channel: which values are the matte.
        invert: black marks the object.
    """

    clip: ClipSource
    channel: MatteChannel = MatteChannel.LUMA
    invert: bool = False


@dataclass(frozen=True, slots=True)
class Spot:
    """A record range where one object should sound.

    Attributes:
        id: `001`, `002`, ... in record order, then track order; unique on its timeline.
        record: absolute seconds, half-open.
        label: the object's word, which names its stem ("violin").
        prompt: what to generate; the label unless metadata says otherwise.
        negative_prompt: what to keep out.
        picture: the topmost enabled picture under the spot; None is a `Problem`.
        matte: None means the whole frame sounds.
        origin: what asked for it.
        source_name: mask track, marker or clip name, for messages.
    """

    id: str
    record: TimeSpan
    label: str
    prompt: str
    negative_prompt: str
    picture: ClipSource | None
    matte: Matte | None
    origin: SpotOrigin
    source_name: str


@dataclass(frozen=True, slots=True)
class Cue:
    """A spot with its sound decided.

    Attributes:
        spot: where, of which object.
        prompt: words for the sound, may be empty.
        negative_prompt: words for what must not sound, may be empty.
        preset: name of the preset the next two came from.
        steps: solver steps, 1..`MAX_STEPS`.
        guidance: classifier-free guidance strength, 0..`MAX_GUIDANCE`; 1 means none.
        seed: 0..`MAX_SEED`, decides the starting noise.
        takes: how many takes to make (seeds `seed`, `seed + 1`, ...), 1..`MAX_TAKES`.
        resize: how pictures meet the model's square; None as the bundle says.
    """

    spot: Spot
    prompt: str
    negative_prompt: str
    preset: str
    steps: int
    guidance: float
    seed: int
    takes: int = 1
    resize: Resize | None = None

    @property
    def id(self) -> str:
        """The spot's id."""
        return self.spot.id


@dataclass(frozen=True, slots=True)
class CueSheet:
    """The ordered cues of one timeline.

    Attributes:
        timeline_name: names files.
        rate: the timeline's frame rate.
        drop_frame: how its timecode is printed.
        record: the timeline's extent, absolute seconds; `record.start` is its start timecode.
        cues: in record order.
    """

    timeline_name: str
    rate: Fraction
    drop_frame: bool
    record: TimeSpan
    cues: tuple[Cue, ...]


class Severity(StrEnum):
    """Whether a problem stops the cue."""

    BLOCKER = "blocker"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with the timeline or one cue, told before any rendering.

    Attributes:
        severity: a blocker stops the cue it names (or everything when `cue_id` is empty).
        cue_id: the cue it belongs to, or "".
        subject: the clip, track, marker or file it is about.
        message: what is wrong.
        remedy: one imperative sentence.
    """

    severity: Severity
    cue_id: str
    subject: str
    message: str
    remedy: str
