"""The fake editor: one running Resolve, what it owns, and the rules of every call."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import api_items, api_pool, api_project, api_resolve, api_timeline, rendering  # noqa: F401
from .calling import (
    APIS,
    Ghost,
    Handle,
    Refused,
    fitted,
    fresh,
    from_script,
    is_alive,
    methods_of,
    parts,
    to_script,
)
from .enums import ENUMS
from .faults import KEEP, Call, Fault, Faults
from .mailbox import write_preferences
from .model import Folder, Media, PoolItem, Project, Timeline, Track
from .otio_export import export_otio
from .otio_import import import_otio
from .profiles import PROFILES, Options, Profile
from .snapshots import snapshot
from .timecode import RATES, frames_of


class Editor:
    """A running Resolve.

    Attributes:
        profile: edition and version.
        options: what of its behaviour a test set; may be changed at any time.
        project: the open project, None with only the Project Manager open.
        projects: all of them.
        page: the page that is open.
        modal: the text of the window that is open over everything, "" for none.
        calls: every call that scripts made, in order.
        violations: what no caller may ever do (calls at the same time from two threads); the fixtures
            assert that it stays empty.
    """

    def __init__(self, profile: str | Profile = "studio_20_3", options: Options | None = None) -> None:
        self.profile = PROFILES[profile] if isinstance(profile, str) else profile
        self.options = options or Options()
        self.enums: dict[str, float] = dict(ENUMS)
        self.projects: list[Project] = []
        self.project: Project | None = None
        self.page = "edit"
        self.modal = ""
        self.preferences_file: Path | None = None
        self.on_quit: list[Callable[[], Any]] = []
        self.session = 1
        self.calls: list[Call] = []
        self.violations: list[str] = []
        self.preferences: dict[str, Any] = {"System.Scripting.Mode": 1}
        self._faults = Faults()
        self._lock = threading.Lock()
        self._pending: list[tuple[float, Callable[[], None]]] = []
        self._connected: dict[Any, int] = {}
        self._asked = 0
        self._stalled = threading.Event()
        self._methods: dict[str, frozenset[str]] = {}

    # --- what a test does ---------------------------------------------------------------------------

    def resolve(self) -> Handle:
        """The `resolve` object that Resolve puts into its own scripts."""
        return Handle(self, "Resolve", self)

    def scriptapp(self, name: str = "Resolve", *, process: Any = None) -> Handle | None:
        """What `DaVinciResolveScript.scriptapp` gives another process, of `process` (default: this one)."""
        self._asked += 1
        if name != "Resolve" or not self.options.running or not self.profile.external:
            return None
        if self.options.preference == "None" or self._asked <= self.options.starting:
            return None
        key = os.getpid() if process is None else process
        self._connected[key] = self._connected.get(key, 0) + 1
        if self._connected[key] > 1 and self.options.second_connection_dead:
            return Handle(self, "Dead", self)
        return self.resolve()

    def fail(
        self,
        method: str,
        nth: int = 1,
        result: Any = KEEP,
        done: bool = False,
        *,
        times: int | None = 1,
        delay: float = 0.0,
        before: Callable[[], Any] | None = None,
        after: Callable[[], Any] | None = None,
        stall: bool = False,
    ) -> Fault:
        """Let something happen to the nth call of `method` from now on; see `faults.Fault`.

        A `stall` lasts until `fault.stall.set()`.
        """
        event = threading.Event() if stall else None
        fault = Fault(method, nth, times, result, done, delay=delay, before=before, after=after, stall=event)
        self._faults.laid.append(fault)
        return fault

    def heal(self) -> None:
        """Take all faults away, and end what stalls."""
        laid, self._faults.laid = self._faults.laid, []
        for fault in laid:
            if fault.stall is not None:
                fault.stall.set()

    def open_modal(self, text: str = "You have reached a limitation") -> None:
        """A window opens over everything; calls that change something fail."""
        self.modal = text

    def close_modal(self) -> None:
        """A person closes the window."""
        self.modal = ""

    def settle(self) -> None:
        """Let everything happen now that happens a little later (the playhead's move)."""
        self._happen(float("inf"))

    def state(self) -> dict[str, Any]:
        """All that the editor owns, as comparable plain values; settled."""
        self.settle()
        return snapshot(self)

    def count(self, method: str) -> int:
        """How often scripts called it."""
        return sum(method in {made.name, f"{made.kind}.{made.name}"} for made in self.calls)

    def add_project(self, name: str = "Film", *, rate: str = "24") -> Project:
        """A new project, opened."""
        project = Project(name, RATES[rate])
        self.projects.append(project)
        self.open_project(project)
        return project

    def open_project(self, project: Project | None) -> None:
        """Somebody opens another project (None: closes it); handles into the old one go stale."""
        self.project = project
        self.session += 1

    def quit(self) -> None:
        """The program ends: nothing answers any more."""
        self.options.running = False
        self._stalled.set()
        self.heal()
        for happen in self.on_quit:
            happen()

    @property
    def timeline(self) -> Timeline:
        """The current timeline."""
        assert self.project is not None
        assert self.project.current is not None
        return self.project.current

    @property
    def folder(self) -> Folder:
        """The current bin."""
        assert self.project is not None
        return self.project.folder

    # --- what the rest of the fake does -------------------------------------------------------------

    @property
    def rate_form(self) -> str:
        return self.options.rate_form or self.profile.rate_form

    @property
    def end_frame(self) -> str:
        return self.options.end_frame or self.profile.end_frame

    def save(self) -> bool:
        """Save the open project; what an errored batch left is lost then."""
        if self.project is None or self.modal:
            return False
        if self.project.name == "Untitled Project":
            if self.options.save_untitled == "hang":
                self._stalled.wait(120)
            return False
        for timeline in self.project.timelines:
            for track in timeline.tracks:
                for item in track.items:
                    item.alive = item.alive and not item.unsaved
                track.items = [item for item in track.items if item.alive]
        return True

    def save_preferences(self) -> bool:
        """Write the preferences where other programs can read them."""
        if self.preferences_file is None:
            return False
        write_preferences(self.preferences_file, self.preferences)
        return True

    def new_timeline(self, name: str, *, start: int | None = None) -> Timeline:
        """An empty timeline of the project's rate with one video and one audio track, made current.

        Raises:
            Refused: the name is taken, or no project is open.
        """
        project = self.project
        if project is None or not name or any(one.name == name for one in project.timelines):
            raise Refused
        rate = project.rate
        count = frames_of("01:00:00;00" if rate.drop else "01:00:00:00", rate)
        nominal = 3600 * rate.nominal if self.options.drop_frame_start == "nominal" else count
        timeline = Timeline(
            name, rate, nominal if start is None else start, count if start is None else start
        )
        timeline.playhead = timeline.start
        timeline.tracks = [Track("video"), Track("audio", "stereo")]
        timeline.pool = PoolItem(name, Media("", "timeline", rate, 0))
        project.root.items.append(timeline.pool)
        project.timelines.append(timeline)
        project.current = timeline
        return timeline

    def delete_timeline(self, timeline: Timeline) -> None:
        """A timeline goes, with everything on it."""
        assert self.project is not None
        self.project.timelines.remove(timeline)
        for thing in (timeline, *timeline.tracks, *timeline.items()):
            thing.alive = False
        owner = self.project.folder_of(timeline.pool) if timeline.pool else None
        if owner is not None and timeline.pool is not None:
            owner.items.remove(timeline.pool)
            timeline.pool.alive = False
        if self.project.current is timeline:
            self.project.current = next(iter(self.project.timelines), None)

    def export(self, timeline: Timeline, path: str, kind: Any, subtype: Any) -> bool:
        """`Timeline.Export`; only OTIO is written, the other kinds are empty files.

        Raises:
            Refused: the constants are not this editor's own, or the file cannot be written.
        """
        numbers = [kind] if subtype is None else [kind, subtype]
        if not all(isinstance(n, float) and n in self.enums.values() for n in numbers):
            raise Refused
        if not Path(path).is_absolute() or not Path(path).parent.is_dir():
            raise Refused
        if kind == self.enums["EXPORT_OTIO"]:
            export_otio(timeline, Path(path))
        else:
            Path(path).write_bytes(b"")
        return True

    def import_timeline(self, path: str, options: Any) -> Timeline:
        """`MediaPool.ImportTimelineFromFile`.

        Raises:
            Refused: anything is not as Resolve wants it.
        """
        if not Path(path).is_absolute() or Path(path).suffix != ".otio" or self.project is None:
            raise Refused
        if options is not None and not isinstance(options, dict):
            raise Refused
        return import_otio(self, Path(path), options or {})

    def later(self, seconds: float, happen: Callable[[], None]) -> None:
        """Let something happen so much later, or now for 0."""
        if seconds <= 0:
            happen()
        else:
            self._pending.append((time.monotonic() + seconds, happen))

    def _happen(self, until: float) -> None:
        due = [happen for when, happen in self._pending if when <= until]
        self._pending = [one for one in self._pending if one[0] > until]
        for happen in due:
            happen()

    def methods(self, kind: str) -> frozenset[str]:
        """Methods that this version has."""
        if kind not in self._methods:
            present = {n for n, rules in methods_of(kind).items() if rules.since <= self.profile.version}
            self._methods[kind] = frozenset(present)
        missing = {name.partition(".")[2] for name in self.options.missing if name.startswith(f"{kind}.")}
        return self._methods[kind] - missing

    def is_fresh(self, handle: Handle) -> bool:
        """Whether what it stands for still is there."""
        _, kind, it, session = parts(handle)
        lasting = kind in {"Resolve", "ProjectManager", "MediaStorage", "Fusion"}
        return self.options.running and (lasting or (session == self.session and is_alive(it)))

    def answer(self, handle: Handle, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Answer a script's call: log it, one at a time, faults first."""
        kind = parts(handle)[1]
        if not self._lock.acquire(blocking=False):
            self.violations.append(f"{kind}.{name} was called while another call was under way")
            self._lock.acquire()
        try:
            self.calls.append(Call(kind, name, args, threading.get_ident()))
            if self.options.call_delay:
                time.sleep(self.options.call_delay)
            self._happen(time.monotonic())
            fault = self._faults.striking(kind, name)
            return self._faulty(fault, handle, name, args, kwargs)
        finally:
            self._lock.release()

    def _faulty(
        self, fault: Fault | None, handle: Handle, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if fault is None:
            return self._done(handle, name, args, kwargs)
        fault.wait()
        if fault.before is not None:
            fault.before()
        real = self._done(handle, name, args, kwargs) if fault.result is KEEP or fault.done else None
        if fault.after is not None:
            fault.after()
        if fault.result is KEEP:
            return real
        result = fault.result
        if isinstance(result, str) and result == "ghost":
            asked = args[0] if args and isinstance(args[0], list) else [None]
            result = [Ghost() for _ in asked]
        return to_script(self, fresh(result))

    def _done(self, handle: Handle, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        _, kind, it, _ = parts(handle)
        function = getattr(APIS[kind], name)
        rules = function.rules
        if not self.is_fresh(handle):
            return fresh(rules.stale)
        if isinstance(it, Ghost):
            return "" if name == "GetUniqueId" else None
        if rules.studio and not self.profile.studio:
            self.open_modal()
            return fresh(rules.fails)
        if rules.mutates and self.modal:
            return fresh(rules.fails)
        try:
            arguments = fitted(function, from_script(self, args), from_script(self, kwargs))
            return to_script(self, function(APIS[kind](self, it), *arguments))
        except Refused:
            return to_script(self, fresh(rules.fails))
