"""The bank of scenes: drawn by worker processes, kept on disk, used many times, the oldest given up for new ones.

Which scenes a clip may be cut from depends on the number of clips before it alone, never on how fast anything is:
so a run that is resumed, on a full bank or an empty one, sees what an undisturbed run sees.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from multiprocessing.connection import wait
from pathlib import Path

import numpy as np

from sam2flow_core.config.synthetic import BankConfig
from sam2flow_core.files import output_errors
from sam2flow_core.synthetic.discs import draw_disc_record
from sam2flow_core.synthetic.random_draws import pick, stream
from sam2flow_core.synthetic.record import SceneRecord, load_record, plan_record, save_record
from sam2flow_core.synthetic.streamline_records import draw_streamline_record

SCENE_NAMESPACE = 0x7363656E
"""Branch of the seed tree that the bank's scenes are drawn from."""
_VERSION = 4
"""Of what a record holds and how it is drawn: older banks are drawn anew."""


class SceneBank:
    """Scenes by number, drawn when they are first needed or before.

    Parameters
    ----------
    config : BankConfig
    seed : int
        Of all scenes; banks of other seeds are beside it.
    folder : Path, optional
        Where scenes are kept, also for later runs; by default a folder that goes when the bank does.
    """

    def __init__(self, config: BankConfig, seed: int, folder: Path | None = None) -> None:
        self.config, self.seed = config, seed
        self._passing = None if folder else tempfile.TemporaryDirectory(prefix="sam2flow-scenes-")
        root = folder or Path(self._passing.name if self._passing else "")
        # Neither the number of workers nor that of uses changes a scene.
        drawn = replace(config, workers=None, reuse=0.0, scenes=0, first=0)
        digest = hashlib.sha256(repr((_VERSION, drawn)).encode()).hexdigest()[:12]
        self.folder = root / f"{digest}-{seed}"
        with output_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        self._pool: ProcessPoolExecutor | None = None
        self._coming: dict[int, Future[None]] = {}
        self._next = self._oldest = 0

    def choose(self, rng: np.random.Generator, clips: int, count: int) -> list[int]:
        """Draw the scenes of ``count`` clips, ``clips`` being the number of clips before; drawing of more begins."""
        drawn = self.config.first + int(clips / self.config.reuse)
        oldest = max(0, drawn - self.config.scenes)
        chosen = [int(n) for n in rng.integers(oldest, drawn, count)]
        if self.workers:
            # A bank that is begun anew in the middle of a run is drawn as it is asked for; new scenes come in time.
            begin = max(self._next, drawn - self.config.first)
            for number in [*chosen, *range(begin, drawn + self.workers)]:
                self._order(number)
            self._next = drawn + self.workers
        for number in range(self._oldest, oldest):
            self._path(number).unlink(missing_ok=True)
        self._oldest = oldest
        return chosen

    def scenes(self, numbers: Sequence[int]) -> list[SceneRecord]:
        """Read scenes, waiting for those that are not drawn yet."""
        for number in set(numbers):
            self._order(number)
        for number in set(numbers):
            if number in self._coming:
                self._coming.pop(number).result()
        return [load_record(self._path(number)) for number in numbers]

    def close(self) -> None:
        """End the workers; scenes stay, and more can be drawn."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        self._pool, self._coming = None, {}
        self._next = 0

    @property
    def workers(self) -> int:
        """Processes that draw."""
        return count_workers(self.config)

    def _order(self, number: int) -> None:
        if number in self._coming or self._path(number).exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)  # a bank that was closed may be drawn from again
        if not self.workers:
            draw_scene(self.config, self.seed, number, self._path(number))
            return
        if self._pool is None:
            # A process that is forked from one with threads of a network may hang.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.workers, context, initializer=_begin_worker)
        self._coming[number] = self._pool.submit(draw_scene, self.config, self.seed, number, self._path(number))

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:07d}.scene"


def count_workers(config: BankConfig) -> int:
    """Processes that draw: as many as asked for, or as there are cores for this one."""
    if config.workers is not None:
        return config.workers
    # Not everywhere can a process be held to some cores.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def draw_scene(config: BankConfig, seed: int, number: int, path: Path) -> None:
    """Draw a scene of the bank and write it; the same for the same settings, seed and number."""
    save_record(draw_record(config, stream(SCENE_NAMESPACE, seed, number)), path)


def draw_record(config: BankConfig, rng: np.random.Generator) -> SceneRecord:
    """Draw scenes until there is a vessel in one."""
    record = None
    while record is None:
        generator = pick(rng, config.generators)
        plan = plan_record(rng, config.run, config.moments, config.moment, config.lengths)
        if generator == "discs":
            record = draw_disc_record(rng, config.side, config.discs, plan)
        else:
            record = draw_streamline_record(rng, config.side, config.streamlines, plan)
    return record


def _begin_worker() -> None:
    import torch

    torch.set_num_threads(1)
    os.nice(5)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the run that it draws for is gone: a pool's workers would wait for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
