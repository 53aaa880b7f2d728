"""What flows into a fork flows out of it: the balance of the vessels, or segments, that meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csgraph, csr_array

from sam2flow_core.config.flags import FLAG_MEANINGS
from sam2flow_core.config.velocity import ForkSettings
from sam2flow_core.velocity.records import VesselMeasurement
from sam2flow_core.velocity.uncertainty import Z95

_FLAG = "UNBALANCED"


@dataclass(frozen=True)
class _End:
    """One end of a vessel or segment: (y, x) px, width in px, and flow into the fork there, px^3 per frame."""

    unit: int
    place: tuple[float, float]
    width: float
    flow: float
    error: float


def balanced(
    measurements: Sequence[VesselMeasurement], settings: ForkSettings | None = None
) -> list[VesselMeasurement]:
    """Return measurements with the balance of the forks at which they end.

    At a fork at least three ends meet, of vessels or of segments, and blood flows in and out. The flow of each is
    pi d^2 / 4 times its mean velocity. Where in and out differ by more than their errors allow, all that meet there
    are flagged: a width or a velocity is wrong, or one more vessel leaves there that nobody marked.

    Parameters
    ----------
    measurements : sequence of VesselMeasurement
        Of one recording.
    settings : ForkSettings, optional
    """
    settings = settings or ForkSettings()
    units = [unit for vessel in measurements for unit in vessel.units]
    forks = _forks([end for k, unit in enumerate(units) for end in _ends(k, unit)], settings)
    for fork in forks:
        into, out = sum(e.flow for e in fork if e.flow > 0), -sum(e.flow for e in fork if e.flow < 0)
        balance = (into - out) / max(into, out)
        error = float(np.sqrt(sum(end.error**2 for end in fork))) / max(into, out)
        fails = abs(balance) > max(settings.imbalance, Z95 * error)
        for number in {end.unit for end in fork}:
            units[number] = _with_balance(units[number], balance, fails)
    rest = iter(units)
    found = []
    for vessel in measurements:
        mine = tuple(next(rest) for _ in vessel.units)
        found.append(_with_segments(vessel, mine, forks, units) if vessel.segments else mine[0])
    return found


def _ends(number: int, unit: VesselMeasurement) -> list[_End]:
    mean = unit.statistics.mean
    known = unit.diameter_px[np.isfinite(unit.diameter_px)]
    if not np.isfinite(mean) or not len(known):
        return []
    width = float(known.mean())
    ratio = unit.profile.centre / unit.profile.ratio / mean if np.isfinite(unit.profile.ratio) else 1.0
    flow = np.pi / 4 * width**2 * mean * ratio
    velocity_error = (unit.statistics.high - unit.statistics.low) / 2 / Z95 / max(abs(mean), 1e-9)
    error = abs(flow) * float(np.hypot(velocity_error, 2 * unit.diameter_error))
    places = [tuple(unit.centreline[k] + np.array(unit.origin)) for k in (0, -1)]
    return [
        _End(number, (float(y), float(x)), width, sign * flow, error)
        for (y, x), sign in zip(places, (-1, 1), strict=True)
    ]


def _forks(ends: list[_End], settings: ForkSettings) -> list[list[_End]]:
    """Return the ends that lie together, three or more of different vessels, with blood that comes and goes."""
    if len(ends) < 3:
        return []
    places, widths = np.array([end.place for end in ends]), np.array([end.width for end in ends])
    apart = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    near = apart <= settings.reach_widths * np.maximum(widths[:, None], widths) + settings.reach_px
    owner = np.array([end.unit for end in ends])
    near &= owner[:, None] != owner
    number, label = csgraph.connected_components(csr_array(near), directed=False)
    groups = [[end for end, mine in zip(ends, label, strict=True) if mine == k] for k in range(number)]
    return [
        group
        for group in groups
        if len({end.unit for end in group}) == len(group) >= 3
        and any(end.flow > 0 for end in group)
        and any(end.flow < 0 for end in group)
    ]


def _with_balance(unit: VesselMeasurement, balance: float, fails: bool) -> VesselMeasurement:
    """Keep the worse of two forks."""
    flags = (*unit.flags, _FLAG) if fails and _FLAG not in unit.flags else unit.flags
    ordered = tuple(flag for flag in FLAG_MEANINGS if flag in flags)
    worse = not abs(unit.balance) > abs(balance)
    return replace(unit, flags=ordered, balance=balance if worse else unit.balance)


def _with_segments(
    vessel: VesselMeasurement,
    segments: tuple[VesselMeasurement, ...],
    forks: list[list[_End]],
    units: list[VesselMeasurement],
) -> VesselMeasurement:
    """Give a vessel its segments back; their flows add up where they are the arms of one fork of its own."""
    own = [
        [(units[end.unit].segment, end.flow) for end in fork]
        for fork in forks
        if all(units[end.unit].vessel_id == vessel.vessel_id for end in fork)
    ]
    if len(own) != 1:
        return replace(vessel, segments=segments)
    joint = tuple(segment for segment, flow in own[0] if flow > 0)
    balance = next(unit.balance for unit in segments if unit.segment == own[0][0][0])
    return replace(vessel, segments=segments, joint=joint, balance=balance)
