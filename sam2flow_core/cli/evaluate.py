"""``sam2flow evaluate``."""

from __future__ import annotations

from pathlib import Path

import click

from sam2flow_core.cli.options import device_option, report_line

_PATH = click.Path(path_type=Path)


@click.command()
@click.option("--model", default="tiny", show_default=True, metavar="tiny|FILE", help="Shipped preset or checkpoint.")
@click.option(
    "--data", default="synthetic:bench-v1", show_default=True, metavar="NAME|DIR", help="The benchmark, or `synth`'s."
)
@click.option("--cases", metavar="NAME,...", help="These cases only; all by default.")
@click.option("--peers", is_flag=True, help="The classical methods in the same tables.")
@click.option("--ablations", is_flag=True, help="Instead: the model with one part left out at a time.")
@device_option
@click.option("--csv", type=_PATH, help="Write every figure there.")
@click.option("--document", type=_PATH, help="Write the tables into this Markdown file.")
@click.option("--cache", type=_PATH, help="Keep results there; a further run does only what is new.")
def evaluate(
    model: str,
    data: str,
    cases: str | None,
    peers: bool,
    ablations: bool,
    device: str,
    csv: Path | None,
    document: Path | None,
    cache: Path | None,
) -> None:
    """Measure a model's accuracy against the truth."""
    from sam2flow_core.evaluation import evaluate as measure
    from sam2flow_core.evaluation import evaluate_ablations

    only = tuple(cases.split(",")) if cases else ()
    if ablations:
        outcome = evaluate_ablations(model, data, device, document, cache, report_line, only=only)
        if csv is not None:
            outcome.write_csv(csv)
    else:
        outcome = measure(model, data, peers, device, csv, document, cache, report_line, only=only)
    click.echo(outcome.text())
