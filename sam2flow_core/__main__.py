"""``python -m sam2flow_core`` is ``sam2flow``."""

from sam2flow_core.cli import main

main()
