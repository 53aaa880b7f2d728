"""Times side by side: every method once a round, so that whatever else the machine does meets all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

Work = Callable[[], object]


def median_seconds(
    methods: Mapping[str, Work], rounds: int, slow_s: float, report: Callable[[str], None]
) -> dict[str, float]:
    """Return the median time of each method.

    Parameters
    ----------
    methods : mapping of str to callable
        Each does the work of one pair when called.
    rounds : int
        After a first call that does not count.
    slow_s : float
        A method whose first call takes longer is called once more only.
    report : callable
        Told of the progress.
    """
    first = {}
    for name, work in methods.items():
        report(f"warming up {name}")
        first[name] = seconds_of(work)
    times: dict[str, list[float]] = {name: [] for name in methods}
    for number in range(rounds):
        report(f"round {number + 1} of {rounds}")
        for name, work in methods.items():
            if number == 0 or first[name] <= slow_s:
                times[name].append(seconds_of(work))
    return {name: statistics.median(values) for name, values in times.items()}


def seconds_of(work: Work) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
