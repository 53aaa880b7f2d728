"""The one thing pyproject.toml cannot say: found packages plus the folder ``resources`` under its installed name."""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["sam2flow_core*", "sam2flow_napari*"]), "sam2flow_resources"])
