"""What an installation will do, found out before anything is done."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from launchers import launcher_files, menu_note
from machine import Machine
from places import APPLICATION, Places
from placing import Put, Wanted, missing_of_tree, state_of
from product import Product
from record import Record
from runtimes import Runtime

_BASE_DOWNLOAD = 120_000_000
_BASE_ROOM = 420_000_000
_PANEL_DOWNLOAD = 85_000_000
_PANEL_ROOM = 260_000_000
_HERE = Path(__file__).parent
_INSIDE = "resolve_bridge/inside"
_MENU_SCRIPT = "Sagafoley.py"


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user wants.

    Attributes:
        runtime: the onnxruntime.
        panel, resolve: "yes" or "no"; Resolve's menu script starts the panel, so there is none without it.
        wheels: folder that all packages come from, None for the network.
    """

    runtime: Runtime
    panel: str = "yes"
    resolve: str = "yes"
    wheels: Path | None = None

    @property
    def extras(self) -> tuple[str, ...]:
        """The product's extras that are asked for."""
        return (self.runtime.extra, "panel") if self.panel == "yes" else (self.runtime.extra,)


@dataclass(frozen=True, slots=True)
class Plan:
    """What there will be, and what of it is there already.

    Attributes:
        environment: the folder of the environment; its name holds all that it depends on.
    """

    machine: Machine
    places: Places
    product: Product
    choices: Choices
    record: Record | None

    @property
    def key(self) -> str:
        """Names the environment: other product, Python, runtime or extras, other environment."""
        python = self.machine.python
        parts = (self.product.digest, str(python.executable), python.series, *self.choices.extras)
        return f"{self.product.version}-{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:8]}"

    @property
    def environment(self) -> Path:
        """Where the environment is or will be."""
        return self.places.environments / self.key

    def environment_state(self) -> str:
        """One word: "whole", "damaged" (files are gone), "unfinished" or "missing"."""
        entry = self.record.get(self.environment) if self.record else None
        if entry is None:
            return "missing"
        if entry.state != "whole":
            return "unfinished"
        return "damaged" if missing_of_tree(self.environment) else "whole"

    def files(self) -> tuple[Wanted, ...]:
        """Every file outside of the environment."""
        return (*self._own_files(), *self._desktop_files(), *self._resolve_files())

    def file_states(self) -> tuple[tuple[Wanted, Put], ...]:
        """Every file, and what would become of it."""
        return tuple((wanted, state_of(self.record, wanted)) for wanted in self.files())

    def obsolete_trees(self) -> tuple[Path, ...]:
        """Earlier environments, and what an interrupted run left."""
        trees = self.record.paths("tree") if self.record else ()
        return tuple(tree for tree in trees if tree != self.environment)

    def obsolete_files(self) -> tuple[Path, ...]:
        """Files of ours that this version no longer has."""
        listings = {
            tree.with_name(f"{tree.name}.files") for tree in (self.environment, *self.obsolete_trees())
        }
        wanted = {each.path for each in self.files()} | listings
        files = self.record.paths("file") if self.record else ()
        return tuple(path for path in files if path not in wanted)

    def is_done(self) -> bool:
        """Whether all is as it should be."""
        put = {Put.SAME, Put.FOREIGN}
        return (
            self.environment_state() == "whole"
            and all(state in put for _, state in self.file_states())
            and not self.obsolete_trees()
            and not self.obsolete_files()
            and self.record is not None
            and self.record.facts.key == self.key
        )

    @property
    def download(self) -> int:
        """Bytes to fetch, about."""
        if self.choices.wheels is not None or self.environment_state() == "whole":
            return 0
        panel = _PANEL_DOWNLOAD if self.choices.panel == "yes" else 0
        return _BASE_DOWNLOAD + panel + self.choices.runtime.download(self.machine.system)

    @property
    def room(self) -> int:
        """Bytes needed on the disk while installing, about: what is fetched, and what it unpacks to."""
        if self.environment_state() == "whole":
            return 0
        panel = _PANEL_ROOM if self.choices.panel == "yes" else 0
        return _BASE_ROOM + panel + self.download + 3 * self.choices.runtime.download(self.machine.system)

    def free(self) -> int:
        """Bytes free where the environment will be."""
        root = self.places.root
        return shutil.disk_usage(next(each for each in (root, *root.parents) if each.exists())).free

    def _own_files(self) -> Iterator[Wanted]:
        for path in sorted(_HERE.glob("*.py")):
            yield Wanted(self.places.installer / path.name, path.read_bytes())
        if self.places.icon is not None and self.choices.panel == "yes":
            yield Wanted(self.places.icon, (_HERE / f"{APPLICATION}.svg").read_bytes())
        yield Wanted(
            self.places.installer / f"{APPLICATION}.svg", (_HERE / f"{APPLICATION}.svg").read_bytes()
        )

    def _desktop_files(self) -> Iterator[Wanted]:
        for wanted in launcher_files(self.machine, self.places, self.environment):
            if wanted.path != self.places.menu_entry or self.choices.panel == "yes":
                yield wanted

    def _resolve_files(self) -> Iterator[Wanted]:
        script = self.product.read(f"{_INSIDE}/{_MENU_SCRIPT}")
        if self.choices.resolve == self.choices.panel == "yes" and script is not None:
            yield Wanted(self.places.resolve_scripts / _MENU_SCRIPT, script)
            note = menu_note(self.machine, self.places, self.environment, self.product.version)
            yield Wanted(self.places.menu_note, note)
