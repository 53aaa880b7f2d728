"""Whole recordings as lessons: what the predictor sees of them, and a truth that lies where the vessels are."""

import numpy as np
import torch

from sam2flow_core.config.synthetic import RecordingScenes
from sam2flow_core.config.training import StripLessons
from sam2flow_core.inference import load_model
from sam2flow_core.training.whole_recordings import WholeRecordings, draw_settings, exercises_of_recording

SMALL = RecordingScenes(sides=(128,), frames=(32, 33))


def test_the_truth_lies_where_the_vessels_are(tmp_path):
    lesson = WholeRecordings(1, SMALL, tmp_path).recording(0)
    there = lesson.masks.any(0)[::2, ::2]
    inside = lesson.seen.field.inside[0].numpy() > 0.5
    assert (there & inside).sum() / (there | inside).sum() > 0.85
    turned = inside.T
    assert (there & turned).sum() / (there | turned).sum() < 0.7  # it could be told from one laid wrongly


def test_the_shipped_field_finds_what_is_said_to_be_there(tmp_path):
    model, recordings = load_model("tiny")[0], WholeRecordings(5, SMALL, tmp_path)
    shares = []
    for lesson in map(recordings.recording, range(5)):
        with torch.no_grad():
            found = model.map_vessels(lesson.seen.statistics).inside[0] > 0
        there = lesson.seen.field.inside[0] > 0.5
        shares.append(float((found & there).sum() / (found | there).sum()))
    assert np.median(shares) > 0.7


def test_a_recording_is_the_same_each_time_and_another_seed_gives_others(tmp_path):
    def statistics(folder, seed):
        return WholeRecordings(1, SMALL, tmp_path / folder, seed).recording(0).seen.statistics

    first = statistics("one", 1)
    assert torch.equal(first, statistics("one", 1)) and torch.equal(first, statistics("two", 1))
    assert not torch.equal(first, statistics("three", 2))


def test_vessels_of_a_recording_are_clicked_and_followed(tmp_path):
    model, lesson = load_model("tiny")[0], WholeRecordings(1, SMALL, tmp_path).recording(0)
    exercises = exercises_of_recording(model, lesson, StripLessons(per_clip=6), np.random.default_rng(0))
    assert exercises and all(e.truth.max() > 0.5 for e in exercises)


def test_recordings_differ_more_from_each_other_than_vessels_do_within_one():
    rng = np.random.default_rng(0)
    drawn = [draw_settings(rng, RecordingScenes()) for _ in range(60)]
    assert len({s.plan for s in drawn}) > 5
    assert max(s.diameter_px[1] / s.diameter_px[0] for s in drawn) <= 2.6
    assert max(s.diameter_px[0] for s in drawn) / min(s.diameter_px[0] for s in drawn) > 4
