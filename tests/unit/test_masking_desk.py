"""Mask mode opened from a desk: spots, clips, films without a timeline, hosts that refuse."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import opentimelineio as otio
import pytest

from plugin.cli import main
from plugin.controller.desk import Desk
from plugin.controller.masking.desk import MaskDesk
from plugin.controller.masking.session import MaskSession
from plugin.controller.masking.targets import MaskTarget, open_shot
from plugin.controller.masking.views import FrameState
from plugin.controller.views import CueEdit
from plugin.cues import ClipSource, MediaFile
from plugin.errors import HostRefused, UsageError
from plugin.filehost import FileHost
from plugin.folders import Folders
from plugin.hosts import HostInfo
from plugin.masks.choosing import Makers
from plugin.timebase import TimeSpan
from tests.cli.made_timelines import MadeTimeline, make_timeline, seconds, span
from tests.unit.masking_fakes import GENEROUS, FakeSegmenter, FakeTracker, ThreadChild, crew_of, made_film


class Editor(FileHost):
    """A running editor that holds a file's timeline."""

    refuses = False

    def info(self) -> HostInfo:
        return HostInfo("resolve", "Made Editor", "1", "film", moves_playhead=True)

    def place_matte(self, piece, *, conflict=None):  # type: ignore[no-untyped-def,override]
        if self.refuses:
            raise HostRefused("Made Editor refused the matte.", remedy="Unlock the timeline.")
        return super().place_matte(piece)


def with_fakes(desk: Desk) -> Desk:
    """Mask mode with instant makers."""
    segmenter, tracker = FakeSegmenter(), FakeTracker()
    makers = Makers(segmenter, tracker, "fakes", clicks_are_guesses=False)
    board = desk._board
    desk.masks = MaskDesk(
        board, refresh=desk.refresh, crew=lambda _: crew_of(segmenter), start=lambda: ThreadChild(makers)
    )
    return desk


@pytest.fixture
def made(tmp_path: Path) -> MadeTimeline:
    return make_timeline(tmp_path / "edit")


@pytest.fixture
def editor(made: MadeTimeline, tmp_path: Path) -> Editor:
    return Editor(made.path, folder=tmp_path / "placed")


@pytest.fixture
def desk(tmp_path: Path, editor: Editor) -> Iterator[Desk]:
    folders = Folders(tmp_path / "config", tmp_path / "data", tmp_path / "cache")
    opened = with_fakes(Desk.open(folders=folders, connect=lambda: editor))
    yield opened
    opened.close()


def wait(desk: Desk, condition: Callable[[], object]) -> str:
    """Beats until the condition holds; what was said on the way."""
    end, said = time.monotonic() + GENEROUS, []
    while True:
        said += [event.text for event in desk.poll() if event.text]
        if desk.masks.session is not None:
            desk.masks.session.beat()
        if condition():
            return "\n".join(said)
        assert time.monotonic() < end, said
        time.sleep(0.005)


def opened(desk: Desk, path: Path) -> Desk:
    desk.open_file(path)
    wait(desk, lambda: desk.timeline and not desk.opening)
    return desk


def marking(desk: Desk) -> MaskSession:
    """The session, once it is open."""
    said = wait(desk, lambda: not desk.masks.opening)
    assert desk.masks.session is not None, said
    return desk.masks.session


def test_a_spot_is_opened_over_its_own_range_with_its_word(desk: Desk, made: MadeTimeline) -> None:
    opened(desk, made.path).masks.open_spot("001")
    session = marking(desk)
    view = session.view()
    assert (view.cue_id, view.title, view.can_place) == ("001", "shot", True)
    assert (view.spot_first, view.spot_last, view.first, view.last) == (6, 29, 0, 35)
    assert [row.label for row in view.objects] == ["violin"]
    assert session.frame == 6
    assert not view.can_save


def test_a_clip_is_opened_where_it_is_on_screen(desk: Desk, made: MadeTimeline) -> None:
    opened(desk, made.path).masks.open_at(seconds(20))
    view = marking(desk).view()
    assert (view.spot_first, view.spot_last, view.objects) == (0, 35, ())


def test_where_no_picture_is_it_is_said(desk: Desk, made: MadeTimeline) -> None:
    with pytest.raises(UsageError, match="No timeline"):
        desk.masks.open_at(Fraction(0))
    opened(desk, made.path).masks.open_at(seconds(500))
    assert "No picture" in wait(desk, lambda: not desk.masks.opening)
    assert desk.masks.session is None
    with pytest.raises(UsageError, match="not on the timeline"):
        desk.masks.open_spot("099")


def test_a_film_alone_can_only_be_exported(desk: Desk, tmp_path: Path) -> None:
    film = made_film(tmp_path / "media")
    assert isinstance(film.media, MediaFile)
    desk.masks.open_film(film.media.path)
    session = marking(desk)
    assert not session.view().can_place
    session.marking.box((10, 10), (40, 40))
    wait(desk, lambda: not session.busy)
    session.save()
    wait(desk, lambda: session.report)
    assert session.report is not None
    (matte,) = session.report.mattes
    assert matte.track == ""
    assert Path(matte.path).parent == tmp_path / "media" / "shot_foley" / "mattes"
    pictures = sorted(Path(matte.path).iterdir())
    white = [int((cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) > 0).sum()) for path in pictures]
    assert white == [30 * 30, *[0] * 19]  # nothing was tracked: only the keyframe is there
    assert matte.gaps == 19


def test_a_closed_timeline_takes_its_session_along_and_nothing_is_lost(
    desk: Desk, made: MadeTimeline
) -> None:
    opened(desk, made.path).masks.open_spot("001")
    marking(desk).marking.box((10, 10), (40, 40))
    desk.close_timeline()
    desk.poll()
    assert desk.masks.session is None
    opened(desk, made.path).masks.open_spot("001")
    session = marking(desk)
    wait(desk, lambda: not session.busy)
    strip = session.strip()
    assert strip is not None
    assert strip.frames[6].state is FrameState.KEYFRAME


def test_another_timeline_takes_its_place(desk: Desk, made: MadeTimeline, tmp_path: Path) -> None:
    opened(desk, made.path).masks.open_spot("001")
    marking(desk)
    other = make_timeline(tmp_path / "other")
    opened(desk, other.path)
    wait(desk, lambda: desk.masks.session is None)


def test_an_editor_that_refuses_leaves_the_matte_on_disk(desk: Desk, editor: Editor) -> None:
    desk.open_editor()
    wait(desk, lambda: desk.timeline and not desk.opening)
    desk.masks.open_spot("001")
    session = marking(desk)
    session.marking.box((10, 10), (40, 40))
    editor.refuses = True
    session.save()
    wait(desk, lambda: session.report)
    report = session.report
    assert report is not None
    assert report.failed
    assert report.text.startswith("Made Editor refused the matte. shot_violin_matte_v01 is written.")
    assert report.remedy == "Unlock the timeline."
    assert Path(report.mattes[0].path).is_dir()
    editor.refuses = False
    session.save()
    wait(desk, lambda: session.report is not report)
    assert session.report is not None
    assert session.report.mattes[0].track == "MASK violin"


def test_placed_mattes_are_there_when_the_file_is_opened_again(
    desk: Desk, made: MadeTimeline, tmp_path: Path
) -> None:
    before = made.path.read_bytes()
    opened(desk, made.path).masks.open_at(seconds(0))
    session = marking(desk)
    session.marking.add_object("drum")
    session.marking.box((10, 10), (40, 40))
    session.save()
    wait(desk, lambda: session.report and session.report.cue_ids)
    assert [row.label for row in desk.spots.rows()] == ["drum", "violin", "trumpet"]
    desk.close_timeline()
    opened(desk, made.path)
    assert [row.label for row in desk.spots.rows()] == ["drum", "violin", "trumpet"]
    assert made.path.read_bytes() == before
    timeline = desk.timeline
    assert timeline is not None
    assert timeline.path == made.path
    desk.spots.edit(("001",), CueEdit(prompt="snare drum"))
    assert desk.save()
    assert main(["spots", str(made.path), "--cues", str(timeline.sheet)]) == 0
    made.rewrite(lambda cut: cut.tracks[0].insert(0, otio.schema.Gap(source_range=span(0, 5))))
    desk.close_timeline()
    opened(desk, made.path)  # exported again: the picture lies five frames later
    assert "drum" not in [row.label for row in desk.spots.rows()]
    assert [row.subject for row in desk.problems.rows() if "has moved" in row.message] == ["MASK drum"]


def test_a_damaged_timeline_of_mattes_hides_none_of_the_editors(desk: Desk, made: MadeTimeline) -> None:
    made.path.with_name("film_masks.otio").write_text("{ no")
    opened(desk, made.path)
    assert [row.label for row in desk.spots.rows()] == ["violin", "trumpet"]


@pytest.mark.parametrize(
    ("speed", "source", "expected", "places"),
    [
        (Fraction(1), 2, (2, 9), {0: 2, 7: 9}),
        (Fraction(2), 2, (2, 17), {0: 2, 7: 16}),
        (Fraction(1, 2), 2, (2, 5), {0: 2, 7: 5}),
        (Fraction(0), 6, (6, 6), {0: 6, 7: 6}),
    ],
)
def test_frames_of_retimed_clips(
    tmp_path: Path,
    speed: Fraction,
    source: int,
    expected: tuple[int, int],
    places: dict[int, int],
) -> None:
    film = made_film(tmp_path)
    record = TimeSpan(Fraction(3600), Fraction(3600) + Fraction(8, 25))
    whole = TimeSpan(Fraction(0), Fraction(20, 25))
    clip = ClipSource(film.media, record, Fraction(source, 25), speed, whole, "shot", "V1")
    shot = open_shot(MaskTarget("shot", film.media, record=record, clip=clip))
    assert (shot.shown_first, shot.shown_last) == expected
    for step, frame in places.items():
        assert shot.frame_at(record.start + Fraction(step, 25)) == frame
