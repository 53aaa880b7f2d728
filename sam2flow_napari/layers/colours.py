"""One colour per vessel, the same in list, points, labels, table and plot."""

from __future__ import annotations

# Okabe and Ito (2008), told apart by colour-blind readers; black left out because it vanishes on a dark canvas.
_PALETTE = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#CC79A7", "#D55E00", "#0072B2")


def palette() -> tuple[str, ...]:
    """Return the colours of vessels 1, 2, 3, ... before they repeat."""
    return _PALETTE


def vessel_colour(vessel_id: int) -> str:
    """Return the colour of a vessel as ``#RRGGBB``."""
    return _PALETTE[(vessel_id - 1) % len(_PALETTE)]
