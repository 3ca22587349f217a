"""`avelzoo decode`: other thresholds, decoders and formats for predicted videos, without inference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from avelzoo.cli.localized import emit, print_outcomes
from avelzoo.errors import UsageError

if TYPE_CHECKING:
    from avelzoo.localization.deciding import Rule
    from avelzoo.localization.settings import Settings


def decode(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Output folder of `avelzoo predict`.")],
    threshold: Annotated[
        float | None, typer.Option(help=r"Relevance of an event, in \[0, 1]. \[default: as predicted]")
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
    from avelzoo.localization import batch
    from avelzoo.localization.deciding import decided
    from avelzoo.localization.outputs import Outputs, formats_of
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
    rule = _decoder(settings, decoder, run) if decoder else _threshold(settings, threshold, read_facts(folder))
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
    outcomes += batch.unreadable_in(folder)
    facts: dict[str, Any] = {"decision": "; ".join(words), "threshold": None if rule is None else rule.threshold}
    again = replace(settings, formats=chosen, threshold=settings.threshold if threshold is None else str(threshold))
    write_settings(target.folder, again, facts | {"decoder": decoder})
    batch.write_summary(target.folder, outcomes)
    if json:
        emit(outcomes, facts, batch.exit_code(outcomes))
    if not quiet:
        print_outcomes(outcomes, {"decision": facts["decision"], "results": str(target.folder)}, stderr=json)
    if code := batch.exit_code(outcomes):
        raise typer.Exit(code)


def _decoder(settings: Settings, decoder: str, run: Path | None) -> Rule:
    from avelzoo.localization.redeciding import decoder_rule
    from avelzoo.plugin.default import default_host

    return decoder_rule(default_host().registry, decoder, run or (Path(settings.run) if settings.run else None))


def _threshold(settings: Settings, threshold: float | None, facts: Mapping[str, Any]) -> Rule | None:
    """The threshold that was asked for, else that of the prediction; None for the system's own rule."""
    from avelzoo.localization.deciding import parsed_threshold, threshold_rule

    if threshold is not None:
        return parsed_threshold(threshold)
    if settings.threshold is not None and facts.get("threshold") is not None:
        return threshold_rule(float(facts["threshold"]), str(facts["decision"]))
    return None
