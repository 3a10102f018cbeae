"""What we placed on which timeline, kept on disk so that a later run can take it away again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from plugin.wholefile import discard, write_whole

SCHEMA = 1
Json = dict[str, Any]


class PlacementRecords:
    """The placements of every timeline, one file per timeline.

    Attributes:
        folder: where the files are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def of(self, project: str, timeline: str) -> list[Json]:
        """The placements on a timeline, oldest first; what cannot be read is none.

        Args:
            project: unique id of the project.
            timeline: unique id of the timeline.
        """
        try:
            found = json.loads(self._file(project, timeline).read_text("utf-8"))
        except (OSError, ValueError):
            return []
        fits = isinstance(found, dict) and found.get("schema") == SCHEMA
        same = fits and (found.get("project"), found.get("timeline")) == (project, timeline)
        return [one for one in found["placements"] if _is_record(one)] if same else []

    def keep(self, project: str, timeline: str, placements: list[Json]) -> None:
        """Write down the placements of a timeline; none at all takes the file away.

        Raises:
            OutputError: the file cannot be written.
        """
        path = self._file(project, timeline)
        if not placements:
            discard(path)
            return
        content = {"schema": SCHEMA, "project": project, "timeline": timeline, "placements": placements}
        write_whole(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode("utf-8"))

    def _file(self, project: str, timeline: str) -> Path:
        mark = hashlib.sha256(f"{project}\n{timeline}".encode("utf-8", "replace")).hexdigest()[:24]
        return self.folder / f"{mark}.json"


def _is_record(value: Any) -> bool:
    """Whether it has the shape that removing relies on."""
    try:
        pieces = [piece for track in value["tracks"] for piece in track["pieces"]]
        names = all(isinstance(track["name"], str) for track in value["tracks"])
        whole = all(isinstance(one["path"], str) and isinstance(one["start"], int) for one in pieces)
        return names and whole and isinstance(value["placement"], str)
    except (KeyError, TypeError):
        return False
