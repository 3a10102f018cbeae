"""`resolve`, the project manager, the media storage and `fusion`, as scripts see them."""
# ruff: noqa: N802

from __future__ import annotations

from pathlib import Path
from typing import Any

from .calling import APIS, Api, Refused, api, call, methods_of
from .model import PoolItem

PAGES = ("media", "cut", "edit", "fusion", "color", "fairlight", "deliver")


@api("Resolve")
class ResolveApi(Api):
    """The program."""

    @call()
    def GetProjectManager(self) -> Any:
        return ("ProjectManager", self.editor)

    @call()
    def GetMediaStorage(self) -> Any:
        return ("MediaStorage", self.editor)

    @call()
    def Fusion(self) -> Any:
        return ("Fusion", self.editor)

    @call(False, mutates=True)
    def OpenPage(self, name: str) -> bool:
        if name not in PAGES or self.editor.project is None:
            raise Refused
        if name == "deliver" and self.editor.page != "deliver" and self.options.deliver_clobbers_marks:
            for timeline in [self.project.current] if self.project.current else []:
                timeline.marks.clear()
        self.editor.page = name
        return True

    @call()
    def GetCurrentPage(self) -> Any:
        return self.editor.page if self.editor.project is not None else None

    @call()
    def GetVersion(self) -> Any:
        return [*self.editor.profile.version, self.editor.profile.build, ""]

    @call()
    def GetVersionString(self) -> str:
        return ".".join(map(str, (*self.editor.profile.version, self.editor.profile.build)))

    @call()
    def GetProductName(self) -> str:
        return self.editor.profile.product

    @call(since=(21, 1, 0))
    def IsStudio(self) -> bool:
        return self.editor.profile.studio

    @call(since=(21, 1, 0))
    def GetCurrentProject(self) -> Any:
        return self.editor.project

    @call(since=(21, 1, 0))
    def GetCurrentTimeline(self) -> Any:
        return self.timeline

    @call(since=(21, 1, 0))
    def GetMediaPool(self) -> Any:
        return ("MediaPool", self.project)

    @call(False, mutates=True)
    def Quit(self) -> bool:
        self.editor.quit()
        return True


@api("Dead")
class DeadApi(Api):
    """What a second connection of one process holds: the same names, and every call gives None."""


for _name in methods_of("Resolve"):
    setattr(DeadApi, _name, call()(lambda self, *args: None))


@api("ProjectManager")
class ProjectManagerApi(Api):
    """Projects."""

    @call()
    def GetCurrentProject(self) -> Any:
        return self.editor.project

    @call(False, mutates=True)
    def SaveProject(self) -> bool:
        return self.editor.save()

    @call(mutates=True)
    def CreateProject(self, name: str) -> Any:
        if self.editor.project is None or any(one.name == name for one in self.editor.projects):
            raise Refused
        return self.editor.add_project(name)

    @call(mutates=True)
    def LoadProject(self, name: str) -> Any:
        found = [project for project in self.editor.projects if project.name == name]
        if self.editor.project is None or not found:
            raise Refused
        self.editor.open_project(found[0])
        return found[0]

    @call([])
    def GetProjectListInCurrentFolder(self) -> Any:
        return [project.name for project in self.editor.projects]

    @call()
    def GetCurrentDatabase(self) -> Any:
        if self.editor.project is None:
            return None
        return {"DbType": "Disk", "DbName": "Local Database"}


@api("MediaStorage")
class MediaStorageApi(Api):
    """Disks."""

    @call([])
    def GetMountedVolumeList(self) -> Any:
        return ["/"]

    @call(False, mutates=True)
    def AddClipMattesToMediaPool(self, item: PoolItem, paths: list[str], eye: Any = "") -> bool:
        if not paths or not all(Path(path).is_absolute() and Path(path).is_file() for path in paths):
            raise Refused
        item.mattes.extend(path for path in paths if path not in item.mattes)
        return True

    @call([], mutates=True)
    def AddTimelineMattesToMediaPool(self, paths: list[str]) -> Any:
        items = APIS["MediaPool"](self.editor, self.project).ImportMedia(paths)
        for item in items or []:
            item.metadata["matte"] = "timeline"
        return items

    @call([], mutates=True)
    def AddItemListToMediaPool(self, *paths: str) -> Any:
        return APIS["MediaPool"](self.editor, self.project).ImportMedia(list(paths))


@api("Fusion")
class FusionApi(Api):
    """`fusion`: the little of it that scripts of ours could touch."""

    @call()
    def GetPrefs(self, name: str = "") -> Any:
        prefs = self.editor.preferences
        return dict(prefs) if not name else prefs.get(name)

    @call()
    def SetPrefs(self, name: str, value: Any) -> None:
        self.editor.preferences[name] = value

    @call(False)
    def SavePrefs(self) -> bool:
        return self.editor.save_preferences()

    @call()
    def GetResolve(self) -> Any:
        return ("Resolve", self.editor)
