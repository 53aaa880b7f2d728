"""Where the cases of a benchmark come from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from sam2flow_core.errors import DataError
from sam2flow_core.evaluation.cases import case_from_scene
from sam2flow_core.evaluation.records import Case
from sam2flow_core.evaluation.stored import case_from_disk
from sam2flow_core.synthetic import BenchCase, StoredCase, bench_v1, film_long, read_cases, vitals_v1

BENCHMARKS = {"synthetic:bench-v1": bench_v1}
VITALS = {"synthetic:bench-v1": vitals_v1}
"""Recordings of the same benchmark that are long enough for heartbeats; nothing else is judged on them."""


@dataclass(frozen=True)
class LazyCase:
    """A case that is filmed or read when it is needed.

    Attributes
    ----------
    name : str
    about : str
        What it is there for.
    frames : int
    fingerprint : str
        Changes whenever the case's settings change.
    open : callable
        Films or reads the case.
    """

    name: str
    about: str
    frames: int
    fingerprint: str
    open: Callable[[], Case]


def find_cases(data: str, clicks: tuple[int, ...], names: Sequence[str] = ()) -> tuple[LazyCase, ...]:
    """List the cases of a benchmark.

    Parameters
    ----------
    data : str
        ``synthetic:bench-v1``, or a folder written by ``sam2flow synth``.
    clicks : tuple of int
        Numbers of positive clicks per vessel to draw.
    names : sequence of str
        Of the cases wanted; all of them by default.

    Raises
    ------
    DataError
        If there is no such benchmark, folder or case.
    """
    found = _all_cases(data)
    there = [case.name for case in found]
    for name in names:
        if name not in there:
            raise DataError(f"{data}: no case '{name}'; there are {', '.join(there)}")
    return tuple(_lazy(case, clicks) for case in found if not names or case.name in names)


def find_vitals(data: str, clicks: tuple[int, ...]) -> tuple[LazyCase, ...]:
    """List the recordings on which heartbeat and cells are judged; parameters as those of `find_cases`."""
    return tuple(_lazy(case, clicks) for case in VITALS[data]()) if data in VITALS else ()


def _all_cases(data: str) -> Sequence[BenchCase | StoredCase]:
    if data in BENCHMARKS:
        return BENCHMARKS[data]()
    if data.startswith("synthetic:"):
        raise DataError(f"{data}: no such benchmark; there is {', '.join(BENCHMARKS)}")
    return read_cases(Path(data))


def _lazy(case: BenchCase | StoredCase, clicks: tuple[int, ...]) -> LazyCase:
    return _bench_case(case, clicks) if isinstance(case, BenchCase) else _stored_case(case, clicks)


def _bench_case(case: BenchCase, clicks: tuple[int, ...]) -> LazyCase:
    return LazyCase(case.name, case.about, case.length, _digest(case), partial(_film, case, clicks))


def _digest(case: BenchCase) -> str:
    """Return a digest of two frames: it changes with the generator, as well as with the settings."""
    scene, frames = case.scene(), case.frames()
    digest = hashlib.sha256(repr(case).encode())
    for part in film_long(scene, frames[[0, len(frames) // 2]]):
        # Rounded: the last bits differ from one processor to the next.
        digest.update(np.round(255 * part).astype(np.uint8).tobytes())
    return digest.hexdigest()


def _film(case: BenchCase, clicks: tuple[int, ...]) -> Case:
    return case_from_scene(case.name, case.scene(), case.frames(), clicks, case.seed)


def _stored_case(case: StoredCase, clicks: tuple[int, ...]) -> LazyCase:
    changed = (case.stack.parent / "truth.zarr").stat().st_mtime_ns, case.stack.stat().st_mtime_ns
    fingerprint = f"{case.stack.resolve()} {changed}"
    return LazyCase(case.name, "", len(case.shifts), fingerprint, partial(case_from_disk, case, clicks))
