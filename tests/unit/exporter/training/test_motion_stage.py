"""The motion path alone: it learns, checks itself, and what it delivers is part of the sync encoder."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from exporter.checkpoints import load_strictly, read_checkpoint
from exporter.errors import ExportError
from exporter.models.moving import CELLS, FIGURES, FINE, FineReader, maps_of
from exporter.models.synchformer import Synchformer
from exporter.training.asking import just_one
from exporter.training.frozen import sync_state
from exporter.training.motion_stage import CHECKED, MapPool, MotionTraining, cut
from exporter.training.picturing import no_wear
from exporter.training.scenes import CHECK_OFFSET, OFFSETS
from exporter.training.sync_stage import SyncTraining
from tests.unit.exporter.training.conftest import MOVING, descend

CPU = torch.device("cpu")
PLAIN = dict.fromkeys(("static", "hold", "late", "shift", "jitter", "edge", "blur", "boxed", "repeat"), 0.0)


@pytest.fixture
def config(make):
    return make(sync={"shrink": 1})


def test_loss_falls_on_a_fixed_batch(config, moving):
    training = MotionTraining(config, moving, CPU)
    losses = training.losses(0)
    assert set(losses) == {"loss", "onset", "energy", "swell", "label", "strike", "accent", "placed"}
    assert losses["strike"] > 0
    first, last = descend(training, rate=5e-3)
    assert last < 0.7 * first


def test_a_draw_depends_on_its_step_alone(config, moving):
    first, second = MapPool(moving, config), MapPool(moving, config)
    for step in range(6):
        first.draw(step, np.random.default_rng(step))
    one, other = (pool.draw(9, np.random.default_rng(5)) for pool in (first, second))
    for first_part, second_part in zip((*one.maps, *one.places), (*other.maps, *other.places), strict=True):
        assert torch.equal(first_part, second_part)
    assert torch.equal(one.answers.strike, other.answers.strike)
    frames = MOVING.synchformer.segment_frames
    assert one.maps.whole.shape == one.maps.detail.shape == (1, frames, FIGURES, CELLS, CELLS)
    assert one.maps.fine.shape == (1, frames, FIGURES, FINE.cells, FINE.cells)
    where, onset = one.places
    assert where.shape[1:] == (frames, FineReader.SIDE**2)
    assert onset.shape == (len(where), 2 * frames)


def test_old_scenes_go_and_none_is_another_stages(make, moving):
    pool = MapPool(moving, make(sync={"shrink": 1}, data={"pool": 2, "steps_per_scene": 1.0}))
    for step in range(5):
        pool.draw(step, np.random.default_rng(step))
    window = pool.objects.window.window(4)
    assert window.start >= OFFSETS["motion"]
    assert set(pool.kept) <= set(window)


def test_what_is_drawn_are_maps_of_the_pictures_and_their_answers(make, moving):
    """Of unworn pictures: the maps and the onsets of one of the two squares, at one of the times."""
    nothing = {"full": 0.0, "several": 0.0, "null": 0.0}
    looks = {"colour": 0.0, "grey": 0.0, "flip": 0.0}
    config = make(sync={"shrink": 1}, motion=nothing, mattes=PLAIN | looks, data={"pool": 1})
    pool = MapPool(moving, config)
    rng = np.random.default_rng(3)
    sample = pool.draw(0, rng)
    answers = sample.answers
    (number,) = pool.kept
    training = MotionTraining(config, moving, CPU)
    scene = moving.scene(number)
    label = int(answers.label[0, 0].argmax())
    seen = training._segments(scene, label, no_wear(len(scene.frames)))
    clip = [part.flatten(0, 1)[None] for part in seen]
    known = maps_of(*clip)
    starts = range(0, known.whole.shape[1] - 15, 2)
    ways = (sample.maps, [_turned(one) for one in sample.maps])
    apart = [
        min(
            max(float((cut(one, k, 16) - other).abs().max()) for one, other in zip(known, way, strict=True))
            for way in ways
        )
        for k in starts
    ]
    assert min(apart) < 0.2  # kept as bytes and halves
    start = starts[int(np.argmin(apart))]
    times = [time * 25 - start for time in just_one(scene, label).onsets]
    found = answers.onset.flatten()
    for time in times:
        if 0.5 < time < 15.5:
            assert found[int(time * 2)] > 0.5


def _turned(maps):
    turned = maps.flip(-1)
    turned[:, :, 3] *= -1
    return turned


def test_held_out_scenes_are_asked_with_three_kinds_of_mattes(config, moving):
    figures = MotionTraining(config, moving, CPU).check()
    asked = {f"{kind} {what}" for kind in CHECKED for what in ("onset F1", "class", "energy")}
    assert set(figures) == asked
    assert all(np.isfinite(one) and -1 <= one <= 1 for one in figures.values())
    assert set(moving.drawn) == {CHECK_OFFSET, CHECK_OFFSET + 1}


def test_energies_are_held_against_sounds_without_events(config, moving):
    """A hum has no onsets: how its energy goes along is measured instead."""
    training = MotionTraining(config, moving, CPU)
    scene = moving.scene(0)
    with torch.no_grad():
        _, energy, label = training.answer(scene, 0, no_wear(len(scene.frames)))
    assert energy.shape == (MOVING.lengths(64, batch=1)["sync_frames"] * 4,)
    assert label in {0, 1}


def test_the_delivered_path_is_part_of_the_sync_encoder(config, moving, tmp_path):
    SyncTraining(config, moving, CPU).deliver(tmp_path / "sync")
    with pytest.raises(ExportError, match="The stage motion is not finished"):
        sync_state(MOVING, tmp_path)
    training = MotionTraining(config, moving, CPU)
    training.deliver(tmp_path / "motion")
    delivered = read_checkpoint(tmp_path / "motion" / "motion.safetensors")
    assert all(key.startswith("motion.") for key in delivered)
    heads = read_checkpoint(tmp_path / "motion" / "heads.safetensors")
    assert {key.split(".")[0] for key in heads} == {"onset", "energy", "strike", "label", "place"}
    state = sync_state(MOVING, tmp_path)
    assert state.keys() > delivered.keys()
    network = Synchformer(MOVING.synchformer)
    load_strictly(network, state, name="sync")
    scene = moving.scene(1)
    seen = training._segments(scene, 0, no_wear(len(scene.frames)))
    with torch.no_grad():
        found = network(*seen)[..., MOVING.synchformer.width :]
        assert torch.allclose(found, training.network.path(*seen), atol=1e-5)
