"""Figures that training is steered by, on recordings that it never learns from.

The recordings are drawn once, from seeds of their own: neither training nor the benchmark draws them. Every measure
looks at the same frames with the same clicks, so two sets of weights are compared on equal terms, and small
differences mean something.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from scipy.stats import rankdata
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.config.tracing import TracingSettings
from sam2flow_core.config.training import DevelopmentConfig, StageConfig, TrainingConfig
from sam2flow_core.inference.clicked_masks import clicked_masks
from sam2flow_core.model.cost_volume import pairs_around
from sam2flow_core.model.mask_decoder import SURELY_PRESENT
from sam2flow_core.model.matched_memory import STRIDE, MatchedMemory, RememberedFrame
from sam2flow_core.model.prompt_encoder import PADDING, POSITIVE
from sam2flow_core.model.sam2flow import Prompts, SAM2Flow, VesselMasks, context_entries
from sam2flow_core.model.vessel_field import VesselField
from sam2flow_core.tracing.field_map import FieldMap
from sam2flow_core.training.clicks import draw_point
from sam2flow_core.training.clips import ClipOrder, ClipSource, TrainingClip
from sam2flow_core.training.filming import fresh_scenes
from sam2flow_core.training.losses import mask_iou

DEVELOPMENT_NAMESPACE = 0x64657665
"""Branch of the seed tree that development recordings are drawn from."""

_SPEED_EDGES = (0.0, 1.0, 5.0, 15.0, np.inf)
"""px per frame: errors are told apart by how fast the blood is, or the fast vessels would be all that counts."""


@dataclass(frozen=True)
class DevelopmentCase:
    """A clip, the pair that is answered, and the clicks it is prompted with.

    Attributes
    ----------
    clip : TrainingClip
    pair : int
        First frame of the pair.
    points : Tensor (V + 1, clicks, 2)
        ``(x, y)`` px inside each vessel; the last row lies on tissue.
    """

    clip: TrainingClip
    pair: int
    points: Tensor


class DevelopmentSet:
    """Development recordings, kept in memory.

    Parameters
    ----------
    sources : sequence of ClipSource
        The generators; recordings are drawn from each in turn.
    config : DevelopmentConfig
    training : TrainingConfig
        Says how many vessels of a clip are looked at.

    Examples
    --------
    >>> from sam2flow_core.config.training import TRAINING
    >>> from sam2flow_core.training.filming import fresh_scenes
    >>> recipe = TRAINING["tiny"]
    >>> source = fresh_scenes(recipe, "streamlines", DEVELOPMENT_NAMESPACE)
    >>> recordings = DevelopmentSet([source], DevelopmentConfig(clips=1, side=96), recipe)
    >>> len(recordings.cases)
    1
    """

    def __init__(self, sources: Sequence[ClipSource], config: DevelopmentConfig, training: TrainingConfig) -> None:
        self.config = config
        self.cases = [
            _draw_case(sources[number % len(sources)], config, training, number) for number in range(config.clips)
        ]

    def measure(self, model: SAM2Flow) -> dict[str, float]:
        """Measure a network on all recordings.

        Parameters
        ----------
        model : SAM2Flow
            Left in the mode (training or evaluation) that it came in.

        Returns
        -------
        dict
            ``epe`` (px) over all pixels of the true vessels and by displacement (``epe_0_1``, ``epe_1_5``,
            ``epe_5_15``, ``epe_15_up``); ``over_1px`` (share); ``velocity_error``, ``velocity_error_p90`` (median
            and 90th percentile over vessels, relative); ``iou_1``, ``iou_3`` (mean IoU of clicks answered as in
            use), ``iou_decoder`` (the decoder alone, one click), ``iou_memory`` (by memory alone);
            ``presence_auroc``, ``presence_auroc_memory``; ``shortfall``, see `shortfall`. What a network has no
            part for is left out.
        """
        device, was_training = next(model.parameters()).device, model.training
        model.eval()
        flow, masks = _FlowFigures(), _MaskFigures()
        try:
            with torch.inference_mode():
                for case in self.cases:
                    clip = case.clip.to(device)
                    if model.config.use_flow:
                        flow.add(*_flow_error(model, clip, case.pair))
                    masks.add(*_answer_clicks(model, clip, case.points.to(device)))
        finally:
            model.train(was_training)
        figures = {**flow.figures(), **masks.figures()}
        return {**figures, "shortfall": shortfall(figures)}


def development_recordings(recipe: TrainingConfig) -> DevelopmentSet:
    """Draw the development recordings of a recipe, from each of its generators in turn.

    Their scenes have a seed that no training run has, or a run would learn what it is judged by.
    """
    names = [name for name, _ in recipe.bank.generators]
    sources = [fresh_scenes(recipe, name, DEVELOPMENT_NAMESPACE) for name in names]
    return DevelopmentSet(sources, recipe.development, recipe)


class Steering:
    """Measures weights on the development recordings of a recipe, which are drawn when they are first needed.

    Parameters
    ----------
    recipe : TrainingConfig
    """

    def __init__(self, recipe: TrainingConfig) -> None:
        self.recipe = recipe
        self._recordings: DevelopmentSet | None = None

    def __call__(self, model: SAM2Flow) -> dict[str, float]:
        """Return the figures of `DevelopmentSet.measure`."""
        if self._recordings is None:
            self._recordings = development_recordings(self.recipe)
        return self._recordings.measure(model)


def shortfall(figures: dict[str, float]) -> float:
    """One number to choose weights by, 0 where everything is right: what is missing to the truth, on average.

    Speeds count alike whatever their size: the error of a displacement is taken relative to it.
    """
    missing = {
        "epe_0_1": 1 / 0.5, "epe_1_5": 1 / 2.5, "epe_5_15": 1 / 9.0, "epe_15_up": 1 / 22.0, "velocity_error": 1.0,
    }  # fmt: skip
    parts = [figures[name] * scale for name, scale in missing.items() if name in figures]
    parts += [1 - figures[name] for name in ("iou_1", "iou_3", "iou_memory", "presence_auroc") if name in figures]
    return float(np.mean(parts)) if parts else float("nan")


def _draw_case(source: ClipSource, config: DevelopmentConfig, training: TrainingConfig, number: int) -> DevelopmentCase:
    stage = StageConfig(
        1.0, ((config.side, 1.0),), 1, False, 0.0, frames=config.frames, scattered_pairs=config.scattered_pairs
    )
    rng = np.random.default_rng([DEVELOPMENT_NAMESPACE, config.seed, number])
    (clip,) = source.draw(ClipOrder(stage, config.side, 1, number, torch.device("cpu")), rng)
    return DevelopmentCase(clip, clip.first, _draw_clicks(clip.masks, config.clicks, rng))


def _draw_clicks(masks: Tensor, count: int, rng: np.random.Generator) -> Tensor:
    """Clicks (V + 1, count, 2) inside each vessel (V, H, W) and, in the last row, on tissue."""
    regions = [mask.numpy() > 0.5 for mask in masks]
    regions.append(~np.any(regions, axis=0))
    rows = [[draw_point(region, rng) or (0.0, 0.0) for _ in range(count)] for region in regions]
    return torch.tensor(rows)


def _flow_error(model: SAM2Flow, clip: TrainingClip, t: int) -> tuple[Tensor, Tensor, Tensor]:
    """Predicted and true flow (P, 2) at the px of all vessels, and the vessel (P,) of each px."""
    net, match = model.flow, model.config.match
    maps = net.feature_encoder(clip.inputs)
    owner = torch.zeros(len(clip.masks), dtype=torch.long, device=maps.device)
    layout = net.lay_out(clip.masks, owner, (maps.shape[-2], maps.shape[-1]))
    features = {k: maps[k : k + 1] for k in range(len(maps))}
    wanted = pairs_around(t, range(len(maps)), match.lags, max(match.windows), causal=False)
    volumes = {(row, k): net.correlation(features, row, k, layout) for row, k in sorted(wanted)}
    cost_volume = net.cost_volume(volumes, t, layout, causal=False)
    context = model.encode(clip.inputs[[t]])[0]
    answer = net(features[t], features[t + 1], cost_volume, context, layout, [[] for _ in clip.masks], t)
    dense = torch.zeros_like(clip.flow[0])
    cells, s = layout.cells, layout.cells.stride
    blocks = dense.unfold(-2, s, s).unfold(-2, s, s)  # a view: what is written to the blocks is written to the px
    blocks[cells.vessel, :, cells.place[:, 0], cells.place[:, 1]] = answer.fine
    vessel, y, x = torch.nonzero(clip.weight[0] > 0.75, as_tuple=True)  # px whose blood stays in sight
    return dense[vessel, :, y, x], clip.flow[0, vessel, :, y, x], vessel


class _FlowFigures:
    """Errors of flow, gathered over recordings."""

    def __init__(self) -> None:
        self.errors: list[Tensor] = []
        self.speeds: list[Tensor] = []
        self.velocities: list[float] = []

    def add(self, predicted: Tensor, true: Tensor, vessel: Tensor) -> None:
        speed = true.norm(dim=1)
        self.errors.append((predicted - true).norm(dim=1).float().cpu())
        self.speeds.append(speed.float().cpu())
        ahead = true / speed[:, None].clamp_min(1e-6)
        for v in vessel.unique():
            mine = vessel == v
            found, wanted = (predicted[mine] * ahead[mine]).sum(1).mean(), speed[mine].mean()
            self.velocities.append(float((found - wanted).abs() / wanted.clamp_min(1e-3)))

    def figures(self) -> dict[str, float]:
        if not self.errors:
            return {}
        error, speed = (torch.cat(x).numpy() for x in (self.errors, self.speeds))
        found = {"epe": float(error.mean()), "over_1px": float((error > 1).mean())}
        for low, high in pairwise(_SPEED_EDGES):
            inside = (speed >= low) & (speed < high)
            if inside.any():
                name = f"epe_{low:.0f}_{'up' if np.isinf(high) else f'{high:.0f}'}"
                found[name] = float(error[inside].mean())
        found["velocity_error"] = float(np.median(self.velocities))
        found["velocity_error_p90"] = float(np.quantile(self.velocities, 0.9))
        return found


@dataclass(frozen=True)
class _Masks:
    """IoU (V,) and presence score (V + 1,) of one way of asking."""

    iou: Tensor
    score: Tensor


def _answer_clicks(model: SAM2Flow, clip: TrainingClip, points: Tensor) -> tuple[dict[str, _Masks], int]:
    """Masks of one click, of all clicks, of the decoder alone, and of memory alone in the last frame."""
    last = len(clip.inputs) - 1
    rows, count = points.shape[0], points.shape[1]
    owner = torch.zeros(rows, dtype=torch.long, device=points.device)
    maps = None
    if model.vessel_field is not None:
        field = VesselField(*(x[0] for x in model.map_vessels(clip.statistics)))
        maps = [FieldMap(field, TracingSettings(), clip.statistics[0, -2:], None, clip.moving[0])]
    if not model.config.mask.decodes:
        return _follow_clicks(model, clip, points, maps), len(clip.masks)
    levels = model.encode(clip.inputs[[0, last]])
    now, then = [x[:1] for x in levels], [x[1:] for x in levels]
    plain = model.condition(now, owner, [[] for _ in range(rows)], 0)

    def ask(clicks: int, along: list[FieldMap] | None) -> VesselMasks:
        labels = torch.full((rows, clicks), POSITIVE, device=points.device)
        prompts = Prompts(points[:, :clicks], labels)
        traced = clicked_masks(model, along, owner, prompts)
        return model.segment(now, owner, plain, prompts, traced=traced)

    one = ask(1, maps)
    answers = {"1": one, str(count): ask(count, maps), "decoder": ask(1, None)}
    found = {name: _Masks(_overlap(m.logits, clip.masks), m.object_score) for name, m in answers.items()}
    if model.matched_memory is not None:
        return {**found, "memory": _matched(model.matched_memory, clip, one.logits)}, len(clip.masks)
    tokens, pointers = model.write_context(now, owner, one)
    banks = [[entry] for entry in context_entries(one, tokens, pointers, 0, prompted=True)]
    nothing = torch.full((rows, 1), PADDING, device=points.device)
    recalled = model.context_memory.prompts(then[2][owner], banks, last)
    prompts = Prompts(torch.zeros_like(points[:, :1]), nothing, recalled)
    memory = model.segment(then, owner, model.condition(then, owner, banks, last), prompts)
    return {**found, "memory": _Masks(_overlap(memory.logits, clip.masks), memory.object_score)}, len(clip.masks)


def _follow_clicks(
    model: SAM2Flow, clip: TrainingClip, points: Tensor, maps: list[FieldMap] | None
) -> dict[str, _Masks]:
    """As `_answer_clicks`, of a network without a decoder: whatever is clicked is there."""
    assert model.matched_memory is not None
    sure, logits = torch.full(points.shape[:1], SURELY_PRESENT, device=points.device), dict[str, Tensor]()
    owner = torch.zeros(len(points), dtype=torch.long)
    for clicks in (1, points.shape[1]):
        labels = torch.full((len(points), clicks), POSITIVE, device=points.device)
        traced = clicked_masks(model, maps, owner, Prompts(points[:, :clicks], labels))
        assert traced is not None
        size = clip.masks.shape[-2:]
        logits[str(clicks)] = F.interpolate(traced.logits[:, None], size, mode="bilinear", align_corners=False)[:, 0]
    found = {name: _Masks(_overlap(mask, clip.masks), sure) for name, mask in logits.items()}
    return {**found, "memory": _matched(model.matched_memory, clip, logits["1"])}


def _matched(memory: MatchedMemory, clip: TrainingClip, logits: Tensor) -> _Masks:
    """What memory by matching makes of masks (V + 1, H, W) of the first frame in the last one.

    The last row is on tissue; that it is not there is asked of it in noise instead of that frame.
    """
    frames = clip.inputs[[0, -1]]
    noise = torch.randn(frames[1:, :1].shape, generator=torch.Generator().manual_seed(0)).to(frames)
    lost = torch.cat([noise * frames[1:, :1].std() + frames[1:, :1].mean(), frames[1:, 1:]], 1)
    image = torch.zeros(len(logits), dtype=torch.long, device=frames.device)
    ones = torch.ones(len(logits), device=frames.device)
    then = memory.view(frames[:1])
    recalled = RememberedFrame(
        then, F.avg_pool2d(torch.sigmoid(logits)[:, None], STRIDE)[:, 0], ones, ones * len(clip.inputs)
    )
    now, gone = (
        memory(view, image, [recalled], [memory.match(view, then)]) for view in map(memory.view, (frames[1:], lost))
    )
    fine = F.interpolate(now.logits[:, None], clip.masks.shape[-2:], mode="bilinear", align_corners=False)[:, 0]
    return _Masks(_overlap(fine, clip.masks), torch.cat([now.present[:-1], gone.present[-1:]]))


def _overlap(logits: Tensor, masks: Tensor) -> Tensor:
    """IoU (V,) of the first V rows of logits with masks (V, H, W)."""
    return mask_iou((logits[: len(masks)] > 0).float(), masks)


class _MaskFigures:
    """IoU and presence, gathered over recordings."""

    def __init__(self) -> None:
        self.ious: dict[str, list[float]] = {}
        self.scores: dict[str, list[tuple[float, bool]]] = {"1": [], "memory": []}

    def add(self, answers: dict[str, _Masks], vessels: int) -> None:
        for name, masks in answers.items():
            self.ious.setdefault(name, []).extend(masks.iou.float().cpu().tolist())
            if name in self.scores:
                scores = masks.score.float().cpu().tolist()
                self.scores[name].extend((score, row < vessels) for row, score in enumerate(scores))

    def figures(self) -> dict[str, float]:
        found = {f"iou_{name}": float(np.mean(values)) for name, values in self.ious.items()}
        found["presence_auroc"] = _auroc(self.scores["1"])
        found["presence_auroc_memory"] = _auroc(self.scores["memory"])
        return found


def _auroc(scores: list[tuple[float, bool]]) -> float:
    """Chance that something present scores higher than something absent (Mann and Whitney, 1947)."""
    value, there = np.array([s for s, _ in scores]), np.array([p for _, p in scores])
    present, absent = int(there.sum()), int((~there).sum())
    if not present or not absent:
        return float("nan")
    ranks = rankdata(value)
    return float((ranks[there].sum() - present * (present + 1) / 2) / (present * absent))
