"""Pictures: contact at the events, masks that tell who is in front, styles that differ."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from exporter.synth.chance import stream
from exporter.synth.drawing import Placement, layers_of, paint
from exporter.synth.generating import generate
from exporter.synth.makers import CLASS_NAMES, MAKERS
from exporter.synth.makers.bouncing import GROUND, bouncing
from exporter.synth.makers.maker import Shot
from exporter.synth.makers.silent import MOVERS
from exporter.synth.makers.tools import Reach, ToolName, tool
from exporter.synth.motion import Key, flights, keyed, lift, ringing, swing, tone_path
from exporter.synth.palettes import draw_paints
from exporter.synth.rhythm import Span
from exporter.synth.scores import Event, Score, silence
from exporter.synth.settings import SceneSettings
from exporter.synth.shapes import Part, at, bar, box, disc, solid, turned
from exporter.synth.styles import STYLE_NAMES, Style, draw_style

FIVE = Span(0.0, 5.12, 5.12)
FRAMES = (np.arange(128) + 0.5) / 25


def shot_of(
    name: str, times: np.ndarray, *, seed: int = 1, variant: int = 0, score: Score | None = None
) -> Shot:
    maker = MAKERS[name]
    played = score or maker.compose(stream(seed, 1), FIVE)
    return Shot(
        stream(seed, 2), variant, played, times, draw_paints(stream(seed, 3), maker.materials), foreign=True
    )


def test_every_look_draws_finite_parts_for_every_frame_with_and_without_events() -> None:
    for name, maker in MAKERS.items():
        for variant in range(maker.variants):
            for score in (maker.compose(stream(5), FIVE), silence(5.12)):
                figure = maker.look(shot_of(name, FRAMES, variant=variant, score=score))
                assert len(figure) >= 1, name
                for part in figure:
                    assert part.points.shape[0] in {1, len(FRAMES)}, name
                    assert np.isfinite(part.points).all(), name
                    assert np.abs(part.points).max() < 8, name


def test_every_sounding_look_moves_and_every_mover_too() -> None:
    for name in (*CLASS_NAMES, "silent"):
        for variant in range(MAKERS[name].variants):
            figure = MAKERS[name].look(shot_of(name, FRAMES, variant=variant))
            reach = max(np.ptp(part.points, axis=0).max() for part in figure)
            assert reach > 0.1, (name, variant)
    assert MAKERS["silent"].variants == len(MOVERS)


@pytest.mark.parametrize("name", ["hammer", "mallet", "stick", "spoon", "fist"])
@pytest.mark.parametrize("side", [False, True])
def test_tools_touch_at_the_events_and_are_away_before(name: ToolName, side: bool) -> None:
    score = Score(5.12, (Event(1.0, 0.4), Event(1.3, 1.0), Event(3.0, 0.7)))
    contact = at(np.full(6, 0.2), -0.3)
    shot = shot_of("anvil", np.concatenate([score.times, score.times - 0.1]), score=score)
    distances = _distances(tool(shot, Reach(contact, side=side), name)[-1], contact)
    assert np.all(np.abs(distances[:3]) < 0.04)
    assert np.all(distances[3:] < -0.05)


def _distances(part: Part, points: np.ndarray) -> np.ndarray:
    """Signed distance of each frame's point to the part's edge; below 0 outside."""
    return np.array(
        [
            cv2.pointPolygonTest((1000 * corners).astype(np.float32), tuple(map(float, 1000 * point)), True)
            / 1000
            for corners, point in zip(part.points, points, strict=True)
        ]
    )


def test_a_tool_that_misses_never_touches() -> None:
    score = Score(5.12, (Event(1.0, 1.0),))
    contact = at(np.zeros(len(FRAMES)), 0.0)
    parts = tool(shot_of("anvil", FRAMES, score=score), Reach(contact, miss=0.4), "hammer")
    assert _distances(parts[-1], contact).max() < -0.1


def test_a_ball_lies_on_the_ground_at_its_events_only() -> None:
    score = MAKERS["rubber_ball"].compose(stream(2), FIVE)
    between = (score.times[1:] + score.times[:-1]) / 2
    for times, low, high in ((score.times, -1e-6, 1e-6), (between, 0.03, 3.0)):
        ball = bouncing(shot_of("rubber_ball", times, score=score), radius=0.4, longest=1.0, soft=0.0)
        gap = GROUND - ball.disc()[:, :, 1].max(axis=1)
        assert np.all((gap >= low) & (gap < high))


def test_feet_are_down_at_their_steps() -> None:
    score = MAKERS["footsteps"].compose(stream(8), FIVE)
    shoes = MAKERS["footsteps"].look(shot_of("footsteps", score.times, score=score))
    lowest = np.max([part.points[:, :, 1].max(axis=1) for part in shoes], axis=0)
    assert np.ptp(lowest) < 0.03


def test_hands_meet_at_a_clap() -> None:
    score = MAKERS["clap"].compose(stream(8), FIVE)
    palms = [p.points[:, :, 0] for p in MAKERS["clap"].look(shot_of("clap", score.times, score=score))]
    apart = [p.points[:, :, 0] for p in MAKERS["clap"].look(shot_of("clap", score.times - 0.09, score=score))]
    assert (
        np.ptp(np.concatenate(palms, axis=1), axis=1).max()
        < np.ptp(np.concatenate(apart, axis=1), axis=1).min()
    )


def test_a_pendulum_turns_round_at_its_events() -> None:
    score = MAKERS["clock"].compose(stream(3), FIVE)
    angle = swing(score.times, score, softest=1.0)
    assert np.allclose(np.abs(angle), 1)
    assert np.all(angle[1:] * angle[:-1] < 0)
    assert np.abs(swing((score.times[1:] + score.times[:-1]) / 2, score, softest=1.0)).max() < 0.1


def test_a_pendulum_swings_further_for_a_louder_sound() -> None:
    score = Score(5.0, (Event(1.0, 0.25), Event(1.5, 1.0), Event(2.0, 0.5)))
    assert swing(score.times, score) == pytest.approx([-0.55, 1.0, -0.7])
    assert swing(score.times, score, softest=0.0) == pytest.approx([-0.25, 1.0, -0.5])


def test_the_ball_is_lowest_in_the_frame_of_its_event() -> None:
    wanted = SceneSettings(
        size=128, objects=(1, 1), classes=("rubber_ball",), silent_object=0, decoy=0, occluder=0, passing=0,
        shake=0, held=0, squeezed=0, idle=0, foreign_tool=1, styles=("flat",),
    )  # fmt: skip
    checked = 0
    for seed in range(4):
        scene = generate(seed, wanted)
        rows = scene.ids.any(axis=2)
        bottom = np.array([np.flatnonzero(row).max() if row.any() else -1 for row in rows])
        for event in scene.objects[0].score.events[:-1]:
            frame = int(event.time * 25)
            near = bottom[max(0, frame - 4) : frame + 5]
            assert bottom[max(0, frame - 1) : frame + 2].max() == near.max()
            checked += 1
    assert checked > 12


def test_lift_is_zero_at_events_and_twice_as_high_for_loud_ones_before_and_after() -> None:
    score = Score(5.0, (Event(1.0, 0.2), Event(2.5, 1.0)))
    assert np.allclose(lift(score.times, score), 0)
    for moment in (-0.13, 0.14):
        soft, loud = lift(score.times + moment, score)
        assert loud > 2 * soft > 0.5


def test_quick_blows_are_lifted_higher_for_louder_sounds_too() -> None:
    score = Score(5.0, (Event(1.0, 1.0), Event(1.3, 0.2), Event(1.6, 1.0)))
    soft, loud = lift(np.array([1.15, 1.45]), score)
    assert loud > 2 * soft > 0.5
    assert lift(np.array([4.5]), score, rest=0.6)[0] == pytest.approx(0.6)


def test_keyed_curves_pass_through_their_keys() -> None:
    keys = [Key(0, 1.0), Key(1, 3.0, "speeding"), Key(2, 2.0, "slowing")]
    assert keyed(np.array([-1.0, 0, 0.5, 1, 1.5, 2, 9]), keys) == pytest.approx([1, 1, 1.5, 3, 2.25, 2, 2])


def test_flights_touch_the_ground_at_the_contacts() -> None:
    score = Score(5.0, (Event(1.0, 1.0), Event(1.8, 0.5)))
    assert np.allclose(flights(score.times, score, first=0.8, last=0.6), 0)
    assert flights(np.array([1.4]), score, first=0.8, last=0.6)[0] == pytest.approx(0.16)
    assert flights(np.array([4.0]), score, first=0.8, last=0.6)[0] == 0


def test_ringing_starts_at_the_event_and_dies() -> None:
    score = Score(3.0, (Event(1.0, 0.5),))
    values = ringing(np.linspace(0, 3, 301), score, rate=5, decay=0.2)
    assert not values[:100].any()
    assert np.abs(values[101:130]).max() > 0.3
    assert np.abs(values[250:]).max() < 0.01


def test_a_hand_is_at_the_note_in_time() -> None:
    score = Score(4.0, (Event(1.0, 1, 3), Event(1.2, 1, 0), Event(3.0, 1, 5)))
    assert tone_path(score.times, score) == pytest.approx([3, 0, 5])


def test_the_nearer_object_hides_the_farther_in_picture_and_ids() -> None:
    placement = Placement(np.full((1, 2), 32.0), np.full(1, 20.0))
    far = layers_of((Part(box((0, 0), 2, 2), (200, 0, 0)),), placement, Style("flat"), identity=1)
    near = layers_of((Part(disc((0, 0), 0.5), (0, 200, 0)),), placement, Style("flat"), identity=2)
    post = layers_of(
        (Part(box((0, 0), 0.2, 2), (0, 0, 200), foreign=True),), placement, Style("flat"), identity=3
    )
    frame, ids = np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64), np.uint8)
    paint(frame, ids, (*far, *near, *post), 0)
    assert (ids[32, 32], ids[32, 38], ids[15, 15], ids[2, 2]) == (0, 2, 1, 0)
    assert tuple(frame[32, 38]) == (0, 200, 0)
    assert tuple(frame[32, 32]) == (0, 0, 200)
    assert (ids == 1).sum() + (ids == 2).sum() + (ids == 0).sum() == 64 * 64


def test_invisible_parts_are_not_painted() -> None:
    placement = Placement(np.full((2, 2), 16.0), np.full(2, 10.0))
    part = Part(box((0, 0), 1, 1), (9, 9, 9), visible=np.array([False, True]))
    layers = layers_of((part,), placement, Style("flat"), identity=1)
    for index, seen in ((0, False), (1, True)):
        ids = np.zeros((32, 32), np.uint8)
        paint(np.zeros((32, 32, 3), np.uint8), ids, layers, index)
        assert ids.any() == seen


def test_placement_scales_stretches_mirrors_and_leans() -> None:
    place = Placement(at(10.0, 20.0), np.array([4.0]), stretch=-0.5, lean=0.0)
    assert place.pixels(np.array([[[1.0, 2.0]]]))[0, 0] == pytest.approx([8.0, 28.0])
    leaning = Placement(at(0.0, 0.0), np.array([1.0]), lean=np.pi / 2)
    assert leaning.pixels(np.array([[[1.0, 0.0]]]))[0, 0] == pytest.approx([0.0, 1.0])


@pytest.mark.parametrize("name", STYLE_NAMES)
def test_styles_draw_differently_but_mask_alike(name: str) -> None:
    placement = Placement(np.full((1, 2), 32.0), np.full(1, 24.0))
    figure = (Part(disc((0, 0), 1), (180, 120, 60)), Part(box((0, 0), 1, 0.4), (30, 60, 90)))
    pictures = []
    for style in (Style("flat"), draw_style(stream(1), name, size=64)):  # type: ignore[arg-type]
        frame, ids = np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64), np.uint8)
        paint(frame, ids, layers_of(figure, placement, style, identity=1), 0)
        pictures.append((frame, (ids > 0).sum()))
    assert abs(int(pictures[0][1]) - int(pictures[1][1])) < 0.12 * pictures[0][1]
    if name not in {"flat", "textured"}:
        assert not np.array_equal(pictures[0][0], pictures[1][0])


def test_outlines_are_convex_and_posed() -> None:
    rod = bar(at([0.0, 1.0], 0.0), at([1.0, 1.0], [0.0, 1.0]), 0.1, 0.2)
    assert rod.shape == (2, 12, 2)
    assert all(cv2.isContourConvex((1000 * corners).astype(np.float32)) for corners in rod)
    assert turned((1.0, 0.0), np.pi / 2)[0] == pytest.approx([0.0, 1.0])
    assert solid([(1.0, 0.0)], (2.0, 3.0), angle=np.pi)[0, 0] == pytest.approx([1.0, 3.0])
    assert np.ptp(disc((0, 0), 2.0, 1.0)[0], axis=0) == pytest.approx([4.0, 2.0])
