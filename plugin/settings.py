"""Settings: one table of rows. The dialog, the command line's help and the docs are made from it.

To add a setting, add one field to `Settings`; nothing else needs to know.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import tomllib
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from plugin.cues import MAX_SEED, MAX_TAKES
from plugin.errors import UsageError
from plugin.wholefile import write_whole

FILE_NAME = "settings.toml"

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Row:
    """One setting.

    Attributes:
        key: its name in the file and, with dashes, on the command line.
        kind: str, int, float or bool.
        default: its value when nothing is set.
        lowest: smallest number allowed, None for no limit.
        highest: largest number allowed, None for no limit.
        choices: the only texts allowed; empty means any.
        help: one sentence for people.
    """

    key: str
    kind: type[Value]
    default: Value
    lowest: float | None
    highest: float | None
    choices: tuple[str, ...]
    help: str

    @property
    def allowed(self) -> str:
        """What values may be given, in words."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.kind is bool:
            return "true or false"
        if self.kind is str:
            return "any text"
        noun = "a whole number" if self.kind is int else "a number"
        return f"{noun} from {self._range}" if self._range else noun

    @property
    def bounds(self) -> str:
        """The range of a number before another remark ("1 to 99; "); "" for anything else."""
        return f"{self._range}; " if self._range else ""

    @property
    def _range(self) -> str:
        if self.lowest is None or self.highest is None:
            return ""
        return f"{self.lowest:,} to {'2^63 - 1' if self.highest == MAX_SEED else f'{self.highest:,}'}"

    def check(self, value: object) -> Value:
        """`value` as this setting keeps it.

        Raises:
            UsageError: wrong kind, out of range, or not a choice.
        """
        if self.kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        fits = isinstance(value, self.kind) and (self.kind is bool or not isinstance(value, bool))
        if not fits or not self._in_range(value):
            raise UsageError(f"Setting '{self.key}' cannot be {value!r}.", remedy=f"Give {self.allowed}.")
        return cast("Value", value)

    def _in_range(self, value: object) -> bool:
        if self.choices:
            return value in self.choices
        if isinstance(value, str):
            return value.isprintable()
        if isinstance(value, int | float) and not isinstance(value, bool):
            above = self.lowest is None or value >= self.lowest
            return above and (self.highest is None or value <= self.highest)
        return True


def _row(
    default: Value,
    text: str,
    *,
    lowest: float | None = None,
    highest: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    facts = {
        "default": default,
        "kind": type(default),
        "help": text,
        "lowest": lowest,
        "highest": highest,
        "choices": choices,
    }
    return field(default=default, metadata=facts)


@dataclass(frozen=True, slots=True)
class Settings:
    """The table: one field per setting, with its default, range and help."""

    bundle: str = _row("embedded", "Model bundle: its name, or the path of its folder.")
    provider: str = _row(
        "auto", "Where the model runs; auto takes the GPU when it can.", choices=("auto", "cpu", "cuda")
    )
    threads: int = _row(0, "CPU threads of the model; 0 lets it decide.", lowest=0, highest=256)
    memory_mb: int = _row(
        0,
        "Memory the model's graphs may hold at a time, in MB; 0 means the largest graph and 0.9 GB on the "
        "CPU and no limit on a GPU.",
        lowest=0,
        highest=1_000_000,
    )
    cache_mb: int = _row(
        2048,
        "Disk space for picture features, so that another take is quick, in MB.",
        lowest=0,
        highest=65_536,
    )
    preset: str = _row("standard", "Preset of a cue that names none: draft, standard, fine or your own.")
    takes: int = _row(1, "Takes of each cue.", lowest=1, highest=MAX_TAKES)
    seed: int = _row(
        1, "Seed of a cue's first take; the next takes count up from it.", lowest=0, highest=MAX_SEED
    )
    output_folder: str = _row("", "Where stems go; empty means a folder beside the timeline.")
    preview_preset: str = _row("draft", "Preset whose steps a preview takes.")
    idle_minutes: int = _row(
        5,
        "Minutes without a render after which the panel gives the model's memory back; 0 keeps it.",
        lowest=0,
        highest=1440,
    )
    mask_maker: str = _row(
        "auto", "What makes masks in mask mode: auto, 'no model', or the name of a mask bundle."
    )
    flavour: str = _row(
        "generic",
        "Who the written timeline is for: any OTIO reader, or DaVinci Resolve.",
        choices=("generic", "resolve"),
    )


def rows() -> tuple[Row, ...]:
    """All settings, in the order they are shown."""
    return tuple(Row(key=item.name, **item.metadata) for item in dataclasses.fields(Settings))


def row(key: str) -> Row:
    """The row of that key.

    Raises:
        UsageError: there is none.
    """
    for candidate in rows():
        if candidate.key == key:
            return candidate
    near = difflib.get_close_matches(key, [each.key for each in rows()], n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise UsageError(f"There is no setting '{key}'.{hint}", remedy="Remove it or correct its name.")


def load_settings(folder: Path) -> Settings:
    """Settings of `folder/settings.toml`; defaults where it says nothing or is not there.

    Raises:
        UsageError: the file cannot be read, or has an unknown key or a value that cannot be.
    """
    path = folder / FILE_NAME
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            f"The settings file {path} cannot be read: {error}.", remedy="Correct or remove the file."
        ) from error
    try:
        return change_settings(Settings(), values)
    except UsageError as error:
        raise UsageError(f"{path}: {error.message}", remedy=error.remedy) from error


def change_settings(settings: Settings, values: dict[str, Any]) -> Settings:
    """New settings with `values` put in place, each checked against its row.

    Raises:
        UsageError: an unknown key or a value that cannot be.
    """
    checked = {key: row(key).check(value) for key, value in values.items()}
    return dataclasses.replace(settings, **checked)  # type: ignore[arg-type]


def save_settings(settings: Settings, folder: Path) -> Path:
    """Writes what differs from the defaults to `folder/settings.toml`; gives its path.

    Raises:
        OutputError: the file cannot be written.
    """
    path = folder / FILE_NAME
    lines = ["# Settings of Sagafoley. What is not named here has its default.", ""]
    for each in rows():
        value = getattr(settings, each.key)
        if value != each.default:
            lines += [f"# {each.help}", f"{each.key} = {_toml(value)}", ""]
    write_whole(path, "\n".join(lines).encode("utf-8"))
    return path


def _toml(value: Value) -> str:
    """A value in TOML; JSON's spelling of text, numbers and flags is also TOML's."""
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("\x7f", "\\u007f")


def add_arguments(parser: ArgumentParser, keys: Iterable[str]) -> None:
    """Gives the parser one option per key; an option that is not used stays None."""
    for each in (row(key) for key in keys):
        parser.add_argument(
            "--" + each.key.replace("_", "-"),
            dest=each.key,
            type=_converter(each),
            default=None,
            metavar=_metavar(each),
            help=f"{each.help[:-1]} ({each.bounds}default {_shown(each.default)}).".replace("%", "%%"),
        )


def _metavar(each: Row) -> str:
    if each.choices:
        return "{" + ",".join(each.choices) + "}"
    return each.key.upper() if each.kind is str else "N"


def _converter(each: Row) -> Callable[[str], Value]:
    def convert(text: str) -> Value:
        if each.kind is bool:
            words: dict[str, object] = {"true": True, "false": False, "yes": True, "no": False}
            value = words.get(text.lower(), text)
        else:
            try:
                value = each.kind(text)
            except ValueError:
                value = text
        try:
            return each.check(value)
        except UsageError as error:
            raise ArgumentTypeError(error.remedy[0].lower() + error.remedy[1:].rstrip(".")) from error

    return convert


def markdown_table() -> str:
    """The settings as a Markdown table for the docs."""
    lines = ["| setting | values | default | meaning |", "|---|---|---|---|"]
    lines += [f"| `{r.key}` | {r.allowed} | {_shown(r.default)} | {r.help} |" for r in rows()]
    return "\n".join(lines) + "\n"


def _shown(value: Value) -> str:
    return "empty" if value == "" else str(value).lower() if isinstance(value, bool) else str(value)
