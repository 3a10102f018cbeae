from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from plugin.engine.cache import FeatureCache
from plugin.engine.conditions import Batching, upsample_index
from plugin.engine.engine import Engine
from plugin.engine.flow import noise_rows
from plugin.engine.lengths import window_lengths
from plugin.engine.watch import PICTURES, SAMPLING, Watch
from plugin.errors import BundleCorrupt, Cancelled

FRAMES = 50
ENCODERS = ("image_encoder", "sync_encoder", "text_encoder")


def _features(engine, footage, start: Fraction = Fraction(0), **kwargs):
    return engine.features(footage, start=start, frames=FRAMES, **kwargs)


def _conditions(engine, footage, *, guidance: float = 3.0, negative: str | None = "trumpet"):
    return engine.conditions(
        _features(engine, footage),
        frames=FRAMES,
        prompt="violin",
        negative_prompt=negative,
        guidance=guidance,
    )


def _noise(engine) -> np.ndarray:
    return noise_rows(1, channels=4)(window_lengths(FRAMES, engine.manifest).latents)[None]


def test_lengths_follow_the_specification(bundle) -> None:
    table = {125: (40, 112, 216), 124: (39, 112, 214), 200: (64, 192, 345), 16: (5, 8, 28)}
    for frames, (clip, sync, latents) in table.items():
        lengths = window_lengths(frames, bundle.manifest)
        assert (lengths.clip_frames, lengths.sync_features, lengths.latents) == (clip, sync, latents)


def test_sync_features_are_spread_over_latents() -> None:
    index = upsample_index(8, 28)
    assert index.tolist() == [int((i + 0.5) * 8 / 28) for i in range(28)]


def test_a_window_is_seen_by_both_encoders(engine, toy) -> None:
    features = _features(engine, toy.ToyFootage())
    assert features.clip.shape == (1, 16, 3)
    assert features.sync.shape == (1, 40, 4)
    assert not features.empty
    assert _features(engine, toy.ToyFootage(fingerprint="e", empty=True)).empty


def test_a_second_look_calls_no_encoder(engine, toy, bundle, tmp_path) -> None:
    first = _features(engine, toy.ToyFootage())
    engine.text("violin")
    again = Engine.open(bundle, provider="cpu", threads=1, cache=FeatureCache(tmp_path / "features"))
    footage = toy.ToyFootage()
    second = _features(again, footage)
    again.text("violin")
    assert np.array_equal(first.clip, second.clip)
    assert np.array_equal(first.sync, second.sync)
    assert footage.frame_times == []
    assert {again.calls[role] + again.loads[role] for role in ENCODERS} == {0}


def test_graphs_are_loaded_while_pictures_are_read(engine, toy) -> None:
    footage = toy.ToyFootage()
    frames = footage.frames

    def read(times, *, late=()):
        ends = time.monotonic() + 10
        while engine.sessions.loaded != set(engine.manifest.graphs) and time.monotonic() < ends:
            time.sleep(0.01)
        assert engine.sessions.loaded == set(engine.manifest.graphs)
        return frames(times, late=late)

    footage.frames = read
    _features(engine, footage)
    assert set(engine.loads.values()) == {1}


def test_other_footage_range_or_bundle_is_looked_at_anew(engine, toy, bundle, tmp_path) -> None:
    _features(engine, toy.ToyFootage())
    seen = engine.calls["sync_encoder"]
    for footage, start in [(toy.ToyFootage(fingerprint="b"), 0), (toy.ToyFootage(), Fraction(1, 3))]:
        _features(engine, footage, start=Fraction(start))
        assert engine.calls["sync_encoder"] > seen
        seen = engine.calls["sync_encoder"]
    other = toy.make_toy_bundle(tmp_path / "other", version="2")
    engine = Engine.open(other, provider="cpu", cache=FeatureCache(tmp_path / "features"))
    _features(engine, toy.ToyFootage())
    assert engine.calls["sync_encoder"] > 0


def test_another_object_of_the_shot_shares_its_pictures(engine, toy) -> None:
    one, other, elsewhere, alone = (
        toy.ToyFootage(fingerprint=name, empty=name == "other")
        for name in ("one", "other", "elsewhere", "alone")
    )
    one.frames_fingerprint = other.frames_fingerprint = "shot"
    elsewhere.frames_fingerprint, alone.frames_fingerprint = "another shot", ""
    first = _features(engine, one)
    calls = dict(engine.calls)
    second = _features(engine, other)
    assert engine.calls["image_encoder"] == calls["image_encoder"]
    assert engine.calls["sync_encoder"] == 2 * calls["sync_encoder"]
    assert np.array_equal(first.clip, second.clip)
    assert not np.array_equal(first.sync, second.sync)
    for times, footage in enumerate((elsewhere, alone), start=2):
        assert np.array_equal(_features(engine, footage).clip, first.clip)
        assert engine.calls["image_encoder"] == times * calls["image_encoder"]


def test_a_window_sees_only_the_pictures_that_the_one_before_did_not(toy, bundle) -> None:
    engine = Engine.open(bundle, provider="cpu", threads=1)
    footage, start = toy.ToyFootage(), Fraction(129, 128)
    _features(engine, footage)
    footage.frame_times.clear()
    shared = engine.features(footage, start=start, frames=FRAMES, pictures=Fraction(1))
    asked = {time for time in footage.frame_times if time * 8 == round(time * 8)}
    assert asked == {2 + index / 8 for index in range(8)}
    alone = Engine.open(bundle, provider="cpu", threads=1).features(
        toy.ToyFootage(), start=start, frames=FRAMES, pictures=Fraction(1)
    )
    assert np.array_equal(shared.clip, alone.clip)
    assert np.array_equal(shared.sync, alone.sync)


@pytest.mark.parametrize("fault", ["other", "nameless", "damaged"])
def test_pictures_of_other_footage_are_seen_anew(toy, bundle, fault: str) -> None:
    engine = Engine.open(bundle, provider="cpu", threads=1)
    first = toy.ToyFootage(fingerprint="" if fault == "nameless" else "a")
    first.damaged = fault == "damaged"
    _features(engine, first)
    calls = engine.calls["image_encoder"]
    second = toy.ToyFootage(fingerprint={"other": "b", "nameless": "", "damaged": "a"}[fault])
    _features(engine, second, start=Fraction(1))
    assert engine.calls["image_encoder"] == 2 * calls


def test_what_damaged_pictures_gave_is_not_shared(engine, toy) -> None:
    damaged, whole = toy.ToyFootage(fingerprint="a"), toy.ToyFootage(fingerprint="b")
    damaged.frames_fingerprint = whole.frames_fingerprint = "shot"
    damaged.damaged = True
    _features(engine, damaged)
    calls = engine.calls["image_encoder"]
    _features(engine, whole)
    assert engine.calls["image_encoder"] == 2 * calls


def test_a_window_of_another_length_is_looked_at_anew(engine, toy) -> None:
    short, long = (engine.features(toy.ToyFootage(), start=Fraction(0), frames=n) for n in (32, 50))
    assert (short.sync.shape, long.sync.shape) == ((1, 24, 4), (1, 40, 4))


def test_another_way_of_resizing_is_looked_at_anew(engine, toy) -> None:
    wide = toy.ToyFootage()
    as_bundle, squashed, cropped = (
        _features(engine, wide, resize=r) for r in (None, "squash", "center_crop")
    )
    assert engine.calls["image_encoder"] == 2 * 4
    assert np.array_equal(as_bundle.sync, squashed.sync)
    assert not np.allclose(squashed.sync, cropped.sync)
    assert np.array_equal(squashed.clip, cropped.clip)


def test_another_onnxruntime_is_asked_anew(engine, toy, monkeypatch) -> None:
    for version in ("1.30.0", "1.31.0"):
        monkeypatch.setattr("plugin.engine.engine.runtime_version", lambda version=version: version)
        _features(engine, toy.ToyFootage())
    assert engine.calls["image_encoder"] == 2 * 4


def test_a_model_without_masks_is_given_the_whole_frame_only(toy, tmp_path) -> None:
    plain = toy.make_toy_bundle(tmp_path / "plain", builders={"sync_encoder": toy.plain_sync})
    engine = Engine.open(plain, provider="cpu", threads=1)
    seen = _features(engine, toy.ToyFootage(fingerprint=""))
    unmasked = _features(engine, toy.ToyFootage(fingerprint="", masked=False))
    assert seen.sync.shape == (1, 40, 4)
    assert np.ptp(seen.sync) > 0
    assert np.array_equal(seen.sync, unmasked.sync)


def test_footage_without_a_fingerprint_is_never_cached(engine, toy) -> None:
    for _ in range(2):
        _features(engine, toy.ToyFootage(fingerprint=""))
    assert engine.calls["image_encoder"] == 2 * 4


def test_what_is_seen_of_damaged_footage_is_not_kept(engine, toy) -> None:
    for _ in range(2):
        footage = toy.ToyFootage()
        footage.damaged = True
        _features(engine, footage)
    assert engine.calls["image_encoder"] == 2 * 4


def test_without_a_cache_everything_is_looked_at(bundle, toy) -> None:
    engine = Engine.open(bundle, provider="cpu")
    for _ in range(2):
        _features(engine, toy.ToyFootage())
    assert engine.calls["image_encoder"] == 2 * 4


def test_a_damaged_cache_entry_is_made_again(engine, toy, tmp_path) -> None:
    first = _features(engine, toy.ToyFootage())
    for path in (tmp_path / "features").iterdir():
        path.write_bytes(b"rubbish")
    assert np.array_equal(_features(engine, toy.ToyFootage()).sync, first.sync)


def test_words_are_encoded_once(engine) -> None:
    for prompt in ("violin", " VIOLIN ", "violin"):
        engine.text(prompt)
    assert engine.calls["text_encoder"] == 1


def test_the_order_of_words_counts(engine) -> None:
    assert not np.array_equal(engine.text("violin trumpet"), engine.text("trumpet violin"))


def test_words_of_long_ago_leave_memory(bundle) -> None:
    engine = Engine.open(bundle, provider="cpu", threads=1)
    for prompt in ("violin", "trumpet", "violin", "drum"):
        engine.text(prompt)
    assert engine.calls["text_encoder"] == 3
    for length in range(1, 6):
        engine.text(" ".join(["violin"] * length))
    for start in ("trumpet violin", "trumpet trumpet", "violin trumpet", "violin trumpet violin"):
        engine.text(start)
    assert len(engine._words) == 8


def test_guidance_makes_the_second_branch_only_when_needed(engine, toy) -> None:
    assert _conditions(engine, toy.ToyFootage(), guidance=1.0).unconditional is None
    assert engine.calls["conditions"] == 1
    conditions = _conditions(engine, toy.ToyFootage(), guidance=3.0)
    assert conditions.unconditional is not None
    assert not conditions.unconditional["sync_condition"].any()


def test_a_sync_encoder_of_windows_gets_all_segments_in_one_call(engine, toy, tmp_path) -> None:
    builders = {"sync_encoder": toy.sync_of_windows}
    whole = Engine.open(toy.make_toy_bundle(tmp_path / "whole", builders=builders), provider="cpu")
    seen, alone = (_features(one, toy.ToyFootage()) for one in (whole, engine))
    assert whole.calls["sync_encoder"] == 1 < engine.calls["sync_encoder"]
    assert np.allclose(seen.sync, alone.sync, atol=1e-6)


def test_a_graph_that_knows_negative_words_gets_them_without_guidance(engine, toy, tmp_path) -> None:
    builders = {"conditions": toy.conditions_with_negatives}
    hearing = Engine.open(toy.make_toy_bundle(tmp_path / "hearing", builders=builders), provider="cpu")
    assert hearing.manifest.hears_negative_words
    assert not engine.manifest.hears_negative_words

    def words(one, negative, guidance=1.0):
        made = _conditions(one, toy.ToyFootage(), negative=negative, guidance=guidance)
        return made.conditional["text_condition"], made.unconditional

    plain, other = words(engine, "trumpet")
    against, _ = words(hearing, "trumpet")
    assert other is None
    assert np.array_equal(against, plain - hearing.text("trumpet"))
    assert np.array_equal(words(hearing, None)[0], plain)
    guided, other = words(hearing, "trumpet", guidance=3.0)
    assert np.array_equal(guided, against)
    assert np.array_equal(other["text_condition"], hearing.text("trumpet"))


def test_the_negative_prompt_or_null_text_is_the_second_branchs_text(engine, toy) -> None:
    spoken = _conditions(engine, toy.ToyFootage(), negative="trumpet").unconditional
    empty = _conditions(engine, toy.ToyFootage(), negative="").unconditional
    null = _conditions(engine, toy.ToyFootage(), negative=None).unconditional
    assert np.array_equal(spoken["text_condition"], engine.text("trumpet"))
    assert np.array_equal(empty["text_condition"], engine.text(""))
    assert not null["text_condition"].any()


def test_both_branches_in_one_call_give_the_same(engine, toy) -> None:
    conditions, x0 = _conditions(engine, toy.ToyFootage()), _noise(engine)
    results = []
    for together in (False, True):
        engine.batching = Batching(images=4, segments=2, guidance=together)
        before = engine.calls["flow"]
        results.append(engine.sample(conditions, x0, steps=3, guidance=3.0))
        assert engine.calls["flow"] - before == (3 if together else 6)
    assert np.allclose(*results, atol=1e-6)


def test_no_guidance_is_one_call_a_step(engine, toy) -> None:
    conditions = _conditions(engine, toy.ToyFootage(), guidance=1.0)
    engine.sample(conditions, _noise(engine), steps=5, guidance=1.0)
    assert engine.calls["flow"] == 5


def test_cancel_is_looked_at_before_every_step(engine, toy) -> None:
    conditions, asked = _conditions(engine, toy.ToyFootage()), []

    def cancel() -> bool:
        asked.append(1)
        return len(asked) == 3

    with pytest.raises(Cancelled):
        engine.sample(conditions, _noise(engine), steps=9, guidance=1.0, watch=Watch(cancel))
    assert engine.calls["flow"] == 2


def test_cancel_is_looked_at_between_encoder_batches(engine, toy) -> None:
    with pytest.raises(Cancelled):
        _features(engine, toy.ToyFootage(), watch=Watch(lambda: engine.calls["sync_encoder"] == 1))
    assert engine.calls["sync_encoder"] == 1


def test_progress_grows_to_its_total(engine, toy) -> None:
    told: list[tuple[str, int, int]] = []
    watch = Watch(progress=lambda *step: told.append(step))
    _features(engine, toy.ToyFootage(), watch=watch)
    conditions = _conditions(engine, toy.ToyFootage())
    engine.sample(conditions, _noise(engine), steps=3, guidance=3.0, watch=watch)
    pictures = [step for step in told if step[0] == PICTURES]
    assert pictures[-1][1:] == (21, 21)
    assert pictures == sorted(pictures)
    assert [step for step in told if step[0] == SAMPLING] == [(SAMPLING, k, 3) for k in range(4)]


def test_null_features_that_are_none_are_told(bundle, monkeypatch, tmp_path) -> None:
    rubbish = tmp_path / "null.npz"
    rubbish.write_bytes(b"rubbish")
    real = type(bundle).checked_path
    monkeypatch.setattr(type(bundle), "checked_path", lambda b, n: rubbish if n == "null.npz" else real(b, n))
    with pytest.raises(BundleCorrupt, match=r"null\.npz"):
        Engine.open(bundle, provider="cpu")


def test_dropping_gives_the_memory_back(engine, toy) -> None:
    _features(engine, toy.ToyFootage())
    engine.drop(*ENCODERS)
    assert engine.sessions.loaded.isdisjoint(ENCODERS)
    engine.drop()
    assert engine.sessions.loaded == frozenset()
    assert (engine.provider, engine.manifest.id) == ("cpu", "toy")


PUBLISHED = {
    "text_encoder": 1412,
    "image_encoder": 2531,
    "sync_encoder": 834,
    "conditions": 70,
    "flow": 966,
    "decoder": 705,
    "vocoder": 951,
}
"""Megabytes of the published size's graphs in float32, loaded."""


@pytest.fixture
def large(toy, bundle, tmp_path, monkeypatch) -> Callable[..., dict[str, int]]:
    """Takes of the toy bundle whose graphs count as if they were of the published size; their loads."""
    sizes = {f"{role}.onnx": 10**6 * size for role, size in PUBLISHED.items()}
    monkeypatch.setattr("plugin.engine.sessions._loaded_bytes", lambda _, file: sizes[file])
    monkeypatch.setattr("plugin.engine.sessions.physical_memory", lambda: 16 * 2**30)
    engine = Engine.open(bundle, provider="cpu", threads=1, cache=FeatureCache(tmp_path / "features"))

    def take(*, prompt: str = "violin", shown: str = "one") -> dict[str, int]:
        before = Counter(engine.loads)
        footage = toy.ToyFootage(fingerprint=shown)
        footage.frames_fingerprint = "shot"
        conditions = engine.conditions(
            _features(engine, footage), frames=FRAMES, prompt=prompt, negative_prompt="", guidance=3.0
        )
        x = engine.sample(conditions, _noise(engine), steps=2, guidance=3.0)
        list(engine.vocode([engine.decode(x)]))
        assert not engine.sessions.loaded & set(ENCODERS)
        return dict(Counter(engine.loads) - before)

    return take


def test_a_first_take_loads_every_graph_once(large) -> None:
    assert large() == dict.fromkeys(PUBLISHED, 1)


def test_a_new_seed_loads_nothing(large) -> None:
    large()
    assert large() == {}


def test_another_prompt_loads_the_text_tower_and_what_is_quick(large) -> None:
    large()
    wanted = {"text_encoder": 1, "decoder": 1}
    assert [large(prompt=prompt) for prompt in ("trumpet", "not a violin", "trumpet")] == [wanted, wanted, {}]


def test_another_object_of_the_shot_loads_the_sync_encoder_and_all_that_follows_but_the_vocoder(
    large,
) -> None:
    large()
    wanted = dict.fromkeys(("sync_encoder", "conditions", "flow", "decoder"), 1)
    assert [large(shown=shown) for shown in ("two", "three", "three")] == [wanted, wanted, {}]
