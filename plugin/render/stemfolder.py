"""The folder of stems: takes appear in it whole or not at all, and are never overwritten.

How a take `N` comes to be, each step on disk before the next:

1. `.sagafoley/N.wav.part` holds the whole sound;
2. `.sagafoley/N.json.part` holds the sidecar, with the sound's size and hash;
3. the sound gets its final name; 4. the sidecar gets its final name.

A run killed before 2 is complete left nothing of value. Killed later, the next run that holds the cue
finds the sidecar, sees that the sound fits it, and does what was left to do.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from plugin.errors import OutputError
from plugin.render.journal import FILE_NAME, Journal
from plugin.render.naming import next_number, take_name, take_number
from plugin.render.takes import NotATake, Take, find_takes, format_sidecar, is_whole, read_take
from plugin.wholefile import discard, output_error, sync_folder, write_durably

WORK_FOLDER = ".sagafoley"
PART = ".part"
TRASH = "trash"
"""The folder of takes that an editor deleted; their numbers are not given again."""

_PART_NAME = re.compile(r"(?P<take>.+)\.(wav|json|scratch)\.part(\.\d+\.part)?", re.DOTALL)


class BusyElsewhere(OutputError):
    """Another run is rendering this very cue into this folder."""


@dataclass(frozen=True, slots=True)
class StemFolder:
    """Where takes go.

    Attributes:
        path: the folder itself; `.sagafoley` inside it holds the journal, locks and unfinished files.
    """

    path: Path

    @classmethod
    def open(cls, path: Path) -> StemFolder:
        """The folder, made when it is not there, and proved to be writable.

        Raises:
            OutputError: it cannot be made or written to.
        """
        folder = cls(path.absolute())
        probe = folder.work / f"probe-{os.getpid()}{PART}"
        made = folder.path
        try:
            folder.work.mkdir(parents=True, exist_ok=True)
            made = probe
            probe.touch()
            for left in folder.work.glob(f"probe-*{PART}"):  # this one, and those of killed runs
                discard(left)
        except OSError as error:
            raise output_error(made, error) from error
        return folder

    @property
    def work(self) -> Path:
        """The folder of everything that is not finished."""
        return self.path / WORK_FOLDER

    @property
    def journal(self) -> Journal:
        """The journal of all runs."""
        return Journal(self.work / FILE_NAME)

    def takes(self) -> tuple[Take, ...]:
        """All takes that are there by name and size."""
        return tuple(find_takes(self.path))

    def takes_of(self, base: str) -> tuple[Take, ...]:
        """The takes of one cue that are there by name and size."""
        return tuple(take for take in find_takes(self.path, base) if take_number(base, take.name))

    def holds(self, take: Take) -> bool:
        """Whether the take's sound is there, byte for byte."""
        return is_whole(take, self.path / take.wav_name)

    @contextmanager
    def hold(self, base: str) -> Iterator[None]:
        """Keeps every other run from rendering the cue of this base name.

        The lock is the system's own, so it ends with the process that holds it; a lock file left
        behind by a killed run locks nothing.

        Raises:
            BusyElsewhere: another run holds it.
            OutputError: the lock file cannot be made.
        """
        path = self.work / f"{base}.lock"
        lock = FileLock(path, timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise BusyElsewhere(
                f"Another run is rendering {base} into {self.path} at this moment.",
                remedy="Wait until it is done, then run again; nothing whole is repeated.",
            ) from None
        except NotImplementedError as error:
            raise OutputError(
                f"The disk of {self.path} has no file locks, so two runs could meet there.",
                remedy="Choose an output folder on another disk.",
                detail=str(error),
            ) from error
        except OSError as error:
            raise output_error(path, error) from error
        try:
            yield
        finally:
            lock.release()

    def next_name(self, base: str) -> str:
        """The first free take name of a cue: one above every number in use, half takes included."""
        files = (*self.path.iterdir(), *(self.path / TRASH).glob("*"))
        finished = (path.stem for path in files if path.suffix.lower() in {".wav", ".json"})
        unfinished = (_name_of_part(path) or "" for path in self._parts())
        return take_name(base, next_number(base, (*finished, *unfinished)))

    def sound_part(self, name: str) -> Path:
        """Where the sound of an unfinished take is written."""
        return self.work / f"{name}.wav{PART}"

    def sidecar_part(self, name: str) -> Path:
        """Where the sidecar of an unfinished take is written."""
        return self.work / f"{name}.json{PART}"

    def scratch(self, name: str) -> Path:
        """A folder for the samples of a take until its level is known."""
        return self.work / f"{name}.scratch{PART}"

    def commit(self, take: Take) -> Path:
        """Gives a take whose sound part is written and on disk its final names; the WAV's path.

        Raises:
            OutputError: disk full, not writable, or the name has been taken meanwhile.
        """
        try:
            write_durably(self.sidecar_part(take.name), format_sidecar(take))
            sync_folder(self.work)
            self._publish(take)
        except OSError as error:
            if not (self.path / take.wav_name).exists():
                self.abandon(take.name)  # else the next run finishes it
            raise output_error(self.path / take.wav_name, error) from error
        return self.path / take.wav_name

    def _publish(self, take: Take) -> None:
        wav, sidecar = self.path / take.wav_name, self.path / take.sidecar_name
        if not is_whole(take, wav):  # after a kill it may have its name already
            _give_name(self.sound_part(take.name), wav)
            sync_folder(self.path)
        _give_name(self.sidecar_part(take.name), sidecar)
        sync_folder(self.path)
        self.abandon(take.name)

    def recover(self, base: str) -> tuple[Take, ...]:
        """Finishes takes of a cue that a dead run left all but named, and clears away its other parts.

        The caller holds the cue, so no part of it belongs to a living run.

        Raises:
            OutputError: a finished take could not be given its name.
        """
        names = (_name_of_part(path) for path in self._parts())
        ours = sorted({name for name in names if name is not None and take_number(base, name)})
        recovered = [take for name in ours if (take := self._adopt(name)) is not None]
        for name in ours:
            self.abandon(name)
        return tuple(recovered)

    def _adopt(self, name: str) -> Take | None:
        try:
            take = read_take(self.sidecar_part(name))
        except (NotATake, OSError):
            return None
        if take.name != name or (self.path / take.sidecar_name).exists():
            return None
        wav = self.path / take.wav_name
        if not is_whole(take, wav if wav.exists() else self.sound_part(take.name)):
            return None
        try:
            self._publish(take)
        except OSError as error:
            raise output_error(wav, error) from error
        return take

    def abandon(self, name: str) -> None:
        """Clears away everything that an unfinished take has written."""
        for path in self._parts():
            if _name_of_part(path) == name:
                _clear(path)

    def tidy(self, name: str) -> None:
        """Clears away what a take needed only while it was made."""
        _clear(self.scratch(name))

    def _parts(self) -> tuple[Path, ...]:
        return tuple(path for path in self.work.iterdir() if path.name.endswith(PART))


def _name_of_part(path: Path) -> str | None:
    """The take that an unfinished file belongs to; None for any other file."""
    match = _PART_NAME.fullmatch(path.name)
    return match["take"] if match else None


def _clear(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        discard(path)


def _give_name(part: Path, final: Path) -> None:
    """Renames without ever overwriting; an `OSError` when the name is taken."""
    try:
        os.link(part, final)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError, AttributeError):  # a disk without hard links
        if final.exists():
            raise FileExistsError(17, "the name is taken", str(final)) from None
        part.rename(final)
        return
    part.unlink()
