"""Other voices for the same events."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.synth.captions import captions_of
from exporter.synth.generating import generate
from exporter.synth.scores import SAMPLE_RATE
from exporter.synth.settings import SceneSettings
from exporter.synth.sounding import LOUDEST, levelled, other_voices, revoice, scaled

SCENE = generate(
    21,
    SceneSettings(
        size=32, objects=(2, 2), classes=("drum",), silent_object=0, idle=0, offscreen=0, passing=0
    ),
)


def test_timing_stays_sound_and_words_change() -> None:
    before = SCENE.objects[0]
    after = revoice(SCENE, 0, name="glass", seed=5)
    assert after.score == before.score
    assert after.name == "glass"
    assert after.caption in captions_of("glass")
    start = round(before.score.events[0].time * SAMPLE_RATE)
    assert not after.wet[:start].any()
    assert np.abs(after.wet[start : start + 44]).max() > 0
    assert abs(np.corrcoef(before.dry, after.dry)[0, 1]) < 0.5
    assert np.abs(after.wet).max() <= LOUDEST


def test_the_same_seed_gives_the_same_voice() -> None:
    first, again, other = (revoice(SCENE, 1, name="coin", seed=seed).dry for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_only_voices_of_the_same_kind_can_play() -> None:
    assert "violin" not in other_voices("drum")
    assert "drum" not in other_voices("drum")
    assert "fan" in other_voices("violin")
    assert other_voices("silent") == ()
    with pytest.raises(ValueError, match="drum"):
        revoice(SCENE, 0, name="violin", seed=1)


def test_levels_are_lowered_together() -> None:
    loud = tuple(scaled(item, 10.0) for item in SCENE.objects)
    lowered = levelled(loud)
    assert np.abs(sum(item.wet for item in lowered)).max() <= LOUDEST + 1e-5
    ratios = [np.abs(b.wet).max() / np.abs(a.wet).max() for a, b in zip(loud, lowered, strict=True)]
    assert ratios[0] == pytest.approx(ratios[1], rel=1e-4)
    assert lowered[0].level == pytest.approx(loud[0].level * ratios[0], rel=1e-4)
