from __future__ import annotations

import json
import os
import stat
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import opentimelineio as otio
import pytest

from plugin.cues import MediaFile
from plugin.errors import OutputError, UndecodableMedia, UnreadableTimeline
from plugin.timeline.json_trees import canonical, objects_in
from plugin.timeline.packages import unpack_otioz, write_otioz
from plugin.timeline.reading import read_timeline
from plugin.timeline.spotting import find_spots


def source_with_clashes(build: Any) -> Path:
    for name, text in (("one", "1"), ("two", "2")):
        (build.folder / name).mkdir()
        (build.folder / name / "a#b.mov").write_text(text)
    urls = [(build.folder / name / "a#b.mov").as_uri() for name in ("one", "two")]
    urls += ["one/a#b.mov", "file:///nowhere/gone.mov", "https://example.com/x.mov"]
    clips = [
        otio.schema.Clip(
            f"c{number}", otio.schema.ExternalReference(url, build.range(0, 50)), build.range(0, 9)
        )
        for number, url in enumerate(urls)
    ]
    return Path(build.write(build.timeline(build.track("V1", *clips), start=86400)))


def urls_of(tree: Any) -> list[str]:
    return [str(node["target_url"]) for node in objects_in(tree) if "target_url" in node]


def test_a_package_holds_every_file_once_under_its_own_name(build: Any) -> None:
    source = source_with_clashes(build)
    before = source.read_bytes()
    output = build.folder / "out" / "cut.otioz"
    package = write_otioz(source, output=output)
    assert source.read_bytes() == before
    assert [name for name, _ in package.files] == ["media/a_b.mov", "media/a_b_2.mov"]
    assert package.missing == ("file:///nowhere/gone.mov", "https://example.com/x.mov")
    with zipfile.ZipFile(output) as file:
        assert file.namelist() == ["version.txt", "content.otio", "media/a_b.mov", "media/a_b_2.mov"]
        assert file.read("version.txt") == b"1.0.0"
        assert (file.read("media/a_b.mov"), file.read("media/a_b_2.mov")) == (b"1", b"2")
        assert file.getinfo("media/a_b.mov").compress_type == zipfile.ZIP_STORED
        tree = json.loads(file.read("content.otio"))
    assert urls_of(tree) == [
        "media/a_b.mov",
        "media/a_b_2.mov",
        "media/a_b.mov",
        "file:///nowhere/gone.mov",
        "https://example.com/x.mov",
    ]
    for node in objects_in(tree):
        if "target_url" in node:
            node["target_url"] = ""
    original = json.loads(before)
    for node in objects_in(original):
        if "target_url" in node:
            node["target_url"] = ""
    assert canonical(tree) == canonical(original), "only the addresses differ"


def test_otios_own_reader_reads_it(build: Any) -> None:
    output = build.folder / "cut.otioz"
    write_otioz(source_with_clashes(build), output=output)
    assert otio.adapters.read_from_file(str(output)).name == "cut"


def test_the_same_input_gives_the_same_bytes(build: Any) -> None:
    source = source_with_clashes(build)
    one, two = build.folder / "1.otioz", build.folder / "2.otioz"
    write_otioz(source, output=one)
    os.utime(build.folder / "one" / "a#b.mov", (0, 0))
    write_otioz(source, output=two)
    assert one.read_bytes() == two.read_bytes()


def test_image_sequences_are_packed(build: Any) -> None:
    for number in (1, 2, 4):
        build.media(f"m.{number:04}.png")
    reference = otio.schema.ImageSequenceReference(
        build.folder.as_uri() + "/", "m.", ".png", 1, 1, 24.0, 4, available_range=build.range(0, 4)
    )
    pattern = otio.schema.ExternalReference(str(build.folder / "m.[0001-0004].png"), build.range(0, 4))
    gone = otio.schema.ImageSequenceReference("nowhere", "x.", ".png", 1, 1, 24.0, 4)
    references = zip("abc", (reference, pattern, gone), strict=True)
    clips = [otio.schema.Clip(name, one, build.range(0, 4)) for name, one in references]
    source = build.write(build.timeline(build.track("MASK x", *clips)))
    package = write_otioz(source, output=build.folder / "cut.otioz")
    assert [name for name, _ in package.files] == [f"media/m/m.000{number}.png" for number in (1, 2, 4)]
    assert package.missing == ("nowherex.",)
    content = unpack_otioz(package.path, folder=build.folder / "unpacked")
    spots = find_spots(read_timeline(content), folder=content.parent).spots
    assert [spot.matte.clip.media.folder for spot in spots[:2]] == [content.parent / "media" / "m"] * 2


def test_an_unpacked_package_finds_its_media(build: Any) -> None:
    package = write_otioz(source_with_clashes(build), output=build.folder / "cut.otioz")
    content = unpack_otioz(package.path, folder=build.folder / "unpacked")
    assert content == build.folder / "unpacked" / "content.otio"
    timeline = read_timeline(content)
    timeline.tracks.append(build.track("MASK x", build.clip("m", 9)))
    (spot,) = find_spots(timeline, folder=content.parent).spots
    assert spot.picture.media == MediaFile(content.parent / "media" / "a_b.mov")
    assert spot.picture.media.path.read_text() == "1"


def test_a_full_disk_leaves_nothing(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, os.strerror(28))

    source = source_with_clashes(build)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="disk is full"):
        write_otioz(source, output=build.folder / "out" / "cut.otioz")
    assert list((build.folder / "out").iterdir()) == []


def test_only_otioz_names_are_taken(build: Any) -> None:
    with pytest.raises(OutputError, match=r"not an \.otioz file name"):
        write_otioz(source_with_clashes(build), output=build.folder / "cut.zip")


def packed(path: Path, **entries: str) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, text in entries.items():
            file.writestr(name, text)
    return path


@pytest.mark.parametrize(
    "name", ["../outside.txt", "/absolute.txt", "media/../../outside.txt", "C:\\x.txt", "media\\..\\..\\x"]
)
def test_entries_that_point_outside_are_refused(tmp_path: Path, name: str) -> None:
    package = packed(tmp_path / "bad.otioz", **{"content.otio": "{}", name: "x"})
    with pytest.raises(UnreadableTimeline, match="points outside"):
        unpack_otioz(package, folder=tmp_path / "in" / "unpacked")
    assert list((tmp_path / "in").iterdir()) == []
    assert not (tmp_path / "outside.txt").exists()


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["media/" + "x" * 300 + ".mov"], "name that no disk takes"),
        (["media/a.mov", "media/a.mov/b.mov"], "two entries of one name"),
        (["media/a.mov", "media/a.mov"], "two entries of one name"),
        (["content.otio"], "two entries of one name"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_cannot_be_unpacked_are_refused(tmp_path: Path, names: list[str], reason: str) -> None:
    package = tmp_path / "bad.otioz"
    with zipfile.ZipFile(package, "w") as file:
        for name in ("content.otio", *names):
            file.writestr(name, "{}")
    with pytest.raises(UnreadableTimeline, match=reason):
        unpack_otioz(package, folder=tmp_path / "in" / "unpacked")
    assert list((tmp_path / "in").iterdir()) == []


def test_links_are_refused(tmp_path: Path) -> None:
    package = tmp_path / "bad.otioz"
    link = zipfile.ZipInfo("media/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(package, "w") as file:
        file.writestr("content.otio", "{}")
        file.writestr(link, "/etc/passwd")
    with pytest.raises(UnreadableTimeline, match="points outside"):
        unpack_otioz(package, folder=tmp_path / "unpacked")


@pytest.mark.parametrize(
    ("data", "reason"), [(b"PK noise", "not a whole OTIOZ package"), (None, "is not there")]
)
def test_what_is_no_package_is_refused(tmp_path: Path, data: bytes | None, reason: str) -> None:
    package = tmp_path / "x.otioz"
    if data is not None:
        package.write_bytes(data)
    with pytest.raises(UnreadableTimeline, match=reason):
        unpack_otioz(package, folder=tmp_path / "unpacked")
    with pytest.raises(UnreadableTimeline, match=r"holds no content\.otio"):
        unpack_otioz(packed(tmp_path / "y.otioz", other="x"), folder=tmp_path / "unpacked")
    assert not (tmp_path / "unpacked").exists()


def test_a_package_larger_than_the_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = packed(tmp_path / "x.otioz", **{"content.otio": "{}"})
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1))
    with pytest.raises(UnreadableTimeline, match="larger than the free disk"):
        unpack_otioz(package, folder=tmp_path / "unpacked")


def test_a_folder_that_is_taken_is_not_touched(build: Any) -> None:
    package = write_otioz(source_with_clashes(build), output=build.folder / "cut.otioz")
    taken = build.folder / "taken"
    taken.mkdir()
    (taken / "mine.txt").write_text("mine")
    with pytest.raises(OutputError):
        unpack_otioz(package.path, folder=taken)
    assert [path.name for path in taken.iterdir()] == ["mine.txt"]


def test_a_package_carries_away_media_and_nothing_else(build: Any) -> None:
    """A timeline from elsewhere may name any file of this machine; what it names travels only as media."""
    (build.folder / "id_rsa").write_text("secret")
    (build.folder / "keys.json").write_text("secret")
    build.media("good.MOV")
    urls = ["id_rsa", (build.folder / "keys.json").as_uri(), "good.MOV", "x" * 5000 + ".mov"]
    clips = [
        otio.schema.Clip(f"c{number}", otio.schema.ExternalReference(url), build.range(0, 9))
        for number, url in enumerate(urls)
    ]
    keys = otio.schema.ImageSequenceReference("", "keys", ".json", 1, 1, 24.0, 0)
    (build.folder / "keys7.json").write_text("secret")
    clips.append(otio.schema.Clip("k", keys, build.range(0, 4)))
    package = write_otioz(
        build.write(build.timeline(build.track("V1", *clips))), output=build.folder / "cut.otioz"
    )
    assert [name for name, _ in package.files] == ["media/good.MOV"]
    assert package.refused == (urls[0], urls[1])
    assert package.missing == (urls[3], "keys")
    with zipfile.ZipFile(package.path) as file:
        assert file.namelist() == ["version.txt", "content.otio", "media/good.MOV"]


def test_a_source_that_cannot_be_read_is_named(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.open

    def broken(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == "a#b.mov":
            raise OSError(5, os.strerror(5))
        return real(path, *arguments, **options)

    source = source_with_clashes(build)
    monkeypatch.setattr(Path, "open", broken)
    with pytest.raises(UndecodableMedia, match=r"a#b\.mov could not be read"):
        write_otioz(source, output=build.folder / "out" / "cut.otioz")
    assert list((build.folder / "out").iterdir()) == []


def test_a_small_package_that_would_fill_the_disk_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "bomb.otioz"
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("content.otio", "{}")
        file.writestr("media/zeros.mov", bytes(1 << 20))
    monkeypatch.setattr("plugin.timeline.packages._HARMLESS", 1000)
    with pytest.raises(UnreadableTimeline, match="unpacks to"):
        unpack_otioz(package, folder=tmp_path / "in" / "unpacked")
    assert list((tmp_path / "in").iterdir()) == []


def test_a_killed_run_leaves_nothing_in_sight(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is not whole lies in the work folder; an hour later the next run clears it away."""
    out, seen = build.folder / "out", []
    (out / ".sagafoley").mkdir(parents=True)
    monkeypatch.setattr(os, "fsync", lambda _: seen.append(visible(out)))
    package = write_otioz(source_with_clashes(build), output=out / "cut.otioz")
    unpack_otioz(package.path, folder=out / "unpacked")
    assert seen[0] == []
    assert visible(out) == ["cut.otioz", "unpacked"]
    for name in ("cut.otioz.99999999.part", "unpacked.99999999.part"):
        left = out / ".sagafoley" / name
        left.mkdir()
        os.utime(left, (0, 0))
    write_otioz(build.folder / "cut.otio", output=out / "cut.otioz")
    assert [path.name for path in (out / ".sagafoley").iterdir()] == ["unpacked.99999999.part"]


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
