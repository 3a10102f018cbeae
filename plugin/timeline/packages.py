"""Self-contained OTIOZ packages: a timeline and every file that it names, in one zip."""

from __future__ import annotations

import json
import os
import re
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from plugin.cues import ImageSequence
from plugin.errors import OutputError, UndecodableMedia, UnreadableTimeline
from plugin.timeline.json_trees import objects_in
from plugin.timeline.reading import CONTENT_NAME, media_folder, read_tree, timeline_of_json
from plugin.timeline.references import images_on_disk, media_of_url
from plugin.timeline.stem_tracks import Json
from plugin.timeline.urls import UnusableUrl, is_file, path_of_url
from plugin.wholefile import WORK_FOLDER, discard, output_error, part_of, sync_folder

_VERSION_NAME, _VERSION = "version.txt", "1.0.0"
_MEDIA = "media"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNSAFE = re.compile(r'[\x00-\x1f<>:"/\\|?*#%]')
_LARGE = 2**31
_COPY_BYTES = 1 << 20
_HARMLESS = 1 << 30
_MOST_PACKED = 200
_LONGEST_NAME = 255
_MOVIE_SUFFIXES = (
    ".3gp .ari .arx .asf .avi .braw .cine .crm .dnxhd .dv .flv .gif .h264 .h265 .hevc .ivf .m2t .m2ts .m2v "
    ".m4v .mkv .mov .mp4 .mpeg .mpg .mts .mxf .nut .ogv .qt .r3d .rmf .ts .vob .webm .wmv .y4m"
)
_IMAGE_SUFFIXES = (
    ".apng .ari .avif .bmp .cin .cr2 .dcx .dng .dpx .exr .hdr .heic .heif .j2c .jp2 .jpeg .jpg .pbm .pcx "
    ".pgm .png .pnm .ppm .psb .psd .sgi .svg .tga .tif .tiff .webp"
)
_SOUND_SUFFIXES = (
    ".aac .ac3 .aif .aifc .aiff .alac .amr .bwf .caf .dts .eac3 .flac .m4a .mka .mp2 .mp3 .oga .ogg .opus "
    ".rf64 .w64 .wav .wave .wma"
)
_MEDIA_SUFFIXES = frozenset(f"{_MOVIE_SUFFIXES} {_IMAGE_SUFFIXES} {_SOUND_SUFFIXES}".split())


@dataclass(frozen=True, slots=True)
class Package:
    """A written package.

    Attributes:
        path: the .otioz.
        files: what went in, by name inside the package.
        missing: references whose file is not there, as the document writes them; left as they are.
        refused: references to files that are no media by name, or may not be read; left as they are.
    """

    path: Path
    files: tuple[tuple[str, Path], ...]
    missing: tuple[str, ...]
    refused: tuple[str, ...]


def write_otioz(timeline: Path, *, output: Path, folder: Path | None = None) -> Package:
    """Packs a timeline (.otio, .json or .otiod) and its media; the timeline itself stays as it is.

    Files of the same name get different ones inside. A file that is not there stays missing: its
    reference is kept word for word.

    Args:
        timeline: the document.
        output: the .otioz.
        folder: where relative references start, for a document that was written away from the media
            that it names; None: where those of `timeline` do.

    Raises:
        UnreadableTimeline: `timeline` is not OTIO.
        OutputError: `output` cannot be written, or did not read back.
    """
    if output.suffix.casefold() != ".otioz":
        message = f"{output.name} is not an .otioz file name."
        raise OutputError(message, remedy="Choose a name that ends in .otioz.")
    packing = _Packing(folder or media_folder(timeline))
    tree = packing.relinked(read_tree(timeline))
    content = json.dumps(tree, indent=4, ensure_ascii=False).encode("utf-8")
    timeline_of_json(content.decode("utf-8"), output)
    _write_zip(output, content, packing.files)
    return Package(
        output,
        tuple((name, path) for path, name in packing.files.items()),
        tuple(dict.fromkeys(packing.missing)),
        tuple(dict.fromkeys(packing.refused)),
    )


@dataclass(slots=True)
class _Packing:
    """Names inside the package, given out while the document is walked."""

    folder: Path
    files: dict[Path, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    _taken: set[str] = field(default_factory=set)
    _folders: dict[tuple[Path, str, str], str] = field(default_factory=dict)

    def relinked(self, tree: Json) -> Json:
        """A copy of the document whose references point into the package."""
        copy: Json = json.loads(json.dumps(tree))
        for node in objects_in(copy):
            schema = node["OTIO_SCHEMA"].partition(".")[0]
            if schema == "ExternalReference":
                self._relink_file(node)
            elif schema == "ImageSequenceReference":
                self._relink_sequence(node)
        return copy

    def _relink_file(self, node: Json) -> None:
        url = str(node.get("target_url") or "")
        try:
            media = media_of_url(url, rate=None, folder=self.folder)
        except UnusableUrl:
            self.missing.append(url)
            return
        if isinstance(media, ImageSequence):
            inside = self._add_images(media.folder, media.prefix, media.suffix)
            if inside:
                node["target_url"] = inside + re.split(r"[\\/]", url)[-1]
                return
        elif is_file(media.path):
            if _may_travel(media.path):
                node["target_url"] = self._add(media.path)
            else:
                self.refused.append(url)
            return
        self.missing.append(url)

    def _relink_sequence(self, node: Json) -> None:
        base, prefix = str(node.get("target_url_base") or ""), str(node.get("name_prefix") or "")
        try:
            folder = path_of_url(base or ".", folder=self.folder)
        except UnusableUrl:
            inside = ""
        else:
            inside = self._add_images(folder, prefix, str(node.get("name_suffix") or ""))
        if inside:
            node["target_url_base"] = inside
        else:
            self.missing.append(base + prefix)

    def _add(self, path: Path) -> str:
        path = path.resolve()
        if path not in self.files:
            self.files[path] = self._free(_MEDIA, path.name)
        return self.files[path]

    def _add_images(self, folder: Path, prefix: str, suffix: str) -> str:
        """A folder of its own for a sequence, "" when none of its images is there."""
        found = images_on_disk(folder, prefix, suffix)
        images = {number: path for number, path in found.items() if _may_travel(path)}
        key = (folder.resolve(), prefix, suffix)
        if images and key not in self._folders:
            self._folders[key] = self._free(_MEDIA, prefix.rstrip("._- ") or "images") + "/"
            for path in images.values():
                self.files[path] = self._folders[key] + path.name
        return self._folders.get(key, "")

    def _free(self, folder: str, name: str) -> str:
        """A name that no other entry has, on any file system, and that needs no quoting in a URL."""
        safe = PurePosixPath(_UNSAFE.sub("_", name).strip(". ") or "media")
        number, tried = 1, f"{folder}/{safe}"
        while tried.casefold() in self._taken:
            number += 1
            tried = f"{folder}/{safe.stem}_{number}{safe.suffix}"
        self._taken.add(tried.casefold())
        return tried


def _may_travel(path: Path) -> bool:
    return path.suffix.casefold() in _MEDIA_SUFFIXES and is_file(path) and os.access(path, os.R_OK)


def _write_zip(output: Path, content: bytes, files: dict[Path, str]) -> None:
    part = part_of(output)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            with zipfile.ZipFile(file, "w") as package:
                package.writestr(_entry(_VERSION_NAME, zipfile.ZIP_DEFLATED), _VERSION)
                package.writestr(_entry(CONTENT_NAME, zipfile.ZIP_DEFLATED), content)
                for path, name in files.items():
                    _add_file(package, path, name)
            file.flush()
            os.fsync(file.fileno())
        _check_zip(part, content, files)
        part.replace(output)
        sync_folder(output.parent)
    except OSError as error:
        raise output_error(output, error) from error
    finally:
        discard(part)


def _entry(name: str, method: int) -> zipfile.ZipInfo:
    """A directory entry with a fixed date, so that the same input gives the same bytes."""
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = method
    info.external_attr = 0o644 << 16
    return info


def _add_file(package: zipfile.ZipFile, path: Path, name: str) -> None:
    large = path.stat().st_size >= _LARGE
    with package.open(_entry(name, zipfile.ZIP_STORED), "w", force_zip64=large) as target:
        for piece in _pieces(path):
            target.write(piece)


def _pieces(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as source:
            while piece := source.read(_COPY_BYTES):
                yield piece
    except OSError as error:
        raise UndecodableMedia(
            f"{path.name} could not be read to its end for the package.",
            remedy="Check the disk that it is on, or leave out the package.",
            detail=f"{path}: {error}",
        ) from error


def _check_zip(part: Path, content: bytes, files: dict[Path, str]) -> None:
    with zipfile.ZipFile(part) as package:
        sizes = {info.filename: info.file_size for info in package.infolist()}
        whole = package.read(CONTENT_NAME) == content
    if not whole or set(sizes) != {_VERSION_NAME, CONTENT_NAME, *files.values()}:
        raise OutputError(
            f"{part.name} did not read back as it was written.",
            remedy="Check the disk, then run again.",
        )


def unpack_otioz(package: Path, *, folder: Path) -> Path:
    """Unpacks a package into a new folder, so that its relative references lead to files.

    Entries that point outside of the folder, links, and packages larger than the free disk are refused.

    Args:
        package: the .otioz.
        folder: must not exist yet.

    Returns:
        The timeline inside the folder.

    Raises:
        UnreadableTimeline: it is no whole package, or not a safe one.
        OutputError: the folder cannot be written.
    """
    if not is_file(package):
        raise _unsafe(package, "is not there")
    work = folder.parent / WORK_FOLDER
    made = not work.exists()
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(folder, error) from error
    try:
        _unpack_whole(package, folder)
    except BaseException:
        if made:
            with suppress(OSError):
                work.rmdir()
        raise
    return folder / CONTENT_NAME


def _unpack_whole(package: Path, folder: Path) -> None:
    part = part_of(folder)
    try:
        _extract(package, part)
        part.replace(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise output_error(folder, error) from error
    except UnreadableTimeline:
        raise
    except Exception as error:  # zipfile passes on what zlib, lzma and struct raise
        raise _unsafe(package, "is not a whole OTIOZ package", detail=repr(error)) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _extract(package: Path, part: Path) -> None:
    with zipfile.ZipFile(package) as source:
        entries = [info for info in source.infolist() if not info.is_dir()]
        _check_entries(package, entries)
        size = sum(info.file_size for info in entries)
        if size > shutil.disk_usage(part.parent).free:
            raise _unsafe(package, "is larger than the free disk space")
        if size > _HARMLESS and size > _MOST_PACKED * package.stat().st_size:
            raise _unsafe(package, f"says that it unpacks to {size / 2**30:.0f} GiB, which no media do")
        for info in entries:
            target = part / info.filename
            target.parent.mkdir(parents=True, exist_ok=True)
            with source.open(info) as data, target.open("wb") as file:
                shutil.copyfileobj(data, file, _COPY_BYTES)


def _check_entries(package: Path, entries: list[zipfile.ZipInfo]) -> None:
    names = {info.filename for info in entries}
    if CONTENT_NAME not in names:
        raise _unsafe(package, f"holds no {CONTENT_NAME}")
    for info in entries:
        parts = re.split(r"[\\/]", info.filename)
        is_link = (info.external_attr >> 16) & 0o170000 == 0o120000
        if is_link or ".." in parts or "" in parts or ":" in info.filename:
            raise _unsafe(package, f"holds an entry that points outside of it ({info.filename!r})")
        if max(len(os.fsencode(part)) for part in parts) > _LONGEST_NAME:
            raise _unsafe(package, f"holds a name that no disk takes ({parts[-1][:40]!r}...)")
    folders = {str(folder) for name in names for folder in PurePosixPath(name).parents}
    if len(names) < len(entries) or names & folders:
        raise _unsafe(package, "holds two entries of one name")


def _unsafe(package: Path, reason: str, *, detail: str = "") -> UnreadableTimeline:
    remedy = "Export the package again, or export a plain .otio."
    return UnreadableTimeline(f"{package.name} {reason}.", remedy=remedy, detail=detail)
