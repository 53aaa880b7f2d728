"""The benchmark run: every method on every case, and the results that are kept between runs."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from sam2flow_core.config.evaluation import EvaluationSettings
from sam2flow_core.evaluation.case_sources import LazyCase
from sam2flow_core.evaluation.cases import Case
from sam2flow_core.evaluation.flow_comparison import ALL, Comparison, choose_pairs, figures, pool
from sam2flow_core.evaluation.methods import Method
from sam2flow_core.files import output_errors
from sam2flow_core.spreadsheets import read_csv, write_csv

Report = Callable[[str], None]


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
        with output_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        yield ResultCache(folder)
        return
    with tempfile.TemporaryDirectory(prefix="sam2flow-") as passing:
        yield ResultCache(Path(passing))


@dataclass(frozen=True)
class Score:
    """Figures of the vessels or of the recording that are collected case by case.

    Attributes
    ----------
    name : str
    fingerprint : str
        As that of a `Method`.
    measure : callable
        From a case to a table.
    """

    name: str
    fingerprint: str
    measure: Callable[[Case], pd.DataFrame]


@dataclass(frozen=True)
class Ranking:
    """How the methods did in a benchmark run.

    Attributes
    ----------
    pooled : DataFrame
        As from `figures`, all methods below each other, in their order; all cases pooled.
    by_case : DataFrame
        The row ``all`` of every method and case, with a column ``case``.
    scores : mapping of str to DataFrame
        What each score found, all cases below each other.
    pairs : int
        Pairs that were compared in all.
    """

    pooled: pd.DataFrame
    by_case: pd.DataFrame
    scores: Mapping[str, pd.DataFrame]
    pairs: int


def run_benchmark(
    cases: Sequence[LazyCase],
    methods: Sequence[Method],
    scores: Sequence[Score],
    settings: EvaluationSettings,
    cache: ResultCache,
    report: Report,
) -> Ranking:
    """Compare every method with the truth on the same pairs of every case, and collect the scores.

    Parameters
    ----------
    cases : sequence of LazyCase
        Filmed or read only where something has yet to be measured on them.
    methods : sequence of Method
    scores : sequence of Score
    settings : EvaluationSettings
    cache : ResultCache
        What it holds already is not done again.
    report : callable
        Told of the progress in one line at a time.
    """
    chosen = [choose_pairs(case.frames, settings.bursts, settings.burst_pairs) for case in cases]
    results: dict[str, list[Comparison]] = {method.name: [] for method in methods}
    found: dict[str, list[pd.DataFrame]] = {score.name: [] for score in scores}
    for number, (case, pairs) in enumerate(zip(cases, chosen, strict=True), start=1):
        opened = _OpenOnce(case)
        tell = partial(_tell, report, f"case {number} of {len(cases)} ({case.name})")
        for method in methods:
            results[method.name].append(_compare(method, case, opened, pairs, cache, tell))
        for score in scores:
            found[score.name].append(_measure(score, case, opened, cache, tell))
    tables = {name: pd.concat(parts, ignore_index=True) for name, parts in found.items()}
    return _rank(results, [case.name for case in cases], settings, tables, sum(map(len, chosen)))


def run_score(cases: Sequence[LazyCase], score: Score, cache: ResultCache, report: Report) -> pd.DataFrame:
    """Collect one score alone; returns what it found, all cases below each other."""
    parts = []
    for number, case in enumerate(cases, start=1):
        tell = partial(_tell, report, f"recording {number} of {len(cases)} ({case.name})")
        parts.append(_measure(score, case, _OpenOnce(case), cache, tell))
    return pd.concat(parts, ignore_index=True)


class _OpenOnce:
    """A case that is filmed at most once, and only if it is asked for."""

    def __init__(self, case: LazyCase) -> None:
        self._lazy = case
        self._case: Case | None = None

    def __call__(self) -> Case:
        if self._case is None:
            self._case = self._lazy.open()
        return self._case


def _tell(report: Report, where: str, what: str) -> None:
    report(f"{where}: {what}")


def _compare(
    method: Method, case: LazyCase, opened: _OpenOnce, pairs: tuple[int, ...], cache: ResultCache, tell: Report
) -> Comparison:
    comparison = cache.find_comparison(method.fingerprint, case.fingerprint, pairs)
    if comparison is None:
        tell(method.name)
        comparison = method.compare(opened(), pairs)
        cache.keep_comparison(comparison, method.fingerprint, case.fingerprint, pairs)
    return comparison


def _measure(score: Score, case: LazyCase, opened: _OpenOnce, cache: ResultCache, tell: Report) -> pd.DataFrame:
    table = cache.find_table(score.name, score.fingerprint, case.fingerprint)
    if table is None:
        tell(score.name)
        table = score.measure(opened())
        cache.keep_table(table, score.name, score.fingerprint, case.fingerprint)
    return table


def _rank(
    results: dict[str, list[Comparison]],
    cases: Sequence[str],
    settings: EvaluationSettings,
    scores: dict[str, pd.DataFrame],
    pairs: int,
) -> Ranking:
    pooled = [figures(name, pool(parts), settings) for name, parts in results.items()]
    single = []
    for name, parts in results.items():
        for case, part in zip(cases, parts, strict=True):
            table = figures(name, part, settings)
            single.append(table[table.part == ALL].assign(case=case))
    return Ranking(pd.concat(pooled, ignore_index=True), pd.concat(single, ignore_index=True), scores, pairs)
