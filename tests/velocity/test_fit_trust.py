"""Where good begins is found, not set: as low as vessels are right often enough."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "fit_trust.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fit_trust", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fit_trust"] = module
    spec.loader.exec_module(module)
    return module


def _table(errors: list[float], chances: list[float], grades: str | list[str] = "good") -> pd.DataFrame:
    return pd.DataFrame({"error": errors, "chance": chances, "grade": grades})


def test_good_begins_as_low_as_vessels_are_right_often_enough(script: ModuleType) -> None:
    right = _table([0.05] * 100, list(np.linspace(0.8, 0.99, 100)))
    wrong = _table([0.18] * 10, [0.755] * 10)
    assert script.good_from(right) == pytest.approx(script.GOOD_LEVELS[0])
    assert script.good_from(pd.concat([right, wrong])) == pytest.approx(0.76)


def test_no_good_vessel_is_off_by_a_quarter(script: ModuleType) -> None:
    right = _table([0.05] * 100, list(np.linspace(0.71, 0.99, 100)))
    assert script.good_from(pd.concat([right, _table([0.3], [0.855])])) == pytest.approx(0.86)


def test_where_no_chance_is_enough_good_begins_where_it_is_right_most_often(script: ModuleType) -> None:
    right = _table([0.05] * 60, list(np.linspace(0.8, 0.99, 60)))
    wrong = _table([0.18] * 20 + [0.16] * 20, [0.75] * 20 + [0.99] * 20)
    assert script.good_from(pd.concat([right, wrong])) == pytest.approx(0.76)


def test_vessels_of_which_something_else_is_wrong_do_not_count(script: ModuleType) -> None:
    right = _table([0.05] * 100, list(np.linspace(0.71, 0.99, 100)))
    assert script.good_from(pd.concat([right, _table([0.5] * 50, [0.95] * 50, "poor")])) == pytest.approx(0.7)


def test_a_vessel_is_as_fast_as_it_is_where_the_line_lies(script: ModuleType) -> None:
    rows = np.arange(20, 30)
    mask = np.zeros((60, 120), bool)
    mask[rows] = True
    local = np.where(mask, np.linspace(1.0, 3.0, 120, dtype=np.float32), np.nan)
    middle = np.stack([np.full(120, 24.5), np.arange(120.0)], 1)

    class Truth:
        local_velocity, width_px, centreline = local, 10.0, middle

    class Unit:
        origin = (0, 0)
        centreline = middle[:40]

    Truth.mask = mask
    usual, mean = script._velocities_there(Truth, Unit)
    assert usual == pytest.approx(float(np.nanmedian(local[:, 1:39])), rel=0.01)
    assert mean == pytest.approx(float(np.nanmean(local[:, 1:39])), rel=0.01)


def test_a_fast_piece_near_a_fork_moves_the_mean_and_not_what_is_usual(script: ModuleType) -> None:
    mask = np.zeros((60, 120), bool)
    mask[20:30] = True
    local = np.where(mask, 2.0, np.nan).astype(np.float32)
    local[20:30, 100:] = 8.0

    class Truth:
        local_velocity, width_px = local, 10.0
        centreline = np.stack([np.full(120, 24.5), np.arange(120.0)], 1)

    class Unit:
        origin, centreline = (0, 0), Truth.centreline

    Truth.mask = mask
    usual, mean = script._velocities_there(Truth, Unit)
    assert usual == pytest.approx(2.0)
    assert mean == pytest.approx(3.0, rel=0.05)
