"""Where the product keeps its own files on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from platformdirs import PlatformDirs

APPLICATION = "sagafoley"


@dataclass(frozen=True, slots=True)
class Folders:
    """The user's folders; none needs to exist.

    Attributes:
        config: settings and presets.
        data: model bundles.
        cache: what may be deleted at any time.
    """

    config: Path
    data: Path
    cache: Path

    @classmethod
    def default(cls) -> Folders:
        """The folders that the system reserves for this user and program."""
        of_user = PlatformDirs(APPLICATION, appauthor=False)
        return cls(of_user.user_config_path, of_user.user_data_path, of_user.user_cache_path)

    @property
    def bundles(self) -> Path:
        """Fetched model bundles."""
        return self.data / "bundles"

    @property
    def presets_file(self) -> Path:
        """The user's own presets."""
        return self.config / "presets.toml"
