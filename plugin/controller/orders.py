"""What is rendered when somebody asks for takes: seeds, previews, and the engine of the settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from plugin.controller.board import Board
from plugin.controller.session import Session
from plugin.controller.states import current_takes
from plugin.controller.wire import EngineOrder, RenderOrder
from plugin.cues import MAX_SEED, MAX_TAKES, Cue
from plugin.workspace import Workspace


def order_of(cue: Cue, board: Board, *, number: int) -> RenderOrder:
    """The order for the takes of a cue.

    Raises:
        BundleError: there is no bundle to render with.
        UsageError: no timeline is open.
    """
    session = board.open_session()
    sheet = replace(session.book.sheet, cues=(cue,))
    return RenderOrder(str(number), sheet, session.view.folder, engine_order(board.workspace))


def engine_order(workspace: Workspace) -> EngineOrder:
    """The engine that the settings ask for.

    Raises:
        BundleError: there is no such bundle.
    """
    settings = workspace.settings
    return EngineOrder(
        bundle=str(workspace.bundle().folder),
        provider=settings.provider,
        threads=settings.threads,
        memory_mb=settings.memory_mb,
        cache_mb=settings.cache_mb,
        cache=str(workspace.folders.cache / "features"),
    )


def preview_of(cue: Cue, session: Session, workspace: Workspace) -> Cue:
    """The cue with the steps of the preview preset, where those are fewer."""
    steps, _ = session.presets.sampling(workspace.settings.preview_preset)
    return replace(cue, steps=min(steps, cue.steps), takes=1) if steps < cue.steps else cue


def extra_takes(cue: Cue, session: Session, waiting: Sequence[Cue], *, takes: int | None) -> Cue:
    """The cue with the seeds that are to be rendered; see `RenderQueue.generate`."""
    same = [take.cue.seed for take in current_takes(cue, session)]
    asked = {seed for each in waiting for seed in range(each.seed, each.seed + each.takes)}
    there = {*same, *asked}
    if takes is None and not all(cue.seed + place in there for place in range(cue.takes)):
        return cue
    first = max(there, default=cue.seed - 1) + 1
    count = min(max(takes or 1, 1), MAX_TAKES)
    return replace(cue, seed=first if first + count <= MAX_SEED else 0, takes=count)
