"""From framed scenes of the bank to training clips: filmed, spoiled, and summarised, a batch at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sam2flow_core.config.training import StageConfig, TrainingConfig
from sam2flow_core.model.vessel_field import VesselField
from sam2flow_core.synthetic import discs
from sam2flow_core.synthetic.discs.disc_appearance import draw_disc_appearance, film_discs
from sam2flow_core.synthetic.streamline_records import draw_streamline_appearance, film_streamlines
from sam2flow_core.training.bank import SceneBank
from sam2flow_core.training.clips import ClipOrder, TrainingClip, spoil, summarise
from sam2flow_core.training.framing import Framing, draw_framing
from sam2flow_core.training.scene_truth import StreamMaps, clip_points, true_fields, true_motion

_NOISE_POOL = 1 << 24
"""Normal numbers that clips' noise is cut from: to draw a clip's own anew costs as much as all else in filming."""


class FilmStudio:
    """Films batches of framed scenes on one device.

    Parameters
    ----------
    config : TrainingConfig
    device : torch.device
    """

    def __init__(self, config: TrainingConfig, device: torch.device) -> None:
        self.config, self.device = config, device
        generator = torch.Generator(device).manual_seed(0)
        self._noise = torch.randn(_NOISE_POOL, generator=generator, device=device)

    def film(self, framings: Sequence[Framing], rng: np.random.Generator, stage: StageConfig) -> list[TrainingClip]:
        """Film framings of one size and number of frames."""
        points = clip_points(framings, self.device)
        video = self.record(framings, points, rng)
        video, seen = spoil(video, rng, self.config.alterations, stage.unsteady)
        maps = StreamMaps(framings, self.device)
        motion, fields = true_motion(framings, maps, points), true_fields(framings, maps)
        parts = [len(framings[0].rows), *[len(framings[0].firsts)] * 2]
        inputs, statistics, moving = summarise(*video.split(parts, 1))
        clips, start = [], 0
        for k, framing in enumerate(framings):
            mine, visible = slice(start, start + framing.learned), seen[k]
            start += framing.learned
            # A vessel behind a margin is not there: neither in the masks nor in the field.
            cells = visible[1::2, 1::2]
            clips.append(
                TrainingClip(
                    inputs[k],
                    motion.masks[mine] * visible,
                    framing.first,
                    motion.flow[:, mine] * visible,
                    motion.weight[:, mine] * visible,
                    statistics[k][None],
                    VesselField(*(x[k] * cells for x in fields)),
                    moving[k][None],
                )
            )
        return clips

    def record(self, framings: Sequence[Framing], points: Tensor, rng: np.random.Generator) -> Tensor:
        """Videos (B, F, n, n) of all sampled frames, each by the optics of the generator that drew its scene."""
        matter, depth = gather_matter(framings, points)
        times = torch.from_numpy(np.stack([f.record.frames[f.sampled] for f in framings]).astype(np.float32))
        times, noise = times.to(self.device), self._draw_noise(rng, matter.shape)
        how, bank = self.config.alterations, self.config.bank
        videos = torch.empty_like(matter)
        generators = [f.record.generator for f in framings]
        for generator in sorted(set(generators)):
            mine = [k for k, g in enumerate(generators) if g == generator]
            spoilt = [[rng.random() < p for p in (how.standing, how.drifts, how.defocus)] for _ in mine]
            sizes = [framings[k].record.cell_px * framings[k].zoom for k in mine]
            index = slice(None) if len(mine) == len(framings) else torch.tensor(mine, device=self.device)
            views = (matter[index], depth[index], times[index])
            uses = list(zip(sizes, spoilt, strict=True))
            if generator == discs.GENERATOR:
                videos[index] = film_discs(
                    *views, [draw_disc_appearance(rng, size, *f) for size, f in uses], noise[index]
                )
            else:
                appearances = [draw_streamline_appearance(rng, bank.streamlines, size, *f) for size, f in uses]
                videos[index] = film_streamlines(*views, appearances, noise[index])
        return videos

    def _draw_noise(self, rng: np.random.Generator, shape: torch.Size) -> Tensor:
        size = int(np.prod(shape[1:]))
        if size >= _NOISE_POOL:
            generator = torch.Generator(self.device).manual_seed(int(rng.integers(2**31)))
            return torch.randn(shape, generator=generator, device=self.device)
        starts = rng.integers(_NOISE_POOL - size, size=shape[0])
        return torch.stack([self._noise[a : a + size] for a in starts]).view(shape)


def gather_matter(framings: Sequence[Framing], points: Tensor) -> tuple[Tensor, Tensor]:
    """Thickness of the cells (B, F, n, n) in all sampled frames, and depth of the lumen (B, n, n); bilinear."""
    device, n, batch = points.device, framings[0].side, len(framings)
    whole = max(f.record.side for f in framings)
    frames = len(framings[0].sampled)
    columns, places = [], []
    for number, framing in enumerate(framings):
        record = framing.record
        y, x = np.divmod(record.reached.astype(np.int64), record.side)
        places.append(number * whole**2 + y * whole + x)
        columns.append(record.matter[framing.sampled] if framing.blood else np.zeros((frames, len(y)), np.uint8))
    # A px's frames lie together, so that one px is fetched at a time.
    values = torch.from_numpy(np.concatenate([np.zeros((frames, 1), np.uint8), *columns], 1)).to(device).T.contiguous()
    deep = np.concatenate([np.zeros(1, np.float16), *(f.record.depth for f in framings)])
    depths = torch.from_numpy(deep.astype(np.float32)).to(device)
    lookup = torch.zeros(batch * whole**2, dtype=torch.int64, device=device)
    lookup[torch.from_numpy(np.concatenate(places)).to(device)] = torch.arange(1, len(values), device=device)
    ranges = np.stack([f.record.range if f.blood else np.zeros(2, np.float32) for f in framings])
    low, step = torch.from_numpy(ranges).to(device).unbind(1)
    corner = torch.floor(points)
    part, cell = points - corner, corner.long()
    entries, shares = [], []
    base = torch.arange(batch, device=device)[:, None] * whole**2
    for dy in (0, 1):
        for dx in (0, 1):
            column, row = cell[..., 0] + dx, cell[..., 1] + dy
            inside = (column >= 0) & (row >= 0) & (column < whole) & (row < whole)
            entry = lookup[base + (row * whole + column).clamp(0, whole**2 - 1)] * inside
            share = (part[..., 0] if dx else 1 - part[..., 0]) * (part[..., 1] if dy else 1 - part[..., 1])
            entries.append(entry)
            shares.append(share * (entry > 0))
    share, entry = torch.stack(shares), torch.stack(entries)
    depth = (depths[entry] * share).sum(0).view(batch, n, n)
    clip, pixel = torch.nonzero(share.sum(0) > 0, as_tuple=True)
    entry, share = entry[:, clip, pixel], share[:, clip, pixel]
    found = torch.zeros(len(clip), frames, device=device)
    for mine, part_of in zip(entry, share, strict=True):
        found.addcmul_(values.index_select(0, mine).float(), (part_of * step[clip])[:, None])
    found.add_((share.sum(0) * low[clip])[:, None])
    matter = torch.zeros(batch * n * n, frames, device=device)
    matter[clip * n * n + pixel] = found
    return matter.view(batch, n * n, frames).transpose(1, 2).contiguous().view(batch, frames, n, n), depth


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
