"""SAM 2.1 opened: graphs, constants, and the maps of the pictures that were seen last."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from models_onnx.mask_manifest import MaskBundle
from plugin.masks.makers import Picture
from plugin.masks.sam2_graphs import IMAGE, Graphs, Sam2Constants, Sam2Graphs
from plugin.masks.sam2_pictures import normalised, squashed
from plugin.masks.sam2_session import Decoder, Features

METHOD = "1"
"""Changes whenever this code makes another mask of the same prompts."""

MOST_BYTES = 512 << 20
"""Maps that are kept: 30 pictures of 1024 pixels."""


class FeatureCache:
    """The maps of pictures, by what the pictures show; the least recently used go first.

    Attributes:
        encoded: pictures that went through the image graph since opening.
    """

    def __init__(self, decoder: Decoder, bundle: MaskBundle, *, most_bytes: int = MOST_BYTES) -> None:
        self._graphs: Graphs = decoder.graphs
        self._spec = bundle.manifest.picture
        self._most_bytes = most_bytes
        self._held: OrderedDict[bytes, Features] = OrderedDict()
        self.encoded = 0

    def of(self, picture: Picture) -> tuple[bytes, Features]:
        """A picture's key and maps."""
        square = squashed(picture, self._spec.size)
        key = hashlib.blake2b(square.tobytes(), digest_size=16).digest()
        if key in self._held:
            self._held.move_to_end(key)
        else:
            self.encoded += 1
            outputs = self._graphs.run(IMAGE, {"image": normalised(square, self._spec)})
            self._held[key] = Features(outputs["s0"], outputs["s1"], outputs["f2"])
            self._make_room()
        return key, self._held[key]

    def _make_room(self) -> None:
        """Never without the newest."""
        while len(self._held) > 1 and sum(map(_bytes, self._held.values())) > self._most_bytes:
            self._held.popitem(last=False)


class Sam2Model:
    """What a segmenter and a tracker share.

    Attributes:
        bundle: opened.
        decoder: runs the graphs.
        features: of pictures.
        words: for people: what runs, and where.
    """

    def __init__(self, bundle: MaskBundle, decoder: Decoder, *, words: str) -> None:
        self.bundle = bundle
        self.decoder = decoder
        self.features = FeatureCache(decoder, bundle)
        self.words = words

    @classmethod
    def open(cls, bundle: MaskBundle, *, provider: str = "auto", threads: int | None = None) -> Sam2Model:
        """A bundle on a provider that works here; graphs are loaded at their first use.

        Args:
            bundle: opened and checked.
            provider: "auto", "cpu" or "cuda".
            threads: of one graph; None leaves it to ONNX Runtime.

        Raises:
            ProviderUnavailable: the provider does not work on this machine.
            BundleTooNew: the bundle was made for another ONNX Runtime.
            BundleCorrupt: its constants are damaged.
        """
        graphs = Sam2Graphs.open(bundle, provider=provider, threads=threads)
        decoder = Decoder(graphs, Sam2Constants.load(bundle), bundle.manifest)
        return cls(bundle, decoder, words=graphs.words)

    @property
    def name(self) -> str:
        """Id of the bundle."""
        return self.bundle.manifest.id

    @property
    def version(self) -> str:
        """Of the method and of every byte of the bundle."""
        return f"{METHOD}-{self.bundle.digest[:16]}"


def _bytes(features: Features) -> int:
    return features.s0.nbytes + features.s1.nbytes + features.f2.nbytes
