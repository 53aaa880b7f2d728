"""How a network is trained: stages as data; fine-tuning by the names that SAM 2 gives its settings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from math import inf
from typing import Any

from sam2flow_core.config.model import PRESETS
from sam2flow_core.config.synthetic import AlterationConfig, BankConfig, RecordingScenes
from sam2flow_core.errors import DataError

_BOOLS = {"true": True, "false": False, "1": True, "0": False}
_KINDS: dict[type, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}
_FRAMES_OF = ("init_cond_frames", "frames_to_correct")
_SHARES = ("prob_", "random_horizontal_flip", "random_grayscale", "color_jitter_", "frame_jitter_", "layer_decay")
_MOST = {"resolution": 4096, "num_frames": 1024, "random_affine_degrees": 180, "random_affine_shear": 80}
_FIELD_SIZES = ((160, 0.35), (192, 0.4), (256, 0.25))
_FLOW_SIZES = ((160, 0.88), (256, 0.12))


@dataclass(frozen=True)
class FinetuningSettings:
    """How clips of slices are drawn, prompted and learned from.

    Attributes
    ----------
    resolution : int
        Side in px of the square that slices are seen in; a multiple of 32. SAM 2's weights were made at 1024.
    num_frames, max_num_objects : int
        Slices of a clip, and objects of it that are followed.
    prob_to_use_pt_input_for_train : float
        How often objects are prompted by clicks or a box, instead of their mask.
    prob_to_use_box_input_for_train : float
        How often, of these, by a box.
    prob_to_use_pt_input_for_eval, prob_to_use_box_input_for_eval : float
        The same where a network is tried (``--evaluate``); 0: by masks.
    prob_to_sample_from_gt_for_train : float
        How often a correction is clicked anywhere in the object, instead of in the error.
    prob_to_use_single_image_for_train : float
        How often a clip is one slice alone, which is learned by clicks or a box, as SAM learns pictures.
    num_init_cond_frames_for_train, num_frames_to_correct_for_train : int
        Slices that are prompted before the others are followed, and slices that are corrected, the first always among
        both; corrected ones count as prompted. Corrections are made where clicks or boxes are the prompts.
    rand_init_cond_frames_for_train, rand_frames_to_correct_for_train : bool
        Draw their numbers from 1 to these.
    num_init_cond_frames_for_eval, num_frames_to_correct_for_eval : int
    rand_init_cond_frames_for_eval, rand_frames_to_correct_for_eval : bool
        The same where a network is tried.
    pt_sampling_for_eval : str
        Where it is clicked then: ``center`` of the object or of the largest error, or ``uniform``, as in training.
    num_correction_pt_per_frame : int
        Clicks into the error of each slice that is corrected.
    base_lr, vision_lr : float
        Learning rates, of the image encoder the second; 0 leaves the image encoder as it is. Both fall to a tenth.
    layer_decay_value : float
        By what the image encoder's rate is multiplied from each block of its trunk to the one before.
    freeze_image_encoder : bool
        As a ``vision_lr`` of 0.
    weight_decay, clip_gradient : float
    region_loss : str
        ``focal``, SAM 2's, or ``balanced``, which learns from nothing too; both beside dice, IoU and object score.
        Every answer of a slice is learned from (multistep), and of three alternatives the best.
    random_horizontal_flip : float
        How often a clip is mirrored. This and the following are the transforms of SAM 2's recipe, by the names of their
        classes and arguments; a clip is changed as a whole but for the last.
    random_affine_degrees, random_affine_shear : float
        Largest rotation and shear, degrees.
    color_jitter_brightness, color_jitter_contrast, color_jitter_saturation : float
        By which share of 1 brightness, contrast and saturation are changed at most.
    random_grayscale : float
        How often a clip loses its colours.
    frame_jitter_brightness, frame_jitter_contrast, frame_jitter_saturation : float
        As ``color_jitter``, of each slice for itself.
    """

    resolution: int = 1024
    num_frames: int = 8
    max_num_objects: int = 3
    prob_to_use_pt_input_for_train: float = 0.5
    prob_to_use_box_input_for_train: float = 0.5
    prob_to_use_pt_input_for_eval: float = 0.0
    prob_to_use_box_input_for_eval: float = 0.0
    prob_to_sample_from_gt_for_train: float = 0.1
    prob_to_use_single_image_for_train: float = 0.0
    num_init_cond_frames_for_train: int = 2
    num_frames_to_correct_for_train: int = 2
    rand_init_cond_frames_for_train: bool = True
    rand_frames_to_correct_for_train: bool = True
    num_init_cond_frames_for_eval: int = 1
    num_frames_to_correct_for_eval: int = 1
    rand_init_cond_frames_for_eval: bool = False
    rand_frames_to_correct_for_eval: bool = False
    pt_sampling_for_eval: str = "center"
    num_correction_pt_per_frame: int = 7
    base_lr: float = 5e-6
    vision_lr: float = 3e-6
    layer_decay_value: float = 0.9
    freeze_image_encoder: bool = False
    weight_decay: float = 0.1
    clip_gradient: float = 0.1
    region_loss: str = "focal"
    random_horizontal_flip: float = 0.5
    random_affine_degrees: float = 25.0
    random_affine_shear: float = 20.0
    color_jitter_brightness: float = 0.1
    color_jitter_contrast: float = 0.03
    color_jitter_saturation: float = 0.03
    random_grayscale: float = 0.05
    frame_jitter_brightness: float = 0.1
    frame_jitter_contrast: float = 0.05
    frame_jitter_saturation: float = 0.05

    def __post_init__(self) -> None:
        self._check_ranges()
        if self.resolution % 32 or self.resolution < 32:
            raise DataError(f"resolution {self.resolution}: the side must be a multiple of 32 px")
        numbers = (getattr(self, f"num_{what}_for_{when}") for what in _FRAMES_OF for when in ("train", "eval"))
        if min(self.num_frames - 1, self.max_num_objects, *numbers) < 1:
            raise DataError("a clip needs two frames, an object, and one frame that is prompted and corrected")
        for name, known in (("region_loss", ("focal", "balanced")), ("pt_sampling_for_eval", ("center", "uniform"))):
            if getattr(self, name) not in known:
                raise DataError(f"no {name} '{getattr(self, name)}'; there are {' and '.join(known)}")

    def _check_ranges(self) -> None:
        for f in fields(self):
            value, share = getattr(self, f.name), f.name.startswith(_SHARES)
            if isinstance(value, str) or (0 <= value <= (1 if share else _MOST.get(f.name, inf)) and value < inf):
                continue
            most = 1 if share else _MOST.get(f.name)
            raise DataError(f"{f.name} cannot be {value}: give " + (f"0 to {most}" if most else "0 or more"))
        if self.clip_gradient == 0:
            raise DataError("clip_gradient cannot be 0: nothing would be learned")

    def with_values(self, texts: Iterable[str]) -> FinetuningSettings:
        """These settings with some changed, each given as ``name=value``; raises `DataError` for what does not fit."""
        kinds = {f.name: type(getattr(self, f.name)) for f in fields(self)}
        changes: dict[str, Any] = {}
        for text in texts:
            name, _, value = text.partition("=")
            if name not in kinds:
                raise DataError(f"no setting '{name}' of fine-tuning; there are {', '.join(kinds)}")
            try:
                changes[name] = _BOOLS[value.lower()] if kinds[name] is bool else kinds[name](value)
            except (KeyError, ValueError):
                raise DataError(f"{name} cannot be '{value}': give {_KINDS[kinds[name]]}") from None
        return replace(self, **changes)


@dataclass(frozen=True)
class StageConfig:
    """One stage of training.

    Attributes
    ----------
    share : float
        Part of the run's time or steps this stage takes.
    sizes : tuple of (int, float)
        Side of the clips in px, and how often it is drawn.
    pairs : int
        Consecutive pairs answered per clip; memory is carried from one to the next.
    learn_features : bool
        Whether the learned part of the matching features is trained; fixed patches alone are cheaper.
    predicted_masks : float
        How often the flow sees the predicted mask instead of a roughened true one.
    parts : tuple of str
        What is trained, in one step: ``field``, ``masks`` (clicks and their corrections), ``memory`` (vessels
        prompted in one frame and followed by memory alone, the image encoder left as it is), ``matching`` (memory by
        matching, while the tissue moves), ``flow``.
    frames : int
        Consecutive frames of a clip.
    scattered_pairs : int
        Pairs of frames all over the recording that make the background, the activity and the statistics of motion.
    unsteady : float
        Largest rest of tissue motion, px; only where no flow is learned.
    context : bool
        Whether the flow sees the features of the image encoder, which it does not change; with ``masks`` it always
        does.
    remembered_pairs : int
        Pairs before the answered ones, at random distances, that the motion memory holds when they are answered.
    name : str
        By which it is asked for alone.
    """

    share: float
    sizes: tuple[tuple[int, float], ...]
    pairs: int
    learn_features: bool
    predicted_masks: float
    parts: tuple[str, ...] = ("field", "masks", "memory", "flow")
    frames: int = 34
    scattered_pairs: int = 20
    unsteady: float = 0.0
    context: bool = False
    remembered_pairs: int = 0
    name: str = ""


@dataclass(frozen=True)
class StripLessons:
    """What the strip decoder is shown.

    Attributes
    ----------
    per_clip : int
        Strips of each clip: its making costs more than several strips of it.
    clicks : tuple of (int, float)
        Number of positive clicks, and how often.
    negative : float
        How often negative clicks are among them.
    any_way : float
        How often the way is any of those that the clicks may mean, not the likeliest.
    smallest : int
        px of a vessel in view from which on it is clicked.
    together : int
        Strips of about one length that are decoded at once.
    """

    per_clip: int = 16
    clicks: tuple[tuple[int, float], ...] = ((1, 0.5), (2, 0.15), (3, 0.2), (5, 0.15))
    negative: float = 0.35
    any_way: float = 0.3
    smallest: int = 30
    together: int = 8


@dataclass(frozen=True)
class MotionLessons:
    """How tissue moves and what goes wrong in the clips that memory by matching learns from.

    Attributes
    ----------
    margin : int
        px on each side of a clip that are left for tissue to come into sight from.
    still : float
        Share of the clips whose tissue stands still, as a stabiliser leaves it.
    shift_px, bend_px : tuple of float
        Size of the motion as a whole, and of what bends, px.
    bends : float
        Share of the clips whose tissue bends.
    drifting_focus : float
        Share of the clips out of focus now and then, by up to 2.5 px.
    faults : float
        Share of the clips with frames of noise, without anything, of another recording, or far out of focus.
    vanishing : float
        Share of the clips in which vessels vanish and return.
    noise : float
        Most that is added, in units of what moves.
    least_pixels : float
        Of a vessel in view that counts as seen.
    longest_gap : float
        Frames for which the step from one frame to the next may be taken.
    remembered_anyway : float
        How often a frame is remembered in which nothing is seen.
    displacement_weight : float
        Of the error of displacements, against that of masks.
    """

    margin: int = 32
    still: float = 0.15
    shift_px: tuple[float, float] = (0.5, 16.0)
    bend_px: tuple[float, float] = (0.3, 10.0)
    bends: float = 0.7
    drifting_focus: float = 0.4
    faults: float = 0.4
    vanishing: float = 0.35
    noise: float = 0.5
    least_pixels: float = 30.0
    longest_gap: float = 20.0
    remembered_anyway: float = 0.15
    displacement_weight: float = 0.5


@dataclass(frozen=True)
class DevelopmentConfig:
    """Recordings that a run is steered by and never learns from.

    Attributes
    ----------
    clips : int
    side, frames : int
        Of each clip, px and frames.
    scattered_pairs : int
        Pairs of frames that stand for the recording a clip is cut from.
    clicks : int
        In each vessel, for the figure of several clicks.
    minutes : float
        Between one measure and the next.
    seed : int
    """

    clips: int = 16
    side: int = 192
    frames: int = 34
    scattered_pairs: int = 20
    clicks: int = 3
    minutes: float = 10.0
    seed: int = 1


@dataclass(frozen=True)
class TrainingConfig:
    """A whole run."""

    stages: tuple[StageConfig, ...]
    bank: BankConfig = field(default_factory=BankConfig)
    recordings: RecordingScenes = field(default_factory=RecordingScenes)
    alterations: AlterationConfig = field(default_factory=AlterationConfig)
    learning_rate: float = 6e-4
    weight_decay: float = 1e-3
    clip_gradient: float = 1.0
    warm_up: float = 0.05
    clips_per_step: int = 2
    clips_at_once_on_cpu: int | None = None
    """Clips of a step that go through the network at a time on a processor, where memory is short; their gradients are
    added up, so that a step teaches the same. None: all of them."""
    ema: float = 0.998
    anywhere: float = 0.25
    """How often the answered pairs lie anywhere in the clip, not in its middle."""
    iteration_discount: float = 0.8
    bins_weight: float = 0.5
    fine_weight: float = 0.2
    mask_weight: float = 1.0
    most_vessels: int = 4
    """Vessels of a clip that are learned from; the rest only stand around."""
    most_flow_pixels: int = 60_000
    """Px of vessels' frames whose flow is learned from: vessels are left out of large clips."""
    reuse: int = 2
    """How often a clip that is read from a folder is used, each time altered anew; scenes: `BankConfig`."""
    save_minutes: float = 4.0
    development: DevelopmentConfig = field(default_factory=DevelopmentConfig)
    strips: StripLessons = field(default_factory=StripLessons)
    motion: MotionLessons = field(default_factory=MotionLessons)
    first_boxes: float = 0.0
    """How often vessels are first prompted by a box instead of a click."""
    first_masks: float = 0.0
    """How often by their mask."""
    later_clicks: float = 0.0
    """How often masks found by memory are corrected by a click into their error."""
    given_memory: float = 0.5
    """How often a memory begins with a true mask, roughened, and not with what the decoder made of the clicks."""
    memory_frames: int = 8
    """Frames that vessels are followed through by memory, at random distances."""
    prompted_memory: float = 0.3
    """How often the oldest pair in the motion memory counts as one with a prompt."""
    region_loss: str = "balanced"
    """Of masks, beside dice: ``balanced`` entropy, or SAM's ``focal`` loss."""
    wander_px: float = 0.0
    """Standard deviation of the tissue's step from frame to frame, for memory."""
    bf16: bool = False
    """Whether convolutions and matrix products are done in bfloat16; correlation, flow and losses never are."""
    log_steps: int = 10
    """Figures leave the device every so many steps: each time the processor waits for it."""


TRAINING: dict[str, TrainingConfig] = {
    "tiny": TrainingConfig(
        stages=(
            StageConfig(
                0.20, _FIELD_SIZES, 0, False, 0.0, ("field",), 2, scattered_pairs=18, unsteady=0.4, name="field"
            ),
            StageConfig(
                0.20, _FIELD_SIZES, 0, False, 0.0, ("field", "masks"), 2, scattered_pairs=18, unsteady=0.4, name="masks"
            ),
            StageConfig(
                0.20, _FIELD_SIZES, 0, False, 0.0, ("strips",), 2, scattered_pairs=18, unsteady=0.4, name="strips"
            ),
            StageConfig(
                0.20, ((224, 1.0),), 0, False, 0.0, ("matching",), 24, scattered_pairs=12, unsteady=0.4, name="memory"
            ),
            StageConfig(0.30, _FLOW_SIZES, 2, False, 0.0, ("flow",), context=True, name="flow"),
            StageConfig(0.10, _FLOW_SIZES, 2, True, 0.0, ("flow",), context=True, name="features"),
            StageConfig(
                0.20,
                _FLOW_SIZES,
                2,
                False,
                0.4,
                ("field", "strips", "matching", "masks", "flow"),
                remembered_pairs=6,
                name="together",
            ),
        ),
        learning_rate=8e-4,
        wander_px=2.0,
        later_clicks=0.1,
    ),
}


# A design of memory on top of weights that know vessels: minutes, not hours.
MEMORY_TRAINING = TrainingConfig(
    stages=(StageConfig(1.0, ((128, 1.0),), 0, False, 0.0, ("memory",), frames=12, name="memory"),),
    learning_rate=5e-4,
    clips_per_step=2,
    most_vessels=3,
    first_boxes=0.1,
    first_masks=0.5,
    later_clicks=0.1,
    wander_px=2.0,
)


for _name in PRESETS.keys() - TRAINING.keys():
    TRAINING[_name] = TrainingConfig(
        stages=(
            StageConfig(0.3, ((256, 1.0),), 1, True, 0.0, ("masks", "flow"), name="begin"),
            StageConfig(
                0.7,
                ((256, 0.5), (384, 0.5)),
                3,
                True,
                0.2,
                ("masks", "memory", "flow"),
                remembered_pairs=4,
                name="together",
            ),
        ),
        learning_rate=1.75e-4,
        clips_per_step=8,
        clips_at_once_on_cpu=1,
    )
