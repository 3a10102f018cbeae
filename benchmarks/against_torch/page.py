"""`docs/performance.md` and its pictures, out of what was measured (`docs/performance/measured.json`)."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from benchmarks.against_torch import costs
from benchmarks.against_torch.costs import Costs
from benchmarks.against_torch.picture import Line, write_bars, write_lines
from benchmarks.against_torch.size import WINDOW

Ledger = Mapping[str, Any]

TITLES = {
    "text_encoder": "text tower, one prompt",
    "image_encoder": "image tower, one picture",
    "sync_encoder": "Synchformer with context, one segment",
    "conditions": "conditions, one branch",
    "flow": "flow network, one evaluation",
    "decoder": "VAE decoder",
    "vocoder": "vocoder",
}
AIMS = {"flow": 1.5, "vocoder": 1.5}
"""Times torch eager; 1 elsewhere."""

TAKE, MINUTE = Fraction(5), Fraction(60)
LENGTHS = (1, 2, 3, 4, 5, 8, 10, 20, 30, 60)
"""Seconds of cues."""

MARK = "<!-- below this line: written by hand -->"


def write_page(path: Path, ledger: Ledger) -> None:
    """The page at `path`; what a person wrote after its mark stays."""
    old = path.read_text("utf-8") if path.is_file() else ""
    kept = old.split(MARK)[1] if MARK in old else "\n"
    folder = path.with_suffix("")
    write_bars(folder / "stages.png", _ratios(ledger))
    parts = [
        _OPENING,
        _stages(ledger),
        f"![Times torch, by stage]({path.stem}/stages.png)",
        _takes(ledger),
        _by_length(ledger, folder / "lengths.png"),
        _stages_by_length(ledger),
        _memory(ledger),
        MARK,
    ]
    path.write_text("\n\n".join(part for part in parts if part) + kept, "utf-8")


_OPENING = """# Performance on the CPU

Our engine's graphs in ONNX Runtime against PyTorch eager with the same networks, run as the reference runs
them: encoders at every call, two guidance passes, anti-aliasing as published, everything in memory. Sizes of
`small_44k_sa`, drawn weights, float32, one thread each, the 5 s window. Both run in turn in one process;
figures are medians of **processor seconds**, because the machine had other work at the same time.
`make bench` measures everything and writes this page; `make bench-quick` measures the solver, the decoder, a
picture and a segment, and writes a page of its own. For GPUs see [gpu.md](gpu.md)."""


def _rows(ledger: Ledger) -> list[dict[str, Any]]:
    return [entry for entry in ledger.values() if isinstance(entry, dict) and "role" in entry]


def _cpu(entry: Mapping[str, Any], side: str) -> float:
    return float(statistics.median(entry[side]["cpu"]))


def _ratios(ledger: Ledger) -> dict[str, float]:
    """By stage: how many times faster than torch, at 5 s."""
    found = _by_role(ledger)
    return {
        TITLES[role]: _cpu(found[role], "torch") / _cpu(found[role], "ours")
        for role in TITLES
        if role in found
    }


def _by_role(ledger: Ledger) -> dict[str, dict[str, Any]]:
    """The entry of each stage that is nearest to a whole window, with the fewest rows."""
    found: dict[str, dict[str, Any]] = {}
    rows = sorted(_rows(ledger), key=lambda entry: (abs(entry["frames"] - WINDOW), entry["units"]))
    for entry in reversed(rows):
        found[entry["role"]] = entry
    return found


def _stages(ledger: Ledger) -> str:
    lines = [
        "## Stages",
        "",
        "| stage | ours, s | torch, s | times torch | aim | relative L2 | loading, s | runs | measured |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    found = _by_role(ledger)
    for role, title in TITLES.items():
        if role not in found:
            lines.append(f"| {title} | not measured yet | | | {AIMS.get(role, 1)} | | | | |")
            continue
        entry = found[role]
        ours, torch = (_cpu(entry, side) / entry["units"] for side in ("ours", "torch"))
        part = "" if entry["frames"] == WINDOW else f" ({entry['frames'] / 25:g} s of it)"
        runs = len(entry["ours"]["cpu"])
        lines.append(
            f"| {title}{part} | {ours:.3g} | {torch:.3g} | **{torch / ours:.2f}** | {AIMS.get(role, 1)} "
            f"| {entry['relative']:.1e} | {entry['load_cpu']:.1f} | {runs} | {entry['date']} |"
        )
    return "\n".join(lines)


def _takes(ledger: Ledger) -> str:
    lines = [
        "## Takes",
        "",
        "**composed**: pictures, segments, solver steps and prompts times what one of each costs, from the",
        "table above, on one core. **measured**: the product's engine from pictures to sound, or all of",
        "torch's networks one after the other. Decoding video is in neither; making network input of",
        "pictures is in ours where it was measured. The reference encodes again whatever is asked; ours",
        "keeps what it has seen, and objects of a shot share its pictures. A minute is one pass there.",
        "",
        "| asked | ours, s | | reference, s | | times |",
        "|---|---|---|---|---|---|",
    ]
    whole = _whole(ledger, "reference", "first take", TAKE)
    lines += [_take_row(what, _whole(ledger, "ours", what, TAKE), whole) for what in costs.ASKED]
    minute = [_composed(ledger, side, "first take", MINUTE) for side in ("ours", "reference")]
    lines.append(_take_row("60 s cue, first take", *minute))
    return "\n".join(lines)


Cost = tuple[float | None, str]
"""Seconds, and how they are known, or what is missing."""


def _take_row(what: str, ours: Cost, whole: Cost) -> str:
    times = "" if ours[0] is None or whole[0] is None else f"**{whole[0] / ours[0]:.2f}**"
    told = [cell for cost, how in (ours, whole) for cell in ("" if cost is None else f"{cost:.0f}", how)]
    return f"| {what} | {' | '.join(told)} | {times} |"


def _whole(ledger: Ledger, side: str, what: str, seconds: Fraction) -> Cost:
    """What was measured of such a take, else what it is composed of."""
    rows = ledger.get(f"take, {side}, {what}" if seconds == TAKE else f"{seconds} s, {side}, {what}")
    if rows:
        return statistics.median(row["cpu"] for row in rows), f"measured, {_times(len(rows))}"
    return _composed(ledger, side, what, seconds)


def _times(count: int) -> str:
    return "once" if count == 1 else f"median of {count}"


def _composed(ledger: Ledger, side: str, what: str, seconds: Fraction) -> Cost:
    known = Costs.of(_rows(ledger), "ours" if side == "ours" else "torch")
    units = costs.asked(what, seconds) if side == "ours" else costs.reference(seconds)
    lacks = known.lacks(units)
    return known.total(units), f"lacks {', '.join(lacks)}" if lacks else "composed"


def _by_length(ledger: Ledger, picture: Path) -> str:
    """Whole takes of every length, and their picture: measured where they were, else composed."""
    kinds = (("ours", "first take"), ("reference", "first take"), ("ours", "second take (new seed)"))
    columns = [[_whole(ledger, *kind, Fraction(length)) for length in LENGTHS] for kind in kinds]
    first, whole, again = ([cost for cost, _ in column if cost is not None] for column in columns)
    if not len(first) == len(whole) == len(again) == len(LENGTHS):
        return ""
    lines = [
        "## Cost against length",
        "",
        "First takes and second takes (new seed). Composed ones leave out loading and the making of network",
        "input, so measured ones lie above them.",
        "",
        "| cue, s | ours, s | reference, s | times | ours, s per second | second take, s | s per second | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    known = [
        _together(hows) for hows in zip(*([how for _, how in column] for column in columns), strict=True)
    ]
    lines += [
        f"| {length} | {ours:.0f} | {torch:.0f} | {torch / ours:.2f} | {ours / length:.0f} "
        f"| {second:.0f} | {second / length:.1f} | {how} |"
        for length, ours, torch, second, how in zip(LENGTHS, first, whole, again, known, strict=True)
    ]
    named = {"reference, any take": whole, "ours, first take": first, "ours, second take": again}
    drawn = [Line(name, tuple(zip(LENGTHS, column, strict=True))) for name, column in named.items()]
    write_lines(picture, drawn, across="seconds of the cue", upward="processor seconds")
    return "\n".join(lines) + f"\n\n![Cost against length]({picture.parent.name}/{picture.name})"


def _together(hows: tuple[str, ...]) -> str:
    """How the figures of a row are known: in one way, or in several."""
    return ", ".join(dict.fromkeys(hows))


def _stages_by_length(ledger: Ledger) -> str:
    """Cost of the stages that were measured at several lengths or with several rows."""
    rows = sorted(_rows(ledger), key=lambda entry: (entry["role"], entry["frames"], entry["units"]))
    several = [entry for entry in rows if sum(other["role"] == entry["role"] for other in rows) > 1]
    if not several:
        return ""
    lines = [
        "| stage | one pass over, s | rows | ours, s | torch, s | times | ours, s per second |",
        "|---|---|---|---|---|---|---|",
    ]
    for entry in several:
        seconds, ours, torch = entry["frames"] / 25, _cpu(entry, "ours"), _cpu(entry, "torch")
        encodes = entry["role"] in costs.ENCODERS
        each = f"{ours / entry['units']:.3g} (per row)" if encodes else f"{ours / seconds:.3g}"
        lines.append(
            f"| {TITLES[entry['role']].split(',')[0]} | {seconds:g} | {entry['units']} | {ours:.3g} "
            f"| {torch:.3g} | {torch / ours:.2f} | {each} |"
        )
    return "\n".join(lines)


def _memory(ledger: Ledger) -> str:
    lines = [
        "## Memory",
        "",
        "Peaks in GiB. Weights that are mapped from their file are resident while they are used, but the",
        "system may take those pages back; what no file holds it cannot.",
        "",
        "| | resident | shared pages divided | held by no file |",
        "|---|---|---|---|",
    ]
    peaks = {side: ledger.get(f"memory, {side}") for side in ("ours", "reference")}
    for side, found in peaks.items():
        cells = ["not measured yet", "", ""] if found is None else [_peak(found, kind) for kind in _KINDS]
        lines.append(f"| {side}, every stage of a first take once | {' | '.join(cells)} |")
    takes = {key.removeprefix("take, "): rows for key, rows in ledger.items() if key.startswith("take, ")}
    for what, rows in takes.items():
        most = [max(row["gib"][kind] for row in rows) for kind in _KINDS.values()]
        lines.append(f"| {what}, measured | {' | '.join(f'{one:.2f}' for one in most)} |")
    first = {what: rows for what, rows in takes.items() if what.endswith("first take")}
    shares = [_share(peaks, of) for of in (first, takes)]
    if all(shares):
        of_first, of_any = (f"{100 * share:.0f} %" for share in shares)
        lines += [
            "",
            (
                f"A first take of ours needs {of_first} of the reference's memory (aim: at most 60 %), "
                f"the most that any of ours needed is {of_any}."
            ),
        ]
    return "\n".join(lines)


def _share(peaks: Mapping[str, Any], takes: Mapping[str, Any]) -> float:
    """Our highest peak beside the reference's; 0 where one was not measured."""
    ours, reference = (_most(peaks[side], takes, side) for side in ("ours", "reference"))
    return ours / reference if reference else 0.0


def _most(stages: Mapping[str, Any] | None, takes: Mapping[str, Any], side: str) -> float:
    """The highest resident peak that was seen of a side; 0 where none was measured."""
    seen = [float(row["gib"]["Rss"]) for what, rows in takes.items() if what.startswith(side) for row in rows]
    return max([*seen, 0.0 if stages is None else float(stages["peak_gib"])])


_KINDS = {"peak_gib": "Rss", "pss_gib": "Pss", "anonymous_gib": "Anonymous"}
"""Keys of `memory`, and the kernel's names of the same in takes."""


def _peak(found: Mapping[str, Any], kind: str) -> str:
    note = found.get("note", "") if kind == "peak_gib" else ""
    return f"{found[kind]:.2f}{note}" if kind in found else ""
