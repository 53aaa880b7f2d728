"""Measure anew what is in a run's folder, finished or cut short."""

from __future__ import annotations

from pathlib import Path

from sam2flow_core.engine.finishing import finish_run, write_partial
from sam2flow_core.engine.lock import lock_folder
from sam2flow_core.engine.partial import Conclusion
from sam2flow_core.engine.provenance import read_provenance, request_again, stored_identity
from sam2flow_core.engine.source import open_source
from sam2flow_core.errors import OutputError
from sam2flow_core.results import PROVENANCE, open_results, read_marker


def remeasure(folder: Path, stack: Path | None = None) -> tuple[int, int]:
    """Write tables, report and provenance of a run's frames again; return how many these are, and how many asked for.

    Parameters
    ----------
    folder : Path
        Of the run.
    stack : Path, optional
        Its recording, if it has moved.

    Raises
    ------
    OutputError
        If the folder holds no run, or one that had not yet written anything to read.
    StackError
        If the recording is gone or another one.
    """
    open_results(folder)
    if not (folder / PROVENANCE).is_file():
        raise OutputError(
            f"{folder}: the run there was cut short before its first tables; go on with sam2flow run --resume"
        )
    request = request_again(folder / PROVENANCE, folder, stack, download=True)
    description = {k: v for k, v in read_provenance(folder / PROVENANCE)["model"].items() if k != "asked"}
    with open_source(request) as source, lock_folder(folder) as lock:
        conclusion = Conclusion(request, source, lock, stored_identity(folder), description)
        if read_marker(folder) is not None:
            return write_partial(conclusion), source.frames_total
        for _ in finish_run(conclusion):
            pass
        return source.frames_total, source.frames_total
