"""Results kept on disk, so that a benchmark that was stopped goes on and a new row costs only itself."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sam2flow_core.evaluation.comparison import Comparison
from sam2flow_core.spreadsheets import read_csv, write_csv


@dataclass(frozen=True)
class ResultCache:
    """One file for each result, found by everything it depends on.

    Attributes
    ----------
    folder : Path
    """

    folder: Path

    def find_comparison(self, *key: object) -> Comparison | None:
        """Return a kept comparison, or None."""
        path = self._path(key, ".npz")
        return Comparison.load(path) if path.exists() else None

    def keep_comparison(self, comparison: Comparison, *key: object) -> None:
        """Keep a comparison."""
        comparison.save(self._path(key, ".npz"))

    def find_table(self, *key: object) -> pd.DataFrame | None:
        """Return a kept table, or None."""
        path = self._path(key, ".csv")
        return read_csv(path) if path.exists() else None

    def keep_table(self, table: pd.DataFrame, *key: object) -> None:
        """Keep a table with at least one column."""
        path = self._path(key, ".csv")
        write_csv(path, table)

    def _path(self, key: tuple[object, ...], suffix: str) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / (hashlib.sha256(repr(key).encode()).hexdigest()[:20] + suffix)


@contextmanager
def kept_results(folder: Path | None) -> Iterator[ResultCache]:
    """Results kept in the user's folder, or in one that is gone afterwards."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield ResultCache(folder)
        return
    with tempfile.TemporaryDirectory(prefix="sam2flow-") as passing:
        yield ResultCache(Path(passing))
