"""Many recordings over the cores of a machine or the machines of a cluster."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from sam2flow_core.engine.contract import Predictor
from sam2flow_core.engine.events import FrameDone, RunRequest
from sam2flow_core.engine.lock import lock_folder
from sam2flow_core.engine.process import set_threads
from sam2flow_core.engine.requests import COMPARISON, OUTCOMES
from sam2flow_core.engine.run import run
from sam2flow_core.errors import DataError, Sam2FlowError
from sam2flow_core.files import output_errors, remove_parts
from sam2flow_core.inference.hub import require_model
from sam2flow_core.results import PER_FRAME, SUMMARY
from sam2flow_core.spreadsheets import read_csv, write_csv

if TYPE_CHECKING:
    from distributed import Client


@dataclass(frozen=True)
class Outcome:
    """How one recording ended.

    Attributes
    ----------
    video_id : str
    out : Path
    failure : str
        One line that says what to mend; empty when it is done.
    """

    video_id: str
    out: Path
    failure: str = ""


def run_batch(
    requests: Sequence[RunRequest],
    out: Path,
    scheduler: str | None = None,
    workers: int | None = None,
    groups: Mapping[str, str] | None = None,
) -> Iterator[Outcome]:
    """Run each request, several at a time; one's failure leaves the others alone.

    Asked again, it goes on: finished recordings stay as they are, unfinished
    ones continue, failed ones are tried again. Files are those of `run`, to the
    bit on the same kind of machine. At the end `out` also holds all recordings'
    ``summary.csv`` and ``per_frame.csv`` in one each, ``batch.csv`` with the
    outcomes, and ``comparison.html`` where two recordings or more were measured.

    Parameters
    ----------
    requests : sequence of RunRequest
    out : Path
        Folder of the batch.
    scheduler : str, optional
        Address of a Dask scheduler, ``tcp://host:port``, whose workers see the same
        paths; by default a cluster on this machine.
    workers : int, optional
        Processes on this machine; by default as many as its cores serve.
    groups : mapping of str to str, optional
        Group of each ``video_id``, for the comparison.

    Yields
    ------
    Outcome
        As the recordings end, in that order.

    Raises
    ------
    OutputError
        If the folder cannot be written, or another batch or run is writing there.
    """
    from distributed import as_completed

    _make_folder(out, requests)
    threads = set_threads(None)
    requests = [replace(request, threads=threads) for request in requests]
    outcomes: list[Outcome] = []
    with lock_folder(out) as lock:
        remove_parts(out)
        with _cluster(scheduler, workers, threads) as client:
            futures = {client.submit(_run_one, request, pure=False, retries=1): request for request in requests}
            for future in as_completed(futures):
                lock.check()
                request = futures[future]
                failed = future.exception()
                outcome = Outcome(request.video_id or "", request.out, _line(failed)) if failed else future.result()
                outcomes.append(outcome)
                yield outcome
        lock.check()
        _gather(outcomes, requests, out)
        _compare(outcomes, requests, out, groups or {})


def _make_folder(out: Path, requests: Sequence[RunRequest]) -> None:
    for model in dict.fromkeys(request.model for request in requests):
        require_model(model)
    with output_errors(out):
        out.mkdir(parents=True, exist_ok=True)


@dataclass(frozen=True)
class BatchStep:
    """How far a batch is.

    Attributes
    ----------
    number : int
        Which recording is in hand, from 0.
    frames_done, frames_total : int
        Of this recording; 0 before its first frame.
    outcome : Outcome, optional
        How it ended.
    """

    number: int
    frames_done: int = 0
    frames_total: int = 0
    outcome: Outcome | None = None


def run_in_turn(
    requests: Sequence[RunRequest],
    out: Path,
    groups: Mapping[str, str] | None = None,
    predictor: Predictor | None = None,
) -> Generator[BatchStep, None, None]:
    """Do what `run_batch` does one recording after the other, in this process, and tell of each frame.

    Files are those of `run_batch`. Closing the generator leaves what is finished; asked again, it goes on from there.

    Parameters
    ----------
    requests, out, groups
        As in `run_batch`.
    predictor : Predictor, optional
        Loaded already, for requests that ask for its weights.

    Raises
    ------
    OutputError
        As `run_batch`.
    """
    _make_folder(out, requests)
    outcomes: list[Outcome] = []
    with lock_folder(out) as lock:
        remove_parts(out)
        for number, request in enumerate(requests):
            lock.check()
            failure = ""
            yield BatchStep(number)
            try:
                with closing(run(request, predictor)) as events:
                    for event in events:
                        if isinstance(event, FrameDone):
                            yield BatchStep(number, event.frames_done, event.frames_total)
            except Exception as error:
                failure = _failure(error)
            outcomes.append(Outcome(request.video_id or "", request.out, failure))
            yield BatchStep(number, outcome=outcomes[-1])
        lock.check()
        _gather(outcomes, requests, out)
        _compare(outcomes, requests, out, groups or {})


def _run_one(request: RunRequest) -> Outcome:
    """Do one run to its end; in a worker, whose screen is the user's."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    video_id = request.video_id or ""
    try:
        for _ in run(request):
            pass
    except Exception as error:
        return Outcome(video_id, request.out, _failure(error))
    return Outcome(video_id, request.out)


def _failure(error: Exception) -> str:
    return _line(error) if isinstance(error, Sam2FlowError) else f"fault of the program: {_line(error)}"


@contextmanager
def _cluster(scheduler: str | None, workers: int | None, threads: int) -> Iterator[Client]:
    import dask
    from distributed import Client, LocalCluster

    if scheduler is not None:
        try:
            client = Client(scheduler, timeout="20s")
        except (OSError, ValueError) as error:
            raise DataError(f"{scheduler}: no Dask scheduler answers there ({_line(error)})") from None
        with client:
            yield client
        return
    count = workers or max(1, (dask.system.CPU_COUNT or 1) // threads)
    # Processes with one task each: a run's threads are its own, and a crash takes one recording only.
    # That a busy machine ends one late is nothing to tell.
    cluster = LocalCluster(
        n_workers=count,
        threads_per_worker=1,
        processes=True,
        dashboard_address=None,
        memory_limit=0,
        silence_logs=logging.ERROR,
    )
    with cluster, Client(cluster) as client:
        yield client


def _gather(outcomes: Sequence[Outcome], requests: Sequence[RunRequest], out: Path) -> None:
    """Write all tables into one each, in the order of the manifest."""
    ended = _in_order(outcomes, requests)
    rows = [(o.video_id, "failed" if o.failure else "done", o.failure) for o in ended]
    write_csv(out / OUTCOMES, pd.DataFrame(rows, columns=["video_id", "outcome", "failure"]))
    done = [o.out for o in ended if not o.failure]
    for name in (SUMMARY, PER_FRAME) if done else ():
        # As text, so that no number is rounded on the way.
        write_csv(out / name, pd.concat([read_csv(folder / name, numbers=False) for folder in done]))


def _compare(outcomes: Sequence[Outcome], requests: Sequence[RunRequest], out: Path, groups: Mapping[str, str]) -> None:
    """Write the page that compares the recordings, if there are at least two with a vessel."""
    # Imported only now: plotting takes seconds to load.
    from sam2flow_core.reports import write_comparison

    done = [o.out for o in _in_order(outcomes, requests) if not o.failure]
    summaries = [read_csv(folder / SUMMARY) for folder in done]
    summaries = [summary for summary in summaries if len(summary)]
    if len(summaries) > 1:
        write_comparison(out / COMPARISON, summaries, groups)


def _in_order(outcomes: Sequence[Outcome], requests: Sequence[RunRequest]) -> list[Outcome]:
    order = [request.out for request in requests]
    return sorted(outcomes, key=lambda outcome: order.index(outcome.out))


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
