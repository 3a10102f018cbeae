"""A strict fake of DaVinci Resolve's scripting API: it refuses what Resolve refuses, and mends nothing.

In process:

    from tests.bridge.fake_resolve import Editor, film
    editor = Editor("studio_20_3")        # studio_19_1, studio_21_0, studio_21_1, free_21_0, free_21_1
    film(editor, folder, rate="25")       # a typical timeline, real media in `folder`: scenes.py
    resolve = editor.resolve()            # what a script in the menu gets; editor.scriptapp() from outside

    before = editor.state()               # everything that it owns, as plain values
    editor.fail("AppendToTimeline", nth=2, result=None)      # or [], False, [None], "ghost", KEEP + delay=...
    editor.fail("SetTrackName", result=True)                 # says True and does nothing
    editor.fail("DeleteClips", result=False, done=True)      # does it and says False
    editor.fail("AddTrack", before=editor.open_modal)        # somebody opens a window just then
    editor.fail("GetName", stall=True)                       # waits for fault.stall.set()
    ...
    assert differences(before, editor.state()) == []
    assert editor.violations == []        # calls at once from two threads; the `editor` fixture looks itself

`editor.options` (profiles.Options) holds everything that builds differ in and may be set at any time;
`editor.timeline`, `editor.project`, `editor.folder` are the data behind it (model.py), for arranging and
asserting; `editor.calls` is the log of all calls; `documented_failures(editor.calls)` gives, for every call
of a good run, every failure that is known of it, ready for `editor.fail(*case)`. Items carry `problems`
("outside_timeline", "channel_loss") when they were placed as no product should.

From other processes (a loopback server behind a stand-in `DaVinciResolveScript`; real calls, real None):

    with served(editor, tmp_path / "resolve") as installed:              # the editor of this test
    with OwnProcess.start(tmp_path / "resolve", "studio_21_0", rate="25") as own:  # one that can be killed
        own.do("fail", "AddTrack", result=False); own.do("set", language="ru"); own.state(); own.kill()
    installed.env()                       # RESOLVE_SCRIPT_API, RESOLVE_SCRIPT_LIB, PYTHONPATH for a child
    installed.menu(user_folder)           # scripts that the menu lists in this edition
    installed.run_menu_script(path)       # a Popen: -I -S, no __file__, threads die when the body ends

Handles are new objects at every call: compare `GetUniqueId()`, never the objects. `thing_of(handle)` is the
data behind one.
"""

from __future__ import annotations

from .calling import Ghost, Handle, thing_of
from .editor import Editor
from .faults import DOCUMENTED, KEEP, Call, Fault, documented_failures
from .installation import Installation
from .model import Folder, Item, Media, PoolItem, Project, Timeline, Track
from .outside import OwnProcess, served
from .profiles import PROFILES, Options, Profile
from .scenes import Film, crowded, film
from .snapshots import differences
from .timecode import RATES, Rate

__all__ = [
    "DOCUMENTED",
    "KEEP",
    "PROFILES",
    "RATES",
    "Call",
    "Editor",
    "Fault",
    "Film",
    "Folder",
    "Ghost",
    "Handle",
    "Installation",
    "Item",
    "Media",
    "Options",
    "OwnProcess",
    "PoolItem",
    "Profile",
    "Project",
    "Rate",
    "Timeline",
    "Track",
    "crowded",
    "differences",
    "documented_failures",
    "film",
    "served",
    "thing_of",
]
