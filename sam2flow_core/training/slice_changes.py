"""Random changes of a clip of slices, those of SAM 2's recipe: mirrored, turned and sheared, other colours."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as change

from sam2flow_core.config.training import FinetuningSettings
from sam2flow_core.inference.sam2_inputs import as_unit, normalise


def changed_clip(
    images: Tensor, truth: Tensor, settings: FinetuningSettings, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Change a clip at random.

    Parameters
    ----------
    images : Tensor (F, 3, S, S)
        Network inputs.
    truth : Tensor (F, V, S, S)
        Masks of 0 and 1.
    settings : FinetuningSettings
    rng : numpy.random.Generator
        Nothing is drawn for what is set to 0.

    Returns
    -------
    images, truth : Tensor
        Of the same shapes; where nothing was recorded pictures have the mean of photographs.
    """
    s = settings
    if s.random_horizontal_flip and rng.random() < s.random_horizontal_flip:
        images, truth = images.flip(-1), truth.flip(-1)
    if s.random_affine_degrees or s.random_affine_shear:
        images, truth = _turned(images, truth, s, rng)
    whole = (s.color_jitter_brightness, s.color_jitter_contrast, s.color_jitter_saturation)
    each = (s.frame_jitter_brightness, s.frame_jitter_contrast, s.frame_jitter_saturation)
    if not any((*whole, *each, s.random_grayscale)):
        return images, truth
    unit = _coloured(as_unit(images).clamp(0, 1), whole, rng)
    if s.random_grayscale and rng.random() < s.random_grayscale:
        unit = change.rgb_to_grayscale(unit, 3)
    if any(each):
        unit = torch.cat([_coloured(frame, each, rng) for frame in unit.split(1)])
    return normalise(unit), truth


def _turned(
    images: Tensor, truth: Tensor, settings: FinetuningSettings, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Turned and sheared about the middle; as it was where nothing would be left of an object in the first slice."""
    angle = float(rng.uniform(-1, 1)) * settings.random_affine_degrees
    shear = [float(rng.uniform(-1, 1)) * settings.random_affine_shear, 0.0]
    nearest, bilinear = change.InterpolationMode.NEAREST, change.InterpolationMode.BILINEAR
    masks = change.affine(truth, angle, [0, 0], 1.0, shear, nearest)
    if (masks[0].flatten(1).amax(1) < truth[0].flatten(1).amax(1)).any():
        return images, truth
    return change.affine(images, angle, [0, 0], 1.0, shear, bilinear), masks


def _coloured(unit: Tensor, most: tuple[float, float, float], rng: np.random.Generator) -> Tensor:
    """Pictures of 0 to 1 with brightness, contrast and saturation changed by up to so much, in random order."""
    ways = (change.adjust_brightness, change.adjust_contrast, change.adjust_saturation)
    for way in rng.permutation(3) if any(most) else ():
        unit = ways[way](unit, 1 + float(rng.uniform(-1, 1)) * most[way])
    return unit
