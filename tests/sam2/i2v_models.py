"""SAM-I2V's public code with random weights, where a copy of it is at hand: its folder in the variable SAM_I2V.

Where none is, the names and shapes of its checkpoint and some of its answers are here as files, which
``SAM_I2V=folder python tests/sam2/i2v_models.py`` writes anew.
"""

import json
import math
import os
import shutil
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

CODE = os.environ.get("SAM_I2V")
SIZE = 128
NAMES = Path(__file__).with_name("i2v_names.txt")
ANSWERS = Path(__file__).with_name("i2v_answers.json")
PLACES = ((5, 5), (60, 40), (31, 100), (90, 64))
"""Rows and columns at which answers are kept."""


def published_shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors of a published checkpoint, for frames of 1024 px or less."""
    lines = (line.split() for line in NAMES.read_text(encoding="utf-8").splitlines())
    return {name: tuple(int(n) for n in shape) for name, *shape in lines}


def drawn(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    """A tensor that hangs on its name alone, of a size with which features neither vanish nor explode."""
    draws = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    if name.endswith("num_batches_tracked"):
        return torch.zeros((), dtype=torch.long)
    noise = torch.randn(shape, generator=draws)
    if len(shape) > 1:
        return noise / math.sqrt(max(math.prod(shape[1:]), 4))
    if name.endswith("running_var"):
        return 1 + 0.2 * noise.abs()
    # Seen, or no pointer and no memory would be compared; norms leave features about as they are.
    is_norm = name.endswith("weight")
    return 1 + 0.1 * noise if is_norm else 0.1 * noise + 3.0 * name.endswith("pred_obj_score_head.layers.2.bias")


def write_video(folder: Path, frames: int) -> str:
    """Folder of frames in colour, a bright square that moves."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for t in range(frames):
        frame = rng.integers(0, 80, (SIZE, SIZE, 3), dtype=np.uint8)
        frame[40:70, 20 + 3 * t : 50 + 3 * t] += np.array([120, 30, 80], np.uint8)
        Image.fromarray(frame).save(folder / f"{t:05d}.png")
    return str(folder)


def script(predictor, video: str, frames: int):
    """Clicks, a box and a mask in one frame, followed; a correction, followed again."""
    torch.manual_seed(123)  # what the public code draws from
    said = []

    def note(step):
        said.append((step[0], list(step[1]), step[2].float().clone()))

    state = predictor.init_state(video_path=video)
    one, two = np.array([[35, 55]], np.float32), np.array([[35, 55], [90, 100]], np.float32)
    note(predictor.add_new_points_or_box(state, 0, 7, points=one, labels=np.array([1], np.int32)))
    note(predictor.add_new_points_or_box(state, 0, 7, points=two, labels=np.array([1, 0], np.int32)))
    note(predictor.add_new_points_or_box(state, 0, 2, box=np.array([18, 38, 60, 72], np.float32)))
    mask = np.zeros((SIZE, SIZE), bool)
    mask[80:110, 10:60] = True
    note(predictor.add_new_mask(state, 0, 9, mask))
    for step in predictor.propagate_in_video(state):
        note(step)
    for number in (7, 2, 9):
        step = predictor.add_new_points_or_box(
            state, frames - 2, number, np.array([[60, 60]], np.float32), np.array([0], np.int32)
        )
        note(step)
    for step in predictor.propagate_in_video(state, start_frame_idx=frames - 3, max_frame_num_to_track=2):
        note(step)
    return said


def kept(said) -> list[list[list[float]]]:
    """Of each answer and object: logits at a few places, their mean and their spread."""
    rows = []
    for _, _, logits in said:
        spots = [[float(m[0, y, x]) for y, x in PLACES] for m in logits]
        rows.append([[*spot, float(m.mean()), float(m.std())] for spot, m in zip(spots, logits, strict=True)])
    return rows


def small_copy(folder: Path, size: int) -> Path:
    """A copy whose numbers for 1024 px, which stand in its source, are those for another size."""
    if CODE is None:
        pytest.skip("no copy of SAM-I2V's code: say where with SAM_I2V")
    shutil.copytree(Path(CODE) / "i2v", folder / "i2v")
    cells = str(size // 16)
    for name in ("modeling/backbones/tfi.py", "modeling/position_encoding.py", "i2v_video_predictor.py"):
        path = folder / "i2v" / name
        text = path.read_text(encoding="utf-8").replace("(64*64)", f"({cells}*{cells})")
        text = text.replace("(64, 64)", f"({cells}, {cells})").replace("!= 64", f"!= {cells}")
        text = text.replace("64 * 64", f"{cells} * {cells}").replace("4096", f"({cells} * {cells})")
        # Its way of repeating rotary positions on a processor asks for two dimensions more than they have.
        text = text.replace("if freqs_cis_k.is_cuda:", "if True:")
        path.write_text(text, encoding="utf-8")
    return folder


def build_public(folder: Path, size: int):
    """The public predictor with random weights; corrections count as prompts, as here."""
    from hydra.utils import instantiate
    from omegaconf import OmegaConf

    sys.path.insert(0, str(small_copy(folder, size)))
    config = OmegaConf.load(folder / "i2v/configs/i2v-infer.yaml").model
    cells = size // 16
    places = [config.memory_attention.layer.self_attention, config.memory_attention.layer.cross_attention]
    for part in (*places, config.memory_prompt_generator.cross_attention):
        part.feat_sizes = [cells, cells]
    config._target_ = "i2v.i2v_video_predictor.I2VVideoPredictor"
    config.image_size = config.image_encoder.trunk_image.img_size = size
    config.binarize_mask_from_pts_for_mem_enc = config.add_all_frames_to_correct_as_cond = True
    config.sam_mask_decoder_extra_args = {
        "dynamic_multimask_via_stability": True,
        "dynamic_multimask_stability_delta": 0.05,
        "dynamic_multimask_stability_thresh": 0.98,
    }
    model = instantiate(config, _recursive_=True)
    model.load_state_dict({name: drawn(name, tuple(t.shape)) for name, t in model.state_dict().items()})
    return model.eval()


def record() -> None:
    """Write the two files."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        public = build_public(folder / "code", SIZE)
        lines = (" ".join([n, *map(str, t.shape)]) for n, t in public.state_dict().items())
        NAMES.write_text("\n".join(lines) + "\n", encoding="utf-8")
        # Four frames: in later ones what is remembered is drawn at random.
        rows = kept(script(public, write_video(folder / "video", 4), 4))
        ANSWERS.write_text(json.dumps([[[round(x, 6) for x in r] for r in row] for row in rows]) + "\n")


if __name__ == "__main__":
    record()
