"""`sagafoley models`: bundles listed, verified, located; published checkpoints fetched and removed."""

from __future__ import annotations

import argparse
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from models_onnx.catalog import Catalog, CheckpointSet
from models_onnx.shelf import Shelf
from models_onnx.store import EMBEDDED
from plugin.bundles import find_bundle, list_mask_bundles
from plugin.checkpoints import (
    FetchPlan,
    checkpoint_folder,
    plan_fetch,
    remove_checkpoints,
    verify_checkpoints,
)
from plugin.cli.machine import manage_bundles
from plugin.cli.output import Output, table, terminal_width
from plugin.errors import BundleMissing, DownloadFailed, OutputError, UsageError
from plugin.folders import Folders
from plugin.workspace import Workspace

_THERE = {
    "digest": "there, verified",
    "size": "there; its size is the published one, but no digest was published to compare it with",
    "nothing": "there; nothing published to compare it with",
}
"""What is said of a file that has come, by what could be compared."""


def manage_models(options: argparse.Namespace, output: Output) -> int:
    """`sagafoley models`; the exit code."""
    if options.action == "fetch":
        return _fetch(options, output)
    if options.action == "remove":
        return _remove(options, output)
    if options.action == "verify" and options.bundle in Catalog.load().sets:
        return _verify(options, output)
    if options.action != "list" or options.bundle is not None:
        return manage_bundles(options, output)
    shelf = Shelf.open(_folder(options))
    code = manage_bundles(options, output, more={"sets": _sets_document(shelf)})
    _list_sets(shelf, output)
    return code


def _folder(options: argparse.Namespace) -> Path:
    return options.output.absolute() if options.output else checkpoint_folder(Folders.default())


# -- list ------------------------------------------------------------------------------------------


def _list_sets(shelf: Shelf, output: Output) -> None:
    """Published sets and what of them is here, under the table of bundles."""
    sets = Catalog.load().sets.values()
    rows = [
        (each.id, _state(each, shelf), _size(_whole_size(each)), _terms(each), each.title) for each in sets
    ]
    output.line()
    for line in table(
        ("TO FETCH", "STATE", "SIZE", "PAID WORK", "WHAT"), rows, width=terminal_width(output.results)
    ):
        output.line(line)


def _sets_document(shelf: Shelf) -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {
            "id": each.id,
            "title": each.title,
            "state": _state(each, shelf),
            "bytes": _whole_size(each),
            "paid_work": _terms(each),
            "licences": [licence.name for licence in each.licences],
            "export": each.export,
            "folder": str(shelf.folder),
            "files": [
                {
                    "name": file.name,
                    "state": shelf.state_of(file),
                    "bytes": file.size,
                    "exact": bool(file.bytes),
                    "licence": file.licence.name,
                    "purpose": file.purpose,
                }
                for file in each.files
            ],
        }
        for each in Catalog.load().sets.values()
    ]


def _state(chosen: CheckpointSet, shelf: Shelf) -> str:
    there = sum(shelf.state_of(file) == "fetched" for file in chosen.files)
    if there == len(chosen.files):
        return "fetched"
    return f"{there} of {len(chosen.files)}" if there else "not here"


def _terms(chosen: CheckpointSet) -> str:
    terms = {licence.paid_work for licence in chosen.licences}
    return "no" if "no" in terms else "read it" if "read it" in terms else "yes"


def _whole_size(chosen: CheckpointSet) -> int:
    return sum(file.size for file in chosen.files)


# -- fetch -----------------------------------------------------------------------------------------


def _fetch(options: argparse.Namespace, output: Output) -> int:
    """Show what will come and under which terms, ask once, fetch, say what is next."""
    if options.source is not None and not options.source.strip():
        raise UsageError("--from names nothing.", remedy="Name a folder or an https mirror, or leave it out.")
    plan = plan_fetch(_name(options, "fetch"), _folder(options), source=options.source or "")
    if plan.missing:
        _show(plan, output)
        if plan.to_accept and (options.accept_licence or _agrees(output)):
            plan.accept()
        _drain(plan, output)
    output.line(f"{plan.chosen.title}: all {len(plan.chosen.files)} files are in {plan.shelf.folder}")
    if plan.chosen.export:
        folder, made = plan.shelf.folder, f"bundles/{plan.chosen.id}"
        output.line(f"next: sagafoley-export {plan.chosen.export} --checkpoints '{folder}' -o {made}")
    output.document(_document(plan))
    return 0


def _name(options: argparse.Namespace, action: str) -> str:
    if not options.bundle:
        known = ", ".join(Catalog.load().sets)
        raise UsageError(f"models {action} needs a name.", remedy=f"Name one of: {known}.")
    return str(options.bundle)


def _show(plan: FetchPlan, output: Output) -> None:
    """Files, sizes, licences, room; on stderr, where the question is."""
    rows = [
        (
            file.name,
            _size(file.size, exact=bool(file.bytes)),
            plan.shelf.state_of(file),
            file.licence.name,
            file.purpose,
        )
        for file in plan.chosen.files
    ]
    header = ("FILE", "SIZE", "STATE", "LICENCE", "WHAT")
    for line in table(header, rows, width=terminal_width(output.notes)):
        output.note(line)
    output.note(f"About {_size(plan.remaining)} to fetch, {_size(plan.room)} free in {plan.shelf.folder}.")
    for licence in plan.chosen.licences:
        output.note(f"{licence.name}: {licence.text} {licence.address}")
    unproven = [file.name for file in plan.missing if file.compared != "digest"]
    if unproven:
        output.note(
            f"No digest was published for {', '.join(unproven)}: the size is checked, and the digest that the"
            " publishing server itself tells."
        )


def _agrees(output: Output) -> bool:
    """The answer to the one question; no, where nobody is there to answer."""
    if output.json or not sys.stdin or not sys.stdin.isatty() or not output.notes.isatty():
        return False
    print("Do you accept these licences? [y/N] ", end="", file=output.notes, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _drain(plan: FetchPlan, output: Output) -> None:
    bar = _Bar(output)
    try:
        for file in plan.run(bar.move):
            bar.close()
            output.note(f"{file.name}: {_THERE[file.compared]}")
    finally:
        bar.close()


class _Bar:
    """One bar a file, on a terminal only."""

    def __init__(self, output: Output) -> None:
        self._stream = output.notes
        self._shown = output.notes.isatty() and not output.json
        self._bar: Any = None

    def move(self, name: str, done: int, total: int) -> None:
        """Show how far a file is."""
        if not self._shown:
            return
        if self._bar is None:
            from tqdm import tqdm  # noqa: PLC0415 (only a terminal needs it)

            columns = shutil.get_terminal_size().columns - 1
            self._bar = tqdm(
                desc=name, file=self._stream, leave=False, unit="B", unit_scale=True, ncols=columns
            )
        self._bar.total = total or None
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Take it away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _document(plan: FetchPlan) -> dict[str, Any]:
    receipts = plan.shelf.receipts
    return {
        "set": plan.chosen.id,
        "folder": str(plan.shelf.folder),
        "files": [
            {
                "name": file.name,
                "bytes": receipts[file.name].bytes,
                "sha256": receipts[file.name].sha256,
                "licence": file.licence.name,
            }
            for file in plan.chosen.files
        ],
    }


# -- verify ----------------------------------------------------------------------------------------


def _verify(options: argparse.Namespace, output: Output) -> int:
    """Hash a fetched set again; the exit code is 2 where a file is missing or another."""
    found = []
    for file, fault in verify_checkpoints(options.bundle, _folder(options)):
        found.append({"name": file.name, "fault": fault})
        output.line(f"{file.name}: {fault or _THERE[file.compared]}")
    faults = [f"{each['name']} {each['fault']}" for each in found if each["fault"]]
    if faults:
        raise DownloadFailed(
            f"{options.bundle} in {_folder(options)} is not as published: {', '.join(faults)}.",
            remedy=f"Move what is another file elsewhere, then `sagafoley models fetch {options.bundle}`; "
            "whole files are not fetched twice.",
        )
    output.document({"set": options.bundle, "folder": str(_folder(options)), "files": found})
    return 0


# -- remove ----------------------------------------------------------------------------------------


def _remove(options: argparse.Namespace, output: Output) -> int:
    """Remove a fetched set, or a bundle of the user's."""
    name = _name(options, "remove")
    if name in Catalog.load().sets:
        removed = remove_checkpoints(name, _folder(options))
    else:
        removed = _remove_bundle(name)
    for path in removed:
        output.path(path)
    output.note(f"{name}: removed" if removed else f"{name}: nothing of it is here; nothing was changed")
    output.document({"removed": [str(path) for path in removed]})
    return 0


def _remove_bundle(name: str) -> tuple[Path, ...]:
    """A bundle in the user's own folder, out of sight first, so that half of one is never found."""
    workspace = Workspace.open()
    own = workspace.folders.bundles
    with suppress(BundleMissing):
        masks = {state.name: state.folder for state in list_mask_bundles(workspace.store)}
        folder = masks.get(name) or find_bundle(workspace.store, name).folder
        if name == EMBEDDED or folder.parent != own.resolve():
            raise UsageError(
                f"{name} in {folder} was not fetched or put there by you; it is not removed.",
                remedy=f"Name a bundle in {own}, or a published set.",
            )
        hidden = folder.with_name(f".{folder.name}.removing")
        try:
            folder.rename(hidden)
            shutil.rmtree(hidden)
        except OSError as error:
            message = f"{folder} could not be removed: {error.strerror or error}."
            raise OutputError(message, remedy="Close what uses it and run again.") from error
        return (folder,)
    known = ", ".join(Catalog.load().sets)
    raise UsageError(f"There is no bundle or published set {name!r}.", remedy=f"Published are: {known}.")


def _size(count: int, *, exact: bool = True) -> str:
    shown = f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
    return shown if exact else f"~{shown}"
