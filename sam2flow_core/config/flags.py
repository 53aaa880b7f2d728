"""What each flag means, in words. Here, so that a window shows them without loading what measures."""

from __future__ import annotations

GRADES = ("good", "fair", "poor", "unusable")
"""How far a velocity can be believed."""

PARTIAL = "PARTIAL"
"""The flag of what is measured while its run goes on, or was cut short."""

FLAG_MEANINGS = {
    "ALIASED": "cells move more than half the distance at which they repeat, so that the direction may be mistaken",
    "NEAR_FLOOR": "cells move less per frame than can be told from standing still",
    "LOW_CONTRAST": "cells stand out little from the noise",
    "OUT_OF_FOCUS": "part of the recording is less sharp than the rest",
    "MOTION": "the tissue jumps between frames",
    "SATURATED": "part of the vessel is over- or underexposed",
    "DROPPED_FRAME": "frames are repeated or missing",
    "TOO_SHORT": "the vessel or the recording is too short",
    "MASK_LOST": "the vessel is not seen in part of the recording, or nowhere",
    "BRANCH": "the vessel branches or lies over another one",
    "SAME_VESSEL": "most of its mask belongs to another marked vessel as well: one vessel under two numbers",
    "SPEED_STEP": "speed or direction changes abruptly along the length: two vessels, or a fork, under one name",
    "PATH_GAP": "no blood is seen along part of the line: the clicks may lie on different vessels",
    "WIDTH_DOUBT": "the width is not sure: mask and pictures differ, or the walls do not stand out",
    "EDGE": "the image border cuts along the vessel",
    "METHOD_DISAGREE": "flow and space-time diagram disagree",
    PARTIAL: "the run is not finished: these are the frames so far",
    "UNBALANCED": "more flows into a fork than out, or less: a width or velocity is wrong, or a vessel not marked",
    "UNCALIBRATED": "pixel size or frame rate is unknown, so that there is no um/s",
}

FLAG_NAMES = {
    "ALIASED": "direction doubtful",
    "NEAR_FLOOR": "hardly moves",
    "LOW_CONTRAST": "faint",
    "OUT_OF_FOCUS": "unsharp",
    "MOTION": "tissue jumps",
    "SATURATED": "overexposed",
    "DROPPED_FRAME": "lost frames",
    "TOO_SHORT": "too short",
    "MASK_LOST": "vessel lost",
    "BRANCH": "branch",
    "SAME_VESSEL": "marked twice",
    "SPEED_STEP": "two speeds",
    "PATH_GAP": "gap in line",
    "WIDTH_DOUBT": "width unsure",
    "EDGE": "cut off",
    "METHOD_DISAGREE": "methods differ",
    PARTIAL: "not finished",
    "UNBALANCED": "fork unbalanced",
    "UNCALIBRATED": "no scale",
}
"""The same in a word or two, for a column of a table."""
