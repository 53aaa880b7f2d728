"""Whether a long recording is answered as well at its end as at its beginning."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sam2flow_core.evaluation.comparison import compare
from sam2flow_core.evaluation.metrics import endpoint_error
from sam2flow_core.evaluation.ours import OurFlow
from sam2flow_core.evaluation.records import Case

SHORTEST = 300  # frames; a shorter case has no time to drift
PART = 6  # the first and the last sixth are compared
PAIRS = 25  # judged in each
COLUMNS = ("case", "frames", "epe_first", "epe_last")


def judge_drift(flow: OurFlow, case: Case) -> pd.DataFrame:
    """Compare the errors in the first and the last part of a long case.

    Returns
    -------
    DataFrame
        ``case, frames, epe_first, epe_last`` (px, pixels as in the main table that the masks hold); no row for a
        short case.
    """
    frames = len(case.video)
    if frames < SHORTEST:
        return pd.DataFrame(columns=list(COLUMNS))
    part = frames // PART
    errors = []
    for start in (0, frames - 1 - part):
        pairs = np.unique(np.linspace(start, start + part - 1, PAIRS).round().astype(int))
        judged = compare(case, flow, [int(pair) for pair in pairs])
        clear = ~(judged.overlap | judged.leaves) & np.isfinite(judged.scale)
        errors.append(float(endpoint_error(judged.predicted[clear], judged.true[clear]).mean()))
    return pd.DataFrame([(case.name, frames, *errors)], columns=list(COLUMNS))
