"""A second generator of other physics, so that the appearance of neither is learned.

Networks are graphs whose blood flows as through a thin slab (Hele-Shaw: pressure solved on the pixel grid), cells
are biconcave discs at depth, tumbling and bent, drawn as clouds of points. It shares the records of truth with the
generator of streamlines (`sam2flow_core.synthetic`) and nothing else. Points here are ``(x, y)`` px.
"""

from sam2flow_core.synthetic.discs.disc_records import GENERATOR, draw_disc_record

__all__ = ["GENERATOR", "draw_disc_record"]
