"""The runner: takes made, kept, failed, cancelled; every stem exact in length, place and level."""

import errno
import hashlib
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from wavinfo import WavInfoReader

from plugin.cues import CueSheet
from plugin.engine.watch import Watch
from plugin.errors import Cancelled, EngineError, MediaMissing, OutOfMemory, OutputError, UnexpectedOutput
from plugin.media.bwf_reading import read_broadcast_wave
from plugin.media.loudness import TruePeakMeter
from plugin.render.events import (
    CueFailed,
    CueStarted,
    CueWarning,
    RenderEvent,
    SheetFinished,
    SheetStarted,
    StageProgress,
    TakeKept,
    TakeWritten,
)
from plugin.render.relay import Teller, relay
from plugin.render.runner import render_with
from plugin.render.stemfolder import StemFolder
from plugin.render.takes import read_take
from plugin.render.workshop import Workshop
from plugin.timebase import TimeSpan, sample_position, span_samples
from tests.made_cues import FACTS, MadeSynthesis, cue, open_made, sheet

VERSIONS = (("sagafoley", "0"),)


def shop(synthesis: MadeSynthesis | None = None, **changes: Any) -> Workshop:
    made = Workshop(FACTS, open_made, synthesis or MadeSynthesis(), VERSIONS)
    return replace(made, **changes)


def run(
    cues: CueSheet, folder: Path, synthesis: MadeSynthesis | None = None, **options: Any
) -> list[RenderEvent]:
    return list(render_with(shop(synthesis), cues, folder=folder, **options))


def of_kind(events: list[RenderEvent], kind: type) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in (folder / ".sagafoley").iterdir() if ".part" in path.name]


def journal(folder: Path) -> list[str]:
    return [line["what"] for line in StemFolder.open(folder).journal.read()]


def state(folder: Path) -> dict[str, tuple[int, int, str]]:
    return {
        path.name: (
            path.stat().st_ino,
            path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in folder.iterdir()
        if path.is_file()
    }


def test_two_cues_from_start_to_finish(tmp_path: Path) -> None:
    events = run(sheet(cue(1), cue(2, "trumpet", takes=2)), tmp_path)
    assert events[0] == SheetStarted(2, 3, tmp_path)
    assert of_kind(events, CueStarted) == [
        CueStarted("001", "violin", 1, 2, 1),
        CueStarted("002", "trumpet", 2, 2, 2),
    ]
    written = of_kind(events, TakeWritten)
    assert [event.path.name for event in written] == [
        "Film_001_violin_t01.wav",
        "Film_002_trumpet_t01.wav",
        "Film_002_trumpet_t02.wav",
    ]
    assert [event.take.cue.seed for event in written] == [5, 5, 6]
    assert events[-1] == SheetFinished(written=3, kept=0, failed=0)
    assert [event.done for event in of_kind(events, StageProgress)] == [1, 2, 3, 4] * 3
    assert {event.take for event in of_kind(events, StageProgress) if event.cue_id == "002"} == {1, 2}
    assert leftovers(tmp_path) == []
    assert journal(tmp_path) == ["run started", *["take started", "take written"] * 3, "run finished"]
    for event in written:
        assert read_take(event.path.with_suffix(".json")) == event.take
        assert hashlib.sha256(event.path.read_bytes()).hexdigest() == event.take.audio.sha256


RATES = [
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(30),
    Fraction(50),
    Fraction(60000, 1001),
    Fraction(60),
]


@pytest.mark.parametrize("rate", RATES)
def test_every_piece_is_exact_in_length_and_place_and_pieces_tile(tmp_path: Path, rate: Fraction) -> None:
    start = Fraction(86_411) / rate
    cuts = [start + Fraction(n) / rate for n in (0, 7, 8, 31)]
    cues = [
        replace(cue(n), spot=replace(cue(n).spot, record=TimeSpan(*span)))
        for n, span in enumerate(itertools.pairwise(cuts), 1)
    ]
    written = of_kind(run(replace(sheet(*cues), rate=rate, drop_frame=False), tmp_path), TakeWritten)
    position = sample_position(start)
    for event, made in zip(written, cues, strict=True):
        wave = read_broadcast_wave(event.path)
        assert wave.frames == span_samples(made.spot.record) == event.take.audio.samples
        assert wave.time_reference == position
        assert (wave.sample_rate, wave.bits, wave.channels) == (48000, 24, 1)
        position += wave.frames
    assert position == sample_position(cuts[-1])


@pytest.mark.parametrize("scale", [0.1, 0.5, 1.0, 4.0])
def test_the_true_peak_stays_at_or_under_minus_one(tmp_path: Path, scale: float) -> None:
    event = of_kind(run(sheet(cue(1)), tmp_path, MadeSynthesis(scale=scale)), TakeWritten)[0]
    audio = event.take.audio
    samples, _ = soundfile.read(event.path, dtype="float32")
    meter = TruePeakMeter()
    meter.add(samples)
    true_peak = 20 * np.log10(meter.peak)
    assert true_peak <= -1.0
    assert audio.true_peak_dbtp is not None
    assert true_peak - 0.1 <= audio.true_peak_dbtp <= true_peak + 0.6  # the meter says no less than others
    assert audio.sample_peak_dbfs == pytest.approx(20 * np.log10(np.abs(samples).max()), abs=0.01)
    assert (audio.gain_db < 0) == (scale > 0.8)
    assert read_broadcast_wave(event.path).loudness.true_peak == pytest.approx(
        audio.true_peak_dbtp, abs=0.006
    )


def test_silence_has_no_peak_and_no_loudness(tmp_path: Path) -> None:
    event = of_kind(run(sheet(cue(1)), tmp_path, MadeSynthesis(scale=0.0)), TakeWritten)[0]
    audio = event.take.audio
    assert (audio.gain_db, audio.sample_peak_dbfs, audio.true_peak_dbtp, audio.loudness_lufs) == (
        0.0,
        None,
        None,
        None,
    )


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    cues = sheet(cue(1), cue(2))
    first, second = tmp_path / "a", tmp_path / "b"
    run(cues, first)
    run(cues, second)
    waves = [name for name in names(first) if name.endswith(".wav")]
    assert len(waves) == 2
    for name in waves:
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_a_second_run_repeats_nothing(tmp_path: Path) -> None:
    cues = sheet(cue(1), cue(2, takes=2))
    run(cues, tmp_path)
    before, synthesis = state(tmp_path), MadeSynthesis()
    events = run(cues, tmp_path, synthesis)
    assert synthesis.calls == []
    assert len(of_kind(events, TakeKept)) == 3
    assert events[-1] == SheetFinished(written=0, kept=3, failed=0)
    assert state(tmp_path) == before


def test_another_prompt_or_seed_makes_a_new_take_and_keeps_the_old(tmp_path: Path) -> None:
    run(sheet(cue(1)), tmp_path)
    before = state(tmp_path)
    run(sheet(cue(1, prompt="violin, pizzicato")), tmp_path)
    run(sheet(cue(1, seed=77)), tmp_path)
    events = run(sheet(cue(1)), tmp_path)
    assert [event.take.name for event in of_kind(events, TakeKept)] == ["Film_001_violin_t01"]
    assert [name for name in names(tmp_path) if name.endswith(".wav")] == [
        f"Film_001_violin_t0{n}.wav" for n in (1, 2, 3)
    ]
    assert before.items() <= state(tmp_path).items()


def test_more_takes_cost_only_the_new_ones(tmp_path: Path) -> None:
    run(sheet(cue(1)), tmp_path)
    synthesis = MadeSynthesis()
    events = run(sheet(cue(1, takes=3)), tmp_path, synthesis)
    assert synthesis.calls == [("violin", 6), ("violin", 7)]
    assert events[-1] == SheetFinished(written=2, kept=1, failed=0)


def test_cues_keep_their_takes_when_another_is_put_before_them(tmp_path: Path) -> None:
    run(sheet(cue(1, "violin"), cue(2, "violin")), tmp_path)
    first, second = (replace(c, spot=replace(c.spot, id=f"{n:03}")) for n, c in ((2, cue(1)), (3, cue(2))))
    synthesis = MadeSynthesis()
    events = run(sheet(cue(0, "drum", frames=5), first, second), tmp_path, synthesis)
    assert synthesis.calls == [("drum", 5)]
    kept = {event.cue_id: event.path.name for event in of_kind(events, TakeKept)}
    assert kept == {"002": "Film_001_violin_t01.wav", "003": "Film_002_violin_t01.wav"}


def test_two_cues_that_are_the_same_get_a_file_each(tmp_path: Path) -> None:
    one = cue(1)
    twin = replace(one, spot=replace(one.spot, id="002"))
    events = run(sheet(one, twin), tmp_path)
    assert [event.path.name for event in of_kind(events, TakeWritten)] == [
        "Film_001_violin_t01.wav",
        "Film_002_violin_t01.wav",
    ]
    again = run(sheet(one, twin), tmp_path)
    assert [event.path.name for event in of_kind(again, TakeKept)] == [
        "Film_001_violin_t01.wav",
        "Film_002_violin_t01.wav",
    ]


def test_a_damaged_take_is_left_and_made_again_under_a_new_name(tmp_path: Path) -> None:
    run(sheet(cue(1)), tmp_path)
    wav = tmp_path / "Film_001_violin_t01.wav"
    wav.write_bytes(wav.read_bytes()[:-1] + b"\x55")
    broken = wav.read_bytes()
    events = run(sheet(cue(1)), tmp_path)
    assert [event.path.name for event in of_kind(events, TakeWritten)] == ["Film_001_violin_t02.wav"]
    assert wav.read_bytes() == broken


def test_footage_that_cannot_be_told_apart_is_never_kept(tmp_path: Path) -> None:
    bare = replace(cue(1), spot=replace(cue(1).spot, picture=None))

    def nameless(spot: Any) -> Any:
        opened = open_made(spot)
        footage = opened.__enter__()
        footage.fingerprint = ""
        return _Given(footage)

    for _ in range(2):
        events = list(render_with(shop(open_footage=nameless), sheet(bare), folder=tmp_path))
        assert len(of_kind(events, TakeWritten)) == 1


class _Given:
    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __enter__(self) -> Any:
        return self.thing

    def __exit__(self, *_: object) -> None:
        pass


def failing(prompt: str, error: BaseException) -> MadeSynthesis:
    def fail(found: str, index: int) -> None:
        if found == prompt and index == 2:
            raise error

    return MadeSynthesis(before_piece=fail)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (EngineError("The engine fell over.", remedy="Try."), EngineError),
        (MediaMissing("a.mov is not there.", remedy="Relink."), MediaMissing),
        (MemoryError("big"), OutOfMemory),
        (ZeroDivisionError("oops"), EngineError),
        (OSError(errno.EIO, "I/O error"), EngineError),
    ],
)
def test_one_failed_cue_does_not_stop_the_sheet(tmp_path: Path, error: Exception, told: type) -> None:
    cues = sheet(cue(1), cue(2, "trumpet"), cue(3, "drum"))
    events = run(cues, tmp_path, failing("trumpet", error))
    (failure,) = of_kind(events, CueFailed)
    assert (failure.cue_id, failure.label, type(failure.error)) == ("002", "trumpet", told)
    assert failure.error.remedy.endswith(".")
    assert "Traceback" not in failure.error.message
    assert events[-1] == SheetFinished(written=2, kept=0, failed=1)
    assert leftovers(tmp_path) == []
    assert "cue failed" in journal(tmp_path)
    again = run(cues, tmp_path)
    assert again[-1] == SheetFinished(written=1, kept=2, failed=0)


@pytest.mark.parametrize("error", [OutputError("No.", remedy="Choose."), OSError(errno.ENOSPC, "full")])
def test_a_folder_that_refuses_stops_the_sheet(tmp_path: Path, error: Exception) -> None:
    synthesis = failing("trumpet", error)
    with pytest.raises(OutputError):
        run(sheet(cue(1), cue(2, "trumpet"), cue(3)), tmp_path, synthesis)
    assert [prompt for prompt, _ in synthesis.calls] == ["violin", "trumpet"]
    assert journal(tmp_path)[-1] == "run stopped"
    assert leftovers(tmp_path) == []


def test_sound_of_the_wrong_length_or_not_numbers_is_no_take(tmp_path: Path) -> None:
    def wrong(kind: str) -> Callable[..., Iterator[Any]]:
        def synthesise(_footage: Any, _brief: Any, *, samples: int, **_: Any) -> Iterator[Any]:
            sound = np.zeros(samples + {"short": -1, "long": 1, "nan": 0}[kind], np.float32)
            sound[3] = np.nan if kind == "nan" else 0.1
            yield sound

        return synthesise

    for kind in ("short", "long", "nan"):
        events = list(render_with(shop(wrong(kind)), sheet(cue(1)), folder=tmp_path))  # type: ignore[arg-type]
        assert isinstance(of_kind(events, CueFailed)[0].error, UnexpectedOutput)
    assert names(tmp_path) == []


def test_a_cue_without_length_fails_by_name(tmp_path: Path) -> None:
    empty = replace(cue(1), spot=replace(cue(1).spot, record=TimeSpan(Fraction(5), Fraction(5))))
    events = run(sheet(empty, cue(2)), tmp_path)
    assert "Cue 001 ('violin') has no length" in of_kind(events, CueFailed)[0].error.message
    assert len(of_kind(events, TakeWritten)) == 1


def test_cancel_clears_the_unfinished_take_and_keeps_the_rest(tmp_path: Path) -> None:
    asked = threading.Event()
    synthesis = failing("never", ValueError())
    synthesis.before_piece = lambda prompt, index: asked.set() if (prompt, index) == ("drum", 1) else None
    cues = sheet(cue(1), cue(2, "drum"), cue(3))
    events: list[RenderEvent] = []
    with pytest.raises(Cancelled):
        events.extend(render_with(shop(synthesis), cues, folder=tmp_path, cancel=asked.is_set))
    assert [event.cue_id for event in of_kind(events, TakeWritten)] == ["001"]
    assert leftovers(tmp_path) == []
    assert names(tmp_path) == ["Film_001_violin_t01.json", "Film_001_violin_t01.wav"]
    assert journal(tmp_path)[-1] == "run stopped"
    assert run(cues, tmp_path)[-1] == SheetFinished(written=2, kept=1, failed=0)


def test_a_render_that_nobody_reads_any_more_writes_nothing(tmp_path: Path) -> None:
    """Even when the work has nothing to tell that would show it."""
    gone = threading.Event()

    class Silent(MadeSynthesis):
        def __call__(self, *arguments: Any, watch: Watch, **options: Any) -> Iterator[Any]:
            gone.wait(5)
            yield from super().__call__(*arguments, watch=Watch(watch.cancel), **options)

    events = render_with(shop(Silent()), sheet(cue(1)), folder=tmp_path)
    assert isinstance(next(events), SheetStarted)
    assert isinstance(next(events), CueStarted)
    threading.Timer(0.2, gone.set).start()
    events.close()  # type: ignore[attr-defined]
    assert names(tmp_path) == []


def test_cancel_is_seen_between_takes_that_are_there(tmp_path: Path) -> None:
    cues = sheet(cue(1, takes=9))
    run(cues, tmp_path)
    events: list[RenderEvent] = []
    with pytest.raises(Cancelled):
        events.extend(
            render_with(shop(), cues, folder=tmp_path, cancel=lambda: bool(of_kind(events, TakeKept)))
        )
    assert len(of_kind(events, TakeKept)) <= 4


def test_a_cue_keeps_the_take_that_bears_its_own_name(tmp_path: Path) -> None:
    twins = (cue(1), replace(cue(1), spot=replace(cue(1).spot, id="002")))
    run(sheet(*twins), tmp_path)
    (kept,) = of_kind(run(sheet(twins[1]), tmp_path), TakeKept)
    assert kept.take.name == "Film_002_violin_t01"


def test_a_file_carries_its_own_reference(tmp_path: Path) -> None:
    (made,) = of_kind(run(sheet(cue(1)), tmp_path), TakeWritten)
    assert WavInfoReader(str(made.path)).bext.originator_ref == made.take.identity[:32]


def test_closing_the_iterator_stops_the_render(tmp_path: Path) -> None:
    synthesis = MadeSynthesis()
    events = render_with(shop(synthesis), sheet(*(cue(n) for n in range(1, 9))), folder=tmp_path)
    for event in events:
        if isinstance(event, StageProgress):
            break
    events.close()  # type: ignore[attr-defined]
    assert len(synthesis.calls) <= 2
    assert leftovers(tmp_path) == []
    assert not [thread for thread in threading.enumerate() if thread.name == "render"]


def test_nothing_happens_before_the_first_event_is_asked_for(tmp_path: Path) -> None:
    render_with(shop(), sheet(cue(1)), folder=tmp_path / "stems")
    assert not (tmp_path / "stems").exists()


def test_a_folder_that_cannot_be_written_stops_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="could not be written"):
        run(sheet(cue(1)), tmp_path / "file" / "stems")


def test_a_cue_that_another_run_renders_is_left_to_it(tmp_path: Path) -> None:
    with StemFolder.open(tmp_path).hold("Film_001_violin"):
        events = run(sheet(cue(1), cue(2)), tmp_path)
    assert "Another run is rendering Film_001_violin" in of_kind(events, CueFailed)[0].error.message
    assert [event.cue_id for event in of_kind(events, TakeWritten)] == ["002"]


def test_two_runs_at_once_share_the_work_and_lose_nothing(tmp_path: Path) -> None:
    cues = sheet(*(cue(n) for n in range(1, 13)))
    runs = [threading.Thread(target=run, args=(cues, tmp_path)) for _ in range(2)]
    for thread in runs:
        thread.start()
    for thread in runs:
        thread.join()
    synthesis = MadeSynthesis()
    events = run(cues, tmp_path, synthesis)
    assert events[-1] == SheetFinished(written=0, kept=12, failed=0)
    assert synthesis.calls == []
    assert len([name for name in names(tmp_path) if name.endswith(".wav")]) == 12


def test_takes_left_all_but_named_are_recovered_not_repeated(tmp_path: Path) -> None:
    cues = sheet(cue(1))
    run(cues, tmp_path)
    work = tmp_path / ".sagafoley"
    for kind in ("wav", "json"):
        name = f"Film_001_violin_t01.{kind}"
        (tmp_path / name).rename(work / f"{name}.part")
    synthesis = MadeSynthesis()
    events = run(cues, tmp_path, synthesis)
    assert synthesis.calls == []
    assert events[-1] == SheetFinished(written=0, kept=1, failed=0)
    assert "take recovered" in journal(tmp_path)


def test_what_footage_notices_is_told_once(tmp_path: Path) -> None:
    def noticing(spot: Any) -> Any:
        footage = open_made(spot).__enter__()
        footage.warnings = ("The matte is short.",)
        return _Given(footage)

    events = list(render_with(shop(open_footage=noticing), sheet(cue(1, takes=3)), folder=tmp_path))
    assert of_kind(events, CueWarning) == [CueWarning("001", "The matte is short.")]
    data = json.loads((tmp_path / "Film_001_violin_t02.json").read_bytes())
    assert data["warnings"] == ["The matte is short."]


def test_what_a_take_warns_of_is_told_and_kept_in_its_sidecar(tmp_path: Path) -> None:
    class Warner(MadeSynthesis):
        def __call__(self, *arguments: Any, watch: Watch, **options: Any) -> Iterator[Any]:
            watch.warn("Nothing is seen.")
            yield from super().__call__(*arguments, watch=watch, **options)

    warned = [CueWarning("001", "Nothing is seen.")]
    assert of_kind(run(sheet(cue(1, takes=2)), tmp_path, Warner()), CueWarning) == warned
    assert read_take(tmp_path / "Film_001_violin_t02.json").warnings == ("Nothing is seen.",)
    assert of_kind(run(sheet(cue(1, takes=2)), tmp_path), CueWarning) == warned


def test_relay_gives_everything_told_before_it_raises() -> None:
    def work(teller: Teller[int]) -> None:
        for number in range(5):
            teller.tell(number)
        raise KeyError("end")

    told: list[int] = []
    with pytest.raises(KeyError, match="end"):
        told.extend(relay(work, name="w"))
    assert told == [0, 1, 2, 3, 4]


def test_relay_keeps_the_pace_of_its_reader() -> None:
    begun: list[int] = []

    def work(teller: Teller[int]) -> None:
        for number in range(100):
            begun.append(number)
            teller.tell(number)

    numbers = relay(work, name="w")
    assert [next(numbers) for _ in range(3)] == [0, 1, 2]
    assert len(begun) <= 6
    numbers.close()  # type: ignore[attr-defined]
    assert len(begun) <= 7
