"""What the runner works with: footage to look at and a synthesis to run, so that either can be another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from platform import python_version
from typing import Protocol

import numpy as np
import numpy.typing as npt

from plugin import __version__
from plugin.cues import Spot
from plugin.engine.engine import Engine
from plugin.engine.footage import Footage
from plugin.engine.watch import Watch
from plugin.render.footage import ClipFootage
from plugin.render.provenance import EngineFacts
from plugin.render.rendering import Brief, synthesise

Float = npt.NDArray[np.float32]

_LIBRARIES = ("numpy", "av", "soxr", "onnxruntime", "onnxruntime-gpu")


class CueFootage(Footage, Protocol):
    """Footage that also says where it came from."""

    @property
    def picture_fingerprint(self) -> str:
        """Of the source media file; "" when there is none."""
        ...

    @property
    def matte_fingerprint(self) -> str:
        """Of the matte file; "" when there is none."""
        ...

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was noticed so far while frames were read."""
        ...


class Synthesis(Protocol):
    """Makes the sound of one take; see `plugin.render.rendering.synthesise`."""

    def __call__(self, footage: Footage, brief: Brief, *, samples: int, watch: Watch) -> Iterator[Float]:
        """Float32 pieces of exactly `samples` samples in total, mono, 48 kHz."""
        ...


@dataclass(frozen=True, slots=True)
class Workshop:
    """Everything a run needs beside its cue sheet.

    Attributes:
        facts: what makes the sound.
        open_footage: the pictures of a spot.
        synthesise: pictures and words into sound.
        versions: of the programs that take part, by name.
    """

    facts: EngineFacts
    open_footage: Callable[[Spot], AbstractContextManager[CueFootage]]
    synthesise: Synthesis
    versions: tuple[tuple[str, str], ...]

    @classmethod
    def of_engine(cls, engine: Engine) -> Workshop:
        """The real one, around an opened engine."""
        return cls(
            facts=EngineFacts.of_bundle(engine.bundle, provider=engine.provider),
            open_footage=ClipFootage.open,
            synthesise=partial(synthesise, engine),
            versions=program_versions(),
        )


def program_versions() -> tuple[tuple[str, str], ...]:
    """Our own version, Python's, and those of the libraries that shape the sound."""
    found = {"sagafoley": __version__, "python": python_version()}
    for library in _LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return tuple(found.items())
