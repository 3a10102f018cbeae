"""What a bundle's graphs hold comes back as what it was made of."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
import torch

from exporter import recovering
from exporter.errors import ExportError
from exporter.networks import RandomWeights
from exporter.recovering import main, recover
from exporter.sizes import GOLDEN
from models_onnx.bundle import Bundle

GOLDEN_BUNDLE = Path(__file__).parents[2] / "golden" / "bundle"


@pytest.fixture(scope="module")
def recovered():
    """The first networks; all of them take a minute."""
    return dict(islice(recover(Bundle.open(GOLDEN_BUNDLE)), 3))


@pytest.mark.parametrize("network", ["clip_text", "clip_image", "synchformer"])
def test_weights_come_back_as_they_were(recovered, network):
    true = RandomWeights().network(network, GOLDEN).state_dict()
    one = recovered[network]
    assert len(one.tensors) > 10 * len(one.lost)
    for key, value in one.tensors.items():
        assert torch.allclose(value, true[key], atol=1e-6), key


def test_what_cannot_be_told_is_named(recovered):
    assert set(recovered["synchformer"].lost) >= {"vfeat_extractor.pos_embed", "vfeat_extractor.temp_embed"}


def test_a_network_with_more_parameters_than_numbers_is_refused(monkeypatch):
    monkeypatch.setattr(recovering, "_COUNT", 1000)
    with pytest.raises(ExportError, match="more than there are numbers"):
        next(recover(Bundle.open(GOLDEN_BUNDLE)))


def test_the_command_says_what_is_wrong(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(recovering, "_COUNT", 1000)
    assert main([str(GOLDEN_BUNDLE), str(tmp_path / "out")]) == 2
    assert "their checkpoints" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_no_bundle_is_named(tmp_path, capsys):
    assert main([str(tmp_path), str(tmp_path / "out")]) == 2
    assert str(tmp_path) in capsys.readouterr().err
