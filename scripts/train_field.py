"""Train the vessel field of `tiny` alone, each clip several times: to film one costs as much as to learn from it.

    python scripts/train_field.py better.safetensors --start tiny --widen 2 --minutes 60

The trainer's stage of that name sees each clip once. Here what was summarised is kept, and comes back turned, mirrored
and run backwards. ``--widen`` begins with so many copies of each channel, which answer as the network before did
(Net2WiderNet; Chen et al., 2016) and learn to differ. Weights (averaged) are written at the end and every few minutes.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from sam2flow_core.config.training import TRAINING, TrainingConfig
from sam2flow_core.inference.weights import load_model, save_weights
from sam2flow_core.model.sam2flow import SAM2Flow
from sam2flow_core.model.vessel_field import VesselField, VesselFieldNet
from sam2flow_core.training.averaging import follow_mean
from sam2flow_core.training.batch import gather_clips
from sam2flow_core.training.clips import ClipStream
from sam2flow_core.training.field_truth import field_loss
from sam2flow_core.training.field_turns import FieldLesson, backwards, turned
from sam2flow_core.training.filming import SyntheticScenes
from sam2flow_core.training.replays import Replays
from sam2flow_core.training.trainer import one_cycle
from sam2flow_core.training.whole_recordings import recordings_beside

KEPT = 800
"""Batches; of two clips each, 3 GB."""
REPLAYED = 1
"""For each batch that is new."""
CLIPS = 2
WHOLE = 2
"""Whole recordings for each batch of clips, where any are asked for."""
EMA = 0.998
SAVE_MINUTES = 4.0
LOGGED = 100
UNLIKE = 0.2
"""By which part the weights of copies differ from a half each."""


@dataclass(frozen=True)
class Run:
    """What to train, how long, and where to.

    ``scenes`` is where those that clips are cut from are kept, and ``recordings`` how many whole ones are learned from
    beside clips, two steps for each batch of clips.
    """

    out: Path
    start: str = "tiny"
    widen: int = 1
    minutes: float = 60.0
    rate: float = 5e-4
    seed: int = 1
    scene_seed: int = 1
    scenes: Path | None = None
    recordings: int = 0
    recipe: TrainingConfig = field(default_factory=lambda: TRAINING["tiny"])


def widened(net: VesselFieldNet, times: int, rng: torch.Generator) -> VesselFieldNet:
    """A net with ``times`` copies of each channel side by side that answers as ``net`` does.

    Copies lie in the group of their channel: its mean and spread stay. What reads them divides its weights among them,
    unevenly, or they would learn alike for ever.
    """
    widths = tuple(block[2].in_channels for block in net.before if isinstance(block, nn.Sequential))
    wide = VesselFieldNet(tuple(w * times for w in widths))
    goal = wide.state_dict()
    for name, weight in net.state_dict().items():
        new = weight.repeat_interleave(goal[name].shape[0] // weight.shape[0], 0)
        if weight.ndim == 4 and goal[name].shape[1] > weight.shape[1]:
            new = torch.cat([_shared(row[None], times, rng) for row in new])
        goal[name] = new
    wide.load_state_dict(goal)
    return wide


def _shared(weight: torch.Tensor, times: int, rng: torch.Generator) -> torch.Tensor:
    """Weights (1, C, k, k) divided among copies (1, times C, k, k)."""
    parts = 1 + UNLIKE * torch.randn(1, weight.shape[1], times, 1, 1, generator=rng)
    parts = parts / parts.sum(2, keepdim=True)
    return (weight[:, :, None] * parts).flatten(1, 2)


def _halved(lesson: FieldLesson) -> FieldLesson:
    return FieldLesson(lesson.statistics.half(), VesselField(*(x.half() for x in lesson.field)))


def _seen_anew(kept: FieldLesson, rng: np.random.Generator) -> FieldLesson:
    lesson = FieldLesson(kept.statistics.float(), VesselField(*(x.float() for x in kept.field)))
    lesson = turned(lesson, int(rng.integers(4)), bool(rng.integers(2)))
    return backwards(lesson) if rng.integers(2) else lesson


def train(run: Run) -> Iterator[tuple[int, dict[str, float]]]:
    """Train and write; yields steps, and running means of the figures of `field_loss`."""
    model = _begin(run)
    net, recipe, rng = model.vessel_field, run.recipe, np.random.default_rng(run.seed)
    assert net is not None
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average, replays = copy.deepcopy(net).requires_grad_(False), Replays[FieldLesson](KEPT, rng)
    optimiser = torch.optim.AdamW(net.parameters(), lr=run.rate, weight_decay=recipe.weight_decay)
    begun = saved = time.monotonic()
    steps, share, figures = 0, 0.0, dict[str, float]()
    source = SyntheticScenes(recipe, run.scene_seed, run.scenes)
    stage = next(s for s in recipe.stages if s.name == "field")
    clips = ClipStream(source, recipe, stage, run.seed).batches(CLIPS)
    whole = recordings_beside(run.scenes, run.recordings, recipe.recordings, run.scene_seed)
    with closing(source), closing(clips):
        while share < 1:
            share = (time.monotonic() - begun) / 60 / run.minutes
            for group in optimiser.param_groups:
                group["lr"] = run.rate * one_cycle(share, recipe.warm_up)
            batch = gather_clips(next(clips))
            new = FieldLesson(batch.statistics, batch.field)
            replays.add([_halved(new)])
            beside = [] if whole is None else [whole.draw(rng).seen for _ in range(WHOLE)]
            for lesson in [new, *(_seen_anew(kept, rng) for kept in [*replays.draw(REPLAYED), *beside])]:
                found = _learn(net, lesson, optimiser, recipe)
                steps += 1
                follow_mean(average.parameters(), net.parameters(), steps, EMA)
                weight = max(0.005, 1 / steps)
                figures = {k: figures.get(k, 0.0) * (1 - weight) + weight * v for k, v in found.items()}
                yield steps, figures
            if time.monotonic() - saved > 60 * SAVE_MINUTES or share >= 1:
                saved = time.monotonic()
                _save(run, model, average, steps)


def _learn(
    net: VesselFieldNet, lesson: FieldLesson, optimiser: torch.optim.Optimizer, recipe: TrainingConfig
) -> dict[str, float]:
    statistics = lesson.statistics.contiguous(memory_format=torch.channels_last)
    # Half the time, where the processor multiplies in bfloat16; the loss is taken in full.
    with torch.autocast("cpu", torch.bfloat16):
        guess = net(statistics)
    loss, figures = field_loss(VesselField(*(x.float() for x in guess)), lesson.field)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), recipe.clip_gradient)
    optimiser.step()
    optimiser.zero_grad()
    return {"loss": float(loss.detach()), **{k: float(v) for k, v in figures.items()}}


def _begin(run: Run) -> SAM2Flow:
    narrow, _ = load_model(run.start)
    assert narrow.vessel_field is not None
    if run.widen == 1:
        return narrow.requires_grad_(True)
    mask = replace(narrow.config.mask, field_widths=tuple(w * run.widen for w in narrow.config.mask.field_widths))
    model = SAM2Flow(replace(narrow.config, mask=mask))
    own = narrow.state_dict()
    model.load_state_dict({**own, **{k: v for k, v in model.state_dict().items() if k.startswith("vessel_field.")}})
    model.vessel_field = widened(narrow.vessel_field, run.widen, torch.Generator().manual_seed(run.seed))
    return model.eval()


def _save(run: Run, model: SAM2Flow, average: VesselFieldNet, steps: int) -> None:
    trained = copy.deepcopy(model)
    trained.vessel_field = copy.deepcopy(average)
    save_weights(run.out, trained, {"start": Path(run.start).name, "steps": steps, "minutes": run.minutes})


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--start", default="tiny")
    parser.add_argument("--widen", type=int, default=1, help="copies of each channel to begin with")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=5e-4, help="largest learning rate")
    parser.add_argument("--seed", type=int, default=1, help="of clips")
    parser.add_argument("--scene-seed", type=int, default=1, help="of the scenes that they are cut from")
    parser.add_argument("--scenes", type=Path, help="folder in which the scenes are kept")
    parser.add_argument("--recordings", type=int, default=0, help="whole recordings to learn from beside clips")
    torch.set_num_threads(1)
    for steps, figures in train(Run(**vars(parser.parse_args()))):
        if steps % LOGGED == 0:
            print(steps, {k: round(v, 4) for k, v in figures.items()}, flush=True)


if __name__ == "__main__":
    main()
