from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from models_onnx.bundle import Bundle, FileSpec
from plugin.bundles import BundleState, find_bundle, list_bundles, verify_bundle
from plugin.controller.renders import RenderPlan, RenderRequest, plan_render, problems_of, quick_problems
from plugin.controller.sheets import make_sheet, only, output_folder, require_cues, save_cues, timecodes
from plugin.cues import Problem, Severity
from plugin.delivery import choose_pieces
from plugin.engine.cache import FeatureCache
from plugin.engine.engine import Engine
from plugin.errors import BundleMissing, NoSpots, UsageError
from plugin.filehost import FileHost, placed_name
from plugin.folders import Folders
from plugin.hosts import Host
from plugin.opening import OpenTimeline, default_output
from plugin.render.checking import words_heard
from plugin.settings import change_settings
from plugin.timebase import TimeSpan
from plugin.workspace import Workspace
from tests.cli.made_timelines import make_timeline, seconds

GOLDEN = Path(__file__).parents[2] / "golden" / "bundle"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    folders = Folders(tmp_path / "config", tmp_path / "data", tmp_path / "cache")
    return Workspace.open({"bundle": str(GOLDEN), "takes": 2}, folders=folders)


@pytest.fixture
def opened(tmp_path: Path) -> OpenTimeline:
    return OpenTimeline.read(make_timeline(tmp_path / "edit").path)


def sheet_of(opened: OpenTimeline, workspace: Workspace):
    return make_sheet(opened, workspace, presets=workspace.presets, steps=3)


def test_a_sheet_takes_the_settings_and_this_runs_steps(opened, workspace) -> None:
    sheet = sheet_of(opened, workspace)
    assert [(cue.id, cue.spot.label, cue.takes, cue.steps) for cue in sheet.cues] == [
        ("001", "violin", 2, 3),
        ("002", "trumpet", 2, 3),
    ]
    assert sheet.cues[0].spot.record == TimeSpan(seconds(6), seconds(30))


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        ((), ["001", "002"]),
        (("2",), ["002"]),
        (("001",), ["001"]),
        (("VIOLIN",), ["001"]),
        (("trumpet", "1"), ["001", "002"]),
    ],
)
def test_cues_are_named_by_number_or_label(opened, workspace, words, ids) -> None:
    assert [cue.id for cue in only(sheet_of(opened, workspace), words).cues] == ids


def test_a_word_that_names_no_cue_is_refused_with_what_there_is(opened, workspace) -> None:
    with pytest.raises(UsageError, match="no cue 'cello'") as caught:
        only(sheet_of(opened, workspace), ["violin", "cello"])
    assert "001 violin, 002 trumpet" in caught.value.remedy


def test_nothing_to_do_is_an_error(opened, workspace) -> None:
    with pytest.raises(NoSpots, match="film"):
        require_cues(replace(sheet_of(opened, workspace), cues=()))


def test_timecodes_of_a_span(opened, workspace) -> None:
    sheet = sheet_of(opened, workspace)
    assert timecodes(sheet.cues[0].spot.record, sheet) == ("01:00:00:06", "01:00:01:06")
    odd = replace(sheet, rate=Fraction(7))
    assert timecodes(TimeSpan(Fraction(1, 2), Fraction(2)), odd) == ("0.500s", "2.000s")


def test_results_go_where_the_line_the_settings_or_the_file_say(workspace, tmp_path: Path) -> None:
    film = tmp_path / "film.cut.otio"
    assert output_folder(workspace, None, beside=film) == default_output(film) == tmp_path / "film.cut_foley"
    assert output_folder(workspace, tmp_path / "x", beside=film) == tmp_path / "x"
    settled = replace(workspace, settings=replace(workspace.settings, output_folder=str(tmp_path / "set")))
    assert output_folder(settled, None, beside=film) == tmp_path / "set"
    assert output_folder(settled, tmp_path / "x", beside=film) == tmp_path / "x"


def test_missing_media_show_without_decoding(opened, workspace) -> None:
    (opened.path.parent / "matte.mp4").unlink()
    problems = quick_problems(opened, sheet_of(opened, workspace), workspace.bundle())
    assert {problem.cue_id for problem in problems} == {"001", "002"}
    assert all("matte.mp4" in problem.message for problem in problems)


def blocker(cue_id: str) -> Problem:
    return Problem(Severity.BLOCKER, cue_id, "x", "x", "x")


@pytest.mark.parametrize(
    ("problems", "ready"),
    [
        ((), ["001", "002"]),
        ((blocker("002"),), ["001"]),
        ((blocker(""),), []),
        ((blocker("009"),), ["001", "002"]),
        ((replace(blocker("001"), severity=Severity.WARNING),), ["001", "002"]),
    ],
)
def test_a_blocker_stops_its_cue_or_all(opened, workspace, problems, ready) -> None:
    sheet = sheet_of(opened, workspace)
    plan = RenderPlan(opened, sheet, sheet, problems, Path("/out"))
    assert [cue.id for cue in plan.ready.cues] == ready


def test_a_plan_writes_nothing(opened, workspace, tmp_path: Path) -> None:
    request = RenderRequest(opened.path, output=tmp_path / "out", only=("violin",))
    plan = plan_render(request, workspace, workspace.bundle())
    assert [cue.id for cue in plan.asked.cues] == ["001"]
    assert [cue.id for cue in plan.sheet.cues] == ["001", "002"]
    assert plan.problems == ()
    assert not (tmp_path / "out").exists()


def test_the_workspace_refuses_what_cannot_be(tmp_path: Path) -> None:
    folders = Folders(tmp_path, tmp_path, tmp_path)
    with pytest.raises(UsageError, match="takes"):
        Workspace.open({"takes": 0}, folders=folders)
    assert Workspace.open({"takes": None}, folders=folders).settings.takes == 1


def test_presets_follow_the_bundle_and_do_without_one(workspace) -> None:
    sampling = workspace.bundle().manifest.sampling
    assert workspace.presets_of(workspace.bundle_if_any()).steps == sampling.steps
    lost = replace(workspace, settings=replace(workspace.settings, bundle="nowhere"))
    assert lost.bundle_if_any() is None
    assert lost.presets_of(None) == lost.presets


def test_what_is_wrong_with_other_cues_is_not_told(opened, workspace) -> None:
    faults = tuple(Problem(Severity.WARNING, n, "clip", f"Wrong {n}.", "Mend.") for n in ("001", "002", ""))
    told = replace(opened, found=replace(opened.found, problems=faults))
    asked = only(sheet_of(opened, workspace), ["001"])
    assert [problem.cue_id for problem in problems_of(told, asked)] == ["001", ""]


def test_a_cue_sheet_is_replaced_only_by_what_was_made_from_it(opened, workspace, tmp_path: Path) -> None:
    sheet, path = sheet_of(opened, workspace), tmp_path / "cues.toml"
    save_cues(sheet, path, presets=workspace.presets)
    for made_from in (None, tmp_path / "other.toml"):
        with pytest.raises(UsageError, match="may have been edited"):
            save_cues(sheet, path, presets=workspace.presets, made_from=made_from)
    path.write_text("# read before\n", "utf-8")
    save_cues(sheet, path, presets=workspace.presets, made_from=path)
    assert "[[cue]]" in path.read_text("utf-8")


def test_the_engine_is_opened_as_the_settings_say(workspace, monkeypatch, tmp_path: Path) -> None:
    asked: list[dict[str, object]] = []
    monkeypatch.setattr(Engine, "open", lambda _, **options: asked.append(options))
    for changes in ({"threads": 3, "memory_mb": 500, "cache_mb": 7, "provider": "cpu"}, {"cache_mb": 0}):
        settings = change_settings(workspace.settings, changes)
        replace(workspace, settings=settings).open_engine(workspace.bundle())
    cache = FeatureCache(tmp_path / "cache" / "features", 7_000_000)
    assert asked == [
        {"provider": "cpu", "threads": 3, "memory": 500_000_000, "cache": cache},
        {"provider": "auto", "threads": None, "memory": None, "cache": None},
    ]


def test_how_much_of_a_prompt_is_heard_depends_on_the_bundle(opened, workspace) -> None:
    sheet = sheet_of(opened, workspace)
    wordy = replace(sheet, cues=tuple(replace(cue, prompt="word " * 20) for cue in sheet.cues))
    told = [problem.message for problem in quick_problems(opened, wordy, workspace.bundle())]
    heard = words_heard(workspace.bundle().manifest.text.length)
    assert any(f"about the first {heard} words" in message for message in told)
    assert not any("words" in problem.message for problem in quick_problems(opened, wordy, None))


def test_bundles_are_found_and_verified(workspace) -> None:
    with pytest.raises(BundleMissing, match="nowhere"):
        find_bundle(workspace.store, "nowhere")
    bundle = find_bundle(workspace.store, str(GOLDEN))
    state = verify_bundle(BundleState("golden", GOLDEN, bundle, None))
    assert (state.condition, state.hashed, state.fault) == ("verified", True, None)
    assert 0.05 < state.megabytes < 0.25
    assert state.size == f"{state.megabytes:.1f} MB"
    file = FileSpec(bytes=7_470_600_000, sha256="0" * 64)
    large = replace(bundle, manifest=replace(bundle.manifest, files={"flow.onnx": file}))
    assert replace(state, bundle=large).size == "7.47 GB"
    assert all(found.condition in {"found", "damaged"} for found in list_bundles(workspace.store))


def test_a_file_is_a_host(opened, tmp_path: Path) -> None:
    host = FileHost(opened.path, folder=tmp_path / "out")
    assert isinstance(host, Host)
    assert host.snapshot(tmp_path) == opened.path
    assert host.info().timeline_name == "film"
    assert host.output == tmp_path / "out" / "film_foley.otio"
    assert host.place([]) == ()
    assert OpenTimeline.read(host.output).found.spots == opened.found.spots


def test_long_names_leave_room_for_ours() -> None:
    assert len(placed_name(Path("日" * 85 + ".otio")).encode()) <= 255
    assert placed_name(Path("a.b.otio")) == "a.b_foley.otio"


def test_without_takes_there_is_nothing_to_place(opened, workspace, tmp_path: Path) -> None:
    assert choose_pieces(sheet_of(opened, workspace), {}, folder=tmp_path) == ()


def test_the_golden_bundle_is_what_the_workspace_opens(workspace) -> None:
    assert workspace.bundle().digest == Bundle.open(GOLDEN).digest
    engine = workspace.open_engine(workspace.bundle())
    assert engine.provider in {"cpu", "cuda"}
