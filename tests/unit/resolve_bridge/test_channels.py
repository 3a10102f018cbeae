"""Answers and refusals, as they travel."""

from __future__ import annotations

import pytest

from plugin.errors import HostError, HostNotRunning, HostRefused, HostTooOld
from resolve_bridge.channels import refusal, result_of


def test_a_good_answer_gives_its_result() -> None:
    assert result_of({"ok": True, "result": {"a": 1}}) == {"a": 1}
    assert result_of({"ok": True}) == {}


@pytest.mark.parametrize("kind", [HostNotRunning, HostRefused, HostTooOld])
def test_a_refusal_survives_the_way(kind: type[HostError]) -> None:
    with pytest.raises(kind) as caught:
        result_of(refusal(kind("No.", remedy="Ask again.")))
    assert (caught.value.message, caught.value.remedy) == ("No.", "Ask again.")


@pytest.mark.parametrize("answer", [{}, {"ok": False}, {"ok": 1}, {"ok": False, "error": {"kind": "os"}}])
def test_an_answer_without_meaning_is_a_refusal_in_words(answer: dict[str, object]) -> None:
    with pytest.raises(HostRefused) as caught:
        result_of(answer)
    assert caught.value.message == "DaVinci Resolve gave an answer without meaning."
    assert caught.value.remedy
