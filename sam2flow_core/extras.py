"""Packages that only some commands need, and how to get them."""

from __future__ import annotations

from importlib import import_module

from sam2flow_core.errors import ExtraError

_PACKAGES = {
    "peers": ("cv2", "openpiv"),
    "train": ("lightning_fabric", "tensorboard"),
    "hub": ("huggingface_hub",),
    "coco": ("pycocotools",),
    "nifti": ("nibabel",),
}


def require_extra(extra: str, what: str) -> None:
    """Raise `ExtraError` unless the packages of an extra can be imported, before anything else is done.

    Parameters
    ----------
    extra : str
        ``peers``, ``train``, ``hub``, ``coco`` or ``nifti``, as in ``pyproject.toml``.
    what : str
        What needs them, as the message begins.
    """
    for package in _PACKAGES[extra]:
        try:
            import_module(package)
        except ImportError as error:
            missing = isinstance(error, ModuleNotFoundError)
            why = "is not installed" if missing else f"cannot be loaded ({error})"
            raise ExtraError(f"{what} needs {package}, which {why}: pip install 'sam2flow[{extra}]'") from None
