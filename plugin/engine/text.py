"""Words as token ids (spec 2.2)."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ftfy
import numpy as np
import numpy.typing as npt
import tokenizers

from models_onnx.bundle import Bundle
from models_onnx.finder_manifest import FinderBundle
from models_onnx.manifest import TextSpec
from plugin.engine.bundle_errors import bundle_errors
from plugin.errors import BundleCorrupt

Ids = npt.NDArray[np.int64]


def normalise_prompt(prompt: str) -> str:
    """The prompt as the text tower was trained to see it.

    Mojibake is repaired, HTML entities are resolved (twice, as published), white space is collapsed and
    letters are lower case.
    """
    readable = prompt.encode("utf-8", "ignore").decode("utf-8")
    plain = html.unescape(html.unescape(ftfy.fix_text(readable)))
    return " ".join(plain.split()).lower()


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """A bundle's tokenizer with its frame of start, end and padding ids."""

    spec: TextSpec
    model: Any

    @classmethod
    def load(cls, bundle: Bundle | FinderBundle) -> Tokenizer:
        """The tokenizer of a bundle.

        Raises:
            BundleCorrupt: its file was changed, or is no tokenizer.
        """
        with bundle_errors():
            path = bundle.checked_path(bundle.manifest.text.tokenizer)
        return cls(bundle.manifest.text, _read(path, bundle_id=bundle.manifest.id))

    def ids(self, prompt: str) -> Ids:
        """Token ids `[1, length]` int64: start, words, end, padding; long prompts lose their tail."""
        spec = self.spec
        words = self.model.encode(normalise_prompt(prompt), add_special_tokens=False).ids
        framed = [spec.start_id, *words[: spec.length - 2], spec.end_id]
        return np.array([framed + [spec.pad_id] * (spec.length - len(framed))], np.int64)


def _read(path: Path, *, bundle_id: str) -> Any:
    try:
        model = tokenizers.Tokenizer.from_str(path.read_text("utf-8"))
    except Exception as error:  # noqa: BLE001 - tokenizers raises plain Exception
        raise BundleCorrupt(
            f"The tokenizer {path.name} of the bundle {bundle_id} cannot be read.",
            remedy="Install or export the bundle again.",
            detail=str(error),
        ) from None
    model.no_truncation()
    model.no_padding()
    return model
