"""Full precision for flow, whatever a script asks of its networks: SAM 2's examples run all they call in bfloat16."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

import torch


class _OnDevice(Protocol):
    @property
    def device(self) -> torch.device: ...


_Self = TypeVar("_Self", bound=_OnDevice)
_Given = ParamSpec("_Given")
_Returned = TypeVar("_Returned")


@contextmanager
def exactly(device: torch.device) -> Iterator[None]:
    """Answer without gradients and without the caller's `torch.autocast`: it would tell 20 px to a tenth of one."""
    with torch.inference_mode(), torch.autocast(device.type, enabled=False):
        yield


def in_full_precision(
    method: Callable[Concatenate[_Self, _Given], _Returned],
) -> Callable[Concatenate[_Self, _Given], _Returned]:
    """Run a method of what has a ``device`` by `exactly`; none that yields, whose caller would work so in between."""

    @wraps(method)
    def precise(self: _Self, /, *args: _Given.args, **kwargs: _Given.kwargs) -> _Returned:
        with exactly(self.device):
            return method(self, *args, **kwargs)

    return precise


def in_own_precision(answers: list[torch.Tensor], model: torch.nn.Module) -> list[torch.Tensor]:
    """Features and answers that are kept, as precise as the weights: the next call may be outside an autocast."""
    dtype = next(model.parameters()).dtype
    return [answer.to(dtype) for answer in answers]
