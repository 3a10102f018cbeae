"""The runtime's preprocessing against the published one (spec 1.3 to 1.5).

`data/preprocess_cutouts.npz` holds what the golden outputs here depend on: rows 528..555, columns 600..1299
of the example's first frame, and, for both example mattes, which pixels of the 124 resized masks are
not black, and which are over half. Drawn pictures are compared with torch's own resizing, which is the
reference's.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from exporter.models import flow
from plugin.engine.conditions import upsample_index
from plugin.engine.focus import Box, crop_to, find_focus
from plugin.engine.preprocess import clip_picture, sync_picture
from plugin.engine.resampling import resize_bicubic, whole

HERE = Path(__file__).parent
SIDE, CROP_MIN = 224, 56
TOP, LEFT = 528, 600
EMPTY_CASES = {"one_empty_frame", "all_empty", "sum_zero"}
STRAY_CASES = {"noise_pixel", "negative_pixel", "sum_zero"}


@cache
def _golden(name: str) -> dict[str, np.ndarray]:
    with np.load(HERE / "golden" / f"{name}.npz") as stored:
        return {key: stored[key] for key in stored.files}


@cache
def _cutouts() -> dict[str, np.ndarray]:
    with np.load(HERE / "data" / "preprocess_cutouts.npz") as stored:
        return {key: stored[key] for key in stored.files}


def _frame() -> np.ndarray:
    frame = np.zeros((1080, 1920, 3), np.uint8)
    strip = _cutouts()["strip"]
    frame[TOP : TOP + strip.shape[0], LEFT : LEFT + strip.shape[1]] = strip
    return frame


def _agree(ours: np.ndarray, golden: np.ndarray) -> None:
    difference = np.abs(ours.astype(int) - golden)
    assert golden.std() > 10, "the cut-out should show something"
    assert difference.max() == 0


def test_the_image_towers_picture() -> None:
    """Row 192 and columns 144, 168, ... 240 of the 384 x 384 picture lie inside the cut-out."""
    ours = clip_picture(_frame(), size=384)[192, 144:241:24]
    _agree(ours.T, _golden("preprocess")["clip_frames_u8_slice"][0, :, 8, 6:11])


def test_the_sync_encoders_picture_centre_cropped() -> None:
    """Row 112 lies inside the cut-out, and columns 126, 133, ... 266 of the 398 before cropping."""
    ours = sync_picture(_frame(), size=SIDE, resize="center_crop")
    whole = _golden("preprocess")["sync_resized_first_frame_u8_slice"]
    columns = [7 * k for k in range(18, 39)]
    _agree(ours[112, [column - 87 for column in columns]], whole[16, 18:39])


@pytest.mark.parametrize(
    "matte", ["Masks_01_tpt_09_Jesus_159092_164092", "Masks_02_vn_09_Jesus_159092_164092"]
)
def test_the_focus_of_real_mattes(matte: str) -> None:
    def masks(kind: str) -> np.ndarray:
        bits = np.unpackbits(_cutouts()[f"{matte[:8]}_{kind}"], count=124 * SIDE * SIDE)
        return bits.reshape(124, SIDE, SIDE).astype(np.float32)

    golden = _golden("preprocess")
    published = find_focus(masks("nonzero"), crop_min=CROP_MIN, threshold=0, reference=True)
    assert published.box == Box(*golden[f"{matte}/clean_crop_xyxy"][0].tolist())
    ours = find_focus(masks("half"), crop_min=CROP_MIN, threshold=0.5)
    assert ours.box == Box(*golden[f"{matte}/clean_thresholded_crop_xyxy"][0].tolist())


def _draw(name: str, shape: tuple[int, ...]) -> np.ndarray:
    seed = int.from_bytes(hashlib.sha256(f"input:{name}".encode()).digest()[:8], "little")
    return np.random.Generator(np.random.PCG64(seed)).standard_normal(shape)


def _rectangles(case: str) -> list[tuple[int, int, int, int] | None]:
    center = (80, 60, 160, 150)
    table = {
        "moving": [(20 + 10 * t, 30 + 5 * t, 100 + 10 * t, 120 + 5 * t) for t in range(6)],
        "tiny": [(100 + t, 110, 104 + t, 113) for t in range(6)],
        "border_bottom_right": [(190, 200, 223, 223)] * 6,
        "border_moving": [(150 + 12 * t, 10, min(223, 200 + 12 * t), 90) for t in range(6)],
        "one_empty_frame": [
            (120, 100, 180, 190),
            None,
            (121, 100, 181, 190),
            (122, 101, 182, 191),
            (123, 101, 183, 191),
            (124, 100, 184, 190),
        ],
        "all_empty": [None] * 6,
        "full": [(0, 0, 223, 223)] * 6,
    }
    return table.get(case, [center] * 6)


def _masks(case: str) -> np.ndarray:
    masks = np.zeros((6, 1, SIDE, SIDE), np.float32)
    for mask, box in zip(masks, _rectangles(case), strict=True):
        if box is not None:
            mask[0, box[1] : box[3] + 1, box[0] : box[2] + 1] = 1
    if case == "noise_pixel":
        masks *= np.float32(0.9)
        masks[2, 0, 5, 7] = 0.004
    elif case == "negative_pixel":
        masks[3, 0, 200, 10] = -0.02
    elif case == "sum_zero":
        masks[1] = 0
        masks[1, 0, 10, 10], masks[1, 0, 200, 200] = 1, -1
    return masks


CASES = sorted(str(case) for case in _golden("focal_crop")["cases"])


@pytest.mark.parametrize("case", CASES)
def test_the_published_focal_crop(case: str) -> None:
    golden, masks = _golden("focal_crop"), _masks(case)
    box = find_focus(masks[:, 0], crop_min=CROP_MIN, threshold=0, reference=True).box
    assert (golden[f"{case}/crop_xyxy"] == [box.x0, box.y0, box.x1, box.y1]).all()
    pictures = np.clip(0.5 * _draw(f"focal_{case}", (6, 3, SIDE, SIDE)), -1, 1).astype(np.float32)
    for name, values, stride in [("detail_x", pictures, 501), ("detail_mask", masks, 301)]:
        ours = crop_to(values, box, size=SIDE)
        sample = golden[f"{case}/{name}/sample"]
        difference = ours.ravel()[::stride] - sample
        assert np.abs(difference).max() <= 3e-6
        assert np.linalg.norm(difference) <= 2e-6 * np.linalg.norm(sample)
        assert np.allclose(ours.std(), golden[f"{case}/{name}/stats"][1], atol=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_the_corrected_focal_crop(case: str) -> None:
    """Empty frames and stray pixels no longer move the box; everything else stays as published."""
    focus = find_focus(_masks(case)[:, 0], crop_min=CROP_MIN, threshold=0.5)
    box = (focus.box.x0, focus.box.y0, focus.box.x1, focus.box.y1)
    if case == "all_empty":
        assert (box, focus.empty) == ((0, 0, SIDE, SIDE), True)
    elif case == "one_empty_frame":
        assert box == (120, 100, 184, 191)
    elif case == "sum_zero":
        assert box == (10, 10, 160, 150)
    elif case in STRAY_CASES:
        assert box == (80, 60, 160, 150)
    else:
        assert box == tuple(_golden("focal_crop")[f"{case}/crop_xyxy"][0])


@pytest.mark.parametrize(
    ("height", "width", "rows", "columns"),
    [
        (1080, 1920, 384, 384),
        (1080, 1920, 224, 398),
        (480, 640, 224, 224),
        (360, 640, 384, 384),
        (224, 225, 384, 384),
        (37, 53, 224, 320),
        (224, 224, 224, 224),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_are_resized_as_torch_does(
    height: int, width: int, rows: int, columns: int, channels: int
) -> None:
    """Noise shows every weight; of a million values a few differ where a sum lies on a half."""
    shape = (height, width, channels)
    picture = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    theirs = functional.interpolate(
        torch.from_numpy(picture).permute(2, 0, 1)[None], size=(rows, columns), mode="bicubic", antialias=True
    )[0].permute(1, 2, 0)
    ours = resize_bicubic(picture, columns=whole(columns), rows=whole(rows))
    difference = np.abs(ours.astype(int) - theirs.numpy())
    assert difference.max() <= 1
    assert (difference > 0).mean() <= 1e-4


@pytest.mark.parametrize("size", [(56, 56), (57, 200), (198, 215), (223, 224), (224, 224)])
def test_crops_are_enlarged_as_torch_does(size: tuple[int, int]) -> None:
    height, width = size
    picture = np.random.default_rng(2).uniform(-1, 1, (2, 3, SIDE, SIDE)).astype(np.float32)
    theirs = functional.interpolate(
        torch.from_numpy(picture[..., :height, :width]), size=(SIDE, SIDE), mode="bilinear", antialias=True
    ).numpy()
    ours = crop_to(picture, Box(0, 0, width, height), size=SIDE)
    assert np.abs(ours - theirs).max() <= 1e-6


def test_sync_features_are_spread_as_torch_does_at_every_length() -> None:
    """At a tenth of all lengths float32 is one short where the exact position is whole."""
    exact = 0
    for frames in range(16, 751):
        count, latents = 8 * ((frames - 16) // 8 + 1), -(-frames * 44100 // (25 * 1024))
        numbers = torch.arange(count, dtype=torch.float32)[None, None]
        theirs = functional.interpolate(numbers, size=latents, mode="nearest-exact").flatten().long()
        ours = upsample_index(count, latents)
        assert (ours == theirs.numpy()).all(), frames
        assert (flow.upsample_index(count, latents) == theirs).all(), frames
        exact += bool((ours == (2 * np.arange(latents) + 1) * count // (2 * latents)).all())
    assert 600 < exact < 735
