import shutil

import pytest

from plugin.controller.desk import Desk
from plugin.controller.views import Action, CueEdit, Needs, SpotState
from plugin.cues import Severity
from plugin.errors import UsageError
from plugin.settings import load_settings
from tests.cli.made_timelines import make_timeline, nothing
from tests.media_factory import make_sequence
from tests.unit.controller.conftest import GOLDEN
from tests.unit.controller.waiting import settle, wait_until


def look_again(desk):
    desk.problems.recheck()
    settle(desk)


def test_media_deleted_while_open_are_a_problem_that_relinking_solves(opened, timeline, tmp_path):
    desk = opened(timeline.path)
    new = tmp_path / "moved"
    new.mkdir()
    for path in (timeline.matte, timeline.picture):
        shutil.move(path, new / path.name)
    look_again(desk)
    assert {row.state for row in desk.spots.rows()} == {SpotState.PROBLEM}
    rows = desk.problems.rows("001")
    assert {row.subject for row in rows} == {"matte.mp4", "picture.mp4"}
    problem = next(row for row in rows if row.subject == "matte.mp4")
    relink = problem.actions[0]
    assert (relink.action, relink.needs, problem.path) == (Action.RELINK, Needs.FILE, timeline.matte)
    desk.problems.act(problem.id, Action.RELINK, new / "matte.mp4")
    settle(desk)
    assert desk.problems.rows() == (), "the picture lay beside it and was found too"
    assert {row.state for row in desk.spots.rows()} == {SpotState.NEW}
    assert desk.history().undo == "Relink matte.mp4 and 1 more"
    desk.queue.generate(["001"])
    settle(desk)
    assert desk.spots.row("001").state is SpotState.TAKES
    desk.undo()
    settle(desk)
    assert desk.spots.row("001").state is SpotState.PROBLEM


def test_looking_again_looks_into_the_media(opened, timeline):
    """A file that is there and is no movie is told before anything is rendered."""
    desk = opened(timeline.path)
    timeline.picture.write_bytes(b"no movie at all" * 100)
    look_again(desk)
    rows = desk.problems.rows("001")
    assert [(row.subject, row.severity) for row in rows] == [("picture.mp4", Severity.BLOCKER)]
    assert desk.spots.row("001").state is SpotState.PROBLEM


def test_relinked_media_are_found_next_time(opened, open_on, folders, timeline, tmp_path):
    desk = opened(timeline.path)
    shutil.move(timeline.matte, tmp_path / "renamed.mp4")
    look_again(desk)
    problem = desk.problems.rows("001")[0]
    desk.problems.act(problem.id, Action.RELINK, tmp_path / "renamed.mp4")
    desk.spots.edit(["001"], CueEdit(prompt="x"))
    desk.close()
    again = open_on(Desk.open(folders=folders), timeline.path)
    assert again.problems.rows() == ()
    assert again.spots.cue("001").spot.matte.clip.media.path == tmp_path / "renamed.mp4"
    assert len(again.spots.rows()) == 2
    again.close()


def test_relinking_to_nothing_is_refused(opened, timeline, tmp_path):
    desk = opened(timeline.path)
    timeline.matte.unlink()
    look_again(desk)
    problem = desk.problems.rows("001")[0]
    with pytest.raises(UsageError, match="No file was chosen"):
        desk.problems.act(problem.id, Action.RELINK)
    with pytest.raises(UsageError, match="is not a file"):
        desk.problems.act(problem.id, Action.RELINK, tmp_path / "nothing.mp4")
    with pytest.raises(UsageError, match="gone already"):
        desk.problems.act("no such problem", Action.ACCEPT)
    assert desk.history().undo == ""


def test_the_desk_sees_by_itself_that_media_are_gone(opened, timeline, monkeypatch):
    desk = opened(timeline.path)
    clock = desk._board.chores.clock
    timeline.matte.unlink()
    monkeypatch.setattr(desk._board.chores, "clock", lambda: clock() + 6)
    wait_until(desk, desk.problems.rows)
    assert desk.spots.row("001").note == "matte.mp4 is not there."


def test_images_are_relinked_by_their_folder(opened, timeline, tmp_path):
    import opentimelineio as otio

    images = tmp_path / "images"
    make_sequence(images, first=1, count=36, prefix="roto.")

    def change(document):
        for each in document.tracks[1].find_clips():
            each.media_reference = otio.schema.ImageSequenceReference(
                target_url_base=images.as_uri() + "/",
                name_prefix="roto.",
                name_suffix=".png",
                start_frame=1,
                rate=24,
                frame_zero_padding=4,
                available_range=each.media_reference.available_range,
            )

    timeline.rewrite(change)
    desk = opened(timeline.path)
    assert desk.problems.rows("001") == ()
    images.rename(tmp_path / "elsewhere")
    look_again(desk)
    (problem,) = desk.problems.rows("001")
    assert problem.actions[0].needs is Needs.FOLDER
    desk.problems.act(problem.id, Action.RELINK, tmp_path / "elsewhere")
    settle(desk)
    assert desk.problems.rows("001") == ()


def test_a_warning_can_be_accepted_and_that_undone(opened, timeline):
    desk = opened(timeline.path)
    desk.spots.edit(["002"], CueEdit(label="violin"))
    settle(desk)
    (problem,) = desk.problems.rows()
    assert (problem.severity, problem.actions[-1].action) == (Severity.WARNING, Action.ACCEPT)
    desk.problems.act(problem.id, Action.ACCEPT)
    settle(desk)
    assert desk.problems.rows() == ()
    desk.undo()
    assert len(desk.problems.rows()) == 1


def test_a_spot_with_a_blocker_can_be_removed(opened, timeline):
    desk = opened(timeline.path)
    timeline.matte.unlink()
    look_again(desk)
    problem = desk.problems.rows("001")[0]
    desk.problems.act(problem.id, Action.REMOVE_SPOT)
    assert [row.id for row in desk.spots.rows()] == ["002"]
    assert desk.problems.rows("001") == ()
    assert desk.queue.generate_stale() == 0, "the other is blocked too"


def test_a_prompt_of_a_thousand_words_is_a_problem_at_once(opened, timeline):
    desk = opened(timeline.path)
    desk.spots.edit(["001"], CueEdit(prompt="violin " * 200))
    settle(desk)
    assert desk.spots.row("001").state is SpotState.PROBLEM
    desk.undo()
    settle(desk)
    assert desk.spots.row("001").state is SpotState.NEW


def test_without_a_bundle_there_is_a_button(folders, timeline, open_on):
    (folders.config / "settings.toml").write_text('bundle = "no-such-bundle"\nprovider = "cpu"\n')
    desk = open_on(Desk.open(folders=folders), timeline.path)
    (problem,) = desk.problems.rows()
    assert problem.actions[0].action is Action.CHOOSE_BUNDLE
    assert desk.status().bundle == "no model bundle"
    desk.queue.generate(["001"])
    assert desk.queue.rows() == ()
    with pytest.raises(UsageError, match="No bundle was chosen"):
        desk.problems.act(problem.id, Action.CHOOSE_BUNDLE)
    desk.problems.act(problem.id, Action.CHOOSE_BUNDLE, str(GOLDEN))
    assert desk.problems.rows() == ()
    assert load_settings(folders.config).bundle == str(GOLDEN)
    desk.queue.generate(["001"])
    settle(desk)
    assert len(desk.takes.rows("001")) == 1
    desk.close()


def test_settings_with_a_mistake_are_told_and_can_be_reset(folders, timeline, open_on):
    settings = folders.config / "settings.toml"
    settings.write_text("takes = 'many'")
    desk = open_on(Desk.open(folders=folders), timeline.path)
    problem = next(row for row in desk.problems.rows() if row.subject == "settings")
    assert "takes" in problem.message
    assert len(desk.spots.rows()) == 2
    desk.problems.act(problem.id, Action.RESET_SETTINGS)
    assert all(row.subject != "settings" for row in desk.problems.rows())
    assert settings.with_name("settings.toml.damaged").read_text() == "takes = 'many'"
    desk.close()


def test_a_folder_that_takes_no_stems_is_a_problem_with_a_way_out(opened, timeline, tmp_path):
    desk = opened(timeline.path)
    desk.timeline.folder.write_text("a file where the folder should be")
    look_again(desk)
    (problem,) = desk.problems.rows()
    choose = next(row for row in problem.actions if row.action is Action.CHOOSE_OUTPUT)
    assert choose.needs is Needs.FOLDER
    desk.problems.act(problem.id, choose.action, tmp_path / "stems")
    settle(desk)
    assert desk.timeline.folder == tmp_path / "stems"
    assert desk.problems.rows() == ()
    desk.queue.generate(["001"])
    settle(desk)
    assert desk.takes.rows("001")[0].path.parent == tmp_path / "stems"


def test_a_close_look_finds_what_only_pictures_show(opened, tmp_path):
    made = make_timeline(tmp_path / "edit", draw=nothing)
    desk = opened(made.path)
    assert desk.problems.rows() == ()
    desk.problems.check_closely()
    assert desk.problems.checking == 2
    settle(desk)
    assert {row.cue_id for row in desk.problems.rows()} == {"001", "002"}
    assert "marks nothing" in desk.spots.row("001").note
    desk.spots.edit(["001"], CueEdit(invert=True))
    assert desk.problems.rows("001") == (), "it is another matte now"
    assert desk.spots.row("002").state is SpotState.PROBLEM
