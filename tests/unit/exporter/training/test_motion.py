import pytest
import torch

from exporter.training.motion import FIGURES, motion_figures


def test_a_square_that_moves_right():
    mask = torch.zeros(1, 5, 1, 16, 16)
    for frame in range(5):
        mask[0, frame, 0, 6:10, 2 * frame : 2 * frame + 4] = 1
    figures = motion_figures(mask.expand(-1, -1, 3, -1, -1) * 2 - 1, mask)
    assert figures.shape == (1, 5, FIGURES)
    area, across, down, changed, *_, pictured = figures[0].unbind(-1)
    assert area.tolist() == pytest.approx([16 / 256] * 5)
    assert torch.all(across.diff() > 0.2)
    assert torch.all(down.abs() < 1e-6)
    assert torch.all(changed > 0.2)
    assert torch.all(pictured > 0)


def test_what_stands_still_has_no_change():
    mask = torch.zeros(2, 4, 1, 16, 16)
    mask[..., 3:9, 3:9] = 1
    figures = motion_figures(torch.rand(2, 1, 3, 16, 16).expand(-1, 4, -1, -1, -1), mask)
    assert not figures[..., 3:].any()
    assert motion_figures(torch.zeros(2, 4, 3, 16, 16), torch.zeros_like(mask)).isfinite().all()
