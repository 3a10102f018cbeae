"""A cue as plain data and back, exact: what a sidecar needs to render its take again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from models_onnx.bundle import Bundle
from plugin.cues import (
    ClipSource,
    Cue,
    ImageSequence,
    Matte,
    MatteChannel,
    MediaFile,
    MediaSource,
    Resize,
    Spot,
    SpotOrigin,
)
from plugin.timebase import TimeSpan, sample_position, span_samples

RECIPE = 5
"""Raised whenever the same inputs would give another sound than before."""

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LicenceFacts:
    """Under which terms the sound may be used; see `models_onnx` for the meaning of each field."""

    name: str
    commercial_use: bool
    attribution: str
    text: str


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What made the sound.

    Attributes:
        bundle_id: short name of the bundle.
        bundle_version: of its weights.
        bundle_digest: sha256 of its manifest, which holds the hash of every file.
        architecture: name of its dimensions.
        precision: "fp32" or "fp16".
        provider: where it ran.
        licence: of the weights.
    """

    bundle_id: str
    bundle_version: str
    bundle_digest: str
    architecture: str
    precision: str
    provider: str
    licence: LicenceFacts

    @classmethod
    def of_bundle(cls, bundle: Bundle, *, provider: str) -> EngineFacts:
        """The facts of an opened bundle on a provider."""
        manifest, terms = bundle.manifest, bundle.manifest.licence
        return cls(
            bundle_id=manifest.id,
            bundle_version=manifest.version,
            bundle_digest=bundle.digest,
            architecture=manifest.architecture,
            precision=manifest.precision,
            provider=provider,
            licence=LicenceFacts(terms.name, terms.commercial_use, terms.attribution, terms.text),
        )


def take_identity(cue: Cue, *, timeline_name: str, footage: str, bundle_digest: str) -> str:
    """A hash of all that decides one take; "" when the footage cannot be told from another.

    Two takes of one identity hold the same sound at the same place, so a resume need not repeat it.
    The provider is left out: a take made on another machine is whole all the same.

    Args:
        cue: with the seed of this take.
        timeline_name: part of the take's name.
        footage: fingerprint of picture and matte with their mapping.
        bundle_digest: of the bundle that renders.
    """
    if not footage:
        return ""
    record = cue.spot.record
    inputs = {
        "recipe": RECIPE,
        "timeline": timeline_name,
        "label": cue.spot.label,
        "prompt": cue.prompt,
        "negative_prompt": cue.negative_prompt,
        "steps": cue.steps,
        "guidance": float(cue.guidance),
        "seed": cue.seed,
        "bundle": bundle_digest,
        "footage": footage,
        "position": sample_position(record.start),
        "samples": span_samples(record),
    }
    if cue.resize is not None:
        inputs["resize"] = cue.resize.value
    canonical = json.dumps(inputs, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def cue_to_data(cue: Cue) -> Data:
    """The cue as JSON can hold it; fractions are texts such as `7207/2`."""
    spot = cue.spot
    return {
        "id": spot.id,
        "label": spot.label,
        "prompt": cue.prompt,
        "negative_prompt": cue.negative_prompt,
        "preset": cue.preset,
        "steps": cue.steps,
        "guidance": cue.guidance,
        "seed": cue.seed,
        "resize": None if cue.resize is None else cue.resize.value,
        "origin": spot.origin.value,
        "source": spot.source_name,
        "spot_prompt": spot.prompt,
        "spot_negative_prompt": spot.negative_prompt,
        "record": _span_to_data(spot.record),
        "picture": None if spot.picture is None else _clip_to_data(spot.picture),
        "matte": None if spot.matte is None else _matte_to_data(spot.matte),
    }


def cue_from_data(data: Data) -> Cue:
    """The cue that `cue_to_data` wrote.

    Raises:
        KeyError, TypeError, ValueError, ZeroDivisionError: the data are not such.
    """
    spot = Spot(
        id=_text(data["id"]),
        record=_span(data["record"]),
        label=_text(data["label"]),
        prompt=_text(data["spot_prompt"]),
        negative_prompt=_text(data["spot_negative_prompt"]),
        picture=None if data["picture"] is None else _clip(data["picture"]),
        matte=None if data["matte"] is None else _matte(data["matte"]),
        origin=SpotOrigin(data["origin"]),
        source_name=_text(data["source"]),
    )
    return Cue(
        spot=spot,
        prompt=_text(data["prompt"]),
        negative_prompt=_text(data["negative_prompt"]),
        preset=_text(data["preset"]),
        steps=int(data["steps"]),
        guidance=float(data["guidance"]),
        seed=int(data["seed"]),
        resize=None if data.get("resize") is None else Resize(data["resize"]),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"not text: {value!r}")
    return value


def _span_to_data(span: TimeSpan) -> Data:
    return {"start": str(span.start), "end": str(span.end)}


def _span(data: Data) -> TimeSpan:
    return TimeSpan(Fraction(_text(data["start"])), Fraction(_text(data["end"])))


def _matte_to_data(matte: Matte) -> Data:
    return {
        "clip": _clip_to_data(matte.clip),
        "channel": matte.channel.value,
        "invert": matte.invert,
    }


def _matte(data: Data) -> Matte:
    return Matte(_clip(data["clip"]), MatteChannel(data["channel"]), bool(data["invert"]))


def _clip_to_data(clip: ClipSource) -> Data:
    return {
        "media": None if clip.media is None else media_to_data(clip.media),
        "record": _span_to_data(clip.record),
        "source_start": str(clip.source_start),
        "speed": str(clip.speed),
        "available": None if clip.available is None else _span_to_data(clip.available),
        "clip_name": clip.clip_name,
        "track_name": clip.track_name,
        "rate": None if clip.rate is None else str(clip.rate),
    }


def _clip(data: Data) -> ClipSource:
    return ClipSource(
        media=None if data["media"] is None else _media(data["media"]),
        record=_span(data["record"]),
        source_start=Fraction(_text(data["source_start"])),
        speed=Fraction(_text(data["speed"])),
        available=None if data["available"] is None else _span(data["available"]),
        clip_name=_text(data["clip_name"]),
        track_name=_text(data["track_name"]),
        rate=None if data["rate"] is None else Fraction(_text(data["rate"])),
    )


def media_to_data(media: MediaSource) -> Data:
    """A movie or an image sequence as JSON can hold it."""
    if isinstance(media, MediaFile):
        return {"file": str(media.path)}
    return {
        "folder": str(media.folder),
        "prefix": media.prefix,
        "suffix": media.suffix,
        "padding": media.padding,
        "first": media.first,
        "last": media.last,
        "step": media.step,
        "rate": str(media.rate),
        "missing": media.missing,
    }


def _media(data: Data) -> MediaSource:
    if "file" in data:
        return MediaFile(Path(_text(data["file"])))
    return ImageSequence(
        folder=Path(_text(data["folder"])),
        prefix=_text(data["prefix"]),
        suffix=_text(data["suffix"]),
        padding=int(data["padding"]),
        first=int(data["first"]),
        last=int(data["last"]),
        step=int(data["step"]),
        rate=Fraction(_text(data["rate"])),
        missing=_text(data["missing"]),
    )
