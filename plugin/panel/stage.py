"""The middle of the window: the picture with its transport, and the takes under it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractButton, QComboBox, QSplitter, QWidget

from plugin.controller.lanes import full_level
from plugin.controller.overlays import Overlay
from plugin.controller.projector import FocusMode
from plugin.controller.screening import Changed
from plugin.controller.views import DeskEvent
from plugin.panel import takes, transport
from plugin.panel.audio import ScreenBeat
from plugin.panel.overlaymenu import OverlayMenu
from plugin.panel.palettes import Shades
from plugin.panel.parts import application, column, wear_icons
from plugin.panel.pulse import Pulse
from plugin.panel.shortcutsheet import Keys
from plugin.panel.takes import TakesPanel
from plugin.panel.transport import Transport
from plugin.panel.viewer import Viewer

_NO_SPOT = "Choose a spot in the list."
_LOADING = "Reading ..."


class Stage(QWidget):
    """Shows one spot and lets it be heard."""

    def __init__(self, pulse: Pulse, shades: Shades, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pulse, self._desk = pulse, pulse.desk
        self._beat = ScreenBeat(pulse.desk, self)
        self.screening = self._beat.screening
        self._gesture = 0
        self.viewer, self.transport = Viewer(shades), Transport(shades)
        self.menu, self.takes = OverlayMenu(), TakesPanel(shades)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self._build()
        self._bind()
        self._bind_keys()
        self.show_spot("")

    def show_spot(self, cue_id: str) -> None:
        """Show this spot, "" for none; the one that is shown stays where it is."""
        self.screening.show(cue_id)
        self._show_all()

    def step(self, frames: int) -> Callable[[], None]:
        """What moves the playhead by so many frames."""
        return self._then(partial(self.screening.playback.step, frames))

    def marked(self) -> tuple[str, str] | None:
        """Timecodes of the in and out points that were set, None where they were not."""
        return self.screening.playback.marked()

    def keys(self) -> tuple[tuple[str, Keys], ...]:
        """Keys of the viewer and the takes."""
        return (("Viewer", transport.KEYS), ("Takes", takes.KEYS))

    def wear(self, shades: Shades) -> None:
        """Take other colours."""
        for part in (self.viewer, self.transport, self.takes):
            part.wear(shades)
        wear_icons(self, shades)

    def close_all(self) -> None:
        """Let go of files and devices."""
        self._beat.stop()

    def reread(self) -> None:
        """Media may have changed on disk: show what is there now."""
        self.screening.reread()
        self._show_all()

    def _build(self) -> None:
        upper = QWidget()
        upper.setLayout(column(self.viewer, self.transport, space=0))
        self.transport.right.addWidget(self.menu)
        self.splitter.addWidget(upper)
        self.splitter.addWidget(self.takes)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setSizes([400, 260])
        self.splitter.setStretchFactor(0, 3)
        self.splitter.setStretchFactor(1, 2)
        self.setLayout(column(self.splitter, space=0))

    def _bind(self) -> None:
        playback, screening, pulse = self.screening.playback, self.screening, self._pulse
        self._beat.changed.connect(self._show_changed)
        self.viewer.resized.connect(self._then(screening.fit))
        self.viewer.wheeled.connect(self._then(playback.step))
        self.transport.play_wanted.connect(self._then(screening.play))
        self.transport.step_wanted.connect(self._then(playback.step))
        self.transport.seek_wanted.connect(self._then(playback.seek))
        self.transport.mark_in_wanted.connect(self._then(playback.mark_in))
        self.transport.mark_out_wanted.connect(self._then(playback.mark_out))
        self.transport.loop_wanted.connect(self._then(playback.set_loop))
        self.transport.mute_wanted.connect(self._then(self._mute))
        self.menu.overlay_wanted.connect(self._draw)
        self.menu.focus_wanted.connect(self._focus)
        self.takes.sought.connect(self._then(screening.seek_place))
        self.takes.hear_wanted.connect(self._hear)
        self.takes.swap_wanted.connect(self._swap)
        self.takes.aligned.connect(self.transport.align)
        self.takes.columns_changed.connect(self._show_lanes)
        self._bind_deeds()
        pulse.spots.connect(self._spots_changed)
        pulse.takes.connect(self._spots_changed)
        pulse.timeline.connect(lambda _: self.reread())
        pulse.settings.connect(lambda _: self.reread())

    def _bind_deeds(self) -> None:
        desk_takes, attempt = self._desk.takes, self._pulse.attempt
        self.takes.choose_wanted.connect(
            lambda name: attempt(lambda: desk_takes.choose(self.screening.cue_id, name))
        )
        self.takes.star_wanted.connect(lambda name, on: attempt(lambda: desk_takes.star(name, on=on)))
        self.takes.rename_wanted.connect(lambda name, text: attempt(lambda: desk_takes.rename(name, text)))
        self.takes.delete_wanted.connect(lambda name: attempt(lambda: desk_takes.delete((name,))))
        self.takes.level_wanted.connect(self._set_level)

    def _bind_keys(self) -> None:
        playback, screening = self.screening.playback, self.screening
        window, here = Qt.ShortcutContext.WindowShortcut, Qt.ShortcutContext.WidgetWithChildrenShortcut
        second = self._step_seconds
        for keys, context, do in (
            ("Space", window, self._space),
            ("J", window, partial(screening.shuttle, -1)),
            ("K", window, playback.stop),
            ("L", window, partial(screening.shuttle, 1)),
            ("I", window, playback.mark_in),
            ("O", window, playback.mark_out),
            ("Alt+X", window, playback.clear_marks),
            ("Ctrl+L", window, self.transport.loop.toggle),
            ("Shift+S", window, self.transport.mute.toggle),
            ("M", window, self.menu.toggle_matte),
            ("Shift+M", window, self.menu.toggle_outline),
            ("F", window, self.menu.next_focus),
            ("B", window, self._swap),
            ("Left", here, partial(playback.step, -1)),
            ("Right", here, partial(playback.step, 1)),
            ("Shift+Left", here, partial(second, -1)),
            ("Shift+Right", here, partial(second, 1)),
            ("Home", here, partial(playback.seek, 0)),
            ("End", here, self._to_end),
        ):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(context)
            shortcut.activated.connect(self._then(do))

    def _then(self, do: Callable[..., object]) -> Callable[..., None]:
        """Does it, and goes on at once."""

        def done(*given: object) -> None:
            do(*given)
            self._beat.beat()

        return done

    def _space(self) -> None:
        """Play or stop; but a button, box or list of choices that has the keys is pressed instead."""
        focused = application().focusWidget()
        if isinstance(focused, QAbstractButton):
            focused.click()
        elif isinstance(focused, QComboBox):
            focused.showPopup()
        else:
            self.screening.play()

    def _step_seconds(self, seconds: int) -> None:
        playback = self.screening.playback
        playback.step(seconds * round(playback.ruler.rate))

    def _to_end(self) -> None:
        self.screening.playback.seek(self.screening.playback.view().frames - 1)

    def _mute(self, muted: bool) -> None:  # noqa: FBT001 - a switch's own value
        self.screening.playback.muted = muted

    def _draw(self, overlay: Overlay) -> None:
        self.screening.draw(overlay)
        self._show_menu()

    def _focus(self, mode: FocusMode) -> None:
        self.screening.show_focus(mode)
        self._show_menu()

    def _show_menu(self) -> None:
        self.menu.show_state(self.screening.overlay, self.screening.focus)
        self._beat.beat()

    def _hear(self, name: str) -> None:
        self.screening.hear(name)
        self._gesture += 1
        self._show_lanes()
        self._beat.beat()

    def _swap(self) -> None:
        self.screening.hear_other()
        self._gesture += 1
        self._show_lanes()

    def _set_level(self, name: str, gain_db: float, fade_in: float, fade_out: float) -> None:
        self._pulse.attempt(
            lambda: self._desk.takes.set_level(
                name, gain_db=gain_db, fade_in=fade_in, fade_out=fade_out, gesture=f"level {self._gesture}"
            )
        )

    def _spots_changed(self, event: DeskEvent) -> None:
        screening = self.screening
        if not event.ids or screening.cue_id in event.ids:
            before = (screening.cue, screening.takes)
            screening.refresh()
            if (screening.cue, screening.takes) != before:  # a render's progress changes neither
                self._show_all()

    def _show_changed(self, changed: Changed) -> None:
        screening = self.screening
        if changed.picture and screening.frame is not None:
            self.viewer.show_frame(screening.frame)
        if changed.transport:
            self._show_transport()
        if changed.lanes:
            self._show_lanes()
        if changed.reason:
            self.transport.show_reason(screening.reason)

    def _show_all(self) -> None:
        if self.screening.frame is None:
            self.viewer.show_nothing(_LOADING if self.screening.cue is not None else _NO_SPOT)
        self._show_transport()
        self._show_lanes()
        self._show_menu()

    def _show_transport(self) -> None:
        self.transport.show_view(self.screening.playback.view())
        self.takes.show_place(self.screening.place)

    def _show_lanes(self) -> None:
        columns, screening = self.takes.columns, self.screening
        shown = [(take, screening.lane(take, columns=columns)) for take in screening.takes]
        lanes = [(take, lane) for take, lane in shown if lane is not None]
        full = full_level(lane for _, lane in lanes)
        self.takes.show_takes(lanes, heard=screening.heard, full=full)
        onsets = next((lane.onsets for take, lane in lanes if take.name == screening.heard), ())
        self.takes.show_motion(screening.motion(columns=columns), onsets)
