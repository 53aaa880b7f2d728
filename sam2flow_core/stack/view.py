"""The tissue as it is at one moment, ready for many frames to be compared with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sam2flow_core.stack.correlation import Correlator, Spectrum
from sam2flow_core.stack.reference import Reference, Tissue


@dataclass(frozen=True)
class Target:
    """Spectrum of a reference, and the tissue coordinates ``(y, x)`` of its first pixel."""

    spectrum: Spectrum
    base: tuple[int, int]


class View:
    """Targets of a `Tissue`, each made when it is first asked for. Stale once a frame has been added to the tissue."""

    def __init__(self, tissue: Tissue, correlator: Correlator) -> None:
        self._tissue, self._correlator = tissue, correlator

    @cached_property
    def coarse(self) -> Target:
        """The tissue seen coarsely."""
        return self._target(self._tissue.coarse)

    @cached_property
    def fine(self) -> Target:
        """The tissue seen finely."""
        return self._target(self._tissue.fine)

    def _target(self, reference: Reference) -> Target:
        return Target(self._correlator.spectrum(reference.weighted()), reference.base)
