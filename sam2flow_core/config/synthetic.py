"""Settings of the video generator: what a randomised scene may look like.

The ranges follow the physiology and optics of microcirculation videos and reach past them on purpose:
a model trained on these scenes is judged on other generators and on real microscopes.
"""

from __future__ import annotations

from dataclasses import dataclass

Range = tuple[float, float]
Weights = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class SceneSettings:
    """Ranges a scene is drawn from; a range of equal ends fixes the quantity.

    Attributes
    ----------
    pixel_size_um, frame_rate_hz : tuple of float
        um per px (drawn log-uniformly) and frames per second.
    duration_s : float
        Length of time the scene is defined for.
    networks : tuple of int
        Least and greatest number of vessel networks (a network is one vessel, a branch, a loop or a pair).
    network_kinds : tuple of (str, float)
        Weights of ``single, pair, branch, tree, loop, hairpin``.
    plan : tuple of str
        Kinds of the networks one by one; overrides `networks` and `network_kinds`.
    diameter_px, diameter_um : tuple of float
        Vessel diameter; both ranges are kept, pixels win.
    taper : float
        Greatest relative change of the diameter along a vessel.
    speed_bins_px : tuple of ranges
        Mean speed in px per frame: a bin is drawn, then a log-uniform value in it.
    speed_cells : tuple of float, optional
        Mean speed in widths of a free red cell per frame (log-uniform); overrides `speed_bins_px`.
    farthest : float
        Greatest mean speed per frame as a share of the frame's shorter side; with `speed_cells` only.
    widest : float
        Greatest diameter as a share of the frame's shorter side.
    slow_layers : float
        Share of the networks with cells that creep along the walls; training records only.
    max_speed_um_s : float
        Physical ceiling of the mean speed.
    heart_rate_hz : tuple of float
    pulsatility : tuple of float
        Pulsatility index (max - min) / mean of the heartbeat.
    vasomotion : tuple of float
        Relative amplitude of the slow wave (0.1 Hz) of the vessel's tone.
    event_rate_hz : float
        Stops and reversals per second.
    profile_order, profile_slip : tuple of float
        n and a of v(r) = v0 (1 - a (r / R)^n).
    haematocrit : tuple of float
        Tube haematocrit.
    gaps : float
        Share of the networks fed unevenly: waves, trains, plasma gaps.
    cell_scale : tuple of float
        Factor on the red cell's diameter of 7.8 um: other species and other generators.
    contrasts : tuple of (str, float)
        Weights of ``relief, absorption, bright_cells, dark_cells``.
    cell_contrast : tuple of float
        Relative modulation by one cell (log-uniform).
    texture : tuple of float
        Relative strength of the tissue's texture (log-uniform).
    electrons : tuple of float
        Electrons at full well (log-uniform).
    read_noise : tuple of float
        Electrons, standard deviation.
    flicker : tuple of float
        Relative standard deviation of the lamp's brightness from frame to frame.
    blur_um : tuple of float
        Standard deviation of the point spread in um.
    exposure : tuple of float
        Share of the frame interval in which light is collected.
    drift_um_s, breathing_um, heartbeat_um : tuple of float
        Tissue motion.
    jump_rate_hz : float
        Sudden displacements per second.
    motion_probability : float
        Share of the scenes whose tissue moves.
    """

    pixel_size_um: Range = (0.2, 0.8)
    frame_rate_hz: Range = (60.0, 230.0)
    duration_s: float = 12.0
    networks: tuple[int, int] = (1, 4)
    network_kinds: Weights = (
        ("single", 0.45),
        ("pair", 0.15),
        ("branch", 0.14),
        ("tree", 0.08),
        ("loop", 0.08),
        ("hairpin", 0.1),
    )
    plan: tuple[str, ...] = ()
    diameter_px: Range = (4.0, 60.0)
    diameter_um: Range = (4.0, 50.0)
    taper: float = 0.15
    speed_bins_px: tuple[Range, ...] = ((0.05, 1.0), (1.0, 5.0), (5.0, 15.0), (15.0, 38.0))
    speed_cells: Range | None = None
    farthest: float = 1.0
    widest: float = 0.3
    slow_layers: float = 0.0
    max_speed_um_s: float = 5000.0
    heart_rate_hz: Range = (0.8, 2.0)
    pulsatility: Range = (0.2, 1.2)
    vasomotion: Range = (0.0, 0.3)
    event_rate_hz: float = 0.1
    profile_order: Range = (2.0, 8.0)
    profile_slip: Range = (0.7, 1.0)
    haematocrit: Range = (0.12, 0.5)
    gaps: float = 0.65
    cell_scale: Range = (0.6, 1.4)
    contrasts: Weights = (("relief", 0.4), ("absorption", 0.2), ("bright_cells", 0.15), ("dark_cells", 0.25))
    cell_contrast: Range = (0.04, 0.35)
    texture: Range = (0.01, 0.15)
    electrons: Range = (800.0, 15000.0)
    read_noise: Range = (2.0, 6.0)
    flicker: Range = (0.0, 0.03)
    blur_um: Range = (0.3, 1.5)
    exposure: Range = (0.02, 0.4)
    drift_um_s: Range = (0.0, 20.0)
    breathing_um: Range = (2.0, 10.0)
    heartbeat_um: Range = (0.2, 2.0)
    jump_rate_hz: float = 0.2
    motion_probability: float = 0.6
