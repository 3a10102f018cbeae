"""A take: one WAV file and the sidecar beside it that can render it again."""

from __future__ import annotations

import dataclasses
import glob
import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from plugin.cues import Cue
from plugin.render.provenance import EngineFacts, LicenceFacts, cue_from_data, cue_to_data
from plugin.timebase import (
    STEM_RATE,
    TimeSpan,
    format_timecode,
    frame_at,
    is_smpte_rate,
    sample_position,
    span_samples,
)

SCHEMA = 1
KIND = "sagafoley take"
MAX_SIDECAR_BYTES = 2**20


class NotATake(Exception):
    """The file is not a sidecar that this version can read."""


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """The WAV file of a take.

    Attributes:
        bytes: its size.
        sha256: of the whole file.
        samples: per channel, at 48 kHz.
        gain_db: what was taken off to keep the true peak at or below -1 dBTP; 0 or negative.
        sample_peak_dbfs: highest sample, None for digital silence.
        true_peak_dbtp: highest reconstructed value, None for digital silence.
        loudness_lufs: integrated loudness (EBU R 128), None when too short or too quiet to say.
    """

    bytes: int
    sha256: str
    samples: int
    gain_db: float
    sample_peak_dbfs: float | None
    true_peak_dbtp: float | None
    loudness_lufs: float | None


@dataclass(frozen=True, slots=True)
class Take:
    """One generated result of a cue.

    Attributes:
        name: file name without suffix, `<timeline>_<cue>_<label>_t<nn>`.
        cue: as it was rendered, with this take's seed and `takes` 1.
        timeline_name: of its cue sheet.
        rate: the timeline's frame rate.
        drop_frame: how its timecode is printed.
        identity: hash of all inputs; see `provenance.take_identity`.
        picture_fingerprint: of the source media file, "" when there is no picture.
        matte_fingerprint: of the matte file, "" when there is no matte.
        engine: what made it.
        audio: the WAV file.
        versions: of the programs that took part, by name.
        created: UTC, ISO 8601.
        warnings: what was said while it was made.
    """

    name: str
    cue: Cue
    timeline_name: str
    rate: Fraction
    drop_frame: bool
    identity: str
    picture_fingerprint: str
    matte_fingerprint: str
    engine: EngineFacts
    audio: AudioFacts
    versions: tuple[tuple[str, str], ...]
    created: str
    warnings: tuple[str, ...] = ()

    @property
    def wav_name(self) -> str:
        """The sound's file name."""
        return f"{self.name}.wav"

    @property
    def sidecar_name(self) -> str:
        """The sidecar's file name."""
        return f"{self.name}.json"


def format_sidecar(take: Take) -> bytes:
    """The sidecar's content: JSON, UTF-8, the same bytes for the same take."""
    data = {
        "kind": KIND,
        "schema": SCHEMA,
        "name": take.name,
        "created": take.created,
        "identity": take.identity,
        "timeline": {"name": take.timeline_name, "rate": str(take.rate), "drop_frame": take.drop_frame},
        "cue": cue_to_data(take.cue),
        "place": _place(take.cue.spot.record, rate=take.rate, drop_frame=take.drop_frame),
        "fingerprints": {"picture": take.picture_fingerprint, "matte": take.matte_fingerprint},
        "engine": dataclasses.asdict(take.engine),
        "audio": {"file": take.wav_name, "sample_rate": STEM_RATE} | dataclasses.asdict(take.audio),
        "versions": dict(take.versions),
        "warnings": list(take.warnings),
    }
    text = json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:  # a file name that is no Unicode: JSON can still escape it
        return (json.dumps(data, indent=1, allow_nan=False) + "\n").encode("ascii")


def _place(record: TimeSpan, *, rate: Fraction, drop_frame: bool) -> dict[str, Any]:
    """Where the take belongs, for people and other programs; the cue's `record` says it exactly."""
    return {
        "start_timecode": _timecode(record.start, rate=rate, drop_frame=drop_frame),
        "end_timecode": _timecode(record.end, rate=rate, drop_frame=drop_frame),
        "first_sample": sample_position(record.start),
        "samples": span_samples(record),
    }


def _timecode(time: Fraction, *, rate: Fraction, drop_frame: bool) -> str | None:
    """Timecode of the frame at `time`; None where the rate has none."""
    if not is_smpte_rate(rate):
        return None
    return format_timecode(frame_at(time, rate), rate, drop_frame=drop_frame)


def read_take(path: Path) -> Take:
    """The take that a sidecar describes; whether its WAV is there and whole is not looked at.

    Raises:
        NotATake: another kind of file, damaged, or of another schema.
        OSError: the file cannot be read.
    """
    if path.stat().st_size > MAX_SIDECAR_BYTES:
        raise NotATake(f"{path.name} is too large for a sidecar")
    try:
        data = json.loads(path.read_bytes())
        if data["kind"] != KIND or data["schema"] != SCHEMA:
            raise NotATake(f"{path.name} is of another kind or schema")
        return _take(data)
    except (ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError, RecursionError) as error:
        raise NotATake(f"{path.name} is damaged: {error!r}") from error


def _take(data: dict[str, Any]) -> Take:
    engine, timeline = dict(data["engine"]), data["timeline"]
    licence = LicenceFacts(**engine.pop("licence"))
    name = data["name"]
    if (
        not isinstance(name, str)
        or not name
        or Path(name).name != name
        or data["audio"]["file"] != f"{name}.wav"
    ):
        raise ValueError("the names do not agree")
    return Take(
        name=name,
        cue=cue_from_data(data["cue"]),
        timeline_name=str(timeline["name"]),
        rate=Fraction(timeline["rate"]),
        drop_frame=bool(timeline["drop_frame"]),
        identity=str(data["identity"]),
        picture_fingerprint=str(data["fingerprints"]["picture"]),
        matte_fingerprint=str(data["fingerprints"]["matte"]),
        engine=EngineFacts(licence=licence, **engine),
        audio=_audio(data["audio"]),
        versions=tuple((str(key), str(value)) for key, value in data["versions"].items()),
        created=str(data["created"]),
        warnings=tuple(str(warning) for warning in data["warnings"]),
    )


def _audio(data: dict[str, Any]) -> AudioFacts:
    return AudioFacts(**{field.name: data[field.name] for field in dataclasses.fields(AudioFacts)})


def find_takes(folder: Path, prefix: str = "") -> Iterator[Take]:
    """Takes whose sidecar and WAV lie in the folder, sorted by name; contents are not hashed.

    Args:
        folder: where to look.
        prefix: what their names begin with.
    """
    for path in sorted(folder.glob(f"{glob.escape(prefix)}*.json")):
        try:
            take = read_take(path)
            if take.sidecar_name == path.name and _size(folder / take.wav_name) == take.audio.bytes:
                yield take
        except (NotATake, OSError):
            continue  # somebody else's file, or half a take: not ours to keep


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


def is_whole(take: Take, wav: Path) -> bool:
    """Whether the file is, byte for byte, the sound that the take describes."""
    try:
        return _size(wav) == take.audio.bytes and file_sha256(wav) == take.audio.sha256
    except OSError:
        return False


def file_sha256(path: Path) -> str:
    """The sha256 of a file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def decibels(amplitude: float) -> float | None:
    """`20 log10` of an amplitude; None for silence."""
    return 20 * math.log10(amplitude) if amplitude > 0 else None
