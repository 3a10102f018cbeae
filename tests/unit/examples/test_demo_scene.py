"""The demo scene is what it says: events, cut, mattes, timecode."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from plugin.media.video import VideoReader, probe
from plugin.render.footage import ClipFootage
from plugin.timeline.reading import read_timeline
from plugin.timeline.spotting import find_spots


@pytest.fixture(scope="module")
def scene_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scene")


@pytest.fixture
def scene(scene_folder: Path, monkeypatch: pytest.MonkeyPatch):
    """The scene, drawn small and once."""
    import demo_scene

    monkeypatch.setattr(demo_scene, "WIDTH", 160)
    monkeypatch.setattr(demo_scene, "HEIGHT", 90)
    demo_scene._stage.cache_clear()
    if (scene_folder / "demo.otio").exists():
        mattes = {"anvil": scene_folder / "anvil_matte.mp4", "ball": scene_folder / "ball_matte"}
        movie = scene_folder / "scene.mp4"
        return demo_scene.DemoScene(scene_folder / "demo.otio", movie, mattes, demo_scene.known_events())
    made = demo_scene.make_scene(scene_folder)
    demo_scene._stage.cache_clear()
    return made


def spots(scene):
    return find_spots(read_timeline(scene.timeline), folder=scene.timeline.parent)


def test_two_disabled_mask_tracks_give_three_spots(scene) -> None:
    found = spots(scene)
    assert found.problems == ()
    assert (found.rate, found.record.start) == (24, 3600)
    shown = [
        (spot.label, float(spot.record.start - 3600), float(spot.record.end - 3600)) for spot in found.spots
    ]
    assert shown == [("anvil", 0, 4), ("ball", 0.75, 3.75), ("anvil", 4, 7)]
    assert (found.spots[0].prompt, found.spots[0].negative_prompt) == ("anvil", "")


def test_the_movie_states_its_timecode_and_length(scene) -> None:
    info = probe(spots(scene).spots[0].picture.media)
    assert info.start_timecode == 3600
    assert info.duration == Fraction(216, 24)


def test_events_are_where_the_picture_shows_them(scene) -> None:
    """A strike flashes; the ball is lowest when it bounces."""
    with VideoReader.open(spots(scene).spots[0].picture.media) as reader:
        import demo_scene

        frames = demo_scene.record_frames()
        times = [Fraction(frame, 24) for frame in frames]
        glow = [
            float(np.sort(picture[..., 0], axis=None)[-60:].mean()) for picture in reader.frames_at(times)
        ]
    for event in scene.events["anvil"]:
        frame = int((event - 3600) * 24)
        assert glow[frame] > glow[frame - 1] + 20
        assert glow[frame] == max(glow[frame - 3 : frame + 4])
    heights = []
    for path in sorted(scene.mattes["ball"].glob("*.png")):
        with av.open(str(path)) as image:
            matte = next(image.decode(video=0)).to_ndarray(format="gray")
        heights.append(np.flatnonzero(matte.max(axis=1) > 127).max())
    for event in scene.events["ball"]:
        index = int((event - 3600) * 24) - 18
        assert heights[index] == max(heights[max(0, index - 3) : index + 4])


def test_the_footage_of_every_spot_has_a_mask_that_moves(scene) -> None:
    for spot in spots(scene).spots:
        with ClipFootage.open(spot) as footage:
            masks = [mask > 127 for mask in footage.masks([0.0, 0.25, 0.5])]
            assert all(mask.any() for mask in masks)
            assert (masks[0] != masks[1]).any() or (masks[1] != masks[2]).any()
