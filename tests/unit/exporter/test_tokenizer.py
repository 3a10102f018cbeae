"""CLIP's tokenizer as a file, against the ids of the reference."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from exporter.errors import ExportError
from exporter.tokenizer import (
    FULL_VOCABULARY,
    build_tokenizer,
    byte_letters,
    encode,
    load_merges,
    normalise_text,
    text_ids,
)

GOLDEN = Path(__file__).parents[2] / "parity" / "golden" / "text.npz"
MERGES = load_merges()


@pytest.fixture(scope="module")
def full() -> Tokenizer:
    built = build_tokenizer(MERGES, vocabulary=FULL_VOCABULARY)
    return Tokenizer.from_str(built.to_str())


def test_every_string_of_the_reference(full: Tokenizer) -> None:
    ids = text_ids(vocabulary=FULL_VOCABULARY, length=77)
    assert (ids.start_id, ids.end_id, ids.pad_id) == (49406, 49407, 0)
    with np.load(GOLDEN) as golden:
        prompts, wanted = [str(text) for text in golden["tok_prompts"]], golden["tok_tokens"]
    assert len(prompts) == 14
    for prompt, row in zip(prompts, wanted, strict=True):
        assert encode(full, prompt, ids) == tuple(row), prompt


def test_a_long_prompt_keeps_its_end(full: Tokenizer) -> None:
    row = encode(full, "word " * 5000, text_ids(vocabulary=FULL_VOCABULARY, length=16))
    assert len(row) == 16
    assert row[0] == 49406
    assert row[-1] == 49407
    assert set(row[1:-1]) == {2653}


def test_special_tokens_in_a_prompt_are_only_text(full: Tokenizer) -> None:
    row = encode(full, "<start_of_text> <end_of_text>", text_ids(vocabulary=FULL_VOCABULARY, length=77))
    assert row.count(49406) == 1
    assert row.count(49407) == 1


@pytest.mark.parametrize("vocabulary", [514, 520, 1024])
def test_a_small_vocabulary_still_spells_everything(vocabulary: int) -> None:
    tokenizer = build_tokenizer(MERGES, vocabulary=vocabulary)
    assert tokenizer.get_vocab_size() == vocabulary
    every_byte = "".join(map(chr, range(33, 700))) + " 弦楽 🎻"
    row = encode(tokenizer, every_byte, text_ids(vocabulary=vocabulary, length=5000))
    spelled = "".join(tokenizer.id_to_token(index) for index in row[1 : row.index(vocabulary - 1)])
    letters = dict(zip(byte_letters(), _bytes_in_order(), strict=True))
    content = bytes(letters[letter] for letter in spelled.replace("</w>", ""))
    assert content.decode("utf-8") == normalise_text(every_byte).replace(" ", "")


def _bytes_in_order() -> list[int]:
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return printable + [value for value in range(256) if value not in printable]


@pytest.mark.parametrize("vocabulary", [0, 513, FULL_VOCABULARY + 1])
def test_a_vocabulary_the_table_cannot_give(vocabulary: int) -> None:
    with pytest.raises(ValueError, match="vocabulary"):
        build_tokenizer(MERGES, vocabulary=vocabulary)


def test_the_installed_table_is_whole() -> None:
    assert len(MERGES) == FULL_VOCABULARY - 514
    assert MERGES[0] == ("i", "n")


def test_a_wrong_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.gz"
    for content in (b"not gzip", gzip.compress(b"header\na b\n"), gzip.compress(b"a b\n" * 60000)[:-900]):
        path.write_bytes(content)
        with pytest.raises(ExportError, match=r"table\.gz"):
            load_merges(path)
    with pytest.raises(ExportError):
        load_merges(tmp_path / "none.gz")
