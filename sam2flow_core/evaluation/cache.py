"""Comparisons kept on disk, so that a benchmark that was stopped goes on and a new row costs only itself."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sam2flow_core.evaluation.comparison import Comparison
from sam2flow_core.evaluation.entrants import Entrant


@dataclass(frozen=True)
class ComparisonCache:
    """One file for each entrant, case and choice of pairs.

    Attributes
    ----------
    folder : Path or None
        Nothing is kept where it is None.
    """

    folder: Path | None

    def find(self, entrant: Entrant, case: str, pairs: Sequence[int]) -> Comparison | None:
        """Return the kept comparison, or None."""
        path = self._path(entrant, case, pairs)
        return Comparison.load(path) if path is not None and path.exists() else None

    def keep(self, entrant: Entrant, case: str, pairs: Sequence[int], comparison: Comparison) -> None:
        """Keep a comparison."""
        path = self._path(entrant, case, pairs)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            comparison.save(path)

    def _path(self, entrant: Entrant, case: str, pairs: Sequence[int]) -> Path | None:
        if self.folder is None:
            return None
        key = hashlib.sha256(repr((entrant.fingerprint, case, tuple(pairs))).encode()).hexdigest()[:20]
        return self.folder / f"{key}.npz"
