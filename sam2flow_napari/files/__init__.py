"""Readers, writers and sample data: what the manifest offers napari."""
