"""The six networks of a model, built and given their weights: published, own, or drawn from names.

| network | own file | published file and part |
|---|---|---|
| clip_text, clip_image | clip | open_clip_pytorch_model |
| synchformer | synchformer | synchformer_state_dict (base), over it saganet `synchformer` |
| flow | flow | saganet or saganet_no_lora, `network`; held against mmaudio_small_44k if it is there |
| vae | vae | v1-44 |
| vocoder | vocoder | bigvgan_generator, `generator` |

A medium model has mmaudio_medium_44k in place of the small one. Without masks (MMAudio) synchformer is
synchformer_state_dict alone, and flow mmaudio_small_44k or mmaudio_medium_44k.

Which file is taken: `places`. What overrides what, and which tensors are left out: `selection`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from exporter import fill
from exporter.checkpoints import load_strictly, mismatches, read_checkpoint, read_part, refuse_differences
from exporter.errors import ExportError
from exporter.models.bigvgan import Vocoder, fold_weight_norm
from exporter.models.clip import VISUAL_PREFIX, ImageTower, TextTower
from exporter.models.flow import FlowNetwork
from exporter.models.plain_sync import PlainSynchformer
from exporter.models.synchformer import Synchformer
from exporter.models.vae import Vae, normalise_weights
from exporter.models.vocos import Vocos, VocosDims
from exporter.places import find_parts
from exporter.selection import SELECT, Stored
from exporter.sizes import Sizes
from exporter.weight_norm import weight_norm_shapes
from models_onnx.bundle import Source, sha256_of

_log = logging.getLogger(__name__)


def _decoding_vae(sizes: Sizes) -> Vae:
    vae = Vae(sizes.vae)
    vae.encoder = nn.Identity()  # type: ignore[assignment]  # training only; its keys are not wanted
    return vae


def _vocoder(sizes: Sizes) -> Vocoder | Vocos:
    dims = sizes.vocoder
    return Vocos(dims) if isinstance(dims, VocosDims) else Vocoder(dims)


def _synchformer(sizes: Sizes) -> Synchformer | PlainSynchformer:
    return Synchformer(sizes.synchformer) if sizes.masked else PlainSynchformer(sizes.synchformer)


BUILD: Mapping[str, Callable[[Sizes], nn.Module]] = {
    "clip_text": lambda sizes: TextTower(sizes.clip),
    "clip_image": lambda sizes: ImageTower(sizes.clip),
    "synchformer": _synchformer,
    "flow": lambda sizes: FlowNetwork(sizes.flow),
    "vae": _decoding_vae,
    "vocoder": _vocoder,
}
"""How each network is made, with meaningless weights."""


def parameter_count(sizes: Sizes) -> int:
    """Parameters of all networks of a model together, without memory for them."""
    with torch.device("meta"):
        networks = (build(sizes) for build in BUILD.values())
        return sum(parameter.numel() for network in networks for parameter in network.parameters())


RULE_WIDTH = 1024
"""Width of clip and text features that the rule of deterministic weights was made for."""

RANDOM_MEL = (-4.0, 2.0)
"""Mean and deviation of the log-mel a decoder of random weights makes: those of real sound, roughly."""


class Weights(Protocol):
    """Where the weights of a model come from."""

    def network(self, name: str, sizes: Sizes) -> nn.Module:
        """The network `name` of `BUILD`, weights in place, in evaluation mode."""

    def sources(self) -> tuple[Source, ...]:
        """The files read so far; hashes them."""


@dataclass(frozen=True, slots=True)
class RandomWeights:
    """Weights drawn from the tensors' names: the same on every machine, for any size.

    Attributes:
        salt: another one gives other weights.
    """

    salt: str = ""

    @torch.no_grad()
    def network(self, name: str, sizes: Sizes) -> nn.Module:
        """See `Weights`."""
        module = BUILD[name](sizes)
        prefix = VISUAL_PREFIX if name == "clip_image" else ""
        if isinstance(module, Vocoder):
            self._fill_vocoder(module)
        else:
            fill.fill_module(module, prefix=prefix, salt=self.salt)
        if isinstance(module, FlowNetwork):
            _temper_projections(module)
        if isinstance(module, Vae):
            module.load_state_dict(normalise_weights(module.state_dict()))
            module.data_mean.fill_(RANDOM_MEL[0])
            module.data_std.fill_(RANDOM_MEL[1])
        return module.eval()

    def sources(self) -> tuple[Source, ...]:
        """None: there are no files."""
        return ()

    def _fill_vocoder(self, module: Vocoder) -> None:
        """Drawn in weight-norm form, as the golden vectors are, then folded."""
        drawn = fill.weights(weight_norm_shapes(module), salt=self.salt)
        module.load_state_dict(module.state_dict() | fold_weight_norm(drawn))


@dataclass(frozen=True, slots=True)
class CheckpointFolder:
    """Weights from files, each under one of its known names.

    Attributes:
        files: by the name of the part of the model (`places.PARTS`), the file and the part of it.
        say: told what was found in the files.
    """

    files: Mapping[str, tuple[Path, str]]
    say: Callable[[str], None] = _log.info

    @classmethod
    def open(
        cls, folder: Path, sizes: Sizes, *, only: str = "", say: Callable[[str], None] = _log.info
    ) -> CheckpointFolder:
        """Find every file that is needed for a model of these sizes.

        Args:
            folder: of the files.
            sizes: of the model.
            only: of the published SAGANet files the one that is wanted (`places.VARIANTS`).
            say: told what was found in the files.

        Raises:
            ExportError: naming every file that is not there, or both where either might be meant.
        """
        if not folder.is_dir():
            raise ExportError(
                f"There is no folder {folder}.", remedy="Name the folder that holds the checkpoints."
            )
        return cls(files=find_parts(folder, sizes, only=only), say=say)

    def network(self, name: str, sizes: Sizes) -> nn.Module:
        """See `Weights`.

        Raises:
            WrongCheckpoint: the tensors are not exactly the network's.
            ExportError: a file cannot be read.
        """
        module = BUILD[name](sizes)
        part, select = SELECT[name]
        stored = self._stored(name, module, self._pieces(part))
        load_strictly(module, select(stored, part), name=stored.name)
        return module.eval()

    def check(self, sizes: Sizes) -> None:
        """Hold the keys and shapes of every part against its network, without looking at a value.

        Takes seconds, where making the first graphs takes minutes: a file of another size is told before.

        Raises:
            WrongCheckpoint: the tensors are not exactly a network's.
            ExportError: a file cannot be read.
        """
        read: dict[str, dict[str, dict[str, Tensor]]] = {}
        for name, (part, select) in SELECT.items():
            if part not in read:
                read[part] = {piece: _shells(tensors) for piece, tensors in self._pieces(part).items()}
            with torch.device("meta"):
                module = BUILD[name](sizes)
            stored = self._stored(name, module, read[part])
            refuse_differences(mismatches(module, select(stored, part)), name=stored.name)

    def described(self) -> str:
        """One line: each part and the file that it is taken from."""
        return ", ".join(f"{part} from {path.name}" for part, (path, _) in self.files.items())

    def sources(self) -> tuple[Source, ...]:
        """Every file with its sha256."""
        paths = dict.fromkeys(path for path, _ in self.files.values())
        return tuple(Source(file=path.name, sha256=sha256_of(path)) for path in paths)

    def _pieces(self, part: str) -> dict[str, dict[str, Tensor]]:
        """The tensors of a part, of its base, and the factors that lie beside it."""
        pieces = {piece: self._read(piece) for piece in (f"{part}_base", part) if piece in self.files}
        if part == "flow" and self.files[part][1]:
            pieces["lora"] = read_part(self.files[part][0], "lora")
        return pieces

    def _read(self, part: str) -> dict[str, Tensor]:
        path, nesting = self.files[part]
        return read_checkpoint(path, part=nesting)

    def _stored(self, name: str, module: nn.Module, pieces: Mapping[str, dict[str, Tensor]]) -> Stored:
        files = {piece: path.name for piece, (path, _) in self.files.items()}
        return Stored(f"{name} in {files[SELECT[name][0]]}", module, pieces, files, self.say)


def _shells(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors without their values."""
    return {key: tensor.to("meta") for key, tensor in tensors.items()}


def _temper_projections(module: FlowNetwork) -> None:
    """The rule lifts unit vectors of 1024 values to unit variance; do it for their true width.

    Changes nothing at the published widths.
    """
    for projection in (module.clip_input_proj, module.text_input_proj):
        weight = cast("nn.Linear", projection[0]).weight
        weight.mul_(math.sqrt(weight.shape[1] / RULE_WIDTH))
