"""A full-size bundle with drawn weights out of the kept graphs, for whole takes with the product's engine."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks.against_torch.graphs import CACHE, GRAPHS, graph_path
from benchmarks.against_torch.size import MEASURED
from exporter import export
from exporter.labels import random_label
from exporter.networks import RandomWeights
from exporter.tokenizer import build_tokenizer, text_ids
from models_onnx.bundle import MANIFEST_NAME, TextSpec, write_manifest

_BYTES_ONLY = 514
"""A vocabulary of bytes, which is enough to have ids."""


def full_bundle() -> Path:
    """The folder of the bundle; put together where today's graphs are not in one yet."""
    graphs = [graph_path(role) for role in GRAPHS]
    key = hashlib.sha256("".join(path.parent.name for path in graphs).encode()).hexdigest()[:12]
    place = CACHE / f"bundle-{key}"
    if not (place / MANIFEST_NAME).is_file():
        with tempfile.TemporaryDirectory(dir=CACHE, prefix=".making-") as folder:
            _fill(Path(folder), graphs)
            for old in CACHE.glob("bundle-*"):
                shutil.rmtree(old)
            Path(folder).rename(place)
            Path(folder).mkdir()
    return place


def _fill(folder: Path, graphs: list[Path]) -> None:
    for path in graphs:
        for file in path.parent.iterdir():
            os.link(file, folder / file.name)
    growing = export._Growing(folder, MEASURED, precision="fp32", gpu=False, say=print)  # noqa: SLF001 - its own steps
    export._add_flow_values(growing, RandomWeights().network("flow", MEASURED))  # type: ignore[arg-type]  # noqa: SLF001
    tokenizer = build_tokenizer((), vocabulary=_BYTES_ONLY)
    (folder / export.TOKENIZER_FILE).write_text(tokenizer.to_str(), "utf-8")
    manifest = export._manifest(growing, RandomWeights(), random_label(MEASURED, id="measured", title=""))  # noqa: SLF001
    ids = text_ids(vocabulary=_BYTES_ONLY, length=MEASURED.clip.text_length)
    text = TextSpec(tokenizer=export.TOKENIZER_FILE, **asdict(ids))
    write_manifest(folder, replace(manifest, text=text))
