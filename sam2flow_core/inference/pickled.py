"""Files that ``torch.save`` wrote, read without running what is in them and without unpacking more than they are."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from sam2flow_core.errors import ModelError, Sam2FlowError
from sam2flow_core.untrusted import one_line


def load_pickled(path: Path) -> Mapping[str, Any]:
    """Table of tensors and plain values in a file; nothing else is let in, and no code in it is run.

    Raises
    ------
    ModelError
        If the file is missing, damaged, or holds anything else.
    """
    if not path.is_file():
        raise ModelError("{path}: no such weights file", path=path)
    _check_packing(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise ModelError(
            "{path}: holds more than weights, or is damaged; it was refused and nothing in it was "
            "run. Fetch the file anew from where it comes from",
            path=path,
        ) from None
    except Exception:  # whatever the reader raises on a damaged file
        raise ModelError("{path}: cannot be read as a checkpoint; the download may be incomplete", path=path) from None
    if not isinstance(content, Mapping):
        raise ModelError("{path}: cannot be read as a checkpoint; it holds no table", path=path)
    return content


@contextmanager
def fits(path: Path) -> Iterator[None]:
    """Turn whatever the block raises while it puts values of a file in place into a `ModelError`."""
    try:
        yield
    except Sam2FlowError:
        raise
    except Exception as error:
        raise ModelError(
            "{path}: does not fit this program, or is damaged ({error})", path=path, error=one_line(str(error))
        ) from None


def require_finite(path: Path, values: Mapping[str, Any]) -> None:
    """Raise `ModelError` where a tensor holds values that are no numbers: all that follows would be none either."""
    for name, value in values.items():
        if isinstance(value, torch.Tensor) and value.is_floating_point() and not torch.isfinite(value).all():
            raise ModelError(
                "{path}: damaged: the weights {name} are no finite numbers; fetch it anew",
                path=path,
                name=one_line(str(name)),
            )


def _check_packing(path: Path) -> None:
    """Raise `ModelError` unless a file is packed as ``torch.save`` does: uncompressed, so never more than it is."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise ModelError(
            "{path}: cannot be read as a checkpoint, and nothing in it was run; it is damaged, or of "
            "before PyTorch 1.6: save it anew",
            path=path,
        ) from None
    packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
    if packed or sum(member.file_size for member in members) > path.stat().st_size:
        raise ModelError("{path}: is packed in a way that PyTorch never does; it was refused", path=path)
