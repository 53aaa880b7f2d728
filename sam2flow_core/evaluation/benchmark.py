"""The benchmark run: every entrant on every case."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd

from sam2flow_core.config.evaluation import EvaluationSettings
from sam2flow_core.evaluation.cache import ResultCache
from sam2flow_core.evaluation.comparison import Comparison, choose_pairs, pool
from sam2flow_core.evaluation.data import LazyCase
from sam2flow_core.evaluation.entrants import Entrant, Survey
from sam2flow_core.evaluation.figures import ALL, figures
from sam2flow_core.evaluation.records import Case

Report = Callable[[str], None]


@dataclass(frozen=True)
class Standings:
    """The figures of a benchmark run.

    Attributes
    ----------
    pooled : DataFrame
        As from `figures`, all entrants below each other, in their order; all cases pooled.
    by_case : DataFrame
        The row ``all`` of every entrant and case, with a column ``case``.
    surveys : dict of str to DataFrame
        What the surveys found, all cases below each other.
    pairs : int
        Pairs that were judged in all.
    """

    pooled: pd.DataFrame
    by_case: pd.DataFrame
    surveys: dict[str, pd.DataFrame]
    pairs: int


def run_benchmark(
    cases: Sequence[LazyCase],
    entrants: Sequence[Entrant],
    surveys: Sequence[Survey],
    settings: EvaluationSettings,
    cache: ResultCache,
    report: Report,
) -> Standings:
    """Judge every entrant on the same pairs of every case.

    Parameters
    ----------
    cases : sequence of LazyCase
        Filmed or read only where something has yet to be judged on them.
    entrants : sequence of Entrant
    surveys : sequence of Survey
    settings : EvaluationSettings
    cache : ResultCache
        What it holds already is not done again.
    report : callable
        Told of the progress in one line at a time.
    """
    chosen = [choose_pairs(case.frames, settings.bursts, settings.burst_pairs) for case in cases]
    results: dict[str, list[Comparison]] = {entrant.name: [] for entrant in entrants}
    found: dict[str, list[pd.DataFrame]] = {survey.name: [] for survey in surveys}
    for number, (case, pairs) in enumerate(zip(cases, chosen, strict=True), start=1):
        opened = _OpenOnce(case)
        tell = partial(_tell, report, f"case {number} of {len(cases)} ({case.name})")
        for entrant in entrants:
            results[entrant.name].append(_judge(entrant, case, opened, pairs, cache, tell))
        for survey in surveys:
            found[survey.name].append(_survey(survey, case, opened, cache, tell))
    tables = {name: pd.concat(parts, ignore_index=True) for name, parts in found.items()}
    return _standings(results, [case.name for case in cases], settings, tables, sum(map(len, chosen)))


def run_survey(cases: Sequence[LazyCase], survey: Survey, cache: ResultCache, report: Report) -> pd.DataFrame:
    """Judge cases by one survey alone; returns what it found, all cases below each other."""
    parts = []
    for number, case in enumerate(cases, start=1):
        tell = partial(_tell, report, f"recording {number} of {len(cases)} ({case.name})")
        parts.append(_survey(survey, case, _OpenOnce(case), cache, tell))
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


def _judge(
    entrant: Entrant, case: LazyCase, opened: _OpenOnce, pairs: tuple[int, ...], cache: ResultCache, tell: Report
) -> Comparison:
    comparison = cache.find_comparison(entrant.fingerprint, case.fingerprint, pairs)
    if comparison is None:
        tell(entrant.name)
        comparison = entrant.judge(opened(), pairs)
        cache.keep_comparison(comparison, entrant.fingerprint, case.fingerprint, pairs)
    return comparison


def _survey(survey: Survey, case: LazyCase, opened: _OpenOnce, cache: ResultCache, tell: Report) -> pd.DataFrame:
    table = cache.find_table(survey.name, survey.fingerprint, case.fingerprint)
    if table is None:
        tell(survey.name)
        table = survey.judge(opened())
        cache.keep_table(table, survey.name, survey.fingerprint, case.fingerprint)
    return table


def _standings(
    results: dict[str, list[Comparison]],
    cases: Sequence[str],
    settings: EvaluationSettings,
    surveys: dict[str, pd.DataFrame],
    pairs: int,
) -> Standings:
    pooled = [figures(name, pool(parts), settings) for name, parts in results.items()]
    single = []
    for name, parts in results.items():
        for case, part in zip(cases, parts, strict=True):
            table = figures(name, part, settings)
            single.append(table[table.part == ALL].assign(case=case))
    return Standings(pd.concat(pooled, ignore_index=True), pd.concat(single, ignore_index=True), surveys, pairs)
