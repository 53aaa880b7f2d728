from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sam2flow_core.errors import OutputError
from sam2flow_core.reports import write_comparison
from sam2flow_core.reports.pages import by_range, group_means, ratio_interval, same_vessels, vessel_changes
from sam2flow_core.velocity import SUMMARY_COLUMNS


def summary(video: str, velocities: list[float], half: float = 10.0, grade: str = "good") -> pd.DataFrame:
    table = pd.DataFrame({column: [np.nan] * len(velocities) for column in SUMMARY_COLUMNS})
    mean = np.array(velocities, float)
    return table.assign(
        video_id=video,
        vessel_id=range(1, len(velocities) + 1),
        v_mean_um_s=mean,
        v_ci_low_um_s=mean - half,
        v_ci_high_um_s=mean + half,
        grade=grade,
    )


def changes_of(*summaries: pd.DataFrame) -> pd.DataFrame:
    return vessel_changes(same_vessels(pd.concat(summaries, ignore_index=True)))


def test_change_is_clear_only_beyond_its_interval():
    changes = changes_of(summary("a", [100, 100, 100]), summary("b", [130, 110, 60]))
    assert changes.change.tolist() == pytest.approx([30, 10, -40])
    assert changes.distinct.tolist() == [True, False, True]


def test_poor_velocities_are_not_judged():
    changes = changes_of(summary("a", [100]), summary("b", [300], grade="poor"))
    assert not changes.believed[0]
    assert not changes.distinct[0]


def test_interval_of_a_change_is_that_of_a_ratio():
    rng = np.random.default_rng(0)
    base, value = 1000 + 100 * rng.standard_normal(200_000), 50 + 5 * rng.standard_normal(200_000)
    low, high = ratio_interval(50, 1.96 * 5, 1000, 1.96 * 100)
    assert (low, high) == pytest.approx(tuple(np.quantile(value / base, [0.025, 0.975])), rel=0.02)
    assert np.isnan(ratio_interval(50, 10, 20, 30)).all()  # the base may be zero: any ratio may be true
    for value_half in (10, 29.9, 30.1):
        low, high = ratio_interval(140, value_half, 100, 26.458)
        assert (low > 1) == (np.hypot(value_half, 26.458) < 40)


def test_a_change_that_cannot_be_told_is_not_called_none():
    changes = changes_of(summary("a", [np.nan, 100]), summary("b", [100, 300], half=np.nan))
    assert changes.verdict.tolist() == [
        "not to be judged: no velocity in µm/s",
        "not to be judged: a velocity has no interval",
    ]


def test_blood_that_has_turned_round_is_not_called_slower():
    changes = changes_of(summary("a", [100, 100, -40]), summary("b", [-100, -5, -90]))
    assert changes.verdict.tolist() == ["turned round", "slower", "faster"]
    assert (changes.low < changes.high).all()
    both = pd.concat([summary("a", [100]), summary("a", [-100])], ignore_index=True).assign(group="drug")
    assert group_means(both)["mean"].tolist() == [100]


def test_recordings_called_alike_stay_apart(tmp_path):
    path = tmp_path / "page.html"
    write_comparison(path, [summary("rec", [100]), summary("rec", [200])], {"rec": "all"})
    page = path.read_text(encoding="utf-8")
    assert "Comparison of 2 recordings" in page and "rec (2)" in page and "faster" in page


def test_names_say_which_vessels_are_the_same():
    first = summary("a", [100, 200, 300, 400]).assign(name=["artery", "vein", "branch", "branch"])
    second = summary("b", [210, 110, 310, 410]).assign(name=["vein", "artery", "", np.nan])
    changes = changes_of(first, second)
    assert changes.vessel.tolist() == ["vein", "artery", "Vessel 3", "Vessel 4"]
    assert changes.change.tolist() == pytest.approx([5, 10, 10 / 3, 2.5])
    assert same_vessels(summary("c", [1]).assign(vessel_id=1234567.2)).vessel.tolist() == ["Vessel 1234567.2"]
    unnamed = changes_of(first, summary("c", [120, 90]))
    assert unnamed.vessel.tolist() == ["artery", "vein"]


def test_a_recording_counts_once_in_its_group():
    table = pd.concat(
        [summary("a", [100] * 9), summary("b", [200]), summary("c", [900], grade="unusable")], ignore_index=True
    ).assign(group="before")
    means = group_means(table)
    assert means["mean"].tolist() == [150]
    assert means.recordings.tolist() == [2]
    assert means.sd[0] == pytest.approx(np.std([100, 200], ddof=1))


def test_page_shows_recordings_changes_and_groups(tmp_path):
    name = "<b>after</b> & $x$"
    path = tmp_path / "comparison.html"
    write_comparison(path, [summary("first", [100, 50]), summary(name, [150, 51])], {"first": "before", name: "drug"})
    text = path.read_text(encoding="utf-8")
    assert "&lt;b&gt;after&lt;/b&gt; &amp; $x$" in text
    assert "<b>" not in text
    assert "faster" in text
    assert "no clear change" in text
    assert "Groups" in text
    assert text.count("data:image/svg+xml") == 2


def test_page_without_groups_or_calibration(tmp_path):
    path = tmp_path / "comparison.html"
    write_comparison(path, [summary("a", [np.nan]), summary("b", [np.nan])])
    text = path.read_text(encoding="utf-8")
    assert "Groups" not in text
    assert "nan" not in text.split("</style>")[1].split("<img")[0]


def test_ranges_of_one_recording_are_compared_like_recordings(tmp_path):
    before = summary("a", [100, 200]).assign(first_frame=0, last_frame=99)
    after = summary("a", [150, 210]).assign(first_frame=500, last_frame=599)
    both = pd.concat([before, after]).sort_values("vessel_id", kind="stable")
    changes = vessel_changes(same_vessels(by_range(both)))
    assert changes.video_id.tolist() == ["a, frames 500 to 599"] * 2
    assert changes.change.tolist() == pytest.approx([50, 5])
    write_comparison(tmp_path / "page.html", [both, summary("b", [90, 100])], {"a": "drug", "b": "none"})
    page = (tmp_path / "page.html").read_text()
    assert "a, frames 0 to 99" in page and "a, frames 500 to 599" in page and "b, frames" not in page


def test_nothing_to_compare(tmp_path):
    with pytest.raises(OutputError, match="no measured vessels"):
        write_comparison(tmp_path / "c.html", [summary("a", [])])
