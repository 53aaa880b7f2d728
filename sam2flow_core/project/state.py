"""Vessels and prompts as frozen records; every edit gives a new state."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sam2flow_core.errors import PromptError
from sam2flow_core.prompts import Prompt, check_point
from sam2flow_core.regions import BoxPrompt, MaskPrompt, Region, check_regions


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
    """

    vessel_id: int
    name: str
    visible: bool = True


@dataclass(frozen=True)
class SessionState:
    """Everything a user can undo.

    Attributes
    ----------
    vessels : tuple of Vessel
        In the order of the list.
    prompts : tuple of Prompt
        In the order of the clicks; every `vessel_id` has a row in `vessels`.
    regions : tuple of BoxPrompt or MaskPrompt
        At most one of each kind for a vessel in a frame.
    """

    vessels: tuple[Vessel, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    regions: tuple[Region, ...] = ()

    @property
    def boxes(self) -> tuple[BoxPrompt, ...]:
        """The boxes among the regions."""
        return tuple(r for r in self.regions if isinstance(r, BoxPrompt))

    @property
    def prompted_frames(self) -> tuple[int, ...]:
        """Frames in which something is marked, ascending."""
        return tuple(sorted({p.frame for p in (*self.prompts, *self.regions)}))

    @property
    def vessel_ids(self) -> tuple[int, ...]:
        """Ids in the order of the list."""
        return tuple(v.vessel_id for v in self.vessels)

    def vessel(self, vessel_id: int) -> Vessel | None:
        """Return the vessel of that id, or None."""
        return next((v for v in self.vessels if v.vessel_id == vessel_id), None)

    def prompts_of(self, vessel_id: int) -> tuple[Prompt, ...]:
        """Return the clicks that speak of one vessel."""
        return tuple(p for p in self.prompts if p.vessel_id == vessel_id)

    def regions_of(self, vessel_id: int) -> tuple[Region, ...]:
        """Return the boxes and masks of one vessel."""
        return tuple(r for r in self.regions if r.vessel_id == vessel_id)

    def marks_of(self, vessel_id: int) -> tuple[Prompt | Region, ...]:
        """Return all that is said of one vessel: its boxes and masks, then its clicks."""
        return (*self.regions_of(vessel_id), *self.prompts_of(vessel_id))

    def is_prompted(self, vessel_id: int) -> bool:
        """Whether anything is said of a vessel, be it only where it is not."""
        return bool(self.marks_of(vessel_id))

    def is_shown(self, vessel_id: int) -> bool:
        """Whether a click, a box or a mask says where a vessel is."""
        return any(p.label for p in self.prompts_of(vessel_id)) or bool(self.regions_of(vessel_id))

    def within(self, shape: tuple[int, int, int]) -> SessionState:
        """Return a state of the marks alone that lie in a recording of ``shape`` (T, Y, X)."""
        return replace(
            self,
            prompts=tuple(p for p in self.prompts if _lies_in(p, shape)),
            regions=tuple(r for r in self.regions if _lies_in(r, shape)),
        )

    def next_id(self) -> int:
        """Return an id that no vessel has."""
        return max(self.vessel_ids, default=0) + 1

    def with_vessel(self, name: str = "") -> SessionState:
        """Return a state with one more vessel at the end of the list."""
        vessel_id = self.next_id()
        return replace(self, vessels=(*self.vessels, Vessel(vessel_id, name or f"Vessel {vessel_id}")))

    def without_vessel(self, vessel_id: int) -> SessionState:
        """Return a state without the vessel and its prompts."""
        return SessionState(
            tuple(v for v in self.vessels if v.vessel_id != vessel_id),
            tuple(p for p in self.prompts if p.vessel_id != vessel_id),
            tuple(r for r in self.regions if r.vessel_id != vessel_id),
        )

    def renamed(self, vessel_id: int, name: str) -> SessionState:
        """Return a state in which the vessel has another name."""
        return self._changed(vessel_id, name=name)

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

    def with_prompts(self, prompts: tuple[Prompt, ...]) -> SessionState:
        """Return a state with these prompts; vessels that only they know are added."""
        return self._marked(prompts, self.regions)

    def with_boxes(self, boxes: tuple[BoxPrompt, ...]) -> SessionState:
        """Return a state with these boxes; of several of one vessel in one frame the last stays."""
        newest = {(box.vessel_id, box.frame): box for box in boxes}
        masks = tuple(r for r in self.regions if isinstance(r, MaskPrompt))
        return self._marked(self.prompts, (*masks, *newest.values()))

    def with_mask(self, mask: MaskPrompt) -> SessionState:
        """Return a state with a painted mask; it stands for all that was marked of its vessel in its frame before."""
        place = (mask.vessel_id, mask.frame)
        prompts = tuple(p for p in self.prompts if (p.vessel_id, p.frame) != place)
        regions = tuple(r for r in self.regions if (r.vessel_id, r.frame) != place)
        return self._marked(prompts, (mask, *regions))

    def without_regions(self, vessel_id: int, frame: int) -> SessionState:
        """Return a state without box and mask of a vessel in a frame."""
        return replace(self, regions=tuple(r for r in self.regions if (r.vessel_id, r.frame) != (vessel_id, frame)))

    def _marked(self, prompts: tuple[Prompt, ...], regions: tuple[Region, ...]) -> SessionState:
        new = sorted({p.vessel_id for p in (*prompts, *regions)} - set(self.vessel_ids))
        return SessionState((*self.vessels, *(Vessel(i, f"Vessel {i}") for i in new)), prompts, regions)

    def _changed(self, vessel_id: int, **changes: object) -> SessionState:
        vessels = tuple(replace(v, **changes) if v.vessel_id == vessel_id else v for v in self.vessels)  # type: ignore[arg-type]
        return replace(self, vessels=vessels)


def _lies_in(mark: Prompt | Region, shape: tuple[int, int, int]) -> bool:
    try:
        check_point(mark, shape) if isinstance(mark, Prompt) else check_regions((mark,), shape)
    except PromptError:
        return False
    return True
