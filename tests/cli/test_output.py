"""Tables, labels, escapes: readable on a terminal, exact in a pipe."""

import io

import pytest

from plugin.cli.output import Output, display_width, printable, table, uses_colour
from plugin.cues import Problem, Severity
from plugin.errors import UsageError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def output(notes: io.StringIO, *, verbose: bool = False, json: bool = False) -> Output:
    return Output(io.StringIO(), notes, json, verbose)


def test_columns_line_up_whatever_the_script() -> None:
    lines = table(("A", "B"), [("日本", "x"), ("é", "y"), ("plain", "z")])
    assert {display_width(line[: line.index(mark)]) for line, mark in zip(lines[1:], "xyz", strict=True)} == {
        7
    }


def test_a_table_fits_its_width_and_cuts_the_widest_column() -> None:
    lines = table(("ID", "TEXT"), [("001", "word " * 40), ("002", "short")], width=40)
    assert max(display_width(line) for line in lines) <= 40
    assert lines[1].startswith("001  word")
    assert lines[1].endswith("…")
    assert lines[2] == "002  short"


def test_without_a_width_nothing_is_cut() -> None:
    assert "x" * 500 in table(("A",), [("x" * 500,)])[1]


def test_line_breaks_in_a_cell_do_not_break_the_table() -> None:
    assert len(table(("A",), [("one\ntwo",)])) == 2


def test_names_cannot_steer_the_terminal() -> None:
    assert printable("a\x1b[31mred\x07\u202egpj") == "a\\x1b[31mred\\x07\\u202egpj"
    assert printable("Ж 日本 é\tok") == "Ж 日本 é\tok"


def test_colour_only_on_a_terminal_that_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert uses_colour(Terminal())
    assert not uses_colour(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not uses_colour(Terminal())


def test_errors_show_message_and_remedy_and_detail_only_when_verbose() -> None:
    error = UsageError("The thing is wrong.", remedy="Mend it.", detail="at 0x1")
    for verbose, expected in ((False, ""), (True, "  at 0x1\n")):
        notes = io.StringIO()
        output(notes, verbose=verbose).error(error)
        assert notes.getvalue() == "error: The thing is wrong.\n  -> Mend it.\n" + expected


def test_a_problem_names_its_cue() -> None:
    notes = io.StringIO()
    output(notes).problem(Problem(Severity.WARNING, "007", "clip", "The clip is odd.", "Look at it."))
    assert notes.getvalue() == "warning: cue 007: The clip is odd.\n  -> Look at it.\n"


def test_json_silences_lines_and_text_silences_json() -> None:
    for json in (False, True):
        out = Output(io.StringIO(), io.StringIO(), json, False)
        out.line("text")
        out.document({"a": "ä"})
        assert out.results.getvalue() == ('{\n  "a": "ä"\n}\n' if json else "text\n")
