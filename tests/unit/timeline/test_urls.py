from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.timeline.urls import UnusableUrl, file_url, path_of_url

HERE = Path("/edit")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///media/a.mov", "/media/a.mov"),
        ("FILE:///media/a.mov", "/media/a.mov"),
        ("file://localhost/media/a.mov", "/media/a.mov"),
        ("file:/media/a.mov", "/media/a.mov"),
        ("file://server/share/a.mov", "//server/share/a.mov"),
        ("file:///media/a%20b%231.mov", "/media/a b#1.mov"),
        ("file:///media/a b#1.mov", "/media/a b#1.mov"),
        ("file:///media/what?.mov", "/media/what?.mov"),
        ("file:///C:/Users/x.mov", "C:/Users/x.mov"),
        ("file:///C|/Users/x.mov", "C:/Users/x.mov"),
        ("file://C:/Users/x.mov", "C:/Users/x.mov"),
        ("C:\\Users\\me\\x.mov", "C:/Users/me/x.mov"),
        ("F:/Art/outro.mov", "F:/Art/outro.mov"),
        ("\\\\server\\share\\x.mov", "//server/share/x.mov"),
        ("/media/100%.mov", "/media/100%.mov"),
        ("a.mov", "/edit/a.mov"),
        ("./sub/a#2.mov", "/edit/sub/a#2.mov"),
        ("../other/a.mov", "/edit/../other/a.mov"),
        ("  /media/a.mov\n", "/media/a.mov"),
        ("file:a.mov", "/edit/a.mov"),
        ("shot:1.mov", "/edit/shot:1.mov"),
        ("file:///media/%D1%81%D0%BA.mov", "/media/ск.mov"),
    ],
)
def test_every_spelling(url: str, path: str) -> None:
    assert path_of_url(url, folder=HERE) == Path(path)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("http://x/a.mov", "http address"),
        ("HTTPS://x/a.mov", "https address"),
        ("s3://bucket/a.mov", "s3 address"),
        ("data:image/png;base64,AAAA", "data address"),
        ("/a\0b.mov", "NUL"),
    ],
)
def test_what_names_no_file_here(url: str, reason: str) -> None:
    with pytest.raises(UnusableUrl, match=reason):
        path_of_url(url, folder=HERE)


def test_the_reading_that_exists_wins(tmp_path: Path) -> None:
    literal = tmp_path / "a%20b.mov"
    literal.touch()
    assert path_of_url("a%20b.mov", folder=tmp_path) == literal
    assert path_of_url(f"file://{tmp_path}/a%20b.mov", folder=HERE) == literal
    literal.rename(tmp_path / "a b.mov")
    assert path_of_url("a%20b.mov", folder=tmp_path) == tmp_path / "a b.mov"
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "x.mov").touch()
    assert path_of_url("sub\\x.mov", folder=tmp_path) == tmp_path / "sub" / "x.mov"


def test_a_name_longer_than_any_system_allows_is_only_missing() -> None:
    assert path_of_url("a" * 5000, folder=HERE).name == "a" * 5000


def test_names_survive_a_system_whose_names_are_not_utf_8() -> None:
    script = (
        "import os; from pathlib import Path; from plugin.timeline.urls import file_url, path_of_url\n"
        "path = Path('/media') / os.fsdecode(bytes.fromhex('74c3bc722e6d6f76'))\n"
        "assert path_of_url(file_url(path), folder=Path('/edit')) == path"
    )
    plain = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", script], env=plain, cwd=root, check=True)


@given(st.text(st.characters(exclude_characters="\0/", exclude_categories=("Cs",)), min_size=1, max_size=30))
def test_what_we_write_we_read(name: str) -> None:
    if name in {".", ".."}:
        return
    path = Path("/media") / name
    assert path_of_url(file_url(path), folder=HERE) == path
