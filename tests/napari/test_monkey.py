"""Random actions: no exception, no lost prompt. The model of what must hold is plain tuples of prompts."""

import random
from dataclasses import replace

import numpy as np
import pytest
from conftest import FRAMES, HEIGHT, PATIENCE, WIDTH, write_recording
from fake_engine import FakeEngine
from napari.components import ViewerModel
from napari.utils.notifications import Notification, notification_manager

from sam2flow_core.project import read_project
from sam2flow_core.prompts import BoxPrompt, MaskPrompt, Prompt, read_prompts
from sam2flow_napari.widgets.dock import SAM2FlowDock


class Monkey:
    """Does random things to a dock and keeps its own account of the prompts."""

    def __init__(self, path, seed, qtbot):
        self.random = random.Random(seed)
        self.path, self.qtbot = path, qtbot
        self.viewer, self.engines = ViewerModel(), []
        self.dock = None
        self.reopen()
        self.dock.bench.open(path)
        self.past, self.future, self.now, self.regions = [], [], (), ()

    @property
    def session(self):
        return self.dock.bench.session

    def reopen(self):
        self.engines.append(FakeEngine(0.002))
        self.dock = SAM2FlowDock(self.viewer, self.engines[-1])
        self.qtbot.addWidget(self.dock)

    def account(self, prompts, regions=None):
        regions = self.regions if regions is None else regions
        if (prompts, regions) != (self.now, self.regions):
            self.remember()
            self.now, self.regions = prompts, regions

    def remember(self):
        self.past.append((self.now, self.regions))
        self.future = []

    # -- the actions -------------------------------------------------------
    def click(self):
        t, y, x = self.random.randrange(FRAMES), self.random.uniform(-9, HEIGHT + 8), self.random.uniform(0, WIDTH - 1)
        label = self.random.choice((0, 1, 1))
        vessel = self.session.active or self.session.state.next_id()
        self.session.set_sign(label)
        self.viewer.dims.set_current_step(0, t)
        outlined = self.outlined(y, x) if label else None
        self.dock.bench.scene.prompts.layer.add((t, y, x))
        if not -0.5 <= y <= HEIGHT - 0.5:
            return
        self.account((*self.now, *(outlined or (Prompt(vessel, t, y, x, label),))))

    def outlined(self, y, x):
        """The clicks that a click on the outline of a vessel that is proposed stands for."""
        near = min(self.dock.bench.finder.proposals, key=lambda p: p.distance(y, x), default=None)
        if near is None or near.distance(y, x) > 1:
            return None
        active, state = self.session.active, self.session.state
        empty = active in state.vessel_ids and not state.is_prompted(active)
        return near.clicks(active if empty else state.next_id())

    def delete_point(self):
        layer = self.dock.bench.scene.prompts.layer
        if len(layer.data):
            row = self.random.randrange(len(layer.data))
            layer.selected_data = {row}
            layer.remove_selected()
            self.account(tuple(p for i, p in enumerate(self.now) if i != row))

    def box(self):
        t, y, x = self.random.randrange(FRAMES), self.random.randrange(HEIGHT - 30), self.random.randrange(WIDTH - 40)
        vessel = self.session.active or self.session.state.next_id()
        self.viewer.dims.set_current_step(0, t)
        self.dock.bench.tools.draw_box()
        corners = np.array([(t, y, x), (t, y + 30, x), (t, y + 30, x + 40), (t, y, x + 40)], float)
        self.dock.bench.scene.boxes.layer.add_rectangles([corners])
        box = BoxPrompt(vessel, t, y, x, y + 30, x + 40)
        masks = tuple(r for r in self.regions if isinstance(r, MaskPrompt))
        boxes = {(r.vessel_id, r.frame): r for r in (*self.regions, box) if isinstance(r, BoxPrompt)}
        self.account(self.now, (*masks, *boxes.values()))

    def paint(self):
        t = self.random.randrange(FRAMES)
        self.viewer.dims.set_current_step(0, t)
        brush = self.dock.bench.scene.brush
        if not brush.working:
            self.dock.bench.tools.paint()
            y, x = self.random.randrange(HEIGHT), self.random.randrange(WIDTH)
            brush.layer.paint((0, y, x), brush.layer.selected_label)
            self.wait()
            mask = brush.layer.data[0] > 0
            self.dock.bench.tools.paint()
            vessel = self.session.active
            place = (vessel, t)
            prompts = tuple(p for p in self.now if (p.vessel_id, p.frame) != place)
            regions = tuple(r for r in self.regions if (r.vessel_id, r.frame) != place)
            self.account(prompts, (MaskPrompt.of(vessel, t, mask), *regions))

    def bend(self):
        """What is bent stands for all that was marked of the vessel in the frame."""
        self.qtbot.waitUntil(lambda: not self.dock.bench.previews.awaited, timeout=PATIENCE)
        self.dock.bench.tools.bend()
        course, place = self.dock.bench.scene.course, (self.session.active, self.viewer.dims.current_step[0])
        if course.working:
            before = self.now, self.regions
            line = course.layer.data[0] + np.array([0, self.random.uniform(-9, 9), self.random.uniform(-9, 9)])
            course.layer.data = [(line, "path")]
            for kept, now in zip(before, (self.session.state.clicks, self.session.state.regions), strict=True):
                assert [p for p in now if (p.vessel_id, p.frame) != place] == [
                    p for p in kept if (p.vessel_id, p.frame) != place
                ]
            self.account(self.session.state.clicks, self.session.state.regions)

    def give_up(self):
        self.dock.bench.tools.paint()
        self.dock.bench.tools.undo()
        self.dock.bench.tools.give_up()

    def next_mask(self):
        """Another mask comes with another click, when it comes: the account waits for it."""
        self.qtbot.waitUntil(lambda: not self.dock.bench.previews.awaited, timeout=PATIENCE)
        vessel, before = self.session.active, self.session.state
        self.dock.bench.tools.next_mask()
        self.qtbot.waitUntil(lambda: not self.dock.bench.previews.awaited, timeout=PATIENCE)
        if self.session.state != before:
            clicks = self.session.state.clicks
            assert [c for c in clicks if c.vessel_id != vessel] == [c for c in self.now if c.vessel_id != vessel]
            self.account(clicks)

    def find(self):
        self.dock.vessels.find_all.click()

    def accept_found(self):
        proposals = self.dock.bench.finder.proposals
        if proposals:
            y, x = proposals[0].vessel.centreline[5]
            self.session.set_sign(1)
            clicks = self.outlined(y, x)
            self.dock.bench.scene.prompts.layer.add((self.random.randrange(FRAMES), y, x))
            self.account((*self.now, *clicks))

    def accept_all_found(self):
        before, count = self.now, len(self.dock.bench.finder.proposals)
        self.dock.vessels.accept.click()
        if count:
            assert self.session.state.clicks[: len(before)] == before
            assert len(self.session.state.clicks) == len(before) + 3 * count
            self.account(self.session.state.clicks)

    def dismiss_found(self):
        self.dock.vessels.dismiss.click()

    def propagate(self):
        self.dock.run.propagate.click()

    def clear(self):
        place = (self.session.active, self.viewer.dims.current_step[0])
        self.dock.bench.tools.clear()
        self.account(self.now, tuple(r for r in self.regions if (r.vessel_id, r.frame) != place))

    def add_vessel(self):
        before = self.session.state
        self.session.activate_next()
        if self.session.state != before:
            self.remember()

    def delete_vessel(self):
        if self.session.state.vessels:
            vessel = self.random.choice(self.session.state.vessel_ids)
            self.session.delete_vessel(vessel)
            self.remember()
            self.now = tuple(p for p in self.now if p.vessel_id != vessel)
            self.regions = tuple(p for p in self.regions if p.vessel_id != vessel)

    def hide_vessel(self):
        if self.session.state.vessels:
            vessel = self.random.choice(self.session.state.vessels)
            self.session.show_vessel(vessel.vessel_id, not vessel.visible)
            self.remember()

    def merge_vessels(self):
        ids = self.session.state.vessel_ids
        if len(ids) > 1:
            kept, gone = self.random.sample(ids, 2)
            self.session.merge_vessels(kept, gone)
            self.remember()
            self.now = tuple(replace(p, vessel_id=kept) if p.vessel_id == gone else p for p in self.now)
            joined = {}
            for region in (replace(r, vessel_id=kept) if r.vessel_id == gone else r for r in self.regions):
                place = (type(region), region.vessel_id, region.frame)
                joined[place] = both(joined[place], region) if place in joined else region
            self.regions = tuple(joined.values())

    def split_vessel(self):
        newest = [p for p in self.now if p.vessel_id == self.session.active][-1:]
        new = self.session.state.next_id()
        self.dock.bench.scene.prompts.layer.selected_data = set()
        self.dock.bench.tools.split()
        if newest:
            self.account(tuple(replace(p, vessel_id=new) if p in newest else p for p in self.now))

    def sort_vessels(self):
        before = self.session.state
        if before.vessels:
            vessel = self.random.choice(before.vessel_ids)
            self.session.move_vessel(vessel, self.random.choice((-2, 1, 5)))
            if self.session.state != before:
                self.remember()
            before = self.session.state
            self.session.group_vessel(vessel, self.random.choice(("", "vein", "artery")))
            if self.session.state != before:
                self.remember()

    def open_a_run(self):
        choice = self.dock.results.history.choice
        if choice.isEnabled():
            choice.setCurrentIndex(self.random.randrange(choice.count()))
            choice.activated.emit(choice.currentIndex())

    def go_on(self):
        self.dock.results.history.go_on.click()

    def delete_a_run(self):
        chosen = self.dock.results.history.chosen
        if chosen is not None:
            self.dock.bench.runs.delete(chosen.folder)

    def undo(self):
        self.session.undo()
        if self.past:
            self.future.append((self.now, self.regions))
            self.now, self.regions = self.past.pop()

    def redo(self):
        self.session.redo()
        if self.future:
            self.past.append((self.now, self.regions))
            self.now, self.regions = self.future.pop()

    def scrub(self):
        self.viewer.dims.set_current_step(0, self.random.randrange(FRAMES))

    def run(self):
        self.dock.run.start.click()

    def cancel(self):
        self.dock.run.cancel.click()

    def wait(self):
        self.qtbot.wait(self.random.randrange(60))

    def delete_layer(self):
        scene = self.dock.bench.scene
        hands = [scene.prompts.layer, scene.boxes.layer, scene.brush.layer, self.dock.bench.finder.layer]
        layer = self.random.choice([x for x in (*hands, *scene.overlays.layers) if x in self.viewer.layers])
        self.viewer.layers.remove(layer)
        self.qtbot.waitUntil(lambda: scene.prompts.layer in self.viewer.layers, timeout=PATIENCE)

    def close_and_reopen(self):
        self.dock.close()
        if self.random.random() < 0.5:
            self.viewer.layers.clear()
        self.reopen()
        if self.dock.bench.scene is None:
            self.dock.bench.open(self.path)
        # The history starts anew with what is on disk.
        self.past, self.future = [], []

    def close_recording(self):
        self.viewer.layers.remove(self.dock.bench.scene.image)
        assert self.dock.bench.scene is None
        self.dock.bench.open(self.path)
        self.past, self.future = [], []

    def act(self):
        actions = {
            self.click: 10, self.delete_point: 2, self.add_vessel: 3, self.delete_vessel: 1, self.hide_vessel: 1,
            self.undo: 4, self.redo: 2, self.scrub: 4, self.run: 2, self.cancel: 2, self.wait: 4,
            self.box: 2, self.paint: 2, self.clear: 1, self.delete_layer: 1,
            self.give_up: 1, self.propagate: 1, self.bend: 2,
            self.merge_vessels: 1, self.split_vessel: 1, self.sort_vessels: 1,
            self.open_a_run: 1, self.go_on: 1, self.delete_a_run: 1,
            self.close_and_reopen: 1, self.close_recording: 1,
            self.next_mask: 3, self.find: 2, self.accept_found: 2, self.accept_all_found: 1, self.dismiss_found: 1,
        }  # fmt: skip
        action = self.random.choices(list(actions), list(actions.values()))[0]
        action()
        return action.__name__

    def check(self):
        assert self.session.state.clicks == self.now
        assert self.session.state.regions == self.regions
        layer = self.dock.bench.scene.prompts.layer
        shown = [(p.frame, p.y, p.x) for p in self.now]
        np.testing.assert_array_equal(layer.data, np.array(shown, float).reshape(-1, 3))

    def finish(self):
        folder = self.session.folder
        for dock_engine in self.engines:
            dock_engine.gate.set()
        self.dock.close()
        self.qtbot.waitUntil(lambda: not self.dock.bench.busy, timeout=PATIENCE)
        assert read_project(folder).state.regions == self.regions
        if self.now:
            assert read_prompts(folder / "prompts.csv") == self.now


def both(first, second):
    """What is left of two boxes, or two masks, of one vessel in one frame."""
    if isinstance(first, MaskPrompt):
        return MaskPrompt.of(first.vessel_id, first.frame, first.mask | second.mask)
    sides = min(first.top, second.top), min(first.left, second.left)
    return BoxPrompt(
        first.vessel_id, first.frame, *sides, max(first.bottom, second.bottom), max(first.right, second.right)
    )


@pytest.mark.parametrize(
    ("seed", "actions"),
    [(1, 150), pytest.param(2, 2000, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])],
)
def test_random_actions_lose_nothing(tmp_path, qtbot, seed, actions):
    monkey = Monkey(write_recording(tmp_path / "cells.tif"), seed, qtbot)
    notification_manager.records.clear()
    done = []
    for _ in range(actions):
        done.append(monkey.act())
        try:
            monkey.check()
        except AssertionError as error:
            raise AssertionError(f"after {len(done)} actions, the last of them {done[-6:]}") from error
    monkey.finish()
    faults = [n.message for n in notification_manager.records if isinstance(n, Notification) and "failed" in n.message]
    assert faults == []
    assert len(set(done)) >= 10
