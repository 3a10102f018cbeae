"""The pool of marked objects: the same at the same step, easier at the start, true to what is cut."""

import numpy as np
import pytest
import torch

from exporter.synth.settings import SceneSettings
from exporter.training.asking import just_one
from exporter.training.picturing import no_wear
from exporter.training.segments import SegmentPool, looked, segment_views, truth_of
from exporter.training.synthetic import CLEAR, eased
from exporter.training.vae_stage import VaeTraining
from tests.unit.exporter.training.conftest import MINI


class Noting:
    """Passes scenes on and notes how easy they were asked for."""

    def __init__(self, source):
        self.source = source
        self.labels = source.labels
        self.eases = {}

    def scene(self, index, *, ease=0.0):
        self.eases[index] = ease
        return self.source.scene(index)


@pytest.fixture
def config(make):
    return make(
        sync={"easy": 0.5, "optimisation": {"steps": 20, "batch": 4}},
        data={"pool": 5, "steps_per_scene": 1.0},
        mattes={"ramp": 1.0},
    )


def test_scenes_grow_harder_and_old_ones_go(config, squares):
    source = Noting(squares)
    pool = SegmentPool(source, config)
    for step in range(20):
        for draw in range(6):
            pool.draw(step, np.random.default_rng([step, draw]))
    eases = [source.eases[index] for index in sorted(source.eases)]
    assert eases[0] == 1
    assert eases == sorted(eases, reverse=True)
    assert eases[-1] == 0
    assert set(pool.kept) <= set(pool.window.window(19))


def test_a_draw_depends_on_its_step_alone(config, squares):
    first, second = SegmentPool(squares, config), SegmentPool(squares, config)
    for step in range(8):
        first.draw(step, np.random.default_rng(step))
    one = first.draw(9, np.random.default_rng(5))
    other = second.draw(9, np.random.default_rng(5))
    assert torch.equal(one[0].detail_frames, other[0].detail_frames)
    assert torch.equal(one[1].onset, other[1].onset)


def test_kept_objects_are_what_the_encoder_is_given_elsewhere(config, squares):
    pool = SegmentPool(squares, config)
    marked = pool.marked(pool.window.first)[0]
    scene = squares.scene(pool.window.first)
    length = MINI.synchformer.segment_frames
    wanted = segment_views(scene, just_one(scene, 0), no_wear(len(scene.frames)), np.array([4]), config)
    seen = looked(marked, slice(4, 4 + length), no_wear(length))
    for name in ("frames", "mask", "detail_frames", "detail_mask"):
        assert torch.allclose(getattr(seen, name), getattr(wanted, name), atol=0.005), name


def test_answers_are_those_of_the_cut(config, squares):
    scene = squares.scene(0)
    truth = truth_of(just_one(scene, 1), config, labels=2)
    dims = MINI.synchformer
    answers = truth.answers(np.array([0, 16]), steps=dims.steps, frames=dims.segment_frames)
    assert answers.onset[1].flatten().tolist() == pytest.approx(truth.onset[32:64].tolist())
    assert answers.label[0, 0].tolist() == [0, 1, 0]


def test_easy_scenes_have_large_still_objects_of_clear_events():
    hard = SceneSettings(objects=(1, 4), extent=(0.1, 0.32))
    easy = eased(hard, 1.0, 0.5)
    assert easy.extent == pytest.approx((0.22, 0.36))
    assert easy.objects == (1, 2)
    assert easy.shake == easy.passing == easy.occluder == 0
    assert set(easy.classes) <= CLEAR
    half = eased(hard, 0.5, 0.9)
    assert half.classes == hard.classes
    assert half.shake == pytest.approx(hard.shake / 2)
    assert eased(hard, 0.0, 0.0) is hard


def test_the_vae_begins_as_principal_components(make, squares):
    """Sounds of a few partials are nearly right before the first step; without the path they are not."""
    stage = VaeTraining(make(vae={"statistics": 24}), squares, torch.device("cpu"))
    vae = stage.network.vae
    mel = torch.cat(stage._some_mels("other", 4))
    with torch.no_grad():
        found, _ = stage._run(mel, None)
        error = float((found - mel).square().mean())
        variance = float((mel - vae.data_mean).square().mean())
    assert error < 0.35 * variance
