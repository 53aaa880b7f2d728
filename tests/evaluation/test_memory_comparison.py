"""The comparison of memories: what is judged, and the command from end to end on a small case."""

import numpy as np
import pandas as pd
import pytest
from evaluation_scenes import rigid_case

from sam2flow_core.cli.main import status_of
from sam2flow_core.config.evaluation import MemorySettings
from sam2flow_core.errors import ModelError
from sam2flow_core.evaluation import compare_memories
from sam2flow_core.evaluation.benchmark_tables import replace_section
from sam2flow_core.evaluation.case_sources import LazyCase
from sam2flow_core.evaluation.memory_comparison import TrackingScore, compare_masks, score_standing_still
from sam2flow_core.inference import SAM2FlowPredictor
from sam2flow_core.inference.weights import load_model, save_weights


@pytest.fixture(scope="module")
def predictor() -> SAM2FlowPredictor:
    return SAM2FlowPredictor.from_pretrained("tiny", "cpu")


def test_masks_are_compared_where_the_tissue_is():
    case = rigid_case(frames=4, shift=(3.0, -2.0))
    exact = np.stack([v.mask for v in case.vessels])
    moved = np.roll(exact, (3, -2), (1, 2))
    moved[:, :, -2:] = False
    ious = compare_masks([exact, moved, moved, exact], case, moving=True)
    assert set(ious.frame) == {1, 2, 3} and set(ious.vessel_id) == {1, 2} and ious.moving.all()
    assert (ious[ious.frame < 3].iou == 1).all()
    assert (ious[ious.frame == 3].iou < 0.7).all()


def test_a_mask_that_stays_is_perfect_in_still_tissue_only(predictor):
    found = score_standing_still(predictor, rigid_case(frames=6, shift=(4.0, 0.0)), 2)
    assert (found.ious[~found.ious.moving].iou == 1).all() and (found.ious[found.ious.moving].iou < 0.7).all()
    assert found.epe > 0 and found.megabytes == 0
    again = TrackingScore.from_table(found.as_table())
    assert again.epe == found.epe and again.ious.equals(found.ious) and TrackingScore.from_table(None) is None


@pytest.fixture
def small(monkeypatch):
    case = rigid_case(frames=5)
    lazy = LazyCase("rigid", "two vessels", 5, "rigid 1", lambda: case)
    monkeypatch.setattr("sam2flow_core.evaluation.memory_comparison.find_cases", lambda *_: (lazy,))


def test_designs_are_compared_and_written_down(small, tmp_path, capsys):
    document = tmp_path / "memory.md"
    document.write_text("# Memory\n\nWritten by people.\n\n## Comparison\n\nold\n\n## After\n\nkept\n")
    told = []
    settings = MemorySettings(steps=1, flow_frames=1)
    first = compare_memories(document=document, cache=tmp_path / "kept", report=told.append, settings=settings)
    table = first.table.table
    assert list(table.design) == [
        "none: the first mask stays",
        "recent, as in tiny",
        "short-long",
        "relevant",
        "gated",
        "associated",
    ]
    assert table["weights added"].tolist() == [0] * 6, "memory by matching has the same weights whatever the design"
    assert table["trained here"].tolist() == ["–", "none", *["the same weights"] * 4]
    assert table.IoU[0] == 1 and table.IoU.between(0, 1).all() and (table["memory MB / vessel"][1:] > 0).all()
    assert len(first.ious) == 6 * 2 * 2 * 4
    text = document.read_text()
    assert "Written by people." in text and "kept" in text and "old" not in text
    assert "sam2flow evaluate --memory-designs --model tiny" in text and "| gated |" in text
    assert len(told) == 6, told
    told.clear()
    again = compare_memories(cache=tmp_path / "kept", report=told.append, settings=settings)
    assert not told, "what is kept is not done again"
    pd.testing.assert_frame_equal(again.table.table, table)
    weights = tmp_path / "gated.safetensors"
    save_weights(weights, load_model("tiny", {"mask.memory.design": "gated"})[0], {})
    with pytest.raises(ModelError, match="weights of the memory design 'gated', not 'recent'"):
        compare_memories(weights={"recent": str(weights)}, cache=tmp_path / "kept", settings=settings)
    with pytest.raises(ModelError, match="no memory design 'best'"):
        compare_memories(weights={"best": str(weights)})
    assert status_of(["evaluate", "--memory-designs", "--design", "gated"]) == 2
    assert "NAME=FILE" in capsys.readouterr().err


def test_a_section_is_put_where_there_was_none(tmp_path):
    path = tmp_path / "a.md"
    path.write_text("# A\n\nText.\n")
    replace_section(path, "Table", "one")
    replace_section(path, "Table", "two")
    assert path.read_text() == "# A\n\nText.\n\n## Table\n\ntwo\n"
