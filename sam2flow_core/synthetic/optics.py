"""How a scene looks: contrast, illumination, blur, noise. Drawn once for a scene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sam2flow_core.config.synthetic import SceneSettings
from sam2flow_core.synthetic.random_draws import log_uniform, pick, uniform


@dataclass(frozen=True)
class Optics:
    """Look of a scene; lengths in px, intensities relative to full well.

    Attributes
    ----------
    contrast : str
        ``relief`` (phase gradient, as in oblique back-illumination), ``absorption``, ``bright_cells`` (labelled cells)
        or ``dark_cells`` (labelled plasma).
    azimuth : float
        Direction of the illumination, radians.
    cell_contrast : float
        Relative modulation by one cell.
    shade : float
        Share of absorption in the relief contrast; signed.
    level : float
        Mean brightness of the tissue.
    lumen, wall : float
        Relative brightness of the lumen, and of its walls, against the tissue; signed.
    bulge : float
        Relief of the lumen itself (one wall bright, one dark), in relief contrast.
    texture, texture_scale, grain : float
        Relative strength of the tissue's texture, its coarsest scale in px and the slope of its spectrum.
    gradient : tuple of float
        Relative slope of the illumination across the frame in y and x.
    vignette, dirt : float
        Darkening of the corners; strength of the pattern fixed to the camera.
    blur, defocus : float
        Point spread (sd, px), and the share of a twice as broad one, which drifts over time.
    flicker : float
        Standard deviation of the lamp's brightness.
    electrons, read_noise : float
        Full well and read noise in electrons.
    exposure : float
        Share of the frame interval.
    """

    contrast: str
    azimuth: float
    cell_contrast: float
    shade: float
    level: float
    lumen: float
    wall: float
    bulge: float
    texture: float
    texture_scale: float
    grain: float
    gradient: tuple[float, float]
    vignette: float
    dirt: float
    blur: float
    defocus: float
    flicker: float
    electrons: float
    read_noise: float
    exposure: float


def sample_optics(rng: np.random.Generator, settings: SceneSettings, pixel_size_um: float) -> Optics:
    """Draw the look of a scene."""
    contrast = pick(rng, settings.contrasts)
    bright_field = contrast in ("relief", "absorption")
    lumen = float(rng.normal(-0.08, 0.1)) if bright_field else log_uniform(rng, (1.0, 12.0))
    level = uniform(rng, (0.3, 0.65)) if bright_field else log_uniform(rng, (0.02, 0.4))
    if not bright_field:  # the brightest matter stays under full well
        level = min(level, 0.8 / (1 + lumen * (1.6 if contrast == "bright_cells" else 1.0)))
    return Optics(
        contrast=contrast,
        azimuth=uniform(rng, (0, 2 * np.pi)),
        cell_contrast=log_uniform(rng, settings.cell_contrast) * (1.0 if bright_field else 2.2),
        shade=float(rng.normal(0.3, 0.4)),
        level=level,
        lumen=lumen,
        wall=float(rng.normal(0, 0.08)) if rng.random() < 0.6 else 0.0,
        bulge=float(rng.normal(0, 0.08)) if contrast == "relief" else 0.0,
        texture=log_uniform(rng, settings.texture),
        texture_scale=log_uniform(rng, (8, 80)),
        grain=uniform(rng, (1.2, 2.5)),
        gradient=(float(rng.normal(0, 0.12)), float(rng.normal(0, 0.12))),
        vignette=uniform(rng, (0, 0.3)),
        dirt=uniform(rng, (0, 0.04)) if rng.random() < 0.5 else 0.0,
        blur=float(np.clip(uniform(rng, settings.blur_um) / pixel_size_um, 0.4, 4.0)),
        defocus=uniform(rng, (0, 0.6)) if rng.random() < 0.5 else 0.0,
        flicker=uniform(rng, settings.flicker),
        electrons=log_uniform(rng, settings.electrons) * (1.0 if bright_field else 0.25),
        read_noise=uniform(rng, settings.read_noise),
        exposure=uniform(rng, settings.exposure),
    )
