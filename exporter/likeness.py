"""Which class something is of, by its likeness to known ones; nobody's weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float64]
RIDGE = 0.1


@dataclass(frozen=True, slots=True)
class Likeness:
    """Says which class a sound is most like: ridge regression on the classes with a Gaussian kernel.

    Attributes:
        names: of the classes.
        middle, size: [n] of all descriptions learned from.
        known: [sounds, n] those descriptions, normalised.
        weights: [sounds, classes].
    """

    names: tuple[str, ...]
    middle: Vectors
    size: Vectors
    known: Vectors
    weights: Vectors

    @classmethod
    def learn(cls, sounds: list[tuple[str, Vectors]]) -> Likeness:
        """From described sounds with their classes."""
        names = tuple(sorted({name for name, _ in sounds}))
        rows = np.stack([vector for _, vector in sounds])
        middle, size = rows.mean(0), rows.std(0) + 1e-6
        known = (rows - middle) / size
        wanted = np.eye(len(names))[[names.index(name) for name, _ in sounds]]
        weights = np.asarray(
            np.linalg.solve(_kernel(known, known) + RIDGE * np.eye(len(known)), wanted), np.float64
        )
        return cls(names, middle, size, known, weights)

    def name(self, vector: Vectors) -> str:
        """The class whose sounds a described one is most like."""
        return self.names[int(self.scores(vector).argmax())]

    def scores(self, vector: Vectors) -> Vectors:
        """How much like the sounds of every class, [classes]: about 1 for the right one, 0 for others."""
        return np.asarray(
            (_kernel(((vector - self.middle) / self.size)[None], self.known) @ self.weights)[0], np.float64
        )


def _kernel(first: Vectors, second: Vectors) -> Vectors:
    """[a, n] and [b, n] to [a, b]: 1 for equals, falling with the mean squared difference."""
    distance = (first**2).sum(1)[:, None] + (second**2).sum(1)[None] - 2 * first @ second.T
    return np.exp(-np.maximum(distance, 0) / first.shape[1])
