"""Pages that are read without the program: one recording, or a batch compared."""

from sam2flow_core.reports.pages import write_comparison, write_report

__all__ = ["write_comparison", "write_report"]
