"""J, F and J&F: a case worked by hand, the layouts of DAVIS, SA-V and MOSE, first masks and simulated clicks."""

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from sam2flow_core.cli.main import status_of
from sam2flow_core.config.evaluation import ClickingSettings
from sam2flow_core.errors import DataError, OutputError
from sam2flow_core.evaluation.vos import evaluate_clicks, evaluate_first_masks, score_masks
from sam2flow_core.evaluation.vos_data import ObjectScores, contour, contour_accuracy, open_vos, region_similarity
from sam2flow_core.training.clicks import error_click

SIZE, FRAMES = (40, 60), 6


def square(top, left, side, size=SIZE):
    mask = np.zeros(size, bool)
    mask[top : top + side, left : left + side] = True
    return mask


def test_contour_by_hand():
    # Px whose right, lower or lower right neighbour is on the other side, as in the Berkeley benchmark.
    mask = square(1, 1, 2, (4, 4))
    assert contour(mask).astype(int).tolist() == [[1, 1, 1, 0], [1, 0, 1, 0], [1, 1, 1, 0], [0, 0, 0, 0]]
    at_the_edge = square(2, 2, 2, (4, 4))
    assert contour(at_the_edge).astype(int).tolist() == [[0, 0, 0, 0], [0, 1, 1, 1], [0, 1, 0, 0], [0, 1, 0, 0]]


def test_scores_by_hand():
    truth, shifted, far = square(10, 10, 10), square(10, 12, 10), square(10, 40, 10)
    assert region_similarity(shifted, truth) == 80 / 120
    # Contours agree within ceil(0.008 * |(40, 60)|) = 1 px. Of the 40 px of each, those of the sides that lie 2 px
    # beside the other's are wrong, but for what lies within 1 px of the other's top or bottom line.
    line = contour(truth)
    assert line.sum() == 40
    near = np.zeros(SIZE, bool)  # px that touch the shifted contour by an edge
    ys, xs = np.nonzero(contour(shifted))
    for dy, dx in ((0, 0), (0, 1), (1, 0), (0, -1), (-1, 0)):
        near[ys + dy, xs + dx] = True
    precision = (line & near).sum() / 40
    assert 0.5 < precision < 0.8
    assert contour_accuracy(shifted, truth) == pytest.approx(precision, abs=1e-12)
    assert contour_accuracy(far, truth) == 0 and region_similarity(far, truth) == 0
    nothing = np.zeros(SIZE, bool)
    assert contour_accuracy(nothing, nothing) == region_similarity(nothing, nothing) == 1
    assert contour_accuracy(nothing, truth) == contour_accuracy(truth, nothing) == 0


def test_objects_that_come_and_go():
    """An object counts from when it is first seen or marked, and where it is away an empty mask is right."""
    scores = ObjectScores()
    empty, one = np.zeros(SIZE, np.uint8), square(5, 5, 10).astype(np.uint8)
    for labels, truth in ((empty, empty), (one, one), (empty, one), (empty, empty), (3 * one, empty)):
        scores.add(labels, truth)
    found = scores.scores()
    assert list(found) == [1]
    assert found[1] == pytest.approx((3 / 4, 3 / 4))


def objects(t):
    """Labels of frame t: object 1 moves, object 2 comes in frame 2."""
    labels = np.zeros(SIZE, np.uint8)
    labels[square(5, 5 + 3 * t, 12)] = 1
    if t >= 2:
        labels[square(25, 40 - 2 * t, 10)] = 2
    return labels


def write(folder, layout, shift=0):
    """Frames and annotations of one video in a layout; ``shift`` moves the masks to the right."""
    pictures, truth = {"davis": ("JPEGImages/480p", "Annotations/480p"), "mose": ("JPEGImages", "Annotations"),
                       "sa-v": ("JPEGImages_24fps", "Annotations_6fps")}[layout]  # fmt: skip
    (folder / pictures / "bear").mkdir(parents=True)
    for t in range(FRAMES):
        shown = np.repeat((objects(t) * 90 + 20)[..., None], 3, -1)
        Image.fromarray(shown).save(folder / pictures / "bear" / f"{t:05d}.jpg", quality=95)
        labels = np.roll(objects(t), shift, 1)
        if layout == "sa-v":
            for k in (1, 2):
                (folder / truth / "bear" / f"{k - 1:03d}").mkdir(parents=True, exist_ok=True)
                if t % 2 == 0:
                    Image.fromarray((labels == k).astype(np.uint8) * 255).save(
                        folder / truth / "bear" / f"{k - 1:03d}" / f"{t:05d}.png"
                    )
            continue
        (folder / truth / "bear").mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(labels)
        picture.putpalette([0, 0, 0, 200, 0, 0, 0, 200, 0])
        picture.save(folder / truth / "bear" / f"{t:05d}.png")
    return folder


class Perfect:
    """A predictor that knows the truth, as far as it was told of an object; it is ``late`` by so many frames."""

    def __init__(self, late=0):
        self.late, self.clicks = late, []

    def init_state(self, stack):
        assert stack.shape == (FRAMES, *SIZE) and stack.colours(0) is not None
        return {}

    def add_new_mask(self, state, frame, object_id, mask):
        state[object_id] = next(
            k for k in (1, 2) if (objects(frame) == k).any() and (mask == (objects(frame) == k)).all()
        )

    def add_new_points_or_box(self, state, frame, object_id, points, labels, clear_old_points):
        ((x, y),) = points
        state.setdefault(object_id, objects(frame)[int(y), int(x)])
        self.clicks.append((frame, object_id, tuple(points[0]), labels[0]))
        return self._said(state, frame)

    def propagate_in_video(self, state, start_frame_idx=0):
        return (self._said(state, t) for t in range(start_frame_idx, FRAMES))

    def follow_masks(self, state):
        return (self._said(state, t) for t in range(FRAMES))

    def _said(self, state, t):
        masks = [objects(max(t - self.late, 0)) == k for k in state.values()]
        return t, list(state), torch.from_numpy(np.stack(masks)[:, None] * 2.0 - 1)


@pytest.mark.parametrize("layout", ["davis", "sa-v", "mose"])
def test_layouts(layout, tmp_path):
    data = open_vos(write(tmp_path, layout))
    assert data.layout.lower() == layout
    names = ["000", "001"] if layout == "sa-v" else ["1", "2"]
    right = evaluate_first_masks(Perfect(), data, tmp_path / "out", print)
    assert list(right.objects) == [("bear", n) for n in names]
    assert right.mean == pytest.approx((1, 1)) and "J&F 100.0" in right.text()
    assert score_masks(data, tmp_path / "out").mean == pytest.approx((1, 1))
    late = evaluate_first_masks(Perfect(late=1), data, None, print)
    frames = [2] if layout == "sa-v" else [1, 2, 3, 4]
    moved = [region_similarity(objects(t - 1) == 1, objects(t) == 1) for t in frames]
    assert late.objects["bear", names[0]].j == pytest.approx(np.mean(moved))
    other = write(tmp_path / "other", layout, shift=3)
    worse = score_masks(
        data, other / {"davis": "Annotations/480p", "sa-v": "Annotations_6fps"}.get(layout, "Annotations")
    )
    assert 0.3 < worse.mean.j < 0.9 and 0.1 < worse.mean.f < 0.9


def test_clicks_into_the_largest_error():
    truth, mask = square(10, 10, 11), square(10, 10, 11)
    assert error_click(truth, mask) is None
    mask[10:13, 10:21] = False
    assert error_click(truth, np.zeros(SIZE, bool)) == ((15.0, 15.0), 1)
    (x, y), label = error_click(truth, mask)
    assert label == 1 and y == 11 and 11 <= x <= 19
    assert error_click(truth, truth | square(0, 40, 9)) == ((44.0, 4.0), 0)


def test_interactive(tmp_path):
    data = open_vos(write(tmp_path, "mose"))
    perfect = Perfect()
    result = evaluate_clicks(perfect, data, ClickingSettings(clicks=3, rounds=2), print)
    assert perfect.clicks == [(0, 1, (10.0, 10.0), 1), (2, 2, (40.0, 29.0), 1)], "more clicks than there are errors"
    assert result.mean == pytest.approx((1, 1)) and set(result.clicks.values()) == {3}
    late = Perfect(late=2)
    result = evaluate_clicks(late, data, ClickingSettings(clicks=1, rounds=3), print)
    assert set(result.clicks.values()) == {3} and len(result.rounds) == 3
    assert late.clicks[2][0] >= 2, "the worst frame is clicked next"
    assert result.rounds[-1][0] == 3 and "clicks to 90 %" in result.text()


def test_command_line(tmp_path, capsys):
    folder = write(tmp_path / "data", "davis")
    masks = write(tmp_path / "found", "davis", shift=1) / "Annotations" / "480p"
    table = tmp_path / "scores.csv"
    assert status_of(["evaluate-vos", str(folder), "--masks", str(masks), "--csv", str(table)]) == 0
    assert "DAVIS, 2 objects: J&F" in capsys.readouterr().out
    rows = pd.read_csv(table)
    assert list(rows.columns) == ["video", "object", "j_and_f", "j", "f"] and (rows.j > 70).all()
    there = ["--masks", str(masks)]
    for wrong in (
        [],
        [*there, "--model", "tiny"],
        [*there, "--interactive"],
        ["--masks", str(tmp_path)],
        [*there, "--videos", str(tmp_path / "none.txt")],
    ):
        assert status_of(["evaluate-vos", str(folder), *wrong]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
    assert status_of(["evaluate-vos", str(tmp_path), "--masks", str(masks)]) == 2


def test_data_that_do_not_fit(tmp_path):
    data = open_vos(write(tmp_path, "mose"))
    path = tmp_path / "Annotations" / "bear" / "00002.png"
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(path)
    with pytest.raises(DataError, match="annotated are"):
        evaluate_first_masks(Perfect(), data, None, print)
    Image.fromarray(np.zeros((*SIZE, 3), np.uint8)).save(path)
    with pytest.raises(DataError, match="one number a pixel"):
        score_masks(data, tmp_path / "Annotations")
    path.write_bytes(b"no picture")
    with pytest.raises(DataError, match="no PNG file"):
        score_masks(data, tmp_path / "Annotations")
    path.rename(path.with_name("00099.png"))
    with pytest.raises(DataError, match="no frame '00099'"):
        open_vos(tmp_path).videos[0].number("00099")
    (tmp_path / "list.txt").write_text("../bear")
    with pytest.raises(DataError, match="is no name of one"):
        open_vos(tmp_path, tmp_path / "list.txt")


def test_masks_that_are_there_are_never_replaced(tmp_path):
    """Least of all the annotations."""
    data = open_vos(write(tmp_path, "mose"))
    before = {p: p.read_bytes() for p in (tmp_path / "Annotations").rglob("*.png")}
    with pytest.raises(OutputError, match="masks are there already"):
        evaluate_first_masks(Perfect(late=1), data, tmp_path / "Annotations", print)
    assert before == {p: p.read_bytes() for p in (tmp_path / "Annotations").rglob("*.png")}


def test_labels_of_16_bits_and_black_and_white(tmp_path):
    for kind, factor in (("deep", 1000), ("white", None)):
        data = write(tmp_path / kind, "mose")
        for path in (data / "Annotations" / "bear").iterdir():
            found = np.array(Image.open(path))
            Image.fromarray(found == 1 if factor is None else found.astype(np.uint16) * factor).save(path)
        result = evaluate_first_masks(Perfect(), open_vos(data), tmp_path / f"{kind} out", print)
        assert result.mean == pytest.approx((1, 1))
        assert [name for _, name in result.objects] == (["1"] if factor is None else ["1000", "2000"])
        assert score_masks(open_vos(data), tmp_path / f"{kind} out").mean == pytest.approx((1, 1))


def test_no_annotated_frame_is_left_out_for_how_its_ending_is_written(tmp_path):
    """Scores of the other frames look like any others."""
    data = write(tmp_path, "mose")
    path = sorted((data / "Annotations" / "bear").iterdir())[2]
    path.rename(path.with_suffix(".PNG"))
    with pytest.raises(DataError, match=r"write the ending as \.png"):
        open_vos(data)


def test_frames_and_annotations_belong_together_however_they_are_numbered(tmp_path):
    write(tmp_path, "mose")
    for kind in ("JPEGImages", "Annotations"):
        for path in sorted((tmp_path / kind / "bear").iterdir(), reverse=True):
            path.rename(path.with_stem(str(int(path.stem) + 6)))
    (tmp_path / "Annotations" / ".hidden").mkdir()
    data = open_vos(tmp_path)
    assert evaluate_first_masks(Perfect(), data, tmp_path / "out", print).mean == pytest.approx((1, 1))
    assert list(data.videos[0].annotations[0].frames) == [str(t) for t in range(6, 12)]
    (tmp_path / "JPEGImages" / "bear" / "8.jpg").unlink()
    with pytest.raises(DataError, match="no frame '8', which is annotated"):
        evaluate_first_masks(Perfect(), open_vos(tmp_path), None, print)


def test_nothing_to_score_is_said(tmp_path):
    data = write(tmp_path, "mose")
    for path in sorted((data / "Annotations" / "bear").iterdir())[2:]:
        path.unlink()
    with pytest.raises(DataError, match="nothing to score"):
        score_masks(open_vos(data), data / "Annotations")


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfbear\r\nbear\n", b"bear", "bear\r\n".encode("utf-16")])
def test_lists_of_videos(content, tmp_path):
    write(tmp_path, "mose")
    (tmp_path / "list.txt").write_bytes(content)
    assert [v.name for v in open_vos(tmp_path, tmp_path / "list.txt").videos] == ["bear"]
    (tmp_path / "list.txt").write_text("..\n")
    with pytest.raises(DataError, match="names a video a line"):
        open_vos(tmp_path, tmp_path / "list.txt")


@pytest.mark.parametrize("content", [b"", b"\r\n \r\n"])
def test_a_list_without_names_is_said_and_not_the_folder(content, tmp_path):
    write(tmp_path, "mose")
    (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(DataError, match=r"list\.txt: names no video"):
        open_vos(tmp_path, tmp_path / "list.txt")


def test_masks_of_other_numbers_are_not_scored_as_misses(tmp_path):
    """Black and white pictures of 0 and 255, say: every object would have scored 0 and nothing said why."""
    data, found = write(tmp_path / "data", "mose"), write(tmp_path / "found", "mose") / "Annotations"
    for path in (found / "bear").iterdir():
        Image.fromarray(((np.array(Image.open(path)) > 0) * 255).astype(np.uint8)).save(path)
    with pytest.raises(DataError, match="bear: the masks mark 255, annotated are 1, 2;"):
        score_masks(open_vos(data), found)
    for path in (found / "bear").iterdir():  # that nothing was found is an answer
        Image.fromarray(np.zeros(SIZE, np.uint8)).save(path)
    assert score_masks(open_vos(data), found).mean.j == 0


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_pictures_that_are_only_called_png_are_refused(kind, tmp_path):
    data = write(tmp_path, "mose")
    path = data / "Annotations" / "bear" / "00002.png"
    labels = np.array(Image.open(path)).astype(np.float32 if kind == "TIFF" else np.uint8)
    Image.fromarray(labels).save(path, format=kind)
    with pytest.raises(DataError, match=r"00002\.png: no PNG file"):
        score_masks(open_vos(data), data / "Annotations")
