"""Memory by matching in a run: small, and where it is sure of another mask that mask is used, its cells with it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sam2flow_core.config.inference import InferenceSettings, MatchingSettings
from sam2flow_core.config.synthetic import SceneSettings
from sam2flow_core.inference.dense import to_recorded
from sam2flow_core.inference.mask_predictor import SAM2MaskPredictor
from sam2flow_core.inference.matched_masks import FoundMask, SeenFrames, seen_frames
from sam2flow_core.inference.predictor import SAM2FlowPredictor
from sam2flow_core.inference.weights import load_model
from sam2flow_core.model.sam2flow import SAM2Flow
from sam2flow_core.synthetic import render_clip, sample_scene
from sam2flow_core.synthetic.random_draws import stream

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def model():
    """The shipped weights, with a memory by matching that has learned nothing."""
    torch.manual_seed(0)
    shipped, _ = load_model("tiny")
    mask = replace(shipped.config.mask, matching_widths=(8, 8, 8, 8))
    found = SAM2Flow(replace(shipped.config, mask=mask)).eval()
    found.load_state_dict({**found.state_dict(), **_others(shipped)})
    return found


def _others(model):
    return {name: x for name, x in model.state_dict().items() if not name.startswith("matched_memory.")}


def say(monkeypatch, found):
    """Let memory say of every vessel in every frame what is given: `FoundMask`, or what gives it for a frame."""

    def find(self, frame, banks, size):
        return [found(frame) if callable(found) else found for _ in banks]

    monkeypatch.setattr(SeenFrames, "find", find)


def logits_of(mask):
    return torch.from_numpy(np.where(mask, 8.0, -8.0).astype(np.float32))


def begun(model, video, vessel):
    predictor = SAM2FlowPredictor(model, CPU, {}, InferenceSettings(key_frame_every=3))
    state = predictor.init_state(video, stabilise=False, working_resolution=1)
    predictor.add_new_mask(state, 0, 1, vessel)
    return predictor, state


def placed(step, shape):
    """Mask of the first vessel of a step in the frame."""
    (answer,) = step.vessels
    whole = np.zeros(shape, bool)
    (y, x), (h, w) = answer.offset, answer.mask.shape
    whole[y : y + h, x : x + w] = answer.mask
    return whole


@pytest.mark.parametrize(
    "present, iou, moved, followed",
    [(0.95, 0.9, 4, True), (0.95, 0.9, 0, False), (0.95, 0.5, 4, False), (0.6, 0.9, 4, False), (0.1, 0.9, 4, False)],
)
def test_a_sure_memory_that_disagrees_updates_mask_and_flow(
    model, video, vessel, monkeypatch, present, iou, moved, followed
):
    other = np.roll(vessel, moved, 0)
    say(monkeypatch, FoundMask(logits_of(other), iou, present))
    predictor, state = begun(model, video, vessel)
    size = state.crops[1]
    steps = list(predictor.stream(state))
    assert np.array_equal(placed(steps[0], vessel.shape), vessel), "the frame of the prompt is the user's"
    last = placed(steps[9], vessel.shape)
    assert np.array_equal(last, other if followed else vessel)
    flow = steps[9].vessels[0].flow
    assert flow is not None and np.all((np.abs(flow).sum(0) > 0) <= steps[9].vessels[0].mask)
    assert (np.abs(flow).sum(0) > 0)[steps[9].vessels[0].mask].mean() > 0.9, "the cells are those of the mask of now"
    assert {step.vessels[0].mask.shape for step in steps} == {size}, "files have one size of crop"
    assert all(step.vessels[0].object_score == pytest.approx(present) for step in steps[3:])


def test_a_resumed_run_goes_on_with_the_mask_that_was_found(model, video, vessel, monkeypatch):
    say(monkeypatch, FoundMask(logits_of(np.roll(vessel, 4, 0)), 0.9, 0.95))
    predictor, state = begun(model, video, vessel)
    stream = predictor.stream(state)
    for _ in range(7):
        next(stream)
    other, resumed = begun(model, video, vessel)
    other.restore(resumed, predictor.snapshot(state))
    for a, b in zip(stream, other.stream(resumed), strict=True):
        assert np.array_equal(a.vessels[0].mask, b.vessels[0].mask) and a.vessels[0].offset == b.vessels[0].offset
        if a.vessels[0].flow is not None:
            assert np.allclose(a.vessels[0].flow, b.vessels[0].flow, atol=1e-4, equal_nan=True)


def test_memory_says_the_same_to_the_bit_whether_frames_are_at_hand_or_made_anew_from_what_is_remembered(model):
    """A run that was killed remembers pictures and masks; what it made of them to match them is gone."""
    rng = torch.Generator().manual_seed(0)
    pictures = torch.randn(3, 1, 3, 96, 96, generator=rng)
    mask = torch.full((96, 96), -8.0)
    mask[40:56] = 8.0
    seen, resumed = (seen_frames(model, MatchingSettings()) for _ in range(2))
    with torch.inference_mode():
        bank = []
        for frame, picture in enumerate(pictures[:2]):
            seen.look(frame, lambda picture=picture: picture)
            bank.append(seen.entry(frame, FoundMask(mask, 1.0, 1.0), prompted=not frame))
        answers = []
        for each in (seen, resumed):
            each.look(2, lambda: pictures[2])
            answers += each.find(2, [bank], (96, 96))
    one, other = answers
    assert (one.present, one.iou) == (other.present, other.iou)
    assert torch.equal(one.logits, other.logits)


def test_a_new_prompt_takes_back_what_memory_has_put_in_its_place(model, video, vessel, monkeypatch):
    say(monkeypatch, FoundMask(logits_of(np.roll(vessel, 4, 0)), 0.9, 0.95))
    predictor, state = begun(model, video, vessel)
    list(predictor.stream(state))
    assert state.vessels[1].followed is not None
    predictor.add_new_mask(state, 0, 1, vessel)
    assert state.vessels[1].followed is None


def test_a_lost_vessel_is_looked_for_again_soon(model, video, vessel, monkeypatch):
    asked = []

    def answer(frame):
        asked.append(frame)
        return FoundMask(logits_of(vessel), 0.9, 0.1 if frame < 6 else 0.9)

    say(monkeypatch, answer)
    settings = InferenceSettings(key_frame_every=5, matching=MatchingSettings(look_again_every=1))
    predictor = SAM2FlowPredictor(model, CPU, {}, settings)
    state = predictor.init_state(video, stabilise=False)
    predictor.add_new_mask(state, 0, 1, vessel)
    scores = [step.vessels[0].object_score for step in predictor.stream(state)]
    assert asked == [5, 6, 10], "every frame until it is seen, and then at its time"
    assert [round(s, 1) for s in scores] == [1.0] * 5 + [0.1] + [0.9] * 8


def test_only_what_is_out_of_sight_is_looked_for_again(model, video, vessel, monkeypatch):
    asked = []

    def find(self, frame, banks, size):
        asked.append((frame, len(banks)))
        chances = [0.9, 0.1] if len(banks) == 2 else [0.1 if frame < 8 else 0.9]
        return [FoundMask(logits_of(vessel), 0.9, chance) for chance in chances]

    monkeypatch.setattr(SeenFrames, "find", find)
    settings = InferenceSettings(key_frame_every=5, matching=MatchingSettings(look_again_every=1))
    predictor = SAM2FlowPredictor(model, CPU, {}, settings)
    state = predictor.init_state(video, stabilise=False)
    for number in (1, 2):
        predictor.add_new_mask(state, 0, number, np.roll(vessel, 3 * number, 0))
    steps = list(predictor.stream(state))
    assert asked[:4] == [(5, 2), (6, 1), (7, 1), (8, 1)] and asked[4] == (10, 2)
    assert [[v.object_score for v in steps[t].vessels] for t in (5, 7, 8)] == [[0.9, 0.1], [0.9, 0.1], [0.9, 0.9]]


def test_memory_is_bounded_and_large_frames_are_shrunk(model):
    seen = seen_frames(model, MatchingSettings(most_side=96, kept_views=3))
    rng = torch.Generator().manual_seed(0)
    mask = torch.full((224, 160), -8.0)
    mask[100:120] = 8.0
    bank = []
    with torch.inference_mode():
        for frame in range(5):
            seen.look(frame, lambda: torch.randn(1, 3, 224, 160, generator=rng))
            (found,) = seen.find(frame, [bank], (224, 160)) if bank else (FoundMask(mask, 1.0, 1.0),)
            assert found.logits.shape == (224, 160) and 0 <= found.present <= 1
            bank.append(seen.entry(frame, found, prompted=not bank))
    assert len(seen._views) == 3
    assert bank[0].tokens.shape == (1, 1, 80, 64) and bank[0].pointer.shape == (1, 1, 40, 32)


def test_a_decoder_that_shrinks_masks_does_not_wear_them_away(model):
    """What is remembered is the mask as it was carried along: the decoder's error must not add up."""
    rng = torch.Generator().manual_seed(0)
    picture = torch.randn(1, 3, 96, 96, generator=rng)
    mask = torch.full((96, 96), -8.0)
    mask[40:56] = 8.0
    seen, bank, areas = seen_frames(model, MatchingSettings()), [], []
    head = seen.memory.head
    before = head.bias.detach().clone()
    with torch.inference_mode():
        head.bias.copy_(torch.tensor([-3.0, 0.0]))
        try:
            for frame in range(9):
                seen.look(frame, lambda: picture)
                if bank:
                    (found,) = seen.find(frame, [bank[-1:]], (96, 96))
                    areas.append(float((found.logits > 0).float().mean()))
                else:
                    found = FoundMask(mask, 1.0, 1.0)
                bank.append(seen.entry(frame, found, prompted=not bank))
        finally:
            head.bias.copy_(before)
    assert 0 < areas[0] < 16 / 96, "this decoder makes the mask smaller than it was"
    assert areas[-1] > 0.8 * areas[0], "once, not once a frame"


def test_a_mask_is_carried_by_a_known_shift(model, video, vessel):
    """Texture that moves as a whole takes the mask along, also with weights that have learned nothing."""
    rng = np.random.default_rng(1)
    scene = rng.normal(0, 1, (120, 160))
    for axis in (0, 1):
        scene = sum(np.roll(scene, k, axis) for k in range(-2, 3)) / 5
    moved = np.stack([128 + 100 * scene[10 + s : 106 + s, 10:138] for s in (0, 1, 2, 4, 6, 8)]).astype(np.uint8)
    settings = replace(InferenceSettings(), sam2=replace(InferenceSettings().sam2, remembered_frames=8))
    predictor = SAM2MaskPredictor(model, CPU, {}, settings)
    state = predictor.init_state(moved)
    predictor.add_new_mask(state, 0, 1, vessel)
    state.seen.settings = MatchingSettings(least_present=0.0)
    predictor.settings = replace(settings, matching=MatchingSettings(least_present=0.0))
    *_, (_, _, logits) = predictor.propagate_in_video(state)
    found, true = logits[0, 0].numpy() > 0, np.roll(vessel, -8, 0)
    assert (found & true).sum() > 0.6 * (found | true).sum() > 0


@pytest.fixture(scope="module")
def wandering():
    """A pair of vessels in tissue that drifts, breathes, beats and jumps: 40 frames of 3 s, their shifts, the masks."""
    moving = SceneSettings(
        pixel_size_um=(0.4, 0.5),
        frame_rate_hz=(100.0, 100.0),
        duration_s=3.0,
        plan=("pair",),
        diameter_px=(10.0, 24.0),
        motion_probability=1.0,
        drift_um_s=(0.0, 3.0),
        breathing_um=(4.0, 10.0),
        heartbeat_um=(0.5, 2.0),
        jump_rate_hz=0.5,
        texture=(0.02, 0.08),
        blur_um=(0.5, 0.8),
    )
    scene = sample_scene(stream(0x6D656D6F, 3), (128, 128), moving)
    clip = render_clip(scene, list(range(0, 280, 7)))
    return clip.video.numpy(), clip.shifts.numpy(), clip.masks.numpy()


def iou(a, b):
    return float((a & b).sum() / max((a | b).sum(), 1))


def test_the_shipped_memory_follows_vessels_in_moving_tissue(wandering):
    """By memory alone, from the mask of the first frame: at chance it would do no better than a mask that stays."""
    video, shifts, masks = wandering
    predictor = SAM2MaskPredictor.from_pretrained("tiny", "cpu")
    state = predictor.init_state(video)
    for k, mask in enumerate(masks):
        predictor.add_new_mask(state, 0, k + 1, mask)
    found, stays = [], []
    for frame, _, logits in predictor.propagate_in_video(state):
        true = [to_recorded(m, *(round(float(d)) for d in shifts[frame])) for m in masks]
        found += [iou(logits[k, 0].numpy() > 0, m) for k, m in enumerate(true)]
        stays += [iou(masks[k], m) for k, m in enumerate(true)]
    assert np.mean(stays) < 0.75, "the tissue moves"
    assert np.mean(found) > 0.7 and np.mean(found) > np.mean(stays) + 0.08, (np.mean(found), np.mean(stays))


def test_the_shipped_memory_says_when_a_vessel_is_lost(wandering):
    """Every third frame is noise, a flat field, or turned and of another time; AUROC of presence, 0.5 at chance."""
    video, _, masks = wandering
    rng = np.random.default_rng(0)
    video, lost = video.copy(), np.arange(len(video)) % 3 == 2
    for n, frame in enumerate(np.flatnonzero(lost)):
        noise = rng.normal(0, 1, video.shape[1:])
        strange = (video.mean() + video.std() * noise, video.mean() + 0.02 * noise, video[-1 - frame][::-1].T)
        video[frame] = strange[n % 3]
    predictor = SAM2MaskPredictor.from_pretrained("tiny", "cpu")
    state = predictor.init_state(video)
    for k, mask in enumerate(masks):
        predictor.add_new_mask(state, 0, k + 1, mask)
    list(predictor.propagate_in_video(state))
    scores = np.array(
        [[float(track.followed[t].object_score) for t in range(1, len(video))] for track in state.tracks.values()]
    )
    seen, gone = scores[:, ~lost[1:]].ravel(), scores[:, lost[1:]].ravel()
    assert np.mean(seen[:, None] > gone[None]) > 0.9
