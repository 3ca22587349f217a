"""`avelzoo decode`: other thresholds, decoders and formats for predicted videos, without inference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from avelzoo.cli import render
from avelzoo.cli.localized import emit, print_outcomes
from avelzoo.errors import UsageError, printable

if TYPE_CHECKING:
    from avelzoo.localization.deciding import Rule
    from avelzoo.localization.settings import Settings


def decode(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Output folder of `avelzoo predict`.")],
    threshold: Annotated[
        str | None,
        typer.Option(
            metavar="X|val", help=r"Relevance of an event, in \[0, 1]; val: chosen on val. \[default: as predicted]"
        ),
    ] = None,
    decoder: Annotated[str | None, typer.Option(help="Decoder, tuned on the run's val split.")] = None,
    run: Annotated[
        Path | None, typer.Option(metavar="RUN_DIR", help=r"Run of the decoder. \[default: as predicted]")
    ] = None,
    formats: Annotated[
        str | None, typer.Option("--format", metavar="NAMES|all", help=r"Formats. \[default: as predicted]")
    ] = None,
    plot: Annotated[bool, typer.Option("--plot", help="Draw every result, as SVG and PNG.")] = False,
    out: Annotated[Path | None, typer.Option(help=r"Output folder. \[default: DIR]")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print only JSON on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No table.")] = False,
) -> None:
    """Decide again from stored scores, and write results in any format. Reads no video."""
    from avelzoo.localization import batch, summary
    from avelzoo.localization.deciding import VAL, decided
    from avelzoo.localization.outputs import Outputs, formats_of
    from avelzoo.localization.redeciding import decoder_rule, val_rule
    from avelzoo.localization.settings import read_facts, read_settings, write_settings
    from avelzoo.localization.storing import load
    from avelzoo.plugin.default import default_host

    settings = read_settings(folder)
    if threshold is not None and decoder is not None:
        raise UsageError("--threshold and --decoder are mutually exclusive", fix="remove one of them")
    chosen = formats or settings.formats or "json"
    source = Outputs(folder, formats_of(default_host().registry, chosen))
    target = Outputs(out or folder, source.formats, plot or settings.plot)
    stored = source.stored()
    if not stored:
        raise UsageError(
            "the folder holds no scores",
            where=str(folder),
            expected="the output folder of `avelzoo predict`, with at least one readable video",
        )
    facts = read_facts(folder)
    shared = tuple(facts.get("notices", ()))
    run = run or (Path(settings.run) if settings.run else None)
    rule: Rule | None
    notices: Sequence[str] = ()
    if decoder:
        rule, notices = decoder_rule(default_host().registry, decoder, run, load(stored[0]))
    elif threshold == VAL:
        rule = val_rule(default_host().registry, run, load(stored[0]))
    else:
        rule = _threshold(settings, threshold, facts)
    outcomes = []
    for path in stored:
        scored = load(path)
        own = rule is None
        result = decided(scored.result, scored.own if rule is None else rule, own=own)
        name = source.name_of(path)
        used = scored.own if rule is None else rule
        files = target.write(name, result, threshold=used.threshold)
        outcomes.append(batch.Outcome(name, result, tuple(files), resumed=True))
    words = sorted({outcome.result.decision for outcome in outcomes})
    outcomes += summary.unreadable_in(folder)
    facts = {
        "notices": list(shared),
        "decision": "; ".join(words),
        "threshold": None if rule is None else rule.threshold,
    }
    again = replace(settings, formats=chosen, threshold=settings.threshold if threshold is None else threshold)
    write_settings(target.folder, again, facts | {"decoder": decoder})
    summary.write_summary(target.folder, outcomes, shared=shared)
    if json:
        emit(outcomes, facts, batch.exit_code(outcomes))
    if not quiet:
        print_outcomes(outcomes, {"decision": facts["decision"], "results": str(target.folder)}, shared, stderr=json)
        for notice in notices:
            render.console(stderr=True).print(printable(notice), soft_wrap=True)
    if code := batch.exit_code(outcomes):
        raise typer.Exit(code)


def _threshold(settings: Settings, threshold: str | None, facts: Mapping[str, Any]) -> Rule | None:
    """The threshold that was asked for, else that of the prediction; None for the system's own rule."""
    from avelzoo.localization.deciding import parsed_threshold, threshold_rule

    if threshold is not None:
        return parsed_threshold(threshold)
    if settings.threshold is not None and facts.get("threshold") is not None:
        return threshold_rule(float(facts["threshold"]), str(facts["decision"]))
    return None
