"""One colour per vessel, the same in list, points, labels, table and plot."""

from __future__ import annotations

# Okabe and Ito (2008), told apart by colour-blind readers; black left out because it vanishes on a dark canvas.
_HUES = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#CC79A7", "#D55E00", "#0072B2")
# After the seventh vessel the same hues come back lighter, then darker: three steps are told apart by anyone, and the
# number beside each vessel says the rest.
_TINTS = (("#FFFFFF", 0.0), ("#FFFFFF", 0.55), ("#000000", 0.4))


def palette() -> tuple[str, ...]:
    """Return the colours of vessels 1, 2, 3, ... before they repeat."""
    return tuple(_mixed(hue, towards, share) for towards, share in _TINTS for hue in _HUES)


def vessel_colour(vessel_id: int) -> str:
    """Return the colour of a vessel as ``#RRGGBB``."""
    colours = palette()
    return colours[(vessel_id - 1) % len(colours)]


def _mixed(colour: str, towards: str, share: float) -> str:
    """Return a colour ``#RRGGBB`` mixed with a share of another."""
    pairs = [(int(colour[i : i + 2], 16), int(towards[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * share):02X}" for a, b in pairs)
