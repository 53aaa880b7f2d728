"""Settings of a run: how many pairs it answers, how results are laid out on disk, how threads wait."""

from __future__ import annotations

from dataclasses import dataclass

QUICK, STANDARD, EVERY = "quick", "standard", "every"
DETAILS = (QUICK, STANDARD, EVERY)
"""By name, from coarse to fine; a whole number N in place of a name answers one pair of N."""
THREAD_VARIABLES = {"OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_NUM_THREADS": "1"}
"""Environment variables to be set before torch and numpy are loaded, unless the user did.

Threads of torch that wait for each other sleep: by default they spin, and beside any other busy program a run then
takes half as long again. Products of numpy's matrices are made on one thread: they are small and made beside the
network, and several threads spin for longer than the product takes.
"""


@dataclass(frozen=True)
class DetailSettings:
    """What the names of detail stand for.

    Velocity changes with the heart, at a few Hz; a camera gives more pairs than that needs. Those that are answered
    lie evenly, and each is answered from all the frames around it.

    Attributes
    ----------
    pairs_per_second : float
        Standard: at least so many.
    pairs_per_beat : float
        Standard: at least so many, where the heart rate is known.
    pulse_hz : tuple of float
        Heart rates that can be; a shrew's is 25 Hz.
    places : int
        Quick: places spread over the recording.
    pairs_per_place : int
        Quick: pairs that are answered at each, as far apart as standard has them.
    margin : int
        Quick: frames that are read on either side of them, for their evidence.
    most_of_range : float
        Quick: share of the frames that may be read; where the places would take more there are fewer of them.
    """

    pairs_per_second: float = 40.0
    pairs_per_beat: float = 24.0
    pulse_hz: tuple[float, float] = (0.05, 30.0)
    places: int = 12
    pairs_per_place: int = 3
    margin: int = 20
    most_of_range: float = 0.5


@dataclass(frozen=True)
class PartialSettings:
    """When a run that goes on writes tables of the frames so far.

    Attributes
    ----------
    after_s : float
        So long after the first frame, and not sooner after the tables before.
    share : float
        Of the time since the last ones that writing them may take: where it takes long they come more rarely.
    most_at_end_s : float
        How long a run that is cancelled may still take for tables of all its frames, by what the last ones took.
    """

    after_s: float = 10.0
    share: float = 0.05
    most_at_end_s: float = 20.0


@dataclass(frozen=True)
class StoreSettings:
    """Layout of ``results.zarr``.

    Attributes
    ----------
    chunk_frames : int
        Frames that are written, and can be lost by a crash, together.
    tile : int
        Side in px of the tiles of the full-frame arrays; tiles without a vessel take no space.
    index_frames : int
        Chunk length of the small per-frame arrays (offsets, shifts, scores), long so that a recording of
        20 000 frames does not leave a hundred thousand tiny files.
    zstd_level : int
        Compression level. Flow of a vessel is noise to a compressor, so higher levels cost time and gain little.
    """

    chunk_frames: int = 16
    tile: int = 256
    index_frames: int = 4096
    zstd_level: int = 1
