"""Removing: exactly what the record names, as it was put there."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from faults import write_error
from places import Places
from placing import holds_nothing, remove_empty_folders, remove_tree, summary, take_away
from record import NAME, Record, part_of, remove_with_record
from voice import Voice


@dataclass(frozen=True, slots=True)
class Removal:
    """What is removed, in an order in which a kill leaves nothing that only seems to work.

    Attributes:
        purge: "yes" also removes settings and fetched bundles.
    """

    record: Record
    places: Places
    voice: Voice
    purge: str = "no"

    def preview(self) -> None:
        """Say what `run` would remove."""
        for kind, title in (("file", "file"), ("tree", "environment"), ("folder", "folder, when empty")):
            for path in self.record.paths(kind):
                self.voice.say(f"  would remove {title}: {path}")
        for folder in self._passing():
            self.voice.say(f"  would remove what can be made again: {folder}")
        for folder in self._users():
            verb = "would remove" if self.purge == "yes" else "would keep"
            self.voice.say(f"  {verb} what is yours: {folder}")

    def run(self) -> None:
        """Remove it.

        Raises:
            InstallError: something cannot be removed; another run goes on from here.
        """
        os.chdir(self.places.root.anchor or "/")
        try:
            part_of(self.record.root / NAME).unlink(missing_ok=True)
            self._remove_files()
            self._remove_trees()
            self._remove_others()
            left = remove_empty_folders(self.record)
            remove_with_record(self.record)
        except OSError as error:
            raise write_error(Path(error.filename or self.record.root), error) from error
        for folder in left:
            self.voice.detail(f"kept, because something else is in it: {folder}")
        for folder in self._users():
            self.voice.note(f"kept, because it is yours: {folder} (--purge removes it too)")

    def _remove_files(self) -> None:
        """Launchers and menu script first: nothing is left that starts and fails."""
        trees = set(self.record.paths("tree"))
        outside_first = sorted(
            self.record.paths("file"), key=lambda path: path.is_relative_to(self.record.root)
        )
        for path in outside_first:
            if path.suffix == ".files" and path.with_suffix("") in trees:
                continue
            if not take_away(self.record, path):
                self.voice.note(f"kept, because you changed it: {path}")

    def _remove_trees(self) -> None:
        for tree in self.record.paths("tree"):
            for line in summary(remove_tree(self.record, tree)):
                self.voice.note(f"kept, because it is not as we put it there: {line}")
            take_away(self.record, tree.with_name(f"{tree.name}.files"))

    def _remove_others(self) -> None:
        for folder in (*self._passing(), *(self._users() if self.purge == "yes" else ())):
            shutil.rmtree(folder) if folder.is_dir() else folder.unlink()

    def _passing(self) -> tuple[Path, ...]:
        """What the product made and can make again, and folders of its in which nothing is left."""
        made = (self.places.cache, self.places.data / "bridge")
        hollow = (path for path in self._unrecorded() if holds_nothing(path))
        return tuple(dict.fromkeys((*(path for path in made if path.exists()), *hollow)))

    def _users(self) -> tuple[Path, ...]:
        """What belongs to the user: settings, presets, fetched bundles, and what is kept for them."""
        passing = self._passing()
        return tuple(path for path in self._unrecorded() if path not in passing)

    def _unrecorded(self) -> tuple[Path, ...]:
        """What is in the product's own folders and was not put there by an installer."""
        ours = {*map(Path, self.record.entries), self.record.root / NAME}
        folders = dict.fromkeys((self.places.config, self.places.data))
        found = (path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir()))
        return tuple(path for path in found if path not in ours)
