"""The run as a whole: cases from disk, results kept, tables and document written."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from evaluation_scenes import Biased, rigid_case

from sam2flow_core.config.evaluation import EvaluationSettings
from sam2flow_core.config.inference import InferenceSettings
from sam2flow_core.config.model import preset
from sam2flow_core.errors import DataError, OutputError
from sam2flow_core.evaluation import evaluate, evaluate_ablations
from sam2flow_core.evaluation.accuracy import ABLATIONS, Ablation
from sam2flow_core.evaluation.benchmark import ResultCache, Score, kept_results, run_benchmark
from sam2flow_core.evaluation.case_sources import LazyCase, find_cases, find_pulse_cases
from sam2flow_core.evaluation.methods import flow_method
from sam2flow_core.inference import load_model, save_weights
from sam2flow_core.model.sam2flow import SAM2Flow
from sam2flow_core.synthetic import write_cases

SETTINGS = EvaluationSettings(clicks=(1, 3))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small recording with its truth."""
    where = tmp_path_factory.mktemp("cases")
    write_cases(where, cases=1, seed=5, size=96, frames=10)
    return where


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An untrained network: the tables must come about all the same."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "untrained.safetensors"
    save_weights(path, SAM2Flow(preset("tiny")), {})
    return str(path)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


def test_a_stored_case_carries_the_truth_that_was_written(folder: Path) -> None:
    case = find_cases(str(folder), (1, 3))[0].open()
    flow, leaves = case.flow(3)
    assert flow.shape == (len(case.vessels), 2, 96, 96)
    assert leaves.shape == flow.shape[:1] + flow.shape[2:]
    for index, vessel in enumerate(case.vessels):
        assert not flow[index][:, ~vessel.mask].any()
        mean = np.hypot(*flow[index])[vessel.mask].mean()
        assert mean == pytest.approx(abs(vessel.mean_velocity[3]), rel=0.15)
        ratio = vessel.centre_velocity[3] / vessel.mean_velocity[3]
        assert 0.95 < ratio < 2.1  # a plug to a parabola
    assert {p.label for n in case.prompts for p in case.prompts[n]} == {1}
    assert len(case.prompts[3]) <= 3 * len(case.vessels)


def test_the_benchmark_knows_its_cases_and_tells_them_apart() -> None:
    cases = find_cases("synthetic:bench-v1", (1, 3))
    assert len({case.fingerprint for case in cases}) == len({case.name for case in cases}) == 18
    again = find_cases("synthetic:bench-v1", (1, 3))
    assert [case.fingerprint for case in cases] == [case.fingerprint for case in again]
    long_cases = find_pulse_cases("synthetic:bench-v1", (1, 3))
    assert [(case.name, case.frames) for case in long_cases] == [("heartbeat", 600), ("single-file", 600)]
    assert not {case.fingerprint for case in long_cases} & {case.fingerprint for case in cases}


def test_what_is_kept_is_not_judged_again(tmp_path: Path) -> None:
    judged, opened = [], []

    def open_case():
        opened.append(1)
        return rigid_case()

    case = LazyCase("rigid", "", 12, "rigid 1", open_case)
    method = Biased((1.0, 0.0))
    row = flow_method(method)
    row = replace(row, compare=lambda c, pairs, compare=row.compare: judged.append(pairs) or compare(c, pairs))
    score = Score("sizes", "1", lambda c: pd.DataFrame({"width": [v.width_px for v in c.vessels]}))
    for _ in range(2):
        ranking = run_benchmark([case], [row], [score], SETTINGS, ResultCache(tmp_path), lambda line: None)
    assert len(judged) == len(opened) == 1
    assert list(ranking.scores["sizes"].width) == [12.0, 12.0]
    changed = replace(row, fingerprint="biased otherwise")
    run_benchmark([case], [changed], [score], SETTINGS, ResultCache(tmp_path), lambda line: None)
    assert len(judged) == 2


def test_evaluate_writes_table_csv_and_document(folder: Path, weights: str, kept: Path, tmp_path: Path) -> None:
    csv, document = tmp_path / "figures.csv", tmp_path / "benchmark.md"
    told: list[str] = []
    found = evaluate(weights, str(folder), True, "cpu", csv, document, kept, told.append, SETTINGS)
    names = set(found.ranking.pooled.method)
    assert {"zero flow", "DIS (medium)", "Farneback (tuned)", "TV-L1", "iLK", "OpenPIV"} < names
    assert {"kymograph, true centreline", "SAM2Flow, 3 clicks", "SAM2Flow, true masks"} < names
    figures = pd.read_csv(csv)
    mine = figures[(figures.method == "SAM2Flow, true masks") & (figures.part == "all") & (figures.case == "all")]
    assert mine.answered.item() > 95
    assert mine.coverage90.notna().all()
    text = document.read_text()
    assert "## Accuracy" in text and "Masks" in text and "Velocity per vessel" in text
    assert "Heartbeat and cells" in text
    assert "sam2flow evaluate --model untrained.safetensors" in text
    assert str(folder) not in text and str(tmp_path) not in text
    assert "Flow in the vessels" in found.text()
    assert any("TV-L1" in line for line in told)


@pytest.mark.parametrize("ablation", ABLATIONS, ids=lambda a: a.name)
def test_every_ablation_runs_the_same_weights(ablation: Ablation, weights: str) -> None:
    load_model(weights, dict(ablation.model))
    replace(InferenceSettings(), **ablation.inference)


def test_an_ablation_changes_the_answer_and_the_shipped_row_is_not_done_twice(
    folder: Path, weights: str, kept: Path, tmp_path: Path
) -> None:
    whole = evaluate(weights, str(folder), device="cpu", cache=kept, settings=SETTINGS).ranking.pooled
    expected = whole.set_index(["method", "part"]).epe["SAM2Flow, true masks", "all"]
    rows = (Ablation("as shipped"), Ablation("one pair", {"use_cost_volume_pooling": False}))
    document = tmp_path / "benchmark.md"
    told: list[str] = []
    found = evaluate_ablations(
        weights, str(folder), "cpu", document, kept, told.append, rows, SETTINGS, mask_ablations=()
    )
    pooled = found.ranking.pooled.set_index(["method", "part"]).epe
    assert pooled["as shipped", "all"] == expected
    assert pooled["one pair", "all"] != pytest.approx(expected, rel=1e-6)
    assert not any("as shipped" in line for line in told)
    assert "## Ablations" in document.read_text()


def test_each_part_left_out_shows_where_it_has_a_say(folder: Path, tmp_path: Path) -> None:
    """With the shipped weights: untrained parts have nothing to say."""
    absent = {"without the whole vessel", "motion memory of 1 frame"}
    names = {"as shipped", "without prompts", "without adapters", "cost volume at every cell", *absent}
    rows = [a for a in ABLATIONS if a.name in names]
    found = evaluate_ablations("tiny", str(folder), "cpu", cache=tmp_path, ablations=rows, settings=SETTINGS)
    flow, masks = (named.table.set_index("row") for named in found.tables)
    assert set(flow.index) == names - absent, "which the weights in the box do not have"
    assert (flow.EPE.drop("as shipped") != flow.EPE["as shipped"]).all()
    clicked, alone = masks["IoU after 3 clicks"], masks["by memory alone"]
    # Clicks are followed through the vessel field, which does not look at the memory.
    assert clicked["without context memory"] == clicked["as shipped"] > 0
    assert alone["without context memory"] < alone["as shipped"]
    assert clicked["without motion at the click"] != clicked["as shipped"]
    assert set(masks.vessels) == {len(find_cases(str(folder), (1, 3))[0].open().vessels)}


def test_a_benchmark_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="synthetic:bench-v1"):
        evaluate(None, "synthetic:bench-v9")
    with pytest.raises(DataError, match="no case 'no-such'"):
        evaluate(None, "synthetic:bench-v1", only=("slow", "no-such"))
    with pytest.raises(DataError, match="no synthetic cases"):
        evaluate(None, str(tmp_path))


def test_a_file_where_the_cache_should_be_is_told_as_such(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="a file stands where a folder is needed"), kept_results(tmp_path / "file"):
        pass
