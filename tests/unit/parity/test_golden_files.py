import numpy as np
import pytest
import torch
from torch import nn

from tests.parity.golden_files import GoldenFile, recording, stored_shapes


def sampled(full, *, stride):
    return GoldenFile(
        {
            "y/sample": full.reshape(-1)[::stride].astype(np.float32),
            "y/stride": np.array(stride),
            "y/shape": np.array(full.shape),
            "y/stats": np.array([full.mean(), full.std(), np.linalg.norm(full)]),
        }
    )


def test_whole_array_is_compared_by_relative_l2():
    golden = GoldenFile({"y": np.array([[3.0, 0.0], [0.0, 4.0]], dtype=np.float32)})
    difference = golden.difference("y", torch.tensor([[3.0, 0.0], [0.3, 4.4]]))
    assert difference.relative_l2 == pytest.approx(0.1, rel=1e-6)
    assert difference.largest == pytest.approx(0.4, rel=1e-6)
    assert difference.stats == 0


def test_sampled_array_is_compared_where_it_was_sampled():
    full = np.arange(1.0, 13.0).reshape(3, 4)
    golden = sampled(full, stride=5)
    assert golden.shape("y") == (3, 4)
    golden.check("y", full, tolerance=1e-7)
    changed = full.copy()
    changed[1, 1] = 0  # flat index 5
    assert golden.difference("y", changed).relative_l2 > 0.1


def test_statistics_see_what_the_sample_misses():
    full = np.arange(1.0, 13.0).reshape(3, 4)
    golden = sampled(full, stride=5)
    changed = full.copy()
    changed[0, 1] = 9
    assert golden.difference("y", changed).relative_l2 == 0
    with pytest.raises(AssertionError, match="y: Difference"):
        golden.check("y", changed, tolerance=1e-3)


def test_another_shape_is_never_equal():
    golden = sampled(np.ones((3, 4)), stride=5)
    with pytest.raises(AssertionError, match=r"y: \(4, 3\), golden \(3, 4\)"):
        golden.difference("y", np.ones((4, 3)))


def test_trace_names_the_first_module_that_diverges():
    network = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 8))
    with torch.inference_mode(), recording(network, only=["0", "1#2", "2"]) as recorder:
        network(torch.ones(1, 4))
        network(torch.zeros(1, 4))
    assert list(recorder.rows) == ["0", "1", "2", "0#2", "1#2", "2#2"]
    rows = recorder.rows
    golden = GoldenFile({"trace/names": np.array(list(rows)), "trace/values": np.array(list(rows.values()))})
    assert golden.first_divergence(rows, tolerance=0) == ""
    wrong = rows | {"0#2": rows["0#2"] * 1.01, "1#2": rows["1#2"] * 2}
    assert golden.first_divergence(wrong, tolerance=1e-3) == "0#2 (1.0e-02)"
    missing = {name: row for name, row in rows.items() if name != "2"}
    assert golden.first_divergence(missing, tolerance=1e-3) == "2 (inf)"


def test_recording_ends_with_its_block():
    network = nn.Sequential(nn.Linear(4, 8))
    with recording(network, only=["0"]) as recorder:
        pass
    network(torch.ones(1, 4))
    assert not recorder.rows


def test_stored_shapes_know_scalars():
    shapes = stored_shapes("synchformer_with_context")
    assert len(shapes) == 456
    assert shapes["vfeat_extractor.cross_attn_layers.0.attn_factor"] == ()
    assert shapes["vfeat_extractor.pos_embed"] == (1, 197, 768)
