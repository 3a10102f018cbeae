"""A click in a stem is heard where it belongs when somebody else's program mixes the timeline.

The mixers know only the written OTIO and the files: plain additions in Python, and ffmpeg and MLT where
they are installed.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from plugin.hosts import Flavour
from plugin.timebase import TimeSpan
from plugin.timeline.placing import PlacedTake, place
from tests.cli.independent import RATES, SAMPLES, PlacedStem, Rate, make_film, read_stems, sample_at

Sound = NDArray[np.float32]
Mixer = Callable[[Sequence[PlacedStem], Rate, Path], Sound]

CLICK = 100
"""Sample of each piece, counted from its first, that clicks."""

PIECES = ((37, 48), (48, 61), (61, 63), (301, 331))
"""Frames of the placed pieces: three that adjoin, one far in."""

LIMIT = 60
"""Seconds that a mixer may take; MLT hangs at its end now and then and gets a second go."""


def mix_in_python(stems: Sequence[PlacedStem], rate: Rate, folder: Path) -> Sound:
    """Adds every file at its place, as simply as it can be done."""
    del rate, folder
    mix = np.zeros(max(sample_at(stem.end) for stem in stems) + SAMPLES, np.float32)
    for stem in stems:
        sound, _ = soundfile.read(stem.wav, dtype="float32")
        first = sample_at(stem.start)
        mix[first : first + len(sound)] += sound
    return mix


def mix_with_ffmpeg(stems: Sequence[PlacedStem], rate: Rate, folder: Path) -> Sound:
    """ffmpeg: every file delayed by samples and summed."""
    del rate
    inputs = [part for stem in stems for part in ("-i", str(stem.wav))]
    delayed = [
        f"[{number}:a]adelay=delays={sample_at(stem.start)}S:all=1[a{number}]"
        for number, stem in enumerate(stems)
    ]
    mixed = "".join(f"[a{number}]" for number in range(len(stems))) + (
        f"amix=inputs={len(stems)}:normalize=0:duration=longest[m]"
    )
    out = folder / "ffmpeg.wav"
    graph = ";".join([*delayed, mixed])
    line = ["ffmpeg", "-v", "error", "-y", *inputs, "-filter_complex", graph, "-map", "[m]"]
    return _run([*line, "-c:a", "pcm_s24le", str(out)], out)


def mix_with_melt(stems: Sequence[PlacedStem], rate: Rate, folder: Path) -> Sound:
    """MLT: a playlist per track of ours over a silent one, summed by `mix` transitions."""
    out, project = folder / "melt.wav", folder / "film.mlt"
    project.write_text(mlt_document(stems, rate), "utf-8")
    consumer = ["-consumer", f"avformat:{out}", "acodec=pcm_s24le", "ar=48000", "ac=1", "vn=1"]
    return _run(["melt", str(project), "-silent", *consumer], out)


def mlt_document(stems: Sequence[PlacedStem], rate: Rate) -> str:
    """An MLT project of whole-frame pieces; its profile names the rate as a fraction."""
    total = max(_frames(stem.end, rate) for stem in stems) + 12
    producers, playlists, tracks, transitions = [], [], [], []
    for track, name in enumerate(dict.fromkeys(stem.track for stem in stems), 1):
        entries, at = [], 0
        for stem in (one for one in stems if one.track == name):
            first, length = _frames(stem.start, rate), _frames(stem.end, rate) - _frames(stem.start, rate)
            key = f"p{len(producers)}"
            producers.append(
                f'<producer id="{key}"><property name="resource">{stem.wav}</property>'
                '<property name="mlt_service">avformat</property></producer>'
            )
            entries += [f'<blank length="{first - at}"/>'] if first > at else []
            entries.append(f'<entry producer="{key}" in="0" out="{length - 1}"/>')
            at = first + length
        playlists.append(f'<playlist id="t{track}">{"".join(entries)}</playlist>')
        tracks.append(f'<track producer="t{track}" hide="video"/>')
        transitions.append(
            f'<transition><property name="a_track">0</property><property name="b_track">{track}</property>'
            '<property name="mlt_service">mix</property><property name="always_active">1</property>'
            '<property name="sum">1</property></transition>'
        )
    exact = rate.exact
    return (
        f'<mlt title={quoteattr(rate.name)}><profile width="64" height="64" progressive="1" '
        f'frame_rate_num="{exact.numerator}" frame_rate_den="{exact.denominator}" '
        'sample_aspect_num="1" sample_aspect_den="1" display_aspect_num="1" display_aspect_den="1"/>'
        f'<producer id="silence" in="0" out="{total - 1}"><property name="mlt_service">color</property>'
        '<property name="resource">black</property></producer>'
        f"{''.join(producers)}{''.join(playlists)}"
        f'<tractor id="film" in="0" out="{total - 1}"><multitrack><track producer="silence"/>'
        f"{''.join(tracks)}</multitrack>{''.join(transitions)}</tractor></mlt>"
    )


def _frames(time: Fraction, rate: Rate) -> int:
    frames = time * rate.exact
    assert abs(frames - round(frames)) < Fraction(1, 10**6)
    return round(frames)


def _run(line: Sequence[str], out: Path) -> Sound:
    for attempt in (1, 2):
        out.unlink(missing_ok=True)
        try:
            subprocess.run(line, check=True, timeout=LIMIT, capture_output=True)
            break
        except subprocess.TimeoutExpired:
            assert attempt == 1, f"{line[0]} hung twice"
    sound, sample_rate = soundfile.read(out, dtype="float32", always_2d=True)
    assert sample_rate == SAMPLES
    return sound[:, 0]


MIXERS: dict[str, Mixer] = {"python": mix_in_python}
MIXERS |= {"ffmpeg": mix_with_ffmpeg} if shutil.which("ffmpeg") else {}
MIXERS |= {"melt": mix_with_melt} if shutil.which("melt") else {}


def place_clicks(
    folder: Path, rate: Rate, flavour: Flavour, *, pieces: Sequence[tuple[int, int]] = PIECES
) -> tuple[list[PlacedStem], list[int]]:
    """Pieces that click, placed on two tracks of a timeline, and the samples where the clicks belong.

    Samples count from the timeline's first one, and both ends are rounded from midnight, as the files'
    time stamps are.
    """
    film = make_film(folder / "edit", rate, start="01:00:00:00")
    takes, truth = [], []
    for number, (first, end) in enumerate(pieces):
        record = TimeSpan(film.start + first / rate.exact, film.start + end / rate.exact)
        wav = folder / f"take {number}.wav"
        sound = np.zeros(sample_at(record.end) - sample_at(record.start), np.float32)
        sound[CLICK] = 0.5
        soundfile.write(wav, sound, SAMPLES, subtype="PCM_24")
        label = "violin" if number % 2 else "door"
        takes.append(PlacedTake(label, record, wav, wav.stem))
        truth.append(sample_at(record.start) - sample_at(film.start) + CLICK)
    place(film.path, takes, output=folder / "film_foley.otio", flavour=flavour)
    return read_stems(folder / "film_foley.otio", rate), truth


def click_errors(mix: Sound, truth: Sequence[int]) -> list[int]:
    """Samples from where each click belongs to where it is loudest; every click has to be there once."""
    found = np.flatnonzero(np.abs(mix) > 0.5 * np.abs(mix).max())
    assert len(found) == len(truth), f"clicks at {found.tolist()}"
    return [place - exact for place, exact in zip(found.tolist(), sorted(truth), strict=True)]


@pytest.mark.parametrize("rate", RATES, ids=lambda rate: rate.name)
@pytest.mark.parametrize("flavour", Flavour)
@pytest.mark.parametrize("mixer", MIXERS)
def test_clicks_are_heard_where_they_belong(tmp_path: Path, mixer: str, flavour: Flavour, rate: Rate) -> None:
    stems, truth = place_clicks(tmp_path, rate, flavour)
    mix = MIXERS[mixer](stems, rate, tmp_path)
    assert max(abs(error) for error in click_errors(mix, truth)) <= 1


@pytest.mark.parametrize("mixer", [name for name in MIXERS if name != "melt"])
def test_a_piece_of_one_frame_is_heard(tmp_path: Path, mixer: str) -> None:
    """MLT is left out: it plays nothing of a file that is one frame long."""
    rate = RATES[4]
    stems, truth = place_clicks(tmp_path, rate, Flavour.GENERIC, pieces=((9, 10), (10, 11)))
    assert max(abs(error) for error in click_errors(MIXERS[mixer](stems, rate, tmp_path), truth)) <= 1


@pytest.mark.parametrize("mixer", MIXERS)
def test_a_click_out_of_place_is_found(tmp_path: Path, mixer: str) -> None:
    """The yardstick itself: two samples off is seen."""
    rate = RATES[1]
    stems, truth = place_clicks(tmp_path, rate, Flavour.GENERIC)
    sound, _ = soundfile.read(stems[0].wav, dtype="float32")
    soundfile.write(stems[0].wav, np.roll(sound, 2), SAMPLES, subtype="PCM_24")
    errors = click_errors(MIXERS[mixer](stems, rate, tmp_path), truth)
    assert errors == [2, 0, 0, 0]
