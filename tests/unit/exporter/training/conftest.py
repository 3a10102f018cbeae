"""A model of golden sizes, and scenes so simple that their truth is plain: a square that blinks and beeps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from exporter import sizes
from exporter.models.vocos import GOLDEN_VOCOS
from exporter.models.voices import BankDims
from exporter.sizes import GOLDEN
from exporter.training.config import make_config
from exporter.training.scenes import Scene, Sound, Thing

MINI = replace(
    GOLDEN, name="mini", vae=replace(GOLDEN.vae, straight=True), vocoder=GOLDEN_VOCOS, multiple_frames=8
)
MOVING = replace(
    MINI,
    synchformer=replace(MINI.synchformer, image_size=64, patch=16, segment_step=16, motion=8),
    flow=replace(MINI.flow, sync_width=14, bank=BankDims(classes=4, kept=3, voices=2, positions=12)),
    crop_min=16,
)
"""The same with a motion path, for pictures of 64 pixels, and a bank of voices."""
NAMES = ("low", "high")
PHRASES = (("a low beep", "low"), ("a high beep", "high"))
SMALL_STEP = {"steps": 4, "batch": 4, "warm_up": 1}


class BlinkingSquares:
    """Two squares per scene, left and right, one of each class; each beeps when it flashes.

    Args:
        scale: pictures are so many times larger.
        humming: classes whose voices sound throughout.
    """

    labels = NAMES

    def __init__(self, *, scale=1, humming=()) -> None:
        self.scale, self.humming = scale, humming
        self.drawn: list[int] = []

    def scene(self, index, *, ease=0.0):
        self.drawn.append(index)
        rng = np.random.default_rng(index)
        side, count = MINI.synchformer.image_size, MINI.train_frames
        frames = rng.integers(60, 90, (count, side, side, 3)).astype(np.uint8)
        things = []
        for label in range(2):
            masks = np.zeros((count, side, side), np.uint8)
            left = 1 + 8 * label
            masks[:, 5:11, left : left + 6] = 255
            onsets = tuple(
                sorted(float(k) / 25 for k in rng.choice(np.arange(2, count - 4, 4), 4, replace=False))
            )
            for time in onsets:
                first = round(time * 25)
                frames[first : first + 2, 5:11, left : left + 6] = (255, 255 * label, 0)
            gains = tuple(rng.uniform(0.1, 1, len(onsets)).round(3).tolist())
            masks = enlarged(masks, self.scale)
            things.append(Thing(label, masks, beeps(onsets, label), onsets, PHRASES[label], gains))
        return Scene(enlarged(frames, self.scale), tuple(things))

    def sounds(self, index):
        return tuple(Sound(one.label, one.stem, one.captions) for one in self.scene(index).things)

    def revoiced(self, index, *, thing, seed):
        item = self.scene(index).things[thing]
        return Sound(1 - item.label, beeps(item.onsets, 1 - item.label), PHRASES[1 - item.label])

    def steady(self, label):
        return label in self.humming

    def example(self, label, seed):
        onsets = np.random.default_rng(seed).uniform(0.2, 2.0, 3)
        return self.voice(label, seed, efforts=(1.0,) * 2, seconds=1.28, onset=float(onsets[0] / 2))

    def voice(self, label, seed, *, efforts, seconds, onset):
        """A beep or a hum whose pitch goes with the seed."""
        t = np.arange(round(seconds * MINI.sample_rate)) / MINI.sample_rate
        pitch = (90, 310)[label] * (1 + 0.03 * (seed % 12))
        one = np.sin(2 * np.pi * pitch * t)
        if not self.steady(label):
            one = one * (t >= onset) * np.exp(-np.maximum(t - onset, 0) / 0.1)
        return np.concatenate([0.3 * effort * one for effort in efforts]).astype(np.float32)


def enlarged(pictures, scale):
    """[T, S, S, ...] with every pixel `scale` times as wide and high."""
    return pictures.repeat(scale, 1).repeat(scale, 2)


def beeps(onsets, label):
    rate = MINI.sample_rate
    t = np.arange(MINI.train_frames * rate // 25) / rate
    wave = np.zeros(len(t))
    for time in onsets:
        wave += (
            (t >= time) * np.exp(-np.maximum(t - time, 0) / 0.1) * np.sin(2 * np.pi * (90, 310)[label] * t)
        )
    return (0.3 * wave).astype(np.float32)


@pytest.fixture(autouse=True)
def _mini(monkeypatch):
    monkeypatch.setitem(sizes.SIZES, "mini", MINI)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def squares():
    return BlinkingSquares()


@pytest.fixture
def moving(monkeypatch):
    """Scenes that a motion path can read, and the mini model with one."""
    monkeypatch.setitem(sizes.SIZES, "mini", MOVING)
    return BlinkingSquares(scale=4)


@pytest.fixture
def make():
    """A configuration of the mini model; keyword arguments are tables."""
    return mini_config


def mini_config(**tables):
    optimised = {
        name: {"optimisation": dict(SMALL_STEP)}
        for name in ("sync", "motion", "towers", "vae", "vocoder", "flow", "finetune")
    }
    content = {
        "sizes": "mini",
        "running": {
            "checkpoint_seconds": 1e9,
            "log_every": 1,
            "check_every": 100,
            "device": "cpu",
            "plots": False,
        },
        "data": {"check_scenes": 2, "pool": 4},
        **optimised,
    }
    content["vae"] |= {"frames": 32, "statistics": 6}
    content["vocoder"] |= {"frames": 24}
    content["features"] = {"scenes": 4, "shard": 2}
    for name, table in tables.items():
        content[name] = _joined(content.get(name, {}), table)
    return make_config(content, name="test")


def _joined(first, second):
    both = dict(first)
    for key, value in second.items():
        both[key] = _joined(both.get(key, {}), value) if isinstance(value, dict) else value
    return both


def descend(stage, *, rate, steps=25):
    """First and last loss of one fixed batch."""
    optimiser = torch.optim.AdamW(list(stage.trained().values()), lr=rate, weight_decay=0)
    losses = []
    for _ in range(steps):
        optimiser.zero_grad()
        loss = stage.losses(0)["loss"]
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    return losses[0], losses[-1]
