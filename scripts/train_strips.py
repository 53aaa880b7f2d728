"""Train the strip decoder of `tiny` alone, each strip several times: to pull one straight costs more than to learn it.

    python scripts/train_strips.py better.safetensors --start field.safetensors --minutes 40

The trainer's stage of that name sees each strip once. Here what was drawn is kept, and comes back mirrored anew.
Weights (averaged) are written at the end, and every few minutes.
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

from sam2flow_core.config.training import TRAINING, TrainingConfig
from sam2flow_core.inference.weights import load_model, save_weights
from sam2flow_core.model.sam2flow import SAM2Flow
from sam2flow_core.model.strip_decoder import StripDecoder
from sam2flow_core.model.vessel_field import ORIENTATIONS
from sam2flow_core.training.averaging import follow_mean
from sam2flow_core.training.batch import gather_clips
from sam2flow_core.training.clips import ClipStream
from sam2flow_core.training.filming import SyntheticScenes
from sam2flow_core.training.replays import Replays
from sam2flow_core.training.strip_part import StripExercise, exercises_of, mirrored, stacked_by_length, strip_loss
from sam2flow_core.training.trainer import one_cycle
from sam2flow_core.training.whole_recordings import exercises_of_recording, recordings_beside

KEPT = 2400
REPLAYED = 1.25
"""For each strip that is new."""
TOGETHER = 12
CLIPS = 2
EMA = 0.999
SAVE_MINUTES = 4.0
LOGGED = 100


@dataclass(frozen=True)
class Run:
    """What to train, how long, and where to.

    ``scenes`` is where those that clips are cut from are kept, and ``recordings`` how many whole ones are learned from
    beside clips, one for each batch of clips.
    """

    out: Path
    start: str = "tiny"
    minutes: float = 40.0
    rate: float = 2e-4
    seed: int = 1
    scenes: Path | None = None
    recordings: int = 0
    recipe: TrainingConfig = field(default_factory=lambda: TRAINING["tiny"])


def _halved(exercise: StripExercise) -> StripExercise:
    return replace(exercise, features=exercise.features.astype(np.float16))


def _mirrored_anew(exercise: StripExercise, rng: np.random.Generator) -> StripExercise:
    whole = replace(exercise, features=exercise.features.astype(np.float32))
    return mirrored(whole, rng.random() < 0.5, rng.random() < 0.5, ORIENTATIONS)


def train(run: Run) -> Iterator[tuple[int, float, float]]:
    """Train and write; yields steps, and running means of loss and intersection over union."""
    model, _ = load_model(run.start)
    decoder, recipe = model.strip_decoder, run.recipe
    assert decoder is not None
    rng = np.random.default_rng(run.seed)
    decoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average, replays = copy.deepcopy(decoder).requires_grad_(False), Replays[StripExercise](KEPT, rng)
    optimiser = torch.optim.AdamW(decoder.parameters(), lr=run.rate, weight_decay=recipe.weight_decay)
    begun = saved = time.monotonic()
    steps, loss, iou, share = 0, 0.0, 0.0, 0.0
    source = SyntheticScenes(recipe, run.seed, run.scenes)
    stage = next(s for s in recipe.stages if s.name == "strips")
    clips = ClipStream(source, recipe, stage, run.seed).batches(CLIPS)
    whole = recordings_beside(run.scenes, run.recordings, recipe.recordings, run.seed)
    with closing(source), closing(clips):
        while share < 1:
            share = (time.monotonic() - begun) / 60 / run.minutes
            for group in optimiser.param_groups:
                group["lr"] = run.rate * one_cycle(share, recipe.warm_up)
            new = exercises_of(model, gather_clips(next(clips)), recipe.strips, rng)
            new += [] if whole is None else exercises_of_recording(model, whole.draw(rng), recipe.strips, rng)
            again = [_mirrored_anew(e, rng) for e in replays.draw(int(REPLAYED * len(new)))]
            for batch in stacked_by_length([*new, *again], TOGETHER, torch.device("cpu")):
                # Twice as fast, where the processor multiplies in bfloat16; the loss is taken in full.
                with torch.autocast("cpu", torch.bfloat16):
                    taught, found = strip_loss(decoder, batch)
                taught.backward()
                torch.nn.utils.clip_grad_norm_(decoder.parameters(), recipe.clip_gradient)
                optimiser.step()
                optimiser.zero_grad()
                steps += 1
                follow_mean(average.parameters(), decoder.parameters(), steps, EMA)
                weight = max(0.005, 1 / steps)
                loss, iou = loss + weight * (taught.item() - loss), iou + weight * (found.mean().item() - iou)
                yield steps, loss, iou
            replays.add(_halved(e) for e in new)
            if time.monotonic() - saved > 60 * SAVE_MINUTES or share >= 1:
                saved = time.monotonic()
                _save(run, model, average, steps)


def _save(run: Run, model: SAM2Flow, average: StripDecoder, steps: int) -> None:
    trained = copy.deepcopy(model)
    assert trained.strip_decoder is not None
    trained.strip_decoder.load_state_dict(average.state_dict())
    save_weights(run.out, trained, {"start": Path(run.start).name, "steps": steps, "minutes": run.minutes})


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--start", default="tiny")
    parser.add_argument("--minutes", type=float, default=40.0)
    parser.add_argument("--rate", type=float, default=2e-4, help="largest learning rate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scenes", type=Path, help="folder in which the scenes that clips are cut from are kept")
    parser.add_argument("--recordings", type=int, default=0, help="whole recordings to learn from beside clips")
    torch.set_num_threads(1)
    for steps, loss, iou in train(Run(**vars(parser.parse_args()))):
        if steps % LOGGED == 0:
            print(f"{steps} steps: loss {loss:.4f}, IoU {iou:.4f}", flush=True)


if __name__ == "__main__":
    main()
