"""One propagation as the desk sees it: how far it is, how fast, how it ended, in words."""

from __future__ import annotations

from dataclasses import dataclass, field

from plugin.controller.masking.orders import TrackOrder
from plugin.controller.masking.views import TrackingState, TrackingView
from plugin.errors import SagafoleyError
from plugin.masks.propagating import LOST_SENTENCE


@dataclass(slots=True)
class Run:
    """The propagation that is under way, or the last one.

    Attributes:
        order: what is wanted.
        item: its name in messages.
        state: where it is.
        total: frames that are wanted.
        done: frames that are there, kept ones too.
        made: frames that were tracked just now.
        frame: the newest.
        cuts: frames with which other shots begin.
        lost: first frame in which the object seems lost.
        failure: why it failed.
        sent: the mask process has the order.
        stopping: it was asked to stop.
    """

    order: TrackOrder
    item: str
    state: TrackingState = TrackingState.STARTING
    total: int = 0
    done: int = 0
    frame: int | None = None
    made: int = 0
    cuts: list[int] = field(default_factory=list)
    lost: int | None = None
    failure: SagafoleyError | None = None
    sent: bool = False
    stopping: bool = False
    _since: float | None = None
    _last: float = 0.0

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self.state in {TrackingState.STARTING, TrackingState.RUNNING, TrackingState.STOPPING}

    def add(self, frame: int, *, kept: bool, now: float) -> None:
        """One more frame; frames that were kept say nothing of the pace."""
        self.frame = frame
        self.done += 1
        if kept:
            return
        self.made += 1
        self._last = now
        if self._since is None:
            self._since = now

    @property
    def rate(self) -> float | None:
        """Frames per second, between the first and the last that were made."""
        if self._since is None or self.made < 2 or self._last <= self._since:
            return None
        return (self.made - 1) / (self._last - self._since)

    def view(self) -> TrackingView:
        """The same for a window."""
        rate = self.rate if self.running else None
        left = None if rate is None else max(self.total - self.done, 0) / rate
        text, remedy = self._going_on(rate, left) if self.running else self._over()
        return TrackingView(
            state=self.state,
            direction=self.order.direction,
            label=self.order.label,
            done=self.done,
            total=self.total,
            frame=self.frame,
            rate=rate,
            seconds_left=left,
            text=text,
            remedy=remedy,
            lost=self.lost is not None,
        )

    def _going_on(self, rate: float | None, left: float | None) -> tuple[str, str]:
        if self.state is TrackingState.STARTING:
            return f"{self.order.label}: getting ready", ""
        pace = "" if rate is None else f", {rate:.1f} frames/s"
        rest = "" if left is None else f", {_span(left)} left"
        stopping = ", stopping" if self.state is TrackingState.STOPPING else ""
        return f"{self.order.label}: {self.done} of {self.total} frames{pace}{rest}{stopping}", ""

    def _over(self) -> tuple[str, str]:
        """How it ended, and what to do about it."""
        label, count = self.order.label, f"{self.done} frame{'s' * (self.done != 1)}"
        if self.failure is not None:
            return self.failure.message, self.failure.remedy
        if self.state is TrackingState.STOPPED:
            return f"{label}: stopped; {count} kept.", ""
        if self.lost is not None:
            said, _, remedy = LOST_SENTENCE.partition(". ")
            return f"{said}.", remedy
        if self.cuts:
            at = ", ".join(str(cut) for cut in self.cuts[:4])
            return (
                f"{label}: {count} tracked. Another shot begins at frame {at}: nothing is followed across.",
                "Draw the object in the other shot too, if it is there.",
            )
        return (f"{label}: {count} tracked." if self.total else f"{label}: nothing was left to track."), ""


def _span(seconds: float) -> str:
    whole = max(1, round(seconds))
    return f"{whole} s" if whole < 90 else f"{round(whole / 60)} min"
