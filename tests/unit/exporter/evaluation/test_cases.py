"""What is shown to the model for each condition, and what a row says of a sound."""

import json
from dataclasses import replace

import numpy as np
import pytest

from exporter.evaluation import cases
from exporter.evaluation.cases import Case, Plan, material, truth
from exporter.evaluation.likeness import description
from exporter.evaluation.pictures import confusion_picture, curves_picture, spectrogram_picture
from exporter.evaluation.scoring import Row, events_of, score
from exporter.likeness import Likeness
from exporter.synth.scores import SAMPLE_RATE
from exporter.synth.settings import SceneSettings

SETTINGS = SceneSettings(
    size=48,
    seconds=2.56,
    objects=(2, 2),
    classes=("wood_block", "clap", "drum"),
    silent_object=0,
    idle=0,
    offscreen=0,
    same_class=0,
    passing=0,
)
PLAN = Plan(scenes=1, few=1, worn=1, settings=SETTINGS)
SEED = cases.FIRST_SCENE


@pytest.fixture(scope="module")
def scene():
    return PLAN.scene(SEED)


@pytest.fixture(scope="module")
def likeness(scene):
    rng = np.random.default_rng(0)
    sounds = [(item.name, description(item.wet, rate=SAMPLE_RATE)) for item in scene.objects]
    noise = rng.standard_normal(SAMPLE_RATE).astype(np.float32)
    return Likeness.learn([*sounds, ("noise", description(0.1 * noise, rate=SAMPLE_RATE))])


def test_every_condition_is_there_once_per_object():
    found = list(PLAN.cases(SEED))
    assert len({one.key for one in found}) == len(found)
    conditions = {one.condition for one in found}
    assert conditions >= {cases.OWN, cases.TRUE, cases.NULL, cases.CONTRADICTED, *cases.WORN}
    assert sum(one.condition == cases.OWN for one in found) == 2
    later = list(Plan(scenes=9, few=1, worn=1, settings=SETTINGS).cases(SEED + 8))
    assert {one.condition for one in later} == {cases.OWN, cases.TRUE}


def test_other_scenes_are_asked_the_same():
    elsewhere = replace(PLAN, first=SEED + 5)
    assert list(elsewhere.seeds()) == [SEED + 5]
    asked = [[(one.condition, one.things) for one in plan.cases(plan.first)] for plan in (PLAN, elsewhere)]
    assert {condition for condition, _ in asked[0]} == {condition for condition, _ in asked[1]}
    assert {one.scene for one in elsewhere.cases(SEED + 5)} == {SEED + 5}


def test_contradicting_words_name_a_class_that_is_not_there(scene):
    case = next(one for one in PLAN.cases(SEED) if one.condition == cases.CONTRADICTED)
    assert case.named not in {item.name for item in scene.objects}


def test_what_is_shown(scene):
    own = material(PLAN, scene, Case(cases.OWN, SEED, (0,), ""))
    assert np.array_equal(own.masks, scene.mask(0))
    assert material(PLAN, scene, Case(cases.FULL, SEED, (0,), "")).masks is None
    assert not material(PLAN, scene, Case(cases.NULL, SEED, (0,), "")).masks.any()
    black = material(PLAN, scene, Case(cases.BLACKED, SEED, (0,), ""))
    assert not black.frames[scene.mask(0) == 0].any()
    assert np.array_equal(black.frames[scene.mask(0) > 0], scene.frames[scene.mask(0) > 0])
    assert np.array_equal(scene.frames, PLAN.scene(SEED).frames), "the scene itself is not touched"


@pytest.mark.parametrize("name", cases.WORN)
def test_wear_changes_something_and_keeps_shapes(name, scene):
    worn = material(PLAN, scene, Case(name, SEED, (0,), ""))
    assert worn.frames.shape == scene.frames.shape
    assert worn.masks.shape == scene.mask(0).shape
    changed = not np.array_equal(worn.frames, scene.frames), not np.array_equal(worn.masks, scene.mask(0))
    assert any(changed)


def test_the_true_stem_scores_well_and_the_other_one_badly(scene, likeness):
    case = Case(cases.TRUE, SEED, (0,), "")
    good = score(truth(scene, (0,)), rate=SAMPLE_RATE, scene=scene, case=case, likeness=likeness)
    bad = score(truth(scene, (1,)), rate=SAMPLE_RATE, scene=scene, case=case, likeness=likeness)
    assert good.counts.f1 > 0.8
    assert good.heard == good.name == scene.objects[0].name
    assert good.likeness == pytest.approx(1, abs=0.01)
    assert bad.likeness < good.likeness
    assert bad.counts.f1 < good.counts.f1
    assert bad.heard != bad.name


def test_rows_survive_json(scene, likeness):
    case = Case(cases.OWN, SEED, (0, 1), "")
    row = score(truth(scene, (0, 1)), rate=SAMPLE_RATE, scene=scene, case=case, likeness=likeness)
    assert row.kind == "blend"
    assert Row.from_json(json.loads(json.dumps(row.as_json()))) == row
    assert len(row.envelope) == 256


def test_silence_is_heard_as_nothing(scene, likeness):
    case = Case(cases.OWN, SEED, (0,), "")
    wave = np.zeros(SAMPLE_RATE, np.float32)
    row = score(wave, rate=SAMPLE_RATE, scene=scene, case=case, likeness=likeness)
    assert row.heard == ""
    assert row.counts.found == 0
    assert row.level == -120


def test_pictures_show_what_they_are_given(scene):
    right = confusion_picture([("a", "a"), ("b", "b")], ("a", "b"))
    wrong = confusion_picture([("a", "b"), ("b", "")], ("a", "b"))
    assert right.shape == wrong.shape
    assert not np.array_equal(right, wrong)
    lines = curves_picture({"loss": [(0, 1.0), (10, 0.5), (20, 0.4)]}, title="x")
    assert (lines < 250).any()
    wave = truth(scene, (0,))
    picture = spectrogram_picture({"x": (wave, SAMPLE_RATE)}, {"x": events_of(scene, (0,))})
    assert picture.shape[1] == pytest.approx(512, abs=2)
