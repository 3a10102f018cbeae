from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def examples_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example scripts import each other as neighbours, as when one is run."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3] / "examples"))
