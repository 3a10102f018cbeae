"""Masks on disk, and pixels that belong to one object only."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from plugin.masks.overlapping import without_overlap, without_strays
from plugin.masks.results import KeptMask, MaskStore, result_key


def soft(seed: int = 1, *, height: int = 30, width: int = 50) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    mask[4:20, 7:33] = np.random.default_rng(seed).integers(0, 256, (16, 26))
    return mask


@pytest.mark.parametrize("mask", [soft(), np.zeros((30, 50), np.uint8), np.full((1, 1), 9, np.uint8)])
def test_a_kept_mask_is_the_same(tmp_path: Path, mask: np.ndarray) -> None:
    store = MaskStore(tmp_path / "masks")
    assert store.load("key", 7) is None
    store.store("key", 7, KeptMask(mask, 0.123456789))
    kept = store.load("key", 7)
    assert kept is not None
    assert np.array_equal(kept.mask, mask)
    assert kept.confidence == store.confidence("key", 7) == 0.123456789
    assert store.frames("key") == {7}
    assert store.frames("other") == frozenset()


@pytest.mark.parametrize("at", [0, 3, 9, 20, 41, 60, -1])
def test_a_changed_byte_is_noticed(tmp_path: Path, at: int) -> None:
    store = MaskStore(tmp_path)
    store.store("key", 7, KeptMask(soft(), 0.5))
    (path,) = (tmp_path / "key").iterdir()
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(data)
    assert store.load("key", 7) is None


@pytest.mark.parametrize("size", [0, 10, 43, 60])
def test_a_shortened_file_is_none(tmp_path: Path, size: int) -> None:
    store = MaskStore(tmp_path)
    store.store("key", 7, KeptMask(soft(), 0.5))
    (path,) = (tmp_path / "key").iterdir()
    path.write_bytes(path.read_bytes()[:size])
    assert store.load("key", 7) is None


def test_numbers_are_kept(tmp_path: Path) -> None:
    store = MaskStore(tmp_path)
    assert store.numbers("cuts") is None
    store.store_numbers("cuts", (3, 9))
    assert store.numbers("cuts") == (3, 9)
    for text in ("[1, true]", "{}", "[1", '["1"]'):
        (tmp_path / "cuts" / "numbers.json").write_text(text)
        assert store.numbers("cuts") is None


def test_the_least_recently_used_leave_first_and_never_those_in_use(tmp_path: Path) -> None:
    store = MaskStore(tmp_path)
    for age, key in enumerate(("old", "used", "new")):
        store.store(key, 1, KeptMask(soft(age), 0.5))
        os.utime(tmp_path / key, (age, age))
    size = sum(path.stat().st_size for path in (tmp_path / "new").iterdir())
    MaskStore(tmp_path, limit=2 * size + size // 2).prune(keeping=frozenset({"old"}))
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "home") == ["new", "old"]
    MaskStore(tmp_path / "nowhere", limit=0).prune()


def test_keys_follow_from_what_decides() -> None:
    assert result_key(a=1, b=[2.0]) == result_key(b=[2.0], a=1) != result_key(a=1, b=[3.0])


def test_of_two_claims_the_surer_and_whiter_wins_and_edges_stay_soft() -> None:
    one, other = np.array([[255, 200, 100, 90]], np.uint8), np.array([[255, 180, 250, 90]], np.uint8)
    kept = without_overlap((KeptMask(one, 0.9), KeptMask(other, 0.8)))
    assert kept[0].tolist() == [[255, 200, 5, 90]]
    assert kept[1].tolist() == [[0, 55, 250, 90]]
    assert not np.logical_and(kept[0] >= 128, kept[1] >= 128).any()
    turned = without_overlap((KeptMask(one, 0.1), KeptMask(other, 0.8)))
    assert turned[0].tolist() == [[0, 75, 5, 90]]
    assert np.array_equal(without_overlap((KeptMask(one, 0.0),))[0], one)


def test_three_objects_share_nothing() -> None:
    masks = [KeptMask(soft(seed), 0.5 + seed / 10) for seed in range(3)]
    kept = np.stack(without_overlap(masks)).astype(int)
    assert ((kept >= 128).sum(axis=0) <= 1).all()


def test_strays_are_small_pieces_beside_a_large_one() -> None:
    mask = np.zeros((40, 60), np.uint8)
    mask[5:25, 5:25] = 255
    mask[30:38, 40:48] = 200
    assert without_strays(mask) is mask
    mask[1, 50] = 60
    clean = without_strays(mask)
    assert (clean[1, 50], clean[33, 44], clean[10, 10]) == (0, 200, 255)
    assert not without_strays(np.zeros((4, 4), np.uint8)).any()
