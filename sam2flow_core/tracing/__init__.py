"""Vessels followed from their clicks through the vessel field: arrays, no network."""
