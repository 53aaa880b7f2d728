"""Velocities of vessels from their tracks: geometry, flow over time, an independent check, uncertainty, grades.

Velocities are signed along the vessel's arrow, the direction of its mean flow. Inside, they are px per frame; the
tables give um/s where pixel size and frame rate are known.
"""

from sam2flow_core.config.flags import GRADES
from sam2flow_core.velocity.flag_rules import FLAGS
from sam2flow_core.velocity.linescan import measure_drawn_line, measure_linescan
from sam2flow_core.velocity.measure import measure_vessel, measure_vessels
from sam2flow_core.velocity.records import CalibrationLike, VesselMeasurement
from sam2flow_core.velocity.tables import PER_FRAME_COLUMNS, SUMMARY_COLUMNS, per_frame_table, summary_table

__all__ = [
    "FLAGS",
    "GRADES",
    "PER_FRAME_COLUMNS",
    "SUMMARY_COLUMNS",
    "CalibrationLike",
    "VesselMeasurement",
    "measure_drawn_line",
    "measure_linescan",
    "measure_vessel",
    "measure_vessels",
    "per_frame_table",
    "summary_table",
]
