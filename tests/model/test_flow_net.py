from dataclasses import replace

import pytest
import torch

from sam2flow_core.config.inference import PairSettings
from sam2flow_core.model.memory_bank import MemoryEntry
from sam2flow_core.model.update import read_cost_volume, roi_lookup

THINNED = PairSettings(wide=0.75)


def answer(model, images, masks, banks=None):
    net = model.flow
    with torch.no_grad():
        maps = net.feature_encoder(images)
        features = {t: maps[t : t + 1] for t in range(len(images))}
        layout = net.lay_out(masks, torch.zeros(len(masks), dtype=torch.long), maps.shape[-2:])
        volumes = {
            (row, k): net.correlation(features, row, k, layout)
            for row, lag in enumerate(model.config.match.lags)
            for k in range(len(images) - lag)
        }
        cost_volume = net.cost_volume(volumes, 0, layout, causal=False)
        context = model.encode(images[:1])[0]
        banks = [[] for _ in masks] if banks is None else banks
        return net(features[0], features[1], cost_volume, context, layout, banks, 5), layout


def test_shapes_and_strides(model, images, masks):
    out, layout = answer(model, images, masks)
    count, stride = layout.cells.count, model.config.match.stride
    assert out.fine.shape == (count, 2, stride, stride)
    assert out.scale.shape == (count, stride, stride)
    assert len(out.flows) == model.config.update.iterations + 1
    assert torch.isfinite(out.fine).all() and (out.scale > 0).all()


def test_ragged_batch_equals_single_runs(model, images, masks):
    together, layout = answer(model, images, masks)
    for v in range(len(masks)):
        alone, _ = answer(model, images, masks[v : v + 1])
        assert torch.allclose(together.fine[layout.cells.vessel == v], alone.fine, atol=1e-4)


def test_an_empty_region_costs_and_says_nothing(model, images):
    out, layout = answer(model, images, torch.zeros(1, 96, 128))
    assert layout.cells.count == 0
    assert out.fine.shape[0] == 0


def test_vessel_at_the_border_is_finite(model, images):
    mask = torch.zeros(1, 96, 128)
    mask[0, :3] = 1
    mask[0, :, -2:] = 1
    out, _ = answer(model, images, mask)
    assert torch.isfinite(out.fine).all()


def test_cost_follows_the_prompted_area(model, masks):
    one = model.flow.lay_out(masks[:1], torch.zeros(1, dtype=torch.long), (48, 64))
    both = model.flow.lay_out(masks[:2], torch.zeros(2, dtype=torch.long), (48, 64))
    assert one.cells.count == 32 * 3
    assert both.cells.count == one.cells.count + 24 * 2  # the crossing is in both lists: each vessel has its own flow


def test_roi_lookup_equals_the_full_lookup(model, images):
    """The window read on demand is the same as one cut from the whole correlation volume."""
    maps = model.flow.feature_encoder(images[:2]).detach()
    rows, columns = maps.shape[-2:]
    volume = torch.einsum("dij,dkl->ijkl", maps[0], maps[1])
    y, x = torch.tensor([10, 20, 30]), torch.tensor([12, 33, 50])
    position = torch.stack([x, y], 1) * 2.0 + 0.5  # centres of feature cells, px
    flow = torch.tensor([[4.0, -2.0], [0.0, 6.0], [-8.0, 2.0]])
    axes = torch.eye(2).expand(3, 2, 2)
    got = roi_lookup(
        maps[0, :, y, x].T, maps[1:2], torch.zeros(3, dtype=torch.long), position, position + flow, axes, 2, 2
    ).view(3, 5, 5)
    for n in range(3):
        cy, cx = int(y[n] + flow[n, 1] / 2), int(x[n] + flow[n, 0] / 2)
        full = volume[y[n], x[n], cy - 2 : cy + 3, cx - 2 : cx + 3]
        assert torch.allclose(got[n].T, full, atol=1e-4)
    assert rows > 32 and columns > 56


def test_vessels_never_share_motion_memory(model, images, masks):
    tokens = torch.randn(1, 4, model.flow.motion_memory.dim)
    entry = MemoryEntry(4, False, 1.0, tokens, torch.rand(1, 4, 2) * 90)
    without, layout = answer(model, images, masks)
    with_one, _ = answer(model, images, masks, [[entry], [], []])
    change = (without.fine - with_one.fine).abs().amax((1, 2, 3))
    assert change[layout.cells.vessel == 0].max() > 1e-5
    assert change[layout.cells.vessel != 0].max() == 0


def test_reading_one_entry_mixes_space(model, masks):
    """With a single entry, what is read at a cell depends on tokens that lie elsewhere."""
    memory, cells = (
        model.flow.motion_memory,
        model.flow.lay_out(masks[:1], torch.zeros(1, dtype=torch.long), (48, 64)).cells,
    )
    hidden = torch.randn(cells.count, model.config.update.hidden)
    tokens, places = torch.randn(1, 4, memory.dim), torch.tensor([[[10.0, 45], [40, 45], [80, 45], [120, 45]]])
    far = tokens.clone()
    far[0, 3] += 1.0
    with torch.no_grad():
        a = memory.read(hidden, cells, [[MemoryEntry(0, False, 1.0, tokens, places)]], 1)
        b = memory.read(hidden, cells, [[MemoryEntry(0, False, 1.0, far, places)]], 1)
    nearest = (cells.position[:, 0] - 10).abs().argmin()
    assert (a[nearest] - b[nearest]).abs().max() > 1e-5


def test_time_encoding_tells_old_from_new(model, masks):
    memory, cells = (
        model.flow.motion_memory,
        model.flow.lay_out(masks[:1], torch.zeros(1, dtype=torch.long), (48, 64)).cells,
    )
    hidden = torch.randn(cells.count, model.config.update.hidden)
    tokens, places = torch.randn(1, 4, memory.dim), torch.rand(1, 4, 2) * 90
    with torch.no_grad():
        old = MemoryEntry(0, False, 1.0, tokens, places)
        new = MemoryEntry(4, False, 1.0, tokens * 2, places)
        a = memory.read(hidden, cells, [[old, new]], 5)
        b = memory.read(
            hidden,
            cells,
            [[MemoryEntry(4, False, 1.0, tokens, places), MemoryEntry(0, False, 1.0, tokens * 2, places)]],
            5,
        )
    assert (a - b).abs().max() > 1e-6


def test_memory_beyond_its_reach_is_not_read_unless_it_was_prompted(model, images, masks, monkeypatch):
    tokens, places = torch.randn(1, 4, model.flow.motion_memory.dim), torch.rand(1, 4, 2) * 90
    near, far, shown = (
        MemoryEntry(frame, prompted, 1.0, tokens * (frame + 1), places)
        for frame, prompted in ((4, False), (1, False), (0, True))
    )
    monkeypatch.setattr(model.flow.motion_memory, "reach", 1)

    def fine(*entries):
        return answer(model, images, masks, [list(entries), [], []])[0].fine

    assert torch.equal(fine(shown, far, near), fine(shown, near))
    assert not torch.equal(fine(shown, near), fine(near))


def test_a_cost_volume_in_parts_is_answered_as_in_one_piece(model, images, masks):
    net = model.flow
    with torch.no_grad():
        maps = net.feature_encoder(images)
        features = {t: maps[t : t + 1] for t in range(len(images))}
        layout = net.lay_out(masks, torch.zeros(len(masks), dtype=torch.long), maps.shape[-2:])
        volumes = {(0, k): net.correlation(features, 0, k, layout) for k in range(len(images) - 1)}
        parts = net.cost_volume(volumes, 0, layout, causal=False)
        context = model.encode(images[:1])[0]
        apart, whole = (net.first_flow(volume, context, layout) for volume in (parts, parts.whole()))
    assert torch.equal(torch.cat([parts[:50], parts[torch.arange(50, layout.cells.count)]]), parts.whole())
    assert layout.cells.count > 128  # more than are answered at a time
    assert torch.equal(apart.speed, whole.speed) and torch.equal(apart.seen, whole.seen)
    assert torch.equal(apart.inputs, whole.inputs)


def band(half_width: int) -> torch.Tensor:
    mask = torch.zeros(1, 96, 128)
    mask[0, 48 - half_width : 48 + half_width] = 1
    return mask


def thinning_of(model, mask: torch.Tensor, pair: PairSettings = THINNED):
    return model.flow.lay_out(mask, torch.zeros(1, dtype=torch.long), (48, 64), pair=pair)


@pytest.mark.parametrize(("half_width", "thinned"), [(4, False), (6, False), (14, True), (24, True)])
def test_inside_wide_vessels_every_second_cell_each_way_is_asked(model, half_width, thinned):
    layout = thinning_of(model, band(half_width), replace(THINNED, chessboard=False))
    thinning = layout.streamlines.thinnings.asked
    assert (thinning is not None) == thinned
    if thinning is not None:
        deep = (layout.cells.place[:, 0] - 11.5).abs() < half_width / 4 - 2
        assert layout.cells.count - len(thinning.kept) > 0.6 * deep.sum() > 0


@pytest.mark.parametrize("half_width", [5, 6])
def test_outside_wide_vessels_every_other_cell_is_answered_from_those_before_and_after_it(model, half_width):
    layout = thinning_of(model, band(half_width))
    thinning, place = layout.streamlines.thinnings.asked, layout.cells.place
    assert 0.4 < len(thinning.kept) / layout.cells.count < 0.6
    others = torch.ones(layout.cells.count, dtype=torch.bool)
    others[thinning.kept] = False
    others &= (place[:, 1] > 0) & (place[:, 1] < 31)  # at the border there is nothing after them
    apart = place[thinning.kept[thinning.sources[others].long()]] - place[others][:, None]
    assert (apart[..., 0] == 0).all() and (apart[..., 1].sort(1)[0] == torch.tensor([-1, -1, 1, 1])).all()


@pytest.mark.parametrize(("half_width", "all_asked"), [(2, True), (4, True), (6, False)])
def test_in_capillaries_every_cell_is_asked(model, half_width, all_asked):
    assert (thinning_of(model, band(half_width)).streamlines.thinnings.asked is None) == all_asked


def test_what_is_asked_inside_wide_vessels_is_pooled_over_twice_as_many_cells(model, images):
    net = model.flow
    thin = thinning_of(model, band(24))
    compared, asked = thin.streamlines.thinnings.compared, thin.streamlines.thinnings.asked
    assert 1.4 < len(compared.kept) / len(asked.kept) <= 2
    with torch.no_grad():
        maps = net.feature_encoder(images)
        volumes = {(0, 0): net.correlation({0: maps[:1], 1: maps[1:2]}, 0, 0, thin)}
        volume = net.cost_volume(volumes, 0, thin, causal=False)
    assert volume.shape[0] == len(asked.kept) and len(volume.valid) == len(compared.kept)
    among = torch.isin(compared.kept, asked.kept)
    pooled = volume.pooled[0][0][among, :, 0]
    side = (volume.shape[1] - pooled.shape[1]) // 2
    assert torch.equal(volume.whole()[:, side : volume.shape[1] - side, 0], pooled)


def test_a_cell_that_is_asked_answers_for_itself_and_all_weigh_as_much_as_before(model):
    layout = thinning_of(model, band(24))
    thinning = layout.streamlines.thinnings.asked
    values = torch.randn(layout.cells.count, 3)
    assert torch.allclose(thinning.spread(values[thinning.kept])[thinning.kept], values[thinning.kept])
    assert torch.allclose(thinning.gather(layout.cells.coverage).sum(), layout.cells.coverage.sum())


@pytest.mark.parametrize("half_width", [6, 24])
def test_between_cells_that_are_asked_the_others_lie_on_a_straight_line(model, half_width):
    layout = thinning_of(model, band(half_width))
    place = layout.cells.place.float()
    truth = (3 * place[:, 0] - 2 * place[:, 1] + 7)[:, None]
    thinning = layout.streamlines.thinnings.asked
    assert torch.allclose(thinning.spread(truth[thinning.kept]), truth, atol=1e-4)


def test_a_thinned_layout_is_answered_at_the_cells_that_are_asked_as_ever(model, images):
    with torch.no_grad():
        context = model.encode(images[:1])[0]
        thin, every = thinning_of(model, band(20)), thinning_of(model, band(20), None)
        volume = torch.randn(every.cells.count, 77, model.flow.pooled_channels + 3)
        thinning = thin.streamlines.thinnings.asked
        some, all_ = (
            model.flow.first_flow(v, context, layout) for v, layout in ((volume[thinning.kept], thin), (volume, every))
        )
    assert torch.allclose(some.logits, thinning.spread(all_.logits[thinning.kept]), atol=1e-5)
    place = torch.rand(every.cells.count) * 70 + 3
    read = read_cost_volume(some.seen, place, thinning)
    plain = read_cost_volume(all_.seen, place)
    assert torch.allclose(read[thinning.kept], plain[thinning.kept], atol=1e-5)


def test_the_updates_read_for_a_cell_between_what_those_around_it_saw(model):
    layout = thinning_of(model, band(20))
    thinning = layout.streamlines.thinnings.asked
    seen = torch.randn(len(thinning.kept), 77, 5)
    place = torch.rand(layout.cells.count) * 70 + 3
    assert torch.allclose(
        read_cost_volume(seen, place, thinning), read_cost_volume(thinning.spread(seen), place), atol=1e-5
    )


def test_moments_in_which_nothing_passes_do_not_hide_what_passes_in_others(model, images, masks):
    net = model.flow
    layout = net.lay_out(masks[:1], torch.zeros(1, dtype=torch.long), (images.shape[2] // 2, images.shape[3] // 2))
    rows = range(len(net.config.match.lags))
    cells = layout.cells.count
    pieces = 0 if layout.whole is None else layout.whole.count
    volumes, contrast = {}, {}
    for k in range(25):
        passing = k % 5 == 0
        contrast[k] = torch.full((cells,), 1.0 if passing else 0.01)
        for row in rows:
            bins = layout.streamlines.target[row].index.shape[1]
            seen = torch.zeros(cells + pieces, bins)
            # What stands still is like itself; blood moves.
            seen[:, bins // 2 + (3 if passing else 0)] = 0.8
            volumes[row, k] = seen
    with torch.no_grad():
        alike = net.cost_volume(volumes, 12, layout, causal=False).pooled
        weighed = net.cost_volume(volumes, 12, layout, causal=False, contrast=contrast).pooled
        even = dict.fromkeys(contrast, torch.full((cells,), 0.3))
        evenly = net.cost_volume(volumes, 12, layout, causal=False, contrast=even).pooled
    longest = -1
    for row in rows:
        middle = alike[row][0].shape[1] // 2
        assert (alike[row][0][:, middle, longest] > alike[row][0][:, middle + 3, longest]).all()
        assert (weighed[row][0][:, middle, longest] < 0.1 * weighed[row][0][:, middle + 3, longest]).all()
        for wide, plain in zip(evenly[row], alike[row], strict=True):
            assert torch.allclose(wide, plain, atol=1e-5)
