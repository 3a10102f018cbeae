"""Other colours for the same picture: hue, saturation, gamma, contrast, grey, swapped channels.

All functions take frames `[T, H, W, 3]` RGB uint8 and return new ones of the same shape.
"""

from __future__ import annotations

import cv2
import numpy as np

from exporter.synth.arrays import Bytes, Float64, Random
from exporter.synth.chance import across, between, chance, pick, whole


def _tall(frames: Bytes) -> Bytes:
    """All frames as one tall picture, which one OpenCV call changes."""
    return frames.reshape(-1, frames.shape[2], 3)


def hue_turned(frames: Bytes, *, degrees: float) -> Bytes:
    """The hues turned on the colour wheel, lightness kept (a rotation around the grey axis)."""
    return mixed_channels(frames, hue_matrix(degrees))


def hue_matrix(degrees: float) -> Float64:
    """RGB to RGB `[3, 3]`: a rotation around the grey axis."""
    angle = np.deg2rad(degrees)
    axis = np.full(3, 3**-0.5)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.cos(angle) * np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * np.outer(axis, axis)


def mixed_channels(frames: Bytes, matrix: Float64) -> Bytes:
    """Every pixel times a matrix `[3, 3]`, held to 0..255."""
    return np.asarray(cv2.transform(_tall(frames), matrix), np.uint8).reshape(frames.shape)


def saturated(frames: Bytes, *, amount: float) -> Bytes:
    """More (above 1) or less colour; 0 is grey."""
    grey = np.tile(np.array([0.299, 0.587, 0.114]), (3, 1))
    return mixed_channels(frames, grey + amount * (np.eye(3) - grey))


def toned(frames: Bytes, *, gamma: float = 1.0, contrast: float = 1.0, lift: float = 0.0) -> Bytes:
    """Each value through a curve.

    Args:
        frames: the pictures.
        gamma: exponent; above 1 darkens the middle.
        contrast: slope around the middle.
        lift: added, of 1.
    """
    values = np.linspace(0, 1, 256) ** gamma
    curve = np.clip((values - 0.5) * contrast + 0.5 + lift, 0, 1)
    return np.asarray(cv2.LUT(_tall(frames), np.rint(255 * curve).astype(np.uint8)), np.uint8).reshape(
        frames.shape
    )


def inverted(frames: Bytes) -> Bytes:
    """The negative."""
    return 255 - frames


def recoloured(frames: Bytes, rng: Random) -> Bytes:
    """The frames in other colours, drawn at random: mostly gently, sometimes wildly."""
    matrix = np.eye(3)
    if chance(rng, 0.6):
        matrix = hue_matrix(between(rng, -180, 180) if chance(rng, 0.5) else between(rng, -30, 30))
    if chance(rng, 0.15):
        matrix = np.eye(3)[rng.permutation(3)] @ matrix
    grey = np.tile(np.array([0.299, 0.587, 0.114]), (3, 1))
    amount = 0.0 if chance(rng, 0.08) else between(rng, 0.4, 1.4)
    changed = mixed_channels(frames, (grey + amount * (np.eye(3) - grey)) @ matrix)
    changed = toned(
        changed, gamma=across(rng, 0.6, 1.7), contrast=across(rng, 0.5, 1.3), lift=between(rng, -0.1, 0.1)
    )
    return inverted(changed) if chance(rng, 0.04) else changed


def blocky(frames: Bytes, *, quality: int) -> Bytes:
    """As strong compression leaves them.

    Args:
        frames: the pictures.
        quality: JPEG quality, 1..95.
    """
    setting = [cv2.IMWRITE_JPEG_QUALITY, quality]
    packed = (cv2.imencode(".jpg", frame, setting)[1] for frame in frames)
    return np.stack([np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8) for data in packed])


def softened(frames: Bytes, *, sigma: float) -> Bytes:
    """Out of focus."""
    return np.stack([np.asarray(cv2.GaussianBlur(frame, (0, 0), sigma), np.uint8) for frame in frames])


def grainy(frames: Bytes, rng: Random, *, sigma: float) -> Bytes:
    """With sensor noise of this deviation, in grey values."""
    side = frames.shape[1:3]
    grain = rng.standard_normal((side[0] + 32, side[1] + 32, 3), dtype=np.float32) * sigma
    tile = grain.astype(np.int16)
    places = rng.integers(0, 32, (len(frames), 2))
    return np.stack(
        [
            np.asarray(cv2.add(frame, tile[y : y + side[0], x : x + side[1]], dtype=cv2.CV_8U), np.uint8)
            for frame, (y, x) in zip(frames, places, strict=True)
        ]
    )


def coarse(frames: Bytes, *, factor: float) -> Bytes:
    """As enlarged from a smaller picture."""
    height, width = frames.shape[1:3]
    small = (max(8, round(width / factor)), max(8, round(height / factor)))
    return np.stack(
        [
            np.asarray(
                cv2.resize(cv2.resize(frame, small, interpolation=cv2.INTER_AREA), (width, height)), np.uint8
            )
            for frame in frames
        ]
    )


def smeared(frames: Bytes, *, share: float) -> Bytes:
    """With a share of the frame before in each: a slow shutter."""
    before = _tall(np.concatenate([frames[:1], frames[:-1]]))
    mixed = cv2.addWeighted(_tall(frames), 1 - share, before, share, 0)
    return np.asarray(mixed, np.uint8).reshape(frames.shape)


def degraded(frames: Bytes, rng: Random) -> Bytes:
    """The frames with one fault of cameras and codecs, drawn at random."""
    fault = pick(rng, ("soft", "grain", "grain", "coarse", "blocks", "smear"))
    if fault == "soft":
        return softened(frames, sigma=between(rng, 0.5, 1.3))
    if fault == "grain":
        return grainy(frames, rng, sigma=across(rng, 2, 14))
    if fault == "coarse":
        return coarse(frames, factor=between(rng, 1.3, 2.2))
    if fault == "smear":
        return smeared(frames, share=between(rng, 0.15, 0.45))
    return blocky(frames, quality=whole(rng, 12, 45))
