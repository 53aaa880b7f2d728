"""Settings of training clips: the bank of scenes they are cut from, and how they are altered."""

from __future__ import annotations

from dataclasses import dataclass, field

from sam2flow_core.config.synthetic import Range, SceneSettings, Weights

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
