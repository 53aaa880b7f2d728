"""The layers of a session: each displays, none decides."""

from sam2flow_napari.layers.brush_layer import BrushLayer
from sam2flow_napari.layers.centreline_layer import CentrelineLayer
from sam2flow_napari.layers.factory import LayerFactory, vessel_colour
from sam2flow_napari.layers.overlays import Overlays
from sam2flow_napari.layers.prompt_layer import BoxLayer, PromptLayer

__all__ = ["BoxLayer", "BrushLayer", "CentrelineLayer", "LayerFactory", "Overlays", "PromptLayer", "vessel_colour"]
