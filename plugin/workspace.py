"""What each command and the panel start from: folders, settings, presets, bundles; and the engine of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from models_onnx.bundle import Bundle
from models_onnx.store import Store
from plugin.bundles import find_bundle
from plugin.cueing import CueChoices
from plugin.cues import Resize
from plugin.errors import BundleError
from plugin.folders import Folders
from plugin.presets import Presets
from plugin.settings import Settings, change_settings, load_settings

if TYPE_CHECKING:
    from plugin.engine.engine import Engine


@dataclass(frozen=True, slots=True)
class Workspace:
    """The surroundings of one run.

    Attributes:
        folders: the user's own.
        settings: of the settings file, with this run's changes.
        presets: shipped and the user's.
        store: where bundles are found.
    """

    folders: Folders
    settings: Settings
    presets: Presets
    store: Store

    @classmethod
    def open(cls, changes: Mapping[str, Any] | None = None, *, folders: Folders | None = None) -> Workspace:
        """The workspace of this user.

        Args:
            changes: settings of this run by key; None values change nothing.
            folders: other than the user's.

        Raises:
            UsageError: the settings or presets file has a mistake, or a change cannot be.
        """
        folders = folders or Folders.default()
        given = {key: value for key, value in (changes or {}).items() if value is not None}
        settings = change_settings(load_settings(folders.config), given)
        presets = Presets.load(folders.presets_file)
        return cls(folders, settings, presets, Store.default(folders.bundles))

    @classmethod
    def plain(cls, folders: Folders | None = None) -> Workspace:
        """The workspace of a user who has set nothing."""
        folders = folders or Folders.default()
        return cls(folders, Settings(), Presets.load(), Store.default(folders.bundles))

    def bundle(self) -> Bundle:
        """The bundle that the settings name.

        Raises:
            BundleError: there is none, or it is not usable.
        """
        return find_bundle(self.store, self.settings.bundle)

    def bundle_if_any(self) -> Bundle | None:
        """The bundle that the settings name; None where there is none that can be used."""
        try:
            return self.bundle()
        except BundleError:
            return None

    def presets_of(self, bundle: Bundle | None) -> Presets:
        """The presets over the defaults of a bundle; over the usual ones where there is none."""
        if bundle is None:
            return self.presets
        sampling = bundle.manifest.sampling
        return self.presets.for_bundle(steps=sampling.steps, guidance=sampling.guidance)

    def choices(
        self, *, steps: int | None = None, guidance: float | None = None, resize: Resize | None = None
    ) -> CueChoices:
        """What the settings want of every cue.

        Args:
            steps: in place of the preset's.
            guidance: in place of the preset's.
            resize: how pictures meet the model's square; None as the bundle says.
        """
        wanted = self.settings
        return CueChoices(
            wanted.preset, steps=steps, guidance=guidance, seed=wanted.seed, takes=wanted.takes, resize=resize
        )

    def open_engine(self, bundle: Bundle) -> Engine:
        """An engine on the provider that the settings name, with the user's feature cache.

        Raises:
            ProviderUnavailable: the provider does not work here.
            BundleError: the bundle cannot be used.
        """
        from plugin.engine.cache import FeatureCache  # noqa: PLC0415 (numpy and onnxruntime only when needed)
        from plugin.engine.engine import Engine  # noqa: PLC0415

        cache = None
        if self.settings.cache_mb:
            cache = FeatureCache(self.folders.cache / "features", self.settings.cache_mb * 10**6)
        return Engine.open(
            bundle,
            provider=self.settings.provider,
            threads=self.settings.threads or None,
            memory=self.settings.memory_mb * 10**6 or None,
            cache=cache,
        )
