"""Published checkpoints on this machine: what is there, what a set still needs, fetching and removing it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from models_onnx.addresses import UnsafeAddress, check_address, file_address, shown
from models_onnx.catalog import Catalog, CheckpointSet, PublishedFile, WeightsLicence
from models_onnx.copying import copy_file
from models_onnx.fetching import Fetcher, FetchFailed, Progress, Session, room_in
from models_onnx.parts import Digests
from models_onnx.shelf import Shelf, only_needed_by
from plugin.errors import DownloadFailed, LicenceNotAccepted, OutputError, SagafoleyError, UsageError
from plugin.folders import Folders

_AGAIN = "Run the same line again later; it goes on where it was."
_REMEDIES = {
    "network": _AGAIN,
    "refused": "Fetch the file by hand and give its folder with --from FOLDER.",
    "damaged": "Run the same line again, or give a folder that has the published file with --from FOLDER.",
    "changed": "If its publisher says that it was replaced, remove receipts.json beside it and run the same"
    " line again; else do not use it.",
    "busy": "Wait until it has ended, then run the same line again.",
    "unsafe": "Give a folder or an https mirror with --from.",
}


@dataclass(frozen=True, slots=True)
class FetchPlan:
    """What a set needs, and what of it is there.

    Attributes:
        chosen: the set.
        shelf: where its files are kept.
        source: "" for where they are published; else a folder or the address of a mirror.
    """

    chosen: CheckpointSet
    shelf: Shelf
    source: str = ""

    @property
    def missing(self) -> tuple[PublishedFile, ...]:
        """Files that are not there, or not known to be what was published."""
        return tuple(file for file in self.chosen.files if self.shelf.state_of(file) != "fetched")

    @property
    def remaining(self) -> int:
        """Bytes still to come, about."""
        return sum(map(self.shelf.remaining, self.chosen.files))

    @property
    def room(self) -> int:
        """Bytes free where they will be kept."""
        return room_in(self.shelf.folder)

    @property
    def to_accept(self) -> tuple[WeightsLicence, ...]:
        """Licences that were not accepted yet."""
        return tuple(each for each in self.chosen.licences if each.id not in self.shelf.accepted)

    def accept(self) -> None:
        """Remember that every licence was accepted.

        Raises:
            OutputError: that cannot be written.
        """
        try:
            self.shelf.accept(licence.id for licence in self.to_accept)
        except OSError as error:
            raise _unwritable(self.shelf.folder, error) from error

    def run(self, progress: Progress) -> Iterator[PublishedFile]:
        """Fetch what is missing; given is each file once it is there, compared with what was published.

        Raises:
            LicenceNotAccepted: a licence was not accepted.
            OutputError: there is too little room, or a file cannot be written.
            DownloadFailed: a file cannot be had, or is not what was published.
        """
        if self.to_accept:
            names = ", ".join(licence.name for licence in self.to_accept)
            raise LicenceNotAccepted(
                f"{self.chosen.id} was not fetched: {names} not accepted.",
                remedy="Read the licences and run the same line with --accept-licence.",
            )
        if self.remaining > self.room:
            raise OutputError(
                f"{self.chosen.id} needs about {_size(self.remaining)} more; "
                f"{_size(self.room)} are free in {self.shelf.folder}.",
                remedy="Free some space, or choose another folder with -o FOLDER.",
            )
        with Session() as session:
            for file in self.missing:
                self._fetch(file, Fetcher(session, progress))
                yield file

    def _fetch(self, file: PublishedFile, fetcher: Fetcher) -> None:
        try:
            if self.shelf.state_of(file) == "unknown":
                self._verify(file)
                return
            found = self._bring(file, fetcher)
            self._keep(file, found)
        except (FetchFailed, UnsafeAddress) as error:
            raise _translated(error) from error
        except OSError as error:
            raise _unwritable(self.shelf.path_of(file), error) from error

    def _keep(self, file: PublishedFile, found: Digests) -> None:
        """The receipt, unless another file of that name was here before."""
        fault = self.shelf.contradiction(file, found)
        if fault:
            self.shelf.path_of(file).unlink()
            raise FetchFailed(f"{file.name} in {self.shelf.folder} {fault}.", reason="changed")
        self.shelf.keep(file, found)

    def _verify(self, file: PublishedFile) -> None:
        """A file that somebody put there."""
        path = self.shelf.path_of(file)
        fault = self.shelf.verify(file)
        if fault:
            raise DownloadFailed(
                f"{path} {fault}.",
                remedy="Move it elsewhere and run the same line again to fetch the published one.",
            )

    def _bring(self, file: PublishedFile, fetcher: Fetcher) -> Digests:
        target = self.shelf.path_of(file)
        if not self.source:
            return fetcher.fetch(file, check_address(file.address), target)
        if "://" not in self.source:
            return copy_file(
                file, Path(self.source).expanduser().absolute() / file.name, target, fetcher.progress
            )
        address = check_address(file_address(self.source, file.name), named_by_user="yes")
        if urlsplit(address).scheme.lower() == "http" and file.compared != "digest":
            raise UnsafeAddress(
                f"{file.name} has no published digest, so {shown(address)} could give anything"
            )
        return fetcher.fetch(file, address, target)


def checkpoint_folder(folders: Folders) -> Path:
    """Where fetched checkpoints are kept unless another folder is named."""
    return folders.data / "checkpoints"


def plan_fetch(name: str, folder: Path, *, source: str = "") -> FetchPlan:
    """What fetching a set means here.

    Raises:
        UsageError: there is no such set.
    """
    return FetchPlan(find_set(name), Shelf.open(folder), source)


def find_set(name: str) -> CheckpointSet:
    """The set of that name.

    Raises:
        UsageError: there is none.
    """
    sets = Catalog.load().sets
    if name in sets:
        return sets[name]
    near = difflib.get_close_matches(name, sets, n=1)
    remedy = f"Did you mean {near[0]}?" if near else f"Name one of: {', '.join(sets)}."
    raise UsageError(f"There is no published set {name!r}.", remedy=remedy)


def verify_checkpoints(name: str, folder: Path) -> Iterator[tuple[PublishedFile, str]]:
    """Hash a set's files again: each with what is wrong with it, "" where it is the published one.

    Raises:
        UsageError: there is no such set.
        OutputError: its receipt cannot be written.
    """
    shelf = Shelf.open(folder)
    for file in find_set(name).files:
        path = shelf.path_of(file)
        if not path.is_file():
            yield file, "is missing"
            continue
        try:
            yield file, shelf.verify(file)
        except OSError as error:
            raise _unwritable(path, error) from error


def remove_checkpoints(name: str, folder: Path) -> tuple[Path, ...]:
    """Remove a set's files, but for those that another whole set needs; given is what was removed.

    Raises:
        UsageError: there is no such set.
        OutputError: a file cannot be removed.
    """
    chosen, shelf = find_set(name), Shelf.open(folder)
    try:
        return shelf.remove(only_needed_by(chosen, Catalog.load().sets.values(), shelf))
    except OSError as error:
        raise _unwritable(folder, error) from error


def _translated(error: FetchFailed | UnsafeAddress) -> SagafoleyError:
    reason = error.reason if isinstance(error, FetchFailed) else "unsafe"
    if reason in {"full", "write"}:
        return OutputError(
            str(error), remedy="Free some space or choose another folder with -o, then run again."
        )
    text = str(error)
    message = text if text.endswith(".") else f"{text}."
    return DownloadFailed(message, remedy=_REMEDIES[reason])


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path} could not be written or removed: {error.strerror or error}.",
        remedy="Choose another folder with -o FOLDER, or make this one writable for you.",
    )


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
