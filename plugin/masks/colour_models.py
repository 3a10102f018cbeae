"""What colours a part of a picture is made of, and where: mixtures over colour and place.

Place counts a little, so that a brown violin in front of brown wood still has a model of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

_PLACE = 20.0
"""Colour distance (CIELAB) that one object's width in the picture counts for."""

_SMOOTHED = 0.8
_FLOOR = 25.0
"""Least variance of a component: what noise and compression do to a plain colour."""

_SAMPLES = 3000
_ROUNDS = 6
_SEED = 1
"""The clustering of OpenCV draws from a state that everything in the thread shares."""


def features(picture: npt.NDArray[np.uint8], *, extent: float) -> Floats:
    """Colour and place of every pixel, [height, width, 5].

    Args:
        picture: RGB, [height, width, 3].
        extent: width of the object in pixels of `picture`.
    """
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    smooth = cv2.GaussianBlur(lab, (0, 0), _SMOOTHED)
    down, right = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float32)
    return np.dstack([smooth, right * (_PLACE / extent), down * (_PLACE / extent)]).astype(np.float32)


@dataclass(frozen=True, slots=True)
class ColourModel:
    """A mixture of Gaussians with axes of their own.

    Attributes:
        shares: [components], together 1.
        means: [components, 5].
        variances: [components, 5].
    """

    shares: Floats
    means: Floats
    variances: Floats

    @classmethod
    def of(cls, samples: Floats, *, components: int) -> ColourModel:
        """The model of at least two samples, [n, 5]; the same samples give the same model."""
        used = np.ascontiguousarray(samples[:: 1 + len(samples) // _SAMPLES])
        cv2.setRNGSeed(_SEED)
        stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, _ROUNDS, 0.5)
        wanted = min(components, max(1, len(used) // 2))
        found = cv2.kmeans(used, wanted, None, stop, 1, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
        members = [used[found[1][:, 0] == number] for number in range(wanted)]
        members = [one for one in members if len(one) > 1] or [used]
        return cls(
            np.array([len(one) / sum(map(len, members)) for one in members], np.float32),
            np.stack([one.mean(axis=0) for one in members]),
            np.stack([one.var(axis=0) + _FLOOR for one in members]),
        )

    def log_likelihood(self, samples: Floats) -> Floats:
        """How well each of the samples [n, 5] fits, [n], natural logarithm up to a constant."""
        weights = 1 / self.variances
        squares = (samples**2) @ weights.T - 2 * samples @ (self.means * weights).T
        distances = squares + (self.means**2 * weights).sum(axis=1)
        each = np.log(self.shares) - 0.5 * np.log(self.variances).sum(axis=1) - 0.5 * distances
        best = each.max(axis=1, keepdims=True)
        return np.asarray(best[:, 0] + np.log(np.exp(each - best).sum(axis=1)), np.float32)
