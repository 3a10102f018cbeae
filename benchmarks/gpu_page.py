"""The rows of `benchmarks.gpu` as tables for docs/gpu.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

Row = dict[str, Any]

TARGETS = {"first take": 350.0, "second take": 100.0}
"""Milliseconds on an H200, 5 s, fp16."""
MEMORY_TARGET = 4.0 * 1024
TIMES_FASTER = 3.0


def page(rows: Sequence[Row]) -> str:
    """Everything that was measured, in Markdown."""
    parts = (
        _machine(rows),
        _verdict(rows),
        _table("Where nodes run", rows, "placement", _placement),
        _table("Differences (relative L2)", rows, "parity", _parity),
        _table("One call of a graph", rows, "time", _time),
        _table("Takes of 5 s", rows, "take", _take),
        _table("Stages of a take", rows, "stages", _stages),
        _table("GPU memory", rows, "memory", _memory),
        _table("The same bits again", rows, "repeat", _repeat),
        _table("What takes said", rows, "remarks", _remarks),
        _table("From Cancel to the end", rows, "cancel", _cancel),
        _table("What did not work", rows, "fault", _fault),
    )
    return "\n".join(part for part in parts if part)


def _of(rows: Iterable[Row], kind: str) -> list[Row]:
    return [row for row in rows if row["kind"] == kind]


def _machine(rows: Sequence[Row]) -> str:
    lines = []
    for row in _of(rows, "machine")[-1:]:
        versions = ", ".join(f"{name} {version}" for name, version in row["versions"].items())
        works = "works" if row["usable"] else f"does **not** work: {row['fault'].splitlines()[0]}"
        lines = [
            f"{row['gpu']}; Python {row['python']}, ONNX Runtime {row['onnxruntime']}; {versions}.",
            f"Size {row['size']}; the provider {row['provider']} {works}.",
            "",
        ]
    return "\n".join(lines)


def _verdict(rows: Sequence[Row]) -> str:
    """The targets, and whether they are met."""
    takes = {(row["engine"], row["asked"]): row["ms"] for row in _of(rows, "take")}
    lines = []
    for asked, most in TARGETS.items():
        found = takes.get(("ours, usual", asked))
        if found is not None:
            lines.append((f"{asked}, at most {most:.0f} ms", f"{found:.0f} ms", found <= most))
    eager = takes.get(("torch bf16 eager", "take"))
    ours = takes.get(("ours, usual", "first take"))
    if eager and ours:
        ratio = eager / ours
        lines.append((f"at least {TIMES_FASTER:g} x torch bf16", f"{ratio:.1f} x", ratio >= TIMES_FASTER))
    for row in _of(rows, "memory"):
        if row["what"] == "ours, usual" and row["mib"] is not None:
            enough = row["mib"] <= MEMORY_TARGET
            lines.append(("GPU memory, at most 4.0 GiB", f"{row['mib'] / 1024:.2f} GiB", enough))
    strays = [row["graph"] for row in _of(rows, "placement") if row["strays"]]
    if _of(rows, "placement"):
        lines.append(("no heavy node off the provider", ", ".join(strays) or "none", not strays))
    if not lines:
        return ""
    body = (f"| {what} | {found} | {'yes' if met else '**no**'} |" for what, found, met in lines)
    return "\n".join(["## Targets", "", "| target | found | met |", "|---|---|---|", *body, ""])


def _table(title: str, rows: Sequence[Row], kind: str, cells: Any) -> str:
    found = _of(rows, kind)
    if not found:
        return ""
    listed = [cells(row) for row in found]
    head = list(listed[0])
    lines = [f"## {title}", "", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(str(each[name]) for name in head)} |" for each in listed]
    return "\n".join([*lines, ""])


def _placement(row: Row) -> dict[str, Any]:
    counts = (f"{name.removesuffix('ExecutionProvider')} {count}" for name, count in row["nodes"].items())
    away = ", ".join(f"{count} {kind}" for kind, count in sorted(row["away"].items()))
    return {
        "graph": row["graph"],
        "form": row["form"],
        "nodes": ", ".join(counts),
        "elsewhere": away or "none",
        "heavy ones elsewhere": ", ".join(row["strays"]) or "none",
        "loads without the CPU": row["strict"],
    }


def _parity(row: Row) -> dict[str, Any]:
    return {"graph": row["graph"], "way": row["form"], "relative L2": f"{row['relative']:.1e}"}


def _time(row: Row) -> dict[str, Any]:
    return {"graph": row["graph"], "way": row["way"], "rows": row["rows"], "ms": f"{row['ms']:.2f}"}


def _take(row: Row) -> dict[str, Any]:
    return {"engine": row["engine"], "asked": row["asked"], "ms": f"{row['ms']:.1f}"}


def _stages(row: Row) -> dict[str, Any]:
    stages = ", ".join(f"{name} {ms:.1f}" for name, ms in row["ms"].items())
    return {"engine": row["engine"], "take": row["asked"], "ms": stages}


def _memory(row: Row) -> dict[str, Any]:
    mib = "unknown" if row["mib"] is None else f"{row['mib']:.0f}"
    own = row.get("torch_mib")
    return {"what": row["what"], "MiB by the driver": mib, "MiB by torch": "" if own is None else own}


def _repeat(row: Row) -> dict[str, Any]:
    return {"what": row["what"], "same": "yes" if row["same"] else "**no**"}


def _remarks(row: Row) -> dict[str, Any]:
    said = " ".join(row["said"]) or "nothing"
    return {"engine": row["engine"], "said": said, "runs done again in float32": row["fallen_back"]}


def _cancel(row: Row) -> dict[str, Any]:
    return {"ms": ", ".join(f"{each:.0f}" for each in row["ms"]) or "not reached: takes were too quick"}


def _fault(row: Row) -> dict[str, Any]:
    return {"part": row["part"], "what": row["fault"].replace("\n", " ").replace("|", "/")}
