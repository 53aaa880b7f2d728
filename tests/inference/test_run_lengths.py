"""Run lengths of masks, and the grid and crops of automatic masks, by hand."""

import json

import numpy as np
import pytest

from sam2flow_core.config.inference import point_grid
from sam2flow_core.errors import DataError
from sam2flow_core.inference.automatic_masks import area_of, as_coco, crop_boxes, from_runs, to_runs


def test_run_lengths_by_hand():
    mask = np.array([[0, 1, 1], [0, 1, 0]], bool)
    runs = to_runs(mask)
    assert runs == {"size": [2, 3], "counts": [2, 3, 1]} and area_of(runs) == 3
    assert to_runs(~mask)["counts"] == [0, 2, 3, 1]
    rng = np.random.default_rng(0)
    for shape in ((1, 1), (1, 9), (9, 1), (13, 7)):
        for mask in (rng.random(shape) < 0.5, np.zeros(shape, bool), np.ones(shape, bool)):
            assert (from_runs(to_runs(mask)) == mask).all()
            packed = json.loads(json.dumps(as_coco(to_runs(mask))))
            assert (from_runs(packed) == mask).all()
    with pytest.raises(DataError, match="do not belong"):
        from_runs({"size": [2, 2], "counts": [3]})


def test_grid_and_crops_by_hand():
    assert point_grid(2).tolist() == [[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]]
    boxes = crop_boxes((100, 200), 1, 0.2)
    assert boxes[0] == ((0, 0, 200, 100), 0)
    assert [b for b, _ in boxes[1:]] == [(0, 0, 110, 60), (0, 40, 110, 100), (90, 0, 200, 60), (90, 40, 200, 100)]
