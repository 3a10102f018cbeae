"""Presets: named amounts of work for a take, read from `presets.toml` and the user's own file."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

from plugin.cues import MAX_GUIDANCE, MAX_STEPS
from plugin.errors import UsageError

DEFAULT_PRESET = "standard"
DEFAULT_STEPS = 25
DEFAULT_GUIDANCE = 7.0


@dataclass(frozen=True, slots=True)
class Preset:
    """One named amount of work.

    Attributes:
        name: what a cue sheet calls it.
        title: one sentence for people.
        steps: solver steps, 1..`MAX_STEPS`; None means the bundle's own number.
        guidance: guidance strength, 0..`MAX_GUIDANCE`; None means the bundle's own.
    """

    name: str
    title: str
    steps: int | None = None
    guidance: float | None = None


@dataclass(frozen=True, slots=True)
class Presets:
    """All presets, and the bundle's values for what a preset leaves open.

    Attributes:
        entries: in the order they are shown.
        steps: solver steps of the bundle.
        guidance: guidance strength of the bundle.
    """

    entries: tuple[Preset, ...]
    steps: int = DEFAULT_STEPS
    guidance: float = DEFAULT_GUIDANCE

    @classmethod
    def load(cls, user_file: Path | None = None) -> Presets:
        """The shipped presets, with those of `user_file` added or put in place of a like-named one.

        Raises:
            UsageError: the user's file is not TOML, or names a key or value that cannot be.
        """
        shipped = resources.files("plugin").joinpath("presets.toml").read_text("utf-8")
        entries = {preset.name: preset for preset in _parse(shipped, origin="presets.toml")}
        if user_file is not None and user_file.is_file():
            text = _read(user_file)
            entries.update({preset.name: preset for preset in _parse(text, origin=str(user_file))})
        return cls(tuple(entries.values()))

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in order."""
        return tuple(preset.name for preset in self.entries)

    def for_bundle(self, *, steps: int, guidance: float) -> Presets:
        """The same presets over another bundle's defaults."""
        return replace(self, steps=steps, guidance=guidance)

    def find(self, name: str) -> Preset:
        """The preset of that name.

        Raises:
            UsageError: there is none.
        """
        for preset in self.entries:
            if preset.name == name:
                return preset
        near = difflib.get_close_matches(name, self.names, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise UsageError(
            f"There is no preset '{name}'.{hint}", remedy=f"Use one of: {', '.join(self.names)}."
        )

    def sampling(self, name: str) -> tuple[int, float]:
        """Solver steps and guidance that the preset means with this bundle.

        Raises:
            UsageError: there is no such preset.
        """
        preset = self.find(name)
        steps = self.steps if preset.steps is None else preset.steps
        guidance = self.guidance if preset.guidance is None else preset.guidance
        return steps, guidance


def markdown_table() -> str:
    """The shipped presets as a Markdown table for the docs."""
    lines = ["| preset | steps | guidance | meaning |", "|---|---|---|---|"]
    for preset in Presets.load().entries:
        steps, guidance = ("the bundle's" if n is None else f"{n:g}" for n in (preset.steps, preset.guidance))
        lines.append(f"| `{preset.name}` | {steps} | {guidance} | {preset.title} |")
    return "\n".join(lines) + "\n"


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The presets file {path} cannot be read: {error}.",
            remedy="Correct or remove the file.",
        ) from error


def _parse(text: str, *, origin: str) -> list[Preset]:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"The presets file {origin} is not valid TOML: {error}.",
            remedy="Correct the line it names.",
        ) from error
    return [_preset(name, table, origin=origin) for name, table in tables.items()]


def _preset(name: str, table: Any, *, origin: str) -> Preset:
    where = f"Preset '{name}' in {origin}"
    if not isinstance(table, dict):
        raise UsageError(f"{where} is not a table.", remedy=f"Write it as [{name}].")
    unknown = sorted(set(table) - {"title", "steps", "guidance"})
    if unknown:
        raise UsageError(
            f"{where} has the unknown key '{unknown[0]}'.",
            remedy="Use only title, steps and guidance.",
        )
    title = table.get("title", name)
    if not isinstance(title, str):
        raise UsageError(f"{where}: title must be text.", remedy="Put the title in quotes.")
    return Preset(
        name, title, _steps(table.get("steps"), where=where), _guidance(table.get("guidance"), where=where)
    )


def _steps(value: Any, *, where: str) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_STEPS:
        raise UsageError(
            f"{where}: steps is {value!r}.", remedy=f"Give a whole number from 1 to {MAX_STEPS}."
        )
    return value


def _guidance(value: Any, *, where: str) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= MAX_GUIDANCE:
        raise UsageError(
            f"{where}: guidance is {value!r}.", remedy=f"Give a number from 0 to {MAX_GUIDANCE:g}."
        )
    return float(value)
