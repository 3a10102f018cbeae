"""The runtime's token ids against the published tokenizer's (spec 2.2)."""

from __future__ import annotations

import numpy as np
import pytest
from tokenizers import Tokenizer as Model

from exporter.tokenizer import FULL_VOCABULARY, build_tokenizer, load_merges
from models_onnx.manifest import TextSpec
from plugin.engine.text import Tokenizer
from tests.parity.golden_files import GoldenFile


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    model = build_tokenizer(load_merges(), vocabulary=FULL_VOCABULARY)
    spec = TextSpec(tokenizer="tokenizer.json", length=77, start_id=49406, end_id=49407, pad_id=0)
    return Tokenizer(spec, Model.from_str(model.to_str()))


@pytest.mark.parametrize("index", range(14))
def test_ids(tokenizer: Tokenizer, index: int) -> None:
    golden = GoldenFile.load("text")
    prompt = str(golden.whole("tok_prompts")[index])
    assert np.array_equal(tokenizer.ids(prompt)[0], golden.whole("tok_tokens")[index])
