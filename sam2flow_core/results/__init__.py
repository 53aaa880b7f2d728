"""What a run leaves behind: ``results.zarr``, tables, provenance; whole or not at all."""

from sam2flow_core.results.layout import GO_ON, STORE_NAME, StoreHeader
from sam2flow_core.results.lines import VesselLine, write_line
from sam2flow_core.results.reader import Results, open_results
from sam2flow_core.results.resume import Marker, read_marker, read_snapshot, remove_marker, write_marker
from sam2flow_core.results.tracks import VesselTrack
from sam2flow_core.results.writer import ResultsWriter

__all__ = [
    "GO_ON",
    "STORE_NAME",
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
