"""The iXML chunk of a Broadcast WAV: what sound editors read about a file, as one XML document."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from xml.etree import ElementTree as ET


@dataclass(frozen=True, slots=True)
class Production:
    """What iXML tells beyond bext; any text may be empty.

    Attributes:
        project: the project or timeline.
        scene: the scene, or the cue.
        take: the take's number or name.
        note: free text: the prompt, where it came from.
        rate: the timeline's frame rate.
        drop_frame: how its timecode counts.
        tracks: a name per channel; channels without one are named by number.
    """

    project: str
    scene: str
    take: str
    note: str
    rate: Fraction
    drop_frame: bool
    tracks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SoundFormat:
    """Numbers of the sound that iXML repeats."""

    channels: int
    sample_rate: int
    bits: int


def ixml_document(
    production: Production,
    sound: SoundFormat,
    *,
    time_reference: int,
    bext: tuple[tuple[str, str], ...],
) -> bytes:
    """The chunk's content, UTF-8, of even length.

    Args:
        production: names and rates.
        sound: numbers of the sound.
        time_reference: samples since midnight.
        bext: element names and texts of the BEXT block, which mirrors the bext chunk.
    """
    root = ET.Element("BWFXML")
    _add(root, "IXML_VERSION", "1.61")
    _add(root, "PROJECT", production.project)
    _add(root, "SCENE", production.scene)
    _add(root, "TAKE", production.take)
    _add(root, "NOTE", production.note)
    _add_speed(root, production, sound, time_reference)
    _add_tracks(root, production.tracks, sound.channels)
    mirror = ET.SubElement(root, "BEXT")
    for name, text in bext:
        _add(mirror, name, text)
    document: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return document + b"\n" * (len(document) % 2)


def _add_speed(root: ET.Element, production: Production, sound: SoundFormat, time_reference: int) -> None:
    speed = ET.SubElement(root, "SPEED")
    rate = f"{production.rate.numerator}/{production.rate.denominator}"
    for name in ("MASTER_SPEED", "CURRENT_SPEED", "TIMECODE_RATE"):
        _add(speed, name, rate)
    _add(speed, "TIMECODE_FLAG", "DF" if production.drop_frame else "NDF")
    _add(speed, "FILE_SAMPLE_RATE", str(sound.sample_rate))
    _add(speed, "AUDIO_BIT_DEPTH", str(sound.bits))
    _add(speed, "DIGITIZER_SAMPLE_RATE", str(sound.sample_rate))
    _add(speed, "TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI", str(time_reference >> 32))
    _add(speed, "TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO", str(time_reference & 0xFFFFFFFF))
    _add(speed, "TIMESTAMP_SAMPLE_RATE", str(sound.sample_rate))


def _add_tracks(root: ET.Element, names: tuple[str, ...], channels: int) -> None:
    tracks = ET.SubElement(root, "TRACK_LIST")
    _add(tracks, "TRACK_COUNT", str(channels))
    for channel in range(1, channels + 1):
        track = ET.SubElement(tracks, "TRACK")
        _add(track, "CHANNEL_INDEX", str(channel))
        _add(track, "INTERLEAVE_INDEX", str(channel))
        _add(track, "NAME", names[channel - 1] if channel <= len(names) else f"Track {channel}")


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = "".join(letter for letter in text if _is_xml(letter))


def _is_xml(letter: str) -> bool:
    """Whether XML 1.0 can hold the character; control characters and lone surrogates it cannot."""
    code = ord(letter)
    return letter in "\t\n\r" or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or code > 0xFFFF
