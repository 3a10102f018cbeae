"""Keyframe masks by SAM 2.1's image and heads graphs, from clicks, boxes and lassos."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plugin.errors import BadPrompt
from plugin.masks.makers import Mask, Picture, Segmented
from plugin.masks.prompts import Box, Click, FramePrompts
from plugin.masks.sam2_choosing import Chosen, choose
from plugin.masks.sam2_model import Sam2Model
from plugin.masks.sam2_pictures import GIVEN_LOGIT, antialiased, soft_mask
from plugin.masks.sam2_prompting import Asked, finished, points_of, read_gestures
from plugin.masks.sam2_session import LARGEST_LOGIT, Features

Float = npt.NDArray[np.float32]

_MOST_STEPS = 64


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one step gave; `readings` are logits of what a lone click could mean, smallest first."""

    chosen: Chosen
    readings: tuple[Float, ...] = ()


class Sam2Segmenter:
    """From gestures to a mask; see `Segmenter`.

    Clicks are given one after the other, each with all before it and with the mask so far, as an editor
    makes them: the mask follows from the gestures alone.
    """

    def __init__(self, model: Sam2Model) -> None:
        self._model = model
        self._steps: OrderedDict[tuple[object, ...], _Answer] = OrderedDict()

    @property
    def name(self) -> str:
        """Id of the bundle."""
        return self._model.name

    @property
    def version(self) -> str:
        """Of the method and its weights together."""
        return self._model.version

    @property
    def words(self) -> str:
        """For people: what runs, and where."""
        return self._model.words

    def prepare(self, picture: Picture) -> None:
        """Encode a picture that will be asked for, so that its first gesture is answered at once."""
        self._model.features.of(picture)

    def segment(self, picture: Picture, prompts: FramePrompts, *, before: Mask | None = None) -> Segmented:
        """The mask of the prompted object; see `Segmenter.segment`.

        Raises:
            BadPrompt: nothing says where the object is, or nothing is found there.
        """
        height, width = picture.shape[:2]
        if prompts.absent:
            return Segmented(np.zeros((height, width), np.uint8), 1.0)
        asked = read_gestures(prompts, height=height, width=width)
        if not asked.clicks and asked.box is None:
            return _by_hand(asked, before, prompts=prompts, shape=(height, width))
        if before is None and not asked.names_the_object:
            raise BadPrompt(
                f"In frame {prompts.frame} only what is not the object is marked.",
                remedy="Click the object itself, or draw a box around it.",
            )
        answer = self._answer(picture, asked, before)
        mask = finished(soft_mask(answer.chosen.logits, height=height, width=width), asked)
        if not answer.chosen.is_present or not (mask >= 128).any():
            raise BadPrompt(
                f"No object was found in frame {prompts.frame} where it is marked.",
                remedy="Click the middle of the object, or draw a box around it.",
            )
        readings = (soft_mask(logits, height=height, width=width) for logits in answer.readings)
        return Segmented(
            mask, answer.chosen.confidence, tuple(finished(reading, asked) for reading in readings)
        )

    def _answer(self, picture: Picture, asked: Asked, before: Mask | None) -> _Answer:
        """The last of the steps; earlier ones are known from before, mostly."""
        key, features = self._model.features.of(picture)
        shape = (picture.shape[0], picture.shape[1])
        start = None if before is None else hashlib.blake2b(before.tobytes(), digest_size=16).digest()
        first = 0 if asked.box is not None else 1
        answer = None
        for count in range(first, len(asked.clicks) + 1):
            clicks = asked.clicks[:count]
            step = (key, shape, start, asked.box, clicks)
            found = self._steps.get(step)
            if found is None:
                earlier = self._start(before) if answer is None else answer.chosen.logits
                found = self._decoded(features, asked.box, clicks, earlier=earlier, shape=shape)
                self._keep(step, found)
            answer = found
        if answer is None:
            raise ValueError(asked)
        return answer

    def _start(self, before: Mask | None) -> Float | None:
        """Logits of a painted mask."""
        if before is None:
            return None
        low = self._model.decoder.low
        values = antialiased(before.astype(np.float32) / np.float32(255), height=low, width=low)
        return (2 * values - 1) * np.float32(GIVEN_LOGIT)

    def _decoded(
        self,
        features: Features,
        box: Box | None,
        clicks: tuple[Click, ...],
        *,
        earlier: Float | None,
        shape: tuple[int, int],
    ) -> _Answer:
        decoder = self._model.decoder
        points = points_of(box, clicks, height=shape[0], width=shape[1], size=decoder.size)
        held = None if earlier is None else np.clip(earlier, -LARGEST_LOGIT, LARGEST_LOGIT)
        outputs = decoder.outputs(features, decoder.unremembered(features), points=points, earlier=held)
        chosen = choose(outputs, points=len(points), no_obj_ptr=decoder.constants.no_obj_ptr)
        if len(points) > 1 or not chosen.is_present:
            return _Answer(chosen)
        masks, iou = outputs["masks"][0, 1:], outputs["iou"][0, 1:]
        order = sorted(range(len(iou)), key=lambda index: int((masks[index] > 0).sum()))
        size = clicks[-1].size if clicks else None
        if size is not None:
            index = order[min(max(size, 0), len(order) - 1)]
            chosen = Chosen(masks[index], chosen.pointer, float(iou[index]), chosen.score)
        return _Answer(chosen, tuple(masks[index] for index in order))

    def _keep(self, step: tuple[object, ...], answer: _Answer) -> None:
        self._steps[step] = answer
        while len(self._steps) > _MOST_STEPS:
            self._steps.popitem(last=False)


def _by_hand(
    asked: Asked, before: Mask | None, *, prompts: FramePrompts, shape: tuple[int, int]
) -> Segmented:
    """The mask of strokes alone, or of a painted mask and strokes."""
    if before is None and not any(stroke.paints for stroke in asked.strokes):
        raise BadPrompt(
            f"Nothing in frame {prompts.frame} says where the object is.",
            remedy="Click the object, or draw a box or a lasso around it.",
        )
    start = np.zeros(shape, np.uint8) if before is None else before
    return Segmented(finished(start, asked), 1.0)
