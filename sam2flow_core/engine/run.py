"""One run: from a recording and clicks to tables, flow and report."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from sam2flow_core.config.run import PartialSettings, StoreSettings
from sam2flow_core.engine.contract import Predictor
from sam2flow_core.engine.events import Finished, RunEvent, RunRequest, Stage, Started
from sam2flow_core.engine.finished import check_finished
from sam2flow_core.engine.finishing import Conclusion, PartialTables
from sam2flow_core.engine.lock import FolderState, claim_folder
from sam2flow_core.engine.process import give_memory_back, set_threads
from sam2flow_core.engine.provenance import (
    THREADS,
    check_expected,
    check_same_run,
    identify,
    is_refinement,
    read_provenance,
    stored_identity,
)
from sam2flow_core.engine.source import Source, open_source
from sam2flow_core.engine.streaming import stream_frames
from sam2flow_core.errors import OutputError, Sam2FlowError
from sam2flow_core.messages import Message
from sam2flow_core.results import PER_FRAME, PROVENANCE, REPORT, SUMMARY
from sam2flow_core.stack import Stack


def run(
    request: RunRequest,
    predictor: Predictor | None = None,
    settings: StoreSettings | None = None,
    partial: PartialSettings | None = None,
    known: Stack | None = None,
) -> Generator[RunEvent, None, None]:
    """Do a run, and tell of its progress.

    Memory does not grow with the frames streamed. Closing the generator keeps
    the frames that were yielded; a run with `resume` goes on from there, also
    after a crash, and ends with the same files as an undisturbed one.

    Parameters
    ----------
    request : RunRequest
    predictor : Predictor, optional
        One that is loaded already; by default the request's model is loaded.
    settings : StoreSettings, optional
        Layout of the store.
    partial : PartialSettings, optional
        When tables of the frames so far are written.
    known : Stack, optional
        An earlier opening of the recording: what it has found out is not sought again, if the files are as they were.

    Yields
    ------
    RunEvent
        `Stage`, `Started`, a `FrameDone` for each frame, now and then a `PartialDone`, `Finished` last.

    Raises
    ------
    Sam2FlowError
        If the input, the output folder or the model cannot be used, or the disk
        fills up. Frames that were written stay usable.
    """
    settings = settings or StoreSettings()
    with open_source(request) as source, claim_folder(request.out, request.resume) as (folder, lock):
        yield Stage(Message("reading the recording, loading the model"))
        give_memory_back(source.stack.shape)
        if known is not None:
            source.stack.learn_from(known)
        before = stored_identity(request.out)
        # An earlier part of this run decides with how many threads the rest is computed.
        earlier = _threads(before, request.out) if before else None
        threads = set_threads(request.threads or earlier)
        with ThreadPoolExecutor(1, thread_name_prefix="sam2flow-content") as pool:
            content = pool.submit(_content, source, request.out, folder)
            predictor = predictor or _load(request)
        identity = identify(request, source, content.result(), predictor.description, threads)
        check_expected(identity, dict(request.expected))
        refines = bool(before) and is_refinement(identity, before)
        if before and not refines:
            check_same_run(request.out, identity, before)
        notices = (*lock.notices, *source.notices)
        finished = folder is FolderState.FINISHED and not refines
        if finished:
            check_finished(request.out)
            yield Started(source.frames_total, source.frames_total, notices)
        else:
            conclusion = Conclusion(request, source, lock, identity, predictor.description)
            tables = PartialTables(conclusion, _write_partial, partial)
            try:
                yield from stream_frames(request, source, lock, predictor, identity, settings, tables, refines)
            except (GeneratorExit, Sam2FlowError) as ended:
                tables.write_at_the_end(failed=isinstance(ended, Sam2FlowError))
                raise
            # Imported only now: plotting and statistics take seconds to load and would delay the first frame.
            from sam2flow_core.engine.finishing import finish_run

            yield from finish_run(replace(conclusion, description=predictor.description))
        told = predictor.description.get("notices", ())
        timed = () if finished else source.timing.notices
        yield _finished(request, (*notices, *timed, *told))


def _threads(before: Mapping[str, str], out: Path) -> int:
    said = before.get(THREADS, "")
    if not re.fullmatch(r"[1-9][0-9]{0,3}", said):
        raise OutputError("{out}: the notes of its earlier run are damaged; run again into a new folder", out=out)
    return int(said)


def _write_partial(conclusion: Conclusion) -> int:
    # Imported here for the same reason.
    from sam2flow_core.engine.finishing import write_partial

    return write_partial(conclusion)


def _load(request: RunRequest) -> Predictor:
    # Imported here, so that bad input is told before torch is loaded.
    from sam2flow_core.inference.predictor import SAM2FlowPredictor

    return SAM2FlowPredictor.from_pretrained(request.model, device=request.device)


def _content(source: Source, out: Path, folder: FolderState) -> str:
    """SHA-256 of the recording; of a finished run's, the one it wrote down while the files look as they did then."""
    if folder is FolderState.FINISHED:
        recording = read_provenance(out / PROVENANCE)["recording"]
        files = [(file["name"], file["bytes"], file.get("written_ns")) for file in recording["files"]]
        if files == list(source.stack.files):
            return str(recording["sha256"])
    return source.stack.sha256()


def _finished(request: RunRequest, notices: tuple[str, ...]) -> Finished:
    out = request.out
    return Finished(out, out / SUMMARY, out / PER_FRAME, out / REPORT, notices)
