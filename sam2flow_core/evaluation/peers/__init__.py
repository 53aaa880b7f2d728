"""The methods users have today, each behind `PairMethod`."""

from __future__ import annotations

from sam2flow_core.evaluation.peers.prepare import remove_background
from sam2flow_core.evaluation.peers.protocol import PairMethod
from sam2flow_core.extras import require_extra

__all__ = ["PairMethod", "peer_methods", "remove_background"]


def peer_methods() -> tuple[PairMethod, ...]:
    """All two-frame peers this machine can run; RAFT-small only where its weights are at hand.

    Raises
    ------
    ExtraError
        If the packages of the ``peers`` extra are missing.
    """
    require_extra("peers", "comparing with classical methods")
    from sam2flow_core.evaluation.peers.opencv import Dis, Farneback
    from sam2flow_core.evaluation.peers.piv import OpenPiv
    from sam2flow_core.evaluation.peers.raft import RaftSmall, published_raft_weights
    from sam2flow_core.evaluation.peers.scikit import Ilk, TvL1
    from sam2flow_core.evaluation.peers.zero import ZeroFlow

    classical = (ZeroFlow(), Dis(), Farneback(), TvL1(), Ilk(), OpenPiv())
    weights = published_raft_weights()
    return classical if weights is None else (*classical, RaftSmall(weights))
