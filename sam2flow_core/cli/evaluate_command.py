"""``sam2flow evaluate``."""

from __future__ import annotations

from pathlib import Path

import click

from sam2flow_core.cli.options import device_option, report_line, require_apart
from sam2flow_core.config.evaluation import MemorySettings

_PATH = click.Path(path_type=Path)


@click.command()
@click.option("--model", default="tiny", show_default=True, metavar="tiny|FILE", help="Shipped preset or checkpoint.")
@click.option(
    "--data",
    default="synthetic:bench-v1",
    show_default=True,
    metavar="NAME|DIR",
    help="synthetic:bench-v1, synthetic:bench-obm (0.2 to 0.3 um/px), or a folder of `synth`.",
)
@click.option("--cases", metavar="NAME,...", help="These cases only; all by default.")
@click.option("--peers", is_flag=True, help="The classical methods in the same tables.")
@click.option("--ablations", is_flag=True, help="Instead: the model with one part left out at a time.")
@click.option("--memory-designs", is_flag=True, help="Instead: designs of memory, each trained on top of the model.")
@click.option("--steps", type=click.IntRange(min=1), help="Of that training; 240 by default.")
@click.option("--design", multiple=True, metavar="NAME=FILE", help="Weights of a design, instead of training it.")
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
    memory_designs: bool,
    steps: int | None,
    design: tuple[str, ...],
    device: str,
    csv: Path | None,
    document: Path | None,
    cache: Path | None,
) -> None:
    """Measure a model's accuracy against the truth."""
    from sam2flow_core.evaluation import compare_memories, evaluate_ablations
    from sam2flow_core.evaluation import evaluate as measure
    from sam2flow_core.files import check_document, check_writable, make_parent
    from sam2flow_core.inference.hub import require_model
    from sam2flow_core.spreadsheets import write_csv

    if not memory_designs and (steps is not None or design):
        raise click.UsageError("--steps and --design say how --memory-designs are trained; give it too")
    if memory_designs and ablations:
        raise click.UsageError("--memory-designs and --ablations are two comparisons; give one of them")
    require_model(model)
    require_apart(csv=csv, document=document)
    for path in filter(None, (csv, document)):
        check_writable(path, model, data)
    if document is not None:
        check_document(document)
    only = tuple(cases.split(",")) if cases else ()
    if memory_designs:
        compared = compare_memories(
            model, data, device, _named_files(design), document, cache, report_line, _trained(steps), only=only
        )
        if csv is not None:
            make_parent(csv)
            write_csv(csv, compared.ious)
        click.echo(compared.text())
        return
    if ablations:
        outcome = evaluate_ablations(model, data, device, document, cache, report_line, only=only)
        if csv is not None:
            outcome.write_csv(csv)
    else:
        outcome = measure(model, data, peers, device, csv, document, cache, report_line, only=only)
    click.echo(outcome.text())


def _named_files(designs: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in designs]
    for name, _, file in pairs:
        if not name or not file:
            raise click.BadParameter(f"'{name}': give a design and its weights as NAME=FILE", param_hint="--design")
    return {name: file for name, _, file in pairs}


def _trained(steps: int | None) -> MemorySettings | None:
    return None if steps is None else MemorySettings(steps=steps)
