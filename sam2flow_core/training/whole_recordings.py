"""Whole recordings as lessons of the vessel field and the strip decoder: filmed, and summarised as in use.

Clips are cut out of scenes, and the trainer summarises pairs of frames of them. A run sees the whole picture, and what
its own registration and sampling of frames make of it. A field that learned on clips alone became better on clips
and worse there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from sam2flow_core.config.synthetic import RecordingScenes, SceneSettings
from sam2flow_core.config.tracing import TracingSettings
from sam2flow_core.config.training import StripLessons
from sam2flow_core.files import whole_file
from sam2flow_core.inference.predictor import SAM2FlowPredictor
from sam2flow_core.model.sam2flow import SAM2Flow
from sam2flow_core.model.vessel_field import VesselField
from sam2flow_core.stack import open_stack
from sam2flow_core.synthetic import Scene, film_long, sample_scene
from sam2flow_core.synthetic.random_draws import log_uniform, stream, uniform
from sam2flow_core.synthetic.record import RecordPlan
from sam2flow_core.synthetic.streamline_records import record_scene
from sam2flow_core.tracing.field_map import FieldMap
from sam2flow_core.training.field_turns import FieldLesson
from sam2flow_core.training.framing import whole_framing
from sam2flow_core.training.scene_truth import StreamMaps, true_fields
from sam2flow_core.training.strip_part import StripExercise, draw_exercises

WHOLE_NAMESPACE = 0x77686F6C
"""Branch of the seed tree that these recordings are drawn from."""


@dataclass(frozen=True)
class RecordingLesson:
    """What a run makes of a recording before anything is clicked, and the truth.

    Attributes
    ----------
    seen : FieldLesson
        Of one recording.
    moving : Tensor (2 P, h, w)
        What moves in the frames of pairs from all over it.
    masks : ndarray of bool, shape (V, H, W)
    """

    seen: FieldLesson
    moving: Tensor
    masks: NDArray[np.bool_]

    def laid_out(self, field: VesselField) -> FieldMap:
        """What clicks are followed through: a field (1, ...) that a network made of it."""
        pictures, shown = self.seen.statistics[0, -2:], (self.masks.shape[1], self.masks.shape[2])
        return FieldMap(VesselField(*(x[0] for x in field)), TracingSettings(), pictures, shown, self.moving)


class WholeRecordings:
    """So many recordings; each is filmed when it is first drawn, which takes seconds, and kept.

    Parameters
    ----------
    count : int
    how : RecordingScenes
    folder : Path, optional
        Where they are kept, also for later runs; by default they go with this object.
    seed : int
    """

    def __init__(self, count: int, how: RecordingScenes, folder: Path | None = None, seed: int = 1) -> None:
        self.count, self.how, self.seed = count, how, seed
        if folder is None:
            self._own = TemporaryDirectory()
            folder = Path(self._own.name)
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self._predictor = SAM2FlowPredictor.from_pretrained("tiny", "cpu")

    def draw(self, rng: np.random.Generator) -> RecordingLesson:
        """Any of them."""
        return self.recording(int(rng.integers(self.count)))

    def recording(self, number: int) -> RecordingLesson:
        """One of them: the same each time."""
        path = self.folder / f"{self.seed}-{number:05d}.safetensors"
        if not path.is_file():
            kept = _as_tensors(self._film(number))
            with whole_file(path) as part:
                save_file(kept, part)
        return _from_tensors(load_file(path))

    def _film(self, number: int) -> RecordingLesson:
        rng = stream(WHOLE_NAMESPACE, self.seed, number)
        while True:
            side, frames = int(rng.choice(self.how.sides)), int(rng.integers(*self.how.frames))
            scene = sample_scene(rng, (side, side), draw_settings(rng, self.how))
            lesson = film_lesson(self._predictor, scene, frames)
            if lesson is not None:
                return lesson


def recordings_beside(scenes: Path | None, count: int, how: RecordingScenes, seed: int) -> WholeRecordings | None:
    """So many whole recordings, kept in the folder of the scenes that clips are cut from; None for none."""
    return WholeRecordings(count, how, None if scenes is None else scenes / "recordings", seed) if count else None


def exercises_of_recording(
    model: SAM2Flow, recording: RecordingLesson, lessons: StripLessons, rng: np.random.Generator
) -> list[StripExercise]:
    """Make a recording's vessel field, click its vessels and follow the clicks, as `exercises_of` does with clips."""
    with torch.no_grad():
        layout = recording.laid_out(model.map_vessels(recording.seen.statistics))
    masks = recording.masks[rng.permutation(len(recording.masks))]
    return draw_exercises(layout, masks, lessons.per_clip, model.config.mask.tracing_reach, lessons, rng)


def draw_settings(rng: np.random.Generator, how: RecordingScenes) -> SceneSettings:
    """Draw one recording's vessels, magnification and speeds: alike within it, and far from those of the next."""
    width, speed = log_uniform(rng, how.width_px), log_uniform(rng, how.speed_px)
    return replace(
        how.scene,
        plan=how.plans[int(rng.integers(len(how.plans)))],
        diameter_px=(width, width * uniform(rng, how.width_spread)),
        speed_bins_px=((speed, speed * uniform(rng, how.speed_spread)),),
    )


def film_lesson(predictor: SAM2FlowPredictor, scene: Scene, frames: int) -> RecordingLesson | None:
    """Film a square scene that stands still and look at it as a run does; None where no vessel is seen.

    Also where the predictor works at another resolution than the recording's.
    """
    side = scene.size[0]
    plan = RecordPlan(np.arange(2), run=2, moment=2)
    record = record_scene(scene, plan, np.zeros((2, side, side), np.float32))
    if record is None:
        return None
    video = np.concatenate(list(film_long(scene, np.arange(frames))))
    state = predictor.init_state(open_stack(video), pixel_size_um=scene.pixel_size_um)
    if state.frames.size != (side, side):
        return None
    found = state.frames.take_statistics()
    if found is None:
        return None
    framing = whole_framing(record)
    field = true_fields([framing], StreamMaps([framing], torch.device("cpu")))
    return RecordingLesson(FieldLesson(found.field_input, field), found.moving, scene.masks)


def _as_tensors(lesson: RecordingLesson) -> dict[str, Tensor]:
    """In half precision."""
    field = {f"field.{k}": x.half() for k, x in lesson.seen.field._asdict().items()}
    rest = {"statistics": lesson.seen.statistics.half(), "moving": lesson.moving.half()}
    tensors = {**field, **rest, "masks": torch.from_numpy(lesson.masks)}
    return {k: x.clone().contiguous() for k, x in tensors.items()}


def _from_tensors(kept: dict[str, Tensor]) -> RecordingLesson:
    field = VesselField(*(kept[f"field.{name}"].float() for name in VesselField._fields))
    masks = kept["masks"].numpy().astype(bool)
    return RecordingLesson(FieldLesson(kept["statistics"].float(), field), kept["moving"].float(), masks)
