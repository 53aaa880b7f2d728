"""What decides a result, and ``provenance.json``: what it was made from and with; enough to make it again."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sam2flow_core import __version__
from sam2flow_core.config.run import EVERY, QUICK
from sam2flow_core.config.stack import stack_settings
from sam2flow_core.config.velocity import VelocitySettings
from sam2flow_core.engine.events import RunRequest
from sam2flow_core.engine.source import Source, describe_detail
from sam2flow_core.errors import OutputError, StackError
from sam2flow_core.inference.hub import require_here
from sam2flow_core.prompts import Prompt, clicks_of, regions_from_json, regions_of, regions_to_json
from sam2flow_core.results import PROVENANCE, Results, read_marker
from sam2flow_core.stack import Calibration, FramePlan, Measured, check_factor
from sam2flow_core.untrusted import STRICT, on_network, one_line, read_json, read_object, read_regular

RECORDING = "recording"
MODEL = "model"
THREADS = "number of threads"
RESOLUTION = "working resolution"
DETAIL = "detail"
EVERY_PAIR = "every pair"
"""What the detail is of runs that do not say it."""
_ONE_PAIR_IN = "one pair in "


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
    return EVERY_PAIR if plan.every == 1 else f"{_ONE_PAIR_IN}{plan.every}"


def _detail_again(said: str) -> str:
    """What asks for the detail that an identity speaks of."""
    number = said.removeprefix(_ONE_PAIR_IN)
    return EVERY if said == EVERY_PAIR else number if number.isdecimal() else QUICK


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
    number = detail.removeprefix(_ONE_PAIR_IN)
    return int(number) if number.isdecimal() else 10**9


def check_same_run(out: object, ours: Mapping[str, str], theirs: Mapping[str, str]) -> None:
    """Raise `OutputError` unless the run in a folder is the one that is asked for."""
    if different := _differences(ours, theirs):
        raise OutputError(
            "{out}: holds a run that differs in its {different}; choose another folder, or ask for the same run",
            out=out,
            different=different,
        )


def check_expected(ours: Mapping[str, str], expected: Mapping[str, str]) -> None:
    """Raise `StackError` unless this run repeats the earlier one that is expected."""
    if different := _differences(expected, ours):
        raise StackError(
            "cannot repeat the run: here is another {different} than in its provenance", different=different
        )


def _differences(wanted: Mapping[str, str], found: Mapping[str, str]) -> str:
    return " and ".join(key for key in wanted if wanted[key] != found.get(key))


FORMAT = 1
_LIBRARIES = ("sam2flow", "torch", "numpy", "scipy", "scikit-image", "tifffile", "zarr", "pandas")


_MOST_THREADS = 1024


@dataclass(frozen=True)
class _File:
    name: str
    bytes: int


@dataclass(frozen=True)
class _Recording:
    path: str
    axes: str | None
    sha256: str = ""  # older files have none
    files: tuple[_File, ...] = ()


@dataclass(frozen=True)
class _Frames:
    start: int
    stop: int
    ranges: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class _Detail:
    asked: str = EVERY
    every: int = 1
    pulse_hz: float | None = None

    @property
    def again(self) -> str:
        """What asks for the same pairs, also where the standard has changed since."""
        return self.asked if self.asked == QUICK else str(self.every) if self.every > 1 else EVERY


@dataclass(frozen=True)
class _Stabilisation:
    on: bool


@dataclass(frozen=True)
class _Model:
    asked: str


@dataclass(frozen=True)
class _Device:
    asked: str
    threads: int | None


@dataclass(frozen=True)
class _Resolution:
    factor: float = 1.0  # older runs worked on the frames as they were recorded
    basis: str = "none"


@dataclass(frozen=True)
class _Provenance:
    """What repeating a run takes from ``provenance.json``, and of which types."""

    __pydantic_config__ = STRICT

    recording: _Recording
    calibration: Calibration
    frames: _Frames
    prompts: tuple[Prompt, ...]
    stabilisation: _Stabilisation
    model: _Model
    device: _Device
    video_id: str
    names: Mapping[int, str]
    identity: Mapping[str, str]
    regions: tuple[Mapping[str, Any], ...] = ()
    working_resolution: _Resolution = _Resolution()
    groups: Mapping[int, str] = field(default_factory=dict)
    detail: _Detail = _Detail()


def describe_run(
    request: RunRequest,
    source: Source,
    results: Results,
    identity: Mapping[str, str],
    description: Mapping[str, Any],
    velocity: VelocitySettings,
) -> dict[str, Any]:
    """Return the provenance of a finished run as JSON values."""
    import torch

    stack = source.stack
    shifts = results.shifts
    return {
        "format": FORMAT,
        "purpose": "for research use only; not a medical device",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "recording": {
            "path": str(request.stack.absolute()),
            "name": request.stack.name,
            "files": [{"name": name, "bytes": size, "written_ns": written} for name, size, written in stack.files],
            "sha256": identity[RECORDING],
            "shape": list(stack.shape),
            "dtype": str(stack.dtype),
            "axes": request.stack_axes,
            "problems": [*stack.problems, *source.timing.notices],
        },
        "video_id": results.header.video_id,
        "calibration": asdict(source.timed_calibration),
        "frames": {"start": source.start, "stop": source.stop, "ranges": [list(each) for each in source.ranges]},
        "detail": describe_detail(request.detail, source.plan, source.calibration.usable_frame_rate_hz)
        | {"pulse_hz": request.pulse_hz},
        "prompts": [asdict(p) for p in clicks_of(request.prompts)],
        "regions": regions_to_json(regions_of(request.prompts)),
        "names": {str(vessel): name for vessel, name in results.header.names.items()},
        "groups": {str(vessel): group for vessel, group in results.header.groups.items()},
        "stabilisation": {"on": request.stabilise, "shifts_dy_dx_px": shifts.round(4).tolist()},
        "working_resolution": asdict(source.resolution),
        "model": {"asked": request.model, **description},
        "device": {
            "asked": request.device,
            "used": description.get("device"),
            "threads": request.threads or torch.get_num_threads(),
        },
        "seed": velocity.series.seed,
        "settings": {
            "stack": stack_settings(),
            "store": dict(results.header.settings),
            "velocity": asdict(velocity),
        },
        "software": software(),
        "identity": dict(identity),
    }


def software() -> dict[str, str]:
    """Return the versions of all that takes part in a result."""
    system = {"python": platform.python_version(), "system": platform.platform()}
    return system | {name: version(name) for name in _LIBRARIES}


def read_provenance(path: Path) -> dict[str, Any]:
    """Read a ``provenance.json``.

    Raises
    ------
    OutputError
        If it is none, or of a format that this version does not know.
    """
    return _read(path)[0]


def _read(path: Path) -> tuple[dict[str, Any], _Provenance]:
    """Return all that a provenance says, and what repeating a run takes from it."""
    try:
        text = read_regular(path)
        record = read_object(text)
        if record.get("format") != FORMAT:
            raise OutputError("{path}: is no provenance of a run that this version of SAM2Flow can read", path=path)
        content = read_json(_Provenance, text)
        _check(content, path)
    except (OSError, ValueError) as error:
        raise OutputError(
            "{path}: cannot be read as a provenance file ({reason})", path=path, reason=one_line(str(error))
        ) from None
    return record, content


def _check(content: _Provenance, path: Path) -> None:
    """Raise `ValueError` for values that cannot be meant."""
    name = content.recording.path
    if "\0" in name or on_network(name, path.absolute()):
        raise ValueError("its recording lies on another computer: give its path as STACK")
    if content.device.threads is not None and not 1 <= content.device.threads <= _MOST_THREADS:
        raise ValueError(f"{content.device.threads} threads")
    regions_from_json(content.regions)
    try:
        check_factor(content.working_resolution.factor)
    except StackError as error:
        raise ValueError(str(error)) from None


def identity_in(record: Mapping[str, Any]) -> dict[str, str]:
    """Return the identity of the run that a provenance tells of."""
    identity = completed(record["identity"])
    # The SHA-256, also of files from when an identity held a hash of some blocks.
    if "sha256" in record["recording"]:
        identity[RECORDING] = record["recording"]["sha256"]
    return identity


def stored_identity(out: Path) -> dict[str, str]:
    """Return the identity of the run that a folder holds, unfinished or finished; empty where it holds none.

    Raises
    ------
    OutputError
        If its files cannot be read.
    """
    marker = read_marker(out)
    if marker is not None:
        return completed(marker.identity)
    return identity_in(read_provenance(out / PROVENANCE)) if (out / PROVENANCE).is_file() else {}


def request_again(
    path: Path, out: Path, stack: Path | None = None, device: str | None = None, download: bool = False
) -> RunRequest:
    """Return the request that repeats the run of a ``provenance.json``.

    Parameters
    ----------
    path : Path
        The ``provenance.json``.
    out : Path
        Folder for the new results.
    stack : Path, optional
        Where the recording is now, if it has moved.
    device : str, optional
        Another device than the earlier run's.
    download : bool
        Whether a model that the file names may be fetched from the Hugging Face hub.

    Raises
    ------
    OutputError
        If the file cannot be read as a provenance.
    ModelError
        If it names a model of the hub, and `download` is off.
    """
    record, content = _read(path)
    if not download:
        require_here(content.model.asked, path)
    resolution = content.working_resolution
    return RunRequest(
        stack=stack or Path(content.recording.path),
        prompts=(*content.prompts, *regions_from_json(content.regions)),
        out=out,
        model=content.model.asked,
        device=device or content.device.asked,
        pixel_size_um=_from_user(content.calibration.pixel_size_um),
        frame_rate_hz=_from_user(content.calibration.frame_rate_hz),
        start=content.frames.start,
        stop=content.frames.stop,
        stabilise=content.stabilisation.on,
        stack_axes=content.recording.axes,
        video_id=content.video_id,
        names=tuple((vessel, one_line(name)) for vessel, name in content.names.items()),
        groups=tuple((vessel, one_line(group)) for vessel, group in content.groups.items()),
        threads=content.device.threads,
        # What was measured in the pattern might come out otherwise elsewhere; the pixel size says the same anywhere.
        working_resolution=None if resolution.basis == "pixel size" else resolution.factor,
        detail=content.detail.again,
        ranges=content.frames.ranges if len(content.frames.ranges) > 1 else (),
        pulse_hz=content.detail.pulse_hz,
        expected=without_machine(identity_in(record)),
    )


def request_in(folder: Path, stack: Path | None = None) -> RunRequest:
    """Return the request of the run that a folder holds, finished or not.

    Its provenance tells of the tables beside it. A run of more detail that was killed before its first tables has left
    those of less detail there: what is in the store is then as its marker says.

    Parameters
    ----------
    folder : Path
        Of a run that has written its first tables.
    stack : Path, optional
        Its recording, if it has moved.

    Raises
    ------
    OutputError
        If it cannot be read.
    """
    request = request_again(folder / PROVENANCE, folder, stack, download=True)
    marker = read_marker(folder)
    if marker is None:
        return request
    identity = completed(marker.identity)
    if completed(dict(request.expected))[DETAIL] == identity[DETAIL]:
        return request
    return replace(request, detail=_detail_again(identity[DETAIL]), expected=without_machine(identity))


def request_to_go_on(folder: Path, stack: Path, detail: str | None = None) -> RunRequest:
    """Return the request that goes on with the run in a folder.

    Parameters
    ----------
    folder : Path
        Of a run that has written its first tables.
    stack : Path
        Its recording.
    detail : str, optional
        A finer detail than the run's own, to answer more pairs of frames.

    Raises
    ------
    OutputError
        If it cannot be read.
    """
    request = replace(request_in(folder, stack), resume=True)
    # What is expected is the run as it was; the engine compares all but the detail with what is in the folder.
    return request if detail is None else replace(request, detail=detail, expected=())


def _from_user(measured: Measured) -> float | None:
    return measured.value if measured.source == "user" else None
