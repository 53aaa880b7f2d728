"""Settings of the video generators and of the clips made of them: what a randomised scene may look like.

The ranges follow the physiology and optics of microcirculation videos and reach past them on purpose:
a model trained on these scenes is judged on other generators and on real microscopes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

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


STREAMLINE_SCENES = SceneSettings(
    pixel_size_um=(0.35, 1.0),
    duration_s=15.0,
    diameter_px=(4.0, 110.0),
    diameter_um=(4.0, 60.0),
    widest=0.95,
    speed_cells=(0.01, 2.2),
    farthest=0.25,
    slow_layers=0.35,
    motion_probability=0.0,
)
"""Scenes of the first generator for training: speeds, widths, magnifications log-uniform over what the network sees.

Recordings of higher magnification are shrunk before it sees them (`ResolutionSettings`), so it need not learn them.
"""


@dataclass(frozen=True)
class DiscScenes:
    """Ranges of the second generator's scenes; all log-uniform but the weights and shares.

    Attributes
    ----------
    pixel_size_um : tuple of float
    width_px, width_um : tuple of float
        Of the widest vessel of a network; both ranges are kept, pixels win.
    speed_cells : tuple of float
        Median speed over the network in cell widths per frame.
    layers : tuple of int
        Least and greatest number of networks that lie over each other.
    haematocrit : tuple of float
        Share of the lumen's area that cells cover.
    depth_of_field_um : tuple of float
        Depth over which a cell is seen at half its strength.
    stained : float
        Share of the scenes in which only some cells are stained.
    """

    pixel_size_um: Range = (0.35, 1.0)
    width_px: Range = (4.0, 110.0)
    width_um: Range = (4.0, 60.0)
    speed_cells: Range = (0.01, 2.2)
    layers: tuple[int, int] = (1, 3)
    haematocrit: Range = (0.08, 0.6)
    depth_of_field_um: Range = (3.0, 40.0)
    stained: float = 0.1


@dataclass(frozen=True)
class RecordingScenes:
    """Recordings that are filmed whole, for the vessel field and the strip decoder.

    Attributes
    ----------
    sides : tuple of int
        Px; each as often.
    frames : tuple of int
        Fewest, and one more than the most.
    plans : tuple of tuples of str
        Kinds of the networks, one plan as often as another.
    width_px, speed_px : tuple of float
        Of the narrowest vessel, and of the slowest in px per frame; log-uniform.
    width_spread, speed_spread : tuple of float
        How many times as wide and as fast the others may be.
    scene : SceneSettings
        All else.
    """

    sides: tuple[int, ...] = (192, 224, 256)
    frames: tuple[int, int] = (40, 110)
    plans: tuple[tuple[str, ...], ...] = (
        ("pair", "single", "branch"),
        ("pair", "single", "branch"),
        ("single",) * 3,
        ("single",) * 4,
        ("single",) * 2,
        ("branch", "loop", "hairpin"),
        ("tree", "single"),
        ("pair", "pair"),
        ("branch", "branch"),
        ("tree",),
        ("loop", "single", "pair"),
    )
    width_px: Range = (4.5, 30.0)
    width_spread: Range = (1.4, 2.6)
    speed_px: Range = (0.2, 14.0)
    speed_spread: Range = (2.0, 5.0)
    scene: SceneSettings = field(
        default_factory=lambda: SceneSettings(
            pixel_size_um=(0.45, 0.8),
            frame_rate_hz=(60.0, 200.0),
            duration_s=8.0,
            diameter_um=(2.5, 45.0),
            widest=0.4,
            event_rate_hz=0.15,
            haematocrit=(0.15, 0.5),
            gaps=0.3,
            cell_scale=(0.7, 1.3),
            contrasts=(("relief", 0.55), ("absorption", 0.15), ("bright_cells", 0.15), ("dark_cells", 0.15)),
            cell_contrast=(0.03, 0.3),
            texture=(0.01, 0.12),
            electrons=(1200.0, 14000.0),
            blur_um=(0.4, 2.0),
            exposure=(0.05, 0.25),
            jump_rate_hz=0.0,
            motion_probability=0.0,
        )
    )


@dataclass(frozen=True)
class BankConfig:
    """The bank of scenes: what is drawn, how much is kept, how often it is used.

    Attributes
    ----------
    streamlines : SceneSettings
        Of the first generator.
    discs : DiscScenes
        Of the second.
    generators : tuple of (str, float)
        How often each is drawn from.
    side : int
        Of a scene, px; clips are cut out of it, turned and zoomed.
    run : int
        Consecutive frames that are drawn.
    moments, moment : int
        Times all over the recording, and consecutive frames at each: what stands for the recording as a whole.
    lengths : tuple of int
        Frames of the shortest and longest recordings.
    first : int
        Scenes that the first clips are cut from.
    reuse : float
        Clips for each scene that is drawn anew.
    scenes : int
        Kept; the oldest go first. A scene takes about 5 MB.
    workers : int, optional
        Processes that draw; as many as there are cores by default, none with 0.
    """

    streamlines: SceneSettings = field(default_factory=lambda: STREAMLINE_SCENES)
    discs: DiscScenes = field(default_factory=DiscScenes)
    generators: Weights = (("streamlines", 0.5), ("discs", 0.5))
    side: int = 256
    run: int = 68
    moments: int = 20
    moment: int = 3
    lengths: tuple[int, int] = (80, 700)
    first: int = 32
    reuse: float = 16.0
    scenes: int = 600
    workers: int | None = None


@dataclass(frozen=True)
class AlterationConfig:
    """How often, and how far, a scene is altered each time it is used.

    Attributes
    ----------
    zoom : tuple of float
        Log-uniform, as far as the scene is large enough.
    any_angle : float
        How often a clip is turned by any angle, not by quarter turns.
    backwards : float
        How often it runs backwards.
    strides : tuple of (int, float)
        Frames from one to the next, and weights.
    uneven : float
        Clips with frames lost and repeated.
    overlay, margin : float
        With a time stamp or scale bar in the picture; with black margins.
    defocus : float
        Wholly out of focus.
    bloodless : float
        Without any blood; only where nothing but the vessel field is learned.
    negative : float
    standing : float
        With texture inside the lumen that stands still or changes slowly.
    drifts : float
        With slow drifts of gain.
    uneven_light : float
        Whose contrast differs from place to place, as under oblique light.
    unsteady : float
        Shaken as a stabiliser leaves them, in stages that allow it.
    least_pixels : int
        Of a vessel in the clip that is learned from.
    """

    zoom: Range = (0.6, 1.5)
    any_angle: float = 0.4
    backwards: float = 0.5
    strides: tuple[tuple[int, float], ...] = ((1, 0.75), (2, 0.25))
    uneven: float = 0.06
    overlay: float = 0.07
    margin: float = 0.06
    defocus: float = 0.06
    bloodless: float = 0.03
    negative: float = 0.3
    standing: float = 0.6
    drifts: float = 0.5
    uneven_light: float = 0.2
    unsteady: float = 0.3
    least_pixels: int = 40
