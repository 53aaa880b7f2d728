"""``sam2flow evaluate-vos``."""

from __future__ import annotations

from pathlib import Path

import click

from sam2flow_core.cli.options import device_option, report_line

_PATH = click.Path(path_type=Path)


@click.command("evaluate-vos")
@click.argument("folder", metavar="DIR", type=_PATH)
@click.option("--model", metavar="FILE", help="Weights, SAM 2's among them, that find the masks.")
@click.option("--masks", type=_PATH, help="Instead: masks that were found already, in the layout of the annotations.")
@click.option("--videos", type=_PATH, help="Text file with the name of a video a line; all by default.")
@click.option("--interactive", is_flag=True, help="Click where masks are wrong, instead of giving the first mask.")
@click.option("--clicks", type=click.IntRange(min=1), default=3, show_default=True, help="In a frame, each round.")
@click.option("--rounds", type=click.IntRange(min=1), default=8, show_default=True, help="Of clicks.")
@click.option("--out", type=_PATH, help="Folder to write the masks to, in the layout of the annotations.")
@click.option("--csv", type=_PATH, help="Write the scores of every object there.")
@device_option
def evaluate_vos(
    folder: Path,
    model: str | None,
    masks: Path | None,
    videos: Path | None,
    interactive: bool,
    clicks: int,
    rounds: int,
    out: Path | None,
    csv: Path | None,
    device: str,
) -> None:
    """Score masks on the annotated videos of DIR (DAVIS, SA-V, MOSE): J, F, J&F, and clicks to 90 %.

    Each object is given by its first mask and followed; the first and the last annotated frame do not count.
    """
    from sam2flow_core.config.evaluation import ClickingSettings
    from sam2flow_core.evaluation.vos import evaluate_clicks, evaluate_first_masks, score_masks
    from sam2flow_core.evaluation.vos_data import open_vos
    from sam2flow_core.files import check_writable, make_parent
    from sam2flow_core.spreadsheets import write_csv

    if (model is None) == (masks is None):
        raise click.UsageError("give either --model, which finds masks, or --masks, which were found already")
    if masks is not None and (interactive or out is not None):
        raise click.UsageError("--interactive and --out need a --model")
    if interactive and out is not None:
        raise click.UsageError("--out writes masks that were followed from the first one, not --interactive ones")
    for path in filter(None, (csv, out and out / "masks")):
        check_writable(path, folder, model, masks, videos)
    data = open_vos(folder, videos)
    if masks is not None:
        result = score_masks(data, masks)
    else:
        from sam2flow_core.inference.build import load_predictor

        predictor = load_predictor(str(model), device)
        if interactive:
            result = evaluate_clicks(predictor, data, ClickingSettings(clicks, rounds), report_line)
        else:
            result = evaluate_first_masks(predictor, data, out, report_line)
    if csv is not None:
        make_parent(csv)
        write_csv(csv, result.table())
    click.echo(result.text())
