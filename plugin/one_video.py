"""One video without a timeline: its single cue, as if it lay on one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from plugin.cueing import build_sheet
from plugin.cues import (
    ClipSource,
    CueSheet,
    ImageSequence,
    Matte,
    MatteChannel,
    MediaFile,
    MediaSource,
    Resize,
    Spot,
    SpotOrigin,
)
from plugin.errors import MediaMissing, UsageError
from plugin.media.preview import PlacedStem, mux_preview
from plugin.media.video import VideoReader, probe
from plugin.presets import Presets
from plugin.timebase import TimeSpan, is_smpte_rate
from plugin.timeline.references import images_on_disk, media_of_url
from plugin.workspace import Workspace

CUE_ID = "001"
UNNAMED = "sound"
_LABEL_WORDS = 4
_NUMBERED = re.compile(r"(?P<prefix>.*?)(?P<number>\d+)(?P<suffix>\.[A-Za-z]+)")
_FOR_ODD_RATES = Fraction(24)


@dataclass(frozen=True, slots=True)
class VideoRequest:
    """What a person asks of one video.

    Attributes:
        video: a movie file.
        matte: a movie, a folder of numbered images or a pattern such as `m.%04d.png`; None: whole frame.
        channel: which values of the matte mark the object.
        invert: black marks the object.
        prompt: what should sound.
        negative_prompt: what should not.
        start: seconds from the first frame.
        duration: seconds; None means to the end.
        steps: in place of the preset's.
        guidance: in place of the preset's.
        resize: how pictures meet the model's square; None as the bundle says.
    """

    video: Path
    matte: Path | None = None
    channel: MatteChannel = MatteChannel.LUMA
    invert: bool = False
    prompt: str = ""
    negative_prompt: str = ""
    start: Fraction = Fraction(0)
    duration: Fraction | None = None
    steps: int | None = None
    guidance: float | None = None
    resize: Resize | None = None


def sheet_of_video(request: VideoRequest, workspace: Workspace, *, presets: Presets) -> CueSheet:
    """A cue sheet of one cue. Its times count from the video's start timecode, 0 where it has none.

    Raises:
        MediaMissing: the video or the matte is not there.
        UndecodableMedia: no picture can be decoded.
        UsageError: the asked-for part is not in the video; no such preset.
    """
    with VideoReader.open(MediaFile(request.video.absolute())) as reader:
        info, length = reader.info, reader.extent().end
    if info.is_still:
        raise UsageError(f"{request.video.name} is a single picture.", remedy="Give a movie file.")
    part = _part(request, length)
    zero = info.start_timecode or Fraction(0)
    rate = info.rate if info.rate is not None and is_smpte_rate(info.rate) else _FOR_ODD_RATES
    record = TimeSpan(zero + part.start, zero + part.end)
    picture = ClipSource(
        media=MediaFile(request.video.absolute()),
        record=record,
        source_start=record.start,
        speed=Fraction(1),
        available=TimeSpan(zero, zero + length),
        clip_name=request.video.name,
        track_name="video",
        rate=info.rate,
    )
    spot = Spot(
        id=CUE_ID,
        record=record,
        label=" ".join(request.prompt.split()[:_LABEL_WORDS]) or UNNAMED,
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        picture=picture,
        matte=_matte(request, record, part, rate),
        origin=SpotOrigin.MASK_TRACK,
        source_name=request.matte.name if request.matte else request.video.name,
    )
    return build_sheet(
        (spot,),
        timeline_name=request.video.stem,
        rate=rate,
        drop_frame=False,
        record=record,
        presets=presets,
        choices=workspace.choices(steps=request.steps, guidance=request.guidance, resize=request.resize),
    )


def _part(request: VideoRequest, length: Fraction) -> TimeSpan:
    """The asked-for part, seconds from the first frame."""
    end = length if request.duration is None else request.start + request.duration
    if request.start >= length or end > length:
        raise UsageError(
            f"{request.video.name} is {float(length):.3f} s long; the part from {float(request.start):.3f} s "
            f"to {float(end):.3f} s is not in it.",
            remedy="Choose --start and --duration inside the video.",
        )
    return TimeSpan(request.start, end)


def _matte(request: VideoRequest, record: TimeSpan, part: TimeSpan, rate: Fraction) -> Matte | None:
    if request.matte is None:
        return None
    media = matte_media(request.matte, rate=rate)
    length = probe(media).duration
    clip = ClipSource(
        media=media,
        record=record,
        source_start=part.start,
        speed=Fraction(1),
        available=None if length is None else TimeSpan(Fraction(0), length),
        clip_name=request.matte.name,
        track_name="matte",
    )
    return Matte(clip, request.channel, request.invert)


def matte_media(path: Path, *, rate: Fraction) -> MediaSource:
    """A movie, or the numbered images of a folder or pattern, at `rate` images per second.

    Raises:
        MediaMissing: a folder without numbered images.
    """
    absolute = path.absolute()
    if not absolute.is_dir():
        return MediaFile(absolute) if absolute.exists() else media_of_url(str(absolute), rate, Path.cwd())
    for entry in sorted(absolute.iterdir()):
        match = _NUMBERED.fullmatch(entry.name)
        if match is not None:
            numbers = images_on_disk(absolute, match["prefix"], match["suffix"])
            return ImageSequence(
                folder=absolute,
                prefix=match["prefix"],
                suffix=match["suffix"],
                padding=len(match["number"]),
                first=min(numbers),
                last=max(numbers),
                step=1,
                rate=rate,
            )
    raise MediaMissing(
        f"The folder {path} holds no numbered images.",
        remedy="Give the folder of the matte's image sequence, or a movie.",
    )


def write_preview(sheet: CueSheet, stem: Path) -> Path:
    """A movie beside a stem: the part of the video that it belongs to, its picture copied, with the stem.

    Raises:
        UndecodableMedia: the video cannot be copied into a movie.
        OutputError: the preview cannot be written.
    """
    (cue,) = sheet.cues
    clip = cue.spot.picture
    if clip is None or not isinstance(clip.media, MediaFile) or clip.available is None:
        raise MediaMissing("There is no movie to preview.", remedy="Give a movie file.")
    zero, record = clip.available.start, cue.spot.record
    preview = mux_preview(
        clip.media.path,
        [PlacedStem(stem)],
        out=stem.with_name(f"{stem.stem}_preview.mp4"),
        start=record.start - zero,
        end=record.end - zero,
    )
    return preview.path
