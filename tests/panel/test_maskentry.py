"""From the window into mask mode and back: for a spot, for a clip, with a matte and without."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import opentimelineio as otio
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from plugin.controller.masking.crews import Crew
from plugin.controller.masking.views import BlackFrames, FrameState, Tool, TrackingState
from plugin.masks.documents import MadeBy
from plugin.masks.matte_files import MatteForm
from plugin.panel.maskclips import ClipChoice
from plugin.panel.maskgaps import Answer
from plugin.panel.maskmode import MaskMode
from plugin.panel.window import Window
from tests.cli.made_timelines import FRAMES, RATE, MadeTimeline, make_timeline
from tests.media_factory import make_movie
from tests.panel.conftest import Until, front_dialog, open_in
from tests.panel.made_masks import CTRL, SHIFT, drag
from tests.panel.mask_crew import InlineChild, QuickSegmenter, SteadyTracker, draw

KEY = Qt.Key


def one_shot(folder: Path, **more: object) -> MadeTimeline:
    """A timeline whose picture is of one shot: nothing but an object moves."""
    made = make_timeline(folder, **more)  # type: ignore[arg-type]
    make_movie(made.picture, rate=RATE, frames=FRAMES, draw=draw)
    return made


@pytest.fixture
def film(tmp_path: Path) -> MadeTimeline:
    return one_shot(tmp_path / "film")


@pytest.fixture
def quick(window: Window) -> Window:
    """The window whose masks are made at once, without another process."""
    masks, tracker = window.pulse.desk.masks, SteadyTracker()
    crew = Crew(QuickSegmenter(), MadeBy("steady", "1"), "steady", "quick", "steady", False)
    masks._crew = lambda _settings: crew
    masks._start = lambda: InlineChild(tracker)
    window.deeds._sure = lambda *_: True  # type: ignore[method-assign]  # when the test is over
    return window


@pytest.fixture
def marking(quick: Window, film: MadeTimeline, until: Until) -> Window:
    """In mask mode, for the first spot of the film."""
    open_in(quick, film.path, until)
    quick.activateWindow()
    quick.deeds.do("make_matte")
    return seen(quick, until)


def seen(window: Window, until: Until) -> Window:
    """Once its first picture is there."""
    until(lambda: window.masks.on and window.masks.page.session.picture is not None)
    until(lambda: window.masks.page.session.picture.still is not None)
    return window


def page_of(window: Window) -> MaskMode:
    return window.masks.page


def box(window: Window, until: Until) -> None:
    """Draw a box in the shown frame."""
    page = page_of(window)
    page.activateWindow()
    page.tools.tools[next(tool for tool in page.tools.tools if tool.value == "box")].click()
    drag(page.canvas, *(page.canvas.sight.to_widget(place) for place in ((20, 20), (60, 50))))
    until(lambda: page.session is not None and page.session.view().can_save)
    until(lambda: page.session is not None and not page.session.busy)


def answer(window: Window, monkeypatch: pytest.MonkeyPatch, *answers: bool) -> list[str]:
    """Answer questions one after the other; their titles."""
    asked: list[str] = []
    left = list(answers)

    def sure(title: str, *_rest: str) -> bool:
        asked.append(title)
        return left.pop(0)

    monkeypatch.setattr(window.deeds, "_sure", sure)
    return asked


def gaps_answered(window: Window, monkeypatch: pytest.MonkeyPatch, *answers: Answer) -> list[str]:
    """Answer what is to be done about black frames, one time after the other; what was asked."""
    asked: list[str] = []
    left = list(answers)

    def ask(black: Sequence[BlackFrames], *, may_track: bool) -> Answer:
        asked.extend(f"{each.text} {may_track}" for each in black)
        return left.pop(0)

    monkeypatch.setattr(window.masks.page.completion, "_ask", ask)
    return asked


def test_a_spot_is_entered_and_left(marking: Window, until: Until) -> None:
    page = page_of(marking)
    assert marking.pages.currentWidget() is page
    assert page.objects.list.currentText() == "violin"
    assert page.canvas.hasFocus()
    page.leave.click()
    assert not marking.masks.on
    assert marking.pages.currentWidget() is marking._across
    assert marking.pulse.desk.masks.session is None
    assert marking.spots.current == marking.spots.model.ids[0]


def test_what_was_drawn_is_there_again(
    marking: Window, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    box(marking, until)
    asked = answer(marking, monkeypatch, False, True)
    page_of(marking).leave.click()
    assert marking.masks.on, "asked, and it goes on"
    page_of(marking).leave.click()
    assert asked == ["Leave without a matte?"] * 2
    assert not marking.masks.on
    marking.deeds.do("make_matte")
    seen(marking, until)
    prompts = page_of(marking).session.marking.prompts()
    assert prompts is not None
    assert len(prompts.gestures) == 1
    page_of(marking).leave.click()
    assert not marking.masks.on, "nothing new was drawn: nothing is asked"


def test_a_saved_matte_is_a_track_and_a_spot(marking: Window, film: MadeTimeline, until: Until) -> None:
    before = film.path.read_bytes()
    box(marking, until)
    page = page_of(marking)
    page.track.both.click()
    until(lambda: page.session.tracking is not None and page.session.tracking.state.value == "done")
    until(lambda: not page.session.busy)
    page.save.click()
    assert page.saving.isVisible()
    until(lambda: not marking.masks.on)
    assert marking.pages.currentWidget() is marking._across
    assert marking.notices.isVisible()
    assert "MASK violin" in marking.notices.text.text()
    assert film.path.read_bytes() == before, "the editor's file is as it was"
    desk = marking.pulse.desk
    cue = desk.spots.cue(marking.spots.current)
    assert cue is not None
    assert cue.spot.matte is not None
    assert "matte" in str(cue.spot.matte.clip.media)


def test_what_is_missing_is_tracked_first_where_that_is_wished(
    marking: Window, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = gaps_answered(marking, monkeypatch, Answer.CANCEL, Answer.TRACK)
    box(marking, until)
    page = page_of(marking)
    page.save.click()
    assert (page.session.saving, page.session.tracking) == (None, None)
    page.save.click()
    until(lambda: not marking.masks.on)
    assert len(asked) == 2
    assert "black" not in marking.notices.text.text()


def test_gaps_are_told_before_one_leaves(
    marking: Window, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    gaps_answered(marking, monkeypatch, Answer.SAVE)
    box(marking, until)
    page = page_of(marking)
    page.save.click()
    until(page.saving.leave.isVisible)
    assert "Track them, then save again." in page.saving.text.text()
    assert marking.masks.on
    until(lambda: page.session.report.cue_ids)
    page.saving.leave.click()
    assert not marking.masks.on


def test_a_save_that_fails_says_so_and_loses_nothing(
    marking: Window, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    from plugin.errors import OutputError

    def full(*_: object, **__: object) -> None:
        raise OutputError("The disk is full.", remedy="Make room on it, then save again.")

    monkeypatch.setattr("plugin.controller.masking.saving.write_mattes", full)
    gaps_answered(marking, monkeypatch, Answer.SAVE)
    box(marking, until)
    page = page_of(marking)
    page.save.click()
    until(lambda: page.session.report is not None)
    until(page.saving.go_on.isVisible)
    assert "The disk is full. Make room on it, then save again." in page.saving.text.text()
    assert not page.saving.leave.isEnabled()
    assert page.unfinished
    monkeypatch.undo()
    page.saving.go_on.click()
    assert not page.saving.isVisible()
    assert page.session.marking.prompts().gestures


def test_a_clip_without_a_spot_gets_one(quick: Window, tmp_path: Path, until: Until) -> None:
    made = one_shot(tmp_path / "bare", labels=())
    quick.open_path(made.path)
    until(lambda: quick.pulse.desk.timeline)
    assert quick.spots.model.rowCount() == 0
    quick.deeds.do("make_clip_matte")
    dialog = front_dialog(quick, ClipChoice)
    assert not dialog.act.isEnabled(), "clips are looked for in the background"
    until(lambda: dialog.clips.count() == 1)
    assert "01:00:00:00" in dialog.clips.item(0).text()
    dialog.search.setText("nothing like it")
    assert not dialog.act.isEnabled()
    dialog.search.setText("SHOT 01:00")
    dialog.act.click()
    seen(quick, until)
    box(quick, until)
    page = page_of(quick)
    page.track.both.click()
    until(lambda: page.session.tracking is not None and page.session.tracking.state.value == "done")
    page.save.click()
    until(lambda: not quick.masks.on)
    assert quick.spots.model.rowCount() == 1
    assert quick.spots.current == quick.spots.model.ids[0]
    document = otio.adapters.read_from_file(str(made.path))
    assert len(document.video_tracks()) == 1


def test_the_list_of_clips_may_be_put_away_before_it_is_there(
    quick: Window, film: MadeTimeline, until: Until
) -> None:
    open_in(quick, film.path, until)
    quick.deeds.do("make_clip_matte")
    dialog = front_dialog(quick, ClipChoice)
    dialog.reject()
    until(lambda: not quick.pulse.desk._board.chores.has("picture clips"))
    assert quick.isEnabled(), "what comes for a dialog that is gone is no failure"


def test_a_movie_without_a_timeline(
    quick: Window, film: MadeTimeline, until: Until, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugin.panel.deeds.QFileDialog.getOpenFileName", lambda *_: (str(film.picture), ""))
    monkeypatch.setattr(
        "plugin.panel.maskmode.QFileDialog.getExistingDirectory", lambda *_: str(tmp_path / "out")
    )
    (tmp_path / "out").mkdir()
    quick.activateWindow()
    quick.deeds.do("make_film_matte")
    seen(quick, until)
    assert not page_of(quick).session.view().can_place
    gaps_answered(quick, monkeypatch, Answer.SAVE)
    box(quick, until)
    page_of(quick).write_into(MatteForm.PNG)
    until(page_of(quick).saving.leave.isVisible)
    assert "Written: " in page_of(quick).saving.text.text()
    page_of(quick).saving.leave.click()
    assert not quick.masks.on
    assert quick.pages.currentWidget() is quick.start
    assert len(list((tmp_path / "out").glob("*.prompts.json"))) == 1


def test_undo_is_of_gestures_while_it_is_on(marking: Window, until: Until, qtbot: QtBot) -> None:
    marking_actions = marking.actions_
    assert not marking_actions["undo"].isEnabled()
    box(marking, until)
    assert marking_actions["undo"].isEnabled()
    assert "box" in marking_actions["undo"].text().casefold()
    qtbot.keyClick(QApplication.focusWidget(), KEY.Key_Z, CTRL)
    prompts = page_of(marking).session.marking.prompts()
    assert prompts is None or not prompts.gestures
    qtbot.keyClick(QApplication.focusWidget(), KEY.Key_Z, CTRL | SHIFT)
    assert page_of(marking).session.marking.prompts().gestures
    assert not marking.pulse.desk.history().undo, "no edit of a spot"


def test_keys_of_the_panel_do_nothing_while_it_is_on(marking: Window, qtbot: QtBot) -> None:
    stage, canvas = marking.stage, page_of(marking).canvas
    before = (stage.screening.overlay, stage.screening.focus, stage.screening.heard)
    for key in (KEY.Key_M, KEY.Key_F, KEY.Key_B, KEY.Key_Space, KEY.Key_I, KEY.Key_O, KEY.Key_Delete):
        qtbot.keyClick(canvas, key)
    assert (stage.screening.overlay, stage.screening.focus, stage.screening.heard) == before
    assert not stage.screening.playback.playing
    assert page_of(marking).session.playback.playing
    assert marking.spots.model.rowCount() == 2
    for key in ("generate", "place", "remove_spots", "go_spots", "close_timeline", "make_matte"):
        assert not marking.actions_[key].isEnabled(), key
    page_of(marking).leave.click()
    assert marking.actions_["generate"].isEnabled()


def test_escape_puts_a_message_away_when_nothing_else_is_to_stop(marking: Window, qtbot: QtBot) -> None:
    marking.notices.say("Something happened.")
    qtbot.keyClick(page_of(marking).canvas, KEY.Key_Escape)
    assert not marking.notices.isVisible()
    assert marking.masks.on


def test_closing_the_window_asks_for_what_is_unfinished(
    marking: Window, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    box(marking, until)
    asked = answer(marking, monkeypatch, False, True)
    assert not marking.close()
    assert marking.masks.on
    assert marking.close()
    assert asked == ["Close the panel without a matte?"] * 2


def test_another_timeline_asks_too(
    marking: Window, until: Until, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_timeline(tmp_path / "other", name="other")
    box(marking, until)
    asked = answer(marking, monkeypatch, False, True)
    marking.open_path(other.path)
    assert marking.masks.on
    marking.open_path(other.path)
    assert asked
    until(lambda: marking.pulse.desk.timeline.name == "other")
    assert not marking.masks.on


def test_mask_mode_stays_while_the_machine_is_checked(marking: Window) -> None:
    marking.show_doctor()
    marking.doctor.back.click()
    assert marking.pages.currentWidget() is page_of(marking)


def test_a_spot_without_media_is_refused_in_words(quick: Window, film: MadeTimeline, until: Until) -> None:
    open_in(quick, film.path, until)
    film.picture.unlink()
    quick.deeds.do("make_matte")
    until(quick.notices.isVisible)
    assert "picture.mp4" in quick.notices.text.text()
    assert not quick.masks.on


def test_the_makers_without_weights_mark_and_track(
    window: Window, film: MadeTimeline, until: Until, qtbot: QtBot
) -> None:
    """The real ones, and the real mask process: a box, three frames tracked."""
    window.deeds._sure = lambda *_: True  # type: ignore[method-assign]
    open_in(window, film.path, until)
    window.activateWindow()
    window.deeds.do("make_matte")
    seen(window, until)
    page = page_of(window)
    view = page.session.view()
    assert "no model" in page.makers.text()
    assert view.clicks_need_model
    assert "Without a model" in page.line.hint.text() or view.tool.value == "lasso"
    first = view.spot_first
    page.session.show(first)
    corners = ((16 + first, 27), (54 + first, 27), (54 + first, 63), (16 + first, 63), (16 + first, 29))
    page.tools.tools[Tool.LASSO].click()
    drag(page.canvas, *(page.canvas.sight.to_widget(place) for place in corners))
    until(lambda: page.session.picture.state is FrameState.KEYFRAME and not page.session.picture.working)
    page.session.show(first + 3)
    qtbot.keyClick(page.canvas, KEY.Key_O)
    page.session.show(first)
    qtbot.keyClick(page.canvas, KEY.Key_F)
    until(lambda: page.session.tracking is not None and page.session.tracking.state is TrackingState.DONE)
    strip = page.session.strip()
    states = [each.state for each in strip.frames if first <= each.frame <= first + 3]
    assert states == [FrameState.KEYFRAME, *[FrameState.TRACKED] * 3]
    assert page.strip.words_at(first + 2).endswith("tracked well")
