"""`avelzoo ov-ave-simulate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from avelzoo.cli.render import emit_json


def simulate(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write, new or empty.")],
    *,
    clips: Annotated[int, typer.Option(help="Number of clips.", min=40)] = 400,
    seen: Annotated[int, typer.Option(help="Categories in training.", min=1)] = 46,
    unseen: Annotated[int, typer.Option(help="Categories in val and test alone.", min=0)] = 21,
    features: Annotated[bool, typer.Option("--features", help="Write small features too, to train on.")] = False,
    seed: Annotated[int, typer.Option(help="Random seed.", min=0)] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a folder in OV-AVEBench's layout with synthetic labels."""
    from avelzoo_ov_ave.simulating import Simulation, simulate as write  # NumPy and HDF5, for this command alone

    counts = write(out, Simulation(clips=clips, seen=seen, unseen=unseen, features=features, seed=seed))
    if json:
        emit_json({"root": str(out), "clips": counts})
        return
    typer.echo(f"{out}: " + ", ".join(f"{count} {name}" for name, count in counts.items()) + " clips, synthetic")
    typer.echo(f"next: avelzoo audit --dataset ov-ave --data {out}")
