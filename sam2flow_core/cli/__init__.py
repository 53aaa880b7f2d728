"""The command line ``sam2flow``: builds requests, shows events, and does nothing else."""

from sam2flow_core.cli.main import main

__all__ = ["main"]
