"""Videos of flowing blood with exact truth: scenes drawn at random and filmed."""

from sam2flow_core.config.synthetic import SceneSettings
from sam2flow_core.synthetic.clip import Clip, render_clip
from sam2flow_core.synthetic.film import film
from sam2flow_core.synthetic.scene import Scene, sample_scene
from sam2flow_core.synthetic.truth import true_displacement, true_flow
from sam2flow_core.synthetic.vessels import Vessel

__all__ = [
    "Clip",
    "Scene",
    "SceneSettings",
    "Vessel",
    "film",
    "render_clip",
    "sample_scene",
    "true_displacement",
    "true_flow",
]
