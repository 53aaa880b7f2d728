"""The way scripts for SAM 2 make their predictor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from sam2flow_core.config.inference import InferenceSettings, Sam2Settings
from sam2flow_core.errors import ModelError
from sam2flow_core.inference.mask_predictor import SAM2MaskPredictor
from sam2flow_core.inference.predictor import SAM2FlowPredictor
from sam2flow_core.inference.weights import choose_device, load_model
from sam2flow_core.model.sam2flow import SAM2Flow


def build_sam2_video_predictor(
    config_file: str,
    ckpt_path: str | Path | None = None,
    device: str = "auto",
    mode: str = "eval",
    hydra_overrides_extra: Sequence[str] = (),
    apply_postprocessing: bool = True,
    vos_optimized: bool = False,
) -> SAM2FlowPredictor | SAM2MaskPredictor:
    """Predictor of a checkpoint, by SAM 2's own call.

    Parameters
    ----------
    config_file : str
        Not read: a checkpoint shows its shape by itself.
    ckpt_path : str or Path
        Official ``.pt`` file, or any weights that `load_model` takes.
    device : str
        auto, cpu, cuda or mps.
    mode, vos_optimized
        Taken as they come; a predictor is always for evaluation and never compiled.
    hydra_overrides_extra : sequence of str
        Must be empty: they belong to SAM 2's configuration files.
    apply_postprocessing : bool
        Prefer steady masks and remember prompted ones sharply, as SAM 2 does. Small holes are left.

    Returns
    -------
    SAM2FlowPredictor where the weights know flow, else SAM2MaskPredictor.

    Raises
    ------
    ModelError
        If there is no checkpoint, or overrides are given.

    References
    ----------
    .. [1] N. Ravi et al., "SAM 2: Segment Anything in Images and Videos", 2024, :doi:`10.48550/arXiv.2408.00714`.
    """
    _check_call(ckpt_path, hydra_overrides_extra)
    network, description = load_model(str(ckpt_path))
    settings = _settings(apply_postprocessing)
    return _predictor(network, choose_device(str(device)), description, settings)


def build_sam2(
    config_file: str,
    ckpt_path: str | Path | None = None,
    device: str = "auto",
    mode: str = "eval",
    hydra_overrides_extra: Sequence[str] = (),
    apply_postprocessing: bool = True,
) -> SAM2Flow:
    """Network of a checkpoint, by SAM 2's own call, for `SAM2ImagePredictor` and `SAM2AutomaticMaskGenerator`.

    Parameters are those of `build_sam2_video_predictor`. With ``apply_postprocessing=False`` predictors of this network
    do not prefer steady masks, as with ``SAM2ImagePredictor(model, settings=Sam2Settings(steady_masks=False))``.

    Raises
    ------
    ModelError
        If there is no checkpoint, or overrides are given.

    References
    ----------
    .. [1] N. Ravi et al., "SAM 2: Segment Anything in Images and Videos", 2024, :doi:`10.48550/arXiv.2408.00714`.

    Examples
    --------
    >>> build_sam2("", "tiny", device="cpu").config.preset
    'tiny'
    """
    _check_call(ckpt_path, hydra_overrides_extra)
    model, _ = load_model(str(ckpt_path))
    model.steady_masks = apply_postprocessing
    return model.to(choose_device(str(device))).eval()


def build_i2v_video_predictor(
    config_file: str,
    ckpt_path: str | Path | None = None,
    device: str = "auto",
    mode: str = "eval",
    hydra_overrides_extra: Sequence[str] = (),
    apply_postprocessing: bool = True,
) -> SAM2MaskPredictor:
    """Predictor of a checkpoint of SAM-I2V, by SAM-I2V's own call.

    Parameters are those of `build_sam2_video_predictor`; ``ckpt_path`` is a published checkpoint, or weights that
    ``sam2flow finetune`` wrote with ``--memory associated`` or ``--memory relevant``.

    Raises
    ------
    ModelError
        If there is no checkpoint, or its memory is of another design.

    References
    ----------
    .. [1] H. Mei et al., "SAM-I2V: Upgrading SAM to Support Promptable Video Segmentation", CVPR 2025.

    Examples
    --------
    >>> predictor = build_i2v_video_predictor("", "i2v.pt", device="cpu")  # doctest: +SKIP
    """
    _check_call(ckpt_path, hydra_overrides_extra)
    model, description = load_model(str(ckpt_path))
    mask = model.config.mask
    if mask.image_only or mask.memory.design not in ("associated", "relevant"):
        memory = "it has no memory" if mask.image_only else f"its memory is '{mask.memory.design}'"
        raise ModelError(
            f"{ckpt_path}: {memory}, SAM-I2V's is 'associated': train it with 'sam2flow finetune DATA "
            "--memory associated --start FILE'"
        )
    return SAM2MaskPredictor(model, choose_device(str(device)), description, _settings(apply_postprocessing))


def load_predictor(
    name: str, device: str = "auto", settings: InferenceSettings | None = None
) -> SAM2FlowPredictor | SAM2MaskPredictor:
    """Predictor of any weights that `load_model` takes: with flow where they know it, else of masks."""
    network, description = load_model(name)
    return _predictor(network, choose_device(device), description, settings)


def _predictor(
    network: SAM2Flow, device: torch.device, description: dict[str, Any], settings: InferenceSettings | None
) -> SAM2FlowPredictor | SAM2MaskPredictor:
    kind = SAM2FlowPredictor if network.config.use_flow else SAM2MaskPredictor
    return kind(network, device, description, settings)


def _settings(apply_postprocessing: bool) -> InferenceSettings | None:
    """None where nothing is asked for but what the weights want by themselves."""
    if apply_postprocessing:
        return None
    return InferenceSettings(sam2=Sam2Settings(steady_masks=False, sharp_prompts=False))


def _check_call(ckpt_path: str | Path | None, overrides: Sequence[str]) -> None:
    if ckpt_path is None:
        raise ModelError("no checkpoint: give ckpt_path; a network without weights finds nothing")
    if overrides:
        raise ModelError("hydra_overrides_extra cannot be used here; see InferenceSettings for what can be set")
