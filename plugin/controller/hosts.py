"""Where the open timeline lives: its file, or a running editor that is connected to when it is needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from platformdirs import user_documents_path

from plugin.controller.session import Origin, Session
from plugin.controller.sheets import timecodes
from plugin.cues import CueSheet
from plugin.errors import HostError, HostRefused
from plugin.filehost import FileHost
from plugin.hosts import Flavour, Host
from plugin.render.naming import safe_name
from plugin.settings import Settings
from plugin.wholefile import output_error

T = TypeVar("T")


def file_host(session: Session, settings: Settings, *, folder: Path | None = None) -> FileHost:
    """The host of the open timeline's file; what it places goes to `folder`, usually that of the takes."""
    flavour = Flavour.RESOLVE if session.origin.from_editor else Flavour(settings.flavour)
    if folder is None:
        return FileHost.of(session.opened, folder=session.view.folder, flavour=flavour)
    return FileHost(
        session.opened.source,
        folder=folder,
        flavour=flavour,
        name=session.opened.path,
        reading=session.opened.reading,
    )


def connect_editor() -> Host:
    """DaVinci Resolve, as it runs now. Slow: programs are asked.

    Raises:
        HostNotRunning: no way to it worked; the message says what was tried.
    """
    from resolve_bridge.connecting import connect  # noqa: PLC0415 (only when an editor is asked for)
    from resolve_bridge.host import ResolveHost  # noqa: PLC0415

    return ResolveHost.of(connect().required())


def snapshot_of(host: Host) -> Origin:
    """The editor's open timeline as a file of ours, always the same for the same timeline. Slow.

    It lies in the user's documents, as the stems that the editor's project will name go beside it.

    Raises:
        HostError: it refuses or is not there.
        OutputError: the file cannot be written.
    """
    info = answered(host.info())
    name = safe_name(info.timeline_name, limit=72, fallback="timeline")
    project = safe_name(info.project, limit=72, fallback="project") if info.project else ""
    folder = Path(user_documents_path()) / "Sagafoley" / project / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(folder, error) from error
    return Origin(answered(host.snapshot(folder)), info.name, from_editor=True)


def marks_of(host: Host, sheet: CueSheet) -> tuple[str, str] | None:
    """Timecode of the editor's in and out points; None where there are none or it does not tell. Slow."""
    try:
        scope = host.scope()
    except HostError:
        return None
    return timecodes(scope.marked, sheet) if scope is not None and scope.marked is not None else None


def reconnected(connect: Callable[[], Host], session: Session) -> Host:
    """The running editor found again, with the very timeline of the session open. Slow.

    Raises:
        HostError: it is not there, or has another timeline open.
        OutputError: its snapshot cannot be written.
    """
    host = connect()
    if snapshot_of(host).path != session.origin.path:
        raise HostRefused(
            f"Another timeline is open in {session.view.host} than '{session.view.name}'.",
            remedy=f"Open '{session.view.name}' there, then try again.",
        )
    return host


def answered(answer: T | None) -> T:
    """What a host answered; programs with an interface of their own may answer nothing at all.

    Raises:
        HostRefused: nothing.
    """
    if answer is None:
        raise HostRefused(
            "The editing program answered nothing.",
            remedy="Look at its timeline, and whether a dialog is open there, before you try again.",
        )
    return answer
