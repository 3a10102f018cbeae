"""The loop that all stages share: steps, checkpoints, averages, log; stopped and gone on with at will."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from exporter.errors import ExportError
from exporter.training.averaging import Averages
from exporter.training.checkpoint import Checkpoint, random_states, restore_random
from exporter.training.config import Optimisation, Running
from exporter.training.randomness import seed_of
from exporter.training.record import Record, draw_curves
from exporter.training.schedule import rate_at

LOST_STEPS = 20
"""So many steps in a row without a finite loss end a stage."""


class Stage(Protocol):
    """One network (or two) in training."""

    @property
    def name(self) -> str:
        """Of `config.STAGES`."""

    @property
    def network(self) -> nn.Module:
        """Everything whose tensors a checkpoint has to keep, on the device."""

    def trained(self) -> Mapping[str, nn.Parameter]:
        """The parameters that the optimiser may change, by name."""

    def losses(self, step: int) -> Mapping[str, Tensor]:
        """Scalars of the batch of one step; "loss" is what is minimised.

        The batch is a function of the run's seed and the step alone.
        """

    def check(self) -> Mapping[str, float]:
        """Figures on held-out scenes; called without gradient, averages in place."""

    def deliver(self, folder: Path) -> None:
        """Write the finished weights; called without gradient, averages in place."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stage runs and writes.

    Attributes:
        folder: of this stage alone.
        device: of its network.
        seed: of the whole run.
        recipe: what decides the result, as text; a checkpoint of another recipe is refused.
    """

    folder: Path
    device: torch.device
    seed: int
    recipe: str


def run_stage(
    stage: Stage, optimisation: Optimisation, running: Running, place: Place, *, stop: Callable[[], bool]
) -> bool:
    """Train until the last step or until `stop` says so; begin where the folder's checkpoint is.

    Returns:
        True when the stage is finished and its weights are written.

    Raises:
        ExportError: the folder's checkpoint belongs to another recipe or is damaged, or the loss is no
            longer a number.
    """
    trained = dict(stage.trained())
    optimiser = _optimiser(trained, optimisation)
    averages = Averages(trained, decay=optimisation.ema)
    done = _restore(stage, optimiser, averages, place)
    loop = _Loop(stage, optimisation, running, place, optimiser, averages)
    with Record(place.folder, name=stage.name, steps=optimisation.steps, done=done) as record:
        done = loop.run(done, record, stop)
        if done < optimisation.steps:
            return False
        loop.check(done, record)
    with torch.no_grad(), averages.in_place():
        stage.network.eval()
        stage.deliver(place.folder)
    if running.plots:
        draw_curves(place.folder)
    return True


@dataclass(slots=True)
class _Loop:
    """The parts of a stage in motion."""

    stage: Stage
    optimisation: Optimisation
    running: Running
    place: Place
    optimiser: torch.optim.Optimizer
    averages: Averages
    lost: int = 0

    def run(self, done: int, record: Record, stop: Callable[[], bool]) -> int:
        """Steps from number `done` on; the number done at the end. Always leaves a checkpoint."""
        saved = time.monotonic()
        for step in range(done, self.optimisation.steps):
            if stop():
                break
            figures = self.step(step)
            done = step + 1
            record.advance(figures["loss"])
            if done % self.running.log_every == 0 or done == self.optimisation.steps:
                record.write(done, figures)
            if done % self.running.check_every == 0 and done < self.optimisation.steps:
                self.check(done, record)
            if time.monotonic() - saved >= self.running.checkpoint_seconds:
                self.save(done)
                saved = time.monotonic()
        self.save(done)
        return done

    def step(self, step: int) -> dict[str, float]:
        """One update; its figures. A loss that is not finite changes nothing."""
        torch.manual_seed(seed_of(self.place.seed, self.stage.name, step))
        rate = rate_at(step, self.optimisation)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.stage.network.train()
        self.optimiser.zero_grad(set_to_none=True)
        with autocast(self.place.device, self.running.precision):
            losses = self.stage.losses(step)
        losses["loss"].backward()
        norm = torch.nn.utils.clip_grad_norm_(list(self.averages.parameters.values()), self.optimisation.clip)
        figures = {name: float(value.detach()) for name, value in losses.items()}
        if math.isfinite(figures["loss"]) and math.isfinite(float(norm)):
            self.optimiser.step()
            self.lost = 0
        else:
            self._lose(step)
        self.averages.update(step + 1)
        return figures | {"rate": rate, "gradient": float(norm)}

    def _lose(self, step: int) -> None:
        self.lost += 1
        if self.lost >= LOST_STEPS:
            raise ExportError(
                f"The stage {self.stage.name} lost its way before step {step}: its loss is not a number.",
                remedy="Lower the learning rate and begin the stage again.",
            )

    def check(self, done: int, record: Record) -> None:
        """Validation figures into the log."""
        with torch.no_grad(), self.averages.in_place():
            self.stage.network.eval()
            record.write(done, {f"check/{name}": value for name, value in self.stage.check().items()})

    def save(self, done: int) -> None:
        """Write the checkpoint."""
        Checkpoint(
            step=done,
            model=self.stage.network.state_dict(),
            optimiser=self.optimiser.state_dict(),
            averages=self.averages.values,
            recipe=self.place.recipe,
            random=random_states(),
        ).write(self.place.folder)


def _optimiser(trained: Mapping[str, nn.Parameter], one: Optimisation) -> torch.optim.Optimizer:
    """AdamW; vectors and scalars do not decay."""
    matrices = [value for value in trained.values() if value.ndim > 1]
    vectors = [value for value in trained.values() if value.ndim <= 1]
    groups: list[dict[str, Any]] = [{"params": matrices}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=one.rate,
        betas=one.betas,
        eps=one.epsilon,
        weight_decay=one.weight_decay,
    )


def _restore(stage: Stage, optimiser: torch.optim.Optimizer, averages: Averages, place: Place) -> int:
    """Put the folder's checkpoint in place; the number of steps done."""
    found = Checkpoint.load(place.folder)
    if found is None:
        return 0
    if found.recipe != place.recipe:
        raise ExportError(
            f"{place.folder} holds a checkpoint of stage {stage.name} made by another configuration.",
            remedy="Name another folder, or remove that one to begin again.",
        )
    stage.network.load_state_dict(found.model)
    optimiser.load_state_dict(found.optimiser)
    averages.restore(found.averages)
    restore_random(found.random)
    return found.step


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """bf16 where it is wanted: needs no scaling of gradients."""
    if precision == "bf16" or (precision == "auto" and device.type == "cuda"):
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()


@contextmanager
def stop_on_signal() -> Iterator[Callable[[], bool]]:
    """A question that turns to yes after SIGINT or SIGTERM; a second signal ends at once."""
    asked: list[int] = []

    def note(number: int, _: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
