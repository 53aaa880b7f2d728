"""The engine in its own process: answers, errors, and what happens when it dies."""

import io

import pytest

from sam2flow_core.engine.events import RunRequest
from sam2flow_core.errors import Sam2FlowError, StackError
from sam2flow_core.project import RunChoices
from sam2flow_core.prompts import Prompt
from sam2flow_napari.worker.child import Host, serve
from sam2flow_napari.worker.engine_process import (
    CloseRun,
    End,
    EngineProcess,
    Fault,
    NextEvent,
    Value,
    receive,
    send,
)
from sam2flow_napari.worker.jobs import PreviewJob


@pytest.fixture
def remote():
    engine = EngineProcess()
    yield engine
    engine.close()


def request(tmp_path, stack="missing.tif"):
    return RunRequest(stack=tmp_path / stack, prompts=(Prompt(1, 0, 1.0, 1.0, 1),), out=tmp_path / "out")


def job(tmp_path):
    return PreviewJob(1, tmp_path / "missing.tif", RunChoices(), 1, 0, (Prompt(1, 0, 1.0, 1.0, 1),))


def test_errors_come_across_and_a_process_that_dies_is_told_and_started_anew(remote, tmp_path, monkeypatch):
    for _ in range(2):
        with pytest.raises(StackError, match=r"missing\.tif"):
            next(remote.run(request(tmp_path)))
    monkeypatch.setattr(remote, "_start", lambda: None)  # it dies while it is at work
    remote._process.kill()
    with pytest.raises(Sam2FlowError, match="ended unexpectedly") as caught:
        remote.mask(job(tmp_path))
    monkeypatch.undo()
    assert "\n" not in str(caught.value)
    with pytest.raises(StackError):
        next(remote.run(request(tmp_path)))
    process = remote._process
    remote.close()
    assert process.wait(60) == 0


def test_host_stops_the_run_when_its_window_goes():
    closed = []

    def run():
        try:
            yield "event"
            yield "never"
        finally:
            closed.append(True)

    source, target = io.BytesIO(), io.BytesIO()
    send(source, NextEvent())
    source.seek(0)
    host = Host()
    host._run = run()
    assert host.answer(NextEvent()) == Value("event")
    host.close()
    assert closed == [True]
    serve(source, target)
    target.seek(0)
    assert receive(target) == End()


def test_faults_of_the_program_come_across_with_their_kind():
    class Odd(Exception):
        def __init__(self, a, b):
            super().__init__(f"{a} {b}")

    host = Host()
    host._run = (_ for _ in [1])
    assert host.answer(NextEvent()) == Value(1)
    assert host.answer(NextEvent()) == End()
    assert host.answer(CloseRun()) == Value(None)
    from sam2flow_napari.worker.child import _portable

    assert repr(_portable(Odd(1, 2))) == "RuntimeError('Odd: 1 2')"
    assert isinstance(_portable(StackError("x")), StackError)
    assert isinstance(Fault(_portable(Odd(1, 2))).error, RuntimeError)
