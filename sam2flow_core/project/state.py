"""Vessels and prompts as frozen records; every edit gives a new state."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sam2flow_core.prompts import Prompt


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
    """

    vessels: tuple[Vessel, ...] = ()
    prompts: tuple[Prompt, ...] = ()

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
        )

    def renamed(self, vessel_id: int, name: str) -> SessionState:
        """Return a state in which the vessel has another name."""
        return self._changed(vessel_id, name=name)

    def shown(self, vessel_id: int, visible: bool) -> SessionState:
        """Return a state in which the vessel is drawn or hidden."""
        return self._changed(vessel_id, visible=visible)

    def with_prompts(self, prompts: tuple[Prompt, ...]) -> SessionState:
        """Return a state with these prompts; vessels that only they know are added."""
        known = set(self.vessel_ids)
        new = sorted({p.vessel_id for p in prompts} - known)
        return SessionState((*self.vessels, *(Vessel(i, f"Vessel {i}") for i in new)), prompts)

    def _changed(self, vessel_id: int, **changes: object) -> SessionState:
        vessels = tuple(replace(v, **changes) if v.vessel_id == vessel_id else v for v in self.vessels)  # type: ignore[arg-type]
        return replace(self, vessels=vessels)
