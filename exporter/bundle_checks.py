"""A finished bundle's claims, and the files beside its graphs, held to what the runtime asks of them."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import tokenizers
from numpy.typing import NDArray

from exporter.errors import ExportError
from models_onnx.bundle import MANIFEST_NAME, Bundle, GraphFolder
from models_onnx.finder_manifest import FinderBundle
from models_onnx.mask_manifest import MaskBundle
from models_onnx.versions import refuse_newer

Shapes = Mapping[str, tuple[int, ...]]

AGAIN = "Export the bundle again."


def refuse_claims(bundle: GraphFolder, parity: Mapping[str, float]) -> None:
    """Pass when a bundle can run here, and says of every graph how far it is from torch.

    Args:
        bundle: of any kind.
        parity: what its manifest says, by graph; forms for CUDA may have rows too.

    Raises:
        InvalidBundle: "newer": it needs another ONNX Runtime, or is of an opset unknown here.
        ExportError: a graph has no parity, or one that is no distance.
    """
    refuse_newer(bundle, runtime=str(onnxruntime.__version__))
    path = bundle.folder / MANIFEST_NAME
    missing = [role for role in bundle.manifest.graphs if role not in parity]
    if missing:
        raise ExportError(f"{path} has no parity for {', '.join(missing)}.", remedy=AGAIN)
    wrong = [f"{role}: {value}" for role, value in parity.items() if not 0 <= value < math.inf]
    if wrong:
        raise ExportError(f"{path} has parity that is no distance ({', '.join(wrong)}).", remedy=AGAIN)


def refuse_tokenizer(bundle: Bundle | FinderBundle, *, vocabulary: int) -> None:
    """Pass when the tokenizer can be read, and gives nothing but ids that the text tower knows.

    Args:
        bundle: whose it is.
        vocabulary: number of ids of the tower.

    Raises:
        ExportError: it cannot, or does not.
        InvalidBundle: its file was changed.
    """
    path = bundle.checked_path(bundle.manifest.text.tokenizer)
    try:
        tokenizer = tokenizers.Tokenizer.from_str(path.read_text("utf-8"))
    except Exception as error:  # noqa: BLE001  tokenizers raises plain Exception
        raise ExportError(f"{path} is no tokenizer.", remedy=AGAIN, detail=str(error)) from None
    largest = max(tokenizer.get_vocab(with_added_tokens=True).values(), default=0)
    if largest >= vocabulary:
        message = f"{path} gives ids up to {largest}; the text tower knows 0 to {vocabulary - 1}."
        raise ExportError(message, remedy=AGAIN)


def refuse_arrays(bundle: Bundle | MaskBundle, name: str, shapes: Shapes) -> None:
    """Pass when an `.npz` file of a bundle holds finite arrays of these names and shapes.

    Raises:
        ExportError: it does not.
        InvalidBundle: its file was changed.
    """
    path = bundle.checked_path(name)
    for key, array in _arrays(path, tuple(shapes)).items():
        if array.shape != shapes[key]:
            raise ExportError(
                f"{path} has {key} of the shape {array.shape}, not {shapes[key]}.", remedy=AGAIN
            )
        if not np.isfinite(array).all():
            raise ExportError(f"{path} has values in {key} that are no numbers.", remedy=AGAIN)


def _arrays(path: Path, names: tuple[str, ...]) -> dict[str, NDArray[np.float32]]:
    """As the runtime reads them: nothing is unpickled."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            found: dict[str, Any] = {name: stored[name].astype(np.float32) for name in names}
    except (OSError, ValueError, TypeError, KeyError, EOFError, NotImplementedError, MemoryError) as error:
        raise _unreadable(path, error) from None
    except (zipfile.BadZipFile, zlib.error, SyntaxError) as error:
        raise _unreadable(path, error) from None
    return found


def _unreadable(path: Path, error: Exception) -> ExportError:
    return ExportError(f"{path} does not hold the arrays it should.", remedy=AGAIN, detail=str(error))
