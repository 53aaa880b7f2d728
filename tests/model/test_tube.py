import torch

from sam2flow_core.model.tube import grow_tubes


def plus_sign(side=128, half_width=5.0):
    """A horizontal and a vertical vessel that cross, as vesselness logits at stride 2."""
    y, x = torch.meshgrid(torch.arange(side) - side / 2, torch.arange(side) - side / 2, indexing="ij")
    inside = (y.abs() < half_width) | (x.abs() < half_width)
    return torch.where(inside, 6.0, -6.0)[::2, ::2][None]


def grow(vesselness, points, labels, reach=200.0):
    return (
        grow_tubes(
            vesselness,
            torch.zeros(1, dtype=torch.long),
            torch.tensor([points], dtype=torch.float32),
            torch.tensor([labels]),
            reach,
            (2 * vesselness.shape[1], 2 * vesselness.shape[2]),
        )[0]
        > 0
    )


def at(tube, x, y):
    return bool(tube[int(y / 2), int(x / 2)])


def test_a_click_names_one_of_two_crossing_vessels():
    tube = grow(plus_sign(), [[20.0, 64.0]], [1])
    assert at(tube, 20, 64) and at(tube, 110, 64)  # along the vessel, on through the crossing
    assert not at(tube, 64, 20) and not at(tube, 64, 110)


def test_a_vessel_ends_at_a_fork():
    """Blood of both arms is not one vessel's blood."""
    fork = plus_sign()
    fork[:, 38:] = -6.0  # the vertical vessel ends in the horizontal one
    tube = grow(fork, [[64.0, 16.0]], [1])
    assert at(tube, 64, 30) and not at(tube, 20, 64) and not at(tube, 110, 64)
    tube = grow(fork, [[20.0, 64.0]], [1])
    assert at(tube, 30, 64) and not at(tube, 110, 64) and not at(tube, 64, 16)


def test_a_negative_click_ends_the_vessel():
    tube = grow(plus_sign(), [[20.0, 64.0], [100.0, 64.0]], [1, 0])
    assert at(tube, 20, 64) and not at(tube, 104, 64)


def test_two_positive_clicks_take_both():
    tube = grow(plus_sign(), [[20.0, 64.0], [64.0, 20.0]], [1, 1])
    assert at(tube, 110, 64) and at(tube, 64, 110)


def test_a_click_just_beside_a_vessel_means_it():
    assert at(grow(plus_sign(), [[20.0, 74.0]], [1]), 20, 64)


def test_a_click_far_from_any_vessel_names_none():
    assert not grow(plus_sign(), [[20.0, 20.0]], [1]).any()


def test_a_box_names_all_that_is_vessel_in_it():
    tube = grow(plus_sign(), [[40.0, 40.0], [90.0, 90.0]], [2, 3])
    assert at(tube, 64, 45) and at(tube, 45, 64)
    assert not at(tube, 64, 20) and not at(tube, 45, 45)


def test_reach_bounds_the_tube():
    tube = grow(plus_sign(), [[20.0, 64.0]], [1], reach=30.0)
    assert at(tube, 40, 64) and not at(tube, 70, 64)


def test_nothing_to_follow():
    assert not grow(torch.full((1, 64, 64), -6.0), [[20.0, 64.0]], [1]).any()


def test_a_faint_vessel_beside_a_sure_one_can_be_clicked():
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    vesselness = torch.where((x - 12).abs() < 3, 20.0, torch.where((x - 48).abs() < 3, 1.5, -6.0))[None] + 0 * y
    tube = grow(vesselness, [[96.0, 64.0]], [1])
    assert at(tube, 96, 20) and not at(tube, 24, 64)


def test_the_haze_around_a_vessel_is_not_the_vessel():
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    vesselness = torch.where((x - 32).abs() < 3, 10.0, 1.0)[None] + 0 * y
    tube = grow(vesselness, [[64.0, 64.0]], [1])
    assert at(tube, 64, 20) and not at(tube, 84, 64)


def test_two_vessels_that_leave_the_frame_side_by_side_are_not_joined_outside():
    vesselness = torch.full((1, 64, 64), -6.0)
    vesselness[:, :, 20:26] = vesselness[:, :, 36:42] = 6.0
    vesselness[:, :3, 20:42] = 6.0  # they touch at the very border
    tube = grow(vesselness, [[46.0, 64.0]], [1])
    assert at(tube, 46, 20) and not at(tube, 78, 64)


def test_forks_side_by_side_are_no_crossing():
    """Four arms meet in a crossing only if both pairs go straight on."""
    vesselness = torch.full((1, 64, 64), -6.0)
    vesselness[:, 29:35] = 6.0
    vesselness[:, :32, 24:30] = vesselness[:, :32, 34:40] = 6.0
    assert not at(grow(vesselness, [[16.0, 64.0]], [1]), 110, 64)


def test_what_lies_beyond_the_frame_is_padding():
    vesselness = torch.full((1, 64, 64), -6.0)
    vesselness[:, :, 20:26] = 6.0
    vesselness[:, 48:] = 6.0
    labels, points = torch.tensor([[1]]), torch.tensor([[[46.0, 30.0]]])
    tube = grow_tubes(vesselness, torch.zeros(1, dtype=torch.long), points, labels, 200.0, (96, 128))[0] > 0
    assert at(tube, 46, 90) and not at(tube, 80, 100)


def test_other_clicks_say_which_vessel_a_click_on_a_crossing_means():
    tube = grow(plus_sign(), [[64.0, 66.0], [64.0, 20.0], [64.0, 110.0]], [1, 1, 1])
    assert at(tube, 64, 20) and not at(tube, 20, 64)
    tube = grow(plus_sign(), [[66.0, 64.0], [20.0, 64.0], [110.0, 64.0]], [1, 1, 1])
    assert at(tube, 20, 64) and not at(tube, 64, 20)
