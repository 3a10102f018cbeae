"""One page that shows what was rendered: frames with the mask, waveform, spectrogram, numbers, links.

Everything but sound and movie is inside the page; it needs no network and no script.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote

import numpy as np
from pictures import data_url, png_bytes
from sound_pictures import Samples, outline, spectrogram

_COLUMNS = 900
_WAVE_HEIGHT = 120
_STYLE = Path(__file__).with_name("page.css")


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture of a cue: JPEG bytes and the timecode below it."""

    jpeg: bytes
    timecode: str


@dataclass(frozen=True, slots=True)
class CueView:
    """What the page shows of one cue.

    Attributes:
        title: "001 anvil".
        timecodes: first and last (exclusive).
        place: start and end as shares 0..1 of the timeline.
        label: its lane.
        samples: the stem, `[n]`, -1..1.
        rate: of `samples`.
        events: shares 0..1 of the cue at which something is known to hit.
        facts: name and value of each number shown.
        pictures: frames with the mask drawn over.
        files: title and path of each link; the first is played.
    """

    title: str
    timecodes: tuple[str, str]
    place: tuple[float, float]
    label: str
    samples: Samples
    rate: int
    events: tuple[float, ...]
    facts: tuple[tuple[str, str], ...]
    pictures: tuple[Shown, ...]
    files: tuple[tuple[str, Path], ...]


@dataclass(frozen=True, slots=True)
class TimelineView:
    """What the page shows of one timeline.

    Attributes:
        title: heading.
        text: one paragraph.
        movie: the preview, None when there is none.
        files: title and path of each link.
        cues: in record order.
    """

    title: str
    text: str
    movie: Path | None
    files: tuple[tuple[str, Path], ...]
    cues: tuple[CueView, ...]


def write_page(path: Path, *, title: str, notes: Sequence[str], timelines: Sequence[TimelineView]) -> None:
    """Write the page; links are relative to its folder."""
    notice = "".join(f'<p class="note">{escape(note)}</p>' for note in notes)
    body = "".join(_timeline(view, folder=path.parent) for view in timelines)
    path.write_text(
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE.read_text('utf-8')}</style></head>\n<body><main><h1>{escape(title)}</h1>{notice}{body}</main></body></html>\n",
        encoding="utf-8",
    )


def _timeline(view: TimelineView, *, folder: Path) -> str:
    movie = ""
    if view.movie is not None:
        movie = f'<video controls preload="metadata" src="{_link(view.movie, folder)}"></video>'
    cards = "".join(_cue(cue, folder=folder) for cue in view.cues)
    return (
        f"\n<section><h2>{escape(view.title)}</h2><p>{escape(view.text)}</p>{movie}"
        f"{_lanes(view.cues)}<p>{_links(view.files, folder)}</p>{cards}</section>"
    )


def _lanes(cues: Sequence[CueView]) -> str:
    lanes = []
    for label in dict.fromkeys(cue.label for cue in cues):
        bars = "".join(
            f'<rect class="bar" x="{cue.place[0] * 1000:.1f}" y="3" rx="3" height="16" '
            f'width="{(cue.place[1] - cue.place[0]) * 1000 - 2:.1f}"/>'
            for cue in cues
            if cue.label == label
        )
        lanes.append(
            f'<div class="lane"><span>FOLEY {escape(label)}</span><svg viewBox="0 0 1000 22" '
            f'preserveAspectRatio="none" role="img" aria-label="where {escape(label)} sounds">'
            f'<rect class="bed" y="3" width="1000" height="16" rx="3"/>{bars}</svg></div>'
        )
    return "".join(lanes)


def _cue(cue: CueView, *, folder: Path) -> str:
    first, last = cue.timecodes
    facts = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in cue.facts
    )
    frames = "".join(
        f'<figure><img alt="frame at {escape(each.timecode)}" src="{data_url(each.jpeg)}">'
        f"<figcaption>{escape(each.timecode)}</figcaption></figure>"
        for each in cue.pictures
    )
    return (
        f'\n<article class="card"><div class="head"><h3>{escape(cue.title)}</h3>'
        f'<span class="tc">{escape(first)} to {escape(last)}</span></div>'
        f'<div class="frames">{frames}</div>{_sound(cue)}'
        f'<audio controls preload="none" src="{_link(cue.files[0][1], folder)}"></audio>'
        f"<dl>{facts}</dl><p>{_links(cue.files, folder)}</p></article>"
    )


def _sound(cue: CueView) -> str:
    """Waveform over spectrogram on one time axis, with the known events drawn across both."""
    image = data_url(png_bytes(spectrogram(cue.samples, rate=cue.rate, columns=_COLUMNS)))
    marks = "".join(
        f'<line class="event" x1="{share * _COLUMNS:.1f}" x2="{share * _COLUMNS:.1f}" y1="0" y2="100" '
        'stroke-dasharray="4 4" vector-effect="non-scaling-stroke"/>'
        for share in cue.events
    )
    first, last = cue.timecodes
    legend = (
        "dashed: a strike or bounce is known to be here" if cue.events else "60 Hz to 20 kHz, -90 to 0 dB"
    )
    return (
        f'<div class="sound">{_waveform(cue.samples)}'
        f'<img alt="spectrogram of {escape(cue.title)}" src="{image}">'
        f'<svg class="over" viewBox="0 0 {_COLUMNS} 100" preserveAspectRatio="none">{marks}</svg></div>'
        f'<div class="axis tc soft"><span>{escape(first)}</span><span>{legend}</span>'
        f"<span>{escape(last)}</span></div>"
    )


def _waveform(samples: Samples) -> str:
    """The outline, scaled so that the loudest sample fills the height."""
    low, high = outline(samples, columns=_COLUMNS)
    loudest = max(float(np.abs(samples).max(initial=0)), 1e-6)
    middle = _WAVE_HEIGHT / 2
    top = [f"{x} {middle - y / loudest * (middle - 4):.1f}" for x, y in enumerate(high)]
    bottom = [f"{x} {middle - y / loudest * (middle - 4) + 0.5:.1f}" for x, y in enumerate(low)]
    path = "M" + "L".join(top + bottom[::-1]) + "Z"
    return (
        f'<svg viewBox="0 0 {_COLUMNS} {_WAVE_HEIGHT}" preserveAspectRatio="none" height="{_WAVE_HEIGHT}" '
        f'role="img" aria-label="waveform"><line class="zero" x2="{_COLUMNS}" y1="{middle}" y2="{middle}"/>'
        f'<path class="wave" d="{path}"/></svg>'
    )


def _links(files: Sequence[tuple[str, Path]], folder: Path) -> str:
    return " · ".join(f'<a href="{_link(path, folder)}">{escape(title)}</a>' for title, path in files)


def _link(path: Path, folder: Path) -> str:
    return escape(quote(path.absolute().relative_to(folder.absolute()).as_posix()))
