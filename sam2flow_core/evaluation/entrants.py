"""Who takes part in the benchmark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from sam2flow_core.evaluation.comparison import Comparison, compare
from sam2flow_core.evaluation.dense import TwoFrameMethod
from sam2flow_core.evaluation.kymograph import compare_kymograph
from sam2flow_core.evaluation.peers import peer_methods
from sam2flow_core.evaluation.records import Case, Method


@dataclass(frozen=True)
class Entrant:
    """One row of the tables.

    Attributes
    ----------
    name : str
    fingerprint : str
        Changes whenever the answers may change: the key under which they are kept.
    judge : callable
        From a case and its chosen pairs to the comparison with the truth.
    """

    name: str
    fingerprint: str
    judge: Callable[[Case, Sequence[int]], Comparison]


@dataclass(frozen=True)
class Survey:
    """Figures of vessels that are collected case by case.

    Attributes
    ----------
    name : str
    fingerprint : str
        As that of an `Entrant`.
    judge : callable
        From a case to a table.
    """

    name: str
    fingerprint: str
    judge: Callable[[Case], pd.DataFrame]


def flow_entrant(method: Method) -> Entrant:
    """Enter a method that gives a flow field."""
    return Entrant(method.name, method.fingerprint, lambda case, pairs: compare(case, method, pairs))


def peer_entrants(background_frames: int) -> tuple[Entrant, ...]:
    """Enter every two-frame peer this machine can run, and the kymograph."""
    dense = [flow_entrant(TwoFrameMethod(method, background_frames)) for method in peer_methods()]
    kymograph = Entrant("kymograph, true centreline", "kymograph 1", lambda case, _: compare_kymograph(case))
    return (*dense, kymograph)
