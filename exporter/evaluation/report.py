"""`docs/embedded.md`: what was measured, in tables, with what it must be beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from exporter.evaluation.cases import (
    BLACKED,
    FULL,
    NULL,
    ORACLE,
    OWN,
    TRUE,
    VOCODED,
    WORDLESS,
    WORDS,
)
from exporter.evaluation.intervals import Figure
from exporter.evaluation.learned import MEASURED, Learned
from exporter.evaluation.table import (
    MAIN,
    SINGLE,
    WEAR,
    Line,
    SceneRows,
    bins_by_class,
    joint_counts,
    rows_of,
)

COMPARED = (OWN, WORDLESS, FULL, BLACKED, WORDS, NULL, ORACLE, TRUE)


@dataclass(frozen=True, slots=True)
class Report:
    """All that the page says.

    Attributes:
        scenes: rows of every scene.
        opening: Markdown before the tables: what the model is, what it knows and does not.
        facts: "name: value" of bundle, data and cost.
        pictures: file by caption, relative to the page.
        learned: the field's learned metrics.
    """

    scenes: Sequence[SceneRows]
    opening: str
    facts: Mapping[str, str] = field(default_factory=dict)
    pictures: Mapping[str, str] = field(default_factory=dict)
    learned: Learned = field(default_factory=lambda: Learned({}, "not measured"))

    def markdown(self) -> str:
        """The page."""
        parts = (
            self.opening.strip(),
            "## What was measured",
            _list(self.facts),
            "## What must hold",
            "Intervals hold the value in 95 of 100 draws of the scenes; **bold** misses what it must be.",
            "\n".join(self._main()),
            "\n".join(self._single()),
            "## Conditions beside each other",
            "\n".join(self._conditions()),
            "## Class by class",
            "\n".join(self._classes()),
            "## Learned metrics",
            self._learned(),
            "## Pictures",
            "\n\n".join(f"![{caption}]({file})" for caption, file in self.pictures.items()),
        )
        return "\n\n".join(part for part in parts if part) + "\n"

    def _main(self) -> Iterator[str]:
        yield "| | must | aim | **model** | oracle | true stem |\n|---|---|---|---|---|---|"
        for line in MAIN:
            must, aim = _bounds(line)
            cells = [_shown(line, line.figure(self.scenes, one)) for one in (ORACLE, TRUE)]
            own = line.figure(self.scenes, OWN)
            yield f"| {line.name} | {must} | {aim} | {_judged(line, own)} | {' | '.join(cells)} |"

    def _single(self) -> Iterator[str]:
        yield "| | must | aim | measured |\n|---|---|---|---|"
        for line, condition in (*SINGLE, *WEAR):
            must, aim = _bounds(line)
            found = line.figure(self.scenes, condition)
            yield f"| {line.name} | {must} | {aim} | {_judged(line, found)} |"

    def _conditions(self) -> Iterator[str]:
        lines = [line for line in MAIN if "share" not in line.name]
        yield "| | " + " | ".join(COMPARED) + " |\n|---|" + "---|" * len(COMPARED)
        for line in lines:
            cells = [_plain(line, line.figure(self.scenes, one)) for one in COMPARED]
            yield f"| {line.name} | {' | '.join(cells)} |"

    def _classes(self) -> Iterator[str]:
        yield "| class | sounds | heard as it | onset F1 | true stem's | envelope | VAE dB | decoder dB |"
        yield "|---|---|---|---|---|---|---|---|"
        vae, decoder = (bins_by_class(self.scenes, one) for one in (ORACLE, VOCODED))
        own, true = rows_of(self.scenes, OWN), rows_of(self.scenes, TRUE)
        for name in sorted({row.name for row in own}):
            mine, theirs = ([row for row in rows if row.name == name] for rows in (own, true))
            right = sum(row.heard == name for row in mine) / len(mine)
            impact = mine[0].kind == "impact"
            f1 = [f"{joint_counts(rows).f1:.2f}" if impact else "" for rows in (mine, theirs)]
            alike = sum(row.likeness for row in mine) / len(mine)
            bins = [f"{table[name]:.1f}" if name in table else "" for table in (vae, decoder)]
            cells = (name, str(len(mine)), f"{right:.2f}", *f1, f"{alike:.2f}", *bins)
            yield f"| {' | '.join(cells)} |"

    def _learned(self) -> str:
        if not self.learned.values:
            return f"{', '.join(MEASURED)}: not measured ({self.learned.reason})."
        return _list({name: f"{value:.3f}" for name, value in self.learned.values.items()})


def _list(facts: Mapping[str, str]) -> str:
    return "\n".join(f"* {name}: {value}" for name, value in facts.items())


def _bounds(line: Line) -> tuple[str, str]:
    bounds = line.at_least or line.at_most
    if bounds is None:
        return "", ""
    return tuple("" if one is None else f"{one:g}{line.unit}" for one in bounds)  # type: ignore[return-value]


def _digits(line: Line) -> int:
    return 1 if line.unit else 3


def _plain(line: Line, found: Figure | None) -> str:
    return "" if found is None else f"{found.value:.{_digits(line)}f}"


def _shown(line: Line, found: Figure | None) -> str:
    if found is None:
        return "not measured"
    digits = _digits(line)
    return f"{found.value:.{digits}f} ({found.low:.{digits}f} to {found.high:.{digits}f}){line.unit}"


def _judged(line: Line, found: Figure | None) -> str:
    text = _shown(line, found)
    return text if line.holds(found) else f"**{text}**"
