"""The fake editor for other processes: a loopback server in this one.

One thread for every connection. An editor that does not run answers nobody; when it quits, all lines are cut.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from .calling import APIS, Handle, parts
from .editor import Editor

Control = Callable[[str, list[Any], dict[str, Any]], Any]


class Server:
    """Answers the stand-in library.

    Attributes:
        editor: whom it answers for.
        address: host and port.
        control: what answers messages that steer the fake itself; None for nobody.
    """

    def __init__(self, editor: Editor, control: Control | None = None) -> None:
        self.editor = editor
        self.control = control
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listening.getsockname()[:2]
        self._lines: list[socket.socket] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        editor.on_quit.append(self.cut)

    def start(self, address_file: Path) -> None:
        """Answer, and let others know where."""
        beside = address_file.with_suffix(f".new-{os.getpid()}")
        beside.write_text(json.dumps(self.address), "utf-8")
        beside.replace(address_file)
        self._accepting.start()

    def cut(self) -> None:
        """Cut every line, as a program does that ends."""
        for line in self._lines:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        """No more of anything."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()
        self._accepting.join(10)

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._listening.accept()
            except OSError:
                return
            self._lines.append(line)
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        known: list[Handle] = []
        with suppress(OSError), line, line.makefile("rb") as file:
            for message in file:
                answer = self._answered(json.loads(message), known)
                line.sendall(json.dumps(answer).encode() + b"\n")

    def _answered(self, message: dict[str, Any], known: list[Handle]) -> dict[str, Any]:
        if "control" in message:
            assert self.control is not None
            return {"value": self.control(message["control"], message["args"], message["named"])}
        if "hello" in message:
            return self._greeted(message, known)
        if message.get("at_once"):
            self.editor.violations.append(f"{message['name']} was called while another call was under way")
        handle = known[message["call"]]
        named = dict.fromkeys(message.get("named", ()))
        args = tuple(_decoded(one, known) for one in message["args"])
        return {"value": _encoded(self.editor.answer(handle, message["name"], args, named), known)}

    def _greeted(self, message: dict[str, Any], known: list[Handle]) -> dict[str, Any]:
        if message.get("menu"):
            app = self.editor.resolve()
        else:
            app = self.editor.scriptapp(message["app"], process=message["hello"])
        return {
            "value": _encoded(app, known),
            "methods": {kind: sorted(self.editor.methods(kind)) for kind in APIS},
            "enums": self.editor.enums,
        }


def _encoded(value: Any, known: list[Handle]) -> Any:
    if isinstance(value, Handle):
        known.append(value)
        return {"@": len(known) - 1, "kind": parts(value)[1]}
    if isinstance(value, list):
        return [_encoded(one, known) for one in value]
    if isinstance(value, dict):
        return {"%": [[key, _encoded(one, known)] for key, one in value.items()]}
    return value


def _decoded(value: Any, known: list[Handle]) -> Any:
    if isinstance(value, list):
        return [_decoded(one, known) for one in value]
    if not isinstance(value, dict):
        return value
    if "@" in value:
        return known[value["@"]]
    if "?" in value:
        return object()
    return {_decoded(key, known): _decoded(one, known) for key, one in value["%"]}
