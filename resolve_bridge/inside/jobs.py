"""Requests on their way to the one thread that may speak to Resolve."""

import collections
import threading
import time
from typing import Any, Callable, Dict, Optional

WAITING = 64
"""Requests that may wait; more are told to come later."""
REMEMBERED = 64
"""Answers that are kept, for a client whose connection broke before it had its answer."""

Answer = Dict[str, Any]


class TooMany(Exception):
    """So many requests wait already that another one would not be answered in time."""


class Job:
    """One request: done once, however often it is asked for under its identity."""

    def __init__(self, identity: str, request: "Dict[str, Any]", until: float) -> None:
        self.identity = identity
        self.request = request
        self.until = until
        self.done = threading.Event()
        self.answer: "Answer" = {}

    @property
    def name(self) -> str:
        """The operation it asks for."""
        return str(self.request.get("op", ""))


class Jobs:
    """A queue that any thread fills and one thread works off."""

    def __init__(self, clock: "Callable[[], float]" = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: "collections.deque[Job]" = collections.deque()
        self._known: "collections.OrderedDict[str, Job]" = collections.OrderedDict()
        self._running: "Optional[Job]" = None
        self._since = 0.0

    def submit(self, identity: str, request: "Dict[str, Any]", timeout: float) -> Job:
        """The job of that identity: the one that is there already, or a new one.

        Args:
            identity: names this request among all of this client's.
            request: what `inside.requests.handle` takes.
            timeout: seconds; a job that could not start before is not started any more.

        Raises:
            TooMany: the queue is full.
        """
        with self._changed:
            known = self._known.get(identity)
            if known is not None:
                return known
            if len(self._waiting) >= WAITING:
                raise TooMany
            job = Job(identity, request, self._clock() + timeout)
            self._known[identity] = job
            self._waiting.append(job)
            self._forget()
            self._changed.notify()
            return job

    def work(self, perform: "Callable[[Dict[str, Any]], Answer]", patience: float) -> bool:
        """Do the next job, waiting up to `patience` seconds for one; whether there was one."""
        with self._changed:
            if not self._waiting:
                self._changed.wait(patience)
            if not self._waiting:
                return False
            job = self._waiting.popleft()
            self._running, self._since = job, self._clock()
        try:
            job.answer = self._answer(job, perform)
        finally:
            with self._changed:
                self._running = None
            job.done.set()
        return True

    def abandon(self, answer: Answer) -> None:
        """Give everything that still waits the same answer; nothing more will be done."""
        with self._changed:
            left = list(self._waiting)
            self._waiting.clear()
        for job in left:
            job.answer = answer
            job.done.set()

    def busy_with(self) -> "Optional[Dict[str, Any]]":
        """The operation that runs now and for how many seconds; None when none does."""
        with self._changed:
            if self._running is None:
                return None
            return {"op": self._running.name, "seconds": round(self._clock() - self._since, 1)}

    def _answer(self, job: Job, perform: "Callable[[Dict[str, Any]], Answer]") -> Answer:
        if self._clock() > job.until:
            return _refusal("It was no longer waited for.", "Try again.")
        return perform(job.request)

    def _forget(self) -> None:
        """Drop the oldest answers that nobody waits for any more."""
        finished = [identity for identity, job in self._known.items() if job.done.is_set()]
        for identity in finished[:-REMEMBERED]:
            del self._known[identity]


def _refusal(message: str, remedy: str) -> Answer:
    return {"ok": False, "error": {"kind": "HostRefused", "message": message, "remedy": remedy}}
