from __future__ import annotations

import os
import pickle

import numpy as np
import pytest

from plugin.engine.cache import FeatureCache, feature_key


@pytest.fixture
def cache(tmp_path):
    return FeatureCache(tmp_path / "deep" / "cache", limit=100_000)


def _arrays(value: float = 1.0, size: int = 100) -> dict[str, np.ndarray]:
    return {"clip": np.full(size, value, np.float32), "empty": np.array(False)}


def test_what_was_stored_comes_back_exactly(cache) -> None:
    cache.store("a", _arrays(1 / 3))
    known = cache.load("a")
    assert known is not None
    assert np.array_equal(known["clip"], _arrays(1 / 3)["clip"])
    assert known["clip"].dtype == np.float32
    assert not known["empty"]


def test_what_was_not_stored_is_not_there(cache) -> None:
    assert cache.load("a") is None


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"rubbish" * 100, pickle.dumps(os.getcwd)])
def test_a_damaged_entry_is_not_there(cache, content: bytes) -> None:
    cache.store("a", _arrays())
    (cache.folder / "a.npz").write_bytes(content)
    assert cache.load("a") is None
    cache.store("a", _arrays())
    assert cache.load("a") is not None


def test_a_truncated_entry_is_not_there(cache) -> None:
    cache.store("a", _arrays())
    path = cache.folder / "a.npz"
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        assert cache.load("a") is None


def test_nothing_is_unpickled(cache) -> None:
    cache.folder.mkdir(parents=True)
    with (cache.folder / "a.npz").open("wb") as stream:
        np.savez(stream, clip=np.array([{"an": "object"}], dtype=object))
    assert cache.load("a") is None


def test_the_least_recently_used_leave(cache) -> None:
    for index in range(4):
        cache.store(str(index), _arrays(size=6000))
        os.utime(cache.folder / f"{index}.npz", (index, index))
    assert cache.load("0") is not None
    cache.store("4", _arrays(size=6000))
    assert [key for key in "01234" if cache.load(key) is not None] == ["0", "2", "3", "4"]


def test_one_entry_over_the_limit_is_not_kept(cache) -> None:
    cache.store("a", _arrays(size=60_000))
    assert cache.load("a") is None


def test_a_folder_that_cannot_be_made_stores_nothing(tmp_path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way", "utf-8")
    cache = FeatureCache(blocked / "cache")
    cache.store("a", _arrays())
    assert cache.load("a") is None


def test_a_write_that_fails_leaves_nothing_behind(cache, monkeypatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    cache.store("a", _arrays())
    assert list(cache.folder.iterdir()) == []


def test_clearing(cache) -> None:
    cache.store("a", _arrays())
    cache.clear()
    assert cache.load("a") is None


def test_keys_differ_in_every_part() -> None:
    base = {"kind": "window", "footage": "f", "start": "1/2", "frames": 125}
    keys = {feature_key(**base)}
    keys |= {feature_key(**{**base, part: "other"}) for part in base}
    assert len(keys) == 5
    assert feature_key(**base) == feature_key(**dict(reversed(base.items())))
