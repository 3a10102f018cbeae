"""Settings: one table, read, written, checked, and turned into options and docs."""

import argparse
from pathlib import Path

import pytest

from plugin.errors import OutputError, UsageError
from plugin.settings import (
    Settings,
    add_arguments,
    change_settings,
    load_settings,
    markdown_table,
    row,
    rows,
    save_settings,
)


def test_every_row_is_whole_and_accepts_its_own_default() -> None:
    for each in rows():
        assert each.check(each.default) == each.default
        assert each.help.endswith(".")
        assert each.allowed


def test_no_file_means_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "nowhere") == Settings()


def test_saved_settings_come_back(tmp_path: Path) -> None:
    changed = change_settings(
        Settings(), {"provider": "cpu", "takes": 3, "output_folder": 'C:\\Töne "neu"\\#1', "seed": 2**63 - 1}
    )
    path = save_settings(changed, tmp_path / "config")
    assert load_settings(tmp_path / "config") == changed
    assert "threads" not in path.read_text("utf-8")
    assert [each.name for each in path.parent.iterdir()] == ["settings.toml"]


@pytest.mark.parametrize(
    ("text", "said", "remedy"),
    [
        ("takes = 0", "'takes' cannot be 0", "from 1 to 99"),
        ("takes = 1.5", "'takes' cannot be 1.5", "whole number"),
        ("takes = true", "'takes' cannot be True", "whole number"),
        ('provider = "tpu"', "'provider' cannot be 'tpu'", "one of auto, cpu, cuda"),
        ("output_folder = 3", "'output_folder' cannot be 3", "text"),
        ('output_folder = "a\\nb"', "'output_folder' cannot be", "text"),
        ("taks = 3", "no setting 'taks'. Did you mean 'takes'", "Remove it"),
        ("takes = = 1", "cannot be read.*line 1", "Correct or remove"),
    ],
)
def test_mistakes_in_the_file_are_named(tmp_path: Path, text: str, said: str, remedy: str) -> None:
    (tmp_path / "settings.toml").write_text(text, "utf-8")
    with pytest.raises(UsageError, match=said) as caught:
        load_settings(tmp_path)
    assert remedy in caught.value.remedy
    assert "settings.toml" in caught.value.message


def test_settings_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file in the way", "utf-8")
    with pytest.raises(OutputError, match=r"settings\.toml could not be written"):
        save_settings(Settings(), tmp_path / "config")


def test_options_are_made_from_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser, ["takes", "provider", "output_folder"])
    parsed = parser.parse_args(["--takes", "4", "--output-folder", "x"])
    assert (parsed.takes, parsed.provider, parsed.output_folder) == (4, None, "x")
    with pytest.raises(SystemExit):
        parser.parse_args(["--takes", "many"])
    assert "give a whole number from 1 to 99" in capsys.readouterr().err
    assert row("provider").help[:-1] in " ".join(parser.format_help().split())


def test_docs_table_names_every_setting() -> None:
    table = markdown_table()
    assert table.count("\n") == len(rows()) + 2
    for each in rows():
        assert f"| `{each.key}` |" in table
