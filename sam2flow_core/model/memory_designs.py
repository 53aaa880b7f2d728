"""Designs of the context memory: what is written, and how it is read. One class each, chosen by `MemoryConfig`.

Reference: Ravi et al., SAM 2, 2024.

A mask that is doubtful, of an object that may be gone, or not where the object's
motion leads, is not remembered; of what is, the best is read. No weights beside
the shared ones.

One attention over everything follows the last frame, with its mistakes. Here the
short bank says what the vessel looks like now; the long one, thinned evenly over
the past, what it has always looked like.

Three parts for one upgrade of an image network to videos (Mei et al., 2025): a
temporal integrator looks at the features of the frames before; of the frames
remembered, those most like the present one are read; and what they say of the
vessel is also given to the decoder as a prompt, here a mask. The same as it was
published: frames are drawn by how like they are, from those near and those far, and
what they say inside their masks becomes prompt tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sam2flow_core.config.model import MaskConfig, MemoryConfig
from sam2flow_core.errors import ModelError
from sam2flow_core.model.layers import MLP, Attention, ChannelNorm, axial_rotations, begin_at_zero
from sam2flow_core.model.memory_bank import (
    Box,
    MemoryAttention,
    MemoryEntry,
    MemoryTokens,
    SharedMemory,
    WritingRule,
    keep_recent,
    with_new,
)

_SHARPNESS = 4.0
"""How far likeness, -1 to 1, tells one memory from another."""


class RecentMemory(nn.Module):
    """A design answers four questions; this one as SAM 2 does. It has no weights beside the shared ones.

    Parameters
    ----------
    config : MaskConfig
    """

    looked_up_by_frame = True
    """SAM 2 looks for memories by the number of the frame, whichever way through the video it goes; designs that
    choose what they write have a bank for each way through."""

    chooses = False
    """Whether what is written or read depends on what a vessel looks like, not on frame numbers alone. Vessels of a
    design that does not choose can keep one bank together, a row for each."""

    def __init__(self, config: MaskConfig) -> None:
        super().__init__()
        self.recent = config.memory_frames

    def write(self, image: Tensor, tokens: Tensor) -> Tensor:
        """Return all tokens (V, K, memory_dim) to remember of a frame.

        Parameters
        ----------
        image : Tensor (V, dim, h, w)
        tokens : Tensor (V, h w, memory_dim)
            From the memory encoder; they come first.
        """
        return tokens

    def rule(self, least_quality: float) -> WritingRule:
        """Return what decides which entries a bank holds; it must bound the unprompted ones."""
        return keep_recent(self.recent, least_quality)

    def read(self, memory: SharedMemory, image: Tensor, entries: list[MemoryEntry], frame: int) -> Tensor:
        """Image features (1, dim, h, w) conditioned on a vessel's entries.

        Parameters
        ----------
        memory : SharedMemory
            The shared layers.
        image : Tensor (1, dim, h, w)
        entries : list of MemoryEntry
            Prompted ones first.
        frame : int
            The frame that reads.
        """
        return memory.attend(image, memory.gather(entries, frame))

    def prompt(self, memory: SharedMemory, image: Tensor, entries: list[MemoryEntry], frame: int) -> Tensor | None:
        """Mask logits (1, 1, 4 h, 4 w) as a prompt for the decoder, if the design gives one; parameters of `read`."""
        return None

    def tokens(self, memory: SharedMemory, image: Tensor, entries: list[MemoryEntry], frame: int) -> Tensor | None:
        """Tokens (V, K, dim) as prompts for the decoder, if the design gives any; parameters of `read`."""
        return None

    def choose(
        self, entries: list[MemoryEntry], frame: int, likeness: Callable[[MemoryEntry], float]
    ) -> list[MemoryEntry]:
        """Entries that memory by matching looks at, prompted ones first; all that the rule keeps.

        Parameters
        ----------
        entries : list of MemoryEntry
            Prompted ones first.
        frame : int
            The frame that reads.
        likeness : callable
            How well an entry's surroundings of the vessel are found again in it, -1 to 1.
        """
        return entries


def predict_box(entries: Sequence[MemoryEntry], frame: int, settings: MemoryConfig) -> Box | None:
    """Box that entries, in the order they were written, predict for a frame; None where none of them has one.

    Centre and size move independently of each other, so one covariance of place and velocity serves all four.

    References
    ----------
    .. [1] R. E. Kalman, "A New Approach to Linear Filtering and Prediction Problems", Journal of Basic Engineering
       82(1), 35-45, 1960, :doi:`10.1115/1.3662552`.
    .. [2] C.-Y. Yang et al., "SAMURAI: Adapting Segment Anything Model for Zero-Shot Visual Tracking with Motion-Aware
       Memory", 2024, :doi:`10.48550/arXiv.2411.11922`.
    """
    seen = [(e.frame, _centre_and_size(e.box)) for e in entries if e.box is not None]
    if not seen:
        return None
    before, first = seen[0]
    state = torch.stack([first, torch.zeros_like(first)])
    noise, push = settings.seen_noise, settings.push
    spread = torch.diag(torch.tensor([noise**2, (10 * push) ** 2], dtype=torch.double))
    for time, measured in seen[1:]:
        state, spread = _advance(state, spread, abs(time - before), push)
        gain = spread[:, 0] / (spread[0, 0] + noise**2)
        state = state + gain[:, None] * (measured - state[0])
        spread = spread - torch.outer(gain, spread[0])
        before = time
    x, y, width, height = _advance(state, spread, abs(frame - before), push)[0][0].tolist()
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def box_iou(a: Box, b: Box) -> float:
    """IoU of two boxes.

    Examples
    --------
    >>> box_iou((0.0, 0.0, 9.0, 9.0), (0.0, 0.0, 9.0, 9.0))
    1.0
    """
    width, height = (min(a[k + 2], b[k + 2]) - max(a[k], b[k]) + 1 for k in (0, 1))
    shared = max(width, 0.0) * max(height, 0.0)
    areas = [(box[2] - box[0] + 1) * (box[3] - box[1] + 1) for box in (a, b)]
    return shared / max(sum(areas) - shared, 1e-9)


def _centre_and_size(box: Box) -> Tensor:
    x0, y0, x1, y1 = box
    return torch.tensor([(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0], dtype=torch.double)


def _advance(state: Tensor, spread: Tensor, frames: int, push: float) -> tuple[Tensor, Tensor]:
    """Mean (2, 4) and covariance (2, 2) of place and velocity some frames later."""
    step = torch.tensor([[1.0, frames], [0.0, 1.0]], dtype=torch.double)
    return step @ state, step @ spread @ step.T + torch.diag(torch.tensor([0.0, frames * push**2], dtype=torch.double))


class GatedMemory(RecentMemory):
    """Affinity, presence and motion decide what is written, affinity and presence together what is read."""

    looked_up_by_frame = False
    chooses = True

    def __init__(self, config: MaskConfig) -> None:
        super().__init__(config)
        self.gates = config.memory

    def rule(self, least_quality: float) -> WritingRule:
        """Let through what passes all three gates."""
        keep = keep_recent(self.gates.gated_pool, least_quality)

        def gated(entries: list[MemoryEntry], new: MemoryEntry) -> list[MemoryEntry]:
            return keep(entries, new) if new.prompted or self._passes(entries, new) else entries

        return gated

    def read(self, memory: SharedMemory, image: Tensor, entries: list[MemoryEntry], frame: int) -> Tensor:
        """Read the prompted entries and the best of the others; see `RecentMemory.read`."""
        return memory.attend(image, memory.gather(self._best(entries, frame), frame))

    def choose(
        self, entries: list[MemoryEntry], frame: int, likeness: Callable[[MemoryEntry], float]
    ) -> list[MemoryEntry]:
        """The same entries that `read` reads; see `RecentMemory.choose`."""
        return self._best(entries, frame)

    def _best(self, entries: list[MemoryEntry], frame: int) -> list[MemoryEntry]:
        unprompted = [e for e in entries if not e.prompted]
        best = sorted(unprompted, key=lambda e: (-e.affinity * e.presence, abs(frame - e.frame)))[: self.recent]
        return [e for e in entries if e.prompted or any(e is b for b in best)]

    def _passes(self, entries: list[MemoryEntry], new: MemoryEntry) -> bool:
        gates = self.gates
        if new.box is None or new.affinity < gates.least_affinity or new.presence < gates.least_presence:
            return False
        expected = predict_box(entries, new.frame, gates)
        return expected is None or box_iou(expected, new.box) >= gates.least_motion


class ShortLongMemory(RecentMemory):
    """The shared attention reads the short bank, another the long one; a convolution joins what they say."""

    looked_up_by_frame = False

    def __init__(self, config: MaskConfig) -> None:
        super().__init__(config)
        self.short, self.long = config.memory.short_frames, config.memory.long_frames
        self.attention = MemoryAttention(config.d_model, config.memory_dim, config.memory_mlp_dim, config.memory_layers)
        self.join = nn.Conv2d(2 * config.d_model, config.d_model, 1)
        begin_at_zero(self.join)

    def rule(self, least_quality: float) -> WritingRule:
        """Keep the latest entries, and of the older ones some, as evenly spaced as may be."""

        def keep(entries: list[MemoryEntry], new: MemoryEntry) -> list[MemoryEntry]:
            if not new.prompted and new.quality < least_quality:
                return entries
            entries = with_new(entries, new)
            unprompted = [e for e in entries if not e.prompted]
            if len(unprompted) <= self.short + self.long:
                return entries
            dropped = _most_crowded(unprompted[: len(unprompted) - self.short])
            return [e for e in entries if e is not dropped]

        return keep

    def read(self, memory: SharedMemory, image: Tensor, entries: list[MemoryEntry], frame: int) -> Tensor:
        """Read both banks; see `RecentMemory.read`. Prompted frames are in the long one."""
        if not entries:
            return memory.attend(image, memory.gather([], frame))
        by_age = sorted(entries, key=lambda e: abs(frame - e.frame))
        unprompted = [e for e in by_age if not e.prompted]
        # Before anything was followed, the prompted frame is all there is to say how the vessel looks now.
        short = unprompted[: self.short] or by_age[:1]
        long = [e for e in entries if e.prompted] + unprompted[self.short :]
        now = memory.attend(image, memory.gather(short[::-1], frame))
        always = memory.attend(image, memory.gather(long, frame), self.attention) if long else now
        result: Tensor = now + self.join(torch.cat([now, always], 1))
        return result


def _most_crowded(entries: list[MemoryEntry]) -> MemoryEntry:
    """The entry whose neighbours in time are closest to each other; the oldest has none before it and stays."""
    if len(entries) < 3:
        return entries[-1]
    gaps = [abs(after.frame - before.frame) for before, after in zip(entries, entries[2:], strict=False)]
    return entries[1 + gaps.index(min(gaps))]


class TemporalIntegrator(nn.Module):
    """What the frames before show, added to the features of the present one."""

    def __init__(self, dim: int, memory_dim: int, frames: int) -> None:
        super().__init__()
        self.mix = nn.Conv3d(memory_dim, memory_dim, (frames + 1, 3, 3), padding=(0, 1, 1))
        self.norm = ChannelNorm(memory_dim)
        self.out = nn.Conv2d(memory_dim, dim, 1)
        begin_at_zero(self.out)

    def forward(self, image: Tensor, views: list[Tensor]) -> Tensor:
        """Features (1, dim, h, w) from them and the narrow views (1, memory_dim, h, w), the present one last."""
        result: Tensor = image + self.out(F.gelu(self.norm(self.mix(torch.stack(views, 2))[:, :, 0])))
        return result


class MaskPrompter(nn.Module):
    """Mask logits that memory gives as a prompt."""

    def __init__(self, dim: int, memory_dim: int) -> None:
        super().__init__()
        self.attention = Attention(dim, 1, key_dim=memory_dim)
        self.norm = nn.LayerNorm(dim)
        self.up = nn.Sequential(
            nn.ConvTranspose2d(dim, memory_dim, 2, stride=2), ChannelNorm(memory_dim), nn.GELU(),
            nn.ConvTranspose2d(memory_dim, 1, 2, stride=2),
        )  # fmt: skip

    def forward(self, image: Tensor, tokens: list[Tensor]) -> Tensor:
        """Logits (1, 1, 4 h, 4 w) from features (1, dim, h, w) and memory tokens (1, h w, memory_dim)."""
        h, w = image.shape[-2:]
        keys, turns = torch.cat(tokens, 1), axial_rotations(h, w, image.shape[1]).to(image.device)
        seen = self.attention(
            image.flatten(2).transpose(1, 2), keys, keys, rotate_q=turns, rotate_k=turns.repeat(len(tokens), 1)
        )
        result: Tensor = self.up(self.norm(seen).transpose(1, 2).unflatten(2, (h, w)))
        return result


class RelevantMemory(RecentMemory):
    """Beside its memory, each entry carries a narrow view of its frame, to be integrated and to be compared by."""

    looked_up_by_frame = False
    chooses = True

    def __init__(self, config: MaskConfig) -> None:
        super().__init__(config)
        self.pool, self.chosen, self.integrated = (
            config.memory.pool_frames, config.memory.relevant_frames, config.memory.integrated_frames,
        )  # fmt: skip
        self.view = nn.Conv2d(config.d_model, config.memory_dim, 1)
        self.integrator = TemporalIntegrator(config.d_model, config.memory_dim, self.integrated)
        self.prompter = MaskPrompter(config.d_model, config.memory_dim)

    def write(self, image: Tensor, tokens: Tensor) -> Tensor:
        """Put the view (V, h w, memory_dim) of each frame after its memory."""
        return torch.cat([tokens, self.view(image).flatten(2).transpose(1, 2)], 1)

    def rule(self, least_quality: float) -> WritingRule:
        """Keep a larger pool than is read."""
        return keep_recent(self.pool, least_quality)

    def read(self, memory: SharedMemory, image: Tensor, entries: list[MemoryEntry], frame: int) -> Tensor:
        """Integrate the latest frames, then read the most relevant entries; see `RecentMemory.read`."""
        tokens, chosen = self._filter(image, entries)
        gathered = memory.gather(chosen, frame)._replace(tokens=tuple(tokens))
        return memory.attend(self._integrate(image, entries, frame), gathered)

    def prompt(self, memory: SharedMemory, image: Tensor, entries: list[MemoryEntry], frame: int) -> Tensor | None:
        """Turn the most relevant entries into a mask prompt; None while there are none."""
        return self.prompter(image, self._filter(image, entries)[0]) if entries else None

    def choose(
        self, entries: list[MemoryEntry], frame: int, likeness: Callable[[MemoryEntry], float]
    ) -> list[MemoryEntry]:
        """The entries that match best, the latest prompted one always among them; see `RecentMemory.choose`."""
        sure = max((i for i, e in enumerate(entries) if e.prompted), default=None)
        order = sorted(range(len(entries)), key=lambda i: (i != sure, -likeness(entries[i])))[: self.chosen]
        return [entries[i] for i in sorted(order)]

    def _integrate(self, image: Tensor, entries: list[MemoryEntry], frame: int) -> Tensor:
        now = self.view(image)
        latest = sorted(entries, key=lambda e: abs(frame - e.frame))[: self.integrated]
        before = [_halves(e)[1].transpose(1, 2).unflatten(2, image.shape[-2:]) for e in reversed(latest)]
        # Where there are fewer frames before, nothing is known to have changed.
        result: Tensor = self.integrator(image, [now] * (self.integrated - len(before)) + before + [now])
        return result

    def _filter(self, image: Tensor, entries: list[MemoryEntry]) -> tuple[list[Tensor], list[MemoryEntry]]:
        """Memory tokens of the entries most like the image, weighted by how like they are, and these entries.

        The latest prompted entry is always among them: it is what the user said.
        """
        if len(entries) == 0:
            return [], []
        halves = [_halves(e) for e in entries]
        now = self.view(image).flatten(2).transpose(1, 2)
        likeness = torch.cat([F.cosine_similarity(now.flatten(1), view.flatten(1)) for _, view in halves])
        sure = max((i for i, e in enumerate(entries) if e.prompted), default=None)
        like = likeness.detach().tolist()
        order = sorted(range(len(entries)), key=lambda i: (i != sure, -like[i]))[: self.chosen]
        order.sort()
        share = torch.softmax(_SHARPNESS * likeness[order], 0) * len(order)
        return [halves[i][0] * share[k] for k, i in enumerate(order)], [entries[i] for i in order]


def _halves(entry: MemoryEntry) -> tuple[Tensor, Tensor]:
    """Memory and view of an entry, each (1, h w, memory_dim)."""
    memory, view = entry.tokens.chunk(2, 1)
    return memory, view


class MemoryPromptGenerator(nn.Module):
    """Prompt tokens of what is remembered inside the masks."""

    def __init__(self, dim: int, memory_dim: int, count: int) -> None:
        super().__init__()
        self.count = count
        self.queries = nn.Embedding(count, dim)
        self.without_memory = nn.Embedding(1, dim)
        self.cross_norm, self.cross_attn = nn.LayerNorm(dim), Attention(dim, 1, key_dim=memory_dim)
        self.self_norm, self.self_attn = nn.LayerNorm(dim), Attention(dim, 1)
        self.mlp_norm, self.mlp = nn.LayerNorm(dim), MLP((dim, dim, dim))

    def forward(self, keys: Tensor, keys_pe: Tensor, turns: Tensor, inside: Tensor) -> Tensor:
        """Tokens (V, count, dim).

        Parameters
        ----------
        keys, keys_pe : Tensor (V, K, memory_dim)
            From `SharedMemory.keys`.
        turns : complex Tensor (K', dim / 2)
            Rotary positions of the first K' keys.
        inside : BoolTensor (V, K)
            Keys that are looked at.
        """
        x = self.queries.weight.expand(len(keys), -1, -1)
        own = axial_rotations(1, self.count, x.shape[-1]).to(x.device)
        seen = self.cross_attn(
            self.cross_norm(x), keys + keys_pe, keys, mask=inside[:, None, None], rotate_q=own, rotate_k=turns
        )
        x = x + seen
        y = self.self_norm(x)
        x = x + self.self_attn(y, y, y, rotate_q=own, rotate_k=own)
        result: Tensor = x + self.mlp(self.mlp_norm(x))
        return result


class AssociatedMemory(RecentMemory):
    """As SAM-I2V was published: it learns from the latest frames, as SAM 2, and draws from all when it is used.

    Frames are looked up by their number, so that the draw is always among those that lie before the present one.
    """

    def __init__(self, config: MaskConfig) -> None:
        super().__init__(config)
        self.numbers = config.memory
        self.generator = MemoryPromptGenerator(config.d_model, config.memory_dim, config.memory.prompt_tokens)

    def associate(
        self,
        memory: SharedMemory,
        image: Tensor,
        entries: list[MemoryEntry],
        frame: int,
        first: int,
        draws: torch.Generator,
    ) -> MemoryTokens:
        """Draw what is read in a frame: some of the frames near it, and some of those further away.

        Parameters
        ----------
        memory : SharedMemory
        image : Tensor (1, dim, h, w)
        entries : list of MemoryEntry
            All prompted ones, and of the others those that were passed on the way to this frame, with their views.
        frame : int
            The frame that reads.
        first : int
            Where the way begins: the first frame of the video, or the last when going back in time.
        draws : torch.Generator
            On the processor.
        """
        n = self.numbers
        prompted = [e for e in entries if e.prompted]
        others = sorted((e for e in entries if not e.prompted), key=lambda e: -abs(frame - e.frame))
        near = [e for e in others if abs(frame - e.frame) <= n.near_pool]
        far = [e for e in others if n.near_pool < abs(frame - e.frame) <= n.near_pool + n.far_pool]
        far, near = self._draw(image, far, n.far_frames, draws), self._draw(image, near, n.near_frames, draws)
        # Each drawn frame has its place in time among as many as are drawn where the video is long enough.
        placed = [*enumerate(far, 1), *enumerate(near, n.far_frames + 1)]
        length = min(abs(frame - first) - 1, n.far_frames + n.near_frames)
        filling = prompted[:1] * max(length - len(placed), 0)
        masks = [(0, e) for e in filling + prompted] + placed
        past = [e for e in prompted if abs(frame - first) >= abs(e.frame - first)]
        pointers = [(length + 1, e) for e in past] + [(length + 1 - place, e) for place, e in placed]
        pointers = pointers[:1] * (len(masks) - len(pointers)) + pointers
        return MemoryTokens(
            tokens=tuple(e.tokens for _, e in masks),
            slots=tuple(memory.slots - 1 - place for place, _ in masks),
            pointers=tuple(e.pointer for _, e in pointers),
            ages=tuple(age / max(length + 1, 1) for age, _ in pointers),
            inside=tuple(e.inside for _, e in masks),
        )

    def tokens(self, memory: SharedMemory, image: Tensor, entries: list[MemoryEntry], frame: int) -> Tensor:
        """Prompt tokens (V, count, dim) of entries, or those that say there are none; parameters of `read`."""
        return self.tokens_of(memory, image, memory.gather(entries, frame))

    def tokens_of(self, memory: SharedMemory, image: Tensor, gathered: MemoryTokens) -> Tensor:
        """Prompt tokens (V, count, dim) of what is recalled."""
        if not gathered.tokens:
            return self.generator.without_memory.weight.expand(len(image), self.generator.count, -1)
        h, w = image.shape[-2:]
        keys, keys_pe = memory.keys(image, gathered)
        turns = axial_rotations(h, w, image.shape[1]).to(image.device).repeat(len(gathered.slots), 1)
        inside = torch.ones(keys.shape[:2], dtype=torch.bool, device=keys.device)
        for place, cells in enumerate(gathered.inside):
            if cells is not None:
                inside[:, place * h * w : (place + 1) * h * w] = cells
        result: Tensor = self.generator(keys, keys_pe, turns, inside)
        return result

    def _draw(self, image: Tensor, entries: list[MemoryEntry], count: int, draws: torch.Generator) -> list[MemoryEntry]:
        """Some of the entries, in their order, the likelier the more their views look like the image."""
        if not entries:
            return []
        views = torch.stack([e.view.flatten() for e in entries if e.view is not None])
        likeness = F.normalize(views, dim=1) @ F.normalize(image.flatten(), dim=0)
        drawn = torch.multinomial(likeness.softmax(0).cpu(), min(len(entries), count), generator=draws)
        return [entries[i] for i in sorted(drawn.tolist())]


def cells_inside(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """Cells (V, h w) that lie in masks, of logits (V, 1, H, W)."""
    chance = F.interpolate(torch.sigmoid(logits), size, mode="bilinear", align_corners=False)
    return chance.flatten(1) >= 0.5


MEMORY_DESIGNS: dict[str, type[RecentMemory]] = {
    "recent": RecentMemory,
    "short-long": ShortLongMemory,
    "relevant": RelevantMemory,
    "gated": GatedMemory,
    "associated": AssociatedMemory,
}


def build_design(config: MaskConfig) -> RecentMemory:
    """Design that a configuration names; raises `ModelError` for an unknown one."""
    name = config.memory.design
    if name not in MEMORY_DESIGNS:
        raise ModelError(f"no memory design '{name}'; there are {', '.join(MEMORY_DESIGNS)}")
    return MEMORY_DESIGNS[name](config)
