"""What a mask session needs of its surroundings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from plugin.controller.masking.crews import Crew
from plugin.masks.documents import PromptsDocument
from plugin.masks.results import MaskStore


@dataclass(frozen=True, slots=True)
class Desktop:
    """What a session needs of its surroundings.

    Attributes:
        crew: makes the masks.
        store: where masks are kept.
        document: what was said earlier, with the film and range of the shot.
        path: where what is said is saved.
        mattes: where mattes go.
        number: the object that is chosen at first, from 0.
        notices: what there is to say at the beginning, whole sentences.
    """

    crew: Crew
    store: MaskStore
    document: PromptsDocument
    path: Path
    mattes: Path
    number: int = 0
    notices: tuple[str, ...] = ()
