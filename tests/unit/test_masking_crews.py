"""Who makes the masks of a session, and what stands in for those that are not needed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from plugin.controller.masking.crews import NoSegmenter, NoTracker, open_crew, open_makers
from plugin.errors import BundleMissing, MaskError
from plugin.folders import Folders
from plugin.masks.documents import MadeBy
from plugin.masks.flow_tracker import FlowTracker
from plugin.masks.prompts import Click, FramePrompts
from plugin.masks.sam2_segmenter import Sam2Segmenter
from plugin.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(folders=Folders(tmp_path / "config", tmp_path / "data", tmp_path / "cache"))


def test_without_a_bundle_no_model_runs_and_that_is_said(workspace: Workspace) -> None:
    crew = open_crew(workspace)
    assert (crew.segmenter_words, crew.tracker_words) == ("colour cut, no model", "flow tracker, no model")
    assert crew.clicks_need_model
    crew.close()


def test_the_mask_process_opens_the_same_tracker(workspace: Workspace) -> None:
    crew = open_crew(workspace)
    with open_makers(crew.choice) as makers:
        assert MadeBy.of(makers.tracker) == crew.tracker == MadeBy.of(FlowTracker())


def test_a_bundle_that_is_not_there_is_said(workspace: Workspace) -> None:
    with pytest.raises(BundleMissing):
        open_crew(replace(workspace, settings=replace(workspace.settings, mask_maker="sam9")))


def test_stand_ins_have_the_names_and_make_nothing() -> None:
    made = MadeBy("some", "3")
    assert MadeBy.of(NoTracker(made)) == MadeBy.of(NoSegmenter(made)) == made
    empty: Any = None
    assert list(NoTracker(made).track(empty, {}, first=0, last=9)) == []
    with pytest.raises(MaskError, match="frame 7") as raised:
        NoSegmenter(made).segment(np.zeros((4, 4, 3), np.uint8), FramePrompts(7, (Click((1, 1)),)))
    assert raised.value.remedy


def test_a_model_encodes_the_frame_that_is_shown_before_anything_is_drawn() -> None:
    seen: list[Any] = []
    model: Any = SimpleNamespace(features=SimpleNamespace(of=seen.append))
    picture = np.zeros((4, 4, 3), np.uint8)
    Sam2Segmenter(model).prepare(picture)
    assert seen[0] is picture


def test_without_a_finder_it_is_said_before_and_after_a_word(workspace: Workspace) -> None:
    crew = open_crew(workspace)
    for said in ("needs the model OWLv2", "sagafoley models fetch owlv2-base", "draw a lasso or a box"):
        assert said in crew.no_words
    with pytest.raises(BundleMissing, match="finds 'violin' by words") as raised, crew.find("violin"):
        pass
    assert "--lasso" not in raised.value.remedy, "a panel has no options"
    crew.close()


def test_with_a_finder_there_is_no_reason(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle: Any = SimpleNamespace()
    monkeypatch.setattr("plugin.masks.finders.finder_bundle", lambda _store: bundle)
    assert open_crew(workspace).no_words == ""
