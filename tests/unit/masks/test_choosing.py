"""Which makers a word means, on a machine without mask bundles and on one with some."""

from __future__ import annotations

from pathlib import Path

import pytest

from models_onnx.store import Store
from plugin.errors import BundleMissing
from plugin.masks.choosing import Choice, choices, chosen, opened


class Shelf:
    """A store that holds mask bundles of these ids."""

    def __init__(self, *ids: str) -> None:
        self._ids = ids

    def list_masks(self) -> tuple[object, ...]:
        return tuple(Found(name) for name in self._ids)


class Found:
    def __init__(self, name: str) -> None:
        self.bundle = self if name else None
        self.manifest = self
        self.id, self.title = name, f"Title of {name}"


def test_without_bundles_everything_usual_means_the_makers_without_weights(tmp_path: Path) -> None:
    store = Store((tmp_path,))
    for wish in ("auto", "Auto ", "no model", "no-model", "none", "flow"):
        assert chosen(wish, store).bundle is None
    with opened(chosen("auto", store)) as makers:
        assert (makers.segmenter.name, makers.tracker.name) == ("colour-cut", "flow")
        assert makers.words == "colour cut and flow tracker, no model"
        assert makers.clicks_are_guesses


def test_a_bundle_is_meant_by_its_id_and_by_auto() -> None:
    store: Store = Shelf("sam2-tiny", "", "sam2-small")  # type: ignore[assignment]
    assert [choice.wish for choice in choices(store)] == ["no model", "sam2-tiny", "sam2-small"]
    assert chosen("auto", store).wish == "sam2-tiny"
    assert chosen("SAM2_small", store).title == "Title of sam2-small"
    assert chosen("no model", store) == Choice("no model", "colour cut and flow tracker, no model", None)


def test_what_is_not_there_is_told_with_what_is() -> None:
    store: Store = Shelf("sam2-tiny")  # type: ignore[assignment]
    with pytest.raises(
        BundleMissing, match=r"'sam2-tini' on this machine\. Did you mean 'sam2-tiny'"
    ) as caught:
        chosen("sam2-tini", store)
    assert caught.value.remedy == "Choose one of: auto, no model, sam2-tiny."
