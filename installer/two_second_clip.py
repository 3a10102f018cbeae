"""Writes a two-second clip with a flash in its middle. Run by the product's Python; argument: a path."""

from __future__ import annotations

import sys

import av
import numpy as np

RATE, FRAMES, SIDE = 25, 50, 64


def main(path: str) -> None:
    """Write the clip."""
    with av.open(path, "w") as movie:
        stream = movie.add_stream("mpeg4", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = SIDE, SIDE, "yuv420p"
        for number in range(FRAMES):
            pixels = np.full((SIDE, SIDE, 3), 255 if number == FRAMES // 2 else 40, np.uint8)
            movie.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        movie.mux(stream.encode(None))


if __name__ == "__main__":
    main(sys.argv[1])
