"""The fake editor as a program: in this process, or in one of its own that can be killed."""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .editor import Editor
from .installation import Installation
from .profiles import PROFILES, Options
from .scenes import film
from .serving import Server

ROOT = Path(__file__).parents[3]
_WORDS = ("state", "fail", "heal", "open_modal", "close_modal", "settle", "quit", "count")


@contextmanager
def served(editor: Editor, root: Path) -> Iterator[Installation]:
    """The editor of this process, for others to connect to while the block lasts.

    Faster than a process of its own, and the test can look into the editor.
    """
    installation = Installation.create(root, editor.profile)
    server = Server(editor)
    server.start(installation.address)
    try:
        yield installation
    finally:
        editor.heal()
        server.stop()
        installation.close()


class OwnProcess:
    """An editor in a process of its own.

    Attributes:
        process: it.
        installation: where others find it.
    """

    def __init__(self, process: subprocess.Popen[bytes], installation: Installation) -> None:
        self.process = process
        self.installation = installation
        address = json.loads(installation.address.read_text("utf-8"))
        self._line = socket.create_connection(tuple(address), timeout=60)
        self._file = self._line.makefile("rwb")

    @classmethod
    @contextmanager
    def start(
        cls,
        root: Path,
        profile: str = "studio_20_3",
        *,
        media: Path | None = None,
        options: dict[str, Any] | None = None,
        **scene: Any,
    ) -> Iterator[OwnProcess]:
        """Start one; `scene` goes to `scenes.film`. It is killed when the block ends."""
        installation = Installation.create(root, PROFILES[profile])
        asked = {
            "root": str(root),
            "profile": profile,
            "media": str(media or root / "media"),
            "options": options or {},
            "scene": scene,
        }
        env = os.environ | {"PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "tests.bridge.fake_resolve", json.dumps(asked)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=env)
        assert process.stdin is not None
        assert process.stdout is not None
        editor = None
        try:
            assert process.stdout.readline() == b"ready\n"
            editor = cls(process, installation)
            yield editor
        finally:
            if editor is not None:
                editor._file.close()
                editor._line.close()
            process.kill()
            process.wait(30)
            process.stdin.close()
            process.stdout.close()
            installation.close()

    def do(self, word: str, *args: Any, **named: Any) -> Any:
        """Call a method of its `Editor`; `set` changes options, `calls` and `violations` are lists of str."""
        message = {"control": word, "args": args, "named": named}
        self._file.write(json.dumps(message).encode() + b"\n")
        self._file.flush()
        return json.loads(self._file.readline())["value"]

    def state(self) -> dict[str, Any]:
        """All that it owns."""
        state: dict[str, Any] = self.do("state")
        return state

    def kill(self) -> None:
        """The program crashes."""
        self.process.kill()
        self.process.wait(30)


class _Steering:
    """What `OwnProcess.do` reaches."""

    def __init__(self, editor: Editor) -> None:
        self._editor = editor

    def __call__(self, word: str, args: list[Any], named: dict[str, Any]) -> Any:
        if word == "set":
            for name, value in named.items():
                setattr(self._editor.options, name, value)
            return None
        if word in {"calls", "violations"}:
            return [str(one) for one in getattr(self._editor, word)]
        assert word in _WORDS, word
        result = getattr(self._editor, word)(*args, **named)
        return None if word == "fail" else result


def main() -> None:
    """The process: it ends when its parent does."""
    parser = argparse.ArgumentParser()
    parser.add_argument("asked", type=json.loads)
    asked = parser.parse_args().asked
    editor = Editor(asked["profile"], Options(**asked["options"]))
    film(editor, Path(asked["media"]), **asked["scene"])
    ended = threading.Event()
    editor.on_quit.append(ended.set)
    server = Server(editor, _Steering(editor))
    installation = Installation(Path(asked["root"]), editor.profile)
    server.start(installation.address)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    ended.wait()
    installation.close()
