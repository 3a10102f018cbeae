"""Spots before they have a number, found by each of the four rules of `plugin.timeline.spotting`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from plugin.cues import ClipSource, ImageSequence, Matte, MatteChannel, Severity, SpotOrigin
from plugin.timebase import TimeSpan
from plugin.timeline.clock import Clock
from plugin.timeline.flattening import Flattened, Shown
from plugin.timeline.marks import Mark, marks_of
from plugin.timeline.pictures import Pictures
from plugin.timeline.sources import Sources, Trouble
from plugin.timeline.wishes import ROLE_ALPHA, Wish, mask_wish, our_metadata, role_of, with_metadata

_NO_ALPHA = {
    ".3gp", ".jpg", ".jpeg", ".m2ts", ".m2v", ".m4v", ".mp4", ".mpeg", ".mpg", ".mts", ".ts", ".wmv"
}  # fmt: skip
_NAME_IT = "Name the mask track 'MASK' followed by the object, for example 'MASK violin'."

Finding = tuple[Severity, Trouble]


@dataclass(frozen=True, slots=True)
class Draft:
    """A spot without a number.

    Attributes:
        record: absolute seconds.
        layer: the compositing place of what asked for it.
        wish: the editor's words.
        picture: the shown picture clip; None when there is none.
        matte: what marks the object; None means the whole frame.
        origin: which rule found it.
        source_name: mask track, marker, matte or clip name.
        findings: what is wrong with it.
    """

    record: TimeSpan
    layer: tuple[int, ...]
    wish: Wish
    picture: Shown | None
    matte: Matte | None
    origin: SpotOrigin
    source_name: str
    findings: tuple[Finding, ...] = ()


@dataclass(slots=True)
class DraftFinder:
    """Finds drafts on one flattened timeline; `general` collects what belongs to no spot."""

    flattened: Flattened
    clock: Clock
    pictures: Pictures
    sources: Sources
    use_alpha: bool
    general: dict[Trouble, None] = field(default_factory=dict)

    def find(self) -> list[Draft]:
        """All drafts, by rule, then in document order."""
        masks = [draft for shown in self._mattes() for draft in self._of_matte(shown)]
        marks = [
            draft
            for mark in marks_of(self.flattened.shown, self.clock)
            for draft in self._of_mark(mark)
        ]  # fmt: skip
        used = {draft.matte.clip for draft in marks if draft.matte is not None}
        hung = list(self._of_matte_references(used))
        taken = {id(draft.picture) for draft in (*masks, *marks, *hung)}
        return [*masks, *marks, *hung, *self._of_alpha(taken)]

    def _mattes(self) -> Iterator[Shown]:
        return (one for one in self.flattened.shown if one.is_clip and one.video and one.mask is not None)

    def _of_matte(self, shown: Shown) -> Iterator[Draft]:
        wish = shown.mask or Wish()
        named = f"The mask track {shown.track_name!r}"
        self._note_faults(wish, shown.track_name, named)
        if not wish.label and not wish.words:
            message = f"{named} names no object; the sound is made from the picture alone."
            self._note(shown.track_name, message, _NAME_IT)
        source, troubles = self.sources.of(shown)
        draft = Draft(
            record=shown.record,
            layer=shown.layer,
            wish=wish,
            picture=None,
            matte=_matte(source, wish, MatteChannel.LUMA),
            origin=SpotOrigin.MASK_TRACK,
            source_name=shown.track_name or shown.name,
            findings=tuple((Severity.BLOCKER, trouble) for trouble in troubles),
        )
        subject = f"The matte {shown.name!r} on {shown.track_name!r}"
        yield from self._over_pictures(draft, self.pictures.under(shown.record), subject)

    def _over_pictures(
        self, draft: Draft, pieces: list[tuple[TimeSpan, Shown]], subject: str
    ) -> Iterator[Draft]:
        """One draft per picture; without any, one blocked draft."""
        if not pieces:
            remedy = "Put it over a picture clip that is switched on, or remove it."
            trouble = Trouble(draft.source_name, f"{subject} has no picture beneath it.", remedy)
            yield replace(draft, findings=(*draft.findings, (Severity.BLOCKER, trouble)))
            return
        bare = draft.record.duration - sum(span.duration for span, _ in pieces)
        if bare:
            frames = float(bare * self.clock.rate)
            message = f"{subject} covers {frames:g} frames without a picture; they stay silent."
            self._note(draft.source_name, message, "Trim it to the picture if that was not meant.")
        for span, picture in pieces:
            yield self._over(draft, span, picture)

    def _over(self, draft: Draft, span: TimeSpan, picture: Shown) -> Draft:
        _, troubles = self.sources.of(picture)
        findings = [*draft.findings, *((Severity.BLOCKER, trouble) for trouble in troubles)]
        above = self.pictures.hidden_by(span, picture)
        if above is not None:
            message = (
                f"The clip {above.name!r} on {above.track_name!r} lies above the picture but names no "
                f"media; {picture.name!r} beneath it is used."
            )
            remedy = "Switch the upper clip off, or relink it if it is the picture."
            findings.append((Severity.WARNING, Trouble(above.name, message, remedy)))
        return replace(draft, record=span, picture=picture, findings=tuple(findings))

    def _of_mark(self, mark: Mark) -> Iterator[Draft]:
        named = f"The marker {mark.name!r} on {mark.owner.name!r}"
        self._note_faults(mark.wish, mark.name, named)
        reason = _unusable_mark(mark)
        if reason or mark.record is None:
            self._note(mark.name, f"{named} {reason or 'is not on the timeline'}; it gives no spot.", _MOVE)
            return
        draft = Draft(
            record=mark.record,
            layer=mark.owner.layer,
            wish=mark.wish,
            picture=None,
            matte=None,
            origin=SpotOrigin.MARKER,
            source_name=mark.name,
        )
        for one in self._over_pictures(draft, self._marked_pictures(mark, mark.record), named):
            yield self._with_own_matte(one, one.picture) if one.picture else one

    def _marked_pictures(self, mark: Mark, record: TimeSpan) -> list[tuple[TimeSpan, Shown]]:
        owner = mark.owner
        if owner.has_media and owner.video:
            return [(owner.record if mark.is_point else record, owner)]
        if not mark.is_point:
            return self.pictures.under(record)
        seen = self.pictures.at(record.start)
        return [seen] if seen else []

    def _with_own_matte(self, draft: Draft, picture: Shown) -> Draft:
        """The draft with the matte that its picture carries, when it carries one."""
        wish = draft.wish
        keys = dict(_matte_keys(picture))
        same = [key for key, words in keys.items() if words.label.casefold() == wish.label.casefold()]
        bare = [key for key, words in keys.items() if not words.label]
        for key in (*same, *bare):
            return self._with_matte_reference(draft, picture, key, keys[key])
        if self.use_alpha or _asks_for_alpha(picture):
            source, _ = self.sources.of(picture)
            return replace(draft, matte=_matte(source, wish, MatteChannel.ALPHA))
        return draft

    def _with_matte_reference(self, draft: Draft, picture: Shown, key: str, words: Wish) -> Draft:
        source, troubles = self.sources.of_matte_reference(picture, key)
        wish = draft.wish if draft.wish.channel or draft.wish.invert else words
        findings = (*draft.findings, *((Severity.BLOCKER, trouble) for trouble in troubles))
        return replace(draft, matte=_matte(source, wish, MatteChannel.LUMA), findings=findings)

    def _of_matte_references(self, used: set[ClipSource]) -> Iterator[Draft]:
        for span, picture in self.pictures.visible:
            for key, words in _matte_keys(picture):
                if self.sources.of_matte_reference(picture, key)[0] in used:
                    continue  # a marker on this picture already says where and what
                draft = Draft(
                    record=span,
                    layer=picture.layer,
                    wish=words,
                    picture=None,
                    matte=None,
                    origin=SpotOrigin.MASK_TRACK,
                    source_name=f"{picture.name}: {key}",
                )
                self._note_faults(words, draft.source_name, f"The matte {key!r} of {picture.name!r}")
                yield self._with_matte_reference(self._over(draft, span, picture), picture, key, words)

    def _of_alpha(self, taken: set[int]) -> Iterator[Draft]:
        for span, picture in self.pictures.visible:
            asked = _asks_for_alpha(picture)
            if id(picture) in taken or not (asked or self.use_alpha):
                continue
            source, _ = self.sources.of(picture)
            if not asked and not _can_hold_alpha(source):
                continue
            wish = with_metadata(Wish(label=Path(picture.name).stem), our_metadata(picture.item))
            draft = Draft(
                record=span,
                layer=picture.layer,
                wish=wish,
                picture=None,
                matte=_matte(source, wish, MatteChannel.ALPHA),
                origin=SpotOrigin.ALPHA,
                source_name=picture.name,
            )
            yield self._over(draft, span, picture)

    def _note_faults(self, wish: Wish, subject: str, named: str) -> None:
        for fault in wish.faults:
            remedy = "Write it as 'MASK violin | not trumpet | alpha | invert' (see the manual)."
            self._note(subject, f"{named} {fault}.", remedy)

    def _note(self, subject: str, message: str, remedy: str) -> None:
        self.general[Trouble(subject, message, remedy)] = None


_MOVE = "Put the marker on a picture clip that is switched on, or on the timeline."


def _unusable_mark(mark: Mark) -> str:
    owner = mark.owner
    if owner.is_clip and owner.mask is not None:
        return "lies on a matte, whose track already names the object"
    if owner.is_clip and owner.video and not owner.enabled:
        return "lies on a clip that is switched off"
    return ""


def _matte(source: ClipSource, wish: Wish, channel: MatteChannel) -> Matte:
    return Matte(clip=source, channel=wish.channel or channel, invert=wish.invert)


def _matte_keys(picture: Shown) -> Iterator[tuple[str, Wish]]:
    """The media references of a clip that are mattes, with their words."""
    item = picture.item
    references = item.media_references()
    if len(references) < 2:
        return
    active = item.active_media_reference_key
    for key in references:
        wish = mask_wish(key)
        if wish is not None and key != active:
            yield key, with_metadata(with_metadata(wish, _words(item)), our_metadata(references[key]))


def _words(item: Any) -> dict[str, Any]:
    """What a clip's metadata says about its object; its role is not about the matte."""
    return {key: value for key, value in our_metadata(item).items() if key != "role"}


def _asks_for_alpha(picture: Shown) -> bool:
    return role_of(our_metadata(picture.item)) == ROLE_ALPHA


def _can_hold_alpha(source: ClipSource) -> bool:
    media = source.media
    if media is None:
        return False
    suffix = media.suffix if isinstance(media, ImageSequence) else media.path.suffix
    return suffix.lower() not in _NO_ALPHA
