"""Clips from the generators: scenes of the bank, each time filmed and altered anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from sam2flow_core.config.training import TrainingConfig
from sam2flow_core.training.bank import SceneBank
from sam2flow_core.training.clips import ClipOrder, TrainingClip
from sam2flow_core.training.filming import FilmStudio
from sam2flow_core.training.framing import draw_framing


class SyntheticScenes:
    """The generators as a source of clips.

    Parameters
    ----------
    config : TrainingConfig
    seed : int
        Of the scenes.
    folder : Path, optional
        Where the bank is kept, also for later runs; by default it goes with the source.
    """

    def __init__(self, config: TrainingConfig, seed: int = 1, folder: Path | None = None) -> None:
        self.config = config
        self.bank = SceneBank(config.bank, seed, folder)
        self._studios: dict[torch.device, FilmStudio] = {}

    def draw(self, order: ClipOrder, rng: np.random.Generator) -> list[TrainingClip]:
        """Choose scenes of the bank and film them: on an accelerator all at once, otherwise one after the other."""
        records = self.bank.scenes(self.bank.choose(rng, order.before, order.count))
        framings = [draw_framing(rng, record, order.side, self.config, order.stage) for record in records]
        if order.device not in self._studios:
            self._studios[order.device] = FilmStudio(self.config, order.device)
        studio = self._studios[order.device]
        # A processor is quickest with what fits its cache.
        groups = [[f] for f in framings] if order.device.type == "cpu" else [framings]
        return [clip for group in groups for clip in studio.film(group, rng, order.stage)]

    def close(self) -> None:
        """End the processes that draw."""
        self.bank.close()


def fresh_scenes(config: TrainingConfig, generator: str, seed: int) -> SyntheticScenes:
    """A source whose every clip is of a scene of its own, drawn by one generator in this process."""
    bank = replace(config.bank, generators=((generator, 1.0),), first=1, reuse=1.0, scenes=1, workers=0)
    return SyntheticScenes(replace(config, bank=bank), seed)
