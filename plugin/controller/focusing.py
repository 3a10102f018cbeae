"""Where the model looks closer: the focus of every window of a cue, as a part of the picture."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from models_onnx.manifest import Manifest, PictureSpec
from plugin.controller.background import Background
from plugin.controller.chores import unforeseen
from plugin.controller.kept import Kept
from plugin.cues import Cue, Matte, Resize
from plugin.engine.focus import Box, find_focus
from plugin.engine.footage import Picture
from plugin.engine.preprocess import collect_masks, to_mask
from plugin.errors import Cancelled, SagafoleyError
from plugin.media.mattes import MatteReader
from plugin.media.stills import Size
from plugin.media.video import VideoReader
from plugin.render.clocks import clock_of, media_of, reach_of
from plugin.render.footage import ClipFootage
from plugin.render.planning import Window, plan_windows
from plugin.timebase import TimeSpan, span_samples

NO_MATTE = "Without a matte the model looks at the whole picture."
NO_BUNDLE = "Without a model bundle there is no focus to show."
NOTHING_MARKED = "The matte marks nothing here: the model looks at the whole picture."

_REMEMBERED = 200
"""Cues."""


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a picture; 0..1 from its left and from its top."""

    left: float
    top: float
    right: float
    bottom: float


WHOLE = Region(0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Focus:
    """The focus over a part of a cue.

    Attributes:
        record: absolute seconds.
        region: what the model sees enlarged.
        reason: why it is the whole picture, a sentence; "" when it is not.
    """

    record: TimeSpan
    region: Region
    reason: str = ""


class Focuses:
    """The focuses of cues, found in a thread of their own and remembered."""

    def __init__(self, manifest: Callable[[], Manifest | None]) -> None:
        self._manifest = manifest
        self._found: Kept[tuple[Focus, ...]] = Kept(_REMEMBERED)
        self._thread = Background("focus")

    @property
    def busy(self) -> bool:
        """Whether any is being found."""
        return self._thread.busy

    def at(self, cue: Cue, time: Fraction, *, again: Callable[[], None]) -> Focus | None:
        """The focus at a record time; None while it is not known, and `again` is called when it is."""
        key = (cue.spot, cue.resize)
        known = self._found.get(key)
        if known is None:
            self._thread.put(key, lambda: self._find(key, cue, again))
            return None
        return next((one for one in known if time < one.record.end), known[-1])

    def clear(self) -> None:
        """Forget all."""
        self._found.clear()

    def close(self) -> None:
        """End the thread."""
        self._thread.close()

    def _find(self, key: Hashable, cue: Cue, again: Callable[[], None]) -> None:
        try:
            manifest = self._manifest()
            found = self._nothing(cue, NO_BUNDLE) if manifest is None else self._search(cue, manifest)
        except Cancelled:
            return
        except SagafoleyError as error:
            found = self._nothing(cue, error.message)
        except Exception as error:  # noqa: BLE001 - the edge of a thread: it must be told, not lost
            found = self._nothing(cue, unforeseen("finding the focus", error).message)
        self._found.put(key, found, weight=1)
        again()

    def _search(self, cue: Cue, manifest: Manifest) -> tuple[Focus, ...]:
        found = find_focuses(cue, manifest, cancel=lambda: self._thread.closed)
        return found or self._nothing(cue, NO_MATTE)

    @staticmethod
    def _nothing(cue: Cue, reason: str) -> tuple[Focus, ...]:
        return (Focus(cue.spot.record, WHOLE, reason),)


def find_focuses(cue: Cue, manifest: Manifest, *, cancel: Callable[[], bool]) -> tuple[Focus, ...]:
    """The focus of each window of the cue, in order; none without a matte. Reads the whole matte.

    Raises:
        MediaError: picture or matte cannot be read.
        Cancelled: `cancel` said so.
    """
    matte = cue.spot.matte
    windows = plan_windows(span_samples(cue.spot.record), manifest).windows
    if matte is None or not windows:
        return ()
    spec = replace(manifest.picture, resize=str(cue.resize or manifest.picture.resize))
    with _open_footage(cue, matte) as footage:
        regions = [_window_region(_Watched(footage, cancel), window, spec) for window in windows]
    spans = _spans(windows, rate=spec.sync_rate, record=cue.spot.record)
    return tuple(
        Focus(span, region, NOTHING_MARKED if empty else "")
        for span, (region, empty) in zip(spans, regions, strict=True)
    )


def _open_footage(cue: Cue, matte: Matte) -> ClipFootage:
    """The footage that a render looks at, without its fingerprints, which take reading whole files."""
    spot = cue.spot
    clip, source = media_of(spot.picture, spot=spot, kind="picture")
    _, matte_source = media_of(matte.clip, spot=spot, kind="matte")
    picture = VideoReader.open(source)
    try:
        masks = MatteReader.open(matte_source, channel=matte.channel, invert=matte.invert)
    except BaseException:
        picture.close()
        raise
    return ClipFootage(
        spot,
        picture=picture,
        picture_clock=clock_of(clip, picture.info),
        matte=masks,
        matte_clock=clock_of(matte.clip, masks.info),
        matte_reach=reach_of(matte.clip, spot.record),
        fingerprints=("", ""),
    )


class _Watched:
    """Footage that stops when it is asked to, and remembers the shape of its masks."""

    fingerprint = ""
    damaged = False

    def __init__(self, footage: ClipFootage, cancel: Callable[[], bool]) -> None:
        self._footage = footage
        self._cancel = cancel
        self.size = Size(1, 1)

    def frames(self, times: Sequence[float], *, late: Sequence[float] = ()) -> Iterator[Picture]:
        return self._footage.frames(times, late=late)

    def masks(self, times: Sequence[float]) -> Iterator[Picture] | None:
        masks = self._footage.masks(times)
        return None if masks is None else self._watched(masks)

    def _watched(self, masks: Iterator[Picture]) -> Iterator[Picture]:
        for mask in masks:
            if self._cancel():
                raise Cancelled
            self.size = Size(mask.shape[1], mask.shape[0])
            yield mask


def _window_region(footage: _Watched, window: Window, spec: PictureSpec) -> tuple[Region, bool]:
    masks = collect_masks(footage, start=window.start, sync_frames=window.frames, spec=spec)
    focus = find_focus(to_mask(masks), crop_min=spec.crop_min, threshold=spec.box_threshold)
    return region_of(focus.box, canvas=spec.sync_size, resize=spec.resize, size=footage.size), focus.empty


def region_of(box: Box, *, canvas: int, resize: str, size: Size) -> Region:
    """A box on the model's square canvas as a part of a picture of this size.

    Args:
        box: pixels of the canvas.
        canvas: its side, pixels.
        resize: a `plugin.cues.Resize` value: how the picture met the canvas.
        size: of the picture.
    """
    columns = rows = (0.0, 1.0)
    if resize == Resize.CENTER_CROP:
        shorter = min(size.width, size.height)
        columns = ((size.width - shorter) / 2 / size.width, shorter / size.width)
        rows = ((size.height - shorter) / 2 / size.height, shorter / size.height)
    return Region(
        columns[0] + box.x0 / canvas * columns[1],
        rows[0] + box.y0 / canvas * rows[1],
        columns[0] + box.x1 / canvas * columns[1],
        rows[0] + box.y1 / canvas * rows[1],
    )


def _spans(windows: Sequence[Window], *, rate: int, record: TimeSpan) -> list[TimeSpan]:
    """Which part of the cue each window stands for: neighbours meet in the middle of what they share."""
    starts = [window.start for window in windows]
    ends = [window.start + Fraction(window.frames, rate) for window in windows]
    meets = [(end + start) / 2 for end, start in zip(ends, starts[1:], strict=False)]
    edges = [Fraction(0), *meets, record.duration]
    return [TimeSpan(record.start + edges[i], record.start + edges[i + 1]) for i in range(len(windows))]
