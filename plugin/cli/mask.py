"""`sagafoley mask`: an object marked in a frame of a video, followed through it, written as a matte."""

from __future__ import annotations

import argparse
import shlex
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from plugin.cli.interrupt import Interruption
from plugin.cli.mask_placing import Placing
from plugin.cli.mask_prompts import (
    DEFAULT_LABEL,
    Marks,
    Sources,
    check_frames,
    object_number,
    range_of,
    sources_of,
    with_marks,
    within,
)
from plugin.cli.mask_report import (
    WRITING,
    FrameBar,
    Report,
    follow,
    makers_document,
    matte_document,
    placed_document,
)
from plugin.cli.mask_target import Target, target_of
from plugin.cli.mask_words import looked_for
from plugin.cli.output import Output
from plugin.cli.parser import PROGRAM
from plugin.errors import Cancelled, OutputError, UsageError
from plugin.hosts import Flavour
from plugin.masks.choosing import Makers, chosen, opened
from plugin.masks.contact_sheet import contact_sheet, frames_shown, png_bytes
from plugin.masks.document_files import PaintedMasks, write_document
from plugin.masks.documents import MadeBy, ObjectPrompts, PromptsDocument
from plugin.masks.footage import SourceFrames
from plugin.masks.made import MadeMasks
from plugin.masks.makers import Mask
from plugin.masks.matte_files import MatteFile, MatteForm, write_matte
from plugin.masks.prompts import Box, Click
from plugin.masks.propagating import LOST_SENTENCE, MaskWork
from plugin.masks.results import MaskStore
from plugin.timebase import format_timecode, frame_at, is_smpte_rate
from plugin.wholefile import write_whole
from plugin.workspace import Workspace

DONE, STOPPED, UNDECIDED, CANCELLED = 0, 1, 2, 130


def make_mask(options: argparse.Namespace, output: Output) -> int:
    """Mark, follow, write; the exit code."""
    marks, sources = Marks.of(options), sources_of(options)
    if marks.is_empty and sources.saved is None:
        raise UsageError(
            "Nothing says which object is meant.",
            remedy="Mark it with --lasso X,Y X,Y X,Y ..., --box X0,Y0,X1,Y1, --text or --keyframe FRAME=PNG.",
        )
    workspace = Workspace.open()
    settings = workspace.settings
    choice = chosen(options.maker, workspace.store)
    with ExitStack() as stack:
        frames = stack.enter_context(SourceFrames.open(sources.film))
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        provider, threads = settings.provider, settings.threads or None
        makers = stack.enter_context(opened(choice, provider=provider, threads=threads))
        return _Run(options, output, marks, sources, frames, makers, workspace, scratch).run()


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of the command: what was asked for, and what it is made with."""

    options: argparse.Namespace
    output: Output
    marks: Marks
    sources: Sources
    frames: SourceFrames
    makers: Makers
    workspace: Workspace
    scratch: Path

    @property
    def store(self) -> MaskStore:
        return MaskStore(self.workspace.folders.cache / "masks")

    def run(self) -> int:
        placing = self._placing()
        if self.marks.words:
            chosen_box = self._look(placing)
            if chosen_box is None:
                return UNDECIDED
            marks = replace(self.marks, gestures=(chosen_box, *self.marks.gestures), words="")
            return replace(self, marks=marks).run_marked(placing)
        return self.run_marked(placing)

    def run_marked(self, placing: Placing | None) -> int:
        """Follow what is marked, write, tell."""
        document, number = self._document(placing)
        work = self._work(document)
        label = document.objects[number].label
        with Interruption(self.output.note) as interruption:
            for prompts in document.objects[number].keyframes:
                if not interruption():
                    work.keyframe(number, prompts.frame)  # what means nothing is said before a file is there
            self._warn(document.objects[number], last=document.film.frames - 1)
            target = target_of(self.options, self.sources, document, label=label)
            write_document(target.prompts, document, painted=self.painted)
            self.output.detail(f"{label}: {self.makers.words}; masks are kept in {self.store.folder}")
            objects = (number,) if document.may_overlap else None
            events = work.propagate(
                objects=objects, cancel=interruption, pause_when_lost=not self.options.go_on
            )
            report = follow(events, FrameBar(self.output.notes))
            if report.cancelled or report.lost is not None:
                return self._stopped(report, target)
            try:
                matte = self._write(work.made, number, target, cancel=interruption)
            except Cancelled:
                return self._stopped(replace(report, cancelled=True), target)
        return self._finish(matte, work.made, number, target=target, report=report, placing=placing)

    def _look(self, placing: Placing | None) -> Box | None:
        """The place that words mean in the marked frame; None where there are several, which is told."""
        film = self.frames.film()
        check_frames(film, self.marks, self.sources.film.name)
        frame = self.marks.frame
        if frame is None:
            if self.sources.saved is not None:
                raise UsageError("Nothing says which frame is meant.", remedy="Say it with --frame N.")
            frame = self._range(film.frames, placing)[0]
        return looked_for(self.options, self.output, self.marks, self.workspace, self.frames.picture(frame))

    def _warn(self, prompts: ObjectPrompts, *, last: int) -> None:
        """Says so where the film is cut short, or a lone point had to do without a model."""
        if self.frames.is_short:
            self.output.note(
                f"warning: {self.sources.film.name} is incomplete: it should go on after frame {last}. "
                "Copy the file again if the rest is wanted."
            )
        lone = [len(one.gestures) == 1 and isinstance(one.gestures[0], Click) for one in prompts.keyframes]
        if any(lone) and self.makers.clicks_are_guesses:
            self.output.note("warning: one point alone is a guess without a model; a --lasso is surer.")

    def painted(self, name: str) -> Mask:
        """A painted mask: one of this run, or one beside the saved prompts."""
        film = self._film_of_painted()
        saved = self.sources.saved_in
        if saved is not None and not (self.scratch / name).is_file():
            return PaintedMasks(saved.parent, film)(name)
        return PaintedMasks(self.scratch, film)(name)

    def _film_of_painted(self) -> Any:
        return self.sources.saved.film if self.sources.saved is not None else self.frames.film()

    def _placing(self) -> Placing | None:
        if self.options.timeline is None:
            return None
        return Placing.open(
            self.options.timeline,
            self.sources.film,
            rate=self.frames.rate,
            packages=self.workspace.folders.cache / "packages",
            flavour=Flavour(self.workspace.settings.flavour),
        )

    def _document(self, placing: Placing | None) -> tuple[PromptsDocument, int]:
        """What was said, with what is added, and which of its objects is meant."""
        name = self.sources.film.name
        begun = self.sources.saved or self._new_document(placing)
        check_frames(begun.film, self.marks, name)
        marks = replace(self.marks, gestures=tuple(within(one, begun.film) for one in self.marks.gestures))
        begun = begun.with_makers(segmenter=self.makers.segmenter, tracker=self.makers.tracker)
        if self.sources.saved is not None and self.options.span is not None:
            begun = begun.with_range(*self._range(begun.film.frames, placing))
        number = object_number(begun, self.marks.label)
        frame = self._marked_frame(begun)
        said = self._continued(begun, number, frame)
        said = with_marks(said, marks, frame=frame, add=PaintedMasks(self.scratch, begun.film).add_file)
        if all(one.absent for one in said.keyframes):
            raise UsageError(
                "No frame shows where the object is.", remedy="Mark it with --lasso or --box in one frame."
            )
        return begun.with_object(number, said), number

    def _new_document(self, placing: Placing | None) -> PromptsDocument:
        film = self.frames.film()
        first, last = self._range(film.frames, placing)
        makers = MadeBy.of(self.makers.segmenter), MadeBy.of(self.makers.tracker)
        return PromptsDocument(
            film, first, last, *makers, objects=(ObjectPrompts(self.marks.label or DEFAULT_LABEL),)
        )

    def _range(self, count: int, placing: Placing | None) -> tuple[int, int]:
        return range_of(
            self.options.span,
            count=count,
            shown=None if placing is None else placing.shown,
            handles=self.options.handles,
            name=self.sources.film.name,
        )

    def _marked_frame(self, document: PromptsDocument) -> int:
        if self.marks.frame is not None:
            return self.marks.frame
        if self.sources.saved is not None and self.marks.gestures:
            raise UsageError("Nothing says which frame is corrected.", remedy="Say it with --frame N.")
        return document.first

    def _continued(self, document: PromptsDocument, number: int, frame: int) -> ObjectPrompts:
        """The object. Points in a frame that was only followed so far start from the mask it has there."""
        said = document.objects[number]
        points = self.marks.gestures and all(isinstance(one, Click) for one in self.marks.gestures)
        if not points or said.at(frame) is not None:
            return said
        followed = MadeMasks(document, self.store).mask(number, frame)
        if followed is None or not followed.mask.any():
            return said
        return said.with_painted(frame, PaintedMasks(self.scratch, document.film).add(followed.mask))

    def _work(self, document: PromptsDocument) -> MaskWork:
        return MaskWork(
            document,
            store=self.store,
            frames=self.frames,
            segmenter=self.makers.segmenter,
            tracker=self.makers.tracker,
            painted=self.painted,
        )

    def _write(self, made: MadeMasks, number: int, target: Target, *, cancel: Interruption) -> MatteFile:
        document = made.document
        bar, frames = FrameBar(self.output.notes), range(document.first, document.last + 1)
        bar.begin(WRITING, len(frames))
        try:
            return write_matte(
                lambda frame: _mask(made, number, frame),
                path=target.matte,
                form=target.form,
                rate=document.film.rate,
                frames=frames,
                timecode=self._timecode(document) if target.form is not MatteForm.PNG else None,
                cancel=cancel,
                tell=bar.move,
            )
        finally:
            bar.close()

    def _timecode(self, document: PromptsDocument) -> str | None:
        rate = document.film.rate
        if not is_smpte_rate(rate):
            return None
        start = frame_at(self.frames.info.start_timecode or 0 * rate, rate)
        return format_timecode(start + document.first, rate)

    def _stopped(self, report: Report, target: Target) -> int:
        """Tells why there is no matte yet, and how to go on."""
        again = f"{PROGRAM} mask --prompts {shlex.quote(str(target.prompts))}"
        kept = f"{report.done} of {report.frames} frames are followed and kept."
        if report.frames == 0:
            kept = "What you marked is kept."
        if report.cancelled:
            self.output.note(f"Cancelled. {kept}\nGo on with: {again}")
        else:
            self.output.note(f"Stopped at frame {report.lost}: {LOST_SENTENCE} {kept}")
            self.output.note(f"Mark it anew:  {again} --frame {report.lost} --lasso X,Y X,Y X,Y ...")
            self.output.note(f"It is gone:    {again} --absent {report.lost}")
            self.output.note(f"It is right:   {again} --go-on")
        self.output.document({"matte": None, "prompts": str(target.prompts), **report.document()})
        return CANCELLED if report.cancelled else STOPPED

    def _finish(
        self,
        matte: MatteFile,
        made: MadeMasks,
        number: int,
        *,
        target: Target,
        report: Report,
        placing: Placing | None,
    ) -> int:
        label = made.document.objects[number].label
        self.store.prune(keeping=made.keys())
        frames = "1 frame" if matte.frames == 1 else f"{matte.frames} frames"
        self.output.note(f"{label}: {frames}, {self.makers.words}; {report.words()}.")
        for frame in report.shot_changes:
            self.output.note(
                f"A new shot begins at frame {frame}; {label} is not followed into it. Mark it there, too."
            )
        self.output.path(matte.path)
        self.output.path(target.prompts)
        if self.options.preview is not None:
            self._preview(made, number)
            self.output.path(self.options.preview)
        placed = None if placing is None else placing.place(matte, label=label, prompts=target.prompts)
        result = matte_document(matte, made.document, label, prompts=target.prompts)
        result |= {"makers": makers_document(made.document, self.makers.words), **report.document()}
        result["preview"] = None if self.options.preview is None else str(self.options.preview.absolute())
        if placing is not None:
            self.output.path(placing.host.masked)
            result |= {"timeline": str(placing.host.masked), "placed": placed_document(placed or ())}
        self.output.document(result)
        return DONE

    def _preview(self, made: MadeMasks, number: int) -> None:
        sure = made.confidences(number)
        sheet = contact_sheet(
            frames_shown(made.document.first, made.document.last),
            picture=self.frames.picture,
            mask=lambda frame: _mask(made, number, frame),
            confidence=sure.get,
        )
        write_whole(self.options.preview.absolute(), png_bytes(sheet))


def _mask(made: MadeMasks, number: int, frame: int) -> Mask:
    mask = made.masks(frame)[number]
    if mask is None:
        raise OutputError(
            f"The mask of frame {frame} is gone from {made.store.folder}.", remedy="Run the same line again."
        )
    return mask
