"""Videos of flowing blood with exact truth: scenes drawn at random and filmed."""

from sam2flow_core.config.synthetic import SceneSettings
from sam2flow_core.synthetic.clip import Clip, render_clip
from sam2flow_core.synthetic.scene import Scene, sample_scene

__all__ = ["Clip", "Scene", "SceneSettings", "render_clip", "sample_scene"]
