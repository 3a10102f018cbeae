"""The graphs of a bundle as ONNX Runtime sessions: loaded at first use, the least missed dropped for others.

What is done when memory runs out, one step after the other, each remembered for the runs that follow: the
other graphs leave; the rows of the inputs go through in smaller parts; the graph runs on the CPU.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models_onnx.bundle import Bundle
from plugin.engine.bundle_errors import bundle_errors, refuse_unknown
from plugin.engine.cuda import CudaTuning
from plugin.engine.loading import Form, Placement, open_session
from plugin.engine.memory import give_back_freed, physical_memory
from plugin.engine.providers import (
    Provider,
    choose_provider,
    describe_failure,
    load_runtime,
    runtime_version,
    why_not_cuda,
)
from plugin.engine.rows import row_count, run_in_parts
from plugin.engine.stopping import Stopper
from plugin.errors import Cancelled, OutOfMemory, UnexpectedOutput

Array = npt.NDArray[Any]
Float = npt.NDArray[np.float32]

SMALLER = "Memory ran short, so parts of this take were computed in smaller pieces."
NOT_CUDA = "The GPU could not be used, so the CPU made this take: {why}"
ON_CPU = "The GPU's memory was full, so the {role} graph ran on the CPU for this take."
STRAYED = "Parts of the {role} graph ran on the CPU although {provider} was asked for: {kinds}."

_SHRINK = "memory.enable_memory_arena_shrinkage"
_UNRECORDED = {"gpu_graph_id": "-1"}


@dataclass(frozen=True, slots=True)
class Held:
    """A loaded graph.

    Attributes:
        session: of ONNX Runtime.
        placement: where its nodes run.
        remark: what every take made with it should say, "" when nothing.
        attached: what others keep with it, by name, to be let go with it.
    """

    session: Any
    placement: Placement
    remark: str
    attached: dict[str, Any]


BESIDE_THE_LARGEST = 900 * 1024**2
"""Bytes of graphs that stay loaded beside the largest on the CPU.

As much as lets the published text tower in beside conditions, flow and vocoder, so that another prompt loads
two graphs.
"""

ENCODERS = ("image_encoder", "sync_encoder", "text_encoder")
"""Roles whose features are kept: where not every graph has room they leave as soon as another comes.

They are the largest, and need the most memory to run.
"""

TO_RUN = {"sync_encoder": 2}
"""How many times its weights a graph needs beside them while it runs, where that is much."""

STEPPED = "flow"
"""The role that is run again and again.

On the CPU the others give back after each run what it needed beside the weights: two cues of full HD peak at
0.54 GB with the embedded bundle instead of 0.65, in the same time.
"""

LEAVING = (*ENCODERS, "decoder", "conditions", "flow", "vocoder")
"""Roles in the order in which their graphs leave for others.

After the encoders what every take needs, the quickest to load first (at full size the decoder takes 0.6 s,
the vocoder 12).
"""


class Sessions:
    """Runs graphs by role and keeps count; together they stay within a limit of memory.

    Attributes:
        bundle: where the graphs come from.
        provider: where they run.
        tuning: of CUDA.
        calls: runs by role since opening.
        loads: loads by role since opening.
        fallen_back: runs by role whose half-precision graph gave values that are no numbers, and that
            were done again in float32.
        remarks: sentences that the takes made since opening should carry, and how often each was true.
        stopper: ends runs that take long.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        provider: Provider,
        threads: int | None,
        memory: int | None,
        tuning: CudaTuning | None = None,
        excuse: str = "",
    ) -> None:
        self.bundle = bundle
        self.provider = provider
        self.tuning = tuning or CudaTuning()
        self.calls: Counter[str] = Counter()
        self.loads: Counter[str] = Counter()
        self.fallen_back: Counter[str] = Counter()
        self.remarks: Counter[str] = Counter()
        self.stopper = Stopper(lambda: load_runtime().RunOptions())
        self._excuse = excuse
        self._threads = threads
        self._memory = memory
        self._held: dict[Form, Held] = {}
        self._most_rows: dict[str, int] = {}
        self._on_cpu: set[str] = set()
        self._roles = {graph.file: role for role, graph in bundle.manifest.graphs.items()} | {
            file: role for role, file in bundle.manifest.gpu_graphs.items()
        }

    @classmethod
    def open(
        cls,
        bundle: Bundle,
        *,
        provider: str = "auto",
        threads: int | None = None,
        memory: int | None = None,
        tuning: CudaTuning | None = None,
    ) -> Sessions:
        """Sessions on a provider that was proved to work; no graph is loaded yet.

        Args:
            bundle: opened and checked.
            provider: "auto", "cpu" or "cuda".
            threads: of one graph; None leaves it to ONNX Runtime.
            memory: bytes that the loaded graphs may take together; None: see `usual_memory`.
            tuning: of CUDA; None is the usual.

        Raises:
            ProviderUnavailable: see `choose_provider`.
            BundleTooNew: the bundle needs a newer ONNX Runtime, or is in a newer form of ONNX.
        """
        refuse_unknown(bundle, runtime=runtime_version())
        chosen = choose_provider(provider)
        limit = usual_memory(chosen, bundle) if memory is None else memory
        why = why_not_cuda(provider) if chosen is Provider.CPU else ""
        excuse = NOT_CUDA.format(why=why) if why else ""
        return cls(bundle, provider=chosen, threads=threads, memory=limit, tuning=tuning, excuse=excuse)

    @property
    def loaded(self) -> frozenset[str]:
        """Roles of the graphs in memory."""
        return frozenset(self._roles[form.file] for form in tuple(self._held))

    def drop(self, *roles: str) -> None:
        """Forget the named graphs, or all of them, and give their memory back."""
        for form in tuple(self._held):
            if not roles or self._roles[form.file] in roles:
                del self._held[form]
        give_back_freed()

    def watched(self, cancel: Callable[[], bool]) -> AbstractContextManager[None]:
        """While entered, a run that takes long is ended soon after `cancel` says so, with `Cancelled`."""
        return self.stopper.watched(cancel)

    def run(self, role: str, feeds: Mapping[str, Array], *, shrink: bool = False) -> dict[str, Float]:
        """The outputs of one graph, by name, checked to be finite.

        Where memory runs out, see the module. What overflows in half precision is done again in float32.

        Args:
            role: "flow", "decoder", ...
            feeds: the graph's inputs by name.
            shrink: on a GPU, give back afterwards what the run needed beside the weights; on the CPU see
                `STEPPED`.

        Raises:
            UnexpectedOutput: NaN or infinity came out.
            OutOfMemory, EngineError: the graph could not be loaded or run.
            BundleCorrupt: the graph's file was changed.
            Cancelled: the run was ended; see `watched`.
        """
        outputs = self._run_somehow(role, feeds, whole=False, shrink=shrink)
        halved = self.form(role).file != self.bundle.manifest.graphs[role].file
        if halved and not all(np.isfinite(value).all() for value in outputs.values()):
            self.fallen_back[role] += 1
            outputs = self._run_somehow(role, feeds, whole=True, shrink=shrink)
        for name, value in outputs.items():
            check_finite(value, role=role, name=name)
        return outputs

    def form(self, role: str, *, whole: bool = False) -> Form:
        """How a graph is loaded here: on CUDA the one made for it, if there is one.

        Args:
            role: "flow", "decoder", ...
            whole: the one in float32.
        """
        manifest = self.bundle.manifest
        usual = manifest.graphs[role].file
        if self.provider is Provider.CPU or role in self._on_cpu:
            return Form(usual, Provider.CPU)
        return Form(usual if whole else manifest.gpu_graphs.get(role, usual), self.provider)

    def hold(self, role: str, form: Form) -> Held:
        """A loaded graph."""
        if form not in self._held:
            self._make_room(role, form.file)
            self._held[form] = self._load(role, form)
            self.loads[role] += 1
        return self._held[form]

    @contextmanager
    def loading_ahead(self) -> Iterator[None]:
        """While entered, graphs that are not loaded yet are being loaded, where all of them have room.

        Nothing may be run meanwhile. Leaving waits for one graph at most; the others, and those that could
        not be loaded, are loaded when they are needed.
        """
        if self.provider is not Provider.CPU or not self._have_room_for_all():
            yield
            return
        over = threading.Event()
        thread = threading.Thread(target=self._load_all, args=(over,), name="loading-ahead", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _load_all(self, over: threading.Event) -> None:
        for role in self.bundle.manifest.graphs:
            if over.is_set():
                return
            with suppress(Exception):  # it says so again when it is needed
                self.hold(role, self.form(role))

    def note_run(self, role: str, form: Form) -> None:
        """Count a run, and note what its take should say."""
        self.calls[role] += 1
        remarks = (self._excuse, self._held[form].remark if form in self._held else "")
        away = form.provider is not self.provider
        for remark in (*remarks, ON_CPU.format(role=role.replace("_", " ")) if away else ""):
            if remark:
                self.remarks[remark] += 1

    def _run_somehow(
        self, role: str, feeds: Mapping[str, Array], *, whole: bool, shrink: bool
    ) -> dict[str, Float]:
        while True:
            form = self.form(role, whole=whole)
            try:
                return self._run_rows(role, form, feeds, shrink=shrink)
            except OutOfMemory:
                if not self._make_do(role, form, feeds):
                    raise

    def _make_do(self, role: str, form: Form, feeds: Mapping[str, Array]) -> bool:
        """Try with less: without the others, with fewer rows, on the CPU; False when all of that is done."""
        others = self.loaded - {role}
        rows = self._most_rows.get(role) or row_count(self.bundle.manifest.graphs[role], feeds)
        if others:
            self.drop(*others)
        elif rows > 1 and form in self._held:
            self._most_rows[role] = rows // 2
        elif form.provider is not Provider.CPU:
            self._on_cpu.add(role)
            self.drop(role)
        else:
            return False
        return True

    def _run_rows(
        self, role: str, form: Form, feeds: Mapping[str, Array], *, shrink: bool
    ) -> dict[str, Float]:
        spec, most = self.bundle.manifest.graphs[role], self._most_rows.get(role)
        if most is None or row_count(spec, feeds) <= most:
            return self._run(role, form, feeds, shrink=shrink)
        self.remarks[SMALLER] += 1
        return run_in_parts(lambda part: self._run(role, form, part, shrink=shrink), spec, feeds, most=most)

    def _run(self, role: str, form: Form, feeds: Mapping[str, Array], *, shrink: bool) -> dict[str, Float]:
        session = self.hold(role, form).session
        names = [output.name for output in self.bundle.manifest.graphs[role].outputs]
        if form.provider is Provider.CUDA:
            entries = _UNRECORDED | ({_SHRINK: "gpu:0"} if shrink else {})
        else:
            entries = {} if role == STEPPED else {_SHRINK: "cpu:0"}
        self.note_run(role, form)
        try:
            with self.stopper.running():
                values = session.run(names, dict(feeds), self.stopper.options(entries))
        except Cancelled:
            raise
        except Exception as error:  # noqa: BLE001 - ONNX Runtime raises many unrelated types
            raise describe_failure(error, action=f"run the {role} graph") from None
        return dict(zip(names, values, strict=True))

    def _make_room(self, role: str, file: str) -> None:
        """Drop graphs in the order of `LEAVING` until there is room for another, and for its run."""
        if self._memory is None or self._have_room_for_all():
            return
        sizes: Counter[str] = Counter()
        for form in self._held:
            sizes[self._roles[form.file]] += _loaded_bytes(self.bundle, form.file)
        coming = _loaded_bytes(self.bundle, file) * (1 + TO_RUN.get(role, 0))
        excess = sizes.total() + coming - self._memory
        for other in sorted(sizes, key=LEAVING.index):
            if excess > 0 or other in ENCODERS:
                self.drop(other)
                excess -= sizes[other]

    def _have_room_for_all(self) -> bool:
        graphs = self.bundle.manifest.graphs.values()
        total = sum(_loaded_bytes(self.bundle, graph.file) for graph in graphs)
        return self._memory is not None and total <= self._memory

    def _load(self, role: str, form: Form) -> Held:
        with bundle_errors():
            path = self.bundle.checked_path(form.file)
        session, placement = open_session(path, form, role=role, threads=self._threads, tuning=self.tuning)
        kinds = ", ".join(placement.strays(form.provider))
        remark = STRAYED.format(role=role.replace("_", " "), provider=form.provider.value, kinds=kinds)
        return Held(session, placement, remark if kinds else "", {})


def usual_memory(provider: Provider, bundle: Bundle) -> int | None:
    """Bytes that loaded graphs may take when nobody says; None: no limit.

    On the CPU somewhat more than the largest graph of the bundle: less cannot be, and the graphs of later
    stages fit into what the large encoder leaves. Loading one again takes seconds, its work minutes. Never
    more than half the machine's memory: a system that runs out ends programs without asking. A GPU says
    when it is full, and then `Sessions.run` makes room.
    """
    if provider is not Provider.CPU:
        return None
    largest = max(_loaded_bytes(bundle, graph.file) for graph in bundle.manifest.graphs.values())
    physical = physical_memory()
    wanted = largest + BESIDE_THE_LARGEST
    return wanted if physical is None else min(wanted, physical // 2)


def _loaded_bytes(bundle: Bundle, file: str) -> int:
    """What a loaded graph takes: about the size of its files, with weights of the type computed with."""
    manifest = bundle.manifest
    stored = sum(manifest.files[name].bytes for name in bundle.parts_of(file))
    widened = manifest.precision == "fp16" and file not in manifest.gpu_graphs.values()
    return 2 * stored if widened else stored


def check_finite(value: Array, *, role: str, name: str) -> None:
    """Nothing, when an output holds numbers only.

    Raises:
        UnexpectedOutput: NaN or infinity is among them; the graph is named.
    """
    if not np.isfinite(value).all():
        count = int((~np.isfinite(value)).sum())
        raise UnexpectedOutput(
            f"The {role} graph gave {count} values that are no numbers.",
            remedy="If a GPU made it, choose the cpu provider; else run `sagafoley models verify` and take a "
            "bundle that is whole.",
            detail=f"{name}, of the shape {value.shape}",
        )
