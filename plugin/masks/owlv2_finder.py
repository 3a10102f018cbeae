"""OWLv2 at work: words and a picture to numbered places."""

from __future__ import annotations

from functools import lru_cache

from models_onnx.finder_manifest import FinderBundle
from plugin.engine.text import Tokenizer
from plugin.errors import BadPrompt
from plugin.masks.makers import Candidate, Picture
from plugin.masks.owlv2_pictures import Float, candidates, network_picture, sentence
from plugin.masks.sam2_graphs import Sam2Graphs

METHOD = "1"
"""Changes whenever this code finds other places."""

TEXT, DETECTOR = "text", "detector"


class Owlv2Finder:
    """Finds objects by words; see `Finder`.

    Attributes:
        bundle: where the graphs come from.
        words: for people: what runs, and where.
    """

    def __init__(self, bundle: FinderBundle, graphs: Sam2Graphs) -> None:
        self.bundle = bundle
        self.words = graphs.words
        self._graphs = graphs
        self._queries = lru_cache(maxsize=64)(self._asked)

    @classmethod
    def open(cls, bundle: FinderBundle, *, provider: str = "auto", threads: int | None = None) -> Owlv2Finder:
        """A bundle on a provider that works here; graphs are loaded at their first use.

        Args:
            bundle: opened and checked.
            provider: "auto", "cpu" or "cuda".
            threads: of one graph; None leaves it to ONNX Runtime.

        Raises:
            ProviderUnavailable: the provider does not work on this machine.
            BundleTooNew: the bundle was made for another ONNX Runtime.
        """
        return cls(bundle, Sam2Graphs.open(bundle, provider=provider, threads=threads))

    @property
    def name(self) -> str:
        """Id of the bundle."""
        return self.bundle.manifest.id

    @property
    def version(self) -> str:
        """Of the method and of every byte of the bundle."""
        return f"{METHOD}-{self.bundle.digest[:16]}"

    def find(self, picture: Picture, words: str) -> tuple[Candidate, ...]:
        """See `Finder`.

        Raises:
            BadPrompt: there are no words.
            BundleCorrupt: a file of the bundle was changed.
            EngineError: a graph could not be run.
        """
        if not words.strip():
            raise BadPrompt("There is no word to look for.", remedy="Say what the object is, such as violin.")
        manifest = self.bundle.manifest
        asked = sentence(words, manifest.finding.prompt)
        image = network_picture(picture, manifest.picture)
        found = self._graphs.run(DETECTOR, {"image": image, "queries": self._queries(asked)})
        return candidates(
            found["logits"][0, :, 0],
            found["boxes"][0],
            height=picture.shape[0],
            width=picture.shape[1],
            words=" ".join(words.split()),
            least_score=manifest.finding.least_score,
            most_overlap=manifest.finding.most_overlap,
        )

    def close(self) -> None:
        """Forget every loaded graph and give the memory back."""
        self._graphs.close()

    def _asked(self, text: str) -> Float:
        tokens = Tokenizer.load(self.bundle).ids(text)
        return self._graphs.run(TEXT, {"tokens": tokens})["queries"]
