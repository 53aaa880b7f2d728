"""What decides a result is in the configuration, where the provenance of a run sees it.

Numbers that stay beside their code are listed here with the reason. A new one fails until it is a setting, or listed.
"""

from __future__ import annotations

import ast
from pathlib import Path

CORE = Path(__file__).parent.parent / "sam2flow_core"
DECIDE = ("inference", "model", "stack", "tracing", "velocity")

FORM = "is given by a file format, by SAM 2, or by the form of the network, with which its weights were trained"
COST = "decides time or memory, and no result"
SURE = "a logit that stands for yes or no"
GRID = "how finely a sum or a picture is drawn, or a margin round it; a guard of the arithmetic; a name for a number"
REFUSED = "decides what is refused or said of a recording, and no figure of a result"
SEED = "the seed of random draws that only error bars and floors depend on"
LEARNED = "is part of the network: its weights were trained with it, and their hash in the provenance stands for both"
UNTAUGHT = "takes the place of a part that older weights lack; a mask ends where this logit is 0, however steep it is"

KEPT = {
    "inference.ambiguity": {"_END": FORM, "_ANY": FORM, "_BEYOND": FORM},
    "inference.automatic_masks": {"_NEAR_EDGE": FORM},
    "inference.clicked_masks": {"_SHARPNESS": UNTAUGHT, "_COARSEST": FORM},
    "inference.dense": {"_OUTSIDE": SURE},
    "inference.frames": {"_OUTSIDE": SURE},
    "inference.image_predictor": {"_LARGEST": FORM, "_SURE": SURE},
    "inference.mask_predictor": {"_ABSENT": SURE},
    "inference.masks": {"_SURE": SURE},
    "inference.matched_masks": {"_MULTIPLE": FORM},
    "inference.object_track": {"ABSENT": SURE, "_SURE": SURE, "_LARGEST": FORM},
    "inference.predictor": {"_PROBE": GRID},
    "inference.recording_summary": {"_MULTIPLE": FORM, "_SMOOTHED": FORM, "_STILL": GRID},
    "inference.sam2_inputs": {"_MEAN": FORM, "_SPREAD": FORM, "_WEAKEST": FORM, "_STRONGEST": FORM},
    "model.cost_volume": {"_READ_BYTES": COST, "_READ_BYTES_TAUGHT": COST, "_READ_BYTES_GPU": COST, "SEEN": LEARNED},
    "model.features": {"_SIDE": COST, "_CACHED_BYTES": COST, "_SHORTEST": GRID},
    "model.first_flow": {"_AT_A_TIME": COST},
    "model.flow_net": {"_SITE_FACTS": LEARNED, "_LEAST": GRID, "_FIRST_FACTS": LEARNED},
    "model.hiera": {"_EPSILON": LEARNED, "_WIDER": LEARNED, "_SPREAD": LEARNED, "_BIAS": LEARNED, "_POOL": LEARNED},
    "model.image_encoder": {"_ROWS_CELLS": COST},
    "model.mask_decoder": {"_DILATIONS": LEARNED, "_CLICK_RADIUS": LEARNED, "SURELY_PRESENT": SURE, "MASKS": LEARNED},
    "model.matched_memory": {
        "_FIRST_REACH": LEARNED,
        "_REACH": LEARNED,
        "_SMOOTHED": LEARNED,
        "_SHARPNESS": LEARNED,
        "_LEAST": LEARNED,
        "_EVEN": LEARNED,
        "_FEW": GRID,
        "_CARRIED": LEARNED,
        "_STATED": LEARNED,
        "STRIDE": LEARNED,
    },
    "model.memory_designs": {"_SHARPNESS": LEARNED},
    "model.motion_memory": {"_BLOCK": LEARNED, "_USUAL_LENGTH": LEARNED},
    "model.motion_statistics": {
        "_LEAST_SPREAD": GRID,
        "_SCALES": LEARNED,
        "_PER_SCALE": LEARNED,
        "MOTION_STRIDE": LEARNED,
        "_SEEN": GRID,
        "_FLOOR": GRID,
        "_SMALLEST": GRID,
        "_ROUNDING": GRID,
    },
    "model.prompt_encoder": dict.fromkeys(("PADDING", "NEGATIVE", "POSITIVE", "BOX_FIRST", "BOX_SECOND"), FORM),
    "model.sam_encoder": {
        "_TINY_VIT_WIDTHS": FORM,
        "_TINY_VIT_HEADS": FORM,
        "_NECK": FORM,
        "_INTEGRATED": FORM,
        "_TEMPORAL": FORM,
        "_TEMPORAL_LAYERS": FORM,
    },
    "model.sparse_cells": {"_CUT": LEARNED},
    "model.strip_decoder": {"ACROSS": LEARNED, "FIELD_CHANNELS": LEARNED, "MOTION_CHANNELS": LEARNED, "REACH": LEARNED},
    "model.strips": {"LARGEST_WHOLE": COST, "_STRIP_CELLS": COST},
    "model.update": {"_OFFSETS": LEARNED, "_LOG_SCALE": LEARNED},
    "model.vessel_field": {
        "DIRECTIONS": LEARNED,
        "ORIENTATIONS": LEARNED,
        "FIELD_STRIDE": LEARNED,
        "STATISTICS_CHANNELS": LEARNED,
        "_GROUPS": LEARNED,
    },
    "model.whole_vessel": {"_AGREEMENTS": LEARNED, "_SWEEPS": COST, "_JUMP": LEARNED},
    "stack.brightness": {"_PALETTE": FORM, "_LUMINANCE": FORM},
    "stack.elapsed": {"_TOGETHER": COST},
    "stack.file_series": {"_FEW": REFUSED, "_SPLIT_BYTES": FORM},
    "stack.fingerprints": {"_READ_BYTES": COST, "_BLOCKS_ONCE": COST, "_MOST_BLOCKS": COST, "_FEW": COST},
    "stack.folder": {"_GREY_AND_TRANSPARENCY": FORM, "_WHITE_IS_ZERO": FORM, "_PNG_SAMPLES": FORM},
    "stack.inspection": {"_WORTH_SAYING": REFUSED},
    "stack.metadata": {"PAGE_TAG": FORM, "_LONGEST_NOTE": COST, "_COLUMNS": FORM},
    "stack.opening": {"_PNG_SAMPLES": FORM, "_LARGEST_BYTES": COST},
    "stack.refusals": {"_LONGEST": REFUSED},
    "stack.sources": {"_MOST_CHANNELS": REFUSED},
    "stack.registration": {"_ROWS_AT_ONCE": COST},
    "stack.stabiliser": {"SAMPLES": COST},
    "stack.tiff": {"_JPEG": FORM, "_NAMED": COST, "_RESOLUTION_UNIT": FORM, "_WHITE_IS_ZERO": FORM},
    "stack.tiff_layout": {"_NOTES_LOOKED_AT": COST},
    "stack.timing": {"_APART": GRID},
    "stack.volumes": {"_SAME_PLACE": REFUSED},
    "tracing.clicked_ways": {"_STEPS": FORM},
    "tracing.strip_motion": {"_FACTORS": LEARNED, "_TINY": GRID},
    "tracing.vessel_strip": {"OUTSIDE": SURE, "_DENSE": GRID, "_SAID": FORM},
    "velocity.centreline": {"_KNOTS_APART": GRID, "_MARGIN": GRID, "_SLACK_PX": GRID, "_WIDTHS": GRID},
    "velocity.correlation": {"_FINENESS": GRID, "_NEAR": GRID},
    "velocity.density": {"_SEED": SEED},
    "velocity.diameter": {"_FRAMES_AT_ONCE": COST, "_PIXELS_AT_ONCE": COST, "_STEP": GRID},
    "velocity.linescan": {"_SEED": SEED, "_TURNS_BACK": REFUSED},
    "velocity.measure": {"_THREADS": COST},
    "velocity.pulse": {"_TABLE": COST, "_NOTHING": GRID},
    "velocity.transit": {"_FINENESS": GRID, "_SHORT": COST, "_AT_A_TIME": COST},
    "velocity.uncertainty": {"Z95": GRID},
    "velocity.wall_fit": {"_REACH": GRID, "_STEPS": GRID},
}


def _numeric(node: ast.expr) -> bool:
    """Whether a number makes this value: by itself, in arithmetic, in a tuple, a mapping or a call."""
    match node:
        case ast.Constant(value=value):
            return isinstance(value, int | float) and not isinstance(value, bool)
        case ast.UnaryOp(operand=operand):
            return _numeric(operand)
        case ast.BinOp(left=left, right=right):
            return _numeric(left) or _numeric(right)
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Dict(values=parts):
            return bool(parts) and all(map(_numeric, parts))
        case ast.Call(args=parts):
            return any(map(_numeric, parts))
    return False


def constants(text: str) -> set[str]:
    """Names of the numbers that stand beside the functions of a module."""
    found = set()
    for node in ast.parse(text).body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if targets and node.value is not None and _numeric(node.value):
            found |= {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    return found


def test_what_decides_a_result_is_a_setting():
    found = {
        ".".join(path.relative_to(CORE).with_suffix("").parts): constants(path.read_text(encoding="utf-8"))
        for package in DECIDE
        for path in sorted((CORE / package).rglob("*.py"))
    }
    beside = {module: names for module, names in found.items() if names}
    assert beside == {module: set(names) for module, names in KEPT.items()}


def test_numbers_are_seen_in_whatever_form_they_come():
    numbers = "A = 1\n_B = -2.5  # px\nC, D = 1, 2\nE = np.sinh(np.linspace(-1, 1, 9)) * 0.3\nF: float = 2 / 3\n"
    others = 'G = "words"\nH = Settings()\nI = True\nJ = ("a", 1)\n'
    assert constants(numbers + others) == {"A", "_B", "C", "D", "E", "F"}
