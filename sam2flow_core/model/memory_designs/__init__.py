"""Designs of the context memory: what is written, and how it is read. One file each, chosen by `MemoryConfig`."""

from __future__ import annotations

from sam2flow_core.config.model import MaskConfig
from sam2flow_core.errors import ModelError
from sam2flow_core.model.memory_designs.gated import GatedMemory
from sam2flow_core.model.memory_designs.recent import RecentMemory
from sam2flow_core.model.memory_designs.relevant import RelevantMemory
from sam2flow_core.model.memory_designs.short_long import ShortLongMemory

MEMORY_DESIGNS: dict[str, type[RecentMemory]] = {
    "recent": RecentMemory,
    "short-long": ShortLongMemory,
    "relevant": RelevantMemory,
    "gated": GatedMemory,
}


def build_design(config: MaskConfig) -> RecentMemory:
    """Design that a configuration names; raises `ModelError` for an unknown one."""
    name = config.memory.design
    if name not in MEMORY_DESIGNS:
        raise ModelError(f"no memory design '{name}'; there are {', '.join(MEMORY_DESIGNS)}")
    return MEMORY_DESIGNS[name](config)


__all__ = ["MEMORY_DESIGNS", "RecentMemory", "build_design"]
