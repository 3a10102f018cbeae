"""The demo page: one file, no network, nothing unescaped; its pictures are real PNG and JPEG."""

import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
from PIL import Image


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.add(tag)
        self.addresses += [value for name, value in attrs if name in {"src", "href"}]


def view(folder: Path, title: str):
    from page import CueView, Shown, TimelineView
    from pictures import jpeg_bytes

    picture = jpeg_bytes(np.full((32, 48, 3), 90, np.uint8))
    wav = folder / "stems" / "a b#1.wav"
    cue = CueView(
        title=title,
        timecodes=("01:00:00:00", "01:00:01:00"),
        place=(0.0, 0.5),
        label=title,
        samples=np.sin(np.arange(48_000, dtype=np.float32) / 10),
        rate=48_000,
        events=(0.25,),
        facts=(("prompt", title),),
        pictures=(Shown(picture, "01:00:00:00"),),
        files=(("WAV", wav),),
    )
    return TimelineView(title, title, folder / "preview.mp4", (("timeline", folder / "x.otio"),), (cue,))


def test_the_page_stands_alone_and_escapes(tmp_path: Path) -> None:
    from page import write_page

    hostile = '<script>alert("x")</script>'
    write_page(tmp_path / "index.html", title=hostile, notes=[hostile], timelines=[view(tmp_path, hostile)])
    text = (tmp_path / "index.html").read_text("utf-8")
    found = Links()
    found.feed(text)
    assert "script" not in found.tags
    assert {"stems/a%20b%231.wav", "preview.mp4", "x.otio"} <= set(found.addresses)
    assert all(not re.match(r"\w+://|//", address) for address in found.addresses)
    assert "url(" not in text
    assert "prefers-color-scheme: dark" in text


def test_pictures_are_what_other_readers_see() -> None:
    from pictures import jpeg_bytes, png_bytes

    rng = np.random.default_rng(0)
    for shape in ((7, 5), (7, 5, 3)):
        picture = rng.integers(0, 256, shape, np.uint8)
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png_bytes(picture)))), picture)
    smooth = np.repeat(np.linspace(0, 255, 64, dtype=np.uint8)[None, :, None], 3, axis=2).repeat(48, axis=0)
    seen = np.asarray(Image.open(io.BytesIO(jpeg_bytes(smooth))).convert("RGB"))
    assert np.abs(seen.astype(int) - smooth).mean() < 3


def test_the_mask_is_drawn_where_it_is() -> None:
    from pictures import outlined

    picture = np.full((20, 20, 3), 200, np.uint8)
    mask = np.zeros((20, 20), np.uint8)
    mask[5:15, 5:15] = 255
    drawn = outlined(picture, mask)
    assert (drawn[10, 10] == 200).all()
    assert (drawn[4, 10] == (40, 235, 200)).all()
    assert drawn[0, 0].max() < 150


def test_a_tone_lights_its_own_row() -> None:
    from sound_pictures import outline, spectrogram

    time = np.arange(48_000) / 48_000
    tone = (0.5 * np.sin(2 * np.pi * 1000 * time)).astype(np.float32)
    brightness = spectrogram(tone, rate=48_000, columns=40, rows=101).sum(axis=2)[:, 20]
    expected = 100 * np.log(20_000 / 1000) / np.log(20_000 / 60)
    assert abs(int(brightness.argmax()) - expected) <= 1
    low, high = outline(tone, columns=50)
    assert low.min() == tone.min()
    assert high.max() == tone.max()


def test_the_mix_has_the_timelines_length_and_places_every_piece(tmp_path: Path) -> None:
    from fractions import Fraction

    import soundfile
    from preview import sum_of_stems

    from plugin.cues import CueSheet
    from plugin.hosts import StemPiece
    from plugin.timebase import TimeSpan

    click = np.zeros(24_000, np.float32)
    click[0] = 0.5
    soundfile.write(tmp_path / "a.wav", click, 48_000, subtype="FLOAT")
    record = TimeSpan(Fraction(3600), Fraction(3603))
    piece = StemPiece("001", "a", tmp_path / "a.wav", TimeSpan(Fraction(3601), Fraction(7203, 2)))
    mixed = sum_of_stems(CueSheet("x", Fraction(24), False, record, ()), [piece])
    assert mixed.size == 144_000
    assert np.flatnonzero(mixed).tolist() == [48_000]
