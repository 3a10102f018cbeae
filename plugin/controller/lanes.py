"""What is drawn under the picture: every take's waveform, onsets and level, and the matte's motion.

A `Lanes` belongs to the window's thread. Nothing here waits for a file: what is not known yet is read
aside, and `ready` is called, from another thread, when more is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from plugin.controller.background import Background
from plugin.controller.chores import unforeseen
from plugin.controller.kept import Kept
from plugin.controller.motion import Motion, matte_motion
from plugin.controller.sounds import BLOCK, Outline, Sounds, sound_pieces
from plugin.controller.views import TakeRow
from plugin.cues import Cue
from plugin.errors import Cancelled, SagafoleyError
from plugin.media.loudness import Loudness, LoudnessMeter
from plugin.media.shaping import Shape
from plugin.timebase import STEM_RATE, TimeSpan, sample_position

Samples = NDArray[np.float32]

_REMEMBERED = 400
_FAINTEST = 0.05
"""No lane is magnified more than twenty times."""

_FULL = 0.0
"""dBTP over which a take is told to clip."""


@dataclass(frozen=True, slots=True)
class Peaks:
    """Lowest and highest sample of every column, -1..1 (beyond it where gain takes it)."""

    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LaneView:
    """One take as its lane shows it; places are 0..1 along the shown time.

    Attributes:
        name: of the take.
        title: what it is called.
        star: marked by the editor.
        chosen: it is the one that would be placed.
        peaks: its waveform with gain and fades, None while it is read.
        curve: the gain and fades, a factor for each column; empty while it is read.
        start: where the take begins.
        end: where it ends.
        onsets: where something begins to sound.
        level: loudness and true peak with gain and fades, in words.
        clips: its true peak would be over full scale.
        gain: in words, "" for none.
        notice: what is to be known of it, a sentence; "" for nothing.
        spoken: all of it in one sentence, for a screen reader.
    """

    name: str
    title: str
    star: bool
    chosen: bool
    peaks: Peaks | None
    curve: tuple[float, ...]
    start: float
    end: float
    onsets: tuple[float, ...]
    level: str
    clips: bool
    gain: str
    notice: str
    spoken: str


@dataclass(frozen=True, slots=True)
class MotionView:
    """The matte's motion along the shown time.

    Attributes:
        values: one for each column, 0 (still) to 1 (the most of this spot); empty while it is read.
        notice: why there is none, or that it is being read; "" when there is.
    """

    values: tuple[float, ...]
    notice: str = ""


class Lanes:
    """Waveforms, levels and motion; end it with `close`."""

    def __init__(self, sounds: Sounds, *, ready: Callable[[], None] = lambda: None) -> None:
        """Nothing is read yet.

        Args:
            sounds: where takes are read; whoever made it closes it.
            ready: called from another thread when a level or a motion is known.
        """
        self._sounds = sounds
        self._ready = ready
        self._levels: Kept[Loudness] = Kept(_REMEMBERED)
        self._motions: Kept[Motion] = Kept(_REMEMBERED)
        self._measuring = Background("levels")
        self._watching = Background("motion")

    @property
    def busy(self) -> bool:
        """Whether anything is being measured."""
        return self._measuring.busy or self._watching.busy

    def view(self, take: TakeRow, span: TimeSpan, *, columns: int) -> LaneView:
        """A take's lane over `span` (absolute seconds), as far as it is known.

        Args:
            take: the take, with its gain and fades.
            span: what the lane shows, from its left to its right edge.
            columns: how many columns of pixels there are.
        """
        sound = self._sounds.outline(take.path)
        shape = shape_of(take)
        first = sample_position(take.record.start)
        view = _bare(take, shape)
        if sound is None:
            return _spoken(replace(view, notice="Reading ..."))
        if sound.error is not None:
            return _spoken(replace(view, notice=str(sound.error)))
        positions = _edges(span, columns) - first
        total = sound.total
        level = self._level(take, sound.total, shape)
        return _spoken(
            replace(
                view,
                peaks=_shaped_peaks(sound, positions, shape),
                curve=_curve(positions, shape, total=total),
                start=_place(first, span),
                end=_place(first + total, span),
                onsets=tuple(_place(first + onset, span) for onset in sound.onsets),
                level=_level_words(level) if level else view.level,
                clips=bool(level and level.true_peak is not None and level.true_peak > _FULL),
            )
        )

    def motion(self, cue: Cue, span: TimeSpan, *, columns: int) -> MotionView:
        """The motion of a cue's matte over `span`, as far as it is known."""
        known = self._motions.get(cue.spot)
        if known is None:
            self._watching.put(cue.spot, lambda: self._watch(cue))
            return MotionView((), "Reading the matte ...")
        if not known.values:
            return MotionView((), known.notice)
        starts = _edges(span, columns)[:-1] / STEM_RATE - float(known.start)
        index = np.clip(np.ceil(starts / float(known.step)), 0, len(known.values) - 1).astype(int)
        outside = (starts < 0) | (starts > float(known.step) * len(known.values))
        values = np.where(outside, 0.0, np.asarray(known.values)[index])
        return MotionView(tuple(values.tolist()))

    def only_motion(self, cue: Cue | None) -> None:
        """Read no more mattes but this cue's."""
        self._watching.keep(lambda key: cue is not None and key == cue.spot)

    def forget(self) -> None:
        """Read mattes again when they are asked for: media may have changed."""
        self._motions.clear()

    def close(self) -> None:
        """End the threads."""
        self._watching.close()
        self._measuring.close()

    def _level(self, take: TakeRow, total: int, shape: Shape) -> Loudness | None:
        """The loudness with gain and fades; None while fades are being measured.

        Gain alone moves known figures; only fades make it necessary to measure.
        """
        if not shape.fade_in and not shape.fade_out:
            return Loudness(integrated=take.loudness, true_peak=take.true_peak)
        key = (take.path, shape.fade_in, shape.fade_out)
        known = self._levels.get(key)
        if known is None:
            self._measuring.put(take.path, lambda: self._measure(key, total, replace(shape, gain_db=0.0)))
            return None
        return known.scaled(shape.gain)

    def _measure(self, key: tuple[Path, int, int], total: int, shape: Shape) -> None:
        meter, first = LoudnessMeter(STEM_RATE), 0
        try:
            for piece in sound_pieces(key[0]):
                if self._measuring.closed:
                    return
                meter.add(shape.applied(piece, first=first, total=total))
                first += len(piece)
        except SagafoleyError:
            return  # the lane itself tells that the file went away
        self._levels.put(key, meter.finish(), weight=1)
        self._ready()

    def _watch(self, cue: Cue) -> None:
        start, step = cue.spot.record.start, Fraction(1)
        try:
            motion = matte_motion(cue.spot, cancel=lambda: self._watching.closed)
        except Cancelled:
            return
        except SagafoleyError as error:
            motion = Motion(start, step, (), notice=str(error))
        except Exception as error:  # noqa: BLE001 - the edge of a thread: it must be told, not lost
            motion = Motion(start, step, (), notice=str(unforeseen("reading a matte", error)))
        self._motions.put(cue.spot, motion, weight=1)
        self._ready()


def full_level(views: Iterable[LaneView]) -> float:
    """The level that shall fill a lane: the highest of all, so that quiet takes can be seen and compared."""
    levels = [
        max(-min(view.peaks.low, default=0.0), max(view.peaks.high, default=0.0))
        for view in views
        if view.peaks is not None
    ]
    return min(max(max(levels, default=1.0), _FAINTEST), 1.0)


def shape_of(take: TakeRow) -> Shape:
    """The gain and fades of a take."""
    return Shape.of(gain_db=take.gain_db, fade_in=take.fade_in, fade_out=take.fade_out, sample_rate=STEM_RATE)


def _edges(span: TimeSpan, columns: int) -> NDArray[np.int64]:
    """Sample positions since midnight of `columns + 1` edges, left to right."""
    first, last = sample_position(span.start), sample_position(span.end)
    return first + (np.arange(columns + 1, dtype=np.int64) * (last - first)) // max(1, columns)


def _place(position: int, span: TimeSpan) -> float:
    """A sample position as 0..1 along a span."""
    first, last = sample_position(span.start), sample_position(span.end)
    return (position - first) / max(1, last - first)


def _shaped_peaks(sound: Outline, edges: NDArray[np.int64], shape: Shape) -> Peaks:
    low, high = column_peaks(sound, edges)
    factors = shape.curve((edges[:-1] + edges[1:]) // 2, total=sound.total)
    return Peaks(tuple((low * factors).tolist()), tuple((high * factors).tolist()))


def column_peaks(sound: Outline, edges: NDArray[np.int64]) -> tuple[Samples, Samples]:
    """Lowest and highest sample in each `[edges[i], edges[i + 1])`; 0 outside of the sound.

    Wide columns are taken from whole blocks, so a peak may show up to one block beside its place.
    """
    columns = len(edges) - 1
    if sound.samples is None or edges[-1] - edges[0] >= 4 * BLOCK * columns:
        unit, lows, highs = BLOCK, sound.low, sound.high
    else:
        unit, lows, highs = 1, sound.samples, sound.samples
    starts = np.clip(edges[:-1] // unit, 0, len(lows))
    ends = np.clip(-(-edges[1:] // unit), 0, len(lows))
    ends = np.where((ends <= starts) & (starts < len(lows)) & (edges[:-1] >= 0), starts + 1, ends)
    filled = ends > starts
    low, high = np.zeros(len(starts), np.float32), np.zeros(len(starts), np.float32)
    if filled.any():
        pairs = np.stack([starts[filled], ends[filled]], axis=1).ravel()
        part = slice(int(pairs.min()), int(pairs.max()))
        pairs = pairs - part.start
        # one value more, because an end may lie behind the last
        low[filled] = np.minimum.reduceat(np.append(lows[part], np.float32(0)), pairs)[::2]
        high[filled] = np.maximum.reduceat(np.append(highs[part], np.float32(0)), pairs)[::2]
    return low, high


def _curve(edges: NDArray[np.int64], shape: Shape, *, total: int) -> tuple[float, ...]:
    middles = (edges[:-1] + edges[1:]) // 2
    factors = np.where((middles >= 0) & (middles < total), shape.curve(middles, total=total), 0.0)
    return tuple(factors.tolist())


def _bare(take: TakeRow, shape: Shape) -> LaneView:
    gain = f"{shape.gain_db:+.1f} dB" if shape.gain_db else ""
    return LaneView(
        name=take.name,
        title=take.title,
        star=take.star,
        chosen=take.chosen,
        peaks=None,
        curve=(),
        start=0.0,
        end=0.0,
        onsets=(),
        level=take.level,
        clips=take.true_peak is not None and take.true_peak > _FULL,
        gain=gain,
        notice=take.note,
        spoken="",
    )


def _spoken(view: LaneView) -> LaneView:
    parts = [
        view.title,
        "chosen" if view.chosen else "",
        "starred" if view.star else "",
        view.level,
        f"gain {view.gain}" if view.gain else "",
        "clips" if view.clips else "",
        view.notice,
    ]
    return replace(view, spoken=", ".join(part for part in parts if part))


def _level_words(level: Loudness) -> str:
    if level.true_peak is None:
        return "silence"
    peak = f"{level.true_peak:.1f} dBTP"
    return peak if level.integrated is None else f"{level.integrated:.1f} LUFS, {peak}"
