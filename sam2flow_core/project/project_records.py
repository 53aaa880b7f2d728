"""The frozen records that a project is made of: vessels and prompts, where every edit gives a new state, and runs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from sam2flow_core.config.run import STANDARD
from sam2flow_core.errors import PromptError
from sam2flow_core.messages import Message
from sam2flow_core.prompts import (
    AnyPrompt,
    BoxPrompt,
    MaskPrompt,
    Prompt,
    Region,
    check_point,
    check_regions,
    clicks_of,
    regions_of,
)


def default_name(vessel_id: int) -> Message:
    """Return what a vessel is called that nobody has named."""
    return Message("Vessel {number}", number=vessel_id)


@dataclass(frozen=True)
class Vessel:
    """One row of the vessel list.

    Attributes
    ----------
    vessel_id : int
        1 or more; also the value of the vessel in label images.
    name : str
    visible : bool
        Whether its mask and flow are drawn.
    group : str
        What it is sorted by in tables, such as its type.
    """

    vessel_id: int
    name: str
    visible: bool = True
    group: str = ""

    @property
    def called(self) -> str:
        """Its name; a `Message` where nobody has named it, so that a window can say it in its language."""
        default = default_name(self.vessel_id)
        return default if self.name == default else self.name


@dataclass(frozen=True)
class SessionState:
    """Everything a user can undo.

    Attributes
    ----------
    vessels : tuple of Vessel
        In the order of the list.
    prompts : tuple of Prompt, BoxPrompt or MaskPrompt
        Clicks in their order, then boxes and masks, of which there is at most one of each kind for a vessel in a
        frame; every `vessel_id` has a row in `vessels`.
    """

    vessels: tuple[Vessel, ...] = ()
    prompts: tuple[AnyPrompt, ...] = ()

    @property
    def clicks(self) -> tuple[Prompt, ...]:
        """The clicks among the prompts."""
        return clicks_of(self.prompts)

    @property
    def regions(self) -> tuple[Region, ...]:
        """The boxes and masks among the prompts."""
        return regions_of(self.prompts)

    @property
    def boxes(self) -> tuple[BoxPrompt, ...]:
        """The boxes among the prompts."""
        return tuple(r for r in self.regions if isinstance(r, BoxPrompt))

    @property
    def prompted_frames(self) -> tuple[int, ...]:
        """Frames in which something is marked, ascending."""
        return tuple(sorted({p.frame for p in self.prompts}))

    @property
    def vessel_ids(self) -> tuple[int, ...]:
        """Ids in the order of the list."""
        return tuple(v.vessel_id for v in self.vessels)

    def vessel(self, vessel_id: int) -> Vessel | None:
        """Return the vessel of that id, or None."""
        return next((v for v in self.vessels if v.vessel_id == vessel_id), None)

    def prompts_of(self, vessel_id: int) -> tuple[AnyPrompt, ...]:
        """Return all that is said of one vessel: its clicks, then its boxes and masks."""
        return tuple(p for p in self.prompts if p.vessel_id == vessel_id)

    def is_prompted(self, vessel_id: int) -> bool:
        """Whether anything is said of a vessel, be it only where it is not."""
        return bool(self.prompts_of(vessel_id))

    def is_shown(self, vessel_id: int) -> bool:
        """Whether a click, a box or a mask says where a vessel is."""
        return any(not isinstance(p, Prompt) or p.label for p in self.prompts_of(vessel_id))

    def within(self, shape: tuple[int, int, int]) -> SessionState:
        """Return a state of the marks alone that lie in a recording of ``shape`` (T, Y, X)."""
        return replace(self, prompts=tuple(p for p in self.prompts if _lies_in(p, shape)))

    def next_id(self) -> int:
        """Return an id that no vessel has."""
        return max(self.vessel_ids, default=0) + 1

    def with_vessel(self, name: str = "") -> SessionState:
        """Return a state with one more vessel at the end of the list."""
        vessel_id = self.next_id()
        return replace(self, vessels=(*self.vessels, Vessel(vessel_id, name or default_name(vessel_id))))

    def without_vessel(self, vessel_id: int) -> SessionState:
        """Return a state without the vessel and its prompts."""
        return SessionState(
            tuple(v for v in self.vessels if v.vessel_id != vessel_id),
            tuple(p for p in self.prompts if p.vessel_id != vessel_id),
        )

    def renamed(self, vessel_id: int, name: str) -> SessionState:
        """Return a state in which the vessel has another name."""
        return self._changed(vessel_id, name=name)

    def grouped(self, vessel_id: int, group: str) -> SessionState:
        """Return a state in which the vessel is sorted by another group; empty takes it out of any."""
        return self._changed(vessel_id, group=group)

    def merged(self, vessel_id: int, other: int) -> SessionState:
        """Return a state in which all marks of another vessel are this one's, and the other is gone.

        Of two boxes in one frame the box about both stays, of two painted masks all that is painted.
        """
        if vessel_id == other or not {vessel_id, other} <= set(self.vessel_ids):
            return self
        renamed = tuple(replace(p, vessel_id=vessel_id) if p.vessel_id == other else p for p in self.prompts)
        joined: dict[tuple[type, int, int], Region] = {}
        for region in regions_of(renamed):
            place = (type(region), region.vessel_id, region.frame)
            joined[place] = _joined(joined[place], region) if place in joined else region
        vessels = tuple(v for v in self.vessels if v.vessel_id != other)
        return SessionState(vessels, (*clicks_of(renamed), *joined.values()))

    def split(self, clicks: tuple[Prompt, ...]) -> SessionState:
        """Return a state in which some clicks are those of a new vessel, which follows the first one's in the list."""
        if not clicks:
            return self
        new, first = self.next_id(), clicks[0].vessel_id
        prompts = tuple(replace(p, vessel_id=new) if p in clicks else p for p in self.prompts)
        state = replace(self.with_vessel(), prompts=prompts)
        return state.moved(new, self.vessel_ids.index(first) + 1 - len(self.vessels))

    def moved(self, vessel_id: int, by: int) -> SessionState:
        """Return a state in which the vessel stands so many places further down the list, at most at its end."""
        if vessel_id not in self.vessel_ids:
            return self
        vessels = list(self.vessels)
        place = self.vessel_ids.index(vessel_id)
        vessel = vessels.pop(place)
        vessels.insert(min(max(place + by, 0), len(vessels)), vessel)
        return replace(self, vessels=tuple(vessels))

    def shown(self, vessel_id: int, visible: bool) -> SessionState:
        """Return a state in which the vessel is drawn or hidden."""
        return self._changed(vessel_id, visible=visible)

    def with_clicks(self, clicks: tuple[Prompt, ...]) -> SessionState:
        """Return a state with these clicks; vessels that only they know are added."""
        return self._marked((*clicks, *self.regions))

    def with_clicks_of(self, vessel_id: int, clicks: tuple[Prompt, ...]) -> SessionState:
        """Return a state in which these are the clicks of one vessel; those that it had stay in their places."""
        kept = tuple(click for click in self.clicks if click.vessel_id != vessel_id or click in clicks)
        return self.with_clicks((*kept, *(click for click in clicks if click not in kept)))

    def with_boxes(self, boxes: tuple[BoxPrompt, ...]) -> SessionState:
        """Return a state with these boxes; of several of one vessel in one frame the last stays."""
        newest = {(box.vessel_id, box.frame): box for box in boxes}
        masks = tuple(r for r in self.regions if isinstance(r, MaskPrompt))
        return self._marked((*self.clicks, *masks, *newest.values()))

    def with_mask(self, mask: MaskPrompt) -> SessionState:
        """Return a state with a painted mask; it stands for all that was marked of its vessel in its frame before."""
        place = (mask.vessel_id, mask.frame)
        others = tuple(p for p in self.prompts if (p.vessel_id, p.frame) != place)
        return self._marked((*clicks_of(others), mask, *regions_of(others)))

    def without_regions(self, vessel_id: int, frame: int) -> SessionState:
        """Return a state without box and mask of a vessel in a frame."""
        kept = (r for r in self.regions if (r.vessel_id, r.frame) != (vessel_id, frame))
        return replace(self, prompts=(*self.clicks, *kept))

    def _marked(self, prompts: tuple[AnyPrompt, ...]) -> SessionState:
        new = sorted({p.vessel_id for p in prompts} - set(self.vessel_ids))
        return SessionState((*self.vessels, *(Vessel(i, default_name(i)) for i in new)), prompts)

    def _changed(self, vessel_id: int, **changes: object) -> SessionState:
        vessels = tuple(replace(v, **changes) if v.vessel_id == vessel_id else v for v in self.vessels)  # type: ignore[arg-type]
        return replace(self, vessels=vessels)


def _joined(first: Region, second: Region) -> Region:
    if isinstance(first, MaskPrompt) and isinstance(second, MaskPrompt):
        return MaskPrompt.of(first.vessel_id, first.frame, first.mask | second.mask)
    assert isinstance(first, BoxPrompt) and isinstance(second, BoxPrompt)
    low = min(first.top, second.top), min(first.left, second.left)
    return replace(
        first, top=low[0], left=low[1], bottom=max(first.bottom, second.bottom), right=max(first.right, second.right)
    )


def _lies_in(mark: AnyPrompt, shape: tuple[int, int, int]) -> bool:
    try:
        check_point(mark, shape) if isinstance(mark, Prompt) else check_regions((mark,), shape)
    except PromptError:
        return False
    return True


@dataclass(frozen=True)
class CalibrationEdit:
    """What the user typed over the recording's own calibration; None = as recorded.

    Attributes
    ----------
    pixel_size_um : float or None
    frame_rate_hz : float or None
    """

    pixel_size_um: float | None = None
    frame_rate_hz: float | None = None


@dataclass(frozen=True)
class RunChoices:
    """The run settings on the dock.

    Attributes
    ----------
    start, stop : int
        Frame range, `stop` not included; ``stop = 0`` means the whole recording.
    model, device : str
    stabilise : bool
    working_resolution : float or None
        Recorded px to a px of the network; None = chosen by the pixel size or the pattern.
    detail : str
        Which pairs of frames are answered, as in `RunRequest`.
    further : tuple of (int, int)
        Ranges that are measured beside the first, each with rows of its own; `stop` is not 0 then.
    """

    start: int = 0
    stop: int = 0
    model: str = "tiny"
    device: str = "auto"
    stabilise: bool = True
    working_resolution: float | None = None
    detail: str = STANDARD
    further: tuple[tuple[int, int], ...] = ()

    @property
    def ranges(self) -> tuple[tuple[int, int], ...]:
        """All ranges where there are several, ascending; else empty, as in `RunRequest`."""
        return tuple(sorted(((self.start, self.stop), *self.further))) if self.further else ()


@dataclass(frozen=True)
class Project:
    """All that is kept of a session.

    Attributes
    ----------
    recording : Path
        Absolute path of the recording.
    fingerprint : str
        `Stack.fingerprint` of the recording when its prompts were placed.
    state : SessionState
    edit : CalibrationEdit
    run : RunChoices
    results : str
        Name of the folder of the newest finished run inside the project, or empty.
    """

    recording: Path
    fingerprint: str
    state: SessionState = field(default_factory=SessionState)
    edit: CalibrationEdit = field(default_factory=CalibrationEdit)
    run: RunChoices = field(default_factory=RunChoices)
    results: str = ""


@dataclass(frozen=True)
class KeptRun:
    """A run in a project, by the files that are there; none of them is read.

    Attributes
    ----------
    folder : Path
    unfinished : bool
        Whether it was cut short and can go on.
    readable : bool
        Whether it has tables, be they of the frames so far.
    written : float
        When its newest file was written, in seconds since 1970.
    """

    folder: Path
    unfinished: bool
    readable: bool
    written: float

    @property
    def finished(self) -> bool:
        """Whether it went to its end."""
        return self.readable and not self.unfinished


def kept_runs(project: Path) -> tuple[KeptRun, ...]:
    """Return the runs of a project, in the order of their names."""
    looked_at = (_look_at(folder) for folder in sorted(project.glob("run-*")) if folder.is_dir())
    return tuple(run for run in looked_at if run is not None)


def next_run_folder(project: Path) -> Path:
    """Return the first unused ``run-001``, ``run-002``, ... of a project, so that no run replaces another."""
    return _unused(project, "run-{:03d}")


def next_masks_file(project: Path) -> Path:
    """Return the first unused ``masks-001.tif``, ``masks-002.tif``, ... of a project."""
    return _unused(project, "masks-{:03d}.tif")


def next_comparison_file(project: Path) -> Path:
    """Return the first unused ``comparison-001.html``, ``comparison-002.html``, ... of a project."""
    return _unused(project, "comparison-{:03d}.html")


def next_line_folder(project: Path) -> Path:
    """Return the first unused ``line-001``, ``line-002``, ... of a project, for what a drawn line measured."""
    return _unused(project, "line-{:03d}")


def _unused(project: Path, name: str) -> Path:
    candidates = (project / name.format(number) for number in count(1))
    return next(path for path in candidates if not (path.exists() or path.is_symlink()))


def _look_at(folder: Path) -> KeptRun | None:
    """Return the run in a folder; None where there is none."""
    # Imported only here: zarr takes its time, and the window need not wait for it at its start.
    from sam2flow_core.results import LOCK_NAME, MARKER_NAME, PROVENANCE, STORE_NAME, SUMMARY

    there = {name: folder / name for name in (SUMMARY, PROVENANCE, STORE_NAME, MARKER_NAME, LOCK_NAME)}
    found = {name: path.lstat().st_mtime for name, path in there.items() if path.exists()}
    if not found:
        return None
    readable = {SUMMARY, PROVENANCE, STORE_NAME} <= set(found)
    return KeptRun(folder, MARKER_NAME in found, readable, max((folder.stat().st_mtime, *found.values())))
