"""A predictor on annotated videos: objects given by their first mask, or by clicks into its errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from sam2flow_core.config.evaluation import ClickingSettings
from sam2flow_core.errors import DataError, OutputError
from sam2flow_core.evaluation.vos_data import (
    Annotation,
    Mask,
    ObjectScores,
    Score,
    VosData,
    VosVideo,
    mean_score,
    region_similarity,
)
from sam2flow_core.files import output_errors, whole_file
from sam2flow_core.stack import Stack, open_stack
from sam2flow_core.training.clicks import error_click

Logits = NDArray[np.float32]
Say = Callable[[str], None]
_MOST_NAMED = 5


class VideoPredictor(Protocol):
    """A predictor with the manners of SAM 2's; both of ours have them."""

    def init_state(self, stack: Stack, /) -> Any:
        """Begin with a video."""

    def add_new_mask(self, state: Any, frame: int, object_id: int, mask: Mask, /) -> Any:
        """Say where an object is in one frame."""

    def add_new_points_or_box(
        self, state: Any, frame: int, object_id: int, points: Any, labels: Any, clear_old_points: bool
    ) -> Any:
        """Click; returns frame, ids and logits (objects, 1, Y, X)."""

    def propagate_in_video(self, state: Any, /, start_frame_idx: int | None = None) -> Iterator[Any]:
        """Frame, ids and logits of one frame after the other."""

    def follow_masks(self, state: Any, /) -> Iterator[Any]:
        """Frame, ids and logits of all frames."""


@dataclass(frozen=True)
class Target:
    """One object: the annotation it is in, its label there, and the frame it is first seen in."""

    name: str
    annotation: Annotation
    label: int
    first: str

    def truth(self, frame: str) -> Mask:
        """Its true mask (Y, X)."""
        result: Mask = self.annotation.labels(frame) == self.label
        return result


@dataclass
class VosResult:
    """Scores by video and object, 0 to 1, and what clicks reached."""

    layout: str
    objects: dict[tuple[str, str], Score] = field(default_factory=dict)
    clicks: dict[tuple[str, str], int] = field(default_factory=dict)
    rounds: list[tuple[int, Score]] = field(default_factory=list)
    """Clicks for each object, and the mean score after them."""

    @property
    def mean(self) -> Score:
        """Over all objects."""
        return mean_score(self.objects.values())

    def table(self) -> pd.DataFrame:
        """One row an object, in percent; ``clicks_to_90`` where clicks were simulated."""
        rows = [
            {"video": video, "object": name, "j_and_f": 100 * s.jf, "j": 100 * s.j, "f": 100 * s.f}
            for (video, name), s in self.objects.items()
        ]
        table = pd.DataFrame(rows)
        if self.clicks:
            table["clicks_to_90"] = [self.clicks[key] for key in self.objects]
        return table

    def text(self) -> str:
        """Summary to print."""
        lines = [
            f"{video}  {name}  J&F {100 * s.jf:.1f}  J {100 * s.j:.1f}  F {100 * s.f:.1f}"
            for (video, name), s in self.objects.items()
        ]
        for clicks, score in self.rounds:
            lines.append(f"after {clicks} clicks an object: J&F {100 * score.jf:.1f}  J {100 * score.j:.1f}")
        if self.clicks:
            lines.append(f"clicks to 90 % J, mean over objects: {np.mean(list(self.clicks.values())):.2f}")
        mean = self.mean
        lines.append(
            f"{self.layout}, {len(self.objects)} objects: "
            f"J&F {100 * mean.jf:.1f}  J {100 * mean.j:.1f}  F {100 * mean.f:.1f}"
        )
        return "\n".join(lines)


def score_masks(data: VosData, found: Path) -> VosResult:
    """Compare masks that lie in a folder, in the layout of the annotations, with these.

    The first and the last annotated frame do not count, as in DAVIS.
    """
    result = VosResult(data.layout)
    for video in data.videos:
        for part in video.annotations:
            folder = found / video.name / part.object_id
            _score(result, video, part, partial(part.labels, folder=folder))
    return _with_scores(result)


def evaluate_first_masks(predictor: VideoPredictor, data: VosData, out: Path | None, say: Say) -> VosResult:
    """Follow each object from the mask it is first annotated with (semi-supervised), write masks, and score them."""
    result = VosResult(data.layout)
    for folder in (_written(out, video, part) for video in data.videos for part in video.annotations) if out else ():
        if any(folder.glob("*.png")):
            raise OutputError(f"{folder}: masks are there already; choose another folder")
    for video in data.videos:
        say(f"{video.name}: {len(video.frames)} frames")
        with open_stack(video.folder, colour=True) as stack:
            masks = _follow_first_masks(predictor, video, stack, out is not None)
        if out is not None:
            _write(masks, video, out)
        for part in video.annotations:
            _score(result, video, part, masks[part.object_id].__getitem__)
    return _with_scores(result)


def evaluate_clicks(predictor: VideoPredictor, data: VosData, settings: ClickingSettings, say: Say) -> VosResult:
    """Click each object where it is wrong, in the worst frame of each round (interactive, offline).

    All annotated frames count, since none is given.
    """
    result = VosResult(data.layout)
    after: list[list[Score]] = [[] for _ in range(settings.rounds)]
    for video in data.videos:
        targets = _targets(video)
        say(f"{video.name}: {len(video.frames)} frames, {len(targets)} objects")
        with open_stack(video.folder, colour=True) as stack:
            rounds = _ClickedVideo(predictor, video, targets, stack, settings).run()
        for number, scores in enumerate(rounds):
            after[number] += scores
        for k, target in enumerate(targets):
            key = (video.name, target.name)
            result.objects[key] = rounds[-1][k]
            reached = [n for n, scores in enumerate(rounds, 1) if scores[k].j >= settings.good_j]
            result.clicks[key] = (reached[0] if reached else settings.rounds) * settings.clicks
    result.rounds = [((n + 1) * settings.clicks, mean_score(scores)) for n, scores in enumerate(after)]
    return result


class _ClickedVideo:
    """One video under way."""

    def __init__(
        self,
        predictor: VideoPredictor,
        video: VosVideo,
        targets: list[Target],
        stack: Stack,
        settings: ClickingSettings,
    ) -> None:
        self.predictor, self.video, self.targets, self.settings = predictor, video, targets, settings
        self.state = predictor.init_state(stack)
        self.frames = {video.number(f): f for target in targets for f in target.annotation.frames}

    def run(self) -> list[list[Score]]:
        """Scores of the objects after each round."""
        worst = [target.first for target in self.targets]
        masks: list[dict[str, Mask]] = [{} for _ in self.targets]
        rounds = []
        for _ in range(self.settings.rounds):
            for k, frame in enumerate(worst):
                self._click(k, frame, masks[k].get(frame))
            masks = self._follow()
            rounds.append([self._scored(k, masks[k]) for k in range(len(self.targets))])
            worst = [self._worst(k, masks[k]) for k in range(len(self.targets))]
        return rounds

    def _click(self, k: int, frame: str, mask: Mask | None) -> None:
        truth = self.targets[k].truth(frame)
        mask = np.zeros_like(truth) if mask is None else mask
        for _ in range(self.settings.clicks):
            click = error_click(truth, mask)
            if click is None:
                return
            point, label = click
            t = self.video.number(frame)
            _, ids, logits = self.predictor.add_new_points_or_box(
                self.state, t, k + 1, points=[point], labels=[label], clear_old_points=False
            )
            mask = _array(logits)[list(ids).index(k + 1)] > 0

    def _follow(self) -> list[dict[str, Mask]]:
        found: list[dict[str, Mask]] = [{} for _ in self.targets]
        for t, ids, logits in self.predictor.follow_masks(self.state):
            if (frame := self.frames.get(t)) is not None:
                for object_id, row in zip(ids, _array(logits), strict=True):
                    found[object_id - 1][frame] = row > 0
        return found

    def _scored(self, k: int, masks: dict[str, Mask]) -> Score:
        scores = ObjectScores()
        target = self.targets[k]
        for frame in target.annotation.frames:
            scores.add(masks[frame].astype(np.uint8), target.truth(frame).astype(np.uint8))
        return scores.scores()[1]

    def _worst(self, k: int, masks: dict[str, Mask]) -> str:
        target = self.targets[k]
        return min(target.annotation.frames, key=lambda f: region_similarity(masks[f], target.truth(f)))


def _targets(video: VosVideo) -> list[Target]:
    """Objects of a video, each with the frame in which it is first seen."""
    found: dict[tuple[str, int], Target] = {}
    for part in video.annotations:
        for frame in part.frames:
            video.number(frame)
            for label in np.unique(part.labels(frame)).tolist():
                if label and (part.object_id, label) not in found:
                    found[part.object_id, label] = Target(part.object_id or str(label), part, label, frame)
    if not found:
        raise DataError(f"{video.folder}: nothing is annotated in '{video.name}'")
    return list(found.values())


def _follow_first_masks(
    predictor: VideoPredictor, video: VosVideo, stack: Stack, everything: bool
) -> dict[str, dict[str, NDArray[Any]]]:
    """Labels (Y, X) by annotation and frame; of frames that are not annotated too where ``everything`` is asked for.

    Objects that are first seen later are followed from there on.
    """
    targets = _targets(video)
    starts = sorted({target.first for target in targets})
    names = {t: frame for frame, t in video.frames.items()}
    found: dict[str, dict[str, NDArray[Any]]] = {part.object_id: {} for part in video.annotations}
    parts = {part.object_id: set(video.frames if everything else part.frames) for part in video.annotations}
    begun = {name: {t.first for t in targets if t.annotation.object_id == name} for name in parts}
    kept: dict[tuple[str, str], dict[int, Any]] = {}
    for first in starts:
        state, start = predictor.init_state(stack), video.number(first)
        for k, target in enumerate(targets):
            if target.first == first:
                predictor.add_new_mask(state, start, k, target.truth(first))
        for t, ids, rows in predictor.propagate_in_video(state, start_frame_idx=start):
            told = dict(zip(ids, _array(rows), strict=True))
            for name in [name for name in parts if first in begun[name] and names[t] in parts[name]]:
                mine = {targets[k].label: row for k, row in told.items() if targets[k].annotation.object_id == name}
                if len(begun[name]) == 1:  # logits of a whole video are kept only where some must wait for others
                    found[name][names[t]] = _flat(mine)
                else:
                    half = {label: row.astype(np.float16) for label, row in mine.items()}
                    kept.setdefault((name, names[t]), {}).update(half)
    for (name, frame), rows in kept.items():
        found[name][frame] = _flat(rows)
    for name, frames in parts.items():
        for frame in frames - found[name].keys():
            found[name][frame] = np.zeros(stack.shape[1:], np.uint8)
    return found


def _flat(rows: dict[int, Logits]) -> NDArray[Any]:
    """One label a px: where objects of one annotation overlap, the surer one."""
    stacked = np.stack(list(rows.values()))
    surest = np.array(list(rows))[stacked.argmax(0)]
    kind = np.uint8 if max(rows) <= np.iinfo(np.uint8).max else np.uint16
    return np.where(stacked.max(0) > 0, surest, 0).astype(kind)


def _score(result: VosResult, video: VosVideo, part: Annotation, labels: Callable[[str], NDArray[Any]]) -> None:
    scores = ObjectScores()
    marked: set[int] = set()
    for frame in part.frames[1:-1]:
        found, truth = labels(frame), part.labels(frame)
        if found.shape != truth.shape:
            raise DataError(f"{video.name}, frame {frame}: masks of {found.shape}, annotated are {truth.shape}")
        scores.add(found, truth)
        marked |= set(np.unique(found).tolist()) - {0}
    if marked and scores.true and not marked & scores.true:
        raise DataError(
            f"{video.name}: the masks mark {_numbers(marked)}, annotated are {_numbers(scores.true)}; "
            "an object must have the same number in both"
        )
    for label, score in scores.scores().items():
        result.objects[video.name, part.object_id or str(label)] = score


def _numbers(labels: set[int]) -> str:
    first = [str(label) for label in sorted(labels)[:_MOST_NAMED]]
    return ", ".join(first) + (", ..." if len(labels) > _MOST_NAMED else "")


def _write(masks: dict[str, dict[str, NDArray[Any]]], video: VosVideo, out: Path) -> None:
    for part in video.annotations:
        folder = _written(out, video, part)
        with output_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        with Image.open(part.folder / f"{part.frames[0]}.png") as first:
            palette = first.getpalette()
        for frame, labels in masks[part.object_id].items():
            picture = Image.fromarray(labels)
            if palette and labels.dtype == np.uint8:
                picture.putpalette(palette)
            with whole_file(folder / f"{frame}.png") as temporary:
                picture.save(temporary, format="PNG")


def _written(out: Path, video: VosVideo, part: Annotation) -> Path:
    return out / video.name / part.object_id


def _with_scores(result: VosResult) -> VosResult:
    if not result.objects:
        raise DataError(
            "nothing to score: no object is marked between the first and the last annotated frame of a video, "
            "which do not count"
        )
    return result


def _array(logits: Any) -> Logits:
    rows: Logits = logits.float().cpu().numpy()[:, 0]
    return rows
