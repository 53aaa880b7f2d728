"""What else clicks may mean, in fields that a network would see which makes no error; nothing here was learned."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sam2flow_core.config.model import PRESETS
from sam2flow_core.config.tracing import TracingSettings
from sam2flow_core.inference import ambiguity
from sam2flow_core.inference.ambiguity import further_clicks
from sam2flow_core.model.sam2flow import SAM2Flow
from sam2flow_core.model.strip_decoder import ACROSS
from sam2flow_core.tracing.field_map import FieldMap
from sam2flow_core.tracing.vessel_strip import LATERAL

from .fields import field_of, straight

ACROSS_IT, DOWN = straight(-20, 64, 0, 6), straight(64, -20, 90, 6)
NONE = np.zeros((0, 2))


@pytest.fixture(scope="module")
def plain():
    """A network that takes all of a way for the vessel that was clicked."""
    tiny = PRESETS["tiny"]
    return SAM2Flow(replace(tiny, mask=replace(tiny.mask, strip_widths=(), tracing_reach=200.0))).eval()


def asked(model, field, x, y):
    clicks = field.cells(np.array([[x, y]], float))
    with torch.inference_mode():
        found = further_clicks(model, field, clicks, NONE)
    return [(*(f.place[::-1] * 2 + 0.5), f.label) for f in found]


def test_a_click_on_a_crossing_may_mean_the_other_vessel(plain):
    field = FieldMap(field_of(ACROSS_IT, DOWN), TracingSettings())
    ((x, y, label),) = asked(plain, field, 64, 64)
    assert label == 1
    on_one, on_other = abs(y - 64) < 3 and abs(x - 64) > 20, abs(x - 64) < 3 and abs(y - 64) > 20
    assert on_one or on_other, "clear of the crossing, in the middle of the other vessel"
    assert asked(plain, field, 20, 64) == [], "away from the crossing there is one vessel only, and all of it is taken"


def test_a_vessel_that_goes_on_past_its_mask_may_be_meant_to(plain, monkeypatch):
    def middle(model, strips):
        """Of a vessel that is seen from x 0 to 128 only what lies from 40 to 90 is answered."""
        return [
            (np.where((np.abs(s.line[:, 1:] * 2 - 65) < 25) & (np.abs(LATERAL) < 1), 4.0, -4.0).astype(np.float32), 0.7)
            for s in strips
        ]

    monkeypatch.setattr(ambiguity, "decode_strips", middle)
    field = FieldMap(field_of(ACROSS_IT), TracingSettings())
    left, right = sorted(asked(plain, field, 64, 64))
    assert 12 < left[0] < 38 and 92 < right[0] < 120 and all(abs(p[1] - 64) < 2 and p[2] == 1 for p in (left, right))


def test_a_vessel_may_end_at_a_fork_that_lies_in_its_mask(plain):
    seen = field_of(ACROSS_IT)
    seen.ends[30:34, 49:52] = 3.0
    ((x, y, label),) = asked(plain, FieldMap(seen, TracingSettings()), 30, 64)
    assert label == 0 and 102 < x < 116 and abs(y - 64) < 2, "a negative click just behind it, seen from the click"


def test_tissue_means_nothing(plain):
    field = FieldMap(field_of(ACROSS_IT), TracingSettings())
    assert asked(plain, field, 20, 110) == []
    assert np.abs(LATERAL).argmin() == ACROSS // 2, "ends are looked for in the middle of the strip"
