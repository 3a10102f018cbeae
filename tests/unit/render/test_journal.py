"""The journal: appended, on disk, and readable after any end."""

from pathlib import Path

import pytest

from plugin.errors import OutputError
from plugin.render.journal import Journal


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.jsonl")


def whats(journal: Journal) -> list[str]:
    return [line["what"] for line in journal.read()]


def test_lines_come_back_in_order(journal: Journal) -> None:
    journal.note("run started", cues=3)
    journal.note("take written", take="Käse\n_t01", peak=-3.5, whole=True, nothing=None)
    first, second = journal.read()
    assert (first["what"], first["cues"]) == ("run started", 3)
    assert second["take"] == "Käse\n_t01"
    assert (second["peak"], second["whole"], second["nothing"]) == (-3.5, True, None)
    assert first["at"] <= second["at"]
    assert journal.path.read_bytes().count(b"\n") == 2


def test_no_file_is_no_lines(journal: Journal) -> None:
    assert journal.read() == ()


def test_every_torn_last_line_is_passed_over_and_the_next_one_is_whole(journal: Journal) -> None:
    journal.note("one")
    whole = journal.path.read_bytes()
    journal.note("two")
    torn = journal.path.read_bytes()
    for size in range(len(whole) + 1, len(torn) - 1):
        journal.path.write_bytes(torn[:size])
        assert whats(journal) == ["one"]
        journal.note("three")
        assert whats(journal) == ["one", "three"]


def test_rubbish_lines_are_passed_over(journal: Journal) -> None:
    journal.path.write_bytes(b'\xff\n[1]\n{"x":1}\n\n{"what":3}\n' + b"[" * 9000 + b'\n{"what":"ok"}\n')
    assert whats(journal) == ["ok"]


def test_a_journal_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"journal\.jsonl could not be written") as caught:
        Journal(tmp_path / "no folder" / "journal.jsonl").note("x")
    assert caught.value.remedy.endswith(".")
