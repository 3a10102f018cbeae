"""Our bin in the media pool, and the files that we bring into it."""

import os
import time
from typing import Any, Dict, List, Optional

from .calls import (
    as_list,
    bin_mark,
    call,
    clip_properties,
    identity,
    path_key,
    path_of,
    read,
    refused,
    same_path,
    text,
    things,
)
from .keeping import open_folder

_IMPORT_TRIES = 3
_BETWEEN_TRIES = 0.1


def bins_named(pool: Any, name: str) -> List[Any]:
    """The bins of a name right below the root."""
    root = read(pool, "GetRootFolder")
    return [folder for folder in things(root, "GetSubFolderList") if text(folder, "GetName") == name]


def make_bin(pool: Any, name: str) -> Any:
    """Our bin, made where it is not there yet, and open."""
    root = read(pool, "GetRootFolder")
    found = bins_named(pool, name)
    if not found and root is not None:
        made = call(pool, "AddSubFolder", root, name)
        found = bins_named(pool, name) or ([made] if bin_mark(made) else [])
    if not found:
        raise refused("Resolve did not make the bin {!r} in the media pool.".format(name))
    if not open_folder(pool, found[0], bin_mark(found[0])):
        raise refused("Resolve did not open the bin {!r} in the media pool.".format(name))
    return found[0]


def import_file(pool: Any, folder: Any, path: str, sequence: Optional[Dict[str, Any]] = None) -> Any:
    """The media pool item of a file, or numbered sequence, that was not in the pool before.

    A sequence is asked for as a dict (FilePath with a counter, StartIndex, EndIndex); its `path` is what
    Resolve then shows, with a range in brackets.
    """
    forms = ([path], [{"FilePath": path}]) if sequence is None else ([sequence],)
    for attempt in range(_IMPORT_TRIES):
        for asked in forms:
            answer = as_list(call(pool, "ImportMedia", asked))
            item = _item_of(answer, path) or _item_of(things(folder, "GetClipList"), path)
            if item is not None:
                return item
        if attempt + 1 < _IMPORT_TRIES:
            time.sleep(_BETWEEN_TRIES)
    remedy = "Look into the media pool why (drag {} there by hand), then do it again.".format(path)
    if sequence is not None:
        remedy = "Save the matte as a ProRes 4444 movie, which every Resolve imports, and place that."
    raise refused("Resolve did not import {}.".format(os.path.basename(path)), remedy, detail=path)


def _item_of(items: List[Any], path: str) -> Optional[Any]:
    fitting = (item for item in items if identity(item) and same_path(path_of(item), path))
    return next(fitting, None)


def items_with(folders: List[Any], paths: List[str]) -> List[Any]:
    """The media pool items in these bins whose file is one of `paths`."""
    found: Dict[str, Any] = {}
    wanted = {path_key(path) for path in paths}
    for folder in folders:
        for item in things(folder, "GetClipList"):
            path = path_of(item)
            if path and path_key(path) in wanted:
                found[identity(item)] = item
    return list(found.values())


def delete_items(pool: Any, folders: List[Any], paths: List[str]) -> List[str]:
    """Take media pool items out of the pool; the paths of those that stay."""
    left = items_with(folders, paths)
    for _ in range(2):
        if left:
            call(pool, "DeleteClips", left)
            left = items_with(folders, paths)
    return [path_of(item) for item in left]


def unused(item: Any) -> bool:
    """Whether no timeline uses a media pool item, as far as Resolve tells."""
    usage = str(clip_properties(item).get("Usage", "")).strip()
    return usage in ("0", "0.0")


def is_empty(folder: Any) -> bool:
    """Whether a bin is there and surely holds nothing: no answer is not an empty list."""
    lists = [read(folder, name) for name in ("GetClipList", "GetSubFolderList")]
    return bool(bin_mark(folder)) and all(isinstance(one, (list, dict)) and not one for one in lists)


def delete_bin(pool: Any, name: str, bin_id: str) -> bool:
    """Take one empty bin of ours away, and whether it is gone."""
    for _ in range(2):
        folder = next((one for one in bins_named(pool, name) if bin_mark(one) == bin_id), None)
        if folder is None:
            return True
        if not is_empty(folder):
            return False
        call(pool, "DeleteFolders", [folder])
    return all(bin_mark(one) != bin_id for one in bins_named(pool, name))
