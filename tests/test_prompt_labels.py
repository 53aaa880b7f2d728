"""Names and groups typed beside the clicks."""

from __future__ import annotations

import pytest

from sam2flow_core.errors import PromptError
from sam2flow_core.prompts import read_labels, read_prompts


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
