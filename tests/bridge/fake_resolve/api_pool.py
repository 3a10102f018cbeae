"""The media pool, its bins and its clips, as scripts see them."""
# ruff: noqa: N802

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .appending import append
from .calling import Api, Refused, api, call
from .languages import word
from .media import read_media, read_sequence
from .model import Folder, Item, Media, PoolItem, Timeline
from .timecode import timecode_of

_KIND_WORDS = {
    "video": "Video",
    "audio": "Audio",
    "av": "Video + Audio",
    "still": "Still",
    "sequence": "Video",
    "timeline": "Timeline",
}


@api("MediaPool")
class MediaPoolApi(Api):
    """The media pool of the open project."""

    @call()
    def GetRootFolder(self) -> Any:
        return self.it.root

    @call()
    def GetCurrentFolder(self) -> Any:
        return self.it.folder

    @call(False, mutates=True)
    def SetCurrentFolder(self, folder: Folder) -> bool:
        if folder not in self.it.root.walk():
            raise Refused
        self.it.folder = folder
        return True

    @call(mutates=True)
    def AddSubFolder(self, parent: Folder, name: str) -> Any:
        if not name or parent not in self.it.root.walk():
            raise Refused
        folder = Folder(name)
        parent.folders.append(folder)
        self.it.folder = folder
        return folder

    @call(False, mutates=True)
    def DeleteFolders(self, folders: list[Folder]) -> bool:
        if not folders or self.it.root in folders:
            raise Refused
        for folder in folders:
            _remove_folder(self.it.root, folder)
        if not self.it.folder.alive:
            self.it.folder = self.it.root
        return True

    @call(False, mutates=True)
    def MoveClips(self, items: list[PoolItem], folder: Folder) -> bool:
        if not items or folder not in self.it.root.walk():
            raise Refused
        for item in items:
            owner = self.it.folder_of(item)
            if owner is None:
                raise Refused
            owner.items.remove(item)
            folder.items.append(item)
        return True

    @call(False, mutates=True)
    def DeleteClips(self, items: list[PoolItem]) -> bool:
        if not items:
            raise Refused
        for item in items:
            owner = self.it.folder_of(item)
            if owner is not None:
                owner.items.remove(item)
            item.alive = False
            _take_offline(self.it.timelines, item)
        return True

    @call([], mutates=True, stale=None)
    def ImportMedia(self, asked: Any) -> Any:
        paths = self._paths(asked)
        if paths is None:
            return self.options.import_failure
        if self.options.import_not_ready > 0:
            self.options.import_not_ready -= 1
            return self.options.import_failure
        items = [item for one in paths if (item := self._imported(*one)) is not None]
        if self.options.import_shuffled:
            items = items[1:] + items[:1] if len(items) > 2 else items[::-1]
        return items or self.options.import_failure

    def _paths(self, asked: Any) -> list[tuple[Any, ...]] | None:
        """The paths asked for, with the numbers of a sequence; None when the call is not understood."""
        asked = list(asked.values()) if isinstance(asked, dict) else asked
        if not isinstance(asked, list) or not asked:
            return None
        if all(isinstance(one, str) for one in asked):
            return None if self.options.import_paths_fail else [(one,) for one in asked]
        if self.options.import_dicts_fail or not all(isinstance(one, dict) for one in asked):
            return None
        wanted = [(one.get("FilePath"), one.get("StartIndex"), one.get("EndIndex")) for one in asked]
        return wanted if all(isinstance(one[0], str) for one in wanted) else None

    def _imported(self, path: str, first: Any = None, last: Any = None) -> PoolItem | None:
        if isinstance(first, int) and isinstance(last, int):
            media = read_sequence(path, first, last, self.it.rate)
            return self._added(media) if media is not None else None
        known = self.it.item_at(path)
        if known is not None:
            return known if self.options.import_known == "existing" else None
        media = read_media(path, self.it.rate, stamps=self.options.stamps)
        return self._added(media) if media is not None else None

    def _added(self, media: Media) -> PoolItem:
        known = self.it.item_at(media.path)
        item = known or PoolItem(Path(media.path).name, media)
        if known is None:
            self.it.folder.items.append(item)
        return item

    @call([], mutates=True, stale=None)
    def AppendToTimeline(self, *asked: Any) -> Any:
        return append(self.editor, self.it, asked)

    @call([], stale=None)
    def GetClipMatteList(self, item: PoolItem) -> Any:
        return list(item.mattes)

    @call(False, mutates=True)
    def DeleteClipMattes(self, item: PoolItem, paths: list[str]) -> bool:
        if not paths or any(path not in item.mattes for path in paths):
            raise Refused
        item.mattes = [path for path in item.mattes if path not in paths]
        return True

    @call([], stale=None)
    def GetTimelineMatteList(self, folder: Folder) -> Any:
        return [item for item in folder.items if item.metadata.get("matte")]

    @call([], stale=None, since=(19, 0, 2))
    def GetSelectedClips(self) -> Any:
        return list(self.it.selected_clips)

    @call(mutates=True)
    def CreateEmptyTimeline(self, name: str) -> Any:
        return self.editor.new_timeline(name)

    @call(False, mutates=True)
    def DeleteTimelines(self, timelines: list[Timeline]) -> bool:
        if not timelines or any(timeline not in self.it.timelines for timeline in timelines):
            raise Refused
        for timeline in timelines:
            self.editor.delete_timeline(timeline)
        return True

    @call(mutates=True)
    def ImportTimelineFromFile(self, path: str, options: Any = None) -> Any:
        return self.editor.import_timeline(path, options)

    @call(False, mutates=True)
    def RelinkClips(self, items: list[PoolItem], folder: str) -> bool:
        for item in items:
            item.online = Path(folder, Path(item.media.path).name).is_file()
        return all(item.online for item in items)


def _remove_folder(root: Folder, gone: Folder) -> None:
    for folder in root.walk():
        if gone in folder.folders:
            folder.folders.remove(gone)
            break
    for folder in gone.walk():
        folder.alive = False
        for item in folder.items:
            item.alive = False


def _take_offline(timelines: list[Timeline], item: PoolItem) -> None:
    for timeline in timelines:
        for placed in timeline.items():
            if placed.pool is item:
                _lose_media(placed)


def _lose_media(placed: Item) -> None:
    placed.pool = None


@api("Folder")
class FolderApi(Api):
    """A bin."""

    @call()
    def GetName(self) -> str:
        return self.it.name

    @call()
    def GetUniqueId(self) -> str:
        return self.it.id

    @call([], stale=None)
    def GetClipList(self) -> Any:
        return list(self.it.items)

    @call([], stale=None)
    def GetSubFolderList(self) -> Any:
        return list(self.it.folders)


@api("MediaPoolItem")
class PoolItemApi(Api):
    """A clip of the media pool."""

    @call()
    def GetName(self) -> str:
        return self.it.name

    @call(False, mutates=True)
    def SetName(self, name: str) -> bool:
        self.it.name = name
        return True

    @call()
    def GetUniqueId(self) -> str:
        return self.it.id

    @call()
    def GetMediaId(self) -> str:
        return f"media-{self.it.id}"

    @call({}, stale=None)
    def GetClipProperty(self, key: str = "") -> Any:
        used = [one for timeline in self.project.timelines for one in timeline.items() if one.pool is self.it]
        known = {**clip_properties(self.it, self.options.language), "Usage": str(len(used))}
        return known if not key else known.get(key, "")

    @call(False, mutates=True)
    def SetClipProperty(self, key: str, value: Any) -> bool:
        known = clip_properties(self.it, self.options.language)
        if key not in known:
            raise Refused
        if key == "Clip Name":
            self.it.name = str(value)
        return True

    @call({}, stale=None)
    def GetMetadata(self, key: str = "") -> Any:
        return dict(self.it.metadata) if not key else self.it.metadata.get(key, "")

    @call(False, mutates=True)
    def SetMetadata(self, key: str, value: str) -> bool:
        self.it.metadata[key] = value
        return True

    @call("", stale=None)
    def GetAudioMapping(self) -> str:
        channels = self.it.media.channels
        return json.dumps({"embedded_audio_channels": channels, "linked_audio": {}, "track_mapping": {}})

    @call(False, mutates=True)
    def ReplaceClip(self, path: str) -> bool:
        media = read_media(path, self.it.media.rate)
        if media is None:
            raise Refused
        self.it.media = media
        return True

    @call("", stale=None)
    def GetClipColor(self) -> str:
        return self.it.clip_color


def clip_properties(item: PoolItem, language: str) -> dict[str, Any]:
    """All of `GetClipProperty()`; "Usage" is for the caller."""
    media = item.media
    picture = media.has_picture
    return {
        "Alpha mode": media.alpha if picture else "",
        "Audio Bit Depth": "24" if media.channels else "",
        "Audio Ch": str(media.channels),
        "Clip Directory": str(Path(media.path).parent) if media.path else "",
        "Clip Name": item.name,
        "Duration": timecode_of(media.frames, media.rate),
        "End": str(media.frames - 1) if picture else "",
        "End TC": timecode_of(media.start + media.frames, media.rate),
        "FPS": media.rate.number,
        "File Name": Path(media.path).name if media.path else "",
        "File Path": media.path,
        "Frames": str(media.frames) if picture else "",
        "In": "",
        "Online Status": "Online" if item.online else "Offline",
        "Out": "",
        "PAR": "Square" if picture else "",
        "Proxy Media Path": "",
        "Resolution": _resolution(media),
        "Sample Rate": str(media.sample_rate) if media.channels else "",
        "Start": "0" if picture else "",
        "Start TC": timecode_of(media.start, media.rate),
        "Type": word(_KIND_WORDS[media.kind], language),
        "Usage": "",
    }


def _resolution(media: Media) -> str:
    return f"{media.size[0]}x{media.size[1]}" if media.has_picture else ""
