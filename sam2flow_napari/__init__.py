"""SAM2Flow in napari: click vessels, watch their flow, take home the tables.

A thin face of `sam2flow_core.engine`: it builds run requests and shows run
events. Nothing here imports torch; the engine is imported by the worker.
"""
