"""Presets: shipped ones, the user's own, and what is said about mistakes in them."""

from pathlib import Path

import pytest

from plugin.errors import UsageError
from plugin.presets import DEFAULT_PRESET, Presets


def test_shipped_presets_and_their_sampling() -> None:
    presets = Presets.load()
    assert presets.names == ("draft", "standard", "fine")
    assert DEFAULT_PRESET in presets.names
    assert presets.sampling("standard") == (25, 7.0)
    draft, fine = presets.sampling("draft")[0], presets.sampling("fine")[0]
    assert draft < 25 < fine


def test_what_a_preset_leaves_open_comes_from_the_bundle() -> None:
    presets = Presets.load().for_bundle(steps=4, guidance=1.0)
    assert presets.sampling("standard") == (4, 1.0)
    assert presets.sampling("fine") == (50, 1.0)


def test_user_file_adds_and_replaces(tmp_path: Path) -> None:
    own = tmp_path / "presets.toml"
    own.write_text('[draft]\nsteps = 3\n[night]\ntitle = "long"\nsteps = 200\nguidance = 5\n', "utf-8")
    presets = Presets.load(own)
    assert presets.names == ("draft", "standard", "fine", "night")
    assert presets.sampling("draft") == (3, 7.0)
    assert presets.sampling("night") == (200, 5.0)


def test_missing_user_file_means_the_shipped_ones(tmp_path: Path) -> None:
    assert Presets.load(tmp_path / "none.toml") == Presets.load()


def test_unknown_preset_suggests_the_near_one() -> None:
    with pytest.raises(UsageError, match=r"'fin'\. Did you mean 'fine'") as caught:
        Presets.load().sampling("fin")
    assert caught.value.remedy == "Use one of: draft, standard, fine."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[x]\nsteps = 0\n", "'x'.*steps is 0"),
        ("[x]\nsteps = 1001\n", "steps is 1001"),
        ("[x]\nsteps = 2.5\n", "steps is 2.5"),
        ("[x]\nsteps = true\n", "steps is True"),
        ("[x]\nguidance = 51\n", "guidance is 51"),
        ("[x]\nguidance = nan\n", "guidance is nan"),
        ("[x]\ntitle = 3\n", "title must be text"),
        ("[x]\nstep = 3\n", "unknown key 'step'"),
        ("x = 3\n", "'x'.*not a table"),
        ("[x\n", "not valid TOML.*line 1"),
    ],
)
def test_mistakes_in_the_user_file_are_named(tmp_path: Path, text: str, said: str) -> None:
    own = tmp_path / "presets.toml"
    own.write_text(text, "utf-8")
    with pytest.raises(UsageError, match=said) as caught:
        Presets.load(own)
    assert caught.value.remedy.endswith(".")
