"""The configuration of a training run: one frozen tree, read from TOML and checked as a whole.

Every key has a default here, so a file states only what differs; an unknown key is a mistake, not a
comment. Fields become keys, dataclasses become tables.
"""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exporter.sizes import SIZES, Sizes
from exporter.training.tables import TableReader, WrongConfig

STAGES = ("sync", "motion", "towers", "vae", "vocoder", "features", "flow", "finetune")
"""In the order of training; each needs those before it that `docs/training.md` names."""

SCHEDULES = ("constant", "cosine", "steps")


@dataclass(frozen=True, slots=True)
class Optimisation:
    """How one stage walks downhill.

    Attributes:
        steps: updates of the whole stage.
        batch: samples of an update.
        rate: highest learning rate.
        betas, epsilon, weight_decay: of AdamW.
        warm_up: steps of linear rise.
        schedule: "cosine" falls to `floor * rate`; "steps" divides by ten at every milestone, counted
            from the end of the warm-up; "constant" stays.
        floor: share of the rate that a cosine ends with.
        milestones: for "steps".
        clip: largest gradient norm over all trained parameters together.
        ema: decay of the averaged weights; 0 keeps none.
    """

    steps: int = 1000
    batch: int = 16
    rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.98)
    epsilon: float = 1e-8
    weight_decay: float = 0.01
    warm_up: int = 50
    schedule: str = "cosine"
    floor: float = 0.05
    milestones: tuple[int, ...] = ()
    clip: float = 1.0
    ema: float = 0.0


@dataclass(frozen=True, slots=True)
class Running:
    """What does not change the result.

    Attributes:
        device: "auto" takes CUDA when there is one.
        precision: "auto" is bf16 autocast on CUDA, float32 elsewhere; or "fp32", "bf16".
        threads: of torch on the CPU.
        checkpoint_seconds: between checkpoints.
        log_every, check_every: steps between lines of the log, and between validations.
        plots: draw the curves at the end when matplotlib is there.
    """

    device: str = "auto"
    precision: str = "auto"
    threads: int = 1
    checkpoint_seconds: float = 120.0
    log_every: int = 10
    check_every: int = 200
    plots: bool = True


@dataclass(frozen=True, slots=True)
class Data:
    """Which scenes.

    Attributes:
        first_scene: index of the first scene a stage may draw; every stage adds its own offset, so that
            no stage sees features of scenes that an earlier one was trained on.
        check_scenes: held-out scenes of the validation.
        pool: scenes kept in memory and drawn from again and again.
        steps_per_scene: updates between two new scenes.
        classes: that sound in them; empty for all the generator has.
        objects: fewest and most marked objects.
        extent: smallest and largest half height of a figure, relative to the picture.
        folder: a data set on disk instead of the generator; needed by "finetune".
    """

    first_scene: int = 0
    check_scenes: int = 12
    pool: int = 160
    steps_per_scene: float = 3.0
    classes: tuple[str, ...] = ()
    objects: tuple[int, int] = (1, 4)
    extent: tuple[float, float] = (0.1, 0.32)
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Mattes:
    """How masks and pictures are worn down in training: a probability each.

    Attributes:
        edge: mask dilated or eroded.
        blur: soft edges.
        shift: misplaced.
        jitter: misplaced in every frame anew.
        late: mask a frame or two behind or ahead.
        hold: mask kept for some frames.
        static: one union mask, or its box, for the whole window.
        boxed: the box around the object in every frame.
        repeat: picture and mask held as in a source of 24, 30 or 12.5 frames per second.
        colour: hue, saturation, brightness, contrast and gamma changed.
        grey: picture without any colour.
        flip: left and right exchanged.
        ramp: share of a stage's steps over which all this grows from nothing: an encoder that meets worn
            mattes before it has found out what moves finds out nothing.
    """

    edge: float = 0.3
    blur: float = 0.2
    shift: float = 0.15
    jitter: float = 0.08
    late: float = 0.08
    hold: float = 0.15
    static: float = 0.15
    boxed: float = 0.06
    repeat: float = 0.2
    colour: float = 0.7
    grey: float = 0.1
    flip: float = 0.5
    ramp: float = 0.4

    def at(self, step: int, steps: int) -> Mattes:
        """The probabilities of one step."""
        return self.scaled(min(1.0, step / max(self.ramp * steps, 1.0)))

    def scaled(self, strength: float) -> Mattes:
        """All probabilities times that; flips stay as they are."""
        worn = {
            one.name: getattr(self, one.name) * strength
            for one in dataclasses.fields(self)
            if one.name not in {"flip", "ramp"}
        }
        return dataclasses.replace(self, **worn)


@dataclass(frozen=True, slots=True)
class SyncStage:
    """The sync encoder with context, supervised densely.

    Attributes:
        shrink: the network is trained on pictures this many times smaller than its canvas; the average
            is folded into its patch kernels afterwards.
        single_pass: share of the steps at the start without the context pass.
        gate: the context gates' first value.
        easy: share of the steps over which scenes grow from easy ones (large still objects of clear
            events, unworn) to what `data` asks for.
        onset, energy, label, motion, scale: weights of the losses.
        full, several, null: share of the scenes that give a sample of that mask beside their objects'.
        begin: folder of a stage that was trained before, to go on from its averages; "" to begin at nothing.
    """

    optimisation: Optimisation = Optimisation(steps=3000, batch=32, rate=1.5e-3, ema=0.995)
    shrink: int = 2
    single_pass: float = 0.6
    gate: float = 0.1
    easy: float = 0.5
    onset: float = 2.0
    energy: float = 4.0
    label: float = 0.3
    motion: float = 4.0
    scale: float = 0.05
    full: float = 0.2
    several: float = 0.14
    null: float = 0.06
    begin: str = ""


@dataclass(frozen=True, slots=True)
class MotionStage:
    """The motion path beside the sync encoder; `easy`, `full`, `several` and `null` as there.

    Attributes:
        pool, steps_per_scene: as in `data`, for a step is cheap here and a scene is not.
        begin: as in the sync stage.
        label: weight of the class beside the curves.
        placed: weight of onsets at their places in the picture.
    """

    optimisation: Optimisation = Optimisation(
        steps=6000, batch=24, rate=2e-3, weight_decay=0.02, ema=0.998, floor=0.03
    )
    pool: int = 500
    steps_per_scene: float = 6.0
    begin: str = ""
    easy: float = 0.0
    label: float = 0.3
    placed: float = 0.5
    full: float = 0.35
    several: float = 0.2
    null: float = 0.08


@dataclass(frozen=True, slots=True)
class TowersStage:
    """Image and text towers: what is seen, what a phrase means, and that these agree."""

    optimisation: Optimisation = Optimisation(steps=1500, batch=32, rate=1.5e-3, ema=0.99)
    seen: float = 1.0
    agree: float = 1.0
    meant: float = 0.5


@dataclass(frozen=True, slots=True)
class VaeStage:
    """Log-mel to latent and back.

    Attributes:
        frames: mel frames of a sample.
        loud: extra weight of a bin at the sample's maximum; falls linearly to none `depth` nepers below.
        square: weight of the squared difference beside the absolute one, whose median flattens what is rare.
        kl: weight of the divergence from a standard normal.
        statistics: sounds that the mel's mean and deviation are measured on.
    """

    optimisation: Optimisation = Optimisation(
        steps=4000, batch=16, rate=1e-2, weight_decay=0.0, warm_up=20, ema=0.995
    )
    frames: int = 160
    loud: float = 4.0
    depth: float = 6.0
    square: float = 0.5
    kl: float = 1e-4
    statistics: int = 64


@dataclass(frozen=True, slots=True)
class VocoderStage:
    """Log-mel to waveform, by a spectrum per frame.

    Attributes:
        frames: mel frames of a sample.
        magnitude, phase, mel, spectrum: weights of the losses on the spectrum's magnitude, on phase
            differences between neighbours, and on the waveform's mel and spectra.
        refinements: rounds inside the loss; the network's own number runs in the graph.
    """

    optimisation: Optimisation = Optimisation(
        steps=4000, batch=8, rate=1e-3, betas=(0.8, 0.98), warm_up=50, ema=0.995
    )
    frames: int = 48
    loud: float = 4.0
    depth: float = 6.0
    magnitude: float = 1.0
    phase: float = 0.3
    mel: float = 1.0
    spectrum: float = 0.3
    refinements: int = 0


@dataclass(frozen=True, slots=True)
class FeaturesStage:
    """What the flow network is trained on, computed once by the frozen encoders.

    Attributes:
        scenes: how many; `shard` of them share a file.
        per_object: samples of an object, each with its own matte.
        revoiced: share of the samples whose sound is another class's at the same times, said in words; such
            a sample stands beside the object's own and shares its pictures.
        voices: so many more re-voiced samples of every object that is marked alone, on top of that share.
        wear: how often mattes and pictures are worn down, as a share of `mattes`: what no picture shows any
            more teaches the flow network nothing.
        null_mask: share with an empty mask and silence.
        full_mask: share with a mask of the whole frame, and the mixture.
        several: share with the masks of several objects, and their blend.
    """

    scenes: int = 2000
    shard: int = 50
    per_object: int = 1
    revoiced: float = 0.28
    voices: int = 0
    wear: float = 0.5
    null_mask: float = 0.06
    full_mask: float = 0.1
    several: float = 0.08


@dataclass(frozen=True, slots=True)
class FlowStage:
    """The flow network.

    Attributes:
        drop_video: share whose clip and sync features are the null ones.
        drop_text: share without words; a re-voiced sample keeps its own.
        sync_noise: noise on sync features, in deviations.
        emphasis: how much more a channel of the latent counts that was larger before all were made equal:
            weights go with its deviation to that power.
        expect: steps at the start that train only what chooses from a bank of voices and places them, with
            batches twice as large.
        begin: as in the sync stage; a bank of voices may be new.
    """

    optimisation: Optimisation = Optimisation(
        steps=6000, batch=16, rate=1.5e-3, betas=(0.9, 0.95), warm_up=80, ema=0.998
    )
    drop_video: float = 0.1
    drop_text: float = 0.35
    sync_noise: float = 0.05
    emphasis: float = 0.5
    expect: int = 250
    begin: str = ""


@dataclass(frozen=True, slots=True)
class FinetuneStage:
    """The published way (spec section 10): a frozen base, and the few tensors that learn masks.

    Attributes:
        checkpoints: folder of the base model's weights.
        lora: train low-rank updates of the flow network too; "" for none, else the rank and alpha.
        segments: of a sample that are encoded with gradient; 0 for all.
    """

    optimisation: Optimisation = Optimisation(
        steps=70_000,
        batch=4,
        rate=1e-5,
        betas=(0.9, 0.95),
        epsilon=1e-6,
        weight_decay=1e-6,
        warm_up=2500,
        schedule="steps",
        milestones=(60_000, 65_000),
    )
    checkpoints: str = ""
    lora_rank: int = 16
    lora_alpha: float = 32.0
    drop_video: float = 0.1
    drop_text: float = 0.5


@dataclass(frozen=True, slots=True)
class Config:
    """Everything about a training run."""

    sizes: str = "tiny"
    seed: int = 14159265
    running: Running = Running()
    data: Data = Data()
    mattes: Mattes = Mattes()
    sync: SyncStage = SyncStage()
    motion: MotionStage = MotionStage()
    towers: TowersStage = TowersStage()
    vae: VaeStage = VaeStage()
    vocoder: VocoderStage = VocoderStage()
    features: FeaturesStage = FeaturesStage()
    flow: FlowStage = FlowStage()
    finetune: FinetuneStage = FinetuneStage()

    @property
    def model(self) -> Sizes:
        """The sizes by their name."""
        return SIZES[self.sizes]

    def optimisation(self, stage: str) -> Optimisation:
        """How a stage is optimised; `features` is not."""
        return getattr(self, stage).optimisation


def read_config(path: Path) -> Config:
    """The configuration in a TOML file.

    Raises:
        WrongConfig: naming the file and the key.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = f"The configuration {path} cannot be read ({error})."
        raise WrongConfig(message, remedy="Name a TOML file.") from None
    return make_config(content, name=str(path))


def make_config(content: Mapping[str, Any], *, name: str) -> Config:
    """The configuration that a parsed file states.

    Raises:
        WrongConfig: a key that is not known, or a value that is not allowed.
    """
    config: Config = TableReader(name).table(Config(), content, "")
    problems = tuple(_problems(config))
    if problems:
        raise WrongConfig(f"{name}: {problems[0]}.", remedy="Correct that key.", detail="\n".join(problems))
    return config


def described(config: Config) -> str:
    """The whole tree as JSON, keys in order; equal trees give equal text."""
    return json.dumps(dataclasses.asdict(config), indent=1, sort_keys=True)


_SHARES = (
    ("mattes", tuple(one.name for one in dataclasses.fields(Mattes))),
    ("features", ("revoiced", "wear", "null_mask", "full_mask", "several")),
    ("flow", ("drop_video", "drop_text", "emphasis")),
    ("finetune", ("drop_video", "drop_text")),
    ("sync", ("single_pass", "easy", "full", "several", "null")),
    ("motion", ("easy", "full", "several", "null")),
)


def _problems(config: Config) -> Any:
    """Every value that is of the right type and makes no sense, in words."""
    if config.sizes not in SIZES:
        yield f"sizes is {config.sizes!r}; known are {', '.join(SIZES)}"
    for table, keys in _SHARES:
        for key in keys:
            value = getattr(getattr(config, table), key)
            if not 0 <= value <= 1:
                yield f"{table}.{key} is {value}; it must lie between 0 and 1"
    shares = config.features
    if shares.revoiced + shares.null_mask + shares.full_mask + shares.several > 1 + 1e-9:
        yield "the shares of features add up to more than 1"
    if shares.voices < 0:
        yield f"features.voices is {shares.voices}; it must be at least 0"
    for stage in STAGES:
        if stage != "features":
            yield from _optimisation_problems(stage, config.optimisation(stage))
    if config.running.precision not in {"auto", "fp32", "bf16"}:
        yield f"running.precision is {config.running.precision!r}; known are auto, fp32, bf16"
    for key in ("threads", "log_every", "check_every"):
        if getattr(config.running, key) < 1:
            yield f"running.{key} must be at least 1"


def _optimisation_problems(stage: str, one: Optimisation) -> Any:
    path = f"{stage}.optimisation"
    for key in ("steps", "batch"):
        if getattr(one, key) < 1:
            yield f"{path}.{key} is {getattr(one, key)}; it must be at least 1"
    if not one.rate > 0:
        yield f"{path}.rate is {one.rate}; it must be above 0"
    if not 0 <= one.ema < 1:
        yield f"{path}.ema is {one.ema}; it must lie between 0 and 1, 1 excluded"
    if one.schedule not in SCHEDULES:
        yield f"{path}.schedule is {one.schedule!r}; known are {', '.join(SCHEDULES)}"
