"""Settings for reading recordings and for holding the tissue still."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class CalibrationLimits:
    """What a pixel size and a frame rate may be.

    Values from file tags outside the plausible range are shown and not used; a
    user may override them within the possible range.

    Attributes
    ----------
    plausible_pixel_size_um : tuple of float
        Range of microscope pixel sizes in um (tags are often 72 dpi = 352.8 um).
    possible_pixel_size_um : tuple of float
        A value outside is a slip of the pen (nm for um), even from a user.
    plausible_frame_rate_hz : tuple of float
        Below, red cells cannot be followed; above, no camera of the field goes.
    possible_frame_rate_hz : tuple of float
    placeholder : float
        What programs write when they do not know the pixel size.
    square_tolerance : float
        Relative difference of pixel height and width that is let pass.
    agreement : float
        Relative difference of two sources for one value that is let pass.
    """

    plausible_pixel_size_um: tuple[float, float] = (0.05, 5.0)
    possible_pixel_size_um: tuple[float, float] = (0.001, 1000.0)
    plausible_frame_rate_hz: tuple[float, float] = (5.0, 2000.0)
    possible_frame_rate_hz: tuple[float, float] = (0.01, 100_000.0)
    placeholder: float = 1.0
    square_tolerance: float = 0.01
    agreement: float = 0.02


@dataclass(frozen=True)
class ClaimLimits:
    """What a file may claim of itself before anything in it is decoded.

    Attributes
    ----------
    frame_bytes : int
        Largest frame, decoded: 16 384 x 16 384 px of 16 bit.
    unquestioned_bytes : int
        Frames up to this size are decoded whatever the file holds of them: a black frame compresses to nothing.
    compression : int
        Above that size, how many times larger than stored a frame may be. Deflate and LZW reach about 1 000.
    planes : int
        Most frames that metadata may count up.
    """

    frame_bytes: int = 2**29
    unquestioned_bytes: int = 2**26
    compression: int = 2000
    planes: int = 10_000_000


@dataclass(frozen=True)
class SamplingSettings:
    """How much of a recording is looked at when it is opened.

    Attributes
    ----------
    places : int
        Positions in time, spread evenly, each with two consecutive frames.
    thinned_side_px : int
        Larger frames give every few rows and columns to the display limits.
    contrast_percentiles : tuple of float
        Percentiles of the sampled pixels that become display limits.
    fingerprint_blocks, fingerprint_block_bytes : int
        Blocks read from a recording for the cheap identity, spread over its files.
    fingerprint_frames : int
        Frames read for it where the recording is an array.
    minimum_side_px : int
        Frames smaller than this hold no vessel.
    largest, least_spread : float
        Of pixels: squares of larger ones, summed over a frame, and of smaller ones leave the range of single precision.
    """

    places: int = 6
    thinned_side_px: int = 512
    contrast_percentiles: tuple[float, float] = (0.1, 99.9)
    fingerprint_blocks: int = 128
    fingerprint_block_bytes: int = 65536
    fingerprint_frames: int = 16
    minimum_side_px: int = 16
    largest: float = 1e13
    least_spread: float = 1e-13


@dataclass(frozen=True)
class VideoSettings:
    """How video files are read.

    Attributes
    ----------
    kept_bytes : int
        Decoded frames that are kept, for a look back without decoding anew.
    key_frames_tried : int
        Earlier and earlier places from which decoding is tried before it starts at the beginning.
    variable_share : float
        Share of intervals between frames that may differ from the usual one before the frame rate is called variable.
    """

    kept_bytes: int = 64_000_000
    key_frames_tried: int = 4
    variable_share: float = 0.1


@dataclass(frozen=True)
class ColourSettings:
    """When colours are told from brightness.

    Attributes
    ----------
    dip : float
        How far, as a share of its range, a lookup table may fall and still be one of brightness: display tables such
        as Fire are not quite even.
    levels : int
        Levels of 8 bits between the colours of a pixel that is coloured; compression alone makes fewer.
    share : float
        Share of such pixels above which a video is coloured.
    """

    dip: float = 0.05
    levels: int = 12
    share: float = 1e-3


@dataclass(frozen=True)
class StabiliserSettings:
    """How the tissue's motion is measured. Lengths in px are those of the binned frame.

    Attributes
    ----------
    work_pixels : int
        Frames are binned until they have about so many pixels; 256 x 256 keeps a frame under 15 ms.
    coarse_smooth_px, fine_smooth_px : float
        Sigmas of the Gaussians against noise. The coarse look is not held back by dirt and the camera's own fine
        pattern, which do not move with the tissue; the fine one is more accurate.
    coarse_background_px, fine_background_px : int
        Sides of the boxes over which brightness is made even.
    agreement_px : float
        The fine look is believed where it comes this close to the coarse one.
    contrast_px : int
        Side of the box over which contrast is made even, so that each area of the frame has one vote, whether it
        shows faint tissue or a vessel full of cells.
    contrast_floor : float
        Share of the median contrast that is added before dividing, so that empty areas stay quiet.
    variance_floor : float
        Variance over time (in units of the evened contrast) below which a pixel counts in full.
    window_taper : float
        Share of each side over which the frame fades out.
    prime_frames : int
        Frames that `Stabiliser.prime` uses.
    memory_frames : int
        The reference is the mean of so many frames, then follows slowly with a weight of 1 / memory_frames.
    near_px : int
        Where the nearest hill of the correlation is looked for: tissue moves little from frame to frame.
    jump_advantage : float
        How many times higher a far peak must be to be taken for a jump of the tissue and not for cells.
    detection : float
        Peak height, in standard deviations of the correlation, under which a shift is not believed.
    certain : float
        Peak height of quality 1.
    rebase_share : float
        Share of the frame's side after which the reference's field of view follows the tissue.
    smallest_shift_px : float
        `Stabiliser.align` leaves frames alone below this.
    empty_share : float
        Share of a spectrum's mean amplitude below which a frequency is empty.
    steps_uphill : int
        How often the top of the correlation is sought a pixel further on.
    fine_steps : int
        Places per px at which the correlation is read, before the parabola.
    close_px : float
        A displacement below this is read once: the windows overlap well enough.
    variance_box_px : int
        Side of the box over which a pixel's variance over time is evened.
    prior_frames : int
        A pixel's own variance counts as much as that of all pixels once it has been seen this often.
    enough_frames : int
        Frames that tell whether a picture stands still in them.
    by_chance : float
        Times the variance over the field that the mean of so many frames has by chance.
    """

    work_pixels: int = 65536
    coarse_smooth_px: float = 2.0
    fine_smooth_px: float = 0.7
    coarse_background_px: int = 17
    fine_background_px: int = 13
    agreement_px: float = 0.4
    contrast_px: int = 17
    contrast_floor: float = 0.3
    variance_floor: float = 0.3
    window_taper: float = 0.3
    prime_frames: int = 48
    memory_frames: int = 200
    near_px: int = 1
    jump_advantage: float = 3.0
    detection: float = 5.5
    certain: float = 15.0
    rebase_share: float = 0.15
    smallest_shift_px: float = 0.05
    empty_share: float = 1e-3
    steps_uphill: int = 4
    fine_steps: int = 20
    close_px: float = 1.5
    variance_box_px: int = 5
    prior_frames: int = 5
    enough_frames: int = 8
    by_chance: float = 2.0


@dataclass(frozen=True)
class TimingSettings:
    """How repeated and missing frames are found in the pictures.

    Attributes
    ----------
    least_frames : int
        Shorter recordings are taken as they are.
    block_frames : int
        Frames that are looked at together; bounds memory.
    pixels : int
        Moving pixels that are followed, and as many quiet ones.
    groups : int
        Parts of the field that must agree; a power of two.
    choosing_places, choosing_lag : int
        Frames spread over the range by which pixels are chosen, and how far apart the frames compared there are.
    moving_share : float
        Change, as a share of that of the most restless pixels, from which a pixel counts as moving.
    repeat_noise, repeat_change : float
        Shares of the usual change of quiet and of moving pixels below which a frame is a copy.
    exact_change : float
        The same of moving pixels in recordings without noise.
    still_change : float
        Share of the usual change below which blood stands still.
    longest_burst : int
        Pairs in a row; blood that stands still for longer may truly do so.
    clear_change : float
        Change of moving pixels, in that of quiet ones, from which frames that repeat or are missing show in it: it is
        known to some 0.16 of that.
    most_uneven : float
        Spread of the quiet pixels' change from pair to pair, of 1, from which the tissue moves too much for frames that
        are missing to show: 0.03 to 0.06 where it does not, 0.45 where it is shaken by 2 px.
    reach_frames : int
        Frames either way in which the usual change is sought.
    far_pairs : int
        Frames after which cells have given way to others.
    told_change : tuple of float
        Shares of the largest change that are told apart from none, and from the largest.
    noise_gain, least_noise : float
        Of the disagreement of the parts of the field, in the log of the displacement.
    most_steps : int
        Longest gap told from longer ones.
    gap_cost, longer_cost, outlier_cost : float
        Costs of a gap, of each further frame in it, and the most that a displacement out of line can cost.
    speed_drift : float
        Change of log speed from pair to pair at a cost of 1.
    grid_step : float
        Of log speed.
    grid_reach : int
        Steps of the grid by which the speed may change from pair to pair.
    most_compared, compared_frames, least_compared : int
        A gap is compared with pairs up to so many steps apart, so many frames around it, of which there must be some.
    compared_margin : float
        By how much, in the log of the change, its length must fit better than the next ones to be believed to the
        frame; of others it is only known that frames are missing.
    stamp_tolerance : float
        Share of a step by which time stamps may be off.
    most_wild : float
        Share of time stamps further off above which all are left aside: written by a program that was late.
    seed : int
        Of the choice of pixels.
    """

    least_frames: int = 12
    block_frames: int = 4096
    pixels: int = 2048
    groups: int = 8
    choosing_places: int = 24
    choosing_lag: int = 3
    moving_share: float = 0.2
    repeat_noise: float = 0.25
    repeat_change: float = 0.15
    exact_change: float = 0.002
    still_change: float = 0.06
    longest_burst: int = 3
    clear_change: float = 1.0
    most_uneven: float = 0.2
    reach_frames: int = 24
    far_pairs: int = 12
    told_change: tuple[float, float] = (1e-3, 0.93)
    noise_gain: float = 1.35
    least_noise: float = 0.09
    most_steps: int = 6
    gap_cost: float = 2.2
    longer_cost: float = 0.4
    outlier_cost: float = 8.0
    speed_drift: float = 0.05
    grid_step: float = 0.04
    grid_reach: int = 12
    most_compared: int = 8
    compared_frames: int = 24
    least_compared: int = 20
    compared_margin: float = 0.04
    stamp_tolerance: float = 0.25
    most_wild: float = 0.2
    seed: int = 0


@dataclass(frozen=True)
class PictureSettings:
    """How margins, and what is written over the picture, are found.

    Attributes
    ----------
    least_frames, enough_frames : int
        Of fewer nothing is said, and nothing of what is written.
    dead : float
        Share of the usual change of a pixel, over the frames looked at, below which it shows nothing.
    empty, begun : float
        Shares of a row or column that show nothing from which it is margin, and below which it is picture: one follows
        the other at once.
    least_margin_px, least_side_px : int
    step : float
        Height of a stroke's edge, from one pixel to the next, in units of the range of nine tenths of the pixels.
    even : float
        Share of that height by which the pixels of a stroke may differ.
    often : float
        Share of the frames in which a stroke must be seen: figures change.
    letter_px : int
        Strokes so near each other belong together.
    letter_high_px : int
        Letters are no higher.
    least_strokes : int
        Pixels of a group of strokes.
    rim_px : int
        Around a group.
    quiet : float
        As ``dead``, of areas at the end of the range: there is noise in the dark.
    least_area : float
        Share of the frame of such an area.
    most_covered : float
        Share of the picture above which all of this is not believed.
    """

    least_frames: int = 4
    enough_frames: int = 8
    dead: float = 0.1
    empty: float = 0.98
    begun: float = 0.6
    least_margin_px: int = 2
    least_side_px: int = 32
    step: float = 1.5
    even: float = 0.02
    often: float = 0.15
    letter_px: int = 9
    letter_high_px: int = 32
    least_strokes: int = 12
    rim_px: int = 2
    quiet: float = 0.35
    least_area: float = 0.004
    most_covered: float = 0.4


@dataclass(frozen=True)
class ResolutionSettings:
    """How large cells are made for the network, and how their size is measured where the pixel size is not known.

    Attributes
    ----------
    red_cell_um : float
    cell_px : float
        Width of a cell in working px that is aimed at, where the pixel size tells it.
    pattern_px : float
        The same as the pattern tells it, which sees less than the whole width.
    enlarged_below_px : float
        Cells narrower than this are enlarged, where the pixel size says that they are.
    smallest : float
        Recorded px to a working px of frames that are enlarged.
    largest : int
        Of frames that are shrunk.
    frames : int
        Frames, spread over the range, that the pattern is measured in.
    window_px : int
        Side of the part of the picture that it is measured in.
    least_side_px : int
        Smaller pictures are not measured.
    even_px : int
        Side of the box over which activity is evened out.
    lively_share, quiet_share : float
        Shares of the picture that are taken for blood and for tissue.
    least_strength : float
        What the pattern must be stronger than the noise, as a share of the noise.
    reach_px : int
        How far correlations are followed.
    half_width, half_width_relief : float
        Distance at which the correlation falls to a half, in widths of a cell; set on synthetic recordings.
    dip, dip_reach : float
        Correlation below which cells are shaded in relief, sought within so many of those distances.
    agreement : float
        Relative difference of the two halves of the frames from the whole that is let pass.
    least_frames : int
        Shorter recordings are not measured.
    angles : int
        Directions in which correlations are followed.
    step_px : float
        Between the places at which a correlation is read.
    """

    red_cell_um: float = 7.5
    cell_px: float = 12.5
    pattern_px: float = 9.5
    enlarged_below_px: float = 6.5
    smallest: float = 0.5
    largest: int = 8
    frames: int = 24
    window_px: int = 512
    least_side_px: int = 64
    even_px: int = 15
    lively_share: float = 0.1
    quiet_share: float = 0.3
    least_strength: float = 0.5
    reach_px: int = 80
    half_width: float = 0.42
    half_width_relief: float = 0.27
    dip: float = -0.2
    dip_reach: float = 3.5
    agreement: float = 0.25
    least_frames: int = 8
    angles: int = 12
    step_px: float = 0.25


@dataclass(frozen=True)
class LineScanLimits:
    """What a line scan has at least: rows (times) and columns (places)."""

    least_rows: int = 32
    least_columns: int = 8


def stack_settings() -> dict[str, dict[str, Any]]:
    """All settings by which a recording is read, as JSON values for the provenance."""
    return {
        "stabiliser": asdict(StabiliserSettings()),
        "timing": asdict(TimingSettings()),
        "picture": asdict(PictureSettings()),
        "resolution": asdict(ResolutionSettings()),
        "sampling": asdict(SamplingSettings()),
        "video": asdict(VideoSettings()),
        "colours": asdict(ColourSettings()),
        "calibration": asdict(CalibrationLimits()),
    }
