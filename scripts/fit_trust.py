"""Fit the chance that a velocity is right, and the gain of the 95 % intervals, on recordings with truth.

    python scripts/fit_trust.py --recordings 45 --cache FOLDER --figure docs/images/reliability.png --write

Recordings of both generators are drawn from a branch of the seed tree of their own, run with the shipped weights from
three clicks per vessel, and measured. What is judged is the vessel that the line lies on, as fast as it usually is
where the line lies: whether it is the one that was clicked is a matter of masks, and anybody can see it. Prints
`TrustSettings`, where good begins among them, and how they do on recordings that were left out of the fit (eight folds,
by recording); with ``--write`` they are put into the configuration, and the tables into ``docs/trust.md``. With
``--intervals`` the chance stays as it is and only the intervals are fitted; with ``--check`` nothing is: the tables are
those of the settings as they are, also on recordings that nothing was fitted to (``--first 45``).
What was run is kept in the folder for each weights, so that a second time only measures.
"""

from __future__ import annotations

import argparse
import pickle
import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.spatial import cKDTree

from sam2flow_core.config.flags import GRADES
from sam2flow_core.config.velocity import FlagSettings, TrustSettings, VelocitySettings
from sam2flow_core.evaluation.case_sources import GENERATORS, development_case
from sam2flow_core.evaluation.cases import Case, VesselTruth
from sam2flow_core.evaluation.sam2flow_method import SAM2FlowMethod
from sam2flow_core.evaluation.vessel_scores import track_of
from sam2flow_core.files import whole_file
from sam2flow_core.inference import SAM2FlowPredictor
from sam2flow_core.results.reader import VesselTrack
from sam2flow_core.stack import Calibration
from sam2flow_core.velocity import VesselMeasurement, measure_vessels
from sam2flow_core.velocity.grade import level_of

SIDE, FRAMES, CLICKS = 208, 48, 3
ROOT = Path(__file__).parents[1]
RIGHT = 0.15
"""Relative error within which a velocity is right."""
ON_VESSEL = 0.7
"""Share of a line that must lie on one vessel for it to be judged."""
ON_ANOTHER = 0.5
"""Share of it from which on, lying on another vessel as well, it is not: which of the two is measured is not known."""
PERFUSED = 0.5
"""Share of a vessel that cells pass, from which on somebody would click on it, and its velocity is there to be read."""
LANES = 3
"""Of a vessel from its middle to its wall, along each of which the usual velocity is taken."""
RIDGE = 0.005
FLOOR = 2.0
"""Least weight of a doubt: with the whole of any a vessel is not good, whether these recordings show it or not."""
OPEN = 50.0
"""Intercept with which no doubt lowers a grade: what else is wrong decides."""
FOLDS = 8
SHUFFLES = 12
"""Ways of sharing recordings out among the folds, of which the chances are averaged."""
GOOD_RIGHT, GOOD_WORST, GOOD_FAR = 0.945, 0.25, (0.2, 0.01)
"""Share of the good vessels that must be right (printed as 95 %), error that none has, error that only so many have."""
GOOD_LEVELS, GOOD_LEAST = np.arange(0.7, 1.0, 0.01), 0.25
"""Chances that good may begin at, and share of the vessels of which nothing else is wrong that it must leave."""
SPEEDS = (0.0, 1.0, 4.0, np.inf)
"""Speeds in px per frame between which intervals are looked at by themselves, and contrasts over noise."""
CONTRASTS = (0.0, 1.0, 2.5, np.inf)


@dataclass(frozen=True)
class Answered:
    """A recording with its truth, and the model's answer at `factor` recorded px to a px of the network."""

    name: str
    video: NDArray[np.float32]
    vessels: tuple[VesselTruth, ...]
    calibration: Calibration
    factor: float
    tracks: tuple[VesselTrack, ...]


def answer(predictor: SAM2FlowPredictor, generator: str, number: int, cache: Path) -> Answered:
    """Draw and run one recording, or read it back."""
    method = SAM2FlowMethod.enter(predictor, "SAM2Flow", clicks=CLICKS)
    weights = sha256(method.fingerprint.encode()).hexdigest()[:12]
    path = cache / f"{generator}-{number:03d}-{weights}.pkl"  # the answers of other weights are not read
    if not path.exists():
        case: Case = development_case(generator, number, SIDE, FRAMES, CLICKS)
        predicted = method.predict(case)
        kept: dict[str, Any] = {
            "name": case.name,
            "video": np.asarray(case.video, np.float32),
            "vessels": case.vessels,
            "px": case.pixel_size_um,
            "hz": case.frame_rate_hz,
            "factor": predicted.factor,
            "tracks": [track_of(predicted.steps, vessel.vessel_id) for vessel in case.vessels],
        }
        with whole_file(path) as part:
            part.write_bytes(pickle.dumps(kept))
    kept = pickle.loads(path.read_bytes())  # written by this script into a folder of one's own
    calibration = Calibration().with_user(kept["px"], kept["hz"])
    return Answered(
        kept["name"], kept["video"], tuple(kept["vessels"]), calibration, kept["factor"], tuple(kept["tracks"])
    )


def judge(answered: Answered, trust: TrustSettings) -> list[dict[str, Any]]:
    """Measure a recording and put the truth of the vessel that each line lies on beside it."""
    settings = replace(VelocitySettings(), trust=trust).at_scale(answered.factor)
    measured = measure_vessels(answered.tracks, lambda t: answered.video[t], answered.calibration, settings)
    rows, seen = [], {str(v.vessel_id) for v in answered.vessels if v.perfused >= PERFUSED}
    for unit in (unit for vessel in measured for unit in vessel.units):
        truth, share, other = _lies_on(unit, answered.vessels)
        clicked = unit.label.split(".")[0]
        clear = share >= ON_VESSEL and other < ON_ANOTHER
        if not clear or unit.doubts is None or not {clicked, str(truth.vessel_id)} <= seen:
            continue
        usual, mean = (_along(truth, unit) * velocity for velocity in _velocities_there(truth, unit))
        errors = [abs(unit.statistics.mean / v - 1) if v else np.inf for v in (usual, mean)]
        half = (unit.statistics.high - unit.statistics.low) / 2
        known = unit.diameter_px[np.isfinite(unit.diameter_px)]
        rows.append(
            {
                "recording": answered.name,
                "vessel": unit.label,
                "true": usual,
                "measured": unit.statistics.mean,
                "half": half,
                "error": np.nan_to_num(errors[0], nan=np.inf),
                "plain_error": np.nan_to_num(errors[1], nan=np.inf),
                "grade": unit.grade,
                "chance": unit.chance,
                "doubts": astuple(unit.doubts),
                "reasons": "; ".join(unit.reasons),
                "contrast": unit.space_time.contrast_to_noise,
                "diameter": float(known.mean()) if len(known) else np.nan,
                "diameter_error": unit.diameter_error,
                "true_diameter": truth.width_px,
            }
        )
    return rows


def _lies_on(unit: VesselMeasurement, vessels: tuple[VesselTruth, ...]) -> tuple[VesselTruth, float, float]:
    """Vessel that most of a line lies on, the share that does, and the largest share that lies on another as well."""
    points = np.rint(unit.centreline + np.array(unit.origin)).astype(int)
    shares = []
    for vessel in vessels:
        inside = points.clip(0, np.array(vessel.mask.shape) - 1)
        shares.append(float(vessel.mask[tuple(inside.T)].mean()))
    best = int(np.argmax(shares))
    return vessels[best], shares[best], max([0.0, *shares[:best], *shares[best + 1 :]])


def _velocities_there(truth: VesselTruth, unit: VesselMeasurement) -> tuple[float, float]:
    """Velocity of the vessel along its arrow where the line leads along it, px per frame: the usual one, and the mean.

    The usual one, which the program means by velocity, is the median along each lane, averaged over the width. A piece
    near a fork in which blood is several times as fast moves the mean, and not what is usual.
    """
    assert truth.local_velocity is not None
    pixels = np.argwhere(truth.mask)
    apart, nearest = cKDTree(unit.centreline + np.array(unit.origin)).query(pixels)
    # What lies beyond the ends of the line has an end for its nearest point.
    there = (apart <= truth.width_px) & (nearest > 0) & (nearest < len(unit.centreline) - 1)
    pixels = pixels[there if there.any() else slice(None)]
    velocity = truth.local_velocity[tuple(pixels.T)]
    across = cKDTree(truth.centreline).query(pixels)[0] / (0.5 * truth.width_px)
    lane = np.digitize(across, np.linspace(0, 1, LANES + 1)[1:-1])
    lanes = [velocity[lane == number] for number in np.unique(lane)]
    return float(sum(len(of) * np.median(of) for of in lanes) / len(velocity)), float(velocity.mean())


def _along(truth: VesselTruth, unit: VesselMeasurement) -> float:
    tangents = np.gradient(truth.centreline, axis=0)
    nearest = cKDTree(truth.centreline).query(unit.centreline + np.array(unit.origin))[1]
    return 1.0 if float((tangents[nearest] * unit.line.tangents).sum()) >= 0 else -1.0


def fit(doubts: NDArray[np.float64], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return intercept and weights (none below `FLOOR`) of the logistic."""
    sign = 2 * right - 1

    def loss(p: NDArray[np.float64]) -> float:
        return float(np.logaddexp(0, -sign * (p[0] - doubts @ p[1:])).mean() + RIDGE * (p[1:] ** 2).mean())

    bounds = [(None, None), *[(FLOOR, None)] * doubts.shape[1]]
    return np.asarray(minimize(loss, np.ones(1 + doubts.shape[1]), bounds=bounds).x)


def chances(doubts: NDArray[np.float64], p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the chance of each row."""
    return np.asarray(1 / (1 + np.exp(-(p[0] - doubts @ p[1:]))))


def left_out(table: pd.DataFrame, doubts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each row's chance by fits on the recordings of the other folds."""
    found = np.zeros(len(table))
    for seed in range(SHUFFLES):
        names = np.random.default_rng(seed).permutation(table["recording"].unique())
        for fold in np.array_split(names, FOLDS):
            mine = table["recording"].isin(fold).to_numpy()
            fitted = fit(doubts[~mine], (table["error"] < RIGHT).to_numpy()[~mine])
            found[mine] += chances(doubts[mine], fitted) / SHUFFLES
    return found


def good_from(table: pd.DataFrame) -> float:
    """Return the chance that good begins at: the lowest from which on good is as right as it has to be.

    Where none is, that with which good is right most often. `table` holds the grades by what is wrong besides, and the
    chances that left each row out.
    """
    free = table[table["grade"] == GRADES[0]]
    best, most = float(GOOD_LEVELS[0]), 0.0
    for level in GOOD_LEVELS:
        off = free["error"][free["chance"] >= level]
        if len(off) < GOOD_LEAST * len(free) or not len(off):
            break
        right = float((off < RIGHT).mean())
        far = (off > GOOD_FAR[0]).sum() <= round(GOOD_FAR[1] * len(off))
        if right >= GOOD_RIGHT and far and not (off > GOOD_WORST).any():
            return round(float(level), 2)
        if right > most:
            best, most = float(level), right
    return round(best, 2)


def tables(table: pd.DataFrame, chance: NDArray[np.float64], whose: str) -> str:
    """Return how often velocities are right, by chance and by grade, as they stand in the documentation."""
    right = (table["error"] < RIGHT).to_numpy()
    lines = [f"{len(table)} vessels and segments of {table['recording'].nunique()} recordings:", ""]
    lines += [f"| chance, {whose} | vessels | right |", "|---|---|---|"]
    for low, high in pairwise((0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0)):
        inside = (chance >= low) & (chance < high)
        if inside.any():
            lines.append(f"| {low:.1f} to {high:.1f} | {inside.sum()} | {100 * right[inside].mean():.0f} % |")
    lines += ["", "| grade | vessels | right within 15 % | over 20 % off | over 25 % off |", "|---|---|---|---|---|"]
    for grade in GRADES:
        off = table["error"][table["grade"] == grade]
        if len(off):
            over = f"{(off > 0.2).sum()} | {(off > 0.25).sum()}"
            lines.append(f"| {grade} | {len(off)} | {100 * (off < RIGHT).mean():.0f} % | {over} |")
    shy = ((table["error"] < 0.1) & (table["grade"] != "good")).sum() / max((table["error"] < 0.1).sum(), 1)
    lines += [
        "",
        f"Of those right within 10 %, {100 * shy:.0f} % are not good. {by_the_mean(table)}",
        "",
        intervals(table),
        "",
        diameters(table),
    ]
    return "\n".join(lines)


def by_the_mean(table: pd.DataFrame) -> str:
    """Return how the good ones do against the mean over all px where the line lies, in a sentence."""
    off = table["plain_error"][table["grade"] == GRADES[0]]
    return (
        f"Against the plain mean along the line, forks and all, {100 * (off < RIGHT).mean():.0f} % of the "
        f"good ones are within 15 %, {(off > 0.2).sum()} more than 20 % off and {(off > 0.25).sum()} more than 25 %."
    )


def diameters(table: pd.DataFrame) -> str:
    """Return how far diameters are from the truth, in a sentence, and how often two of their errors hold it."""
    off = (table["diameter"] / table["true_diameter"] - 1).abs()
    sure = table["diameter_error"] <= FlagSettings().width_error
    px = (table["diameter"] - table["true_diameter"]).abs()
    held = (off <= 1.96 * table["diameter_error"])[off.notna()].mean()
    percent = [100 * value for value in (off.median(), off.quantile(0.9), off[sure].median(), off[sure].quantile(0.9))]
    return (
        f"Diameters: {off.notna().sum()} of {len(off)} are given; median error {px.median():.2f} px, {percent[0]:.1f} "
        f"%, 90th percentile {percent[1]:.0f} %; of the {sure.sum()} without `WIDTH_DOUBT` {percent[2]:.1f} and "
        f"{percent[3]:.0f} %. Their 95 % intervals hold in {100 * held:.0f} %."
    )


def off_by(table: pd.DataFrame) -> pd.Series:
    """Return how many half widths of its interval each velocity is off; NaN without one."""
    ratio = (table["measured"] - table["true"]).abs() / table["half"].abs()
    return ratio.where(np.isfinite(ratio))


def gains(table: pd.DataFrame) -> tuple[float, float, float]:
    """Return what the half widths of the intervals must be multiplied by for each grade to hold in 95 of 100.

    A worse grade never has the smaller gain: grades of which that would be so are taken together. None is below 1.
    """
    ratio = off_by(table)
    # The last grade has no interval.
    groups = [ratio[table["grade"] == grade].dropna().to_numpy() for grade in GRADES[:-1]]
    pooled: list[tuple[NDArray[np.float64], int]] = []
    for mine in groups:
        pooled.append((mine, 1))
        while len(pooled) > 1 and needed(pooled[-2][0]) > needed(pooled[-1][0]):
            (worse, more), (better, number) = pooled.pop(), pooled.pop()
            pooled.append((np.concatenate([better, worse]), number + more))
    good, fair, poor = (round(max(needed(mine), 1.0), 2) for mine, number in pooled for _ in range(number))
    return good, fair, poor


def needed(ratio: NDArray[np.float64]) -> float:
    """Return the gain with which 95 of 100 intervals hold."""
    return float(np.quantile(ratio, 0.95, method="higher")) if len(ratio) else 1.0


def intervals(table: pd.DataFrame) -> str:
    """Return how often the 95 % intervals hold, by speed, contrast and grade, and how wide they are."""
    off, speed, contrast = off_by(table), table["measured"].abs(), table["contrast"].fillna(0)
    half = table["half"].abs() / speed.clip(lower=FlagSettings().floor_px_frame)
    groups = {"all": off.notna()}
    for what, value, edges in (("px per frame", speed, SPEEDS), ("contrast over noise", contrast, CONTRASTS)):
        for low, high in pairwise(edges):
            name = f"{low:g} to {high:g} {what}" if np.isfinite(high) else f"over {low:g} {what}"
            groups[name] = (value >= low) & (value < high)
    groups |= {grade: table["grade"] == grade for grade in GRADES[:-1]}
    lines = ["| 95 % intervals of | vessels | hold | half width, median |", "|---|---|---|---|"]
    for name, mine in groups.items():
        of = mine & off.notna()
        held = f"{100 * (off[of] < 1).mean():.1f} %" if of.any() else ""
        lines.append(f"| {name} | {of.sum()} | {held} | {100 * half[of].median():.0f} % |")
    return "\n".join(lines)


def write_settings(trust: TrustSettings) -> None:
    """Put what was fitted into the configuration."""
    path = ROOT / "sam2flow_core/config/velocity.py"
    source = path.read_text(encoding="utf-8")
    for name in ("intercept", "weights", "levels", "interval_gain"):
        value = getattr(trust, name)
        shown = f"({', '.join(f'{v:.2f}' for v in value)})" if isinstance(value, tuple) else f"{value:.2f}"
        source, number = re.subn(rf"(    {name}: [^=]+ = ).*", rf"\g<1>{shown}", source)
        if number != 1:
            raise SystemExit(f"{path}: no single line for {name}")
    path.write_text(source, encoding="utf-8")


def write_page(text: str) -> None:
    """Put the tables into the documentation."""
    path = ROOT / "docs/trust.md"
    page = path.read_text(encoding="utf-8")
    page = re.sub(r"(<!-- fitted -->\n).*?(\n<!-- end -->)", lambda m: m[1] + text + m[2], page, flags=re.DOTALL)
    path.write_text(page, encoding="utf-8")


def draw(table: pd.DataFrame, chance: NDArray[np.float64], whose: str, path: Path) -> None:
    """Draw the reliability diagram: how often what is said to be right so often is."""
    right = (table["error"] < RIGHT).to_numpy(float)
    order = np.argsort(chance)
    groups = np.array_split(order, 6)
    said = [float(chance[group].mean()) for group in groups]
    seen = [float(right[group].mean()) for group in groups]
    number = np.array([len(group) for group in groups])
    share = np.array(seen)
    error = 1.96 * np.sqrt(share * (1 - share) / number + 1 / (4 * number**2))
    figure = Figure(figsize=(4.2, 4.0), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=0.8)
    axes.errorbar(said, seen, error, fmt="o-", color="#0072B2", capsize=2)
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="chance that is said", ylabel="share within 15 % of the truth")
    axes.set_title(f"{len(table)} vessels and segments, {whose}", fontsize=9)
    with whole_file(path) as part:
        figure.savefig(part, format="png", dpi=110)


def measured(answers: Sequence[Answered], trust: TrustSettings) -> pd.DataFrame:
    """Measure all recordings with some settings, and judge them."""
    return pd.DataFrame([row for each in answers for row in judge(each, trust)])


def fit_chance(answers: Sequence[Answered]) -> tuple[TrustSettings, pd.DataFrame]:
    """Fit the chance; returns the settings, and what was measured with chances and grades that left each row out."""
    bare = replace(TrustSettings(), interval_gain=(1.0, 1.0, 1.0))
    table = measured(answers, replace(bare, intercept=OPEN))  # grades by what is wrong besides
    doubts = np.array(table["doubts"].tolist())
    found = fit(doubts, (table["error"] < RIGHT).to_numpy()).round(2)
    fitted = replace(bare, intercept=float(found[0]), weights=tuple(map(float, found[1:])))
    table["chance"] = left_out(table, doubts)
    fitted = replace(fitted, levels=(good_from(table), *fitted.levels[1:]))
    levels = zip(table["grade"].map(GRADES.index), table["chance"], strict=True)
    table["grade"] = [GRADES[max(besides, level_of(chance, fitted))] for besides, chance in levels]
    return fitted, table


def fit_intervals(trust: TrustSettings, table: pd.DataFrame) -> tuple[TrustSettings, pd.DataFrame]:
    """Fit the gains of the intervals to what was measured without any, and widen them."""
    found = gains(table)
    widened = table["half"] * table["grade"].map(dict(zip(GRADES, found, strict=False)))
    return replace(trust, interval_gain=found), table.assign(half=widened)


def main() -> None:
    """Draw, run, measure, fit and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--recordings", type=int, default=20, help="of each generator")
    parser.add_argument("--first", type=int, default=0, help="number of the first of them: others than were fitted to")
    parser.add_argument("--cache", type=Path, required=True, help="folder of one's own for what was run")
    parser.add_argument("--figure", type=Path, help="write the reliability diagram there")
    parser.add_argument("--intervals", action="store_true", help="keep the chance as it is, fit the intervals")
    parser.add_argument("--check", action="store_true", help="fit nothing: how the settings do as they are")
    parser.add_argument("--write", action="store_true", help="put what was fitted into configuration and documentation")
    given = parser.parse_args()
    torch.set_num_threads(1)
    given.cache.mkdir(parents=True, exist_ok=True)
    predictor = SAM2FlowPredictor.from_pretrained("tiny", device="cpu")
    answers = [
        answer(predictor, generator, number, given.cache)
        for number in range(given.first, given.first + given.recordings)
        for generator in GENERATORS
    ]
    trust, whose = TrustSettings(), "as it is said"
    if given.check:
        table = measured(answers, trust)
    elif given.intervals:
        table = measured(answers, replace(trust, interval_gain=(1.0, 1.0, 1.0)))
    else:
        whose = "left out of the fit"
        trust, table = fit_chance(answers)
    if not given.check:
        trust, table = fit_intervals(trust, table)
    chance = table["chance"].to_numpy(float)
    text = tables(table, chance, whose)
    print(
        text,
        f"intercept {trust.intercept}, weights {trust.weights}, levels {trust.levels}, gains {trust.interval_gain}",
        sep="\n",
    )
    if given.figure:
        draw(table, chance, whose, given.figure)
    if given.write:
        write_page(text)
        if not given.check:
            write_settings(trust)
    for row in table[(table["grade"] == "good") & (table["error"] >= RIGHT)].itertuples():
        print(f"good and wrong: {row.recording} {row.vessel}: true {row.true:.2f}, measured {row.measured:.2f}")


if __name__ == "__main__":
    main()
