"""What moves in a picture: shifts that are known, rest, and the path beside the sync encoder."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import avg_pool2d, gelu

from exporter import fill
from exporter.models.moving import (
    CELLS,
    COARSE,
    FIGURES,
    FINE,
    CellReader,
    FineReader,
    Maps,
    MotionPath,
    ViewReader,
    maps_of,
    motion_maps,
)
from exporter.models.synchformer import GOLDEN_SYNCHFORMER, Synchformer
from exporter.training.motion_stage import cut, mirrored

SIDE, COUNT = 64, 6
CANVAS = replace(GOLDEN_SYNCHFORMER, image_size=SIDE, patch=16, motion=8)
MARK, TURN, TURNED, RIGHT, DOWN, LEFT, GAINED, CHANGE, INSIDE, LIGHT = range(FIGURES)
INNER = slice(3, -3)


def noise(count, *, side=SIDE, seed=0, grid=COARSE.grid):
    """Pictures without any pattern, [1, count, 3, side, side], and masks of their left half."""
    generator = torch.Generator().manual_seed(seed)
    frames = torch.rand(1, count, 3, grid, grid, generator=generator) * 2 - 1
    frames = frames.repeat_interleave(side // grid, -1).repeat_interleave(side // grid, -2)
    mask = torch.zeros(1, count, 1, side, side)
    mask[..., : side // 2] = 1
    return frames, mask


def shifted(right, down, *, grid=COARSE.grid):
    """A picture, and the same so many pixels of the grid further."""
    frames, mask = noise(1, grid=grid)
    step = SIDE // grid
    return torch.cat([frames, frames.roll((down * step, right * step), (-2, -1))], 1), mask.expand(
        -1, 2, -1, -1, -1
    )


@pytest.mark.parametrize(
    ("scale", "right", "down"),
    [(COARSE, 2, -1), (COARSE, -3, 0), (COARSE, 0, 4), (COARSE, 1, 1), (FINE, 1, -2), (FINE, -3, 3)],
)
def test_a_shift_is_found_and_explains_the_picture(scale, right, down):
    maps = motion_maps(*shifted(right, down, grid=scale.grid), scale)[0, 1, :, INNER, INNER]
    assert torch.allclose(maps[RIGHT] * scale.reach, torch.full_like(maps[RIGHT], right), atol=0.1)
    assert torch.allclose(maps[DOWN] * scale.reach, torch.full_like(maps[DOWN], down), atol=0.1)
    assert maps[LEFT].max() < 0.1
    assert maps[GAINED].min() > 0.3


def test_a_still_picture_rests():
    frames, mask = noise(1)
    maps = motion_maps(frames.expand(-1, 3, -1, -1, -1), mask.expand(-1, 3, -1, -1, -1))[0]
    assert maps.shape == (3, FIGURES, CELLS, CELLS)
    assert not maps[:, [TURN, TURNED, LEFT, GAINED, CHANGE, INSIDE]].any()
    assert maps[:, [RIGHT, DOWN]].abs().max() < 0.01


def test_the_fine_maps_tell_a_shift_that_the_coarse_ones_cannot():
    """Noise that goes on by one pixel of 64, half a pixel of the coarse grid, where nothing matches it."""
    frames, mask = noise(1, grid=FINE.grid)
    other = frames.clone()
    place = slice(24, 32)
    other[..., place, place] = frames[..., place, 23:31]
    pair = torch.cat([frames, other], 1), mask.expand(-1, 2, -1, -1, -1)
    fine, coarse = (motion_maps(*pair, scale)[0, 1] for scale in (FINE, COARSE))
    assert fine[RIGHT, 13:15, 13:15].min() * FINE.reach > 0.9
    assert coarse[RIGHT, 6:8, 6:8].abs().max() * COARSE.reach < 0.1


def test_in_a_picture_without_contrast_nothing_goes_anywhere():
    flat, mask = torch.zeros(1, 2, 3, SIDE, SIDE), torch.zeros(1, 2, 1, SIDE, SIDE)
    maps = motion_maps(flat, mask)
    assert maps.isfinite().all()
    assert maps[0, 1].abs().max() < 0.1


@pytest.mark.parametrize("scale", [COARSE, FINE])
def test_in_the_first_frame_nothing_has_changed(scale):
    maps = motion_maps(*noise(3), scale)[0]
    assert maps.shape == (3, FIGURES, scale.cells, scale.cells)
    assert not maps[0, TURN:LIGHT].any()
    assert maps[0, MARK].any()
    assert maps[0, LIGHT].any()
    assert maps[1, RIGHT].any()


def test_cells_say_what_of_them_is_marked_how_that_turned_and_how_bright_they_are():
    frames = torch.full((1, 2, 3, SIDE, SIDE), -0.5)
    mask = torch.zeros(1, 2, 1, SIDE, SIDE)
    cell = SIDE // CELLS
    mask[0, 0, 0, :cell, : cell // 2] = 1
    mask[0, 1, 0, :cell, cell : 2 * cell] = 1
    frames[0, 1, :, :cell, : 2 * cell] = 0.25
    first, second = motion_maps(frames, mask)[0, :, :, 0]
    assert first[MARK, :3].tolist() == [0.5, 0, 0]
    assert second[MARK, :3].tolist() == [0, 1, 0]
    assert second[TURN, :3].tolist() == [-0.5, 1, 0]
    assert second[TURNED, :3].tolist() == [0.5, 1, 0]
    assert second[CHANGE, :3].tolist() == [3, 3, 0]
    assert second[INSIDE, :3].tolist() == [0, 3, 0]
    assert second[LIGHT, :3].tolist() == [0.25, 0.25, -0.5]


@pytest.mark.parametrize("scale", [COARSE, FINE])
@pytest.mark.parametrize("side", [2 * SIDE, 4 * SIDE])
def test_a_larger_canvas_is_averaged_to_what_was_trained_on(side, scale):
    generator = torch.Generator().manual_seed(3)
    frames = torch.rand(1, 3, 3, side, side, generator=generator) * 2 - 1
    mask = torch.rand(1, 3, 1, side, side, generator=generator)
    small = [avg_pool2d(part[0], side // SIDE)[None] for part in (frames, mask)]
    assert torch.allclose(motion_maps(frames, mask, scale), motion_maps(*small, scale), atol=1e-5)


def test_segments_never_see_each_other():
    frames, mask = (torch.cat(pair) for pair in zip(noise(4), noise(4, seed=1), strict=True))
    together = motion_maps(frames, mask)
    for row in range(2):
        assert torch.allclose(together[row], motion_maps(frames[[row]], mask[[row]])[0], atol=1e-6)


def test_the_maps_of_a_segment_are_cut_from_those_of_the_whole_clip():
    frames, mask = noise(COUNT)
    whole = motion_maps(frames, mask)
    before = whole.clone()
    wanted = motion_maps(frames[:, 2:5], mask[:, 2:5])
    assert torch.allclose(cut(whole, 2, 3), wanted, atol=1e-6)
    assert torch.equal(whole, before)


def test_mirrored_maps_are_those_of_the_mirrored_picture():
    maps = motion_maps(*shifted(2, 1))
    wanted = motion_maps(*(part.flip(-1) for part in shifted(2, 1)))
    assert torch.allclose(mirrored(maps), wanted, atol=1e-5)
    assert not torch.allclose(maps, wanted, atol=1e-1)


# --- the path -------------------------------------------------------------------------------------


@pytest.fixture
def inputs():
    frames, mask = noise(16)
    detail, inside = noise(16, seed=1)
    return frames, mask, detail, inside


def filled(module):
    fill.fill_module(module)
    return module.eval().requires_grad_(requires_grad=False)


def test_a_path_gives_one_feature_per_tubelet_and_each_view_counts(inputs):
    path = filled(MotionPath(8, tubelet=2))
    found = path(*inputs)
    assert found.shape == (1, 8, 8)
    other = noise(16, seed=2)
    for position in range(4):
        changed = [*inputs]
        changed[position] = other[position % 2] * 0.5
        assert not torch.allclose(path(*changed), found, atol=1e-4), position


def test_an_event_is_read_alike_in_whatever_cell_it_is():
    reader = filled(CellReader(8, 3))
    quiet = torch.zeros(1, 9, 3, 4, 4)
    course = torch.randn(9, 3, generator=torch.Generator().manual_seed(5))
    found = []
    for row, column in ((0, 0), (3, 1), (2, 2)):
        cells = quiet.clone()
        cells[0, :, :, row, column] = course
        found.append(reader(cells))
    assert found[0].shape == (1, 9, 8)
    assert not torch.allclose(found[0], reader(quiet), atol=1e-3)
    for other in found[1:]:
        assert torch.allclose(other, found[0], atol=1e-5)


def test_before_it_is_trained_a_cell_says_nothing():
    """So that a path which was trained without goes on as it was."""
    assert not CellReader(8, 3)(torch.randn(1, 9, 3, 4, 4)).any()


def test_small_places_are_seen_like_those_of_the_view_it_begins_like_and_said_nothing_of():
    view, fine = filled(ViewReader(8)), FineReader(8)
    fine.begin_like(view)
    maps = torch.randn(1, 9, FIGURES, FINE.cells, FINE.cells, generator=torch.Generator().manual_seed(6))
    assert not fine(maps).any()
    assert fine.seen(maps).shape[:2] == (1, FineReader.SIDE**2)
    corner = maps[..., : FINE.cells // 2, : FINE.cells // 2]
    known = view.cells.seen(
        gelu(view.far(gelu(view.near(corner.flatten(0, 1))))).unflatten(0, maps.shape[:2])
    )
    inner = [row * FineReader.SIDE + column for row in range(3) for column in range(3)]
    same = [row * 4 + column for row in range(3) for column in range(3)]
    assert torch.allclose(fine.seen(maps)[:, inner], known[:, same], atol=1e-5)


def test_each_of_the_maps_counts(inputs):
    path = filled(MotionPath(8, tubelet=2))
    maps = maps_of(*inputs)
    found = path.read(maps)
    both = (found + path.read(Maps(*(mirrored(one) for one in maps)))) / 2
    assert torch.allclose(both, path(*inputs), atol=1e-6)
    for name in Maps._fields:
        changed = maps._replace(**{name: getattr(maps, name) * 0.5})
        assert not torch.allclose(path.read(changed), found, atol=1e-4), name


def test_segments_of_a_window_are_read_as_one(inputs):
    """What happens where two meet is read with what was before and what comes after."""
    path = filled(MotionPath(8, tubelet=2))
    pair = [
        torch.cat([one, other])
        for one, other in zip(inputs, (*noise(16, seed=7), *noise(16, seed=8)), strict=True)
    ]
    together = path(*pair)
    assert together.shape == (2, 8, 8)
    as_one = path(*(one.flatten(0, 1).unsqueeze(0) for one in pair))
    assert torch.allclose(together.flatten(0, 1), as_one[0], atol=1e-5)
    for row, where_they_meet in ((0, -1), (1, 0)):
        alone = path(*(one[[row]] for one in pair))[0]
        assert not torch.allclose(together[row, where_they_meet], alone[where_they_meet], atol=1e-3)


def test_left_and_right_are_the_same_to_a_path(inputs):
    path = filled(MotionPath(8, tubelet=2))
    assert torch.allclose(path(*(one.flip(-1) for one in inputs)), path(*inputs), atol=1e-5)
    maps = maps_of(*inputs)
    assert not torch.allclose(path.read(maps), path.read(Maps(*(mirrored(one) for one in maps))), atol=1e-3)


def test_the_features_are_the_transformers_beside_the_paths(inputs):
    both = filled(Synchformer(CANVAS))
    alone = Synchformer(replace(CANVAS, motion=0))
    alone.load_state_dict({key: one for key, one in both.state_dict().items() if "motion." not in key})
    found = both(*inputs)
    assert found.shape == (1, CANVAS.steps, CANVAS.features)
    assert CANVAS.features == CANVAS.width + 8
    assert torch.allclose(found[..., : CANVAS.width], alone(*inputs), atol=1e-4)
    assert torch.allclose(found[..., CANVAS.width :], both.motion(*inputs), atol=1e-4)


def test_without_a_path_nothing_is_there_to_load_or_to_hear(inputs):
    dims = replace(CANVAS, motion=0)
    alone = filled(Synchformer(dims))
    assert {key.split(".")[0] for key in alone.state_dict()} == {"vfeat_extractor"}
    assert dims.features == dims.width
    assert alone(*inputs).shape[-1] == dims.width
