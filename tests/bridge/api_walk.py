"""Short ways through the API for tests: the objects of the open project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from tests.bridge.fake_resolve import Editor


def project_of(editor: Editor) -> Any:
    return editor.resolve().GetProjectManager().GetCurrentProject()


def pool_of(editor: Editor) -> Any:
    return project_of(editor).GetMediaPool()


def timeline_of(editor: Editor) -> Any:
    return project_of(editor).GetCurrentTimeline()


def write_wav(path: Path, *, samples: int = 48_000, channels: int = 2) -> str:
    """A silent 24-bit WAV at 48 kHz; its path as scripts pass it."""
    soundfile.write(path, np.zeros((samples, channels), np.float32), 48_000, subtype="PCM_24")
    return str(path)
