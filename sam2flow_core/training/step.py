"""One clip through the network: prompts, masks, memories, flow, and the loss of it all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from sam2flow_core.config.training import StageConfig, TrainingConfig
from sam2flow_core.model.evidence import pairs_around
from sam2flow_core.model.flow_net import Ground
from sam2flow_core.model.memory_bank import MemoryEntry
from sam2flow_core.model.memory_entries import context_entries
from sam2flow_core.model.sam2flow import Prompts, SAM2Flow, VesselMasks
from sam2flow_core.model.tracing import FieldMap
from sam2flow_core.model.vessel_field import VesselField
from sam2flow_core.training.clicks import corrective_clicks, roughen
from sam2flow_core.training.clips import TrainingClip
from sam2flow_core.training.field_truth import field_loss
from sam2flow_core.training.following import Following
from sam2flow_core.training.losses import flow_loss, mask_loss
from sam2flow_core.training.prompting import draw_first_prompts


class TrainingStep(nn.Module):
    """The network with its losses, as one module, so that an engine can distribute it."""

    def __init__(self, model: SAM2Flow, config: TrainingConfig) -> None:
        super().__init__()
        self.model, self.config = model, config

    def forward(
        self, clip: TrainingClip, stage: StageConfig, rng: np.random.Generator
    ) -> tuple[Tensor, dict[str, float]]:
        """Loss of a clip, and figures to log."""
        if stage.parts == "memory":
            loss, figures = Following(self.model, clip, self.config, rng).run()
            return loss, {**figures, "loss": float(loss.detach())}
        first, pairs = clip.first, clip.pairs
        total, figures = clip.inputs.new_zeros(()), dict[str, float]()
        seen = roughen(clip.masks, rng)
        height, width = clip.inputs.shape[-2:]
        context = clip.inputs.new_zeros(1, self.model.config.mask.d_model, height // 4, width // 4)
        if stage.parts == "field":
            loss, figures, _ = self._field(clip)
            return loss, figures
        if stage.context:
            with torch.no_grad():
                context = self.model.encode(clip.inputs[[first]])[0]
        if stage.parts != "flow":
            loss, figures, predicted, context = self._masks(clip, first, rng)
            total = total + self.config.mask_weight * loss
            if rng.random() < stage.predicted_masks:
                seen = torch.where(_agree(predicted, clip.masks)[:, None, None] > 0.5, predicted, seen)
        if stage.parts != "masks":
            few = max(1, self.config.most_flow_pixels // seen[0].numel())
            clip = replace(clip, masks=clip.masks[:few], flow=clip.flow[:, :few], weight=clip.weight[:, :few])
            loss, flow_figures = self._flow(clip, seen[:few], context, pairs, stage.learn_features)
            total, figures = total + loss, {**figures, **flow_figures}
        return total, {**figures, "loss": float(total.detach())}

    def _masks(
        self, clip: TrainingClip, frame: int, rng: np.random.Generator
    ) -> tuple[Tensor, dict[str, float], Tensor, Tensor]:
        """Click, correct, remember, and find the vessels again in a later frame from memory alone."""
        model, count = self.model, clip.masks.shape[0]
        later = clip.inputs.shape[0] - 1
        levels = model.encode(clip.inputs[[frame, later]])
        now = [x[:1] for x in levels]
        truth = torch.cat([clip.masks, torch.zeros_like(clip.masks[:1])])
        present = truth.flatten(1).any(1)
        owner = torch.zeros(count + 1, dtype=torch.long, device=truth.device)
        origin = torch.from_numpy(rng.uniform(0, 600, 2).astype(np.float32)).to(truth)
        embedded = model.condition(now, owner, [[] for _ in range(count + 1)], frame)
        field_error, field_figures, maps = self._field(clip)
        prompted = draw_first_prompts(model, clip.masks, self.config, rng)
        first = model.segment(now, owner, embedded, prompted.prompts, origin, maps)
        loss = mask_loss(first.decoded, truth, present, prompted.ambiguous, self.config.region_loss)
        points, labels = prompted.prompts.points, prompted.prompts.labels
        guess = first
        for _ in range(2):
            more, kinds = corrective_clicks(truth, guess.logits.detach() > 0, rng)
            points, labels = torch.cat([points, more.to(points)], 1), torch.cat([labels, kinds.to(labels)], 1)
            # Half of the time the mask so far is given back as a prompt, as the predictor does.
            logits = nn.functional.avg_pool2d(guess.logits.detach()[:, None], 4) if rng.random() < 0.5 else None
            guess = model.segment(now, owner, embedded, Prompts(points, labels, logits), origin, maps)
            loss = loss + mask_loss(guess.decoded, truth, present, False, self.config.region_loss)
        again = self._find_again(levels, now, owner, guess, frame, later, origin)
        loss = loss + mask_loss(again.decoded, truth, present, False, self.config.region_loss)
        figures = {"iou_1": _iou(first, clip), "iou_3": _iou(guess, clip), "iou_memory": _iou(again, clip)}
        return loss / 4 + field_error, {**figures, **field_figures}, (guess.logits[:count].detach() > 0).float(), now[0]

    def _field(self, clip: TrainingClip) -> tuple[Tensor, dict[str, float], list[FieldMap] | None]:
        """Loss of the vessel field, figures, and the field as clicks are followed along it."""
        if self.model.vessel_field is None:
            return clip.inputs.new_zeros(()), {}, None
        field = self.model.map_vessels(clip.survey)
        loss, figures = field_loss(field, VesselField(*(x[None] for x in clip.field)))
        return loss, figures, [FieldMap(VesselField(*(x[0].detach() for x in field)))]

    def _find_again(
        self,
        levels: list[Tensor],
        now: list[Tensor],
        owner: Tensor,
        masks: VesselMasks,
        frame: int,
        later: int,
        origin: Tensor,
    ) -> VesselMasks:
        model = self.model
        tokens, pointers = model.remember_context(now, owner, masks)
        banks = [[entry] for entry in context_entries(masks, tokens, pointers, frame, prompted=True)]
        then = [x[1:] for x in levels]
        embedded = model.condition(then, owner, banks, later)
        recalled = model.context_memory.prompts(then[2][owner], banks, later)
        nothing = torch.full((owner.shape[0], 1), -1, dtype=torch.long, device=owner.device)
        empty = torch.zeros(owner.shape[0], 1, 2, device=owner.device)
        return model.segment(then, owner, embedded, Prompts(empty, nothing, recalled), origin)

    def _flow(
        self, clip: TrainingClip, masks: Tensor, context: Tensor, pairs: list[int], learn_features: bool
    ) -> tuple[Tensor, dict[str, float]]:
        net, config = self.model.flow, self.config
        with torch.set_grad_enabled(learn_features and torch.is_grad_enabled()):
            maps = net.feature_encoder(clip.inputs)
            features = {t: maps[t : t + 1] for t in range(clip.inputs.shape[0])}
            owner = torch.zeros(masks.shape[0], dtype=torch.long, device=masks.device)
            ground = net.lay_ground(masks, owner, maps.shape[-2:])
            if not ground.sites.count:
                return maps.new_zeros(()), {}
            volumes = self._volumes(features, ground, pairs)
        banks: list[list[MemoryEntry]] = [[] for _ in range(masks.shape[0])]
        total, sums = maps.new_zeros(()), dict[str, float]()
        for number, t in enumerate(pairs):
            evidence = net.evidence(volumes, t, ground, causal=False)
            answer = net(features[t], features[t + 1], evidence, context, ground, banks, t)
            loss, figures = flow_loss(
                answer, clip.flow[number], clip.weight[number], ground,
                config.iteration_discount, config.bins_weight, config.fine_weight,
            )  # fmt: skip
            total = total + loss / len(pairs)
            sums = {k: sums.get(k, 0.0) + v / len(pairs) for k, v in figures.items()}
            written = net.motion_memory.write(answer.hidden, answer.flows[-1], ground.sites, masks.shape[0])
            for bank, (tokens, places) in zip(banks, written, strict=True):
                bank.append(MemoryEntry(t, False, 1.0, tokens, places))
        return total, sums

    def _volumes(self, features: dict[int, Tensor], ground: Ground, pairs: list[int]) -> dict[tuple[int, int], Tensor]:
        """Correlations of all pairs of frames that the answers look at."""
        net, match = self.model.flow, self.model.config.match
        frames = range(len(features))
        wanted = set[tuple[int, int]]().union(
            *(pairs_around(t, frames, match.lags, max(match.windows), causal=False) for t in pairs)
        )
        return {(row, k): net.correlation(features, row, k, ground) for row, k in sorted(wanted)}


def _agree(guess: Tensor, truth: Tensor) -> Tensor:
    """IoU (V,) of masks (V, H, W)."""
    return (guess * truth).sum((1, 2)) / torch.maximum(guess, truth).sum((1, 2)).clamp_min(1)


def _iou(masks: VesselMasks, clip: TrainingClip) -> float:
    guess = (masks.logits[: clip.masks.shape[0]].detach() > 0).float()
    return float(_agree(guess, clip.masks).mean())
