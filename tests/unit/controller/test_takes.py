import pytest

from plugin.controller.desk import Desk
from plugin.controller.levels import ChosenTake
from plugin.controller.notes import read_notes
from plugin.controller.views import SpotState, Topic
from plugin.errors import UsageError
from plugin.render.stemfolder import StemFolder
from tests.unit.controller.waiting import settle, wait_until


def names(desk, cue_id="001"):
    return [row.name for row in desk.takes.rows(cue_id)]


def test_takes_of_the_folder_are_listed_by_spot(rendered):
    rows = rendered.takes.rows("001")
    assert [(row.title, row.seed, row.steps, row.current, row.chosen) for row in rows] == [
        ("Take 1", 1, 4, True, False),
        ("Take 2", 2, 4, True, True),
    ]
    assert rows[0].path.is_file()
    assert rows[0].licence == "MIT (paid work allowed)"
    assert "dBTP" in rows[0].level
    assert rendered.takes.path(rows[0].name) == rows[0].path
    assert rendered.takes.path("no such take") is None
    assert rendered.spots.row("001").state is SpotState.TAKES


def test_the_choice_is_undone_and_kept_over_sessions(rendered, open_on, folders):
    first, second = names(rendered)
    rendered.takes.choose("001", first)
    assert rendered.spots.row("001").chosen == first
    rendered.undo()
    assert rendered.spots.row("001").chosen == second
    rendered.redo()
    rendered.takes.rename(first, "  the  good one ")
    rendered.takes.star(first, on=True)
    rendered.takes.set_level(first, gain_db=-3, fade_out=0.25)
    path = rendered.timeline.path
    rendered.close()
    again = open_on(Desk.open(folders=folders), path)
    row = again.takes.rows("001")[0]
    assert (row.chosen, row.title, row.star, row.gain_db, row.fade_out) == (
        True,
        "the good one",
        True,
        -3,
        0.25,
    )
    again.close()


def test_a_b_goes_round(rendered):
    first, second = names(rendered)
    for expected in (first, second, first):
        rendered.takes.step("001", 1)
        assert rendered.spots.row("001").chosen == expected
    rendered.takes.step("001", -1)
    assert rendered.spots.row("001").chosen == second
    rendered.takes.step("no such spot", 1)


def test_an_unknown_take_or_spot_is_refused(rendered):
    with pytest.raises(UsageError, match="no take nope"):
        rendered.takes.choose("001", "nope")
    with pytest.raises(UsageError, match="no take nope"):
        rendered.takes.star("nope", on=True)
    with pytest.raises(UsageError, match="no take"):
        rendered.takes.delete(["../film"])
    with pytest.raises(UsageError, match="no spot 099"):
        rendered.takes.choose("099", "")


def test_renaming_changes_no_file(rendered):
    first = names(rendered)[0]
    folder = rendered.timeline.folder
    before = {path.name: path.read_bytes() for path in folder.glob("film_*")}
    rendered.takes.rename(first, "walk")
    settle(rendered)
    assert {path.name: path.read_bytes() for path in folder.glob("film_*")} == before
    assert read_notes(folder / "film.desk.json").takes[first].title == "walk"
    rendered.takes.rename(first, "")
    assert rendered.takes.rows("001")[0].title == "Take 1"


def test_deleted_takes_lie_in_the_trash_until_undone(rendered):
    first, second = names(rendered)
    folder = rendered.timeline.folder
    rendered.takes.choose("001", second)
    rendered.takes.delete([second])
    assert names(rendered) == [first]
    assert rendered.spots.row("001").chosen == first
    assert rendered.takes.in_trash == 1
    assert sorted(path.name for path in (folder / "trash").iterdir()) == [f"{second}.json", f"{second}.wav"]
    assert StemFolder(folder).next_name("film_001_violin").endswith("_t03"), "its number is not given again"
    rendered.undo()
    assert names(rendered) == [first, second]
    assert rendered.spots.row("001").chosen == second
    assert list((folder / "trash").iterdir()) == []
    rendered.redo()
    settle(rendered)
    rendered.refresh()
    settle(rendered)
    assert names(rendered) == [first]
    assert rendered.takes.in_trash == 1
    rendered.takes.empty_trash()
    assert rendered.takes.in_trash == 0
    assert list((folder / "trash").iterdir()) == []
    rendered.undo()
    assert names(rendered) == [first], "what was emptied does not come back"


def test_a_take_does_not_come_back_over_another_file(rendered):
    first = names(rendered)[0]
    rendered.takes.delete([first])
    stranger = rendered.timeline.folder / f"{first}.wav"
    stranger.write_bytes(b"another sound")
    rendered.undo()
    said = " ".join(event.text for event in rendered.poll() if event.topic is Topic.MESSAGE)
    assert "has a file of that name" in said
    assert stranger.read_bytes() == b"another sound"


@pytest.mark.parametrize(
    "level", [{"gain_db": 24.5}, {"gain_db": -61.0}, {"fade_in": -0.1}, {"fade_in": 0.6, "fade_out": 0.5}]
)
def test_levels_out_of_range_are_refused(rendered, level):
    with pytest.raises(UsageError):
        rendered.takes.set_level(names(rendered)[0], **level)
    assert rendered.history().undo == ""


def test_a_level_moves_the_figures_and_is_one_gesture(rendered):
    first = names(rendered)[0]
    before = rendered.takes.rows("001")[0]
    for gain in (-1.0, -2.0, -3.0):
        rendered.takes.set_level(first, gain_db=gain, gesture="slider")
    row = rendered.takes.rows("001")[0]
    assert row.true_peak == pytest.approx(before.true_peak - 3)
    assert row.loudness == pytest.approx(before.loudness - 3)
    rendered.undo()
    assert rendered.takes.rows("001")[0].gain_db == 0


def test_a_take_without_level_is_placed_as_it_is(rendered):
    cue = rendered.spots.cue("001")
    session = rendered._board.session
    take = session.shelf.takes[names(rendered)[0]]
    plain = ChosenTake(cue, take, session.book.note(take.name))
    assert plain.path_in(rendered.timeline.folder) == rendered.takes.path(take.name)


def test_takes_of_other_pictures_are_stale(rendered_once, tmp_path, opened, timeline):
    import shutil

    shutil.copytree(rendered_once / "film_foley", timeline.path.parent / "film_foley")
    desk = opened(timeline.path)
    assert desk.spots.row("001").state is SpotState.TAKES, "the same pictures elsewhere are the same"
    shutil.copy(timeline.picture, timeline.matte)
    desk.problems.recheck()
    settle(desk)
    assert "other pictures" in desk.spots.row("001").note


def test_a_take_that_lies_on_the_timeline_is_not_deleted(rendered):
    second = names(rendered)[1]
    rendered.placing.place(["001"])
    wait_until(rendered, lambda: not rendered.placing.busy)
    with pytest.raises(UsageError, match="lies on the timeline"):
        rendered.takes.delete([second])
    rendered.placing.remove()
    wait_until(rendered, lambda: not rendered.placing.busy)
    rendered.takes.delete([second])
    assert second not in names(rendered)
