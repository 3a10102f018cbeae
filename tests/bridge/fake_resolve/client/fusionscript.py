"""Stand-in for the native library: objects whose calls travel to the fake editor.

Python 3.6 and the standard library only, as it runs in whatever interpreter a script has. The editor's
address lies beside this file; without it the editor does not run.
"""
# ruff: noqa: PTH100, PTH118, PTH120, PTH123

import json
import os
import socket
import threading


class _Line:
    """The connection to the editor; one call at a time, and it tells when two come at once."""

    def __init__(self, address):
        self._socket = socket.create_connection(tuple(address), timeout=10)
        self._socket.settimeout(None)
        self._file = self._socket.makefile("rwb")
        self._lock = threading.Lock()
        self.methods = {}
        self.enums = {}

    def ask(self, message):
        """The answer, None when the editor is gone."""
        if not self._lock.acquire(False):
            message = dict(message, at_once=True)
            self._lock.acquire()
        try:
            self._file.write(json.dumps(message).encode("utf-8") + b"\n")
            self._file.flush()
            answer = self._file.readline()
            return json.loads(answer.decode("utf-8")) if answer else None
        except (OSError, ValueError):
            return None
        finally:
            self._lock.release()


class _Remote:
    """An object of the editor. Any attribute that is no method of it is None."""

    __slots__ = ("_id", "_kind", "_line")

    def __init__(self, line, kind, number):
        object.__setattr__(self, "_line", line)
        object.__setattr__(self, "_kind", kind)
        object.__setattr__(self, "_id", number)

    def __getattribute__(self, name):
        get = object.__getattribute__
        if name.startswith("__"):
            return get(self, name)
        line, kind = get(self, "_line"), get(self, "_kind")
        if kind == "Resolve" and name in line.enums:
            return line.enums[name]
        if name not in line.methods.get(kind, ()):
            return None
        return _Method(line, get(self, "_id"), name)

    def __setattr__(self, name, value):
        pass

    def __dir__(self):
        get = object.__getattribute__
        line, kind = get(self, "_line"), get(self, "_kind")
        return sorted(list(line.methods.get(kind, ())) + (list(line.enums) if kind == "Resolve" else []))


class _Method:
    def __init__(self, line, number, name):
        self._line = line
        self._number = number
        self._name = name

    def __call__(self, *args, **kwargs):
        message = {"call": self._number, "name": self._name, "args": [_encoded(one) for one in args]}
        if kwargs:
            message["named"] = sorted(kwargs)
        answer = self._line.ask(message)
        return None if answer is None else _decoded(self._line, answer["value"])


def _encoded(value):
    if isinstance(value, _Remote):
        return {"@": object.__getattribute__(value, "_id")}
    if isinstance(value, dict):
        return {"%": [[_encoded(key), _encoded(one)] for key, one in value.items()]}
    if isinstance(value, (list, tuple)):
        return [_encoded(one) for one in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return {"?": repr(value)}


def _decoded(line, value):
    if isinstance(value, list):
        return [_decoded(line, one) for one in value]
    if not isinstance(value, dict):
        return value
    if "@" in value:
        return _Remote(line, value["kind"], value["@"])
    return {_decoded(line, key): _decoded(line, one) for key, one in value["%"]}


def _connected(hello):
    """The object that the editor gives to a caller, or None."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fusionscript.address")
    try:
        with open(path, encoding="utf-8") as file:
            line = _Line(json.load(file))
    except (OSError, ValueError):
        return None
    answer = line.ask(hello)
    if answer is None:
        return None
    line.methods, line.enums = answer["methods"], answer["enums"]
    return _decoded(line, answer["value"])


def scriptapp(name, host=None):
    """The program called `name`, or None for a dozen reasons."""
    return _connected({"hello": os.getpid(), "app": name})
