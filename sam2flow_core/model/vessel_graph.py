"""The vessels of an image as lines that meet at junctions.

The vesselness is thinned to its skeleton (scikit-image) and cut into lines. (skan, which
measures centrelines elsewhere, compiles for seconds before the first click is answered.)
Lines shorter than the vessel is wide are no vessels: at an end they are spurs, and
between two junctions they are the middle of a crossing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve, distance_transform_edt, find_objects, gaussian_filter, label
from scipy.sparse import coo_array, csgraph
from skimage.morphology import remove_small_holes, remove_small_objects, skeletonize

Floats = NDArray[np.float64]

_EIGHT = np.ones((3, 3), bool)
_STEPS = ((-1, 0), (0, -1), (0, 1), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1))
_BORDER = 8
"""Cells the image is continued by, so that vessels reach its border."""
_UNSURE = 1
"""Cells at the border that are not believed: cameras and shifted frames leave dark or blurred rows there."""
_SPUR = 1.6
"""Radii up to which a loose end is a spur."""
_MIDDLE = 2.2
"""Radii up to which a line between two junctions is the middle of one."""
_STRAIGHT = np.cos(np.deg2rad(30.0))
_CROSSED = np.cos(np.deg2rad(60.0))
_SIDE_BRANCH = 0.6
"""A third arm thinner than this share of the vessel takes little of its blood."""


class Arm(NamedTuple):
    """Where a line leaves a junction: the line, whether its end is meant, where, outward unit vector, radius."""

    line: int
    at_end: bool
    place: Floats
    outward: Floats
    radius: float


@dataclass(frozen=True)
class VesselGraph:
    """Lines of all vessels of an image; lengths in cells of the vesselness.

    Attributes
    ----------
    lines : list of ndarray, shape (K, 2)
        ``(row, column)`` from end to end.
    radii : list of ndarray, shape (K,)
        Distance to the wall.
    junctions : list of tuple of int
        Junction at the first and last point of each line; -1 where it ends freely.
    arms : dict
        Lines that leave each junction.
    """

    lines: list[Floats]
    radii: list[Floats]
    junctions: list[tuple[int, int]]
    arms: dict[int, list[Arm]]

    def nearest(self, row: float, column: float) -> tuple[int, int, float] | None:
        """Line and point on it that a click means, and how far outside the wall the click lies."""
        found = None
        for number, (line, radius) in enumerate(zip(self.lines, self.radii, strict=True)):
            outside = np.hypot(*(line - (row, column)).T) - radius
            point = int(outside.argmin())
            if found is None or outside[point] < found[2]:
                found = (number, point, float(outside[point]))
        return found

    def onward(self, line: int, at_end: bool) -> Arm | None:
        """Arm in which the vessel goes on past an end of one of its lines; None where it ends or forks.

        It goes straight on where vessels cross, and past side branches that are much thinner than it is.
        """
        junction = self.junctions[line][at_end]
        if junction < 0:
            return None
        here = next(a for a in self.arms[junction] if a.line == line and a.at_end == at_end)
        others = [a for a in self.arms[junction] if a is not here]
        if not others:
            return None
        best = max(others, key=lambda a: _smoothness(here, a))
        if len(others) == 1:
            return best
        alike = 0.6 < best.radius / here.radius < 1.7
        ahead = _smoothness(here, best)
        if len(others) == 2:
            third = max(a.radius for a in others if a is not best)
            thin = third < _SIDE_BRANCH * min(here.radius, best.radius)
            return best if ahead > _STRAIGHT and alike and thin else None
        rivals = [a for a in others if a is not best]
        taken = any(_smoothness(best, a) > ahead for a in rivals)
        # Two forks side by side are no crossing: there the other two arms are one vessel too.
        crossed = len(rivals) != 2 or _smoothness(*rivals) > _CROSSED
        return best if ahead > _STRAIGHT and alike and crossed and not taken else None


def _smoothness(here: Arm, there: Arm) -> float:
    """How straight the way from one arm through the junction into another is, 1 for a straight line.

    The least of the cosines between the direction it comes from, the way across, and the direction it goes on.
    """
    across = there.place - here.place
    size = float(np.hypot(*across))
    way = across / size if size > 1 else there.outward
    return -float(max(here.outward @ there.outward, here.outward @ way, -(way @ there.outward)))


def trace_graph(vesselness: NDArray[np.floating]) -> VesselGraph:
    """Trace the vessels of an image.

    Parameters
    ----------
    vesselness : ndarray, shape (h, w)
        Above 0 inside vessels.
    """
    inner = np.asarray(vesselness, float)[_UNSURE:-_UNSURE, _UNSURE:-_UNSURE]
    padded = np.pad(inner, _BORDER + _UNSURE, mode="edge")
    # Smoothing the outline keeps the skeleton from growing a spur at every ragged cell.
    inside = gaussian_filter((padded > 0).astype(float), 0.7) > 0.5
    inside = remove_small_objects(remove_small_holes(inside, max_size=6), max_size=12)
    radius = np.asarray(distance_transform_edt(inside))
    skeleton = _without_spurs(skeletonize(inside), radius)
    lines, nodes = _within(*_cut(skeleton), skeleton.shape)
    groups, middle = _join_nodes(lines, nodes, radius)
    kept = [k for k in range(len(lines)) if not middle[k]]
    meeting = np.bincount(np.ravel(nodes)) if nodes else np.zeros(0, int)
    junctions = [tuple(int(groups[n]) if meeting[n] > 1 else -1 for n in nodes[k]) for k in kept]
    kept_lines = [lines[k].astype(float) for k in kept]
    radii = [np.maximum(radius[tuple(lines[k].T)], 0.5) for k in kept]
    arms: dict[int, list[Arm]] = {}
    for number, (line, wall, pair) in enumerate(zip(kept_lines, radii, junctions, strict=True)):
        for at_end in (False, True):
            if pair[at_end] >= 0:
                arms.setdefault(pair[at_end], []).append(_arm(number, at_end, line, wall))
    centred = [line - _BORDER for line in kept_lines]
    return VesselGraph(centred, radii, [(a, b) for a, b in junctions], arms)


def _cut(skeleton: NDArray[np.bool_]) -> tuple[list[NDArray[np.intp]], list[tuple[int, int]]]:
    """Lines of a skeleton as pixels (K, 2), and the number of the node at each end.

    Junctions come first among the nodes; every free end is a node of its own.
    """
    neighbours = convolve(skeleton.astype(np.uint8), _EIGHT.astype(np.uint8), mode="constant") - skeleton
    crossing = skeleton & (neighbours > 2)
    junctions, count = label(crossing, _EIGHT)
    pieces, _ = label(skeleton & ~crossing, _EIGHT)
    lines, nodes = [], []
    for number, box in enumerate(find_objects(pieces), 1):
        corner = np.array([box[0].start, box[1].start])
        line = _in_order(np.argwhere(pieces[box] == number)) + corner
        ends = []
        for pixel in (line[0], line[-1]):
            around = junctions[pixel[0] - 1 : pixel[0] + 2, pixel[1] - 1 : pixel[1] + 2]
            near = [int(k) - 1 for k in np.unique(around[around > 0])]
            # A line of one pixel touches both of its junctions with it.
            fresh = [k for k in near if k not in ends] if len(line) == 1 else near
            ends.append((fresh or near or [-1])[0])
        free = [k < 0 for k in ends]
        nodes.append((count if free[0] else ends[0], count + free[0] if free[1] else ends[1]))
        count += sum(free)
        lines.append(line)
    return lines, nodes


def _within(
    lines: list[NDArray[np.intp]], nodes: list[tuple[int, int]], shape: tuple[int, ...]
) -> tuple[list[NDArray[np.intp]], list[tuple[int, int]]]:
    """The lines without what runs outside the image: two vessels that leave it are not joined out there."""
    meeting = np.bincount(np.ravel(nodes)) if nodes else np.zeros(0, int)
    count = len(meeting)
    cut_lines, cut_nodes = [], []
    for line, ends in zip(lines, nodes, strict=True):
        inside: NDArray[np.bool_] = np.all((line >= _BORDER) & (line < np.array(shape) - _BORDER), axis=1)
        # A loose end outside is left: by its length and direction the arm is judged at a junction.
        within = np.flatnonzero(inside)
        if len(within):
            inside[: within[0]] |= meeting[ends[0]] == 1
            inside[within[-1] :] |= meeting[ends[1]] == 1
        steps = np.flatnonzero(np.diff(np.concatenate([[0], inside.astype(int), [0]])))
        for start, stop in steps.reshape(-1, 2):
            pair = [ends[0], ends[1]]
            for side, whole in ((0, start == 0), (1, stop == len(line))):
                if not whole:
                    pair[side], count = count, count + 1
            cut_lines.append(line[start:stop])
            cut_nodes.append((pair[0], pair[1]))
    return cut_lines, cut_nodes


def _in_order(pixels: NDArray[np.intp]) -> NDArray[np.intp]:
    """Pixels (K, 2) of a line without junctions, from one end to the other."""
    left = {(int(y), int(x)) for y, x in pixels}

    def beside(pixel: tuple[int, int]) -> list[tuple[int, int]]:
        # Straight neighbours first: a corner is not cut.
        return [(pixel[0] + dy, pixel[1] + dx) for dy, dx in _STEPS if (pixel[0] + dy, pixel[1] + dx) in left]

    here = min(left, key=lambda pixel: (len(beside(pixel)), pixel))
    ordered = [here]
    left.remove(here)
    while near := beside(here):
        here = near[0]
        ordered.append(here)
        left.remove(here)
    return np.array(ordered, np.intp)


def _without_spurs(skeleton: NDArray[np.bool_], radius: Floats) -> NDArray[np.bool_]:
    for _ in range(3):
        lines, nodes = _cut(skeleton)
        count = np.bincount(np.ravel(nodes)) if nodes else np.zeros(0, int)
        cleaned = skeleton.copy()
        for line, (first, last) in zip(lines, nodes, strict=True):
            loose = (count[first] == 1) != (count[last] == 1)
            root = line[-1] if count[first] == 1 else line[0]
            if loose and len(line) < _SPUR * radius[tuple(root)]:
                cleaned[tuple(line.T)] = False
        if (cleaned == skeleton).all():
            break
        skeleton = skeletonize(cleaned)
    return skeleton


def _join_nodes(
    lines: list[NDArray[np.intp]], nodes: list[tuple[int, int]], radius: Floats
) -> tuple[NDArray[np.intp], list[bool]]:
    """Junction of every node, and whether each line is the middle of one."""
    if not lines:
        return np.zeros(0, np.intp), []
    size = int(np.max(nodes)) + 1
    count = np.bincount(np.ravel(nodes), minlength=size)
    middle = [
        count[a] > 1 and count[b] > 1 and len(line) < _MIDDLE * radius[tuple(line.T)].max() + 2
        for line, (a, b) in zip(lines, nodes, strict=True)
    ]
    inner = np.array([pair for pair, yes in zip(nodes, middle, strict=True) if yes], int).reshape(-1, 2)
    joined = coo_array((np.ones(len(inner)), (inner[:, 0], inner[:, 1])), shape=(size, size))
    return csgraph.connected_components(joined, directed=False)[1], middle


def _arm(number: int, at_end: bool, line: Floats, wall: Floats) -> Arm:
    """Direction and radius of a line beyond the blob at its junction."""
    ordered, walls = (line[::-1], wall[::-1]) if at_end else (line, wall)
    near = min(int(walls[0]), (len(ordered) - 1) // 2)
    far = min(near + max(6, int(2 * walls[0])), len(ordered) - 1)
    outward = ordered[far] - ordered[near]
    size = float(np.hypot(*outward))
    unit = outward / size if size else np.array([1.0, 0.0])
    return Arm(number, at_end, ordered[near], unit, float(np.median(walls[near : far + 1])))
