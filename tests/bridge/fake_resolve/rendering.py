"""The render queue of a project."""
# ruff: noqa: N802

from __future__ import annotations

from pathlib import Path
from typing import Any

from .api_project import ProjectCalls
from .calling import Refused, api, call, is_whole
from .languages import word
from .model import new_id

FORMATS: dict[str, str] = {"QuickTime": "mov", "MP4": "mp4", "EXR": "exr", "TIFF": "tif", "WAV": "wav"}
CODECS: dict[str, dict[str, str]] = {
    "mov": {"H.264": "H264", "Apple ProRes 4444": "ProRes4444", "Apple ProRes 422 HQ": "ProRes422HQ"},
    "mp4": {"H.264": "H264"},
    "exr": {"RGB half": "RGBHalf"},
    "tif": {"RGB 16 bits": "RGB16"},
    "wav": {"Linear PCM": "lpcm"},
}
ALPHA_CODECS = {"ProRes4444", "RGBHalf", "RGB16"}
_BOOLS = {"SelectAllFrames", "ExportVideo", "ExportAudio", "ExportAlpha", "MultiPassEncode"}
_BOOLS |= {"NetworkOptimization", "ReplaceExistingFilesInPlace", "ExportSubtitle", "UseFullExtents"}
_WHOLE = {"MarkIn", "MarkOut", "UniqueFilenameStyle", "FormatWidth", "FormatHeight", "AlphaMode"}
_WHOLE |= {"AudioBitDepth", "AudioSampleRate", "ClipStartFrame", "AddFrameHandles"}
_TEXTS = {"TargetDir", "CustomName", "AudioCodec", "ColorSpaceTag", "GammaTag", "EncodingProfile"}


def _is_fit(key: str, value: Any) -> bool:
    if key in _BOOLS:
        return isinstance(value, bool)
    if key in _WHOLE:
        return is_whole(value)
    return key not in _TEXTS or isinstance(value, str)


@api("Project")
class ProjectApi(ProjectCalls):
    """A project: its calls and its render queue."""

    @call({}, stale=None)
    def GetRenderFormats(self) -> Any:
        return dict(FORMATS)

    @call({}, stale=None)
    def GetRenderCodecs(self, format_id: str) -> Any:
        if format_id == "wav" and self.editor.profile.version < (21, 1, 0):
            return {}
        return dict(CODECS.get(format_id, {}))

    @call({}, stale=None)
    def GetCurrentRenderFormatAndCodec(self) -> Any:
        return dict(zip(("format", "codec"), self.it.render_format, strict=True))

    @call(False, mutates=True)
    def SetCurrentRenderFormatAndCodec(self, format_id: str, codec_id: str) -> bool:
        if codec_id not in self.GetRenderCodecs(format_id).values():
            raise Refused
        self.it.render_format = (format_id, codec_id)
        return True

    @call()
    def GetCurrentRenderMode(self) -> Any:
        return self.it.render_mode

    @call(False, mutates=True)
    def SetCurrentRenderMode(self, mode: int) -> bool:
        if mode not in (0, 1):
            raise Refused
        self.it.render_mode = mode
        return True

    @call([], stale=None)
    def GetRenderPresetList(self) -> Any:
        return ["H.264 Master", "ProRes 422 HQ", "Audio Only"]

    @call(False, mutates=True)
    def LoadRenderPreset(self, name: str) -> bool:
        if name not in self.GetRenderPresetList():
            raise Refused
        self.it.render_settings = {"ExportVideo": False} if name == "Audio Only" else {}
        self.it.render_settings["preset"] = name
        return True

    @call(False, mutates=True)
    def SetRenderSettings(self, settings: dict) -> bool:
        if not all(_is_fit(key, value) for key, value in settings.items()):
            raise Refused
        merged = {**self.it.render_settings, **settings}
        alpha = merged.get("ExportAlpha", False)
        if alpha and self.it.render_format[1] not in ALPHA_CODECS:
            raise Refused
        if "AlphaMode" in settings and (not alpha or settings["AlphaMode"] not in (0, 1)):
            raise Refused
        if self.it.render_settings.get("preset") == "Audio Only":
            merged["ExportVideo"] = False
        self.it.render_settings = merged
        return True

    @call("", mutates=True, stale=None)
    def AddRenderJob(self) -> str:
        if self.options.render_page_matters and self.editor.page != "deliver":
            raise Refused
        settings = self.it.render_settings
        folder = settings.get("TargetDir")
        if folder is None or not Path(folder).is_dir():
            self.editor.open_modal("The target directory does not exist")
            raise Refused
        first, last = self._range(settings)
        name = settings.get("CustomName") or self.timeline.name
        job = {
            "JobId": new_id(),
            "TimelineName": self.timeline.name,
            "TargetDir": folder,
            "OutputFilename": f"{name}.{self.it.render_format[0]}",
            "MarkIn": first,
            "MarkOut": last,
            "ExportAlpha": settings.get("ExportAlpha", False),
            "percent": 0,
            "state": "Ready",
        }
        self.it.render_jobs.append(job)
        return job["JobId"]

    def _range(self, settings: dict[str, Any]) -> tuple[int, int]:
        """Absolute frames, the last included."""
        timeline = self.timeline
        if settings.get("SelectAllFrames", "MarkIn" not in settings):
            return timeline.start, timeline.end - 1
        first, last = int(settings["MarkIn"]), int(settings.get("MarkOut", timeline.end - 1))
        if not timeline.start <= first <= last:
            raise Refused
        return first, last

    @call([], stale=None)
    def GetRenderJobList(self) -> Any:
        hidden = {"percent", "state"}
        return [{k: v for k, v in job.items() if k not in hidden} for job in self.it.render_jobs]

    @call(False, mutates=True)
    def StartRendering(self, *jobs: Any) -> bool:
        flat = [job for one in jobs for job in (one if isinstance(one, list) else [one])]
        wanted = [job for job in flat if isinstance(job, str)]
        known = {job["JobId"]: job for job in self.it.render_jobs}
        if any(job not in known for job in wanted):
            raise Refused
        started = [known[job] for job in wanted] if wanted else list(known.values())
        for job in started:
            job.update(state="Rendering", percent=0)
        return bool(started)

    @call(False)
    def IsRenderingInProgress(self) -> bool:
        return any(job["state"] == "Rendering" for job in self.it.render_jobs)

    @call({}, stale=None)
    def GetRenderJobStatus(self, job_id: str) -> Any:
        job = next((job for job in self.it.render_jobs if job["JobId"] == job_id), None)
        if job is None:
            raise Refused
        self._advance(job)
        status = {
            "JobStatus": word(job["state"], self.options.language),
            "CompletionPercentage": job["percent"],
        }
        if job["state"] == "Complete":
            status["TimeTakenToRenderInMs"] = 1200
        if job["state"] == "Failed":
            status["Error"] = word("Render failed", self.options.language)
        return status

    def _advance(self, job: dict[str, Any]) -> None:
        """Every poll finds the job further; the file is there when it is complete, not before."""
        if job["state"] != "Rendering":
            return
        job["percent"] = min(100, job["percent"] + 100 // self.options.render_polls)
        if job["percent"] + 100 // self.options.render_polls > 100:
            job.update(percent=100, state="Complete")
            Path(job["TargetDir"], job["OutputFilename"]).write_bytes(b"rendered")

    @call()
    def StopRendering(self) -> None:
        for job in self.it.render_jobs:
            if job["state"] == "Rendering":
                job["state"] = "Cancelled"

    @call(False, mutates=True)
    def DeleteRenderJob(self, job_id: str) -> bool:
        before = len(self.it.render_jobs)
        self.it.render_jobs = [job for job in self.it.render_jobs if job["JobId"] != job_id]
        return len(self.it.render_jobs) < before

    @call(False, mutates=True)
    def DeleteAllRenderJobs(self) -> bool:
        self.it.render_jobs = []
        return True
