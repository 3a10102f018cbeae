"""`sagafoley`: the command line's front door. Every failure ends here as a sentence and an exit code."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
import traceback
from collections.abc import Callable, Sequence

from plugin import __version__
from plugin.cli.interrupt import GO_ON
from plugin.cli.output import Output
from plugin.cli.parser import PROGRAM, parse
from plugin.errors import Cancelled, SagafoleyError

DONE, SOME_FAILED, WRONG_INPUT, CANCELLED = 0, 1, 2, 130

_COMMANDS = {
    "render": ("plugin.cli.render", "render_timeline"),
    "spots": ("plugin.cli.spots", "list_spots"),
    "generate": ("plugin.cli.generate", "generate_sound"),
    "mask": ("plugin.cli.mask", "make_mask"),
    "resolve": ("plugin.cli.resolve", "manage_resolve"),
    "panel": ("plugin.cli.panel", "open_panel"),
    "models": ("plugin.cli.models", "manage_models"),
    "doctor": ("plugin.cli.machine", "report_health"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and give its exit code; no exception leaves it."""
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        return _reader_has_gone()
    return code


def _run(arguments: Sequence[str] | None) -> int:
    try:
        options = parse(arguments)
    except SystemExit as ending:  # argparse ends this way after help and wrong usage
        return ending.code if isinstance(ending.code, int) else WRONG_INPUT
    return _guarded(options, Output.standard(json=options.json, verbose=options.verbose))


def _guarded(options: argparse.Namespace, output: Output) -> int:
    """The command's exit code; its failures told in words."""
    logging.basicConfig(
        level=logging.INFO if options.verbose else logging.CRITICAL,
        format="%(levelname)s %(name)s: %(message)s",
    )
    # numpy's small products gain nothing from threads, which cost tenfold where cores are shared.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        return _command(options.command)(options, output)
    except SagafoleyError as error:
        output.failure(error)
        _trace(output)
        return WRONG_INPUT
    except (Cancelled, KeyboardInterrupt):
        output.note(GO_ON)
        output.document({"cancelled": True})
        return CANCELLED
    except BrokenPipeError:
        raise
    except ImportError as error:
        output.failure(_broken_installation(error))
        _trace(output)
        return WRONG_INPUT
    except Exception as error:  # noqa: BLE001 (the outermost edge: a user never meets a traceback)
        output.failure(_unforeseen(error))
        _trace(output)
        return SOME_FAILED


def _broken_installation(error: ImportError) -> SagafoleyError:
    return SagafoleyError(
        f"A package of Sagafoley is missing or broken: {error}.",
        remedy=f"Run `{PROGRAM} doctor` to see which, then install Sagafoley again.",
    )


def _unforeseen(error: Exception) -> SagafoleyError:
    return SagafoleyError(
        f"{PROGRAM} {__version__} met something unforeseen: {type(error).__name__}: {error}.",
        remedy="Run the same line with --verbose and send what it prints to the makers.",
    )


def _command(name: str) -> Callable[[argparse.Namespace, Output], int]:
    """What a command runs; loaded only now: help answers at once, doctor works when others cannot."""
    module, function = _COMMANDS[name]
    command: Callable[[argparse.Namespace, Output], int] = getattr(importlib.import_module(module), function)
    return command


def _trace(output: Output) -> None:
    if output.verbose:
        traceback.print_exc(file=output.notes)


def _reader_has_gone() -> int:
    """What read our output (`head`, a pager) closed it: end quietly, as other programs do."""
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, sys.stdout.fileno())
    return 128 + 13
