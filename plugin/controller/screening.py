"""One spot on the screen: picture, playhead, sound and lanes put together, without a window.

A `Screening` belongs to the window's thread. `ready` is called, from other threads, when `beat` has
something new to take; `beat` is also called many times a second while something plays.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from plugin.controller.audition import Audition
from plugin.controller.desk import Desk
from plugin.controller.devices import Speaker, open_speaker
from plugin.controller.lanes import Lanes, LaneView, MotionView, shape_of
from plugin.controller.mixing import Layer
from plugin.controller.overlays import Overlay
from plugin.controller.pictures import FocusMode, FrameWish, Pictures, ViewerFrame
from plugin.controller.playback import Playback, Ruler
from plugin.controller.sounds import Sounds
from plugin.controller.views import TakeRow
from plugin.cues import Cue
from plugin.media.stills import Size
from plugin.timebase import sample_position

_SMALLEST = 16
_PLAIN = Overlay()


@dataclass(frozen=True, slots=True)
class Changed:
    """What a `beat` found to be new.

    Attributes:
        picture: `Screening.frame` is another one.
        transport: the playhead moved, or something else of `Playback.view`.
        lanes: a lane or the motion is better known.
        reason: why nothing is heard is another reason.
    """

    picture: bool = False
    transport: bool = False
    lanes: bool = False
    reason: bool = False


class Screening:
    """What is seen and heard of one spot of a desk; end it with `close`.

    Attributes:
        playback: the playhead.
        frame: the picture to show, None before the first has come.
        cue: the spot that is shown, None for none.
        takes: its takes.
        heard: name of the take that is heard, "" for none.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        ready: Callable[[], None] = lambda: None,
        opener: Callable[[], Speaker] = open_speaker,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is shown yet.

        Args:
            desk: whose spots and takes.
            ready: called from other threads when `beat` should be called.
            opener: gives the sound device.
            clock: seconds that only grow.
        """
        self._desk = desk
        self._ready = ready
        self._more_known = threading.Event()
        self._pictures = Pictures(ready=ready, manifest=desk.machine.manifest)
        self._sounds = Sounds(ready=self._know_more)
        self._lanes = Lanes(self._sounds, ready=self._know_more)
        self.playback = Playback(clock=clock)
        self._audition = Audition(self.playback, opener=opener)
        self._limit = Size(640, 360)
        self._overlay = _PLAIN
        self._focus = FocusMode.OFF
        self._asked: FrameWish | None = None
        self._reason = ""
        self._last = self.playback.view()
        self._before = ""
        self.frame: ViewerFrame | None = None
        self.cue: Cue | None = None
        self.takes: tuple[TakeRow, ...] = ()
        self.heard = ""

    @property
    def overlay(self) -> Overlay:
        """How the matte is drawn."""
        return self._overlay

    @property
    def focus(self) -> FocusMode:
        """How the focus is shown."""
        return self._focus

    @property
    def cue_id(self) -> str:
        """Of the spot that is shown, "" for none."""
        return self.cue.id if self.cue else ""

    @property
    def reason(self) -> str:
        """Why nothing is heard, with what to do about it; "" when there is no reason to tell."""
        return self._reason

    @property
    def busy(self) -> bool:
        """Whether anything is being read or decoded."""
        return self._pictures.busy or self._sounds.busy or self._lanes.busy

    @property
    def place(self) -> float:
        """The playhead, 0..1 along the spot."""
        if self.cue is None:
            return 0.0
        record = self.cue.spot.record
        return min(max(float((self.playback.time() - record.start) / record.duration), 0.0), 1.0)

    def show(self, cue_id: str) -> None:
        """Show a spot from its first frame, "" for none; the one that is shown already stays as it is."""
        if self.cue is None or self.cue.id != cue_id:
            self.cue, self.heard, self._before, self.frame = None, "", "", None
            self.playback.hear(())
        self.refresh(cue_id)

    def refresh(self, cue_id: str | None = None) -> bool:
        """Take over what has become of the spot and its takes; whether anything has."""
        wanted = cue_id if cue_id is not None else self.cue_id
        before, timeline = self.cue, self._desk.timeline
        known = (self.cue, self.takes, self.heard)
        self.cue = self._desk.spots.cue(wanted) if wanted and timeline else None
        self.takes = self._desk.takes.rows(wanted) if self.cue else ()
        if self.cue is None or timeline is None:
            self.playback.load(None, Ruler(Fraction(25)))
            self.frame = self._asked = None
        elif before is None or before.spot.record != self.cue.spot.record:
            self.playback.load(self.cue.spot.record, Ruler(timeline.rate, timeline.drop_frame))
        names = {take.name for take in self.takes}
        if self.heard not in names:
            self.heard = next((take.name for take in self.takes if take.chosen), "")
        self._lanes.only_motion(self.cue)
        self._hear()
        return known != (self.cue, self.takes, self.heard)

    def reread(self) -> None:
        """Media or takes may have changed on disk: read everything again."""
        self._pictures.refresh()
        self._lanes.forget()
        self._sounds.forget()
        self._asked = None
        self._hear()

    def fit(self, width: int, height: int) -> None:
        """There are so many pixels for the picture."""
        self._limit = Size(max(width, _SMALLEST), max(height, _SMALLEST))

    def draw(self, overlay: Overlay) -> None:
        """Draw the matte this way."""
        self._overlay = overlay

    def toggle_overlay(self) -> None:
        """Draw the matte, or do not."""
        self._overlay = replace(self._overlay, shown=not self._overlay.shown)

    def show_focus(self, mode: FocusMode) -> None:
        """Show the focus this way."""
        self._focus = mode

    def seek_place(self, place: float) -> None:
        """Move the playhead to 0..1 along the spot."""
        if self.cue is not None:
            record = self.cue.spot.record
            when = record.start + Fraction(min(max(place, 0.0), 1.0)) * record.duration
            ruler = self.playback.ruler
            self.playback.seek(ruler.frame(when) - ruler.frame(record.start))

    def play(self) -> None:
        """Play or stop; a sound device that was not there is looked for again."""
        self._audition.try_again()
        self.playback.toggle()

    def shuttle(self, direction: int) -> None:
        """Play that way, again: faster; a sound device that was not there is looked for again."""
        self._audition.try_again()
        self.playback.shuttle(direction)

    def hear(self, name: str) -> None:
        """Hear this take, from where the playhead is, without a gap."""
        if name != self.heard and any(take.name == name for take in self.takes):
            self._before, self.heard = self.heard, name
            self._hear()

    def hear_other(self) -> str:
        """A/B: hear the take that was heard before this one, else the next one; the name of it."""
        names = [take.name for take in self.takes]
        if self._before in names and self._before != self.heard:
            self.hear(self._before)
        elif names:
            place = names.index(self.heard) if self.heard in names else -1
            self.hear(names[(place + 1) % len(names)])
        return self.heard

    def beat(self) -> Changed:
        """Go on: feed the device, ask for the picture under the playhead, take what has come."""
        self._audition.beat()
        lanes = self._more_known.is_set()
        if lanes:
            self._more_known.clear()
            self._hear()
        self._ask()
        came = [one for one in self._pictures.poll() if isinstance(one, ViewerFrame)]
        picture = bool(came) and self.cue is not None and came[-1].wish.cue.id == self.cue.id
        if picture:
            self.frame = came[-1]
        view = self.playback.view()
        transport, self._last = view != self._last, view
        reason, self._reason = self._audition.reason != self._reason, self._audition.reason
        return Changed(picture, transport, lanes, reason)

    def lane(self, take: TakeRow, *, columns: int) -> LaneView | None:
        """A take's lane over the spot; None while no spot is shown."""
        return self._lanes.view(take, self.cue.spot.record, columns=columns) if self.cue else None

    def motion(self, *, columns: int) -> MotionView:
        """The matte's motion over the spot."""
        if self.cue is None:
            return MotionView(())
        return self._lanes.motion(self.cue, self.cue.spot.record, columns=columns)

    def close(self) -> None:
        """Let go of files, threads and the device."""
        self._audition.close()
        self._lanes.close()
        self._sounds.close()
        self._pictures.close()

    def _know_more(self) -> None:
        self._more_known.set()
        self._ready()

    def _hear(self) -> None:
        """Bring the take that is heard into the mix; until it is read, the one before goes on."""
        take = next((take for take in self.takes if take.name == self.heard), None)
        sound = self._sounds.of(take.path) if take else None
        if take is None:
            self.playback.hear(())
        elif sound is not None:
            self.playback.hear((Layer(sound, sample_position(take.record.start), shape_of(take)),))

    def _ask(self) -> None:
        if self.cue is None:
            return
        record = self.cue.spot.record
        moment = max(self.playback.time(), record.start)  # a spot may begin within a frame
        step = 1 / self.playback.ruler.rate
        wish = FrameWish(self.cue, moment, step, self._limit, self._overlay, self._focus)
        if wish != self._asked:
            self._asked = wish
            self._pictures.ask(wish)
