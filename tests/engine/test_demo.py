import matplotlib.image
import numpy as np
import pytest
from fake_predictor import FakePredictor

from sam2flow_core.engine.demo import write_pictures
from sam2flow_core.engine.run import run
from sam2flow_core.errors import OutputError
from sam2flow_core.stack import open_stack


def test_pictures_show_coloured_vessels_on_the_grey_recording(request_for):
    request = request_for(stop=12)
    list(run(request, FakePredictor()))
    with open_stack(request.stack) as stack:
        pictures = write_pictures(request.out, stack, count=2)
    assert [p.name for p in pictures] == ["frame-0000.png", "frame-0010.png"]
    picture = matplotlib.image.imread(pictures[0])[..., :3]
    inside = picture[40:-40, 20 : int(picture.shape[1] * 0.8)]
    coloured = (np.ptp(inside, axis=2) > 0.1).mean()
    # Two vessels of 8 x 44 px in 64 x 80: 14 % of the frame.
    assert 0.05 < coloured < 0.25


def test_pictures_of_no_run_are_refused(tmp_path, moving_cells):
    with open_stack(moving_cells) as stack, pytest.raises(OutputError, match="no results"):
        write_pictures(tmp_path, stack)
