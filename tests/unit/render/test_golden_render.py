"""The real path with the golden bundle: media and words in, stems out."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models_onnx.bundle import Bundle
from plugin.cues import ClipSource, Cue, CueSheet, ImageSequence, Matte, MediaFile, Spot, SpotOrigin
from plugin.engine.cache import FeatureCache
from plugin.engine.engine import Engine
from plugin.errors import MediaMissing
from plugin.media.bwf_reading import read_broadcast_wave
from plugin.render.events import CueFailed, RenderEvent, SheetFinished, TakeKept, TakeWritten
from plugin.render.runner import render
from plugin.render.takes import read_take
from plugin.timebase import TimeSpan, sample_position, span_samples
from tests.media_factory import draw_index, make_movie, make_sequence, make_truncated

BUNDLE = Path(__file__).parents[2] / "golden" / "bundle"
RATE = Fraction(30000, 1001)
ENCODERS = ("image_encoder", "sync_encoder", "text_encoder")
HOUR = Fraction(107_892) / RATE


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = Engine.open(
        Bundle.open(BUNDLE), provider="cpu", threads=1, cache=FeatureCache(tmp_path / "features")
    )
    yield opened
    opened.drop()


@pytest.fixture
def sheet(tmp_path: Path) -> CueSheet:
    """A short cue, a cue of more than one window in reverse, a cue with a held matte."""
    shot = MediaFile(make_movie(tmp_path / "shot.mp4", rate=RATE, frames=150).path)
    matte = MediaFile(
        make_movie(
            tmp_path / "matte.mp4",
            rate=24,
            frames=40,
            draw=lambda i: draw_index(4095 - i, width=40, height=30),
        ).path
    )
    images = make_sequence(tmp_path / "images", count=20, rate=24, holes=[1009])
    sequence = ImageSequence(images.path, "shot.", ".png", 4, 1001, 1020, 1, Fraction(24), "hold")
    cues = []
    for number, (first, last, media, speed) in enumerate(
        [(3, 13, matte, 1), (20, 125, matte, -1), (130, 150, sequence, 1)], 1
    ):
        record = TimeSpan(HOUR + first / RATE, HOUR + last / RATE)
        picture = ClipSource(
            shot, TimeSpan(HOUR, HOUR + 150 / RATE), Fraction(0), Fraction(1), None, "shot", "V1"
        )
        start = Fraction(40, 24) if speed < 0 else Fraction(0)
        matte_clip = ClipSource(media, record, start, Fraction(speed), None, "matte", "MASK bell")
        spot = Spot(
            f"{number:03}",
            record,
            "bell",
            "bell",
            "",
            picture,
            Matte(matte_clip),
            SpotOrigin.MASK_TRACK,
            "MASK bell",
        )
        cues.append(Cue(spot, "bell", "wind", "draft", 2, 4.5, seed=3))
    return CueSheet("Golden", RATE, drop_frame=True, record=TimeSpan(HOUR, HOUR + 5), cues=tuple(cues))


def written(events: list[RenderEvent]) -> list[TakeWritten]:
    return [event for event in events if isinstance(event, TakeWritten)]


def test_stems_of_the_real_engine_are_exact_and_repeatable(
    tmp_path: Path, engine: Engine, sheet: CueSheet
) -> None:
    events = list(render(sheet, engine, folder=tmp_path / "a"))
    assert events[-1] == SheetFinished(written=3, kept=0, failed=0)
    for event, cue in zip(written(events), sheet.cues, strict=True):
        wave = read_broadcast_wave(event.path)
        assert wave.frames == span_samples(cue.spot.record)
        assert wave.time_reference == sample_position(cue.spot.record.start)
        samples, rate = soundfile.read(event.path)
        assert (rate, abs(samples).max() > 0) == (48000, True)
        facts = event.take.engine
        assert facts.bundle_digest == engine.bundle.digest
        assert dict(event.take.versions)["sagafoley"]
        assert read_take(event.path.with_suffix(".json")).cue == replace(cue, takes=1)
    assert any("matte.mp4 does not cover the whole cue" in w for w in written(events)[1].take.warnings)

    again = list(render(sheet, engine, folder=tmp_path / "b"))
    for first, second in zip(written(events), written(again), strict=True):
        assert first.path.read_bytes() == second.path.read_bytes()
        assert first.take.identity == second.take.identity


def test_features_from_the_cache_carry_the_same_warnings(tmp_path: Path, engine: Engine) -> None:
    shot = make_truncated(tmp_path / "shot.mp4", keep=1.0)
    content = bytearray(shot.path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 6000] = np.random.default_rng(4).bytes(6000)
    shot.path.write_bytes(content)
    matte = make_movie(tmp_path / "matte.mp4", rate=25, frames=40)
    record = TimeSpan(Fraction(0), Fraction(3))
    picture, mask = (
        ClipSource(MediaFile(path), record, Fraction(0), Fraction(1), None, "shot", "V1")
        for path in (shot.path, matte.path)
    )
    spot = Spot("001", record, "bell", "bell", "", picture, Matte(mask), SpotOrigin.MARKER, "FOLEY bell")
    cues = (Cue(spot, "bell", "", "draft", 2, 4.5, seed=3),)
    sheet = CueSheet("Golden", Fraction(25), drop_frame=False, record=record, cues=cues)

    first, again = (
        written(list(render(sheet, engine, folder=tmp_path / name)))[0].take.warnings for name in "ab"
    )
    assert first == (
        "The picture shot.mp4 is damaged; some of its frames could not be read.",
        "The matte matte.mp4 does not cover the whole cue; its edge frame is held.",
    )
    assert again == first


def test_a_sidecar_can_render_its_take_again(tmp_path: Path, engine: Engine, sheet: CueSheet) -> None:
    made = written(list(render(replace(sheet, cues=sheet.cues[:1]), engine, folder=tmp_path / "a")))[0]
    take = read_take(made.path.with_suffix(".json"))
    rebuilt = CueSheet(take.timeline_name, take.rate, take.drop_frame, sheet.record, (take.cue,))
    again = written(list(render(rebuilt, engine, folder=tmp_path / "b")))[0]
    assert hashlib.sha256(again.path.read_bytes()).hexdigest() == take.audio.sha256


def test_another_take_calls_no_encoder(tmp_path: Path, engine: Engine, sheet: CueSheet) -> None:
    folder = tmp_path / "stems"
    list(render(sheet, engine, folder=folder))
    before = dict(engine.calls)
    more = replace(sheet, cues=tuple(replace(cue, takes=2) for cue in sheet.cues))
    events = list(render(more, engine, folder=folder))
    assert events[-1] == SheetFinished(written=3, kept=3, failed=0)
    assert {role: engine.calls[role] for role in ENCODERS} == {role: before[role] for role in ENCODERS}
    assert engine.calls["flow"] > before["flow"]


def test_a_kept_take_costs_nothing(tmp_path: Path, engine: Engine, sheet: CueSheet) -> None:
    folder = tmp_path / "stems"
    list(render(sheet, engine, folder=folder))
    before = dict(engine.calls)
    events = list(render(sheet, engine, folder=folder))
    assert len([event for event in events if isinstance(event, TakeKept)]) == 3
    assert dict(engine.calls) == before


def test_a_changed_matte_file_makes_a_new_take(tmp_path: Path, engine: Engine, sheet: CueSheet) -> None:
    folder = tmp_path / "stems"
    one = replace(sheet, cues=sheet.cues[:1])
    list(render(one, engine, folder=folder))
    make_movie(tmp_path / "matte.mp4", rate=24, frames=40, draw=lambda i: draw_index(2000 + i))
    events = list(render(one, engine, folder=folder))
    assert [event.path.name for event in written(events)] == ["Golden_001_bell_t02.wav"]


def test_media_that_went_away_fails_its_cue_alone(tmp_path: Path, engine: Engine, sheet: CueSheet) -> None:
    (tmp_path / "matte.mp4").unlink()
    events = list(render(sheet, engine, folder=tmp_path / "stems"))
    failed = [event for event in events if isinstance(event, CueFailed)]
    assert [(event.cue_id, type(event.error)) for event in failed] == [
        ("001", MediaMissing),
        ("002", MediaMissing),
    ]
    assert "matte.mp4" in failed[0].error.message
    assert events[-1] == SheetFinished(written=1, kept=0, failed=2)
