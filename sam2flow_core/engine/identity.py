"""What decides a run's result, as text that can be compared and shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sam2flow_core import __version__
from sam2flow_core.engine.events import RunRequest
from sam2flow_core.engine.source import Source
from sam2flow_core.errors import OutputError, StackError
from sam2flow_core.prompts import clicks_of, regions_of
from sam2flow_core.stack import FramePlan

RECORDING = "recording"
MODEL = "model"
THREADS = "number of threads"
RESOLUTION = "working resolution"
DETAIL = "detail"
EVERY_PAIR = "every pair"
"""What the detail is of runs that do not say it."""


def identify(
    request: RunRequest, source: Source, content: str, description: Mapping[str, Any], threads: int
) -> dict[str, str]:
    """Describe a run by everything that its result follows from; `content` is the recording's SHA-256.

    Two runs with equal identities give the same files on the same machine.
    """
    calibration = source.calibration
    clicks = [f"{p.vessel_id},{p.frame},{p.y!r},{p.x!r},{p.label}" for p in clicks_of(request.prompts)]
    return {
        RECORDING: content,
        "axes": str(request.stack_axes),
        "frames": ", ".join(f"{start} to {stop - 1}" for start, stop in source.ranges),
        DETAIL: _detail(source.plan),
        "prompts": "; ".join([*clicks, *map(str, regions_of(request.prompts))]),
        MODEL: str(description.get("sha256")),
        "version of SAM2Flow": __version__,
        "device": str(description.get("device")),
        THREADS: str(threads),
        "stabilisation": "on" if request.stabilise else "off",
        RESOLUTION: f"{source.resolution.factor:g}",
        "pixel size": f"{calibration.pixel_size_um.value} um ({calibration.pixel_size_um.source})",
        "frame rate": f"{calibration.frame_rate_hz.value} Hz ({calibration.frame_rate_hz.source})",
    }


def _detail(plan: FramePlan) -> str:
    if plan.seen:
        return f"{len(plan.answered)} pairs at {len(plan.ranges)} places, {plan.every} frames apart"
    return EVERY_PAIR if plan.every == 1 else f"one pair in {plan.every}"


# A run may be repeated elsewhere and later; it is then the same to rounding, not to the bit.
_OF_THE_MACHINE = ("version of SAM2Flow", "device", THREADS)


def without_machine(identity: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the part of an identity that holds on any machine, for `RunRequest.expected`."""
    return tuple((key, value) for key, value in identity.items() if key not in _OF_THE_MACHINE)


def completed(identity: Mapping[str, str]) -> dict[str, str]:
    """Return an identity as it was written, with what earlier versions did and did not speak of."""
    return {RESOLUTION: "1", DETAIL: EVERY_PAIR, **identity}


def is_refinement(ours: Mapping[str, str], theirs: Mapping[str, str]) -> bool:
    """Whether this run is that of a folder in more detail, and the same otherwise."""
    return _differences(ours, theirs) == DETAIL and _coarseness(ours[DETAIL]) < _coarseness(theirs[DETAIL])


def _coarseness(detail: str) -> int:
    """Pairs of which one is answered; of a quick look, more than any."""
    if detail == EVERY_PAIR:
        return 1
    number = detail.removeprefix("one pair in ")
    return int(number) if number.isdecimal() else 10**9


def check_same_run(out: object, ours: Mapping[str, str], theirs: Mapping[str, str]) -> None:
    """Raise `OutputError` unless the run in a folder is the one that is asked for."""
    if different := _differences(ours, theirs):
        raise OutputError(
            f"{out}: holds a run with another {different}; choose another folder, or ask for the same run"
        )


def check_expected(ours: Mapping[str, str], expected: Mapping[str, str]) -> None:
    """Raise `StackError` unless this run repeats the earlier one that is expected."""
    if different := _differences(expected, ours):
        raise StackError(f"cannot repeat the run: here is another {different} than in its provenance")


def _differences(wanted: Mapping[str, str], found: Mapping[str, str]) -> str:
    return " and ".join(key for key in wanted if wanted[key] != found.get(key))
