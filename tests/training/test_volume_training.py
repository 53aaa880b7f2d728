"""Fine-tuning on annotated volumes: reading them, drawing clips and prompts, a step of each design, and following."""

import gzip
import json
import os
from dataclasses import replace

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from sam2flow_core.cli.main import status_of
from sam2flow_core.config.inference import InferenceSettings, Sam2Settings
from sam2flow_core.config.model import IMAGE_SAMS, PRESETS, ImageEncoderConfig, MaskConfig, MemoryConfig
from sam2flow_core.config.training import FinetuningSettings
from sam2flow_core.engine.propagation import dice, propagate_volumes, read_mask_prompts
from sam2flow_core.errors import DataError, ModelError, PromptError, StackError
from sam2flow_core.inference.automatic_masks import SAM2AutomaticMaskGenerator
from sam2flow_core.inference.build import (
    build_i2v_video_predictor,
    build_sam2,
    build_sam2_video_predictor,
    load_predictor,
)
from sam2flow_core.inference.image_predictor import SAM2ImagePredictor
from sam2flow_core.inference.mask_predictor import SAM2MaskPredictor
from sam2flow_core.inference.sam2_inputs import as_unit, normalise
from sam2flow_core.inference.weights import load_model, save_weights
from sam2flow_core.model.prompt_encoder import NEGATIVE, PADDING, POSITIVE
from sam2flow_core.model.sam2flow import SAM2Flow
from sam2flow_core.stack.volumes import find_volume, read_volumes
from sam2flow_core.training.clicks import centre_clicks
from sam2flow_core.training.initial_weights import with_memory
from sam2flow_core.training.slice_changes import changed_clip
from sam2flow_core.training.volume_training import (
    ClipPlan,
    FinetuningRequest,
    SliceFollowing,
    VolumeClips,
    _block,
    _optimiser,
    draw_plan,
    finetune,
)

SLICES, HEIGHT, WIDTH, SIDE = 6, 40, 56, 64
FAST = ["resolution=64", "num_frames=3", "max_num_objects=2", "num_correction_pt_per_frame=1", "region_loss=balanced"]


def labels_of(t):
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[8:20, 5 + 2 * t : 20 + 2 * t] = 1
    labels[25:35, 30:45] = 3
    return labels


def write(data, nifti=False):
    truth = np.stack([labels_of(t) for t in range(SLICES)])
    shown = truth * 60 + 40
    if nifti:
        import nibabel

        for kind, volume in (("images", shown), ("masks", truth)):
            (data / kind).mkdir(parents=True)
            picture = nibabel.Nifti1Image(volume.transpose(2, 1, 0).astype(np.int16), np.diag([2.0, 2.0, 5.0, 1.0]))
            nibabel.save(picture, data / kind / "liver.nii.gz")
    else:
        for t in range(SLICES):
            for kind, ending, volume in (("images", "jpg", shown), ("masks", "png", truth)):
                (data / kind / "liver").mkdir(parents=True, exist_ok=True)
                Image.fromarray(volume[t]).save(data / kind / "liver" / f"{t:05d}.{ending}")
    for name in ("train.txt", "test.txt"):
        (data / name).write_text("liver\n")
    return data


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    image = ImageEncoderConfig(24, 1, (1, 1, 1, 1), (), (8, 4, 8, 4), None, adapter_dim=0)
    mask = MaskConfig(64, 4, 64, 1, 16, 32, 1, 64, 6, 8, as_sam2=True)
    return SAM2Flow(replace(PRESETS["small"], image=image, mask=mask, use_flow=False))


@pytest.fixture(scope="module")
def start(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "start.safetensors"
    save_weights(path, network, {"image_size": SIDE}, torch.float32)
    return path


@pytest.mark.parametrize("nifti", [False, True], ids=["slices", "nifti"])
def test_volumes_are_read(nifti, tmp_path):
    (volume,) = read_volumes(write(tmp_path, nifti), "train.txt")
    with volume.open() as stack:
        assert stack.shape == (SLICES, HEIGHT, WIDTH)
        assert np.abs(stack.frame(2).astype(float) - labels_of(2) * 60 - 40).mean() < 3
    assert (volume.labels(3) == labels_of(3)).all() and volume.labels().shape == (SLICES, HEIGHT, WIDTH)
    assert volume.slice_names[2] == "00002"
    for wrong in ("none.txt", "images"):
        with pytest.raises(DataError):
            read_volumes(tmp_path, wrong)
    for slice_number in (SLICES, 10**30):
        with pytest.raises(DataError, match="no slice"):
            volume.labels(slice_number)
    for name in ("heart", "../liver", "..", ""):
        with pytest.raises(DataError, match="volume"):
            find_volume(tmp_path, name)


def test_plans_are_drawn_as_often_as_the_settings_say():
    rng = np.random.default_rng(0)
    settings = FinetuningSettings(prob_to_use_pt_input_for_train=0.6, prob_to_use_box_input_for_train=0.25)
    plans = [draw_plan(8, settings, rng) for _ in range(4000)]
    share = {kind: np.mean([p.kind == kind for p in plans]) for kind in ("mask", "box", "click")}
    assert share == pytest.approx({"mask": 0.4, "box": 0.15, "click": 0.45}, abs=0.03)
    assert all(0 in p.prompted and len(p.prompted) <= 2 for p in plans)
    assert np.mean([len(p.prompted) == 2 for p in plans]) == pytest.approx(0.5, abs=0.03)
    assert all((not p.corrected) == (p.kind == "mask") and (not p.corrected or 0 in p.corrected) for p in plans)
    fixed = FinetuningSettings(num_init_cond_frames_for_train=3, rand_init_cond_frames_for_train=False)
    assert len(draw_plan(8, fixed, rng).prompted) == 3


def test_settings_by_name():
    changed = FinetuningSettings().with_values(
        ["num_frames=4", "base_lr=1e-3", "rand_frames_to_correct_for_train=false"]
    )
    assert (changed.num_frames, changed.base_lr, changed.rand_frames_to_correct_for_train) == (4, 1e-3, False)
    for wrong in (
        "frames=3", "num_frames=many", "resolution=100", "num_frames=1", "region_loss=l2", "base_lr=nan", "base_lr=-1",
        "vision_lr=inf", "prob_to_use_pt_input_for_train=2", "num_correction_pt_per_frame=-1", "clip_gradient=0",
        "num_frames=999999999", "resolution=1048576", "num_init_cond_frames_for_eval=0", "layer_decay_value=1.5",
        "random_horizontal_flip=-0.1", "random_affine_shear=90", "pt_sampling_for_eval=edge",
    ):  # fmt: skip
        with pytest.raises(DataError):
            FinetuningSettings().with_values([wrong])


def test_clips_begin_where_something_is_marked(tmp_path):
    settings = FinetuningSettings().with_values(FAST)
    clips = VolumeClips(read_volumes(write(tmp_path), "train.txt"), settings, torch.device("cpu"))
    rng = np.random.default_rng(0)
    for _ in range(5):
        clip = clips.draw(rng)
        assert clip.images.shape == (3, 3, SIDE, SIDE) and clip.truth.shape == (3, 2, SIDE, SIDE)
        assert clip.truth[0].flatten(1).any(1).all()
    clips.close()


@pytest.mark.parametrize("kind", ["mask", "box", "click"])
@pytest.mark.parametrize("design", ["recent", "short-long", "relevant", "gated", "associated"])
def test_memory_learns_from_what_it_finds(network, design, kind, tmp_path):
    """The gradient of the last slice reaches what wrote the memory of the first."""
    settings = FinetuningSettings().with_values(FAST)
    model = with_memory(network, MemoryConfig(design))
    with torch.no_grad():
        model.mask_decoder.pred_obj_score_head.layers[-1].bias.fill_(3.0)  # seen, so that memory is read
    clips = VolumeClips(read_volumes(write(tmp_path), "train.txt"), settings, torch.device("cpu"))
    plan = ClipPlan(frozenset({0}), frozenset() if kind == "mask" else frozenset({0, 1}), kind)
    clip = clips.draw(np.random.default_rng(1))
    loss, found = SliceFollowing(model, clip, plan, settings, np.random.default_rng(2)).run()
    loss.backward()
    assert 0 <= found <= 1
    for part in ("context_memory.memory_encoder", "mask_decoder", "image_encoder.trunk"):
        grads = [p.grad for n, p in model.named_parameters() if n.startswith(part) and p.grad is not None]
        assert any(g.abs().sum() > 0 for g in grads), part


def test_an_image_only_sam_learns_videos_and_keeps_what_it_knows_of_pictures(tmp_path):
    """As SAM-I2V does it: from MobileSAM's shape, image weights frozen, clips mixed with single slices."""
    torch.manual_seed(0)
    pictures = SAM2Flow(IMAGE_SAMS["mobile-sam"])
    save_weights(tmp_path / "start.safetensors", pictures, {}, torch.float32)
    settings = FinetuningSettings().with_values(
        [*FAST, "vision_lr=0", "base_lr=1e-3", "prob_to_use_single_image_for_train=0.5"]
    )
    request = FinetuningRequest(
        read_volumes(write(tmp_path / "data"), "train.txt"), str(tmp_path / "start.safetensors"),
        tmp_path / "tuned.safetensors", MemoryConfig("associated"), settings, steps=2, device="cpu",
    )  # fmt: skip
    with pytest.raises(ModelError, match="--memory associated"):
        next(finetune(replace(request, memory=MemoryConfig("short-long"))))
    assert all(np.isfinite(said.loss) for said in finetune(request))
    predictor = build_i2v_video_predictor("", tmp_path / "tuned.safetensors", device="cpu")
    assert predictor.settings.sam2.image_size == SIDE
    before, after = pictures.state_dict(), predictor.model.state_dict()
    same = {name for name in before if torch.equal(before[name], after[name])}
    assert {name for name in before if name.startswith("image_encoder.")} <= same
    assert any(name.startswith("mask_decoder.") for name in before if name not in same)
    state = predictor.init_state(tmp_path / "data" / "images" / "liver")
    predictor.add_new_mask(state, 0, 1, labels_of(0) == 1)
    assert len(list(predictor.propagate_in_video(state))) == SLICES


def test_every_part_that_sam_i2v_adds_learns(tmp_path):
    torch.manual_seed(0)
    model = with_memory(SAM2Flow(IMAGE_SAMS["mobile-sam"]), MemoryConfig("associated")).train()
    with torch.no_grad():
        model.mask_decoder.pred_obj_score_head.layers[-1].bias.fill_(3.0)
    settings = FinetuningSettings().with_values(FAST)
    clips = VolumeClips(read_volumes(write(tmp_path), "train.txt"), settings, torch.device("cpu"))
    clip, optimiser = clips.draw(np.random.default_rng(1)), torch.optim.SGD(model.parameters(), 1e-2)
    plan, losses = ClipPlan(frozenset({0}), frozenset(), "mask"), []
    for _ in range(2):
        loss, _ = SliceFollowing(model, clip, plan, settings, np.random.default_rng(2)).run()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        losses.append(loss.item())
    assert losses[1] < losses[0]
    for part in ("integrator", "generator", "memory_encoder", "obj_ptr_proj"):
        grads = [p.grad for n, p in model.named_parameters() if part in n and p.grad is not None]
        assert any(g.abs().sum() > 0 for g in grads), part


def test_single_slices_are_learned_by_clicks(tmp_path):
    settings = FinetuningSettings().with_values(
        [*FAST, "prob_to_use_single_image_for_train=1", "prob_to_use_pt_input_for_train=0"]
    )
    clips = VolumeClips(read_volumes(write(tmp_path), "train.txt"), settings, torch.device("cpu"))
    rng = np.random.default_rng(0)
    assert len(clips.draw(rng).images) == 1
    plan = draw_plan(1, settings, rng)
    assert plan.prompted == plan.corrected == {0} and plan.kind in ("box", "click")


def test_from_the_command_line_to_masks(start, tmp_path, capsys):
    data = write(tmp_path / "data")
    out = tmp_path / "tuned.safetensors"
    options = [x for text in [*FAST, "base_lr=1e-3", "vision_lr=0"] for x in ("--set", text)]
    call = ["finetune", str(data), "--start", str(start), "--memory", "short-long", "--steps", "2", "--out", str(out)]
    assert status_of([*call, "--device", "cpu", *options]) == 0
    model, description = load_model(str(out))
    assert model.config.mask.memory.design == "short-long" and description["notes"]["image_size"] == SIDE
    before, after = load_model(str(start))[0].state_dict(), model.state_dict()
    changed = {n.split(".")[0] for n in before if not torch.equal(before[n], after[n])}
    assert "image_encoder" not in changed and {"mask_decoder", "context_memory"} <= changed
    (tmp_path / "prompts.json").write_text(json.dumps({"liver": 2}))
    follow = ["propagate", str(data), "--mask-prompts", str(tmp_path / "prompts.json"), "--model", str(out)]
    for form in ("png", "tiff", "nifti"):
        folder = tmp_path / form
        assert status_of([*follow, "--format", form, "--out", str(folder), "--device", "cpu"]) == 0
        assert "Dice 1: 0." in capsys.readouterr().out
    assert (np.array(Image.open(tmp_path / "png" / "liver" / "00002.png")) == labels_of(2)).all()
    assert len(list((tmp_path / "png" / "liver").iterdir())) == SLICES
    volume = tifffile.imread(tmp_path / "tiff" / "liver.tif")
    assert volume.shape == (SLICES, HEIGHT, WIDTH) and (volume[2] == labels_of(2)).all()
    capsys.readouterr()
    assert status_of([*follow, "--format", "tiff", "--out", str(tmp_path / "tiff")]) == 2
    assert "is there already" in capsys.readouterr().err
    for wrong in (["--start", "tiny"], ["--start", str(start), "--list", "none.txt"], ["--start", "x.pt"]):
        assert status_of(["finetune", str(data), "--out", str(tmp_path / "w.safetensors"), *wrong, "--steps", "1"]) == 2


def test_slm_sam2s_script_for_inference_runs(network, tmp_path):
    """Its `inference.py` but for the import: an 8-bit mask of 0 and 1, ``recent_n``, forwards and back in time."""
    path = tmp_path / "slm.safetensors"
    save_weights(path, with_memory(network, MemoryConfig("short-long")), {"image_size": SIDE}, torch.float32)
    data = write(tmp_path / "data")
    predictor = build_sam2_video_predictor("configs/sam2.1/slm_sam2_hiera_t.yaml", path)
    predictor.eval()
    inference_state = predictor.init_state(video_path=str(data / "images" / "liver"))
    given = np.array(np.array(Image.open(data / "masks" / "liver" / "00002.png")) == 1, dtype=np.uint8)
    _, ids, logits = predictor.add_new_mask(inference_state=inference_state, frame_idx=2, obj_id=1, mask=given)
    assert ids == [1] and dice(np.squeeze((logits[0] > 0).cpu().numpy()), given > 0) > 0.9
    segments = {}
    for more in ({}, {"reverse": True}):
        for frame, ids, logits in predictor.propagate_in_video(inference_state, start_frame_idx=2, recent_n=1, **more):
            segments[frame] = {i: (logits[k] > 0).cpu().numpy() for k, i in enumerate(ids)}
    assert sorted(segments) == list(range(SLICES)) and segments[0][1].shape == (1, HEIGHT, WIDTH)
    assert predictor.model.context_memory.design.short == MemoryConfig().short_frames
    with pytest.raises(PromptError, match="1 or more"):
        next(predictor.propagate_in_video(inference_state, recent_n=0))
    plain = SAM2MaskPredictor(network, torch.device("cpu"), {})
    state = plain.init_state(str(data / "images" / "liver"))
    plain.add_new_mask(state, 2, 1, given)
    with pytest.raises(PromptError, match="leave it out"):
        next(plain.propagate_in_video(state, recent_n=1))


def test_sam_i2vs_call_takes_weights_with_its_memory(network, start, tmp_path):
    path = tmp_path / "i2v.safetensors"
    save_weights(path, with_memory(network, MemoryConfig("relevant")), {"image_size": SIDE}, torch.float32)
    predictor = build_i2v_video_predictor("./i2v/configs/i2v-infer.yaml", path, device="cpu")
    state = predictor.init_state(np.stack([labels_of(t) * 60 for t in range(SLICES)]))
    _, object_ids, masks = predictor.add_new_points_or_box(state, 0, 1, points=[[10, 12]], labels=[1])
    assert object_ids == [1] and masks.shape == (1, 1, HEIGHT, WIDTH)
    assert [frame for frame, _, _ in predictor.propagate_in_video(state)] == list(range(SLICES))
    with pytest.raises(ModelError, match="its memory is 'recent'"):
        build_i2v_video_predictor("", start)


class Keeps:
    """A predictor that says that everything stays where it was given."""

    def init_state(self, stack):
        return {"stack": stack}

    def add_new_mask(self, state, frame, object_id, mask):
        state[object_id] = mask

    def follow_masks(self, state):
        ids = [k for k in state if k != "stack"]
        rows = torch.from_numpy(np.stack([state[k] for k in ids])[:, None] * 2.0 - 1)
        return ((t, ids, rows) for t in range(len(state["stack"])))


def test_nifti_keeps_its_place_and_dice_is_of_the_other_slices(tmp_path):
    import nibabel

    data = write(tmp_path / "data", nifti=True)
    (done,) = propagate_volumes(Keeps(), data, {"liver": 0}, tmp_path / "out", "nifti")
    assert done.dice[3] == 1.0
    # The first body is 15 px wide and moves by 2 px a slice: 13, 11, 9, 7 and 5 columns are shared.
    assert done.dice[1] == pytest.approx(np.mean([13, 11, 9, 7, 5]) / 15)
    written = nibabel.load(tmp_path / "out" / "liver.nii.gz")
    assert written.shape == (WIDTH, HEIGHT, SLICES) and np.allclose(written.affine, np.diag([2, 2, 5, 1]))
    assert (np.asarray(written.dataobj).transpose(2, 1, 0)[0] == labels_of(0)).all()
    assert dice(np.zeros(3, bool), np.zeros(3, bool)) == 1.0
    with pytest.raises(DataError, match="no slice 9"):
        list(propagate_volumes(Keeps(), write(tmp_path / "more"), {"liver": 9}, None))
    (tmp_path / "p.json").write_text('{"liver": "2"}')
    from sam2flow_core.engine.propagation import read_mask_prompts

    with pytest.raises(PromptError, match="slice of each volume"):
        read_mask_prompts(tmp_path / "p.json")


@pytest.mark.parametrize(
    ("place", "same"),
    [
        (np.diag([2.0, 2.0, 5.0, 1.0]), True),
        (np.diag([2.0004, 2.0, 5.0, 1.0]), True),  # rounded
        (np.eye(4), True),  # says nothing
        (np.diag([-2.0, 2.0, 5.0, 1.0]), False),  # mirrored
        (np.array([[2.0, 0, 0, 4], [0, 2, 0, 0], [0, 0, 5, 0], [0, 0, 0, 1]]), False),  # moved by two voxels
        (np.array([[0, 2.0, 0, 0], [2, 0, 0, 0], [0, 0, 5, 0], [0, 0, 0, 1]]), False),  # axes exchanged
    ],
)
def test_masks_that_lie_otherwise_in_space_are_refused(tmp_path, place, same):
    """Their arrays were laid on each other, so that what was learned and scored lay beside what is marked."""
    import nibabel

    data = write(tmp_path / "data", nifti=True)
    path = data / "masks" / "liver.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.asanyarray(nibabel.load(path).dataobj).copy(), place), path)
    volume = find_volume(data, "liver")
    if same:
        assert volume.labels().shape == (SLICES, HEIGHT, WIDTH)
    else:
        with pytest.raises(DataError, match="lies otherwise in space"):
            volume.labels(0)


def test_a_run_that_is_stopped_leaves_its_weights(start, tmp_path):
    settings = FinetuningSettings().with_values(FAST)
    out = tmp_path / "w.safetensors"
    volumes = read_volumes(write(tmp_path / "data"), "train.txt")
    running = finetune(FinetuningRequest(tuple(volumes), str(start), out, None, settings, minutes=60, device="cpu"))
    next(running)
    running.close()
    assert load_model(str(out))[1]["notes"]["finetuning_steps"] == 1


@pytest.mark.parametrize("ending", ["png", "jpg", "tif"])
def test_slices_and_masks_belong_together_however_they_are_numbered(ending, tmp_path):
    """``10`` comes after ``9``, for pictures, masks and results alike."""
    for kind in ("images", "masks"):
        (tmp_path / kind / "liver").mkdir(parents=True)
    for t in range(12):
        Image.fromarray(labels_of(t) * 60 + 40).save(tmp_path / "images" / "liver" / f"{t + 1}.{ending}")
        Image.fromarray(labels_of(t)).save(tmp_path / "masks" / "liver" / f"{t + 1}.png")
    volume = find_volume(tmp_path, "liver")
    assert volume.slice_names == [str(t + 1) for t in range(12)]
    with volume.open() as stack:
        for t in range(12):
            assert np.abs(stack.frame(t).astype(float) - volume.labels(t) * 60.0 - 40).mean() < 3


def test_a_list_of_names_as_people_write_it(tmp_path):
    write(tmp_path)
    for kind in ("images", "masks"):
        (tmp_path / kind / "liver").rename(tmp_path / kind / "my liver")
    (tmp_path / "train.txt").write_bytes(b"\xef\xbb\xbfmy liver\r\n\r\nmy liver\r\n")
    assert [v.name for v in read_volumes(tmp_path, "train.txt")] == ["my liver"]
    os.mkfifo(tmp_path / "pipe.txt")
    for name, content in (("a.txt", b"../liver\n"), ("b.txt", b"\xff\xfel\0"), ("c.txt", b"\n"), ("pipe.txt", None)):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError):
            read_volumes(tmp_path, name)


def test_mask_prompts_as_others_write_them(tmp_path):
    path = tmp_path / "prompts.json"
    path.write_bytes(b'\xef\xbb\xbf{"liver": 2}')
    assert read_mask_prompts(path) == {"liver": 2}
    for content in (
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b'{"liver": 2.0}',
        b'{"liver": true}',
        b"{}",
        b'{"liv\xe9r": 2}',
    ):
        path.write_bytes(content)
        with pytest.raises(PromptError):
            read_mask_prompts(path)
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(PromptError):
        read_mask_prompts(tmp_path / "pipe.json")


@pytest.mark.parametrize("nifti", [False, True], ids=["picture", "nifti"])
def test_a_volume_of_one_slice_is_a_picture_to_learn_from(nifti, tmp_path):
    write(tmp_path, nifti)
    if nifti:
        import nibabel

        for kind in ("images", "masks"):
            path = tmp_path / kind / "liver.nii.gz"
            one = np.asanyarray(nibabel.load(path).dataobj)[..., 2:3]
            nibabel.save(nibabel.Nifti1Image(one, np.eye(4)), path)
    else:
        for path in tmp_path.glob("*/liver/*"):
            if path.stem != "00002":
                path.unlink()
    (volume,) = read_volumes(tmp_path, "train.txt")
    clips = VolumeClips([volume], FinetuningSettings().with_values(FAST), torch.device("cpu"))
    clip = clips.draw(np.random.default_rng(0))
    clips.close()
    assert clip.images.shape == (1, 3, SIDE, SIDE) and clip.truth[0].flatten(1).any(1).all()


def test_volumes_are_tried_before_and_after(start, tmp_path, capsys):
    """By the settings for evaluation; what is tried is not learned from."""
    data, out = write(tmp_path / "data"), tmp_path / "tuned.safetensors"
    more = [x for text in [*FAST, "base_lr=1e-3", "prob_to_use_pt_input_for_eval=1"] for x in ("--set", text)]
    call = ["finetune", str(data), "--start", str(start), "--out", str(out), "--steps", "1", "--device", "cpu", *more]
    assert status_of([*call, "--evaluate", "test.txt"]) == 0
    said = capsys.readouterr().out
    assert "in 1 volumes of test.txt, before: 0." in said and "in 1 volumes of test.txt, after: 0." in said
    plain = tmp_path / "plain.safetensors"
    assert status_of([str(plain) if x == str(out) else x for x in call]) == 0
    one, other = (load_model(str(p))[0].state_dict() for p in (out, plain))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_network_is_tried_by_clicks_into_the_middle():
    settings = FinetuningSettings(prob_to_use_pt_input_for_eval=1.0, num_frames_to_correct_for_eval=2)
    plan = draw_plan(8, settings, np.random.default_rng(0), evaluating=True)
    assert plan.kind == "click" and plan.prompted == {0} and len(plan.corrected) == 2 and 0 in plan.corrected
    assert draw_plan(8, FinetuningSettings(), np.random.default_rng(0), evaluating=True).kind == "mask"
    truth, found = torch.zeros(3, 32, 32), torch.zeros(3, 32, 32)
    truth[0, 4:15, 6:17] = truth[1, 4:15, 6:17] = truth[2, 4:15, 6:17] = 1
    found[1] = found[2] = truth[1]
    found[1, 20:27, 20:27] = 1
    points, labels = centre_clicks(truth, found)
    assert points[:2, 0].tolist() == [[11, 9], [23, 23]] and labels[:, 0].tolist() == [POSITIVE, NEGATIVE, PADDING]


OFF = {
    name: 0.0 for name in FinetuningSettings.__dataclass_fields__ if name.startswith(("random_", "color_", "frame_j"))
}


def test_clips_change_as_the_settings_say():
    """Masks go with their pictures, and nothing is drawn for what is off."""
    truth = torch.zeros(2, 1, 64, 64)
    truth[:, :, 20:40, 10:30] = 1
    unit = 0.2 + 0.5 * truth * torch.tensor([1.0, 0.5, 0.2])[:, None, None]
    images, rng = normalise(unit), np.random.default_rng(0)
    same, masks = changed_clip(images, truth, FinetuningSettings(**OFF), rng)
    assert same is images and masks is truth and rng.random() == np.random.default_rng(0).random()

    def change(**chosen):
        found, masks = changed_clip(images, truth, FinetuningSettings(**OFF | chosen), np.random.default_rng(1))
        return as_unit(found), masks

    flipped, masks = change(random_horizontal_flip=1.0)
    assert torch.allclose(flipped, unit.flip(-1), atol=1e-5) and torch.equal(masks, truth.flip(-1))
    turned, masks = change(random_affine_degrees=25.0, random_affine_shear=20.0)
    assert set(masks.unique().tolist()) == {0, 1} and not torch.equal(masks, truth)
    inside = masks[:, 0] > 0.5
    assert (turned[:, 0][inside].mean() - 0.7).abs() < 0.03, "the picture was turned as its mask was"
    grey, masks = change(random_grayscale=1.0)
    assert torch.equal(masks, truth) and torch.allclose(grey[:, 0], grey[:, 2], atol=1e-6)
    whole, _ = change(color_jitter_brightness=0.5)
    each, _ = change(frame_jitter_brightness=0.5)
    assert not torch.allclose(whole, unit, atol=1e-3) and torch.allclose(whole[0], whole[1])
    assert not torch.allclose(each[0], each[1], atol=1e-3)
    corner = torch.zeros_like(truth)
    corner[:, :, :4, :4] = 1
    wild = FinetuningSettings(**OFF | {"random_affine_degrees": 180.0})
    drawn = [changed_clip(images, corner, wild, np.random.default_rng(seed)) for seed in range(8)]
    assert all(masks[0].any() for _, masks in drawn), "turned out of sight, an object would teach nothing"
    assert 0 < sum(masks is corner for _, masks in drawn) < 8


def test_deeper_blocks_of_the_image_encoder_learn_faster(network):
    """Rates by layer as SAM 2's ``layer_decay_param_modifier`` makes them: positions keep the whole rate."""
    settings = FinetuningSettings(vision_lr=1.0, base_lr=3.0, layer_decay_value=0.5)
    names = {id(p): name for name, p in network.named_parameters()}
    rates = {names[id(p)]: g["peak"] for g in _optimiser(network, settings).param_groups for p in g["params"]}
    blocks = 4
    for k in range(blocks):
        assert rates[f"image_encoder.trunk.blocks.{k}.attn.qkv.weight"] == 0.5 ** (blocks - k)
    assert rates["image_encoder.trunk.patch_embed.proj.weight"] == 0.5 ** (blocks + 1)
    assert rates["image_encoder.neck.0.weight"] == 1.0 and _block("image_encoder.trunk.pos_embed") is None
    assert rates["mask_decoder.iou_token.weight"] == 3.0


def test_losses_that_are_no_numbers_are_said(start, tmp_path, monkeypatch):
    request = FinetuningRequest(
        read_volumes(write(tmp_path / "data"), "train.txt"), str(start), tmp_path / "w.safetensors",
        settings=FinetuningSettings().with_values(FAST), steps=1, device="cpu",
    )  # fmt: skip
    spoilt = "sam2flow_core.training.volume_training.mask_loss"
    monkeypatch.setattr(spoilt, lambda decoded, *_: decoded.logits.sum() * float("nan"))
    with pytest.raises(DataError, match="nothing was learned"):
        list(finetune(request))
    assert not (tmp_path / "w.safetensors").exists()


def test_weights_that_learned_nothing_are_not_written(start, tmp_path, monkeypatch, capsys):
    data = write(tmp_path / "data")
    arguments = ["finetune", str(data), "--start", str(start), "--out", str(tmp_path / "new" / "w.safetensors")]

    def fail(*_):
        raise StackError("00003.jpg: this frame is cut off")

    monkeypatch.setattr(VolumeClips, "draw", fail)
    assert status_of([*arguments, "--device", "cpu", *(part for each in FAST for part in ("--set", each))]) == 2
    assert "cut off" in capsys.readouterr().err and not (tmp_path / "new").exists()


@pytest.mark.parametrize("kind", ["no mask of a slice", "a mask of another size", "all masks of another size"])
def test_masks_that_do_not_fit_their_slices_are_refused_before_anything_is_made(start, tmp_path, capsys, kind):
    data = write(tmp_path / "data")
    masks = sorted((data / "masks" / "liver").iterdir())
    if kind == "no mask of a slice":
        masks[3].unlink()
    for path in masks[3:4] if kind == "a mask of another size" else masks if kind.startswith("all") else ():
        Image.new("L", (WIDTH + 1, HEIGHT), 1).save(path)
    out = tmp_path / "new" / "w.safetensors"
    assert status_of(["finetune", str(data), "--start", str(start), "--out", str(out), "--device", "cpu"]) == 2
    said = {"no": "00003.png: no such file; every slice", "a": "masks must be of one size", "all": "slices of"}
    assert said[kind.split()[0]] in capsys.readouterr().err and not out.parent.exists()


def test_one_recording_is_followed_at_the_size_of_fine_tuned_weights(start):
    settings = replace(InferenceSettings(), sam2=Sam2Settings(remembered_frames=8))
    assert load_predictor(str(start), "cpu", settings).settings.sam2 == Sam2Settings(SIDE, remembered_frames=8)
    other = replace(settings, sam2=Sam2Settings(image_size=96))
    assert load_predictor(str(start), "cpu", other).settings.sam2.image_size == 96
    assert SAM2ImagePredictor.from_pretrained(str(start), device="cpu").side == SIDE


def test_masks_that_are_only_called_png_are_refused(tmp_path):
    """JPEG makes other labels of labels, and nothing said so."""
    write(tmp_path)
    Image.fromarray(labels_of(1)).save(tmp_path / "masks" / "liver" / "00001.png", format="JPEG")
    (volume,) = read_volumes(tmp_path, "train.txt")
    with pytest.raises(DataError, match=r"00001\.png: no PNG file"):
        volume.labels()


def test_what_cannot_be_read_is_told_once_in_words(tmp_path, capfd):
    write(tmp_path, nifti=True)
    with pytest.raises(DataError, match=r"none\.txt: cannot be read \(No such file or directory\)"):
        read_volumes(tmp_path, "none.txt")
    (tmp_path / "latin.txt").write_bytes(b"f\xfc\xdfe\n")
    with pytest.raises(DataError, match="it is no text in UTF-8"):
        read_volumes(tmp_path, "latin.txt")
    (volume,) = read_volumes(tmp_path, "train.txt")
    content = bytearray(gzip.decompress(volume.images.read_bytes()))
    volume.images.write_bytes(gzip.compress(content[:70] + b"\x0f\x27" + content[72:]))  # of no data type
    with pytest.raises(DataError, match=r"liver\.nii\.gz: cannot be read as NIfTI \(data code 9999"):
        volume.open()
    assert not any(capfd.readouterr())
    content[352:] = bytes(len(content) - 352)
    volume.images.write_bytes(gzip.compress(content))
    with pytest.raises(StackError, match=r"liver\.nii\.gz: every pixel"):
        volume.open()


def test_pictures_are_asked_at_the_size_of_fine_tuning_however_the_network_was_loaded(start):
    model = build_sam2("", start, device="cpu")
    predictors = [
        SAM2ImagePredictor(model),
        SAM2ImagePredictor.from_pretrained(str(start), device="cpu"),
        SAM2AutomaticMaskGenerator(model).predictor,
        SAM2AutomaticMaskGenerator.from_pretrained(str(start), device="cpu").predictor,
    ]
    assert [predictor.side for predictor in predictors] == [SIDE] * 4


def test_scripts_that_run_partly_in_bfloat16(start):
    """SAM 2's examples enter an autocast for a part of their calls, and make generators without postprocessing."""
    picture = np.random.default_rng(0).integers(0, 255, (40, 50, 3), np.uint8)
    model = build_sam2("", start, device="cpu", apply_postprocessing=False)
    predictor = SAM2ImagePredictor(model)
    assert not predictor.settings.steady_masks and not SAM2AutomaticMaskGenerator(model).predictor.settings.steady_masks
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        predictor.set_image(picture)
        _, _, logits = predictor.predict([[20, 20]], [1])
    masks, _, _ = predictor.predict([[20, 20]], [1], mask_input=logits[:1], multimask_output=False)
    assert masks.shape == (1, 40, 50)
    follower = load_predictor(str(start), "cpu")
    state = follower.init_state(np.stack([picture[..., 0]] * 3))
    follower.add_new_points_or_box(state, 0, 1, points=[[20, 20]], labels=[1])
    with torch.autocast("cpu", torch.bfloat16):
        assert len(list(follower.propagate_in_video(state))) == 3
    follower.add_new_points_or_box(state, 2, 1, points=[[30, 20]], labels=[1])
    assert len(list(follower.propagate_in_video(state))) == 3
