"""One file from the network: resumed, verified while it streams, whole or not there at all.

What came so far lies in `NAME.part`; beside it `NAME.part.json` says of what it is a part. The bytes count,
not what a server says of them: a file is ours when its size and digests are the published ones.
"""

from __future__ import annotations

import errno
import os
import random
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

import requests
from urllib3.exceptions import DecodeError, HTTPError, ProtocolError

from models_onnx.addresses import UnsafeAddress, next_address, shown
from models_onnx.catalog import PublishedFile
from models_onnx.parts import Digests, Part, fault_of, held, part_of, size_fault

_PIECE = 1 << 16
_REDIRECTS = {301, 302, 303, 307, 308}
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_MOST_REDIRECTS = 10
_RANGE = re.compile(r"bytes ([0-9]{1,15})-[0-9]{1,15}/([0-9]{1,15}|\*)")
_NUMBER = re.compile(r"[0-9]{1,15}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_VALIDATOR = re.compile(r"[\x20-\x7e]{1,500}")
Progress = Callable[[str, int, int], None]


class FetchFailed(Exception):
    """A file could not be fetched.

    Attributes:
        reason: "network" (try again later), "refused" (the server will not give it), "damaged" (not what
            was published), "unsafe" (an address that is not followed), "busy" (another run fetches it),
            "full" (no room) or "write".
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server is waited for.

    Attributes:
        attempts: in a row without `worthwhile` bytes, before giving up.
        connect, read: seconds.
        slowest: bytes in `window` seconds; a connection that brings fewer in the same time has stalled.
    """

    attempts: int = 6
    connect: float = 15.0
    read: float = 30.0
    worthwhile: int = 1 << 20
    window: float = 60.0
    slowest: int = 60_000
    longest_pause: float = 60.0


class _Interrupted(Exception):
    """The connection ended or stalled; what came is kept. `wait` is what the server asked for, seconds."""

    def __init__(self, message: str, *, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait


class Session(requests.Session):
    """One that leaves redirects to its user.

    `requests` looks where a redirect leads, and reads its whole body, even when it is told not to follow.
    """

    def get_redirect_target(self, _response: requests.Response) -> None:
        """Nowhere."""


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches files; everything that waits can be stood in for.

    Attributes:
        session: honours the proxies of the environment.
        progress: told name, bytes there, bytes in all (0 when not known).
        pause, clock: seconds.
    """

    session: Session
    progress: Progress = lambda _name, _done, _total: None
    patience: Patience = Patience()
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def fetch(self, file: PublishedFile, address: str, target: Path) -> Digests:
        """Put the published file at `target`.

        Raises:
            FetchFailed: see there; what came is kept where another run can go on from it.
        """
        try:
            with alone(file, target):
                return self._fetch(file, address, target)
        except UnsafeAddress as error:
            raise FetchFailed(str(error), reason="unsafe") from None

    def _fetch(self, file: PublishedFile, address: str, target: Path) -> Digests:
        part = Part.open(part_of(target), shown(address), proven=file.compared == "digest")
        try:
            digests = self._whole(file, address, part)
        finally:
            if not part.size:
                part.discard()
        finish(part, target)
        return digests

    def _whole(self, file: PublishedFile, address: str, part: Part) -> Digests:
        """All bytes, verified; once more from the beginning when pieces of two versions were joined."""
        self._fill(file, address, part)
        fault = fault_of(file, part.digests(), linked=part.linked)
        if fault and part.resumed == "yes":
            part.begin(shown(address))
            self._fill(file, address, part)
            fault = fault_of(file, part.digests(), linked=part.linked)
        if fault:
            part.discard()
            raise FetchFailed(f"{file.name} from {shown(address)} {fault}.", reason="damaged")
        return part.digests()

    def _fill(self, file: PublishedFile, address: str, part: Part) -> None:
        """Ask until the server has given everything; what was had and thrown away does not count again."""
        failures, furthest = 0, part.size
        while True:
            try:
                self._ask(file, address, part)
                return
            except _Interrupted as interrupted:
                failures += 1
                if part.size - furthest >= self.patience.worthwhile:
                    failures, furthest = 0, part.size
                if failures >= self.patience.attempts:
                    message = f"{file.name}: {interrupted} ({failures} attempts, {part.size} bytes are kept)."
                    raise FetchFailed(message, reason="network") from None
                part.resumed = "yes" if part.size else "no"
                self.pause(self._wait(failures, interrupted.wait))

    def _wait(self, failures: int, asked: float) -> float:
        """Seconds: doubling, spread so that many clients do not come back at once."""
        doubling = 2.0 ** max(failures - 1, 0) * random.uniform(0.8, 1.2)  # noqa: S311 (no secret)
        return min(max(doubling, asked), self.patience.longest_pause)

    def _ask(self, file: PublishedFile, address: str, part: Part) -> None:
        """One request, its answer appended.

        Raises:
            _Interrupted: it may go on later.
            FetchFailed: it may not.
        """
        with self._answer(address, part) as response:
            total = self._total(file, response, part, address)
            if total == part.size and response.status_code == 416:
                return
            self._append(file, response, part, total)

    def _answer(self, address: str, part: Part) -> requests.Response:
        """The first answer that is no redirect."""
        headers = {"Accept-Encoding": "identity"}
        if part.size:
            headers["Range"] = f"bytes={part.size}-"
            validator = part.facts.get("validator", "")
            if validator and not validator.startswith("W/"):
                headers["If-Range"] = validator
        for _ in range(_MOST_REDIRECTS):
            response = self._get(address, headers)
            linked = response.headers.get("X-Linked-Etag", "").strip('"')
            if _SHA256.fullmatch(linked):
                part.linked = linked
            if response.status_code not in _REDIRECTS:
                return response
            response.close()
            address = next_address(address, response.headers.get("Location", ""))
        raise FetchFailed(f"{shown(address)} redirects in a circle.", reason="refused")

    def _get(self, address: str, headers: dict[str, str]) -> requests.Response:
        timeout = (self.patience.connect, self.patience.read)
        try:
            return self.session.get(
                address, headers=headers, stream=True, allow_redirects=False, timeout=timeout
            )
        except requests.exceptions.SSLError as error:
            message = f"{shown(address)} does not prove who it is: its certificate is not trusted here."
            raise FetchFailed(message, reason="network") from error
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
            raise FetchFailed(f"{shown(address)} cannot be asked.", reason="refused") from error
        except requests.RequestException as error:
            raise _Interrupted(_plainly(error)) from None
        except ValueError as error:  # some of urllib3's are both
            raise UnsafeAddress(f"{shown(address)} cannot be asked ({error})") from None
        except HTTPError as error:
            raise _Interrupted(_plainly(error)) from None

    def _total(self, file: PublishedFile, response: requests.Response, part: Part, address: str) -> int:
        """How many bytes the file has by this answer, 0 when it does not say; `part` is made to fit it."""
        status = response.status_code
        if status in _PASSING:
            raise _Interrupted(f"the server answered {status}", wait=_retry_after(response))
        validator = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
        validator = validator if _VALIDATOR.fullmatch(validator) else ""  # one that cannot be sent back
        if status == 416:
            total = _after_slash(response)
            if total != part.size:
                part.begin(shown(address))
                raise _Interrupted("the server has another file now")
            return total
        if status == 206:
            total = self._continued(response, part, validator, address)
        elif status == 200:
            if part.size:
                part.begin(shown(address))
            total = _number(response.headers.get("Content-Length", ""), otherwise=0)
        else:
            raise FetchFailed(f"{shown(address)} answered {status} {response.reason}.", reason="refused")
        part.note_validator(validator)
        if total and size_fault(file, total):
            size = file.bytes or f"about {file.about}"
            message = f"{shown(address)} offers {total} bytes; {file.name} was published with {size}."
            raise FetchFailed(message, reason="damaged")
        return total

    def _continued(self, response: requests.Response, part: Part, validator: str, address: str) -> int:
        """The whole size by an answer that goes on where we were; anything else begins again."""
        match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        known = part.facts.get("validator", "")
        if match is None or int(match[1]) != part.size or (known and validator and known != validator):
            part.begin(shown(address))
            raise _Interrupted("the server has another file now")
        return 0 if match[2] == "*" else int(match[2])

    def _append(self, file: PublishedFile, response: requests.Response, part: Part, total: int) -> None:
        whole = file.bytes or total
        most = whole or file.most
        self._refuse_full_disk(file, part, whole)
        with part.path.open("ab") as opened:
            for piece in self._pieces(response):
                part.append(opened, piece)
                if most and part.size > most:
                    part.resumed = "no"
                    raise FetchFailed(
                        f"{file.name}: the server sends more than {most} bytes.", reason="damaged"
                    )
                self.progress(file.name, part.size, whole)
        if part.size < whole:
            raise _Interrupted(f"the connection ended after {part.size} of {whole} bytes")

    @staticmethod
    def _refuse_full_disk(file: PublishedFile, part: Part, whole: int) -> None:
        free = room_in(part.path.parent)
        if whole - part.size > free:
            wanted = f"{file.name} needs {whole - part.size} bytes more"
            raise FetchFailed(f"{wanted}; {free} are free in {part.path.parent}.", reason="full")

    def _pieces(self, response: requests.Response) -> Iterator[bytes]:
        """What comes, as soon as it comes, as long as it comes fast enough.

        `iter_content` would wait for a whole piece, while each byte of it is given `read` seconds anew.
        """
        window, since, came = self.patience.window, self.clock(), 0
        try:
            while piece := response.raw.read1(_PIECE, decode_content=True):
                yield piece
                came += len(piece)
                elapsed = self.clock() - since
                if elapsed >= window:
                    if came * window < self.patience.slowest * elapsed:
                        raise _Interrupted("the connection has stalled")
                    since, came = self.clock(), 0
        except (requests.RequestException, HTTPError) as error:
            raise _Interrupted(_plainly(error)) from None


def write_failure(path: Path, error: OSError) -> FetchFailed:
    """What a failed write means."""
    if error.errno in {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}:
        return FetchFailed(
            f"The disk is full: {path.name} could not be written to {path.parent}.", reason="full"
        )
    return FetchFailed(f"{path} could not be written: {error.strerror or error}.", reason="write")


def room_in(folder: Path) -> int:
    """Bytes free on the disk of a folder that need not exist."""
    present = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    return shutil.disk_usage(present).free


@contextmanager
def alone(file: PublishedFile, target: Path) -> Iterator[None]:
    """While entered this run alone puts the file in its place.

    Raises:
        FetchFailed: another run does, a folder is in its place, or the block could not write.
    """
    try:
        if target.is_dir():
            raise FetchFailed(f"{target} is a folder, where the file has its place.", reason="write")
        with held(part_of(target)):
            yield
    except BlockingIOError:
        message = f"Another run is fetching {file.name} into {target.parent}."
        raise FetchFailed(message, reason="busy") from None
    except OSError as error:
        raise write_failure(target, error) from error


def finish(part: Part, target: Path) -> None:
    """Give a whole part its name."""
    with part.path.open("rb+") as file:
        os.fsync(file.fileno())
    part.path.replace(target)
    part.discard()


def _after_slash(response: requests.Response) -> int:
    return _number(response.headers.get("Content-Range", "").rpartition("/")[2], otherwise=-1)


def _retry_after(response: requests.Response) -> float:
    """Seconds, told as a number or as a date; 0 where neither is."""
    told = response.headers.get("Retry-After", "")
    try:
        return max(parsedate_to_datetime(told).timestamp() - time.time(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return float(_number(told, otherwise=0))


def _number(text: str, *, otherwise: int) -> int:
    """What a header says, where it is a number of sane length in plain digits."""
    return int(text) if _NUMBER.fullmatch(text) else otherwise


def _plainly(error: Exception) -> str:
    """A network failure in few words."""
    if isinstance(error, requests.exceptions.Timeout) or "timed out" in str(error):
        return "the server does not answer"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy does not answer"
    if isinstance(error, requests.exceptions.ChunkedEncodingError | ProtocolError):
        return "the connection broke"
    if isinstance(error, DecodeError):
        return "the answer is not in the encoding that it names"
    return "no connection"
