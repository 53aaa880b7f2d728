"""``sam2flow run``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sam2flow_core.cli.options import Number, detail_of, detail_option, device_option, every_option, resolution_option

if TYPE_CHECKING:
    from sam2flow_core.engine import RunRequest

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("stack", type=_PATH, required=False)
@click.option(
    "--prompts", type=_PATH, help="CSV of clicks: vessel_id, frame, y, x, label (1 or 0: not this); name, group."
)
@click.option("--out", type=_PATH, help="Folder for the results; made if it is not there.")
@click.option("--model", default="tiny", show_default=True, metavar="tiny|FILE", help="Shipped preset or checkpoint.")
@click.option("--pixel-size-um", type=Number(), help="um per pixel, instead of what the file says.")
@click.option("--frame-rate-hz", type=Number(), help="Frames per second, instead of what the file says.")
@click.option("--start", type=int, default=0, show_default=True, help="First frame.")
@click.option("--stop", type=int, help="Frame to stop before; the end by default.")
@click.option(
    "--range",
    "ranges",
    multiple=True,
    metavar="START:STOP",
    help="Frames START to STOP - 1; several, each with its rows.",
)
@detail_option
@every_option
@click.option("--pulse-hz", type=Number(), help="Heart rate, if it is known: standard detail answers 24 pairs a beat.")
@device_option
@click.option("--no-stabilise", is_flag=True, help="Leave the tissue's own motion in the flow.")
@resolution_option
@click.option("--resume", is_flag=True, help="Go on with an unfinished run in the folder.")
@click.option("--stack-axes", metavar="TYX", help="The axes, where the file is wrong about them.")
@click.option("--from", "provenance", type=_PATH, help="Repeat the run of this provenance.json (STACK: if it moved).")
@click.option("--project", type=_PATH, help="Run what the window's project folder says, into it unless --out is given.")
@click.option("--download", is_flag=True, help="Let a model that --from or --project names be fetched from the hub.")
@click.pass_context
def run(context: click.Context, /, **given: object) -> int:
    """Measure the prompted vessels of the recording STACK: masks, flow, velocity tables and a report."""
    from sam2flow_core.cli.show import show_run

    if given["project"]:
        return show_run(_of_project(context))
    if given["out"] is None:
        raise click.UsageError("Missing option '--out'.", context)
    return show_run(_repeated(context) if given["provenance"] else _request(context))


def _request(context: click.Context) -> RunRequest:
    from sam2flow_core.engine import RunRequest
    from sam2flow_core.prompts import read_labels, read_prompts

    given = context.params
    if given["stack"] is None:
        raise click.UsageError("Missing argument 'STACK'.", context)
    if given["prompts"] is None:
        raise click.UsageError("Missing option '--prompts'.", context)
    names, groups = read_labels(given["prompts"])
    return RunRequest(
        stack=given["stack"],
        prompts=read_prompts(given["prompts"]),
        out=given["out"],
        model=given["model"],
        device=given["device"],
        pixel_size_um=given["pixel_size_um"],
        frame_rate_hz=given["frame_rate_hz"],
        start=given["start"],
        stop=given["stop"],
        stabilise=not given["no_stabilise"],
        resume=given["resume"],
        stack_axes=given["stack_axes"],
        working_resolution=given["working_resolution"],
        names=names,
        groups=groups,
        detail=detail_of(context),
        ranges=_ranges(context),
        pulse_hz=given["pulse_hz"],
    )


def _ranges(context: click.Context) -> tuple[tuple[int, int], ...]:
    if context.params["ranges"] and (_by_hand(context, "start") or _by_hand(context, "stop")):
        raise click.UsageError("--range and --start, --stop say the same: give one of them.", context)
    found = []
    for text in context.params["ranges"]:
        start, colon, stop = text.partition(":")
        if not (colon and start.strip().isdecimal() and stop.strip().isdecimal()):
            raise click.UsageError(f"--range {text}: give two frames as START:STOP, such as 0:3200.", context)
        found.append((int(start), int(stop)))
    return tuple(found)


# What a provenance or a project says already; giving it again could only contradict.
_SAID = (
    "prompts", "model", "pixel_size_um", "frame_rate_hz", "start", "stop", "no_stabilise", "stack_axes", "ranges",
    "pulse_hz", "detail", "every", "working_resolution",
)  # fmt: skip


def _repeated(context: click.Context) -> RunRequest:
    from sam2flow_core.engine import request_again

    given = context.params
    _refuse(context, _SAID, "--from")
    device = given["device"] if _by_hand(context, "device") else None
    request = request_again(given["provenance"], given["out"], given["stack"], device, given["download"])
    return replace(request, resume=given["resume"])


def _of_project(context: click.Context) -> RunRequest:
    from sam2flow_core.engine import request_in_folder

    given = context.params
    _refuse(context, (*_SAID, "provenance"), "--project")
    if given["resume"] and given["out"] is None:
        raise click.UsageError("--resume needs --out, the folder of the run to go on with.", context)
    request = request_in_folder(given["project"], given["stack"], given["download"])
    device = given["device"] if _by_hand(context, "device") else request.device
    return replace(request, out=given["out"] or request.out, device=device, resume=given["resume"])


def _refuse(context: click.Context, names: tuple[str, ...], because: str) -> None:
    for option in (p for p in context.command.params if p.name in names):
        if _by_hand(context, str(option.name)):
            raise click.UsageError(f"{option.opts[0]} does not go with {because}, which says it.", context)


def _by_hand(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
