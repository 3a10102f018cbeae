"""`make demo`: a scene is drawn, rendered to stems, placed and shown on one page; then a real clip, if there.

Everything goes through the same doors as a user's work: the command line renders and places, and what it
wrote is read back from disk.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from demo_scene import make_scene
from measuring import measured
from page import CueView, Shown, TimelineView, write_page
from pictures import Picture, jpeg_bytes, outlined, resized
from preview import sum_of_stems, timeline_pictures, write_movie
from real_clip import find_media, make_real_timeline

from models_onnx.bundle import Bundle
from plugin.controller.sheets import make_sheet, timecodes
from plugin.cues import Cue, CueSheet
from plugin.delivery import choose_pieces
from plugin.hosts import StemPiece
from plugin.opening import OpenTimeline
from plugin.render.footage import ClipFootage
from plugin.render.takes import Take, find_takes
from plugin.timebase import TimeSpan, span_samples
from plugin.workspace import Workspace

FRAMES_PER_CUE, FRAME_WIDTH = 6, 400
Events = Mapping[str, Sequence[Fraction]]


def main() -> int:
    """Make the demo; the last lines say where to look."""
    parser = argparse.ArgumentParser(description="Render the example timelines and show them on one page.")
    parser.add_argument("--out", type=Path, default=Path("out/demo"), help="where everything goes")
    parser.add_argument("--bundle", default="embedded", help="model bundle, as for `sagafoley render`")
    parser.add_argument("--preset", default="standard", help="preset, as for `sagafoley render`")
    options = parser.parse_args()
    begin, out = time.monotonic(), options.out.absolute()
    print(f"Drawing the scene into {out}", flush=True)
    scene = make_scene(out / "scene")
    jobs: list[tuple[str, Path, Events]] = [("Hammer and ball, drawn by code", scene.timeline, scene.events)]
    media = find_media()
    if media is None:
        print("No real clip found; set SAGAFOLEY_MEDIA to a folder that has one to see it too.")
    else:
        jobs.append(("A real clip: violin and trumpet", make_real_timeline(media, out / "real"), {}))
    views = []
    for title, timeline, events in jobs:
        code = render(timeline, bundle=options.bundle, preset=options.preset)
        if code:
            return code
        views.append(show(title, timeline, events, bundle=options.bundle))
    page = out / "index.html"
    write_page(page, title="Sagafoley demo", notes=notes_on(options.bundle), timelines=views)
    print(f"\nDone in {time.monotonic() - begin:.0f} s. Look at:\n  {page}")
    for _, timeline, _ in jobs:
        print(f"  {stems_of(timeline) / f'{timeline.stem}_foley.otio'}")
    return 0


def stems_of(timeline: Path) -> Path:
    """Where the results of a timeline go."""
    return timeline.with_name("stems")


def render(timeline: Path, *, bundle: str, preset: str) -> int:
    """Run the command line as a user would, and say what came of it; its exit code."""
    line = ["render", str(timeline), "-o", str(stems_of(timeline)), "--bundle", bundle, "--preset", preset]
    print(f"\n$ sagafoley {' '.join(line)}", flush=True)
    program = [sys.executable, "-m", "plugin.cli"]
    ran = subprocess.run([*program, *line, "--json"], stdout=subprocess.PIPE, check=False)
    if ran.returncode:
        return ran.returncode
    report: dict[str, Any] = json.loads(ran.stdout)
    for stem in report["stems"]:
        start, end = (Fraction(second) for second in stem["record_seconds"])
        expected, found = span_samples(TimeSpan(start, end)), soundfile.info(stem["path"]).frames
        verdict = "exact" if found == expected else "WRONG"
        print(f"  {Path(stem['path']).name}: {found:,} samples, {expected:,} expected: {verdict}")
        if found != expected:
            return 1
    return 0


def notes_on(bundle: str) -> list[str]:
    """What a viewer should know about the model before listening."""
    manifest = _bundle(bundle).manifest
    licence = manifest.licence
    return [f"Model: {manifest.title} ({manifest.id} {manifest.version}). {licence.text}"]


def _bundle(name: str) -> Bundle:
    return Workspace.open({"bundle": name}).bundle()


def show(title: str, timeline: Path, events: Events, *, bundle: str) -> TimelineView:
    """What the page shows of a rendered timeline; writes its preview movie."""
    workspace, folder = Workspace.open({"bundle": bundle}), stems_of(timeline)
    opened = OpenTimeline.read(timeline)
    sheet = make_sheet(opened, workspace, presets=workspace.presets_of(workspace.bundle()))
    pieces = choose_pieces(sheet, {}, folder=folder)
    takes = {folder / take.wav_name: take for take in find_takes(folder)}
    movie = folder / f"{timeline.stem}_preview.mp4"
    clips = {cue.spot.picture.record.start: cue.spot.picture for cue in sheet.cues if cue.spot.picture}
    pictures = timeline_pictures(sheet, [clips[start] for start in sorted(clips)])
    write_movie(movie, pictures, rate=sheet.rate, sound=sum_of_stems(sheet, pieces))
    cues = {cue.id: cue for cue in sheet.cues}
    views = [cue_view(cues[each.cue_id], sheet, each, takes[each.path], events) for each in pieces]
    first, last = timecodes(sheet.record, sheet)
    text = f"{float(sheet.rate):g} fps, {first} to {last}, {len(sheet.cues)} cues; mask tracks disabled."
    files = (
        ("timeline with stems (OTIO)", folder / f"{timeline.stem}_foley.otio"),
        ("timeline before", timeline),
    )
    return TimelineView(title, text, movie, files, tuple(views))


def cue_view(cue: Cue, sheet: CueSheet, piece: StemPiece, take: Take, events: Events) -> CueView:
    """What the page shows of one cue and its take."""
    record, extent = cue.spot.record, sheet.record
    samples, rate = soundfile.read(piece.path, dtype="float32")
    known = [time for time in events.get(cue.spot.label, ()) if record.contains(time)]
    rest = [times for label, times in events.items() if label != cue.spot.label]
    others = _seconds([time for times in rest for time in times if record.contains(time)], cue)
    return CueView(
        title=f"{cue.id} {cue.spot.label}",
        timecodes=timecodes(record, sheet),
        place=(
            float((record.start - extent.start) / extent.duration),
            float((record.end - extent.start) / extent.duration),
        ),
        label=cue.spot.label,
        samples=samples,
        rate=rate,
        events=tuple(float((time - record.start) / record.duration) for time in known),
        facts=_facts(cue, take) + measured(samples, rate=rate, own=_seconds(known, cue), others=others),
        pictures=tuple(_frames(cue, sheet)),
        files=(("WAV", piece.path), ("sidecar", piece.path.with_suffix(".json"))),
    )


def _seconds(times: Sequence[Fraction], cue: Cue) -> list[float]:
    """From the cue's start, ascending."""
    return sorted(float(time - cue.spot.record.start) for time in times)


def _facts(cue: Cue, take: Take) -> tuple[tuple[str, str], ...]:
    audio = take.audio
    loudness = "too short to say" if audio.loudness_lufs is None else f"{audio.loudness_lufs:.1f} LUFS"
    peak = "silence" if audio.true_peak_dbtp is None else f"{audio.true_peak_dbtp:.1f} dBTP"
    return (
        ("prompt", cue.prompt),
        ("not", cue.negative_prompt or "-"),
        ("samples", f"{audio.samples:,} (exact)"),
        ("loudness", loudness),
        ("true peak", peak),
        ("steps, guidance, seed", f"{take.cue.steps}, {take.cue.guidance:g}, {take.cue.seed}"),
    )


def _frames(cue: Cue, sheet: CueSheet) -> list[Shown]:
    """Evenly spread frames with the mask drawn over."""
    record = cue.spot.record
    count = int(record.duration * sheet.rate)
    chosen = [Fraction(round(i * (count - 1) / (FRAMES_PER_CUE - 1))) for i in range(FRAMES_PER_CUE)]
    times = [float(frame / sheet.rate) for frame in chosen]
    with ClipFootage.open(cue.spot) as footage:
        pictures = [resized(picture, width=FRAME_WIDTH) for picture in footage.frames(times)]
        masks = footage.masks(times)
        mattes = [np.full((2, 2), 255, np.uint8)] * len(times) if masks is None else list(masks)
    shown = []
    for frame, picture, matte in zip(chosen, pictures, mattes, strict=True):
        fitted = _stretched(np.asarray(matte, np.uint8), picture.shape[0], picture.shape[1])
        start = record.start + frame / sheet.rate
        timecode = timecodes(TimeSpan(start, start), sheet)[0]
        shown.append(Shown(jpeg_bytes(outlined(picture, fitted)), timecode))
    return shown


def _stretched(matte: Picture, height: int, width: int) -> Picture:
    """The matte at the picture's size, whatever its own shape."""
    rows = np.arange(height) * matte.shape[0] // height
    columns = np.arange(width) * matte.shape[1] // width
    return np.ascontiguousarray(matte[np.ix_(rows, columns)])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\nCancelled. Run the same line again to go on; finished takes are kept.", file=sys.stderr)
        sys.exit(130)
