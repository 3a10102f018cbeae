"""The editions and versions that the fake can be, and everything about its behaviour that a test may set."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

Version = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Profile:
    """One edition of one version.

    Attributes:
        name: as the tests call it.
        product: what `GetProductName` says.
        version: decides which methods exist.
        build: fourth number of `GetVersion`.
        studio: whether it is the paid edition.
        end_frame: how `AppendToTimeline` reads endFrame.
        rate_form: how `GetSetting("timelineFrameRate")` answers; a key of `settings.RATE_FORMS`.
        python_menu: whether Python scripts are listed in the menu.
        lua_sandboxed: whether menu Lua is without io, os.execute, require and ffi.
        track_options_dict: whether `AddTrack` takes {"audioType", "index"}.
        offline_without_sources: importSourceClips False leaves the clips offline.
    """

    name: str
    product: str
    version: Version
    build: int
    studio: bool
    end_frame: Literal["inclusive", "exclusive"] = "exclusive"
    rate_form: str = "float"
    python_menu: bool = True
    lua_sandboxed: bool = False
    track_options_dict: bool = True
    offline_without_sources: bool = True

    @property
    def external(self) -> bool:
        """Whether another process may connect at all."""
        return self.studio


_STUDIO, _FREE = "DaVinci Resolve Studio", "DaVinci Resolve"
PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(
            "studio_19_1",
            _STUDIO,
            (19, 1, 3),
            7,
            studio=True,
            end_frame="inclusive",
            rate_form="string",
            track_options_dict=False,
        ),
        Profile("studio_20_3", _STUDIO, (20, 3, 2), 9, studio=True, rate_form="string"),
        Profile("studio_21_0", _STUDIO, (21, 0, 4), 5, studio=True),
        Profile(
            "studio_21_1",
            _STUDIO,
            (21, 1, 0),
            17,
            studio=True,
            track_options_dict=False,
            offline_without_sources=False,
        ),
        Profile("free_21_0", _FREE, (21, 0, 4), 5, studio=False),
        Profile(
            "free_21_1",
            _FREE,
            (21, 1, 0),
            17,
            studio=False,
            python_menu=False,
            lua_sandboxed=True,
            track_options_dict=False,
            offline_without_sources=False,
        ),
    )
}


@dataclass(slots=True)
class Options:
    """What a test may set. Every value is one that some build or some report shows (resolve.md).

    Connection
        running, preference ("None", "Local", "Network"), starting (so many first `scriptapp` answers are
        None), second_connection_dead, headless.
    Answers
        lists_as_dicts ({1.0: x}), missing ({"Timeline.GetMarkInOut"}: methods taken away), language,
        call_delay (seconds per call), empty_track_is_none, marker_keys_float, stale_is_none.
    Frames
        rate_form (overrides the profile's), end_frame (overrides), drop_frame_start ("counted": 107892;
        "nominal": 108000), source_end ("mixed", "exclusive", "inclusive"), source_start_off_by_one.
    Media pool
        import_failure ([] or None), import_known ("existing": the item as it is; "empty": []),
        import_shuffled, import_dicts_fail, import_paths_fail, import_not_ready (so many first imports fail,
        as of a file that is still written), stamps ("nearest",
        "floor": the frame at which a Broadcast WAV begins).
    Appending
        overlap ("ghost", "shorten", "none", "empty"), batch_keeps_first, playhead_moves, playhead_delay
        (seconds), errored_batch_lost.
    Elsewhere
        delete_flaky (so many first `DeleteClips` on a right page are False), delete_page_matters,
        render_page_matters, save_untitled ("false" or "hang"), otio_known_sources_fail (importSourceClips
        True with media already in the pool is None), otio_titles_fail, deliver_clobbers_marks, render_polls.
    """

    running: bool = True
    preference: str = "Local"
    starting: int = 0
    second_connection_dead: bool = True
    headless: bool = False

    lists_as_dicts: bool = False
    missing: frozenset[str] = frozenset()
    language: str = "en"
    call_delay: float = 0.0
    empty_track_is_none: bool = False
    marker_keys_float: bool = True

    rate_form: str | None = None
    end_frame: str | None = None
    drop_frame_start: str = "counted"
    source_end: str = "mixed"
    source_start_off_by_one: bool = False

    import_failure: Any = field(default_factory=list)
    import_known: str = "existing"
    import_shuffled: bool = False
    import_dicts_fail: bool = False
    import_paths_fail: bool = False
    import_not_ready: int = 0
    stamps: str = "nearest"

    overlap: str = "ghost"
    batch_keeps_first: bool = False
    playhead_moves: bool = True
    playhead_delay: float = 0.0
    errored_batch_lost: bool = False

    delete_flaky: int = 0
    delete_page_matters: bool = True
    render_page_matters: bool = True
    save_untitled: str = "false"
    otio_known_sources_fail: bool | None = None
    otio_titles_fail: bool = False
    deliver_clobbers_marks: bool = True
    render_polls: int = 2

    def but(self, **changes: Any) -> Options:
        """A copy with changes."""
        return replace(self, **changes)
