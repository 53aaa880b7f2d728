"""Save prompts from napari's File menu."""

from __future__ import annotations

from typing import Any

from sam2flow_core.errors import PromptError


def write_prompt_points(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a points layer (t, y, x) as ``prompts.csv``; points without the features of a prompt count as vessel 1.

    Raises
    ------
    PromptError
        If the layer is not (t, y, x).
    """
    from sam2flow_core.prompts import Prompt, write_prompts

    if len(data) and len(data[0]) != 3:
        raise PromptError("prompts need points with frame, y and x: add them to a layer with three axes")
    features = attributes.get("features")
    columns = getattr(features, "columns", ())
    vessels = features["vessel_id"] if features is not None and "vessel_id" in columns else [1] * len(data)
    labels = features["label"] if features is not None and "label" in columns else [1] * len(data)
    prompts = tuple(
        Prompt(int(v), round(float(t)), float(y), float(x), int(label))
        for (t, y, x), v, label in zip(data, vessels, labels, strict=True)
    )
    write_prompts(path, prompts)
    return [path]
