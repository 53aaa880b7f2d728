"""Vessel fields of straight vessels, as a network would see them that makes no error."""

import numpy as np
import torch

from sam2flow_core.model.vessel_field import FIELD_STRIDE, VesselField
from sam2flow_core.training.field_truth import LumenPoints, true_field


def straight(x, y, degrees, radius, length=1e9):
    """A vessel whose blood flows in a direction (from x towards y), from a point on, px."""
    return (x, y, np.deg2rad(degrees), radius, length)


def lumens(vessels, side):
    """The cells of a field of ``side`` px that lie in vessels; ends inside the frame count."""
    n = side // FIELD_STRIDE
    y, x = np.indices((n, n)) * FIELD_STRIDE + 0.5
    found, ends = [], []
    for x0, y0, angle, radius, length in vessels:
        along = (x - x0) * np.cos(angle) + (y - y0) * np.sin(angle)
        offset = ((x - x0) * np.sin(angle) - (y - y0) * np.cos(angle)) / radius  # positive on the left of the flow
        row, column = np.nonzero((np.abs(offset) <= 1) & (along >= 0) & (along <= length))
        alike = np.ones(len(row))
        found.append(np.stack([row, column, angle * alike, offset[row, column], radius * alike], 1))
        for reach in (0.0, length):
            end = np.array([y0 + reach * np.sin(angle), x0 + reach * np.cos(angle)])
            if (end > 0).all() and (end < side).all():
                ends.append([*(end / FIELD_STRIDE), radius / FIELD_STRIDE])
    row, column, angle, offset, radius = np.concatenate(found).T
    return LumenPoints(n, row.astype(int), column.astype(int), angle, offset, radius, np.array(ends).reshape(-1, 3))


def field_of(*vessels, side=128):
    """Field (logits) of a square frame with these vessels."""
    truth = true_field(lumens(vessels, side))
    inside, ends, runs = (torch.logit(x.clamp(0.002, 0.998)) for x in truth[:3])
    return VesselField(inside, ends, runs, truth.offset, truth.log_radius)
