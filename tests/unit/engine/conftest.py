"""The toy bundle, its footage and an engine on it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from plugin.engine.cache import FeatureCache
from plugin.engine.engine import Engine


def _load() -> ModuleType:
    name = "toy_bundle"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("toy_bundle.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture
def toy() -> ModuleType:
    return _load()


@pytest.fixture
def bundle(toy, tmp_path):
    return toy.make_toy_bundle(tmp_path / "toy")


@pytest.fixture
def engine(bundle, tmp_path):
    return Engine.open(bundle, provider="cpu", threads=1, cache=FeatureCache(tmp_path / "features"))
