"""What a run leaves behind: ``results.zarr``, tables, provenance; whole or not at all."""

from sam2flow_core.results.layout import (
    GO_ON,
    LOCK_NAME,
    MARKER_NAME,
    PER_FRAME,
    PROVENANCE,
    REPORT,
    STORE_NAME,
    SUMMARY,
    StoreHeader,
)
from sam2flow_core.results.reader import Results, VesselLine, VesselTrack, open_results
from sam2flow_core.results.resume import Marker, read_marker, read_snapshot, remove_marker, write_marker
from sam2flow_core.results.writer import ResultsWriter, write_line

__all__ = [
    "GO_ON",
    "LOCK_NAME",
    "MARKER_NAME",
    "PER_FRAME",
    "PROVENANCE",
    "REPORT",
    "STORE_NAME",
    "SUMMARY",
    "Marker",
    "Results",
    "ResultsWriter",
    "StoreHeader",
    "VesselLine",
    "VesselTrack",
    "open_results",
    "read_marker",
    "read_snapshot",
    "remove_marker",
    "write_line",
    "write_marker",
]
