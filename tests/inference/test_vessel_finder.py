"""Vessels found without a click: on a field made by hand, in the bundled sample, and their density."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from sam2flow_core.cli.main import status_of
from sam2flow_core.config.model import PRESETS
from sam2flow_core.config.tracing import FindingSettings, TracingSettings
from sam2flow_core.engine.demo import sample_files
from sam2flow_core.inference.steps import FoundVessel
from sam2flow_core.inference.vessel_finder import _shown, seek_segments
from sam2flow_core.model.sam2flow import SAM2Flow
from sam2flow_core.model.vessel_field import DIRECTIONS, ORIENTATIONS, VesselField
from sam2flow_core.prompts import read_prompts
from sam2flow_core.stack import open_stack
from sam2flow_core.stack.inspection import Picture
from sam2flow_core.tracing.field_map import FieldMap
from sam2flow_core.tracing.vessel_strip import LATERAL
from sam2flow_core.velocity.density import measure_density

SIZE, RADIUS = (64, 96), 4.0


def field_of(*straight, chance=4.0, size=None):
    """Vessel field of straight vessels through the frame, each by ``(row, column)`` of a point and its orientation."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(float)
    runs = np.full((DIRECTIONS, *SIZE), -6.0)
    offset = np.zeros((ORIENTATIONS, *SIZE))
    for (row, column), k in straight:
        angle = k * np.pi / ORIENTATIONS
        left = -(rows - row) * np.cos(angle) + (columns - column) * np.sin(angle)
        near = np.abs(left) <= RADIUS
        runs[k][near] = chance
        offset[k][near] = left[near] / RADIUS
    parts = [np.zeros(SIZE), np.full(SIZE, -6.0), runs, offset, np.full((ORIENTATIONS, *SIZE), np.log(2 * RADIUS))]
    return FieldMap(VesselField(*(torch.from_numpy(p).float() for p in parts)), TracingSettings(), size=size)


@pytest.fixture(scope="module")
def plain():
    """A network that takes all of a way for the vessel that was clicked, and expects half of it to be right."""
    tiny = PRESETS["tiny"]
    return SAM2Flow(replace(tiny, mask=replace(tiny.mask, strip_widths=(), tracing_reach=200.0))).eval()


def found_in(model, field, **settings):
    *_, found = seek_segments(model, field, FindingSettings(**settings))
    return found


def test_vessels_that_cross_are_two_however_many_seeds_lie_in_them(plain):
    field = field_of(((32, 0), 0), ((32, 48), 4))
    across, down = sorted(found_in(plain, field, apart=0.5), key=lambda s: np.ptp(s.way.line[:, 0]))
    assert np.allclose(across.way.line[:, 0], 32, atol=0.5) and across.length > 85
    assert np.allclose(down.way.line[:, 1], 48, atol=0.5) and down.length > 55
    assert across.way.radius.mean() == pytest.approx(RADIUS, rel=0.1)
    assert across.mask.sum() == pytest.approx(2 * RADIUS * SIZE[1], rel=0.15)


def test_of_answers_that_overlap_the_one_that_promises_more_is_kept(plain, monkeypatch):
    """Each seed is answered by the strip decoder, and its expected quality ranks the answers."""

    def decode(model, strips):
        """Seeds in the left half are answered by that half, others by all of the vessel."""
        for strip in strips:
            left = strip.line[strip.clicks[0], 1] < SIZE[1] / 2
            inside = (np.abs(LATERAL) < 1) & (~left | (strip.line[:, 1:] < SIZE[1] / 2))
            yield np.where(inside, 4.0, -4.0).astype(np.float32), 0.9 if left else 0.6

    monkeypatch.setattr("sam2flow_core.inference.vessel_finder.decode_strips", decode)
    (kept,) = found_in(plain, field_of(((32, 0), 0)))
    assert kept.confidence == 0.9 and kept.way.line[:, 1].max() < SIZE[1] / 2 + 2
    both = found_in(plain, field_of(((32, 0), 0)), same_vessel=0.9, most_covered=2.0)
    assert [s.confidence for s in both] == [0.9, 0.6]
    assert found_in(plain, field_of(((32, 0), 0)), least_confidence=0.95) == []


def test_neighbours_are_kept_apart_and_what_is_unsure_is_left_out(plain):
    field = field_of(((20, 0), 0), ((34, 0), 0))
    assert sorted(round(float(s.way.line[:, 0].mean())) for s in found_in(plain, field)) == [20, 34]
    unsure = field_of(((20, 0), 0), chance=-0.5)
    assert found_in(plain, unsure) == []
    assert len(found_in(plain, unsure, seed_chance=0.3)) == 1
    assert found_in(plain, field_of()) == []
    assert found_in(plain, field_of(((0, 0), 0))) == [], "the frame's side is no vessel"
    assert found_in(plain, field_of(((1, 0), 0))) == [], "nor is what it cuts along its whole length"


def test_the_side_of_a_picture_that_was_padded_is_no_vessel_either(plain):
    field = field_of(((20, 0), 0), ((44, 0), 0), size=(90, 2 * SIZE[1]))
    (kept,) = found_in(plain, field)
    assert kept.way.line[:, 0].mean() == pytest.approx(20, abs=1)


def test_the_dark_beyond_a_round_stop_and_its_rim_are_no_vessels():
    rows, columns = np.mgrid[:200, :200] - 99.5
    picture = Picture((10, 20, 210, 220), covered=np.hypot(rows, columns) > 90)
    turn = np.linspace(0, np.pi, 100)
    middle = np.array([109.5, 119.5])
    across = FoundVessel(0.6, middle + np.stack([np.linspace(-95, 95, 100), np.zeros(100)], 1), 12.0, 190.0)
    rim, outside = (
        FoundVessel(0.8, middle + radius * np.stack([np.sin(turn), np.cos(turn)], 1), 24.0, 280.0)
        for radius in (87, 97)
    )
    inner = FoundVessel(0.7, middle + 70 * np.stack([np.sin(turn), np.cos(turn)], 1), 24.0, 220.0)
    kept, cut = _shown([rim, inner, across, outside], picture, 1.0, FindingSettings())
    assert kept is inner and cut.length_px == pytest.approx(180, abs=6)
    assert np.hypot(*(cut.centreline - middle).T).max() <= 91, "clicks lie where something is shown"
    assert _shown([rim], replace(picture, covered=None), 1.0, FindingSettings()) == [rim]


def test_the_sample(tmp_path, capsys):
    recording, clicks = sample_files()
    out, table = tmp_path / "prompts.csv", tmp_path / "vessels.csv"
    assert status_of(["find", str(recording), "--out", str(out), "--table", str(table), "--stop", "40"]) == 0
    said = capsys.readouterr().out
    assert "perfused vessel density" in said and "mm/mm2" in said and "are not given" in said
    found, rows = read_prompts(out), pd.read_csv(table)
    with open_stack(recording) as stack:
        height, width = stack.shape[1:]
    assert all(0 <= p.y < height and 0 <= p.x < width and p.frame == 0 for p in found)
    assert len(found) == 3 * len(rows) and (rows.confidence.diff().dropna() <= 0).all()
    assert np.allclose(rows.width_um, 0.6 * rows.width_px, rtol=1e-2)
    # Vessels that people clicked have a proposal near the click.
    asked = [p for p in read_prompts(clicks) if p.label == 1]
    from sam2flow_core.engine.field_findings import find_in_recording

    lines = [v.centreline for v in find_in_recording(recording, device="cpu", stop=40).vessels]
    near = [min(np.hypot(*(line - (p.y, p.x)).T).min() for line in lines) for p in asked]
    assert np.mean(np.array(near) < 10) >= 0.8, near
    for wrong in (["--stop", "1"], ["--model", "none.safetensors"], ["--pixel-size-um", "-1"]):
        assert status_of(["find", str(recording), "--out", str(out), *wrong]) == 2


def vessel(points, width):
    line = np.array(points, float)
    steps = np.hypot(*np.diff(line, axis=0).T)
    along = np.concatenate([[0], steps.cumsum()])
    places = np.linspace(0, along[-1], 200)
    line = np.stack([np.interp(places, along, line[:, k]) for k in (0, 1)], 1)
    return FoundVessel(0.9, line, width, along[-1])


def test_density_by_hand():
    # 0.5 mm of vessel in a field of 1 mm2: 500 px of 1 um in 1000 x 1000 px; a fifth of it in a narrow one.
    wide, narrow = vessel([(0, 125), (400, 125)], 30.0), vessel([(900, 850), (900, 950)], 8.0)
    found = measure_density([wide, narrow], (0, 0, 1000, 1000), 1.0)
    assert found.all.value == pytest.approx(0.5, rel=1e-3) and found.small.value == pytest.approx(0.1, rel=1e-3)
    assert found.all.low < 0.5 < found.all.high
    # Quarters of 0.25 mm2 hold 0.4, 0, 0 and 0.1 mm: densities 1.6, 0, 0, 0.4 with a mean of 0.5.
    assert found.heterogeneity == pytest.approx(1.6 / 0.5, rel=1e-2)
    assert measure_density([wide], (0, 0, 1000, 1000), 0.5).all.value == pytest.approx(0.8, rel=1e-3)
    # What shows nothing is no part of the field: half of it gone, the density of the rest is twice as high.
    covered = np.zeros((1000, 1000), bool)
    covered[500:] = True
    half = measure_density([wide], (0, 0, 1000, 1000), 1.0, covered=covered)
    assert half.all.value == pytest.approx(0.8, rel=1e-3) and half.heterogeneity == pytest.approx(2.0, rel=1e-2)
    blank = measure_density([wide], (0, 0, 1000, 1000), None)
    assert (
        blank.small is None
        and any("no pixel size" in line for line in blank.lines())
        and blank.all.value == pytest.approx(0.4, rel=1e-3)
    )
    assert measure_density([], (0, 0, 100, 100), 1.0).all.value == 0
