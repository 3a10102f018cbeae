"""`docs/performance.md` and its picture, out of what was measured (`docs/performance/measured.json`)."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.against_torch.picture import write_picture

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

FULL = 125
"""Sync frames of a 5 s window."""

STEPS, PICTURES, SEGMENTS = 25, 40, 14
"""Of a 5 s take: solver steps, pictures of the image tower, segments."""

WINDOWS_OF_A_MINUTE = 15
"""Windows of 5 s with their overlaps in a 60 s cue (`plugin.render.planning`)."""

SOUND_OF_A_MINUTE = 5168 / 432 * 490 / 448
"""Vocoder work of 60 s, in windows of 5 s: 5168 mel frames, each call of 448 with its halos."""

OBJECTS = 10


@dataclass(frozen=True, slots=True)
class Costs:
    """Processor seconds of one unit of each stage, by one side; None where not measured."""

    by_role: Mapping[str, float]

    def take(self, counts: Mapping[str, float]) -> float | None:
        """Seconds of so many units of each stage; None where one of them was not measured."""
        if not set(counts) <= set(self.by_role):
            return None
        return sum(count * self.by_role[role] for role, count in counts.items())


ENDING = {"conditions": 2, "flow": 2 * STEPS, "decoder": 1, "vocoder": 1}
"""What every take costs: two guidance branches, solver, sound."""

WHOLE = {"text_encoder": 2, "image_encoder": PICTURES, "sync_encoder": SEGMENTS, **ENDING}
"""What the first take costs, and every call of the reference."""

_WINDOWED = ("image_encoder", "sync_encoder", "conditions", "flow", "decoder")
_MINUTE = dict.fromkeys(_WINDOWED, WINDOWS_OF_A_MINUTE) | {"vocoder": SOUND_OF_A_MINUTE}

OURS: Mapping[str, Mapping[str, float]] = {
    "first take": WHOLE,
    "second take (new seed)": ENDING,
    "second prompt": {"text_encoder": 1, **ENDING},
    "second object in the shot": {"sync_encoder": SEGMENTS, **ENDING},
    "10 objects in a shot, each": {
        "text_encoder": 11 / OBJECTS,
        "image_encoder": PICTURES / OBJECTS,
        "sync_encoder": SEGMENTS,
        **ENDING,
    },
    "60 s cue, first take": {role: _MINUTE.get(role, 1) * count for role, count in WHOLE.items()},
}
"""What is asked, and how many units of each stage we run for it."""

TIMES_WHOLE = {"60 s cue, first take": 12.0}
"""Where the reference does more than one whole take of 5 s: it is linear but for attention, left out here."""


def write_page(path: Path, ledger: Ledger) -> None:
    """The page at `path`; what a person wrote after its mark stays."""
    mark = "<!-- below this line: written by hand -->"
    old = path.read_text("utf-8") if path.is_file() else ""
    kept = old.split(mark)[1] if mark in old else "\n"
    picture = path.with_suffix("") / "stages.png"
    write_picture(picture, _ratios(ledger))
    parts = [
        _OPENING,
        _stages(ledger),
        f"![Times torch, by stage]({path.stem}/{picture.name})",
        _takes(ledger),
    ]
    parts += [_lengths(ledger), _memory(ledger), mark]
    path.write_text("\n\n".join(part for part in parts if part) + kept, "utf-8")


_OPENING = """# Performance on the CPU

Our engine's graphs in ONNX Runtime against PyTorch eager with the same networks, run as the reference runs
them: encoders at every call, two guidance passes, everything in memory. Sizes of `small_44k_sa`, drawn
weights, float32, one thread each, the 5 s window. Both run in turn in one process; figures are medians of
**processor seconds**, because the machine had other work at the same time. `make bench` measures everything,
`make bench-quick` the solver, the decoder and a few pictures and segments; both write this page. For GPUs
see [gpu.md](gpu.md)."""


def _rows(ledger: Ledger) -> list[dict[str, Any]]:
    return [entry for key, entry in ledger.items() if not key.startswith("memory")]


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
    """The entry of each stage that is nearest to a whole 5 s window, with the fewest rows."""
    found: dict[str, dict[str, Any]] = {}
    for entry in sorted(_rows(ledger), key=lambda entry: (entry["frames"], -entry["units"])):
        found[entry["role"]] = entry
    return found


def _scale(entry: Mapping[str, Any]) -> float:
    """From a run to one unit at 5 s: rows, and for the vocoder the part of the window that was measured."""
    return float(FULL / entry["frames"] / entry["units"])


def _costs(ledger: Ledger, side: str) -> Costs:
    found = _by_role(ledger)
    return Costs({role: _cpu(entry, side) * _scale(entry) for role, entry in found.items()})


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
        part = "" if entry["frames"] == FULL else f" ({entry['frames'] / 25:g} s of it)"
        runs = len(entry["ours"]["cpu"])
        lines.append(
            f"| {title}{part} | {ours:.3g} | {torch:.3g} | **{torch / ours:.2f}** | {AIMS.get(role, 1)} "
            f"| {entry['relative']:.1e} | {entry['load_cpu']:.1f} | {runs} | {entry['date']} |"
        )
    return "\n".join(lines)


def _takes(ledger: Ledger) -> str:
    ours, torch = _costs(ledger, "ours"), _costs(ledger, "torch")
    lines = [
        "## Takes",
        "",
        "**Composed** from the stages above, on one core: pictures, segments, solver steps and prompts times",
        "what one of each costs. Decoding video and making network input of it is in neither column. The",
        "reference encodes again whatever is asked; ours keeps what it has seen, and objects of a shot share",
        "its pictures. For a minute the reference is taken as twelve takes of 5 s: it runs all at once, and",
        "its attention costs more than that.",
        "",
        "| asked | ours, s | reference, s | times |",
        "|---|---|---|---|",
    ]
    for asked, counts in OURS.items():
        mine, whole = ours.take(counts), torch.take(WHOLE)
        if mine is None or whole is None:
            missing = sorted(set(counts) - set(ours.by_role)) or sorted(set(WHOLE) - set(torch.by_role))
            lines.append(
                f"| {asked} | {'' if mine is None else f'{mine:.0f}'} | lacks {', '.join(missing)} | |"
            )
            continue
        whole *= TIMES_WHOLE.get(asked, 1.0)
        lines.append(f"| {asked} | {mine:.0f} | {whole:.0f} | **{whole / mine:.2f}** |")
    return "\n".join(lines)


def _lengths(ledger: Ledger) -> str:
    """Cost of the stages that were measured at several lengths."""
    rows = sorted(_rows(ledger), key=lambda entry: (entry["role"], entry["frames"], entry["units"]))
    several = [entry for entry in rows if sum(other["role"] == entry["role"] for other in rows) > 1]
    if not several:
        return ""
    lines = [
        "## Cost against length",
        "",
        "| stage | window, s | rows | ours, s | torch, s | ours, s per second |",
        "|---|---|---|---|---|---|",
    ]
    for entry in several:
        seconds, ours = entry["frames"] / 25, _cpu(entry, "ours")
        each = ours / entry["units"] if entry["units"] > 1 else ours / seconds
        unit = " (per row)" if entry["units"] > 1 else ""
        lines.append(
            f"| {TITLES[entry['role']].split(',')[0]} | {seconds:g} | {entry['units']} | {ours:.3g} "
            f"| {_cpu(entry, 'torch'):.3g} | {each:.3g}{unit} |"
        )
    return "\n".join(lines)


def _memory(ledger: Ledger) -> str:
    lines = ["## Memory", "", "| side | peak of a first take, GiB |", "|---|---|"]
    peaks = {side: ledger.get(f"memory, {side}") for side in ("ours", "reference")}
    for side, found in peaks.items():
        told = "not measured yet" if found is None else f"{found['peak_gib']:.2f}{found.get('note', '')}"
        lines.append(f"| {side} | {told} |")
    ours, reference = peaks["ours"], peaks["reference"]
    if ours is not None and reference is not None:
        share = ours["peak_gib"] / reference["peak_gib"]
        lines += ["", f"Ours takes {100 * share:.0f} % of the reference's (aim: at most 60 %)."]
    return "\n".join(lines)
