"""Times side by side: every method once a round, so that whatever else the machine does meets all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock, and of processor time: the latter is the same on a busy machine."""

    clock: float
    processor: float


def median_costs(
    methods: Mapping[str, Work], rounds: int, slow_s: float, report: Callable[[str], None]
) -> dict[str, Cost]:
    """Return the median cost of each method.

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
        first[name] = cost_of(work).clock
    costs: dict[str, list[Cost]] = {name: [] for name in methods}
    for number in range(rounds):
        report(f"round {number + 1} of {rounds}")
        for name, work in methods.items():
            if number == 0 or first[name] <= slow_s:
                costs[name].append(cost_of(work))
    return {name: median_cost(values) for name, values in costs.items()}


def median_cost(costs: Sequence[Cost]) -> Cost:
    """Return the median of each kind of time."""
    return Cost(statistics.median(c.clock for c in costs), statistics.median(c.processor for c in costs))


def cost_of(work: Work) -> Cost:
    """Return what a call takes."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return Cost(time.perf_counter() - clock, time.process_time() - processor)
