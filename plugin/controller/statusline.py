"""The status bar in words."""

from __future__ import annotations

from plugin.controller.board import Board
from plugin.controller.queue import RenderQueue
from plugin.controller.takerows import licence_words
from plugin.controller.views import StatusLine

_WORTH_TELLING = ("open", "place", "closely", "doctor")
"""Background work that somebody asked for; the desk's own looks come and go unseen."""


def status_line(board: Board, queue: RenderQueue, *, saved: str, problems: int) -> StatusLine:
    """The status bar.

    Args:
        board: of the desk.
        queue: its renders.
        saved: whether edits are on disk, in words.
        problems: how many there are.
    """
    return StatusLine(
        bundle=_bundle(board),
        provider=_provider(board, queue),
        memory=f"{queue.memory / 1e6:,.0f} MB" if queue.memory else "",
        queue=queue.words(),
        saved=saved,
        busy=queue.running or any(map(board.chores.has, _WORTH_TELLING)),
        problems=problems,
    )


def _bundle(board: Board) -> str:
    if board.bundle is None:
        return "no model bundle"
    licence = board.bundle.manifest.licence
    return f"{board.bundle.manifest.id}, {licence_words(licence.name, allowed=licence.commercial_use)}"


def _provider(board: Board, queue: RenderQueue) -> str:
    if queue.provider:
        return f"on {queue.provider.upper()}"
    asked = board.workspace.settings.provider
    return "on GPU or CPU, known at the first render" if asked == "auto" else f"on {asked.upper()}"
