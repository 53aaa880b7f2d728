"""Clicks, boxes and masks: read back as written, and refused in one line where they cannot be meant."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sam2flow_core.errors import PromptError
from sam2flow_core.prompts import (
    COLUMNS,
    BoxPrompt,
    MaskPrompt,
    Prompt,
    check_prompts,
    check_regions,
    read_labels,
    read_prompts,
    regions_from_json,
    regions_to_json,
    write_prompts,
)

HEADER = "vessel_id,frame,y,x,label\n"
SHAPE = (10, 100, 200)


def table(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "prompts.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(path: Path) -> str:
    with pytest.raises(PromptError) as caught:
        read_prompts(path)
    message = str(caught.value)
    assert "\n" not in message and str(path) in message
    return message


def test_written_prompts_come_back(tmp_path: Path) -> None:
    prompts = (Prompt(1, 0, 10.25, 20.5), Prompt(1, 3, 1 / 3, 0.0, 0), Prompt(65535, 9, 99.5, 199.5, 1))
    write_prompts(tmp_path / "p.csv", prompts)
    assert read_prompts(tmp_path / "p.csv") == prompts
    assert (tmp_path / "p.csv").read_text().splitlines()[0] == ",".join(COLUMNS)


@pytest.mark.parametrize(
    "text",
    [
        HEADER + "1,0,10,20,1\n",
        "\ufeff" + HEADER + "1,0,10,20,1\r\n",
        "x, y, frame, label , vessel_id\n20, 10, 0, 1, 1\n",
        HEADER + "1,0,10,20,1",
        HEADER.replace(",", ";") + "1;0;10;20;1\r\n",
        HEADER.replace(",", ";") + "1;0;10,0;20,00;1\r\n",
        "sep=;\r\n" + HEADER.replace(",", ";") + "1;0;10,0;20;1\r\n",
        "\ufeff" + HEADER.replace(",", ";") + "1;0;10,0;20,0;1\r\n;;;;\r\n\r\n",
        HEADER.replace(",", "\t") + "1\t0\t10,0\t20\t1\n",
        (HEADER.replace(",", "\t") + "1\t0\t10\t20\t1\r\n").encode("utf-16"),
        b"\xfe\xff" + (HEADER + "1,0,10,20,1\n").encode("utf-16-be"),
        HEADER + ",,,,\n1,0,10,20,1\n,,,,\n",
        ",,,,,\r\n" + HEADER.strip() + ",,\r\n1,0,10,20,1,,\r\n",
        '"Vessel ID","FRAME"," Y ","x","Label"\n"1","0","10.0","20","1"\n',
        HEADER + '1,0,"10,0",20,1\n',
        HEADER.replace("\n", "\r") + "1,0,1.0E+01,2E1,1\r",
    ],
)
def test_tables_as_spreadsheets_write_them(tmp_path: Path, text: str | bytes) -> None:
    assert read_prompts(table(tmp_path, text)) == (Prompt(1, 0, 10.0, 20.0, 1),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        (HEADER, "no prompts"),
        ("vessel_id,frame,y,x,label,colour\n1,0,1,1,1,red\n", "unknown column 'colour'"),
        ("vessel_id,frame,y,x\n1,0,1,1\n", "'label' is missing"),
        (HEADER + "1,0,10,20,1\n1,0,ten,20,1\n", "line 3: a value is missing or not a number"),
        (HEADER + "1,0,,20,1\n", "line 2"),
        (HEADER + "1,0.5,10,20,1\n", "whole numbers"),
        (HEADER + "1e300,0,10,20,1\n", "whole numbers, and no huge ones"),
        (HEADER + "1,-1e300,10,20,1\n", "whole numbers, and no huge ones"),
        (HEADER + "1,0,10,20,9007199254740993\n", "whole numbers, and no huge ones"),
        (HEADER + "1,0,10,20,1,9,9\n", "more values than there are columns"),
        (b"II*\x00\xff\xfe\x80\x81" * 50, "not a CSV|unknown column"),
        (HEADER + '1,0,"1,234",20,1\n', "'1,234' may mean 1.234 or 1234"),
        (HEADER + '1,0,"10,5",20.5,1\n', "'10,5' has a comma and '20.5' a point"),
        (HEADER.replace(",", ";") + "1;0;1.234;20;1\n", "may mean"),
        (HEADER.replace(",", ";") + "1;0;1.234,5;20;1\n", "has a comma"),
        ("vessel_id,frame,y,x,label,\n1,0,1,1,1,7\n", "without a name"),
        ("y,Y,vessel_id,frame,x,label\n1,1,1,0,1,1\n", "'y' stands twice"),
        (HEADER + "1,0,inf,20,1\n", "not a number"),
        (HEADER + "1,0,1e999,20,1\n", "not a number"),
        (HEADER + "1,0,20. Jan,20,1\n", "not a number: '20. Jan' in column y"),
        (HEADER + "1;0;10;20;1\n", "line 2"),
        (("Gef\u00e4\u00df,frame\n").encode("latin-1"), "CSV UTF-8"),
        (HEADER.encode("utf-32"), "CSV UTF-8"),
    ],
)
def test_tables_that_cannot_be_meant(tmp_path: Path, text: str | bytes, words: str) -> None:
    message = refusal(table(tmp_path, text))
    assert any(word in message for word in words.split("|"))


def test_missing_table(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "nothing.csv")


def test_folder_instead_of_a_table(tmp_path: Path) -> None:
    refusal(tmp_path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_unreadable_table(tmp_path: Path) -> None:
    path = table(tmp_path, HEADER)
    path.chmod(0)
    assert "permission" in refusal(path)


@pytest.mark.parametrize(
    "prompt", [Prompt(1, 0, -0.5, -0.5), Prompt(1, 9, 99.5, 199.5), Prompt(65535, 0, 50, 50), Prompt(1, 0, 0, 0)]
)
def test_prompts_inside_the_recording(prompt: Prompt) -> None:
    check_prompts((prompt,), SHAPE)


@pytest.mark.parametrize(
    ("prompts", "words"),
    [
        ((), "no prompts"),
        ((Prompt(1, 10, 5, 5),), "frame 10 is outside the recording (0 to 9)"),
        ((Prompt(1, -1, 5, 5),), "frame -1"),
        ((Prompt(1, 0, 100, 5),), "y=100, x=5 is outside the image (100 x 200 px)"),
        ((Prompt(1, 0, 5, -1),), "outside the image"),
        ((Prompt(1, 0, float("inf"), 5),), "outside the image"),
        ((Prompt(1, 0, 5, float("nan")),), "outside the image"),
        ((Prompt(0, 0, 5, 5),), "ids run from 1"),
        ((Prompt(70000, 0, 5, 5),), "to 65535"),
        ((Prompt(1, 0, 5, 5, 2),), "label 2"),
        ((Prompt(1, 0, 5, 5), Prompt(2, 0, 5, 5, 0)), "vessel 2 has negative clicks only"),
        ((Prompt(1, 0, 5, 5), Prompt(1, 0, 5, 5, 0)), "vessel 1: pixel y=5, x=5 of frame 0 is clicked with label 1"),
        ((Prompt(1, 2, 5, 5),) * 10_000, "vessel 1 has 10000 clicks in frame 2; 200 are taken at most"),
        ((Prompt(1, 0, 9, 9), Prompt(1, 3, 5.4, 5, 0), Prompt(1, 3, 4.6, 5)), "y=4.6, x=5 of frame 3"),
    ],
)
def test_prompts_that_do_not_fit(prompts: tuple[Prompt, ...], words: str) -> None:
    with pytest.raises(PromptError) as caught:
        check_prompts(prompts, SHAPE)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_only_clicks_on_one_pixel_of_one_vessel_in_one_frame_contradict_each_other() -> None:
    here = Prompt(1, 0, 5, 5)
    apart = (Prompt(1, 0, 5, 6, 0), Prompt(1, 1, 5, 5, 0), Prompt(2, 0, 9, 9), Prompt(2, 0, 5, 5, 0))
    check_prompts((here, here, *apart), SHAPE)


def test_names_and_groups_stand_beside_the_clicks(tmp_path):
    path = tmp_path / "prompts.csv"
    path.write_text("vessel_id,frame,y,x,label,name,group\n1,0,5,5,1,A3,venule\n1,0,6,5,1,,\n2,0,9,9,1,,capillary\n")
    assert len(read_prompts(path)) == 3
    assert read_labels(path) == (((1, "A3"),), ((1, "venule"), (2, "capillary")))


def test_two_names_of_one_vessel_are_refused(tmp_path):
    path = tmp_path / "prompts.csv"
    path.write_text("vessel_id,frame,y,x,label,name\n1,0,5,5,1,A3\n1,0,6,5,1,A4\n")
    with pytest.raises(PromptError, match=r"line 3.*two names"):
        read_labels(path)


STACK = (10, 6, 8)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.booleans(), min_size=48, max_size=48))
def test_a_mask_comes_back_as_it_was_painted(pixels):
    mask = np.array(pixels).reshape(6, 8)
    painted = MaskPrompt.of(3, 2, mask)
    np.testing.assert_array_equal(painted.mask, mask)
    assert regions_from_json(json.loads(json.dumps(regions_to_json([painted])))) == (painted,)


def test_kinds_and_order_survive_the_file():
    regions = (BoxPrompt(1, 0, 1, 2, 4, 5), MaskPrompt.of(1, 0, np.eye(6, 8, dtype=bool)), BoxPrompt(2, 1, 0, 0, 3, 3))
    assert regions_from_json(regions_to_json(regions)) == regions


@pytest.mark.parametrize(
    ("region", "words"),
    [
        (BoxPrompt(1, 10, 1, 1, 3, 3), "outside the recording (0 to 9)"),
        (BoxPrompt(0, 0, 1, 1, 3, 3), "ids run from 1"),
        (BoxPrompt(1, 0, 1, 1, 3, 9), "does not lie in the image (6 x 8 px)"),
        (BoxPrompt(1, 0, 3, 1, 3, 4), "does not lie in the image"),
        (BoxPrompt(1, 0, float("nan"), 1, 3, 4), "does not lie in the image"),
        (MaskPrompt.of(1, 0, np.ones((8, 6), bool)), "paint it again"),
        (MaskPrompt.of(1, 4, np.zeros((6, 8), bool)), "the mask in frame 4 is empty"),
    ],
)
def test_regions_that_cannot_be_meant(region, words):
    with pytest.raises(PromptError) as caught:
        check_regions([region], STACK)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_full_mask_is_no_empty_one():
    check_regions([MaskPrompt.of(1, 0, np.ones((6, 8), bool))], STACK)


def test_a_box_says_where_a_vessel_is_so_that_negative_clicks_may_mend_it():
    no = (Prompt(1, 0, 3, 3, 0),)
    check_prompts((*no, BoxPrompt(1, 0, 1, 1, 4, 4)), STACK)
    with pytest.raises(PromptError, match="vessel 1 has negative clicks only"):
        check_prompts((*no, BoxPrompt(2, 0, 1, 1, 4, 4)), STACK)
