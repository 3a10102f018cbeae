"""`sagafoley doctor` and `sagafoley models`: this machine and its bundles."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plugin import __version__
from plugin.bundles import BundleState, list_bundles, list_mask_bundles, verify_bundle
from plugin.cli.output import Output, error_document, table, terminal_width
from plugin.doctor import Finding, State, examine
from plugin.errors import UsageError
from plugin.workspace import Workspace

_MARKS = {State.GOOD: "ok  ", State.NOTE: "note", State.BAD: "BAD "}


def report_health(_options: argparse.Namespace, output: Output) -> int:
    """`sagafoley doctor`: every finding as it is made; 1 when a render would not work."""
    workspace = Workspace.open()
    findings: list[Finding] = []
    for finding in examine(folders=workspace.folders, store=workspace.store, output=Path.cwd()):
        findings.append(finding)
        output.line(f"{_MARKS[finding.state]}  {finding.subject:<15} {finding.found}")
        if finding.remedy:
            output.line(f"      {'':<15} -> {finding.remedy}")
    ready = all(finding.state is not State.BAD for finding in findings)
    output.line("Ready to render." if ready else "Not ready: see the lines marked BAD.")
    output.document(
        {"version": __version__, "ready": ready, "findings": [_finding(each) for each in findings]}
    )
    return 0 if ready else 1


def _finding(finding: Finding) -> dict[str, str]:
    return {
        "subject": finding.subject,
        "state": str(finding.state),
        "found": finding.found,
        "remedy": finding.remedy,
    }


def manage_bundles(
    options: argparse.Namespace, output: Output, *, more: Mapping[str, Any] | None = None
) -> int:
    """`sagafoley models`: list, verify, path; 1 when a bundle is damaged.

    Args:
        options: of the command line.
        output: where it is told.
        more: goes into the JSON document of a list beside the bundles.
    """
    workspace = Workspace.open({"bundle": options.bundle})
    if options.action == "path":
        folder = _folder(workspace, options.bundle)
        output.path(folder)
        output.document({"bundle": workspace.settings.bundle, "folder": str(folder)})
        return 0
    states = _chosen_bundles(workspace, options.bundle)
    if options.action == "verify":
        states = tuple(map(verify_bundle, states))
    _print_bundles(states, output)
    output.document({"bundles": [_bundle(state) for state in states], **(more or {})})
    return 1 if any(state.fault for state in states) else 0


def _chosen_bundles(workspace: Workspace, name: str | None) -> tuple[BundleState, ...]:
    masks = list_mask_bundles(workspace.store)
    if name is None:
        states = (*list_bundles(workspace.store), *masks)
    elif named := tuple(state for state in masks if state.name == name):
        states = named
    else:
        bundle = workspace.bundle()
        states = (BundleState(bundle.manifest.id, bundle.folder, bundle, None),)
    if not states:
        raise UsageError(
            "There is no model bundle.", remedy="Install Sagafoley again, or set SAGAFOLEY_BUNDLES."
        )
    return states


def _folder(workspace: Workspace, name: str | None) -> Path:
    """Of the bundle of that name, of either kind; of the one in use where none is named."""
    masks = (state.folder for state in list_mask_bundles(workspace.store) if state.name == name)
    return next(masks, None) or workspace.bundle().folder


def _print_bundles(states: tuple[BundleState, ...], output: Output) -> None:
    rows = [(state.name, state.condition, state.size, _licence(state), str(state.folder)) for state in states]
    for line in table(
        ("BUNDLE", "STATE", "SIZE", "LICENCE", "FOLDER"), rows, width=terminal_width(output.results)
    ):
        output.line(line)
    for state in states:
        if state.fault is not None:
            output.error(state.fault)


def _licence(state: BundleState) -> str:
    return state.bundle.manifest.licence.name if state.bundle else "?"


def _bundle(state: BundleState) -> dict[str, Any]:
    manifest = state.bundle.manifest if state.bundle else None
    return {
        "name": state.name,
        "folder": str(state.folder),
        "state": state.condition,
        "title": manifest.title if manifest else None,
        "version": manifest.version if manifest else None,
        "digest": state.bundle.digest if state.bundle else None,
        "megabytes": round(state.megabytes, 3),
        "licence": manifest.licence.name if manifest else None,
        "commercial_use": manifest.licence.commercial_use if manifest else None,
        "fault": error_document(state.fault) if state.fault else None,
    }
