from __future__ import annotations

import pytest

from plugin.engine.text import Tokenizer, normalise_prompt
from plugin.errors import BundleCorrupt


@pytest.mark.parametrize(
    ("prompt", "plain"),
    [
        ("  Violin \n\t solo ", "violin solo"),
        ("caf\u00c3\u00a9", "caf\u00e9"),
        ("rock &amp;amp; roll", "rock & roll"),
        ("", ""),
        ("\ufb01ddle", "fiddle"),
        ("bad \udcff byte", "bad byte"),
    ],
)
def test_prompts_are_normalised(prompt: str, plain: str) -> None:
    assert normalise_prompt(prompt) == plain


def test_ids_are_framed_and_padded(bundle) -> None:
    tokenizer = Tokenizer.load(bundle)
    assert tokenizer.ids("Violin trumpet").tolist() == [[1, 3, 4, 2, 0, 0]]
    assert tokenizer.ids("").tolist() == [[1, 2, 0, 0, 0, 0]]


def test_a_long_prompt_keeps_its_end_mark(bundle) -> None:
    assert Tokenizer.load(bundle).ids("violin " * 1000).tolist() == [[1, 3, 3, 3, 3, 2]]


def test_a_tokenizer_that_is_none_is_told(bundle, monkeypatch, tmp_path) -> None:
    rubbish = tmp_path / "tokenizer.json"
    rubbish.write_text("{}", "utf-8")
    monkeypatch.setattr(type(bundle), "checked_path", lambda *_: rubbish)
    with pytest.raises(BundleCorrupt, match=r"tokenizer\.json"):
        Tokenizer.load(bundle)
