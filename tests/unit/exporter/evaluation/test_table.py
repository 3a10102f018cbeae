"""Rows become figures, figures become a page; misses are bold, what was not measured says so."""

from dataclasses import replace

import numpy as np
import pytest

from exporter.evaluation import table
from exporter.evaluation.cases import (
    CONTRADICTED,
    FULL_WORDLESS,
    NEGATED,
    NULL,
    ORACLE,
    OWN,
    TRUE,
    VOCODED,
    WORDLESS,
)
from exporter.evaluation.learned import AvBenchmark, ExamFolder, Learned
from exporter.evaluation.matching import Counts, Hits
from exporter.evaluation.report import Report
from exporter.evaluation.scoring import Row

FRAMES = 200
COURSES = {0: 20, 1: 120}
"""Where each thing is loud."""


def course(thing):
    values = np.full(FRAMES, -900)
    values[COURSES[thing] : COURSES[thing] + 30] = -200
    return tuple(values.tolist())


def row(condition, scene=1, thing=0, **changes):
    plain = Row(
        condition=condition,
        scene=scene,
        things=(thing,),
        kind="impact",
        name="drum",
        named="drum",
        heard="drum",
        counts=Counts(4, 4, (0.01, -0.02, 0.03, 0.0)),
        hits=Hits(4, 1),
        energy=20.0,
        likeness=0.5,
        level=-20.0,
        lead=-60.0,
        gain=0.7,
        course=course(thing),
    )
    return replace(plain, **changes)


def test_onset_share_is_relative_to_the_detector_on_the_truth():
    scenes = [(row(OWN, counts=Counts(4, 4, (0.0, 0.0))), row(TRUE, counts=Counts(4, 4, (0.0,) * 3)))]
    assert table.onset_f1(scenes, OWN) == 0.5
    assert table.onset_share(scenes, OWN) == pytest.approx(0.5 / 0.75)
    assert table.onset_share(scenes, TRUE) == 1
    assert np.isnan(table.onset_share(scenes, WORDLESS))


def test_timing_is_of_absolute_errors_in_milliseconds():
    scenes = [(row(OWN),)]
    assert table.timing(50, scenes, OWN) == pytest.approx(15)
    assert table.timing(100, scenes, OWN) == pytest.approx(30)


def test_false_hits_are_pooled():
    scenes = [(row(OWN),), (row(OWN, scene=2, hits=Hits(12, 0)),)]
    assert table.false_hit_rate(scenes, OWN) == pytest.approx(1 / 16)
    assert np.isnan(table.false_hit_rate([(row(OWN, hits=Hits()),)], OWN))


def test_swap_success_sees_the_wrong_object():
    right = (row(OWN), row(OWN, thing=1), row(TRUE), row(TRUE, thing=1))
    same = (row(OWN), row(OWN, thing=1, course=course(0)), row(TRUE), row(TRUE, thing=1))
    assert table.swap_success([right], OWN) == 1
    assert table.swap_success([right, same], OWN) == 0.5


def test_classes_and_words():
    scenes = [(row(OWN), row(OWN, thing=1, heard="bell"), row(CONTRADICTED, named="bell", heard="bell"))]
    assert table.named_right(scenes, OWN) == 0.5
    assert table.follows_words(scenes, CONTRADICTED) == 1
    assert table.is_suppressed([(row(NEGATED),)], NEGATED) == 0
    assert table.is_suppressed([(row(NEGATED, heard="bell"),)], NEGATED) == 1


def test_levels():
    scenes = [(row(OWN), row(NULL, level=-75.0))]
    assert table.null_level(scenes, NULL) == -55
    assert table.lead_level(scenes, OWN) == -60
    assert table.level_follows(scenes, OWN) == 0.7
    assert table.energy_ratio(scenes, OWN) == 20


def test_continuous_classes_alone_are_compared_by_envelope():
    scenes = [(row(OWN, likeness=0.1), row(OWN, thing=1, kind="continuous", likeness=0.8))]
    assert table.envelope_likeness(scenes, OWN) == 0.8


def test_the_worst_class_counts():
    scenes = [
        (row(ORACLE, bins=2.0), row(ORACLE, thing=1, bins=4.0), row(ORACLE, thing=1, name="bell", bins=3.5))
    ]
    assert table.bins_by_class(scenes, ORACLE) == {"drum": 3.0, "bell": 3.5}
    assert table.worst_bins(scenes, ORACLE) == 3.5


def test_wear_is_relative_to_the_same_objects_without():
    scenes = [
        (
            row(OWN),
            row(OWN, scene=1, thing=1, counts=Counts(9, 1)),
            row("dilated", counts=Counts(4, 4, (0.0, 0.0))),
        )
    ]
    assert table.worn_share(scenes, "dilated") == 0.5


def test_blends_are_measured_against_the_true_blend():
    blend = {"things": (0, 1), "kind": "blend", "name": ""}
    scenes = [
        (
            row(FULL_WORDLESS, **blend, counts=Counts(4, 4, (0.0,))),
            row(TRUE, **blend, counts=Counts(4, 4, (0.0,) * 2)),
        )
    ]
    scenes = [tuple(replace(one, things=(0, 1), kind="blend", name="") for one in rows) for rows in scenes]
    assert table.union_share(scenes, FULL_WORDLESS) == 0.5
    assert np.isnan(table.named_right(scenes, FULL_WORDLESS)), "a blend has no class"


def test_every_line_is_on_the_page_and_misses_are_bold():
    scenes = [
        (
            row(OWN),
            row(OWN, thing=1),
            row(TRUE),
            row(TRUE, thing=1),
            row(VOCODED, bins=1.5),
            row(NULL, level=-70.0),
        )
    ] * 3
    page = Report(scenes=scenes, opening="# Title", facts={"Bundle": "x"}).markdown()
    for line in (*table.MAIN, *(one for one, _ in (*table.SINGLE, *table.WEAR))):
        assert f"| {line.name} |" in page
    assert "| distractor false-hit rate | 0.04 | 0.015 | **0.250 (0.250 to 0.250)** |" in page
    assert "decoder on true mel, worst class | 4 dB | 2 dB | 1.5 (1.5 to 1.5) dB |" in page
    assert "| loud-bin mel error, VAE oracle, worst class | 5 dB | 3 dB | **not measured** |" in page
    assert "| null mask, level relative to the right one | -40 dB | -60 dB | -50.0" in page


EXTRACT = """
import sys
from pathlib import Path
options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
names = sorted(one.stem for one in Path(options["--video_path"]).glob("*.mp4"))
Path(options["--gt_cache"]).mkdir()
Path(options["--gt_cache"], "seen").write_text(" ".join(names))
"""
EVALUATE = """
import json, sys
from pathlib import Path
options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
made, true = Path(options["--pred_audio"]), Path(options["--gt_audio"])
assert made != true
assert options["--audio_length"] == "0.5"
assert (true / "cache" / "seen").read_text() == "a"
assert [one.name for one in made.glob("*.wav")] == [one.name for one in true.glob("*.wav")] == ["a.wav"]
cache = Path(options["--pred_cache"])
cache.mkdir()
(cache / "output_metrics.json").write_text(json.dumps({"FD-VGG": 1.25, "DeSync": 0.5, "other": 9}))
"""


@pytest.fixture
def exam(tmp_path) -> ExamFolder:
    folder = ExamFolder(tmp_path / "learned", 0.5)
    for true in (True, False):
        folder.keep_sound("a", np.zeros(100, np.float32), rate=48000, true=true)
    folder.keep_picture("a", np.zeros((2, 16, 16, 3), np.uint8), fps=25)
    return folder


def test_learned_metrics_are_never_made_up(tmp_path, monkeypatch, exam):
    monkeypatch.delenv("AV_BENCHMARK", raising=False)
    nowhere = AvBenchmark.find().measure(exam.exam)
    assert nowhere.values == {}
    assert "not installed" in nowhere.reason
    assert "not measured" in Report(scenes=[], opening="", learned=nowhere).markdown()
    assert "no evaluate.py" in AvBenchmark(tmp_path).measure(exam.exam).reason


def test_a_failing_tool_is_told(tmp_path, exam):
    (tmp_path / "extract_video.py").write_text("raise SystemExit('no GPU')")
    (tmp_path / "evaluate.py").write_text("")
    assert AvBenchmark(tmp_path).measure(exam.exam) == Learned({}, "extract_video.py failed: no GPU")
    (tmp_path / "extract_video.py").write_text("")
    assert "output_metrics.json cannot be read" in AvBenchmark(tmp_path).measure(exam.exam).reason


def test_what_a_tool_measured_is_told(tmp_path, monkeypatch, exam):
    (tmp_path / "extract_video.py").write_text(EXTRACT)
    (tmp_path / "evaluate.py").write_text(EVALUATE)
    monkeypatch.setenv("AV_BENCHMARK", str(tmp_path))
    found = AvBenchmark.find().measure(exam.exam)
    assert found == Learned({"FAD": 1.25, "DeSync": 0.5})
    assert "* FAD: 1.250" in Report(scenes=[], opening="", learned=found).markdown()
