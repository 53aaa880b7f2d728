"""An engine without a network: masks are boxes about the first click, flow is uniform; files and events are real."""

import json
import shutil
import threading
import time
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import tifffile
from safetensors.numpy import save

from sam2flow_core.config.run import StoreSettings
from sam2flow_core.engine.batch import BatchStep, Outcome
from sam2flow_core.engine.events import Finished, FrameDone, PartialDone, Stage, Started
from sam2flow_core.engine.field_findings import Findings
from sam2flow_core.engine.preview import Reading, _same_vessel
from sam2flow_core.engine.provenance import FORMAT
from sam2flow_core.errors import Sam2FlowError
from sam2flow_core.inference.steps import FoundVessel, FrameFlow, VesselFlow
from sam2flow_core.prompts import BoxPrompt, MaskPrompt, Prompt, clicks_of, regions_of, regions_to_json
from sam2flow_core.results import MARKER_NAME, PROVENANCE, ResultsWriter, StoreHeader, write_line
from sam2flow_core.stack import open_stack
from sam2flow_core.velocity.density import measure_density

CROP = (12, 20)
SPEED = 3.0  # px per frame


def answer(vessel_id, prompts, last=False):
    first = next(p for p in prompts if getattr(p, "label", 1))
    mask = np.zeros(CROP, bool)
    mask[2:-2] = True
    flow = np.zeros((2, *CROP), np.float32)
    flow[0][mask] = SPEED if vessel_id % 2 else -SPEED
    y, x = middle(first)
    offset = (int(y) - CROP[0] // 2, int(x) - CROP[1] // 2)
    return VesselFlow.of(vessel_id, offset, mask, None if last else flow, None if last else np.ones(CROP, np.float32))


def middle(prompt):
    if isinstance(prompt, BoxPrompt):
        return (prompt.top + prompt.bottom) / 2, (prompt.left + prompt.right) / 2
    if isinstance(prompt, MaskPrompt):
        return np.argwhere(prompt.mask).mean(axis=0)
    return prompt.y, prompt.x


class FakeEngine:
    """Set `gate` to let frames through; `error` is raised at the third frame.

    After the frames in `partial_at` there are tables so far, and the gate is shut; `later_error` is raised at once.
    """

    def __init__(self, seconds_a_frame=0.0):
        self.seconds_a_frame = seconds_a_frame
        self.gate, self.preview_gate, self.warm_gate = threading.Event(), threading.Event(), threading.Event()
        self.partial_at, self.later_error = (), None
        self.gate.set()
        self.preview_gate.set()
        self.warm_gate.set()
        self.error = self.preview_error = None
        self.asked, self.opened, self.requests, self.propagations = [], [], [], []
        self.searches, self.batches = [], []
        self.closed = 0
        self.readings, self.seen, self.findings = 3, {}, 3

    def hurry(self):
        self.gate.set()
        self.warm_gate.set()
        self.preview_gate.set()

    def close(self):
        self.let_go = True

    def warm(self, job):
        self.warm_gate.wait(30)
        if not self.opened or self.opened[-1] != job.choices:
            self.opened.append(job.choices)

    def mask(self, job):
        self.warm(job)
        self.asked.append((job.frame, job.prompts))
        if self.preview_error:
            raise self.preview_error
        self.preview_gate.wait(10)
        prompts, number = self.name(job)
        vessel = answer(job.prompts[0].vessel_id, prompts, last=True)
        vessel = replace(vessel, offset=(vessel.offset[0] + number, vessel.offset[1]))
        self.seen[vessel.vessel_id] = vessel
        same_as = _same_vessel(vessel, [self.seen[v] for v in sorted(job.marked) if v in self.seen])
        return Reading(replace(vessel, same_as=same_as), prompts, number, self.readings if job.number else 1)

    def name(self, job):
        """The mask of number n lies n px lower, as a first click there would have it."""
        number = job.number % self.readings
        if not number:
            return job.prompts, 0
        first = next(p for p in clicks_of(job.prompts) if p.label and p.frame == job.frame)
        y = first.y + number if first.y < 30 else first.y - number  # inside the picture
        x = first.x + 1 if first.x < 30 else first.x - 1
        return (*job.prompts, Prompt(job.vessel_id, job.frame, y, x, 1)), number

    def find(self, job):
        """Three straight vessels across the recording, less and less sure."""
        self.searches.append(job)
        try:
            for step in range(4):
                self.gate.wait(10)
                if self.error:
                    raise self.error
                yield step / 4
        except GeneratorExit:
            self.closed += 1
            raise
        with open_stack(job.stack) as stack:
            _, height, width = stack.shape
        across = np.linspace(0, width - 1, 40)
        vessels = tuple(
            FoundVessel(sure, np.stack([np.full(40, height * place), across], axis=1), 6.0, float(width))
            for sure, place in zip((0.9, 0.7, 0.5), (0.25, 0.5, 0.75), strict=True)
        )[: self.findings]
        density = measure_density(vessels, (0, 0, height, width), job.pixel_size_um)
        yield Findings(vessels, 0, density, job.pixel_size_um)

    def batch(self, job):
        """Every recording's frames; the tables of all, and a page."""
        self.batches.append(job)
        try:
            for number, request in enumerate(job.requests):
                yield BatchStep(number)
                failure = ""
                try:
                    for event in self._run(request):
                        if isinstance(event, FrameDone):
                            yield BatchStep(number, event.frames_done, event.frames_total)
                except Sam2FlowError as error:
                    failure = str(error)
                yield BatchStep(number, outcome=Outcome(request.video_id, request.out, failure))
        except GeneratorExit:
            self.closed += 1
            raise
        tables = [
            pd.read_csv(r.out / "summary.csv").assign(video_id=r.video_id)
            for r in job.requests
            if (r.out / "summary.csv").is_file()
        ]
        if tables:
            pd.concat(tables).to_csv(job.out / "summary.csv", index=False)
            (job.out / "comparison.html").write_text("<html></html>")

    def line(self, job):
        self.lines = [*getattr(self, "lines", ()), job]
        if self.error:
            raise self.error
        job.out.mkdir(parents=True)
        with open_stack(job.stack) as stack:
            frames, calibration = range(len(stack)), stack.calibration.with_user(job.pixel_size_um, job.frame_rate_hz)
        write_tables(job.out, [1], frames, calibration)

    def propagate(self, request):
        """Every frame has the labels of the annotated one."""
        self.propagations.append(request)
        with open_stack(request.stack) as stack:
            shape = stack.shape
        try:
            for t in range(shape[0]):
                self.gate.wait(10)
                if self.error and t == 2:
                    raise self.error
                yield t + 1
        except GeneratorExit:
            self.closed += 1
            raise
        tifffile.imwrite(request.out, np.broadcast_to(request.labels, shape), metadata={"axes": "TYX"})

    def run(self, request):
        self.requests.append(request)
        try:
            yield from self._run(request)
        except GeneratorExit:
            self.closed += 1
            raise

    def _run(self, request):
        with open_stack(request.stack) as stack:
            shape, calibration = stack.shape, stack.calibration.with_user(request.pixel_size_um, request.frame_rate_hz)
        stop = request.stop or shape[0]
        prompts = request.prompts
        vessels = sorted({p.vessel_id for p in prompts})
        request.out.mkdir(parents=True, exist_ok=request.resume)
        # As the engine writes it, without torch, which these tests do not load.
        standing = {"frames_done": "0", "identity": "{}", "numbers": "{}"}
        (request.out / MARKER_NAME).write_bytes(save({}, standing))
        header = StoreHeader(
            shape, request.start, stop, dict.fromkeys(vessels, CROP), dict(request.names), describe(calibration), "v"
        )
        if request.resume:
            shutil.rmtree(request.out / "results.zarr", ignore_errors=True)
        writer = ResultsWriter.create(request.out / "results.zarr", header, StoreSettings())
        yield Started(stop - request.start, 0)
        waiting = []
        for t in range(request.start, stop):
            self.gate.wait(10)
            time.sleep(self.seconds_a_frame)
            if self.error and t == request.start + 2:
                raise self.error
            if self.later_error:
                raise self.later_error
            answers = [answer(v, [p for p in prompts if p.vessel_id == v], t == stop - 1) for v in vessels]
            waiting.append(FrameFlow(t, (0.0, 0.0), tuple(answers)))
            if (t + 1) % 16 == 0 or t == stop - 1:
                writer.write(waiting)
                waiting = []
            done = t - request.start + 1
            yield FrameDone(FrameFlow(t, (0.0, 0.0), tuple(answers)), done, stop - request.start, 0.1)
            if t in self.partial_at:
                self.gate.clear()
                write_provenance(request, calibration, stop)
                write_tables(request.out, vessels, range(request.start, t + 1), calibration, " PARTIAL")
                yield PartialDone(request.out, done, stop - request.start)
        yield Stage("measuring")
        for v in vessels:
            along = np.stack([np.full(CROP[1], CROP[0] / 2), np.arange(CROP[1])], axis=1)
            streaks = np.add.outer(np.arange(stop - request.start), -np.arange(CROP[1])) % 7
            reasons = ("two vessels in one mask?",) if v == 1 else ("all well",)
            write_line(request.out / "results.zarr", v, along if v % 2 else along[::-1], streaks, reasons)
        write_provenance(request, calibration, stop)
        (request.out / MARKER_NAME).unlink()
        yield write_tables(request.out, vessels, range(request.start, stop), calibration)


def describe(calibration):
    return {name: vars(getattr(calibration, name)) for name in ("pixel_size_um", "frame_rate_hz")}


def write_provenance(request, calibration, stop):
    """What `request_again` reads."""
    record = {
        "format": FORMAT,
        "recording": {"path": str(request.stack), "axes": request.stack_axes, "sha256": ""},
        "prompts": [asdict(p) for p in clicks_of(request.prompts)],
        "regions": regions_to_json(regions_of(request.prompts)),
        "model": {"asked": request.model},
        "device": {"asked": request.device, "threads": 1},
        "calibration": describe(calibration),
        "frames": {"start": request.start, "stop": stop},
        "stabilisation": {"on": request.stabilise},
        "video_id": "v",
        "names": {str(v): name for v, name in request.names},
        "identity": {},
    }
    (request.out / PROVENANCE).write_text(json.dumps(record))


def write_tables(out, vessels, frames, calibration, more=""):
    factor = (calibration.usable_pixel_size_um or np.nan) * (calibration.usable_frame_rate_hz or np.nan)
    summary = [
        {"vessel_id": v, "v_mean_um_s": SPEED * factor, "v_ci_low_um_s": 2.5 * factor, "v_ci_high_um_s": 3.5 * factor}
        | {"grade": "poor" if v == 1 else "good", "flags": (("EDGE BRANCH" if v == 1 else "") + more).strip()}
        for v in vessels
    ]
    rows = [
        {"vessel_id": v, "frame": t, "velocity_um_s": SPEED * factor, "velocity_px_frame": SPEED + 0.5 * np.sin(t / 5)}
        for v in vessels
        for t in frames
    ]
    pd.DataFrame(summary).to_csv(out / "summary.csv", index=False)
    pd.DataFrame(rows).to_csv(out / "per_frame.csv", index=False)
    (out / "report.html").write_text("<html></html>")
    return Finished(out, out / "summary.csv", out / "per_frame.csv", out / "report.html")
