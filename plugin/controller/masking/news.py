"""What a mask session has to tell a window at its next beat."""

from __future__ import annotations

from dataclasses import dataclass, field

from plugin.controller.masking.views import MaskChanged


@dataclass(slots=True)
class News:
    """What is new since the last beat."""

    picture: bool = False
    view: bool = True
    strip: bool = True
    tracking: bool = False
    saving: bool = False
    finding: bool = False
    messages: list[str] = field(default_factory=list)

    def changed(self) -> MaskChanged:
        """The same for a window."""
        shown = self.picture, self.view, self.strip, self.tracking, self.saving, self.finding
        return MaskChanged(*shown, messages=tuple(self.messages))
