"""The playhead moved, and a timeline exported by Resolve itself."""

import os
from typing import Any

from .calls import call, has, read, refused, text
from .session import Session
from .tracks import Json


def show(resolve: Any, request: Json) -> Json:
    """Move the playhead to `timecode`; it stays there."""
    session = Session.open(resolve)
    session.require(str(request.get("timeline") or ""))
    wanted = str(request["timecode"])
    for _ in range(3):
        call(session.timeline, "SetCurrentTimecode", wanted)
        if text(session.timeline, "GetCurrentTimecode") == wanted:
            return {"timecode": wanted}
    raise refused(
        "Resolve did not move its playhead to {}.".format(wanted),
        "Open the Edit page in Resolve and close any window that is open, then do it again.",
    )


def export_otio(resolve: Any, request: Json) -> Json:
    """Let Resolve write the timeline as OTIO to `path`."""
    session = Session.open(resolve)
    path = str(request["path"])
    kind, subtype = getattr(resolve, "EXPORT_OTIO", None), getattr(resolve, "EXPORT_NONE", None)
    if kind is None or subtype is None or not has(session.timeline, "Export"):
        raise refused(
            "This version of Resolve cannot export OTIO by itself.",
            "Use File > Export > Timeline in Resolve instead.",
        )
    read(session.timeline, "Export", path, kind, subtype)
    if not os.path.isfile(path) or not os.path.getsize(path):
        raise refused(
            "Resolve did not write {}.".format(os.path.basename(path)),
            "Choose a folder that Resolve may write to.",
            detail=path,
        )
    return {"path": path}
