from __future__ import annotations

import importlib.util
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from plugin.engine.cache import FeatureCache
from plugin.engine.engine import Engine
from plugin.engine.sessions import Sessions
from plugin.engine.watch import PICTURES, SAMPLING, SOUND, STAGES, UNWATCHED, Watch
from plugin.errors import Cancelled, UnexpectedOutput
from plugin.render.rendering import MATTE_IGNORED, NOTHING_HEARD, NOTHING_MARKED, Brief, synthesise
from plugin.render.stitching import overlap_weights

SECOND = 48_000
ENCODERS = ("image_encoder", "sync_encoder", "text_encoder")
PLAIN = Brief("violin", "", steps=3, guidance=2.0, seed=42)


@pytest.fixture(scope="module")
def toy() -> ModuleType:
    name = "toy_bundle"
    if name not in sys.modules:
        path = Path(__file__).parents[1] / "engine" / "toy_bundle.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="module")
def bundle(toy, tmp_path_factory):
    return toy.make_toy_bundle(tmp_path_factory.mktemp("bundle") / "toy")


@pytest.fixture
def engine(bundle):
    return Engine.open(bundle, provider="cpu", threads=1)


def _stream(engine, footage, samples: int, watch: Watch = UNWATCHED, **changes):
    return synthesise(engine, footage, replace(PLAIN, **changes), samples=samples, watch=watch)


def _sound(engine, footage, samples: int, watch: Watch = UNWATCHED, **changes) -> np.ndarray:
    return np.concatenate([np.zeros(0, np.float32), *_stream(engine, footage, samples, watch, **changes)])


@pytest.mark.parametrize(
    "samples", [1, 2, 999, 1920, 30_719, 30_720, SECOND, SECOND + 1, 5 * SECOND, 5 * SECOND + 1921, 768_767]
)
def test_exactly_the_samples_asked_for(engine, toy, samples: int) -> None:
    pieces = list(_stream(engine, toy.ToyFootage(), samples, steps=1))
    assert sum(len(piece) for piece in pieces) == samples
    assert all(piece.dtype == np.float32 and piece.ndim == 1 for piece in pieces)
    assert np.isfinite(np.concatenate(pieces)).all()


def test_a_cue_of_no_samples_is_silence_and_work_for_nobody(engine, toy) -> None:
    assert len(_sound(engine, toy.ToyFootage(), 0)) == 0
    assert not engine.calls


def test_nothing_is_computed_before_the_first_piece(engine, toy) -> None:
    stream = _stream(engine, toy.ToyFootage(), SECOND)
    assert not engine.calls
    next(stream)
    assert engine.calls["vocoder"] == 1


def test_the_same_cue_is_the_same_bytes(engine, bundle, toy) -> None:
    first = _sound(engine, toy.ToyFootage(), 8 * SECOND)
    again = Engine.open(bundle, provider="cpu", threads=2)
    assert _sound(again, toy.ToyFootage(), 8 * SECOND).tobytes() == first.tobytes()


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 43},
        {"prompt": "trumpet"},
        {"steps": 4},
        {"guidance": 1.0},
        {"negative_prompt": "trumpet"},
        {"resize": "center_crop"},
    ],
)
def test_every_wish_is_heard(engine, toy, change: dict[str, object]) -> None:
    one = _sound(engine, toy.ToyFootage(), SECOND)
    other = _sound(engine, toy.ToyFootage(), SECOND, **change)
    assert not np.allclose(one, other, atol=1e-4)


def test_the_picture_is_heard(engine, toy) -> None:
    one = _sound(engine, toy.ToyFootage(), SECOND)
    assert not np.allclose(one, _sound(engine, toy.ToyFootage(masked=False), SECOND), atol=1e-4)


def test_a_second_take_costs_flow_and_decoding_only(bundle, toy, tmp_path) -> None:
    cache = FeatureCache(tmp_path / "features")
    engine = Engine.open(bundle, provider="cpu", threads=1, cache=cache)
    first = _sound(engine, toy.ToyFootage(), 12 * SECOND)
    for other in (engine, Engine.open(bundle, provider="cpu", threads=1, cache=cache)):
        calls, loads = dict(other.calls), dict(other.loads)
        footage = toy.ToyFootage()
        assert not np.allclose(_sound(other, footage, 12 * SECOND, seed=7), first, atol=1e-4)
        for role in ENCODERS:
            assert other.calls[role] == calls.get(role, 0)
            assert other.loads[role] == loads.get(role, 0)
        assert footage.frame_times == footage.mask_times == []
        assert other.calls["flow"] - calls.get("flow", 0) == 3 * 3 * 2


def test_cached_features_give_the_same_bytes(bundle, toy, tmp_path) -> None:
    engine = Engine.open(bundle, provider="cpu", threads=1, cache=FeatureCache(tmp_path / "features"))
    takes = [_sound(engine, toy.ToyFootage(), 2 * SECOND).tobytes() for _ in range(2)]
    assert takes[0] == takes[1]


def test_a_short_cue_is_the_middle_of_its_handles(engine, toy) -> None:
    footage = toy.ToyFootage()
    _sound(engine, footage, SECOND // 5)
    assert min(footage.frame_times) == pytest.approx(-9 * 1024 / 44100)
    assert max(footage.frame_times) > 0.2


def test_every_part_of_a_long_cue_is_looked_at(engine, toy) -> None:
    footage = toy.ToyFootage()
    _sound(engine, footage, 17 * SECOND, steps=1)
    times = np.unique(footage.mask_times)
    assert times[0] == 0
    assert 17 - 0.041 <= times[-1] <= 17.02
    assert np.diff(times).max() <= 0.0401


def test_memory_does_not_grow_with_length(engine, toy) -> None:
    class Forgetful(toy.ToyFootage):
        def frames(self, times, *, late=()):
            self.frame_times, self.mask_times = [], []
            return super().frames(times, late=late)

    def peak(seconds: int) -> int:
        tracemalloc.start()
        for _ in _stream(engine, Forgetful(), seconds * SECOND, steps=2):
            pass
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(6)
    short, long = peak(10), peak(80)
    assert long < 1.1 * short
    assert long < 8 * 2**20


def test_no_more_is_computed_than_the_piece_needs(engine, toy) -> None:
    stream = _stream(engine, toy.ToyFootage(), 60 * SECOND, steps=1)
    next(stream)
    assert engine.calls["decoder"] <= 2
    stream.close()


def test_cancel_stops_before_the_next_step(engine, toy) -> None:
    with pytest.raises(Cancelled):
        _sound(engine, toy.ToyFootage(), 12 * SECOND, Watch(lambda: engine.calls["flow"] >= 8))
    assert engine.calls["flow"] == 8


def test_cancel_in_the_last_step_spares_the_decoder(engine, toy) -> None:
    with pytest.raises(Cancelled):
        _sound(engine, toy.ToyFootage(), 2 * SECOND, Watch(lambda: engine.calls["flow"] == 6))
    assert (engine.calls["flow"], engine.calls["decoder"]) == (6, 0)


def test_cancel_while_sound_is_written_spares_the_rest_of_it(engine, toy) -> None:
    stream = _stream(
        engine, toy.ToyFootage(), 12 * SECOND, Watch(lambda: engine.calls["vocoder"] > 0), steps=1
    )
    next(stream)
    with pytest.raises(Cancelled):
        next(stream)
    assert engine.calls["vocoder"] == 1


def test_cancel_stops_between_pieces(engine, toy) -> None:
    stopped = []
    stream = _stream(engine, toy.ToyFootage(), 12 * SECOND, Watch(lambda: bool(stopped)), steps=1)
    next(stream)
    stopped.append(True)
    calls = dict(engine.calls)
    with pytest.raises(Cancelled):
        next(stream)
    assert engine.calls == calls


def test_progress_covers_the_whole_cue(engine, toy) -> None:
    told: list[tuple[str, int, int]] = []
    _sound(engine, toy.ToyFootage(), 12 * SECOND, Watch(progress=lambda *step: told.append(step)))
    totals = {PICTURES: 3 * (40 + 14), SAMPLING: 3 * 3, SOUND: 12 * SECOND}
    assert {stage for stage, _, _ in told} == set(STAGES)
    for stage, total in totals.items():
        steps = [step for step in told if step[0] == stage]
        assert {step[2] for step in steps} == {total}
        assert [step[1] for step in steps] == sorted(step[1] for step in steps)
        assert steps[-1][1] == total


def _silent(real):
    def run(self, role, feeds, **how):
        outputs = real(self, role, feeds, **how)
        return {name: 0 * value for name, value in outputs.items()} if role == "vocoder" else outputs

    return run


def test_silence_where_sound_was_due_is_told(engine, toy, monkeypatch) -> None:
    monkeypatch.setattr(Sessions, "run", _silent(Sessions.run))
    with pytest.raises(UnexpectedOutput, match="silence"):
        _sound(engine, toy.ToyFootage(), SECOND)


@pytest.mark.parametrize(
    ("empty", "level", "said"), [(False, 1e-4, True), (False, 1.0, False), (True, 1e-4, False)]
)
def test_a_stem_that_hardly_sounds_is_told(
    engine, toy, monkeypatch, *, empty: bool, level: float, said: bool
) -> None:
    real, told = Sessions.run, list[str]()

    def run(self, role, feeds, **how):
        outputs = real(self, role, feeds, **how)
        if role != "vocoder":
            return outputs
        return {name: value / np.abs(value).max() * np.float32(level) for name, value in outputs.items()}

    monkeypatch.setattr(Sessions, "run", run)
    _sound(engine, toy.ToyFootage(empty=empty), SECOND, Watch(warn=told.append), steps=1)
    assert (NOTHING_HEARD in told) is said


def test_an_empty_matte_may_be_silent(engine, toy, monkeypatch) -> None:
    monkeypatch.setattr(Sessions, "run", _silent(Sessions.run))
    assert not _sound(engine, toy.ToyFootage(empty=True), SECOND).any()


@pytest.mark.parametrize(
    ("changes", "warned"), [({"empty": True}, True), ({}, False), ({"masked": False}, False)]
)
def test_a_matte_in_which_nothing_is_seen_is_told_once(engine, toy, changes, warned: bool) -> None:
    said: list[str] = []
    _sound(engine, toy.ToyFootage(**changes), 12 * SECOND, Watch(warn=said.append), steps=1)
    assert said == [NOTHING_MARKED] * warned


@pytest.mark.parametrize(("masked", "warned"), [(True, True), (False, False)])
def test_a_model_that_knows_no_mattes_says_so(toy, tmp_path, masked: bool, warned: bool) -> None:
    plain = toy.make_toy_bundle(tmp_path / "plain", builders={"sync_encoder": toy.plain_sync})
    said: list[str] = []
    footage = toy.ToyFootage(masked=masked, empty=True)
    engine = Engine.open(plain, provider="cpu", threads=1)
    _sound(engine, footage, SECOND, Watch(warn=said.append), steps=1)
    assert said == [MATTE_IGNORED] * warned


def test_what_the_sessions_remark_is_told_with_the_take_it_is_true_of(engine, toy) -> None:
    said: list[str] = []
    for true_now in (True, False):
        real, sessions = type(engine.sessions).note_run, engine.sessions

        def note_run(self, role, form, real=real, true_now=true_now):
            real(self, role, form)
            if true_now:
                self.remarks["The GPU was busy."] += 1

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(sessions), "note_run", note_run)
            _sound(engine, toy.ToyFootage(), SECOND, Watch(warn=said.append), steps=1)
    assert said == ["The GPU was busy."]


def test_an_object_outside_the_middle_is_lost_when_only_that_is_looked_at(engine, toy) -> None:
    class Wide(toy.ToyFootage):
        """The toy's picture with as much again, empty, to its right."""

        def frames(self, times, *, late=()):
            return (np.pad(frame, ((0, 0), (0, 96), (0, 0))) for frame in super().frames(times))

        def masks(self, times):
            return (np.pad(mask, ((0, 0), (0, 96))) for mask in super().masks(times))

    told: dict[str | None, list[str]] = {None: [], "squash": [], "center_crop": []}
    for resize, said in told.items():
        _sound(engine, Wide(), SECOND, Watch(warn=said.append), steps=1, resize=resize)
    assert told == {None: [], "squash": [], "center_crop": [NOTHING_MARKED]}


def test_a_stage_that_gives_no_number_is_named(engine, toy, monkeypatch) -> None:
    monkeypatch.setattr("plugin.engine.decode.denormalise", lambda x, _: x * np.float32(np.nan))
    with pytest.raises(UnexpectedOutput, match="decoder"):
        _sound(engine, toy.ToyFootage(), SECOND)


TONE = 861.328125
"""Hz of the toy's third band."""
WINDOWS = 3
SEAMS = ((3.5, 5.0), (7.0, 8.5))
"""Seconds that two of the windows of a 12 s cue share."""


def _tone(sound: np.ndarray, rate: int) -> np.ndarray:
    """Complex amplitude of the tone every 10 ms, each over 40 ms; the first at 20 ms."""
    time = np.arange(len(sound)) / rate
    turned = sound * np.exp(-2j * np.pi * TONE * time)
    window = np.hanning(rate // 25)
    smooth = np.convolve(turned, window / window.sum(), mode="valid")
    return smooth[:: rate // 100]


def _steady(monkeypatch, *, steps: float) -> list[np.ndarray]:
    """Every window decodes to a steady tone, a little louder than the one before."""
    mels: list[np.ndarray] = []

    def decode(self, x, *, watch):
        mel = np.zeros((4, 2 * x.shape[1]), np.float32)
        mel[2] = 1 + steps * len(mels)
        mels.append(mel)
        return mel

    monkeypatch.setattr(Engine, "decode", decode)
    return mels


def test_level_and_phase_pass_a_seam_unbroken(engine, toy, monkeypatch) -> None:
    mels = _steady(monkeypatch, steps=0.1)
    tone = _tone(_sound(engine, toy.ToyFootage(), 12 * SECOND, steps=1), SECOND)[10:-10]
    assert len(mels) == WINDOWS
    phase = np.unwrap(np.angle(tone))
    assert np.abs(phase - np.median(phase)).max() < 0.01
    level = 20 * np.log10(np.abs(tone))
    assert np.abs(np.diff(level)).max() < 0.05
    assert level[-1] - level[0] == pytest.approx(20 * np.log10(1.2), abs=0.05)
    assert (np.diff(level) > -0.02).all()


def test_fading_waveforms_would_be_heard(engine, toy, monkeypatch) -> None:
    """Why waveforms are not faded: alike sounds add up. The middle of an equal-power fade is 3 dB louder."""
    mels = _steady(monkeypatch, steps=0.0)
    _sound(engine, toy.ToyFootage(), 12 * SECOND, steps=1)
    one, two = (np.concatenate(list(engine.vocode([mel]))) for mel in mels[:2])
    shared = (216 - 151) * 1024
    weights = overlap_weights(shared)
    faded = np.sqrt(weights) * one[-shared:] + np.sqrt(1 - weights) * two[:shared]
    level = 20 * np.log10(np.abs(_tone(faded, 44100)))[10:-10]
    assert level.max() - level[0] == pytest.approx(3.0, abs=0.1)


def test_a_seam_cannot_be_told_from_the_rest(engine, toy) -> None:
    class Still(toy.ToyFootage):
        place = staticmethod(lambda _: 12)

    sound = np.concatenate(
        [_sound(engine, Still(), 12 * SECOND, steps=8, guidance=1.0, seed=seed) for seed in range(4)]
    )
    seconds = np.arange(len(sound)) / SECOND % 12
    seam = np.zeros(len(sound), bool)
    for start, end in SEAMS:
        seam |= (seconds >= start) & (seconds < end)
    inner = (seconds > 0.5) & (seconds < 11.5)
    change = np.abs(np.diff(sound, append=0.0))
    for values in (sound**2, change**2):
        assert values[seam].mean() == pytest.approx(values[inner & ~seam].mean(), rel=0.12)


def test_a_window_longer_than_one_agrees_with_one_window_away_from_its_edges(toy, tmp_path) -> None:
    """The same noise and pictures, once as one long window and once as three joined ones."""
    from models_onnx.manifest import WindowSpec

    sounds = []
    for train in (125, 300):
        spec = WindowSpec(min_frames=16, train_frames=train, multiple_frames=1)
        bundle = toy.make_toy_bundle(tmp_path / str(train), window=spec)
        engine = Engine.open(bundle, provider="cpu", threads=1)
        assert engine.manifest.window.train_frames == train
        sounds.append(_sound(engine, toy.ToyFootage(masked=False), 12 * SECOND, guidance=1.0))
    joined, whole = sounds
    error = np.sqrt(np.mean((joined - whole) ** 2) / np.mean(whole**2))
    assert error < 0.25
