"""How fast clips are made, and where their time goes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from sam2flow_core.config.training import StageConfig, TrainingConfig
from sam2flow_core.synthetic.record import SceneRecord, load_record, save_record
from sam2flow_core.synthetic.seeds import stream
from sam2flow_core.training.bank import SceneBank, count_workers, draw_record
from sam2flow_core.training.filming import FilmStudio
from sam2flow_core.training.framing import draw_framing

_PROFILE_NAMESPACE = 0x70726F66


@dataclass(frozen=True)
class ClipSpeed:
    """Seconds of one core (drawing) and of the device (filming), and what follows from them.

    Attributes
    ----------
    draw_s : dict of str to float
        Of a scene, by generator.
    read_s, film_s : float
        Of a clip: reading its scene; filming, altering, summarising and truth.
    scene_mb : float
    per_core : float
        Clips/s of one core that draws and films, each scene used as often as the bank says.
    workers : int
    total : float
        Clips/s with all workers: of as many cores where the processor films too, or of an accelerator with scenes from
        the workers.
    """

    draw_s: dict[str, float]
    read_s: float
    film_s: float
    scene_mb: float
    per_core: float
    workers: int
    total: float

    def lines(self) -> list[str]:
        """What `sam2flow train --profile` prints."""
        drawn = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in self.draw_s.items())
        return [
            f"scene drawn: {drawn} of one core; {self.scene_mb:.1f} MB on disk",
            f"clip: read {1e3 * self.read_s:.0f} ms; filmed, altered, summarised and told {1e3 * self.film_s:.0f} ms",
            f"clips/s: {self.per_core:.1f} per core, {self.total:.1f} with {self.workers} workers",
        ]


def measure_clip_speed(
    config: TrainingConfig, stage: StageConfig, side: int = 160, scenes: int = 8, device: torch.device | str = "cpu"
) -> ClipSpeed:
    """Draw scenes of each generator and film clips of ``side`` px; seconds of processor time where that films.

    Parameters
    ----------
    config : TrainingConfig
    stage : StageConfig
        Frames and pairs of a clip.
    side, scenes : int
        Of a clip, px; of each generator.
    device : torch.device
    """
    device = torch.device(device)
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    bank = SceneBank(replace(config.bank, workers=0), 0)
    records: list[SceneRecord] = []
    draw_s, read_s, size = dict[str, float](), 0.0, 0
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for name, _ in config.bank.generators:
            of_one = replace(config.bank, generators=((name, 1.0),))
            draw_record(of_one, stream(_PROFILE_NAMESPACE, scenes))
            started = time.process_time()
            mine = [draw_record(of_one, stream(_PROFILE_NAMESPACE, k)) for k in range(scenes)]
            draw_s[name] = (time.process_time() - started) / scenes
            records += mine
        for number, record in enumerate(records):
            path = bank.folder / str(number)
            save_record(record, path)
            size += path.stat().st_size
            started = time.process_time()
            load_record(path)
            read_s += (time.process_time() - started) / len(records)
        film_s = _film(config, stage, side, records, device, clock)
    finally:
        torch.set_num_threads(threads)
        bank.close()
    workers = max(1, count_workers(config.bank))
    weights = dict(config.bank.generators)
    draw = sum(draw_s[name] * w for name, w in weights.items()) / sum(weights.values()) / config.bank.reuse
    per_core = 1 / (draw + read_s + film_s)
    total = workers * per_core if device.type == "cpu" else min(workers / draw, 1 / (read_s + film_s))
    return ClipSpeed(draw_s, read_s, film_s, size / len(records) / 1e6, per_core, workers, total)


def _film(
    config: TrainingConfig,
    stage: StageConfig,
    side: int,
    records: list[SceneRecord],
    device: torch.device,
    clock: Callable[[], float],
) -> float:
    """Seconds for a clip, filmed as `SyntheticScenes` does."""
    studio, rng = FilmStudio(config, device), np.random.default_rng(0)
    framings = [draw_framing(rng, record, side, config, stage) for record in records]
    groups = [[f] for f in framings] if device.type == "cpu" else [framings]
    with torch.no_grad():
        studio.film(groups[0], rng, stage)
        _wait(device)
        started = clock()
        for group in groups:
            studio.film(group, rng, stage)
        _wait(device)
    return (clock() - started) / len(records)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
