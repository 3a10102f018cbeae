"""The items of the render queue: what was asked for, how far it is, how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field

from plugin.controller.pace import STAGE_WORDS, Pace, TakeProgress
from plugin.controller.views import QueueRow, QueueState
from plugin.controller.wire import RenderOrder
from plugin.cues import Cue
from plugin.errors import SagafoleyError


@dataclass(slots=True)
class Item:
    """Some takes of one cue.

    Attributes:
        order: what the render process is told.
        preview: fewer steps than the cue asks for.
        state: where it is.
        made: names of the takes that are there.
        stopping: it was asked to stop.
        stage: what is being done now.
        take: how far the take under way is, None between takes.
        failure: why it failed.
        warnings: what was said on the way.
    """

    order: RenderOrder
    preview: bool
    state: QueueState = QueueState.WAITING
    made: list[str] = field(default_factory=list)
    stopping: bool = False
    stage: str = ""
    take: TakeProgress | None = None
    failure: SagafoleyError | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Its number in the queue."""
        return self.order.item

    @property
    def cue(self) -> Cue:
        """The cue as it is rendered, with the number of takes."""
        return self.order.sheet.cues[0]

    @property
    def ended(self) -> bool:
        """Whether nothing more will become of it."""
        return self.state not in {QueueState.WAITING, QueueState.RUNNING}

    @property
    def title(self) -> str:
        """How a sentence names it."""
        return f"cue {self.cue.id} ('{self.cue.spot.label}')"

    def told(self, stage: str, part: float, *, now: float) -> None:
        """Notes that `part`, 0..1, of a stage of the take under way is done."""
        if self.take is None:
            length = float(self.cue.spot.record.duration)
            self.take = TakeProgress(length, self.cue.steps, now)
        self.take.told(stage, part, now=now)
        self.stage = stage

    def finish_take(self, name: str, pace: Pace) -> None:
        """Notes that a take is there."""
        if self.take is not None:
            pace.learn(self.take.spent, length=self.take.length, steps=self.take.steps)
        self.take = None
        self.made.append(name)

    def progress(self, pace: Pace) -> float:
        """The part of the item that is done, 0..1."""
        if self.state is QueueState.DONE:
            return 1.0
        part = self.take.progress(pace) if self.take else 0.0
        return min((len(self.made) + part) / max(self.cue.takes, 1), 1.0)

    def seconds_left(self, pace: Pace, *, now: float) -> float | None:
        """Seconds until the item is done; None when it cannot be said."""
        if self.state is not QueueState.RUNNING or self.take is None:
            return None
        left = self.take.seconds_left(pace, now=now)
        if left is None:
            return None
        others = max(self.cue.takes - len(self.made) - 1, 0)
        again = TakeProgress(self.take.length, self.take.steps, now, done={"pictures": 1.0})
        return left + others * (again.seconds_left(pace, now=now) or 0.0)

    def row(self, pace: Pace, *, now: float) -> QueueRow:
        """The item for people."""
        left = self.seconds_left(pace, now=now)
        progress = self.progress(pace)
        return QueueRow(
            id=self.id,
            cue_id=self.cue.id,
            label=self.cue.spot.label,
            takes=self.cue.takes,
            made=len(self.made),
            preview=self.preview,
            state=self.state,
            stage=STAGE_WORDS.get(self.stage, ""),
            progress=progress,
            seconds_left=left,
            text=self._text(progress, left),
            message=self.failure.message if self.failure else "",
            remedy=self.failure.remedy if self.failure else "",
        )

    def _text(self, progress: float, left: float | None) -> str:
        takes = f"{self.cue.takes} take" + "s" * (self.cue.takes != 1)
        if self.state is QueueState.RUNNING and self.stopping:
            return "stopping"
        if self.state is QueueState.RUNNING:
            stage = STAGE_WORDS.get(self.stage, "getting ready")
            number = f"take {len(self.made) + 1} of {self.cue.takes}, " if self.cue.takes > 1 else ""
            remaining = f", {duration_words(left)} left" if left is not None else ""
            return f"{number}{stage}, {progress:.0%}{remaining}"
        if self.state is QueueState.FAILED and self.failure:
            return self.failure.message
        return f"{takes}, {self.state.value}"


def duration_words(seconds: float) -> str:
    """A length of time for people ("40 s", "3 min", "2 h 10 min")."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
