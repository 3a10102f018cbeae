"""Read, spot, render, place, verify, remove: every edition, rate and start; what was there stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest

from plugin.controller.renders import RenderPlan, RenderRequest, plan_render, render_sheet
from plugin.delivery import choose_pieces
from plugin.errors import HostRefused, MediaMissing, OutputError
from plugin.folders import Folders
from plugin.hosts import Conflict, Host, StemPiece
from plugin.media.bwf_reading import read_broadcast_wave
from plugin.render.events import TakeWritten
from plugin.render.takes import Take
from plugin.timebase import TimeSpan, sample_position
from plugin.workspace import Workspace
from tests.bridge.desk import Desk, our_items, without_ours
from tests.bridge.fake_resolve import PROFILES, Film, Item, differences
from tests.bridge.fake_resolve.scenes import crowded

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"
STARTS = [
    *(
        (rate, start, "counted")
        for rate in ("23.976", "24", "25", "29.97 DF", "59.94")
        for start in (None, 0)
    ),
    ("29.97 DF", None, "nominal"),
    ("59.94 DF", None, "counted"),
    ("24", 864000, "counted"),
]
FIRST_FRAMES = {
    ("23.976", None): 86400,
    ("24", None): 86400,
    ("25", None): 90000,
    ("29.97 DF", None): 107892,
    ("59.94", None): 216000,
    ("59.94 DF", None): 215784,
}
MakeDesk = Callable[..., Desk]
Made = dict[str, tuple[Take, Path]]
Rendered = Callable[[str, Path], tuple[RenderPlan, Made]]


@dataclass(frozen=True, slots=True)
class Studio:
    """The golden bundle, and every timeline rendered once."""

    folder: Path

    @property
    def workspace(self) -> Workspace:
        folders = Folders(*(self.folder / name for name in ("config", "data", "cache")))
        return Workspace.open({"bundle": str(GOLDEN), "threads": 1, "provider": "cpu"}, folders=folders)

    def plan(self, timeline: Path, output: Path) -> RenderPlan:
        workspace = self.workspace
        request = RenderRequest(timeline=timeline, output=output, steps=1)
        return plan_render(request, workspace, workspace.bundle())

    def render(self, plan: RenderPlan) -> Made:
        engine = self.workspace.open_engine(self.workspace.bundle())
        events = list(render_sheet(plan.ready, engine, folder=plan.folder, cancel=lambda: False))
        return {event.cue_id: (event.take, event.path) for event in events if isinstance(event, TakeWritten)}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """The plan and the takes of a timeline, rendered the first time that it is asked for."""
    studio = Studio(tmp_path_factory.mktemp("studio"))

    made: dict[str, tuple[RenderPlan, Made]] = {}

    def once(key: str, snapshot: Path) -> tuple[RenderPlan, Made]:
        if key not in made:
            first = studio.plan(snapshot, studio.folder / key)
            made[key] = first, studio.render(first)
        plan = studio.plan(snapshot, studio.folder / key)
        assert plan.sheet.cues == made[key][0].sheet.cues  # every edition asks for the same
        return plan, made[key][1]

    return once


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("rate", "start", "reading"), STARTS)
def test_the_whole_way(  # noqa: PLR0917 (pytest names them)
    make_desk: MakeDesk,
    rendered: Rendered,
    profile: str,
    rate: str,
    start: int | None,
    reading: str,
) -> None:
    desk = make_desk(profile, rate=rate, start=start, change=crowded, drop_frame_start=reading)
    timeline = desk.editor.timeline
    if reading == "counted":
        assert timeline.start == FIRST_FRAMES.get((rate, start), start)
    before = desk.editor.state()
    plan, made = rendered(f"{rate} {start}", desk.host.snapshot(desk.folder))
    assert not plan.blocked
    assert [cue.spot.label for cue in plan.sheet.cues] == ["violin", "violin", "door"]
    pieces = choose_pieces(plan.sheet, made, folder=plan.folder)

    placed = desk.host.place(pieces)

    assert [one.error_samples for one in placed] == [0, 0, 0]
    assert our_items(desk.editor) == {"FOLEY violin": [(12, 18), (30, 6)], "FOLEY door": [(60, 12)]}
    assert differences(without_ours(before), without_ours(desk.editor.state())) == []
    for item in _ours(desk):
        _check_file(desk, item)
    assert desk.host.notes == ()

    removal = desk.again().host.remove()
    assert (removal.tracks, removal.pieces, removal.left) == (("FOLEY violin", "FOLEY door"), 3, ())
    assert differences(before, desk.editor.state()) == []
    assert not (plan.folder / "placed").exists()
    assert all(piece.path.is_file() for piece in pieces)


def _ours(desk: Desk) -> list[Item]:
    timeline = desk.editor.timeline
    tracks = [track for track in timeline.tracks if timeline.name_of(track).startswith("FOLEY ")]
    return [item for track in tracks for item in track.items]


def _check_file(desk: Desk, item: Item) -> None:
    """The file says the moment at which it lies, and lasts as long as its frames; no channel is lost."""
    assert item.problems == ()
    assert item.pool is not None
    timeline = desk.editor.timeline
    first = (timeline.start_count + item.start - timeline.start) / timeline.rate.exact
    wave = read_broadcast_wave(Path(item.pool.media.path))
    assert wave.time_reference == sample_position(first)
    assert wave.frames * timeline.rate.exact >= item.duration * 48_000
    assert wave.frames * timeline.rate.exact < item.duration * 48_000 + 2 * timeline.rate.exact


@pytest.mark.parametrize("profile", PROFILES)
def test_builds_differ_in_small_things(make_desk: MakeDesk, profile: str) -> None:
    options = {
        "lists_as_dicts": True,
        "empty_track_is_none": True,
        "marker_keys_float": False,
        "rate_form": "short",
        "language": "ru",
        "import_failure": None,
        "import_shuffled": True,
        "delete_flaky": 1,
        "source_end": "inclusive",
        "batch_keeps_first": True,
        "errored_batch_lost": True,
        "overlap": "empty",
    }
    desk = make_desk(profile, **options)
    before = desk.editor.state()
    desk.host.place([desk.piece(3, 9, "dog"), desk.piece(9, 20, "dog"), desk.piece(5, 7, "cat", channels=2)])
    assert our_items(desk.editor) == {"FOLEY dog": [(3, 6), (9, 11)], "FOLEY cat": [(5, 2)]}
    desk.host.remove()
    assert differences(before, desk.editor.state()) == []


@pytest.mark.parametrize("form", ["paths", "dicts"])
def test_either_form_of_import_will_do(make_desk: MakeDesk, form: str) -> None:
    desk = make_desk(import_paths_fail=form == "dicts", import_dicts_fail=form == "paths", import_not_ready=1)
    assert len(desk.host.place([desk.piece(3, 9, "dog")])) == 1


def test_the_playhead_goes_back_however_late_it_moves(make_desk: MakeDesk) -> None:
    desk = make_desk(playhead_delay=0.15)
    before = desk.editor.timeline.playhead
    desk.host._settle = 0.4
    desk.host.place([desk.piece(3, 9, "dog")])
    desk.editor.settle()
    assert desk.editor.timeline.playhead == before


@pytest.mark.parametrize("page", ["media", "cut", "edit", "fusion", "color", "fairlight", "deliver"])
def test_the_page_stays_open(make_desk: MakeDesk, page: str) -> None:
    desk = make_desk()
    desk.editor.page = page
    before = desk.editor.state()
    desk.host.place([desk.piece(3, 9, "dog")])
    assert differences(without_ours(before), without_ours(desk.editor.state())) == []
    desk.host.remove()
    assert differences(before, desk.editor.state()) == []


def test_channels_decide_the_track(make_desk: MakeDesk) -> None:
    desk = make_desk()
    desk.host.place(
        [desk.piece(0, 9, "one"), desk.piece(0, 9, "two", channels=2), desk.piece(0, 9, "six", channels=6)]
    )
    subtypes = {track.name: track.subtype for track in desk.editor.timeline.of_kind("audio")}
    assert (subtypes["FOLEY one"], subtypes["FOLEY two"], subtypes["FOLEY six"]) == ("mono", "stereo", "5.1")
    assert all(not item.problems for item in _ours(desk))


def test_what_overlaps_gets_a_track_of_its_own(make_desk: MakeDesk) -> None:
    desk = make_desk()
    desk.host.place([desk.piece(0, 9, "dog"), desk.piece(8, 20, "dog"), desk.piece(9, 12, "dog")])
    assert our_items(desk.editor) == {"FOLEY dog": [(0, 9), (9, 3)], "FOLEY dog 2": [(8, 12)]}


@pytest.mark.parametrize("rate", ["23.976", "25", "29.97 DF", "59.94"])
@pytest.mark.parametrize(
    ("first", "last"), [(Fraction(61, 2), 60), (30, Fraction(181, 3)), (Fraction(1, 7), 1)]
)
def test_no_sample_is_lost_between_frames(
    make_desk: MakeDesk, rate: str, first: Fraction, last: Fraction
) -> None:
    """The file begins with silence at the containing frame; the take begins at its own time."""
    import soundfile

    desk = make_desk(rate=rate)
    piece = desk.piece(first, last, "dog")
    (placed,) = desk.host.place([piece])
    assert abs(placed.error_samples) <= Fraction(1, 2)
    (item,) = _ours(desk)
    timeline = desk.editor.timeline
    assert item.start - timeline.start == first.__floor__()
    assert item.pool is not None
    samples, _ = soundfile.read(item.pool.media.path, dtype="int32")
    at = timeline.start_count + (item.start - timeline.start)
    head = sample_position(piece.record.start) - sample_position(Fraction(at) / timeline.rate.exact)
    counted = [sample >> 8 for sample in samples.tolist()]
    assert counted[:head] == [0] * head
    assert counted[head : head + piece.samples] == [1 + index for index in range(piece.samples)]
    assert set(counted[head + piece.samples :]) <= {0}


def test_a_time_stamp_moves_with_the_silence(make_desk: MakeDesk, rendered: Rendered) -> None:
    desk = make_desk(change=crowded)
    plan, made = rendered("25 None", desk.host.snapshot(desk.folder))
    piece = choose_pieces(plan.sheet, made, folder=plan.folder)[0]
    later = Fraction(1, 7) / 25
    record = TimeSpan(piece.record.start + later, piece.record.end + later)
    samples = sample_position(record.end) - sample_position(record.start)
    assert samples == piece.samples
    desk.host.place([StemPiece("001", "violin", piece.path, record)])
    (item,) = _ours(desk)
    wave = read_broadcast_wave(Path(item.pool.media.path))
    moved = sample_position(record.start) - sample_position(piece.record.start)
    assert wave.time_reference == sample_position(record.start) - moved * 2
    assert wave.frames == item.duration * 1920
    desk.host.remove()


@pytest.mark.parametrize(
    ("project", "timeline"), [("24", "25"), ("25", "24"), ("24", "50"), ("25", "29.97 DF")]
)
def test_a_timeline_may_have_a_rate_of_its_own(make_desk: MakeDesk, project: str, timeline: str) -> None:
    """Sound files take the rate of the project, and their length is rounded down twice."""
    from tests.bridge.fake_resolve import RATES

    def change(made: Film) -> None:
        made.timeline.settings["useCustomSettings"] = "1"
        made.project.rate = RATES[project]

    desk = make_desk(rate=timeline, change=change)
    before = desk.editor.state()
    pieces = [desk.piece(first, first + length, "dog") for first, length in ((0, 10), (10, 11), (21, 12))]
    assert len(desk.host.place(pieces)) == 3
    for item in _ours(desk):
        first = int(item.start) - desk.editor.timeline.start
        assert item.duration >= {0: 10, 10: 11, 21: 12}[first]
    desk.host.remove()
    assert differences(before, desk.editor.state()) == []


def test_a_missing_take_is_said_before_anything_happens(make_desk: MakeDesk) -> None:
    desk = make_desk()
    before = desk.editor.state()
    pieces = [desk.piece(0, 9, "dog"), desk.piece(9, 20, "cat")]
    pieces[1].path.unlink()
    with pytest.raises(MediaMissing, match="cat_1_9-20"):
        desk.host.place(pieces)
    pieces[1].path.write_bytes(b"RIFF and no more")
    with pytest.raises(OutputError, match="is not a whole 48 kHz WAV"):
        desk.host.place(pieces)
    pieces[1].path.write_bytes(pieces[0].path.read_bytes())
    with pytest.raises(OutputError, match="does not have the length of its cue"):
        desk.host.place(pieces)
    assert differences(before, desk.editor.state()) == []
    assert desk.leftovers == []


def test_a_take_before_the_timeline_is_refused(make_desk: MakeDesk) -> None:
    desk = make_desk()
    with pytest.raises(HostRefused, match="begins before the timeline"):
        desk.host.place([desk.piece(-2, 9, "dog")])


def test_a_host_places_as_the_protocol_says(make_desk: MakeDesk) -> None:
    desk = make_desk()
    assert isinstance(desk.host, Host)
    assert desk.host.place([]) == ()
    assert desk.host.place([], conflict=Conflict.SKIP) == ()
    assert desk.leftovers == []


@pytest.mark.parametrize("frames", [5, 7, 0])
def test_a_piece_of_another_length_is_not_accepted(make_desk: MakeDesk, frames: int) -> None:
    desk = make_desk()
    before = desk.editor.state()
    desk.editor.fail("TimelineItem.GetDuration", result=frames, times=None)
    with pytest.raises(HostRefused, match=f"with {frames} frames instead of 6"):
        desk.host.place([desk.piece(3, 9, "dog")])
    assert differences(before, desk.editor.state()) == []


def test_a_track_that_would_lose_a_channel_is_not_accepted(make_desk: MakeDesk) -> None:
    """Asked for stereo, Resolve adds its default, mono."""
    desk = make_desk()
    before = desk.editor.state()

    def turn_mono() -> None:
        desk.editor.timeline.of_kind("audio")[-1].subtype = "mono"

    desk.editor.fail("AddTrack", after=turn_mono)
    with pytest.raises(HostRefused, match="made the track 'FOLEY dog' mono instead of stereo"):
        desk.host.place([desk.piece(3, 9, "dog", channels=2)])
    assert differences(before, desk.editor.state()) == []
    assert desk.leftovers == []
