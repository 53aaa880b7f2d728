"""The line along the middle of a vessel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import csgraph, csr_array
from skimage.measure import label, regionprops
from skimage.morphology import remove_small_holes, skeletonize

from sam2flow_core.config.velocity import GeometrySettings

_MARGIN = 3.0  # px round a mask


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
