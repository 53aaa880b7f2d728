"""Shape of the network: one frozen record per part, the memory that carries masks, and the presets as data."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sam2flow_core.errors import ModelError
from sam2flow_core.untrusted import STRICT, read_json

_FORMER_SETTINGS = {
    "tube_reach": "tracing_reach",
    "evidence_hidden": "cost_volume_hidden",
    "use_evidence_pooling": "use_cost_volume_pooling",
}
"""Names of settings in weights files that are already out, and what they are called today."""
_MOST_LAYERS = ("stages", "depth", "memory_layers", "growth_rounds", "iterations", "blocks", "lookup_radius", "window")
_SIDES = ("patch", "patch_basis", "stride", "feature_stride", "window_spec", "global_pos_size", "lags", "windows")


@dataclass(frozen=True)
class MemoryConfig:
    """A memory design with its numbers; a design reads its own numbers only.

    Attributes
    ----------
    design : str
        ``recent`` (SAM 2), ``short-long`` (SLM-SAM 2), ``relevant`` (after SAM-I2V), ``gated`` (SAMURAI) or
        ``associated`` (SAM-I2V as published); see `sam2flow_core.model.memory_designs`.
    short_frames, long_frames : int
        Entries in the short and in the long bank of ``short-long``; prompted frames come on top of the long one.
    pool_frames : int
        Unprompted entries from which ``relevant`` chooses.
    relevant_frames : int
        Entries that ``relevant`` reads.
    integrated_frames : int
        Frames before the present one that the temporal feature integrator of ``relevant`` looks at.
    least_affinity, least_presence, least_motion : float
        Below any of these, 0 to 1, ``gated`` does not write: the mask's estimated IoU, the probability that the object
        is there, and the IoU of its box with the one that its motion so far predicts.
    seen_noise, push : float
        Of that prediction, in sides of the box: standard deviations of a measured box, and of the change of its
        velocity from frame to frame.
    gated_pool : int
        Unprompted entries that ``gated`` holds; it reads the best of them.
    near_pool, near_frames : int
        Frames just before the present one among which ``associated`` draws, the likelier the more they look like it,
        and how many it draws.
    far_pool, far_frames : int
        The same of the frames before those.
    prompt_tokens : int
        Prompts for the decoder that ``associated`` makes of what it reads.
    """

    design: str = "recent"
    short_frames: int = 2
    long_frames: int = 4
    pool_frames: int = 8
    relevant_frames: int = 4
    integrated_frames: int = 2
    least_affinity: float = 0.5
    least_presence: float = 0.5
    least_motion: float = 0.3
    seen_noise: float = 0.05
    push: float = 0.02
    gated_pool: int = 8
    near_pool: int = 4
    near_frames: int = 2
    far_pool: int = 16
    far_frames: int = 4
    prompt_tokens: int = 3


@dataclass(frozen=True)
class ImageEncoderConfig:
    """SAM 2 Hiera trunk, adapters and FPN neck; or the image encoder of an image-only SAM (`IMAGE_SAMS`)."""

    embed_dim: int
    """Channels of the first stage."""
    num_heads: int
    stages: tuple[int, int, int, int]
    """Blocks of each; of ``vit``, which has one stage, in the first place."""
    global_att_blocks: tuple[int, ...]
    window_spec: tuple[int, int, int, int]
    global_pos_size: tuple[int, int] | None
    """Grid of absolute positions; None: only positions within a window, so that images may have any size."""
    adapter_dim: int
    """Width of the adapters' bottleneck; 0 leaves the adapters out."""
    use_adapters: bool = True
    """False: what the adapters have learned is left aside."""
    trunk: str = "hiera"
    """``hiera`` (SAM 2), ``tiny_vit`` (MobileSAM, TinySAM) or ``vit`` (SAM)."""
    window: int = 0
    """Frames, the present one among them, that the temporal feature integrator of SAM-I2V looks at; 0: it has none."""


@dataclass(frozen=True)
class MaskConfig:
    """Prompt encoder, ROI decoder and context memory."""

    d_model: int
    heads: int
    mlp_dim: int
    depth: int
    mask_in_chans: int
    memory_dim: int
    memory_layers: int
    memory_mlp_dim: int
    memory_frames: int
    """Entries in the bank beside the prompted frames (SAM 2: 6 recent + prompted)."""
    max_pointers: int
    position_frame: float | None = None
    """Side in px of the frame positions are measured in; None: the image, as SAM 2 does."""
    field_widths: tuple[int, ...] = ()
    """Channels of the vessel field's network at strides 2, 4, 8...; none: no vessel field, masks as SAM 2."""
    strip_widths: tuple[int, ...] = ()
    """Channels of the strip decoder at full, half... resolution; none: clicks are not followed through the field."""
    strip_motion: bool = False
    """Whether the strip decoder is also shown where things move as they do at the click."""
    matching_widths: tuple[int, ...] = ()
    """Channels of the memory by matching at strides 2, 4, 8, 16; none: memory looks at tokens, as SAM 2's."""
    growth_rounds: int = 0
    """Times the decoder's mask is carried along the vessel (`region_growth`); 0: as SAM 2."""
    growth_dim: int = 24
    tracing_reach: float = 800.0
    """px a clicked vessel is followed each way."""
    as_sam2: bool = False
    """Have the layers of SAM 2.1 to the last one: a padding point after the clicks, pointers that know their age,
    a given mask turned into a pointer. Presets that take official weights have them."""
    image_only: bool = False
    """As SAM was before SAM 2: single pictures, so no memory and no head that says if an object is there."""
    fine_levels: bool = True
    """Whether the decoder is given the image features of strides 4 and 8 as well."""
    decodes: bool = True
    """False: the prompt encoder, the decoder, the memory of tokens and all of the image encoder beyond stride 4 are
    left out. Nothing is asked of them where clicks are followed through the vessel field and memory matches frames; in
    training they teach the image encoder."""
    memory: MemoryConfig = field(default_factory=MemoryConfig)
    """Which design of memory; the numbers above are those all designs share."""

    def __post_init__(self) -> None:
        if self.matching_widths and not self.field_widths:
            raise ValueError("memory by matching needs a vessel field: the decoder knows nothing of what it remembers")
        if not (self.decodes or self.follows):
            raise ValueError("a network without a decoder needs vessel field and memory by matching")

    @property
    def follows(self) -> bool:
        """Whether clicks are followed through the vessel field and memory matches frames: then no decoder is asked."""
        return bool(self.field_widths and self.matching_widths)

    @property
    def trusts_object_score(self) -> bool:
        """Whether the head that says if an object is there was trained to: SAM 2's is, that of `tiny` is at chance.

        Where it is not, the score is passed on for those who read it and decides nothing.
        """
        return self.as_sam2


@dataclass(frozen=True)
class MatchConfig:
    """Matching features and the cost volume, pooled along the vessel."""

    stride: int
    """Pixels per cell on which flow is estimated."""
    feature_stride: int
    """Pixels per cell of the matching features."""
    patch: int
    """Side of the matched patch in px."""
    patch_basis: int
    """Cosines kept per axis; the patch is described by ``patch_basis**2 - 1`` numbers."""
    hidden: int
    """Width of the learned residual encoder."""
    encoder: str
    """``patch`` (fixed patches + learned residual) or ``resnet34`` (the published one)."""
    feature_dim: int
    lags: tuple[int, ...]
    windows: tuple[int, ...]
    """Numbers of pairs over which the cost volume is pooled in time."""
    max_displacement: float
    """Largest speed that is looked for, px per frame."""
    whole_vessel: bool = False
    """Whether each cell is also given what all cells of its vessel see, and their speed followed through time."""


@dataclass(frozen=True)
class CostVolumeSettings:
    """How the cost volume is laid out and pooled. All weights were trained with these numbers, so no file holds them.

    Attributes
    ----------
    near_cells : int
        Cells each way of the first pooling along the streamline.
    hops : tuple of tuple of int
        Cells at which the wider poolings read the narrower one before them.
    speed_steps : tuple of (float, float)
        Step of the speeds that are tried up to each speed, px per frame.
    direction_windows : tuple of float
        Windows in cells in which a vessel's direction is found; capillaries are one or two cells wide, large venules
        fifteen.
    bins_around : int
        Speeds each way of the best one that may share in the answer.
    least_cells : float
        Number of cells from which on the mean over a whole vessel counts more than nothing seen.
    contrast_power : float
        Of `moving_energy`, in what a correlation counts; chosen on development recordings of both generators, the only
        number here that no weights were trained with.
    """

    near_cells: int = 3
    hops: tuple[tuple[int, ...], tuple[int, ...]] = ((-8, -4, 0, 4, 8), (-12, 0, 12))
    speed_steps: tuple[tuple[float, float], ...] = ((0.25, 2.0), (0.5, 4.0), (1.0, 12.0), (2.0, 1e9))
    direction_windows: tuple[float, ...] = (1.5, 3.0, 6.0, 12.0)
    bins_around: int = 3
    least_cells: float = 5.0
    contrast_power: float = 0.7


COST_VOLUME = CostVolumeSettings()


@dataclass(frozen=True)
class UpdateConfig:
    """Recurrent refinement of the flow."""

    hidden: int
    context: int
    iterations: int
    blocks: int
    lookup_radius: int
    motion_memory_dim: int
    motion_memory_frames: int
    """Entries in the motion memory beside the prompted frames; 0: there is none."""
    cost_volume_hidden: int
    motion_memory_reach: int | None = None
    """Frames back that the motion memory is read, beside the prompted ones; None: all that it holds."""
    asked_iterations: int | None = None
    """Iterations in use, where more were measured to add little; None: as many as in training."""


@dataclass(frozen=True)
class ModelConfig:
    """The whole network."""

    __pydantic_config__ = STRICT | {"extra": "forbid"}

    preset: str
    image: ImageEncoderConfig
    mask: MaskConfig
    match: MatchConfig
    update: UpdateConfig
    use_motion_memory: bool = True
    use_context_memory: bool = True
    use_cost_volume_pooling: bool = True
    use_contrast: bool = True
    """False: what cells see counts the same whether anything passes them or not."""
    use_whole_vessel: bool = True
    """False: what whole vessels show is not looked at, by weights that know it."""
    use_flow: bool = True
    """False: masks only, as SAM 2; such weights cannot measure velocity."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a checkpoint's header."""
        return asdict(self)

    @staticmethod
    def from_dict(data: dict[str, Any]) -> ModelConfig:
        """Inverse of `to_dict`, of files with older names too; raises `ModelError` where the data does not fit.

        Examples
        --------
        >>> ModelConfig.from_dict(preset("tiny").to_dict()) == preset("tiny")
        True
        """
        try:
            config = read_json(ModelConfig, json.dumps(_with_todays_names(data)))
            _check_sizes(asdict(config), ModelConfig.__name__)
        except (TypeError, ValueError) as error:
            raise ModelError(f"the checkpoint's configuration does not fit this version ({error})") from None
        return config


def _with_todays_names(data: Any) -> Any:
    if not isinstance(data, dict):
        return data
    return {_FORMER_SETTINGS.get(name, name): _with_todays_names(value) for name, value in data.items()}


def _check_sizes(value: Any, name: str) -> None:
    """Raise `ValueError` for numbers with which building or running the network would never end."""
    if isinstance(value, dict):
        for key, part in value.items():
            _check_sizes(part, key)
    elif isinstance(value, tuple):
        if len(value) > 64:
            raise ValueError(f"{name} has {len(value)} parts")
        for part in value:
            _check_sizes(part, name)
    elif isinstance(value, int | float):
        most = 64 if name in _MOST_LAYERS else 256 if name in _SIDES else 100_000
        if not 0 <= value <= most:
            raise ValueError(f"{name} is {value:g}")


def _sam2(
    preset: str, embed: int, heads: int, stages: tuple[int, int, int, int], attend: tuple[int, ...], pos: int
) -> ModelConfig:
    """Presets whose image side has the shape of an official SAM 2 checkpoint."""
    spec = (8, 4, 16, 8) if embed == 144 else (8, 4, 14, 7)
    return ModelConfig(
        preset=preset,
        image=ImageEncoderConfig(embed, heads, stages, attend, spec, (pos, pos), adapter_dim=32),
        mask=MaskConfig(256, 8, 2048, 2, 16, 64, 4, 2048, 6, 16, as_sam2=True),
        match=MatchConfig(8, 4, 16, 8, 64, "resnet34", 256, (1, 3, 9), (1, 5, 25), 64.0),
        update=UpdateConfig(128, 128, 8, 2, 4, 64, 7, 64),
    )


PRESETS: dict[str, ModelConfig] = {
    "tiny": ModelConfig(
        preset="tiny",
        image=ImageEncoderConfig(24, 1, (1, 2, 4, 1), (), (8, 4, 8, 4), None, adapter_dim=8),
        mask=MaskConfig(
            64,
            4,
            256,
            2,
            16,
            32,
            2,
            128,
            4,
            8,
            position_frame=512.0,
            field_widths=(24, 40, 64, 96),
            strip_widths=(24, 40, 64, 96),
            strip_motion=True,
            matching_widths=(16, 24, 32, 32),
            growth_rounds=2,
        ),
        match=MatchConfig(4, 2, 12, 5, 24, "patch", 24, (1, 3, 9), (1, 5, 25), 48.0, whole_vessel=True),
        update=UpdateConfig(64, 48, 3, 2, 2, 64, 0, 24, asked_iterations=2),
    ),
    "small": _sam2("small", 96, 1, (1, 2, 7, 2), (5, 7, 9), 7),
    "medium": _sam2("medium", 96, 1, (1, 2, 11, 2), (7, 10, 13), 7),
    "base": _sam2("base", 112, 2, (2, 3, 16, 3), (12, 16, 20), 14),
    "large": _sam2("large", 144, 2, (2, 6, 36, 4), (23, 33, 43), 7),
}


def _image_sam(name: str, image: ImageEncoderConfig) -> ModelConfig:
    mask = MaskConfig(256, 8, 2048, 2, 16, 64, 4, 512, 6, 16, as_sam2=True, image_only=True, fine_levels=False)
    small = PRESETS["small"]
    return ModelConfig(name, image, mask, small.match, small.update, use_flow=False)


_VIT_WINDOWS = (14, 14, 14, 14)
IMAGE_SAMS: dict[str, ModelConfig] = {
    config.preset: config
    for config in (
        _image_sam("mobile-sam", ImageEncoderConfig(64, 2, (2, 2, 6, 2), (), (7, 7, 14, 7), None, 0, trunk="tiny_vit")),
        _image_sam(
            "sam-vit-b",
            ImageEncoderConfig(768, 12, (12, 0, 0, 0), (2, 5, 8, 11), _VIT_WINDOWS, (64, 64), 0, trunk="vit"),
        ),
        _image_sam(
            "sam-vit-l",
            ImageEncoderConfig(1024, 16, (24, 0, 0, 0), (5, 11, 17, 23), _VIT_WINDOWS, (64, 64), 0, trunk="vit"),
        ),
        _image_sam(
            "sam-vit-h",
            ImageEncoderConfig(1280, 16, (32, 0, 0, 0), (7, 15, 23, 31), _VIT_WINDOWS, (64, 64), 0, trunk="vit"),
        ),
    )
}
"""Image-only SAMs by name: MobileSAM and TinySAM, which have one shape, and the three sizes of SAM."""


def upgraded_to_video(config: ModelConfig) -> ModelConfig:
    """An image-only SAM with all that SAM-I2V adds: integrator, memory, memory prompts, a head for presence."""
    mask = replace(config.mask, image_only=False, memory=MemoryConfig("associated"))
    return replace(config, preset=f"{config.preset}-video", image=replace(config.image, window=5), mask=mask)


def preset(name: str) -> ModelConfig:
    """Configuration of a preset by name; raises `ModelError` for an unknown one.

    Examples
    --------
    >>> preset("tiny").preset
    'tiny'
    """
    if name not in PRESETS:
        raise ModelError(f"no preset '{name}'; there are {', '.join(PRESETS)}")
    return PRESETS[name]
