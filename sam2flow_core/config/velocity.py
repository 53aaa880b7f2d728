"""Settings of the velocity measurement: lengths in px, times in s, velocities in px per frame unless named so."""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class GeometrySettings:
    """Centreline and diameter.

    Attributes
    ----------
    smoothing_px : float
        Standard deviation of the Gaussian that smooths the skeleton along its length.
    diameter_window_px : float
        Cross-sections are averaged over this length before a diameter is fitted.
    """

    smoothing_px: float = 6.0
    diameter_window_px: float = 15.0


@dataclass(frozen=True)
class CellCountSettings:
    """When cells are counted in the space-time diagram.

    Attributes
    ----------
    least_agreement : float
        Correlation of what two halves of the vessel, and two halves of the lanes, say of the cells.
    least_cells : int
        Fewest that are counted.
    heights : tuple of float
        Of a peak over its surroundings, in standard deviations: three counts, of which the median is taken.
    most_spread : float
        Of the counts by height and by sign, the largest over the smallest.
    segment_px : int
        Length along the vessel in which they are counted.
    most_varied : tuple of float
        Standard deviations over means of the heights and the widths of single cells.
    near_top : float
        Share of a peak's height below its top at which it is as wide as its cell, however near the next.
    countable : float
        Share of a recording of several spans in which cells must be countable.
    """

    least_agreement: float = 0.6
    least_cells: int = 8
    heights: tuple[float, float, float] = (0.4, 0.8, 1.2)
    most_spread: float = 1.2
    segment_px: int = 48
    most_varied: tuple[float, float] = (0.2, 0.17)
    near_top: float = 0.3
    countable: float = 0.5


@dataclass(frozen=True)
class PathSettings:
    """How a velocity is followed from window to window.

    Attributes
    ----------
    step : float
        Of the grid of velocities that are asked for, in asinh(velocity / px per frame).
    reach : int
        Steps of the grid that a path may go from one window to the next.
    penalty : float
        Cost of a change of velocity between neighbouring windows (per unit of asinh velocity).
    """

    step: float = 0.01
    reach: int = 60
    penalty: float = 0.2


@dataclass(frozen=True)
class KymographSettings:
    """Space-time diagram and the velocity read from it.

    Attributes
    ----------
    lanes : int
        Lines sampled side by side along the vessel; their correlations are pooled.
    band : float
        Half width of the sampled band as a share of the radius.
    lags : tuple of int
        Frame distances whose correlations are pooled.
    slow_px, slow_lags : float, tuple of int
        Blood that moves less than this in the longest lag is read over these lags instead.
    slow_match, slow_quality : float
        If their match is at least this share of the other, and their quality at most this much lower.
    block_frames : int
        Correlations are summed over blocks of this many frames and a window is three blocks (weights 1/2, 1, 1/2):
        short against a heartbeat.
    max_velocity : float
        Largest speed sought, px per frame.
    min_overlap : float
        Share of the vessel that must remain in view after the displacement.
    path : PathSettings
        How the velocity is followed through the windows.
    drift_s, usual_rate_hz : float
        Brightness changes slower than this are removed, each position by itself; the frame rate by which this is
        reckoned where none is known.
    most_flicker : float
        Times the change of the tissue's brightness that a vessel's may change with the lamp.
    flank : float
        Standard deviation, in px, of the derivative of a Gaussian that makes flanks of the pattern.
    cell_apart, focus_frames : int
        Sharpness is the contrast of brightness so many px apart, averaged over so many frames.
    shuffled_frames, seed : int
        Frames that are put in random order to see what the search finds where nothing moves, and the seed of the order.
    slant_window : int
        Frames of a window of the second reading.
    slant_step : float
        Of its grid of velocities, in asinh(velocity / px per frame).
    span_frames, span_overlap : int
        A longer recording is read in spans of at most so many frames, which overlap by so many.
    cells : CellCountSettings
    """

    lanes: int = 5
    band: float = 0.4
    lags: tuple[int, ...] = (1, 2, 3, 4, 6, 8, 12, 18)
    slow_px: float = 9.0
    slow_lags: tuple[int, ...] = (12, 18, 24, 36, 48)
    slow_match: float = 0.4
    slow_quality: float = 0.1
    block_frames: int = 8
    max_velocity: float = 60.0
    min_overlap: float = 0.3
    path: PathSettings = PathSettings()
    drift_s: float = 1.0
    usual_rate_hz: float = 100.0
    most_flicker: float = 2.0
    flank: float = 3.0
    cell_apart: int = 4
    focus_frames: int = 15
    shuffled_frames: int = 256
    seed: int = 0
    slant_window: int = 24
    slant_step: float = 0.05
    span_frames: int = 2048
    span_overlap: int = 64
    cells: CellCountSettings = field(default_factory=CellCountSettings)


@dataclass(frozen=True)
class TransitSettings:
    """Velocity by the time from one cross-section to another.

    Attributes
    ----------
    readable : float
        Share of the windows that must agree for the reading to count.
    least_match : float
        Correlation below which nothing is read.
    least_frames, least_points : int
        Fewest that are read.
    fastest_lines : float
        Largest speed sought, in lengths of the line per frame.
    slowest : float
        px per frame below which nothing is told apart.
    distances : int
        How many are correlated at most.
    shortest_px, longest_share, longest_px : float
        Between cross-sections: at least, at most as a share of the line, and at most when windows are chosen.
    least_distances : int
        With fewer that can be seen at a speed, it counts less.
    longest_delay : float
        Share of a window that a delay may be.
    crossings : float
        Length of a window, in the times that the blood takes over the longest distance.
    least_window : int
        Frames.
    enough_agree, longest_window : float
        Share of the windows that must agree with the path, or windows are doubled, up to this share of the recording.
    path : PathSettings
        How the velocity is followed through the windows.
    """

    readable: float = 0.6
    least_match: float = 0.05
    least_frames: int = 16
    least_points: int = 6
    fastest_lines: float = 3.0
    slowest: float = 0.05
    distances: int = 12
    shortest_px: float = 2.0
    longest_share: float = 0.8
    longest_px: float = 60.0
    least_distances: int = 3
    longest_delay: float = 0.4
    crossings: float = 6.0
    least_window: int = 32
    enough_agree: float = 0.7
    longest_window: float = 0.5
    path: PathSettings = PathSettings()


@dataclass(frozen=True)
class LineScanSettings:
    """What is made of a line scan.

    Attributes
    ----------
    shuffled_lines : int
        Lines that are put in random order, to see what no motion gives.
    least_match : float
        Correlation above that, from which on something moves.
    reading_error : float
        Relative standard error of a reading by itself.
    clipped_share : float
        Of the samples at the largest or smallest value; plasma or cells that are black are usual in line scans.
    rows_columns : int
        On shorter lines comparing rows reads low.
    short_columns, fast_lines : float
        A line of fewer columns, and blood that passes so many lengths of it from one line to the next, is flagged.
    difference, quality : tuple of float
        Limits of the grades good, fair and poor: difference of two readings, share of the windows that agree.
    missed_changes : float
        How far transit times may be from the rows' velocity over time, as a share, before they are thought to miss it.
    least_strength, least_lines : float, int
        Where the moving pattern is fainter than this share of what it is elsewhere, for so many lines, nothing moves.
    most_empty : float
        Share of such lines above which a scan is fair at best.
    least_drawn_px : float
        Shortest line that may be drawn on a recording.
    drawn_width_px, drawn_lanes : float, int
        Such a line is read over a band of this width, in so many lanes side by side.
    drawn_beside_px : float
        From this far off a drawn line on, pixels tell of the lamp's flicker.
    """

    shuffled_lines: int = 512
    least_match: float = 0.08
    reading_error: float = 0.05
    clipped_share: float = 0.2
    rows_columns: int = 100
    short_columns: int = 12
    fast_lines: float = 0.5
    difference: tuple[float, float, float] = (0.15, 0.3, 2.0)
    quality: tuple[float, float, float] = (0.65, 0.45, 0.2)
    missed_changes: float = 0.2
    least_strength: float = 0.1
    least_lines: int = 31
    most_empty: float = 0.1
    least_drawn_px: float = 12.0
    drawn_width_px: float = 3.0
    drawn_lanes: int = 3
    drawn_beside_px: float = 24.0


@dataclass(frozen=True)
class SeriesSettings:
    """Velocity over time and its interval.

    Attributes
    ----------
    lanes : int
        Lanes side by side along the vessel whose medians make the velocity of a frame.
    quantile_pixels : int
        Of longer rows of pixels about so many, evenly spread, make a quantile.
    profile_bins, profile_pixels : int
        Parts of the width in the profile across the vessel, and the fewest pixels of a part.
    smoothing_s : float
        Standard deviation of the Gaussian applied to the velocity over time.
    min_valid_share : float
        A frame needs a flow on this share of the usual lumen pixels.
    max_motion_px : float
        Tissue motion between two frames above which a frame is rejected.
    outlier_sigmas : float
        A frame further than this from its neighbours' median is rejected.
    stasis_px_frame : float
        Speeds below this are stasis (the floor of matching is 0.2 to 0.3 px).
    pulse_band_hz : tuple of float
        Where the heartbeat is sought.
    pulse_steepest : float
        Power of the frequency by which the spectrum of a velocity's errors may fall off.
    pulse_probability : float
        False-alarm probability above which a spectral peak is no pulse.
    pulse_oversampling : int
        Frequencies looked at within the width of a spectral peak.
    pulse_stopped, pulse_edge_s : float
        Share of the usual velocity below which blood counts as stopped, and what is left out on both sides of a stop.
    pulse_every_beat : float
        Stops per beat above which the heartbeat makes them; without them a beat may show its second harmonic.
    error_length_px : float
        Distance along the vessel over which the model's errors are taken as one.
    error_frames : float
        Number of frames over which errors are alike: the block of the bootstrap.
    scale_gain, round_trip_gain : float
        Standard deviation of the error per unit of the model's scale (expected absolute error) and of the
        forward-backward error; set on synthetic recordings that are neither trained on nor in the benchmark, so that
        95 % intervals hold.
    usual_round_trip : float
        Forward-backward error over the scale, taken where no pair of frames could be checked.
    diagram_error : float
        Relative standard error of the mean velocity by a space-time diagram that can be read.
    flow_bias : float
        Relative standard error of the mean that no repetition takes away.
    bootstrap_samples : int
        Resamples of the block bootstrap.
    pixel_size_error, frame_rate_error : float
        Relative standard errors of the calibration.
    seed : int
        Of the bootstrap.
    """

    lanes: int = 7
    quantile_pixels: int = 200
    profile_bins: int = 13
    profile_pixels: int = 8
    smoothing_s: float = 0.015
    min_valid_share: float = 0.5
    max_motion_px: float = 4.0
    outlier_sigmas: float = 6.0
    stasis_px_frame: float = 0.25
    pulse_band_hz: tuple[float, float] = (0.5, 4.0)
    pulse_steepest: float = 1.0
    pulse_probability: float = 0.01
    pulse_oversampling: int = 10
    pulse_stopped: float = 0.25
    pulse_edge_s: float = 0.05
    pulse_every_beat: float = 0.4
    error_length_px: float = 24.0
    error_frames: float = 16.0
    scale_gain: float = 1.0
    round_trip_gain: float = 2.0
    usual_round_trip: float = 0.25
    diagram_error: float = 0.12
    flow_bias: float = 0.02
    bootstrap_samples: int = 400
    pixel_size_error: float = 0.01
    frame_rate_error: float = 0.002
    seed: int = 0


@dataclass(frozen=True)
class ActivitySettings:
    """What changes on cross-sections of a vessel, and beside it.

    Attributes
    ----------
    frames : int
        Frames that are sampled, spread over the recording.
    places_across, places_along : int
        Samples on a cross-section, and most cross-sections.
    reach_widths, reach_px : float
        How far from the centreline is looked: so many widths of the vessel, and so many px.
    same_vessel : float
        Share of a vessel that another covers from which on it is taken for the same one.
    neighbour_px : float
        Distance along the vessel over which cells are the same and the noise of the camera is not.
    drift_frames : int
        Sampled frames over which slow changes are evened out.
    middle, beside : float
        Radii within which the vessel is, and beyond which the tissue is.
    part : int
        Cross-sections that count as one measurement.
    least_error : float
        Of such a measurement, as a share of the variance of the noise.
    least_places : float
        Share of the places along the vessel at which a point of the profile across must be known.
    widths_sought, widths_tried : tuple of float, int
        Widths that are tried, in widths of the mask, and how many.
    blur_px, blur_spread, blurs_tried : float, float, int
        Usual standard deviation of the optics' blur, how far it is off that (of its logarithm), and how many are tried.
    fillings, wallwards : tuple of float
        Powers of the chord's square by which cells fill a lumen (0: evenly), and how much more they move at the walls.
    exact : tuple of float
        Share of the variance of the profile of what moves, and of that of the mean picture, that no fit need explain.
    texture_share : float
        Of the variance that the tissue's texture leaves in the mean picture, which no fit need explain either: part of
        it is the even slope, and what the vessel itself shows along its length.
    shift_spread : float
        Standard deviation of the lumen's middle off the centreline, in widths.
    wallwards_doubt : float
        Log of how much less usual it is that cells move more at the walls than in the middle.
    moving_evidence, picture_evidence : float
        Independent values that the profiles of what moves and of the mean picture are worth.
    moving_doubt, picture_doubt : float
        Chances that one of them says nothing of the walls.
    mask_spread : float
        Relative error of the width of a mask (Student's t with four degrees of freedom), larger where noise is.
    error_gain : float
        What the standard deviation over all widths is multiplied by, so that 95 of 100 diameters lie within two errors.
    blank_error : float
        Relative standard error beyond which no diameter is given.
    """

    frames: int = 128
    places_across: int = 61
    places_along: int = 150
    reach_widths: float = 1.1
    reach_px: float = 5.0
    same_vessel: float = 0.5
    neighbour_px: float = 2.0
    drift_frames: int = 48
    middle: float = 0.6
    beside: float = 1.35
    part: int = 12
    least_error: float = 0.03
    least_places: float = 0.3
    widths_sought: tuple[float, float] = (0.45, 2.2)
    widths_tried: int = 41
    blur_px: float = 1.2
    blur_spread: float = 0.6
    blurs_tried: int = 9
    fillings: tuple[float, ...] = (0.0, 0.5, 1.0)
    wallwards: tuple[float, ...] = (0.0, 2.0)
    exact: tuple[float, float] = (2e-3, 1e-4)
    texture_share: float = 0.2
    shift_spread: float = 0.1
    wallwards_doubt: float = 1.5
    moving_evidence: float = 10.0
    picture_evidence: float = 12.0
    moving_doubt: float = 0.4
    picture_doubt: float = 0.1
    mask_spread: float = 0.2
    error_gain: float = 1.4
    blank_error: float = 0.6


@dataclass(frozen=True)
class PresenceSettings:
    """When a vessel is there.

    Attributes
    ----------
    window_frames : float
        Frames of the space-time diagram that are one measurement.
    match_errors, contrast_errors : float
        Standard errors above the floor at which the correlation on the path, and the contrast with what lies beside,
        speak as much for a vessel as against it.
    alike, readable, alike_errors : float
        Difference within which rows and transit times say the same speed, share of the windows of each that must agree,
        and standard errors that this is worth.
    least_spread : float
        Of a correlation, added to what shuffled frames show.
    creep_px_frame, creep_softness : float
        Speed at which a moving pattern is as likely blood as a drift, and how sharply that changes.
    least_contrast : float
        What a vessel must have more of than its surroundings, over the variance of the noise.
    usual_quantile : float
        Of correlation and strength over time: what the vessel shows when it is in sight.
    tissue_share : float
        Of the tissue's own speed, added to the speed of a drift.
    clear : float
        Times the floor that the usual correlation must be before single moments are judged.
    gone, unlike : float
        Shares of the usual strength and correlation below which the pattern is gone.
    faded, unsharp, standing, moving_px_frame : float
        Shares of the usual strength, sharpness and speed below which it is a remnant that stands still, in a vessel
        whose blood usually moves so fast.
    least_lost_frames : int
        A vessel is out of sight for at least so long.
    """

    window_frames: float = 24.0
    match_errors: float = 6.0
    contrast_errors: float = 4.0
    alike: float = 0.12
    readable: float = 0.6
    alike_errors: float = 3.0
    least_spread: float = 0.01
    creep_px_frame: float = 0.3
    creep_softness: float = 0.05
    least_contrast: float = 0.15
    usual_quantile: float = 0.7
    tissue_share: float = 1.5
    clear: float = 3.0
    gone: float = 0.12
    unlike: float = 0.7
    faded: float = 0.35
    unsharp: float = 0.75
    standing: float = 0.1
    moving_px_frame: float = 1.0
    least_lost_frames: int = 8


@dataclass(frozen=True)
class StretchSettings:
    """Speed along the length, and when it steps.

    Attributes
    ----------
    displacement_px : float
        Frames are compared over as many frames as the blood takes for this.
    most_lag, pairs, least_pairs : int
        Most frames between two that are compared; most and fewest pairs of them.
    least_px : float
        Pairs in which the blood moves less say nothing of multiples of its speed.
    multiples, multiple_unit, multiples_tried : tuple of float, float, int
        Least and greatest multiple of the vessel's speed that is asked for, in units up to which they lie evenly and
        beyond which ever further apart, and how many.
    least_length_px, length_diameters : float
        A stretch is so long, and so many diameters.
    least_overlap : float
        Share of a stretch that must still be in view at a multiple.
    least_match : float
        Correlation from which on a stretch is read.
    side_reaches, least_side : float
        On either side of a step so many lengths of a stretch are looked at, and so many are needed.
    step : float
        Least size, as a share of the larger of the two speeds.
    step_scatters : float
        Least size in scatters of the two sides.
    least_step : float
        Least size in multiples of the vessel's speed.
    gap_share : float
        Share of the usual strength below which there is no moving pattern.
    evened_px : int
        Points of the line over which its strength is evened out.
    standing : float
        Multiple of the vessel's speed below which a stretch may show what stands still.
    whole : float
        Share of the largest strength in and around a stretch that its smallest must be.
    end_share : float
        Share of the line that is an end of it: there, it leads on beyond its vessel, and the rest is one vessel.
    confirmed_step : float
        Least difference between two neighbouring segments that are read each by itself, as a share of the larger.
    confirming_frames : int
        Of a longer recording so many, from its middle, are read again to confirm a step.
    most_segments : int
        Into which a vessel is cut along its line.
    """

    displacement_px: float = 6.0
    most_lag: int = 18
    pairs: int = 128
    least_pairs: int = 8
    least_px: float = 1.0
    multiples: tuple[float, float] = (-10.0, 16.0)
    multiple_unit: float = 0.3
    multiples_tried: int = 65
    least_length_px: float = 20.0
    length_diameters: float = 1.2
    least_overlap: float = 0.3
    least_match: float = 0.3
    side_reaches: float = 2.5
    least_side: float = 0.5
    step: float = 0.22
    step_scatters: float = 4.0
    least_step: float = 0.15
    gap_share: float = 0.15
    evened_px: int = 5
    standing: float = 0.2
    whole: float = 0.08
    end_share: float = 0.3
    confirmed_step: float = 0.15
    confirming_frames: int = 400
    most_segments: int = 8


@dataclass(frozen=True)
class ForkSettings:
    """Where vessels meet, and when their flows do not balance.

    Attributes
    ----------
    reach_widths, reach_px : float
        Ends so many widths, and px more, from each other lie at one fork.
    imbalance : float
        Least difference of what flows in and out, as a share of the larger, that is flagged.
    """

    reach_widths: float = 1.0
    reach_px: float = 4.0
    imbalance: float = 0.3


@dataclass(frozen=True)
class FlagSettings:
    """Where a flag begins; see `sam2flow_core.velocity` for the meaning of each."""

    alias_share: float = 0.5
    alias_periodicity: float = 0.25
    floor_px_frame: float = 0.4
    min_contrast_to_noise: float = 0.6
    min_sharpness: float = 0.5
    frame_share: float = 0.1
    saturated_share: float = 0.02
    min_length_px: float = 24.0
    min_length_diameters: float = 2.0
    min_frames: int = 16
    min_presence: float = 0.5
    min_area_share: float = 0.3
    overlap_share: float = 0.1
    same_share: float = 0.6
    width_error: float = 0.2
    gap_diameters: float = 1.0
    min_gap_px: float = 12.0
    edge_share: float = 0.15
    method_difference: float = 0.2
    min_kymograph_quality: float = 0.4


@dataclass(frozen=True)
class TrustSettings:
    """The chance that a velocity is right; fitted by ``scripts/fit_trust.py``.

    Attributes
    ----------
    half_difference, half_error : float
        Difference of two readings, and expected error over the speed, at which a doubt is a half.
    clear_match : float
        Correlation of the pattern with itself on its way, from which on there is no doubt of it.
    half_slow_px_frame : float
        Speed at which the doubt of slow blood is a half.
    intercept, weights : float, tuple of float
        Of the logistic; the weights in the order of `Doubts`, none below zero.
    levels : tuple of float
        Chances below which a vessel is not good, not fair, not poor.
    interval_gain : tuple of float
        What the half width of the 95 % interval is multiplied by for good, fair and poor, so that 95 of 100 hold
        (split conformal, by grade). An unusable velocity has no interval.
    agreement : float
        Difference within which two readings agree when they vote.
    confirming, correctable : float
        Where rows and transit agree within the first, which is then taken for their error, and the flow is off by less
        than the second, it is moved towards them.
    much : float
        A flow that had to be moved by more is fair at best.
    """

    half_difference: float = 0.15
    half_error: float = 0.1
    clear_match: float = 0.3
    half_slow_px_frame: float = 0.3
    intercept: float = 4.21
    weights: tuple[float, ...] = (2.00, 2.00, 3.13, 2.00)
    levels: tuple[float, float, float] = (0.91, 0.60, 0.20)
    interval_gain: tuple[float, float, float] = (1.00, 1.50, 2.16)
    agreement: float = 0.15
    confirming: float = 0.12
    correctable: float = 0.5
    much: float = 0.2


@dataclass(frozen=True)
class GradeSettings:
    """Limits of the grades: (good, fair, poor); beyond the last a vessel is unusable.

    Shares are of 1. `valid` the share of frames with a velocity, `lost` that of repeated and missing frames, `opposed`
    the share of the length that runs against the rest, `beside` the mean over the lumen, over that in its middle,
    `mask` the expected overlap of the mask with its vessel, `presence` the chance that there is a vessel at all,
    `unsharp` the share of frames out of focus. `fair_at_best` and `poor_at_best` are the flags that no better
    grade goes with, `unless_confirmed` those of them that say nothing of a velocity which rows and transit times
    both confirm.
    """

    valid: tuple[float, float, float] = (0.8, 0.5, 0.2)
    lost: tuple[float, float, float] = (0.025, 0.3, 0.75)
    opposed: tuple[float, float, float] = (0.1, 0.2, 0.4)
    beside: tuple[float, float, float] = (1.05, 1.15, 3.0)
    mask: tuple[float, float, float] = (0.5, 0.35, 0.15)
    presence: tuple[float, float, float] = (0.8, 0.5, 0.02)
    unsharp: tuple[float, float, float] = (0.4, 1.0, 1.0)
    fair_at_best: tuple[str, ...] = (
        "ALIASED",
        "NEAR_FLOOR",
        "MOTION",
        "LOW_CONTRAST",
        "SATURATED",
        "TOO_SHORT",
    )
    poor_at_best: tuple[str, ...] = ("MASK_LOST",)
    unless_confirmed: tuple[str, ...] = ("LOW_CONTRAST", "TOO_SHORT")


@dataclass(frozen=True)
class VelocitySettings:
    """All settings of the measurement of one vessel."""

    geometry: GeometrySettings = field(default_factory=GeometrySettings)
    kymograph: KymographSettings = field(default_factory=KymographSettings)
    transit: TransitSettings = field(default_factory=TransitSettings)
    linescan: LineScanSettings = field(default_factory=LineScanSettings)
    series: SeriesSettings = field(default_factory=SeriesSettings)
    stretches: StretchSettings = field(default_factory=StretchSettings)
    activity: ActivitySettings = field(default_factory=ActivitySettings)
    presence: PresenceSettings = field(default_factory=PresenceSettings)
    forks: ForkSettings = field(default_factory=ForkSettings)
    flags: FlagSettings = field(default_factory=FlagSettings)
    trust: TrustSettings = field(default_factory=TrustSettings)
    grade: GradeSettings = field(default_factory=GradeSettings)

    def at_scale(self, factor: float) -> VelocitySettings:
        """The same for a recording whose cells are ``factor`` times as wide in px as those the settings were made for.

        Lengths and speeds in px grow with the cells, so that the same vessel gets the same answer at any magnification.
        """
        parts = {}
        for part, names in _IN_PX.items():
            settings = getattr(self, part)
            values = {name: getattr(settings, name) for name in names}
            scaled = {n: max(round(v * factor), 1) if isinstance(v, int) else v * factor for n, v in values.items()}
            parts[part] = replace(settings, **scaled)
        return replace(self, **parts)


_IN_PX = {
    "geometry": ("smoothing_px", "diameter_window_px"),
    "kymograph": ("max_velocity", "slow_px"),
    "linescan": ("least_drawn_px", "drawn_width_px", "drawn_beside_px"),
    "series": ("max_motion_px", "stasis_px_frame", "error_length_px"),
    "activity": ("reach_px", "neighbour_px", "blur_px"),
    "presence": ("creep_px_frame", "moving_px_frame"),
    "stretches": ("displacement_px", "least_px", "least_length_px", "evened_px"),
    "forks": ("reach_px",),
    "trust": ("half_slow_px_frame",),
    "flags": ("floor_px_frame", "min_length_px", "min_gap_px"),
}
"""Settings that are lengths in px, or speeds in px per frame; readings by transit are made alike at all scales."""
