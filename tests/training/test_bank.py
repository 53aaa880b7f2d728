"""The bank: what a run sees depends on its seed and the number of clips before, never on what lies on the disk."""

import dataclasses
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from sam2flow_core.config.synthetic import BankConfig
from sam2flow_core.config.training import TRAINING, StageConfig
from sam2flow_core.synthetic.record import load_record
from sam2flow_core.training.bank import SceneBank
from sam2flow_core.training.clips import ClipStream
from sam2flow_core.training.filming import SyntheticScenes

BANK = BankConfig(side=96, run=6, moments=3, moment=2, first=2, reuse=2.0, scenes=3, workers=0)
CONFIG = dataclasses.replace(TRAINING["tiny"], bank=BANK)
STAGE = StageConfig(1.0, ((64, 1.0),), 1, False, 0.0, ("flow",), frames=4, scattered_pairs=3)


def clips(folder, batches, used=0):
    stream = ClipStream(SyntheticScenes(CONFIG, 7, folder), CONFIG, STAGE, seed=5, used=used).batches(2)
    found = [next(stream) for _ in range(batches)]
    stream.close()
    return found


def same(one, other):
    names = [f.name for f in fields(one) if f.name not in ("field", "first")]
    return all(torch.equal(getattr(one, n), getattr(other, n)) for n in names) and all(
        torch.equal(x, y) for x, y in zip(one.field, other.field, strict=True)
    )


def test_a_resumed_run_sees_what_an_undisturbed_one_sees(tmp_path):
    whole = clips(tmp_path / "whole", 4)
    clips(tmp_path / "half", 2)
    resumed, lost = clips(tmp_path / "half", 2, used=4), clips(tmp_path / "lost", 2, used=4)
    for expected, kept, anew in zip(whole[2:], resumed, lost, strict=True):
        assert all(same(a, b) for a, b in zip(expected, kept, strict=True)), "on the bank it left"
        assert all(same(a, b) for a, b in zip(expected, anew, strict=True)), "on an empty bank"


def test_no_more_scenes_are_kept_than_asked_for(tmp_path):
    bank, rng = SceneBank(BANK, 1, tmp_path), np.random.default_rng(0)
    drawn = set()
    for before in range(0, 16, 2):
        chosen = bank.choose(rng, before, 2)
        bank.scenes(chosen)
        drawn |= set(chosen)
        assert len(list(bank.folder.iterdir())) <= BANK.scenes
    assert max(drawn) > 5, "new scenes come in"


def test_other_settings_have_a_bank_of_their_own(tmp_path):
    one = SceneBank(BANK, 1, tmp_path)
    assert one.folder == SceneBank(dataclasses.replace(BANK, workers=4, reuse=9.0), 1, tmp_path).folder
    assert one.folder != SceneBank(dataclasses.replace(BANK, run=7), 1, tmp_path).folder
    assert one.folder != SceneBank(BANK, 2, tmp_path).folder


def test_workers_draw_what_one_process_draws(tmp_path):
    alone = SceneBank(BANK, 3, tmp_path / "alone")
    many = SceneBank(dataclasses.replace(BANK, workers=1), 3, tmp_path / "many")
    try:
        (one,), (other,) = alone.scenes([4]), many.scenes([4])
    finally:
        many.close()
    assert all(np.array_equal(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))


def test_a_passing_bank_leaves_nothing(tmp_path):
    bank = SceneBank(BANK, 1)
    bank.scenes([0])
    assert load_record(next(bank.folder.iterdir())).side == 96
    folder = bank.folder
    bank.close()
    assert bank.scenes([0, 1])[1].side == 96, "after a stage comes another"
    del bank
    assert not folder.parent.exists()


@pytest.mark.parametrize("parts", [("field",), ("flow",)])
def test_streams_of_a_seed_differ_by_rank(tmp_path, parts):
    stage = dataclasses.replace(STAGE, parts=parts)
    first, second = (
        next(ClipStream(SyntheticScenes(CONFIG, 7, tmp_path), CONFIG, stage, 5, rank=r).batches(1))[0] for r in (0, 1)
    )
    assert not same(first, second)


DRAW_AND_WAIT = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_bank import BANK, SceneBank, dataclasses
if __name__ == "__main__":
    bank = SceneBank(dataclasses.replace(BANK, workers=1), 3, Path(sys.argv[1]))
    bank.scenes([0])
    print(*bank._pool._processes, flush=True)
    time.sleep(60)
"""


def test_workers_end_when_the_run_is_killed(tmp_path):
    """Orphans would hold a core and a gigabyte until the machine is restarted."""
    (tmp_path / "draw.py").write_text(DRAW_AND_WAIT)
    command = [sys.executable, str(tmp_path / "draw.py"), str(tmp_path / "bank"), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        workers = [int(pid) for pid in run.stdout.readline().split()]
        run.kill()
    assert workers
    until = time.monotonic() + 20
    while any(psutil.pid_exists(pid) for pid in workers) and time.monotonic() < until:
        time.sleep(0.1)
    assert not any(psutil.pid_exists(pid) for pid in workers)
