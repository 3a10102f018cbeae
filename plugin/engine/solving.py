"""The solver with its state where the graphs run: on a GPU nothing is sent or fetched between its steps.

Inputs and outputs of the flow graph and of the step lie in buffers of the device, bound once and used for
every step of every window of the same shape. The flow graph always reads and writes the same ones, as a
recorded CUDA graph must; the state goes to and fro between two, through two bindings of the step.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from plugin.engine.flow import Steer, time_steps
from plugin.engine.lengths import window_lengths
from plugin.engine.loading import Form, open_session
from plugin.engine.providers import describe_failure, load_runtime
from plugin.engine.sessions import Sessions
from plugin.engine.step_graphs import GUIDED, PLAIN
from plugin.errors import Cancelled, OutOfMemory

Array = npt.NDArray[Any]
Float = npt.NDArray[np.float32]

_recordings = itertools.count(1)


class DeviceSolver:
    """Euler steps on buffers of a device.

    Attributes:
        rows: guidance branches of one call of the flow graph, 1 or 2.
    """

    def __init__(
        self,
        sessions: Sessions,
        form: Form,
        *,
        flow: Any,
        step: Any,
        buffers: Mapping[str, Any],
        rows: int,
    ) -> None:
        self.rows = rows
        self._sessions = sessions
        self._form = form
        self._flow = flow
        self._step = step
        self._buffers = buffers
        self._entries = {"gpu_graph_id": str(next(_recordings))} if form.recorded else {}
        self._there = _takes_from(flow, form.provider.value)
        self._flow_binding = self._bind(flow, {"x": "fed"}, {"velocity": "velocity"})
        self._turns = [
            self._bind(step, {"x": before}, {"next": after, "fed": "fed"})
            for before, after in (("even", "odd"), ("odd", "even"))
        ]

    @classmethod
    def open(
        cls, sessions: Sessions, constants: Mapping[str, Array], *, latents: int, guided: bool
    ) -> DeviceSolver:
        """A solver for windows of one shape, with its graphs loaded and its buffers made, or made before.

        Args:
            sessions: loads the flow graph.
            constants: the flow graph's inputs but `x` and `t`, in their shapes.
            latents: positions of the window.
            guided: both branches go through the flow graph in one call.

        Raises:
            OutOfMemory, EngineError: they cannot be loaded or made.
        """
        form = _form(sessions, constants, latents=latents)
        held = sessions.hold("flow", form)
        shapes = {name: value.shape for name, value in constants.items()}
        name = f"solver {sorted(shapes.items())} {latents} {guided}"
        if name not in held.attached:
            held.attached.clear()  # buffers of another window's length
            step, _ = open_session(
                GUIDED if guided else PLAIN,
                Form("", form.provider),
                role="step",
                threads=1,
                tuning=sessions.tuning,
            )
            rows = 2 if guided else 1
            channels = sessions.bundle.manifest.latent.channels
            buffers = _buffers(shapes, (rows, latents, channels), device=form.provider.value)
            held.attached[name] = cls(
                sessions, form, flow=held.session, step=step, buffers=buffers, rows=rows
            )
        solver: DeviceSolver = held.attached[name]
        return solver

    def solve(
        self,
        constants: Mapping[str, Array],
        x0: Float,
        *,
        steps: int,
        guidance: float,
        before_step: Callable[[int], None],
        steer: Steer | None,
    ) -> tuple[int, Float]:
        """How many steps were done, and the state after them.

        Fewer than all where memory ran out, numbers overflowed, or an input is wanted elsewhere than on the
        device: whoever asked goes on from there.

        Args:
            constants: see `open`; their values now.
            x0: `[1, N, C]` starting noise.
            steps: number of evaluations.
            guidance: strength.
            before_step: see `flow.euler`.
            steer: see `flow.euler`; None leaves the state on the device.
        """
        if not self._there:
            return 0, x0
        times = time_steps(steps)
        strength = np.float32(guidance)
        self._write({**constants, "g": _one(strength), "rest": _one(np.float32(1) - strength)})
        x = x0 if steer is None else steer(0, x0)
        self._put(0, x)
        for index in range(steps):
            before_step(index)
            self._write({"t": _one(times[index]), "dt": _one(times[index + 1] - times[index])})
            try:
                self._advance(index)
            except OutOfMemory:
                return index, self._state(index)
            if steer is not None:
                found = self._state(index + 1)
                if not np.isfinite(found).all():
                    return index, self._state(index)
                x = steer(index + 1, found)
                if x is not found:
                    self._put(index + 1, x)
        x = self._state(steps)
        return (steps, x) if np.isfinite(x).all() else (0, x0)

    def _advance(self, index: int) -> None:
        """One step: the velocity at the state, and the state after it."""
        stopper = self._sessions.stopper
        self._sessions.note_run("flow", self._form)
        try:
            with stopper.running():
                self._flow.run_with_iobinding(self._flow_binding, stopper.options(self._entries))
                self._step.run_with_iobinding(self._turns[index % 2], stopper.options({}))
        except Cancelled:
            raise
        except Exception as error:  # noqa: BLE001 - ONNX Runtime raises many unrelated types
            raise describe_failure(error, action="run the flow graph") from None

    def _bind(self, session: Any, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> Any:
        """A binding of every input and output of a session; those not named have their own buffer."""
        binding = session.io_binding()
        for tensor in session.get_inputs():
            binding.bind_ortvalue_input(tensor.name, self._buffers[inputs.get(tensor.name, tensor.name)])
        for tensor in session.get_outputs():
            binding.bind_ortvalue_output(tensor.name, self._buffers[outputs.get(tensor.name, tensor.name)])
        return binding

    def _write(self, values: Mapping[str, Array]) -> None:
        for name, value in values.items():
            self._buffers[name].update_inplace(np.ascontiguousarray(value))

    def _put(self, index: int, x: Float) -> None:
        """Let the state after `index` steps be this."""
        self._write({_turn(index): x, "fed": np.concatenate([x] * self.rows)})

    def _state(self, index: int) -> Float:
        state: Float = np.array(self._buffers[_turn(index)].numpy(), np.float32)
        return state


def _takes_from(session: Any, device: str) -> bool:
    """Whether a session takes every input from the device.

    One that a node on the CPU wants would be copied when it is bound, and never again.
    """
    ask = getattr(session, "get_input_memory_infos", None)  # an older ONNX Runtime does not say
    return ask is None or all(info.name.lower() == device for info in ask())


def _turn(index: int) -> str:
    return "odd" if index % 2 else "even"


def _one(number: np.float32) -> Float:
    return np.array([number], np.float32)


def _form(sessions: Sessions, constants: Mapping[str, Array], *, latents: int) -> Form:
    """The flow graph for one window; of the trained length, which most windows have, made for it alone."""
    form, tuning, manifest = sessions.form("flow"), sessions.tuning, sessions.bundle.manifest
    usual = window_lengths(manifest.window.train_frames, manifest).latents
    if not tuning.fixed_shapes or latents != usual:
        return form
    lengths = {"latents": latents}
    for tensor in manifest.graphs["flow"].inputs:
        if tensor.name in constants:
            sizes = zip(tensor.shape, constants[tensor.name].shape, strict=True)
            lengths |= {size: found for size, found in sizes if isinstance(size, str)}
    return Form(form.file, form.provider, tuple(sorted(lengths.items())), recorded=tuning.graphs)


def _buffers(shapes: Mapping[str, tuple[int, ...]], fed: tuple[int, ...], *, device: str) -> dict[str, Any]:
    """Every tensor of the flow graph and of the step, on the device, float32."""
    state, number = (1, *fed[1:]), (1,)
    wanted = dict(shapes) | dict.fromkeys(("t", "dt", "g", "rest"), number)
    wanted |= {"fed": fed, "velocity": fed, "even": state, "odd": state}
    make = load_runtime().OrtValue.ortvalue_from_shape_and_type
    try:
        return {name: make(shape, np.float32, device, 0) for name, shape in wanted.items()}
    except Exception as error:  # noqa: BLE001 - ONNX Runtime raises many unrelated types
        raise describe_failure(error, action="make room for the flow graph") from None
