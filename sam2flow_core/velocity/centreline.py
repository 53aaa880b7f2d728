"""The line along the middle of a vessel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.interpolate import CubicSpline
from scipy.sparse import csgraph, csr_array
from scipy.spatial import cKDTree
from skimage.measure import label, regionprops
from skimage.morphology import remove_small_holes, skeletonize

from sam2flow_core.config.velocity import GeometrySettings

_MARGIN = 3.0  # px round a mask
_KNOTS_APART = 30.0
"""px between the points by which a hand bends a line, about; a line has three of them at least."""
_SLACK_PX = 1.5
"""What the radii of a mask may be off by."""
_WIDTHS = 8
"""Widths that are kept between two of them."""


@dataclass(frozen=True)
class Centreline:
    """A smooth line along a vessel, one point per pixel of arc length.

    Attributes
    ----------
    points : ndarray, shape (N, 2)
        ``(y, x)`` in pixels of the vessel's crop.
    tangents : ndarray, shape (N, 2)
        Unit vectors ``(y, x)`` along the arrow.
    arc : ndarray, shape (N,)
        Arc length of each point in px.
    branch_length : float
        Length in px of the longest part of the skeleton that is not on the line.
    """

    points: NDArray[np.float64]
    tangents: NDArray[np.float64]
    arc: NDArray[np.float64]
    branch_length: float = 0.0

    @property
    def normals(self) -> NDArray[np.float64]:
        """Unit vectors ``(y, x)`` across the vessel, 90 degrees clockwise of the arrow as seen on the screen."""
        return np.stack([self.tangents[:, 1], -self.tangents[:, 0]], axis=1)

    @property
    def length(self) -> float:
        """Arc length in px from end to end."""
        return float(self.arc[-1]) if len(self.arc) else 0.0

    def runs_against(self, other: Centreline) -> bool:
        """Whether the arrow of another line of the same vessel points the other way."""
        places = np.linspace(0, 1, 9)
        mine, theirs = (line.tangents[(places * (len(line.arc) - 1)).astype(int)] for line in (self, other))
        near = np.abs(self.points[0] - other.points[0]).sum() <= np.abs(self.points[0] - other.points[-1]).sum()
        return bool((mine * theirs).sum() < 0) if near else bool((mine * theirs[::-1]).sum() < 0)

    def reversed(self) -> Centreline:
        """Return the same line with the arrow turned round."""
        return Centreline(self.points[::-1], -self.tangents[::-1], self.arc, self.branch_length)

    def part(self, first: int, last: int) -> Centreline:
        """Return the line from one of its points to another (not included)."""
        kept = slice(first, last)
        return Centreline(self.points[kept], self.tangents[kept], self.arc[kept] - self.arc[first])


def majority_mask(share: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return the largest piece of the pixels that belong to the vessel in most of the frames that see it.

    Parameters
    ----------
    share : ndarray, shape (h, w)
        From `Footprint`.

    Returns
    -------
    ndarray of bool, shape (h, w)
    """
    pieces = label(share >= 0.5)
    if not pieces.any():
        return np.zeros(share.shape, bool)
    largest = max(regionprops(pieces), key=lambda piece: piece.area).label
    filled = remove_small_holes(pieces == largest, max_size=16)
    return np.asarray(filled, bool)


def trace_centreline(lumen: NDArray[np.bool_], settings: GeometrySettings) -> Centreline | None:
    """Trace the longest path through a vessel.

    Parameters
    ----------
    lumen : ndarray of bool, shape (h, w)
        As from `majority_mask`.
    settings : GeometrySettings

    Returns
    -------
    Centreline or None
        None where the mask holds no line of at least three pixels.

    References
    ----------
    .. [1] T. Y. Zhang and C. Y. Suen, "A Fast Parallel Algorithm for Thinning Digital Patterns", Communications of the
       ACM 27(3), 236-239, 1984, :doi:`10.1145/357994.358023`.

    Examples
    --------
    >>> lumen = np.zeros((21, 60), bool)
    >>> lumen[6:15] = True
    >>> line = trace_centreline(lumen, GeometrySettings())
    >>> bool(np.abs(line.points[:, 0] - 10).max() < 0.6)
    True
    """
    outline = _outline(lumen)
    skeleton = skeletonize(outline)
    if skeleton.sum() < 3:
        return None
    path, branch = _longest_path(skeleton)
    if len(path) < 3:
        return None
    line = _smooth(_extend(path, outline), settings.smoothing_px) - _MARGIN
    inside = np.all((line >= -0.5) & (line <= np.array(lumen.shape) - 0.5), axis=1)
    line = line[np.flatnonzero(inside)[0] : np.flatnonzero(inside)[-1] + 1] if inside.any() else line
    return resample(line, branch) if len(line) >= 3 else None


def _cut_out(mask: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return the part of a mask that holds all of it, a px wider where there is room, and the corner of that part."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return np.zeros(2, np.intp), mask
    low = np.maximum((rows[0] - 1, columns[0] - 1), 0)
    return low, mask[low[0] : rows[-1] + 2, low[1] : columns[-1] + 2]


def trace_branch(lumen: NDArray[np.bool_], line: Centreline, settings: GeometrySettings) -> Centreline | None:
    """Trace the longest branch that leaves a line within the mask.

    Parameters
    ----------
    lumen : ndarray of bool, shape (h, w)
        As from `majority_mask`.
    line : Centreline
        From `trace_centreline`.
    settings : GeometrySettings

    Returns
    -------
    Centreline or None
        It begins where it is a branch of its own, half a width from the line; None where there is none.
    """
    outline = _outline(lumen)
    radius = ndimage.distance_transform_edt(outline)
    rows, columns = np.rint(line.points + _MARGIN).astype(int).clip(0, np.array(outline.shape) - 1).T
    main = np.zeros(outline.shape, bool)
    main[rows, columns] = True
    away = ndimage.distance_transform_edt(~main) > max(float(np.median(radius[rows, columns])), 3.0)
    skeleton = skeletonize(outline) & away
    if skeleton.sum() < 3:
        return None
    path, _ = _longest_path(skeleton)
    if len(path) < 3:
        return None
    branch = _smooth(path, settings.smoothing_px) - _MARGIN
    return resample(branch)


def _outline(lumen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Smoothed, so that the skeleton grows no spur at every ragged pixel, and larger by a margin on all sides."""
    padded = np.pad(lumen, int(_MARGIN), mode="edge")  # a vessel that leaves the crop goes on: its end is no round cap
    return np.asarray(ndimage.gaussian_filter(padded.astype(float), 1.5) > 0.5)


def resample(line: NDArray[np.float64], branch_length: float = 0.0) -> Centreline:
    """Return `line`, shape (M, 2), as a `Centreline` with points one pixel apart.

    Examples
    --------
    >>> resample(np.array([[0.0, 0.0], [0.0, 5.0], [0.0, 10.0]])).points.shape
    (11, 2)
    """
    steps = np.hypot(*np.diff(line, axis=0).T)
    keep = np.r_[True, steps > 1e-9]
    arc = np.r_[0.0, np.cumsum(steps[steps > 1e-9])]
    count = max(round(float(arc[-1])) + 1, 3)
    at = np.linspace(0, arc[-1], count)
    points = np.stack([np.interp(at, arc, line[keep, axis]) for axis in (0, 1)], axis=1)
    tangents = np.gradient(points, axis=0)
    tangents /= np.maximum(np.hypot(*tangents.T), 1e-12)[:, None]
    return Centreline(points, tangents, at, branch_length)


def _longest_path(skeleton: NDArray[np.bool_]) -> tuple[NDArray[np.float64], float]:
    """Return the longest of the shortest paths, (M, 2), and the length of the longest branch beside it."""
    pieces = label(skeleton, connectivity=2)
    skeleton = pieces == 1 + np.bincount(pieces[pieces > 0] - 1).argmax()
    pixels = np.argwhere(skeleton)
    edges = _pixel_graph(skeleton)
    # Twice the farthest pixel: exact on a tree, and half way round a loop, which is what a loop's longest path is.
    start = _farthest(edges, 0)[0]
    end, previous = _farthest(edges, start)
    path = [end]
    while previous[path[-1]] >= 0:
        path.append(int(previous[path[-1]]))
    on_path = np.zeros_like(skeleton)
    on_path[tuple(pixels[path].T)] = True
    rest = label(skeleton & ~ndimage.binary_dilation(on_path, np.ones((3, 3))), connectivity=2)
    return pixels[path].astype(float), float(np.bincount(rest.ravel())[1:].max(initial=0))


def _pixel_graph(skeleton: NDArray[np.bool_]) -> csr_array:
    """Return the skeleton's pixels, row by row, as a graph whose edges are the distances of neighbours.

    Where three or more meet they touch crosswise: of the edges among such pixels those of a shortest tree stay.
    """
    count = int(skeleton.sum())
    number = np.full(np.array(skeleton.shape) + 2, -1)
    number[1:-1, 1:-1][skeleton] = np.arange(count)
    own = number[1:-1, 1:-1]
    height, width = own.shape
    parts = []
    for dy, dx in ((0, 1), (1, -1), (1, 0), (1, 1)):
        other = number[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
        both = (own >= 0) & (other >= 0)
        parts.append((own[both], other[both], np.full(int(both.sum()), np.hypot(dy, dx))))
    first, second, length = (np.concatenate(each) for each in zip(*parts, strict=True))
    rows, columns, lengths = np.r_[first, second], np.r_[second, first], np.r_[length, length]
    graph = csr_array((lengths, (rows, columns)), shape=(count, count))
    meeting = np.bincount(rows, minlength=count) > 2
    among = meeting[rows] & meeting[columns]
    crowded = csr_array((lengths[among], (rows[among], columns[among])), shape=(count, count))
    tree = csgraph.minimum_spanning_tree(crowded)
    return csr_array(graph - (crowded - (tree + tree.T)))


def _farthest(edges: csr_array, start: int) -> tuple[int, NDArray[np.int32]]:
    """Return the reachable pixel farthest from `start` along the skeleton, and each pixel's predecessor."""
    distance, previous = csgraph.dijkstra(edges, directed=False, indices=start, return_predecessors=True)
    distance[~np.isfinite(distance)] = -1
    return int(distance.argmax()), previous


def _extend(path: NDArray[np.float64], lumen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Prolong both ends straight to the border of the mask, which a skeleton stops a radius short of.

    A skeleton also bends into a corner of a cut vessel's end, so that its last radius is replaced too.
    """
    radius = ndimage.distance_transform_edt(lumen)
    for _ in range(2):
        path = path[::-1]
        middle = path[len(path) // 2].astype(int)
        reach = int(min(max(radius[tuple(middle)], 2), len(path) // 4))
        path = path[: len(path) - reach]
        back = path[-1] - path[max(len(path) - 1 - max(2 * reach, 6), 0)]
        direction = back / max(np.hypot(*back), 1e-9)
        ahead = path[-1] + direction * np.arange(1, 6 * reach + 8)[:, None]
        pixel = np.rint(ahead).astype(int)
        inside = np.all((pixel >= 0) & (pixel < lumen.shape), axis=1)
        inside[inside] = lumen[tuple(pixel[inside].T)]
        stop = len(inside) if inside.all() else int(np.argmin(inside))
        path = np.vstack([path, ahead[:stop]])
    return path


def _smooth(path: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Smooth a path of pixels; its ends are mirrored through themselves so that they stay where they are."""
    line = resample(path).points
    sigma = min(sigma, len(line) / 6)
    reach = min(int(4 * sigma) + 1, len(line) - 1)
    head = 2 * line[0] - line[reach:0:-1]
    tail = 2 * line[-1] - line[-2 : -reach - 2 : -1]
    result: NDArray[np.float64] = ndimage.gaussian_filter1d(np.vstack([head, line, tail]), sigma, axis=0)[
        reach : reach + len(line)
    ]
    return result


@dataclass(frozen=True, eq=False)
class BentVessel:
    """A vessel as a smooth line through a few points, which a hand may move, and its width along that line.

    Attributes
    ----------
    knots : ndarray, shape (K, 2)
        The points, ``(y, x)``.
    radii : ndarray, shape (R,)
        px, at even steps from the first knot to the last.

    Examples
    --------
    A vessel 9 px wide, whose middle is moved 10 px down:

    >>> straight = np.zeros((40, 90), bool)
    >>> straight[6:15] = True
    >>> vessel = BentVessel.of(straight)
    >>> bool((vessel.mask(straight.shape) == straight).mean() > 0.99)
    True
    >>> middle = len(vessel.knots) // 2
    >>> knots = vessel.knots + np.eye(len(vessel.knots))[middle][:, None] * (10, 0)
    >>> rows = np.flatnonzero(vessel.through(knots).mask(straight.shape)[:, round(knots[middle, 1])])
    >>> (int(rows[0]), int(rows[-1]))
    (16, 24)
    """

    knots: NDArray[np.float64]
    radii: NDArray[np.float64]

    @classmethod
    def of(cls, mask: NDArray[np.bool_], line: NDArray[np.float64] | None = None) -> BentVessel | None:
        """Return the vessel of a mask (Y, X), along `line` (N, 2) where it is known; None where there is no line."""
        corner, crop = _cut_out(mask)
        if line is None:
            traced = trace_centreline(crop, GeometrySettings()) if crop.any() else None
            line = None if traced is None else traced.points + corner
        if line is None or len(line) < 3:
            return None
        knots = line[np.linspace(0, len(line) - 1, max(round(len(line) / _KNOTS_APART) + 1, 3)).round().astype(int)]
        steps = np.linspace(0, len(line) - 1, (len(knots) - 1) * _WIDTHS + 1)
        points = np.stack([np.interp(steps, np.arange(len(line)), line[:, axis]) for axis in (0, 1)])
        # From the middle of a pixel to that of the first one outside; beyond the picture the vessel goes on.
        far = ndimage.distance_transform_edt(np.pad(crop, 1, mode="edge"))
        radii = ndimage.map_coordinates(far, points - corner[:, None] + 1, order=1)
        inside = radii > 0.5
        usual = float(np.median(radii[inside])) if inside.any() else 1.0
        # Near an end the nearest place outside lies ahead, not beside.
        from_end = np.minimum(np.arange(len(steps)), np.arange(len(steps))[::-1]) * (steps[1] - steps[0])
        beside = np.flatnonzero(inside & (from_end > usual))
        known = beside if len(beside) else np.flatnonzero(inside)
        radii = np.interp(steps, steps[known], radii[known]) if len(known) else np.full(len(steps), usual)
        vessel = cls(knots, radii)
        # A line half a px off the middle has half a px less on one side: as wide is what covers as much.
        beyond = np.sort(vessel._beyond(mask.shape, _SLACK_PX)[1])
        wider = float(beyond[min(int(mask.sum()), len(beyond)) - 1])
        return cls(knots, np.maximum(radii + min(max(wider, -_SLACK_PX), _SLACK_PX), 0.5))

    def through(self, knots: NDArray[np.float64]) -> BentVessel:
        """Return the same vessel along the line through other points, of which there may be more or fewer."""
        return BentVessel(knots, self.radii)

    @property
    def line(self) -> NDArray[np.float64]:
        """The points of the line, half a px apart or less, shape (N, 2)."""
        return self._drawn()[0]

    def mask(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """Return what lies as near to the line as the vessel is wide, cut straight at its ends."""
        places, beyond = self._beyond(shape)
        mask = np.zeros(shape, bool)
        mask[tuple(places[beyond <= 0].T)] = True
        return mask

    def _beyond(self, shape: tuple[int, ...], slack: float = 0.0) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Pixels (P, 2) beside the line, and how many px each lies outside the wall; negative inside."""
        line, radii = self._drawn()
        reach = float(radii.max()) + slack
        low = np.maximum(np.floor(line.min(axis=0) - reach), 0).astype(int)
        high = np.minimum(np.ceil(line.max(axis=0) + reach) + 1, shape[:2]).astype(int)
        size = np.maximum(high - low, 0)
        near = np.zeros(size + 1, bool)
        # Thickened, so that the nearest point is sought for what lies beside the line alone.
        on_line = np.rint(line - low).astype(int)
        on_line = on_line[((on_line >= 0) & (on_line < size)).all(axis=1)]
        near[tuple(on_line.T)] = True
        places = np.argwhere(ndimage.distance_transform_edt(~near)[:-1, :-1] <= reach + 1) if len(on_line) else on_line
        apart, nearest = cKDTree(line).query(places + low)
        beyond = apart - radii[nearest] + 0.5
        for end, before, from_end in ((0, 1, nearest), (-1, -2, len(line) - 1 - nearest)):
            ahead = (line[end] - line[before]) / max(np.hypot(*(line[end] - line[before])), 1e-9)
            cut = ((places + low - line[end]) @ ahead > 0.5) & (from_end <= 2 * reach)
            beyond[cut] = np.inf
        return places + low, beyond

    def _drawn(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The points of the line and the radius at each."""
        steps = np.maximum(np.hypot(*np.diff(self.knots, axis=0).T), 1e-6)
        along = np.r_[0.0, np.cumsum(steps)]
        at = np.linspace(0, along[-1], int(2 * along[-1]) + 2)
        share = np.interp(at, along, np.linspace(0, 1, len(along)))
        radii = np.interp(share, np.linspace(0, 1, len(self.radii)), self.radii)
        return np.asarray(CubicSpline(along, self.knots, bc_type="natural")(at)), radii
