"""Read a run's results back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import zarr
from numpy.typing import NDArray

from sam2flow_core.errors import OutputError
from sam2flow_core.results.layout import SCHEMA_VERSION, STORE_NAME, StoreHeader
from sam2flow_core.results.lines import DIAGRAM, LINE, VesselLine
from sam2flow_core.results.stored import StoredFrames
from sam2flow_core.results.tracks import VesselTrack


class Results:
    """A run's ``results.zarr``, opened for reading; arrays load only what is asked of them.

    Attributes
    ----------
    header : StoreHeader
    flow : zarr.Array
        ``(T - 1, 2, Y, X)`` float16, ``(dx, dy)`` in px per frame, zero outside every vessel.
    labels : zarr.Array
        ``(T, Y, X)`` uint16, the vessel id of each pixel, 0 = background.
    """

    def __init__(self, header: StoreHeader, root: zarr.Group) -> None:
        self.header = header
        self._root = root
        self.flow = self._array("flow")
        self.labels = self._array("labels")

    @property
    def vessel_ids(self) -> tuple[int, ...]:
        """Ids of the vessels, ascending."""
        return tuple(sorted(self.header.crops))

    @property
    def frames_done(self) -> int:
        """How many frames of the run, from its start, are in the store."""
        shifts = np.asarray(self._array("shifts")[self.header.start : self.header.stop])
        written = np.isfinite(shifts).all(axis=1)
        return int(written.size if written.all() else np.argmin(written))

    @property
    def shifts(self) -> NDArray[np.float64]:
        """Tissue displacement ``(dy, dx)`` in px of the finished frames, shape (T, 2)."""
        start = self.header.start
        return np.asarray(self._array("shifts")[start : start + self.frames_done])

    def track(self, vessel_id: int) -> VesselTrack:
        """Return one vessel over the finished frames of the run; masks and flow stay on disk until they are read."""
        start = self.header.start
        stop = start + self.frames_done
        group = f"vessels/{vessel_id}"
        return VesselTrack(
            vessel_id=vessel_id,
            name=self.header.names.get(vessel_id, str(vessel_id)),
            frames=np.arange(start, stop),
            offsets=np.asarray(self._array(f"{group}/offset")[start:stop]),
            mask=StoredFrames(self._array(f"{group}/mask"), start, stop, np.bool_),
            flow=StoredFrames(self._array(f"{group}/flow"), start, stop - 1, np.float32),
            scale=StoredFrames(self._array(f"{group}/scale"), start, stop - 1, np.float32),
            shifts=self.shifts,
            mask_iou=np.asarray(self._array(f"{group}/mask_iou")[start:stop]),
            object_score=np.asarray(self._array(f"{group}/object_score")[start:stop]),
            round_trip=np.asarray(self._array(f"{group}/round_trip")[start : max(stop - 1, start)]),
        )

    def lines(self) -> tuple[VesselLine, ...]:
        """Return centreline and space-time diagram of each vessel; empty for a run that was not concluded."""
        start, stop = self.header.start, self.header.start + self.frames_done
        return tuple(
            VesselLine(
                vessel_id,
                start,
                np.asarray(self._array(f"vessels/{vessel_id}/{LINE}")[:]),
                np.asarray(self._array(f"vessels/{vessel_id}/offset")[start:stop]),
                np.asarray(self._array(f"vessels/{vessel_id}/{DIAGRAM}")[:]),
            )
            for vessel_id in self.vessel_ids
            if f"vessels/{vessel_id}/{DIAGRAM}" in self._root
        )

    def _array(self, name: str) -> zarr.Array:
        try:
            array = self._root[name]
        except KeyError:
            array = None
        if not isinstance(array, zarr.Array):
            raise OutputError(f"{self._root.store_path}: '{name}' is missing from these results; run again")
        return array


def open_results(path: Path | str) -> Results:
    """Open the results of a run.

    Parameters
    ----------
    path : Path or str
        The run's folder, or its ``results.zarr``.

    Raises
    ------
    OutputError
        If there are none, or a version of SAM2Flow wrote them that this one does not know.

    Examples
    --------
    Six frames of the bundled recording, measured into a folder and read back:

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sam2flow_core.engine import RunRequest, run
    >>> from sam2flow_core.engine.demo import sample_files
    >>> from sam2flow_core.prompts import read_prompts
    >>> recording, clicks = sample_files()
    >>> one = tuple(p for p in read_prompts(clicks) if p.vessel_id == 1)
    >>> with TemporaryDirectory() as folder:
    ...     request = RunRequest(recording, one, Path(folder) / "results", device="cpu", stop=6)
    ...     events = list(run(request))
    ...     results = open_results(request.out)
    ...     print(results.vessel_ids, results.frames_done, results.track(1).flow.shape[:2])
    (1,) 6 (5, 2)
    """
    path = Path(path)
    store = path if path.name == STORE_NAME else path / STORE_NAME
    try:
        root = zarr.open_group(store, mode="r")
    except (FileNotFoundError, NotADirectoryError, ValueError, json.JSONDecodeError):
        raise OutputError(
            f"{path}: no results of a run there; give the folder that `sam2flow run --out` wrote"
        ) from None
    version = root.attrs.get("schema_version")
    if version != SCHEMA_VERSION:
        raise OutputError(f"{path}: results of layout {version}, this SAM2Flow reads {SCHEMA_VERSION}; update SAM2Flow")
    return Results(StoreHeader.from_attributes(root.attrs), root)
