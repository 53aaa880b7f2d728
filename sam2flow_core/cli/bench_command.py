"""``sam2flow bench``."""

from __future__ import annotations

from pathlib import Path

import click

from sam2flow_core.cli.options import device_option, report_line


@click.command()
@click.option("--model", default="tiny", show_default=True, metavar="tiny|FILE", help="Shipped preset or checkpoint.")
@device_option
@click.option("--no-large", is_flag=True, help="Leave the published base configuration out; it takes minutes on a CPU.")
@click.option("--document", type=click.Path(path_type=Path), help="Write the tables into this Markdown file.")
def bench(model: str, device: str, no_large: bool, document: Path | None) -> None:
    """Measure speed, memory and how they grow, on this machine."""
    from sam2flow_core.evaluation import bench as measure
    from sam2flow_core.files import check_document

    if document is not None:
        check_document(document)

    click.echo(measure(model, device, not no_large, document, report_line).text())
