"""Media that moved: where a timeline says they are, and where they are now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from plugin.controller.book import Book
from plugin.cues import ClipSource, Cue, ImageSequence, MediaFile, MediaSource, Spot
from plugin.errors import UsageError

Relinks = Mapping[str, str]
"""By path of a movie or of a folder of images: where it is now."""


def place_of(media: MediaSource) -> Path:
    """The movie, or the folder of the images."""
    return media.folder if isinstance(media, ImageSequence) else media.path


def relinked_media(media: MediaSource, relinks: Relinks) -> MediaSource:
    """The media where it is now; itself when it did not move."""
    new = relinks.get(str(place_of(media)))
    if new is None:
        return media
    if isinstance(media, ImageSequence):
        return replace(media, folder=Path(new))
    return MediaFile(Path(new))


def _relinked_clip(clip: ClipSource, relinks: Relinks) -> ClipSource:
    return clip if clip.media is None else replace(clip, media=relinked_media(clip.media, relinks))


def relinked_spot(spot: Spot, relinks: Relinks) -> Spot:
    """The spot with its media where they are now."""
    if not relinks:
        return spot
    picture, matte = spot.picture, spot.matte
    return replace(
        spot,
        picture=None if picture is None else _relinked_clip(picture, relinks),
        matte=None if matte is None else replace(matte, clip=_relinked_clip(matte.clip, relinks)),
    )


def relinked_book(book: Book, relinks: Relinks) -> Book:
    """The book with every clip of these media where they are now; earlier relinks lead on to there."""

    def moved(cue: Cue) -> Cue:
        return replace(cue, spot=relinked_spot(cue.spot, relinks))

    earlier = {old: relinks.get(new, new) for old, new in book.relinks.items()}
    return replace(
        book.with_cues(map(moved, book.sheet.cues)),
        own={cue_id: relinked_spot(spot, relinks) for cue_id, spot in book.own.items()},
        dismissed=tuple(map(moved, book.dismissed)),
        relinks=earlier | dict(relinks),
    )


def find_relinks(book: Book, media: MediaSource, chosen: Path) -> dict[str, str]:
    """Relinks for one media that a person found, and for others missing that lie together with it again.

    Args:
        book: whose media.
        media: what is missing.
        chosen: the movie, or for images any of them or their folder.

    Raises:
        UsageError: nothing usable is there.
    """
    new, old = _new_place(media, chosen), place_of(media)
    relinks = {str(old): str(new)}
    for other in all_media(book):
        place = place_of(other)
        candidate = new.parent / place.name
        together = place.parent == old.parent and not isinstance(other, ImageSequence)
        if together and str(place) not in relinks and not place.exists() and candidate.is_file():
            relinks[str(place)] = str(candidate)
    return relinks


def _new_place(media: MediaSource, chosen: Path) -> Path:
    chosen = chosen.absolute()
    if isinstance(media, ImageSequence):
        folder = chosen if chosen.is_dir() else chosen.parent
        numbers = range(media.first, media.last + 1, max(1, media.step))
        if any((folder / media.path_of(number).name).is_file() for number in numbers):
            return folder
        raise UsageError(
            f"{folder} holds no image of {media.name}.", remedy="Choose the folder of its images."
        )
    if not chosen.is_file():
        raise UsageError(f"{chosen} is not a file.", remedy=f"Choose the file that {media.name} became.")
    return chosen


def all_media(book: Book) -> tuple[MediaSource, ...]:
    """Every movie and image sequence of the book's cues, once."""
    spots = [cue.spot for cue in book.sheet.cues]
    clips = [spot.picture for spot in spots] + [spot.matte.clip for spot in spots if spot.matte]
    return tuple(dict.fromkeys(clip.media for clip in clips if clip is not None and clip.media is not None))
