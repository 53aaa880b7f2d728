"""torchvision's RAFT-small (Teed and Deng, ECCV 2020)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import pad
from torchvision.models.optical_flow import Raft_Small_Weights, raft_small

from sam2flow_core.inference.pickled import fits, load_pickled


class RaftSmall:
    """RAFT-small from a file of weights, or with random weights where only its speed is asked.

    Parameters
    ----------
    weights : Path, optional
        A state dictionary of torchvision's ``raft_small``.
    name : str
        The method's name in the tables.
    device : torch.device or str
    """

    def __init__(self, weights: Path | None, name: str = "RAFT-small", device: torch.device | str = "cpu") -> None:
        self.name = name
        self._device = torch.device(device)
        self._net = raft_small(weights=None).eval()
        if weights is not None:
            with fits(weights):
                self._net.load_state_dict(load_pickled(weights))
        self._net.to(self._device)

    @torch.inference_mode()
    def flow(self, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `PairMethod.flow`."""
        height, width = first.shape
        flow = self._net(self._tensor(first), self._tensor(second))[-1]
        return flow[0, :, :height, :width].float().cpu().numpy()

    def _tensor(self, frame: NDArray[np.uint8]) -> torch.Tensor:
        image = torch.from_numpy(frame).to(self._device).float()[None, None] / 127.5 - 1
        height, width = frame.shape
        # The network needs a multiple of 8 and at least 128 px; more is repeated edge.
        grown = [max(128, -(-side // 8) * 8) - side for side in (height, width)]
        return pad(image, (0, grown[1], 0, grown[0]), mode="replicate").expand(-1, 3, -1, -1)


def published_raft_weights() -> Path | None:
    """The weights torchvision publishes, where the user has fetched them before; they are not fetched here."""
    file = Path(torch.hub.get_dir()) / "checkpoints" / Path(Raft_Small_Weights.C_T_V2.url).name
    return file if file.is_file() else None
