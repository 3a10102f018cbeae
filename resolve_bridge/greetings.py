"""What a Resolve that answers has said of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Greeting:
    """Resolve's own words (`resolve_bridge.inside.greeting.greet`).

    Attributes:
        product: "DaVinci Resolve" or "DaVinci Resolve Studio".
        version: as it writes it, e.g. "20.3.2.9".
        studio: the paid edition; None when it does not tell.
        python: version of the Python that speaks to it.
    """

    product: str
    version: str
    studio: bool | None
    python: str

    @classmethod
    def of(cls, facts: Mapping[str, object]) -> Greeting:
        """From the answer's values; what is missing is ""."""
        studio = facts.get("studio")
        texts = {key: str(facts.get(key) or "") for key in ("product", "version", "python")}
        return cls(
            texts["product"], texts["version"], studio if isinstance(studio, bool) else None, texts["python"]
        )

    @property
    def name(self) -> str:
        """Product and version, for people."""
        return f"{self.product or 'DaVinci Resolve'} {self.version}".strip()
